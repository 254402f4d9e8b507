//! Epoch items: the messages of a key generation that travel in blocks.
//!
//! The items of a block are a set. It is encoded as a list in strictly increasing order of kind and bytes, so that one set has
//! one encoding: for each item its kind (1 byte), its length (4, big-endian) and its bytes. The bytes of every item begin with
//! attempt (4) and sender (2); the rest depends on the kind, and for dealings and settlements on the members of the attempt.

use thiserror::Error;

use crate::committee::MinerId;
use crate::crypto::curve::{G2_BYTES, SCALAR_BYTES};
use crate::crypto::dkg::{
    Attempt, Dealing, MAX_DKG_MEMBERS, MAX_REGISTRATION_BYTES, Ready, Registration, SEALED_SHARE_BYTES,
    Settlement,
};
use crate::crypto::scheme::SIGNATURE_BYTES;
use crate::limits::{MAX_EPOCH_ITEMS, MAX_EPOCH_ITEMS_BYTES};
use crate::wire::{Decode, Encode, Reader, WireError};

/// Bytes that every item begins with: attempt and sender.
const HEADER_BYTES: usize = 4 + 2;

/// Bytes before each item in a list: kind and length.
const FRAME_BYTES: usize = 1 + 4;

/// The kind of an item. Each belongs to one phase of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ItemKind {
    /// A member's encryption key.
    Registration,
    /// A dealer's public coefficients and sealed shares.
    Dealing,
    /// A dealer's receipts, and the shares of all others in clear.
    Settlement,
    /// A member's statement that its key share is durable.
    Ready,
}

impl ItemKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Registration, Self::Dealing, Self::Settlement, Self::Ready];

    /// The number on the wire.
    const fn number(self) -> u8 {
        match self {
            Self::Registration => 0,
            Self::Dealing => 1,
            Self::Settlement => 2,
            Self::Ready => 3,
        }
    }

    /// Bytes of the longest item of this kind, in the largest committee.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        const N: usize = MAX_DKG_MEMBERS;
        match self {
            Self::Registration => MAX_REGISTRATION_BYTES,
            Self::Dealing => {
                HEADER_BYTES + (N - (N - 1) / 3) * G2_BYTES + N * SEALED_SHARE_BYTES + SIGNATURE_BYTES
            }
            Self::Settlement => HEADER_BYTES + N.div_ceil(8) + 2 * SIGNATURE_BYTES + N * SCALAR_BYTES,
            Self::Ready => Ready::BYTES,
        }
    }
}

/// An item as bytes that have the length of their kind. Whether it is authentic depends on the chain that it is on
/// ([`Progress`](super::key_generation::Progress)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EpochItem {
    kind: ItemKind,
    bytes: Vec<u8>,
}

impl EpochItem {
    /// Takes bytes as an item.
    ///
    /// # Errors
    /// [`ItemsError::Length`].
    pub fn new(kind: ItemKind, bytes: Vec<u8>) -> Result<Self, ItemsError> {
        Item { kind, bytes: &bytes }.require_length(0)?;
        Ok(Self { kind, bytes })
    }

    /// The item, borrowed.
    #[must_use]
    pub fn as_item(&self) -> Item<'_> {
        Item { kind: self.kind, bytes: &self.bytes }
    }
}

macro_rules! of {
    ($($message:ident)*) => {$(
        impl From<&$message> for EpochItem {
            fn from(message: &$message) -> Self {
                Self { kind: ItemKind::$message, bytes: message.encode().to_vec() }
            }
        }
    )*};
}

of! { Registration Dealing Settlement Ready }

/// An item of a list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Item<'a> {
    /// Its kind.
    pub kind: ItemKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Item<'a> {
    /// Its attempt and its sender, who may or may not have signed it.
    #[must_use]
    pub fn header(self) -> (Attempt, MinerId) {
        match *self.bytes {
            [a0, a1, a2, a3, s0, s1, ..] => {
                (Attempt(u32::from_be_bytes([a0, a1, a2, a3])), MinerId(u16::from_be_bytes([s0, s1])))
            }
            _ => (Attempt(u32::MAX), MinerId(u16::MAX)),
        }
    }

    /// A copy.
    #[must_use]
    pub fn to_owned(self) -> EpochItem {
        EpochItem { kind: self.kind, bytes: self.bytes.to_vec() }
    }

    fn require_length(self, index: usize) -> Result<(), ItemsError> {
        let (kind, found, most) = (self.kind, self.bytes.len(), self.kind.max_bytes());
        let least = HEADER_BYTES + SIGNATURE_BYTES;
        if (least..=most).contains(&found) {
            Ok(())
        } else {
            Err(ItemsError::Length { index, kind, found, least, most })
        }
    }
}

impl Encode for EpochItem {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind.number());
        // Below 2^18 (`ItemKind::max_bytes`).
        bytes.extend((self.bytes.len() as u32).to_be_bytes());
        bytes.extend(&self.bytes);
    }
}

impl Decode for EpochItem {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let found = reader.byte("kind of epoch item")?;
        let kind = ItemKind::ALL.into_iter().find(|kind| kind.number() == found);
        let kind = kind.ok_or(WireError::UnknownTag { field: "kind of epoch item", found })?;
        let length = reader.length::<4>("epoch item", kind.max_bytes())?;
        let needed = HEADER_BYTES + SIGNATURE_BYTES;
        if length < needed {
            return Err(WireError::UnexpectedEnd { field: "epoch item", needed, left: length });
        }
        Ok(Self { kind, bytes: reader.bytes("epoch item", length)?.to_vec() })
    }
}

/// Encodes a set of items for a block: duplicates once. The caller keeps within [`MAX_EPOCH_ITEMS`] and [`MAX_EPOCH_ITEMS_BYTES`], or
/// [`decode`] refuses the bytes.
#[must_use]
pub fn encode(mut items: Vec<Item<'_>>) -> Vec<u8> {
    items.sort_unstable();
    items.dedup();
    let mut bytes = Vec::with_capacity(items.iter().map(|item| encoded_bytes(*item)).sum());
    for item in items {
        bytes.push(item.kind.number());
        // Below 2^18 (`ItemKind::max_bytes`).
        bytes.extend((item.bytes.len() as u32).to_be_bytes());
        bytes.extend(item.bytes);
    }
    bytes
}

/// Bytes of an item in a list.
#[must_use]
pub fn encoded_bytes(item: Item<'_>) -> usize {
    FRAME_BYTES + item.bytes.len()
}

/// The items of a block.
///
/// # Errors
/// [`ItemsError`]: nothing of a list that is not canonical is read.
pub fn decode(bytes: &[u8]) -> Result<Vec<Item<'_>>, ItemsError> {
    if bytes.len() > MAX_EPOCH_ITEMS_BYTES {
        return Err(ItemsError::TooManyBytes { found: bytes.len() });
    }
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let index = items.len();
        if index == MAX_EPOCH_ITEMS {
            return Err(ItemsError::TooMany);
        }
        let (frame, after) =
            rest.split_first_chunk::<FRAME_BYTES>().ok_or(ItemsError::UnexpectedEnd { index })?;
        let [kind, length @ ..] = *frame;
        let found = ItemKind::ALL.into_iter().find(|known| known.number() == kind);
        let kind = found.ok_or(ItemsError::UnknownKind { index, found: kind })?;
        let length = u32::from_be_bytes(length) as usize;
        let (bytes, after) = after.split_at_checked(length).ok_or(ItemsError::UnexpectedEnd { index })?;
        let item = Item { kind, bytes };
        item.require_length(index)?;
        if items.last().is_some_and(|last| *last >= item) {
            return Err(ItemsError::Order { index });
        }
        items.push(item);
        rest = after;
    }
    Ok(items)
}

/// Why bytes are no set of items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ItemsError {
    /// More bytes than a block may have of them.
    #[error("{found} bytes of epoch items in a block, where {MAX_EPOCH_ITEMS_BYTES} are the most")]
    TooManyBytes {
        /// Bytes given.
        found: usize,
    },
    /// More items than a block may have.
    #[error("more than {MAX_EPOCH_ITEMS} epoch items in a block")]
    TooMany,
    /// The bytes end inside an item.
    #[error("the bytes end inside epoch item {index}")]
    UnexpectedEnd {
        /// Its position.
        index: usize,
    },
    /// No kind has this number.
    #[error("epoch item {index} is of the unknown kind {found}")]
    UnknownKind {
        /// Its position.
        index: usize,
        /// The number.
        found: u8,
    },
    /// No item of the kind has this length.
    #[error("epoch item {index}, a {kind:?}, has {found} bytes, where {least} to {most} are possible")]
    Length {
        /// Its position.
        index: usize,
        /// Its kind.
        kind: ItemKind,
        /// Bytes given.
        found: usize,
        /// Fewest bytes.
        least: usize,
        /// Most bytes.
        most: usize,
    },
    /// An item is not above the one before it.
    #[error("epoch item {index} is not above the one before it in the order of kind and bytes")]
    Order {
        /// Its position.
        index: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ItemKind, first: u8, length: usize) -> EpochItem {
        let mut bytes = vec![0; length];
        bytes[0] = first;
        EpochItem::new(kind, bytes).expect("a length of the kind")
    }

    fn list(items: &[EpochItem]) -> Vec<u8> {
        encode(items.iter().map(EpochItem::as_item).collect())
    }

    #[test]
    fn a_set_of_items_has_one_encoding() {
        let [a, b, c] = [
            item(ItemKind::Registration, 1, 90),
            item(ItemKind::Dealing, 0, 300),
            item(ItemKind::Dealing, 1, 300),
        ];
        let bytes = list(&[a.clone(), b.clone(), c.clone()]);
        assert_eq!(list(&[c.clone(), a.clone(), b.clone(), a.clone()]), bytes);
        let read: Vec<EpochItem> = decode(&bytes).unwrap().into_iter().map(Item::to_owned).collect();
        assert_eq!(read, [a, b, c]);
        assert_eq!(decode(&[]), Ok(vec![]));
    }

    #[test]
    fn a_list_that_is_not_canonical_is_refused_with_the_place() {
        let [a, b] = [item(ItemKind::Registration, 1, 90), item(ItemKind::Dealing, 0, 300)];
        let backwards = [list(std::slice::from_ref(&b)), list(std::slice::from_ref(&a))].concat();
        assert_eq!(decode(&backwards), Err(ItemsError::Order { index: 1 }));
        let twice = [list(std::slice::from_ref(&a)), list(std::slice::from_ref(&a))].concat();
        assert_eq!(decode(&twice), Err(ItemsError::Order { index: 1 }));
        let bytes = list(&[a, b]);
        for length in 1..bytes.len() {
            // A prefix that ends between two items is a list of its own.
            let refused = decode(&bytes[..length]).is_err();
            assert_eq!(refused, length != 95, "{length} bytes");
        }
        let mut unknown = bytes.clone();
        unknown[0] = 4;
        assert_eq!(decode(&unknown), Err(ItemsError::UnknownKind { index: 0, found: 4 }));
    }

    #[test]
    fn lengths_and_numbers_are_bounded() {
        for kind in ItemKind::ALL {
            let most = kind.max_bytes();
            assert!(EpochItem::new(kind, vec![0; most]).is_ok());
            for found in [0, 53, most + 1] {
                let refused = ItemsError::Length { index: 0, kind, found, least: 54, most };
                assert_eq!(EpochItem::new(kind, vec![0; found]), Err(refused));
            }
        }
        let dealing = FRAME_BYTES + ItemKind::Dealing.max_bytes();
        assert_eq!(MAX_EPOCH_ITEMS_BYTES / dealing, 3, "as the bound says");
        let numbered = |number: u32| {
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.resize(Ready::BYTES, 0);
            EpochItem::new(ItemKind::Ready, bytes).expect("the length of a ready statement")
        };
        let all: Vec<EpochItem> = (0..=MAX_EPOCH_ITEMS as u32).map(numbered).collect();
        assert_eq!(decode(&list(&all[1..])).map(|items| items.len()), Ok(MAX_EPOCH_ITEMS));
        assert_eq!(decode(&list(&all)), Err(ItemsError::TooMany));
        let found = MAX_EPOCH_ITEMS_BYTES + 1;
        assert_eq!(decode(&vec![0; found]), Err(ItemsError::TooManyBytes { found }));
    }
}

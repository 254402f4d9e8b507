//! Identifiers, statements, signatures and certificates.

use std::sync::Arc;

use super::{Decode, Encode, Reader, WireError};
use crate::block::{BlockId, Time};
use crate::bounds::MAX_MINERS;
use crate::certificate::{Certificate, SignerSet};
use crate::committee::{ChainId, Epoch, MinerId, Round, Subround};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Ticket, Timeout};

/// The form byte of a compressed signature.
const COMPRESSED: u8 = 1;

macro_rules! fixed_width {
    ($($type:ident($inner:ty) $field:literal)*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0.to_be_bytes());
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.array($field).map(|bytes| Self(<$inner>::from_be_bytes(bytes)))
            }
        }
    )*};
}

fixed_width! {
    MinerId(u16) "miner"
    Round(u64) "round"
    Subround(u32) "subround"
    Epoch(u64) "epoch"
    Time(u64) "time"
}

macro_rules! byte_array {
    ($($type:ident $field:literal)*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0);
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.array($field).map(Self)
            }
        }
    )*};
}

byte_array! {
    ChainId "chain"
    BlockId "block id"
    BeaconValue "beacon value"
    Signature "signature"
}

macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                $(self.$field.encode(bytes);)*
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self { $($field: Decode::decode(reader)?,)* })
            }
        }
    )*};
}

fields! {
    Proposed { round, subround, block }
    Ticket { round, subround, block }
    Timeout { round, subround }
    FinalityVote { round, subround, block }
}

impl<T: Encode> Encode for Signed<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.statement.encode(bytes);
        self.signer.encode(bytes);
        bytes.push(COMPRESSED);
        self.signature.encode(bytes);
    }
}

impl<T: Decode> Decode for Signed<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let statement = T::decode(reader)?;
        let signer = MinerId::decode(reader)?;
        match reader.byte("form of a signature")? {
            COMPRESSED => Ok(Self { statement, signer, signature: Signature::decode(reader)? }),
            found => Err(WireError::UnknownTag { field: "form of a signature", found }),
        }
    }
}

impl Encode for SignerSet {
    fn encode(&self, bytes: &mut Vec<u8>) {
        // At most MAX_MINERS / 8 bytes: a signer is a u16 below the committee's size.
        bytes.extend_from_slice(&(self.bitmap().len() as u16).to_be_bytes());
        bytes.extend_from_slice(self.bitmap());
    }
}

impl Decode for SignerSet {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let length = reader.length::<2>("bitmap", usize::from(MAX_MINERS) / 8)?;
        let bitmap = reader.bytes("bitmap", length)?;
        SignerSet::from_bitmap(bitmap).ok_or(WireError::NonCanonicalBitmap { length })
    }
}

impl<T: Encode> Encode for Certificate<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.statement.encode(bytes);
        self.signers.encode(bytes);
        self.aggregate.encode(bytes);
    }
}

impl<T: Decode> Decode for Certificate<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            statement: T::decode(reader)?,
            signers: SignerSet::decode(reader)?,
            aggregate: Signature::decode(reader)?,
        })
    }
}

impl<T: Encode> Encode for Arc<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.as_ref().encode(bytes);
    }
}

impl<T: Decode> Decode for Arc<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        T::decode(reader).map(Arc::new)
    }
}

impl Encode for BeaconTarget {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            BeaconTarget::Round(round) => {
                bytes.push(0);
                round.encode(bytes);
            }
            BeaconTarget::Chained { round, subround, previous } => {
                bytes.push(1);
                round.encode(bytes);
                subround.encode(bytes);
                previous.encode(bytes);
            }
        }
    }
}

impl Decode for BeaconTarget {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.byte("beacon target")? {
            0 => Ok(BeaconTarget::Round(Round::decode(reader)?)),
            1 => Ok(BeaconTarget::Chained {
                round: Round::decode(reader)?,
                subround: Subround::decode(reader)?,
                previous: BeaconValue::decode(reader)?,
            }),
            found => Err(WireError::UnknownTag { field: "beacon target", found }),
        }
    }
}

/// An optional value: a flag, then the value when it is there.
pub(super) fn encode_option<T: Encode>(value: Option<&T>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(value.is_some()));
    if let Some(value) = value {
        value.encode(bytes);
    }
}

/// Reads what [`encode_option`] wrote.
pub(super) fn decode_option<T: Decode>(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<Option<T>, WireError> {
    if reader.flag(field)? { T::decode(reader).map(Some) } else { Ok(None) }
}

//! Blocks and their ids. An id commits to every field of the block (PROTOCOL.md, section 1; mutant 39).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::Duration;

use sha3::{Digest as _, Sha3_256};

use crate::certified::{FinalityCertificate, Notarization};
use crate::committee::{ChainId, Epoch, MinerId, Round, Subround};
use crate::crypto::scheme::{BeaconValue, SIGNATURE_BYTES, Signature};

/// Milliseconds since the Unix epoch, or since any other moment that all participants agree on. The crate never reads a
/// clock: time is what the caller says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// `milliseconds` later. Saturates.
    #[must_use]
    pub fn after(self, milliseconds: u64) -> Time {
        Time(self.0.saturating_add(milliseconds))
    }
}

/// Later by the whole milliseconds of a duration. Saturates.
impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, wait: Duration) -> Time {
        self.after(milliseconds(wait))
    }
}

/// Earlier by the whole milliseconds of a duration. Saturates.
impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, wait: Duration) -> Time {
        Time(self.0.saturating_sub(milliseconds(wait)))
    }
}

fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// A SHA3-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// The hash that names a block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub [u8; 32]);

impl Digest {
    /// The digest for "no certificate" in the id of a block: in rounds 0 and 1, or if its generator knew no final block.
    pub const NONE: Digest = Digest([0; 32]);

    /// The hash of a tag and of `parts`, one after the other. All parts but the last must have a fixed length.
    #[must_use]
    pub fn of(tag: &[u8; 16], parts: &[&[u8]]) -> Self {
        let mut hasher = Sha3_256::new();
        hasher.update(tag);
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

fn debug_hash(name: &str, bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{name}({:02x}{:02x}{:02x}{:02x}..)", bytes[0], bytes[1], bytes[2], bytes[3])
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_hash("Digest", &self.0, f)
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_hash("BlockId", &self.0, f)
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

/// The statement of a block about the end of its epoch (PROTOCOL.md, section 8). It follows from the parent and the epoch items of the
/// block, and a block that says anything else is invalid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Closing {
    /// The chain of this block is not closed: the next committee's record is not complete on it.
    #[default]
    Open,
    /// This is the closing block of its chain: the first one on which the record with this digest is complete.
    Closes {
        /// The digest of the record.
        record: Digest,
    },
    /// A block of the tail: a closing block is below it.
    Tail {
        /// The round of the closing block.
        round: Round,
        /// The closing block.
        block: BlockId,
        /// The digest of the record that is complete on it.
        record: Digest,
    },
}

/// Bytes of a [`Closing`] in the preimage of a block id: a tag, a round, a block id and a digest.
const CLOSING_BYTES: usize = 1 + 8 + 32 + 32;

impl Closing {
    /// The statement of a child of the block with this header, unless the child closes the epoch itself.
    #[must_use]
    pub fn of_child(parent: &Header) -> Closing {
        match parent.closing {
            Closing::Open => Closing::Open,
            Closing::Closes { record } => Closing::Tail { round: parent.round, block: parent.id(), record },
            tail @ Closing::Tail { .. } => tail,
        }
    }

    /// The same number of bytes for each value: what a value does not have is zero.
    fn preimage(&self) -> [u8; CLOSING_BYTES] {
        let (tag, round, block, record) = match *self {
            Closing::Open => (0, Round(0), BlockId([0; 32]), Digest::NONE),
            Closing::Closes { record } => (1, Round(0), BlockId([0; 32]), record),
            Closing::Tail { round, block, record } => (2, round, block, record),
        };
        let mut bytes = [0; CLOSING_BYTES];
        bytes[0] = tag;
        bytes[1..9].copy_from_slice(&round.0.to_be_bytes());
        bytes[9..41].copy_from_slice(&block.0);
        bytes[41..].copy_from_slice(&record.0);
        bytes
    }
}

/// Everything that a block's id commits to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// The chain.
    pub chain: ChainId,
    /// The epoch of the committee that produced the block.
    pub epoch: Epoch,
    /// The round.
    pub round: Round,
    /// The subround.
    pub subround: Subround,
    /// The producer of the block.
    pub generator: MinerId,
    /// The block that it extends, notarized in exactly the round before (S3).
    pub parent: BlockId,
    /// [`Notarization::digest`] of the parent's certificate; [`Digest::NONE`] when the parent is genesis.
    pub parent_certificate: Digest,
    /// The highest round that the generator could show to be final: that of [`Block::finality`]; 0 when there is none. Never
    /// below the one that the parent names. It bounds the payload: see [`Header::is_beyond`].
    pub final_round: Round,
    /// [`FinalityCertificate::digest`] of that certificate; [`Digest::NONE`] when there is none.
    pub finality_certificate: Digest,
    /// The beacon value that made the generator eligible (S4).
    pub beacon: BeaconValue,
    /// Hash of the payload.
    pub payload_root: Digest,
    /// The statement about the end of its epoch.
    pub closing: Closing,
    /// Hash of the epoch items.
    pub items_root: Digest,
    /// When the block was produced; never before its parent.
    pub time: Time,
}

impl Header {
    /// The id of the block that has this header: a hash of every field.
    #[must_use]
    pub fn id(&self) -> BlockId {
        let digest = Digest::of(
            b"zus/block/v2\0\0\0\0",
            &[
                &self.chain.0,
                &self.epoch.0.to_be_bytes(),
                &self.round.0.to_be_bytes(),
                &self.subround.0.to_be_bytes(),
                &self.generator.0.to_be_bytes(),
                &self.parent.0,
                &self.parent_certificate.0,
                &self.final_round.0.to_be_bytes(),
                &self.finality_certificate.0,
                &self.beacon.0,
                &self.payload_root.0,
                &self.closing.preimage(),
                &self.items_root.0,
                &self.time.0.to_be_bytes(),
            ],
        );
        BlockId(digest.0)
    }

    /// Whether the block is more than `rounds` rounds above the block that it names as final, or above `anchor`, the round that its
    /// epoch begins on. Payload and epoch items must be empty then. The answer depends on the block and its epoch alone and not on
    /// the head of the node that asks, so that all nodes give the same.
    #[must_use]
    pub fn is_beyond(&self, rounds: u64, anchor: Round) -> bool {
        self.round.0.saturating_sub(self.final_round.max(anchor).0) > rounds
    }

    /// Whether payload and epoch items are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_items() && self.payload_root == payload_root(&[])
    }

    /// Whether there are epoch items.
    #[must_use]
    pub fn has_items(&self) -> bool {
        self.items_root != items_root(&[])
    }
}

fn payload_root(payload: &[u8]) -> Digest {
    Digest::of(b"zus/payload/v1\0\0", &[payload])
}

fn items_root(items: &[u8]) -> Digest {
    Digest::of(b"zus/items/v1\0\0\0\0", &[items])
}

/// A block: its header, and what the header commits to. The fields cannot be changed, so that id and content agree.
#[derive(Clone, Debug)]
pub struct Block {
    id: BlockId,
    header: Header,
    parent_notarization: Option<Arc<Notarization>>,
    finality: Option<Arc<FinalityCertificate>>,
    beacon_signature: Signature,
    items: Vec<u8>,
    payload: Vec<u8>,
}

/// The content of a block: [`Block::new`] adds the digests and the id.
#[derive(Clone, Debug)]
pub struct BlockContent {
    /// The chain.
    pub chain: ChainId,
    /// The epoch.
    pub epoch: Epoch,
    /// The round.
    pub round: Round,
    /// The subround.
    pub subround: Subround,
    /// The producer of the block.
    pub generator: MinerId,
    /// The block that it extends.
    pub parent: BlockId,
    /// The parent's certificate; `None` when the parent is genesis.
    pub parent_notarization: Option<Arc<Notarization>>,
    /// The highest finality certificate that the generator knows; `None` when it knows none, and where finality takes no votes.
    pub finality: Option<Arc<FinalityCertificate>>,
    /// The beacon value.
    pub beacon: BeaconValue,
    /// The committee's signature of which the beacon value is the hash: whoever has the block can check the generator's
    /// rank, and learns the value when shares were lost.
    pub beacon_signature: Signature,
    /// The statement about the end of its epoch.
    pub closing: Closing,
    /// The encoded epoch items, at most [`MAX_EPOCH_ITEMS_BYTES`](crate::limits::MAX_EPOCH_ITEMS_BYTES); empty where there are none.
    pub items: Vec<u8>,
    /// The data that the application wants to have ordered.
    pub payload: Vec<u8>,
    /// When it is produced.
    pub time: Time,
}

impl Block {
    /// Makes a block, computing its digests and id. Nothing is checked here.
    #[must_use]
    pub fn new(content: BlockContent) -> Self {
        let BlockContent {
            chain,
            epoch,
            round,
            subround,
            generator,
            parent,
            parent_notarization,
            finality,
            beacon,
            beacon_signature,
            closing,
            items,
            payload,
            time,
        } = content;
        let header = Header {
            chain,
            epoch,
            round,
            subround,
            generator,
            parent,
            parent_certificate: parent_notarization
                .as_ref()
                .map_or(Digest::NONE, |notarization| notarization.digest()),
            final_round: finality.as_ref().map_or(Round(0), |certificate| certificate.round),
            finality_certificate: finality.as_ref().map_or(Digest::NONE, |certificate| certificate.digest()),
            beacon,
            payload_root: payload_root(&payload),
            closing,
            items_root: items_root(&items),
            time,
        };
        Self { id: header.id(), header, parent_notarization, finality, beacon_signature, items, payload }
    }

    /// The content of this block, to make a similar one.
    #[must_use]
    pub fn content(&self) -> BlockContent {
        let Header { chain, epoch, round, subround, generator, parent, beacon, closing, time, .. } =
            self.header;
        BlockContent {
            chain,
            epoch,
            round,
            subround,
            generator,
            parent,
            parent_notarization: self.parent_notarization.clone(),
            finality: self.finality.clone(),
            beacon,
            beacon_signature: self.beacon_signature,
            closing,
            items: self.items.clone(),
            payload: self.payload.clone(),
            time,
        }
    }

    /// The first block of an epoch of a chain: of round 0, final without votes, the parent of the blocks of round 1.
    /// `seed` takes the place of the beacon value, and is what the chained beacon starts from.
    #[must_use]
    pub fn genesis(chain: ChainId, epoch: Epoch, seed: BeaconValue, time: Time) -> Self {
        Self::new(BlockContent {
            chain,
            epoch,
            round: Round(0),
            subround: Subround(0),
            generator: MinerId(0),
            parent: BlockId([0; 32]),
            parent_notarization: None,
            finality: None,
            beacon: seed,
            beacon_signature: Signature([0; SIGNATURE_BYTES]),
            closing: Closing::Open,
            items: Vec::new(),
            payload: Vec::new(),
            time,
        })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The round.
    #[must_use]
    pub fn round(&self) -> Round {
        self.header.round
    }

    /// The subround.
    #[must_use]
    pub fn subround(&self) -> Subround {
        self.header.subround
    }

    /// The parent's certificate; `None` when the parent is genesis.
    #[must_use]
    pub fn parent_notarization(&self) -> Option<&Arc<Notarization>> {
        self.parent_notarization.as_ref()
    }

    /// The certificate of the highest block that the generator knew to be final; `None` when it knew none.
    #[must_use]
    pub fn finality(&self) -> Option<&Arc<FinalityCertificate>> {
        self.finality.as_ref()
    }

    /// The committee's signature of which the beacon value is the hash.
    #[must_use]
    pub fn beacon_signature(&self) -> &Signature {
        &self.beacon_signature
    }

    /// The encoded epoch items.
    #[must_use]
    pub fn items(&self) -> &[u8] {
        &self.items
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Bytes of payload and epoch items: what makes a block large.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.payload.len() + self.items.len()
    }
}

/// Blocks are equal when their ids are: the id is a hash of everything else, except that it commits to the beacon
/// signature only through its hash, [`Header::beacon`], which verification compares.
impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.beacon_signature == other.beacon_signature
    }
}

impl Eq for Block {}

impl Hash for Block {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            chain: ChainId([1; 32]),
            epoch: Epoch(2),
            round: Round(3),
            subround: Subround(4),
            generator: MinerId(5),
            parent: BlockId([6; 32]),
            parent_certificate: Digest([7; 32]),
            final_round: Round(1),
            finality_certificate: Digest([11; 32]),
            beacon: BeaconValue([8; 32]),
            payload_root: Digest([9; 32]),
            closing: Closing::Tail { round: Round(2), block: BlockId([12; 32]), record: Digest([13; 32]) },
            items_root: Digest([14; 32]),
            time: Time(10),
        }
    }

    type Change = (&'static str, fn(&mut Header));

    fn tail(h: &mut Header) -> (&mut Round, &mut BlockId, &mut Digest) {
        let Closing::Tail { round, block, record } = &mut h.closing else { panic!("a block of the tail") };
        (round, block, record)
    }

    const CHANGES: [Change; 18] = [
        ("chain", |h| h.chain.0[31] ^= 1),
        ("epoch", |h| h.epoch.0 ^= 1),
        ("round", |h| h.round.0 ^= 1 << 63),
        ("subround", |h| h.subround.0 ^= 1),
        ("generator", |h| h.generator.0 ^= 1 << 15),
        ("parent", |h| h.parent.0[0] ^= 1),
        ("parent certificate", |h| h.parent_certificate.0[0] ^= 1),
        ("final round", |h| h.final_round.0 ^= 1 << 62),
        ("finality certificate", |h| h.finality_certificate.0[31] ^= 1),
        ("beacon", |h| h.beacon.0[0] ^= 1),
        ("payload root", |h| h.payload_root.0[0] ^= 1),
        ("round of the closing block", |h| tail(h).0.0 ^= 1),
        ("closing block", |h| tail(h).1.0[0] ^= 1),
        ("record", |h| tail(h).2.0[31] ^= 1),
        ("closes", |h| h.closing = Closing::Closes { record: Digest([13; 32]) }),
        ("open", |h| h.closing = Closing::Open),
        ("items root", |h| h.items_root.0[0] ^= 1),
        ("time", |h| h.time.0 ^= 1 << 40),
    ];

    fn uncommitted(id: impl Fn(&Header) -> BlockId) -> Vec<&'static str> {
        let changed = |change: fn(&mut Header)| {
            let mut changed = header();
            change(&mut changed);
            id(&changed)
        };
        CHANGES
            .iter()
            .filter(|(_, change)| changed(*change) == id(&header()))
            .map(|(field, _)| *field)
            .collect()
    }

    #[test]
    fn the_id_commits_to_every_field() {
        // Destructured without `..`: a new field must be added to the changes above.
        let Header {
            chain: _,
            epoch: _,
            round: _,
            subround: _,
            generator: _,
            parent: _,
            parent_certificate: _,
            final_round: _,
            finality_certificate: _,
            beacon: _,
            payload_root: _,
            closing: _,
            items_root: _,
            time: _,
        } = header();
        assert_eq!(uncommitted(Header::id), [""; 0]);
    }

    #[test]
    fn mutant_39_an_id_without_subround_payload_or_certificates_is_noticed() {
        let forgetful = |h: &Header| {
            let blank = Header {
                subround: Subround(0),
                payload_root: Digest::NONE,
                parent_certificate: Digest::NONE,
                final_round: Round(0),
                finality_certificate: Digest::NONE,
                closing: Closing::Open,
                items_root: Digest::NONE,
                ..*h
            };
            blank.id()
        };
        assert_eq!(
            uncommitted(forgetful),
            [
                "subround",
                "parent certificate",
                "final round",
                "finality certificate",
                "payload root",
                "round of the closing block",
                "closing block",
                "record",
                "closes",
                "open",
                "items root"
            ]
        );
    }

    #[test]
    fn a_block_is_beyond_when_it_is_more_rounds_above_the_one_that_it_names_as_final() {
        let beyond = |round, final_round, rounds| {
            Header { round: Round(round), final_round: Round(final_round), ..header() }
                .is_beyond(rounds, Round(0))
        };
        assert_eq!([beyond(9, 5, 4), beyond(10, 5, 4), beyond(1, 0, 0)], [false, true, true]);
        assert!(!beyond(5, 9, 0), "a block that names a later one is refused for that");
        let above = |anchor| {
            Header { round: Round(9), final_round: Round(0), ..header() }.is_beyond(4, Round(anchor))
        };
        assert_eq!([above(4), above(5)], [true, false], "it counts from the block that the epoch begins on");
    }
}

//! Nodes, and the committees that they are in. An index names a member within one epoch only: member 2 of an epoch is another node
//! than member 2 of the next one. Across epochs a node has its identity key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::record::Record;
use crate::block::Digest;
use crate::committee::{ChainId, Committee, CommitteeError, Epoch, MinerId, Peer, SharderId};
use crate::crypto::curve::G2_BYTES;
use crate::crypto::dkg::IDENTITY_BYTES;
use crate::limits::MAX_RECORD_BYTES;
use crate::wire::{Decode, Encode, Reader, WireError};

/// A node across epochs: the hash of its identity key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; 32]);

impl NodeId {
    /// The node with this identity key.
    #[must_use]
    pub fn of(identity_key: &[u8]) -> Self {
        Self(Digest::of(b"zus/node/v1\0\0\0\0\0", &[identity_key]).0)
    }

    /// The node with this encoded [`Identity`](crate::crypto::dkg::Identity): a public key, and the proof that somebody has the secret one.
    #[must_use]
    pub fn of_member(identity: &[u8; IDENTITY_BYTES]) -> Self {
        Self::of(&identity[..G2_BYTES])
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

/// The record of an epoch's committee, as far as the handover needs it. Whoever implements it reads no value that is not checked.
pub trait CommitteeRecord: Clone + PartialEq + fmt::Debug + Encode + Decode {
    /// The chain.
    fn chain(&self) -> ChainId;
    /// The epoch of the committee.
    fn epoch(&self) -> Epoch;
    /// The digest of the record of the epoch before; [`Digest::NONE`] for the first epoch.
    fn previous(&self) -> Digest;
    /// The digest of this record.
    fn digest(&self) -> Digest;
    /// The members, in the order of their indices.
    fn miners(&self) -> Vec<NodeId>;
    /// The sharders, in the order of theirs.
    fn sharders(&self) -> Vec<NodeId>;
    /// How many keys of members it has that the record `before` does not have, and that have to be checked.
    fn new_keys(&self, before: &Self) -> usize;
}

impl CommitteeRecord for Record {
    fn chain(&self) -> ChainId {
        self.chain()
    }

    fn epoch(&self) -> Epoch {
        self.epoch()
    }

    fn previous(&self) -> Digest {
        self.content().previous
    }

    fn digest(&self) -> Digest {
        self.digest()
    }

    fn miners(&self) -> Vec<NodeId> {
        self.content().members.iter().map(NodeId::of_member).collect()
    }

    fn sharders(&self) -> Vec<NodeId> {
        self.content().sharders.iter().map(|sharder| NodeId::of(&sharder.0)).collect()
    }

    fn new_keys(&self, before: &Self) -> usize {
        let known: BTreeSet<_> = before.content().members.iter().collect();
        self.content().members.iter().filter(|member| !known.contains(member)).count()
    }
}

impl Encode for Record {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let record = self.encode();
        // Below 4 GiB: see `limits`.
        bytes.extend_from_slice(&(record.len() as u32).to_be_bytes());
        bytes.extend(record);
    }
}

impl Decode for Record {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let length = reader.length::<4>("record", MAX_RECORD_BYTES)?;
        Record::decode(reader.bytes("record", length)?).map_err(|_| WireError::Record)
    }
}

/// Why the nodes of a record are no committee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RosterError {
    /// Too few or too many of them.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// A node has two places.
    #[error("the node {0} has two places in one committee")]
    Twice(NodeId),
}

/// The nodes of one epoch, by seat and by identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    committee: Committee,
    miners: Arc<[NodeId]>,
    sharders: Arc<[NodeId]>,
    places: Arc<BTreeMap<NodeId, Peer>>,
}

impl Roster {
    /// The nodes of a record.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn of<R: CommitteeRecord>(record: &R) -> Result<Self, RosterError> {
        let (miners, sharders) = (record.miners(), record.sharders());
        // A length that does not fit into the number is above every bound.
        let count = |nodes: &[NodeId]| u16::try_from(nodes.len()).unwrap_or(u16::MAX);
        let committee = Committee::new(record.chain(), record.epoch(), count(&miners), count(&sharders))?;
        let members = miners.iter().zip(0..).map(|(&node, id)| (node, Peer::Miner(MinerId(id))));
        let others = sharders.iter().zip(0..).map(|(&node, id)| (node, Peer::Sharder(SharderId(id))));
        let mut places = BTreeMap::new();
        for (node, peer) in members.chain(others) {
            if places.insert(node, peer).is_some() {
                return Err(RosterError::Twice(node));
            }
        }
        Ok(Self { committee, miners: miners.into(), sharders: sharders.into(), places: Arc::new(places) })
    }

    /// The numbers of the committee.
    #[must_use]
    pub fn committee(&self) -> Committee {
        self.committee
    }

    /// The members.
    #[must_use]
    pub fn miners(&self) -> &[NodeId] {
        &self.miners
    }

    /// The sharders.
    #[must_use]
    pub fn sharders(&self) -> &[NodeId] {
        &self.sharders
    }

    /// The seat of a node.
    #[must_use]
    pub fn seat(&self, node: NodeId) -> Option<Peer> {
        self.places.get(&node).copied()
    }

    /// The node in a seat.
    #[must_use]
    pub fn node(&self, seat: Peer) -> Option<NodeId> {
        match seat {
            Peer::Miner(id) => self.miners.get(usize::from(id.0)).copied(),
            Peer::Sharder(id) => self.sharders.get(usize::from(id.0)).copied(),
        }
    }

    /// All nodes, each once.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.places.keys().copied()
    }
}

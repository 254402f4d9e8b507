//! A double of the key generation, for tests and simulations: the committees are planned, and a record is complete by the first item
//! that a block brings so many rounds above the beginning of its epoch. The handover is the real one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use super::item::{EpochItem, Item};
use super::key_generation::{Began, Entry, ItemRefused, Nobody, ParticipantError, Secret};
use super::progress::{Due, Progress};
use super::replica::Keys;
use super::roster::{CommitteeRecord, NodeId};
use crate::block::{Block, Digest};
use crate::committee::{ChainId, Epoch, MinerId, Round};
use crate::crypto::beacon::KeyShare;
use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
use crate::crypto::scheme::Scheme;
use crate::limits::{MAX_MINERS, MAX_SHARDERS};
use crate::wire::{Decode, Encode, Reader, WireError, to_bytes};

/// The node with a number.
#[must_use]
pub fn node(number: u16) -> NodeId {
    NodeId::of(&number.to_be_bytes())
}

/// The record of a planned committee: nodes by number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedRecord {
    /// The chain.
    pub chain: ChainId,
    /// The epoch.
    pub epoch: Epoch,
    /// The digest of the record before.
    pub previous: Digest,
    /// The members.
    pub miners: Vec<u16>,
    /// The sharders.
    pub sharders: Vec<u16>,
}

impl CommitteeRecord for PlannedRecord {
    fn chain(&self) -> ChainId {
        self.chain
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn previous(&self) -> Digest {
        self.previous
    }

    fn digest(&self) -> Digest {
        Digest::of(b"zus/planned/v1\0\0", &[&to_bytes(self)])
    }

    fn miners(&self) -> Vec<NodeId> {
        self.miners.iter().copied().map(node).collect()
    }

    fn sharders(&self) -> Vec<NodeId> {
        self.sharders.iter().copied().map(node).collect()
    }

    fn new_keys(&self, before: &Self) -> usize {
        self.miners.iter().filter(|member| !before.miners.contains(member)).count()
    }
}

impl Encode for PlannedRecord {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.chain.encode(bytes);
        self.epoch.encode(bytes);
        self.previous.encode(bytes);
        for nodes in [&self.miners, &self.sharders] {
            bytes.extend_from_slice(&(nodes.len() as u16).to_be_bytes());
            nodes.iter().for_each(|node| bytes.extend_from_slice(&node.to_be_bytes()));
        }
    }
}

impl Decode for PlannedRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let (chain, epoch, previous) =
            (Decode::decode(reader)?, Decode::decode(reader)?, Decode::decode(reader)?);
        let mut nodes = |field, bound: u16| -> Result<Vec<u16>, WireError> {
            let length = reader.length::<2>(field, usize::from(bound))?;
            let bytes = reader.bytes(field, 2 * length)?;
            Ok(bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
        };
        Ok(Self {
            chain,
            epoch,
            previous,
            miners: nodes("miners", MAX_MINERS)?,
            sharders: nodes("sharders", MAX_SHARDERS)?,
        })
    }
}

/// The committees of all epochs. The last one stays.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The chain.
    pub chain: ChainId,
    /// The epoch of the first committee.
    pub first: Epoch,
    /// The members of each epoch, by the number of the node.
    pub committees: Vec<Vec<u16>>,
    /// The sharders, of all epochs.
    pub sharders: Vec<u16>,
    /// How many rounds above the beginning of an epoch an item completes the record of the next one.
    pub rounds: u64,
}

impl Schedule {
    /// The record of an epoch; `None` beyond the last one.
    #[must_use]
    pub fn record(&self, epoch: Epoch) -> Option<PlannedRecord> {
        let mut previous = Digest::NONE;
        for (number, miners) in (self.first.0..).zip(&self.committees) {
            let (miners, sharders) = (miners.clone(), self.sharders.clone());
            let record =
                PlannedRecord { chain: self.chain, epoch: Epoch(number), previous, miners, sharders };
            if number == epoch.0 {
                return Some(record);
            }
            previous = record.digest();
        }
        None
    }

    /// The last epoch.
    #[must_use]
    pub fn last(&self) -> Epoch {
        Epoch(self.first.0 + self.committees.len() as u64 - 1)
    }
}

/// The beginning of an item. The rest is of no meaning.
pub const ITEM: &[u8] = b"item";

/// Why a block is invalid under a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnItem;

impl fmt::Display for NotAnItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no item begins with these bytes")
    }
}

/// The progress of a planned epoch.
#[derive(Clone, Debug)]
pub struct PlannedProgress {
    /// The record that will be complete.
    planned: Option<Arc<PlannedRecord>>,
    /// The first round whose items complete it.
    from: Round,
    complete: bool,
}

impl Progress for PlannedProgress {
    type Record = PlannedRecord;
    type Error = NotAnItem;

    fn after(&self, round: Round, items: &[u8]) -> Result<Self, NotAnItem> {
        if !items.is_empty() && !items.starts_with(ITEM) {
            return Err(NotAnItem);
        }
        let complete = self.complete || !items.is_empty() && round >= self.from;
        Ok(Self { complete, ..self.clone() })
    }

    fn record(&self) -> Option<&PlannedRecord> {
        self.planned.as_deref().filter(|_| self.complete)
    }

    /// Nobody has to do anything.
    fn next_members(&self) -> Vec<NodeId> {
        Vec::new()
    }

    fn due(&self, _: Item<'_>) -> Due {
        Due::Over
    }

    fn counts(&self, _: Item<'_>) -> Result<bool, ItemRefused> {
        Ok(false)
    }

    fn select(&self, _: &mut dyn Iterator<Item = &EpochItem>) -> Vec<u8> {
        ITEM.to_vec()
    }
}

/// The schemes of a committee: those of its members, and an observer's.
pub type Schemes<S> = (Vec<S>, S);

/// The keys of all planned committees.
#[derive(Clone)]
pub struct PlannedKeys<S> {
    plan: Arc<Schedule>,
    schemes: Arc<BTreeMap<Epoch, Schemes<S>>>,
}

impl<S> PlannedKeys<S> {
    /// Keys of each epoch of a plan, which `schemes` makes for so many members.
    ///
    /// # Errors
    /// That of `schemes`.
    pub fn new<E>(
        plan: Arc<Schedule>,
        mut schemes: impl FnMut(Epoch, u16) -> Result<Schemes<S>, E>,
    ) -> Result<Self, E> {
        let epochs = (plan.first.0..).map(Epoch).zip(&plan.committees);
        let of = epochs.map(|(epoch, members)| Ok((epoch, schemes(epoch, members.len() as u16)?)));
        let schemes = of.collect::<Result<_, E>>()?;
        Ok(Self { plan, schemes: Arc::new(schemes) })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Schedule> {
        &self.plan
    }
}

impl<S: Clone> PlannedKeys<S> {
    /// The keys of the member in this seat of a planned committee: whoever has these keys, knows those of all.
    #[must_use]
    pub fn member(&self, record: &PlannedRecord, seat: MinerId) -> Option<S> {
        self.schemes.get(&record.epoch)?.0.get(usize::from(seat.0)).cloned()
    }

    /// The progress of an epoch on the block that it begins on.
    #[must_use]
    pub fn begin(&self, record: &PlannedRecord, anchor: &Block) -> PlannedProgress {
        let planned = self.plan.record(Epoch(record.epoch.0 + 1)).map(Arc::new);
        PlannedProgress { planned, from: Round(anchor.round().0 + self.plan.rounds), complete: false }
    }
}

impl PlannedKeys<MockScheme> {
    /// Mock signatures.
    #[must_use]
    pub fn mock(plan: Arc<Schedule>, seed: u64) -> Self {
        let made = Self::new(plan, |epoch, members| {
            let keys = MockCommittee::new(members, seed ^ epoch.0.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let members = (0..members).filter_map(|id| keys.member(MinerId(id)));
            Ok::<_, Infallible>((members.collect(), keys.observer()))
        });
        made.unwrap_or_else(|never| match never {})
    }
}

impl<S: Scheme + Clone> Keys for PlannedKeys<S> {
    type Scheme = S;
    type Verifier = S;
    type Record = PlannedRecord;
    type Progress = PlannedProgress;
    type Participant = Nobody;

    fn verifier(&self, record: &PlannedRecord) -> Option<S> {
        self.observer(record)
    }

    fn observer(&self, record: &PlannedRecord) -> Option<S> {
        self.schemes.get(&record.epoch).map(|(_, observer)| observer.clone())
    }

    fn member(&self, record: &PlannedRecord, seat: MinerId, _: Option<&KeyShare>) -> Option<S> {
        self.member(record, seat)
    }

    fn begin(&self, record: &PlannedRecord, anchor: &Block) -> Option<PlannedProgress> {
        Some(self.begin(record, anchor))
    }

    fn participant(
        &self,
        _: &PlannedProgress,
        _: &[Entry],
        _: &Secret,
    ) -> Result<Option<Began<Nobody>>, ParticipantError> {
        Ok(None)
    }
}

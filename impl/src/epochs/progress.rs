//! The state of the epoch items on a branch, and the progress of each block that is not final.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::item::{EpochItem, Item, ItemKind};
use super::key_generation::{self, ItemRefused, Phase};
use super::record::Record;
use super::roster::{CommitteeRecord, NodeId};
use crate::block::{Block, BlockId, Closing};
use crate::committee::Round;

/// The state that the epoch items of a chain make: a pure fold over its blocks, from the first block of the epoch on. A clone is cheap.
pub trait Progress: Clone + fmt::Debug {
    /// The record of the next committee.
    type Record: CommitteeRecord;
    /// Why items make a block invalid.
    type Error: fmt::Display;

    /// The progress with one block more; called for every block of the epoch, with items or without.
    ///
    /// # Errors
    /// When the items make the block invalid. Items that come too late do not.
    fn after(&self, round: Round, items: &[u8]) -> Result<Self, Self::Error>;

    /// The record of the next committee, once it is complete.
    fn record(&self) -> Option<&Self::Record>;

    /// The members of the next committee, by seat: those who bring items. Fixed in an epoch.
    fn next_members(&self) -> Vec<NodeId>;

    /// Whether items like this one count now, do no more, or will.
    fn due(&self, item: Item<'_>) -> Due;

    /// Whether an item that is [`Due::Now`] counts in the next block.
    ///
    /// # Errors
    /// [`ItemRefused`]: its sender did not make it, or it is none.
    fn counts(&self, item: Item<'_>) -> Result<bool, ItemRefused>;

    /// The items for the next block, encoded: those among `offered` that count.
    fn select(&self, offered: &mut dyn Iterator<Item = &EpochItem>) -> Vec<u8>;
}

/// When items of an attempt and a kind count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Their phase comes later.
    Later,
    /// In the next block.
    Now,
    /// Their phase is over.
    Over,
}

/// The key generation on the chain.
impl Progress for key_generation::Progress {
    type Record = Record;
    type Error = key_generation::ItemError;

    fn after(&self, round: Round, items: &[u8]) -> Result<Self, Self::Error> {
        self.after(round, items)
    }

    fn record(&self) -> Option<&Record> {
        self.record().map(|record| &**record)
    }

    fn next_members(&self) -> Vec<NodeId> {
        self.plan().members().iter().map(NodeId::of_member).collect()
    }

    fn due(&self, item: Item<'_>) -> Due {
        let phase = match item.kind {
            ItemKind::Registration => Phase::Registering,
            ItemKind::Dealing => Phase::Dealing,
            ItemKind::Settlement => Phase::Settling,
            ItemKind::Ready => Phase::Readying,
        };
        if self.phase() == Phase::Complete {
            return Due::Over;
        }
        let (attempt, _) = item.header();
        match (attempt, phase).cmp(&(self.attempt(), self.phase())) {
            Ordering::Less => Due::Over,
            Ordering::Equal => Due::Now,
            Ordering::Greater => Due::Later,
        }
    }

    fn counts(&self, item: Item<'_>) -> Result<bool, ItemRefused> {
        self.counts(item)
    }

    fn select(&self, offered: &mut dyn Iterator<Item = &EpochItem>) -> Vec<u8> {
        self.select(offered)
    }
}

/// Why a block is refused for what it says of the end of its epoch.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemsRefusal {
    /// The epoch items make it invalid.
    #[error("the epoch items of the block are invalid: {0}")]
    Items(String),
    /// It closes the epoch with another record than its chain makes, too early or too late.
    #[error("the block says {found:?} of the end of its epoch, and its chain {expected:?}")]
    WrongClosing {
        /// The value in the block.
        found: Box<Closing>,
        /// The value that follows from its chain.
        expected: Box<Closing>,
    },
    /// The parent was not judged.
    #[error("the parent of the block is not known here")]
    Orphan,
}

/// The progress at the finalized head, and at each judged block above it. Rounds at or below the head are dropped, so that it holds no
/// more than the chain of the participant does.
#[derive(Clone, Debug)]
pub(super) struct Branches<P> {
    head: Arc<Block>,
    final_progress: P,
    above: BTreeMap<BlockId, (Round, P)>,
}

impl<P: Progress> Branches<P> {
    /// At the block that the epoch begins on.
    pub fn new(anchor: Arc<Block>, progress: P) -> Self {
        Self { head: anchor, final_progress: progress, above: BTreeMap::new() }
    }

    /// The finalized head.
    pub fn head(&self) -> &Arc<Block> {
        &self.head
    }

    /// The progress on the finalized head.
    pub fn final_progress(&self) -> &P {
        &self.final_progress
    }

    /// The items for a child of `parent`.
    pub fn select(&self, parent: BlockId, offered: &mut dyn Iterator<Item = &EpochItem>) -> Vec<u8> {
        self.at(parent).map(|progress| progress.select(offered)).unwrap_or_default()
    }

    /// The record that is complete on the finalized head.
    pub fn final_record(&self) -> Option<&P::Record> {
        self.final_progress.record()
    }

    /// How many blocks above the head are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.above.len()
    }

    fn at(&self, block: BlockId) -> Option<&P> {
        if block == self.head.id() {
            return Some(&self.final_progress);
        }
        self.above.get(&block).map(|(_, progress)| progress)
    }

    /// The record that a child of `parent` completes with these items, if it does; and whether the items are valid there. A block
    /// without items completes nothing: what is complete is complete by an item.
    pub fn completes(
        &self,
        parent: BlockId,
        round: Round,
        items: &[u8],
    ) -> Result<Option<P::Record>, ItemsRefusal> {
        let progress = self.at(parent).ok_or(ItemsRefusal::Orphan)?;
        let after = progress.after(round, items).map_err(|error| ItemsRefusal::Items(error.to_string()))?;
        Ok(after.record().filter(|_| !items.is_empty()).cloned())
    }

    /// Judges a block whose parent was accepted. That a tail block is empty and names the closing block below it is checked before.
    pub fn judge(&mut self, block: &Block) -> Result<(), ItemsRefusal> {
        let header = block.header();
        let before = self.at(header.parent).ok_or(ItemsRefusal::Orphan)?;
        let after = match header.closing {
            Closing::Tail { .. } => before.clone(),
            Closing::Open | Closing::Closes { .. } => {
                let after = before.after(header.round, block.items());
                let after = after.map_err(|error| ItemsRefusal::Items(error.to_string()))?;
                let complete = after.record().filter(|_| !block.items().is_empty());
                let expected =
                    complete.map_or(Closing::Open, |record| Closing::Closes { record: record.digest() });
                if header.closing != expected {
                    let (found, expected) = (Box::new(header.closing), Box::new(expected));
                    return Err(ItemsRefusal::WrongClosing { found, expected });
                }
                after
            }
        };
        self.above.insert(block.id(), (header.round, after));
        Ok(())
    }

    /// A block is final. One that was not judged here was by a quorum; should its items be invalid all the same, they count for
    /// nothing, and the reason is given.
    pub fn finalize(&mut self, block: &Arc<Block>) -> Result<(), ItemsRefusal> {
        let mut wrong = Ok(());
        let progress = match self.above.remove(&block.id()) {
            Some((_, progress)) => progress,
            None => self.final_progress.after(block.round(), block.items()).unwrap_or_else(|error| {
                wrong = Err(ItemsRefusal::Items(error.to_string()));
                self.final_progress.clone()
            }),
        };
        (self.head, self.final_progress) = (Arc::clone(block), progress);
        let head = block.round();
        self.above.retain(|_, (round, _)| *round > head);
        wrong
    }
}

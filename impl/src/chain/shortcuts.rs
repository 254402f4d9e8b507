//! Where the blocks above the finalized head are, and the way down from them in long steps.
//!
//! A chain may be notarized and not final for thousands of rounds. A peer that asks for blocks far below the top must not make
//! this node walk through all of them: one request costs the search of a block by its id, one long step for [`STRIDE`] rounds, and
//! at most two strides of single rounds.

use std::collections::BTreeMap;

use crate::block::BlockId;
use crate::committee::Round;

/// Rounds of a long step: its ends, the *stations*, are at the multiples.
const STRIDE: u64 = 128;

/// The block's round, and, once all its ancestors are known, its ancestor in the nearest station below it.
#[derive(Clone, Debug)]
struct Way {
    round: Round,
    station: Option<BlockId>,
}

/// All blocks above the head. It follows from the blocks themselves, so it is no part of a chain's state as `Eq` and `Hash` see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shortcuts(BTreeMap<BlockId, Way>);

impl PartialEq for Shortcuts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shortcuts {}

impl std::hash::Hash for Shortcuts {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl Shortcuts {
    /// A block is here.
    pub fn insert(&mut self, id: BlockId, round: Round) {
        self.0.insert(id, Way { round, station: None });
    }

    /// All ancestors of a block are here: `parent` is connected, or the head.
    pub fn connect(&mut self, id: BlockId, parent: BlockId) {
        let Some(round) = self.round(id) else { return };
        let station = match round.0.saturating_sub(1).is_multiple_of(STRIDE) {
            true => Some(parent),
            false => self.0.get(&parent).and_then(|way| way.station),
        };
        self.0.insert(id, Way { round, station });
    }

    /// A block is gone.
    pub fn remove(&mut self, id: BlockId) {
        self.0.remove(&id);
    }

    /// The round of a block above the head.
    pub fn round(&self, id: BlockId) -> Option<Round> {
        self.0.get(&id).map(|way| way.round)
    }

    /// The nearest station below a block, if it is above `bottom`: its round, and the block's ancestor there.
    pub fn station(&self, id: BlockId, bottom: Round) -> Option<(Round, BlockId)> {
        let way = self.0.get(&id)?;
        let round = Round(way.round.0.saturating_sub(1) / STRIDE * STRIDE);
        way.station.filter(|_| round > bottom).map(|station| (round, station))
    }

    /// How many blocks there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

//! Which production block stands in which place of the model.
//!
//! The model names blocks by place: (round, subround, rank, twin). The order of generators is the outcome of the beacon, so
//! it is fixed for a world, and the harness computes it with its own arithmetic ([`bounds`](crate::bounds)): a block whose
//! generator has no turn in its subround has no place, which is a finding as soon as an honest miner acts upon it (S4).

use thiserror::Error;
use zus_bpp::block::{Block, BlockId};
use zus_bpp::crypto::scheme::Scheme;
use zus_model::blocks::{BlockId as Place, Blocks, GENESIS, Generator};

use crate::world::Ground;

/// Why a production block has no place in the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NoPlace {
    /// Nobody made this block.
    #[error("block {0} was never made by anybody")]
    Unknown(BlockId),
    /// Its generator has no turn.
    #[error("block {block}: miner {generator} is no generator of ({round}, {subround}) (S4)")]
    NotEligible {
        /// The block.
        block: BlockId,
        /// Its generator.
        generator: u16,
        /// Its round.
        round: u64,
        /// Its subround.
        subround: u32,
    },
    /// An honest generator made another block there.
    #[error("block {block} is the second of honest miner {generator} in ({round}, {subround}) (S10)")]
    Second {
        /// The block.
        block: BlockId,
        /// Its generator.
        generator: u16,
        /// Its round.
        round: u64,
        /// Its subround.
        subround: u32,
    },
}

/// See the module doc.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Places {
    genesis: BlockId,
    taken: Vec<Option<BlockId>>,
}

impl Places {
    /// No block has been made.
    #[must_use]
    pub fn new(genesis: BlockId, blocks: &Blocks) -> Self {
        Self { genesis, taken: vec![None; blocks.len()] }
    }

    /// The place of a block that has one.
    #[must_use]
    pub fn of(&self, block: &BlockId) -> Option<Place> {
        if *block == self.genesis {
            return Some(GENESIS);
        }
        self.taken.iter().position(|known| known.as_ref() == Some(block)).map(|index| Place(index as u8))
    }

    /// The block in a place.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<BlockId> {
        if place == GENESIS { Some(self.genesis) } else { self.taken.get(place.index()).copied().flatten() }
    }

    /// Gives a block its place.
    ///
    /// # Errors
    /// When it has none.
    pub fn assign<S: Scheme + Clone>(
        &mut self,
        block: &Block,
        blocks: &Blocks,
        ground: &Ground<S>,
    ) -> Result<Place, NoPlace> {
        if let Some(place) = self.of(&block.id()) {
            return Ok(place);
        }
        let (round, subround, generator) = (block.round().0, block.subround().0, block.header().generator);
        let not_eligible =
            NoPlace::NotEligible { block: block.id(), generator: generator.0, round, subround };
        let rank = ground.rank(round, subround, generator).ok_or(not_eligible)?;
        let mut free = blocks
            .of_subround(round as u8, subround as u8)
            .filter(|&place| blocks.place(place).rank == rank && self.taken[place.index()].is_none());
        let second = NoPlace::Second { block: block.id(), generator: generator.0, round, subround };
        let place = free.next().ok_or(second)?;
        self.taken[place.index()] = Some(block.id());
        Ok(place)
    }

    /// Whether another block of this Byzantine generator has a place in the subround.
    #[must_use]
    pub fn has_room(&self, blocks: &Blocks, round: u64, subround: u32, rank: u8) -> bool {
        blocks.of_subround(round as u8, subround as u8).any(|place| {
            let found = blocks.place(place);
            found.rank == rank && self.taken[place.index()].is_none() && found.generator != Generator::Honest
        })
    }
}

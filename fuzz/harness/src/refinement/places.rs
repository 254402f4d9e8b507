//! Which production block stands in which place of the model.
//!
//! The model names blocks by place: (round, subround, rank, twin). The order of generators is the outcome of the beacon, so
//! it is fixed for a world, and the harness computes it with its own arithmetic ([`oracles`](crate::oracles)): a block whose
//! generator has no turn in its subround has no place, which is a finding as soon as an honest miner acts upon it (S4).

use thiserror::Error;
use zus_bpp::block::{Block, BlockId};
use zus_bpp::crypto::scheme::Scheme;
use zus_checker::blocks::{BlockId as ModelBlock, Blocks, GENESIS, Generator};

use crate::world::World;

/// Orders of generators of one subround that the model has places for under a chained beacon: one for each block of the round
/// before that miners may have adopted.
pub const ORDERS: usize = 2;

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
    /// Under a chained beacon: blocks of more orders of generators than the model has places for.
    #[error("block {block}: ({round}, {subround}) has blocks of more than {ORDERS} orders of generators")]
    Full {
        /// The block.
        block: BlockId,
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
    /// The places that are taken, in order of the block's id: the abstraction asks for a place for each message of each miner
    /// after each step.
    by_id: Vec<(BlockId, ModelBlock)>,
}

impl Places {
    /// No block has been made.
    #[must_use]
    pub fn new(genesis: BlockId, blocks: &Blocks) -> Self {
        Self { genesis, taken: vec![None; blocks.len()], by_id: Vec::new() }
    }

    /// The place of a block that has one.
    #[must_use]
    pub fn of(&self, block: &BlockId) -> Option<ModelBlock> {
        if *block == self.genesis {
            return Some(GENESIS);
        }
        self.by_id.binary_search_by_key(block, |(id, _)| *id).ok().map(|index| self.by_id[index].1)
    }

    /// How many blocks have a place.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.by_id.len()
    }

    /// The block in a place.
    #[must_use]
    pub fn at(&self, place: ModelBlock) -> Option<BlockId> {
        if place == GENESIS { Some(self.genesis) } else { self.taken.get(place.index()).copied().flatten() }
    }

    /// Gives a block its place.
    ///
    /// # Errors
    /// When it has none.
    ///
    /// Under a chained beacon a place belongs to nobody before it is taken: `blocks` then says who generates it.
    pub fn assign<S: Scheme + Clone>(
        &mut self,
        block: &Block,
        blocks: &mut Blocks,
        world: &World<S>,
    ) -> Result<ModelBlock, NoPlace> {
        if block.id() == self.genesis {
            return Ok(GENESIS);
        }
        let position = match self.by_id.binary_search_by_key(&block.id(), |(id, _)| *id) {
            Ok(known) => return Ok(self.by_id[known].1),
            Err(position) => position,
        };
        let (round, subround, generator) = (block.round().0, block.subround().0, block.header().generator);
        let not_eligible =
            NoPlace::NotEligible { block: block.id(), generator: generator.0, round, subround };
        let rank = world.rank_of(block).ok_or(not_eligible)?;
        let second = NoPlace::Second { block: block.id(), generator: generator.0, round, subround };
        let chained = world.ground.setup.chained();
        let ranks = world.ground.setup.generators() as u8;
        let byzantine = world.ground.setup.is_byzantine(generator);
        if chained && !byzantine {
            // An honest generator has one block there, whatever the orders say.
            let taken = blocks.of_subround(round as u8, subround as u8).filter_map(|place| self.at(place));
            let mut made_by = taken.filter_map(|id| world.block(&id)).map(|block| block.header().generator);
            if made_by.any(|other| other == generator) {
                return Err(second);
            }
        }
        let full = NoPlace::Full { block: block.id(), round, subround };
        // Under a chained beacon each order of a subround has ranks of its own, so that equal ranks are equal in the model too.
        let first = if chained {
            let previous = world.previous_beacon(block);
            let taken = || {
                let places = blocks.of_subround(round as u8, subround as u8);
                places.filter_map(|place| {
                    Some((blocks.place(place).rank / ranks, world.block(&self.at(place)?)?))
                })
            };
            let same = taken().find(|(_, other)| world.previous_beacon(other) == previous);
            let unused = || (0..ORDERS as u8).find(|order| taken().all(|(other, _)| other != *order));
            same.map(|(order, _)| order).or_else(unused).ok_or(full)? * ranks
        } else {
            0
        };
        let mut free = blocks
            .of_subround(round as u8, subround as u8)
            .filter(|&place| blocks.place(place).rank == first + rank && self.taken[place.index()].is_none());
        // The twin of an equivocator has a place only where the generators are fixed.
        let place = free.next().ok_or(if chained && byzantine { full } else { second })?;
        if chained && byzantine {
            *blocks = generated_by_byzantine(blocks, place).ok_or(full)?;
        }
        self.taken[place.index()] = Some(block.id());
        self.by_id.insert(position, (block.id(), place));
        Ok(place)
    }
}

/// The same blocks, one of which has a Byzantine generator.
fn generated_by_byzantine(blocks: &Blocks, place: ModelBlock) -> Option<Blocks> {
    let mut places: Vec<_> = blocks.all().map(|block| *blocks.place(block)).collect();
    places[place.index()].generator = Generator::Byzantine;
    Blocks::from_places(blocks.rounds, blocks.subrounds, &places).ok()
}

//! Blocks, by their place in the order of generators.
//!
//! A beacon value orders the generators of each (round, subround). A block is named by its place in that order and by
//! the number of the block among those that its generator made there. Two blocks of one generator in one subround are
//! *twins*: the generator equivocates.

use serde::{Deserialize, Serialize};
use zus_protocol::ids::{Rank, Round, Subround};

/// The kind of miner that has a rank in a (round, subround).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generator {
    /// One of the honest miners. Which one is decided when it proposes.
    Honest,
    /// A Byzantine member.
    Byzantine,
    /// A Byzantine member that the order does not select, and that proposes all the same.
    Outsider,
}

/// A block. Its parent is part of the message that proposes it ([`Sent::blocks`](crate::state::Sent::blocks)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Its round, from 1; 0 for genesis.
    pub round: Round,
    /// Its subround, from 0.
    pub subround: Subround,
    /// The rank of its generator: 0 is the best.
    pub rank: Rank,
    /// 0 for the first block of its generator in the subround, 1 for the second, and so on.
    pub twin: u8,
    /// Its generator.
    pub generator: Generator,
}

/// The block of round 0, notarized and final from the start.
pub const GENESIS: Block =
    Block { round: Round(0), subround: Subround(0), rank: Rank(0), twin: 0, generator: Generator::Honest };

impl Block {
    /// Whether both are of one (round, subround).
    pub fn same_subround(&self, other: &Block) -> bool {
        (self.round, self.subround) == (other.round, other.subround)
    }

    /// The twin that its generator made just before it; none of a first block.
    pub fn twin_before(&self) -> Option<Block> {
        self.twin.checked_sub(1).map(|twin| Block { twin, ..*self })
    }
}

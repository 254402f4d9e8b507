//! The blocks of an instance: a list that is written by hand, around the end of an epoch.
//!
//! A block is in one epoch. Its chain goes down by its parents to the first block of the list, which stands for all that was
//! final before. A *closing* block is the first one on its chain with the complete record of the next epoch. Blocks of the
//! same epoch above it are its *tail*. The first block of the next epoch has the closing block as its parent, and begins one
//! round above it, beside the tail.

use serde::{Deserialize, Serialize};
use zus_protocol::ids::{Epoch, Round, Subround};

/// A block, by its place in the list of the instance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct BlockId(pub u8);

/// The block below all others: final before the run begins.
pub const START: BlockId = BlockId(0);

/// The generator of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Generator {
    /// It makes any number of blocks in its subround, at any time.
    Byzantine,
    /// It makes one block in its subround: the first one that is ticketed there is the only one.
    Honest,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name, for sentences.
    pub name: &'static str,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its round.
    pub round: Round,
    /// Its subround.
    pub subround: Subround,
    /// Its parent; the start is its own.
    pub parent: BlockId,
    /// The closing block of its epoch on its chain: itself, or one below.
    pub closed_by: Option<BlockId>,
    /// Its generator.
    pub generator: Generator,
}

/// A set of blocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Blocks(u32);

impl Blocks {
    /// Whether `block` is in it.
    pub const fn contains(self, block: BlockId) -> bool {
        self.0 >> block.0 & 1 == 1
    }

    /// Adds `block`.
    pub const fn insert(&mut self, block: BlockId) {
        self.0 |= 1 << block.0;
    }

    /// Its members, in order.
    pub fn iter(self) -> impl Iterator<Item = BlockId> {
        (0..32).map(BlockId).filter(move |block| self.contains(*block))
    }
}

/// A line of a list of blocks: name, epoch, round, subround, parent, whether the block closes its epoch, and its generator.
pub type Line = (&'static str, u8, u16, u16, &'static str, Closes, Generator);

/// Whether a block closes its epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closes {
    /// It holds the last item that the record needs.
    Record,
    /// It does not.
    Nothing,
}

/// The blocks of these lines, above the start, which is named `a` and has round 1 of epoch 0.
///
/// # Panics
/// If a parent is not above its child in the list, a round does not follow, or a list has more than 32 blocks.
pub fn blocks(lines: &[Line]) -> Vec<Block> {
    let start = Block {
        name: "a",
        epoch: Epoch(0),
        round: Round(1),
        subround: Subround(0),
        parent: START,
        closed_by: None,
        generator: Generator::Honest,
    };
    let mut list = vec![start];
    for &(name, epoch, round, subround, parent, closes, generator) in lines {
        let at = list.iter().position(|block| block.name == parent);
        let at = at.unwrap_or_else(|| panic!("the parent {parent} of {name} is not above it in the list"));
        let (own, below) = (BlockId(list.len() as u8), &list[at]);
        assert_eq!(below.round.next(), Round(round.into()), "the round of {name}");
        let inherited = if below.epoch == Epoch(epoch.into()) { below.closed_by } else { None };
        let closed_by = match (inherited, closes) {
            (Some(block), Closes::Nothing) => Some(block),
            (None, Closes::Nothing) => None,
            (None, Closes::Record) => Some(own),
            (Some(_), Closes::Record) => panic!("{name} closes an epoch that is closed"),
        };
        let (epoch, subround, parent) = (Epoch(epoch.into()), Subround(subround.into()), BlockId(at as u8));
        let first_of_epoch = below.epoch != epoch;
        assert!(
            !first_of_epoch || below.closed_by == Some(parent),
            "{name} begins an epoch on {}",
            below.name
        );
        list.push(Block { name, epoch, round: Round(round.into()), subround, parent, closed_by, generator });
    }
    assert!(list.len() <= 32, "a set of blocks has 32 places");
    list
}

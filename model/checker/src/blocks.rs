//! Which blocks can exist in a scenario: one *place* per (round, subround, rank, twin).
//!
//! The order of generators is the outcome of a VRF, which the model leaves to the environment: a scenario says for
//! every (round, subround) whether the generator of a rank is honest or Byzantine, and *which* honest miner it is is
//! decided when its block is first used. One exploration so covers every order of the honest miners. A Byzantine
//! generator has two places (twins) in a subround: equivocation; a third block adds nothing that two do not show for
//! uniqueness, and is left out (a bound, stated in the README). An *outsider* is a Byzantine miner that is no
//! generator of the subround and proposes all the same.

use crate::{fault::Fault, rules::SubroundCapRule};
use serde::{Deserialize, Serialize};
use zus_protocol::ids::Rank;

/// Blocks that the state has room for, over all rounds.
pub const MAX_BLOCKS: usize = 40;
/// Blocks of one round: ticket sets have sixteen bits.
pub const MAX_BLOCKS_PER_ROUND: usize = 16;
/// Rounds that the state has room for.
pub const MAX_ROUNDS: usize = 6;
/// Subrounds of a round that the state has room for.
pub const MAX_SUBROUNDS: usize = 4;

/// A block of the scenario, by its place; not the genesis block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockId(pub u8);

/// The block of round 0, notarized and final from the start.
pub const GENESIS: BlockId = BlockId(u8::MAX);

impl BlockId {
    /// Position in the arrays of the state.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The kind of miner that has a rank.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Generator {
    /// One of the honest miners; the environment picks which.
    Honest,
    /// A Byzantine miner, eligible in this subround.
    Byzantine,
    /// A Byzantine miner that is not eligible in this subround.
    Outsider,
}

/// Where a block stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its round, from 1.
    pub round: u8,
    /// Its subround, from 0.
    pub subround: u8,
    /// Its generator's rank: 0 is the highest priority.
    pub rank: u8,
    /// 0, or 1 for the second block of the same generator in the same subround.
    pub twin: u8,
    /// Its generator.
    pub generator: Generator,
    /// Position among the blocks of its round.
    pub local: u8,
}

/// All blocks that can exist in a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocks {
    /// Rounds explored, `1..=rounds`.
    pub rounds: u8,
    /// Subrounds of each round, `0..subrounds`.
    pub subrounds: u8,
    places: Vec<Place>,
    /// `first[r * (MAX_SUBROUNDS + 1) + s]` is the first block of (r, s); places are laid out in that order.
    first: [u8; (MAX_ROUNDS + 2) * (MAX_SUBROUNDS + 1)],
    /// `masks[at(r, s)]` is the set of the blocks of (r, s), as positions within the round.
    masks: [u16; (MAX_ROUNDS + 2) * (MAX_SUBROUNDS + 1)],
    most_honest: u32,
}

/// A set of blocks of the scenario.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct BlockSet(pub u64);

impl BlockSet {
    /// Whether `block` is in the set; genesis never is.
    #[inline]
    pub fn has(self, block: BlockId) -> bool {
        block != GENESIS && self.0 >> block.0 & 1 == 1
    }

    /// Adds `block`.
    #[inline]
    pub fn insert(&mut self, block: BlockId) {
        self.0 |= 1 << block.0;
    }

    /// The blocks of the set, in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = BlockId> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let block = rest.trailing_zeros() as u8;
            (rest != 0).then(|| {
                rest &= rest - 1;
                BlockId(block)
            })
        })
    }

    /// The blocks of the set from `round` on.
    #[inline]
    pub fn from_round(self, blocks: &Blocks, round: u8) -> BlockSet {
        let before =
            if round <= blocks.rounds { blocks.first[at(round, 0)] } else { blocks.places.len() as u8 };
        BlockSet(self.0 >> before << before)
    }

    /// All pairs of two different blocks of the set.
    pub fn pairs(self) -> impl Iterator<Item = (BlockId, BlockId)> {
        self.iter().flat_map(move |a| BlockSet(self.0 & (u64::MAX << a.0 << 1)).iter().map(move |b| (a, b)))
    }
}

impl FromIterator<BlockId> for BlockSet {
    fn from_iter<I: IntoIterator<Item = BlockId>>(blocks: I) -> Self {
        blocks.into_iter().fold(BlockSet::default(), |mut set, block| {
            set.insert(block);
            set
        })
    }
}

impl Blocks {
    /// Lays the blocks out. `order(round, subround)` gives the generators by rank. `Err` is the number of blocks that
    /// would be needed, and the limit.
    pub fn new(
        rounds: u8,
        subrounds: u8,
        twins: u8,
        outsider: bool,
        cap: SubroundCapRule,
        fault: Option<Fault>,
        order: impl Fn(u8, u8) -> Vec<Generator>,
    ) -> Result<Self, TooManyBlocks> {
        let outsider = outsider || fault == Some(Fault::SeedFromProposal);
        let honest_twins = if proposes_twice(fault) { 2 } else { 1 };
        let mut places: Vec<Place> = Vec::new();
        for round in 1..=rounds {
            let mut local = 0;
            for subround in 0..subrounds {
                let drawn = match cap {
                    SubroundCapRule::Unbounded => subround,
                    SubroundCapRule::CappedAtOne => subround.min(1),
                };
                let mut ranks = order(round, drawn);
                if outsider {
                    ranks.push(Generator::Outsider);
                }
                for (rank, &generator) in ranks.iter().enumerate() {
                    let count = match generator {
                        Generator::Honest => honest_twins,
                        Generator::Byzantine => twins,
                        Generator::Outsider => 1,
                    };
                    for twin in 0..count {
                        places.push(Place { round, subround, rank: rank as u8, twin, generator, local });
                        local += 1;
                    }
                }
            }
            if local as usize > MAX_BLOCKS_PER_ROUND {
                return Err(TooManyBlocks {
                    round: Some(round),
                    needed: local as usize,
                    limit: MAX_BLOCKS_PER_ROUND,
                });
            }
        }
        if places.len() > MAX_BLOCKS {
            return Err(TooManyBlocks { round: None, needed: places.len(), limit: MAX_BLOCKS });
        }
        Ok(Blocks::laid_out(rounds, subrounds, places))
    }

    /// The blocks of a layout that is given place by place (`local` is not read but counted), as a trace has it.
    pub fn from_places(rounds: u8, subrounds: u8, given: &[Place]) -> Result<Self, BadPlaces> {
        if !(1..=MAX_ROUNDS as u8).contains(&rounds) || !(1..=MAX_SUBROUNDS as u8).contains(&subrounds) {
            return Err(BadPlaces::Bounds);
        }
        if given.len() > MAX_BLOCKS {
            return Err(BadPlaces::TooMany(TooManyBlocks {
                round: None,
                needed: given.len(),
                limit: MAX_BLOCKS,
            }));
        }
        let mut places: Vec<Place> = Vec::new();
        for (index, place) in given.iter().enumerate() {
            let before = places.last();
            let in_order = before.is_none_or(|b| {
                (b.round, b.subround, b.rank, b.twin) < (place.round, place.subround, place.rank, place.twin)
            });
            let first_of_twins = place.twin == 0
                || before.is_some_and(|b| {
                    Place { twin: 1, local: 0, ..*b } == Place { local: 0, ..*place } && b.twin == 0
                });
            let in_range =
                (1..=rounds).contains(&place.round) && place.subround < subrounds && place.twin <= 1;
            // Ranks are counted in a set of 32 bits (S1).
            if !in_order || !first_of_twins || !in_range || place.rank as usize >= MAX_BLOCKS_PER_ROUND {
                return Err(BadPlaces::Place(index));
            }
            let local = before.filter(|b| b.round == place.round).map_or(0, |b| b.local + 1);
            if local as usize >= MAX_BLOCKS_PER_ROUND {
                return Err(BadPlaces::TooMany(TooManyBlocks {
                    round: Some(place.round),
                    needed: given.iter().filter(|p| p.round == place.round).count(),
                    limit: MAX_BLOCKS_PER_ROUND,
                }));
            }
            places.push(Place { local, ..*place });
        }
        Ok(Blocks::laid_out(rounds, subrounds, places))
    }

    /// The layout of at most [`MAX_BLOCKS`] `places` that stand in order.
    fn laid_out(rounds: u8, subrounds: u8, places: Vec<Place>) -> Self {
        let mut first = [0; (MAX_ROUNDS + 2) * (MAX_SUBROUNDS + 1)];
        for round in 1..=rounds + 1 {
            for subround in 0..=MAX_SUBROUNDS as u8 {
                let before = |p: &&Place| (p.round, p.subround) < (round, subround);
                first[at(round, subround)] = places.iter().filter(before).count() as u8;
            }
        }
        let mut masks = [0; (MAX_ROUNDS + 2) * (MAX_SUBROUNDS + 1)];
        for place in &places {
            masks[at(place.round, place.subround)] |= 1 << place.local;
        }
        let honest = |round, subround| {
            let generates = |p: &&Place| {
                (p.round, p.subround, p.generator, p.twin) == (round, subround, Generator::Honest, 0)
            };
            places.iter().filter(generates).count() as u32
        };
        let subrounds_of = |r| (0..subrounds).map(move |s| (r, s));
        let most_honest = (1..=rounds).flat_map(subrounds_of).map(|(r, s)| honest(r, s)).max().unwrap_or(0);
        Blocks { rounds, subrounds, places, first, masks, most_honest }
    }

    /// Whether the same blocks can exist in `other`.
    pub fn same_as(&self, other: &Blocks) -> bool {
        self.places == other.places
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none (never, for a valid scenario).
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Where `block` stands.
    #[inline]
    pub fn place(&self, block: BlockId) -> &Place {
        &self.places[block.index()]
    }

    /// The round of `block`; 0 for genesis.
    #[inline]
    pub fn round(&self, block: BlockId) -> u8 {
        if block == GENESIS { 0 } else { self.place(block).round }
    }

    /// The rank of a block's generator.
    #[inline]
    pub fn rank(&self, block: BlockId) -> Rank {
        Rank(self.place(block).rank.into())
    }

    /// All blocks, in order of rounds.
    pub fn all(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.places.len() as u8).map(BlockId)
    }

    #[inline]
    fn range(&self, round: u8, from: u8, to: u8) -> impl Iterator<Item = BlockId> + Clone + use<> {
        let range = if round >= 1 && round <= self.rounds {
            self.first[at(round, from)]..self.first[at(round, to)]
        } else {
            0..0
        };
        range.map(BlockId)
    }

    /// The blocks of one round; none outside `1..=rounds`.
    #[inline]
    pub fn of_round(&self, round: u8) -> impl Iterator<Item = BlockId> + Clone + use<> {
        self.range(round, 0, MAX_SUBROUNDS as u8)
    }

    /// The blocks of one (round, subround); none outside the scenario.
    #[inline]
    pub fn of_subround(&self, round: u8, subround: u8) -> impl Iterator<Item = BlockId> + Clone + use<> {
        let subround = subround.min(MAX_SUBROUNDS as u8 - 1);
        self.range(round, subround, subround + 1)
    }

    /// The blocks of one round, as a set.
    #[inline]
    pub fn set_of_round(&self, round: u8) -> BlockSet {
        self.of_round(round).collect()
    }

    /// The block of `round` at position `local`.
    #[inline]
    pub fn at(&self, round: u8, local: u8) -> BlockId {
        if round == 0 { GENESIS } else { BlockId(self.first[at(round, 0)] + local) }
    }

    /// The most honest generators that a subround has.
    #[inline]
    pub fn most_honest(&self) -> u32 {
        self.most_honest
    }

    /// The set of the blocks of (round, subround), as positions within the round.
    #[inline]
    pub fn mask(&self, round: u8, subround: u8) -> u16 {
        if subround < self.subrounds { self.masks[at(round.min(self.rounds + 1), subround)] } else { 0 }
    }
}

/// Whether an honest generator may make two blocks in a subround: it does by the fault, or it forgets the first one.
pub fn proposes_twice(fault: Option<Fault>) -> bool {
    matches!(fault, Some(Fault::ProposesTwice | Fault::ProposalsVolatile))
}

/// The name of a block.
pub fn block_name(blocks: &Blocks, block: BlockId) -> String {
    if block == GENESIS {
        return "genesis".into();
    }
    if block.index() >= blocks.len() {
        return format!("block {}", block.0);
    }
    let place = blocks.place(block);
    let twin = if place.twin == 1 { "'" } else { "" };
    format!("B({},{})#{}{twin}", place.round, place.subround, place.rank)
}

/// The block of that name, if the scenario has it.
pub fn block_named(blocks: &Blocks, name: &str) -> Option<BlockId> {
    std::iter::once(GENESIS).chain(blocks.all()).find(|&b| block_name(blocks, b) == name)
}

/// A scenario needs more blocks than the state has room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyBlocks {
    /// The round that is too wide, or `None` if all rounds together are too many.
    pub round: Option<u8>,
    /// Blocks needed.
    pub needed: usize,
    /// Blocks there is room for.
    pub limit: usize,
}

/// Index of (round, subround) in [`Blocks::first`].
#[inline]
fn at(round: u8, subround: u8) -> usize {
    round as usize * (MAX_SUBROUNDS + 1) + subround as usize
}

/// Places that no scenario can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPlaces {
    /// No round or subround, or more than the state has room for.
    #[error("1 to {MAX_ROUNDS} rounds and 1 to {MAX_SUBROUNDS} subrounds can be told apart")]
    Bounds,
    /// The place of this position is out of range or out of order.
    #[error(
        "block {0} is out of range or out of order (round, subround, rank, twin), or a second twin without its first"
    )]
    Place(usize),
    /// Too many blocks.
    #[error("{} blocks where the state has room for {}", .0.needed, .0.limit)]
    TooMany(TooManyBlocks),
}

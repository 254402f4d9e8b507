//! The state of a run: what each honest miner remembers, and what has ever been sent.
//!
//! The network is *monotone* (architecture.md, decision 1): a message once sent may arrive at any time, in any order,
//! twice, or never, so the state keeps the messages that exist, never a queue. Messages of distinct signers over the
//! same content are only ever counted, so they are kept as tallies; which miner of the past sent which is kept only
//! in the [`Archive`], which a reduction erases (`reductions.rs`).
//!
//! Everything is a small integer inside a word: no heap, `Copy`, and equality of states is equality of words. The
//! part that a scenario uses comes first (`State::used`), so that a search copies and hashes only that part.

use crate::{
    blocks::{BlockId, Blocks, GENESIS, MAX_BLOCKS, MAX_ROUNDS, MAX_SUBROUNDS},
    committee::MAX_HONEST,
};
use bytemuck::{Pod, Zeroable};

/// Declares accessors for bit fields of a word: `name, set_name: first bit, width`.
macro_rules! fields {
    ($type:ty, $word:ty; $($(#[$doc:meta])* $get:ident, $set:ident: $at:literal, $width:literal;)*) => {
        impl $type {
            $(
                $(#[$doc])*
                #[inline]
                pub fn $get(&self) -> u32 {
                    ((self.0 >> $at) & ((1 << $width) - 1)) as u32
                }
                #[doc = concat!("Sets [`Self::", stringify!($get), "`].")]
                #[inline]
                pub fn $set(&mut self, value: u32) {
                    debug_assert!(u64::from(value) < 1 << $width, concat!(stringify!($get), " overflows"));
                    self.0 = self.0 & !(((1 << $width) - 1) << $at) | ((value as $word) << $at);
                }
            )*
        }
    };
}

/// The memory of one honest miner. All but `crashed` concerns its present round: its actions in rounds that it left
/// can never influence it again, unless it forgets (`ticket_log = Volatile`), for which there is the [`Archive`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct Miner(pub u64);

fields! { Miner, u64;
    /// Round, from 1; `rounds + 1` when it has left the last round explored.
    round, set_round: 60, 4;
    /// Subround, from 0.
    subround, set_subround: 57, 3;
    /// The notarized block of the round before through which it entered: position + 1, 0 in round 1 (genesis).
    entry, set_entry: 52, 5;
    /// Blocks of the present round that it has signed a ticket for, as far as it remembers: a set of positions.
    tickets, set_tickets: 36, 16;
    /// A ticket that is in the log but has not left: position + 1, 0 for none.
    unsent, set_unsent: 31, 5;
    /// The block it has selected but not ticketed: position + 1, 0 for none.
    selected, set_selected: 26, 5;
    /// 1 if it has sent its timeout for the present subround, and so stopped ticketing there.
    timed_out, set_timed_out: 25, 1;
    /// 1 if it has sent its beacon share (explicit beacon only).
    shared, set_shared: 24, 1;
    /// 1 if it has proposed in the present subround (explicit proposals only).
    proposed, set_proposed: 23, 1;
    /// 1 while it is down.
    crashed, set_crashed: 22, 1;
    /// 1 if it cast its finality vote without leaving the round (mutant A4).
    voted, set_voted: 21, 1;
    /// 1 if it believes a seed that an unverified proposal claimed (mutant 20).
    deceived, set_deceived: 20, 1;
    /// Beacon shares of the present round that it holds, where early ones are dropped (mutant 18).
    shares_held, set_shares_held: 14, 6;
    /// Timeouts of the present subround that it holds, where those of others are dropped (mutant 12).
    timeouts_held, set_timeouts_held: 8, 6;
    /// 1 if it restarted in the present subround.
    recovered, set_recovered: 7, 1;
    /// 1 if it can vote for no block of the round any more, and its tickets there are forgotten (`counting`).
    spoiled, set_spoiled: 5, 1;
    /// 1 if it has ticketed in the present subround, and that ticket is forgotten (`counting`).
    spent, set_spent: 4, 1;
    /// The last round in which it sent shares and proposals before it restarted behind; 0 if it never did.
    reached, set_reached: 0, 4;
    /// 1 if it then sent a ticket that was in its log (W6).
    resent, set_resent: 6, 1;
}

impl Miner {
    /// Its round and subround as one number: the subround is the lowest three bits.
    #[inline]
    pub(crate) fn position(&self) -> u32 {
        (self.0 >> 57) as u32
    }
}

/// The messages sent about one block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct BlockTally(pub u32);

fields! { BlockTally, u32;
    /// The parent: position in the round before + 1 (1 for genesis), 0 while the block has not been proposed.
    parent, set_parent: 0, 5;
    /// Honest members that sent a ticket.
    tickets, set_tickets: 5, 6;
    /// Honest members that sent a finality vote.
    votes, set_votes: 11, 6;
    /// Byzantine members that sent a ticket: a set (explicit Byzantine messages only).
    byzantine_tickets, set_byzantine_tickets: 17, 3;
    /// Byzantine members that sent a finality vote: a set (explicit Byzantine messages only).
    byzantine_votes, set_byzantine_votes: 20, 3;
    /// 1 if a notarization has been formed (explicit notarizations only).
    notarized, set_notarized: 23, 1;
}

/// Timeouts sent for one (round, subround).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct TimeoutTally(pub u16);

fields! { TimeoutTally, u16;
    /// Honest members that sent a timeout.
    honest, set_honest: 0, 6;
    /// Byzantine members that did: a set (explicit Byzantine messages only).
    byzantine, set_byzantine: 6, 3;
}

/// Everything else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct Environment(pub u64);

fields! { Environment, u64;
    /// 1 once the network is synchronous.
    synchronous, set_synchronous: 0, 1;
    /// The highest round of an honest miner when the network became synchronous.
    stable_since, set_stable_since: 1, 4;
    /// Crashes so far.
    crashes, set_crashes: 5, 4;
    /// 1 if an honest miner accepted a notarization whose label is not its block's (S8, mutant 23).
    mislabelled, set_mislabelled: 9, 1;
    /// 1 if an observer's head moved back or aside (S7).
    moved_aside, set_moved_aside: 10, 1;
    /// 1 if an observer's finalized chain has a hole (S5, mutant 7).
    holed, set_holed: 11, 1;
    /// Head of observer 0: block + 1, 0 for genesis.
    head0, set_head0: 12, 6;
    /// Head of observer 1: block + 1, 0 for genesis.
    head1, set_head1: 18, 6;
    /// 1 if an honest miner proposed twice in one subround (S10).
    proposed_twice, set_proposed_twice: 24, 1;
    /// 1 if an honest miner sent both a finality vote and a ticket for another block of the round (S10).
    contradicted, set_contradicted: 25, 1;
    /// Rounds whose beacon value the adversary has formed: a set, bit 0 for round 1 (S11).
    formed, set_formed: 26, 6;
    /// Those of them in which no honest miner that is not exposed had sent its share.
    formed_early, set_formed_early: 32, 6;
    /// Shares that honest miners that are not exposed have sent, where the adversary forms values: three bits a round.
    unexposed_shares, set_unexposed_shares: 38, 18;
    /// In a sorted run the layer of the latest step, from 1 (`sorted/layer.rs`); 0 where runs are not sorted.
    floor, set_floor: 56, 6;
}

/// The environment has room for the beacon values of so many rounds.
const _: () = assert!(MAX_ROUNDS <= 6);

/// The past messages of honest miners, by name. Erased by the `counting` reduction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Archive {
    /// Tickets sent, or in the log of a miner that restarted behind, by round: a set of positions.
    pub tickets: [u16; MAX_ROUNDS],
    /// Finality votes sent, by round: a set of positions.
    pub votes: [u16; MAX_ROUNDS],
    /// Timeouts sent, by round: a set of subrounds. Two entries are spare: no padding.
    pub timeouts: [u8; MAX_ROUNDS + 2],
}

/// A block of the scenario, and who came through it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Pod, Zeroable)]
#[repr(C)]
struct Cell {
    /// The messages sent about the block.
    tally: BlockTally,
    /// Honest members that were in subround `s` of the round after the block's, having entered through it, eight bits
    /// a subround; they sent their beacon shares and, as generators, their blocks.
    presence: u32,
}

/// A state of the model.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct State {
    /// Everything else.
    pub environment: Environment,
    /// Honest miners; the unused ones are zero.
    pub miners: [Miner; MAX_HONEST],
    /// Timeouts, by round and subround.
    pub timeouts: [TimeoutTally; MAX_ROUNDS * MAX_SUBROUNDS],
    /// Genesis, of which only the presence is used, and the blocks; the unused ones are zero.
    cells: [Cell; MAX_BLOCKS + 1],
    /// The past by name, if kept.
    pub archive: [Archive; MAX_HONEST],
}

/// Words of a state.
pub(crate) const WORDS: usize = size_of::<State>() / size_of::<u64>();

impl State {
    /// The state as words.
    #[inline]
    pub(crate) fn as_words(&self) -> &[u64; WORDS] {
        bytemuck::cast_ref(self)
    }

    /// The state as words.
    #[inline]
    pub(crate) fn as_words_mut(&mut self) -> &mut [u64; WORDS] {
        bytemuck::cast_mut(self)
    }

    /// All zero: nobody anywhere. `Protocol::initial` makes a state of it.
    pub fn empty() -> Self {
        State::zeroed()
    }

    /// Bytes, from the beginning, that are not zero in all states of a scenario with this many blocks.
    pub(crate) const fn used(blocks: usize, archive: bool) -> usize {
        if archive {
            size_of::<State>()
        } else {
            std::mem::offset_of!(State, cells) + (blocks + 1) * size_of::<Cell>()
        }
    }

    /// The tally of `block`.
    #[inline]
    pub fn block(&self, block: BlockId) -> &BlockTally {
        &self.cells[block.index() + 1].tally
    }

    /// The tally of `block`.
    #[inline]
    pub fn block_mut(&mut self, block: BlockId) -> &mut BlockTally {
        &mut self.cells[block.index() + 1].tally
    }

    /// Sets the cell of genesis (0) or a block (its id plus one).
    pub(crate) fn set_cell(&mut self, at: usize, tally: BlockTally, presence: u32) {
        self.cells[at] = Cell { tally, presence };
    }

    /// The timeouts of (round, subround).
    #[inline]
    pub fn timeout(&self, round: u8, subround: u8) -> &TimeoutTally {
        &self.timeouts[(round as usize - 1) * MAX_SUBROUNDS + subround as usize]
    }

    /// The timeouts of (round, subround).
    #[inline]
    pub fn timeout_mut(&mut self, round: u8, subround: u8) -> &mut TimeoutTally {
        &mut self.timeouts[(round as usize - 1) * MAX_SUBROUNDS + subround as usize]
    }

    /// Honest members that were in `subround` of the round after `entry`'s, having entered through `entry`.
    #[inline]
    pub fn present(&self, entry: BlockId, subround: u8) -> u32 {
        self.cells[entry_index(entry)].presence >> (8 * subround) & 0xff
    }

    /// Counts `weight` more members into [`State::present`].
    #[inline]
    pub fn add_present(&mut self, entry: BlockId, subround: u8, weight: u32) {
        self.cells[entry_index(entry)].presence += weight << (8 * subround);
    }

    /// Sets [`State::present`].
    #[inline]
    pub(crate) fn set_present(&mut self, entry: BlockId, subround: u8, count: u32) {
        let presence = &mut self.cells[entry_index(entry)].presence;
        *presence = *presence & !(0xff << (8 * subround)) | count << (8 * subround);
    }

    /// Lets no count of [`State::present`] be greater than `most`.
    #[inline]
    pub fn cap_present(&mut self, entry: BlockId, most: u32) {
        let presence = &mut self.cells[entry_index(entry)].presence;
        if *presence != 0 {
            *presence =
                u32::from_le_bytes(presence.to_le_bytes().map(|count| u32::from(count).min(most) as u8));
        }
    }

    /// Forgets who entered through `entry`.
    #[inline]
    pub fn clear_presence(&mut self, entry: BlockId) {
        self.cells[entry_index(entry)].presence = 0;
    }

    /// The parent of `block`, if it has been proposed.
    #[inline]
    pub fn parent(&self, blocks: &Blocks, block: BlockId) -> Option<BlockId> {
        match self.block(block).parent() {
            0 => None,
            position => Some(blocks.at(blocks.round(block) - 1, position as u8 - 1)),
        }
    }

    /// The block through which `miner` entered its round.
    #[inline]
    pub fn entry(&self, blocks: &Blocks, miner: usize) -> BlockId {
        let m = &self.miners[miner];
        match m.entry() {
            0 => GENESIS,
            position => blocks.at(m.round() as u8 - 1, position as u8 - 1),
        }
    }

    /// Whether `ancestor` is `block` or lies on its chain.
    pub fn descends(&self, blocks: &Blocks, block: BlockId, ancestor: BlockId) -> bool {
        if ancestor == GENESIS {
            return true;
        }
        let mut at = block;
        loop {
            if at == ancestor {
                return true;
            }
            if blocks.round(at) <= blocks.round(ancestor) {
                return false;
            }
            match self.parent(blocks, at) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    /// Whether two blocks are on one chain.
    pub fn compatible(&self, blocks: &Blocks, a: BlockId, b: BlockId) -> bool {
        self.descends(blocks, a, b) || self.descends(blocks, b, a)
    }

    /// The head of an observer.
    pub fn head(&self, observer: usize) -> BlockId {
        match if observer == 0 { self.environment.head0() } else { self.environment.head1() } {
            0 => GENESIS,
            block => BlockId(block as u8 - 1),
        }
    }

    /// Observers, from the first one, up to the last whose head has moved.
    pub fn observers_used(&self) -> usize {
        (0..2).rev().find(|&observer| self.head(observer) != GENESIS).map_or(0, |last| last + 1)
    }

    /// Moves the head of an observer.
    pub fn set_head(&mut self, observer: usize, block: BlockId) {
        let value = if block == GENESIS { 0 } else { u32::from(block.0) + 1 };
        if observer == 0 { self.environment.set_head0(value) } else { self.environment.set_head1(value) }
    }
}

/// Genesis is the greatest id and has the first cell.
#[inline]
fn entry_index(entry: BlockId) -> usize {
    const { assert!(GENESIS.0 == u8::MAX) };
    entry.0.wrapping_add(1).into()
}

/// Position of a block within its round, plus one: how the state names entries, parents and selections.
#[inline]
pub fn position(blocks: &Blocks, block: BlockId) -> u32 {
    if block == GENESIS { 0 } else { u32::from(blocks.place(block).local) + 1 }
}

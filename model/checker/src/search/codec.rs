//! States as bits: only those that a scenario uses, so that a queued state takes 30 to 60 bytes.
//!
//! The state has room for the largest scenario in every field; how wide a field is in *this* scenario follows from its
//! committee, blocks and rules (`Widths`). A word is packed by moving the runs of bits that are used together.
//! Should a field ever hold more than its width, packing stops with a message: a state is never stored wrongly.

use crate::{
    blocks::MAX_SUBROUNDS,
    fault::Fault,
    protocol::Protocol,
    state::{Archive, BlockTally, Environment, Miner, State, TimeoutTally},
};

/// How the states of one scenario are packed.
#[derive(Clone, Debug)]
pub struct Codec {
    honest: usize,
    cells: usize,
    rounds: usize,
    subrounds: usize,
    archive: bool,
    miner: Word,
    cell: Word,
    timeouts: Word,
    environment: Word,
    positions: Word,
    timed_out: Word,
    /// Bytes of one packed state.
    pub bytes: usize,
}

/// Which bits of a word are used, as runs.
#[derive(Clone, Debug, Default)]
struct Word {
    mask: u64,
    /// Bits of a run, and how far down they move.
    runs: Vec<(u64, u32)>,
    width: u32,
}

impl Word {
    fn of(mask: u64) -> Self {
        let mut word = Word { mask, runs: Vec::new(), width: mask.count_ones() };
        let (mut rest, mut packed) = (mask, 0);
        while rest != 0 {
            let from = rest.trailing_zeros();
            let length = (rest >> from).trailing_ones();
            let run = (u64::MAX >> (64 - length)) << from;
            word.runs.push((run, from - packed));
            packed += length;
            rest &= !run;
        }
        word
    }
}

/// Bits that the numbers from 0 to `most` take.
const fn bits(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// A mask of the bits of fields that are used, each given by a value with all its bits set.
macro_rules! mask {
    ($type:ident; $($set:ident: $most:expr,)*) => {{
        let mut word = $type::default();
        $(word.$set($most);)*
        word.0.into()
    }};
}

/// The greatest values that fields can have, each rounded up to all ones.
struct Widths {
    positions: u32,
    members: u32,
    visits: u32,
    round: u32,
    subround: u32,
    blocks: u32,
    byzantine: u32,
}

impl Widths {
    fn of(protocol: &Protocol) -> Self {
        let ones = |most: u32| (1 << bits(most)) - 1;
        let blocks = &protocol.blocks;
        let widest = (1..=blocks.rounds).map(|r| blocks.of_round(r).count() as u32).max().unwrap_or(0);
        let honest: u32 = (0..protocol.honest()).map(|m| protocol.weight(m)).sum();
        Widths {
            positions: ones(widest),
            members: ones(honest),
            // A miner enters a subround once, unless it crashes and forgets that it did.
            visits: if protocol.crashes == 0 { ones(honest) } else { 0xff },
            round: ones(u32::from(blocks.rounds) + 1),
            subround: ones(u32::from(blocks.subrounds) - 1),
            blocks: (1 << widest) - 1,
            byzantine: (1 << protocol.committee.byzantine.min(3)) - 1,
        }
    }
}

fn only(condition: bool, most: u32) -> u32 {
    if condition { most } else { 0 }
}

impl Codec {
    /// The codec of `protocol`.
    pub fn new(protocol: &Protocol) -> Self {
        let w = Widths::of(protocol);
        let (explicit, r) = (protocol.reductions, &protocol.rules);
        let byzantine = only(!explicit.byzantine_available, w.byzantine);
        let heads =
            |observer| only(protocol.observers > observer, (1 << bits(protocol.blocks.len() as u32)) - 1);
        let holds_timeouts = protocol.has(Fault::OwnSubroundOnly);
        let presence: u64 = (0..protocol.blocks.subrounds).map(|s| u64::from(w.visits) << (8 * s)).sum();
        let tally: u64 = mask! { BlockTally;
            set_parent: w.positions,
            set_tickets: w.members,
            set_votes: only(r.votes(), w.members),
            set_byzantine_tickets: byzantine,
            set_byzantine_votes: byzantine,
            set_notarized: only(!explicit.eager, 1),
        };
        let mut codec = Codec {
            honest: protocol.honest(),
            cells: protocol.blocks.len() + 1,
            rounds: protocol.blocks.rounds as usize,
            subrounds: protocol.blocks.subrounds as usize,
            archive: protocol.keeps_archive(),
            miner: Word::of(mask! { Miner;
                set_round: w.round,
                set_subround: w.subround,
                set_entry: w.positions,
                set_tickets: w.blocks,
                set_unsent: only(protocol.crashes > 0, w.positions),
                set_selected: only(!explicit.eager, w.positions),
                set_timed_out: 1,
                set_shared: 1,
                set_proposed: 1,
                set_crashed: only(protocol.crashes > 0, 1),
                set_voted: 1,
                set_deceived: 1,
                set_shares_held: only(protocol.has(Fault::EarlySharesDropped), 0x3f),
                set_timeouts_held: only(holds_timeouts, 0x3f),
                set_recovered: only(protocol.crashes > 0, 1),
                set_spoiled: 1,
                set_spent: 1,
                set_reached: only(protocol.restarts_behind, w.round),
                set_resent: only(protocol.crashes > 0, 1),
            }),
            cell: Word::of(tally | presence << 32),
            timeouts: Word::of(mask! { TimeoutTally; set_honest: w.members, set_byzantine: byzantine, }),
            environment: Word::of(mask! { Environment;
                set_synchronous: 1,
                set_stable_since: w.round,
                set_crashes: only(protocol.crashes > 0, 0xf),
                set_mislabelled: 1,
                set_moved_aside: 1,
                set_holed: 1,
                set_head0: heads(0),
                set_head1: heads(1),
                set_proposed_twice: 1,
                set_contradicted: 1,
                set_formed: only(protocol.forms_beacon(), (1 << protocol.blocks.rounds) - 1),
                set_formed_early: only(protocol.forms_beacon(), (1 << protocol.blocks.rounds) - 1),
                set_unexposed_shares: only(protocol.forms_beacon(), (1 << (3 * protocol.blocks.rounds)) - 1),
                set_floor: only(protocol.sorts(), (1 << bits(protocol.last_layer())) - 1),
            }),
            positions: Word::of(w.blocks.into()),
            timed_out: Word::of((1 << protocol.blocks.subrounds) - 1),
            bytes: 0,
        };
        let rounds = codec.rounds as u32;
        let archived = rounds * (2 * codec.positions.width + codec.timed_out.width);
        let width = codec.environment.width
            + codec.honest as u32 * (codec.miner.width + if codec.archive { archived } else { 0 })
            + rounds * codec.subrounds as u32 * codec.timeouts.width
            + codec.cells as u32 * codec.cell.width;
        codec.bytes = width.div_ceil(8) as usize;
        codec
    }

    /// Appends the packed `state`.
    ///
    /// # Panics
    /// If a field is wider than this codec thinks: a fault of `Widths`, never of a scenario.
    pub fn pack(&self, state: &State, out: &mut Vec<u8>) {
        let end = out.len() + self.bytes;
        let mut writer = Writer { out, pending: 0, width: 0, lost: 0 };
        writer.word(&self.environment, state.environment.0);
        for miner in &state.miners[..self.honest] {
            writer.word(&self.miner, miner.0);
        }
        for round in 0..self.rounds {
            for tally in &state.timeouts[round * MAX_SUBROUNDS..][..self.subrounds] {
                writer.word(&self.timeouts, tally.0.into());
            }
        }
        for cell in state.cells().take(self.cells) {
            writer.word(&self.cell, cell);
        }
        if self.archive {
            for archive in &state.archive[..self.honest] {
                for round in 0..self.rounds {
                    writer.word(&self.positions, archive.tickets[round].into());
                    writer.word(&self.positions, archive.votes[round].into());
                    writer.word(&self.timed_out, archive.timeouts[round].into());
                }
            }
        }
        assert_eq!(writer.lost, 0, "a field of the state is wider than its scenario lets it be: {state:?}");
        writer.finish(end);
    }

    /// The state that was packed into `bytes`, which must be of this codec's length.
    pub fn unpack(&self, bytes: &[u8]) -> State {
        let mut state = State::empty();
        self.unpack_over(bytes, &mut state);
        state
    }

    /// As [`Codec::unpack`], over a state of the same scenario.
    pub fn unpack_over(&self, bytes: &[u8], state: &mut State) {
        let mut reader = Reader { bytes, at: 0 };
        state.environment = Environment(reader.word(&self.environment));
        for miner in &mut state.miners[..self.honest] {
            *miner = Miner(reader.word(&self.miner));
        }
        for round in 0..self.rounds {
            for tally in &mut state.timeouts[round * MAX_SUBROUNDS..][..self.subrounds] {
                *tally = TimeoutTally(reader.word(&self.timeouts) as u16);
            }
        }
        for cell in 0..self.cells {
            state.set_cell(cell, reader.word(&self.cell));
        }
        if self.archive {
            for miner in 0..self.honest {
                let mut archive = Archive::default();
                for round in 0..self.rounds {
                    archive.tickets[round] = reader.word(&self.positions) as u16;
                    archive.votes[round] = reader.word(&self.positions) as u16;
                    archive.timeouts[round] = reader.word(&self.timed_out) as u8;
                }
                state.archive[miner] = archive;
            }
        }
    }
}

/// Writes words one after another, lowest bit first.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    /// Bits of `pending`: less than 64.
    width: u32,
    lost: u64,
}

impl Writer<'_> {
    #[inline]
    fn word(&mut self, word: &Word, value: u64) {
        self.lost |= value & !word.mask;
        let mut packed = 0;
        for &(run, down) in &word.runs {
            packed |= (value & run) >> down;
        }
        self.pending |= packed << self.width;
        let width = self.width + word.width;
        if width >= u64::BITS {
            self.out.extend_from_slice(&self.pending.to_le_bytes());
            // The bits that did not fit; none if the word began the pending bits.
            self.pending = packed.checked_shr(u64::BITS - self.width).unwrap_or(0);
        }
        self.width = width % u64::BITS;
    }

    /// Writes what is pending, up to the length `end`.
    fn finish(self, end: usize) {
        let rest = end - self.out.len();
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..rest]);
    }
}

/// Reads what a [`Writer`] wrote.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Bits read.
    at: usize,
}

impl Reader<'_> {
    #[inline]
    fn word(&mut self, word: &Word) -> u64 {
        let (byte, bit) = (self.at / 8, self.at % 8);
        let mut window = [0; 16];
        match self.bytes.get(byte..byte + 16) {
            Some(whole) => window.copy_from_slice(whole),
            None => {
                let rest = &self.bytes[byte.min(self.bytes.len())..];
                window[..rest.len()].copy_from_slice(rest);
            }
        }
        self.at += word.width as usize;
        let packed = (u128::from_le_bytes(window) >> bit) as u64;
        let mut value = 0;
        for &(run, down) in &word.runs {
            value |= packed << down & run;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{action::Action, committed, protocol::Reductions};
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{RngCore, SeedableRng},
    };

    /// Packs and unpacks along random runs; gives the most bytes of a state.
    fn walk(protocol: &Protocol, random: &mut ChaCha8Rng) -> usize {
        let codec = Codec::new(protocol);
        let mut over = State::empty();
        for _ in 0..20 {
            let mut state = protocol.initial();
            for _ in 0..80 {
                let mut packed = vec![7];
                codec.pack(&state, &mut packed);
                assert_eq!(packed.len(), 1 + codec.bytes);
                assert_eq!(codec.unpack(&packed[1..]), state);
                codec.unpack_over(&packed[1..], &mut over);
                assert_eq!(over, state, "an earlier state shines through");
                let mut actions: Vec<Action> = Vec::new();
                protocol.actions(&state, &mut actions);
                let Some(at) = (random.next_u64() as usize).checked_rem(actions.len()) else { break };
                state = protocol.normalize(protocol.apply(&state, &actions[at]));
            }
        }
        codec.bytes
    }

    #[test]
    fn every_scenario_is_packed_without_loss() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for name in committed::names() {
            let scenario = committed::find(name).unwrap();
            // Byzantine signers are named in sets of three.
            let explicit = (scenario.protocol.committee.byzantine <= 3).then_some(Reductions::NONE);
            for reductions in explicit.into_iter().chain([scenario.protocol.reductions]) {
                let protocol = Protocol { reductions, ..scenario.protocol.clone() };
                walk(&protocol, &mut random);
            }
        }
        let hardened = committed::find("hardened").unwrap().protocol;
        assert!(walk(&hardened, &mut random) <= 32);
    }

    #[test]
    #[should_panic(expected = "wider than its scenario lets it be")]
    fn nothing_is_lost_in_silence() {
        let protocol = committed::find("hardened").unwrap().protocol;
        let mut state = protocol.initial();
        state.miners[0].set_shares_held(1);
        Codec::new(&protocol).pack(&state, &mut Vec::new());
    }
}

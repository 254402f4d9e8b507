//! States as bits: only those that a scenario uses, so that a queued state takes 30 to 60 bytes.
//!
//! The state has room for the largest scenario in every field; how wide a field is in *this* scenario follows from its
//! committee, blocks and rules (`Widths`). Of each word of the state the bits that are used are moved together, by tables: one byte a
//! look-up. Should a field ever hold more than its width, packing stops with a message: a state is never stored wrongly.
//!
//! Packing is linear: the packed difference (exclusive or) of two states is the difference of the packed states. So a successor is
//! packed by changing the bytes of its predecessor where a word differs.

use crate::{
    fault::Fault,
    protocol::Protocol,
    state::{Archive, BlockTally, Environment, Miner, State, TimeoutTally},
};
use std::collections::HashMap;

/// How the states of one scenario are packed.
#[derive(Clone, Debug)]
pub struct Codec {
    /// The bits of each word that are used, up to the last word that has some.
    masks: Vec<u64>,
    fields: Vec<Field>,
    /// The tables of all fields.
    tables: Vec<[u64; 256]>,
    /// Bytes of one packed state.
    pub bytes: usize,
}

/// Bits of one word of the state, and their place in a packed state.
#[derive(Clone, Copy, Debug)]
struct Field {
    /// The word.
    at: usize,
    /// Its bits.
    mask: u64,
    /// The bits of the word that an earlier field has.
    earlier: u64,
    /// The packed bits lie in the eight bytes from here on,
    window: usize,
    /// above so many others,
    above: u32,
    /// and are so many.
    width: u32,
    tables: Tables,
}

/// The tables of a mask: positions among those of the codec.
#[derive(Clone, Copy, Debug)]
struct Tables {
    /// The first one that moves bits of the word together: one for each byte of the word, beginning with
    gather: usize,
    /// the first byte that the mask has bits in.
    from: u32,
    /// The first one that moves bits apart: one for each byte of packed bits.
    spread: usize,
    /// One more than the last of these.
    end: usize,
}

/// Bytes that are read or written at a time, and the least of a packed state.
const WINDOW: usize = size_of::<u64>();
/// The most bits of a field: beside seven others they fit into a window.
const WIDEST: u32 = u64::BITS - 7;

/// The bits of `value` that `mask` has, moved together.
fn gathered(value: u64, mask: u64) -> u64 {
    set_bits(mask).enumerate().fold(0, |packed, (to, from)| packed | (value >> from & 1) << to)
}

/// The lowest bits of `packed`, moved to those that `mask` has.
fn spread(packed: u64, mask: u64) -> u64 {
    set_bits(mask).enumerate().fold(0, |value, (from, to)| value | (packed >> from & 1) << to)
}

fn set_bits(mask: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS).filter(move |bit| mask >> bit & 1 == 1)
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
        word
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

/// A state with all bits set that states of `protocol` use.
fn used(protocol: &Protocol) -> State {
    let w = Widths::of(protocol);
    let (explicit, r) = (protocol.reductions, &protocol.rules);
    let byzantine = only(!explicit.byzantine_available, w.byzantine);
    let heads = |observer| only(protocol.observers > observer, (1 << bits(protocol.blocks.len() as u32)) - 1);
    let holds_timeouts = protocol.has(Fault::OwnSubroundOnly);
    let presence = (0..protocol.blocks.subrounds).map(|s| w.visits << (8 * s)).sum();
    let tally = mask! { BlockTally;
        set_parent: w.positions,
        set_tickets: w.members,
        set_votes: only(r.votes(), w.members),
        set_byzantine_tickets: byzantine,
        set_byzantine_votes: byzantine,
        set_notarized: only(!explicit.eager, 1),
    };
    let miner = mask! { Miner;
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
    };
    let environment = mask! { Environment;
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
    };
    let timeouts = mask! { TimeoutTally; set_honest: w.members, set_byzantine: byzantine, };
    let (honest, rounds) = (protocol.honest(), usize::from(protocol.blocks.rounds));
    let mut used = State::empty();
    used.environment = environment;
    used.miners[..honest].fill(miner);
    for round in 1..=protocol.blocks.rounds {
        for subround in 0..protocol.blocks.subrounds {
            *used.timeout_mut(round, subround) = timeouts;
        }
    }
    (0..=protocol.blocks.len()).for_each(|cell| used.set_cell(cell, tally, presence));
    if protocol.keeps_archive() {
        let mut archive = Archive::default();
        archive.tickets[..rounds].fill(w.blocks as u16);
        archive.votes[..rounds].fill(w.blocks as u16);
        archive.timeouts[..rounds].fill(((1u32 << protocol.blocks.subrounds) - 1) as u8);
        used.archive[..honest].fill(archive);
    }
    used
}

impl Codec {
    /// The codec of `protocol`.
    pub fn new(protocol: &Protocol) -> Self {
        let masks = used(protocol);
        let masks = masks.as_words();
        let last = masks.iter().rposition(|&mask| mask != 0).unwrap_or(0);
        let bits: u32 = masks.iter().map(|mask| mask.count_ones()).sum();
        let bytes = (bits.div_ceil(8) as usize).max(WINDOW);
        let mut codec =
            Codec { masks: masks[..=last].to_vec(), fields: Vec::new(), tables: Vec::new(), bytes };
        let (mut known, mut begin) = (HashMap::new(), 0);
        for (at, &all) in masks.iter().enumerate() {
            let mut earlier = 0;
            while all & !earlier != 0 {
                let mask = spread(u64::MAX >> (u64::BITS - WIDEST), all & !earlier);
                // The last fields are in the last window.
                let window = (begin as usize / 8).min(bytes - WINDOW);
                let tables = *known.entry(mask).or_insert_with(|| codec.tables_of(mask));
                let (above, width) = (begin - 8 * window as u32, mask.count_ones());
                codec.fields.push(Field { at, mask, earlier, window, above, width, tables });
                begin += width;
                earlier |= mask;
            }
        }
        codec
    }

    fn tables_of(&mut self, mask: u64) -> Tables {
        let values = || std::array::from_fn::<u64, 256, _>(|value| value as u64);
        let (gather, from) = (self.tables.len(), mask.trailing_zeros() / 8);
        let to = (u64::BITS - mask.leading_zeros()).div_ceil(8);
        self.tables.extend((from..to).map(|byte| values().map(|value| gathered(value << (8 * byte), mask))));
        let apart = self.tables.len();
        let packed = 0..mask.count_ones().div_ceil(8);
        self.tables.extend(packed.map(|byte| values().map(|value| spread(value << (8 * byte), mask))));
        Tables { gather, from, spread: apart, end: self.tables.len() }
    }

    /// Appends the packed `state`.
    ///
    /// # Panics
    /// If a field is wider than this codec thinks: a fault of `Widths`, never of a scenario.
    pub fn pack(&self, state: &State, out: &mut Vec<u8>) {
        let begin = out.len();
        out.resize(begin + self.bytes, 0);
        self.change(&State::empty(), state, &mut out[begin..]);
    }

    /// As [`Codec::pack`]; `before` is another state, and its packed bytes. The fewer words differ, the less there is to do.
    ///
    /// # Panics
    /// As [`Codec::pack`].
    #[inline]
    pub fn pack_after(&self, (before, packed): (&State, &[u8]), state: &State, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend_from_slice(packed);
        self.change(before, state, &mut out[begin..]);
    }

    /// Makes the packed state of `before` that of `after`.
    fn change(&self, before: &State, after: &State, packed: &mut [u8]) {
        let (before, after) = (before.as_words(), after.as_words());
        let words = before.iter().zip(after).zip(&self.masks);
        let lost = words.fold(0, |lost, ((before, after), mask)| lost | (before ^ after) & !mask);
        assert_eq!(lost, 0, "a field of the state is wider than its scenario lets it be: {after:?}");
        for field in &self.fields {
            let mut rest = (before[field.at] ^ after[field.at]) & field.mask;
            if rest == 0 {
                continue;
            }
            rest >>= 8 * field.tables.from;
            let mut change = 0;
            for table in &self.tables[field.tables.gather..field.tables.spread] {
                change |= table[rest as usize & 0xff];
                rest >>= 8;
            }
            let window = &mut packed[field.window..field.window + WINDOW];
            let mut bits = [0; WINDOW];
            bits.copy_from_slice(window);
            window.copy_from_slice(&(u64::from_le_bytes(bits) ^ change << field.above).to_le_bytes());
        }
    }

    /// The state that was packed into `bytes`, which must be of this codec's length.
    pub fn unpack(&self, bytes: &[u8]) -> State {
        let mut state = State::empty();
        self.unpack_over(bytes, &mut state);
        state
    }

    /// As [`Codec::unpack`], over a state of the same scenario.
    #[inline]
    pub fn unpack_over(&self, bytes: &[u8], state: &mut State) {
        let words = state.as_words_mut();
        for field in &self.fields {
            let mut window = [0; WINDOW];
            window.copy_from_slice(&bytes[field.window..field.window + WINDOW]);
            let mut packed =
                u64::from_le_bytes(window) >> field.above & (u64::MAX >> (u64::BITS - field.width));
            let mut value = words[field.at] & field.earlier;
            for table in &self.tables[field.tables.spread..field.tables.end] {
                value |= table[packed as usize & 0xff];
                packed >>= 8;
            }
            words[field.at] = value;
        }
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
        let mut before = (State::empty(), vec![0; 1 + codec.bytes]);
        for _ in 0..20 {
            let mut state = protocol.initial();
            for _ in 0..80 {
                let mut packed = vec![7];
                codec.pack(&state, &mut packed);
                assert_eq!(packed.len(), 1 + codec.bytes);
                assert_eq!(codec.unpack(&packed[1..]), state);
                let mut changed = vec![7];
                codec.pack_after((&before.0, &before.1[1..]), &state, &mut changed);
                assert_eq!(changed, packed, "packed from another state it is another one");
                before = (state, changed);
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

//! The model as the novelty signal: each state of the model that a run reaches sets a counter of its own, which libFuzzer takes
//! for one more edge of the program (`__libfuzzer_extra_counters`, on Linux). An input that leads production code into a state
//! of the model where no input has led it before is kept, whether or not it takes a new branch.
//!
//! Behind the feature `feedback`: more inputs are kept, so an execution chooses among more and is slower. Its worth was
//! measured (`zus-fuzz study`, README.md). The map has [`SLOTS`] bytes: a smaller one makes states collide, a larger
//! one costs more to clear before each execution than it tells.

#![allow(unsafe_code, reason = "the section of a static can only be named so; nothing else here is unsafe")]

#[cfg(feature = "feedback")]
use std::sync::atomic::{AtomicU8, Ordering};

use zus_checker::protocol::Protocol;
use zus_checker::state::State;

/// Counters.
pub const SLOTS: usize = 16 * 1024;

/// The counters that libFuzzer reads and clears.
// SAFETY: the section holds plain bytes, which is what libFuzzer takes it for; no other static is in it.
#[cfg(feature = "feedback")]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
#[used]
static COUNTERS: [AtomicU8; SLOTS] = [const { AtomicU8::new(0) }; SLOTS];

/// Tells the engine that a run is in this state; without the features `feedback` and `study` nobody wants to know.
pub fn reached(protocol: &Protocol, state: &State) {
    #[cfg(feature = "feedback")]
    COUNTERS[digest(protocol, state) as usize % SLOTS].store(1, Ordering::Relaxed);
    #[cfg(feature = "study")]
    study::reached(digest(protocol, state));
    let _ = (protocol, state);
}

/// The digest of a state: positions, tickets, timeouts and votes of the honest miners, and the notarized blocks. Honest
/// miners are interchangeable, so their words are added.
#[must_use]
pub fn digest(protocol: &Protocol, state: &State) -> u64 {
    let rounds = usize::from(protocol.blocks.rounds);
    let mut sum = 0u64;
    for (miner, sent) in state.miners.iter().zip(&state.archive).take(protocol.honest()) {
        let flags = miner.timed_out() | miner.crashed() << 1;
        let mut word =
            mix(u64::from(miner.round() << 16 | miner.subround() << 8 | miner.entry()) << 8
                | u64::from(flags));
        for round in 0..rounds {
            let all = u64::from(sent.tickets[round]) << 32
                | u64::from(sent.votes[round]) << 16
                | u64::from(sent.timeouts[round]);
            word = mix(word ^ all);
        }
        sum = sum.wrapping_add(word);
    }
    let notarized = protocol.blocks.all().filter(|&block| state.block(block).notarized() == 1);
    mix(sum ^ notarized.map(|block| 1u64 << (block.index() % 64)).sum::<u64>())
}

/// The finisher of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The data that a measurement needs from inside a fuzz target: the number of states that it has reached.
#[cfg(feature = "study")]
pub mod study {
    use std::collections::HashSet;
    use std::io::Write;
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::time::Instant;

    /// The environment variable that names the file for the counts, one line each [`EVERY`] executions:
    /// executions, distinct states, milliseconds.
    pub const COUNTS: &str = "ZUS_STUDY_COUNTS";
    /// Executions between two lines.
    pub const EVERY: u64 = 16;

    struct Counts {
        states: HashSet<u64>,
        executions: u64,
        start: Instant,
    }

    static COUNTING: LazyLock<Mutex<Option<Counts>>> = LazyLock::new(|| {
        let counts = || Counts { states: HashSet::new(), executions: 0, start: Instant::now() };
        Mutex::new(std::env::var_os(COUNTS).map(|_| counts()))
    });

    pub(super) fn reached(digest: u64) {
        if let Some(counts) = COUNTING.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            counts.states.insert(digest);
        }
    }

    /// An execution has ended.
    ///
    /// # Panics
    /// When the file for the counts cannot be written: there is no measurement then.
    pub fn executed() {
        let mut guard = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counts) = guard.as_mut() else { return };
        counts.executions += 1;
        if !counts.executions.is_multiple_of(EVERY) {
            return;
        }
        let path = std::env::var_os(COUNTS).unwrap_or_default();
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let line = (counts.executions, counts.states.len(), counts.start.elapsed().as_millis());
        let written = file.and_then(|mut file| writeln!(file, "{} {} {}", line.0, line.1, line.2));
        written.unwrap_or_else(|error| panic!("{}: {error}", zus_output::plain::path(&path)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refinement::protocol_of;
    use crate::schedule::ground_of;
    use crate::world::Setup;

    /// Interchangeable miners give one digest, and whatever is told of a state changes it.
    #[test]
    fn a_digest_tells_states_apart_and_miners_not() {
        let protocol = protocol_of(&ground_of(&Setup::new(4, 0))).expect("a model");
        let first = protocol.initial();
        let changed = |change: &dyn Fn(&mut State)| {
            let mut state = first;
            change(&mut state);
            digest(&protocol, &state)
        };
        let timed_out = |miner: usize| changed(&|state| state.miners[miner].set_timed_out(1));
        assert_eq!(timed_out(0), timed_out(3));
        let ticket = |miner: usize| changed(&|state| state.archive[miner].tickets[0] = 1);
        assert_eq!(ticket(1), ticket(2));
        let block = protocol.blocks.all().next().expect("a block");
        let all = [
            digest(&protocol, &first),
            timed_out(0),
            ticket(0),
            changed(&|state| state.archive[0].votes[0] = 1),
            changed(&|state| state.archive[0].timeouts[0] = 1),
            changed(&|state| state.miners[0].set_subround(1)),
            changed(&|state| state.block_mut(block).set_notarized(1)),
        ];
        for (index, digest) in all.iter().enumerate() {
            assert!(!all[..index].contains(digest), "number {index} is told like an earlier one");
        }
    }
}

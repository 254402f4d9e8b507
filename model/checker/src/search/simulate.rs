//! Random deep runs, for instances beyond exhaustive exploration.
//!
//! Every run has a seed of its own, the first one's plus its number, so that one command makes any of them again, and
//! the result does not depend on the number of threads. A run that gave every enabled action the same chance would
//! hardly ever be late, or early, with anything; so each run first draws an *appetite* for every kind of action, and
//! one miner in a run may be slow altogether. A violation or witness that a sample shows is genuine; a sample without
//! one proves nothing, and is reported as `sampled`.

use super::run::{Run, RunError, named};
use crate::{
    action::Action,
    properties::{Facts, Property},
    protocol::Protocol,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Steps of one run, unless told otherwise. The graph has no cycles, so runs end by themselves.
pub const MOST_STEPS: usize = 10_000;
/// Runs that a thread takes at a time.
const RUNS_AT_ONCE: u64 = 64;
/// How much more likely the favourite kinds of action of a run are.
const APPETITES: [u32; 4] = [1, 4, 16, 64];

/// The size of a sample, and its seed.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The seed of the first run.
    pub seed: u64,
    /// How many runs.
    pub runs: u64,
    /// Steps of a run at most.
    pub steps: usize,
}

/// The result of a sample.
#[derive(Debug, Default)]
pub struct Sampled {
    /// States visited, with repetitions.
    pub states: u64,
    /// Steps of the longest run.
    pub longest: usize,
    /// Each fact found, with the seed of the shortest run to it, and the run up to there.
    pub found: BTreeMap<Property, (u64, Vec<Action>)>,
}

impl Sampled {
    fn join(mut self, other: Sampled) -> Sampled {
        self.states += other.states;
        self.longest = self.longest.max(other.longest);
        for (property, (seed, run)) in other.found {
            let found = self.found.entry(property).or_insert_with(|| (seed, run.clone()));
            if (run.len(), seed) < (found.1.len(), found.0) {
                *found = (seed, run);
            }
        }
        self
    }
}

/// Samples runs of `protocol`, and looks for `asked`. `progress` is told how many runs and states more there are.
pub fn simulate(
    protocol: &Protocol,
    asked: Facts,
    sample: Sample,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Sampled {
    let named = named(protocol);
    (0..sample.runs.div_ceil(RUNS_AT_ONCE))
        .into_par_iter()
        .map(|batch| {
            let numbers = batch * RUNS_AT_ONCE..sample.runs.min((batch + 1) * RUNS_AT_ONCE);
            let runs = numbers.end - numbers.start;
            let sampled = numbers
                .map(|number| one_run(&named, asked, sample.seed.wrapping_add(number), sample.steps))
                .fold(Sampled::default(), Sampled::join);
            progress(runs, sampled.states);
            sampled
        })
        .reduce(Sampled::default, Sampled::join)
}

fn one_run(protocol: &Protocol, asked: Facts, seed: u64, steps: usize) -> Sampled {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let appetite: [u32; KINDS] = std::array::from_fn(|_| APPETITES[below(&mut random, 4) as usize]);
    // A slow miner, or none.
    let slow = below(&mut random, 2 * protocol.honest() as u32) as u8;
    let mut sampled = Sampled { states: 1, ..Sampled::default() };
    let (mut state, mut run, mut enabled) = (protocol.initial(), Vec::new(), Vec::new());
    let mut sought = asked;
    loop {
        for property in protocol.facts(&state, sought).iter() {
            sampled.found.insert(property, (seed, run.clone()));
            sought = Facts(sought.0 & !property.bit());
        }
        enabled.clear();
        protocol.actions(&state, &mut enabled);
        if enabled.is_empty() || run.len() >= steps || sought == Facts::default() {
            break;
        }
        let weight = |action: &Action| {
            let (kind, miner) = kind(action);
            if miner == Some(slow) { 1 } else { 8 * appetite[kind] }
        };
        let mut draw = below(&mut random, enabled.iter().map(weight).sum());
        let mut chosen = enabled[0];
        for action in &enabled {
            let share = weight(action);
            if draw < share {
                chosen = *action;
                break;
            }
            draw -= share;
        }
        state = protocol.apply(&state, &chosen);
        run.push(chosen);
        sampled.states += 1;
    }
    sampled.longest = run.len();
    sampled
}

/// A number below `bound`, which is not 0; the bias of 2⁻³² per value is of no matter here.
fn below(random: &mut ChaCha8Rng, bound: u32) -> u32 {
    ((u64::from(random.next_u32()) * u64::from(bound)) >> 32) as u32
}

/// Kinds of actions.
const KINDS: usize = 24;

/// The kind of an action, and the honest miner that takes it.
fn kind(action: &Action) -> (usize, Option<u8>) {
    use Action as A;
    match *action {
        A::ShareBeacon { miner } => (0, Some(miner)),
        A::Propose { miner, .. } => (1, Some(miner)),
        A::ByzantinePropose { .. } => (2, None),
        A::Select { miner, .. } => (3, Some(miner)),
        A::Ticket { miner, .. } => (4, Some(miner)),
        A::SendTicket { miner } => (5, Some(miner)),
        A::ByzantineTicket { .. } => (6, None),
        A::Notarize { .. } => (7, None),
        A::Leave { miner, .. } => (8, Some(miner)),
        A::TimeoutThenLeave { miner, .. } => (9, Some(miner)),
        A::VoteWithoutLeaving { miner, .. } => (10, Some(miner)),
        A::LeaveRelabelled { miner, .. } => (11, Some(miner)),
        A::Adopt { miner, .. } => (12, Some(miner)),
        A::BelieveSeed { miner } => (13, Some(miner)),
        A::ByzantineVote { .. } => (14, None),
        A::Timeout { miner } => (15, Some(miner)),
        A::TimeoutTogether { .. } => (16, None),
        A::ByzantineTimeout { .. } => (17, None),
        A::EnterSubround { miner, .. } => (18, Some(miner)),
        A::Finalize { .. } => (19, None),
        A::Crash { miner } => (20, Some(miner)),
        A::Restart { miner } | A::RestartBehind { miner } => (21, Some(miner)),
        A::Synchronize => (22, None),
        A::FormBeacon { .. } => (23, None),
    }
}

/// The run to `property` that a sample found: concluded, and without the steps it can do without.
pub fn shortened(protocol: &Protocol, actions: Vec<Action>, property: Property) -> Result<Run, RunError> {
    let mut run = Run { protocol: named(protocol), actions };
    run.finish(property)?;
    Ok(run)
}

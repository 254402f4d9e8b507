//! Absolute coverage: of the states that the exhaustive check of the model enumerates for a small scenario, the share that the
//! committed corpus, random runs and the exhaustive product reach through production code; and which guards of the model
//! production was never in the way of.
//!
//! **States.** Four miners, one of them a Byzantine generator, one round of two subrounds. The model is enumerated under the
//! reductions that a projection can follow; a state is projected onto what both have (`projected`). What the product reaches
//! is what production can reach at all: where a miner of the model may pick any block that may have arrived, a production
//! miner picks the best one that it holds, and its own as a generator.
//!
//! **Guards.** A guard is a pair of an action and the reason why it may not happen. It is exercised by a run in one of whose
//! states it is the reason. What can be exercised is what random runs of the model itself, in its explicit form, meet in
//! worlds of the same shapes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rapidhash::fast::RapidHasher;
use zus_model::action::{Action, Blocked};
use zus_model::blocks::GENESIS;
use zus_model::protocol::Protocol;
use zus_model::reductions::Reductions;
use zus_model::state::State;

use crate::product::{Pair, Product};
use crate::refinement::protocol_of;
use crate::schedule::{Choice, Random, Run, Schedule, ground_of};
use crate::world::Setup;

/// States of the model, and pairs of the product, after which an enumeration is given up.
const MAX_STATES: usize = 3_000_000;
/// Choices of a random run in the small scenario.
const CHOICES: usize = 64;
/// Runs after which the clock is read.
const BATCH: usize = 64;
/// Steps of a random run of the model itself.
const MODEL_STEPS: usize = 160;
/// A state of each so many is asked for its guards: neighbours differ little.
const GUARDS_EVERY: usize = 4;

/// Guards, and how often each was the reason.
type Guards = BTreeMap<(String, String), u64>;

/// Prints the coverage of the corpus and of random runs that take so many seconds.
///
/// # Errors
/// When the corpus cannot be read.
pub fn coverage(seconds: u64, seed: u64) -> io::Result<bool> {
    let small = states(seconds, seed)?;
    println!();
    guards(seconds / 4, seed);
    Ok(small)
}

/// The small scenario: with these keys the Byzantine miner has rank 0 in (1, 0).
fn scenario() -> Product {
    Product::of_four(1, 2, 3, 1)
}

fn states(seconds: u64, seed: u64) -> io::Result<bool> {
    let product = scenario();
    let reduced = reduced(&product.setup);
    let Some(model) = reachable(&reduced) else {
        println!("more than {MAX_STATES} states of the model");
        return Ok(false);
    };
    println!(
        "| reached through production code by | runs | model states | of {} |\n|---|--:|--:|--:|",
        model.len()
    );
    let row = |name: &str, runs: usize, seen: &HashSet<u64>| {
        let (count, all) = (seen.intersection(&model).count(), model.len());
        println!("| {name} | {runs} | {count} | {:.1} % |", 100.0 * count as f64 / all as f64);
    };
    let mut seen = HashSet::new();
    let mut files = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/conformance");
    for entry in std::fs::read_dir(folder)? {
        let schedule = Schedule::from_file(&std::fs::read(entry?.path())?);
        follow(&product.setup, &reduced, &schedule.choices, &mut seen);
        files += 1;
    }
    row("the committed corpus", files, &seen);

    let (mut random, mut seen, mut runs) = (Random::new(seed), HashSet::new(), 0);
    let start = Instant::now();
    let mut marks = [seconds.div_ceil(10), seconds].into_iter().map(Duration::from_secs).peekable();
    while let Some(mark) = marks.peek().copied() {
        for _ in 0..BATCH {
            let choices: Vec<Choice> = (0..CHOICES).map(|_| random.choice()).collect();
            follow(&product.setup, &reduced, &choices, &mut seen);
        }
        runs += BATCH;
        if start.elapsed() >= mark {
            row(&format!("random runs, {} s", mark.as_secs()), runs, &seen);
            marks.next();
        }
    }
    let Some((pairs, possible)) = projected_product(&product, &reduced) else {
        println!("more than {MAX_STATES} pairs of the product");
        return Ok(false);
    };
    row(&format!("the product, {pairs} pairs"), 1, &possible);
    let outside = seen.union(&possible).filter(|state| !model.contains(*state)).count();
    if outside > 0 {
        println!("OUTSIDE: {outside} projected states of production are none of the model");
    }
    Ok(outside == 0)
}

/// The instance of the model, reduced as far as a projection can follow.
fn reduced(setup: &Setup) -> Protocol {
    let protocol = protocol_of(&ground_of(setup)).expect("the model has room for the small scenario");
    let reductions =
        Reductions { byzantine_available: true, eager: true, symmetry: true, counting: false, lazy: false };
    Protocol { crashes: 0, reductions, ..protocol }
}

/// The projected states of one run in the small scenario.
fn follow(setup: &Setup, reduced: &Protocol, choices: &[Choice], seen: &mut HashSet<u64>) {
    let mut run = Run::new(setup, 0).expect("the model has room for the small scenario");
    let mut steps = 0;
    for choice in choices {
        run.choose(*choice);
        if run.world.crashes > 0 {
            // The enumeration has no crashes.
            return;
        }
        if run.judges.steps != steps {
            steps = run.judges.steps;
            seen.insert(projected(reduced, &run.judges.refinement.state));
        }
    }
}

/// Every pair of the product, and the states onto which they are projected.
fn projected_product(product: &Product, reduced: &Protocol) -> Option<(usize, HashSet<u64>)> {
    let first = product.initial();
    let fingerprint = |pair: &Pair| {
        let mut hasher = RapidHasher::default();
        pair.hash(&mut hasher);
        hasher.finish()
    };
    let (mut pairs, mut states) = (HashSet::from([fingerprint(&first)]), HashSet::new());
    let mut open = vec![first];
    while let Some(pair) = open.pop() {
        states.insert(projected(reduced, &pair.run.judges.refinement.state));
        for offer in product.offers(&pair) {
            let next = product.next(&pair, offer);
            if pairs.insert(fingerprint(&next)) {
                open.push(next);
            }
        }
        if pairs.len() > MAX_STATES {
            return None;
        }
    }
    Some((pairs.len(), states))
}

fn reachable(protocol: &Protocol) -> Option<HashSet<u64>> {
    let first = protocol.initial();
    let mut seen = HashSet::from([whole(&first)]);
    let mut states = HashSet::from([projected(protocol, &first)]);
    let (mut open, mut actions) = (vec![first], Vec::new());
    while let Some(state) = open.pop() {
        actions.clear();
        protocol.actions(&state, &mut actions);
        for action in &actions {
            let next = protocol.normalize(protocol.apply(&state, action));
            if seen.insert(whole(&next)) {
                states.insert(projected(protocol, &next));
                open.push(next);
            }
        }
        if seen.len() > MAX_STATES {
            return None;
        }
    }
    Some(states)
}

fn whole(state: &State) -> u64 {
    let mut hasher = RapidHasher::default();
    state.hash(&mut hasher);
    hasher.finish()
}

/// What both the reduced model and production have: positions, tickets, timeouts and votes, with honest miners
/// interchangeable. What the reductions add or leave out (Byzantine messages, blocks that nobody used, shares) is not in.
fn projected(protocol: &Protocol, state: &State) -> u64 {
    let rounds = usize::from(protocol.blocks.rounds);
    let mut miners: Vec<Vec<u32>> = (0..protocol.honest())
        .map(|index| {
            let (m, sent) = (&state.miners[index], &state.archive[index]);
            let position = [m.round(), m.subround(), m.entry(), m.timed_out()];
            let tickets = sent.tickets[..rounds].iter().map(|&set| set.into());
            let votes = sent.votes[..rounds].iter().map(|&set| set.into());
            let timeouts = sent.timeouts[..rounds].iter().map(|&set| set.into());
            position.into_iter().chain(tickets).chain(votes).chain(timeouts).collect()
        })
        .collect();
    miners.sort_unstable();
    let mut hasher = RapidHasher::default();
    miners.hash(&mut hasher);
    hasher.finish()
}

/// Prints the guards that random runs of production exercise, and those that only runs of the model itself do.
fn guards(seconds: u64, seed: u64) {
    let (mut production, mut model) = (Guards::new(), Guards::new());
    let mut random = Random::new(seed);
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let mut runs = 0;
    while runs == 0 || start.elapsed() < limit {
        let schedule = Schedule::random(&mut random);
        let Ok(mut run) = Run::new(&schedule.header.setup(), schedule.header.swarm()) else { continue };
        for (number, choice) in schedule.choices.iter().enumerate() {
            run.choose(*choice);
            if number.is_multiple_of(GUARDS_EVERY) {
                let refinement = &run.judges.refinement;
                reasons(&refinement.protocol, &refinement.state, &mut production);
            }
        }
        let protocol = &run.judges.refinement.protocol;
        let (mut state, mut actions) = (protocol.initial(), Vec::new());
        for step in 0..MODEL_STEPS {
            actions.clear();
            protocol.actions(&state, &mut actions);
            let Some(action) = actions.get(random.below(actions.len())) else { break };
            protocol.perform(&mut state, action);
            if step.is_multiple_of(GUARDS_EVERY) {
                reasons(protocol, &state, &mut model);
            }
        }
        runs += 1;
    }
    let known: BTreeSet<_> = production.keys().chain(model.keys()).collect();
    println!("{runs} random runs of production, and as many of the model: {} guards met,", known.len());
    println!("{} of them by production. Never by production:", production.len());
    for guard in known.iter().filter(|guard| !production.contains_key(**guard)) {
        println!("- {}: {} ({} times by the model)", guard.0, guard.1, model[*guard]);
    }
}

/// Every action that can be named, and the reason why it may not happen, if there is one.
fn reasons(protocol: &Protocol, state: &State, guards: &mut Guards) {
    let blocks = &protocol.blocks;
    let mut ask = |action: Action| {
        // What does not exist in the instance is not a guard of a state.
        if let Err(guard) = protocol.enabled(state, &action)
            && !matches!(guard, Blocked::NoSuch | Blocked::NotInRules)
        {
            *guards.entry((name(&action), guard.to_string())).or_default() += 1;
        }
    };
    for miner in 0..protocol.honest() as u8 {
        ask(Action::ShareBeacon { miner });
        ask(Action::SendTicket { miner });
        ask(Action::Timeout { miner });
        ask(Action::Crash { miner });
        ask(Action::Restart { miner });
        for subround in 0..blocks.subrounds {
            ask(Action::EnterSubround { miner, subround });
        }
        for block in blocks.all() {
            ask(Action::Propose { miner, block });
            ask(Action::Select { miner, block });
            ask(Action::Leave { miner, block });
            let parent = state.parent(blocks, block).unwrap_or(GENESIS);
            ask(Action::Ticket { miner, block, parent });
        }
    }
    for block in blocks.all() {
        ask(Action::Notarize { block });
        ask(Action::Finalize { observer: 0, block });
    }
}

fn name(action: &Action) -> String {
    let text = format!("{action:?}");
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

//! Absolute coverage: of the states that the exhaustive check of the model enumerates for a small scenario, the share that
//! random runs reach through production code; and the actions and guards of the model that were never exercised.

use std::collections::{BTreeMap, BTreeSet};

use zus_model::action::Action;
use zus_model::protocol::Protocol;
use zus_model::reductions::Reductions;
use zus_model::state::State;

use crate::refinement::protocol_of;
use crate::schedule::{Random, Run, Schedule, ground_of};
use crate::world::{Disk, Setup};

/// States of the model after which its enumeration is given up.
const MAX_STATES: usize = 3_000_000;

/// Prints the coverage of a walk.
pub fn coverage(runs: u64, seed: u64) -> bool {
    let (mut actions, mut guards) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    let mut random = Random::new(seed);
    for _ in 0..runs {
        let schedule = Schedule::random(&mut random);
        let Ok(mut run) = Run::new(&schedule.header.setup(), schedule.header.swarm()) else { continue };
        run.choose_all(&schedule.choices);
        let refinement = &run.judges.refinement;
        for action in &refinement.actions {
            *actions.entry(name(action)).or_default() += 1;
        }
        // A guard is exercised when an action that production has taken before would be stopped by it now.
        for action in &refinement.actions {
            if let Err(guard) = refinement.protocol.enabled(&refinement.state, action) {
                *guards.entry(format!("{guard:?}")).or_default() += 1;
            }
        }
    }
    println!(
        "actions: {actions:#?}\nguards that were false of a past action at the end of a run: {guards:#?}"
    );
    states(runs, seed);
    true
}

fn name(action: &Action) -> String {
    let text = format!("{action:?}");
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// One round of one subround, four miners, the first Byzantine: everything under the reductions that a projection can follow.
fn states(runs: u64, seed: u64) {
    let mut setup = Setup::new(4, 0);
    (setup.rounds, setup.subrounds, setup.sharders) = (1, 2, 0);
    setup.byzantine = vec![0];
    setup.disk = Disk::Slow;
    let Ok(protocol) = protocol_of(&ground_of(&setup)) else { return };
    let reduced = Protocol {
        crashes: 0,
        reductions: Reductions {
            byzantine_available: true,
            eager: true,
            symmetry: true,
            counting: false,
            lazy: false,
        },
        ..protocol
    };
    let Some(all) = reachable(&reduced) else {
        println!("more than {MAX_STATES} states of the model");
        return;
    };
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut random = Random::new(seed);
    for run_number in 0..runs {
        let Ok(mut run) = Run::new(&setup, 0) else { return };
        run.choose_all(&[]);
        for _ in 0..64 {
            run.choose(random.choice());
            let key = key(&reduced, &run.judges.refinement.state);
            if all.contains(&key) {
                seen.insert(key);
            }
        }
        if run_number + 1 == runs / 10 || run_number + 1 == runs {
            println!("after {} runs: {} of {} model states", run_number + 1, seen.len(), all.len());
        }
    }
}

fn reachable(protocol: &Protocol) -> Option<BTreeSet<Vec<u8>>> {
    let first = protocol.initial();
    let mut seen = BTreeSet::from([key(protocol, &first)]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        let mut actions = Vec::new();
        protocol.actions(&state, &mut actions);
        for action in actions {
            let next = protocol.apply(&state, &action);
            if seen.insert(key(protocol, &next)) {
                if seen.len() > MAX_STATES {
                    return None;
                }
                open.push(next);
            }
        }
    }
    Some(seen)
}

/// What both the reduced model and the projection of production have: positions, tickets, timeouts and votes, with honest
/// miners interchangeable. What the reductions add or leave out (Byzantine messages, blocks that nobody used, shares) is not in.
fn key(protocol: &Protocol, state: &State) -> Vec<u8> {
    let mut miners: Vec<[u32; 10]> = (0..protocol.honest())
        .map(|index| {
            let (m, sent) = (&state.miners[index], &state.archive[index]);
            [
                m.round(),
                m.subround(),
                m.entry(),
                m.timed_out(),
                sent.tickets[0].into(),
                sent.tickets[1].into(),
                sent.votes[0].into(),
                sent.votes[1].into(),
                sent.timeouts[0].into(),
                sent.timeouts[1].into(),
            ]
        })
        .collect();
    miners.sort_unstable();
    miners.into_iter().flatten().flat_map(|field| (field as u16).to_le_bytes()).collect()
}

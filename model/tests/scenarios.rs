//! The committed scenarios: all are scenarios, and those of a size that a test can explore are as they expect.

use zus_checker::{
    action::Action,
    blocks::Generator,
    committed,
    scenario::Change,
    search::{
        bfs::Limits,
        check::{Options, Standing, check},
    },
    state::State,
    trace::Trace,
};

/// Larger than [`MOST_STATES`]: `zus check` explores these in continuous integration.
const LARGE: &[&str] = &[
    "beacon_split",
    "common_ancestor_3",
    "deployed_fork",
    "f_plus_one",
    "hardened",
    "hardened_3_rounds",
    "hardened_n7",
    "hardened_n7_deep",
    "hardened_restart",
    "hardened_restart_behind",
    "hardened_restart_live",
    "profile_documented",
    "profile_hardened",
];

/// Unique states that are explored here.
const MOST_STATES: u64 = 200_000;

#[test]
fn every_committed_scenario_is_one() {
    let names: Vec<&str> = committed::names().collect();
    assert!(names.len() >= 30, "{names:?}");
    for name in &names {
        let scenario = committed::scenario(name, &Change::default()).unwrap();
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(committed::name_of(&scenario), *name);
        assert!(!scenario.question.trim().is_empty(), "{name} asks nothing");
    }
    for large in LARGE {
        assert!(names.contains(large), "{large} is no committed scenario");
    }
}

/// Under `Local` the `eager` reduction lets a generator propose that left its subround before it knew the beacon value
/// (`reductions.rs`). No run that is shown needs it: when an honest block is first ticketed, a miner that can have made
/// it is in the subround and knows the value.
fn every_proposer_is_there(name: &str, trace: &Trace, states: &[State]) {
    let protocol = &trace.protocol;
    for (step, state) in trace.steps.iter().zip(states) {
        let Action::Ticket { block, parent, .. } = step.action else { continue };
        let place = protocol.blocks.place(block);
        if place.generator != Generator::Honest || state.block(block).parent() != 0 {
            continue;
        }
        let there = (0..protocol.honest()).filter(|&miner| {
            let m = &state.miners[miner];
            (m.round(), m.subround()) == (place.round.into(), place.subround.into())
                && state.entry(&protocol.blocks, miner) == parent
                && protocol.beacon_known(state, miner)
        });
        let others = protocol.blocks.of_subround(place.round, place.subround).filter(|&other| {
            let o = protocol.blocks.place(other);
            o.generator == Generator::Honest && o.rank != place.rank && state.block(other).parent() != 0
        });
        assert!(there.count() > others.count(), "{name}: nobody can have proposed {block:?} by {step:?}");
    }
}

#[test]
fn every_scenario_of_a_testable_size_is_as_expected() {
    let limits = Limits { states: MOST_STATES, ..Limits::default() };
    let mut wrong = Vec::new();
    for name in committed::names().filter(|name| !LARGE.contains(name)) {
        let scenario = committed::scenario(name, &Change::default()).unwrap().unwrap();
        let checked = check(&scenario, Options { limits, command: "cargo test", progress: &|_| {} });
        if checked.standing() != Standing::AsExpected {
            let each: Vec<String> = checked
                .findings
                .iter()
                .map(|f| format!("{} {} (expected {})", f.property.id(), f.found, f.expected))
                .collect();
            wrong.push(format!("{name}: {} states, {:?}: {each:?}", checked.unique(), checked.main().method));
        }
        // Every run that is shown is a run, and shows what it claims.
        for finding in &checked.findings {
            if let Some(trace) = &finding.trace {
                let replayed = trace
                    .replay()
                    .unwrap_or_else(|error| panic!("{name}, {}: {error}", finding.property.id()));
                every_proposer_is_there(name, trace, &replayed.states);
                // Its last sentence says which blocks or miners show it, not just what the property says.
                let because = &trace.claim.as_ref().unwrap().because;
                assert!(!because.ends_with(finding.property.text()), "{name}: {because}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

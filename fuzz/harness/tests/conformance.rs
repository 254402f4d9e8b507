//! Random walks over production code with the model as the oracle, and what they must reach for that to mean anything.

use std::collections::BTreeSet;

use zus_checker::properties::{Facts, Property};
use zus_checker::trace::Trace;
use zus_fuzz::campaign::run;
use zus_fuzz::refinement::Names;
use zus_fuzz::schedule::{Random, Run, Schedule};
use zus_fuzz::world::Adjust;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// `RUNS=100000 SEED=7 cargo test -p zus-fuzz --test all conformance` walks further.
#[test]
fn random_runs_of_the_production_code_are_runs_of_the_model() {
    let first = number("SEED", 0);
    for seed in first..first + number("RUNS", 2_000) {
        let schedule = Schedule::random(&mut Random::new(seed));
        let run = run(&schedule, Adjust::NONE);
        assert!(run.failure().is_none(), "SEED={seed} RUNS=1: {schedule:?}");
        if seed.is_multiple_of(8) {
            let ends = run.ends_well();
            assert!(ends.is_ok(), "SEED={seed} RUNS=1: {ends:?}\n{schedule:?}");
        }
    }
}

/// Without this the walk above could be vacuous: it must take every action that the hardened profile has in its explicit
/// form, and reach every witness of PROTOCOL.md.
#[test]
fn random_runs_take_every_action_and_reach_every_witness() {
    let (mut actions, mut witnesses) = (BTreeSet::new(), Facts::default());
    let mut finalized = 0;
    // W10 is about exposed members, and no world here has any.
    let reachable = |property: &Property| property.is_witness() && *property != Property::W10;
    let asked: Facts = Property::ALL.iter().copied().filter(reachable).collect();
    for seed in 0..1_500 {
        let schedule = Schedule::random(&mut Random::new(seed));
        let mut run =
            Run::new(&schedule.header.setup(), schedule.header.swarm()).expect("the model has room");
        for choice in &schedule.choices {
            run.choose(*choice);
            let refinement = &run.judges.refinement;
            witnesses.0 |= refinement.protocol.facts(&refinement.state, asked).0;
        }
        for action in &run.judges.refinement.actions {
            actions.insert(format!("{action:?}").split_whitespace().next().unwrap_or_default().to_owned());
        }
        finalized =
            finalized.max(run.world.hosts.iter().map(|host| host.disk.history.len()).max().unwrap_or(0));
    }
    let expected = [
        "ByzantinePropose",
        "ByzantineTicket",
        "ByzantineTimeout",
        "ByzantineVote",
        "Crash",
        "EnterSubround",
        "Leave",
        "Notarize",
        "Propose",
        "Restart",
        "Select",
        "SendTicket",
        "ShareBeacon",
        "Ticket",
        "Timeout",
    ];
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    assert_eq!(actions, expected);
    let missing: Vec<&str> = asked.iter().filter(|w| !witnesses.has(*w)).map(Property::id).collect();
    assert_eq!(missing, [""; 0], "witnesses that no run reaches");
    assert!(finalized >= 3, "the highest finalized round of any run is {finalized}");
}

#[test]
fn the_trace_of_a_run_replays_in_the_model() {
    for seed in 0..50 {
        let run = run(&Schedule::random(&mut Random::new(seed)), Adjust::NONE);
        let trace = run
            .judges
            .refinement
            .trace("cargo test -p zus-fuzz", None, &Names::of(&run.world))
            .expect("the actions are a run");
        let again = Trace::from_json("run.json", &trace.to_json()).expect("a trace is read back");
        let states = again.replay().expect("it replays").states;
        assert_eq!(states.last(), Some(&run.judges.refinement.state));
    }
}

#[test]
fn any_bytes_are_a_run_and_an_explicit_file_is_the_same_run() {
    for bytes in [&b""[..], b"a", b"any bytes at all, and then some more of them to make choices from"] {
        let schedule = Schedule::from_bytes(bytes);
        assert_eq!(schedule.choices.len(), schedule.header.steps());
        assert!(Schedule::from_file(&schedule.explicit()) == schedule);
    }
}

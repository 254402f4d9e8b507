//! Stateright's own searches over the same model see exactly the states that ours sees, and the same violations.

use stateright::{Checker, Model};
use std::collections::BTreeSet;
use zus_checker::{
    committed,
    properties::Facts,
    protocol::Reductions,
    scenario::{Change, Scenario},
    search::{
        bfs::{End, Limits, explore},
        stateright::Packed,
    },
};

fn scenario(name: &str) -> Scenario {
    committed::scenario(name, &Change::default()).unwrap().unwrap()
}

fn asked(scenario: &Scenario) -> Facts {
    scenario.expect.iter().map(|e| e.property).collect()
}

/// Unique states, and the properties that some state shows.
type Seen = (u64, BTreeSet<String>);

fn ours(scenario: &Scenario, asked: Facts) -> Seen {
    let e = explore(&scenario.protocol, asked, None, Limits::default(), &|_| {}, &|_| {});
    assert_eq!(e.end, End::Exhausted);
    (e.unique, e.found.keys().map(|p| p.id().to_owned()).collect())
}

fn theirs<M: Model>(checker: impl Checker<M>) -> Seen
where
    M::State: Clone + PartialEq,
    M::Action: Clone + PartialEq,
{
    let checker = checker.join();
    let found = checker.discoveries().into_keys().map(str::to_owned).collect();
    (checker.unique_state_count() as u64, found)
}

/// Each has a property that no state shows, so that no search ends early.
const SCENARIOS: &[&str] = &[
    "catalogue_far_ahead",
    "catalogue_no_such_block",
    "catalogue_different_blocks",
    "catalogue_silent_generator",
    "two_subrounds",
    "hardened_loss",
    "hardened_live",
    "hardened_sharders",
];

#[test]
fn stateright_sees_the_same_states_and_violations() {
    for name in SCENARIOS {
        let scenario = scenario(name);
        let asked = asked(&scenario);
        let ours = ours(&scenario, asked);
        let packed = Packed::new(scenario.protocol.clone(), asked);
        assert_eq!(theirs(packed.clone().checker().spawn_bfs()), ours, "{name}, breadth first");
        assert_eq!(theirs(packed.clone().checker().spawn_dfs()), ours, "{name}, depth first");
        assert_eq!(theirs(packed.checker().threads(2).spawn_bfs()), ours, "{name}, two threads");
    }
}

#[test]
fn the_protocol_itself_is_a_model_and_is_asked_everything() {
    let mut scenario = scenario("two_subrounds");
    for reductions in [Reductions::ALL, Reductions { lazy: false, symmetry: false, ..Reductions::ALL }] {
        scenario.protocol.reductions = reductions;
        let everything = zus_checker::properties::Property::ALL.iter().copied().collect();
        let ours = ours(&scenario, everything);
        let protocol = scenario.protocol.clone();
        assert_eq!(theirs(protocol.clone().checker().spawn_bfs()), ours);
        assert_eq!(theirs(protocol.checker().spawn_dfs()), ours);
    }
}

#[test]
fn a_violation_is_found_by_both() {
    // With one property that holds beside it, so that the searches go to the end.
    let mut broken = scenario("late_better_rank");
    let asked: Facts =
        [zus_checker::properties::Property::S2, zus_checker::properties::Property::S8].into_iter().collect();
    broken.states = None;
    let ours = ours(&broken, asked);
    assert_eq!(ours.1, BTreeSet::from(["S2".to_owned()]));
    let packed = Packed::new(broken.protocol.clone(), asked);
    assert_eq!(theirs(packed.clone().checker().spawn_bfs()), ours);
    assert_eq!(theirs(packed.checker().spawn_dfs()), ours);
}

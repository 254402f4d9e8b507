//! Stateright's own searches over the same model see exactly the states that ours sees, and the same violations.

use stateright::{Checker, Model};
use std::collections::BTreeSet;
use zus_model::{
    checker::{
        bfs::{End, Limits, explore},
        stateright::{Packed, Readable},
    },
    committed,
    properties::Facts,
    reductions::Reductions,
    scenario::{Overrides, Scenario},
};

fn scenario(name: &str) -> Scenario {
    committed::scenario(name, &Overrides::default()).unwrap().unwrap()
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
        let everything = zus_model::properties::Property::ALL.iter().copied().collect();
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
        [zus_model::properties::Property::S2, zus_model::properties::Property::S8].into_iter().collect();
    broken.states = None;
    let ours = ours(&broken, asked);
    assert_eq!(ours.1, BTreeSet::from(["S2".to_owned()]));
    let packed = Packed::new(broken.protocol.clone(), asked);
    assert_eq!(theirs(packed.clone().checker().spawn_bfs()), ours);
    assert_eq!(theirs(packed.checker().spawn_dfs()), ours);
}

#[test]
fn the_explorer_shows_states_and_steps_in_words() {
    let scenario = scenario("late_better_rank");
    let model = Readable::new(&scenario.protocol, asked(&scenario));
    let initial = model.init_states().remove(0);
    let mut actions = Vec::new();
    model.actions(&initial, &mut actions);
    assert_eq!(model.format_action(&actions[0]), "miner 0: ticket B(1,0)#0");
    assert_eq!(
        model.format_step(&initial, actions[0].clone()).as_deref(),
        Some("miner 0 tickets B(1,0)#0 of the honest generator of rank 0, which extends genesis")
    );
    let state = model.next_state(&initial, actions[0].clone()).unwrap();
    let shown = format!("{state:#?}");
    assert_eq!(
        shown,
        "miner 0: (1, 0), ticketed B(1,0)#0\nminer 1: (1, 0)\nminer 2: (1, 0)\nminer 3: (1, 0)\n\
         B(1,0)#0: on genesis, tickets 1 of 3, votes 0 of 3"
    );
}

//! The specification and the model are one protocol: on all states of tiny universes, and on deep random runs.

use crate::universes::{Instance, honest};
use std::collections::BTreeSet;
use zus_checker::{
    Fault,
    blocks::Generator::{Byzantine, Honest},
    protocol::Reductions,
    rules::{Rules, TicketRule},
};
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::{Bound, Exploration, Placement, Tie, explore, rules_of, walk},
};

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

/// All states with all placements; panics with the run if the two part.
fn all(instance: &Instance) -> Exploration {
    let protocol = instance.protocol();
    let spec = spec(&rules_of(&protocol.rules, protocol.fault));
    let tie = Tie::new(&spec, &protocol).unwrap();
    let mut visited = Exploration { exhausted: true, ..Exploration::default() };
    for placement in Placement::all(&protocol).unwrap() {
        visited.add(
            explore(&tie, &placement, 100_000).unwrap_or_else(|failure| panic!("{placement:?}\n{failure}")),
        );
    }
    assert!(visited.exhausted);
    visited
}

fn runs(rules: &str, instance: &Instance, seeds: std::ops::Range<u64>, steps: usize) -> Exploration {
    let protocol = instance.protocol();
    let spec = spec(rules);
    let tie = Tie::new(&spec, &protocol).unwrap();
    let mut visited = Exploration::default();
    for seed in seeds {
        visited.add(walk(&tie, seed, steps).unwrap_or_else(|failure| panic!("seed {seed}\n{failure}")));
    }
    visited
}

#[test]
fn every_state_of_tiny_universes_has_its_image_and_back() {
    let universes = [
        ("one miner", honest(1, 2, 2, &[Honest]), 1304),
        ("two miners, two subrounds", honest(2, 1, 2, &[Honest]), 424),
        ("two miners, two rounds", honest(2, 2, 1, &[Honest]), 108),
        ("one miner that crashes", Instance { crashes: 1, ..honest(1, 2, 2, &[Honest]) }, 7404),
        (
            "one that comes back behind",
            Instance { crashes: 1, behind: true, ..honest(1, 2, 2, &[Honest]) },
            19308,
        ),
        ("a Byzantine twin among four", Instance { byzantine: 1, ..honest(4, 1, 1, &[Byzantine]) }, 1740),
    ];
    let mut whole = Exploration::default();
    for (name, instance, states) in universes {
        let visited = all(&instance);
        assert_eq!(visited.states, states, "{name}");
        whole.add(visited);
    }
    // Not vacuous: every action of the specification has been executed.
    let executed: BTreeSet<_> = whole.executed.keys().map(String::as_str).collect();
    let declared = spec("hardened");
    let declared: BTreeSet<_> = declared.actions.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(executed, declared);
}

#[test]
fn other_rules_are_tied_too() {
    let values = TicketRule::ALL.iter().map(|&ticket| (ticket, None));
    for (ticket, fault) in values.chain([(TicketRule::OncePerSubround, Some(Fault::ProposalsVolatile))]) {
        let rules = Rules { ticket, ..Rules::HARDENED };
        let instance = Instance { rules, fault, ..honest(2, 1, 1, &[Honest, Honest]) };
        let protocol = instance.protocol();
        let spec = spec(&rules_of(&rules, fault));
        let tie = Tie::new(&spec, &protocol).unwrap();
        // Without `OncePerSubround` and `Durable` properties fail, and should; the steps must agree all the same.
        for placement in Placement::all(&protocol).unwrap() {
            if let Err(failure) = explore(&tie, &placement, 2_000) {
                assert!(matches!(failure.drift, zus_proofs::tie::Drift::Broken(_)), "{failure}");
            }
        }
    }
}

#[test]
fn deep_runs_of_four_and_seven_miners_agree() {
    let four = Instance { byzantine: 1, crashes: 2, ..honest(4, 3, 3, &[Honest, Byzantine]) };
    let visited = runs("hardened", &four, 0..12, 400);
    assert!(visited.steps > 500, "{visited:?}");
    let behind = Instance { behind: true, outsider: true, ..honest(4, 2, 2, &[Honest, Honest]) };
    let behind = Instance { byzantine: 1, crashes: 2, twins: 1, ..behind };
    runs("hardened", &behind, 100..112, 400);
    let explicit = Instance { reductions: Reductions::NONE, ..four.clone() };
    let visited = runs("hardened", &explicit, 200..206, 400);
    let bounds = [Bound::Universe, Bound::WrongShare, Bound::Unproposed, Bound::Restart];
    assert_eq!(visited.bounds.keys().copied().collect::<Vec<_>>(), bounds);
    let seven = Instance { byzantine: 2, crashes: 1, observers: 2, ..honest(7, 2, 2, &[Honest, Byzantine]) };
    runs("hardened", &seven, 300..304, 400);
}

#[test]
fn runs_with_more_byzantine_miners_keep_what_holds_of_any_number() {
    let instance = Instance { byzantine: 2, ..honest(4, 2, 2, &[Byzantine, Honest]) };
    runs("accountable", &instance, 0..8, 300);
}

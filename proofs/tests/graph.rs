//! The whole graphs of both specifications are the same on tiny worlds, and a change of either is seen.

use zus_checker::Fault;
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::graph::{Difference, GraphError, Rest, World, at_rest, compare, spec_of, timed, worlds},
};

/// States of a world that the tests of every build visit; `zus-proofs graph` and the gate visit all.
const FEW: u64 = 1100;

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

fn world(name: &str) -> World {
    worlds().into_iter().find(|world| world.name == name).unwrap()
}

fn named_timed(name: &str) -> World {
    timed().into_iter().find(|world| world.name == name).unwrap()
}

fn differ<T: std::fmt::Debug>(found: Result<T, GraphError>) -> Box<Difference> {
    match found {
        Err(GraphError::Differ(difference)) => difference,
        other => panic!("no difference: {other:?}"),
    }
}

#[test]
fn whole_graphs_of_tiny_worlds_are_the_same() {
    let small: Vec<_> = worlds().into_iter().filter(|world| world.counts.0 <= FEW).collect();
    assert!(small.len() >= 6 && small.iter().any(|world| world.members.1 > 0));
    for world in small {
        let spec = spec_of(&Sources::embedded(), &world).unwrap();
        let found = compare(&spec, &world, 2).unwrap_or_else(|error| panic!("{}: {error}", world.name));
        assert_eq!((found.states, found.edges), world.counts, "{}", world.name);
    }
    // A peer publishes 105,558 states and 552,282 edges of such a comparison.
    let sum =
        |count: fn(&World) -> u64| worlds().iter().filter(|world| !world.every_order).map(count).sum::<u64>();
    assert!(sum(|world| world.counts.0) > 105_558 && sum(|world| world.counts.1) > 552_282);
}

#[test]
fn the_good_period_ends_where_no_obligation_is_open() {
    let spec = spec("synchronous");
    for world in timed().into_iter().filter(|world| world.counts.0 <= FEW) {
        let found = at_rest(&spec, &world, 2).unwrap_or_else(|error| panic!("{}: {error}", world.name));
        assert_eq!(found, Rest { states: world.counts.0, resting: world.counts.1 }, "{}", world.name);
    }
}

/// A mistake in the model, or a guard less: a difference names a state, a step and the graph that has the step.
#[test]
fn a_change_of_either_specification_is_a_difference() {
    let two = world("two miners, two subrounds");
    let mistakes = [
        (Fault::WithoutCertificate, "the model", "enters subround 1"),
        (Fault::NotRecorded, "the specification", "is notarized"),
        (Fault::VotesWithoutLeaving, "the model", " and stays"),
    ];
    let hardened = spec("hardened");
    for (fault, owner, step) in mistakes {
        let found = differ(compare(&hardened, &World { fault: Some(fault), ..two.clone() }, 2));
        let owned = found.what.starts_with(&format!("{owner} has a step that "));
        assert!(owned && found.what.contains(step), "{fault:?}: {found}");
        assert!(found.state.iter().any(|fact| fact.starts_with("miner 0 is in ")), "{found}");
    }
    let guards = [
        ("guard:leave_voting/ticketed-no-other", "leaves its round through"),
        ("guard:log_ticket/one-per-subround", "logs its ticket for"),
        ("guard:log_ticket/not-timed-out", "logs its ticket for"),
        ("guard:timeout/not-voted", "times out"),
        ("guard:enter_subround/certificate", "enters subround 1"),
        ("guard:notarize/quorum-of-tickets", "is notarized"),
        ("guard:finalize/certificate", "finalizes"),
    ];
    for (item, expected) in guards {
        let world = match item {
            "guard:timeout/not-voted" => world("one miner that restarts"),
            "guard:log_ticket/one-per-subround" => world("two miners, two ranks"),
            _ => two.clone(),
        };
        let found = differ(compare(&hardened.without(item).unwrap(), &world, 2));
        let what = found.what.starts_with("the specification has a step that the model has not: ");
        assert!(what && found.what.contains(expected), "{item}: {found}");
    }
}

/// An obligation less, or one more that the model does not know.
#[test]
fn a_deleted_obligation_is_a_difference_at_rest() {
    let whole = spec("synchronous");
    let (led, four) = (named_timed("two miners, a leader"), named_timed("two miners, idle"));
    let items = [
        ("share-beacon", &led),
        ("propose", &led),
        ("log", &led),
        ("send", &led),
        ("notarize", &led),
        ("time-out", &four),
        ("next-subround", &four),
    ];
    for (obligation, world) in items {
        let without = whole.without(&format!("guard:tick/{obligation}")).unwrap();
        let found = differ(at_rest(&without, world, 2));
        assert_eq!(found.what, "by the clock nothing is open, and the model is not at rest", "{obligation}");
    }
}

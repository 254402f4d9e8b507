//! The whole graphs of both specifications are the same on tiny universes, and a change of either is seen.

use zus_checker::Fault;
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::graph::{Difference, GraphError, Rest, Universe, at_rest, compare, spec_of, timed, universes},
};

/// States of a universe that the tests of every build visit; `zus-proofs graph` and the gate visit all.
const FEW: u64 = 1100;

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

fn universe(name: &str) -> Universe {
    universes().into_iter().find(|universe| universe.name == name).unwrap()
}

fn named_timed(name: &str) -> Universe {
    timed().into_iter().find(|universe| universe.name == name).unwrap()
}

fn differ<T: std::fmt::Debug>(found: Result<T, GraphError>) -> Box<Difference> {
    match found {
        Err(GraphError::Differ(difference)) => difference,
        other => panic!("no difference: {other:?}"),
    }
}

#[test]
fn whole_graphs_of_tiny_universes_are_the_same() {
    let small: Vec<_> = universes().into_iter().filter(|universe| universe.counts.0 <= FEW).collect();
    assert!(small.len() >= 6 && small.iter().any(|universe| universe.members.1 > 0));
    for universe in small {
        let spec = spec_of(&Sources::embedded(), &universe).unwrap();
        let found = compare(&spec, &universe, 2).unwrap_or_else(|error| panic!("{}: {error}", universe.name));
        assert_eq!((found.states, found.edges), universe.counts, "{}", universe.name);
    }
    // A peer publishes 105,558 states and 552,282 edges of such a comparison.
    let sum = |count: fn(&Universe) -> u64| {
        universes().iter().filter(|universe| !universe.every_order).map(count).sum::<u64>()
    };
    assert!(sum(|universe| universe.counts.0) > 105_558 && sum(|universe| universe.counts.1) > 552_282);
}

#[test]
fn the_good_period_ends_where_no_obligation_is_open() {
    let spec = spec("synchronous");
    for universe in timed().into_iter().filter(|universe| universe.counts.0 <= FEW) {
        let found = at_rest(&spec, &universe, 2).unwrap_or_else(|error| panic!("{}: {error}", universe.name));
        assert_eq!(
            found,
            Rest { states: universe.counts.0, resting: universe.counts.1 },
            "{}",
            universe.name
        );
    }
}

/// A mistake in the model, or a guard less: a difference names a state, a step and the graph that has the step.
#[test]
fn a_change_of_either_specification_is_a_difference() {
    let two = universe("two miners, two subrounds");
    let mistakes = [
        (Fault::WithoutCertificate, "the model", "enters subround 1"),
        (Fault::NotRecorded, "the specification", "is notarized"),
        (Fault::VotesWithoutLeaving, "the model", " and stays"),
    ];
    let hardened = spec("hardened");
    for (fault, owner, step) in mistakes {
        let found = differ(compare(&hardened, &Universe { fault: Some(fault), ..two.clone() }, 2));
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
        let universe = match item {
            "guard:timeout/not-voted" => universe("one miner that restarts"),
            "guard:log_ticket/one-per-subround" => universe("two miners, two ranks"),
            _ => two.clone(),
        };
        let found = differ(compare(&hardened.without(item).unwrap(), &universe, 2));
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
    for (obligation, universe) in items {
        let without = whole.without(&format!("guard:tick/{obligation}")).unwrap();
        let found = differ(at_rest(&without, universe, 2));
        assert_eq!(found.what, "by the clock nothing is open, and the model is not at rest", "{obligation}");
    }
}

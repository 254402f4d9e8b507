//! The reductions of a search lose nothing: compared with the plain form on smaller instances.

use super::explore;
use stateright::Model;
use std::collections::{BTreeSet, HashSet};
use zus_epochs::handoff::{
    EpochProperty, EpochRules, Exploration, Instance, State, States, Tickets, scenarios as s,
};
use zus_protocol::ids::Subround;

/// All states that a search sees.
fn states(exploration: &Exploration) -> HashSet<State> {
    let mut seen: HashSet<State> = exploration.init_states().into_iter().collect();
    let mut waiting: Vec<State> = seen.iter().cloned().collect();
    while let Some(state) = waiting.pop() {
        let mut actions = Vec::new();
        exploration.actions(&state, &mut actions);
        for action in actions {
            let next = exploration.next_state(&state, action).expect("a step has a next state");
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    seen
}

/// Each named state has its sorted one, and each sorted one comes from a named state.
#[test]
fn sorted_states_are_the_named_ones_up_to_names() {
    let sorted = Exploration::new(s::same_committee(s::chain()));
    let named = Exploration { states: States::Named, ..sorted.clone() };
    let (few, many) = (states(&sorted), states(&named));
    let sort = |mut state: State| {
        state.nodes.sort_unstable();
        state
    };
    assert!(many.len() > 2 * few.len(), "{} and {}", many.len(), few.len());
    assert_eq!(many.into_iter().map(sort).collect::<HashSet<_>>(), few);
}

/// Timeout certificates only narrow the runs: without its timeouts, each state of such an instance is one in which subrounds are entered at
/// will. The member of the next committee does get into the second subround.
#[test]
fn states_with_timeouts_are_states_without_them() {
    let at_will = Exploration { tickets: Tickets::Needed, ..Exploration::new(s::four_to_one(s::second())) };
    let instance = s::with_timeouts(at_will.instance.clone());
    let narrowed = Exploration { instance, ..at_will.clone() };
    let (all, mut moved) = (states(&at_will), BTreeSet::new());
    for mut state in states(&narrowed) {
        for node in &mut state.nodes {
            if node.subround > Subround(0) {
                moved.insert(node.epoch().0);
            }
            (node.subround, node.timeouts) = (Subround(0), BTreeSet::new());
        }
        state.nodes[..3].sort_unstable();
        assert!(all.contains(&state), "{state:?}");
    }
    assert_eq!(moved, BTreeSet::from([1]));
}

/// Under each rule whose nodes count tickets of their own epoch only, safety is the same without needless tickets.
#[test]
fn needless_tickets_break_nothing_more() {
    use EpochProperty::{E1, E2, E3, WE1, WE2, WE4};
    let asked = vec![E1, E2, E3, WE1, WE2, WE4];
    let of_other_epochs =
        ["epoch_binding = ByRound", "missing_committee = Latest", "missing_committee = NearestLower"];
    let mut compared = BTreeSet::new();
    for (name, rules) in EpochRules::HARDENED.changes() {
        if of_other_epochs.contains(&&*name) {
            continue;
        }
        for instance in [s::four_to_one(s::second()), s::byzantine_exchanged(s::second())] {
            let with = |tickets| {
                let all = Exploration::new(Instance { rules, ..instance.clone() });
                explore(Exploration { tickets, asked: asked.clone(), ..all })
            };
            let ((more, _, a), (fewer, _, b)) = (with(Tickets::All), with(Tickets::Needed));
            assert_eq!(a, b, "{name}");
            assert!(fewer < more, "{name}: {fewer} and {more}");
            compared.extend(a);
        }
    }
    assert!(compared.contains(&E1) && compared.contains(&E3), "{compared:?}");
}

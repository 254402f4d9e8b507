//! The searches up to names say the same as plain ones, and no search ends where something was still to come.

use super::instances::{crash, explored, fork, fork_of_dealings, honest, two_attempts};
use std::collections::{BTreeSet, HashSet};
use zus_epochs::key_generation::{
    Action, Exploration, Fault, Instance, KeyRules, Property, State, rules::ReceiptRule, transcript::Phase,
};

/// Every state of a search.
fn states(exploration: &Exploration) -> HashSet<State> {
    let first = exploration.kept(exploration.instance.initial());
    let (mut all, mut open) = (HashSet::from([first]), vec![first]);
    while let Some(state) = open.pop() {
        for step in exploration.steps(&state) {
            let mut next = state;
            exploration.instance.apply(&mut next, &step);
            let next = exploration.kept(next);
            if all.insert(next) {
                open.push(next);
            }
        }
    }
    all
}

fn shown(instance: &Instance, states: &HashSet<State>) -> BTreeSet<Property> {
    let some = |property: &Property| states.iter().any(|state| instance.shows(state, *property));
    Property::ALL.iter().copied().filter(some).collect()
}

/// Instances small enough for a plain search: with a crash, with a fork, and with a fault.
fn small() -> Vec<Instance> {
    let rules = KeyRules::HARDENED;
    let all_prompt = |instance: Instance| Instance { prompt: honest(), ..instance };
    let forgets = Some(Fault::SettlesAfterRestart);
    vec![
        all_prompt(crash(rules)),
        all_prompt(fork(rules)),
        Instance { synchronous_from: Some(0), ..all_prompt(crash(rules)) },
        Instance { fault: forgets, dealings: Vec::new(), ..crash(rules) },
    ]
}

#[test]
fn a_search_up_to_names_has_one_state_of_each_orbit_and_the_same_verdicts() {
    for (at, instance) in small().into_iter().enumerate() {
        let reduced = Exploration::up_to_names(instance.clone());
        let (few, all) = (states(&reduced), states(&Exploration::plain(instance.clone())));
        let kept: HashSet<State> = all.iter().map(|state| reduced.kept(*state)).collect();
        assert!(all.len() > few.len(), "instance {at}: {} and {}", all.len(), few.len());
        assert!(kept == few, "instance {at}: {} orbits, {} states", kept.len(), few.len());
        assert_eq!(shown(&instance, &all), shown(&instance, &few), "instance {at}");
    }
}

/// The control: names that a state does not forget would be seen.
#[test]
fn orbits_are_larger_than_one() {
    let reduced = Exploration::up_to_names(two_attempts(KeyRules::HARDENED));
    let mut state = reduced.instance.initial();
    let mut other = state;
    let dealing = |dealer| Action::Deal { on: zus_epochs::key_generation::Branch::Final, dealer };
    let mut honest = reduced.instance.honest().iter();
    let (a, b) = (honest.next().unwrap(), honest.next().unwrap());
    reduced.instance.apply(&mut state, &dealing(a));
    reduced.instance.apply(&mut other, &dealing(b));
    assert_ne!(state, other);
    assert_eq!(reduced.kept(state), reduced.kept(other));
}

/// A run in which messages arrive ends with a complete record, never in the middle of an attempt.
#[test]
fn an_attempt_in_time_ends_with_a_record() {
    let instance = Instance { synchronous_from: Some(0), ..Instance::new(KeyRules::HARDENED) };
    let exploration = Exploration::up_to_names(instance.clone());
    let ends: Vec<State> =
        states(&exploration).into_iter().filter(|state| exploration.steps(state).is_empty()).collect();
    assert!(!ends.is_empty());
    for state in &ends {
        assert_eq!(state.chain.phase, Phase::Complete, "{state:?}");
        assert!(instance.honest().iter().all(|member| state.member(member).erased), "{state:?}");
    }
    // The control: where one refused receipt stops a dealer, runs end without a record.
    let stopped = Exploration::up_to_names(Instance { fault: Some(Fault::RefusalStops), ..instance });
    assert!(states(&stopped).iter().any(|state| state.chain.phase == Phase::Failed));
}

/// Two walls stand in front of the same properties: members act on the final chain only, and what they sign names the dealing, the
/// record, the attempt. While they act on the final chain, a receipt without the digest of the dealing, a ready statement without
/// that of the record, and a settlement for each chain break nothing; `verdicts` has what they break without that wall.
#[test]
fn on_the_final_chain_digests_are_a_second_wall() {
    let receipt = ReceiptRule::EpochAttemptDealerRecipient;
    let unbound = KeyRules { receipt, ..KeyRules::HARDENED };
    let with = |fault, instance: Instance| Instance { fault: Some(fault), ..instance };
    let rules = KeyRules::HARDENED;
    let instances = [
        two_attempts(unbound),
        fork_of_dealings(unbound),
        with(Fault::ReadyForAnything, two_attempts(rules)),
        with(Fault::ReadyForAnything, fork_of_dealings(rules)),
        with(Fault::SettlesOnEachChain, fork(rules)),
    ];
    for (at, instance) in instances.into_iter().enumerate() {
        let (_, shown) = explored(instance);
        let broken: Vec<&Property> = shown.iter().filter(|property| !property.is_witness()).collect();
        assert!(broken.is_empty(), "instance {at}: {broken:?}");
        assert!(shown.contains(&Property::Completes), "instance {at}");
    }
}

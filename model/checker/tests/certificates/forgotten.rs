//! States without their past are those with their past, and what is forgotten does not matter (Lemmas 4 and 5).

use super::{answered, compared, searched, small::instance};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use zus_checker::{
    blocks::Generator::{Byzantine, Honest},
    certificates::{
        Reach,
        kept::{Kept, Past},
        rounds::{Rounds, State},
        search::{Certificates, explore},
    },
    fault::Fault,
    properties::Property,
    protocol::Protocol,
    rules::{FinalityRule, Rules, TicketRule},
    search::bfs::{End, Limits},
};

/// The facts of a search, and each with its distance, and its states.
fn explored<C: Certificates>(of: &C, visit: &mut dyn FnMut(&C::State)) -> BTreeMap<Property, usize> {
    let explored = explore(of, answered(), None, Limits::default(), &|_| {}, visit);
    assert_eq!(explored.end, End::Exhausted);
    explored.found.into_iter().map(|(property, path)| (property, path.len() - 1)).collect()
}

fn facts(protocol: &Protocol, reach: Reach) -> BTreeSet<Property> {
    explored(&Rounds { protocol, reach }, &mut |_| {}).into_keys().collect()
}

#[test]
fn a_state_without_its_past_is_one_with_its_past() {
    let (mut instances, mut with, mut without) = (0, 0, 0);
    for (name, protocol) in compared::small().into_iter().chain(compared::larger()) {
        let protocol = searched(&protocol);
        if protocol.no_certificates_within(Reach::Bounded).is_some() {
            continue;
        }
        instances += 1;
        let past = Past { protocol: &protocol };
        let bounded = Rounds { protocol: &protocol, reach: Reach::Bounded };
        let any = Rounds { protocol: &protocol, reach: Reach::Any { idle: 2 } };
        let alike = protocol.no_certificates_within(any.reach).is_none();
        let (mut forgotten, mut beyond) = (HashSet::new(), HashSet::new());
        let mut visit = |state: &Kept| {
            with += 1;
            forgotten.insert(bounded.forgotten(state));
            if alike {
                beyond.insert(any.forgotten(state));
            }
        };
        let facts_with = explored(&past, &mut visit);
        let mut states: HashSet<State> = HashSet::new();
        let facts_without = explored(&bounded, &mut |state| {
            states.insert(state.clone());
        });
        without += states.len();
        assert_eq!(facts_with, facts_without, "{name}");
        assert_eq!(forgotten, states, "{name}");
        if alike {
            let mut all: HashSet<State> = HashSet::new();
            let facts: BTreeSet<Property> = explored(&any, &mut |state| {
                all.insert(state.clone());
            })
            .into_keys()
            .collect();
            assert!(beyond.is_subset(&all), "{name}");
            assert!(facts_with.keys().all(|fact| facts.contains(fact)), "{name}");
        }
    }
    println!("{instances} instances, {with} states with their past, {without} without");
    assert!(instances >= 100 && without * 2 < with);
}

/// Instances for any number of rounds and subrounds, with mistakes that break S2, S5 and S6.
fn unbounded() -> Vec<(String, Protocol)> {
    let mut all = Vec::new();
    let h = Rules::HARDENED;
    let both = [Byzantine, Honest];
    for &ticket in TicketRule::ALL {
        for finality in [FinalityRule::Votes, FinalityRule::TwoThirds] {
            let rules = Rules { ticket, finality, ..h };
            let mut add =
                |of: Protocol| all.push((format!("{:?}, {rules:?}, {:?}", of.committee, of.fault), of));
            add(instance(1, 0, 3, 4, rules, &[Honest]));
            add(instance(2, 0, 3, 4, rules, &[Honest]));
            add(instance(3, 0, 3, 4, rules, &[Honest]));
            add(instance(4, 1, 3, 4, rules, &[Byzantine]));
            for fault in [Fault::QuorumOneLess, Fault::QuorumOfFaultsPlusOne, Fault::VotesAfterOtherTicket] {
                add(compared::mistaken(fault, instance(3, 0, 3, 4, rules, &[Honest])));
                add(compared::mistaken(fault, instance(4, 1, 3, 4, rules, &[Honest])));
            }
        }
    }
    all.push(("both".into(), instance(4, 1, 3, 4, h, &both)));
    all.push(("f + 1".into(), instance(4, 2, 2, 3, h, &both)));
    all.push(("n = 7".into(), instance(7, 2, 3, 4, h, &both)));
    all.push(("n = 7, f + 1".into(), instance(7, 3, 2, 3, h, &[Byzantine])));
    all
}

#[test]
fn two_idle_blocks_are_enough_and_one_is_not() {
    let mut too_few: BTreeMap<u8, usize> = BTreeMap::new();
    let mut shown: BTreeMap<Property, usize> = BTreeMap::new();
    let instances = unbounded();
    for (name, protocol) in &instances {
        let protocol = searched(protocol);
        assert_eq!(protocol.no_certificates_within(Reach::Any { idle: 2 }), None, "{name}");
        let two = facts(&protocol, Reach::Any { idle: 2 });
        for fact in &two {
            *shown.entry(*fact).or_default() += 1;
        }
        for idle in [3, 4] {
            assert_eq!(facts(&protocol, Reach::Any { idle }), two, "{name}, {idle} idle blocks");
        }
        // Three or four subrounds, two or three rounds are enough to see everything here.
        let bounded = facts(&protocol, Reach::Bounded);
        assert_eq!(bounded, two, "{name}");
        for idle in [0, 1] {
            let fewer = facts(&protocol, Reach::Any { idle });
            assert!(fewer.is_subset(&two), "{name}");
            *too_few.entry(idle).or_default() += usize::from(fewer != two);
        }
    }
    println!("{} instances, {too_few:?} with facts missing, {shown:?}", instances.len());
    assert!(too_few[&0] > 0 && too_few[&1] > 0);
    for property in [Property::S2, Property::S5, Property::S6, Property::W1, Property::W2, Property::Final] {
        assert!((1..=instances.len()).contains(&shown[&property]), "{property:?}");
    }
}

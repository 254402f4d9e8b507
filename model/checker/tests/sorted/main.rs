//! Sorted runs reach what all runs reach (`sorted/mod.rs` gives the lemmas; here they are tested).
//!
//! - The search of sorted runs, with all other reductions, is compared with the explicit specification, which has none: the
//!   same facts, and the same sets of notarized blocks with their chains. Every value of a rule is among the instances,
//!   restarts, observers, mistakes, more Byzantine members than are tolerated.
//! - It is compared with the search without it: facts are found in runs of the same length, also where miners act in groups.
//! - Each precondition is dropped, and states are then missing.

mod controls;
#[path = "../small/mod.rs"]
mod small;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Mutex,
};
use zus_checker::{
    blocks::{Blocks, Generator},
    committee::{beacon_threshold, quorum},
    fault::Fault,
    properties::Property,
    protocol::{Network, Protocol, Reductions},
    rules::{
        BeaconRule, FinalityRule, ParentRule, Rules, SubroundEntryRule, SubroundSwitchRule, TicketLogRule,
        TicketRule,
    },
    search::{
        bfs::{End, Limits, explore},
        run::named_run,
    },
    state::State,
};

use Generator::{Byzantine, Honest};
use small::{Notarized, Place, chain_of, everything, instance, renamings, specification};

/// The least of all renamings of the twins of an equivocating generator: which is called the first is arbitrary.
fn up_to_twins(set: &Notarized) -> Notarized {
    let renamed = |rename: &dyn Fn(&Place) -> Place| -> Notarized {
        set.iter().map(|chain| chain.iter().map(rename).collect()).collect()
    };
    renamings(set).map(|rename| renamed(&rename)).min().unwrap()
}

/// The reductions of a search of `protocol`, as a scenario has them.
fn searched(protocol: &Protocol, sorted: bool) -> Protocol {
    let lazy = protocol.network == Network::Async && protocol.takes_certificates();
    let reductions = Reductions { lazy, sorted, ..Reductions::ALL };
    Protocol { reductions, ..protocol.clone() }
}

/// The facts that are found, each with the steps of a shortest run to it, and the sets of notarized blocks.
struct Reached {
    facts: BTreeMap<Property, usize>,
    notarized: BTreeSet<Notarized>,
    unique: u64,
}

fn explored(protocol: &Protocol) -> Reached {
    let sets = Mutex::new(HashSet::new());
    let name = |block| {
        let place = protocol.blocks.place(block);
        (u64::from(place.round), u32::from(place.subround), u32::from(place.rank), place.twin)
    };
    let visit = |state: &State| {
        let chain = |block| -> Vec<Place> {
            let parent =
                |block: &_| state.parent(&protocol.blocks, *block).filter(|p| protocol.blocks.round(*p) > 0);
            std::iter::successors(Some(block), parent).map(name).collect()
        };
        let set: Notarized =
            protocol.blocks.all().filter(|&b| protocol.notarized(state, b)).map(chain).collect();
        sets.lock().unwrap().insert(set);
    };
    let e = explore(protocol, everything().collect(), None, Limits::default(), &|_| {}, &visit);
    assert_eq!(e.end, End::Exhausted);
    for (property, path) in &e.found {
        let run = named_run(protocol, path, *property);
        assert!(run.is_ok(), "{} has no run: {:?}, in {protocol:?}", property.id(), run.err());
    }
    Reached {
        facts: e.found.iter().map(|(p, path)| (*p, path.len())).collect(),
        notarized: sets.into_inner().unwrap().iter().map(up_to_twins).collect(),
        unique: e.unique,
    }
}

/// The same of the specification, without lengths: its steps are other ones.
fn specified(protocol: &Protocol) -> (BTreeSet<Property>, BTreeSet<Notarized>, usize) {
    let (mut facts, mut sets) = (BTreeSet::new(), BTreeSet::new());
    let states = specification(protocol, |spec, state| {
        facts.extend(everything().filter(|&p| spec.shows(state, p)));
        sets.insert(state.sent.notarized.iter().map(|&block| chain_of(state, block)).collect::<Notarized>());
    });
    let sets = sets.iter().map(up_to_twins).collect();
    (facts, sets, states)
}

/// The instances that are compared: small enough for the specification.
fn compared() -> Vec<(String, Protocol)> {
    let mut all = Vec::new();
    let h = Rules::HARDENED;
    for (beacon, entry) in [
        (BeaconRule::RoundOnly, SubroundEntryRule::Certificate),
        (BeaconRule::RoundOnly, SubroundEntryRule::Local),
        (BeaconRule::Chained, SubroundEntryRule::Certificate),
        (BeaconRule::Chained, SubroundEntryRule::Local),
    ] {
        for subround_switch in [SubroundSwitchRule::FirstArrival, SubroundSwitchRule::Adopt] {
            for &ticket in TicketRule::ALL {
                for &finality in FinalityRule::ALL {
                    let rules =
                        Rules { beacon, subround_entry: entry, subround_switch, ticket, finality, ..h };
                    let name = |size: &str| format!("{size}, {rules:?}");
                    all.push((name("n = 1, 2 x 2"), instance(1, 0, 2, 2, rules, &[Honest])));
                    if rules.tickets_once() {
                        all.push((name("n = 2, 1 x 2"), instance(2, 0, 1, 2, rules, &[Honest])));
                        all.push((name("n = 2, 2 x 1"), instance(2, 0, 2, 1, rules, &[Honest])));
                    }
                }
            }
        }
    }
    for &ticket in TicketRule::ALL {
        let rules = Rules { ticket, ..h };
        let name = |size: &str| format!("{size}, {ticket:?}");
        all.push((name("n = 2, two ranks"), instance(2, 0, 1, 1, rules, &[Honest, Honest])));
        all.push((name("n = 2, an equivocator"), instance(2, 1, 1, 1, rules, &[Byzantine])));
        let restart = |of: Protocol| Protocol { crashes: 1, ..of };
        let name = |size: &str| format!("{size}, {ticket:?}, a restart");
        all.push((name("n = 1, 1 x 2"), restart(instance(1, 0, 1, 2, rules, &[Honest, Honest]))));
        all.push((name("n = 1, 2 x 2"), restart(instance(1, 0, 2, 2, rules, &[Honest]))));
        all.push((name("n = 2, 1 x 1"), restart(instance(2, 0, 1, 1, rules, &[Honest]))));
        // An honest generator that forgets its first block would make a second one, for which the model has no room.
        let rules = Rules { ticket_log: TicketLogRule::Volatile, ..rules };
        let of_byzantine = instance(2, 1, 1, 1, rules, &[Byzantine]);
        all.push((name("n = 2, volatile"), restart(of_byzantine)));
    }
    for fault in Fault::ALL {
        let mistaken = |n, byzantine, rounds, subrounds, order: &[Generator]| {
            let mut of =
                Protocol { fault: Some(fault), ..instance(n, byzantine, rounds, subrounds, h, order) };
            of.blocks =
                Blocks::new(rounds, subrounds, 2, false, h.subround_cap, Some(fault), |_, _| order.to_vec())
                    .unwrap();
            of.committee.quorum = quorum(h.quorum, Some(fault), n);
            of.committee.beacon_threshold = beacon_threshold(Some(fault), n);
            of
        };
        let (one, three) = (mistaken(1, 0, 2, 2, &[Honest]), mistaken(3, 1, 1, 1, &[Byzantine]));
        for (size, of) in [("n = 1, 2 x 2", one), ("n = 3, a Byzantine one", three)] {
            // The model has a block from its first honest ticket on, and beacon shares of round 1 from the start
            // (`reductions.rs`, `eager`): where Byzantine members need neither, it is not the specification.
            let alone = matches!(
                fault,
                Fault::EmbeddedUnverified | Fault::UnweightedSum | Fault::BeaconOfFaultsPlusOne
            );
            let eager = of.committee.byzantine == 0 && fault != Fault::ProposesTwice
                || !alone && size != "n = 1, 2 x 2";
            if of.committee.quorum > 0 && searched(&of, true).sorts() && eager {
                all.push((format!("{size}, {fault:?}"), of));
            }
        }
    }
    for parent in [ParentRule::Notarized, ParentRule::OnFinalizedHead] {
        let rules = Rules { parent, ..h };
        all.push((format!("{parent:?}"), instance(2, 0, 2, 1, rules, &[Honest])));
    }
    for observers in 1..=2 {
        all.push((
            format!("{observers} observers"),
            Protocol { observers, ..instance(1, 0, 2, 2, h, &[Honest]) },
        ));
    }
    all
}

#[test]
fn sorted_runs_reach_what_the_specification_reaches() {
    let (mut states, mut wrong) = (0, Vec::new());
    let instances = compared();
    for (name, protocol) in &instances {
        let sorted = searched(protocol, true);
        assert_eq!(sorted.unsorted(), None, "{name}");
        let start = std::time::Instant::now();
        let (facts, notarized, specified) = specified(protocol);
        let reached = explored(&sorted);
        states += specified;
        if start.elapsed().as_millis() > 200 {
            println!(
                "{name}: {specified} states of the specification, {} {:?}",
                reached.unique,
                start.elapsed()
            );
        }
        let found: BTreeSet<Property> = reached.facts.keys().copied().collect();
        // Whether one signer is counted twice does not show in a tally, so that S10 convicts more than there are.
        let facts = match protocol.fault {
            Some(Fault::DuplicateSigner) => facts.into_iter().filter(|p| *p != Property::S10).collect(),
            _ => facts,
        };
        if found != facts {
            wrong.push(format!("{name}: facts {found:?}\n  specification {facts:?}"));
        }
        if reached.notarized != notarized {
            wrong.push(format!(
                "{name}: {} sets, {} of the specification",
                reached.notarized.len(),
                notarized.len()
            ));
        }
    }
    println!("{} instances, {states} states of the specification", instances.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(instances.len() >= 150, "{}", instances.len());
}

/// Instances beyond the specification: sorted runs are compared with all runs.
fn larger() -> Vec<(String, Protocol)> {
    let mut all = compared();
    let h = Rules::HARDENED;
    let both = [Byzantine, Honest];
    all.push(("deployed".into(), instance(4, 1, 1, 2, Rules::DEPLOYED, &[Byzantine])));
    for rules in [h, Rules::DOCUMENTED] {
        all.push((format!("n = 3, 2 x 2, {rules:?}"), instance(3, 0, 2, 2, rules, &[Honest])));
        all.push((format!("n = 4, 1 x 2, {rules:?}"), instance(4, 1, 1, 2, rules, &both)));
        for weights in [vec![2, 2], vec![3, 1]] {
            let mut grouped = instance(5, 1, 2, 2, rules, &both[..1]);
            grouped.committee.weights = weights;
            all.push((format!("{:?}, {rules:?}", grouped.committee.weights), grouped));
        }
    }
    let mut unequal = instance(5, 1, 1, 2, h, &both);
    unequal.committee.weights = vec![1, 2, 1];
    all.push(("groups of 1, 2, 1".into(), unequal));
    all.push(("n = 4, 2 x 1".into(), instance(4, 1, 2, 1, h, &both)));
    for exposed in 0..=1 {
        let mut beacon = instance(4, 1, 2, 1, h, &[Byzantine]);
        beacon.committee.exposed = exposed;
        beacon.committee.beacon_threshold = 2;
        all.push((format!("{exposed} exposed"), beacon));
    }
    all.push(("f + 1".into(), instance(4, 2, 1, 2, h, &both)));
    all.push(("observers".into(), Protocol { observers: 2, ..instance(3, 0, 2, 2, h, &[Honest]) }));
    // Where tickets are kept by name up to the layer of votes.
    let chained = Rules { beacon: BeaconRule::Chained, ..h };
    let local = Rules { subround_entry: SubroundEntryRule::Local, ..h };
    let votes = Rules { finality: FinalityRule::Votes, ..Rules::DOCUMENTED };
    all.push(("chained, 2 x 2".into(), instance(4, 1, 2, 2, chained, &[Byzantine])));
    all.push(("local, 2 x 2".into(), instance(5, 0, 2, 2, local, &[Honest])));
    all.push(("documented with votes".into(), instance(4, 0, 2, 2, votes, &[Honest])));
    all.push(("three rounds".into(), instance(2, 0, 3, 2, h, &[Honest])));
    all.push(("a restart".into(), Protocol { crashes: 1, ..instance(3, 0, 1, 2, h, &[Honest]) }));
    all
}

#[test]
fn facts_are_found_in_runs_of_the_same_length() {
    let (mut fewer, mut wrong) = (0, Vec::new());
    for (name, protocol) in larger() {
        let start = std::time::Instant::now();
        let (sorted, all) = (explored(&searched(&protocol, true)), explored(&searched(&protocol, false)));
        if start.elapsed().as_millis() > 200 {
            println!("{name}: {} of {} {:?}", sorted.unique, all.unique, start.elapsed());
        }
        if sorted.facts != all.facts {
            wrong.push(format!("{name}: {:?}\n  not sorted {:?}", sorted.facts, all.facts));
        }
        if sorted.notarized != all.notarized {
            wrong.push(format!(
                "{name}: {} sets, {} not sorted",
                sorted.notarized.len(),
                all.notarized.len()
            ));
        }
        fewer += usize::from(sorted.unique < all.unique);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fewer > 50, "{fewer} instances have fewer states");
}

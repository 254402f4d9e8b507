//! The comparison with the specification, and with the search of steps.

use super::{
    Certified, Notarized, Place, answered, chains, kept, name, searched,
    small::{chain_of, instance, specification},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Instant,
};
use zus_checker::{
    blocks::{
        BlockId, Blocks,
        Generator::{Byzantine, Honest},
    },
    committee::{beacon_threshold, quorum},
    fault::Fault,
    properties::Property,
    protocol::Protocol,
    rules::{
        EchoRule, FinalityRule, ParentRule, QuorumRule, Rules, SubroundCapRule, SubroundEntryRule,
        SubroundSwitchRule, TicketLogRule, TicketRule,
    },
    search::bfs::{End, Limits, explore},
    state::State,
};

/// The same of the specification, and how many states it has.
pub fn specified(protocol: &Protocol) -> (BTreeSet<Property>, Certified, usize) {
    let (mut facts, mut certified) = (BTreeSet::new(), Certified::default());
    let states = specification(protocol, |spec, state| {
        facts.extend(answered().iter().filter(|&p| spec.shows(state, p)));
        let notarized: Notarized = state.sent.notarized.iter().map(|&block| chain_of(state, block)).collect();
        let of = |b: zus_spec::Block| -> Place { (b.round.0, b.subround.0, b.rank.0 as u32, b.twin) };
        let finals = spec.instance.finals(state).into_iter().map(of).collect();
        certified.add(&notarized, &finals);
    });
    (facts, certified, states)
}

/// The same of the search of steps.
pub fn stepped(protocol: &Protocol) -> (BTreeSet<Property>, Certified, usize) {
    let certified = Mutex::new(Certified::default());
    let visit = |state: &State| {
        let chain = |block| -> Vec<BlockId> {
            let parent =
                |block: &_| state.parent(&protocol.blocks, *block).filter(|p| protocol.blocks.round(*p) > 0);
            std::iter::successors(Some(block), parent).collect()
        };
        let notarized = chains(protocol, protocol.notarized_set(state), chain);
        let finals = protocol.finalizable_set(state).iter().map(|block| name(protocol, block)).collect();
        certified.lock().unwrap().add(&notarized, &finals);
    };
    let explored = explore(protocol, answered(), None, Limits::default(), &|_| {}, &visit);
    assert_eq!(explored.end, End::Exhausted);
    (explored.found.keys().copied().collect(), certified.into_inner().unwrap(), explored.unique as usize)
}

/// `of` with that mistake, which changes its arithmetic, too.
pub fn mistaken(fault: Fault, of: Protocol) -> Protocol {
    let mut of = Protocol { fault: Some(fault), ..of };
    of.committee.quorum = quorum(of.rules.quorum, Some(fault), of.committee.n);
    of.committee.beacon_threshold = beacon_threshold(Some(fault), of.committee.n);
    of
}

/// Every value of `finality`, and a depth that no profile has.
pub fn finality() -> impl Iterator<Item = FinalityRule> {
    FinalityRule::ALL.iter().copied().chain([FinalityRule::CommonAncestor { depth: 0 }])
}

/// The instances that are compared with the specification: small enough for it.
pub fn small() -> Vec<(String, Protocol)> {
    let mut all = Vec::new();
    let h = Rules::HARDENED;
    let mut add = |name: &str, protocol: Protocol| {
        let rules = format!("{name}, {:?}, {:?}", protocol.rules, protocol.fault);
        all.push((rules, protocol));
    };
    for &subround_entry in SubroundEntryRule::ALL {
        for &subround_switch in SubroundSwitchRule::ALL {
            for &ticket in TicketRule::ALL {
                for finality in finality() {
                    let rules = Rules { subround_entry, subround_switch, ticket, finality, ..h };
                    add("n = 1, 2 x 2", instance(1, 0, 2, 2, rules, &[Honest]));
                }
            }
        }
    }
    for finality in finality() {
        let rules = Rules { finality, ..h };
        add("n = 2, 1 x 2", instance(2, 0, 1, 2, rules, &[Honest]));
        add("n = 2, 2 x 1", instance(2, 0, 2, 1, rules, &[Honest]));
        let percent = Rules { quorum: QuorumRule::Percent66, ..rules };
        add("n = 3, a Byzantine one", instance(3, 1, 1, 1, percent, &[Byzantine]));
        add("n = 1, 3 x 1", instance(1, 0, 3, 1, rules, &[Honest]));
    }
    for &ticket in TicketRule::ALL {
        let rules = Rules { ticket, ..h };
        add("n = 2, two ranks", instance(2, 0, 1, 1, rules, &[Honest, Honest]));
        add("n = 2, an equivocator", instance(2, 1, 1, 1, rules, &[Byzantine]));
        let restart = |of: Protocol| Protocol { crashes: 1, ..of };
        add("n = 1, 1 x 2, a restart", restart(instance(1, 0, 1, 2, rules, &[Honest, Honest])));
        add("n = 1, 2 x 1, a restart", restart(instance(1, 0, 2, 1, rules, &[Honest])));
        add("n = 2, 1 x 1, a restart", restart(instance(2, 0, 1, 1, rules, &[Honest])));
    }
    for &ticket_log in TicketLogRule::ALL {
        for &echo in EchoRule::ALL {
            for &parent in ParentRule::ALL {
                let rules = Rules { ticket_log, echo, parent, ..h };
                add("n = 1, 2 x 2", instance(1, 0, 2, 2, rules, &[Honest]));
                for observers in 1..=2 {
                    let of = instance(1, 0, 2, 1, rules, &[Honest]);
                    add("observers, n = 1, 2 x 1", Protocol { observers, ..of });
                }
            }
        }
    }
    for &subround_cap in SubroundCapRule::ALL {
        let rules = Rules { subround_cap, ..h };
        add("n = 1, 1 x 3", instance(1, 0, 1, 3, rules, &[Honest]));
        let order =
            |round, subround| if (round, subround) == (1, 1) { vec![Honest; 2] } else { vec![Honest] };
        let blocks = Blocks::new(1, 3, 2, false, subround_cap, None, order).unwrap();
        add("n = 1, another order", Protocol::asynchronous(1, 0, rules, blocks));
    }
    let blocks = Blocks::new(1, 1, 1, true, h.subround_cap, None, |_, _| vec![Byzantine]).unwrap();
    add("an outsider", Protocol::asynchronous(2, 1, h, blocks));
    add("n = 2, two ranks", instance(2, 1, 1, 1, h, &[Byzantine, Honest]));
    add("twice as many Byzantine members as tolerated", instance(3, 2, 1, 1, h, &[Byzantine]));
    for fault in Fault::ALL {
        for (size, of) in [
            ("n = 1, 2 x 2", instance(1, 0, 2, 2, h, &[Honest])),
            ("n = 2, 2 x 1", instance(2, 0, 2, 1, h, &[Honest])),
            ("n = 2, 1 x 2", instance(2, 0, 1, 2, h, &[Honest])),
            ("n = 2, a Byzantine one", instance(2, 1, 1, 1, h, &[Byzantine])),
            ("an observer", Protocol { observers: 1, ..instance(1, 0, 2, 2, h, &[Honest]) }),
            ("a restart", Protocol { crashes: 1, ..instance(1, 0, 2, 1, h, &[Honest]) }),
        ] {
            let of = mistaken(fault, of);
            if of.committee.quorum > 0 && of.no_certificates().is_none() {
                add(size, of);
            }
        }
    }
    all
}

/// What differs, in words.
fn difference(
    name: &str,
    (facts, certified): (&BTreeSet<Property>, &Certified),
    (found, reached): (&BTreeSet<Property>, &Certified),
) -> Option<String> {
    let [missing, beyond, finals] = certified.differences(reached);
    (facts != found || certified != reached).then(|| {
        format!("{name}: {missing} sets missing, {beyond} too many, {finals} with other final blocks; facts {found:?} and not {facts:?}")
    })
}

#[test]
fn certificates_reach_what_the_specification_reaches() {
    let (mut states, mut fewer, mut wrong) = (0, 0, Vec::new());
    let mut shown: BTreeMap<Property, usize> = BTreeMap::new();
    let instances = small();
    for (name, protocol) in &instances {
        assert_eq!(protocol.no_certificates(), None, "{name}");
        let start = Instant::now();
        let (facts, certified, of_specification) = specified(protocol);
        let reached = kept(&searched(protocol));
        (states, fewer) = (states + of_specification, fewer + reached.unique);
        if start.elapsed().as_millis() > 200 {
            println!("{name}: {of_specification} states of the specification {:?}", start.elapsed());
        }
        wrong.extend(difference(name, (&facts, &certified), (&reached.facts, &reached.certified)));
        for property in facts {
            *shown.entry(property).or_default() += 1;
        }
    }
    println!(
        "{} instances, {states} states of the specification, {fewer} of certificates, {shown:?}",
        instances.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(instances.len() >= 150, "{}", instances.len());
    // Each fact is there in some instances and missing in others, or agreement would say nothing. S3 holds by construction.
    for property in answered().iter().filter(|property| *property != Property::S3) {
        let times = shown.get(&property).copied().unwrap_or_default();
        assert!(
            (1..instances.len()).contains(&times)
                || property == Property::Signed
                || property == Property::Notarized,
            "{property:?} {times}"
        );
    }
}

/// Instances beyond the specification.
pub fn larger() -> Vec<(String, Protocol)> {
    let mut all = Vec::new();
    let h = Rules::HARDENED;
    let both = [Byzantine, Honest];
    for finality in finality() {
        let rules = Rules { finality, ..h };
        all.push((format!("n = 4, 1 x 2, {finality:?}"), instance(4, 1, 1, 2, rules, &both)));
        all.push((format!("n = 3, 2 x 2, {finality:?}"), instance(3, 0, 2, 2, rules, &[Honest])));
        for (weights, rounds) in [(vec![2, 2], 2), (vec![3, 1], 2), (vec![1, 2, 1], 1)] {
            let mut grouped = instance(5, 1, rounds, 2, rules, &[Byzantine]);
            grouped.committee.weights = weights;
            all.push((format!("{:?}, {finality:?}", grouped.committee.weights), grouped));
        }
    }
    for &ticket in TicketRule::ALL {
        let rules = Rules { ticket, ..h };
        all.push((format!("f + 1, {ticket:?}"), instance(4, 2, 1, 2, rules, &both)));
        if ticket != TicketRule::BetterOrEqualRank {
            all.push((format!("f + 1, 2 x 1, {ticket:?}"), instance(4, 2, 2, 1, rules, &both)));
        }
        all.push((
            format!("three ranks, {ticket:?}"),
            instance(4, 1, 1, 1, rules, &[Honest, Byzantine, Honest]),
        ));
        let mut groups = instance(7, 2, 1, 1, rules, &[Honest, Honest, Honest]);
        groups.committee.weights = vec![2, 1, 2];
        all.push((format!("groups of 2, 1, 2 with three ranks, {ticket:?}"), groups));
    }
    for fault in [Fault::QuorumOneLess, Fault::QuorumOfFaultsPlusOne, Fault::VotesAfterOtherTicket] {
        all.push((format!("{fault:?}"), mistaken(fault, instance(4, 1, 1, 2, h, &both))));
        all.push((format!("n = 3, 2 x 2, {fault:?}"), mistaken(fault, instance(3, 0, 2, 2, h, &[Honest]))));
    }
    all.push(("n = 4, 2 x 1".into(), instance(4, 1, 2, 1, h, &both)));
    all.push(("three rounds".into(), instance(2, 0, 3, 2, h, &[Honest])));
    all.push(("n = 7".into(), instance(7, 2, 1, 2, h, &[Byzantine])));
    all.push(("a restart".into(), Protocol { crashes: 1, ..instance(3, 0, 1, 2, h, &[Honest]) }));
    all
}

#[test]
fn certificates_reach_what_steps_reach() {
    let mut wrong = Vec::new();
    for (name, protocol) in larger() {
        let protocol = searched(&protocol);
        assert_eq!(protocol.no_certificates(), None, "{name}");
        let start = Instant::now();
        let (facts, certified, states) = stepped(&protocol);
        let spent = start.elapsed();
        let reached = kept(&protocol);
        println!(
            "{name}: {states} states {spent:?}, {} of certificates {:?}",
            reached.unique,
            start.elapsed() - spent
        );
        wrong.extend(difference(&name, (&facts, &certified), (&reached.facts, &reached.certified)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Every reduction gives the same verdicts, and the same set of reachable sets of notarized blocks, as the model
//! without it (`reductions.rs` gives the arguments; here they are checked on small instances).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};
use zus_checker::{
    blocks::{Blocks, Generator},
    committee::beacon_threshold,
    fault::Fault,
    properties::{Facts, Property},
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::{BeaconRule, EchoRule, FinalityRule, Rules, SubroundCapRule, TicketLogRule, TicketRule},
    search::bfs::{End, Limits, explore},
};

/// The notarized blocks of a state, each with its chain: (place of the block, place of its parent, ...), a place being
/// (round, subround, rank, twin).
type Notarized = BTreeSet<Vec<(u8, u8, u8, u8)>>;

/// The least of all renamings of the twins of an equivocating generator: which is called the first is arbitrary.
fn up_to_twins(set: &Notarized) -> Notarized {
    let places: BTreeSet<(u8, u8, u8)> = set.iter().flatten().map(|&(r, s, k, _)| (r, s, k)).collect();
    let places: Vec<_> = places.into_iter().collect();
    let renamed = |swapped: u32| -> Notarized {
        let rename = |&(r, s, k, twin): &(u8, u8, u8, u8)| {
            let at = places.iter().position(|&p| p == (r, s, k)).unwrap();
            (r, s, k, twin ^ (swapped >> at & 1) as u8)
        };
        set.iter().map(|chain| chain.iter().map(rename).collect()).collect()
    };
    (0..1 << places.len()).map(renamed).min().unwrap()
}

struct Result {
    facts: BTreeSet<Property>,
    notarized: BTreeSet<Notarized>,
    unique: u64,
}

fn instance(
    n: u32,
    byzantine: u32,
    rounds: u8,
    subrounds: u8,
    rules: Rules,
    order: &[Generator],
) -> Protocol {
    let blocks = Blocks::new(rounds, subrounds, 2, false, rules.subround_cap, None, |_, _| order.to_vec());
    Protocol::asynchronous(n, byzantine, rules, blocks.unwrap())
}

/// The same instance with that mistake. The blocks that can exist are those without it.
fn faulty(fault: Option<Fault>, protocol: &Protocol) -> Protocol {
    let mut faulty = Protocol { fault, ..protocol.clone() };
    faulty.committee.beacon_threshold = beacon_threshold(fault, protocol.committee.n);
    faulty
}

fn explored(protocol: &Protocol, reductions: Reductions) -> Result {
    let protocol = Protocol { reductions, ..protocol.clone() };
    let asked: Facts = Property::ALL.iter().copied().collect();
    let sets = Mutex::new(BTreeSet::new());
    let names = |block| {
        let place = protocol.blocks.place(block);
        (place.round, place.subround, place.rank, place.twin)
    };
    let visit = |state: &zus_checker::state::State| {
        let mut set = Notarized::new();
        for block in protocol.blocks.all().filter(|&b| protocol.notarized(state, b)) {
            let mut chain = vec![names(block)];
            let mut at = block;
            while let Some(parent) = state.parent(&protocol.blocks, at) {
                if parent == zus_checker::blocks::GENESIS {
                    break;
                }
                chain.push(names(parent));
                at = parent;
            }
            set.insert(chain);
        }
        sets.lock().unwrap().insert(up_to_twins(&set));
    };
    let limits = Limits { states: 12_000_000, memory: 3 << 30 };
    let exploration = explore(&protocol, asked, None, limits, &|_| {}, &visit);
    assert_eq!(exploration.end, End::Exhausted, "the instance is too large for this test");
    Result {
        facts: exploration.found.keys().copied().collect(),
        notarized: sets.into_inner().unwrap(),
        unique: exploration.unique,
    }
}

/// The ladder: each step switches one more reduction on.
fn ladder() -> [(&'static str, Reductions); 7] {
    let none = Reductions::NONE;
    let byzantine = Reductions { byzantine_available: true, ..none };
    let eager = Reductions { eager: true, ..byzantine };
    let symmetry = Reductions { symmetry: true, ..eager };
    let counting = Reductions { counting: true, ..symmetry };
    [
        ("none", none),
        ("byzantine_available", byzantine),
        ("eager", eager),
        ("symmetry", symmetry),
        ("counting", counting),
        ("lazy", Reductions { lazy: true, ..counting }),
        ("sorted", Reductions::ALL),
    ]
}

/// Explores `protocol` from the `from`-th step of the ladder on, and compares every step with the first.
fn all_agree(name: &str, protocol: &Protocol, from: usize) {
    let ladder = &ladder()[from..];
    let reference = explored(protocol, ladder[0].1);
    assert!(reference.notarized.len() > 1, "{name}: nothing is ever notarized");
    let mut sizes = BTreeMap::from([(0, reference.unique)]);
    for (step, (reduction, reductions)) in ladder.iter().enumerate().skip(1) {
        let reduced = explored(protocol, *reductions);
        assert_eq!(reduced.facts, reference.facts, "{name}: verdicts under {reduction}");
        assert!(
            reduced.notarized == reference.notarized,
            "{name}: {} sets of notarized blocks under {reduction}, {} without",
            reduced.notarized.len(),
            reference.notarized.len()
        );
        sizes.insert(step, reduced.unique);
    }
    println!("{name}: states along the ladder {:?}", sizes.values().collect::<Vec<_>>());
}

use Generator::{Byzantine, Honest};

#[test]
fn one_subround_with_an_equivocator_agrees_along_the_whole_ladder() {
    // 4 honest and a Byzantine one would take too long without any reduction: one Byzantine generator alone.
    all_agree("1 subround", &instance(4, 1, 1, 1, Rules::HARDENED, &[Byzantine]), 0);
}

#[test]
fn two_honest_generators_without_a_fault_agree_along_the_whole_ladder() {
    all_agree("fault-free", &instance(3, 0, 1, 2, Rules::HARDENED, &[Honest]), 0);
    all_agree("two generators", &instance(3, 0, 1, 1, Rules::HARDENED, &[Honest, Honest]), 0);
}

#[test]
fn two_rounds_and_subrounds_of_the_smallest_committee_agree_along_the_whole_ladder() {
    all_agree("n = 1", &instance(1, 0, 2, 2, Rules::HARDENED, &[Honest]), 0);
    all_agree("n = 2", &instance(2, 0, 2, 1, Rules::HARDENED, &[Honest]), 0);
}

#[test]
fn an_exposed_member_agrees_along_the_whole_ladder() {
    for fault in [None, Some(Fault::BeaconOfFaultsPlusOne)] {
        // Under `eager` all have sent their shares of round 1 as the run begins, so that S11 can break in later rounds only.
        if fault.is_none() {
            let mut one = instance(4, 1, 1, 1, Rules::HARDENED, &[Byzantine]);
            one.committee.exposed = 1;
            all_agree("exposed", &one, 1);
        }
        let mut two = faulty(fault, &instance(4, 1, 2, 1, Rules::HARDENED, &[Byzantine]));
        two.committee.exposed = 1;
        all_agree(&format!("exposed, two rounds, {fault:?}"), &two, 2);
    }
}

#[test]
fn two_subrounds_with_an_equivocator_agree_from_eager_on() {
    all_agree("2 subrounds", &instance(4, 1, 1, 2, Rules::HARDENED, &[Byzantine, Honest]), 2);
}

#[test]
fn two_rounds_agree_from_eager_on() {
    all_agree("2 rounds", &instance(4, 1, 2, 1, Rules::HARDENED, &[Byzantine]), 2);
}

#[test]
fn more_than_f_byzantine_miners_agree() {
    all_agree("f + 1", &instance(4, 2, 1, 1, Rules::HARDENED, &[Byzantine]), 0);
    all_agree("f + 1, two rounds", &instance(4, 2, 2, 1, Rules::HARDENED, &[Byzantine]), 2);
}

#[test]
fn the_other_rules_agree() {
    let chained = Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED };
    all_agree("chained", &instance(3, 0, 2, 2, chained, &[Honest]), 2);
    let better = Rules { ticket: TicketRule::BetterRank, ..Rules::HARDENED };
    all_agree("better rank", &instance(3, 0, 1, 2, better, &[Honest, Honest]), 2);
    let deep = Rules { finality: FinalityRule::CommonAncestor { depth: 1 }, ..Rules::HARDENED };
    all_agree("common ancestor", &instance(3, 0, 2, 2, deep, &[Honest]), 2);
    all_agree("documented", &instance(3, 0, 2, 2, Rules::DOCUMENTED, &[Honest]), 2);
    let hardened = |rounds, subrounds| instance(4, 1, rounds, subrounds, Rules::HARDENED, &[Byzantine]);
    for fault in [
        Fault::EmbeddedUnverified,
        Fault::UnweightedSum,
        Fault::DuplicateSigner,
        Fault::SubroundUnbound,
        Fault::LabelUnchecked,
    ] {
        all_agree(&format!("{fault:?}"), &faulty(Some(fault), &hardened(1, 2)), 2);
        all_agree(&format!("{fault:?}, two rounds"), &faulty(Some(fault), &hardened(2, 1)), 2);
    }
    for fault in [Fault::VotesAfterOtherTicket, Fault::VotesWithoutLeaving] {
        all_agree(&format!("{fault:?}"), &faulty(Some(fault), &hardened(1, 2)), 2);
    }
}

#[test]
fn liveness_agrees() {
    let order = |round, subround| match (round, subround) {
        (1, 0) => vec![Byzantine, Honest],
        _ => vec![Honest],
    };
    for (name, rules, fault, rounds) in [
        ("hardened", Rules::HARDENED, None, 2),
        ("not relayed", Rules { echo: EchoRule::None, ..Rules::HARDENED }, None, 1),
        ("documented", Rules::DOCUMENTED, None, 1),
        ("own subround only", Rules::HARDENED, Some(Fault::OwnSubroundOnly), 1),
    ] {
        let protocol = Protocol {
            fault,
            blocks: Blocks::new(rounds, 2, 2, false, rules.subround_cap, fault, order).unwrap(),
            network: Network::PartiallySynchronous,
            reserved_rounds: rounds - 1,
            reserved_subrounds: 1,
            ..instance(4, 1, rounds, 2, rules, &[Honest])
        };
        // Lazy timeouts are not defined here, and explicit messages neither: symmetry and counting are compared.
        let none = Reductions { byzantine_available: true, eager: true, ..Reductions::NONE };
        let reference = explored(&protocol, none);
        for reductions in
            [Reductions { symmetry: true, ..none }, Reductions { symmetry: true, counting: true, ..none }]
        {
            let reduced = explored(&protocol, reductions);
            assert_eq!(reduced.facts, reference.facts, "{name}");
            assert_eq!(reduced.notarized, reference.notarized, "{name}");
            println!("{name}: {} states, {} reduced", reference.unique, reduced.unique);
        }
    }
}

#[test]
fn crashes_agree() {
    let durable = Protocol { crashes: 1, ..instance(4, 1, 1, 1, Rules::HARDENED, &[Byzantine]) };
    all_agree("durable", &durable, 1);
    let rules = Rules { ticket_log: TicketLogRule::Volatile, ..Rules::HARDENED };
    let two = Protocol { crashes: 1, ..instance(4, 1, 1, 2, Rules::HARDENED, &[Byzantine]) };
    all_agree("durable, two subrounds", &two, 2);
    let behind =
        Protocol { crashes: 1, restarts_behind: true, ..instance(4, 1, 1, 2, Rules::HARDENED, &[Byzantine]) };
    all_agree("behind", &behind, 3);
    let volatile = Protocol { crashes: 1, ..instance(4, 1, 1, 1, rules, &[Byzantine]) };
    all_agree("volatile", &volatile, 1);
}

/// The negative control: the comparison sees a behaviour that is missing. Leaving out timeouts altogether loses the
/// second subround, and with it sets of notarized blocks and witnesses.
#[test]
fn a_behaviour_that_is_missing_is_seen() {
    let whole = instance(4, 1, 1, 2, Rules::HARDENED, &[Byzantine, Honest]);
    let right = explored(&whole, ladder()[2].1);
    let blocks =
        Blocks::new(1, 1, 2, false, SubroundCapRule::Unbounded, None, |_, _| vec![Byzantine, Honest])
            .unwrap();
    let wrong = explored(&Protocol { blocks, ..whole }, ladder()[6].1);
    assert_ne!(wrong.notarized, right.notarized);
    assert_ne!(wrong.facts, right.facts);
    assert!(wrong.notarized.is_subset(&right.notarized));
}

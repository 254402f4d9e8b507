//! Stateright explores the specification at small sizes: exact numbers of states, the verdicts of the three profiles, and
//! for every fault an instance in which the property breaks that PROTOCOL.md, section 7 names.

use stateright::{Checker, Model};
use std::collections::BTreeSet;
use zus_protocol::{
    ids::{MinerId, Rank, Round, Subround},
    properties::Property as P,
    rules::{EchoRule, FinalityRule, Rules},
};
use zus_spec::{
    Action, Block, Bounds, Crashes, Exploration, Fault, GENESIS,
    Generator::{self, Byzantine, Honest, Outsider},
    Instance, Network, Order,
};

/// The states of a search, and the properties that some state shows.
fn explored(exploration: &Exploration) -> (usize, BTreeSet<P>) {
    let checker = exploration.clone().checker().threads(2).spawn_bfs().join();
    let found = checker.discoveries();
    let shown = P::every().filter(|p| found.contains_key(p.id())).collect();
    (checker.unique_state_count(), shown)
}

/// The safety and liveness properties among `shown`: those that are violated.
fn violated(shown: &BTreeSet<P>) -> BTreeSet<P> {
    shown.iter().copied().filter(|p| !p.is_witness()).collect()
}

/// The same generators in every subround of the rounds that are explored, and none in later ones.
fn order(rounds: u64, subrounds: u32, generators: &[Generator]) -> Order {
    let places = (1..=rounds).flat_map(|r| (0..subrounds).map(move |s| (Round(r), Subround(s))));
    Order { listed: places.map(|place| (place, generators.to_vec())).collect(), otherwise: Vec::new() }
}

/// `n` members, `byzantine` of them Byzantine, the same generators in every subround.
fn instance(n: u16, byzantine: u16, rules: Rules, bounds: &Bounds, generators: &[Generator]) -> Instance {
    Instance::new(n, byzantine, rules, order(bounds.rounds.0, bounds.subrounds, generators))
}

fn at(round: u64, subround: u32, generator: Generator) -> Block {
    Block { round: Round(round), subround: Subround(subround), rank: Rank(0), twin: 0, generator }
}

/// The result of a search: a name, the exact number of states, the properties that break, the witnesses and
/// premises. A property that holds says something only where its premises are among these.
type Pinned = (&'static str, Exploration, usize, &'static [P], &'static [P]);

fn runs() -> Vec<Pinned> {
    let one = Bounds::new(1, 1);
    let two = Bounds::new(1, 2);
    let hardened = instance(4, 1, Rules::HARDENED, &one, &[Byzantine]);
    let fault_free = instance(3, 0, Rules::HARDENED, &two, &[Honest]);
    let restart = Instance { crashes: Crashes::Restart, ..instance(2, 0, Rules::HARDENED, &two, &[Honest]) };
    let crash = |bounds: &Bounds| Bounds { crashes: 1, ..bounds.clone() };
    let rounds = Bounds::new(2, 2);
    let of_two = |rules| instance(2, 0, rules, &rounds, &[Honest]);
    vec![
        (
            "hardened, one subround, an equivocator",
            Exploration::new(hardened, one.clone()),
            29_136,
            &[],
            &[P::W7, P::Signed, P::Notarized, P::Final, P::Beacon],
        ),
        (
            "hardened, two subrounds, no fault",
            Exploration::new(fault_free, two.clone()),
            6_975,
            &[],
            &[P::W1, P::W2, P::W4, P::W9, P::Signed, P::Notarized, P::Final, P::Beacon],
        ),
        (
            "hardened, a restart",
            Exploration::new(restart, crash(&two)),
            8_570,
            &[],
            &[P::W1, P::W2, P::W4, P::W6, P::W9, P::Signed, P::Notarized, P::Final, P::Beacon, P::Restarted],
        ),
        (
            "documented",
            Exploration::new(of_two(Rules::DOCUMENTED), rounds.clone()),
            73_968,
            &[P::S5, P::S6, P::S10],
            &[P::W1, P::W2, P::W4, P::Signed, P::Notarized, P::Child, P::Final, P::Beacon],
        ),
        (
            "deployed",
            Exploration::new(of_two(Rules::DEPLOYED), rounds.clone()),
            36_928,
            // Two rounds are too few for a depth of 3: no block is final, and S5 and S6 say nothing.
            &[],
            &[P::W1, P::W2, P::W4, P::Signed, P::Notarized, P::Child, P::Beacon],
        ),
    ]
}

#[test]
fn small_instances_have_exactly_these_states_and_verdicts() {
    let mut wrong = Vec::new();
    for (name, exploration, states, breaks, witnesses) in runs() {
        let start = std::time::Instant::now();
        let (found, shown) = explored(&exploration);
        let witnessed: BTreeSet<P> = shown.iter().copied().filter(|p| p.is_witness()).collect();
        eprintln!("{name}: {:?}", start.elapsed());
        let as_expected = found == states
            && violated(&shown) == breaks.iter().copied().collect()
            && witnessed == witnesses.iter().copied().collect();
        if !as_expected {
            wrong.push(format!("{name}: {found} states, {:?}, {witnessed:?}", violated(&shown)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// An instance that is right, a fault, the property that the fault breaks, and the others that break with it.
struct Mistake {
    fault: Fault,
    breaks: P,
    also: &'static [P],
    right: Exploration,
}

/// Four members, of whom 3 is Byzantine: miner 0 has left round 1 with a notarization that nobody else has, since the
/// Byzantine member completed it and showed it to nobody else. Then the network becomes synchronous.
fn one_miner_moved() -> Vec<Action> {
    let block = at(1, 0, Byzantine);
    let (first, second) = (MinerId(0), MinerId(1));
    let mut run: Vec<Action> = (0..3).map(|m| Action::ShareBeacon { miner: MinerId(m) }).collect();
    run.push(Action::ByzantinePropose { block, parent: GENESIS });
    for miner in [first, second] {
        run.extend([Action::Select { miner, block }, Action::Ticket { miner, block }]);
    }
    run.push(Action::ByzantineTicket { member: MinerId(3), block });
    run.extend([Action::Notarize { block }, Action::Leave { miner: first, block }, Action::Synchronize]);
    run
}

/// Two members, of whom 1 is Byzantine and has made two blocks in round 1: miner 0 has left through the first one.
fn beside_a_twin() -> Vec<Action> {
    let (block, miner) = (at(1, 0, Byzantine), MinerId(0));
    vec![
        Action::ShareBeacon { miner },
        Action::ByzantinePropose { block, parent: GENESIS },
        Action::ByzantinePropose { block: Block { twin: 1, ..block }, parent: GENESIS },
        Action::Select { miner, block },
        Action::Ticket { miner, block },
        Action::ByzantineTicket { member: MinerId(1), block },
        Action::Notarize { block },
        Action::Leave { miner, block },
        Action::ShareBeacon { miner },
    ]
}

/// Two honest members: miner 0 has left round 1 and timed out of (2, 0) while miner 1 is still in round 1.
fn one_timeout_ahead() -> Vec<Action> {
    let (block, first, second) = (at(1, 0, Honest), MinerId(0), MinerId(1));
    let mut run = vec![Action::ShareBeacon { miner: first }, Action::ShareBeacon { miner: second }];
    run.push(Action::Propose { miner: first, block });
    for miner in [first, second] {
        run.extend([Action::Select { miner, block }, Action::Ticket { miner, block }]);
    }
    run.extend([Action::Notarize { block }, Action::Leave { miner: first, block }]);
    run.push(Action::Timeout { miner: first });
    run
}

fn mistake(fault: Fault) -> Mistake {
    let bounds = |rounds, subrounds| Bounds { twins: 1, ..Bounds::new(rounds, subrounds) };
    let twins = |rounds, subrounds| Bounds::new(rounds, subrounds);
    let crash = |bounds| Bounds { crashes: 1, ..bounds };
    let hardened = |n, byzantine, bounds: Bounds, generators: &[Generator]| {
        let instance = instance(n, byzantine, Rules::HARDENED, &bounds, generators);
        Exploration::new(instance, bounds)
    };
    let with = |mut right: Exploration, change: &dyn Fn(&mut Instance)| {
        change(&mut right.instance);
        right
    };
    let live = |right| with(right, &|it| it.network = Network::PartiallySynchronous);
    // One miner alone, two subrounds, and one observer of every notarized block.
    let head = || {
        with(hardened(1, 0, bounds(1, 2), &[Honest]), &|it| {
            it.rules.finality = FinalityRule::TwoThirds;
            it.observers = 1;
        })
    };
    let (breaks, also, right): (P, &'static [P], Exploration) = match fault {
        Fault::EarlySharesDropped => {
            let bounds = Bounds { reserved_rounds: 1, ..bounds(2, 1) };
            (P::L1, &[P::L2], live(hardened(2, 0, bounds, &[Honest])))
        }
        Fault::SeedFromProposal => (P::S4, &[], hardened(2, 1, bounds(1, 1), &[Honest, Outsider])),
        Fault::BeaconOfFaultsPlusOne => {
            let bounds = Bounds { beacon_values: true, ..bounds(1, 1) };
            (P::S11, &[], with(hardened(4, 1, bounds, &[]), &|it| it.committee.exposed = 1))
        }
        Fault::ProposesTwice => (P::S10, &[], hardened(1, 0, bounds(1, 1), &[Honest])),
        Fault::ParentUnchecked => {
            let right = hardened(2, 1, twins(2, 1), &[Byzantine]);
            (P::S3, &[P::S5, P::S10], Exploration { from: beside_a_twin(), ..right })
        }
        Fault::ProposalsVolatile => {
            let right = hardened(1, 0, crash(bounds(1, 1)), &[Honest]);
            (P::S10, &[], with(right, &|it| it.crashes = Crashes::Restart))
        }
        Fault::VotesVolatile => {
            let right = hardened(1, 0, crash(bounds(1, 2)), &[Honest]);
            (P::S6, &[P::S10], with(right, &|it| it.crashes = Crashes::RestartBehind))
        }
        Fault::QuorumOneLess | Fault::QuorumOfFaultsPlusOne => {
            (P::S2, &[P::S5, P::S6], hardened(2, 0, bounds(1, 1), &[Honest, Honest]))
        }
        Fault::EmbeddedUnverified | Fault::UnweightedSum | Fault::DuplicateSigner => {
            (P::S8, &[], hardened(2, 1, bounds(1, 1), &[Byzantine]))
        }
        Fault::LabelUnchecked => (P::S8, &[], hardened(1, 0, bounds(2, 1), &[Honest])),
        Fault::NotRecorded => (P::L1, &[], live(hardened(1, 0, bounds(1, 1), &[Honest]))),
        Fault::SubroundUnbound => (P::S8, &[P::S6], hardened(2, 1, bounds(1, 2), &[Byzantine])),
        Fault::NotarizationsNotRelayed => {
            let mut right = live(hardened(4, 1, bounds(2, 1), &[Honest]));
            right.instance.order.listed.insert((Round(1), Subround(0)), vec![Byzantine]);
            (P::L1, &[P::L3, P::L4, P::L5], Exploration { from: one_miner_moved(), ..right })
        }
        Fault::VotesAfterOtherTicket | Fault::VotesWithoutLeaving => {
            (P::S6, &[P::S10], hardened(1, 0, bounds(1, 2), &[Honest]))
        }
        Fault::OwnSubroundOnly => {
            let right = live(hardened(2, 0, bounds(2, 2), &[Honest]));
            let right = with(right, &|it| it.rules.echo = EchoRule::None);
            (P::L3, &[P::L1], Exploration { from: one_timeout_ahead(), ..right })
        }
        Fault::WithoutCertificate => (P::L3, &[P::L1], live(hardened(2, 0, bounds(1, 2), &[Honest]))),
        Fault::TwoDeltaWithoutWait => {
            let right = hardened(2, 1, bounds(1, 2), &[Byzantine]);
            let change = |it: &mut Instance| {
                it.rules.finality = FinalityRule::TwoDelta;
                it.network = Network::Synchronous;
                it.observers = 2;
            };
            (P::S5, &[P::S10], with(right, &change))
        }
        Fault::HeadAnywhere | Fault::HeadMovesBack => (P::S7, &[], head()),
        Fault::HeadSkipsMissing => {
            (P::S5, &[], with(hardened(1, 0, bounds(2, 1), &[Honest]), &|it| it.observers = 1))
        }
    };
    Mistake { fault, breaks, also, right }
}

/// The steps at whose end the search begins are enabled one after the other.
fn is_a_run(exploration: &Exploration) {
    let instance = &exploration.instance;
    let mut state = instance.initial();
    for step in &exploration.from {
        assert_eq!(instance.enabled(&state, step), Ok(()), "{step:?}");
        instance.apply(&mut state, step);
    }
}

#[test]
fn every_fault_breaks_the_property_that_it_is_said_to_break() {
    let mut wrong = Vec::new();
    for mistake in Fault::ALL.map(mistake) {
        let Mistake { fault, breaks, also, right } = mistake;
        is_a_run(&right);
        let start = std::time::Instant::now();
        let mut faulty = right.clone();
        faulty.instance.fault = Some(fault);
        let ((states, without), (faulty_states, with)) = (explored(&right), explored(&faulty));
        eprintln!("{fault:?}: {states} and {faulty_states} states, {:?}", start.elapsed());
        let new: BTreeSet<P> = violated(&with).difference(&violated(&without)).copied().collect();
        let expected: BTreeSet<P> = also.iter().copied().chain([breaks]).collect();
        if new != expected || without.contains(&breaks) {
            wrong.push(format!(
                "{fault:?} breaks {new:?}, said {expected:?}; without {:?}",
                violated(&without)
            ));
        }
        let missing: Vec<&P> =
            breaks.premises().iter().filter(|premise| !without.contains(premise)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{fault:?}: {breaks:?} holds without it, but says nothing: {missing:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

//! The packed model and the specification (`zus-spec`) are the same protocol.
//!
//! - Without reductions they take the same steps in the same states: the two are walked side by side, state by state.
//! - With reductions each action of the packed model is a macro step (`expand.rs`), which the specification executes with
//!   its own guards; after it the two states agree in everything that the reductions keep.
//! - The runs that `zus check` reports are runs of the specification, and show there what they claim.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    path::Path,
    rc::Rc,
};
use zus_checker::{
    action::Action,
    blocks::{Blocks, Generator},
    committed,
    committee::{Committee, beacon_threshold, quorum},
    expand::{Expansion, Unexpanded, comparable, packed_action, project, shows, specified},
    properties::{Facts, Property},
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::{BeaconRule, EchoRule, FinalityRule, ParentRule, QuorumRule, Rules, TicketLogRule, TicketRule},
    scenario::{Change, Scenario},
    search::{
        bfs::{Limits, explore},
        check::{Options, check},
    },
    state::State,
    trace::Trace,
};
use zus_spec::{Exploration, Fault};

use Generator::{Byzantine, Honest};

/// An instance without reductions, in an asynchronous network.
fn instance(
    n: u32,
    byzantine: u32,
    rounds: u8,
    subrounds: u8,
    rules: Rules,
    order: &[Generator],
) -> Protocol {
    let twins = if rounds == 1 && subrounds == 1 && n < 4 { 2 } else { 1 };
    let blocks =
        Blocks::new(rounds, subrounds, twins, false, rules.subround_cap, None, |_, _| order.to_vec());
    Protocol::asynchronous(n, byzantine, rules, blocks.unwrap())
}

/// All properties and premises.
fn everything() -> impl Iterator<Item = Property> {
    Property::every()
}

/// The known differences between the two models in an instance.
#[derive(Clone, Copy, Default)]
struct Differences {
    /// Properties that are not compared state by state, only over all states.
    properties: &'static [Property],
    /// Steps that only the packed model takes.
    packed_only: Option<fn(&State, &Action) -> bool>,
}

/// The result of a walk through both models.
struct Walk {
    /// States of the specification.
    states: HashSet<zus_spec::State>,
    /// States of the packed model that they are packed into.
    packed: usize,
    /// Properties that some state shows.
    shown: BTreeSet<Property>,
}

/// The steps that lead to a state, the last one first.
#[derive(Clone)]
struct Trail(Option<Rc<(zus_spec::Action, Trail)>>);

impl Trail {
    /// The steps, one a line, of a long run the last ones.
    fn told(&self) -> String {
        const TOLD: usize = 12;
        let mut steps = Vec::new();
        let mut at = self;
        while let Some(last) = &at.0 {
            steps.push(format!("  {:?}", last.0));
            at = &last.1;
        }
        let count = steps.len();
        steps.truncate(TOLD);
        steps.reverse();
        format!("after {count} steps, the last of which are\n{}", steps.join("\n"))
    }
}

/// The first line in which two states differ, with the name of its field.
fn difference(ours: &impl std::fmt::Debug, theirs: &impl std::fmt::Debug) -> String {
    let (ours, theirs) = (format!("{ours:#?}"), format!("{theirs:#?}"));
    let mut field = "";
    for (a, b) in ours.lines().zip(theirs.lines()) {
        if a != b {
            return format!(
                "in `{}`: specification `{}`, packed model `{}`",
                field.trim(),
                a.trim(),
                b.trim()
            );
        }
        if a.contains(':') {
            field = a;
        }
    }
    format!("{} and {} lines of one beginning", ours.lines().count(), theirs.lines().count())
}

/// Walks the specification through all its states within the bounds of `protocol`, and compares with the packed model: the
/// steps that may happen, the states that they lead to, and the properties. `Err` says where they part.
fn side_by_side(protocol: &Protocol, spec: &Exploration, differences: Differences) -> Result<Walk, String> {
    let asked: Facts = everything().collect();
    let start = spec.instance.initial();
    let mut seen = HashSet::from([start.clone()]);
    let mut packed_seen: HashSet<State> = HashSet::new();
    let mut shown = BTreeSet::new();
    let mut waiting = vec![(start, Trail(None))];
    while let Some((state, trail)) = waiting.pop() {
        let packed = project(protocol, &spec.instance, &state);
        packed_seen.insert(comparable(protocol, packed));
        let facts = protocol.facts(&packed, asked);
        for property in everything() {
            let (here, there) = (spec.shows(&state, property), facts.has(property));
            if here != there && !differences.properties.contains(&property) {
                let id = property.id();
                return Err(format!("{id}: specification {here}, packed model {there}, {}", trail.told()));
            }
            if here {
                shown.insert(property);
            }
        }
        let mut expected = Vec::new();
        protocol.actions(&packed, &mut expected);
        if let Some(packed_only) = differences.packed_only {
            expected.retain(|action| !packed_only(&packed, action));
        }
        let mut expected: HashSet<Action> = expected.into_iter().collect();
        for step in spec.steps(&state) {
            let action = packed_action(protocol, &state, &step).ok_or(format!("no room for {step:?}"))?;
            if !expected.remove(&action) {
                let why = protocol.enabled(&packed, &action);
                return Err(format!("only the specification takes {step:?} ({why:?}), {}", trail.told()));
            }
            let mut next = state.clone();
            spec.instance.apply(&mut next, &step);
            let (ours, theirs) = (project(protocol, &spec.instance, &next), protocol.apply(&packed, &action));
            let (ours, theirs) = (comparable(protocol, ours), comparable(protocol, theirs));
            if ours != theirs {
                let difference = difference(&ours, &theirs);
                return Err(format!("{step:?} leads to two states; {difference}; {}", trail.told()));
            }
            if seen.insert(next.clone()) {
                waiting.push((next, Trail(Some(Rc::new((step, trail.clone()))))));
            }
        }
        if let Some(action) = expected.iter().next() {
            return Err(format!("only the packed model takes {action:?}, {}", trail.told()));
        }
    }
    Ok(Walk { states: seen, packed: packed_seen.len(), shown })
}

/// The packed model's own search: its states up to what is compared, and the properties that they show.
fn packed_states(protocol: &Protocol) -> (usize, BTreeSet<Property>) {
    let states = std::sync::Mutex::new(HashSet::new());
    let visit = |state: &State| {
        states.lock().unwrap().insert(comparable(protocol, *state));
    };
    let found = explore(protocol, everything().collect(), None, Limits::default(), &|_| {}, &visit).found;
    (states.into_inner().unwrap().len(), found.keys().copied().collect())
}

/// Both models of `protocol` agree in every state, and so in their number and in all verdicts.
fn same(name: &str, protocol: &Protocol, differences: Differences) -> Walk {
    let (instance, bounds) = specified(protocol);
    let walk = side_by_side(protocol, &Exploration::new(instance, bounds), differences)
        .unwrap_or_else(|why| panic!("{name}: {why}"));
    println!("{name}: {} states of the specification, {} packed", walk.states.len(), walk.packed);
    if differences.packed_only.is_none() {
        let (states, shown) = packed_states(protocol);
        assert_eq!(walk.packed, states, "{name}: numbers of states");
        assert_eq!(walk.shown, shown, "{name}: verdicts");
    }
    walk
}

const NONE: Differences = Differences { properties: &[], packed_only: None };

#[test]
fn the_profiles_are_the_same_in_both_models() {
    same("hardened", &instance(4, 1, 1, 1, Rules::HARDENED, &[Byzantine]), NONE);
    same("hardened, two subrounds", &instance(2, 0, 1, 2, Rules::HARDENED, &[Honest]), NONE);
    same("hardened, an equivocator", &instance(3, 1, 1, 1, Rules::HARDENED, &[Byzantine]), NONE);
    same("hardened, two rounds", &instance(2, 0, 2, 1, Rules::HARDENED, &[Honest]), NONE);
    same("hardened, one member", &instance(1, 0, 2, 2, Rules::HARDENED, &[Honest]), NONE);
    same("documented", &instance(2, 0, 2, 1, Rules::DOCUMENTED, &[Honest]), NONE);
    same("documented, one member", &instance(1, 0, 2, 2, Rules::DOCUMENTED, &[Honest]), NONE);
    same("documented, f + 1", &instance(2, 1, 1, 2, Rules::DOCUMENTED, &[Byzantine]), NONE);
    same("deployed", &instance(2, 0, 2, 1, Rules::DEPLOYED, &[Honest]), NONE);
    same("deployed, one member", &instance(1, 0, 2, 2, Rules::DEPLOYED, &[Honest]), NONE);
    same("deployed, f + 1", &instance(2, 1, 1, 2, Rules::DEPLOYED, &[Byzantine]), NONE);
}

#[test]
fn crashes_and_observers_are_the_same_in_both_models() {
    let crash = |protocol| Protocol { crashes: 1, ..protocol };
    same("restart", &crash(instance(2, 0, 1, 2, Rules::HARDENED, &[Honest])), NONE);
    let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..Rules::HARDENED };
    same("volatile", &crash(instance(2, 1, 1, 1, volatile, &[Byzantine])), NONE);
    same("volatile, no fault", &crash(instance(2, 0, 1, 1, volatile, &[Honest, Honest])), NONE);
    let heads = |rules| Protocol { observers: 2, ..instance(1, 0, 2, 2, rules, &[Honest]) };
    same("heads", &heads(Rules::HARDENED), NONE);
    let two_thirds = Rules { finality: FinalityRule::TwoThirds, ..Rules::HARDENED };
    same("heads of every notarized block", &heads(two_thirds), NONE);
    let on_head = Rules { parent: ParentRule::OnFinalizedHead, ..two_thirds };
    same("parents on the head", &heads(on_head), NONE);
    let mut exposed = instance(4, 1, 1, 1, Rules::HARDENED, &[]);
    exposed.committee.exposed = 1;
    same("an exposed member", &exposed, NONE);
}

#[test]
fn every_rule_is_the_same_in_both_models() {
    let hardened = Rules::HARDENED;
    for &ticket in TicketRule::ALL {
        let rules = Rules { ticket, ..hardened };
        // Three ranks: a predicate may be wrong of the third one only.
        let order = &[Honest, Byzantine, Honest];
        same(&format!("ticket = {ticket}"), &instance(2, 1, 1, 1, rules, order), NONE);
    }
    let chained = Rules { beacon: BeaconRule::Chained, ..hardened };
    same("chained", &instance(1, 0, 3, 2, chained, &[Honest]), NONE);
    same(
        "chained, two members",
        &instance(2, 0, 2, 1, Rules { echo: EchoRule::None, ..chained }, &[Honest]),
        NONE,
    );
    for &finality in FinalityRule::ALL {
        let rules = Rules { finality, ..hardened };
        same(&format!("finality = {finality}"), &instance(1, 0, 3, 2, rules, &[Honest]), NONE);
    }
    let percent = Rules { quorum: QuorumRule::Percent66, ..hardened };
    same("66 percent", &instance(3, 1, 1, 1, percent, &[Byzantine]), NONE);
}

/// Two rounds, the first with two blocks that may be extended.
fn two_parents(rules: Rules) -> Protocol {
    let order = |round, _| if round == 1 { vec![Byzantine, Honest] } else { vec![Byzantine] };
    let blocks = Blocks::new(2, 1, 1, false, rules.subround_cap, None, order).unwrap();
    Protocol { blocks, ..instance(2, 1, 2, 1, rules, &[Byzantine]) }
}

/// The same instance with a mistake: more blocks can exist, and a quorum or threshold can be another.
fn mistaken(fault: Fault, protocol: Protocol) -> Protocol {
    let blocks = &protocol.blocks;
    let order = |round, subround| {
        let first = |b: &zus_checker::blocks::BlockId| blocks.place(*b).twin == 0;
        blocks.of_subround(round, subround).filter(first).map(|b| blocks.place(b).generator).collect()
    };
    let twins = if blocks.all().any(|b| blocks.place(b).twin == 1) { 2 } else { 1 };
    let cap = protocol.rules.subround_cap;
    let (rounds, subrounds) = (blocks.rounds, blocks.subrounds);
    let blocks = Blocks::new(rounds, subrounds, twins, false, cap, Some(fault), order).unwrap();
    let n = protocol.committee.n;
    let committee = Committee {
        quorum: quorum(protocol.rules.quorum, Some(fault), n),
        beacon_threshold: beacon_threshold(Some(fault), n),
        ..protocol.committee.clone()
    };
    Protocol { committee, blocks, fault: Some(fault), ..protocol }
}

/// A fault under which the two models are walked side by side, or why they are not.
fn faulty(fault: Fault) -> Result<(Protocol, Differences), &'static str> {
    let h = Rules::HARDENED;
    let crash = |protocol| Protocol { crashes: 1, ..protocol };
    let hardened = |n, byzantine, rounds, subrounds, order: &[Generator]| {
        instance(n, byzantine, rounds, subrounds, h, order)
    };
    let finality = |finality| Rules { finality, ..h };
    let head =
        || Protocol { observers: 1, ..instance(1, 0, 1, 2, finality(FinalityRule::TwoThirds), &[Honest]) };
    let mut differences = NONE;
    let protocol = match fault {
        Fault::EarlySharesDropped => {
            return Err("without `eager` a packed miner that shares forgets the shares that it held");
        }
        Fault::SeedFromProposal => hardened(2, 1, 1, 1, &[Honest]),
        Fault::BeaconOfFaultsPlusOne => {
            let mut protocol = hardened(4, 1, 1, 1, &[]);
            protocol.committee.exposed = 1;
            // In the round after the last one nobody of the packed model knows a value.
            differences = Differences { properties: &[Property::Beacon], packed_only: None };
            protocol
        }
        Fault::ProposesTwice => hardened(2, 0, 1, 1, &[Honest]),
        Fault::ParentUnchecked => two_parents(h),
        Fault::ProposalsVolatile => {
            // In the packed model a generator may make a second block because *another* miner restarted.
            let other_restarted = |state: &State, action: &Action| match *action {
                Action::Propose { miner, .. } => {
                    let m = &state.miners[miner as usize];
                    m.proposed() == 1 && m.recovered() == 0
                }
                _ => false,
            };
            differences = Differences { properties: &[], packed_only: Some(other_restarted) };
            crash(hardened(2, 0, 1, 1, &[Honest]))
        }
        Fault::VotesVolatile => crash(hardened(2, 0, 1, 2, &[Honest])),
        Fault::QuorumOneLess => hardened(2, 0, 1, 1, &[Honest, Honest]),
        Fault::QuorumOfFaultsPlusOne => hardened(3, 0, 1, 1, &[Honest]),
        Fault::EmbeddedUnverified => hardened(2, 1, 1, 1, &[Byzantine]),
        Fault::LabelUnchecked => hardened(1, 0, 3, 1, &[Honest]),
        Fault::SubroundUnbound => hardened(2, 1, 1, 2, &[Byzantine]),
        Fault::UnweightedSum | Fault::DuplicateSigner => hardened(3, 1, 1, 1, &[Byzantine]),
        Fault::NotRecorded | Fault::NotarizationsNotRelayed | Fault::VotesAfterOtherTicket => {
            hardened(2, 0, 1, 2, &[Honest])
        }
        Fault::VotesWithoutLeaving => {
            // The packed model takes a ticket for the block that was voted for as a contradiction.
            differences = Differences { properties: &[Property::S10], packed_only: None };
            hardened(2, 0, 1, 2, &[Honest])
        }
        Fault::OwnSubroundOnly | Fault::WithoutCertificate => hardened(2, 0, 1, 3, &[Honest]),
        Fault::TwoDeltaWithoutWait => instance(2, 0, 1, 2, finality(FinalityRule::TwoDelta), &[Honest]),
        Fault::HeadAnywhere | Fault::HeadMovesBack => head(),
        Fault::HeadSkipsMissing => Protocol { observers: 1, ..hardened(1, 0, 2, 1, &[Honest]) },
    };
    Ok((mistaken(fault, protocol), differences))
}

/// The states of the specification without the mistake in the rules of `protocol`.
fn states_without_fault(protocol: &Protocol) -> HashSet<zus_spec::State> {
    let (instance, bounds) = specified(protocol);
    states(&Exploration::new(zus_spec::Instance { fault: None, ..instance }, bounds))
}

/// All states of a search.
fn states(spec: &Exploration) -> HashSet<zus_spec::State> {
    let start = spec.instance.initial();
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = vec![start];
    while let Some(state) = waiting.pop() {
        for step in spec.steps(&state) {
            let mut next = state.clone();
            spec.instance.apply(&mut next, &step);
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    seen
}

#[test]
fn every_fault_is_the_same_in_both_models() {
    let mut apart = 0;
    for fault in Fault::ALL {
        match faulty(fault) {
            Ok((protocol, differences)) => {
                assert_eq!(specified(&protocol).0.fault, Some(fault));
                let walk = same(&format!("{fault:?}"), &protocol, differences);
                // The fault changes something there, if it is not about the good period.
                let good_period =
                    matches!(fault, Fault::NotarizationsNotRelayed | Fault::TwoDeltaWithoutWait);
                assert_eq!(walk.states != states_without_fault(&protocol), !good_period, "{fault:?}");
            }
            Err(why) => {
                println!("{fault:?}: {why}");
                apart += 1;
            }
        }
    }
    assert_eq!(apart, 1);
}

/// The negative control: with one guard removed by a fault the two models part.
#[test]
fn a_guard_that_is_removed_is_seen() {
    let removed = [
        (Fault::QuorumOneLess, instance(2, 0, 1, 1, Rules::HARDENED, &[Honest])),
        (Fault::ParentUnchecked, two_parents(Rules::HARDENED)),
        (Fault::WithoutCertificate, instance(2, 0, 1, 2, Rules::HARDENED, &[Honest])),
        (Fault::DuplicateSigner, instance(2, 1, 1, 1, Rules::HARDENED, &[Byzantine])),
        (Fault::VotesAfterOtherTicket, instance(1, 0, 1, 2, Rules::HARDENED, &[Honest])),
    ];
    for (fault, protocol) in removed {
        let (mut instance, bounds) = specified(&protocol);
        assert!(side_by_side(&protocol, &Exploration::new(instance.clone(), bounds.clone()), NONE).is_ok());
        instance.fault = Some(fault);
        let wrong = side_by_side(&protocol, &Exploration::new(instance, bounds), NONE);
        let told = wrong.err().unwrap_or_else(|| panic!("{fault:?} is not seen"));
        // It names the step and the way there, and prints no state.
        assert!(told.len() < 4000 && told.lines().count() <= 14 && !told.contains("State {"), "{told}");
    }
}

/// In the good period the packed model needs its reductions, so here only verdicts are compared: the specification is
/// searched as it is.
#[test]
fn liveness_is_judged_alike() {
    let h = Rules::HARDENED;
    let live = |rounds, subrounds, reserved_rounds, rules| Protocol {
        network: Network::PartiallySynchronous,
        reserved_rounds,
        reductions: Reductions { byzantine_available: true, eager: true, ..Reductions::NONE },
        ..instance(2, 0, rounds, subrounds, rules, &[Honest])
    };
    let quiet = Rules { echo: EchoRule::None, ..h };
    let mut violated = 0;
    for (name, protocol) in [
        ("hardened", live(1, 2, 0, h)),
        ("hardened, two rounds", live(2, 1, 1, h)),
        ("documented", live(1, 2, 0, Rules::DOCUMENTED)),
        ("deployed", live(1, 2, 0, Rules::DEPLOYED)),
        ("chained", live(2, 1, 0, Rules { beacon: BeaconRule::Chained, ..quiet })),
        ("early shares dropped", mistaken(Fault::EarlySharesDropped, live(2, 1, 1, h))),
        ("not recorded", mistaken(Fault::NotRecorded, live(1, 2, 0, h))),
        ("without a certificate", mistaken(Fault::WithoutCertificate, live(1, 2, 0, h))),
        ("one restart", Protocol { crashes: 1, ..live(1, 1, 0, h) }),
    ] {
        let asked = [Property::L1, Property::L2, Property::L3, Property::L4, Property::L5, Property::Ending];
        let facts = asked.iter().copied().collect();
        let found = explore(&protocol, facts, None, Limits::default(), &|_| {}, &|_| {}).found;
        let packed: BTreeSet<Property> = found.keys().copied().collect();
        let (instance, bounds) = specified(&protocol);
        let spec = Exploration::new(instance, bounds);
        let states = states(&spec);
        let shown = |property: &Property| states.iter().any(|state| spec.shows(state, *property));
        let specified: BTreeSet<Property> = asked.into_iter().filter(shown).collect();
        println!("{name}: {} states of the specification, {specified:?}", states.len());
        assert_eq!(specified, packed, "{name}");
        assert!(packed.contains(&Property::Ending), "{name}");
        violated += usize::from(packed.contains(&Property::L1));
    }
    assert!(violated >= 3, "{violated} are violated");
}

/// A committed scenario, or one of a mutant.
fn scenario(name: &str) -> Scenario {
    committed::scenario(name, &Change::default()).unwrap().unwrap()
}

/// One action in both models. `Ok(None)` where the packed model lets something happen that the specification does not, as
/// it merges a proposal with the first use of its block:
/// - a generator would have had to propose before the beacon value was known. That can be where a miner leaves its subround
///   by its own timer (`reductions.rs`, `eager`);
/// - in a synchronous network the block carries the notarization of its parent, which must reach another miner before the
///   window for the block closes. That can be where notarizations are not relayed anyway.
fn follow(
    protocol: &Protocol,
    state: &State,
    run: &Expansion,
    action: &Action,
) -> Result<Option<(State, Expansion)>, String> {
    let mut run = run.clone();
    match run.take(protocol, action) {
        Ok(()) => {}
        Err(Unexpanded::NoProposer(_)) if !run.instance.timeouts_are_votes() => return Ok(None),
        Err(Unexpanded::Guard { guard: zus_spec::Blocked::MessagesFirst, .. })
            if !run.instance.relays_notarizations() =>
        {
            return Ok(None);
        }
        Err(why) => return Err(format!("{action:?}: {why}, after {:?} in {state:?}", run.steps)),
    }
    let next = protocol.apply(state, action);
    let mut projected = project(protocol, &run.instance, &run.state);
    for block in protocol.blocks.all() {
        // An honest generator owed it, and nobody has used it.
        if run.unused.contains(&zus_checker::expand::block_of(&protocol.blocks, block)) {
            projected.block_mut(block).set_parent(0);
        }
    }
    let (ours, theirs) = (comparable(protocol, projected), comparable(protocol, next));
    if ours != theirs {
        return Err(format!("{action:?} leads to\n{ours:?}\nand\n{theirs:?}\nby {:?}", run.steps));
    }
    Ok(Some((next, run)))
}

/// The negative control: where the specification forbids a step that the packed model takes, its run is refused.
#[test]
fn a_run_that_the_specification_forbids_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/hardened-W8.json");
    let trace = Trace::load(&path).unwrap();
    let taken = |fault| {
        let mut run = Expansion::new(&trace.protocol).unwrap();
        run.instance.fault = fault;
        trace.steps.iter().try_for_each(|step| run.take(&trace.protocol, &step.action))
    };
    assert_eq!(taken(None), Ok(()));
    assert!(matches!(taken(Some(Fault::NotRecorded)), Err(Unexpanded::Guard { .. })));
}

/// Expands every action in each of the states that a search of `protocol` sees, up to `most` states, each reached by one
/// run. Gives the number of states, and of actions that were left out.
fn expand_all(protocol: &Protocol, most: usize) -> Result<(usize, usize), String> {
    let start = protocol.initial();
    let mut seen = HashSet::from([protocol.normalize(start)]);
    let mut waiting = VecDeque::from([(start, Expansion::new(protocol).map_err(|why| why.to_string())?)]);
    let (mut actions, mut left_out) = (Vec::new(), 0);
    while let Some((state, run)) = waiting.pop_front() {
        actions.clear();
        protocol.actions(&state, &mut actions);
        for action in &actions {
            match follow(protocol, &state, &run, action)? {
                None => left_out += 1,
                Some((next, run)) => {
                    if seen.len() < most && seen.insert(protocol.normalize(next)) {
                        waiting.push_back((next, run));
                    }
                }
            }
        }
    }
    Ok((seen.len(), left_out))
}

/// The same along random runs.
fn expand_randomly(protocol: &Protocol, runs: u64) -> Result<(usize, usize), String> {
    let (mut steps, mut left_out) = (0, 0);
    for seed in 0..runs {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut state = protocol.initial();
        let mut run = Expansion::new(protocol).map_err(|why| why.to_string())?;
        loop {
            let mut actions = Vec::new();
            protocol.actions(&state, &mut actions);
            if actions.is_empty() {
                break;
            }
            let action = actions[random.next_u32() as usize % actions.len()];
            match follow(protocol, &state, &run, &action)? {
                None => {
                    left_out += 1;
                    break;
                }
                Some(next) => (state, run) = next,
            }
            steps += 1;
        }
    }
    Ok((steps, left_out))
}

#[test]
fn every_action_of_a_small_scenario_is_a_macro_step() {
    let mut wrong = Vec::new();
    for (name, most) in [
        ("late_better_rank", usize::MAX),
        ("catalogue_no_such_block", usize::MAX),
        ("catalogue_far_ahead", usize::MAX),
        ("two_subrounds", usize::MAX),
        ("amnesia", usize::MAX),
        ("percent66_n50", usize::MAX),
        ("exposed_f_plus_one", 1_000),
        ("hardened_restart", 1_000),
        ("hardened_restart_behind", 1_000),
        ("hardened_live", 1_000),
        ("hardened_sharders", 1_000),
        ("two_delta_synchronous", 500),
        ("beacon_adopted", 500),
        ("documented_live", 500),
        ("deployed_live", 500),
    ] {
        match expand_all(&scenario(name).protocol, most) {
            Ok((states, left_out)) => {
                println!("{name}: {states} states, {left_out} actions left out");
            }
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn random_runs_of_larger_scenarios_are_runs_of_the_specification() {
    let mut wrong = Vec::new();
    for (name, runs) in [
        ("hardened", 10),
        ("hardened_n7", 5),
        ("hardened_3_rounds", 10),
        ("hardened_exposed", 10),
        ("hardened_live", 10),
        ("hardened_restart_live", 10),
        ("f_plus_one", 10),
        ("beacon_split", 10),
        ("profile_documented", 10),
        ("deployed_fork", 10),
        ("two_delta_guarded", 10),
    ] {
        match expand_randomly(&scenario(name).protocol, runs) {
            Ok((steps, left_out)) => {
                println!("{name}: {steps} steps in {runs} runs, {left_out} of them cut off");
            }
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether the run of `trace` is one of the specification, and shows what it claims.
fn replays(trace: &Trace) -> Result<(), String> {
    let protocol = &trace.protocol;
    let mut state = protocol.initial();
    let mut run = Expansion::new(protocol).map_err(|why| why.to_string())?;
    for step in &trace.steps {
        (state, run) =
            follow(protocol, &state, &run, &step.action)?.ok_or("a generator knew no beacon value")?;
    }
    let Some(claim) = &trace.claim else { return Ok(()) };
    match shows(protocol, &actions_of(trace), claim.property) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{} is not shown by {:?}", claim.property.id(), run.steps)),
        Err((step, why)) => Err(format!("step {step}: {why}")),
    }
}

fn actions_of(trace: &Trace) -> Vec<Action> {
    trace.steps.iter().map(|step| step.action).collect()
}

/// The negative control: a run that ends too early shows nothing, and one without its first step is refused where that is missing.
#[test]
fn a_run_that_does_not_show_its_property_is_seen() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/hardened-W8.json");
    let trace = Trace::load(&path).unwrap();
    let actions = actions_of(&trace);
    assert_eq!(shows(&trace.protocol, &actions, Property::W8), Ok(true));
    assert_eq!(shows(&trace.protocol, &actions[..1], Property::W8), Ok(false));
    assert!(matches!(shows(&trace.protocol, &actions[1..], Property::W8), Err((1.., _))));
}

#[test]
fn reported_runs_are_runs_of_the_specification() {
    let mut wrong = Vec::new();
    let mut runs = 0;
    let mut judge = |name: String, trace: &Trace| {
        runs += 1;
        if let Err(why) = replays(trace) {
            wrong.push(format!("{name}: {why}"));
        }
    };
    let folders = ["traces", "../proofs/traces"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    for path in paths {
        judge(path.display().to_string(), &Trace::load(&path).unwrap());
    }
    let options = Options { limits: Limits::default(), command: "zus check", progress: &|_| {} };
    for name in [
        "late_better_rank",
        "amnesia",
        "two_subrounds",
        "two_subrounds_better_rank",
        "two_subrounds_better_or_equal",
        "notarized_is_final",
        "percent66_n50",
        "catalogue_far_ahead",
        "catalogue_different_blocks",
        "catalogue_different_blocks_deployed",
        "common_ancestor_1",
        "two_delta_async",
    ] {
        for finding in check(&scenario(name), options).findings {
            if let Some(trace) = finding.trace {
                judge(format!("{name}, {}", finding.property.id()), &trace);
            }
        }
    }
    for mutant in zus_checker::mutants::committed_mutants().unwrap() {
        let mut mutated = mutant.mutated.clone();
        mutated.expect.retain(|expectation| expectation.property == mutant.property);
        let finding = check(&mutated, options).findings.into_iter().next().unwrap();
        let trace = finding.trace.unwrap_or_else(|| panic!("{} is not killed", mutant.id));
        judge(format!("mutant {}, {}", mutant.id, mutant.property.id()), &trace);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(runs, 93);
}

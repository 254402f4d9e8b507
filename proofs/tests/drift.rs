//! Drift between specification and model is found: a rule of the model changed, or a guard of the specification deleted.

use crate::universes::{Instance, honest};
use zus_checker::{
    Fault,
    blocks::Generator::{Byzantine, Honest},
    protocol::Reductions,
    rules::{Rules, TicketLogRule, TicketRule},
};
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::{Drift, Placement, Tie, explore, walk},
};

/// States of a universe of one miner, with restarts, that are visited before random runs begin.
const STATES_ALONE: usize = 12_000;
/// States of the others.
const STATES: usize = 300;
/// Random runs of each universe.
const RUNS: u64 = 40;

fn hardened() -> Spec {
    load(&Sources::embedded(), &RuleChoice::hardened()).unwrap()
}

/// The first drift in one of the instances.
fn drift(spec: &Spec, instances: &[Instance]) -> String {
    for instance in instances {
        let protocol = instance.protocol();
        let tie = Tie::new(spec, &protocol).unwrap();
        let placement = &Placement::all(&protocol).unwrap()[0];
        let states = if instance.n == 1 { STATES_ALONE } else { STATES };
        let found = explore(&tie, placement, states).map(|_| ());
        let walks = (0..RUNS).map(|seed| walk(&tie, seed, 120).map(|_| ()));
        let failure = std::iter::once(found).chain(walks).find_map(Result::err);
        if let Some(failure) = failure {
            return name(&failure.drift);
        }
    }
    "none".into()
}

fn name(drift: &Drift) -> String {
    match drift {
        Drift::Forbidden(disabled) => format!("forbidden {}/{}", disabled.action, disabled.guard),
        Drift::NoCounterpart => "no counterpart".into(),
        Drift::Disagree { .. } => "disagree".into(),
        Drift::Missing { action, .. } => format!("missing {action}"),
        Drift::Broken(name) => format!("broken {name}"),
    }
}

fn universes(rules: Rules, fault: Option<Fault>) -> [Instance; 5] {
    [
        Instance { rules, fault, crashes: 1, behind: true, ..honest(1, 1, 3, &[Honest]) },
        Instance { rules, fault, ..honest(2, 2, 2, &[Honest, Honest]) },
        Instance { rules, fault, byzantine: 1, outsider: true, ..honest(4, 1, 2, &[Honest]) },
        Instance { rules, fault, byzantine: 1, ..honest(4, 2, 2, &[Byzantine]) },
        Instance {
            rules,
            fault,
            byzantine: 1,
            reductions: Reductions::NONE,
            ..honest(4, 2, 2, &[Byzantine, Honest])
        },
    ]
}

#[test]
fn a_changed_rule_of_the_model_is_found() {
    let hardened_rules = Rules::HARDENED;
    let changes = [
        (Rules { ticket: TicketRule::BetterRank, ..hardened_rules }, "forbidden log_ticket/one-per-subround"),
        (
            Rules { ticket: TicketRule::BetterOrEqualRank, ..hardened_rules },
            "forbidden log_ticket/one-per-subround",
        ),
        (Rules { ticket_log: TicketLogRule::Volatile, ..hardened_rules }, "disagree"),
    ];
    let mistakes = [
        (Fault::OwnSubroundOnly, "missing enter_subround"),
        (Fault::WithoutCertificate, "forbidden enter_subround/certificate"),
        (Fault::VotesAfterOtherTicket, "missing leave_silently"),
        (Fault::VotesWithoutLeaving, "no counterpart"),
        (Fault::QuorumOfFaultsPlusOne, "disagree"),
        (Fault::VotesVolatile, "forbidden timeout/not-voted"),
        (Fault::ProposalsVolatile, "forbidden propose/once"),
        (Fault::ParentUnchecked, "forbidden log_ticket/parent-notarized"),
        (Fault::ProposesTwice, "forbidden propose/once"),
        (Fault::EmbeddedUnverified, "forbidden notarize/quorum-of-tickets"),
        (Fault::LabelUnchecked, "no counterpart"),
        (Fault::NotRecorded, "missing notarize"),
        (Fault::UnweightedSum, "forbidden notarize/quorum-of-tickets"),
        (Fault::SubroundUnbound, "forbidden notarize/quorum-of-tickets"),
        (Fault::DuplicateSigner, "forbidden notarize/quorum-of-tickets"),
        (Fault::BeaconOfFaultsPlusOne, "disagree"),
        (Fault::HeadAnywhere, "forbidden finalize/above-finalized"),
        (Fault::EarlySharesDropped, "missing"),
    ];
    let changes = changes.map(|(rules, expected)| (rules, None, expected));
    let mistakes = mistakes.map(|(fault, expected)| (Rules::HARDENED, Some(fault), expected));
    let spec = hardened();
    let mut wrong = Vec::new();
    for (rules, fault, expected) in changes.into_iter().chain(mistakes) {
        let found = drift(&spec, &universes(rules, fault));
        println!("{rules:?} {fault:?}: {found}");
        if !found.starts_with(expected) {
            wrong.push(format!("{rules:?} {fault:?}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Guards whose deletion changes nothing in the universes here, and why.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("share_beacon/honest", "Byzantine miners have sent their shares from the start"),
    ("propose/honest", "a Byzantine miner never knows a beacon value by `learn_beacon`"),
    ("log_ticket/honest", "a Byzantine miner never knows a beacon value by `learn_beacon`"),
    ("send_ticket/honest", "a Byzantine miner logs nothing"),
    ("propose/eligible", "the model has no honest generator without a rank"),
    (
        "propose/once",
        "the model has one block for every honest generator, unless it has the fault `ProposesTwice`",
    ),
    ("log_ticket/previous-round", "the model has no block whose parent is not of the round before"),
    ("log_ticket/extends-head", "the model's miners need not know of final blocks"),
];

#[test]
fn a_deleted_guard_of_the_specification_is_found() {
    let whole = hardened();
    let universes = universes(Rules::HARDENED, None);
    let mut wrong = Vec::new();
    for item in whole.items() {
        let Some(guard) = item.strip_prefix("guard:") else { continue };
        if WITHOUT_EFFECT.iter().any(|(name, _)| *name == guard) {
            continue;
        }
        let start = std::time::Instant::now();
        let found = drift(&whole.without(&item).unwrap(), &universes);
        println!("{guard}: {found} {:?}", start.elapsed());
        let action = guard.split('/').next().unwrap_or_default();
        if found != format!("missing {action}") {
            wrong.push(format!("{guard}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

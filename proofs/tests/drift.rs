//! Drift between specification and model is found: a rule of the model changed, or a guard of the specification deleted.

#[path = "tie/worlds.rs"]
mod worlds;

use worlds::{AVAILABLE, Instance, honest};
use zus_model::{
    blocks::Generator::{Byzantine, Honest},
    reductions::Reductions,
    rules::{
        BeaconRule, CountingRule, FinalityRule, HeadRule, ParentRule, ProposalRule, QuorumRule, Rules,
        SubroundEntryRule, TicketLogRule, TicketRule,
    },
};
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::{Drift, Placement, Tie, explore, walk},
};

fn hardened() -> Spec {
    load(&Sources::embedded(), &RuleChoice::hardened()).unwrap()
}

/// The first drift in one of the instances: of all placements breadth first, then of some random runs.
fn drift(spec: &Spec, instances: &[Instance]) -> Option<Drift> {
    for instance in instances {
        let protocol = instance.protocol();
        let tie = Tie::new(spec, &protocol).unwrap();
        for placement in Placement::all(&protocol).unwrap_or_default().iter().take(3) {
            if let Err(failure) = explore(&tie, placement, 1_500) {
                return Some(failure.drift);
            }
        }
    }
    for instance in instances {
        let protocol = instance.protocol();
        let tie = Tie::new(spec, &protocol).unwrap();
        for seed in 0..60 {
            if let Err(failure) = walk(&tie, seed, 200) {
                return Some(failure.drift);
            }
        }
    }
    None
}

fn name(drift: &Option<Drift>) -> String {
    match drift {
        None => "NONE".into(),
        Some(Drift::Forbidden(disabled)) => format!("forbidden {}/{}", disabled.action, disabled.guard),
        Some(Drift::NoCounterpart) => "no counterpart".into(),
        Some(Drift::Disagree { fact, .. }) => format!("disagree {fact}"),
        Some(Drift::Missing { action, .. }) => format!("missing {action}"),
        Some(Drift::Broken(name)) => format!("broken {name}"),
    }
}

#[test]
fn probe_model() {
    let with = |change: fn(&mut Rules)| {
        let mut rules = Rules::HARDENED;
        change(&mut rules);
        rules
    };
    let cases = [
        ("BetterRank", with(|r| r.ticket = TicketRule::BetterRank)),
        ("BetterOrEqualRank", with(|r| r.ticket = TicketRule::BetterOrEqualRank)),
        ("OwnSubroundOnly", with(|r| r.subround_entry = SubroundEntryRule::OwnSubroundOnly)),
        ("WithoutCertificate", with(|r| r.subround_entry = SubroundEntryRule::WithoutCertificate)),
        ("VotesAfterOtherTicket", with(|r| r.finality = FinalityRule::VotesAfterOtherTicket)),
        ("VotesWithoutLeaving", with(|r| r.finality = FinalityRule::VotesWithoutLeaving)),
        ("OneLess", with(|r| r.quorum = QuorumRule::OneLess)),
        ("FaultsPlusOne", with(|r| r.quorum = QuorumRule::FaultsPlusOne)),
        ("Volatile", with(|r| r.ticket_log = TicketLogRule::Volatile)),
        ("ProposalsVolatile", with(|r| r.ticket_log = TicketLogRule::ProposalsVolatile)),
        ("VotesVolatile", with(|r| r.ticket_log = TicketLogRule::VotesVolatile)),
        ("Unchecked", with(|r| r.parent = ParentRule::Unchecked)),
        ("OnFinalizedHead", with(|r| r.parent = ParentRule::OnFinalizedHead)),
        ("Twice", with(|r| r.proposal = ProposalRule::Twice)),
        ("EmbeddedUnverified", with(|r| r.counting = CountingRule::EmbeddedUnverified)),
        ("LabelUnchecked", with(|r| r.counting = CountingRule::LabelUnchecked)),
        ("NotRecorded", with(|r| r.counting = CountingRule::NotRecorded)),
        ("UnweightedSum", with(|r| r.counting = CountingRule::UnweightedSum)),
        ("SubroundUnbound", with(|r| r.counting = CountingRule::SubroundUnbound)),
        ("DuplicateSigner", with(|r| r.counting = CountingRule::DuplicateSigner)),
        ("Anywhere", with(|r| r.head = HeadRule::Anywhere)),
        ("MovesBack", with(|r| r.head = HeadRule::MovesBack)),
        ("EarlySharesDropped", with(|r| r.beacon = BeaconRule::EarlySharesDropped)),
        ("SeedFromProposal", with(|r| r.beacon = BeaconRule::SeedFromProposal)),
    ];
    let spec = hardened();
    for (label, rules) in cases {
        let start = std::time::Instant::now();
        let instances = [
            Instance { rules, crashes: 1, ..honest(1, 2, 2, &[Honest]) },
            Instance { rules, ..honest(2, 2, 2, &[Honest, Honest]) },
            Instance { rules, byzantine: 1, ..honest(4, 2, 2, &[Byzantine]) },
            Instance { rules, crashes: 2, behind: true, byzantine: 1, ..honest(4, 2, 2, &[Byzantine, Honest]) },
        ];
        println!("{label}: {} {:?}", name(&drift(&spec, &instances)), start.elapsed());
    }
}

#[test]
fn probe_spec() {
    let whole = hardened();
    for item in whole.items().into_iter().filter(|i| i.starts_with("guard:")) {
        let start = std::time::Instant::now();
        let spec = whole.without(&item).unwrap();
        let instances = [
            Instance { crashes: 1, ..honest(1, 2, 2, &[Honest]) },
            Instance { byzantine: 1, reductions: AVAILABLE, ..honest(4, 1, 2, &[Byzantine]) },
            Instance { byzantine: 1, reductions: Reductions::NONE, ..honest(4, 2, 2, &[Byzantine, Honest]) },
            Instance { outsider: true, crashes: 2, behind: true, byzantine: 1, ..honest(4, 2, 2, &[Honest]) },
        ];
        println!("{item}: {} {:?}", name(&drift(&spec, &instances)), start.elapsed());
    }
}

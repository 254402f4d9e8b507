//! The recommended rules hold, and every changed rule and every fault breaks the property that it should.

use super::instances::{
    crash, explored, fork, fork_of_dealings, on_notarized_chains, one_crash, registering, shortest,
    two_attempts,
};
use std::collections::BTreeSet;
use zus_epochs::key_generation::{
    Fault, Instance, KeyRules, Property as P,
    rules::{
        ActsOnRule, AttemptsRule, QualifiedRule, ReadyDurabilityRule, ReadyRule, ReceiptRule, ThresholdsRule,
    },
};

const HARDENED: KeyRules = KeyRules::HARDENED;

/// A whole search: a name, the instance, its states up to names, and the witnesses that it reaches. No property breaks.
type Held = (&'static str, Instance, usize, &'static [P]);

fn held(runs: Vec<Held>) {
    const DOCS: &str = include_str!("../../src/key_generation/mod.rs");
    let mut wrong = Vec::new();
    for (name, instance, states, witnesses) in runs {
        assert!(DOCS.contains(&grouped(states)), "{name}: {} is not in the documentation", grouped(states));
        let start = std::time::Instant::now();
        let (found, shown) = explored(instance);
        eprintln!("{name}: {:?}", start.elapsed());
        if found != states || shown != witnesses.iter().copied().collect() {
            wrong.push(format!("{name}: {found} states, {shown:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_recommended_rules_hold_and_every_witness_is_reachable() {
    let runs: Vec<Held> = vec![
        (
            "two attempts",
            two_attempts(HARDENED),
            134_959,
            &[P::Completes, P::Disqualified, P::Revealed, P::Exposed, P::Late, P::Again],
        ),
        (
            "a crash, then an attempt in time",
            crash(HARDENED),
            100_335,
            &[
                P::Completes,
                P::Disqualified,
                P::Revealed,
                P::Late,
                P::Again,
                P::BackInDealing,
                P::BackInSettling,
                P::BackInReadying,
            ],
        ),
        (
            "a fork, one free dealer",
            fork(HARDENED),
            106_028,
            &[P::Completes, P::Disqualified, P::Revealed, P::Late],
        ),
        (
            "a fork, two dealings",
            fork_of_dealings(HARDENED),
            32_331,
            &[P::Completes, P::Disqualified, P::Revealed],
        ),
        (
            "registrations",
            registering(HARDENED),
            39_085,
            &[P::Completes, P::Disqualified, P::Revealed, P::Exposed, P::Late],
        ),
    ];
    let reached: BTreeSet<P> = runs.iter().flat_map(|(_, _, _, witnesses)| *witnesses).copied().collect();
    let all: BTreeSet<P> = P::ALL.iter().copied().filter(|property| property.is_witness()).collect();
    assert_eq!(reached, all, "a witness that no instance reaches");
    held(runs);
}

/// A number with its digits in groups: `134,959`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8(groups.join(&b',')).unwrap_or_default()
}

/// Searches that take a minute.
#[test]
#[ignore = "a minute"]
fn larger_instances_hold_too() {
    let returns: &[P] = &[P::BackInDealing, P::BackInSettling, P::BackInReadying];
    let usual: &[P] = &[P::Completes, P::Disqualified, P::Revealed, P::Exposed, P::Late];
    let all = || Vec::leak([usual, returns].concat());
    held(vec![
        ("one attempt with a crash", one_crash(HARDENED), 1_799_060, all()),
        (
            "members act on notarized chains",
            on_notarized_chains(HARDENED),
            340_087,
            &[P::Completes, P::Disqualified, P::Revealed],
        ),
    ]);
}

/// A change: a name, an instance with it, and the property that it breaks.
pub(super) type Broken = (&'static str, Instance, P);

fn with(instance: fn(KeyRules) -> Instance, fault: Fault) -> Instance {
    Instance { fault: Some(fault), ..instance(HARDENED) }
}

/// The changes of one rule, each with the property that it breaks.
pub(super) fn rule_changes() -> Vec<Broken> {
    let silent = KeyRules { attempts: AttemptsRule::Silent, ..HARDENED };
    let after = KeyRules { ready_durability: ReadyDurabilityRule::AfterStatement, ..HARDENED };
    let ready = |ready| KeyRules { ready, ..HARDENED };
    let threshold_dealers = KeyRules { qualified: QualifiedRule::ThresholdDealers, ..HARDENED };
    let share_hash = KeyRules { receipt: ReceiptRule::ShareHash, ..HARDENED };
    let old = KeyRules { thresholds: ThresholdsRule::OfOldCommittee, ..HARDENED };
    // Members act on notarized chains here: on the final chain it breaks nothing (`exactness`).
    let receipt = ReceiptRule::EpochAttemptDealerRecipient;
    let unbound = KeyRules { receipt, acts_on: ActsOnRule::NotarizedChain, ..HARDENED };
    let of_old = |old_members| Instance { old_members, ..two_attempts(old) };
    vec![
        ("ready = All", two_attempts(ready(ReadyRule::All)), P::Begins),
        ("ready = None", two_attempts(ready(ReadyRule::None)), P::Backed),
        ("ready_durability = AfterStatement", crash(after), P::Backed),
        ("ready_durability = AfterStatement", crash(after), P::Share),
        ("qualified = ThresholdDealers", two_attempts(threshold_dealers), P::OneKey),
        ("receipt = EpochAttemptDealerRecipient", fork_of_dealings(unbound), P::Share),
        ("receipt = ShareHash", two_attempts(share_hash), P::Share),
        ("thresholds = OfOldCommittee", of_old(1), P::Secret),
        ("thresholds = OfOldCommittee", of_old(7), P::Begins),
        ("attempts = Silent", two_attempts(silent), P::Innocent),
    ]
}

/// The faults, each with the property that it breaks.
pub(super) fn faults() -> Vec<Broken> {
    let notarized = KeyRules { acts_on: ActsOnRule::NotarizedChain, ..HARDENED };
    let each = Fault::SettlesOnEachChain;
    let anything = Fault::ReadyForAnything;
    vec![
        ("VC14", with(two_attempts, Fault::ThresholdsOfOnline), P::OneThreshold),
        ("VC18", with(two_attempts, Fault::WrongShareSkipped), P::Share),
        ("VC21", with(fork, Fault::ErasedBeforeFinal), P::Share),
        ("VC22", with(crash, Fault::UsableMarkedLater), P::Share),
        ("VC26", with(two_attempts, Fault::PhaseSkipped), P::Share),
        ("VC27", with(two_attempts, Fault::RefusalStops), P::Begins),
        ("VC28", with(two_attempts, Fault::ReceiptOverConstant), P::Share),
        ("VC32", with(two_attempts, Fault::BoundaryRemains), P::Followed),
        ("VC42a", with(crash, Fault::SettlesAfterRestart), P::Secret),
        ("VC42a", with(crash, Fault::SettlesAfterRestart), P::Innocent),
        ("VC42b", Instance { fault: Some(each), ..fork(notarized) }, P::Secret),
        ("VC44", Instance { fault: Some(anything), ..fork_of_dealings(notarized) }, P::Backed),
        ("VC45", with(registering, Fault::MembersInTime), P::FewFaulty),
        ("VC46", with(two_attempts, Fault::ThresholdOfFaultsPlusOne), P::Secret),
        ("VC47", with(crash, Fault::SeedVolatile), P::Innocent),
        ("VC48", with(two_attempts, Fault::RevealsAny), P::Secret),
    ]
}

fn all_break(changes: Vec<Broken>) {
    let mut wrong = Vec::new();
    for (name, instance, property) in changes {
        let start = std::time::Instant::now();
        match shortest(instance, property) {
            None => wrong.push(format!("{name}: {} does not break", property.id())),
            Some(run) => {
                let took = start.elapsed();
                eprintln!("{name} breaks {} ({took:?}):\n{run}", property.id());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_changed_rule_breaks_its_property() {
    all_break(rule_changes());
}

#[test]
fn every_fault_breaks_its_property() {
    let shown: BTreeSet<Fault> = faults().into_iter().filter_map(|(_, instance, _)| instance.fault).collect();
    assert_eq!(shown, Fault::ALL.iter().copied().collect(), "a fault without a row");
    for (id, instance, _) in faults() {
        assert_eq!(instance.fault.map(Fault::id), Some(id));
    }
    all_break(faults());
}

/// Ready statements give one thing: members that have the key share on disk when the record is complete. All others have it from
/// the chain, with and without them.
#[test]
fn without_ready_statements_shares_are_there_and_not_durable() {
    let (_, shown) = explored(two_attempts(KeyRules { ready: ReadyRule::None, ..HARDENED }));
    let broken: BTreeSet<P> = shown.into_iter().filter(|property| !property.is_witness()).collect();
    assert_eq!(broken, [P::Backed].into());
}

/// Every value of every rule is in one of the tests: it breaks something, or a test says why it does not.
#[test]
fn every_value_of_every_rule_is_judged() {
    let broken = rule_changes().into_iter().map(|(name, ..)| name);
    let elsewhere = ["ready = KPercent", "acts_on = NotarizedChain"];
    let judged: BTreeSet<&str> = broken.chain(elsewhere).collect();
    let changes = HARDENED.changes();
    assert_eq!(judged, changes.iter().map(|(name, _)| name.as_str()).collect());
}

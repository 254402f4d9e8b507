//! Each rule change breaks the property that the page says, by a shortest run of this many steps.

use super::{end_of, shortest};
use std::collections::BTreeSet;
use zus_epochs::handoff::{
    EpochFault, EpochProperty, EpochRules, Exploration, Instance, Tickets,
    rules::{
        ActivationRule, EpochBindingRule, EpochSourceRule, FinalityCapRule, HandoffProofRule, LogScopeRule,
        MissingCommitteeRule, OldCommitteeRule, TailRule, ThresholdsRule,
    },
    scenarios as s,
};

use EpochProperty::{E1, E2, E3, E5, E7, E8, E9};

const HARDENED: EpochRules = EpochRules::HARDENED;

/// A change, an instance in which it is caught, and what it breaks there, with the length of the shortest run.
pub struct Change {
    pub name: String,
    pub instance: Instance,
    pub breaks: Vec<(EpochProperty, usize)>,
}

type Breaks<'b> = &'b [(EpochProperty, usize)];

/// Every value but the recommended one of each rule, and every fault; some in two instances.
pub fn changes() -> Vec<Change> {
    let mut all = Vec::new();
    let mut rule = |name: &str, rules: EpochRules, instance: Instance, breaks: Breaks<'_>| {
        let instance = Instance { rules, ..instance };
        all.push(Change { name: name.to_owned(), instance, breaks: breaks.to_vec() });
    };
    let source = |epoch_source| EpochRules { epoch_source, ..HARDENED };
    let activation = |activation| EpochRules { activation, ..HARDENED };
    let missing = |missing_committee| EpochRules { missing_committee, ..HARDENED };
    let binding = |epoch_binding| EpochRules { epoch_binding, ..HARDENED };
    let proof = |handoff_proof| EpochRules { handoff_proof, ..HARDENED };
    let old = EpochRules { thresholds: ThresholdsRule::OfOldCommittee, ..HARDENED };
    let capless = EpochRules { finality_cap: FinalityCapRule::None, ..HARDENED };
    let stops = EpochRules { old_committee: OldCommitteeRule::Stops, ..HARDENED };
    let shared = EpochRules { log_scope: LogScopeRule::Shared, ..HARDENED };
    let candidate = source(EpochSourceRule::Candidate);
    rule("epoch_source = Candidate", candidate, s::four_to_one(s::deep()), &[(E1, 16), (E3, 19), (E7, 17)]);
    let notarized = source(EpochSourceRule::Notarized);
    rule("epoch_source = Notarized", notarized, s::four_to_one(s::rivals()), &[(E1, 10), (E3, 13), (E7, 11)]);
    let sharder = source(EpochSourceRule::AnySharder);
    rule("epoch_source = AnySharder", sharder, s::four_to_one(s::rivals()), &[(E1, 2), (E7, 1)]);
    let at_once = activation(ActivationRule::Offset { rounds: 0 });
    rule("activation = Offset", at_once, s::one_exchanged(s::rivals()), &[(E1, 10), (E3, 16), (E7, 11)]);
    let later = activation(ActivationRule::Offset { rounds: 1 });
    rule("activation = Offset", later, s::four_to_one(s::deep()), &[(E1, 16), (E3, 19), (E7, 17)]);
    let latest = missing(MissingCommitteeRule::Latest);
    rule("missing_committee = Latest", latest, s::byzantine_leaves(s::second()), &[(E2, 8)]);
    let lower = missing(MissingCommitteeRule::NearestLower);
    rule("missing_committee = NearestLower", lower, s::four_to_seven(s::second()), &[(E2, 8)]);
    let in_id = binding(EpochBindingRule::InBlockId);
    rule("epoch_binding = InBlockId", in_id, s::one_exchanged(s::second()), &[(E9, 7)]);
    let by_round = binding(EpochBindingRule::ByRound);
    rule("epoch_binding = ByRound", by_round, s::one_exchanged(s::second()), &[(E2, 6), (E3, 14), (E9, 7)]);
    let any = proof(HandoffProofRule::AnyTickets);
    rule("handoff_proof = AnyTickets", any, s::one_exchanged(s::rivals()), &[(E1, 2), (E7, 1)]);
    let link = proof(HandoffProofRule::LinkOnly);
    rule("handoff_proof = LinkOnly", link, s::one_exchanged(s::rivals()), &[(E1, 2), (E7, 1)]);
    rule("finality_cap = None", capless, s::one_exchanged(s::second()), &[(E3, 14)]);
    rule("thresholds = OfOldCommittee", old, s::four_to_seven(s::second()), &[(E2, 6), (E3, 10)]);
    rule("thresholds = OfOldCommittee", old, s::four_to_two(s::fair()), &[(E5, 10)]);
    rule("old_committee = Stops", stops, s::one_exchanged(s::fair()), &[(E5, 7), (E7, 7)]);
    rule("log_scope = Shared", shared, s::one_exchanged(s::fair()), &[(E5, 13)]);
    let mut fault = |fault: EpochFault, instance: Instance, breaks: Breaks<'_>| {
        let instance = Instance { fault: Some(fault), ..instance };
        all.push(Change { name: format!("{fault:?}"), instance, breaks: breaks.to_vec() });
    };
    fault(EpochFault::RecordBeforeUnchecked, s::one_exchanged(s::rivals()), &[(E1, 2), (E7, 1)]);
    fault(EpochFault::OldCommitteeInNewRounds, s::disjoint(s::second()), &[(E2, 6), (E3, 14)]);
    fault(EpochFault::RecordOfNode, s::one_exchanged(s::rivals()), &[(E1, 6), (E7, 5)]);
    fault(EpochFault::JoinerTakesNotarized, s::four_to_one(s::rivals()), &[(E1, 12), (E3, 13), (E7, 11)]);
    let timeouts = s::with_timeouts(s::four_to_one(s::second()));
    fault(EpochFault::OlderEpochIsHeard, timeouts, &[(E2, 8)]);
    fault(EpochFault::VotesWithNextQuorum, s::four_to_two(s::rivals()), &[(E1, 11), (E2, 3), (E3, 6)]);
    fault(EpochFault::VotesWithNextQuorum, s::seven_to_four(s::second()), &[(E2, 4)]);
    fault(EpochFault::OnlyLeaversServe, s::one_exchanged(s::fair()), &[(E5, 8), (E7, 8)]);
    fault(EpochFault::HandoffReplaced, s::four_turn(s::rivals()), &[(E8, 7)]);
    fault(EpochFault::CheckpointIgnored, s::four_turn(s::rivals()), &[(E8, 6)]);
    all
}

/// How a change is searched: a run is a run, whichever tickets the search leaves out.
fn search(change: &Change) -> Exploration {
    let to_the_end = change.breaks.iter().any(|(property, _)| *property == E5);
    let tickets = if to_the_end { Tickets::All } else { Tickets::Needed };
    Exploration { tickets, ..Exploration::new(change.instance.clone()) }
}

#[test]
fn each_change_breaks_what_the_page_says() {
    let mut wrong = Vec::new();
    for change in changes() {
        let exploration = search(&change);
        for &(property, steps) in &change.breaks {
            let run = shortest(&exploration, property);
            if run.as_ref().map(Vec::len) != Some(steps) {
                let found = run.map_or("holds".to_owned(), |run| run.len().to_string());
                wrong.push(format!("{}, {}: {steps} expected, found {found}", change.name, property.id()));
                continue;
            }
            let end = end_of(&change.instance, &run.unwrap_or_default());
            assert!(change.instance.shows(&end, property), "{}: the run does not show it", change.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every other value of every rule is caught somewhere, but `tail = Normal`; and every fault is.
#[test]
fn every_value_and_every_fault_is_among_them() {
    let caught: BTreeSet<String> = changes().into_iter().map(|change| change.name).collect();
    let values = HARDENED.changes().into_iter().map(|(name, _)| match name.split_once(" {") {
        Some((name, _)) => name.to_owned(),
        None => name,
    });
    let faults = EpochFault::ALL.map(|fault| format!("{fault:?}"));
    let known: BTreeSet<String> = values.chain(faults).filter(|name| name != "tail = Normal").collect();
    assert_eq!(caught, known);
}

/// `tail = Normal` breaks nothing while finality is capped: no step and no property asks for it.
#[test]
fn a_tail_with_a_payload_breaks_nothing_here() {
    let normal = EpochRules { tail: TailRule::Normal, ..HARDENED };
    let explored = |rules| {
        let instance = Instance { rules, ..s::byzantine_exchanged(s::second()) };
        super::explore(Exploration::new(instance))
    };
    assert_eq!(explored(normal), explored(HARDENED));
}

/// Runs word for word: a committee from a candidate, a lying sharder, finality without a cap, an old committee that stops.
#[test]
fn runs_are_told_in_sentences() {
    let told = [
        ("epoch_source = Candidate", E3),
        ("epoch_source = AnySharder", E7),
        ("finality_cap = None", E3),
        ("old_committee = Stops", E5),
    ];
    let tell = |(name, property): (&str, EpochProperty)| {
        let all = changes();
        let change = all.iter().find(|change| change.name == name).expect("a change of that name");
        let run = shortest(&search(change), property).expect("a run");
        let (id, text) = (property.id(), property.text());
        format!("{name} breaks {id} ({text}):\n{}\n", change.instance.tell(&run))
    };
    crate::committed("tests/handoff/runs.txt", &told.map(tell).join("\n"));
}

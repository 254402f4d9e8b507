//! The handover between epochs: its proof, that it is about something, and its tie to `model/epochs`.

use std::collections::BTreeSet;
use zus_epochs::handoff::{EpochFault, EpochRules, Instance};
use zus_proofs::{
    condition::{alternation, conditions},
    epochs::{CONTROLS, PROVED, graph, hardened, runs, under},
    judge::Verdict,
    spec::{Sources, Spec},
    verify::decide,
};

const THREADS: usize = 2;
/// States of a universe that the tests of every build visit; `zus-proofs epochs --graph` visits all.
const FEW: usize = 1000;

#[test]
fn every_condition_of_the_handover_holds() {
    for (profile, count) in PROVED.into_iter().zip([123, 59]) {
        let spec = under(profile).unwrap();
        let (all, _) = conditions(&spec);
        assert_eq!(all.len(), count, "{profile}");
        for (condition, outcome) in all.iter().zip(decide(&spec, &all, THREADS)) {
            match outcome {
                Ok(Verdict::Holds(proof)) => proof.certificate.check().unwrap(),
                Ok(Verdict::Fails(_)) => panic!("{profile}: {} fails", condition.id),
                Err(error) => panic!("{profile}: {error}"),
            }
            assert!(alternation(&spec, condition).cycle().is_none(), "{}", condition.id);
        }
    }
    let spec = hardened().unwrap();
    for property in ["E1", "E2", "E3", "E9"] {
        assert!(spec.safety.iter().any(|safety| safety.name == property), "{property}");
    }
}

/// Each makes the condition fail that its line names, and a real run breaks its property.
#[test]
fn every_rule_change_is_caught_by_a_condition_and_by_a_run() {
    for change in runs::CHANGES {
        let spec = under(change.rules).unwrap();
        let all = conditions(&spec).0;
        let named: Vec<_> = all.into_iter().filter(|one| one.id.to_string() == change.fails).collect();
        assert!(
            matches!(decide(&spec, &named, 1)[..], [Ok(Verdict::Fails(_))]),
            "{}: {}",
            change.rules,
            change.fails
        );
    }
    // Every rule, every value, and every fault but that of liveness alone.
    let caught: BTreeSet<_> =
        runs::CHANGES.iter().filter_map(|c| c.rules.strip_prefix("hardened,")).collect();
    let values = Sources::epochs().choices().unwrap().1;
    let recommended = [
        "Finalized",
        "AfterHandoff",
        "QuorumOfPrevious",
        "Refuse",
        "Signed",
        "ClosingBlock",
        "OfNewCommittee",
        "None",
    ];
    let weaker = values.iter().filter(|value| {
        let (rule, of) = value.split_once('=').unwrap();
        rule != "faults" && (!recommended.contains(&of) || (rule, of) == ("finality_cap", "None"))
    });
    assert_eq!(caught, weaker.map(String::as_str).collect());
    let (kept, missing) = runs::replay().unwrap();
    assert_eq!(missing, [""; 0]);
    assert!(kept > runs::CHANGES.len(), "{kept}");
}

/// The rules, their values and the faults have the names of the model's.
#[test]
fn rules_have_the_names_of_the_model() {
    let known: BTreeSet<String> = EpochRules::HARDENED
        .changes()
        .into_iter()
        .map(|(name, _)| name.split(" {").next().unwrap().replace(" = ", "="))
        .chain(EpochFault::ALL.map(|fault| format!("fault={fault:?}")))
        .collect();
    for change in runs::CHANGES {
        let rule = change.rules.strip_prefix("hardened,").unwrap();
        assert!(known.contains(rule), "{rule}");
    }
}

/// One line for each item that can be deleted, in order; `proofs/check` decides them again.
#[test]
fn every_item_has_its_control() {
    let lines = CONTROLS.lines().map(|line| line.split(" -> ").next().unwrap().to_string());
    let of = |profile: &str| [vec![format!("# {profile}")], under(profile).unwrap().items()].concat();
    assert_eq!(lines.collect::<Vec<_>>(), PROVED.map(of).concat());
    let first = CONTROLS.lines().take_while(|line| *line != "# accountable").collect::<Vec<_>>();
    let redundant = first.iter().filter(|line| line.ends_with("-> redundant")).count();
    assert!(redundant < first.len() / 2, "{redundant}");
}

#[test]
fn the_graphs_of_small_instances_are_the_same() {
    let small: Vec<_> = runs::TIED.iter().filter(|tied| tied.3.0 <= FEW).collect();
    assert!(small.len() >= 8);
    for &(name, rules, restarts, counts) in small {
        let instance = runs::tied(name, rules, restarts).unwrap();
        let found = graph::compare(&under(rules).unwrap(), &instance);
        let found = found.unwrap_or_else(|error| panic!("{name}, {rules}: {error}"));
        assert_eq!((found.states, found.steps), counts, "{name}, {rules}");
    }
}

/// Guards whose deletion makes no step more, or less, in any instance of the tie.
const UNSEEN: &[&str] = &[
    // They follow from the others in each state that can be reached: what is notarized, certified, known and signed is of one epoch.
    "ticket/own-chain",
    "leave_voting/known",
    "leave_voting/epoch",
    "leave_voting/of-its-epoch",
    "leave_voting/own-chain",
    "leave_silently/known",
    "leave_silently/epoch",
    "leave_silently/of-its-epoch",
    "leave_silently/own-chain",
    "enter/epoch",
    "enter/closing",
    "enter/own-chain",
    // In the lists of blocks of the model each block is in the round after its parent's, and each record has few Byzantine members.
    "ticket/next-round",
    "ticket/record-sound",
    // A bound node has signed in that round of that epoch, so it is a member, and has not left the epoch before.
    "leave_silently/present",
    "leave_silently/member",
    // A Byzantine node has signed everything, so it has a ticket in each subround; and where there is one, no round has two blocks of an
    // epoch.
    "ticket/honest",
    "leave_silently/honest",
    // It takes two notarized blocks of a round, and a voter that ticketed none of them and comes back from a crash.
    "leave_voting/voted-for-no-other",
];

/// The tie sees every guard that is deleted, but those.
#[test]
fn a_guard_less_is_a_difference() {
    let spec = hardened().unwrap();
    let instances = [
        ("two to two, rivals", 0),
        ("two to two, second", 0),
        ("one to two, deep", 1),
        ("four to one, short", 0),
    ];
    let instances = instances.map(|(name, restarts)| runs::tied(name, "hardened", restarts).unwrap());
    let differs = |without: &Spec, of: &Instance| match graph::compare(without, of) {
        Ok(_) => false,
        Err(graph::Apart::Differ { .. }) => true,
        Err(error) => panic!("{error}"),
    };
    let mut wrong = Vec::new();
    for item in spec.items() {
        let Some(guard) = item.strip_prefix("guard:") else { continue };
        let action = guard.split('/').next().unwrap();
        if !["ticket", "leave_voting", "leave_silently", "enter"].contains(&action) {
            continue;
        }
        let without = spec.without(&item).unwrap();
        let unseen = UNSEEN.contains(&guard);
        let first = if unseen { &instances[..1] } else { &instances[..] };
        if first.iter().any(|of| differs(&without, of)) == unseen {
            wrong.push(guard.to_string());
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// A rule of the model that is not one of the specification is a difference, too.
#[test]
fn another_rule_in_the_model_is_a_difference() {
    for (name, rules) in [
        ("two to two, rivals", "hardened,epoch_source=Candidate"),
        ("two to two, rivals", "hardened,epoch_source=Notarized"),
        ("two to two, rivals", "hardened,handoff_proof=AnyTickets"),
        ("two to two, rivals", "hardened,fault=RecordOfNode"),
        ("two to two, rivals", "hardened,fault=JoinerTakesNotarized"),
        ("two to two, second", "hardened,fault=OldCommitteeInNewRounds"),
        ("one to two, second", "hardened,thresholds=OfOldCommittee"),
    ] {
        let instance = runs::tied(name, rules, 0).unwrap();
        let found = graph::compare(&hardened().unwrap(), &instance);
        assert!(matches!(found, Err(graph::Apart::Differ { .. })), "{rules}: {found:?}");
    }
}

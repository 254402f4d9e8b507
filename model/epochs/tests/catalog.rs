//! The catalog of instances, and changes by name.

use std::collections::BTreeSet;
use zus_epochs::{
    boundary::BoundaryRules,
    catalog::{self, Question, Run},
    handoff::{EpochFault, EpochRules, rules::ActivationRule},
    key_generation::KeyRules,
};

#[test]
fn names_are_unique() {
    let names: Vec<&str> = catalog::all().iter().map(|entry| entry.name).collect();
    assert_eq!(names.iter().copied().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.iter().all(|name| catalog::named(name).is_some()));
    assert!(catalog::named("nothing").is_none());
}

/// Instances of each model are as expected. The others are explored by other tests.
#[test]
fn instances_of_each_model_are_as_expected() {
    for name in [
        "boundary_immediate",
        "boundary_one_rank",
        "three_epochs",
        "byzantine_exchanged_fair",
        "keys_fork_of_dealings",
    ] {
        let entry = catalog::named(name).unwrap_or_else(|| panic!("no {name}"));
        let answer = entry.question.judge(usize::MAX);
        let shown = answer.verdicts.iter().filter(|verdict| verdict.shown).map(|verdict| verdict.id);
        assert_eq!(shown.collect::<Vec<_>>(), entry.expected, "{name}");
        assert!(answer.complete);
        let broken = answer.verdicts.iter().filter(|verdict| verdict.run.is_some());
        assert!(broken.into_iter().all(|verdict| verdict.shown && !verdict.is_witness), "{name}");
    }
}

/// Every value of every rule, and every fault, can be named.
#[test]
fn every_value_and_every_fault_has_its_name() {
    let of = |name: &str| catalog::named(name).expect("an instance").question;
    let named = |change: &str| change.split(" {").next().unwrap_or_default().replace(" = ", "=");
    for (change, rules) in BoundaryRules::DEPLOYED.changes() {
        let Ok(Question::Boundary(it)) = of("boundary_deployed").with_rule(&named(&change)) else {
            panic!("{change}")
        };
        assert_eq!(it.rules, rules, "{change}");
    }
    for (change, rules) in EpochRules::HARDENED.changes() {
        let Ok(Question::Handover(it)) = of("three_epochs").with_rule(&named(&change)) else {
            panic!("{change}")
        };
        assert_eq!(it.instance.rules, rules, "{change}");
    }
    for (change, rules) in KeyRules::HARDENED.changes() {
        let Ok(Question::Keys(it)) = of("keys_fork").with_rule(&named(&change)) else { panic!("{change}") };
        assert_eq!(it.rules, rules, "{change}");
    }
    for fault in EpochFault::ALL {
        let Ok(Question::Handover(it)) = of("three_epochs").with_fault(&format!("{fault:?}")) else {
            panic!("{fault:?}")
        };
        assert_eq!(it.instance.fault, Some(fault));
    }
    assert!(of("keys_fork").with_fault("VC21").is_ok());
    let offset = of("three_epochs").with_rule("activation=Offset:4");
    let Ok(Question::Handover(it)) = offset else { panic!("{offset:?}") };
    assert_eq!(it.instance.rules.activation, ActivationRule::Offset { rounds: 4 });
    assert!(of("three_epochs").with_rule("activation=Offset:256").is_err());
}

/// A run of one model is none of another.
#[test]
fn a_run_is_told_by_its_own_model() {
    let changed = catalog::named("byzantine_exchanged_rivals").expect("an instance").question;
    let changed = changed.with_rule("handoff_proof=AnyTickets").expect("a rule");
    let run = changed.shortest("E7").expect("a run");
    let told = "stayer 1 takes a record that the adversary made up and enters epoch 1 above b.";
    assert_eq!(changed.told(&run), [told]);
    assert_eq!(changed.told(&Run::Boundary(Vec::new())), [""; 0]);
}

//! The proof by the judge in Rust, and that it is not vacuous. No solver is needed.

use std::sync::Arc;
use zus_proofs::{
    bounded::RunError,
    condition::{Condition, alternation},
    controls::{controls, table},
    judge::{Herbrand, Verdict},
    nonvacuity,
    spec::{Formula, RuleChoice, Sources, Spec, load},
    stalls,
    structure::{Evaluator, Interpreter},
    verify::{Verification, parallel},
};

const PROVED: [&str; 2] = ["hardened", "accountable"];
const THREADS: usize = 2;

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

#[test]
fn every_condition_holds_and_its_refutation_checks() {
    for (rules, count) in PROVED.into_iter().chain(["synchronous"]).zip([157, 96, 605]) {
        let spec = spec(rules);
        let verification = Verification::new(&spec, THREADS);
        assert_eq!(verification.conditions.len(), count, "{rules}");
        for (condition, outcome) in verification.conditions.iter().zip(&verification.outcomes) {
            match outcome {
                // The judge has checked it; once more, from outside.
                Ok(Verdict::Holds(proof)) => proof.certificate.check().unwrap(),
                Ok(Verdict::Fails(_)) => panic!("{rules}: {} fails", condition.id),
                Err(error) => panic!("{rules}: {error}"),
            }
            assert!(alternation(&spec, condition).cycle().is_none());
        }
    }
}

#[test]
fn without_its_goal_every_condition_can_be_satisfied() {
    for rules in PROVED {
        let spec = spec(rules);
        let verification = Verification::new(&spec, THREADS);
        let judge = Herbrand::new(&spec);
        let conditions = &verification.conditions;
        parallel(conditions.len(), THREADS, |index| {
            // The negation of `false` says nothing: what is left are the hypotheses.
            let hypotheses =
                Condition { goal: Arc::new(Formula::Constant(false)), ..conditions[index].clone() };
            match judge.decide(&hypotheses) {
                Ok(Verdict::Fails(model)) => {
                    for (origin, formula) in hypotheses.refutand() {
                        assert!(
                            Evaluator::new(&formula, &[]).holds(&model, &[]),
                            "{}: {origin}",
                            hypotheses.id
                        );
                    }
                }
                other => {
                    panic!("{}: its hypotheses have no model: {:?}", hypotheses.id, other.map(|v| v.holds()))
                }
            }
        });
    }
}

#[test]
fn a_refutation_with_a_clause_less_is_refused() {
    let spec = spec("hardened");
    let verification = Verification::new(&spec, THREADS);
    let proofs = verification.proofs();
    let (_, proof) = proofs.iter().max_by_key(|(_, proof)| proof.certificate.clauses.len()).unwrap();
    let mut refused = 0;
    for index in 0..proof.certificate.clauses.len() {
        let mut tampered = proof.certificate.clone();
        tampered.clauses.remove(index);
        refused += usize::from(tampered.check().is_err());
    }
    assert!(refused > 0, "no clause of {} matters", proof.certificate.clauses.len());
}

#[test]
fn every_deletion_fails_what_the_pinned_table_says() {
    let mut found = String::new();
    for rules in PROVED {
        let spec = spec(rules);
        let verification = Verification::new(&spec, THREADS);
        found += &table(&spec, &controls(&spec, &verification, THREADS));
    }
    assert_eq!(found, include_str!("../controls.txt"), "`zus-proofs controls` prints the table");
}

#[test]
fn axioms_have_a_model_and_every_witness_action_and_assumption_is_reached() {
    for rules in PROVED {
        let spec = spec(rules);
        assert!(nonvacuity::consistent(&spec, [2, 2, 2]).unwrap(), "{rules}");
        for finding in nonvacuity::findings(&spec, THREADS).unwrap() {
            assert!(finding.run.is_some(), "{rules}: {} is not reached", finding.name);
        }
    }
}

#[test]
fn in_real_runs_time_passes_and_every_obligation_comes_open() {
    let spec = spec("synchronous");
    let runs = nonvacuity::kept(&spec).unwrap();
    assert_eq!(
        nonvacuity::uncovered(&spec, &runs),
        [""; 0],
        "`zus-proofs runs --clock` looks for them again"
    );
    // The control: without its last step no run shows its witness.
    let shorter = runs.into_iter().map(|mut run| {
        run.events.pop();
        run
    });
    let missing = nonvacuity::uncovered(&spec, &shorter.collect::<Vec<_>>());
    assert!(missing.iter().filter(|name| name.starts_with("witness:clock")).count() == 7, "{missing:?}");
}

#[test]
fn without_an_obligation_a_timer_or_a_window_a_real_run_stalls() {
    let spec = spec("synchronous");
    let kept = stalls::kept(&spec).unwrap();
    for (without, run) in &kept {
        assert!(!stalls::broken(without, run).is_empty(), "{} breaks nothing", run.name);
        // With the item the run is none: its axiom fails, or its guard.
        match run.replay(&Interpreter::new(&spec)).unwrap_err() {
            RunError::Axiom(name) => assert_eq!(run.name, format!("axiom:{name}")),
            RunError::Disabled { disabled, .. } => {
                assert_eq!(run.name, format!("guard:{}/{}", disabled.action, disabled.guard));
            }
            RunError::End => panic!("a replay has no end to miss"),
        }
    }
    let stalled: Vec<_> = kept.iter().map(|(_, run)| run.name.as_str()).collect();
    let items = stalls::items(&spec);
    assert_eq!(stalled, items, "`zus-proofs runs --stalls` looks for them again");
}

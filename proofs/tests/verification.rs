//! The proof by the judge in Rust, and that it is not vacuous. No solver is needed.

use std::sync::Arc;
use zus_proofs::{
    bounded::RunError,
    condition::{Condition, Kind, alternation, conditions},
    controls::{controls, table},
    explain::Counterexample,
    judge::{Herbrand, Hints, Verdict},
    nonvacuity,
    spec::{Formula, RuleChoice, Sources, Spec, load},
    stalls,
    structure::{Evaluator, Interpreter},
    verify::{Verification, decide, parallel},
};

const PROVED: [&str; 2] = ["hardened", "accountable"];
const THREADS: usize = 2;

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

/// Of the clock, what the ledger rests upon and what keeps the clock from cheating; `proofs/check` decides all 613.
fn quick(condition: &Condition) -> bool {
    matches!(condition.id.kind, Kind::Safety | Kind::Lemma | Kind::Met)
}

#[test]
fn every_condition_holds_and_its_refutation_checks() {
    for (rules, count) in PROVED.into_iter().chain(["synchronous"]).zip([157, 96, 613]) {
        let spec = spec(rules);
        let (mut all, _) = conditions(&spec);
        assert_eq!(all.len(), count, "{rules}");
        if rules == "synchronous" {
            all.retain(quick);
            assert!(all.len() > 60, "{}", all.len());
        }
        for (condition, outcome) in all.iter().zip(decide(&spec, &all, THREADS)) {
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

/// A hint says where to look first. One that is wrong, too short or about something else changes no verdict.
#[test]
fn no_hint_changes_a_verdict() {
    let id = "leave_voting:voted-ticketed-no-other";
    let hints = [
        String::new(),
        id.to_string(),
        format!("{id} guard:leave_voting/honest"),
        format!("{id} guard:leave_voting/no-such-guard"),
        format!("{id} invariant:one-vote invariant:voted-ticketed-no-other"),
    ];
    let whole = spec("hardened");
    let without = whole.without("guard:leave_voting/ticketed-no-other").unwrap();
    for (spec, holds) in [(&whole, true), (&without, false)] {
        let condition = conditions(spec).0.into_iter().find(|c| c.id.to_string() == id).unwrap();
        for text in &hints {
            let hints = Hints::read(text);
            let verdict = Herbrand::hinted(spec, &hints).decide(&condition).unwrap();
            assert_eq!(verdict.holds(), holds, "{text}");
        }
        // A hint that is enough is used; the control is that the others were not.
        let hints = Hints::read(&format!(
            "{id} guard:leave_voting/ticketed-no-other invariant:voted-ticketed-no-other"
        ));
        let hinted = match Herbrand::hinted(spec, &hints).decide(&condition).unwrap() {
            Verdict::Holds(proof) => Some(proof.hinted),
            Verdict::Fails(_) => None,
        };
        assert_eq!(hinted, holds.then_some(true));
    }
}

/// With a window closed early a condition of the clock fails, and a universe that is laid out shows how.
#[test]
fn a_condition_of_the_clock_that_fails_has_a_counterexample() {
    let spec = spec("synchronous").without("guard:log_ticket/window-closed").unwrap();
    let all = conditions(&spec).0;
    let failing: Vec<_> = all.into_iter().filter(|c| c.id.to_string() == "log_ticket:final-logged").collect();
    let outcome = decide(&spec, &failing, THREADS).remove(0);
    let Ok(Verdict::Fails(structure)) = outcome else { panic!("{:?}", outcome.map(|v| v.holds())) };
    let shown = Counterexample::new(&spec, &failing[0], structure).unwrap().to_string();
    assert!(shown.contains("logs its ticket for block1"), "{shown}");
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
    assert!(missing.iter().filter(|name| name.starts_with("witness:clock")).count() == 8, "{missing:?}");
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

//! The items `obligation` (one source for a guard of the waiting action, and for the conditions that it can be met), `induction`
//! and `requires`.

use zus_proofs::{
    judge::Verdict,
    spec::{RuleChoice, Sources, load},
    verify::Verification,
};

const QUESTIONS: &str = "
(rule quorum ByzantineMajority)
(profile questions (quorum ByzantineMajority))
(sort miner)
(relation asked ((m miner)) \"{m} has been asked\")
(relation answered ((m miner)) \"{m} has answered\")
(init asked ((m miner)) false)
(init answered ((m miner)) false)
(action ask ((n miner)) \"{n} is asked\"
  (insert (asked n)))
(action answer ((n miner)) \"{n} answers\"
  (guard asked (asked n))
  (insert (answered n)))
(action tick () \"time passes\"
  (delete asked ((m miner)) (answered m)))
(obligation answer tick \"who has been asked answers\" ((m miner))
  (for true)
  (due (asked m))
  (done (answered m))
  (by (answer m)))
";

/// The conditions that fail after an edit.
fn failing(from: &str, to: &str) -> Vec<String> {
    let sources = Sources::text(QUESTIONS).edited(from, to).unwrap();
    let spec = load(&sources, &RuleChoice::new("questions")).unwrap();
    let verification = Verification::new(&spec, 1);
    let pairs = verification.conditions.iter().zip(&verification.outcomes);
    pairs.filter(|(_, o)| !matches!(o, Ok(Verdict::Holds(_)))).map(|(c, _)| c.id.to_string()).collect()
}

#[test]
fn an_obligation_that_stops_time_is_not_met_or_is_undone_fails_its_own_condition() {
    assert_eq!(failing("(for true)", "(for true)"), [""; 0]);
    assert_eq!(failing("(guard asked (asked n))", "(guard asked (not (asked n)))"), ["lemma:answer"]);
    assert_eq!(failing("(insert (answered n))", "(insert (asked n))"), ["met:answer/answer"]);
    assert_eq!(
        failing("(delete asked ((m miner)) (answered m))", "(delete answered ((m miner)) true)"),
        ["tick:answer-stays"]
    );
}

#[test]
fn the_waiting_action_waits() {
    let spec = load(&Sources::text(QUESTIONS), &RuleChoice::new("questions")).unwrap();
    let guards: Vec<_> = spec.action("tick").unwrap().guards.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(guards, ["answer"]);
    // Deleted as the guard that it is, nothing of it is left.
    let without = spec.without("guard:tick/answer").unwrap();
    assert!(without.obligations.is_empty() && without.lemmas.is_empty() && without.transitions.is_empty());
    // A part that is missing, or in another order, is named.
    let wrong = Sources::text(QUESTIONS).edited("(due (asked m))", "").unwrap();
    let error = load(&wrong, &RuleChoice::new("questions")).unwrap_err().to_string();
    assert!(error.contains("(obligation name action"), "{error}");
}

const STAIRS: &str = "
(rule quorum ByzantineMajority)
(profile stairs (quorum ByzantineMajority))
(sort step)
(sort tick)
(immutable step_le ((x step) (y step)) \"{x} is {y} or before it\")
(immutable next_step ((x step) (y step)) \"{x} is the step before {y}\")
(constant step0 step)
(ordered step step_le next_step step0)
(immutable takes ((s step) (x tick) (y tick)) \"{s}, begun at {x}, takes until {y}\")
(relation climbed ((s step) (x tick)) \"{s} has been climbed by {x}\")
(init climbed ((s step) (x tick)) false)
(invariant climbing \"step after step\"
  (forall ((s step) (t step) (x tick) (y tick))
    (=> (and (climbed s x) (next_step s t) (takes s x y)) (climbed t y))))
(induction stairs \"every step is climbed\" ()
  (over next_step s t)
  (at tick x y)
  (first () (climbed s x))
  (next () (takes s x y))
  (when true)
  (holds (climbed s x)))
";

#[test]
fn an_induction_whose_step_or_base_does_not_hold_fails_its_own_condition() {
    let failing = |from: &str, to: &str| {
        let sources = Sources::text(STAIRS).edited(from, to).unwrap();
        let spec = load(&sources, &RuleChoice::new("stairs")).unwrap();
        let verification = Verification::new(&spec, 1);
        let pairs = verification.conditions.iter().zip(&verification.outcomes);
        let failing = pairs.filter(|(_, o)| !matches!(o, Ok(Verdict::Holds(_))));
        failing.map(|(c, _)| c.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(failing("(when true)", "(when true)"), [""; 0]);
    assert_eq!(failing("(next () (takes s x y))", "(next () (takes t x y))"), ["lemma:stairs-next"]);
    assert_eq!(failing("(first () (climbed s x))", "(first () true)"), ["lemma:stairs-first"]);
    // Along a relation that is no successor induction proves nothing.
    let wrong = Sources::text(STAIRS).edited("(over next_step s t)", "(over step_le s t)").unwrap();
    let error = load(&wrong, &RuleChoice::new("stairs")).unwrap_err().to_string();
    assert!(error.contains("this is not the successor of a sort"), "{error}");
    let wrong = Sources::text(STAIRS).edited("(when true)", "").unwrap();
    let error = load(&wrong, &RuleChoice::new("stairs")).unwrap_err().to_string();
    assert!(error.contains("(induction name"), "{error}");
}

#[test]
fn a_clock_next_to_rules_that_have_none_is_refused_with_the_rule_that_it_needs() {
    for (rules, needs) in [
        ("documented,network=Synchronous", "beacon=RoundOnly"),
        ("accountable,network=Synchronous", "faults=AtMostF"),
        ("hardened,finality=TwoThirds,network=Synchronous", "finality=Votes"),
    ] {
        let error = load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap_err().to_string();
        let said = format!("has network=Synchronous, which the specification defines only where {needs}");
        assert!(error.contains(&said), "{error}");
    }
    // Where all of it is as needed, the clock is the profile's.
    for rules in ["hardened,network=Synchronous", "synchronous,echo=None"] {
        load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap();
    }
}

/// Conjuncts of the clock that no refutation uses but their own. All conditions hold without them; they say what a reader may ask.
const REDUNDANT: [&str; 5] = ["stayed-reached", "stage1", "stage2-stayed", "final-only", "final-voted"];

#[test]
fn every_axiom_and_conjunct_of_the_clock_is_used_or_named_redundant() {
    let [whole, safe] = ["synchronous", "hardened"].map(|rules| {
        let spec = load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap();
        let axioms = spec.axioms.iter().map(|axiom| format!("axiom:{}", axiom.name));
        let conjuncts = spec.invariants.iter().map(|conjunct| format!("invariant:{}", conjunct.name));
        axioms.chain(conjuncts).collect::<Vec<_>>()
    });
    let uses = |item: &str| {
        let own = item.strip_prefix("invariant:").map(|name| format!(":{name}"));
        let lines = include_str!("../hints.txt").lines().map(str::split_whitespace);
        lines.into_iter().any(|mut words| {
            let id = words.next().unwrap();
            own.as_ref().is_none_or(|own| !id.ends_with(own)) && words.any(|word| word == item)
        })
    };
    let clock: Vec<_> = whole.into_iter().filter(|item| !safe.contains(item)).collect();
    let mut unused: Vec<_> = clock.iter().filter(|item| !uses(item)).collect();
    unused.sort();
    let mut named = REDUNDANT.map(|name| format!("invariant:{name}"));
    named.sort();
    assert_eq!(unused, named.iter().collect::<Vec<_>>());
    assert!(clock.len() > 90, "{}", clock.len());
}

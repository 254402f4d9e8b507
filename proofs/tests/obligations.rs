//! The item `obligation`: one source for a guard of the waiting action, and for the conditions that it can be met.

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

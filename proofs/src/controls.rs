//! Negative controls: every axiom, conjunct and guard deleted in turn, and which conditions then fail.
//!
//! A condition whose proof does not use the deleted item still holds by the same proof, so only the others are decided
//! again. An item whose deletion fails nothing is redundant, and named so.

use crate::{
    condition::{Condition, ConditionId, Origin, conditions},
    judge::{ExternalError, ExternalJudge, Herbrand, Script, SolverAnswer, Verdict},
    spec::Spec,
    verify::{Disagreement, Outcome, Verification, parallel},
};
use std::{collections::BTreeMap, fmt::Write};

/// One deletion.
pub struct Control {
    /// The deleted item.
    pub item: String,
    /// The specification without it.
    pub spec: Spec,
    /// The conditions decided again.
    pub conditions: Vec<Condition>,
    /// The outcomes for them.
    pub outcomes: Vec<Outcome>,
}

impl Control {
    /// The conditions that fail, in order of their names.
    pub fn failing(&self) -> Vec<String> {
        let pairs = self.conditions.iter().zip(&self.outcomes);
        let mut names: Vec<_> = pairs
            .filter(|(_, o)| matches!(o, Ok(Verdict::Fails(_))))
            .map(|(c, _)| c.id.to_string())
            .collect();
        names.sort();
        names
    }

    /// Conditions without a verdict.
    pub fn undecided(&self) -> Vec<String> {
        self.outcomes.iter().filter_map(|o| o.as_ref().err().map(ToString::to_string)).collect()
    }
}

/// All deletions of a specification whose conditions `verification` proves.
pub fn controls(spec: &Spec, verification: &Verification, threads: usize) -> Vec<Control> {
    let proofs = verification.proofs();
    let items = spec.items();
    parallel(items.len(), threads, |index| control(spec, &proofs, &items[index]))
}

fn control(spec: &Spec, proofs: &BTreeMap<&ConditionId, &crate::judge::Proof>, item: &str) -> Control {
    // The items are the specification's own.
    let without = spec.without(item).unwrap_or_else(|_| spec.clone());
    let uses = |c: &Condition| proofs.get(&c.id).is_none_or(|proof| proof.used.iter().any(|o| is(o, item)));
    let (all, _) = conditions(&without);
    let again: Vec<_> = all.into_iter().filter(uses).collect();
    let outcomes = {
        let judge = Herbrand::new(&without);
        again.iter().map(|c| judge.decide(c)).collect()
    };
    Control { item: item.to_string(), spec: without, conditions: again, outcomes }
}

/// Whether a hypothesis comes from an item.
fn is(origin: &Origin, item: &str) -> bool {
    match origin {
        Origin::Pointwise(name) => item.strip_prefix("invariant:") == Some(name),
        other => other.to_string() == item,
    }
}

/// The table that is pinned: one line a deletion.
pub fn table(spec: &Spec, controls: &[Control]) -> String {
    let mut text = format!("# {}\n", spec.rules);
    for control in controls {
        let failing = control.failing();
        let failing = if failing.is_empty() { "redundant".to_string() } else { failing.join(" ") };
        let _ = writeln!(text, "{} -> {failing}", control.item);
    }
    text
}

/// Asks a solver about every condition that the controls decided again.
pub fn compare(
    controls: &[Control],
    judge: &ExternalJudge,
    threads: usize,
) -> Result<(usize, Vec<(String, Disagreement)>), ExternalError> {
    let mut scripts = Vec::new();
    for control in controls {
        for (condition, outcome) in control.conditions.iter().zip(&control.outcomes) {
            let holds = matches!(outcome, Ok(Verdict::Holds(_)));
            let mut script = Script::of(&control.spec, condition, holds);
            script.name = format!("{} without {}", script.name, control.item);
            scripts.push(script);
        }
    }
    let mut answers = judge.ask(&scripts, threads)?.into_iter();
    let mut found = Vec::new();
    for control in controls {
        for (condition, outcome) in control.conditions.iter().zip(&control.outcomes) {
            let holds = outcome.as_ref().ok().map(Verdict::holds);
            let answer = answers.next().unwrap_or(SolverAnswer::Unknown("no answer".to_string()));
            let agreed = match answer {
                SolverAnswer::Unsat => holds == Some(true),
                SolverAnswer::Sat => holds == Some(false),
                SolverAnswer::Unknown(_) => false,
            };
            if !agreed {
                let condition = condition.id.clone();
                found.push((control.item.clone(), Disagreement { condition, holds, answer }));
            }
        }
    }
    Ok((scripts.len(), found))
}

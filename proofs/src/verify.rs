//! All conditions before all judges.

use crate::{
    condition::{Condition, ConditionId, conditions},
    explain::{finite, refutes},
    judge::{ExternalError, ExternalJudge, Herbrand, HerbrandError, Proof, Script, SolverAnswer, Verdict},
    spec::Spec,
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The outcome of the judge in Rust for one condition.
pub type Outcome = Result<Verdict<Proof>, HerbrandError>;

/// A specification's conditions with the outcome of each.
pub struct Verification {
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// How many more hold because an action changes nothing that the statement reads.
    pub unchanged: usize,
    /// In the order of the conditions.
    pub outcomes: Vec<Outcome>,
}

impl Verification {
    /// Decides all conditions of a specification.
    pub fn new(spec: &Spec, threads: usize) -> Self {
        let (conditions, unchanged) = conditions(spec);
        let outcomes = decide(spec, &conditions, threads);
        Verification { conditions, unchanged, outcomes }
    }

    /// Whether all hold.
    pub fn holds(&self) -> bool {
        self.outcomes.iter().all(|o| matches!(o, Ok(Verdict::Holds(_))))
    }

    /// The proofs, by condition.
    pub fn proofs(&self) -> BTreeMap<&ConditionId, &Proof> {
        let pairs = self.conditions.iter().zip(&self.outcomes);
        pairs
            .filter_map(|(c, o)| match o {
                Ok(Verdict::Holds(proof)) => Some((&c.id, proof)),
                _ => None,
            })
            .collect()
    }
}

/// Decides conditions on several threads; outcomes in the conditions' order.
pub fn decide(spec: &Spec, conditions: &[Condition], threads: usize) -> Vec<Outcome> {
    let judge = Herbrand::new(spec);
    let clock = spec.sort("tick").is_some();
    parallel(conditions.len(), threads, |index| {
        let condition = &conditions[index];
        if clock {
            if let Some(proof) = judge.by_few(condition) {
                return Ok(Verdict::Holds(proof));
            }
            // Where the judge would instantiate for minutes, a universe that is laid out may show a counterexample at once.
            if let Ok(Some(structure)) = finite(spec, condition)
                && refutes(condition, &structure)
            {
                return Ok(Verdict::Fails(structure));
            }
        }
        judge.decide(condition)
    })
}

/// `work` for every number below `count`, on several threads; results in order.
pub fn parallel<T: Send>(count: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(index);
                    // Poisoned only by a panic, which the scope passes on anyway.
                    done.lock().unwrap_or_else(|e| e.into_inner()).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|e| e.into_inner());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A condition on which a solver does not agree with the judge in Rust.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// The condition.
    pub condition: ConditionId,
    /// The answer of the judge in Rust, if it gives one.
    pub holds: Option<bool>,
    /// The answer of the solver.
    pub answer: SolverAnswer,
}

/// Asks a solver about conditions that the judge in Rust decided.
///
/// Of a condition that it refuted, the solver gets the hypotheses that the refutation uses. To refute those is to refute
/// all of them, and a solver that gets all of them drifts; if a hypothesis were missing, it would answer `sat`.
pub fn compare(
    spec: &Spec,
    conditions: &[Condition],
    outcomes: &[Outcome],
    judge: &ExternalJudge,
    threads: usize,
) -> Result<Vec<Disagreement>, ExternalError> {
    let script = |(condition, outcome): (&Condition, &Outcome)| match outcome {
        Ok(Verdict::Holds(proof)) => Script::of(spec, &condition.only(&proof.used), true),
        _ => Script::of(spec, condition, false),
    };
    let scripts: Vec<_> = conditions.iter().zip(outcomes).map(script).collect();
    let answers = judge.ask(&scripts, threads)?;
    let mut disagreements = Vec::new();
    for ((condition, outcome), answer) in conditions.iter().zip(outcomes).zip(answers) {
        let holds = outcome.as_ref().ok().map(Verdict::holds);
        let agreed = match answer {
            SolverAnswer::Unsat => holds == Some(true),
            SolverAnswer::Sat => holds == Some(false),
            SolverAnswer::Unknown(_) => false,
        };
        if !agreed {
            disagreements.push(Disagreement { condition: condition.id.clone(), holds, answer });
        }
    }
    Ok(disagreements)
}

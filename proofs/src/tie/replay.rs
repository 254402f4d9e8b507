//! Traces in the project's format, of the model or of the production code, checked step by step.

use super::{Drift, Exploration, Failure, Placement, Tie, Untied, rules_of};
use crate::spec::{RuleChoice, Sources, SpecError, load};
use zus_checker::{
    protocol::Protocol,
    protocol::Reductions,
    trace::{ReplayError, Trace},
};

/// The counts of a replay.
pub type Replayed = Exploration;

/// Why a trace is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is no run of the model.
    #[error(transparent)]
    Model(#[from] ReplayError),
    /// Its instance cannot be tied.
    #[error(transparent)]
    Untied(#[from] Untied),
    /// The specification has not these rules.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Model and specification part.
    #[error(transparent)]
    Drift(#[from] Box<Failure>),
}

/// Replays a trace in the model and, step by step, in the specification for the same rules. Reductions that forget names
/// are switched off: they decide only which runs are explored.
pub fn replay(sources: &Sources, trace: &Trace) -> Result<Replayed, Refused> {
    let named = Reductions { symmetry: false, counting: false, ..trace.protocol.reductions };
    let protocol = Protocol { reductions: named, ..trace.protocol.clone() };
    let trace = Trace { protocol: protocol.clone(), ..trace.clone() };
    let states = trace.replay()?.states;
    let run: Vec<_> = trace.steps.iter().map(|s| s.action).collect();
    let mut rules = rules_of(&protocol.rules, protocol.fault);
    if protocol.committee.byzantine > protocol.committee.f {
        rules += ",faults=Any";
    }
    let spec = load(sources, &RuleChoice::new(rules))?;
    let tie = Tie::new(&spec, &protocol)?;
    let placement = Placement::of_run(&protocol, &states, &run)?;
    let fail = |at: usize, drift: Drift| Box::new(Failure::new(&protocol, run[..at].to_vec(), drift));
    let mut replayed = Replayed { states: 1, ..Replayed::default() };
    let (mut image, _) = tie.initial(&placement).map_err(|drift| fail(0, drift))?;
    for (at, action) in run.iter().enumerate() {
        let step = tie.follow(&image, &states[at], action, &states[at + 1]);
        let (next, events) = step.map_err(|drift| fail(at + 1, drift))?;
        tie.transitions(&image, &next).map_err(|drift| fail(at + 1, drift))?;
        tie.conjuncts(&next).map_err(|drift| fail(at + 1, drift))?;
        tie.count(&events, &mut replayed);
        replayed.states += 1;
        replayed.steps += 1;
        image = next;
    }
    Ok(replayed)
}

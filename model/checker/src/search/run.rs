//! From the fingerprints of an exploration to a run of named miners.
//!
//! An exploration under `symmetry` and `counting` goes through representatives, in which "miner 0" is another miner
//! from state to state. The run is found again by executing it without them: from the initial state, in each state
//! the first enabled action is taken whose result has the representative that comes next on the path. The steps that
//! the `lazy` reduction merged are taken apart, and the step that shows the property (a miner that switches, an
//! observer that finalizes) is put at the end. The result is a run of the protocol without these three reductions,
//! and is replayed as one before it is shown.

use super::{bfs::fingerprint, table::Fingerprint};
use crate::{
    action::Action,
    properties::Property,
    protocol::{Protocol, Reductions},
    state::State,
    trace::shows,
};

/// A run of named miners from the initial state.
#[derive(Clone, Debug)]
pub struct Run {
    /// The instance.
    pub protocol: Protocol,
    /// Its steps.
    pub actions: Vec<Action>,
}

/// Why an explored path has no run: a fault of the checker, never of the scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RunError {
    /// No step leads along the path.
    #[error("the checker lost its own path at step {step} of {steps}: a reduction is wrong")]
    Lost {
        /// Where.
        step: usize,
        /// Of how many.
        steps: usize,
    },
    /// No run of any size that a trace has room for goes along the path.
    #[error(
        "no run of at most {rounds} rounds and {subrounds} subrounds goes along the path: it takes more, or states of certificates are wrong"
    )]
    NoRoom {
        /// Rounds that there is room for.
        rounds: usize,
        /// Subrounds that there is room for.
        subrounds: usize,
    },
    /// The run, executed by name, does not show what the path shows.
    #[error("the run for {} does not show it once miners are named: a reduction is wrong", .0.id())]
    NotShown(Property),
    /// The specification, which executes every run once more, takes another way.
    #[error("the specification refuses step {step} of {steps} of the run for {}: the packed model, or the specification, is wrong", .property.id())]
    Refused {
        /// Where.
        step: usize,
        /// Of how many.
        steps: usize,
        /// The property that the run is to show.
        property: Property,
    },
    /// The specification executes the run, and does not see what it is to show.
    #[error("in the specification the run for {} does not show it: the packed model, or the specification, is wrong", .0.id())]
    NotSpecified(Property),
}

/// The protocol whose steps name their miners: without `symmetry`, `counting`, `lazy` and `sorted`.
pub fn named(protocol: &Protocol) -> Protocol {
    let reductions =
        Reductions { symmetry: false, counting: false, lazy: false, sorted: false, ..protocol.reductions };
    Protocol { reductions, ..protocol.clone() }
}

/// The run along `path`, with the steps that make `property` visible at its end.
pub fn named_run(protocol: &Protocol, path: &[Fingerprint], property: Property) -> Result<Run, RunError> {
    let merged = follow(protocol, path)?;
    let mut run = Run { protocol: named(protocol), actions: take_apart(&merged) };
    run.finish(property)?;
    Ok(run)
}

impl Run {
    /// The states that it goes through, or `None` if a step may not happen.
    pub fn states(&self) -> Option<Vec<State>> {
        execute(&self.protocol, &self.actions)
    }

    /// Whether it is a run, and shows `property`.
    pub fn shows(&self, property: Property) -> bool {
        self.states().is_some_and(|states| shows(&self.protocol, &states, &self.actions, property))
    }

    /// Makes a run to a state that shows `property` one to be read: without the steps it can do without (a shortest
    /// path of merged steps need not be a shortest run of single ones), and with those that make it visible.
    pub(crate) fn finish(&mut self, property: Property) -> Result<(), RunError> {
        if !self.shows(property) {
            return Err(RunError::NotShown(property));
        }
        self.shrink(property);
        self.conclude(property);
        if self.shows(property) { Ok(()) } else { Err(RunError::NotShown(property)) }
    }

    /// Adds the steps after which `property` can be seen.
    fn conclude(&mut self, property: Property) {
        if let Some(last) = self.states().as_ref().and_then(|states| states.last()) {
            self.actions.extend(conclude(&self.protocol, last, property));
        }
    }

    /// Leaves out every step that it can do without and still show `property`, the last ones first.
    fn shrink(&mut self, property: Property) {
        for at in (0..self.actions.len()).rev() {
            let step = self.actions.remove(at);
            if !self.shows(property) {
                self.actions.insert(at, step);
            }
        }
    }
}

/// The states from the initial one along `actions`, or `None` if one of them may not happen.
pub(super) fn execute(protocol: &Protocol, actions: &[Action]) -> Option<Vec<State>> {
    let mut states = vec![protocol.initial()];
    for action in actions {
        let before = states[states.len() - 1];
        protocol.enabled(&before, action).ok()?;
        states.push(protocol.apply(&before, action));
    }
    Some(states)
}

/// A point on the path: the state there, and the steps to the next point that have not been tried.
struct Waypoint {
    state: State,
    untried: Vec<Action>,
    taken: Option<Action>,
}

/// The merged steps along `path`. The first step that fits is the right one if the reductions are bisimulations;
/// should one of two states with equal representatives lead nowhere, the other is tried.
fn follow(protocol: &Protocol, path: &[Fingerprint]) -> Result<Vec<Action>, RunError> {
    let steps = path.len().saturating_sub(1);
    let candidates = |state: &State, next: Option<&Fingerprint>| {
        let mut fitting = Vec::new();
        let Some(&next) = next else { return fitting };
        protocol.actions(state, &mut fitting);
        fitting.retain(|action| {
            fingerprint(protocol, &protocol.normalize(protocol.apply(state, action))) == next
        });
        fitting.reverse();
        fitting
    };
    let initial = protocol.initial();
    let mut places =
        vec![Waypoint { state: initial, untried: candidates(&initial, path.get(1)), taken: None }];
    let mut furthest = 0;
    while places.len() <= steps {
        let Some(here) = places.last_mut() else { return Err(RunError::Lost { step: furthest, steps }) };
        match here.untried.pop() {
            Some(action) => {
                here.taken = Some(action);
                let state = protocol.apply(&here.state, &action);
                let untried = candidates(&state, path.get(places.len() + 1));
                places.push(Waypoint { state, untried, taken: None });
                furthest = furthest.max(places.len());
            }
            None => {
                places.pop();
            }
        }
    }
    Ok(places.iter().filter_map(|p| p.taken).collect())
}

/// The steps that `lazy` merges, one by one.
fn take_apart(actions: &[Action]) -> Vec<Action> {
    let mut apart = Vec::with_capacity(actions.len());
    for &action in actions {
        match action {
            Action::TimeoutTogether { miners, .. } => {
                apart.extend((0..8).filter(|m| miners >> m & 1 == 1).map(|miner| Action::Timeout { miner }));
            }
            Action::TimeoutThenLeave { miner, block } => {
                apart.extend([Action::Timeout { miner }, Action::Leave { miner, block }]);
            }
            other => apart.push(other),
        }
    }
    apart
}

/// The steps after which `property` can be seen: finality is a fact of what was sent, here observers act on it.
fn conclude(protocol: &Protocol, state: &State, property: Property) -> Vec<Action> {
    let finalize = |observer: u8, block| Action::Finalize { observer, block };
    let wanted: Vec<Action> = match property {
        Property::W4 | Property::W8 => protocol.witness_step(state, property).into_iter().collect(),
        Property::S5 if protocol.observers == 0 => protocol
            .conflicting_finals(state)
            .map_or(Vec::new(), |(a, b)| vec![finalize(0, a), finalize(1, b)]),
        Property::S6 if protocol.observers == 0 => {
            protocol.final_with_rival(state).map_or(Vec::new(), |(block, _)| vec![finalize(0, block)])
        }
        Property::Final if protocol.observers == 0 => {
            protocol.first_final(state).map_or(Vec::new(), |block| vec![finalize(0, block)])
        }
        Property::W5 if protocol.observers == 0 => {
            protocol.final_through_descendant(state).map_or(Vec::new(), |(_, block)| vec![finalize(0, block)])
        }
        _ => Vec::new(),
    };
    let mut at = *state;
    let mut done = Vec::new();
    for action in wanted {
        if protocol.enabled(&at, &action).is_ok() {
            at = protocol.apply(&at, &action);
            done.push(action);
        }
    }
    done
}

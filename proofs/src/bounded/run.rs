//! A run: a finite universe and the actions that happen in it.

use super::{Target, Universe};
use crate::{
    explain::Names,
    spec::Spec,
    structure::{Disabled, Element, Evaluator, Interpreter, Structure},
};

/// One action with elements for its parameters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Event {
    /// The action, by place.
    pub action: usize,
    /// Its arguments.
    pub arguments: Vec<Element>,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The name of the fact that it shows.
    pub name: String,
    /// The rules, in words.
    pub rules: String,
    /// The size of its universe.
    pub universe: Universe,
    /// The initial state.
    pub initial: Structure,
    /// The actions, in order.
    pub events: Vec<Event>,
}

/// Why a run is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RunError {
    /// An action that cannot happen.
    #[error("action {index} of the run cannot happen: {disabled}")]
    Disabled {
        /// Its place in the run, from 1.
        index: usize,
        /// Which guard fails.
        disabled: Disabled,
    },
    /// An axiom that the universe breaks.
    #[error("the run's universe breaks axiom `{0}`")]
    Axiom(String),
    /// The end is not what was looked for.
    #[error("the run does not end as it should")]
    End,
}

impl Run {
    pub(super) fn new(
        spec: &Spec,
        universe: &Universe,
        name: &str,
        initial: Structure,
        events: Vec<Event>,
    ) -> Self {
        Run {
            name: name.to_string(),
            rules: spec.rules.to_string(),
            universe: universe.clone(),
            initial,
            events,
        }
    }

    /// A run of these actions, from an initial state.
    pub fn within(
        spec: &Spec,
        name: &str,
        initial: Structure,
        universe: &Universe,
        events: Vec<Event>,
    ) -> Self {
        Run::new(spec, universe, name, initial, events)
    }

    /// All states, the initial one first; every guard and axiom is checked.
    pub fn replay(&self, interpreter: &Interpreter<'_>) -> Result<Vec<Structure>, RunError> {
        if let Some(axiom) = interpreter.broken_axioms(&self.initial).first() {
            return Err(RunError::Axiom(axiom.name.clone()));
        }
        let mut states = vec![self.initial.clone()];
        for (index, event) in self.events.iter().enumerate() {
            let now = &states[index];
            let enabled = interpreter.enabled(now, event.action, &event.arguments);
            enabled.map_err(|disabled| RunError::Disabled { index: index + 1, disabled })?;
            states.push(interpreter.apply(now, event.action, &event.arguments));
        }
        Ok(states)
    }

    /// The states up to the first action that cannot happen; none if the universe breaks an axiom.
    pub fn prefix(&self, interpreter: &Interpreter<'_>) -> Vec<Structure> {
        let mut states = Vec::new();
        if interpreter.broken_axioms(&self.initial).is_empty() {
            states.push(self.initial.clone());
        }
        for event in &self.events {
            let Some(now) = states.last() else { break };
            if interpreter.enabled(now, event.action, &event.arguments).is_err() {
                break;
            }
            states.push(interpreter.apply(now, event.action, &event.arguments));
        }
        states
    }

    /// The actions in words, one sentence each.
    pub fn sentences(&self, spec: &Spec) -> Vec<String> {
        let names = Names::of(spec, &self.initial);
        self.events.iter().map(|e| names.action(&spec.actions[e.action], &e.arguments)).collect()
    }

    /// Replays the run and checks that it reaches `target` at its end.
    pub fn check(&self, interpreter: &Interpreter<'_>, target: &Target) -> Result<(), RunError> {
        let states = self.replay(interpreter)?;
        let reached = match target {
            Target::State(formula) => {
                states.last().is_some_and(|state| Evaluator::new(formula, &[]).holds(state, &[]))
            }
            Target::Step(steps) => self.events.last().is_some_and(|last| {
                let before = &states[states.len() - 2];
                steps.iter().filter(|(action, _)| *action == last.action).any(|(action, formula)| {
                    let parameters: Vec<_> =
                        interpreter.spec().actions[*action].parameters.iter().map(|p| p.variable).collect();
                    Evaluator::new(formula, &parameters).holds(before, &last.arguments)
                })
            }),
        };
        if reached { Ok(()) } else { Err(RunError::End) }
    }

    /// Removes actions, the last first, as long as the run without them is still one to `target`. No action of the
    /// remaining run can be left out.
    pub(super) fn thin(&mut self, interpreter: &Interpreter<'_>, target: &Target) {
        if self.check(interpreter, target).is_err() {
            return;
        }
        loop {
            let before = self.events.len();
            for index in (0..before).rev() {
                let event = self.events.remove(index);
                if self.check(interpreter, target).is_err() {
                    self.events.insert(index, event);
                }
            }
            if self.events.len() == before {
                return;
            }
        }
    }
}

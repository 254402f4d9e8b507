//! The answer of an instance: what some state shows, and the shortest runs to what is broken.

use super::Question;
use crate::{
    boundary::{self, BoundaryProperty},
    handoff::{self, EpochProperty, Exploration},
    key_generation::{self, Property},
};
use stateright::{Checker, Model};

/// A run from the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Run {
    /// Of the boundary.
    Boundary(Vec<boundary::Action>),
    /// Of the handover.
    Handover(Vec<handoff::Action>),
    /// Of the key generation.
    Keys(Vec<key_generation::Action>),
}

impl Run {
    /// Its steps.
    pub fn steps(&self) -> usize {
        match self {
            Run::Boundary(steps) => steps.len(),
            Run::Handover(steps) => steps.len(),
            Run::Keys(steps) => steps.len(),
        }
    }
}

/// The verdict on a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Its id.
    pub id: &'static str,
    /// Its sentence.
    pub text: &'static str,
    /// Whether it is something that must be reachable, not something that must never happen.
    pub is_witness: bool,
    /// Whether some state shows it: breaks it, or is a witness of it.
    pub shown: bool,
    /// The shortest run to such a state, if the property is broken.
    pub run: Option<Run>,
}

/// The answer of a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Unique states.
    pub states: usize,
    /// Whether every state was reached that was asked for. If not, the search hit the limit on states, and a property that no state shows is not decided.
    pub complete: bool,
    /// The verdicts, in the order of the model.
    pub verdicts: Vec<Verdict>,
}

impl Question {
    /// Explores the instance, up to about `most` generated states.
    pub fn judge(&self, most: usize) -> Answer {
        match self {
            Question::Boundary(it) => {
                let found = it.explore();
                let verdict = |property: &BoundaryProperty| {
                    let run = found.of(*property).filter(|_| !property.is_witness());
                    Verdict {
                        id: property.id(),
                        text: property.text(),
                        is_witness: property.is_witness(),
                        shown: found.of(*property).is_some(),
                        run: run.map(|(_, run)| Run::Boundary(run.to_vec())),
                    }
                };
                let verdicts = BoundaryProperty::ALL.iter().map(verdict).collect();
                Answer { states: found.states, complete: true, verdicts }
            }
            Question::Handover(it) => {
                let checker = it.clone().checker().target_state_count(most).spawn_bfs().join();
                let found = checker.discoveries();
                let verdict = |property: &EpochProperty| {
                    let shown = found.contains_key(property.id());
                    Verdict {
                        id: property.id(),
                        text: property.text(),
                        is_witness: property.is_witness(),
                        shown,
                        run: (shown && !property.is_witness()).then(|| shortest(it, *property)).flatten(),
                    }
                };
                let verdicts = it.asked.iter().map(verdict).collect();
                let complete = checker.state_count() < most;
                Answer { states: checker.unique_state_count(), complete, verdicts }
            }
            Question::Keys(it) => {
                let search = key_generation::Exploration::up_to_names(it.clone());
                let checker = search.clone().checker().target_state_count(most).spawn_bfs().join();
                let found = checker.discoveries();
                let verdict = |property: &Property| {
                    let shown = found.contains_key(property.id());
                    let run = (shown && !property.is_witness()).then(|| search.shortest(*property)).flatten();
                    Verdict {
                        id: property.id(),
                        text: property.text(),
                        is_witness: property.is_witness(),
                        shown,
                        run: run.map(Run::Keys),
                    }
                };
                let verdicts = Property::ALL.iter().map(verdict).collect();
                let complete = checker.state_count() < most;
                Answer { states: checker.unique_state_count(), complete, verdicts }
            }
        }
    }

    /// A shortest run to a state that shows the property of that id, if the model has it and some state shows it.
    pub fn shortest(&self, id: &str) -> Option<Run> {
        match self {
            Question::Boundary(it) => {
                let property = BoundaryProperty::ALL.iter().find(|property| property.id() == id)?;
                it.explore().of(*property).map(|(_, run)| Run::Boundary(run.to_vec()))
            }
            Question::Handover(it) => {
                let property = EpochProperty::ALL.iter().find(|property| property.id() == id)?;
                shortest(it, *property)
            }
            Question::Keys(it) => {
                let property = Property::of_id(id)?;
                let search = key_generation::Exploration::up_to_names(it.clone());
                search.shortest(property).map(Run::Keys)
            }
        }
    }

    /// A run of this instance in sentences, one for each step; none if it is one of another model.
    pub fn told(&self, run: &Run) -> Vec<String> {
        let numbered = |text: String| -> Vec<String> {
            let sentence = |line: &str| line.split_once(". ").map_or(line, |(_, rest)| rest).to_owned();
            text.lines().map(sentence).collect()
        };
        match (self, run) {
            (Question::Boundary(it), Run::Boundary(run)) => numbered(it.tell(run)),
            (Question::Handover(it), Run::Handover(run)) => numbered(it.instance.tell(run)),
            (Question::Keys(it), Run::Keys(run)) => it.told(run).lines().map(str::to_owned).collect(),
            (Question::Boundary(_) | Question::Handover(_) | Question::Keys(_), _) => Vec::new(),
        }
    }
}

/// A search for each property, since Stateright keeps the last run that it found.
fn shortest(search: &Exploration, property: EpochProperty) -> Option<Run> {
    let alone = Exploration { asked: vec![property], ..search.clone() };
    let path = alone.checker().spawn_bfs().join().discovery(property.id())?;
    Some(Run::Handover(search.instance.named_run(path.into_vec())))
}

//! Refutations of weaker rules: runs that break a property, as data.

use crate::{
    bounded::{Run, RunError, Search, Target, Universe, UniverseError},
    spec::{RuleChoice, Sources, Spec, SpecError, load},
    structure::Interpreter,
};
use serde::Deserialize;

/// A refutation that must exist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refutation {
    /// Its name.
    pub name: String,
    /// The rules.
    pub rules: String,
    /// The run in words.
    pub says: String,
    /// The property that its end breaks.
    pub breaks: String,
    /// Byzantine miners among the four.
    pub byzantine: usize,
    /// Exposed miners among the honest ones.
    #[serde(default)]
    pub exposed: usize,
    /// Whether miners may restart; where not, nobody is faulty but the Byzantine ones.
    #[serde(default)]
    pub restarts: bool,
    /// Rounds, subrounds, blocks of each.
    pub universe: [usize; 3],
    /// Steps of non-interfering actions to search in. Some may be idle; a few to spare make the search easier.
    pub steps: usize,
    /// Number of actions of the run.
    pub actions: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    run: Vec<Refutation>,
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum RefutationError {
    /// The table cannot be read.
    #[error("refutations.toml: {0}")]
    Table(#[from] toml::de::Error),
    /// The rules or the specification are wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The universe cannot be laid out.
    #[error(transparent)]
    Universe(#[from] UniverseError),
    /// The property is not in the specification for these rules.
    #[error("{0}: these rules have no property `{1}`")]
    NoProperty(String, String),
    /// No run breaks the property.
    #[error("{0}: no run of so many steps breaks `{1}`")]
    NotFound(String, String),
    /// The run does not replay.
    #[error("{0}: {1}")]
    Run(String, RunError),
}

/// The committed table.
pub fn table() -> Result<Vec<Refutation>, RefutationError> {
    Ok(toml::from_str::<Table>(include_str!("../refutations.toml"))?.run)
}

impl Refutation {
    /// Where it happens.
    pub fn universe(&self) -> Universe {
        let [rounds, subrounds, blocks] = self.universe;
        Universe {
            byzantine: self.byzantine,
            exposed: self.exposed,
            ..Universe::of_four(rounds, subrounds, blocks)
        }
    }

    /// The specification for its rules.
    pub fn spec(&self, sources: &Sources) -> Result<Spec, RefutationError> {
        Ok(load(sources, &RuleChoice::new(self.rules.clone()))?)
    }

    /// The end of the run.
    pub fn target(&self, spec: &Spec) -> Result<Target, RefutationError> {
        let statement = spec.statement(&self.breaks);
        let missing = || RefutationError::NoProperty(self.name.clone(), self.breaks.clone());
        Ok(Target::violation(&statement.ok_or_else(missing)?.formula))
    }

    /// Searches the run and replays it.
    pub fn find(&self, spec: &Spec) -> Result<Run, RefutationError> {
        let target = self.target(spec)?;
        let excluded: &[&str] = if self.restarts { &[] } else { &["restart"] };
        let run = Search::without(spec, &self.universe(), excluded)?.run_within(
            &self.name,
            &target,
            self.steps..=self.steps,
        );
        let run = run
            .map_err(UniverseError::from)?
            .ok_or_else(|| RefutationError::NotFound(self.name.clone(), self.breaks.clone()))?;
        let check = run.check(&Interpreter::new(spec), &target);
        check.map_err(|e| RefutationError::Run(self.name.clone(), e))?;
        Ok(run)
    }
}

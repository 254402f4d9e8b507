//! The judges: three independent ways to decide a condition.

mod candidate;
mod external;
mod ground;
mod herbrand;
mod hints;

pub use external::{External, ExternalError, ExternalJudge, Likely, PYTHON_VARIABLE, Script, SolverAnswer};
pub use herbrand::{Herbrand, HerbrandError, Proof};
pub use hints::Hints;

use crate::{condition::Condition, structure::Structure};

/// The verdict of a judge.
#[derive(Clone, Debug)]
pub enum Verdict<P> {
    /// The condition holds.
    Holds(P),
    /// It fails: a structure with all hypotheses and without the goal.
    Fails(Structure),
}

impl<P> Verdict<P> {
    /// Whether the condition holds.
    pub fn holds(&self) -> bool {
        matches!(self, Verdict::Holds(_))
    }
}

/// Sorts of a condition's own constants.
pub(crate) fn constant_sorts(condition: &Condition) -> Vec<crate::spec::SortId> {
    condition.constants.iter().map(|c| c.sort).collect()
}

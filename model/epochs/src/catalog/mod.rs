//! The instances of all models of epochs by name, each with the verdicts that are expected; and one way to ask any of them.
//!
//! [`entries`] has the list, [`change`] changes a rule or sets a fault by its name, [`judge`] explores.

pub mod change;
pub mod entries;
pub mod judge;

pub use change::Mistake;
pub use entries::{Entry, all, named};
pub use judge::{Answer, Run, Verdict};

use crate::{boundary, handoff, key_generation};

/// A model, and an instance of it.
#[derive(Clone, Debug)]
pub enum Question {
    /// The boundary under the deployed rules.
    Boundary(boundary::Instance),
    /// The handover of committees.
    Handover(handoff::Exploration),
    /// The key generation.
    Keys(key_generation::Instance),
}

impl Question {
    /// The name of the model.
    pub const fn model(&self) -> &'static str {
        match self {
            Question::Boundary(_) => "boundary",
            Question::Handover(_) => "handover",
            Question::Keys(_) => "key generation",
        }
    }
}

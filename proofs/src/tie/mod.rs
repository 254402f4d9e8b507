//! The tie between the specification and the model, both ways.
//!
//! The proof is about the specification, the checker explores the model. This room shows, on every state that it
//! visits, that they are one protocol. It is a forward simulation: next to the model's state runs a finite structure of
//! the specification, the *image*, which only the specification's own actions may change.
//!
//! ```text
//!   model:          state ────── action ─────▶ state'          every action of the model is, by `translate`, a list of
//!                     │ agree                     │ agree       actions of the specification (none: a stutter): their
//!   specification:  image ─ guards, updates ─▶ image'          guards hold, and their updates give an image that agrees
//! ```
//!
//! - **Forward** (`follow`): the guards of these actions hold in the image, and after their updates image and state
//!   agree (`agreement`) on everything that the state determines.
//! - **Backward** (`missing`): every action of the specification that is enabled in the image and changes it exists in
//!   the model, except where a scenario is bounded on purpose; the [`Bound`]s are an enum, and are counted.
//! - **Conjuncts**: in every image all conjuncts of the invariant, all safety properties and, once a universe, all axioms
//!   hold.
//!
//! A *placement* is fixed before a run: which miner generates a block, and its parent. In the model a block gets both
//! when it is proposed; in the specification they are part of its identity. A run of the model is checked against the
//! placement that it ends with (`Placement::of_run`), and an exhaustive exploration visits all placements
//! ([`Placement::all`]).
//!
//! Stutters, and why: *select* leaves no trace but the ticket; a *crash* is the first half of a restart, which the
//! specification has in one step. Implied actions follow by themselves (`implied`): combining shares, forming
//! certificates, and, where the model is explored with the reduction `eager`, sending shares, proposing and notarizing.

mod agreement;
mod backward;
mod explore;
mod forward;
pub mod graph;
mod image;
mod placement;
mod replay;
mod trace;
mod vocabulary;

pub use backward::{Bound, BoundsHit};
pub use explore::{Exploration, Failure, explore, walk};
pub use forward::Tie;
pub use placement::Placement;
pub use replay::{Refused, Replayed, replay};
pub use trace::{NoTrace, model_rules, property, trace_of};
pub use vocabulary::rules_of;

use crate::structure::Disabled;

/// Where specification and model part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Drift {
    /// The model does what a guard of the specification forbids.
    #[error("the model does it, the specification does not: {0}")]
    Forbidden(Disabled),
    /// The model has an action that the specification has not.
    #[error("the specification has no counterpart of this action of the model")]
    NoCounterpart,
    /// After the step they disagree.
    #[error(
        "after the step they disagree on {fact}: the model says {model}, the specification {specification}"
    )]
    Disagree {
        /// On what.
        fact: String,
        /// Its value in the model.
        model: String,
        /// Its value in the specification.
        specification: String,
    },
    /// The specification does what the model cannot.
    #[error("the specification does it, the model does not: {sentence}")]
    Missing {
        /// The action of the specification.
        action: String,
        /// The effect of that action.
        sentence: String,
    },
    /// A conjunct, property or axiom that does not hold in a state of the model.
    #[error("`{0}` does not hold in this state of the model")]
    Broken(String),
}

/// The reasons why an instance or a rule cannot be tied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Untied {
    /// A rule without counterpart.
    #[error("rules without counterpart in the specification, or that are tied only through runs: {0}")]
    Rules(String),
    /// Miners that act in groups.
    #[error("every honest miner must stand for one member")]
    Groups,
    /// A network that becomes synchronous.
    #[error("only an asynchronous network is tied")]
    Synchronous,
    /// Reductions that forget what the specification names.
    #[error("the reductions `symmetry` and `counting` forget names")]
    Forgetful,
    /// An outsider that cannot be told from a generator.
    #[error(
        "no Byzantine miner is left to be the outsider of a subround, or no honest one to be a generator"
    )]
    Generators,
    /// A run that no placement fits.
    #[error("step {0}: no honest miner can have proposed the block by then")]
    Generator(usize),
    /// The universe is too large.
    #[error(transparent)]
    Universe(#[from] crate::bounded::UniverseError),
    /// The specification lacks a name.
    #[error("the specification for these rules has no `{0}`")]
    Name(String),
}

//! Runs in finite universes: every witness, and every violation that weaker rules allow, as a list of actions from the
//! initial state, found propositionally and replayed by the interpreter.

mod circuit;
mod file;
mod run;
mod symbolic;
mod universe;
mod unroll;

pub use circuit::{Bit, Circuit};
pub use file::{ActionLine, FORMAT, MAX_ACTIONS, RunFileError, events};
pub use run::{Event, Run, RunError};
pub use symbolic::Symbolic;
pub(crate) use universe::subsets;
pub use universe::{Universe, UniverseError};
pub use unroll::{Search, Target, Unsound};

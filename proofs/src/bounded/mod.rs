//! Runs in finite worlds: every witness, and every violation that weaker rules allow, as a list of actions from the
//! initial state, found propositionally and replayed by the interpreter.

mod circuit;
mod file;
mod run;
mod symbolic;
mod unroll;
mod world;

pub use circuit::{Bit, Circuit};
pub use file::{FORMAT, MAX_ACTIONS, RunFileError};
pub use run::{Event, Run, RunError};
pub use symbolic::Symbolic;
pub use unroll::{Search, Target, Unsound};
pub(crate) use world::subsets;
pub use world::{World, WorldError};

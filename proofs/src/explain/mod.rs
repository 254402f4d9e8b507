//! Structures and steps in the protocol's words.

mod counterexample;
mod minimise;
mod names;

pub use counterexample::{Counterexample, Unconfirmed};
pub use minimise::{minimise, refutes};
pub use names::Names;

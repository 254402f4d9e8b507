//! Structures and steps in the protocol's words.

mod counterexample;
mod minimise;
mod names;
mod real;

pub use counterexample::{Counterexample, Unconfirmed};
pub use minimise::{minimise, refutes};
pub use names::Names;
pub use real::real_run;

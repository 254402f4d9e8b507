//! Structures and steps in the protocol's words.

mod counterexample;
mod finite;
mod minimise;
mod names;
mod real;

pub use counterexample::{Counterexample, Unconfirmed};
pub use finite::{finite, finite_of_any_size};
pub use minimise::{minimise, refutes};
pub use names::Names;
pub use real::real_run;

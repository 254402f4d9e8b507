//! The unbounded proof of the Züs block production protocol.
pub mod condition;
pub mod spec;
pub mod text;

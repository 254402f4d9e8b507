//! The unbounded proof of the Züs block production protocol.
pub mod condition;
pub mod judge;
pub mod sat;
pub mod spec;
pub mod structure;
pub mod text;

//! The unbounded proof of the Züs block production protocol.
pub mod arithmetic;
pub mod bounded;
pub mod cli;
pub mod condition;
pub mod controls;
pub mod explain;
pub mod judge;
pub mod ledger;
pub mod nonvacuity;
pub mod refutations;
pub mod sat;
pub mod spec;
pub mod structure;
pub mod text;
pub mod tie;
pub mod verify;

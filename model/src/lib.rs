//! The Züs block production protocol as an explicit-state model, and the checker `zus`.

pub mod action;
pub mod blocks;
pub mod checker;
pub mod committed;
pub mod committee;
pub mod draw;
pub mod expand;
pub mod good_period;
pub mod instance;
pub mod memory;
pub mod mutants;
mod premises;
pub mod properties;
pub mod protocol;
pub mod reductions;
pub mod report;
pub mod scenario;
pub mod sentence;
pub mod state;
pub mod trace;

pub use zus_protocol::rules;
pub use zus_spec::fault::{self, Fault};

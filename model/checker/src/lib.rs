//! How the specification is explored: macro steps, packing, search; and scenarios, traces and verdicts.

pub mod action;
pub mod blocks;
pub mod committed;
pub mod committee;
pub mod expand;
pub mod good_period;
pub mod instance;
pub mod memory;
pub mod mutants;
mod premises;
pub mod properties;
pub mod protocol;
pub mod reductions;
pub mod scenario;
pub mod search;
pub mod sentence;
mod settings;
pub mod sorted;
pub mod state;
pub mod trace;

pub use zus_protocol::rules;
pub use zus_spec::fault::{self, Fault};

//! The Züs block production protocol as a production crate.

pub mod bounds;
pub mod committee;
pub mod crypto;
pub mod rules;
pub mod ticket_log;

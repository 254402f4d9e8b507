//! The proofs and their tools, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests.

mod bad_input;
mod bound;
mod cli;
mod drift;
mod epochs;
mod given;
mod graph;
mod independence;
mod ledger;
mod names;
mod obligations;
mod parts;
mod refused;
mod search;
mod tie;
mod traces;
#[path = "tie/universes.rs"]
mod universes;
mod verification;

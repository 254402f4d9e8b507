//! The production crate, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests. Apart are `no_threads`, which counts those of
//! its process, and `gap`, which counts its memory.

mod crypto_properties;
mod embedding;
mod examples;
mod known_answers;
mod localnet;
mod magic_block;
mod scheme_contract;
mod sim;
mod tcp;
mod ticket_log_crashes;
mod ticket_log_interchange;
mod ticket_log_recovery;
mod wire;

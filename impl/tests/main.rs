//! The production crate, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests. Apart is `gap`, which counts the
//! memory of its process.

mod crypto_properties;
mod embedding;
mod epochs;
mod examples;
mod localnet;
mod ranks;
mod scheme_contract;
mod sim;
mod tcp;
mod ticket_log_crashes;
mod ticket_log_interchange;
mod ticket_log_recovery;
mod wire;

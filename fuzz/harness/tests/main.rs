//! The harness, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests.

use zus_fuzz::targets::allocation::Counting;

/// Counts what a thread allocates, for the bounds on memory of `decode` and `soak`.
#[global_allocator]
static COUNTING: Counting = Counting;

mod conformance;
mod coverage;
mod deviations;
mod findings;
mod handover;
mod inputs;
mod key_chain;
mod mutants;
mod product;
mod profiles;
mod recovery;
mod refinement;
mod refused;
mod shrinking;
mod soak;
mod verdicts;
mod waits;

//! The handover between epochs (PROTOCOL.md, section 8): its specification is `epochs/*.epr`, apart from the one of a single epoch.
//!
//! It is proved, controlled and refuted by the same judges. What is particular to it is here: [`layout`], the instances of
//! `model/epochs` as universes of the specification; [`runs`], the runs that are found in them, under the recommended rules and under
//! each rule change; [`graph`], the tie, which compares the graphs of both.

pub mod graph;
pub mod layout;
pub mod runs;

use crate::spec::{RuleChoice, Sources, Spec, SpecError, load};

/// The table of its controls, pinned.
pub const CONTROLS: &str = include_str!("../../epochs/controls.txt");

/// The profiles whose conditions must hold: at most f Byzantine members in each committee, and any number (E4).
pub const PROVED: [&str; 2] = ["hardened", "accountable"];

/// The specification for the recommended rules.
pub fn hardened() -> Result<Spec, SpecError> {
    under("hardened")
}

/// The specification for a choice of rules.
pub fn under(rules: &str) -> Result<Spec, SpecError> {
    load(&Sources::epochs(), &RuleChoice::new(rules))
}

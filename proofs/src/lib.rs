//! The proof of the Züs block production protocol, for any number of members, rounds and blocks.
//!
//! It is for engineers who change a rule and ask whether the invariants still hold. The specification is text (`spec/*.epr`);
//! [`mod@spec`] reads it, [`condition`] makes the proof conditions of it, and a [`judge`] decides each of them. The README has the
//! command line, and says what is proved.
//!
//! ```
//! use zus_proofs::{condition::conditions, judge::{Herbrand, Verdict}, spec::{RuleChoice, Sources, load}};
//!
//! let spec = load(&Sources::embedded(), &RuleChoice::hardened())?;
//! let (all, _) = conditions(&spec);
//! let condition = all.iter().find(|one| one.id.to_string() == "leave_voting:voted-ticketed-no-other").expect("it is one of them");
//! let judge = Herbrand::new(&spec);
//! assert!(matches!(judge.decide(condition), Ok(Verdict::Holds(_))));
//!
//! // The control: without its guard the vote breaks the invariant.
//! let broken = spec.without("guard:leave_voting/ticketed-no-other").expect("there is such a guard");
//! let (all, _) = conditions(&broken);
//! let condition = all.iter().find(|one| one.id.to_string() == condition.id.to_string()).expect("it is still asked");
//! assert!(!matches!(Herbrand::new(&broken).decide(condition), Ok(Verdict::Holds(_))));
//! # Ok::<(), zus_proofs::spec::SpecError>(())
//! ```
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod bounded;
pub mod cli;
pub mod condition;
pub mod controls;
pub mod epochs;
pub mod explain;
pub mod independence;
pub mod judge;
pub mod ledger;
pub mod nonvacuity;
pub mod parts;
pub mod refutations;
pub mod sat;
pub mod spec;
pub mod stalls;
pub mod structure;
pub mod text;
pub mod tie;
pub mod verify;

//! The checker: it explores the specification ([`zus_spec`]) in a packed form, and says which properties hold.
//!
//! It is for engineers who want a verdict from Rust and not from the command `zus`. A [`scenario`] names the rules, the members
//! and the expected verdicts; [`search`] explores it; a [`trace`] is a run that was found, and can be replayed.
//!
//! ```
//! use zus_checker::{scenario, search::{bfs::Limits, check::{Found, Options, check}}};
//!
//! let text = r#"
//! question = "Can one round have two notarized blocks?"
//! profile = "hardened"
//! n = 4
//! byzantine = 1
//! rounds = 1
//! subrounds = 1
//! network = "async"
//! generators = [["byzantine"]]
//! [expect]
//! S2 = "holds"
//! final = "reachable"
//! "#;
//! let scenario = scenario::parse("mine", "mine.toml", text)?;
//! let options = Options { limits: Limits::default(), command: "zus check mine.toml", progress: &|_| {} };
//! let checked = check(&scenario, options);
//! assert_eq!(checked.findings[0].found, Found::Holds);
//! # Ok::<(), scenario::ScenarioError>(())
//! ```
//!
//! The property *holds* in this instance: its members, its rounds. The premise `final` shows that it could have been otherwise.
#![forbid(unsafe_code)]

pub mod action;
pub mod blocks;
pub mod certificates;
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

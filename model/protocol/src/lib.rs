//! The vocabulary of the protocol ([`PROTOCOL.md`](../../PROTOCOL.md)): names that the specification, the checker, the
//! production crate, the fuzz harness and the proofs share. It has no logic.
//!
//! - [`ids`]: who takes part, and when;
//! - [`rules`]: one closed enum per open question, and the three profiles;
//! - [`properties`]: the ids of the properties, with their sentences;
//! - [`synchrony`]: what liveness asks of waits, and what it promises, in ticks of Δ.
//!
//! It is for every crate that speaks of the protocol: names, rules and properties are written once.
//!
//! ```
//! use zus_protocol::{properties::Property, rules::{Rules, TicketRule}};
//!
//! let rules = Rules { ticket: TicketRule::BetterRank, ..Rules::HARDENED };
//! assert_eq!(Rules::profile("hardened"), Some(Rules::HARDENED));
//! assert!(Rules::HARDENED.changes().iter().any(|(name, changed)| name == "ticket = BetterRank" && *changed == rules));
//! println!("{}: {}", Property::S2.id(), Property::S2.text());
//! ```
//!
//! Outside this crate a value of a rule is looked at by an exhaustive `match` only: no `==`, no `matches!`, no `_`. So a
//! new value does not compile until every place has decided what it means there. A lint of the gate keeps it so.
#![forbid(unsafe_code)]

pub mod ids;
pub mod properties;
pub mod rules;
pub mod synchrony;

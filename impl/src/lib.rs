//! The Züs block production protocol as a production crate: a sans-I/O miner and sharder, BLS tickets, a threshold beacon,
//! distributed key generation and a durable ticket log.
//!
//! Start with [`miner`]: its documentation is the protocol. [`rules`] lists the protocol's open questions, with one choice for
//! each; the default is [`Rules::HARDENED`](rules::Rules::HARDENED).
//!
//! [`node`] puts the parts of a node around a miner. The README follows; its code is compiled with this documentation.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts;
pub mod application;
pub mod block;
pub mod certified;
pub mod chain;
pub mod committee;
pub mod crypto;
pub mod epochs;
pub mod evidence;
pub mod limits;
pub mod message;
pub mod miner;
pub mod node;
pub mod sharder;
pub mod signature_pool;
pub mod statement;
pub mod ticket_log;
pub mod wire;

pub use zus_protocol::{rules, synchrony};

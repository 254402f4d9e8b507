//! The handover from the committee of one epoch to the committee of the next (PROTOCOL.md, section 8).
//!
//! Read it in this order: [`block`], [`instance`] and [`state`]; [`steps`], one file for each; [`properties`] and
//! [`good_period`]; [`explore`], the same as a `stateright::Model`; [`scenarios`], the instances that are explored.
//!
//! Left out is the following; each line says why the verdicts stand without it:
//! - **Byzantine members have no state.** They have signed everything. A certificate exists as soon as honest signatures and
//!   those of all Byzantine members are a quorum, and nobody is bound by what they signed. In the instances of E8 the members that left
//!   become such members after the handoff.
//! - **Messages have no state.** A message that was sent may arrive at any time, so a node acts on what exists.
//! - **A subround is entered at will.** A timeout certificate only narrows it: an instance may ask for certificates
//!   ([`Subrounds::ByCertificate`]), and a test compares its states with those of the other form.
//! - **Nodes of the same committees are alike.** A test compares the sorted states with the named ones.
//! - **Payloads, items, keys and the beacon are not here.** The record is complete where the list of blocks says so. How it comes
//!   about is the model [`key_generation`](crate::key_generation).
//! - **The blocks are a list.** So the instance bounds rounds, subrounds and rivals; a verdict is about these blocks.

pub mod block;
pub mod explore;
pub mod fault;
pub mod good_period;
pub mod instance;
pub mod properties;
pub mod rules;
pub mod scenarios;
pub mod sentence;
pub mod state;
pub mod steps;

pub use block::{Block, BlockId, Blocks, START};
pub use explore::{Exploration, States, Tickets};
pub use fault::EpochFault;
pub use instance::{ComesBack, Instance, Member, Subrounds};
pub use properties::EpochProperty;
pub use rules::EpochRules;
pub use state::{Entry, Node, Position, Record, State};
pub use steps::Action;

//! Epochs of the Züs block production protocol as specifications: a committee hands over to the next one.
//!
//! - [`boundary`]: how the chain ends at the change of committees under the deployed rules;
//! - [`handoff`]: how the chain of epoch e ends, and how the next committee begins;
//! - [`key_generation`]: how the next committee makes its beacon key on the final chain of e.
//!
//! [`catalog`] has their instances by name.
//!
//! Each is a model of its own: plain structs, a monotone network (a message that was sent may arrive at any time, in any
//! order, twice, or never), Byzantine members that act by themselves, and a `stateright::Model` over all of it.
#![forbid(unsafe_code)]

pub mod boundary;
pub mod catalog;
pub mod handoff;
pub mod key_generation;

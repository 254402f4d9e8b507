//! A simulated network in virtual time. One seed is one run: every delay, loss and crash comes from it.
//!
//! [`World`] moves messages, timers, disks and applications around miners and sharders; [`Byzantine`] says how a dishonest
//! miner departs from the protocol; [`Observer`] watches from outside, counts for itself, and shares no code with the miner.

// Each user of the network uses a part of it.
#![allow(dead_code, unused_imports)]

mod byzantine;
mod host;
mod observer;
mod schedule;
mod setup;
mod world;

pub use byzantine::Byzantine;
pub use observer::{Expect, Observer};
pub use setup::{Adjust, Crash, Fault, Network, Setup};
pub use world::World;

#![doc = include_str!("../README.md")]

pub mod by_hand;
mod byzantine;
pub mod chosen;
pub mod disk;
pub mod epochs;
pub mod member;
pub mod messages;
mod observer;
mod schedule;
pub mod sharder;
pub mod timed;

pub use byzantine::Byzantine;
pub use observer::{Expect, Observer};

//! Exhaustive exploration of a [`Protocol`](crate::protocol::Protocol).

pub mod bfs;
pub mod check;
pub mod codec;
pub mod engines;
pub mod expander;
pub mod run;
pub mod simulate;
pub mod stateright;
pub mod table;
pub mod trial;

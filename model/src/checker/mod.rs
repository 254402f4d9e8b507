//! Exhaustive exploration of a [`Protocol`](crate::protocol::Protocol).

pub mod bfs;
pub mod codec;
pub mod table;

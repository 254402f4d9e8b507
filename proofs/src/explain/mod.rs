//! Structures and steps in the protocol's words.

mod names;

pub use names::Names;

//! The Züs block production protocol as a specification (PROTOCOL.md).

pub mod fault;

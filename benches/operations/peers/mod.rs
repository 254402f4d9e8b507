//! The peers: each does our job on the same bytes with its own code, and is asked beforehand whether it agrees.

pub mod arkworks;
pub mod blst;
pub mod blstrs;
// The macro of its certificates asks for a feature by the name that it has in its own crate.
#[allow(unexpected_cfgs)]
pub mod commonware;
#[cfg(feature = "herumi")]
#[allow(unsafe_code)]
pub mod herumi;
pub mod ours;

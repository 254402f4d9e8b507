//! The specification, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests.

mod forget;
mod restart;
mod stateright;

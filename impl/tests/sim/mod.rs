//! Miners and sharders on a simulated network, checked from outside.
//!
//! A failure prints the setup with its seed: the run is a function of it.

mod catch_up;
mod disturbances;
mod expected;
mod floods;
mod muted;
mod restarts;
mod rounds;
mod storms;

//! The tests of both models. One program: linking takes longer than most of them.

mod handoff;
mod key_generation;
mod page;

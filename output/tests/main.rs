//! Files that appear whole or not at all, seen from outside.
//!
//! One program: each links everything, and that takes longer than most of its tests.

mod everywhere;
mod files;
mod runs;

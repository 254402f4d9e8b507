//! Liveness in numbers: waits and bounds in ticks of Δ, the bound on delivery and computing together.
//!
//! They are written once, here. Each has its source elsewhere, and a test that fails when the two differ:
//!
//! | place | how it has them | test |
//! |---|---|---|
//! | the proof, for any n | the ticks that its axioms and properties name | `proofs/tests/bound.rs` |
//! | the model's good period | a run in which each message takes one tick | `proofs/tests/bound.rs` |
//! | the production miner | it refuses shorter waits (`Config::check`) | its tests of settings, and `fuzz/harness/tests/waits.rs` |
//! | production in virtual time | how long rounds take | `fuzz/harness/src/waits.rs` |
//! | the fuzz harness | its bound on calm runs is made of them | `fuzz/harness/src/liveness.rs` |
//!
//! Ticks are counted from the tick p0 before the first honest miner enters the (round, subround). W is a window in ticks. *Good*
//! is a subround whose best generator is honest and up, and whose waits are at least [`WINDOW`] and [`TICKET_WAIT`].

/// Ticks of a window, at least: within so many the block of a good subround has arrived everywhere, and that many keep miners from
/// jumping over a round.
pub const WINDOW: u32 = 5;

/// Ticks from the end of a window to the timeout, at least.
pub const TICKET_WAIT: u32 = 4;

/// W and so many ticks: one honest miner has a notarization of the round of a good subround.
pub const NOTARIZED: u32 = 4;

/// W and so many ticks: all honest miners have left the round of a good subround.
pub const LEFT: u32 = 5;

/// W and so many ticks: where the good subround is the first of its round, its block is final for everybody.
pub const FINAL: u32 = 5;

/// Ticks after the timer of any subround: all honest miners are in the next one, or in a later place.
pub const ENDED: u32 = 2;

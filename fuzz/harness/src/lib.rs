//! The model as the oracle of the production code: exhaustively at small size, and by fuzzing.
//!
//! It is for engineers who fuzz the production crate ([`zus_bpp`]), or a changed one: each target plays any bytes as a run, and
//! panics where the code and the model disagree.
//!
//! ```
//! use zus_fuzz::{judge, targets};
//!
//! let conformance = targets::named("conformance").expect("`zus-fuzz run` lists them");
//! // A header and some choices: a run that the fuzzer could have made.
//! let bytes: Vec<u8> = (0..200).collect();
//! assert_eq!(judge::finding(conformance, &bytes), None);
//! println!("{}", targets::tell("conformance", &bytes));       // the run in words
//! ```
//!
//! | room | contents |
//! |---|---|
//! | [`world`] | virtual network, time and disks around production miners |
//! | [`schedule`] | any bytes are a run: a header, then choices among what can happen |
//! | [`byzantine`] | what Byzantine members do with their keys |
//! | [`handover`] | the handover of committees, compared with its specification |
//! | [`refinement`] | the abstraction function and the step check |
//! | [`oracles`] | oracles that share no code with production |
//! | [`liveness`] | an adversarial prefix, then a synchronous network, and a bound |
//! | [`waits`] | how long rounds take with given waits, next to the bound of the proof |
//! | [`campaign`] | random walks |
//! | [`soak`](mod@soak) | thousands of rounds, under a bound on memory |
//! | [`judge`] | everything here, cheapest first, until something is wrong |
//! | [`feedback`] | states of the model as the novelty signal of an engine |
//! | [`mutants`] | deliberate bugs of the production crate, woven into a copy of it |
//! | [`coverage`] | what is reached of all that the model has |
//! | [`product`] | production and model together, explored exhaustively |

/// The Byzantine members of that world.
pub use zus_sim::chosen::byzantine;
pub mod campaign;
#[cfg(feature = "cli")]
pub mod cli;
pub mod coverage;
pub mod feedback;
pub mod handover;
pub mod judge;
pub mod liveness;
#[cfg(feature = "cli")]
pub mod mutants;
pub mod oracles;
pub mod product;
pub mod refinement;
pub mod schedule;
pub mod shrink;
pub mod soak;
pub mod targets;
pub mod twins;
pub mod waits;
/// The world whose schedule is chosen, around production miners.
pub use zus_sim::chosen as world;

/// The folder of the corpora, the regressions and the matrix: the room of the targets, around the crate.
#[must_use]
pub fn room() -> &'static std::path::Path {
    let harness = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap_or(harness)
}

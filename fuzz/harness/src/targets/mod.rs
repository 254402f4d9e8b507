//! Bodies of the fuzz targets: each takes any bytes and panics when something is wrong, with a report that says what. The
//! command that replays the input is printed beside it ([`execute`]). The shims in `fuzz_targets/` are wiring only, one for every engine ([`entry!`](crate::entry));
//! `tests/corpus.rs` runs the same bodies on stable.
//!
//! | target | driven by the bytes | what judges it |
//! |---|---|---|
//! | `conformance`, `conformance_bls`, `twins` | a schedule of a whole network | the model, step by step; S1 to S10 |
//! | `recovery` | a schedule with crashes, cuts and damage of log files | what was flushed; S1 to S10; progress |
//! | `decode` | messages, and what else comes from a peer or a disk | one encoding; bounded memory |
//! | `signature_pool` | signatures, genuine and not, of seven members | a pool that verifies one by one |
//! | `certificate`, `beacon` | bitmaps, sums and shares | plain counting |
//! | `dkg` | dishonest dealers and recipients | what they did |
//! | `differential_bls` | encodings, keys, signatures, sums | arkworks |
//! | `scenario`, `trace` | files of the model | read back the same |
//! | `signers`, `statements` | bitmaps; what is signed, hashed and counted | the same by hand |
//! | `messages` | messages made here, lists too long | they come back whole, or not at all |
//! | `evidence` | two statements | what no honest miner signs both |
//! | `equivocation` | what one member says against itself, straight and through others | the obligation *culprit* |
//! | `ledger` | appends, flushes, crashes of a file and a memory log | a plain list |
//! | `answers` | answers to a sharder's questions, spoilt ones too | the chain that there is |
//! | `floods` | messages of rounds without end, of strangers, wrong ones and requests | a bound |
//! | `overrun` | a schedule with more Byzantine members than are tolerated | S1, S7, S10 |
//! | `profiles` | a schedule under other rules | what they promise |
//! | `soak` | what is long, and a seed | S1 to S10, obligations, a bound on memory |

mod accused;
pub mod allocation;
mod answers;
pub mod codecs;
mod crypto;
#[cfg(feature = "differential")]
mod differential_bls;
mod entry;
mod equivocation;
mod floods;
mod key_generation;
mod ledger;
mod long;
mod messages;
mod overrun;
mod panics;
mod profiles;
pub mod recovery;
mod runs;
mod sets;
mod stream;

pub use accused::evidence;
pub use answers::answers;
pub use codecs::{decode, scenario, trace};
pub use crypto::{beacon, certificate, signature_pool};
#[cfg(feature = "differential")]
pub use differential_bls::differential_bls;
pub use equivocation::equivocation;
pub use floods::floods;
pub use key_generation::dkg;
pub use ledger::ledger;
pub use long::soak;
pub use messages::messages;
pub use overrun::overrun;
pub use panics::{execute, from_hex};
pub use profiles::profiles;
pub use recovery::recovery;
pub use runs::{conformance, conformance_bls, twins};
pub use sets::{signers, statements};

use std::cell::Cell;

use crate::schedule::Schedule;

/// The input in a file that somebody names, at most [`MOST_BYTES`](zus_output::bounded::MOST_BYTES) of it.
///
/// # Errors
/// They name the file, and the bound when it is larger.
pub fn input(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    zus_output::bounded::bytes(file, zus_output::bounded::MOST_BYTES)
}

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const ALL: &[(&str, Target)] = &[
    ("conformance", conformance),
    ("conformance_bls", conformance_bls),
    ("twins", twins),
    ("recovery", recovery),
    ("decode", decode),
    ("signature_pool", signature_pool),
    ("certificate", certificate),
    ("dkg", dkg),
    ("beacon", beacon),
    ("scenario", scenario),
    ("trace", trace),
    ("signers", signers),
    ("statements", statements),
    ("evidence", evidence),
    ("equivocation", equivocation),
    ("ledger", ledger),
    ("floods", floods),
    ("overrun", overrun),
    ("answers", answers),
    ("messages", messages),
    ("profiles", profiles),
    ("soak", soak),
    #[cfg(feature = "differential")]
    ("differential_bls", differential_bls),
];

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Production steps that targets took on this thread since this was asked last.
pub fn take_steps() -> u64 {
    STEPS.take()
}

fn count_steps(steps: u64) {
    STEPS.set(STEPS.get() + steps);
}

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}

/// The meaning of an input of a target, in words where there are any: for `cargo fuzz fmt` and for crashes.
#[must_use]
pub fn tell(name: &str, bytes: &[u8]) -> String {
    match name {
        "conformance" | "conformance_bls" | "twins" | "recovery" => {
            let schedule = Schedule::from_file(bytes);
            format!("{schedule:?}\nas bytes: {bytes:02x?}")
        }
        "decode" => format!("{:?}\nas bytes: {bytes:02x?}", zus_bpp::wire::decode(bytes)),
        "dkg" => key_generation::tell(bytes),
        "scenario" | "trace" => String::from_utf8_lossy(bytes).into_owned(),
        #[cfg(feature = "differential")]
        "differential_bls" => differential_bls::tell(bytes),
        _ => format!("{bytes:02x?}"),
    }
}

//! Bodies of the fuzz targets: each takes any bytes and panics when something is wrong, with a report that says what. The
//! command that replays the input is printed beside it ([`execute`]). The shims in `fuzz_targets/` are wiring only, one for every
//! engine ([`entry!`](crate::entry)); `tests/inputs.rs` runs the same bodies on stable.
//!
//! A new target is its body and its row in [`TABLE`]. `zus-fuzz targets --write` makes the rest of them: the shim, the program in
//! `fuzz/Cargo.toml`, the first inputs, the line of the README.

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
pub mod handoffs;
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

pub use panics::{execute, from_hex};

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

/// A row of the table of targets, for people.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name of the target.
    pub name: &'static str,
    /// The meaning of its bytes.
    pub bytes: &'static str,
    /// The judge of a run.
    pub oracle: &'static str,
}

/// Rows of `MODULE::NAME: MEANING OF THE BYTES => ORACLE`, each below the feature that it needs, if any.
macro_rules! targets {
    ($($(#[$gate:meta])? $module:ident::$name:ident: $bytes:literal => $oracle:literal;)*) => {
        $($(#[$gate])? pub use $module::$name;)*

        /// Every target of this build, by name.
        pub const ALL: &[(&str, Target)] = &[$($(#[$gate])? (stringify!($name), $name),)*];

        /// Every target, also one that this build goes without.
        pub const TABLE: &[Row] =
            &[$(Row { name: stringify!($name), bytes: $bytes, oracle: $oracle },)*];
    };
}

targets! {
    runs::conformance: "a schedule of a whole network" => "the model step by step, S1 to S10";
    runs::conformance_bls: "the same, on real signatures" => "the same";
    runs::twins: "a schedule in which a Byzantine member is two honest ones with one key" => "the model step by step, S1 to S10";
    recovery::recovery:
        "a schedule in which writes are cut at any byte, and log files damaged"
        => "the flushed records, S1 to S10, progress";
    codecs::decode:
        "messages; behind a first byte of their own dealings, settlements, receipts, registrations, records, epoch items, handoffs, links, beginnings, envelopes, log files and exports"
        => "one encoding, bytes asked of the allocator";
    crypto::signature_pool:
        "genuine and wrong signatures of seven members, direct and relayed"
        => "a pool that verifies one by one; compared are each answer and all blamed signers";
    crypto::certificate: "bitmaps and sums of signatures" => "plain counting";
    key_generation::dkg: "whole key generations with dishonest dealers and recipients" => "the actions that they took";
    crypto::beacon: "shares of the beacon" => "plain counting";
    codecs::scenario: "scenario files" => "read back the same; errors name the file";
    codecs::trace: "trace files" => "read back the same; errors name the file";
    sets::signers: "bitmaps of signers" => "the same, computed by hand";
    sets::statements: "the bytes that are signed, hashed and counted" => "the same, computed by hand";
    accused::evidence: "two statements" => "the pairs that no honest miner signs";
    equivocation::equivocation:
        "contradicting statements of one member, sent directly and through others, with wrong signatures among them"
        => "the obligation *culprit*";
    ledger::ledger: "appends, flushes, crashes of a file and a memory log" => "a plain list";
    floods::floods: "messages of ever higher rounds, of strangers, wrong messages and requests" => "a bound";
    overrun::overrun: "a schedule with more Byzantine members than are tolerated" => "S1, S7, S10";
    answers::answers: "answers to a sharder's requests, also corrupted ones" => "the true chain";
    messages::messages: "constructed messages, also with lists that are too long" => "decoding gives the whole message back, or an error";
    profiles::profiles: "a schedule under other rules" => "the properties that those rules keep";
    handoffs::handoffs:
        "handoff certificates, links, checkpoints and envelopes with up to two flaws"
        => "the list of the flaws";
    runs::handover:
        "a schedule across epochs, with an adversary that makes handoffs up"
        => "the specification of the handover step by step, E1 to E9";
    long::soak: "which of six long runs, and a seed" => "S1 to S10, the obligations, a bound on memory";
    #[cfg(feature = "differential")]
    differential_bls::differential_bls: "encodings, keys, hashes, signatures, sums, proofs" => "arkworks";
}

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

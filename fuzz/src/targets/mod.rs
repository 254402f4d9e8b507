//! Bodies of the fuzz targets: each takes any bytes and panics when something is wrong, with a report that says what, and the
//! command that replays it. The shims in `fuzz_targets/` are wiring only; `tests/corpus.rs` runs the same bodies on stable.

mod accused;
mod answers;
mod codecs;
mod crypto;
mod ledger;
mod messages;
mod overrun;
mod profiles;
mod runs;
mod sets;

pub use accused::evidence;
pub use answers::answers;
pub use codecs::{decode, scenario, trace};
pub use crypto::{beacon, certificate, dkg, ticket_pool};
pub use ledger::ledger;
pub use messages::messages;
pub use overrun::{floods, overrun};
pub use profiles::profiles;
pub use runs::{conformance, conformance_bls, recovery, twins};
pub use sets::{signers, statements};

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const ALL: [(&str, Target); 20] = [
    ("conformance", conformance),
    ("conformance_bls", conformance_bls),
    ("twins", twins),
    ("recovery", recovery),
    ("decode", decode),
    ("ticket_pool", ticket_pool),
    ("certificate", certificate),
    ("dkg", dkg),
    ("beacon", beacon),
    ("scenario", scenario),
    ("trace", trace),
    ("signers", signers),
    ("statements", statements),
    ("evidence", evidence),
    ("ledger", ledger),
    ("floods", floods),
    ("overrun", overrun),
    ("answers", answers),
    ("messages", messages),
    ("profiles", profiles),
];

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}

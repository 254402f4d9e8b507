//! Schedules: any bytes are a run of a world.
//!
//! ```text
//! input = header (8 bytes) | choices (4 bytes each) | what is missing comes from a generator seeded by the bytes
//! ```
//!
//! The header says who takes part, who is Byzantine, how disks behave and how long the run is; each choice is resolved
//! against what can happen at that moment ([`vocabulary`]). A run that was driven by the tail is made explicit by
//! [`Schedule::explicit`] before it is shrunk.

pub mod choices;
pub mod header;
pub mod operation;
pub mod profile;
pub mod run;
mod telling;
pub mod vocabulary;

pub use choices::{Choice, RECORD_BYTES, Random};
pub use header::{HEADER_BYTES, Header, ground_of};
pub use operation::Operation;
pub use run::{Failure, Run};
pub use telling::Told;
pub(crate) use telling::{
    told_cause, told_members, told_position, told_record, told_timer, told_with_signers,
};
pub use vocabulary::resolve;

/// A schedule: a header, and choices.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Schedule {
    /// The configuration.
    pub header: Header,
    /// The choices, in order.
    pub choices: Vec<Choice>,
}

impl Schedule {
    /// The schedule that an input stands for, with its tail.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut tail = Random::seeded_by(bytes);
        let header = Header::read(bytes, &mut tail);
        let given = bytes.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(RECORD_BYTES);
        let mut choices: Vec<Choice> =
            given.map(|chunk| Choice([chunk[0], chunk[1], chunk[2], chunk[3]])).collect();
        choices.truncate(header.steps());
        while choices.len() < header.steps() {
            choices.push(tail.choice());
        }
        Self { header, choices }
    }

    /// A random schedule: the control that every cleverer way has to beat.
    #[must_use]
    pub fn random(random: &mut Random) -> Self {
        let seed = random.bits().to_le_bytes();
        Self::from_bytes(&seed)
    }

    /// A file that stands for exactly these choices, without a tail: what is committed and shrunk.
    #[must_use]
    pub fn explicit(&self) -> Vec<u8> {
        let mut bytes = EXPLICIT.to_vec();
        bytes.extend(self.header.0);
        bytes.extend(self.choices.iter().flat_map(|choice| choice.0));
        bytes
    }

    /// Reads a file: explicit if it begins with the mark, else as an input of the fuzzer.
    #[must_use]
    pub fn from_file(bytes: &[u8]) -> Self {
        let (rest, hardened) = match bytes.split_at_checked(EXPLICIT.len()) {
            Some((mark, rest)) if mark == EXPLICIT => (rest, false),
            Some((mark, rest)) if mark == EXPLICIT_HARDENED => (rest, true),
            _ => return Self::from_bytes(bytes),
        };
        let header = Header::read(rest, &mut Random::new(0));
        let header = if hardened { header.hardened() } else { header };
        let given = rest.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(RECORD_BYTES);
        let choices = given.map(|chunk| Choice([chunk[0], chunk[1], chunk[2], chunk[3]])).collect();
        Self { header, choices }
    }
}

/// The mark of a file without a tail.
const EXPLICIT: [u8; 8] = *b"zus-run2";
/// The same from when headers had no rules: what they say of rules is not read.
const EXPLICIT_HARDENED: [u8; 8] = *b"zus-run1";

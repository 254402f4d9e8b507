//! The ticket log: what this miner signed, on disk before the signature leaves (S1, S6; `ticket_log: Durable`).
//!
//! A miner that forgets what it signed signs against it after a restart, and convicts itself (mutants.md, A2). So every
//! proposal, ticket, timeout and finality vote is recorded first:
//!
//! ```text
//!   decide -> permits? -> append -> flush -> (durable) -> sign and send
//!               |                     ^
//!               Conflict: never       | a crash up to here: the signature never left
//! ```
//!
//! - [`Record`] is what is written, [`Signed`] the index of it that answers "may I sign this?", under [`SigningRules`].
//! - [`TicketLog`] is what a miner's host drives. [`FileLog`] is the durable instance, [`MemoryLog`] the one for tests and
//!   explorations, with its crash points as operations.
//! - [`LogImage`] and [`LogContents`] are the bytes of that file without the file.
//! - [`Interchange`] moves a log to another machine as JSON.
//!
//! # What a log refuses to sign
//! Proposals and tickets contradicting recorded ones, a ticket in a (round, subround) that was timed out, anything but a vote
//! in a round that was left, and a vote in a round where another block was ticketed or voted for. A round is left by a vote
//! in it and by any proposal, ticket or timeout of a later one. What was recorded already may be signed again, since BLS
//! signatures are deterministic: a restarted miner repeats itself and never contradicts itself.
//!
//! # Why an append-only file
//! A key-value store (redb was tried) costs the same flush and hides the bytes; here every byte offset at which a crash can cut
//! is a test case, and an error can name the offset that is damaged. Measured on ext4 on a virtual disk, 600 flushes of one
//! record each, interleaved: 158 us against 180 us in the median, 3.9 ms against 4.0 ms at the 90th percentile. The disk is
//! what a flush costs. All records that wait at a flush share one. The example `flush` measures another disk.

mod file;
mod format;
mod image;
mod interchange;
mod memory;
mod record;
mod signed;

pub use file::{COMPACT_ABOVE_BYTES, FileLog};
pub use format::MAX_RECORDS_PER_FLUSH;
pub use image::{LogContents, LogImage};
pub use interchange::{
    INTERCHANGE_FORMAT, INTERCHANGE_VERSION, Interchange, InterchangeError, MAX_INTERCHANGE_BYTES,
};
pub use memory::MemoryLog;
pub use record::{KEY_BYTES, Kind, Owner, Record};
pub use signed::{Conflict, Permit, Signed, SigningRules};

use std::io;
use std::path::PathBuf;

/// How many records a log has taken since it was opened. A record is durable once a flush has returned its position or a
/// higher one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(pub u64);

/// What the host of a miner drives: append, flush, and only then release the signature.
pub trait TicketLog {
    /// What was signed, including what is not flushed yet.
    fn signed(&self) -> &Signed;

    /// The rules under which records are taken.
    fn rules(&self) -> &SigningRules;

    /// Takes a record; it is **not** durable before [`TicketLog::flush`] has returned the position given here. A record that
    /// is there already is taken again without being written again.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when the record contradicts what was signed: the signature must not be made.
    fn append(&mut self, record: Record) -> Result<Position, AppendError>;

    /// Makes everything durable that was appended, and returns the position of the last.
    ///
    /// # Errors
    /// [`LogError::Io`]. Nothing is known about the disk then, and the log refuses everything until it is opened anew.
    fn flush(&mut self) -> Result<Position, LogError>;
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It contradicts what was signed.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The log itself is unusable.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There is no log. A missing log is not an empty one: whoever lost it does not know what was signed.
    #[error(
        "there is no ticket log in {}: create one for a new key or epoch, or import an export of the lost one",
        path.display()
    )]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// There is a log already.
    #[error("there is a ticket log in {} already: open it instead", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("the ticket log in {} is in use by another process: never run two miners with one key", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It is the log of another chain, epoch or key.
    #[error("{} is the ticket log of another {field}: it says {found}, expected is {expected}", path.display())]
    OtherOwner {
        /// The file.
        path: PathBuf,
        /// What differs.
        field: &'static str,
        /// What was expected.
        expected: String,
        /// What the log says.
        found: String,
    },
    /// It was written by another version of this crate.
    #[error("{} has format version {found}, this program reads {supported}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The version that is read.
        supported: u16,
    },
    /// It is damaged where a crash cannot have damaged it.
    #[error(
        "{} is damaged at byte {offset}: {reason}. What was signed after that byte is unknown. Keep the file, and start from \
         an export of it, or from a new log whose floor is a round that this miner has surely not reached",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first byte that does not make sense.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// An earlier write failed.
    #[error("an earlier write to {} failed: open the log anew to see what is on the disk", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
    },
}

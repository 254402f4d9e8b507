//! The ticket log: what this miner signed, on disk before the signature leaves (S1, S6; `ticket_log: Durable`).
//!
//! A miner that forgets what it signed signs against it after a restart, and convicts itself (PROTOCOL.md, section 7, A2). So every
//! proposal, ticket, timeout and finality vote is recorded first:
//!
//! ```text
//!   decide -> permits? -> append -> flush -> (durable) -> sign and send
//!               |                     ^
//!               Conflict: never       | a crash up to here: the signature never left
//! ```
//!
//! - [`LogRecord`] is what is written, [`SignedRecords`] the index of it that answers "may I sign this?", under [`SigningRules`].
//! - [`TicketLog`] is what a miner's host drives. [`FileLog`] is the durable instance, [`MemoryLog`] the one for tests and
//!   explorations, with its crash points as operations.
//! - [`LogImage`] and [`LogContents`] are the bytes of that file without the file; [`Files`] is what is done with it, and
//!   [`FaultyFiles`] a file system that fails.
//! - [`Interchange`] moves a log to another machine as JSON.
//!
//! # What a log refuses to sign
//! Proposals and tickets contradicting recorded ones, a ticket in a (round, subround) that was timed out, anything but a vote
//! in a round that was left, and a vote in a round where another block was ticketed or voted for. A round is left by a vote
//! in it and by any proposal, ticket or timeout of a later one. Nothing at all is signed in rounds of which the log
//! does not know everything ([`SignedRecords::complete_from`]): no record is not "not signed". A recorded statement may be
//! signed again, since BLS signatures are deterministic: a restarted miner repeats itself and never contradicts itself.
//!
//! # What a log says is on the disk
//! A file can be read before it is on the disk: after a killed process, and after a sync that failed, the next process reads what
//! the system still holds in memory, and a power cut takes it away. A miner that repeated what it read there could say the
//! opposite afterwards. So [`FileLog::open`] reads, decides, writes everything into a new file, syncs it, renames it, and
//! syncs the folder; only then does it return, and only then does anybody believe it. That is right whatever the truth was:
//! - A frame that was flushed is durable and is read, so that nothing that left is lost.
//! - A frame that was not flushed may be read or not. Its signature never left, so that losing it contradicts nothing; and if
//!   it is read, then it is durable when the open returns, and saying it from then on is as safe as after any flush.
//!
//! Syncing the old file again would not do: after a failed sync the system takes the bytes for written and writes them no more.
//! After any failed write, sync or rename a log refuses everything until it is opened anew ([`LogError::Failed`]).
//!
//! # A torn tail and a damaged file
//! A crash costs at most the frame that was being written, whose signatures had not left. Any other damage is refused with its
//! offset, but one: frames lost from the end, after the disk had reported them durable, when it gives out the old content of their
//! sectors instead. Of the last frame zeros or a part are such a content too, since a crash leaves them; of more frames only free
//! sectors are, for every one of them up to the end. That looks like a log that was written less far. It costs the records of
//! these flushes, at most those since the file was made ([`FRAMES_PER_FILE`]): the miner may then contradict what it signed
//! there, and convict itself. Treat a disk that was caught doing this as a lost log. The documentation of the format has the
//! details.
//!
//! # A lost log
//! An operator with neither the log nor an export made after the last signature makes a new log with a floor *above
//! every round in which the key may have signed*: `FileLog::create(.., floor)`. Below it the new log signs nothing, not
//! even a finality vote.
//! How to find it: with the old process stopped, ask the other miners for the highest notarization that each has (verify it), and
//! take the highest round `N` of the answers of `n - f` of them. Then `N + 3` is safe. For to sign in round r, this miner had to
//! know a notarization of r - 1, and so at least `n - f - 1 - f` other honest miners had ticketed in r - 1; the answers leave
//! out `f - 1` others at most, which are fewer; so one of those answered, and in r - 1 it knew a notarization of r - 2. With
//! fewer answers, or older ones, add a margin: the rounds that the chain can make in the time in question, for instance 1,000 and
//! a quarter of an hour of silence. Too high a floor costs that silence only, up to where it is an error of its own
//! ([`MAX_ROUND`](crate::limits::MAX_ROUND)); one that is too low convicts. Until the chain is there the miner counts as one that
//! is down, so that more than `f` lost logs at once stop the chain of this epoch. A restored backup or snapshot is a lost log.
//!
//! # One process
//! The log file itself is locked, and the file that is locked is compared with the one that has the name, since opening renames;
//! so no file beside it matters. Each flush looks whether its file still has its name, and refuses if somebody removed or replaced
//! it ([`LogError::Replaced`]): then another process may sign by another log.
//!
//! A file that is replaced by its name must have one name only. A log file that is a symbolic link, is no regular file, or has a
//! second name (a hard link) is refused when it is opened, after it was locked, at each flush and before it is replaced; so is
//! `tickets.log.new`. A log never makes a hard link itself; where a file system makes a rename of one, a crash in it
//! can leave both names, and the error says how to go on. A link to the folder is followed once, when the log is
//! opened. A process that is forked while a log is open has its lock, too: it signs nothing
//! ([`LogError::Forked`]) and must open the log itself, after its parent has dropped it. Three things cannot be seen: a hard link
//! made between the last look and the rename, which keeps the old file; a copy of the file; and two machines with one key. A
//! folder that is mounted twice (bind mount) has one file with one lock, and needs no care; a file that is mounted by itself
//! cannot be replaced, which is an error of the rename.
//!
//! # Why a file of its own format
//! A key-value store (redb was tried) costs the same flush and hides the bytes; here every byte and sector that a crash or a
//! disk can change is a test case, and an error can name the offset that is damaged. A flush overwrites one sector of a file
//! that does not grow, so that the file system has nothing but that sector to write. All records that wait at a flush share one
//! sector if there are no more than [`RECORDS_PER_FRAME`]. The example `flush` measures a disk.

mod faulty_files;
mod file;
mod files;
mod format;
mod image;
mod interchange;
#[cfg(test)]
mod loss_tests;
mod memory;
mod record;
mod signed;

pub use faulty_files::{DiskFault, FaultyFile, FaultyFiles, Operation, Sectors, Survival};
pub use file::{FRAMES_PER_FILE, FileLog};
pub use files::{Files, Identity, OsFiles};
pub use format::{MAX_LOG_BYTES, RECORDS_PER_FRAME, SECTOR_BYTES};
pub use image::{LogContents, LogImage};
pub use interchange::{
    INTERCHANGE_FORMAT, INTERCHANGE_VERSION, Interchange, InterchangeError, MAX_INTERCHANGE_BYTES,
};
pub use memory::MemoryLog;
pub use record::{KEY_BYTES, Kind, LogRecord, Owner};
pub use signed::{Conflict, Permit, SignedRecords, SigningRules};

use std::io;
use std::path::PathBuf;

use crate::committee::Round;

/// How many records a log has taken since it was opened. A record is durable once a flush has returned its position or a
/// higher one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LogPosition(pub u64);

/// The log that the host of a miner drives: append, flush, and only then release the signature.
pub trait TicketLog {
    /// The signed statements, including those that are not flushed yet.
    fn signed(&self) -> &SignedRecords;

    /// The rules under which records are taken.
    fn rules(&self) -> &SigningRules;

    /// Takes a record; it is **not** durable before [`TicketLog::flush`] has returned the position given here. A record that
    /// is there already is taken again without being written again.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when the record contradicts what was signed: the signature must not be made.
    fn append(&mut self, record: LogRecord) -> Result<LogPosition, AppendError>;

    /// Makes everything durable that was appended, and returns the position of the last.
    ///
    /// # Errors
    /// [`LogError::Io`]. Nothing is known about the disk then, and the log refuses everything until it is opened anew.
    fn flush(&mut self) -> Result<LogPosition, LogError>;
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// There is no log. A missing log is not an empty one: whoever lost it does not know what was signed.
    #[error(
        "there is no ticket log in {}. For a key that has signed nothing in this epoch create one whose floor is the first \
         round of the epoch. If the log is lost, import an export that was made after the last signature, or create one \
         {SAFE_FLOOR}",
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
    /// This process was forked from the one that opened the log.
    #[error(
        "{} was opened by process {opened_by}, which may still sign: nothing is signed here. Open the log in the process that signs, \
         after every fork",
        path.display()
    )]
    Forked {
        /// The file.
        path: PathBuf,
        /// The process that opened it.
        opened_by: u32,
    },
    /// Another file has its name, or none.
    #[error(
        "{} was removed or replaced while this process was writing to it, so that another process may sign with the same \
         key. Nothing more is signed here: stop all miners with this key, and open the log anew",
        path.display()
    )]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// It is the log of another chain, epoch or key.
    #[error(
        "{} is the ticket log of another {field}: it says {found}, expected is {expected}. It was left as it is. Use the \
         folder of the log of this key, chain and epoch. Only if there was never one is a new log in another folder safe, \
         with the first round of the epoch as its floor; if it is lost, create one {SAFE_FLOOR}",
        path.display()
    )]
    OtherOwner {
        /// The file.
        path: PathBuf,
        /// The field that differs.
        field: &'static str,
        /// The expected value.
        expected: String,
        /// The value in the log.
        found: String,
    },
    /// It was written by another version of this crate.
    #[error(
        "{} has format version {found}, this program reads {supported}: export it as JSON with the program that wrote it, and \
         import that into a new log in another folder",
        path.display()
    )]
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
        "{} is damaged at byte {offset}: {reason}. What was signed after that byte is unknown, and the file was left as it is. \
         Move it away and keep it; then import an export that was made after the last signature into a new log, or create \
         one {SAFE_FLOOR}",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first byte that does not make sense.
        offset: u64,
        /// The fault there.
        reason: &'static str,
    },
    /// There is more to be kept than a file holds.
    #[error("what {} must keep is more than {MAX_LOG_BYTES} bytes: no chain has so many subrounds in one round", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The floor of a new log is a round that no chain reaches.
    #[error("a log with floor {} would never sign anything: the highest round is {limit}", floor.0)]
    Floor {
        /// The floor.
        floor: Round,
        /// The highest that there may be.
        limit: u64,
    },
    /// An earlier write failed.
    #[error("an earlier write to {} failed: open the log anew to see what is on the disk", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
    },
}

/// The safe advice when the signed statements are unknown.
const SAFE_FLOOR: &str = "whose floor is above every round in which this key may have signed: with n - f other miners asked \
                          after this one stopped, three above the highest notarized round that they know; nothing is signed \
                          below it";

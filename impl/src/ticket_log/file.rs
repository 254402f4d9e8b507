//! The durable log: an append-only file in a folder of its own, with a lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::format::{Checksum, MAX_RECORDS_PER_FLUSH};
use super::image::{LogContents, LogImage, frame_of};
use super::interchange::{Interchange, InterchangeError};
use super::record::{Owner, Record};
use super::signed::{Permit, Signed, SigningRules};
use super::{AppendError, LogError, Position, TicketLog};
use crate::committee::Round;
use crate::mutants::mutant;

/// A log larger than this, and than twice what mattered at the last time, is rewritten with what still matters when it is
/// opened or flushed. Keeps the file, and the memory that reading it takes, bounded; at three records a round it is reached
/// after some 6000 rounds.
pub const COMPACT_ABOVE_BYTES: u64 = 1 << 20;

const LOG_FILE: &str = "tickets.log";
const NEW_LOG_FILE: &str = "tickets.log.new";
const LOCK_FILE: &str = "lock";

/// A ticket log in a folder. While it is open, nobody else can open it, in this process or another.
///
/// The lock is that of the operating system (`flock`), held until this value is dropped or the process ends in whatever way.
/// Do not put the folder on a network file system that does not lock.
#[derive(Debug)]
pub struct FileLog {
    folder: PathBuf,
    owner: Owner,
    rules: SigningRules,
    signed: Signed,
    file: File,
    bytes: u64,
    base_bytes: u64,
    checksum: Checksum,
    pending: Vec<Record>,
    appended: u64,
    failed: bool,
    lock: File,
}

impl FileLog {
    /// Creates the log of a key that has not signed anything in this epoch. Nothing but votes is signed below `floor`, the
    /// first round of the epoch.
    ///
    /// # Errors
    /// [`LogError::Exists`], [`LogError::InUse`], [`LogError::Io`].
    pub fn create(folder: &Path, owner: Owner, rules: SigningRules, floor: Round) -> Result<Self, LogError> {
        fs::create_dir_all(folder).map_err(|e| failed("create", folder, e))?;
        let lock = lock(folder)?;
        let path = folder.join(LOG_FILE);
        if path.try_exists().map_err(|e| failed("look for", &path, e))? {
            return Err(LogError::Exists { path: folder.to_owned() });
        }
        write_anew(folder, &owner, &Signed::from_floor(floor))?;
        Self::read(folder, owner, rules, lock)
    }

    /// Opens the log that this key signed with before. A tail that a crash tore off is dropped: its signatures never left.
    ///
    /// # Errors
    /// [`LogError::Missing`], [`LogError::InUse`], [`LogError::OtherOwner`], [`LogError::Version`], [`LogError::Damaged`],
    /// [`LogError::Io`].
    pub fn open(folder: &Path, owner: Owner, rules: SigningRules) -> Result<Self, LogError> {
        let path = folder.join(LOG_FILE);
        if !path.try_exists().map_err(|e| failed("look for", &path, e))? {
            return Err(LogError::Missing { path: folder.to_owned() });
        }
        let lock = lock(folder)?;
        let mut log = Self::read(folder, owner, rules, lock)?;
        log.compact_if_large()?;
        Ok(log)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose log it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rewrites the file with what still matters: the floor, and the records that are kept above it. Atomic: a crash leaves
    /// the old file or the new one.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Failed`].
    pub fn compact(&mut self) -> Result<(), LogError> {
        self.flush_frames()?;
        self.failed = true;
        write_anew(&self.folder, &self.owner, &self.signed)?;
        let OpenFile { file, bytes, base_bytes, checksum, .. } = OpenFile::read(&self.folder, &self.owner)?;
        self.file = file;
        (self.bytes, self.base_bytes, self.checksum) = (bytes, base_bytes, checksum);
        self.failed = false;
        Ok(())
    }

    /// Everything that still matters, to be moved to another machine. Stop signing here first: an export that is older than
    /// the last signature does not protect against it.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Failed`]: only what is durable is exported.
    pub fn export(&mut self) -> Result<Interchange, LogError> {
        self.flush()?;
        Ok(Interchange::new(&self.owner, &self.signed))
    }

    /// Adds what another machine signed with this key, durably. Nothing recorded here is lost.
    ///
    /// # Errors
    /// [`InterchangeError`] when the export is of another owner, or [`LogError`] inside it.
    pub fn import(&mut self, interchange: &Interchange) -> Result<(), InterchangeError> {
        let (floor, records) = interchange.decode(&self.owner)?;
        let mut signed = self.signed.clone();
        signed.raise_floor(floor);
        // What was signed was signed, even if it contradicts what is recorded here.
        records.into_iter().for_each(|record| signed.insert(record));
        self.signed = signed;
        Ok(self.compact()?)
    }

    fn read(folder: &Path, owner: Owner, rules: SigningRules, lock: File) -> Result<Self, LogError> {
        let OpenFile { file, bytes, base_bytes, checksum, signed } = OpenFile::read(folder, &owner)?;
        Ok(Self {
            folder: folder.to_owned(),
            owner,
            rules,
            signed,
            file,
            bytes,
            base_bytes,
            checksum,
            pending: Vec::new(),
            appended: 0,
            failed: false,
            lock,
        })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(LOG_FILE)
    }

    /// Refuses everything after a failed write: whether it reached the disk is unknown, and asking again does not tell.
    fn require_usable(&self) -> Result<(), LogError> {
        if self.failed { Err(LogError::Failed { path: self.path() }) } else { Ok(()) }
    }

    fn compact_if_large(&mut self) -> Result<(), LogError> {
        if self.bytes > COMPACT_ABOVE_BYTES.max(2 * self.base_bytes) { self.compact() } else { Ok(()) }
    }

    fn flush_frames(&mut self) -> Result<(), LogError> {
        self.require_usable()?;
        let pending = std::mem::take(&mut self.pending);
        for records in pending.chunks(MAX_RECORDS_PER_FLUSH) {
            let (frame, checksum) = frame_of(self.checksum, records);
            if mutant!(LogForgetsFlush) {
                continue;
            }
            // One frame is on its way at a time: a crash tears at most that one.
            let written = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
            if let Err(source) = written {
                self.failed = true;
                return Err(failed("write", &self.path(), source));
            }
            self.bytes += frame.len() as u64;
            self.checksum = checksum;
        }
        Ok(())
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that is being started holds a copy of it until it executes.
        // Should this fail, the lock ends with the last copy.
        let _unlocked = self.lock.unlock();
    }
}

impl TicketLog for FileLog {
    fn signed(&self) -> &Signed {
        &self.signed
    }

    fn rules(&self) -> &SigningRules {
        &self.rules
    }

    fn append(&mut self, record: Record) -> Result<Position, AppendError> {
        self.require_usable()?;
        if mutant!(LogTakesAll) || self.signed.permits(&self.rules, &record)? == Permit::New {
            self.signed.insert(record);
            self.pending.push(record);
            self.appended += 1;
        }
        Ok(Position(self.appended))
    }

    fn flush(&mut self) -> Result<Position, LogError> {
        self.flush_frames()?;
        self.compact_if_large()?;
        Ok(Position(self.appended))
    }
}

/// A log file that was read and is ready to be appended to.
struct OpenFile {
    file: File,
    bytes: u64,
    base_bytes: u64,
    checksum: Checksum,
    signed: Signed,
}

impl OpenFile {
    /// Reads a log file and cuts a torn tail off.
    fn read(folder: &Path, owner: &Owner) -> Result<Self, LogError> {
        let path = folder.join(LOG_FILE);
        let contents = fs::read(&path).map_err(|e| failed("read", &path, e))?;
        let found = LogContents::read(&path, &contents, owner)?;
        let good_bytes = found.good_bytes();
        let mut file = OpenOptions::new().write(true).open(&path).map_err(|e| failed("open", &path, e))?;
        if good_bytes < contents.len() as u64 {
            file.set_len(good_bytes)
                .and_then(|()| file.sync_all())
                .map_err(|e| failed("truncate", &path, e))?;
        }
        file.seek(SeekFrom::Start(good_bytes)).map_err(|e| failed("seek in", &path, e))?;
        let (base_bytes, checksum) = (found.base_bytes, found.checksum);
        Ok(Self { file, bytes: good_bytes, base_bytes, checksum, signed: found.into_signed() })
    }
}

/// Writes a complete log beside the present one and moves it into its place.
fn write_anew(folder: &Path, owner: &Owner, signed: &Signed) -> Result<(), LogError> {
    let new = folder.join(NEW_LOG_FILE);
    let image = LogImage::of(owner, signed);
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(image.bytes())?;
        file.sync_all()?;
        fs::rename(&new, folder.join(LOG_FILE))?;
        // The new name is on the disk once the folder is.
        File::open(folder)?.sync_all()
    };
    write().map_err(|e| failed("write", &new, e))
}

fn lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join(LOCK_FILE);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| failed("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &path, source)),
    }
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::Io { operation, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::committee::{ChainId, Epoch, Round, Subround};
    use crate::rules::Rules;
    use crate::ticket_log::KEY_BYTES;

    /// What a failed write left on the disk is unknown, so that nothing is signed until the log is opened anew.
    #[test]
    fn after_a_failed_write_nothing_is_taken_and_the_error_names_the_file() {
        let folder = std::env::temp_dir().join(format!("zus-ticket-log-failed-{}", std::process::id()));
        let owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(1), key: [2; KEY_BYTES] };
        let rules = SigningRules::from(&Rules::HARDENED);
        let mut log = FileLog::create(&folder, owner, rules, Round(0)).expect("an empty folder");
        let path = folder.join(LOG_FILE);
        log.append(Record::timeout(Round(1), Subround(0))).expect("the first record");
        // A file that cannot be written.
        log.file = File::open(&path).expect("the log");
        match log.flush() {
            Err(LogError::Io { operation: "write", path: found, .. }) => assert_eq!(found, path),
            other => panic!("{other:?}"),
        }
        let failed = |error: Option<LogError>| matches!(error, Some(LogError::Failed { path: found }) if found == path);
        assert!(failed(log.flush().err()), "a second flush");
        let appended = log.append(Record::timeout(Round(1), Subround(1)));
        assert!(matches!(appended, Err(crate::ticket_log::AppendError::Log(LogError::Failed { .. }))));
        assert!(failed(log.compact().err()), "compacting");
        assert!(failed(log.export().err()), "an export");
        drop(log);
        let log = FileLog::open(&folder, owner, rules).expect("it was closed");
        assert_eq!(log.signed().records().count(), 0, "what did not reach the disk");
        std::fs::remove_dir_all(&folder).expect("the folder");
    }
}

//! The durable log: one locked file in a folder of its own.

use std::io;
use std::path::{Path, PathBuf};

use super::files::{Files, Identity, OsFiles};
use super::format::{MAX_LOG_BYTES, RECORDS_PER_FRAME, SECTOR_BYTES, Tail, sectors_for};
use super::image::{LogContents, LogImage, frame_of};
use super::interchange::{Interchange, InterchangeError};
use super::record::{LogRecord, Owner};
use super::signed::{Permit, SignedRecords, SigningRules};
use super::{AppendError, LogError, LogPosition, TicketLog};
use crate::committee::Round;
use crate::limits::{MAX_IMPORTED_RISE, MAX_ROUND};

/// Frames that are written into one file before it is replaced by one with what still matters: with two or three flushes a
/// round, some hundred rounds. The file has half a kilobyte for each, whether it is used or not.
pub const FRAMES_PER_FILE: u32 = 256;

/// How often a file is looked for again that another process replaced while it was being locked.
const LOCK_ATTEMPTS: usize = 8;

const LOG_FILE: &str = "tickets.log";
const NEW_LOG_FILE: &str = "tickets.log.new";

/// A ticket log in a folder. While it is open, nobody else can open it, in this process or another.
///
/// The log file itself is locked by the operating system (`flock`), until this value is dropped or the process ends in whatever
/// way; there is no other file whose removal would matter. The folder may be given through symbolic links; the file must not be
/// one, nor have a second name (a hard link). Do not put the folder on a network file system that does not lock. `F` is the file
/// system, another one in tests.
#[derive(Debug)]
pub struct FileLog<F: Files = OsFiles> {
    folder: Folder<F>,
    owner: Owner,
    rules: SigningRules,
    signed: SignedRecords,
    held: Held<F>,
    tail: Tail,
    pending: Vec<LogRecord>,
    appended: u64,
    failed: bool,
    process: u32,
}

impl FileLog {
    /// Creates the log of a key that has signed nothing in `floor` or above: nothing is signed below it, finality votes
    /// included. For a new key or epoch that is the first round of the epoch; for a key whose log is lost see "A lost log" in
    /// the [module](super).
    ///
    /// # Errors
    /// [`LogError::Exists`], [`LogError::InUse`], [`LogError::Floor`], [`LogError::Io`].
    pub fn create(folder: &Path, owner: Owner, rules: SigningRules, floor: Round) -> Result<Self, LogError> {
        Self::create_in(OsFiles, folder, owner, rules, floor)
    }

    /// Opens the log that this key signed with before, and makes everything durable that it says: see "What a log says is on
    /// the disk" in the [module](super).
    ///
    /// # Errors
    /// [`LogError::Missing`], [`LogError::InUse`], [`LogError::OtherOwner`], [`LogError::Version`], [`LogError::Damaged`],
    /// [`LogError::Io`], also when the file is a symbolic link or has a second name.
    pub fn open(folder: &Path, owner: Owner, rules: SigningRules) -> Result<Self, LogError> {
        Self::open_in(OsFiles, folder, owner, rules)
    }
}

impl<F: Files> FileLog<F> {
    /// [`FileLog::create`] in another file system.
    ///
    /// # Errors
    /// See [`FileLog::create`].
    pub fn create_in(
        files: F,
        folder: &Path,
        owner: Owner,
        rules: SigningRules,
        floor: Round,
    ) -> Result<Self, LogError> {
        if floor.0 > MAX_ROUND {
            return Err(LogError::Floor { floor, limit: MAX_ROUND });
        }
        let folder = Folder { files, path: folder.to_owned(), frames: FRAMES_PER_FILE };
        folder.create(owner, rules, floor)
    }

    /// [`FileLog::open`] in another file system.
    ///
    /// # Errors
    /// See [`FileLog::open`].
    pub fn open_in(files: F, folder: &Path, owner: Owner, rules: SigningRules) -> Result<Self, LogError> {
        Folder { files, path: folder.to_owned(), frames: FRAMES_PER_FILE }.open(owner, rules)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// Whose log it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Replaces the file by one with what still matters: the floor, and the records that are kept. Atomic: a crash leaves the
    /// old file or the new one.
    ///
    /// # Errors
    /// [`LogError::Io`], [`LogError::Failed`], [`LogError::Full`].
    pub fn compact(&mut self) -> Result<(), LogError> {
        self.require_usable()?;
        self.failed = true;
        let replaces = Some(self.held.identity);
        (self.held, self.tail) = self.folder.write_anew(&self.owner, &self.signed, replaces)?;
        // They are in the new file.
        self.pending.clear();
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
    /// [`InterchangeError`] when the export is of another owner, or [`LogError`] inside it;
    /// [`InterchangeError::Rise`] when it would raise the floor by more than [`MAX_IMPORTED_RISE`] rounds, since that cannot be
    /// taken back: see [`FileLog::import_up_to`].
    pub fn import(&mut self, interchange: &Interchange) -> Result<(), InterchangeError> {
        let limit = self.signed.floor().0.saturating_add(MAX_IMPORTED_RISE).min(MAX_ROUND);
        self.import_up_to(interchange, Round(limit))
    }

    /// Imports a document that raises the floor up to a round that the caller names: nothing is signed below the new floor any
    /// more, so it is one that the chain has reached.
    ///
    /// # Errors
    /// See [`FileLog::import`].
    pub fn import_up_to(
        &mut self,
        interchange: &Interchange,
        highest: Round,
    ) -> Result<(), InterchangeError> {
        let imported = interchange.decode(&self.owner)?;
        if imported.floor() > highest {
            return Err(InterchangeError::Rise {
                floor: imported.floor(),
                known: self.signed.floor(),
                highest,
            });
        }
        self.require_usable()?;
        let mut signed = self.signed.clone();
        signed.add(&imported);
        // The other half of a file is for the records that this machine makes: an import cannot be taken back.
        if sectors_for(signed.records().count(), 0) * SECTOR_BYTES > MAX_LOG_BYTES as usize / 2 {
            return Err(InterchangeError::TooMany { records: signed.records().count() });
        }
        self.signed = signed;
        Ok(self.compact()?)
    }

    fn new(
        folder: Folder<F>,
        owner: Owner,
        rules: SigningRules,
        signed: SignedRecords,
        (held, tail): (Held<F>, Tail),
    ) -> Self {
        let process = folder.files.process();
        Self {
            folder,
            owner,
            rules,
            signed,
            held,
            tail,
            pending: Vec::new(),
            appended: 0,
            failed: false,
            process,
        }
    }

    /// Refuses everything in a process that was forked from the one that opened the log: the lock is of both, and each would
    /// write over the frames of the other. Refuses everything after a failed write: whether it reached the disk is unknown, and
    /// asking again does not tell.
    fn require_usable(&self) -> Result<(), LogError> {
        if self.folder.files.process() != self.process {
            return Err(LogError::Forked { path: self.folder.log(), opened_by: self.process });
        }
        if self.failed { Err(LogError::Failed { path: self.folder.log() }) } else { Ok(()) }
    }

    fn flush_pending(&mut self) -> Result<(), LogError> {
        self.require_usable()?;
        if self.pending.len().div_ceil(RECORDS_PER_FRAME) > self.tail.room() {
            return self.compact();
        }
        // Nothing is known while a write is on its way, and nothing after one that failed.
        self.failed = true;
        let pending = std::mem::take(&mut self.pending);
        for records in pending.chunks(RECORDS_PER_FRAME) {
            let offset = self.tail.offset();
            let frame = frame_of(&mut self.tail, records);
            // One frame is on its way at a time: a crash tears at most that one.
            let (files, file) = (&self.folder.files, &self.held.file);
            write_all(files, file, &frame, offset)
                .and_then(|()| files.sync(file))
                .map_err(|e| failed("write", &self.folder.log(), e))?;
        }
        if !pending.is_empty() {
            // Somebody may have removed or replaced the file or given it a second name, and another process may sign by the one
            // that has the name now, or by what is left under the second name after the next replacement.
            // Asking costs a `stat`, a hundredth of the flush before it.
            self.folder.require_there(Some(self.held.identity))?;
        }
        self.failed = false;
        Ok(())
    }
}

impl<F: Files> TicketLog for FileLog<F> {
    fn signed(&self) -> &SignedRecords {
        &self.signed
    }

    fn rules(&self) -> &SigningRules {
        &self.rules
    }

    fn append(&mut self, record: LogRecord) -> Result<LogPosition, AppendError> {
        self.require_usable()?;
        if self.signed.permits(&self.rules, &record)? == Permit::New {
            self.signed.insert(record);
            self.pending.push(record);
            self.appended += 1;
        }
        Ok(LogPosition(self.appended))
    }

    fn flush(&mut self) -> Result<LogPosition, LogError> {
        self.flush_pending()?;
        Ok(LogPosition(self.appended))
    }
}

/// Where a log is, or is to be.
#[derive(Debug)]
struct Folder<F> {
    files: F,
    path: PathBuf,
    /// Frames for which a new file has room.
    frames: u32,
}

/// A locked file.
#[derive(Debug)]
struct Held<F: Files> {
    files: F,
    file: F::File,
    identity: Identity,
    process: u32,
}

impl<F: Files> Drop for Held<F> {
    fn drop(&mut self) {
        // The lock of a forked process is that of its parent, which still signs.
        if self.files.process() == self.process {
            // Closing the file is not enough: a child process that is being started holds a copy of it until it executes.
            self.files.unlock(&self.file);
        }
    }
}

impl<F: Files> Folder<F> {
    fn log(&self) -> PathBuf {
        self.path.join(LOG_FILE)
    }

    fn create(mut self, owner: Owner, rules: SigningRules, floor: Round) -> Result<FileLog<F>, LogError> {
        self.files.create_folder(&self.path).map_err(|e| failed("create", &self.path, e))?;
        self.path = self.canonical()?;
        self.sync_way()?;
        self.require_there(None)?;
        let signed = SignedRecords::from_floor(floor);
        let open = self.write_anew(&owner, &signed, None)?;
        Ok(FileLog::new(self, owner, rules, signed, open))
    }

    fn open(mut self, owner: Owner, rules: SigningRules) -> Result<FileLog<F>, LogError> {
        self.path = self.canonical()?;
        let path = self.log();
        let old = self.lock(&path, false)?;
        let bytes = self.files.read(&old.file, MAX_LOG_BYTES + 1).map_err(|e| failed("read", &path, e))?;
        if bytes.len() as u64 > MAX_LOG_BYTES {
            let reason = "the file is larger than a log can be";
            return Err(LogError::Damaged { path, offset: MAX_LOG_BYTES, reason });
        }
        let found = LogContents::read(&path, &bytes, &owner)?;
        let signed = found.signed().clone();
        self.sync_way()?;
        // The old file stays locked until the new one has its place.
        let open = self.write_anew(&owner, &signed, Some(old.identity))?;
        Ok(FileLog::new(self, owner, rules, signed, open))
    }

    /// The folder by its own name, so that it is the same one for as long as the log is open, whatever becomes of links to it.
    fn canonical(&self) -> Result<PathBuf, LogError> {
        self.files.canonical(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LogError::Missing { path: self.path.clone() },
            _ => failed("open", &self.path, error),
        })
    }

    /// Makes a complete log beside the present one, locks it, and moves it into the place of the file that is known to be
    /// there, or of none. It is durable when this returns.
    fn write_anew(
        &self,
        owner: &Owner,
        signed: &SignedRecords,
        replaces: Option<Identity>,
    ) -> Result<(Held<F>, Tail), LogError> {
        let (files, path) = (&self.files, self.path.join(NEW_LOG_FILE));
        let sectors = sectors_for(signed.records().count(), self.frames);
        if sectors * SECTOR_BYTES > MAX_LOG_BYTES as usize {
            return Err(LogError::Full { path: self.log() });
        }
        let image = LogImage::with_room(owner, signed, self.frames);
        let new = self.lock(&path, true)?;
        files
            .empty(&new.file)
            .and_then(|()| write_all(files, &new.file, image.bytes(), 0))
            .and_then(|()| files.sync(&new.file))
            .map_err(|e| failed("write", &path, e))?;
        self.require_there(replaces)?;
        files.rename(&path, &self.log()).map_err(|e| failed("rename", &path, e))?;
        // The new name is on the disk once the folder is.
        files.sync_folder(&self.path).map_err(|e| failed("sync", &self.path, e))?;
        Ok((new, image.tail()))
    }

    /// Opens and locks a file; makes it when there is none and `create` says so. The locked file is the one that has
    /// the name now, not the one that had it when it was opened: opening a log replaces its file.
    fn lock(&self, path: &Path, create: bool) -> Result<Held<F>, LogError> {
        let files = &self.files;
        for _ in 0..LOCK_ATTEMPTS {
            let file = match files.open(path, create) {
                Err(e) if e.kind() == io::ErrorKind::NotFound && !create => {
                    return Err(LogError::Missing { path: self.path.clone() });
                }
                other => other.map_err(|e| failed("open", path, e))?,
            };
            if !files.try_lock(&file).map_err(|e| failed("lock", path, e))? {
                return Err(LogError::InUse { path: self.path.clone() });
            }
            let identity = files.identity(&file).map_err(|e| failed("look for", path, e))?;
            let held = Held { files: files.clone(), file, identity, process: files.process() };
            if self.there(path)? == Some(identity) {
                return Ok(held);
            }
        }
        Err(LogError::InUse { path: self.path.clone() })
    }

    fn there(&self, path: &Path) -> Result<Option<Identity>, LogError> {
        self.files.identity_at(path).map_err(|e| failed("use", path, e))
    }

    /// Refuses when another file has the name of the log than is known to have it, or none.
    fn require_there(&self, known: Option<Identity>) -> Result<(), LogError> {
        if self.there(&self.log())? == known {
            return Ok(());
        }
        Err(match known {
            None => LogError::Exists { path: self.path.clone() },
            Some(_) => LogError::Replaced { path: self.log() },
        })
    }

    fn sync_way(&self) -> Result<(), LogError> {
        self.files.sync_way(&self.path).map_err(|e| failed("sync the way to", &self.path, e))
    }
}

/// Writes all of `bytes`, in as many writes as it takes.
fn write_all<F: Files>(files: &F, file: &F::File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match files.write_at(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn failed(operation: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::Io { operation, path: path.to_owned(), source }
}

#[cfg(test)]
#[path = "crash_tests.rs"]
mod crash_tests;

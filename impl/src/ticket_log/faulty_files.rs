//! A file system in memory that fails where it is told to, and loses in a power cut what was not synced: for tests and the
//! fuzzer.
//!
//! It keeps apart what programs see and what is durable, of the bytes of each file by sector and of the names in each folder.
//! A [`DiskFault`] is met at a given operation. After [`DiskFault::Stop`] every operation fails, as for a process that was killed;
//! [`FaultyFiles::restart`] says what the next process finds. A failed sync behaves as on Linux: the bytes can be read as before,
//! no later sync writes them, and a power cut loses them.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::files::{Files, Identity};
use super::format::SECTOR_BYTES;

/// A fault that takes the place of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFault {
    /// The process ends before it.
    Stop,
    /// It fails; a sync then has made nothing durable, and what was to be synced is not synced by later ones.
    Fail,
    /// A write writes so many bytes less than it could; other operations are as always.
    Short(usize),
    /// A write writes so many of its bytes, and then the process ends; other operations are as always.
    Torn(usize),
}

/// The effect of an operation on a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Nothing.
    Look,
    /// It changes names or lengths, or makes names durable.
    Change,
    /// It writes bytes.
    Write,
    /// It makes bytes durable.
    Sync,
}

/// The content of the disk for a process that starts after another has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survival {
    /// Everything that the other did: the machine went on running.
    Process,
    /// A power cut: what was synced, and of the rest these sectors and so many of the oldest changes of names.
    PowerCut(Sectors, usize),
}

/// Which sectors survive that were written and not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sectors {
    /// None.
    None,
    /// All.
    All,
    /// The first of each file.
    First,
    /// All but the first of each file.
    Others,
}

impl Sectors {
    /// Every choice.
    pub const ALL: [Sectors; 4] = [Sectors::None, Sectors::All, Sectors::First, Sectors::Others];
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// The bytes that programs read.
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that a sync writes.
    dirty: Vec<bool>,
    /// Whether a sync writes the length.
    resized: bool,
    /// By which opening it is locked.
    locked: Option<u64>,
}

impl Content {
    fn sync(&mut self) {
        if std::mem::take(&mut self.resized) {
            self.durable.resize(self.seen.len(), 0);
        }
        for sector in
            std::mem::take(&mut self.dirty).iter().enumerate().filter_map(|(i, dirty)| dirty.then_some(i))
        {
            self.keep(sector);
        }
    }

    /// Makes this sector durable as programs see it.
    fn keep(&mut self, sector: usize) {
        let range = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(self.seen.len());
        if let (Some(from), Some(to)) = (self.seen.get(range.clone()), self.durable.get_mut(range)) {
            to.copy_from_slice(from);
        }
    }

    fn cut(&mut self, survive: Sectors) {
        if survive != Sectors::None {
            self.durable.resize(self.seen.len(), 0);
        }
        let differs = |&sector: &usize| {
            let range = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(self.seen.len());
            self.durable.get(range.clone()) != self.seen.get(range)
        };
        let written: Vec<usize> = (0..self.seen.len().div_ceil(SECTOR_BYTES)).filter(differs).collect();
        let first = written.len().min(1);
        let survive = match survive {
            Sectors::None => 0..0,
            Sectors::All => 0..written.len(),
            Sectors::First => 0..first,
            Sectors::Others => first..written.len(),
        };
        written[survive].iter().for_each(|&sector| self.keep(sector));
        let durable = std::mem::take(&mut self.durable);
        *self = Self { seen: durable.clone(), durable, ..Self::default() };
    }
}

/// A change of names.
#[derive(Clone, Debug)]
enum Change {
    Name(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Change::Name(path, file) => {
                names.insert(path.clone(), *file);
            }
            Change::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Change::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Disk {
    process: u32,
    files: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    changes: Vec<Change>,
    /// Folders, and whether their own names are durable.
    folders: BTreeMap<PathBuf, bool>,
    operations: Vec<Operation>,
    openings: u64,
    fault: Option<(usize, DiskFault)>,
    stopped: bool,
    /// The renaming that another process does before the next time a file is locked.
    meanwhile: Option<(PathBuf, PathBuf)>,
}

/// See the module doc. Clones are the same file system.
#[derive(Clone, Debug, Default)]
pub struct FaultyFiles(Rc<RefCell<Disk>>);

/// An open file of a [`FaultyFiles`].
#[derive(Debug)]
pub struct FaultyFile {
    file: usize,
    opening: u64,
}

impl FaultyFiles {
    /// A file system that is another one from now on.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// The process is another one from now on, with the same open files and locks.
    pub fn become_process(&self, process: u32) {
        self.0.borrow_mut().process = process;
    }

    /// All operations so far.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.0.borrow().operations.clone()
    }

    /// Something happens at the operation with this number, which may be one that is never reached.
    pub fn fail_at(&self, operation: usize, fault: DiskFault) {
        self.0.borrow_mut().fault = Some((operation, fault));
    }

    /// Between the next time that a file is opened and the lock of it, another process renames one file to another.
    pub fn rename_before_lock(&self, from: &Path, to: &Path) {
        self.0.borrow_mut().meanwhile = Some((from.to_owned(), to.to_owned()));
    }

    /// The process has ended; what the next one finds. Nothing fails any more.
    pub fn restart(&self, survival: Survival) {
        let mut disk = self.0.borrow_mut();
        disk.stopped = false;
        disk.fault = None;
        disk.meanwhile = None;
        disk.files.iter_mut().for_each(|file| file.locked = None);
        if let Survival::PowerCut(sectors, changes) = survival {
            disk.files.iter_mut().for_each(|file| file.cut(sectors));
            let changes: Vec<Change> = std::mem::take(&mut disk.changes).into_iter().take(changes).collect();
            changes.iter().for_each(|change| change.apply(&mut disk.durable_names));
            disk.folders.retain(|_, durable| *durable);
            let Disk { durable_names, folders, .. } = &mut *disk;
            durable_names.retain(|path, _| path.parent().is_some_and(|folder| folders.contains_key(folder)));
            disk.names = disk.durable_names.clone();
        }
    }

    /// Changes of names that a power cut may lose.
    #[must_use]
    pub fn unsynced_changes(&self) -> usize {
        self.0.borrow().changes.len()
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.0.borrow();
        disk.names.get(path).map(|&file| disk.files[file].seen.clone())
    }

    /// A file is, durably, what it would be with these bytes in it: damage.
    pub fn damage(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.0.borrow_mut();
        if let Some(&file) = disk.names.get(path) {
            disk.files[file].seen = bytes.to_vec();
            disk.files[file].durable = bytes.to_vec();
        }
    }

    /// Somebody removes a name, or gives its file another.
    pub fn take_away(&self, path: &Path, to: Option<&Path>) {
        let change = match to {
            Some(to) => Change::Rename(path.to_owned(), to.to_owned()),
            None => Change::Remove(path.to_owned()),
        };
        self.0.borrow_mut().change(change);
    }

    /// Every operation begins here: with the file system, and with the fault that is met now and lets the operation happen.
    fn begin(&self, operation: Operation) -> io::Result<(RefMut<'_, Disk>, Option<DiskFault>)> {
        let mut disk = self.0.borrow_mut();
        if disk.stopped {
            return Err(io::Error::other("the process has ended"));
        }
        let number = disk.operations.len();
        disk.operations.push(operation);
        let met = disk.fault.filter(|&(at, _)| at == number).map(|(_, fault)| fault);
        if met == Some(DiskFault::Stop) {
            disk.stopped = true;
            return Err(io::Error::other("the process ends"));
        }
        Ok((disk, met))
    }

    fn begin_whole(&self, operation: Operation) -> io::Result<RefMut<'_, Disk>> {
        match self.begin(operation)? {
            (_, Some(DiskFault::Fail)) => Err(io::Error::other("input/output error")),
            (disk, _) => Ok(disk),
        }
    }
}

impl Disk {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}

impl Files for FaultyFiles {
    type File = FaultyFile;

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut disk = self.begin_whole(Operation::Change)?;
        disk.folders.entry(folder.to_owned()).or_insert(false);
        Ok(())
    }

    fn canonical(&self, folder: &Path) -> io::Result<PathBuf> {
        Ok(folder.to_owned())
    }

    fn open(&self, path: &Path, create: bool) -> io::Result<FaultyFile> {
        let mut disk = self.begin_whole(if create { Operation::Change } else { Operation::Look })?;
        let known = disk.names.get(path).copied();
        let in_folder = path.parent().is_some_and(|folder| disk.folders.contains_key(folder));
        let file = match known {
            Some(file) => file,
            None if create && in_folder => {
                let file = disk.files.len();
                disk.files.push(Content::default());
                disk.change(Change::Name(path.to_owned(), file));
                file
            }
            None => return Err(ErrorKind::NotFound.into()),
        };
        disk.openings += 1;
        Ok(FaultyFile { file, opening: disk.openings })
    }

    fn try_lock(&self, file: &FaultyFile) -> io::Result<bool> {
        let mut disk = self.begin_whole(Operation::Look)?;
        if let Some((from, to)) = disk.meanwhile.take() {
            disk.change(Change::Rename(from, to));
        }
        let locked = &mut disk.files[file.file].locked;
        let free = locked.is_none_or(|by| by == file.opening);
        if free {
            *locked = Some(file.opening);
        }
        Ok(free)
    }

    fn process(&self) -> u32 {
        self.0.borrow().process
    }

    fn unlock(&self, file: &FaultyFile) {
        let mut disk = self.0.borrow_mut();
        let locked = &mut disk.files[file.file].locked;
        if *locked == Some(file.opening) {
            *locked = None;
        }
    }

    fn identity(&self, file: &FaultyFile) -> io::Result<Identity> {
        self.begin_whole(Operation::Look).map(|_| Identity(0, file.file as u64))
    }

    fn identity_at(&self, path: &Path) -> io::Result<Option<Identity>> {
        let disk = self.begin_whole(Operation::Look)?;
        Ok(disk.names.get(path).map(|&file| Identity(0, file as u64)))
    }

    fn read(&self, file: &FaultyFile, limit: u64) -> io::Result<Vec<u8>> {
        let disk = self.begin_whole(Operation::Look)?;
        let seen = &disk.files[file.file].seen;
        Ok(seen[..seen.len().min(usize::try_from(limit).unwrap_or(usize::MAX))].to_vec())
    }

    fn empty(&self, file: &FaultyFile) -> io::Result<()> {
        let mut disk = self.begin_whole(Operation::Change)?;
        let content = &mut disk.files[file.file];
        content.seen.clear();
        content.dirty.clear();
        content.resized = true;
        Ok(())
    }

    fn write_at(&self, file: &FaultyFile, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let (mut disk, fault) = self.begin(Operation::Write)?;
        let written = match fault {
            Some(DiskFault::Fail) => return Err(io::Error::other("input/output error")),
            Some(DiskFault::Short(missing)) => bytes.len().saturating_sub(missing).max(1),
            Some(DiskFault::Torn(written)) => written.min(bytes.len()),
            _ => bytes.len(),
        };
        let content = &mut disk.files[file.file];
        let start = offset as usize;
        let end = start + written;
        if content.seen.len() < end {
            content.seen.resize(end, 0);
            content.resized = true;
        }
        content.seen[start..end].copy_from_slice(&bytes[..written]);
        let sectors = content.seen.len().div_ceil(SECTOR_BYTES);
        content.dirty.resize(sectors, false);
        content.dirty[start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES)].fill(true);
        if let Some(DiskFault::Torn(_)) = fault {
            disk.stopped = true;
            return Err(io::Error::other("the process ends"));
        }
        Ok(written)
    }

    fn sync(&self, file: &FaultyFile) -> io::Result<()> {
        let (mut disk, fault) = self.begin(Operation::Sync)?;
        let content = &mut disk.files[file.file];
        if fault == Some(DiskFault::Fail) {
            content.dirty.clear();
            content.resized = false;
            return Err(io::Error::other("input/output error"));
        }
        content.sync();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.begin_whole(Operation::Change)?;
        if !disk.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        disk.change(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut disk = self.begin_whole(Operation::Change)?;
        if !disk.folders.contains_key(folder) {
            return Err(ErrorKind::NotFound.into());
        }
        // One folder is all that a log uses.
        disk.changes.clear();
        disk.durable_names = disk.names.clone();
        Ok(())
    }

    fn sync_way(&self, folder: &Path) -> io::Result<()> {
        let mut disk = self.begin_whole(Operation::Change)?;
        disk.folders.get_mut(folder).map(|durable| *durable = true).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

//! Files that appear whole or not at all.
//!
//! A file is written beside its place, synced, and renamed: on a full disk, after a crash, or when the process is killed,
//! the earlier file is there, or the new one.
//!
//! The file beside it is named `.zus-unfinished-` and twelve letters and digits, and its process holds a lock of the operating
//! system on it. A process that is killed leaves such a file behind, without a lock: the next process that writes into the
//! folder removes it. A file that is locked is being written and stays, and so does a file of any other name.

use crate::bounded;
use crate::lock::{self, Held};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tempfile::{Builder, NamedTempFile, TempPath};

/// The name of a file that is not whole yet begins so.
const PREFIX: &str = ".zus-unfinished-";
/// The name of a file that waits for the end of its run begins so. Only a run that has the folder's lock removes one.
const STAGED: &str = ".zus-waiting-";
/// And goes on with so many letters and digits.
const LETTERS: usize = 12;
/// Files beside that are made before it is given up: one is lost only to a process that removes leftovers in the moment between
/// the making and the locking.
const ATTEMPTS: usize = 16;

/// Writes `bytes` into the file at `path`, which is there whole afterwards, or as it was before.
///
/// The file has the permissions of the one that it replaces, or those of any new file. A link is followed. What has a name
/// below `/dev` or `/proc` (`/dev/stdout`, and what `>(command)` of a shell stands for) is written to directly, for there is nothing to
/// replace. A pipe with a name elsewhere is refused: it waits for a reader that may never come.
///
/// # Errors
/// As [`fs::write`]; the earlier file is untouched then, and nothing is left beside it.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref();
    let Some(place) = Destination::of(path)? else { return fs::write(path, bytes) };
    // A process may write many files into a large folder, and looks through it once.
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(place.folder.clone()) {
        remove_leftovers(&place.folder, false);
    }
    let mut beside = place.beside()?;
    // By way of the file itself: the name that it has for now says nothing to a user.
    beside.as_file_mut().write_all(bytes.as_ref())?;
    beside.as_file().sync_all()?;
    beside.persist(&place.file).map_err(|failed| failed.error)?;
    synced(&place.folder)
}

/// A file of a folder's run: whole and synced in the folder, until it takes its place in it, or below it, at the end of the run. It is
/// closed, so that a run may have any number of them; the lock of the folder keeps other runs from it.
#[derive(Debug)]
pub(crate) struct Staged {
    place: Destination,
    beside: TempPath,
}

impl Staged {
    /// As [`write()`], up to the renaming; it waits in `folder`. None where there is something that cannot be replaced.
    pub(crate) fn at(path: &Path, folder: &Path, bytes: impl AsRef<[u8]>) -> io::Result<Option<Self>> {
        let Some(place) = Destination::of(path)? else { return Ok(None) };
        let mut beside = place.made(folder, STAGED)?;
        beside.as_file_mut().write_all(bytes.as_ref())?;
        beside.as_file().sync_all()?;
        Ok(Some(Staged { place, beside: beside.into_temp_path() }))
    }

    /// Takes its place. The folder is not synced: the last file of the run does that.
    pub(crate) fn persist(self) -> io::Result<()> {
        self.beside.persist(&self.place.file).map_err(|failed| failed.error)
    }
}

/// Whether [`write()`] could write at `path` now, as far as can be told without writing: a mistyped folder is found before
/// the work, not after it.
///
/// # Errors
/// As [`write()`].
pub fn check(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    match Destination::of(path)? {
        Some(place) => place.beside().map(drop),
        None => OpenOptions::new().write(true).open(path).map(drop),
    }
}

/// Text that only files of the project's tools have: their pictures, pages, Markdown and JSON.
const MARKS: [&str; 5] = [
    r#"<svg class="zus""#,
    r#"<meta name="generator" content="zus">"#,
    "<!-- zus -->",
    r#""format": "zus-"#,
    r#""format":"zus-"#,
];

/// Whether a tool of the project wrote the file at `path`, as it says itself.
pub(crate) fn is_marked(path: &Path) -> bool {
    let bytes = bounded::bytes(path, bounded::MOST_BYTES).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    MARKS.iter().any(|mark| text.contains(mark))
}

/// A file of output that a command has promised. Where a command ends without it, for instance after bad input, the file of an
/// earlier run goes: it would pass for the result of this one. A file without a mark of the tools may be the user's own,
/// and stays; so does a link, and an earlier file where the place itself is the matter.
#[derive(Debug)]
pub struct Promised {
    path: PathBuf,
    is_due: bool,
}

impl Promised {
    /// The file at `path`, which is checked ([`check()`]), and is none of the `inputs`.
    ///
    /// # Errors
    /// As [`check()`], and [`ErrorKind::InvalidInput`] for an input.
    pub fn at<'a>(path: impl Into<PathBuf>, inputs: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let path = path.into();
        let same = |input: &Path| fs::canonicalize(input).ok().filter(|found| found.is_file());
        let own = same(&path);
        if own.is_some() && inputs.into_iter().any(|input| same(input) == own) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is an input of this command"));
        }
        check(&path)?;
        Ok(Promised { path, is_due: true })
    }

    /// Where it is to be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it, whole.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn write(mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.is_due = false;
        write(&self.path, bytes)
    }
}

impl Drop for Promised {
    fn drop(&mut self) {
        let is_file = fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file());
        if !self.is_due || !is_file {
            return;
        }
        if is_marked(&self.path) {
            // The command reports errors; a file that cannot be removed could not be written either.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An error of [`write()`], [`check`] or the opening of a folder, with the name of what cannot be written and the fix: for a user
/// who named it.
pub fn unwritable(path: impl AsRef<Path>) -> impl Fn(io::Error) -> io::Error {
    let path = crate::plain::path(path.as_ref());
    move |error| {
        // It says so itself.
        if lock::is_refusal(&error) {
            return error;
        }
        let why =
            format!("{path}: cannot be written: {error}\n  fix: name another place, or make room there");
        io::Error::new(error.kind(), why)
    }
}

/// Removes from `folder` the unfinished files of killed processes, and, where this process has its lock, those that killed runs left
/// waiting. A file that cannot be removed stays.
pub(crate) fn remove_leftovers(folder: &Path, has_lock: bool) {
    for found in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (found.path(), found.file_name());
        let waits = has_lock && has_prefix(&name, STAGED);
        let is_file = found.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && (waits || has_prefix(&name, PREFIX) && is_abandoned(&path)) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether no process writes an unfinished file: one that does holds the lock until the file has its name or is gone.
fn is_abandoned(path: &Path) -> bool {
    let opened = File::open(path).or_else(|_| OpenOptions::new().write(true).open(path));
    opened.is_ok_and(|file| lock::attempt(&file) == Held::Mine)
}

/// Whether a name is one that this module gives to a file, with this beginning.
fn has_prefix(name: &OsStr, prefix: &str) -> bool {
    let letters = name.to_str().and_then(|name| name.strip_prefix(prefix));
    letters.is_some_and(|rest| rest.len() == LETTERS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Where a file is to be.
#[derive(Debug)]
struct Destination {
    file: PathBuf,
    folder: PathBuf,
    /// The permissions of the file that is there.
    permissions: Option<fs::Permissions>,
}

impl Destination {
    /// None if there is something that cannot be replaced.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        // Names of open files: what they lead to has a name of its own, which is not what is meant.
        if ["/dev", "/proc"].iter().any(|root| path.starts_with(root)) {
            return Ok(None);
        }
        let mut file = path.to_path_buf();
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            file = match fs::canonicalize(path) {
                Ok(file) => file,
                // The link leads to a file that is not there yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    path.parent().unwrap_or(Path::new("")).join(fs::read_link(path)?)
                }
                Err(error) => return Err(error),
            };
        }
        let permissions = match fs::metadata(&file) {
            Ok(found) if found.is_dir() => return Err(io::Error::from(ErrorKind::IsADirectory)),
            Ok(found) if !found.is_file() => {
                return match bounded::no_file(&file) {
                    Some(what) => {
                        Err(io::Error::new(ErrorKind::InvalidInput, format!("this is {what}, and no file")))
                    }
                    None => Ok(None),
                };
            }
            Ok(found) => {
                // A rename needs no right to the file itself, but a file that is protected shall stay.
                OpenOptions::new().write(true).open(&file)?;
                Some(found.permissions())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if file.file_name().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "this is no name of a file"));
        }
        let folder = match file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_path_buf(),
            None => PathBuf::from("."),
        };
        Ok(Some(Destination { file, folder, permissions }))
    }

    /// An empty file in the same folder, locked, which is removed unless it is renamed.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let locked = || -> io::Result<Option<NamedTempFile>> {
            let beside = self.made(&self.folder, PREFIX)?;
            let is_mine = lock::attempt(beside.as_file()) != Held::ByAnother && beside.path().exists();
            Ok(is_mine.then_some(beside))
        };
        let mut attempts = (0..ATTEMPTS).map(|_| locked());
        attempts
            .find_map(Result::transpose)
            .unwrap_or_else(|| Err(io::Error::other("the file beside it is removed by another process")))
    }

    /// An empty file in a folder, with such a name and the permissions of the file.
    fn made(&self, folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
        let mut builder = Builder::new();
        builder.prefix(prefix).rand_bytes(LETTERS);
        #[cfg(unix)]
        let plain = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
        #[cfg(unix)]
        builder.permissions(plain);
        let beside = builder.tempfile_in(folder).map_err(unnamed)?;
        if let Some(permissions) = &self.permissions {
            beside.as_file().set_permissions(permissions.clone())?;
        }
        Ok(beside)
    }
}

/// The error without the name that the file beside has for now: it says nothing to a user. `tempfile` hides the cause, and says it
/// before the name.
fn unnamed(error: io::Error) -> io::Error {
    let told = error.to_string();
    match told.split_once(" at path \"") {
        Some((why, _)) => io::Error::new(error.kind(), why),
        None => error,
    }
}

/// Makes the names in `folder` durable.
pub(crate) fn synced(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems have no such thing for a folder.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// Removes what is at a name that this crate chose, if it is a link: it may lead to a file that nobody meant.
pub(crate) fn unlink(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(path)
    } else {
        Ok(())
    }
}

//! One run at a time writes into a folder.
//!
//! Two runs that write into one folder mix their results, and each removes what the other wrote. So a run holds a lock of the
//! operating system on the folder from before its first write to its end, in whatever way it ends: a process that is killed
//! holds nothing. The lock is on the folder itself, so nothing lies in the folder that could be left, removed or copied.
//!
//! A file system that has no such locks (some that are mounted over a network) gives none: the run goes on without, and two of
//! them are not told apart.

use crate::{plain, whole};
use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// A folder that this run alone writes into, until this value is dropped.
#[derive(Debug)]
pub struct Lock {
    folder: PathBuf,
    /// It holds the lock as long as it is open; none where folders cannot be opened.
    open: Option<File>,
}

impl Drop for Lock {
    /// Closing the folder is not enough: a process that is being started at this moment holds a copy of what is open here.
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            let _ = open.unlock();
        }
    }
}

/// The holder of a file's lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    /// This process, from now on.
    Mine,
    /// Another one, or another part of this one.
    ByAnother,
    /// Nobody can know: there are no locks here.
    Unknown,
}

/// Takes the lock of an open file, if nobody has it.
pub(crate) fn attempt(file: &File) -> Held {
    match file.try_lock() {
        Ok(()) => Held::Mine,
        Err(TryLockError::WouldBlock) => Held::ByAnother,
        Err(TryLockError::Error(_)) => Held::Unknown,
    }
}

/// Whether an error says that another run has a folder: it names the folder and the fix then.
pub fn is_refusal(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ResourceBusy && error.raw_os_error().is_none()
}

impl Lock {
    /// Takes the folder, which is made if it is not there, and removes from it what killed runs left of files that they were
    /// writing.
    ///
    /// # Errors
    /// [`ErrorKind::ResourceBusy`], with the folder and the fix, if another run has it ([`is_refusal`]); and those of the file
    /// system if it cannot be made or opened.
    pub fn take(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)?;
        let open = if cfg!(unix) { Some(File::open(folder)?) } else { None };
        if open.as_ref().map(attempt) == Some(Held::ByAnother) {
            let why = format!(
                "{}: another run is writing into this folder\n  fix: wait until it has ended, or name another folder",
                plain::path(folder)
            );
            return Err(io::Error::new(ErrorKind::ResourceBusy, why));
        }
        whole::remove_leftovers(folder, true);
        Ok(Lock { folder: folder.to_path_buf(), open })
    }

    /// Takes a folder below this one. A link on the way is removed: the names below are the tool's, and a link may lead to
    /// files that nobody meant.
    ///
    /// # Errors
    /// Those of [`Lock::take`].
    pub fn below(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let mut path = self.folder.clone();
        for part in name.as_ref() {
            path.push(part);
            whole::unlink(&path)?;
        }
        Self::take(path)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_free_although_a_process_that_is_being_started_has_it_open() {
        let at = tempfile::tempdir().unwrap();
        let lock = Lock::take(at.path()).unwrap();
        let copy = lock.open.as_ref().unwrap().try_clone().unwrap();
        assert!(Lock::take(at.path()).is_err_and(|error| is_refusal(&error)));
        drop(lock);
        Lock::take(at.path()).unwrap();
        drop(copy);
    }
}

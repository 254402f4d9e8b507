//! The few operations on files that a log is made of: the operating system's, or in tests those of a disk that fails
//! ([`FaultyFiles`](super::FaultyFiles)).

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Which file it is, whatever its name: device and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity(pub u64, pub u64);

/// A file system. Nothing but [`Files::sync`], [`Files::sync_folder`] and [`Files::sync_way`] makes anything durable: what
/// was read, and what was written, renamed or created before, may be gone after a power cut until the one that concerns it has
/// returned. After one that failed it may be gone for ever, although it can still be read.
pub trait Files: Clone + fmt::Debug {
    /// An open file. Dropping it need not release its lock: see [`Files::unlock`].
    type File: fmt::Debug;

    /// Makes a folder and those above it, where they are missing.
    ///
    /// # Errors
    /// Those of the file system, here and below.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// The folder by its own name: absolute, and without symbolic links.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    fn canonical(&self, folder: &Path) -> io::Result<PathBuf>;

    /// Opens a file to be read and written; makes an empty one when there is none and `create` says so.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none and none is to be made; [`ErrorKind::InvalidInput`] when the name is a symbolic
    /// link, is of no regular file, or is one of several names of a file.
    fn open(&self, path: &Path, create: bool) -> io::Result<Self::File>;

    /// Locks a file for this opening of it; `false` when it is locked by another, in this process or elsewhere.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn try_lock(&self, file: &Self::File) -> io::Result<bool>;

    /// The process that asks. A child that was forked has the parent's open files and locks, and is another one.
    fn process(&self) -> u32;

    /// Gives the lock up.
    fn unlock(&self, file: &Self::File);

    /// Which file was opened.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn identity(&self, file: &Self::File) -> io::Result<Identity>;

    /// Which file has this name now, if any has.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] as for [`Files::open`].
    fn identity_at(&self, path: &Path) -> io::Result<Option<Identity>>;

    /// Reads a file from its beginning, at most `limit` bytes of it.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn read(&self, file: &Self::File, limit: u64) -> io::Result<Vec<u8>>;

    /// Takes all bytes away from a file.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn empty(&self, file: &Self::File) -> io::Result<()>;

    /// Writes some first part of `bytes` at an offset, and returns its length.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn write_at(&self, file: &Self::File, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes the bytes of a file durable.
    ///
    /// # Errors
    /// When it is unknown whether they are.
    fn sync(&self, file: &Self::File) -> io::Result<()>;

    /// Gives a file the name of another, which loses it.
    ///
    /// # Errors
    /// See [`Files::create_folder`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// When it is unknown whether they are.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes the names of a folder and of those above it durable.
    ///
    /// # Errors
    /// When it is unknown whether they are.
    fn sync_way(&self, folder: &Path) -> io::Result<()>;
}

/// The files of the operating system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OsFiles;

impl Files for OsFiles {
    type File = File;

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn canonical(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(folder)
    }

    fn open(&self, path: &Path, create: bool) -> io::Result<File> {
        // Opening follows a link, and makes the file that a link to nothing names.
        self.identity_at(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).truncate(false);
        // Every process that can open it can lock it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    fn try_lock(&self, file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn unlock(&self, file: &File) {
        // Should this fail, the lock ends with the last copy of the file.
        let _unlocked = file.unlock();
    }

    fn identity(&self, file: &File) -> io::Result<Identity> {
        identity_of(&file.metadata()?)
    }

    fn identity_at(&self, path: &Path) -> io::Result<Option<Identity>> {
        match fs::symlink_metadata(path) {
            Ok(found) => require_one_name(&found).and_then(|()| identity_of(&found)).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, mut file: &File, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn empty(&self, file: &File) -> io::Result<()> {
        file.set_len(0)
    }

    fn write_at(&self, mut file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.seek(SeekFrom::Start(offset))?;
        file.write(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn sync_way(&self, folder: &Path) -> io::Result<()> {
        let folder = fs::canonicalize(folder)?;
        for (above, folder) in folder.ancestors().skip(1).enumerate() {
            match self.sync_folder(folder) {
                // Further up there may be folders that this user neither reads nor has made.
                Err(error) if above > 0 && error.kind() == ErrorKind::PermissionDenied => {}
                other => other?,
            }
        }
        Ok(())
    }
}

/// A log that is opened is locked by its file and replaced by its name. With a link or a second name for the file the two are
/// not the same: the file would be replaced under one name, and would stay under the other, unlocked and outdated.
fn require_one_name(metadata: &fs::Metadata) -> io::Result<()> {
    let reason = if metadata.is_symlink() {
        "it is a symbolic link, and the file itself would stay unlocked when the log is replaced under this name. Give the \
         folder in which the file is, or move the file here"
            .to_owned()
    } else if !metadata.is_file() {
        "it is no regular file. Give the folder of a ticket log".to_owned()
    } else if names_of(metadata) > 1 {
        format!(
            "its file has {} names (hard links), and would stay under the others, unlocked and outdated. Stop all miners with \
             this key, and remove the other names of the file: `find -inum {}` in its file system lists them",
            names_of(metadata),
            identity_of(metadata)?.1
        )
    } else {
        return Ok(());
    };
    Err(io::Error::new(ErrorKind::InvalidInput, reason))
}

#[cfg(unix)]
fn names_of(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn names_of(_: &fs::Metadata) -> u64 {
    1
}

#[cfg(unix)]
fn identity_of(metadata: &fs::Metadata) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    Ok(Identity(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity_of(_: &fs::Metadata) -> io::Result<Identity> {
    let reason = "a ticket log needs a file system that tells its files apart by device and inode";
    Err(io::Error::new(ErrorKind::Unsupported, reason))
}

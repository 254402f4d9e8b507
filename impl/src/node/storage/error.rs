//! Why a folder cannot be used, or not wholly, and what its owner can do.

use std::io;
use std::path::{Path, PathBuf};

use crate::block::BlockId;
use crate::wire::WireError;

/// Why the folder cannot be used, or not wholly. Each message names the file and what to do.
///
/// No single file of those that a restart needs can be left out: the final blocks are a chain, and the other items rest on each other.
/// The ticket log must stay as it is: without it the miner could sign a second time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused.
    #[error(
        "cannot {operation} {}: {source}\n  fix: let this process read and write there, and see that the disk is sound and has space",
        path.display()
    )]
    Io {
        /// The operation.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is not that of a folder.
    #[error("{}: it is a file, and should be a folder\n  fix: move the file away, or name another path", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file that the restart needs is not as it was written.
    #[error(
        "{}: {source}\n  fix: put a copy of its whole folder, also an old one, in the folder's place, or else an empty folder; leave the \
         ticket log as it is; the miner then catches up with its peers",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// How it differs.
        source: WireError,
    },
    /// A final block is in the file of another round.
    #[error(
        "{}: its block is that of {}\n  fix: rename it to that name; if that file is there, remove the one with the wrong name",
        path.display(),
        name.display()
    )]
    OtherName {
        /// Which file.
        path: PathBuf,
        /// The name that it should have.
        name: PathBuf,
    },
    /// A file is missing among the last final blocks, which the restart needs.
    #[error(
        "{}: this file is missing, and later ones are there\n  fix: put a copy of its whole folder, also an old one, in the folder's \
         place, or else an empty folder; leave the ticket log as it is; the miner then catches up with its peers",
        path.display()
    )]
    Gap {
        /// The file.
        path: PathBuf,
    },
    /// A final block that no restart needs is damaged: peers cannot have it from here.
    #[error(
        "{}: {source}; no restart needs it, and peers get the blocks below it only\n  fix: put the file of this name from a copy of the \
         folder, or from another member's folder, in its place",
        path.display()
    )]
    DamagedHistory {
        /// Which file.
        path: PathBuf,
        /// How it differs.
        source: WireError,
    },
    /// Final blocks that no restart needs are missing: peers cannot have them from here.
    #[error(
        "{}: final-{first} to final-{last} are missing; no restart needs them, and peers get the blocks below them only\n  fix: put the \
         files of these names from a copy of the folder, or from another member's folder, there",
        folder.display()
    )]
    History {
        /// Where they should be.
        folder: PathBuf,
        /// The lowest round.
        first: u64,
        /// The highest round.
        last: u64,
    },
    /// The miner asks for a block that it gave away to be stored.
    #[error(
        "{}: block {block} is in no file\n  fix: start again from a copy of the folder, or from an empty one, beside the same ticket log",
        folder.display()
    )]
    Missing {
        /// Where it should be.
        folder: PathBuf,
        /// The block.
        block: BlockId,
    },
}

pub(in crate::node) fn failed<'a>(
    operation: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> StorageError + 'a {
    move |source| StorageError::Io { operation, path: path.into(), source }
}

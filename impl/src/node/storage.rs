//! The blocks and certificates of a miner in a folder, for its restart: one file an item, which is whole or not there.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::FinalBlock;
use crate::limits::{KEPT_FINAL_BLOCKS, MAX_MESSAGE_BYTES};
use crate::miner::{Input, Output, Recovery, Stored};
use crate::ticket_log::Signed;
use crate::wire::{CHECKSUM_BYTES, Decode, WireError, seal, unseal};

/// An item with the number of its file.
type Numbered<T> = (u64, T);

/// A folder with everything that [`Recovery`] asks for beside the ticket log.
///
/// An item is durable when [`FileStorage::carry_out`] returns. It is dropped once no restart needs it; of the final blocks the last
/// [`KEPT_FINAL_BLOCKS`] stay, so the folder is bounded as the miner's memory is. It has no lock of its own: open the miner's ticket
/// log first, which is locked.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    next: u64,
    kept: Vec<Numbered<Stored>>,
    finals: VecDeque<Numbered<FinalBlock>>,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not as it was written.
    #[error(
        "{}: {source}\n  fix: remove the file, if a copy of it is nowhere; the miner then catches up with what it lacks",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// How it differs.
        source: WireError,
    },
}

impl FileStorage {
    /// Opens the folder, or makes an empty one, and reads all items.
    ///
    /// # Errors
    /// [`StorageError`], with the file.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let (kept, finals) = (read(&folder, Kind::Stored)?, read(&folder, Kind::Final)?);
        let numbers = kept.iter().map(|(number, _)| number).chain(finals.iter().map(|(number, _)| number));
        let next = numbers.max().map_or(0, |last| last + 1);
        Ok(FileStorage { folder, next, kept, finals: finals.into() })
    }

    /// The items for [`Miner::new`](crate::miner::Miner::new), beside the index of the ticket log.
    #[must_use]
    pub fn recovery(&self, signed: Signed) -> Recovery {
        let stored = self.kept.iter().map(|(_, item)| item.clone()).collect();
        Recovery { finals: self.finals.iter().map(|(_, item)| item.clone()).collect(), signed, stored }
    }

    /// Carries out [`Output::Store`], [`Output::Finalized`] and [`Output::Load`], and no other output. The input is the answer to the last.
    ///
    /// # Errors
    /// [`StorageError::Io`]: the miner must stop.
    pub fn carry_out(&mut self, output: &Output) -> Result<Option<Input>, StorageError> {
        match output {
            Output::Store { stored, .. } => {
                let number = self.write(Kind::Stored, &seal(stored))?;
                self.kept.push((number, stored.clone()));
                Ok(None)
            }
            Output::Finalized(found) => {
                let number = self.write(Kind::Final, &seal(found))?;
                self.finals.push_back((number, found.clone()));
                self.forget(found)?;
                Ok(None)
            }
            Output::Load { block, .. } => Ok(self.kept.iter().find_map(|(_, stored)| match stored {
                Stored::Block(found) if found.id() == *block => Some(Input::Loaded(Arc::clone(found))),
                _ => None,
            })),
            _ => Ok(None),
        }
    }

    /// Drops the items that no restart needs with this head.
    fn forget(&mut self, head: &FinalBlock) -> Result<(), StorageError> {
        let needed = |(_, item): &mut Numbered<Stored>| item.is_needed_beyond(head.block.round());
        let stored: Vec<u64> =
            self.kept.extract_if(.., |item| !needed(item)).map(|(number, _)| number).collect();
        let above = self.finals.len().saturating_sub(KEPT_FINAL_BLOCKS);
        let finals: Vec<u64> = self.finals.drain(..above).map(|(number, _)| number).collect();
        for (kind, numbers) in [(Kind::Stored, stored), (Kind::Final, finals)] {
            for number in numbers {
                let path = self.folder.join(kind.name(number));
                // It comes back if this is lost with the power, and is dropped again.
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Writes a file, durably: beside its place first.
    fn write(&mut self, kind: Kind, bytes: &[u8]) -> Result<u64, StorageError> {
        let (number, unfinished) = (self.next, self.folder.join("unfinished"));
        let path = self.folder.join(kind.name(number));
        let written = File::create(&unfinished).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(failed("write", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(failed("rename a file to", &path))?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("sync", &self.folder))?;
        self.next += 1;
        Ok(number)
    }
}

/// The kinds of files.
#[derive(Clone, Copy)]
enum Kind {
    Stored,
    Final,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Kind::Stored => "stored-",
            Kind::Final => "final-",
        }
    }

    fn name(self, number: u64) -> String {
        format!("{}{number}", self.prefix())
    }

    /// The number of a file with such a name.
    fn number(self, name: &str) -> Option<u64> {
        let number = name.strip_prefix(self.prefix())?.parse().ok()?;
        (self.name(number) == name).then_some(number)
    }
}

fn failed<'a>(operation: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StorageError + 'a {
    move |source| StorageError::Io { operation, path: path.into(), source }
}

/// The items of a kind, in the order in which they were written.
fn read<T: Decode>(folder: &Path, kind: Kind) -> Result<Vec<Numbered<T>>, StorageError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let name = entry.map_err(failed("read", folder))?.file_name();
        numbers.extend(name.to_str().and_then(|name| kind.number(name)));
    }
    numbers.sort_unstable();
    let item = |number| {
        let path = folder.join(kind.name(number));
        let bound = (MAX_MESSAGE_BYTES + CHECKSUM_BYTES) as u64;
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(failed("open", &path))?;
        io::Read::read_to_end(&mut io::Read::take(file, bound + 1), &mut bytes)
            .map_err(failed("read", &path))?;
        let item = unseal(&bytes).map_err(|source| StorageError::Damaged { path, source })?;
        Ok((number, item))
    };
    numbers.into_iter().map(item).collect()
}

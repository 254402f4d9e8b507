//! The journal of a key generation as a file. Its entries are secret: the file is for its owner alone.

use std::path::Path;

use super::storage::{self, StorageError};
use crate::epochs::key_generation::Entry;
use crate::limits::MAX_JOURNAL_ENTRIES;
use crate::wire::{Decode, Encode, Reader, WireError};

/// The name of the file.
const NAME: &str = "keys";

/// The entries, oldest first.
struct Journal(Vec<Entry>);

/// The entries in a folder; none if there is no file.
pub(super) fn read(folder: &Path) -> Result<Vec<Entry>, StorageError> {
    let path = folder.join(NAME);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    storage::read_file::<Journal>(&path).map(|journal| journal.0)
}

/// Appends entries, or replaces all by them: whole or not at all, and durable when it returns. The file is written anew: a journal has few
/// entries. The blocks of the disk that held the old ones are not overwritten; encrypt the disk, or wipe them.
pub(super) fn write(folder: &Path, replaces: bool, entries: Vec<Entry>) -> Result<(), StorageError> {
    let mut all = if replaces { Vec::new() } else { read(folder)? };
    all.extend(entries);
    storage::write_file(folder, NAME, &crate::wire::seal(&Journal(all)))
}

impl Encode for Journal {
    fn encode(&self, bytes: &mut Vec<u8>) {
        // At most MAX_JOURNAL_ENTRIES, or it is not read.
        bytes.extend((self.0.len() as u32).to_be_bytes());
        for entry in &self.0 {
            entry.encode(bytes);
        }
    }
}

impl Decode for Journal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let length = reader.length::<4>("entries of a journal", MAX_JOURNAL_ENTRIES)?;
        (0..length).map(|_| Entry::decode(reader)).collect::<Result<_, _>>().map(Self)
    }
}

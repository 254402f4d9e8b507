//! The bytes of a log file, without a file: what [`FileLog`](super::FileLog) reads and writes, so that what a crash or a
//! damaged disk does to them can be tried byte by byte without touching a disk.

use std::path::Path;

use super::LogError;
use super::file::FRAMES_PER_FILE;
use super::format::{self, Contents, FormatError, RECORDS_PER_FRAME, SECTOR_BYTES, Sector, Tail, VERSION};
use super::record::{LogRecord, Owner};
use super::signed::SignedRecords;

/// A log file in memory, in which frames can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogImage {
    bytes: Vec<u8>,
    tail: Tail,
}

impl LogImage {
    /// The file that a log makes that holds this: everything that still matters, and room for
    /// [`FRAMES_PER_FILE`](super::FRAMES_PER_FILE) frames.
    #[must_use]
    pub fn new(owner: &Owner, signed: &SignedRecords) -> Self {
        Self::with_room(owner, signed, FRAMES_PER_FILE)
    }

    /// The same with room for another number of frames.
    #[must_use]
    pub fn with_room(owner: &Owner, signed: &SignedRecords, frames: u32) -> Self {
        let (bytes, tail) = format::encode(owner, signed, frames);
        Self { bytes, tail }
    }

    /// Writes the frames of one flush; `false`, and nothing is written, when they do not fit.
    #[must_use]
    pub fn write(&mut self, records: &[LogRecord]) -> bool {
        if records.len().div_ceil(RECORDS_PER_FRAME) > self.tail.room() {
            return false;
        }
        for records in records.chunks(RECORDS_PER_FRAME) {
            let at = self.used();
            self.bytes[at..at + SECTOR_BYTES].copy_from_slice(&frame_of(&mut self.tail, records));
        }
        true
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many of them are header and frames; free sectors follow.
    #[must_use]
    pub fn used(&self) -> usize {
        self.tail.offset() as usize
    }

    pub(super) const fn tail(&self) -> Tail {
        self.tail
    }
}

/// The next frame of a file. At most [`RECORDS_PER_FRAME`] records, and only while there is room.
pub(super) fn frame_of(tail: &mut Tail, records: &[LogRecord]) -> Sector {
    tail.frame(records)
}

/// The content of a log file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogContents {
    signed: SignedRecords,
    tail: Tail,
}

impl LogContents {
    /// Reads a log file. A frame that a crash interrupted is left out. `path` is the file that an error names.
    ///
    /// # Errors
    /// [`LogError::OtherOwner`], [`LogError::Version`], [`LogError::Damaged`].
    pub fn read(path: &Path, bytes: &[u8], owner: &Owner) -> Result<Self, LogError> {
        let Contents { owner: found, signed, tail } = format::decode(bytes).map_err(|fault| {
            let path = path.to_owned();
            match fault {
                FormatError::Version(found) => LogError::Version { path, found, supported: VERSION },
                FormatError::Damaged { offset, reason } => LogError::Damaged { path, offset, reason },
            }
        })?;
        require_owner(path, owner, &found)?;
        Ok(Self { signed, tail })
    }

    /// The signed statements.
    #[must_use]
    pub const fn signed(&self) -> &SignedRecords {
        &self.signed
    }

    /// Bytes up to the end of the last whole frame.
    #[must_use]
    pub const fn good_bytes(&self) -> u64 {
        self.tail.offset()
    }
}

fn require_owner(path: &Path, expected: &Owner, found: &Owner) -> Result<(), LogError> {
    let differs = |field, expected: String, found: String| {
        Err(LogError::OtherOwner { path: path.to_owned(), field, expected, found })
    };
    if found.chain != expected.chain {
        return differs("chain", hex::encode(expected.chain.0), hex::encode(found.chain.0));
    }
    if found.epoch != expected.epoch {
        return differs("epoch", expected.epoch.0.to_string(), found.epoch.0.to_string());
    }
    if found.key != expected.key {
        return differs("key", hex::encode(expected.key), hex::encode(found.key));
    }
    Ok(())
}

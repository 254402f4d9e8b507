//! The bytes of a log file, without a file: what [`FileLog`](super::FileLog) reads and writes, so that what a crash or a
//! damaged disk does to them can be tried byte by byte without touching a disk.

use std::path::Path;

use super::LogError;
use super::format::{
    Checksum, Entry, HeaderFault, MAX_RECORDS_PER_FLUSH, VERSION, decode_frames, decode_header, encode_file,
    encode_frame,
};
use super::record::{Owner, Record};
use super::signed::Signed;
use crate::committee::Round;
use crate::mutants::mutant;

/// A log file in memory, at the end of which frames can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogImage {
    bytes: Vec<u8>,
    checksum: Checksum,
}

impl LogImage {
    /// The file of a log in which nothing was signed.
    #[must_use]
    pub fn new(owner: &Owner, floor: Round) -> Self {
        Self::of(owner, &Signed::from_floor(floor))
    }

    /// A complete file with everything that still matters.
    pub(super) fn of(owner: &Owner, signed: &Signed) -> Self {
        let entries: Vec<Entry> = std::iter::once(Entry::Floor(signed.floor()))
            .chain(signed.records().copied().map(Entry::Record).filter(|_| !mutant!(LogCompactsAway)))
            .collect();
        let (bytes, checksum) = encode_file(owner, &entries);
        Self { bytes, checksum }
    }

    /// Writes records behind those that are there, in as many frames as a flush of them writes.
    pub fn write(&mut self, records: &[Record]) {
        for records in records.chunks(MAX_RECORDS_PER_FLUSH) {
            let (frame, checksum) = frame_of(self.checksum, records);
            self.bytes.extend(frame);
            self.checksum = checksum;
        }
    }

    /// The file that [`LogContents::read`] found in `bytes`, without its torn tail: what a log goes on from.
    #[must_use]
    pub fn recovered(bytes: &[u8], contents: &LogContents) -> Self {
        let good = usize::try_from(contents.good_bytes).unwrap_or(usize::MAX).min(bytes.len());
        Self { bytes: bytes[..good].to_vec(), checksum: contents.checksum }
    }

    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of one frame, and the checksum that the next one continues. At most [`MAX_RECORDS_PER_FLUSH`] records.
pub(super) fn frame_of(previous: Checksum, records: &[Record]) -> (Vec<u8>, Checksum) {
    let kept = if mutant!(LogWritesFirstOnly) { 1 } else { records.len() };
    let entries: Vec<Entry> = records.iter().take(kept).copied().map(Entry::Record).collect();
    encode_frame(previous, &entries)
}

/// What the bytes of a log file say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogContents {
    signed: Signed,
    good_bytes: u64,
    pub(super) base_bytes: u64,
    pub(super) checksum: Checksum,
}

impl LogContents {
    /// Reads a log file. A tail that a crash tore off is left out. `path` is what an error names.
    ///
    /// # Errors
    /// [`LogError::OtherOwner`], [`LogError::Version`], [`LogError::Damaged`].
    pub fn read(path: &Path, bytes: &[u8], owner: &Owner) -> Result<Self, LogError> {
        let path = || path.to_owned();
        let header = decode_header(bytes).map_err(|fault| match fault {
            HeaderFault::Version(found) => LogError::Version { path: path(), found, supported: VERSION },
            HeaderFault::Damaged { offset, reason } => LogError::Damaged { path: path(), offset, reason },
        })?;
        require_owner(&path, owner, &header.owner)?;
        let frames = decode_frames(bytes, &header).map_err(|damage| LogError::Damaged {
            path: path(),
            offset: damage.offset,
            reason: damage.reason,
        })?;
        let mut signed = Signed::default();
        let skipped = if mutant!(LogReadsLastOnly) { frames.entries.len().saturating_sub(1) } else { 0 };
        for entry in frames.entries.into_iter().skip(skipped) {
            match entry {
                Entry::Floor(floor) => signed.raise_floor(floor),
                Entry::Record(record) => signed.insert(record),
            }
        }
        let (base_bytes, good_bytes) = (header.base_bytes, frames.good_bytes);
        Ok(Self { signed, good_bytes, base_bytes, checksum: frames.checksum })
    }

    /// What was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Bytes up to the end of the last whole frame; what follows is a torn tail.
    #[must_use]
    pub const fn good_bytes(&self) -> u64 {
        self.good_bytes
    }

    pub(super) fn into_signed(self) -> Signed {
        self.signed
    }
}

fn require_owner(
    path: &impl Fn() -> std::path::PathBuf,
    expected: &Owner,
    found: &Owner,
) -> Result<(), LogError> {
    let differs = |field, expected: String, found: String| {
        Err(LogError::OtherOwner { path: path(), field, expected, found })
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

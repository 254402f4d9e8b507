//! The bytes of a log file, and what a crash can do to them.
//!
//! ```text
//! file     header, then `sectors` sectors: `base` frames, frames of later flushes, free sectors
//! header   magic (8) version (2) chain (32) epoch (8) key (96) floor (8) complete from (8) base (4) sectors (4)
//! frame    count (2), then count records
//! record   kind (1) round (8) subround (4) block (32)
//! ```
//! Header, frames and free sectors have 512 bytes each: a sector, which a disk writes whole or not at all. Bytes that a
//! header or a frame does not use are zero, up to the last 8 bytes, which are a checksum: the first 8 bytes of SHA3-256
//! over the checksum before it and the bytes of its own sector. So every frame vouches for all before it, and none can
//! be lost, repeated or moved. Integers are big-endian. A free sector repeats the 8 bytes `no entry`.
//!
//! A file is made as a whole: header, a base of frames with everything that still matters, and free sectors, all durable before
//! the file gets its name. It never grows. A flush writes the next free sector; when none is left, a new file is made.
//!
//! # A torn tail is the one frame that was being written
//! A crash interrupts at most one write of one sector, whose flush had not returned, so that no signature had left for it. The
//! sector then is free still, or holds the whole frame, or a beginning of the frame before the rest of the free sector, or zeros
//! where a file system gives out what it never wrote. Every sector behind it is free. [`decode`] takes exactly that for a torn
//! tail. Everything else that does not check is damage, and the log is refused: a file that is shorter or longer than its header
//! says, a sector of zeros with anything but free sectors behind it, a frame behind a free sector, any other change.
//!
//! This check cannot see frames that are gone from the end without a trace, since nothing outside the file says how
//! many there were. The sector of the last frame can be lost in any way that a crash leaves: free again, zeros, or a
//! beginning of the frame.
//! Two or more last frames can be lost only if each of their sectors says again exactly what stood there before, `no entry`,
//! with none left out. That takes a disk that had reported those sectors durable and then gives out their old content. It costs
//! the records of these flushes, whose signatures may have left: the miner may contradict what it signed there, and convict
//! itself. The bound is the frames written since the file was made, at most
//! [`FRAMES_PER_FILE`](super::FRAMES_PER_FILE); header and base are never lost so. After such a fault of a disk use a floor as for
//! a lost log. A whole file
//! that is replaced by an older copy of itself (a restored backup or snapshot) cannot be told either: never restore one, import
//! an export into a new log instead.

use sha3::{Digest, Sha3_256};

use super::record::{KEY_BYTES, Kind, LogRecord, Owner};
use super::signed::SignedRecords;
use crate::committee::{ChainId, Epoch, Round, Subround};
use crate::limits::MAX_ROUND;

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u16 = 2;

/// The unit that a disk writes as a whole or not at all.
pub const SECTOR_BYTES: usize = 512;

/// Records of one frame. A flush of more writes several frames, one after the other.
pub const RECORDS_PER_FRAME: usize = (CHECKSUM_AT - COUNT_BYTES) / RECORD_BYTES;

/// Bytes of the largest file that is read: the records of a hundred thousand subrounds of one round.
pub const MAX_LOG_BYTES: u64 = 16 << 20;

const MAGIC: [u8; 8] = *b"ZUSTKLOG";
const HEADER_BYTES: usize = 8 + 2 + 32 + 8 + KEY_BYTES + 8 + 8 + 4 + 4;
const CHECKSUM_BYTES: usize = 8;
const CHECKSUM_AT: usize = SECTOR_BYTES - CHECKSUM_BYTES;
const COUNT_BYTES: usize = 2;
const RECORD_BYTES: usize = 1 + 8 + 4 + 32;

/// The bytes of one sector.
pub(super) type Sector = [u8; SECTOR_BYTES];

/// The first 8 bytes of a hash that covers everything before.
type Checksum = [u8; CHECKSUM_BYTES];

/// A sector that no frame was written to. Not zeros: those are what a disk reads as that has lost something.
pub(super) const FREE: Sector = {
    let mut sector = [0; SECTOR_BYTES];
    let mut at = 0;
    while at < SECTOR_BYTES {
        sector[at] = b"no entry"[at % 8];
        at += 1;
    }
    sector
};

/// The fault of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FormatError {
    Version(u16),
    Damaged { offset: u64, reason: &'static str },
}

/// Where the next frame of a file goes, and what it continues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tail {
    checksum: Checksum,
    /// Sectors before the next frame.
    used: u32,
    /// Sectors of the file.
    sectors: u32,
}

impl Tail {
    /// Frames that still fit.
    pub(super) const fn room(&self) -> usize {
        (self.sectors - self.used) as usize
    }

    /// Bytes before the next frame.
    pub(super) const fn offset(&self) -> u64 {
        self.used as u64 * SECTOR_BYTES as u64
    }

    /// The next frame, which goes to [`Tail::offset`] of before. At most [`RECORDS_PER_FRAME`] records, and only while there
    /// is room.
    pub(super) fn frame(&mut self, records: &[LogRecord]) -> Sector {
        debug_assert!((1..=RECORDS_PER_FRAME).contains(&records.len()) && self.room() > 0);
        let mut sector = [0; SECTOR_BYTES];
        // At most 11.
        sector[..COUNT_BYTES].copy_from_slice(&(records.len() as u16).to_be_bytes());
        let places = sector[COUNT_BYTES..CHECKSUM_AT].as_chunks_mut::<RECORD_BYTES>().0;
        for (place, record) in places.iter_mut().zip(records) {
            *place = encode_record(record);
        }
        self.seal(&mut sector);
        sector
    }

    fn seal(&mut self, sector: &mut Sector) {
        self.checksum = checksum(self.checksum, sector);
        sector[CHECKSUM_AT..].copy_from_slice(&self.checksum);
        self.used += 1;
    }
}

/// Sectors of a file with so many records and free sectors.
pub(super) const fn sectors_for(records: usize, free: u32) -> usize {
    1 + records.div_ceil(RECORDS_PER_FRAME) + free as usize
}

/// A complete file with everything that still matters, and so many free sectors: at most [`MAX_LOG_BYTES`].
pub(super) fn encode(owner: &Owner, signed: &SignedRecords, free: u32) -> (Vec<u8>, Tail) {
    let records: Vec<LogRecord> = signed.records().copied().collect();
    // At most 2^15 of them.
    let sectors = sectors_for(records.len(), free) as u32;
    let base = sectors - free - 1;
    let mut tail = Tail { checksum: [0; CHECKSUM_BYTES], used: 0, sectors };
    let header = [
        &MAGIC[..],
        &VERSION.to_be_bytes(),
        &owner.chain.0,
        &owner.epoch.0.to_be_bytes(),
        &owner.key,
        &signed.floor().0.to_be_bytes(),
        &signed.complete_from().0.to_be_bytes(),
        &base.to_be_bytes(),
        &sectors.to_be_bytes(),
    ]
    .concat();
    let mut sector = [0; SECTOR_BYTES];
    sector[..HEADER_BYTES].copy_from_slice(&header);
    tail.seal(&mut sector);
    let mut file = Vec::with_capacity(sectors as usize * SECTOR_BYTES);
    file.extend(sector);
    for records in records.chunks(RECORDS_PER_FRAME) {
        file.extend(tail.frame(records));
    }
    (0..free).for_each(|_| file.extend(FREE));
    (file, tail)
}

/// The content of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Contents {
    pub(super) owner: Owner,
    pub(super) signed: SignedRecords,
    pub(super) tail: Tail,
}

/// Reads a file. A torn tail is left out: see the module doc.
pub(super) fn decode(file: &[u8]) -> Result<Contents, FormatError> {
    let (header, rest) = file.split_first_chunk().ok_or(damaged(file.len(), "the header is cut off"))?;
    let Header { owner, floor, complete_from, base, sectors, checksum } = decode_header(header)?;
    let bytes = u64::from(sectors) * SECTOR_BYTES as u64;
    if (file.len() as u64) < bytes {
        return Err(damaged(file.len(), "the file is shorter than it was made"));
    }
    if file.len() as u64 > bytes {
        return Err(FormatError::Damaged { offset: bytes, reason: "the file is longer than it was made" });
    }
    let mut signed = SignedRecords::complete(floor, complete_from);
    let mut tail = Tail { checksum, used: 1, sectors };
    let mut records = Vec::new();
    let mut rest = rest.as_chunks::<SECTOR_BYTES>().0;
    while let Some((sector, behind)) = rest.split_first() {
        match decode_frame(sector, tail.checksum) {
            Ok((of_frame, checksum)) => {
                records.extend(of_frame);
                tail = Tail { checksum, used: tail.used + 1, ..tail };
                rest = behind;
            }
            Err(fault) => {
                let in_base = tail.used <= base;
                let is_last = behind.iter().all(|sector| *sector == FREE);
                let may_end = matches!(fault, FrameFault::Free | FrameFault::Torn) && is_last && !in_base;
                if !may_end {
                    let behind_free = fault == FrameFault::Free && !in_base;
                    let reason =
                        if behind_free { "a free sector lies between frames" } else { fault.reason() };
                    return Err(FormatError::Damaged { offset: tail.offset(), reason });
                }
                break;
            }
        }
    }
    records.into_iter().for_each(|record| signed.insert(record));
    Ok(Contents { owner, signed, tail })
}

struct Header {
    owner: Owner,
    floor: Round,
    complete_from: Round,
    base: u32,
    sectors: u32,
    checksum: Checksum,
}

fn decode_header(sector: &Sector) -> Result<Header, FormatError> {
    let mut rest = &sector[..];
    let magic: [u8; 8] = take(&mut rest)?;
    let version = u16::from_be_bytes(take(&mut rest)?);
    if magic != MAGIC {
        return Err(damaged(0, "this is no ticket log"));
    }
    if version != VERSION {
        return Err(FormatError::Version(version));
    }
    let checksum = checksum([0; CHECKSUM_BYTES], sector);
    if sector[CHECKSUM_AT..] != checksum {
        return Err(damaged(0, "the checksum of the header is wrong"));
    }
    let owner = Owner {
        chain: ChainId(take(&mut rest)?),
        epoch: Epoch(u64::from_be_bytes(take(&mut rest)?)),
        key: take(&mut rest)?,
    };
    let floor = Round(u64::from_be_bytes(take(&mut rest)?));
    let complete_from = Round(u64::from_be_bytes(take(&mut rest)?));
    let base = u32::from_be_bytes(take(&mut rest)?);
    let sectors = u32::from_be_bytes(take(&mut rest)?);
    let padded = sector[HEADER_BYTES..CHECKSUM_AT].iter().all(|&byte| byte == 0);
    if !padded || base >= sectors || complete_from > floor || floor.0 > MAX_ROUND + 1 {
        return Err(damaged(0, "the header says what no log says"));
    }
    Ok(Header { owner, floor, complete_from, base, sectors, checksum })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FrameFault {
    /// Nothing was ever written there.
    Free,
    /// The rest that a crash leaves of a frame that is being written.
    Torn,
    /// Neither a frame nor what a crash leaves of one.
    Damaged,
    /// A frame with the right checksum that this program does not write.
    Foreign(&'static str),
}

impl FrameFault {
    const fn reason(self) -> &'static str {
        match self {
            FrameFault::Free => "a frame is missing",
            FrameFault::Torn => "a frame is missing, with others behind it",
            FrameFault::Damaged => "the checksum of a frame is wrong",
            FrameFault::Foreign(reason) => reason,
        }
    }
}

fn decode_frame(sector: &Sector, previous: Checksum) -> Result<(Vec<LogRecord>, Checksum), FrameFault> {
    if *sector == FREE {
        return Err(FrameFault::Free);
    }
    let checksum = checksum(previous, sector);
    if sector[CHECKSUM_AT..] != checksum {
        let torn = *sector == [0; SECTOR_BYTES] || is_beginning(sector, checksum);
        return Err(if torn { FrameFault::Torn } else { FrameFault::Damaged });
    }
    let count = usize::from(u16::from_be_bytes([sector[0], sector[1]]));
    if !(1..=RECORDS_PER_FRAME).contains(&count) {
        return Err(FrameFault::Foreign("the number of records of a frame is impossible"));
    }
    let (records, padding) = sector[COUNT_BYTES..CHECKSUM_AT].split_at(count * RECORD_BYTES);
    if padding.iter().any(|&byte| byte != 0) {
        return Err(FrameFault::Foreign("a frame holds more than its records"));
    }
    let (places, _) = records.as_chunks::<RECORD_BYTES>();
    let records = places.iter().map(decode_record).collect::<Result<_, _>>()?;
    Ok((records, checksum))
}

/// Whether a sector is the beginning of a frame, and then the rest of a free sector: a frame ends with its checksum, so that
/// nothing of the checksum was written, or some first bytes of the right one.
fn is_beginning(sector: &Sector, checksum: Checksum) -> bool {
    let (stored, free) = (&sector[CHECKSUM_AT..], &FREE[CHECKSUM_AT..]);
    (0..CHECKSUM_BYTES)
        .any(|written| stored[..written] == checksum[..written] && stored[written..] == free[written..])
}

/// Of the bytes of a sector before its checksum.
fn checksum(previous: Checksum, sector: &Sector) -> Checksum {
    let hash = Sha3_256::new().chain_update(previous).chain_update(&sector[..CHECKSUM_AT]).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

fn encode_record(record: &LogRecord) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    bytes[0] = kind_byte(record.kind);
    bytes[1..9].copy_from_slice(&record.round.0.to_be_bytes());
    bytes[9..13].copy_from_slice(&record.subround.0.to_be_bytes());
    bytes[13..].copy_from_slice(&record.block);
    bytes
}

fn decode_record(bytes: &[u8; RECORD_BYTES]) -> Result<LogRecord, FrameFault> {
    let mut rest = &bytes[..];
    let cut = |_| FrameFault::Damaged;
    let [byte] = take(&mut rest).map_err(cut)?;
    let kind = Kind::ALL.into_iter().find(|&known| kind_byte(known) == byte);
    let kind = kind.ok_or(FrameFault::Foreign("a frame holds an unknown kind of record"))?;
    let round = Round(u64::from_be_bytes(take(&mut rest).map_err(cut)?));
    let subround = Subround(u32::from_be_bytes(take(&mut rest).map_err(cut)?));
    let block = take(&mut rest).map_err(cut)?;
    if round.0 > MAX_ROUND {
        return Err(FrameFault::Foreign("a record is of a round that no chain reaches"));
    }
    if kind == Kind::Timeout && block != [0; 32] {
        return Err(FrameFault::Foreign("a timeout names a block"));
    }
    Ok(LogRecord { round, kind, subround, block })
}

const fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Proposal => 1,
        Kind::Ticket => 2,
        Kind::Timeout => 3,
        Kind::FinalityVote => 4,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FormatError> {
    let (taken, behind) = rest.split_first_chunk::<N>().ok_or(damaged(0, "the header is cut off"))?;
    *rest = behind;
    Ok(*taken)
}

const fn damaged(offset: usize, reason: &'static str) -> FormatError {
    FormatError::Damaged { offset: offset as u64, reason }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;

//! The bytes of a log file, and what a crash can do to them.
//!
//! ```text
//! header   magic (8) version (2) chain (32) epoch (8) key (96) base (8) checksum (8)
//! frame    length (2) length inverted (2) entries (45 each) checksum (8)      one frame a flush
//! entry    kind (1) round (8) subround (4) block (32)                         kind 0: a floor, the rest is zero
//! ```
//! Integers are big-endian. The length counts the bytes of the entries. A checksum is the first 8 bytes of SHA3-256 over the
//! checksum before it and the bytes of its own frame, so that every frame vouches for all before it, and none can be lost,
//! repeated or moved. A file begins as a whole, header and first frames, moved into its place at once; `base` counts its
//! bytes, so that a file shorter than that is known to be damaged.
//!
//! **A torn tail and a damaged file are told apart**, because the one is harmless and the other is not. A crash interrupts at
//! most the last write, whose flush had not returned, so that no signature had left for it. It leaves one of:
//! - a file that ends inside the last frame;
//! - a last frame of full length in which a sector (512 bytes) was never written and reads as zeros.
//!
//! Such a tail is dropped. Everything else that does not check is damage: the log is refused, and stays as it is. A frame that
//! was flushed and is damaged later fails one of the two tests, unless the damage zeroes a whole sector's part of the very
//! last frame. The length is stored twice so that a damaged length is not taken for a file that ends early.

use sha3::{Digest, Sha3_256};

use super::record::{KEY_BYTES, Kind, Owner, Record};
use crate::committee::{ChainId, Epoch, Round, Subround};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u16 = 1;

/// Bytes of the header.
const HEADER_BYTES: usize = 8 + 2 + 32 + 8 + KEY_BYTES + 8 + CHECKSUM_BYTES;

/// Records of one frame. A flush of more writes several frames, one after the other.
pub const MAX_RECORDS_PER_FLUSH: usize = 64;

const MAGIC: [u8; 8] = *b"ZUSTKLOG";
const CHECKSUM_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;
const ENTRY_BYTES: usize = 1 + 8 + 4 + 32;
const MAX_FRAME_BYTES: usize = LENGTH_BYTES + MAX_RECORDS_PER_FLUSH * ENTRY_BYTES + CHECKSUM_BYTES;
/// What a disk writes or does not write as a whole.
const SECTOR_BYTES: usize = 512;

/// The first 8 bytes of a hash that covers everything before.
pub(super) type Checksum = [u8; CHECKSUM_BYTES];

/// One line of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// All rounds below are left.
    Floor(Round),
    /// Something was signed.
    Record(Record),
}

/// What is wrong with a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HeaderFault {
    Version(u16),
    Damaged { offset: u64, reason: &'static str },
}

/// What is wrong with the frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Damage {
    pub(super) offset: u64,
    pub(super) reason: &'static str,
}

/// What the frames of a file say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    /// The checksum that the next frame continues.
    pub(super) checksum: Checksum,
    /// Bytes of the file up to the end of the last good frame; what follows is a torn tail.
    pub(super) good_bytes: u64,
}

/// What a header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Whose log it is.
    pub(super) owner: Owner,
    /// Bytes with which the file began, all durable before it got its name.
    pub(super) base_bytes: u64,
    /// The checksum that the first frame continues.
    checksum: Checksum,
}

/// A complete file: header and entries. Gives the bytes and the checksum that the next frame continues.
pub(super) fn encode_file(owner: &Owner, entries: &[Entry]) -> (Vec<u8>, Checksum) {
    let frames = entries.len().div_ceil(MAX_RECORDS_PER_FLUSH);
    let base_bytes = HEADER_BYTES + entries.len() * ENTRY_BYTES + frames * (LENGTH_BYTES + CHECKSUM_BYTES);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_be_bytes());
    bytes.extend(owner.chain.0);
    bytes.extend(owner.epoch.0.to_be_bytes());
    bytes.extend(owner.key);
    bytes.extend((base_bytes as u64).to_be_bytes());
    let mut last = checksum([0; CHECKSUM_BYTES], &bytes);
    bytes.extend(last);
    for entries in entries.chunks(MAX_RECORDS_PER_FLUSH) {
        let (frame, checksum) = encode_frame(last, entries);
        bytes.extend(frame);
        last = checksum;
    }
    debug_assert_eq!(bytes.len(), base_bytes);
    (bytes, last)
}

/// Reads the header of a file.
pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, HeaderFault> {
    let damaged = |offset, reason| HeaderFault::Damaged { offset, reason };
    let short = damaged(bytes.len() as u64, "the header is cut off");
    let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(short)?;
    let (magic, rest) = header.split_first_chunk::<8>().ok_or(short)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(short)?;
    let (chain, rest) = rest.split_first_chunk::<32>().ok_or(short)?;
    let (epoch, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
    let (key, rest) = rest.split_first_chunk::<KEY_BYTES>().ok_or(short)?;
    let (base, stored) = rest.split_first_chunk::<8>().ok_or(short)?;
    if *magic != MAGIC {
        return Err(damaged(0, "this is no ticket log"));
    }
    let version = u16::from_be_bytes(*version);
    if version != VERSION {
        return Err(HeaderFault::Version(version));
    }
    let checksum = checksum([0; CHECKSUM_BYTES], &header[..HEADER_BYTES - CHECKSUM_BYTES]);
    if *stored != checksum {
        return Err(damaged(0, "the checksum of the header is wrong"));
    }
    let base_bytes = u64::from_be_bytes(*base);
    if (bytes.len() as u64) < base_bytes {
        return Err(damaged(bytes.len() as u64, "the file is shorter than it was when it was made"));
    }
    let owner = Owner { chain: ChainId(*chain), epoch: Epoch(u64::from_be_bytes(*epoch)), key: *key };
    Ok(Header { owner, base_bytes, checksum })
}

/// Encodes one frame that continues `previous`, and gives the checksum that the next one continues. At most
/// [`MAX_RECORDS_PER_FLUSH`] entries.
pub(super) fn encode_frame(previous: Checksum, entries: &[Entry]) -> (Vec<u8>, Checksum) {
    debug_assert!((1..=MAX_RECORDS_PER_FLUSH).contains(&entries.len()));
    // At most 64 entries of 45 bytes.
    let length = (entries.len() * ENTRY_BYTES) as u16;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend((!length).to_be_bytes());
    for entry in entries {
        bytes.extend(encode_entry(entry));
    }
    let checksum = checksum(previous, &bytes);
    bytes.extend(checksum);
    (bytes, checksum)
}

/// Reads all frames of a file whose header was read.
pub(super) fn decode_frames(file: &[u8], header: &Header) -> Result<Contents, Damage> {
    let mut contents =
        Contents { entries: Vec::new(), checksum: header.checksum, good_bytes: HEADER_BYTES as u64 };
    let mut rest = file.get(HEADER_BYTES..).unwrap_or_default();
    while !rest.is_empty() {
        let start = file.len() - rest.len();
        match decode_frame(rest, contents.checksum) {
            Ok((entries, checksum, after)) => {
                contents.entries.extend(entries);
                contents.checksum = checksum;
                contents.good_bytes = (file.len() - after.len()) as u64;
                rest = after;
            }
            Err(fault) if start as u64 >= header.base_bytes && is_torn(rest, start, fault) => break,
            Err(fault) => {
                return Err(Damage { offset: start as u64, reason: fault.reason() });
            }
        }
    }
    Ok(contents)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameFault {
    /// The file ends before the length can be read, or before the frame that the length announces.
    EndsEarly,
    Length,
    Checksum,
    Entry,
}

impl FrameFault {
    const fn reason(self) -> &'static str {
        match self {
            FrameFault::EndsEarly => "a frame is cut off",
            FrameFault::Length => "the length of a frame is wrong",
            FrameFault::Checksum => "the checksum of a frame is wrong",
            FrameFault::Entry => "a frame holds an unknown kind of entry",
        }
    }
}

type Frame<'a> = (Vec<Entry>, Checksum, &'a [u8]);

fn decode_frame(bytes: &[u8], previous: Checksum) -> Result<Frame<'_>, FrameFault> {
    let (&[h, l, not_h, not_l], _) =
        bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(FrameFault::EndsEarly)?;
    let length = u16::from_be_bytes([h, l]);
    let entry_bytes = usize::from(length);
    let possible = length == !u16::from_be_bytes([not_h, not_l])
        && entry_bytes > 0
        && entry_bytes.is_multiple_of(ENTRY_BYTES)
        && entry_bytes <= MAX_RECORDS_PER_FLUSH * ENTRY_BYTES;
    if !possible {
        return Err(FrameFault::Length);
    }
    let (covered, rest) = bytes.split_at_checked(LENGTH_BYTES + entry_bytes).ok_or(FrameFault::EndsEarly)?;
    let (stored, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>().ok_or(FrameFault::EndsEarly)?;
    let checksum = checksum(previous, covered);
    if *stored != checksum && !crate::mutants::mutant!(LogTakesTornTail) {
        return Err(FrameFault::Checksum);
    }
    let entries = covered[LENGTH_BYTES..]
        .as_chunks::<ENTRY_BYTES>()
        .0
        .iter()
        .map(|bytes| decode_entry(bytes).ok_or(FrameFault::Entry))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((entries, checksum, rest))
}

/// Whether a bad frame that begins at byte `start` of the file is what a crash left of the last write.
fn is_torn(rest: &[u8], start: usize, fault: FrameFault) -> bool {
    if rest.len() > MAX_FRAME_BYTES {
        return false;
    }
    match fault {
        FrameFault::EndsEarly => true,
        FrameFault::Entry => false,
        FrameFault::Length | FrameFault::Checksum => has_unwritten_sector(rest, start),
    }
}

/// Whether the part of some sector that belongs to the tail is all zeros. A good frame has no such part of 8 bytes or more
/// but by a checksum of zeros; shorter parts are no evidence.
fn has_unwritten_sector(tail: &[u8], start: usize) -> bool {
    let to_boundary = (SECTOR_BYTES - start % SECTOR_BYTES).min(tail.len());
    let (first, others) = tail.split_at(to_boundary);
    std::iter::once(first)
        .chain(others.chunks(SECTOR_BYTES))
        .any(|part| part.len() >= CHECKSUM_BYTES && part.iter().all(|&byte| byte == 0))
}

fn checksum(previous: Checksum, bytes: &[u8]) -> Checksum {
    let hash = Sha3_256::new().chain_update(previous).chain_update(bytes).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

fn encode_entry(entry: &Entry) -> [u8; ENTRY_BYTES] {
    let (kind, round, subround, block) = match entry {
        Entry::Floor(round) => (0, round.0, 0, [0; 32]),
        Entry::Record(record) => (kind_byte(record.kind), record.round.0, record.subround.0, record.block),
    };
    let mut bytes = [0; ENTRY_BYTES];
    bytes[0] = kind;
    bytes[1..9].copy_from_slice(&round.to_be_bytes());
    bytes[9..13].copy_from_slice(&subround.to_be_bytes());
    bytes[13..].copy_from_slice(&block);
    bytes
}

fn decode_entry(bytes: &[u8; ENTRY_BYTES]) -> Option<Entry> {
    let (kind, rest) = bytes.split_first()?;
    let (round, rest) = rest.split_first_chunk::<8>()?;
    let (subround, block) = rest.split_first_chunk::<4>()?;
    let round = Round(u64::from_be_bytes(*round));
    if *kind == 0 {
        return Some(Entry::Floor(round));
    }
    let kind = Kind::ALL.into_iter().find(|&known| kind_byte(known) == *kind)?;
    let subround = Subround(u32::from_be_bytes(*subround));
    Some(Entry::Record(Record { round, kind, subround, block: block.try_into().ok()? }))
}

const fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Proposal => 1,
        Kind::Ticket => 2,
        Kind::Timeout => 3,
        Kind::FinalityVote => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; KEY_BYTES] };

    fn ticket(round: u64) -> Entry {
        Entry::Record(Record::ticket(Round(round), Subround(2), [round as u8; 32]))
    }

    /// A file with flushes of one, of 64 and of three records.
    fn file() -> (Vec<u8>, Vec<usize>, Vec<Entry>) {
        let mut entries = vec![Entry::Floor(Round(1))];
        let (mut bytes, mut checksum) = encode_file(&OWNER, &entries);
        let mut ends = vec![bytes.len()];
        for rounds in [1..2, 2..66, 66..69] {
            let flush: Vec<Entry> = rounds.map(ticket).collect();
            let (frame, next) = encode_frame(checksum, &flush);
            bytes.extend(frame);
            checksum = next;
            ends.push(bytes.len());
            entries.extend(flush);
        }
        (bytes, ends, entries)
    }

    #[test]
    fn every_entry_round_trips() {
        let mut entries = vec![Entry::Floor(Round(u64::MAX))];
        for kind in Kind::ALL {
            let round = Round(u64::MAX - 1);
            entries.push(Entry::Record(Record { round, kind, subround: Subround(u32::MAX), block: [9; 32] }));
        }
        for entry in &entries {
            assert_eq!(decode_entry(&encode_entry(entry)), Some(*entry));
        }
        assert_eq!(decode_entry(&[5; ENTRY_BYTES]), None, "an unknown kind");
        let (bytes, last) = encode_file(&OWNER, &entries);
        let header = decode_header(&bytes).unwrap();
        assert_eq!((header.owner, header.base_bytes), (OWNER, bytes.len() as u64));
        let contents = decode_frames(&bytes, &header).unwrap();
        assert_eq!((contents.entries, contents.checksum), (entries, last));
    }

    #[test]
    fn a_cut_at_any_byte_leaves_the_whole_flushes_before_it() {
        let (bytes, ends, entries) = file();
        let counts = [1, 2, 66, 69];
        for cut in ends[0]..=bytes.len() {
            let header = decode_header(&bytes[..cut]).unwrap();
            let contents = decode_frames(&bytes[..cut], &header).unwrap();
            let flushes = ends.iter().filter(|&&end| end <= cut).count() - 1;
            assert_eq!(contents.entries, entries[..counts[flushes]], "cut at {cut}");
            assert_eq!(contents.good_bytes, ends[flushes] as u64);
        }
        for cut in 0..ends[0] {
            assert!(matches!(decode_header(&bytes[..cut]), Err(HeaderFault::Damaged { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn any_changed_byte_of_a_frame_is_damage_where_the_frame_begins() {
        let (bytes, ends, _) = file();
        let header = decode_header(&bytes).unwrap();
        for byte in HEADER_BYTES..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[byte] ^= change;
                let start = ends.iter().rfind(|&&end| end <= byte).map_or(HEADER_BYTES, |&end| end);
                let damage = decode_frames(&damaged, &header);
                assert_eq!(damage.map_err(|damage| damage.offset), Err(start as u64), "byte {byte}");
            }
        }
    }
    #[test]
    fn a_wrong_length_is_not_taken_for_a_file_that_ends_early() {
        let (bytes, ends, _) = file();
        let header = decode_header(&bytes).unwrap();
        let last = ends[ends.len() - 2];
        for records in (1..=MAX_RECORDS_PER_FLUSH).filter(|&records| records != 3) {
            let mut damaged = bytes.clone();
            damaged[last..last + 2].copy_from_slice(&((records * ENTRY_BYTES) as u16).to_be_bytes());
            let damage = decode_frames(&damaged, &header);
            assert_eq!(damage.map_err(|damage| damage.offset), Err(last as u64), "{records} records");
        }
    }
}

//! The log file after a crash at any byte, after damage, and in the wrong hands.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    AppendError, COMPACT_ABOVE_BYTES, Conflict, FileLog, LogError, MAX_RECORDS_PER_FLUSH, Owner, Position,
    Record, SigningRules, TicketLog,
};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; 96] };
const FLOOR: Round = Round(10);
const FRAME_OVERHEAD: u64 = 4 + 8;
const ENTRY_BYTES: u64 = 45;

fn rules() -> SigningRules {
    SigningRules::from(&Rules::HARDENED)
}

fn block(tag: u8) -> [u8; 32] {
    [tag; 32]
}

fn ticket(round: u64, subround: u32, tag: u8) -> Record {
    Record::ticket(Round(round), Subround(subround), block(tag))
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("tickets.log")
}

fn open(folder: &Path) -> Result<FileLog, LogError> {
    FileLog::open(folder, OWNER, rules())
}

/// What a miner signs in three rounds, by flush: several records in one, and blocks that are all zeros.
fn flushes() -> Vec<Vec<Record>> {
    let (r, s) = (Round, Subround);
    vec![
        vec![Record::proposal(r(10), s(0), block(1)), Record::timeout(r(10), s(0))],
        vec![Record::proposal(r(10), s(1), block(4))],
        vec![ticket(10, 1, 2)],
        vec![Record::finality_vote(r(10), s(1), block(2)), ticket(11, 0, 0)],
        vec![Record::timeout(r(11), s(0)), Record::timeout(r(11), s(1)), Record::timeout(r(11), s(2))],
        (3..30).map(|subround| Record::proposal(r(11), s(subround), block(3))).collect(),
        vec![ticket(11, 3, 3)],
    ]
}

/// Writes the flushes and returns the file's bytes, with its length at the start and after every flush.
fn written() -> (Vec<u8>, Vec<u64>) {
    let folder = scratch();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let mut lengths = vec![log.bytes()];
    for records in flushes() {
        for record in records {
            log.append(record).unwrap();
        }
        log.flush().unwrap();
        lengths.push(log.bytes());
    }
    let bytes = fs::read(log_file(folder.path())).unwrap();
    assert_eq!(bytes.len() as u64, *lengths.last().unwrap());
    (bytes, lengths)
}

/// A new folder, in memory where the system has such a place: these tests flush a thousand times, and are about bytes and
/// not about disks.
fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// A folder with a log file of exactly these bytes.
fn folder_with(bytes: &[u8]) -> TempDir {
    let folder = scratch();
    fs::write(log_file(folder.path()), bytes).unwrap();
    folder
}

fn records(log: &FileLog) -> Vec<Record> {
    log.signed().records().copied().collect()
}

/// What must be known when the first `count` flushes had returned.
fn expected(count: usize) -> Vec<Record> {
    let mut records: Vec<Record> = flushes().into_iter().take(count).flatten().collect();
    records.sort();
    records
}

/// Every record that would contradict what was released, by rules restated here.
fn contradictions(released: &[Record]) -> Vec<Record> {
    let other = block(0xee);
    released
        .iter()
        .flat_map(|record| {
            let (r, s) = (record.round, record.subround);
            match record.kind {
                zus_bpp::ticket_log::Kind::Proposal => vec![Record::proposal(r, s, other)],
                zus_bpp::ticket_log::Kind::Ticket => {
                    vec![Record::ticket(r, s, other), Record::finality_vote(r, s, other)]
                }
                zus_bpp::ticket_log::Kind::Timeout => vec![Record::ticket(r, s, other)],
                zus_bpp::ticket_log::Kind::FinalityVote => {
                    vec![Record::finality_vote(r, s, other), Record::ticket(r, Subround(99), other)]
                }
            }
        })
        .collect()
}

#[test]
fn a_cut_at_any_byte_recovers_everything_whose_flush_had_returned() {
    let (bytes, lengths) = written();
    let folder = scratch();
    for cut in lengths[0]..=bytes.len() as u64 {
        fs::write(log_file(folder.path()), &bytes[..cut as usize]).unwrap();
        let mut log = open(folder.path()).unwrap_or_else(|e| panic!("cut at {cut}: {e}"));
        let flushed = lengths.iter().filter(|&&length| length <= cut).count() - 1;
        let released = expected(flushed);
        assert_eq!(records(&log), released, "cut at {cut}");
        assert!(log.signed().floor() >= FLOOR);
        assert_eq!(log.bytes(), lengths[flushed], "the torn tail is gone");
        for contradiction in contradictions(&released) {
            let refused = log.append(contradiction);
            assert!(matches!(refused, Err(AppendError::Conflict(_))), "cut at {cut}: {contradiction:?}");
        }
        // The log goes on from there.
        let next = ticket(12, 0, 9);
        log.append(next).unwrap();
        log.flush().unwrap();
        drop(log);
        assert!(open(folder.path()).unwrap().signed().contains(&next), "cut at {cut}");
    }
}

#[test]
fn a_cut_into_what_the_file_began_with_is_damage() {
    let (bytes, lengths) = written();
    for cut in 0..lengths[0] {
        let folder = folder_with(&bytes[..cut as usize]);
        match open(folder.path()) {
            Err(LogError::Damaged { offset, .. }) => assert!(offset <= cut),
            other => panic!("cut at {cut}: {other:?}"),
        }
        assert_eq!(fs::read(log_file(folder.path())).unwrap().len() as u64, cut, "left as it is");
    }
}

#[test]
fn a_last_write_of_which_sectors_are_missing_is_dropped() {
    let (bytes, lengths) = written();
    // The flush of 27 records spans three sectors.
    let (start, end) = (lengths[5] as usize, lengths[6] as usize);
    assert!(start / 512 + 1 < end / 512, "{start}..{end}");
    let mut dropped = 0;
    for sector in start / 512..=(end - 1) / 512 {
        let missing = (sector * 512).max(start)..((sector + 1) * 512).min(end);
        let mut torn = bytes[..end].to_vec();
        torn[missing.clone()].fill(0);
        let log = open(folder_with(&torn).path());
        if missing.len() >= 8 {
            let log = log.unwrap_or_else(|e| panic!("sector {sector}: {e}"));
            assert_eq!(records(&log), expected(5), "sector {sector}");
            dropped += 1;
        } else {
            assert!(matches!(log, Err(LogError::Damaged { .. })), "sector {sector}");
        }
    }
    assert!(dropped >= 2);
    let mut nothing_written = bytes[..start].to_vec();
    nothing_written.resize(end, 0);
    assert_eq!(records(&open(folder_with(&nothing_written).path()).unwrap()), expected(5));
}

#[test]
fn any_flipped_bit_is_refused_with_file_offset_and_fix() {
    let (bytes, lengths) = written();
    let folder = scratch();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(log_file(folder.path()), &damaged).unwrap();
        let error = match open(folder.path()) {
            Err(error) => error,
            Ok(log) => panic!("bit {bit} was not noticed: {:?}", records(&log)),
        };
        match &error {
            LogError::Damaged { path, offset, .. } => {
                assert_eq!(path, &log_file(folder.path()));
                let frame = lengths.iter().rfind(|&&length| length <= bit as u64 / 8).copied();
                assert!(frame.is_none_or(|frame| frame == *offset), "bit {bit}: offset {offset}");
                assert!(error.to_string().contains("start from"), "{error}");
            }
            LogError::Version { .. } => assert!((64..80).contains(&bit)),
            other => panic!("bit {bit}: {other}"),
        }
        assert_eq!(fs::read(log_file(folder.path())).unwrap(), damaged, "left as it is");
    }
}

#[test]
fn lost_repeated_and_swapped_flushes_are_damage() {
    let (bytes, lengths) = written();
    let frame = |i: usize| &bytes[lengths[i] as usize..lengths[i + 1] as usize];
    let head = &bytes[..lengths[1] as usize];
    let arrangements: [&[usize]; 4] = [&[2, 3, 4, 5, 6], &[1, 1, 2, 3], &[2, 1, 3], &[1, 3]];
    for arrangement in arrangements {
        let file = arrangement.iter().fold(head.to_vec(), |file, &i| [&file[..], frame(i)].concat());
        let refused = open(folder_with(&file).path());
        assert!(matches!(refused, Err(LogError::Damaged { .. })), "{arrangement:?}: {refused:?}");
    }
    let straight = [1, 2].iter().fold(head.to_vec(), |file, &i| [&file[..], frame(i)].concat());
    assert_eq!(records(&open(folder_with(&straight).path()).unwrap()), expected(3), "negative control");
}

#[test]
fn garbage_after_the_last_flush_is_not_taken_for_a_torn_write() {
    let (bytes, _) = written();
    for garbage in [vec![0xff; 4], vec![0x5a; 60], vec![0; 5000], vec![1; 5000]] {
        let file = [&bytes[..], &garbage].concat();
        let refused = open(folder_with(&file).path());
        let offset = bytes.len() as u64;
        assert!(
            matches!(refused, Err(LogError::Damaged { offset: at, .. }) if at == offset),
            "{} bytes: {refused:?}",
            garbage.len()
        );
    }
}

#[test]
fn the_log_of_another_chain_epoch_or_key_is_refused() {
    let folder = scratch();
    drop(FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap());
    let others = [
        ("chain", Owner { chain: ChainId([2; 32]), ..OWNER }),
        ("epoch", Owner { epoch: Epoch(4), ..OWNER }),
        ("key", Owner { key: [8; 96], ..OWNER }),
    ];
    for (differs, owner) in others {
        match FileLog::open(folder.path(), owner, rules()) {
            Err(LogError::OtherOwner { field, .. }) => assert_eq!(field, differs),
            other => panic!("{differs}: {other:?}"),
        }
    }
    assert!(open(folder.path()).is_ok());
}

#[test]
fn a_missing_log_is_not_an_empty_one_and_an_existing_one_is_not_replaced() {
    let folder = scratch();
    assert!(matches!(open(folder.path()), Err(LogError::Missing { .. })));
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(open(&nowhere), Err(LogError::Missing { .. })));
    assert!(!nowhere.exists());
    drop(FileLog::create(&nowhere, OWNER, rules(), FLOOR).unwrap());
    let again = FileLog::create(&nowhere, OWNER, rules(), FLOOR);
    assert!(matches!(again, Err(LogError::Exists { .. })));
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = scratch();
    let first = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    assert!(matches!(open(folder.path()), Err(LogError::InUse { .. })));
    assert!(matches!(FileLog::create(folder.path(), OWNER, rules(), FLOOR), Err(LogError::InUse { .. })));
    drop(first);
    let second = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(LogError::InUse { .. })));
    drop(second);
}

#[test]
fn what_is_appended_again_is_not_written_again() {
    let folder = scratch();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let start = log.bytes();
    assert_eq!(log.append(ticket(10, 0, 1)).unwrap(), Position(1));
    assert_eq!(log.append(ticket(10, 0, 1)).unwrap(), Position(1));
    assert_eq!(log.append(ticket(10, 1, 1)).unwrap(), Position(2));
    assert_eq!(log.bytes(), start, "nothing is written before the flush");
    assert_eq!(log.flush().unwrap(), Position(2));
    assert_eq!(log.bytes(), start + FRAME_OVERHEAD + 2 * ENTRY_BYTES);
    assert_eq!(log.flush().unwrap(), Position(2));
    assert_eq!(log.bytes(), start + FRAME_OVERHEAD + 2 * ENTRY_BYTES, "an empty flush writes nothing");
    let refused = log.append(ticket(10, 0, 2));
    assert!(matches!(refused, Err(AppendError::Conflict(Conflict::Contradicts { .. }))));
}

#[test]
fn a_flush_of_many_records_is_several_frames() {
    let folder = scratch();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let count = 2 * MAX_RECORDS_PER_FLUSH as u32 + 1;
    let start = log.bytes();
    for subround in 0..count {
        log.append(ticket(10, subround, 1)).unwrap();
    }
    log.flush().unwrap();
    assert_eq!(log.bytes(), start + 3 * FRAME_OVERHEAD + u64::from(count) * ENTRY_BYTES);
    drop(log);
    assert_eq!(records(&open(folder.path()).unwrap()).len() as u32, count);
}

#[test]
fn the_file_stays_bounded_and_forgets_nothing_that_matters() {
    let folder = scratch();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let mut largest = 0;
    let (last, per_flush) = (60_000, 600);
    for round in 10..=last {
        log.append(ticket(round, 0, 1)).unwrap();
        if round % per_flush == 0 {
            log.flush().unwrap();
            largest = largest.max(log.bytes());
        }
    }
    assert!(largest <= COMPACT_ABOVE_BYTES + per_flush * 2 * ENTRY_BYTES, "{largest}");
    assert!((last - 10) * ENTRY_BYTES > 2 * COMPACT_ABOVE_BYTES, "it was compacted more than once");
    let known = log.signed().clone();
    drop(log);
    let mut log = open(folder.path()).unwrap();
    assert_eq!(log.signed(), &known);
    assert!(matches!(log.append(ticket(last - 1, 0, 2)), Err(AppendError::Conflict(_))));
    log.compact().unwrap();
    assert!(log.bytes() < 4096);
    drop(log);
    assert_eq!(open(folder.path()).unwrap().signed(), &known);
}

#[test]
fn a_crash_while_compacting_leaves_the_old_file_or_the_new_one() {
    let (bytes, _) = written();
    let folder = folder_with(&bytes);
    // The crash came before the new file was moved into its place: half of it lies there.
    fs::write(folder.path().join("tickets.log.new"), &bytes[..100]).unwrap();
    let mut log = open(folder.path()).unwrap();
    assert_eq!(records(&log), expected(7));
    log.compact().unwrap();
    drop(log);
    assert_eq!(records(&open(folder.path()).unwrap()), expected(7));
    assert!(!folder.path().join("tickets.log.new").exists());
}

#[test]
fn the_bytes_of_the_format_are_pinned() {
    use sha3::{Digest, Sha3_256};
    let (bytes, lengths) = written();
    assert_eq!(lengths[0], 162 + FRAME_OVERHEAD + ENTRY_BYTES);
    assert_eq!(&bytes[..10], b"ZUSTKLOG\0\x01");
    assert_eq!(hex::encode(Sha3_256::digest(&bytes)), PINNED_FILE);
}

/// SHA3-256 of the file that the flushes above make, as a program computed it that was written from the description of the
/// format. When this changes, logs on disks can no longer be read: raise the
/// version of the format.
const PINNED_FILE: &str = "bec9cdfaaf2a4674a4d64dd527b6694b8a36171fb0be08ed430da10f497ffc6d";

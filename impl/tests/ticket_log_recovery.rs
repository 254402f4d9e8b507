//! The log file after a crash at any byte, after damage, and in the wrong hands.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    AppendError, Conflict, FRAMES_PER_FILE, FileLog, Kind, LogContents, LogError, LogPosition, LogRecord,
    Owner, RECORDS_PER_FRAME, SECTOR_BYTES, SigningRules, TicketLog,
};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; 96] };
const FLOOR: Round = Round(10);

fn rules() -> SigningRules {
    SigningRules::from(&Rules::HARDENED)
}

fn block(tag: u8) -> [u8; 32] {
    [tag; 32]
}

fn ticket(round: u64, subround: u32, tag: u8) -> LogRecord {
    LogRecord::ticket(Round(round), Subround(subround), block(tag))
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("tickets.log")
}

fn open(folder: &Path) -> Result<FileLog, LogError> {
    FileLog::open(folder, OWNER, rules())
}

/// The records that a miner signs in three rounds, by flush: several records in one, and blocks that are all zeros.
fn flushes() -> Vec<Vec<LogRecord>> {
    let (r, s) = (Round, Subround);
    vec![
        vec![LogRecord::proposal(r(10), s(0), block(1)), LogRecord::timeout(r(10), s(0))],
        vec![LogRecord::proposal(r(10), s(1), block(4))],
        vec![ticket(10, 1, 2)],
        vec![LogRecord::finality_vote(r(10), s(1), block(2)), ticket(11, 0, 0)],
        vec![
            LogRecord::timeout(r(11), s(0)),
            LogRecord::timeout(r(11), s(1)),
            LogRecord::timeout(r(11), s(2)),
        ],
        (3..14).map(|subround| LogRecord::proposal(r(11), s(subround), block(3))).collect(),
        vec![ticket(11, 3, 3)],
    ]
}

/// Writes the flushes and returns the file's bytes after the creation and after every flush.
fn written() -> Vec<Vec<u8>> {
    let folder = scratch();
    let read = || fs::read(log_file(folder.path())).unwrap();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let mut files = vec![read()];
    for records in flushes() {
        for record in records {
            log.append(record).unwrap();
        }
        log.flush().unwrap();
        files.push(read());
    }
    files
}

/// A new folder, in memory where the system has such a place: these tests are about bytes and not about disks.
fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// A folder with a log file of exactly these bytes.
fn folder_with(bytes: &[u8]) -> TempDir {
    let folder = scratch();
    fs::write(log_file(folder.path()), bytes).unwrap();
    folder
}

fn records(log: &FileLog) -> Vec<LogRecord> {
    log.signed().records().copied().collect()
}

/// The records that must be known when the first `count` flushes had returned.
fn expected(count: usize) -> Vec<LogRecord> {
    let mut records: Vec<LogRecord> = flushes().into_iter().take(count).flatten().collect();
    records.sort();
    records
}

/// Every record that would contradict what was released, by rules restated here.
fn contradictions(released: &[LogRecord]) -> Vec<LogRecord> {
    let other = block(0xee);
    released
        .iter()
        .flat_map(|record| {
            let (r, s) = (record.round, record.subround);
            match record.kind {
                Kind::Proposal => vec![LogRecord::proposal(r, s, other)],
                Kind::Ticket => {
                    vec![LogRecord::ticket(r, s, other), LogRecord::finality_vote(r, s, other)]
                }
                Kind::Timeout => vec![LogRecord::ticket(r, s, other)],
                Kind::FinalityVote => {
                    vec![LogRecord::finality_vote(r, s, other), LogRecord::ticket(r, Subround(99), other)]
                }
            }
        })
        .collect()
}

#[test]
fn each_flush_writes_one_sector_of_a_file_that_does_not_grow() {
    let files = written();
    for (i, window) in files.windows(2).enumerate() {
        let [before, after] = window else { unreachable!("two") };
        assert_eq!(before.len(), SECTOR_BYTES * (1 + FRAMES_PER_FILE as usize));
        assert_eq!(before.len(), after.len());
        let changed = |sector: usize| {
            let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
            before[range.clone()] != after[range]
        };
        let sectors: Vec<usize> = (0..=FRAMES_PER_FILE as usize).filter(|&sector| changed(sector)).collect();
        assert_eq!(sectors, [1 + i], "flush {i}");
    }
}

#[test]
fn a_crash_in_any_write_recovers_everything_whose_flush_had_returned() {
    let files = written();
    for (flushed, window) in files.windows(2).enumerate() {
        let [before, after] = window else { unreachable!("two") };
        let frame = (1 + flushed) * SECTOR_BYTES;
        for written in [0, 1, 44, 300, SECTOR_BYTES - 9, SECTOR_BYTES - 3, SECTOR_BYTES - 1, SECTOR_BYTES] {
            let torn = [&after[..frame + written], &before[frame + written..]].concat();
            let folder = folder_with(&torn);
            let mut log = open(folder.path()).unwrap_or_else(|e| panic!("flush {flushed}, {written}: {e}"));
            let released = expected(flushed + usize::from(written == SECTOR_BYTES));
            assert_eq!(records(&log), released, "flush {flushed}, {written} bytes");
            assert!(log.signed().floor() >= FLOOR);
            for contradiction in contradictions(&released) {
                let refused = log.append(contradiction);
                assert!(matches!(refused, Err(AppendError::Conflict(_))), "{contradiction:?}");
            }
            // The log goes on from there.
            let next = ticket(12, 0, 9);
            log.append(next).unwrap();
            log.flush().unwrap();
            drop(log);
            assert!(open(folder.path()).unwrap().signed().contains(&next), "flush {flushed}, {written}");
        }
    }
}

/// Byte by byte, sector by sector and cut by cut: `src/ticket_log/format_tests.rs`.
#[test]
fn damage_is_refused_with_file_offset_and_fix_and_the_file_is_left_as_it_is() {
    let files = written();
    let bytes = files.last().unwrap();
    let zeroed = |sector: usize| {
        let mut damaged = bytes.clone();
        damaged[sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES].fill(0);
        damaged
    };
    let flipped = |byte: usize| {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 4;
        damaged
    };
    let damaged = [
        (0, flipped(70)),
        (512, zeroed(1)),
        (6 * 512, zeroed(6)),
        (7 * 512, flipped(7 * 512 + 20)),
        // Seven frames, and something behind a free sector.
        (8 * 512, flipped(9 * 512 + 20)),
        (3000, bytes[..3000].to_vec()),
        (bytes.len() as u64, [&bytes[..], &[0; 512]].concat()),
    ];
    for (at, damaged) in damaged {
        let folder = folder_with(&damaged);
        let error = open(folder.path()).map(|log| records(&log)).unwrap_err();
        match &error {
            LogError::Damaged { path, offset, .. } => {
                assert_eq!((path, *offset / 512), (&log_file(folder.path()), at / 512), "{error}");
            }
            other => panic!("at {at}: {other}"),
        }
        let told = error.to_string();
        assert!(told.contains("import an export") && told.contains("above every round"), "{told}");
        assert_eq!(fs::read(log_file(folder.path())).unwrap(), damaged, "left as it is");
    }
    assert_eq!(records(&open(folder_with(&zeroed(7)).path()).unwrap()), expected(6), "the last frame");
}

#[test]
fn a_file_of_the_version_before_is_refused_with_the_way_out() {
    let mut old = written().pop().unwrap();
    old[8..10].copy_from_slice(&1u16.to_be_bytes());
    let error = open(folder_with(&old).path()).map(drop).unwrap_err();
    assert!(matches!(error, LogError::Version { found: 1, supported: 2, .. }));
    assert!(error.to_string().contains("export it as JSON with the program that wrote it"), "{error}");
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
    // A thing of that name that is no file is neither read nor written.
    fs::create_dir(folder.path().join("tickets.log")).unwrap();
    assert!(matches!(open(folder.path()), Err(LogError::Io { .. })));
    // A folder of several levels is made, too.
    let deep = folder.path().join("a/b/c");
    drop(FileLog::create(&deep, OWNER, rules(), FLOOR).unwrap());
    assert!(open(&deep).is_ok());
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = scratch();
    let first = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    assert!(matches!(open(folder.path()), Err(LogError::InUse { .. })));
    assert!(matches!(FileLog::create(folder.path(), OWNER, rules(), FLOOR), Err(LogError::Exists { .. })));
    drop(first);
    let second = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(LogError::InUse { .. })));
    drop(second);
}

#[test]
fn what_is_appended_again_is_not_written_again() {
    let folder = scratch();
    let frames = || {
        let bytes = fs::read(log_file(folder.path())).unwrap();
        LogContents::read(Path::new("log"), &bytes, &OWNER).unwrap().good_bytes() / SECTOR_BYTES as u64 - 1
    };
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    assert_eq!(log.append(ticket(10, 0, 1)).unwrap(), LogPosition(1));
    assert_eq!(log.append(ticket(10, 0, 1)).unwrap(), LogPosition(1));
    assert_eq!(log.append(ticket(10, 1, 1)).unwrap(), LogPosition(2));
    assert_eq!(frames(), 0, "nothing is written before the flush");
    assert_eq!(log.flush().unwrap(), LogPosition(2));
    assert_eq!(frames(), 1);
    assert_eq!(log.flush().unwrap(), LogPosition(2));
    assert_eq!(frames(), 1, "an empty flush writes nothing");
    let refused = log.append(ticket(10, 0, 2));
    assert!(matches!(refused, Err(AppendError::Conflict(Conflict::Contradicts { .. }))));
    let count = 2 * RECORDS_PER_FRAME as u32 + 1;
    for subround in 10..10 + count {
        log.append(ticket(10, subround, 1)).unwrap();
    }
    log.flush().unwrap();
    assert_eq!(frames(), 1 + 3, "many records are several frames");
    drop(log);
    assert_eq!(records(&open(folder.path()).unwrap()).len() as u32, 2 + count);
}

#[test]
fn the_file_stays_bounded_and_forgets_nothing_that_matters() {
    let folder = scratch();
    let mut log = FileLog::create(folder.path(), OWNER, rules(), FLOOR).unwrap();
    let last = 10 + 3 * u64::from(FRAMES_PER_FILE);
    let mut largest = 0;
    for round in 10..=last {
        log.append(ticket(round, 0, 1)).unwrap();
        log.flush().unwrap();
        largest = largest.max(fs::metadata(log_file(folder.path())).unwrap().len());
    }
    assert!(largest <= (u64::from(FRAMES_PER_FILE) + 8) * SECTOR_BYTES as u64, "{largest}");
    let known = log.signed().clone();
    drop(log);
    let mut log = open(folder.path()).unwrap();
    assert_eq!(log.signed(), &known);
    assert!(matches!(log.append(ticket(last - 1, 0, 2)), Err(AppendError::Conflict(_))));
    log.compact().unwrap();
    drop(log);
    assert_eq!(open(folder.path()).unwrap().signed(), &known);
}

#[test]
fn a_crash_while_a_file_is_replaced_leaves_the_old_file_or_the_new_one() {
    let files = written();
    let bytes = files.last().unwrap();
    let folder = folder_with(bytes);
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
    let files = written();
    let bytes = files.last().unwrap();
    assert_eq!(&bytes[..10], b"ZUSTKLOG\0\x02");
    assert_eq!(hex::encode(Sha3_256::digest(bytes)), PINNED_FILE);
}

/// SHA3-256 of the file that the flushes above make, as a program computed it that was written from the description of the
/// format. When this changes, logs on disks can no longer be read: raise the version of the format.
const PINNED_FILE: &str = "b4d038fe2375f539ab160ae5a93a5096ef2ce3b3485278f762795504898055ae";

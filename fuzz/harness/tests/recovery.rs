//! Crashes at every write and files cut and damaged at every byte, exhaustively for some runs; and controls: readers of log
//! files that are wrong are noticed.

use std::path::Path;

use zus_bpp::committee::{Round, Subround};
use zus_bpp::ticket_log::{LogContents, LogError, LogRecord, Owner, SECTOR_BYTES};
use zus_fuzz::schedule::{Random, Schedule};
use zus_fuzz::targets::recovery::{LogFile, Reader, crash_at_every_write, judge};

fn file() -> LogFile {
    let mut file = LogFile::default();
    for round in 1..=12 {
        let block = [round as u8; 32];
        file.write(&[LogRecord::ticket(Round(round), Subround(0), block)]);
        file.write(&[
            LogRecord::timeout(Round(round), Subround(0)),
            LogRecord::proposal(Round(round), Subround(1), block),
        ]);
    }
    file
}

#[test]
fn every_cut_every_byte_every_sector_and_any_garbage_are_judged_rightly() {
    let file = file();
    file.cut_everywhere(LogContents::read).expect("the production reader");
    for byte in 0..file.used() {
        file.flip(LogContents::read, 8 * byte + byte % 8).expect("the production reader");
    }
    for sector in 0..file.used() / SECTOR_BYTES {
        for sectors in [1, 2, 8, 1000] {
            file.lose(LogContents::read, sector, sectors).expect("the production reader");
        }
    }
    let mut random = Random::new(3);
    for length in 1..100 {
        let garbage: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
        file.resize(LogContents::read, usize::MAX, &garbage).expect("the production reader");
        file.resize(LogContents::read, 97 * length, &[]).expect("the production reader");
    }
    file.forge(LogContents::read).expect("the production reader");
}

#[test]
fn a_crash_at_every_write_of_a_run_is_survived() {
    let mut crashes = 0;
    for seed in 0..8 {
        let schedule = Schedule::random(&mut Random::new(seed));
        crashes += crash_at_every_write(&schedule, LogContents::read).expect("production");
    }
    assert!(crashes >= 40, "only {crashes} writes");
}

/// Forgets the last whole write, as a reader would that takes every last frame for torn.
fn forgets(path: &Path, bytes: &[u8], owner: &Owner) -> Result<LogContents, LogError> {
    let last = LogContents::read(path, bytes, owner).map_or(0, |found| found.good_bytes() as usize);
    dropping_from(path, bytes, last.saturating_sub(SECTOR_BYTES), owner)
}

/// Believes what stands before damage, as a reader would that takes all damage for the end of the log.
fn believes(path: &Path, bytes: &[u8], owner: &Owner) -> Result<LogContents, LogError> {
    match LogContents::read(path, bytes, owner) {
        Err(LogError::Damaged { offset, .. }) if offset >= SECTOR_BYTES as u64 => {
            dropping_from(path, bytes, offset as usize, owner)
        }
        other => other,
    }
}

/// Reads a file as if no frame had been written from a sector on.
fn dropping_from(path: &Path, bytes: &[u8], from: usize, owner: &Owner) -> Result<LogContents, LogError> {
    let mut bytes = bytes.to_vec();
    for free in bytes[from.max(SECTOR_BYTES)..].chunks_mut(8) {
        free.copy_from_slice(&b"no entry"[..free.len()]);
    }
    LogContents::read(path, &bytes, owner)
}

#[test]
fn wrong_readers_are_noticed() {
    let file = file();
    assert!(file.cut_everywhere(forgets).is_err(), "it forgets");
    let bit = 8 * (file.used() - 3 * SECTOR_BYTES) + 5;
    assert!(file.flip(LogContents::read, bit).is_ok() && file.flip(believes, bit).is_err(), "it believes");
    let lost = file.used() / SECTOR_BYTES - 3;
    assert!(file.lose(LogContents::read, lost, 1).is_ok() && file.lose(believes, lost, 1).is_err());
    assert!(file.lose(believes, lost, 8).is_err() && file.forge(believes).is_err());
    let noticed = |reader: Reader| {
        let mut random = Random::new(1);
        (0..400).any(|_| judge(&Schedule::random(&mut random), reader).is_err())
    };
    assert!(!noticed(LogContents::read));
    assert!(noticed(forgets), "runs do not notice it");
    assert!(noticed(believes), "runs do not notice it");
}

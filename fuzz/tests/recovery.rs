//! Crashes at every write and files cut and damaged at every byte, exhaustively for some runs; and controls: readers of log
//! files that are wrong are noticed.

use std::path::Path;

use zus_bpp::committee::{Round, Subround};
use zus_bpp::ticket_log::{LogContents, LogError, Owner, Record};
use zus_fuzz::schedule::{Random, Schedule};
use zus_fuzz::targets::recovery::{LogFile, Reader, crash_at_every_write, judge};

const FRAME_BYTES: usize = 4 + 45 + 8;

fn file() -> LogFile {
    let mut file = LogFile::default();
    for round in 1..=12 {
        let block = [round as u8; 32];
        file.write(&[Record::ticket(Round(round), Subround(0), block)]);
        file.write(&[
            Record::timeout(Round(round), Subround(0)),
            Record::proposal(Round(round), Subround(1), block),
        ]);
    }
    file
}

#[test]
fn every_cut_every_bit_and_any_garbage_are_judged_rightly() {
    let file = file();
    file.cut_everywhere(LogContents::read).expect("the production reader");
    for bit in 0..8 * file.length() {
        file.flip(LogContents::read, bit).expect("the production reader");
    }
    let mut random = Random::new(3);
    for length in 1..400 {
        let garbage: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
        file.append(LogContents::read, &garbage).expect("the production reader");
    }
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
    LogContents::read(
        path,
        &bytes[..bytes.len().saturating_sub(FRAME_BYTES).max(bytes.len().min(220))],
        owner,
    )
}

/// Believes what stands before damage, as a reader without checksums would.
fn believes(path: &Path, bytes: &[u8], owner: &Owner) -> Result<LogContents, LogError> {
    match LogContents::read(path, bytes, owner) {
        Err(LogError::Damaged { offset, .. }) if offset > 220 => {
            LogContents::read(path, &bytes[..offset as usize], owner)
        }
        other => other,
    }
}

#[test]
fn wrong_readers_are_noticed() {
    let file = file();
    assert!(file.cut_everywhere(forgets).is_err(), "it forgets");
    let bit = 8 * (file.length() - FRAME_BYTES) + 5;
    assert!(file.flip(LogContents::read, bit).is_ok() && file.flip(believes, bit).is_err(), "it believes");
    let noticed = |reader: Reader| {
        let mut random = Random::new(1);
        (0..40).any(|_| judge(&Schedule::random(&mut random), reader).is_err())
    };
    assert!(!noticed(LogContents::read));
    assert!(noticed(forgets), "runs do not notice it");
    assert!(noticed(believes), "runs do not notice it");
}

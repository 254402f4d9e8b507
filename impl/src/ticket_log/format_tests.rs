use super::*;

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(3), key: [7; KEY_BYTES] };
const FRAMES: usize = 30;
const FREE_SECTORS: u32 = 33;

fn ticket(round: u64) -> LogRecord {
    LogRecord::ticket(Round(round), Subround(2), [round as u8; 32])
}

/// The flushed records, frame by frame: one record, several, or as many as fit.
fn flushes() -> Vec<Vec<LogRecord>> {
    let mut round = 1;
    (0..FRAMES)
        .map(|frame| {
            let records = [1, 1, 3, RECORDS_PER_FRAME as u64][frame % 4];
            let flush = (round..round + records)
                .map(|subround| LogRecord { subround: Subround(subround as u32), ..ticket(1) });
            round += records;
            flush.collect()
        })
        .collect()
}

/// A file with a base of two frames and thirty later ones, and the records up to each end of a frame.
fn file() -> (Vec<u8>, Vec<(usize, Vec<LogRecord>)>) {
    let mut signed = SignedRecords::from_floor(Round(1));
    (0..RECORDS_PER_FRAME as u32 + 2)
        .for_each(|i| signed.insert(LogRecord::timeout(Round(1), Subround(1000 + i))));
    let (mut bytes, mut tail) = encode(&OWNER, &signed, FREE_SECTORS);
    let mut records: Vec<LogRecord> = signed.records().copied().collect();
    let mut ends = vec![(tail.offset() as usize, records.clone())];
    for flush in flushes() {
        let at = tail.offset() as usize;
        let frame = tail.frame(&flush);
        bytes[at..at + SECTOR_BYTES].copy_from_slice(&frame);
        records.extend(flush);
        ends.push((tail.offset() as usize, records.clone()));
    }
    assert_eq!(ends[0].0, 3 * SECTOR_BYTES);
    (bytes, ends)
}

fn read(bytes: &[u8]) -> Result<Vec<LogRecord>, FormatError> {
    decode(bytes).map(|found| found.signed.records().copied().collect())
}

fn sorted(records: &[LogRecord]) -> Vec<LogRecord> {
    let mut records = records.to_vec();
    records.sort_unstable();
    records
}

/// Damage is refused where the damaged sector begins, or costs exactly the last frame. Returns whether it cost it.
fn refused_or_last(bytes: &[u8], damaged_at: usize, ends: &[(usize, Vec<LogRecord>)], what: &str) -> bool {
    let (all, but_last) = (&ends[FRAMES], &ends[FRAMES - 1]);
    match read(bytes) {
        Err(FormatError::Damaged { offset, .. }) => {
            assert!(offset <= damaged_at as u64, "{what}: offset {offset}");
            let sector = damaged_at - damaged_at % SECTOR_BYTES;
            assert!(offset == sector as u64 || offset == bytes.len() as u64, "{what}: offset {offset}");
            false
        }
        Err(FormatError::Version(_)) => {
            assert!((8..10).contains(&damaged_at), "{what}");
            false
        }
        Ok(found) => {
            assert!((but_last.0..all.0).contains(&damaged_at), "{what} is not noticed");
            assert_eq!(found, sorted(&but_last.1), "{what}");
            true
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let (bytes, ends) = file();
    assert_eq!(read(&bytes), Ok(sorted(&ends[FRAMES].1)));
    let mut records = Vec::new();
    for kind in Kind::ALL {
        let block = if kind == Kind::Timeout { [0; 32] } else { [9; 32] };
        records.push(LogRecord { round: Round(MAX_ROUND), kind, subround: Subround(u32::MAX), block });
    }
    for record in &records {
        assert_eq!(decode_record(&encode_record(record)), Ok(*record));
    }
    let mut signed = SignedRecords::complete(Round(MAX_ROUND), Round(MAX_ROUND - 7));
    records.into_iter().for_each(|record| signed.insert(record));
    let (bytes, tail) = encode(&OWNER, &signed, 3);
    assert_eq!(decode(&bytes), Ok(Contents { owner: OWNER, signed, tail }));
    assert_eq!((bytes.len(), tail.room()), (5 * SECTOR_BYTES, 3));
}

#[test]
fn a_crash_costs_the_frame_that_was_being_written_and_no_other() {
    let (bytes, ends) = file();
    for (frame, window) in ends.windows(2).enumerate() {
        let [(start, before), (end, after)] = window else { unreachable!("two") };
        let (start, end) = (*start, *end);
        let mut crashed = bytes.clone();
        crashed[end..].chunks_mut(SECTOR_BYTES).for_each(|sector| sector.copy_from_slice(&FREE));
        assert_eq!(read(&crashed), Ok(sorted(after)), "frame {frame}");
        crashed[start..end].fill(0);
        assert_eq!(read(&crashed), Ok(sorted(before)), "frame {frame} was never written");
        // Every byte of each kind of frame.
        for written in (0..SECTOR_BYTES).step_by(if frame < 4 { 1 } else { 63 }) {
            crashed[start..end].copy_from_slice(&FREE);
            crashed[start..start + written].copy_from_slice(&bytes[start..start + written]);
            assert_eq!(read(&crashed), Ok(sorted(before)), "{written} bytes of frame {frame}");
        }
    }
}

#[test]
fn any_sector_of_zeros_is_refused_unless_it_is_the_last_frame() {
    let (bytes, ends) = file();
    let used = ends[FRAMES].0;
    let mut lost = 0;
    for sector in 0..bytes.len() / SECTOR_BYTES {
        for lost_value in [[0; SECTOR_BYTES], [0xff; SECTOR_BYTES], FREE] {
            let mut damaged = bytes.clone();
            let at = sector * SECTOR_BYTES;
            damaged[at..at + SECTOR_BYTES].copy_from_slice(&lost_value);
            if at > used && lost_value == FREE || at == used && lost_value != [0xff; SECTOR_BYTES] {
                assert_eq!(read(&damaged), Ok(sorted(&ends[FRAMES].1)), "no frame is lost");
                continue;
            }
            if at > used {
                // The first free sector is what is looked at, and something stands behind it.
                let refused = Err(FormatError::Damaged {
                    offset: used as u64,
                    reason: "a free sector lies between frames",
                });
                assert_eq!(read(&damaged), refused);
                continue;
            }
            let cost = at < used && refused_or_last(&damaged, at, &ends, &format!("sector {sector}"));
            lost += usize::from(cost);
        }
    }
    assert_eq!(lost, 2, "the last frame: zeros, and what was there before");
}

/// Several sectors at once: a page, or everything from somewhere on. The old format lost up to 22 flushes so.
#[test]
fn more_than_one_sector_of_zeros_is_always_refused() {
    let (bytes, ends) = file();
    let last = ends[FRAMES - 1].0;
    for start in (0..last).step_by(SECTOR_BYTES) {
        for sectors in [2, 3, 8, usize::MAX / SECTOR_BYTES] {
            let end = (start.saturating_add(sectors * SECTOR_BYTES)).min(bytes.len());
            let mut damaged = bytes.clone();
            damaged[start..end].fill(0);
            let refused =
                matches!(read(&damaged), Err(FormatError::Damaged { offset, .. }) if offset == start as u64);
            assert!(refused, "{sectors} sectors from {start}");
        }
    }
}

/// The limit of what a file can tell, as the module documentation states it: frames at the end whose sectors are free again were
/// never written, for all that the file says. A single sector that does not revert, or a sector of the base, gives the loss away.
#[test]
fn frames_at_the_end_that_revert_to_free_sectors_cannot_be_told() {
    let (bytes, ends) = file();
    let used = ends[FRAMES].0;
    let free =
        |bytes: &mut [u8]| bytes.chunks_mut(SECTOR_BYTES).for_each(|sector| sector.copy_from_slice(&FREE));
    for lost in 1..=FRAMES {
        let (start, left) = &ends[FRAMES - lost];
        let mut damaged = bytes.clone();
        free(&mut damaged[*start..used]);
        assert_eq!(read(&damaged), Ok(sorted(left)), "{lost} frames are gone");
        for kept in (start + SECTOR_BYTES..used).step_by(SECTOR_BYTES) {
            let mut damaged = damaged.clone();
            damaged[kept..kept + SECTOR_BYTES].copy_from_slice(&bytes[kept..kept + SECTOR_BYTES]);
            let refused =
                matches!(read(&damaged), Err(FormatError::Damaged { offset, .. }) if offset == *start as u64);
            assert!(refused, "{lost} frames but the one at {kept}");
        }
        // Zeros are what a crash leaves in one sector, not in two.
        if lost > 1 {
            damaged[*start..used].fill(0);
            assert!(matches!(read(&damaged), Err(FormatError::Damaged { .. })), "{lost} sectors of zeros");
        }
    }
    let mut damaged = bytes;
    let in_base = ends[0].0 - SECTOR_BYTES;
    free(&mut damaged[in_base..used]);
    let refused =
        matches!(read(&damaged), Err(FormatError::Damaged { offset, .. }) if offset == in_base as u64);
    assert!(refused, "what was there when the file was made is never lost so");
}

#[test]
fn any_changed_byte_is_refused_where_its_sector_begins() {
    let (bytes, ends) = file();
    let mut lost = 0;
    for byte in 0..ends[FRAMES].0 {
        let mut damaged = bytes.clone();
        damaged[byte] ^= [1, 0x80, 0xff][byte % 3];
        lost += usize::from(refused_or_last(&damaged, byte, &ends, &format!("byte {byte}")));
    }
    assert_eq!(lost, 0);
    for byte in ends[FRAMES].0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 1;
        // In the next free sector it may be the beginning of a frame that was being written.
        let found = read(&damaged);
        let may_be_torn = byte < ends[FRAMES].0 + SECTOR_BYTES && found == Ok(sorted(&ends[FRAMES].1));
        assert!(may_be_torn || matches!(found, Err(FormatError::Damaged { .. })), "free byte {byte}");
    }
}

#[test]
fn a_file_cut_or_grown_anywhere_is_refused() {
    let (bytes, ends) = file();
    for cut in 0..bytes.len() {
        let refused = read(&bytes[..cut]);
        assert!(
            matches!(refused, Err(FormatError::Damaged { offset, .. }) if offset == cut as u64),
            "cut at {cut}"
        );
    }
    for more in [1, SECTOR_BYTES] {
        let grown = [&bytes[..], &vec![0; more]].concat();
        let end = bytes.len() as u64;
        assert!(matches!(read(&grown), Err(FormatError::Damaged { offset, .. }) if offset == end));
    }
    assert_eq!(read(&bytes), Ok(sorted(&ends[FRAMES].1)), "negative control");
}

#[test]
fn lost_repeated_and_swapped_frames_are_refused() {
    let (bytes, ends) = file();
    let frame = |i: usize| bytes[ends[i].0..ends[i + 1].0].to_vec();
    for (to, from) in [(4, 5), (5, 4), (5, 6), (FRAMES - 1, FRAMES - 2)] {
        let mut damaged = bytes.clone();
        damaged[ends[to].0..ends[to + 1].0].copy_from_slice(&frame(from));
        let refused =
            matches!(read(&damaged), Err(FormatError::Damaged { offset, .. }) if offset == ends[to].0 as u64);
        assert!(refused, "frame {from} in place of {to}");
    }
}

/// A change of a sector, and the reason for which it is refused.
type Foreign = (&'static str, fn(&mut Sector));

/// A checksum that is right does not make a frame one of this program.
#[test]
fn a_frame_with_the_right_checksum_that_is_not_understood_is_refused_with_its_place() {
    let foreign: [Foreign; 6] = [
        ("a frame holds an unknown kind of record", |sector| sector[COUNT_BYTES] = 9),
        ("a frame holds an unknown kind of record", |sector| sector[COUNT_BYTES] = 0),
        ("the number of records of a frame is impossible", |sector| sector[1] = 0),
        ("the number of records of a frame is impossible", |sector| sector[1] = 12),
        ("a frame holds more than its records", |sector| sector[CHECKSUM_AT - 1] = 1),
        ("a record is of a round that no chain reaches", |sector| sector[COUNT_BYTES + 1] = 0xff),
    ];
    let with = |change: fn(&mut Sector)| {
        let (mut bytes, mut tail) = encode(&OWNER, &SignedRecords::from_floor(Round(1)), 4);
        let at = tail.offset() as usize;
        let before = tail.checksum;
        let mut sector = tail.frame(&[ticket(5)]);
        change(&mut sector);
        let sum = checksum(before, &sector);
        sector[CHECKSUM_AT..].copy_from_slice(&sum);
        bytes[at..at + SECTOR_BYTES].copy_from_slice(&sector);
        read(&bytes)
    };
    for (reason, change) in foreign {
        assert_eq!(with(change), Err(FormatError::Damaged { offset: SECTOR_BYTES as u64, reason }));
    }
    assert_eq!(with(|_| ()), Ok(vec![ticket(5)]), "negative control");
    let timeout =
        Err(FormatError::Damaged { offset: SECTOR_BYTES as u64, reason: "a timeout names a block" });
    assert_eq!(with(|sector| sector[COUNT_BYTES] = 3), timeout);
}

#[test]
fn the_header_of_another_version_or_with_impossible_numbers_is_refused() {
    let (bytes, _) = encode(&OWNER, &SignedRecords::from_floor(Round(9)), 2);
    let with = |range: std::ops::Range<usize>, value: &[u8]| {
        let mut changed = bytes.clone();
        changed[range].copy_from_slice(value);
        let header: Sector = *changed.first_chunk().expect("a header");
        changed[CHECKSUM_AT..SECTOR_BYTES].copy_from_slice(&checksum([0; CHECKSUM_BYTES], &header));
        read(&changed)
    };
    let impossible = Err(FormatError::Damaged { offset: 0, reason: "the header says what no log says" });
    assert_eq!(with(8..10, &1u16.to_be_bytes()), Err(FormatError::Version(1)), "the version before");
    assert_eq!(with(146..154, &u64::MAX.to_be_bytes()), impossible, "a floor that bars everything");
    assert_eq!(with(154..162, &10u64.to_be_bytes()), impossible, "complete from above the floor");
    assert_eq!(with(162..166, &3u32.to_be_bytes()), impossible, "a base of more sectors than there are");
    let sectors = |n: u32| with(166..170, &n.to_be_bytes());
    assert!(
        matches!(sectors(u32::MAX), Err(FormatError::Damaged { .. }))
            && matches!(sectors(2), Err(FormatError::Damaged { .. }))
    );
    assert_eq!(with(170..171, &[1]), impossible, "more than a header");
    assert_eq!(with(146..154, &9u64.to_be_bytes()), Ok(vec![]), "negative control");
}

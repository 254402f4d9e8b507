//! Every operation of a log fails once, in every way, and after each the process ends or the power is cut: nothing that left is
//! ever lost, and nothing that contradicts it is ever taken.

use super::*;
use crate::committee::{ChainId, Epoch, Subround};
use crate::rules::Rules;
use crate::ticket_log::{DiskFault, FaultyFiles, KEY_BYTES, Kind, Operation, Sectors, Survival};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(1), key: [2; KEY_BYTES] };
const RULES: SigningRules = SigningRules { one_ticket_per_subround: true, timeout_ends_tickets: true };
const FOLDER: &str = "log";

/// A new file has room for two frames, so that it is soon full.
fn folder(files: &FaultyFiles) -> Folder<FaultyFiles> {
    Folder { files: files.clone(), path: FOLDER.into(), frames: 2 }
}

/// A miner whose process ends and starts again.
#[derive(Clone, Debug)]
struct Life {
    files: FaultyFiles,
    /// Records whose messages may have left: all that a flush or an open has returned.
    sent: Vec<LogRecord>,
    /// Whether a `create` has returned.
    created: bool,
}

impl Life {
    fn new() -> Self {
        Self { files: FaultyFiles::default(), sent: Vec::new(), created: false }
    }

    fn fork(&self) -> Self {
        Self { files: self.files.fork(), ..self.clone() }
    }

    /// One process, which signs what its log permits of what it wants: tickets of a block of its own.
    fn process(&mut self, block: u8, flushes: u64) -> Result<(), String> {
        let opened = folder(&self.files).open(OWNER, RULES);
        let opened = match opened {
            Err(LogError::Missing { .. }) if self.created => return Err("the log is gone".into()),
            Err(LogError::Missing { .. }) => folder(&self.files).create(OWNER, RULES, Round(1)),
            other => other,
        };
        let mut log = match opened {
            Ok(log) => log,
            Err(LogError::Io { .. }) => return Ok(()),
            Err(other) => return Err(format!("a crash is taken for something else: {other}")),
        };
        self.created = true;
        // It says again what it finds.
        self.sent.extend(log.signed().records());
        self.judge(&log)?;
        for round in 1..=flushes {
            let mut taken = Vec::new();
            for subround in 0..2 {
                let record = LogRecord::ticket(Round(round), Subround(subround), [block; 32]);
                match log.append(record) {
                    Ok(_) => taken.push(record),
                    Err(AppendError::Conflict(_)) => {}
                    Err(AppendError::Log(error)) => return Err(format!("refused before any fault: {error}")),
                }
            }
            if log.flush().is_err() {
                // The host stops. One that does not is refused, whatever it asks for.
                let last = LogRecord::timeout(Round(9), Subround(0));
                let refused = matches!(log.append(last), Err(AppendError::Log(LogError::Failed { .. })));
                let refused = refused && matches!(log.flush(), Err(LogError::Failed { .. }));
                if !refused || log.compact().is_ok() || log.export().is_ok() {
                    return Err("a log goes on after a write that failed".into());
                }
                return Ok(());
            }
            self.sent.extend(taken);
            self.judge(&log)?;
        }
        Ok(())
    }

    /// The log knows all records that were sent, and these do not contradict each other.
    fn judge(&self, log: &FileLog<FaultyFiles>) -> Result<(), String> {
        if let Some(lost) = self.sent.iter().find(|record| !log.signed().contains(record)) {
            return Err(format!("{lost:?} was sent and is not known"));
        }
        let twice = |a: &&LogRecord| {
            self.sent.iter().any(|b| (a.round, a.subround) == (b.round, b.subround) && a.block != b.block)
        };
        let contradiction = self.sent.iter().filter(|record| record.kind == Kind::Ticket).find(twice);
        contradiction.map_or(Ok(()), |record| Err(format!("{record:?} contradicts what was sent")))
    }

    fn survivals(&self, few: bool) -> Vec<Survival> {
        let sectors = if few { &Sectors::ALL[..2] } else { &Sectors::ALL[..] };
        let cuts = sectors.iter().flat_map(|&sectors| {
            (0..=self.files.unsynced_changes()).map(move |changes| Survival::PowerCut(sectors, changes))
        });
        std::iter::once(Survival::Process).chain(cuts).collect()
    }

    /// Two more processes, of which the first loses its power at the end: what it believed was durable.
    fn ends_well(&mut self) -> Result<(), String> {
        self.process(3, 2)?;
        self.files.restart(Survival::PowerCut(Sectors::None, 0));
        self.process(4, 5)
    }
}

/// The faults of an operation that leave a disk differently.
fn faults(operation: Operation) -> &'static [DiskFault] {
    match operation {
        Operation::Look => &[],
        Operation::Change => &[DiskFault::Stop],
        Operation::Write => &[DiskFault::Stop, DiskFault::Torn(1), DiskFault::Torn(508)],
        Operation::Sync => &[DiskFault::Stop, DiskFault::Fail],
    }
}

/// All runs: a first process with one fault, what is left of it, a second process with one fault, what is left of that, and
/// two more. Returns how many ended well, or the first that did not.
fn every_run() -> Result<usize, String> {
    let mut undisturbed = Life::new();
    undisturbed.process(1, 5)?;
    let mut runs = 0;
    for (first, &operation) in undisturbed.files.operations().iter().enumerate() {
        // After a failed or short operation nothing is lost, and the log refuses to go on.
        for fault in [DiskFault::Fail, DiskFault::Short(1), DiskFault::Short(400)] {
            let mut life = Life::new();
            life.files.fail_at(first, fault);
            let at = |wrong: String| format!("{fault:?} at {first}: {wrong}");
            life.process(1, 5).map_err(at)?;
            life.files.restart(Survival::Process);
            life.ends_well().map_err(at)?;
        }
        for &fault in faults(operation) {
            let mut life = Life::new();
            life.files.fail_at(first, fault);
            let at = |wrong: String| format!("{fault:?} at {first}: {wrong}");
            life.process(1, 5).map_err(at)?;
            for survival in life.survivals(false) {
                let left = life.fork();
                left.files.restart(survival);
                let at = |wrong: String| format!("{fault:?} at {first}, {survival:?}: {wrong}");
                runs += every_second_process(&left).map_err(at)?;
            }
        }
    }
    Ok(runs)
}

fn every_second_process(left: &Life) -> Result<usize, String> {
    let before = left.files.operations().len();
    let mut whole = left.fork();
    whole.process(2, 1)?;
    let mut runs = 0;
    for (second, &operation) in whole.files.operations().iter().enumerate().skip(before) {
        for fault in faults(operation) {
            let mut life = left.fork();
            life.files.fail_at(second, *fault);
            life.process(2, 1).map_err(|wrong| format!("{fault:?} at {second}: {wrong}"))?;
            for last in life.survivals(true) {
                let mut life = life.fork();
                life.files.restart(last);
                life.ends_well().map_err(|wrong| format!("{fault:?} at {second}, {last:?}: {wrong}"))?;
                runs += 1;
            }
        }
    }
    Ok(runs)
}

#[test]
fn nothing_that_left_is_lost_or_contradicted_wherever_a_crash_falls() {
    let runs = every_run().expect("the production log");
    assert!(runs > 5_000, "{runs}");
}

/// The fault that was seen: the sync of a flush fails, or the process is killed in it; the next process reads the record
/// from memory, says it again, and a power cut takes it away.
#[test]
fn what_an_open_returns_survives_a_power_cut() {
    let lost = |fault: DiskFault| {
        let files = FaultyFiles::default();
        let mut log = created(&files);
        log.append(ticket(1)).expect("the first");
        let sync = files.operations().len() + 1;
        files.fail_at(sync, fault);
        assert!(log.flush().is_err());
        assert_eq!(files.operations()[sync], Operation::Sync);
        drop(log);
        files.restart(Survival::Process);
        let log = folder(&files).open(OWNER, RULES).expect("a crash");
        assert!(log.signed().contains(&ticket(1)), "it can be read, and is said again");
        drop(log);
        files.restart(Survival::PowerCut(Sectors::None, 0));
        let log = folder(&files).open(OWNER, RULES).expect("a crash");
        !log.signed().contains(&ticket(1))
    };
    for fault in [DiskFault::Stop, DiskFault::Fail] {
        assert!(!lost(fault), "{fault:?}");
    }
}

fn created(files: &FaultyFiles) -> FileLog<FaultyFiles> {
    folder(files).create(OWNER, RULES, Round(1)).expect("an empty folder")
}

fn ticket(round: u64) -> LogRecord {
    LogRecord::ticket(Round(round), Subround(0), [1; 32])
}

/// Other processes open the log, while one of them is between opening the file and locking it.
#[test]
fn a_lock_on_a_file_that_was_replaced_meanwhile_is_not_taken_for_that_of_the_log() {
    let opened_late = {
        let files = FaultyFiles::default();
        let mut log = created(&files);
        log.append(ticket(1)).expect("the first");
        log.flush().expect("no fault");
        drop(log);
        // A copy of the log that somebody else is about to move into the place.
        let (path, other) = (folder(&files).log(), Path::new(FOLDER).join("other"));
        let copy = files.open(&other, true).expect("a file");
        let bytes = files.bytes(&path).expect("the log");
        files.write_at(&copy, &bytes, 0).expect("no fault");
        assert!(files.try_lock(&copy).expect("no fault"));
        files.rename_before_lock(&other, &path);
        folder(&files).open(OWNER, RULES).map(drop)
    };
    assert!(matches!(opened_late, Err(LogError::InUse { .. })));
}

#[test]
fn a_file_that_is_removed_or_replaced_stops_the_process_that_writes_to_it() {
    let path = Path::new(FOLDER).join(LOG_FILE);
    for to in [None, Some(Path::new(FOLDER).join("backup"))] {
        let (flushed, mut log) = {
            let files = FaultyFiles::default();
            let mut log = created(&files);
            files.take_away(&path, to.as_deref());
            // Another process begins anew, and nothing stops it.
            let other = folder(&files).create(OWNER, RULES, Round(1)).expect("there is no log");
            log.append(ticket(1)).expect("not flushed");
            let flushed = log.flush();
            drop(other);
            (flushed, log)
        };
        assert!(matches!(flushed, Err(LogError::Replaced { .. })), "{flushed:?}");
        assert!(matches!(log.flush(), Err(LogError::Failed { .. })), "for good");
        assert!(matches!(log.compact(), Err(LogError::Failed { .. })), "the other log is not overwritten");
    }
    let files = FaultyFiles::default();
    let mut log = created(&files);
    files.take_away(&path, None);
    assert!(matches!(log.compact(), Err(LogError::Replaced { .. })));
    assert!(files.bytes(&path).is_none(), "nothing is put into the place of what is gone");
}

#[test]
fn what_is_too_much_for_a_file_is_refused_and_a_file_too_large_is_not_read() {
    let files = FaultyFiles::default();
    let mut log = created(&files);
    let too_many = MAX_LOG_BYTES as usize / SECTOR_BYTES * RECORDS_PER_FRAME;
    for subround in 0..too_many as u32 {
        log.signed.insert(LogRecord::timeout(Round(1), Subround(subround)));
    }
    assert!(matches!(log.compact(), Err(LogError::Full { .. })));
    drop(log);
    let path = folder(&files).log();
    files.damage(&path, &vec![0; MAX_LOG_BYTES as usize + 1]);
    let refused = folder(&files).open(OWNER, RULES).map(drop);
    assert!(matches!(refused, Err(LogError::Damaged { offset: MAX_LOG_BYTES, .. })), "{refused:?}");
}

/// A flush of more records than a frame holds: one frame is on its way at a time, so a power cut between any two operations tears at
/// most that one, and the log opens with all frames before it.
#[test]
fn of_a_flush_of_several_frames_one_is_on_its_way_at_a_time() {
    let records: Vec<LogRecord> = (0..3 * RECORDS_PER_FRAME as u32 - 5)
        .map(|subround| LogRecord::timeout(Round(2), Subround(subround)))
        .collect();
    let files = FaultyFiles::default();
    let with_room = Folder { files: files.clone(), path: FOLDER.into(), frames: 8 };
    let mut log = with_room.create(OWNER, RULES, Round(1)).unwrap();
    let before = files.operations().len();
    for record in &records {
        log.append(*record).unwrap();
    }
    log.flush().unwrap();
    let written: Vec<Operation> = files.operations()[before..]
        .iter()
        .copied()
        .filter(|operation| matches!(operation, Operation::Write | Operation::Sync))
        .collect();
    assert_eq!(written, [Operation::Write, Operation::Sync].repeat(3));
}

/// Every import can be followed by signatures and a restart, however large it is.
#[test]
fn an_import_leaves_room_for_the_signatures_of_this_machine() {
    let files = FaultyFiles::default();
    let mut log = created(&files);
    let most = (MAX_LOG_BYTES as usize / 2 / SECTOR_BYTES - 1) * RECORDS_PER_FRAME;
    let document = |records: usize| {
        let mut signed = SignedRecords::from_floor(Round(0));
        (0..records as u32)
            .for_each(|subround| signed.insert(LogRecord::timeout(Round(1), Subround(subround))));
        Interchange::new(&OWNER, &signed)
    };
    let before = log.signed().clone();
    let refused = log.import(&document(most + 1));
    assert!(matches!(refused, Err(InterchangeError::TooMany { records }) if records > most), "{refused:?}");
    assert_eq!(log.signed(), &before, "nothing is imported");
    // It still signs, and takes the largest one that fits.
    log.append(LogRecord::timeout(Round(2), Subround(0))).unwrap();
    log.flush().unwrap();
    log.import(&document(most - before.records().count() - 1)).unwrap();
    for subround in 1..100 {
        log.append(LogRecord::timeout(Round(2), Subround(subround))).unwrap();
        log.flush().unwrap();
    }
    let signed = log.signed().clone();
    drop(log);
    assert_eq!(folder(&files).open(OWNER, RULES).unwrap().signed(), &signed);
}

/// A process that was forked while the log was open has its lock as well. It signs nothing, and does not unlock what is its parent's.
#[test]
fn a_forked_process_signs_nothing_and_leaves_the_lock_to_its_parent() {
    let files = FaultyFiles::default();
    let (mut parent, mut child) = (created(&files), None);
    files.become_process(2);
    let forked = |error: &LogError| matches!(error, LogError::Forked { opened_by: 0, .. });
    let record = LogRecord::timeout(Round(2), Subround(0));
    assert!(matches!(parent.append(record), Err(AppendError::Log(error)) if forked(&error)));
    assert!(matches!(parent.flush(), Err(error) if forked(&error)));
    assert!(matches!(parent.compact(), Err(error) if forked(&error)));
    assert!(matches!(parent.export(), Err(error) if forked(&error)));
    // The child drops its copy.
    drop(std::mem::replace(&mut parent, {
        child.replace(folder(&files).open(OWNER, RULES).map(drop));
        assert!(matches!(child, Some(Err(LogError::InUse { .. }))), "{child:?}");
        created(&FaultyFiles::default())
    }));
    let refused = folder(&files).open(OWNER, RULES).map(drop);
    assert!(matches!(refused, Err(LogError::InUse { .. })), "the parent still has it: {refused:?}");
}

#[test]
fn a_log_for_a_round_that_no_chain_reaches_is_not_created() {
    for floor in [MAX_ROUND + 1, u64::MAX] {
        let refused =
            FileLog::create_in(FaultyFiles::default(), Path::new(FOLDER), OWNER, RULES, Round(floor));
        assert!(matches!(refused, Err(LogError::Floor { limit: MAX_ROUND, .. })));
    }
    let rules = SigningRules::from(&Rules::HARDENED);
    assert_eq!(rules, RULES);
    let files = FaultyFiles::default();
    let made = FileLog::create_in(files.clone(), Path::new(FOLDER), OWNER, rules, Round(MAX_ROUND));
    let mut log = made.expect("negative control");
    // A log with the highest possible floor may sign in that round, and in none above it.
    let vote =
        |round| LogRecord { kind: Kind::FinalityVote, ..LogRecord::timeout(Round(round), Subround(0)) };
    let refused = log.append(vote(MAX_ROUND + 1)).unwrap_err().to_string();
    assert!(
        refused.ends_with("is of a round above 4611686018427387904, which no chain reaches"),
        "{refused}"
    );
    log.append(vote(MAX_ROUND)).expect("the last round");
    log.flush().expect("no fault");
    drop(log);
    let log = FileLog::open_in(files, Path::new(FOLDER), OWNER, rules).expect("what was written is read");
    assert_eq!(log.signed().floor(), Round(MAX_ROUND + 1));
}

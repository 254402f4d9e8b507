//! Target about the ticket log: a file and a log in memory against a plain list (S1).
//!
//! Appends, flushes, crashes, compactions, damage and moves to another folder in any order, in a file system that
//! fails, loses unsynced data in a power cut, and lets others rename the file of a log. The rules of a log are restated
//! here by hand; after each crash it must hold what was flushed before and nothing that was not appended, and after a
//! power cut what it held when it was opened; a frame that a crash did not leave whole is never read, and neither is
//! anything of another owner.

use std::path::PathBuf;

use sha3::{Digest, Sha3_256};
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::limits::MAX_IMPORTED_RISE;
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    AppendError, DiskFault, FaultyFiles, FileLog, Files, Interchange, InterchangeError, KEY_BYTES, Kind,
    LogContents, LogError, LogPosition, LogRecord, MemoryLog, Owner, RECORDS_PER_FRAME, SECTOR_BYTES,
    Sectors, SigningRules, Survival, TicketLog,
};

/// Rounds below the floor of which a log keeps what was signed: the rule, written down again.
const SIGNED_ROUNDS_KEPT: u64 = 32;

/// Operations of one run.
const STEPS: usize = 24;
const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(1), key: [2; KEY_BYTES] };
/// Others, each in one respect.
const STRANGERS: [Owner; 3] = [
    Owner { chain: ChainId([3; 32]), ..OWNER },
    Owner { epoch: Epoch(3), ..OWNER },
    Owner { key: [3; KEY_BYTES], ..OWNER },
];

/// Bytes of a checksum, at the end of a sector.
const CHECKSUM_BYTES: usize = 8;
/// The log knows nothing about the round below.
const FLOOR: u64 = 2;
const RULES: SigningRules = SigningRules { one_ticket_per_subround: true, timeout_ends_tickets: true };

/// The recorded statements, in order, and how many of them are durable.
#[derive(Default)]
struct Plain {
    records: Vec<LogRecord>,
    durable: usize,
    /// How many were taken since the log was opened.
    taken: u64,
}

impl Plain {
    /// Every round below is left: a vote was cast in the round before, or something was signed in this one.
    fn floor(&self) -> Round {
        let left = |record: &LogRecord| match record.kind {
            Kind::FinalityVote => record.round.0 + 1,
            _ => record.round.0,
        };
        Round(self.records.iter().map(left).max().unwrap_or(0).max(FLOOR))
    }

    /// The lowest round of which everything is known.
    fn kept_from(&self) -> Round {
        Round(self.floor().0.saturating_sub(SIGNED_ROUNDS_KEPT).max(FLOOR))
    }

    /// Steps 2, 5, 8 and 9 of PROTOCOL.md, as what contradicts what.
    fn permits(&self, new: &LogRecord) -> bool {
        if new.round < self.kept_from() {
            return false;
        }
        if self.records.contains(new) {
            return true;
        }
        if new.kind != Kind::FinalityVote && new.round < self.floor() {
            return false;
        }
        self.records.iter().filter(|old| old.round == new.round).all(|old| match (old.kind, new.kind) {
            (Kind::Proposal, Kind::Proposal) | (Kind::Ticket, Kind::Ticket) => old.subround != new.subround,
            (Kind::Timeout, Kind::Ticket) => old.subround < new.subround,
            (Kind::Ticket, Kind::FinalityVote) => old.block == new.block,
            (Kind::FinalityVote, Kind::FinalityVote) => false,
            _ => true,
        })
    }

    fn sorted(&self) -> Vec<LogRecord> {
        let kept = self.records.iter().filter(|record| record.round >= self.kept_from());
        let mut sorted: Vec<LogRecord> = kept.copied().collect();
        sorted.sort_unstable();
        sorted
    }
}

fn record(what: u8, place: u8) -> LogRecord {
    // Often near each other, and sometimes so far apart that the lower one is forgotten, or just is not.
    let far = [0, 0, SIGNED_ROUNDS_KEPT - 1, SIGNED_ROUNDS_KEPT][usize::from(place >> 4 & 3)];
    let (round, subround) = (Round(1 + u64::from(place & 3) + far), Subround(u32::from(place >> 2 & 1)));
    let block = [1 + (place >> 3 & 1); 32];
    match what & 3 {
        0 => LogRecord::proposal(round, subround, block),
        1 => LogRecord::ticket(round, subround, block),
        2 => LogRecord::timeout(round, subround),
        _ => LogRecord::finality_vote(round, subround, block),
    }
}

fn holds(log: &impl TicketLog, plain: &Plain, name: &str) {
    let held: Vec<LogRecord> = log.signed().records().copied().collect();
    assert_eq!(held, plain.sorted(), "what {name} holds");
    assert_eq!(log.signed().floor(), plain.floor(), "the floor of {name}");
    assert_eq!(log.signed().complete_from(), plain.kept_from(), "from where {name} is complete");
}

type File = FileLog<FaultyFiles>;

/// The logs that are compared.
struct Logs {
    files: FaultyFiles,
    folder: PathBuf,
    file: File,
    memory: MemoryLog,
    plain: Plain,
    /// Records of the last frame that was written since the file was made: what damage may cost.
    last: usize,
}

impl Logs {
    fn path(&self) -> PathBuf {
        self.folder.join("tickets.log")
    }

    fn open(&self) -> Result<File, LogError> {
        FileLog::open_in(self.files.clone(), &self.folder, OWNER, RULES)
    }

    fn append(&mut self, new: LogRecord) {
        let permitted = self.plain.permits(&new);
        let again = self.plain.records.contains(&new);
        if permitted && !again {
            self.plain.records.push(new);
            self.plain.taken += 1;
        }
        let taken = permitted.then_some(LogPosition(self.plain.taken));
        for (found, name) in
            [(self.file.append(new).ok(), "the file"), (self.memory.append(new).ok(), "the memory")]
        {
            assert_eq!(found, taken, "{name} and {new:?} after {:?}", self.plain.records);
        }
    }

    fn flush(&mut self) {
        let lost = self.plain.records.len() - self.plain.durable;
        assert_eq!(self.memory.crash_points(), lost, "what the memory would lose");
        let position = LogPosition(self.plain.taken);
        assert_eq!(self.file.flush().expect("a flush without a fault"), position);
        assert_eq!(self.memory.flush().expect("memory does not fail"), position);
        self.plain.durable = self.plain.records.len();
        if lost > 0 {
            self.last = (lost - 1) % RECORDS_PER_FRAME + 1;
        }
    }

    /// A flush in which something fails, or during which somebody takes the file away. In each case a failed flush ends
    /// the log, and records flushed before are there when it is opened again.
    fn failing_flush(&mut self, what: u8, place: u8) {
        let replaced = what & 7 == 7;
        let backup = self.folder.join("backup");
        if replaced {
            self.files.take_away(&self.path(), Some(&backup));
        } else {
            let fault = [
                DiskFault::Fail,
                DiskFault::Stop,
                DiskFault::Torn(usize::from(place) * 2),
                DiskFault::Short(usize::from(place)),
            ];
            let at = self.files.operations().len() + usize::from(place % 4);
            self.files.fail_at(at, fault[usize::from(what & 3)]);
        }
        let waiting = self.plain.durable < self.plain.records.len();
        match self.file.flush() {
            Ok(position) => {
                assert!(!(replaced && waiting), "another file has the name of the log that flushed");
                assert_eq!(position, LogPosition(self.plain.taken));
                self.plain.durable = self.plain.records.len();
            }
            Err(error) => {
                let named = matches!(error, LogError::Io { .. })
                    || replaced && matches!(error, LogError::Replaced { .. });
                assert!(named, "a failed flush: {error}");
                let failed = |error: &LogError| matches!(error, LogError::Failed { .. });
                let refused = self.file.append(LogRecord::timeout(Round(900), Subround(0)));
                assert!(
                    matches!(&refused, Err(AppendError::Log(error)) if failed(error))
                        && self.file.flush().as_ref().is_err_and(failed)
                        && self.file.compact().as_ref().is_err_and(failed),
                    "a log goes on after {error}"
                );
            }
        }
        if replaced {
            self.files.take_away(&backup, Some(&self.path()));
            self.files.sync_folder(&self.folder).expect("a folder");
        }
        self.crash(place, false);
    }

    /// The process ends, or the power is cut; the log is opened again. Of what was not flushed the first records may be there. The
    /// power is then cut at once: what the log held is still there.
    fn crash(&mut self, place: u8, spoils: bool) {
        let sectors = Sectors::ALL[usize::from(place >> 5 & 3)];
        let survival = match place & 16 {
            0 => Survival::Process,
            _ => Survival::PowerCut(sectors, usize::from(place >> 2 & 3)),
        };
        self.files.restart(survival);
        if spoils && place & 1 == 1 {
            self.damage(place);
        }
        let stranger = STRANGERS[usize::from(place >> 1) % STRANGERS.len()];
        let refused = FileLog::open_in(self.files.clone(), &self.folder, stranger, RULES);
        assert!(matches!(refused, Err(LogError::OtherOwner { .. })), "the log of another owner: {refused:?}");
        if spoils && place & 2 == 2 {
            self.lock_what_was_moved();
        }
        self.file = self.open().expect("what was flushed is read");
        let held: Vec<LogRecord> = self.file.signed().records().copied().collect();
        let durable = self.plain.durable;
        let kept = (durable..=self.plain.records.len()).find(|&kept| {
            let plain = Plain { records: self.plain.records[..kept].to_vec(), ..Plain::default() };
            plain.sorted() == held
        });
        let kept = kept.unwrap_or_else(|| {
            panic!("{held:?} after a crash of {:?}, {durable} flushed", self.plain.records)
        });
        self.plain.records.truncate(kept);
        self.plain.durable = kept;
        self.plain.taken = 0;
        let survive = kept - self.memory.durable().len();
        self.memory = self.memory.clone().crash(survive);
        self.files.restart(Survival::PowerCut(Sectors::None, 0));
        self.file = self.open().expect("what was opened is durable");
        self.last = 0;
    }

    /// Another process replaces the file while this one is about to lock it.
    fn lock_what_was_moved(&self) {
        let other = self.folder.join("other");
        let copied = self.files.bytes(&self.path()).map(|bytes| {
            let copy = self.files.open(&other, true)?;
            self.files.write_at(&copy, &bytes, 0)?;
            self.files.sync(&copy)?;
            self.files.try_lock(&copy)
        });
        assert!(matches!(copied, Some(Ok(true))), "a copy that is locked");
        self.files.rename_before_lock(&other, &self.path());
        let refused = self.open();
        assert!(
            matches!(refused, Err(LogError::InUse { .. })),
            "the file that was locked has no name: {refused:?}"
        );
        self.files.restart(Survival::Process);
    }

    /// Damage to a copy of the file: it is refused, or costs exactly the last frame. The file is as it was afterwards.
    fn damage(&self, place: u8) {
        let whole = self.files.bytes(&self.path()).expect("a log");
        let used = LogContents::read(&self.path(), &whole, &OWNER)
            .expect("what was flushed is read")
            .good_bytes() as usize;
        let mut spoilt = whole.clone();
        let at = used - 1 - usize::from(place >> 1) * 13 % used;
        // A record of an unknown kind under a right checksum is no end of a log.
        let forges = place >> 6 == 1 && place & 32 != 0 && self.last > 0;
        match place >> 6 {
            0 => spoilt[at] ^= 0x55,
            1 if forges => {
                let (before, last) = spoilt[..used].split_at_mut(used - SECTOR_BYTES);
                let (body, checksum) = last.split_at_mut(SECTOR_BYTES - CHECKSUM_BYTES);
                body[2] = 0x77;
                let previous = &before[before.len() - CHECKSUM_BYTES..];
                let hash = Sha3_256::new().chain_update(previous).chain_update(body).finalize();
                checksum.copy_from_slice(&hash[..CHECKSUM_BYTES]);
            }
            1 => spoilt.truncate(at),
            sectors => {
                let sector = at - at % SECTOR_BYTES;
                let end = if sectors == 2 { sector + SECTOR_BYTES } else { used };
                spoilt[sector..end].fill(0);
            }
        }
        let fork = self.files.fork();
        fork.damage(&self.path(), &spoilt);
        if let Ok(read) = FileLog::open_in(fork, &self.folder, OWNER, RULES) {
            let held: Vec<LogRecord> = read.signed().records().copied().collect();
            let rest = &self.plain.records[..self.plain.durable - self.last];
            let but_last = Plain { records: rest.to_vec(), ..Plain::default() };
            let in_last = self.last > 0 && at >= used - SECTOR_BYTES && !forges;
            assert!(
                in_last && held == but_last.sorted(),
                "a spoilt frame was read: {held:?} of {:?}",
                self.plain.records
            );
        }
    }

    /// The log, exported, written as JSON, read, and imported into a new one in another folder: nobody else can import it, and
    /// nothing that has another form or bars the key for ever is imported.
    fn moved(&mut self, folder: PathBuf, place: u8) {
        let create = |name: &str, owner, floor| {
            FileLog::create_in(self.files.clone(), &folder.join(name), owner, RULES, Round(floor))
                .expect("an empty folder")
        };
        let text = self.file.export().map(|export| export.to_json().expect("strings and lists"));
        let text = text.expect("an export without a fault");
        let export = Interchange::from_json(&text).expect("what was written");
        let mut other = create("stranger", STRANGERS[usize::from(place) % STRANGERS.len()], 0);
        let refused = other.import(&export);
        assert!(
            matches!(refused, Err(InterchangeError::OtherOwner { .. })),
            "the export of another owner: {refused:?}"
        );
        let mut new = create("", OWNER, 0);
        let sign = ["\"+", "\"0", "\" "][usize::from(place % 3)];
        let changed = text.replacen("\"floor\": \"", &format!("\"floor\": {sign}"), 1);
        let refused = Interchange::from_json(&changed).map(|found| new.import(&found));
        assert!(matches!(refused, Ok(Err(InterchangeError::Value { .. }))), "{changed}: {refused:?}");
        let high =
            create("high", OWNER, MAX_IMPORTED_RISE + 1 + u64::from(place)).export().expect("no fault");
        let refused = new.import(&high);
        assert!(
            matches!(refused, Err(InterchangeError::Rise { .. })),
            "a floor that bars the key: {refused:?}"
        );
        new.import(&export).expect("an export of the same owner");
        // It is on the disk.
        drop(new);
        self.folder = folder;
        self.files.restart(Survival::PowerCut(Sectors::None, 0));
        self.file = self.open().expect("what was imported is read");
        self.memory.flush().expect("memory does not fail");
        self.memory = self.memory.clone().crash(0);
        self.plain.durable = self.plain.records.len();
        self.plain.taken = 0;
        self.last = 0;
    }
}

/// See the module doc.
///
/// # Panics
/// When a log and the list differ.
pub fn ledger(bytes: &[u8]) {
    assert_eq!(RULES, SigningRules::from(&Rules::HARDENED));
    let (files, folder) = (FaultyFiles::default(), PathBuf::from("log"));
    let file =
        FileLog::create_in(files.clone(), &folder, OWNER, RULES, Round(FLOOR)).expect("an empty folder");
    let memory = MemoryLog::new(OWNER, RULES, Round(FLOOR));
    let mut logs = Logs { files, folder, file, memory, plain: Plain::default(), last: 0 };
    for (step, chunk) in bytes.chunks_exact(2).take(STEPS).enumerate() {
        let [what, place] = [chunk[0], chunk[1]];
        match what >> 5 {
            0..=3 => logs.append(record(what, place)),
            4 => logs.flush(),
            5 => logs.failing_flush(what, place),
            6 => logs.crash(place, true),
            _ if what & 16 == 0 => {
                logs.file.compact().expect("a file system without faults");
                logs.memory.flush().expect("memory does not fail");
                logs.plain.durable = logs.plain.records.len();
                logs.last = 0;
            }
            _ => logs.moved(PathBuf::from(format!("moved-{step}")), place),
        }
        holds(&logs.file, &logs.plain, "the file");
        holds(&logs.memory, &logs.plain, "the memory");
    }
}

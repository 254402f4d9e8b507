//! Target about the ticket log: a file and a log in memory against a plain list (S1).
//!
//! Appends, flushes, crashes, compactions, torn writes and moves to another folder in any order. What a log permits is restated
//! here by hand; after each crash it must hold exactly what was flushed before, a frame that a crash did not leave whole is never
//! read, and neither is anything of another owner.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{
    FileLog, Interchange, InterchangeError, KEY_BYTES, Kind, LogError, MemoryLog, Owner, Position, Record,
    SigningRules, TicketLog,
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

/// A folder that is gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name =
            format!("zus-fuzz-ledger-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        // Memory where there is a file system in it: a flush costs nothing there.
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() }.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is temporary.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What was recorded, in order, and how much of it is durable.
#[derive(Default)]
struct Plain {
    records: Vec<Record>,
    durable: usize,
    /// How many were taken since the log was opened.
    taken: u64,
}

impl Plain {
    /// Every round below is left: a vote was cast in the round before, or something was signed in this one.
    fn floor(&self) -> Round {
        let left = |record: &Record| match record.kind {
            Kind::FinalityVote => record.round.0 + 1,
            _ => record.round.0,
        };
        Round(self.records.iter().map(left).max().unwrap_or(0))
    }

    /// The lowest round of which anything is known.
    fn kept_from(&self) -> Round {
        Round(self.floor().0.saturating_sub(SIGNED_ROUNDS_KEPT))
    }

    /// Steps 2, 5, 8 and 9 of protocol.md, as what contradicts what.
    fn permits(&self, new: &Record) -> bool {
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

    fn sorted(&self) -> Vec<Record> {
        let kept = self.records.iter().filter(|record| record.round >= self.kept_from());
        let mut sorted: Vec<Record> = kept.copied().collect();
        sorted.sort_unstable();
        sorted
    }
}

fn record(what: u8, place: u8) -> Record {
    // Often near each other, and sometimes so far apart that the lower one is forgotten, or just is not.
    let far = [0, 0, SIGNED_ROUNDS_KEPT - 1, SIGNED_ROUNDS_KEPT][usize::from(place >> 4 & 3)];
    let (round, subround) = (Round(1 + u64::from(place & 3) + far), Subround(u32::from(place >> 2 & 1)));
    let block = [1 + (place >> 3 & 1); 32];
    match what & 3 {
        0 => Record::proposal(round, subround, block),
        1 => Record::ticket(round, subround, block),
        2 => Record::timeout(round, subround),
        _ => Record::finality_vote(round, subround, block),
    }
}

fn holds(log: &impl TicketLog, plain: &Plain, name: &str) {
    let held: Vec<Record> = log.signed().records().copied().collect();
    assert_eq!(held, plain.sorted(), "what {name} holds");
    assert_eq!(log.signed().floor(), plain.floor(), "the floor of {name}");
}

/// See the module doc.
///
/// # Panics
/// When a log and the list differ.
pub fn ledger(bytes: &[u8]) {
    let rules = SigningRules::from(&Rules::HARDENED);
    let Ok(folder) = Folder::new() else { return };
    let mut path = folder.0.join("log");
    let Ok(mut file) = FileLog::create(&path, OWNER, rules, Round(0)) else { return };
    let mut memory = MemoryLog::new(OWNER, rules, Round(0));
    let mut plain = Plain::default();
    for (step, chunk) in bytes.chunks_exact(2).take(STEPS).enumerate() {
        let [what, place] = [chunk[0], chunk[1]];
        match what >> 5 {
            0..=3 => {
                let new = record(what, place);
                let permitted = plain.permits(&new);
                let again = plain.records.contains(&new);
                if permitted && !again {
                    plain.records.push(new);
                    plain.taken += 1;
                }
                let taken = permitted.then_some(Position(plain.taken));
                for (found, name) in
                    [(file.append(new).ok(), "the file"), (memory.append(new).ok(), "the memory")]
                {
                    assert_eq!(found, taken, "{name} and {new:?} after {:?}", plain.records);
                }
            }
            4 | 5 => {
                let lost = plain.records.len() - plain.durable;
                assert_eq!(memory.crash_points(), lost, "what the memory would lose");
                let position = Position(plain.taken);
                assert_eq!(file.flush().expect("a flush in a temporary folder"), position);
                assert_eq!(memory.flush().expect("memory does not fail"), position);
                plain.durable = plain.records.len();
            }
            6 => {
                // A crash; the page cache has kept what was flushed and nothing else.
                plain.records.truncate(plain.durable);
                plain.taken = 0;
                drop(file);
                if place & 1 == 1 {
                    torn(&path, place, &plain);
                }
                let stranger = STRANGERS[usize::from(place >> 1) % STRANGERS.len()];
                let refused = FileLog::open(&path, stranger, rules);
                assert!(
                    matches!(refused, Err(LogError::OtherOwner { .. })),
                    "the log of another owner: {refused:?}"
                );
                file = FileLog::open(&path, OWNER, rules).expect("what was flushed is read");
                memory = memory.crash(0);
            }
            _ => {
                if what & 16 == 0 {
                    file.compact().expect("a file in a temporary folder");
                } else {
                    path = folder.0.join(format!("moved-{step}"));
                    file = moved(&mut file, &path, place);
                    memory.flush().expect("memory does not fail");
                    memory = memory.crash(0);
                    plain.taken = 0;
                }
                memory.flush().expect("memory does not fail");
                plain.durable = plain.records.len();
            }
        }
        holds(&file, &plain, "the file");
        holds(&memory, &plain, "the memory");
    }
}

/// The log, exported, written as JSON, read, and imported into a new one in another folder: nobody else can import it.
fn moved(file: &mut FileLog, path: &Path, place: u8) -> FileLog {
    let rules = *file.rules();
    let text = file.export().map(|export| export.to_json().expect("strings and lists"));
    let text = text.expect("a file in a temporary folder");
    let export = Interchange::from_json(&text).expect("what was written");
    let stranger = STRANGERS[usize::from(place) % STRANGERS.len()];
    let mut other =
        FileLog::create(&path.join("stranger"), stranger, rules, Round(0)).expect("an empty folder");
    let refused = other.import(&export);
    assert!(
        matches!(refused, Err(InterchangeError::OtherOwner { .. })),
        "the export of another owner: {refused:?}"
    );
    let mut new = FileLog::create(path, OWNER, rules, Round(0)).expect("an empty folder");
    new.import(&export).expect("an export of the same owner");
    // It is on the disk.
    drop(new);
    FileLog::open(path, OWNER, rules).expect("what was imported is read")
}

/// The last bytes of the file are spoilt, as no crash spoils what was flushed: nothing but a beginning of what was signed is
/// ever read from it. The file is as it was afterwards.
fn torn(path: &Path, place: u8, plain: &Plain) {
    let name = path.join("tickets.log");
    let Ok(whole) = std::fs::read(&name) else { return };
    let mut spoilt = whole.clone();
    let at = whole.len() - 1 - usize::from(place >> 1) % 40.min(whole.len());
    spoilt[at] ^= 0x55;
    std::fs::write(&name, &spoilt).expect("a file in a temporary folder");
    if let Ok(read) = FileLog::open(path, OWNER, SigningRules::from(&Rules::HARDENED)) {
        let held: Vec<Record> = read.signed().records().copied().collect();
        assert!(
            held != plain.sorted() && held.iter().all(|record| plain.records.contains(record)),
            "a spoilt frame was read: {held:?} of {:?}",
            plain.records
        );
    }
    std::fs::write(&name, &whole).expect("a file in a temporary folder");
}

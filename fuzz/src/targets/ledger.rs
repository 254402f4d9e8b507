//! Target about the ticket log: a file and a log in memory against a plain list (S1).
//!
//! Appends, flushes, crashes, compactions and torn writes in any order. What a log permits is restated here by hand; after
//! each crash it must hold exactly what was flushed before, and a frame that a crash did not leave whole is never read.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, Kind, MemoryLog, Owner, Record, SigningRules, TicketLog};

/// Operations of one run.
const STEPS: usize = 24;
const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(1), key: [2; KEY_BYTES] };

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

    /// Steps 2, 5, 8 and 9 of protocol.md, as what contradicts what.
    fn permits(&self, new: &Record) -> bool {
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
        let mut sorted = self.records.clone();
        sorted.sort_unstable();
        sorted
    }
}

fn record(what: u8, place: u8) -> Record {
    let (round, subround) = (Round(1 + u64::from(place & 3)), Subround(u32::from(place >> 2 & 1)));
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
    let path = folder.0.join("log");
    let Ok(mut file) = FileLog::create(&path, OWNER, rules, Round(0)) else { return };
    let mut memory = MemoryLog::new(OWNER, rules, Round(0));
    let mut plain = Plain::default();
    for chunk in bytes.chunks_exact(2).take(STEPS) {
        let [what, place] = [chunk[0], chunk[1]];
        match what >> 5 {
            0..=3 => {
                let new = record(what, place);
                let permitted = plain.permits(&new);
                for (taken, name) in
                    [(file.append(new).is_ok(), "the file"), (memory.append(new).is_ok(), "the memory")]
                {
                    assert_eq!(taken, permitted, "{name} and {new:?} after {:?}", plain.records);
                }
                if permitted && !plain.records.contains(&new) {
                    plain.records.push(new);
                }
            }
            4 | 5 => {
                file.flush().expect("a flush in a temporary folder");
                memory.flush().expect("memory does not fail");
                plain.durable = plain.records.len();
            }
            6 => {
                // A crash; the page cache has kept what was flushed and nothing else.
                plain.records.truncate(plain.durable);
                drop(file);
                if place & 1 == 1 {
                    torn(&path, place, &plain);
                }
                file = FileLog::open(&path, OWNER, rules).expect("what was flushed is read");
                memory = memory.crash(0);
            }
            _ => {
                file.compact().expect("a file in a temporary folder");
                memory.flush().expect("memory does not fail");
                plain.durable = plain.records.len();
            }
        }
        holds(&file, &plain, "the file");
        holds(&memory, &plain, "the memory");
    }
}

/// The last bytes of the file are spoilt, as no crash spoils what was flushed: nothing but a beginning of what was signed is
/// ever read from it. The file is as it was afterwards.
fn torn(path: &std::path::Path, place: u8, plain: &Plain) {
    let name = path.join("tickets.log");
    let Ok(whole) = std::fs::read(&name) else { return };
    let mut spoilt = whole.clone();
    let at = whole.len() - 1 - usize::from(place >> 1) % 40.min(whole.len());
    spoilt[at] ^= 0x55;
    std::fs::write(&name, &spoilt).expect("a file in a temporary folder");
    if let Ok(read) = FileLog::open(path, OWNER, SigningRules::from(&Rules::HARDENED)) {
        let held: Vec<Record> = read.signed().records().copied().collect();
        assert!(
            held.len() < plain.records.len() && held.iter().all(|record| plain.records.contains(record)),
            "a spoilt frame was read: {held:?} of {:?}",
            plain.records
        );
    }
    std::fs::write(&name, &whole).expect("a file in a temporary folder");
}

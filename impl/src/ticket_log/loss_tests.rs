//! A log is lost, and the miner goes on with a new one, or with what it exported: whatever is signed then contradicts nothing
//! that was signed before, whichever records are lost.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::committee::{ChainId, Epoch, Subround};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(1), key: [2; KEY_BYTES] };
const RULES: SigningRules = SigningRules { one_ticket_per_subround: true, timeout_ends_tickets: true };

fn record() -> impl Strategy<Value = LogRecord> {
    (1..6_u64, 0..2_u32, 0..4_u8, 0..2_u8).prop_map(|(round, subround, kind, block)| {
        let (round, subround, block) = (Round(round), Subround(subround), [block + 1; 32]);
        match Kind::ALL[usize::from(kind)] {
            Kind::Timeout => LogRecord::timeout(round, subround),
            kind => LogRecord { round, kind, subround, block },
        }
    })
}

/// The records of a list that a log takes, one after the other.
fn signed_by(log: &mut impl TicketLog, wanted: &[LogRecord]) -> Vec<LogRecord> {
    wanted.iter().copied().filter(|record| log.append(*record).is_ok()).collect()
}

/// Whether one honest miner never signs both, in this order: restated here without the index.
fn contradicts(old: &LogRecord, new: &LogRecord) -> bool {
    if old.round != new.round {
        return false;
    }
    let other_block = old.block != new.block;
    match (old.kind, new.kind) {
        (Kind::Ticket, Kind::Ticket) | (Kind::Proposal, Kind::Proposal) => {
            old.subround == new.subround && other_block
        }
        (Kind::Ticket, Kind::FinalityVote) | (Kind::FinalityVote, Kind::Ticket) => other_block,
        (Kind::FinalityVote, Kind::FinalityVote) => other_block,
        (Kind::Timeout, Kind::Ticket) => old.subround >= new.subround,
        _ => false,
    }
}

fn contradiction(before: &[LogRecord], after: &[LogRecord]) -> Option<(LogRecord, LogRecord)> {
    let pairs = before.iter().flat_map(|old| after.iter().map(move |new| (*old, *new)));
    pairs.into_iter().find(|(old, new)| contradicts(old, new))
}

/// The floor of the module doc: above every round in which the key has signed.
fn safe_floor(before: &[LogRecord]) -> Round {
    Round(before.iter().map(|record| record.round.0).max().unwrap_or(0) + 1)
}

/// The records that a new log signs after the total loss of another, with the floor that the errors advise.
fn after_loss(before: &[LogRecord], wanted: &[LogRecord]) -> Vec<LogRecord> {
    let files = FaultyFiles::default();
    let mut new =
        FileLog::create_in(files, Path::new("log"), OWNER, RULES, safe_floor(before)).expect("a folder");
    signed_by(&mut new, wanted)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn with_a_floor_above_nothing_contradicts_what_is_lost(
        first in proptest::collection::vec(record(), 0..12),
        then in proptest::collection::vec(record(), 0..30),
    ) {
        let mut old = MemoryLog::new(OWNER, RULES, Round(1));
        let before = signed_by(&mut old, &first);
        // Rounds from the floor on are signed in as always.
        let beyond = LogRecord::ticket(safe_floor(&before), Subround(0), [1; 32]);
        let after = after_loss(&before, &[&then[..], &[beyond]].concat());
        prop_assert_eq!(contradiction(&before, &after), None);
        prop_assert!(after.iter().all(|record| record.round >= safe_floor(&before)));
    }

    /// The export is older than the last signatures, and the floor is raised above them.
    #[test]
    fn an_old_export_and_a_floor_above_contradict_nothing(
        exported in proptest::collection::vec(record(), 0..8),
        lost in proptest::collection::vec(record(), 0..8),
        then in proptest::collection::vec(record(), 0..30),
    ) {
        let mut old = FileLog::create_in(FaultyFiles::default(), Path::new("log"), OWNER, RULES, Round(1)).expect("a folder");
        let mut before = signed_by(&mut old, &exported);
        let export = old.export().expect("no fault");
        before.extend(signed_by(&mut old, &lost));
        let files = FaultyFiles::default();
        let mut new = FileLog::create_in(files, Path::new("log"), OWNER, RULES, safe_floor(&before)).expect("a folder");
        new.import(&export).expect("an export of the same key");
        let after = signed_by(&mut new, &then);
        let made: Vec<LogRecord> = after.into_iter().filter(|record| !before.contains(record)).collect();
        prop_assert_eq!(contradiction(&before, &made), None);
    }
}

/// The fault that was seen: two tickets of one round and no floor for votes.
#[test]
fn a_vote_below_the_floor_would_contradict_a_lost_ticket() {
    let before = [LogRecord::ticket(Round(5), Subround(1), [2; 32])];
    let vote = LogRecord::finality_vote(Round(5), Subround(0), [1; 32]);
    assert_eq!(after_loss(&before, &[vote]), []);
    assert_eq!(
        contradiction(&before, &[vote]),
        Some((before[0], vote)),
        "negative control: a log without floors"
    );
}

/// Each error that leaves somebody without a log says how to go on, and the advice is a floor.
#[test]
fn the_errors_say_what_is_safe() {
    let path = std::path::PathBuf::from("log");
    let damaged = LogError::Damaged { path: path.clone(), offset: 7, reason: "" };
    let other = LogError::OtherOwner {
        path: path.clone(),
        field: "key",
        expected: String::new(),
        found: String::new(),
    };
    for error in [damaged, other, LogError::Missing { path }] {
        assert!(error.to_string().contains("above every round in which this key may have signed"), "{error}");
    }
}

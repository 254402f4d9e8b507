//! A miner that crashes at any point and restarts from its log never contradicts itself; one that forgets, or that signs
//! before it flushes, does, and this test sees it.

use proptest::prelude::*;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{Kind, LogRecord, MemoryLog, Owner, SigningRules, TicketLog};

const OWNER: Owner = Owner { chain: ChainId([1; 32]), epoch: Epoch(0), key: [7; 96] };

/// The parts of the miner that mutants change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Miner {
    /// Append, flush, release; restart from the log.
    Correct,
    /// Releases a signature when it is appended, before the flush.
    ReleasesBeforeFlush,
    /// Restarts with an empty log (PROTOCOL.md, section 7, A2).
    Forgets,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Sign(LogRecord),
    Flush,
    /// A crash that keeps so many of the unflushed records, at most.
    Crash(usize),
}

/// The signatures that left the process, in order. A signature that a crash stopped was never seen by anybody.
fn run(miner: Miner, steps: &[Step]) -> Vec<LogRecord> {
    let mut log = MemoryLog::new(OWNER, SigningRules::from(&Rules::HARDENED), Round(0));
    let (mut released, mut waiting) = (Vec::new(), Vec::new());
    for step in steps {
        match *step {
            Step::Sign(record) => {
                if log.append(record).is_ok() {
                    let list = if miner == Miner::ReleasesBeforeFlush { &mut released } else { &mut waiting };
                    list.push(record);
                }
            }
            Step::Flush => {
                log.flush().unwrap();
                released.append(&mut waiting);
            }
            Step::Crash(kept) => {
                waiting.clear();
                log = match miner {
                    Miner::Forgets => log.forget(),
                    _ => {
                        let kept = kept.min(log.crash_points());
                        log.crash(kept)
                    }
                };
            }
        }
    }
    released
}

/// The contradictions that one miner's signatures must never contain, restated apart from the index: S1 and the rules
/// of steps 2 and 8. Signatures do not tell in which order they were made, so a ticket beside a timeout is no
/// contradiction.
fn contradiction(released: &[LogRecord]) -> Option<(LogRecord, LogRecord)> {
    let contradicts = |earlier: &LogRecord, later: &LogRecord| {
        let same_round = earlier.round == later.round;
        let same_place = same_round && earlier.subround == later.subround;
        let other_block = earlier.block != later.block;
        match (earlier.kind, later.kind) {
            (Kind::Ticket, Kind::Ticket) | (Kind::Proposal, Kind::Proposal) => same_place && other_block,
            (Kind::FinalityVote, Kind::FinalityVote) => same_round && other_block,
            (Kind::Ticket, Kind::FinalityVote) | (Kind::FinalityVote, Kind::Ticket) => {
                same_round && other_block
            }
            _ => false,
        }
    };
    released.iter().enumerate().find_map(|(i, later)| {
        let earlier = released[..i].iter().find(|earlier| contradicts(earlier, later))?;
        Some((*earlier, *later))
    })
}

/// Everything that can be signed about two rounds, two subrounds and two blocks.
fn all_records() -> Vec<LogRecord> {
    let mut records = Vec::new();
    for round in [1, 2].map(Round) {
        for subround in [0, 1].map(Subround) {
            records.push(LogRecord::timeout(round, subround));
            for block in [[0xa; 32], [0xb; 32]] {
                records.push(LogRecord::proposal(round, subround, block));
                records.push(LogRecord::ticket(round, subround, block));
                records.push(LogRecord::finality_vote(round, subround, block));
            }
        }
    }
    records
}

/// Every script of two signatures with a crash, a flush or nothing in between: each pair of records in each order.
fn for_every_pair(mut check: impl FnMut(&[Step])) {
    for first in all_records() {
        for second in all_records() {
            for between in [
                &[][..],
                &[Step::Flush],
                &[Step::Crash(0)],
                &[Step::Crash(1)],
                &[Step::Flush, Step::Crash(0)],
                &[Step::Crash(1), Step::Flush],
            ] {
                let script = [&[Step::Sign(first)], between, &[Step::Sign(second), Step::Flush]].concat();
                check(&script);
            }
        }
    }
}

#[test]
fn no_pair_of_signatures_contradicts_whatever_comes_between() {
    let mut scripts = 0;
    for_every_pair(|script| {
        assert_eq!(contradiction(&run(Miner::Correct, script)), None, "{script:?}");
        scripts += 1;
    });
    assert_eq!(scripts, 28 * 28 * 6);
}

#[test]
fn the_mutants_are_caught() {
    for mutant in [Miner::ReleasesBeforeFlush, Miner::Forgets] {
        let mut caught = 0;
        for_every_pair(|script| caught += usize::from(contradiction(&run(mutant, script)).is_some()));
        assert!(caught > 0, "{mutant:?}");
    }
}

#[test]
fn two_tickets_of_an_amnesiac_are_the_textbook_case() {
    let tickets = [0xa, 0xb].map(|block| LogRecord::ticket(Round(1), Subround(0), [block; 32]));
    let script = [Step::Sign(tickets[0]), Step::Flush, Step::Crash(0), Step::Sign(tickets[1]), Step::Flush];
    assert_eq!(run(Miner::Correct, &script), tickets[..1]);
    assert_eq!(contradiction(&run(Miner::Forgets, &script)), Some((tickets[0], tickets[1])));
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::sample::select(all_records()).prop_map(Step::Sign),
        3 => Just(Step::Flush),
        2 => (0..4_usize).prop_map(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_run_contradicts_itself(steps in proptest::collection::vec(step(), 0..40)) {
        prop_assert_eq!(contradiction(&run(Miner::Correct, &steps)), None);
    }

    #[test]
    fn what_was_released_is_still_known(steps in proptest::collection::vec(step(), 0..40)) {
        let mut log = MemoryLog::new(OWNER, SigningRules::from(&Rules::HARDENED), Round(0));
        let mut flushed: Vec<LogRecord> = Vec::new();
        let mut appended = Vec::new();
        for step in steps {
            match step {
                Step::Sign(record) => if log.append(record).is_ok() { appended.push(record) },
                Step::Flush => { log.flush().unwrap(); flushed.append(&mut appended); }
                Step::Crash(kept) => {
                    appended.clear();
                    let kept = kept.min(log.crash_points());
                    log = log.crash(kept);
                }
            }
            for record in &flushed {
                prop_assert!(log.signed().contains(record));
                prop_assert!(log.durable().contains(record));
            }
        }
    }
}

//! The index of what was signed: may this be signed, too?

use std::collections::BTreeSet;

use super::record::{Kind, LogRecord};
use crate::committee::{Round, Subround};
use crate::limits::{MAX_ROUND, SIGNED_ROUNDS_KEPT};
use crate::rules::Rules;

/// The part of [`Rules`] that a log enforces. Contradictions under every rule are always refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SigningRules {
    /// At most one ticket a (round, subround): [`TicketRule::OncePerSubround`](crate::rules::TicketRule::OncePerSubround). The
    /// other rules compare ranks, which a log does not know.
    pub one_ticket_per_subround: bool,
    /// No ticket in a subround that was timed out, nor in one before it:
    /// [`SubroundEntryRule::Certificate`](crate::rules::SubroundEntryRule::Certificate).
    pub timeout_ends_tickets: bool,
}

impl From<&Rules> for SigningRules {
    fn from(rules: &Rules) -> Self {
        Self { one_ticket_per_subround: rules.tickets_once(), timeout_ends_tickets: !rules.enters_alone() }
    }
}

/// That something may be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permit {
    /// It is new and contradicts nothing.
    New,
    /// It was signed before; the same signature again is no contradiction.
    Again,
}

/// The signed statements that a log knows, and the round from which on it knows all of them.
///
/// **No record is not "not signed".** A new log has no records of the rounds below its floor, and says nothing about them: the
/// key may have signed there, in a log that is lost. Only from [`SignedRecords::complete_from`] on does a missing record mean that
/// nothing was signed, and nothing new is permitted below that round, a finality vote included: it claims that no other block
/// of its round was ticketed, and rests upon every record of that round.
///
/// Bounded: records of rounds more than [`SIGNED_ROUNDS_KEPT`] below the floor are dropped, and the log is complete from there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SignedRecords {
    floor: Round,
    complete_from: Round,
    records: BTreeSet<LogRecord>,
}

impl SignedRecords {
    /// Nothing signed in `floor` or above it, and nothing known about the rounds below: nothing is signed there.
    #[must_use]
    pub const fn from_floor(floor: Round) -> Self {
        Self { floor, complete_from: floor, records: BTreeSet::new() }
    }

    /// An index with this floor that is complete from a round; a log is never complete from above its floor, nor from more
    /// than [`SIGNED_ROUNDS_KEPT`] rounds below it.
    pub(super) fn complete(floor: Round, complete_from: Round) -> Self {
        let mut signed =
            Self { floor: Round(0), complete_from: complete_from.min(floor), records: BTreeSet::new() };
        signed.raise_floor(floor);
        signed
    }

    /// The lowest round that was not left: no new proposal, ticket or timeout below it is permitted.
    #[must_use]
    pub const fn floor(&self) -> Round {
        self.floor
    }

    /// The lowest round from which every signature is recorded; nothing new is permitted below it.
    #[must_use]
    pub const fn complete_from(&self) -> Round {
        self.complete_from
    }

    /// The signed statements, by round.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &LogRecord> + Clone {
        self.records.iter()
    }

    /// The signed statements of one round.
    pub fn in_round(&self, round: Round) -> impl DoubleEndedIterator<Item = &LogRecord> + Clone {
        let first = LogRecord { round, kind: Kind::Proposal, subround: Subround(0), block: [0; 32] };
        let last =
            LogRecord { round, kind: Kind::FinalityVote, subround: Subround(u32::MAX), block: [u8::MAX; 32] };
        self.records.range(first..=last)
    }

    /// Whether exactly this was signed.
    #[must_use]
    pub fn contains(&self, record: &LogRecord) -> bool {
        self.records.contains(record)
    }

    /// Whether `record` may be signed after everything that is recorded.
    ///
    /// # Errors
    /// The [`Conflict`] that the signature would be.
    pub fn permits(&self, rules: &SigningRules, record: &LogRecord) -> Result<Permit, Conflict> {
        if self.contains(record) {
            return Ok(Permit::Again);
        }
        if record.round.0 > MAX_ROUND {
            return Err(Conflict::TooHigh { record: *record });
        }
        if record.round < self.complete_from {
            return Err(Conflict::Unknown { record: *record, complete_from: self.complete_from });
        }
        // Votes are cast on leaving a round; everything else of it is over then (A4).
        if record.kind != Kind::FinalityVote && record.round < self.floor {
            return Err(Conflict::RoundLeft { record: *record, floor: self.floor });
        }
        match self.in_round(record.round).find(|signed| contradicts(rules, signed, record)) {
            Some(signed) => Err(Conflict::Contradicts { record: *record, signed: *signed }),
            None => Ok(Permit::New),
        }
    }

    /// Records a signature, whether or not it was permitted: what was signed was signed.
    pub fn insert(&mut self, record: LogRecord) {
        if record.round >= self.complete_from {
            self.records.insert(record);
        }
        self.raise_floor(match record.kind {
            Kind::FinalityVote => Round(record.round.0.saturating_add(1)),
            Kind::Proposal | Kind::Ticket | Kind::Timeout => record.round,
        });
    }

    /// Leaves all rounds below `floor`. The floor never sinks.
    pub fn raise_floor(&mut self, floor: Round) {
        if floor > self.floor {
            self.floor = floor;
            self.forget_below(Round(floor.0.saturating_sub(SIGNED_ROUNDS_KEPT)));
        }
    }

    /// Adds what another log of the same key recorded: what was signed was signed, even if it contradicts what is recorded
    /// here. Together they are complete from where both are.
    pub(super) fn add(&mut self, other: &Self) {
        self.raise_floor(other.floor);
        self.forget_below(other.complete_from);
        other.records().for_each(|record| self.insert(*record));
    }

    /// The log is not complete below this round any more.
    fn forget_below(&mut self, round: Round) {
        self.complete_from = self.complete_from.max(round);
        while self.records.first().is_some_and(|record| record.round < self.complete_from) {
            self.records.pop_first();
        }
    }
}

/// Whether signing `new` contradicts `signed`, which is of the same round and another record.
fn contradicts(rules: &SigningRules, signed: &LogRecord, new: &LogRecord) -> bool {
    match (signed.kind, new.kind) {
        // An honest generator makes one block a subround (PROTOCOL.md, section 7, 31).
        (Kind::Proposal, Kind::Proposal) => signed.subround == new.subround,
        // S1.
        (Kind::Ticket, Kind::Ticket) => rules.one_ticket_per_subround && signed.subround == new.subround,
        // Step 9: a timeout ends the tickets of its subround.
        (Kind::Timeout, Kind::Ticket) => rules.timeout_ends_tickets && signed.subround >= new.subround,
        // Step 8 (A3): a vote says that nothing else was ticketed in the round, in any subround.
        (Kind::Ticket, Kind::FinalityVote) => signed.block != new.block,
        // One vote a round.
        (Kind::FinalityVote, Kind::FinalityVote) => true,
        _ => false,
    }
}

/// A signature that must not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Conflict {
    /// It contradicts another one.
    #[error("{record} contradicts {signed}, which was signed")]
    Contradicts {
        /// The record to be signed.
        record: LogRecord,
        /// The record that was signed.
        signed: LogRecord,
    },
    /// Its round was left.
    #[error("{record} is of a round that was left: the lowest open round is {}", floor.0)]
    RoundLeft {
        /// The record to be signed.
        record: LogRecord,
        /// The lowest round that was not left.
        floor: Round,
    },
    /// It is of a round of which the log does not know everything that was signed: a lost log may have said something else, or
    /// the records are so old that they were dropped.
    #[error("{record} is of a round of which this log does not know what was signed: it is complete from round {}", complete_from.0)]
    Unknown {
        /// The record to be signed.
        record: LogRecord,
        /// The lowest round from which everything is recorded.
        complete_from: Round,
    },
    /// Its round is one that no chain reaches: recorded, it would bar every other.
    #[error("{record} is of a round above {MAX_ROUND}, which no chain reaches")]
    TooHigh {
        /// The record to be signed.
        record: LogRecord,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDENED: SigningRules = SigningRules { one_ticket_per_subround: true, timeout_ends_tickets: true };
    const A: [u8; 32] = [0xa; 32];
    const B: [u8; 32] = [0xb; 32];

    fn at(round: u64, subround: u32) -> (Round, Subround) {
        (Round(round), Subround(subround))
    }

    fn proposal((r, s): (Round, Subround), block: [u8; 32]) -> LogRecord {
        LogRecord::proposal(r, s, block)
    }

    fn ticket((r, s): (Round, Subround), block: [u8; 32]) -> LogRecord {
        LogRecord::ticket(r, s, block)
    }

    fn timeout((r, s): (Round, Subround)) -> LogRecord {
        LogRecord::timeout(r, s)
    }

    fn vote((r, s): (Round, Subround), block: [u8; 32]) -> LogRecord {
        LogRecord::finality_vote(r, s, block)
    }

    fn signed(records: &[LogRecord]) -> SignedRecords {
        let mut signed = SignedRecords::default();
        records.iter().for_each(|record| signed.insert(*record));
        signed
    }

    fn verdict(records: &[LogRecord], record: LogRecord) -> Result<Permit, Conflict> {
        signed(records).permits(&HARDENED, &record)
    }

    fn contradicts(records: &[LogRecord], record: LogRecord, with: LogRecord) {
        assert_eq!(verdict(records, record), Err(Conflict::Contradicts { record, signed: with }));
        assert_eq!(signed(&[]).permits(&HARDENED, &record), Ok(Permit::New), "negative control");
    }

    #[test]
    fn one_ticket_in_one_subround_and_the_same_one_again() {
        let first = ticket(at(5, 0), A);
        contradicts(&[first], ticket(at(5, 0), B), first);
        assert_eq!(verdict(&[first], first), Ok(Permit::Again));
        assert_eq!(verdict(&[first], ticket(at(5, 1), B)), Ok(Permit::New), "another subround");
        let deployed = SigningRules::from(&Rules::DEPLOYED);
        assert_eq!(signed(&[first]).permits(&deployed, &ticket(at(5, 0), B)), Ok(Permit::New));
        assert_eq!(SigningRules::from(&Rules::HARDENED), HARDENED);
    }

    #[test]
    fn one_proposal_in_one_subround() {
        let first = proposal(at(5, 0), A);
        contradicts(&[first], proposal(at(5, 0), B), first);
        assert_eq!(verdict(&[first], proposal(at(5, 1), B)), Ok(Permit::New));
        assert_eq!(verdict(&[first], ticket(at(5, 0), B)), Ok(Permit::New), "its own block may lose");
    }

    #[test]
    fn no_ticket_after_a_timeout_of_its_subround_or_a_later_one() {
        let timed_out = timeout(at(5, 1));
        contradicts(&[timed_out], ticket(at(5, 1), A), timed_out);
        contradicts(&[timed_out], ticket(at(5, 0), A), timed_out);
        assert_eq!(verdict(&[timed_out], ticket(at(5, 2), A)), Ok(Permit::New));
        assert_eq!(verdict(&[ticket(at(5, 1), A)], timed_out), Ok(Permit::New), "ticket, then timeout");
        let local = SigningRules::from(&Rules::DOCUMENTED);
        assert_eq!(signed(&[timed_out]).permits(&local, &ticket(at(5, 1), A)), Ok(Permit::New));
    }

    #[test]
    fn no_vote_against_a_ticket_of_any_subround_of_the_round() {
        let other = ticket(at(5, 1), B);
        contradicts(&[ticket(at(5, 0), A), other], vote(at(5, 0), A), other);
        assert_eq!(verdict(&[ticket(at(5, 0), A), ticket(at(5, 2), A)], vote(at(5, 0), A)), Ok(Permit::New));
        assert_eq!(verdict(&[], vote(at(5, 0), A)), Ok(Permit::New), "no ticket at all is fine");
        assert_eq!(verdict(&[ticket(at(4, 0), B)], vote(at(5, 0), A)), Ok(Permit::New), "another round");
    }

    #[test]
    fn one_vote_in_one_round() {
        let first = vote(at(5, 0), A);
        contradicts(&[first], vote(at(5, 0), B), first);
        contradicts(&[first], vote(at(5, 1), A), first);
        assert_eq!(verdict(&[first], first), Ok(Permit::Again));
    }

    #[test]
    fn a_round_is_over_once_it_was_voted_in_or_a_later_one_was_signed_in() {
        let later = [vote(at(5, 0), A), proposal(at(6, 0), A), ticket(at(6, 0), A), timeout(at(6, 0))];
        for left_by in later {
            for record in [proposal(at(5, 7), B), ticket(at(5, 7), B), timeout(at(5, 7))] {
                assert_eq!(
                    verdict(&[left_by], record),
                    Err(Conflict::RoundLeft { record, floor: Round(6) }),
                    "{record:?} after {left_by:?}"
                );
            }
        }
        assert_eq!(verdict(&later[1..2], vote(at(5, 0), A)), Ok(Permit::New), "a late vote is safe");
    }

    #[test]
    fn what_is_forgotten_permits_nothing_new() {
        let old = ticket(at(5, 0), B);
        let mut log = signed(&[old, timeout(at(5 + SIGNED_ROUNDS_KEPT, 0))]);
        assert!(log.contains(&old));
        log.insert(timeout(at(6 + SIGNED_ROUNDS_KEPT, 0)));
        assert!(!log.contains(&old));
        assert_eq!(log.complete_from(), Round(6));
        for record in [old, vote(at(5, 0), A)] {
            assert_eq!(
                log.permits(&HARDENED, &record),
                Err(Conflict::Unknown { record, complete_from: Round(6) })
            );
        }
        log.insert(old);
        assert_eq!(log.records().count(), 2, "memory stays bounded");
    }

    #[test]
    fn a_floor_closes_all_rounds_below_to_votes_as_well_and_never_sinks() {
        let mut log = SignedRecords::from_floor(Round(100));
        log.raise_floor(Round(50));
        assert_eq!((log.floor(), log.complete_from()), (Round(100), Round(100)));
        for record in [ticket(at(99, 0), A), proposal(at(99, 0), A), timeout(at(99, 0)), vote(at(99, 0), A)] {
            let unknown = Err(Conflict::Unknown { record, complete_from: Round(100) });
            assert_eq!(log.permits(&HARDENED, &record), unknown);
        }
        for record in [ticket(at(100, 0), A), vote(at(100, 0), A)] {
            assert_eq!(log.permits(&HARDENED, &record), Ok(Permit::New));
        }
        // Rounds that this log has left itself are known.
        log.insert(timeout(at(110, 0)));
        assert_eq!(log.permits(&HARDENED, &vote(at(105, 0), A)), Ok(Permit::New));
        assert!(log.permits(&HARDENED, &vote(at(99, 0), A)).is_err(), "still unknown");
        log.insert(timeout(at(100 + SIGNED_ROUNDS_KEPT + 5, 0)));
        assert_eq!(log.complete_from(), Round(105));
    }

    #[test]
    fn no_round_near_the_end_of_the_numbers_is_signed_in() {
        for round in [MAX_ROUND + 1, u64::MAX - 1, u64::MAX] {
            for record in [ticket(at(round, 0), A), vote(at(round, 0), A), timeout(at(round, 0))] {
                assert_eq!(verdict(&[], record), Err(Conflict::TooHigh { record }));
            }
        }
        let last = vote(at(MAX_ROUND, 0), A);
        assert_eq!(verdict(&[], last), Ok(Permit::New), "negative control");
        let mut log = signed(&[last]);
        log.insert(vote(at(u64::MAX, 0), A));
        assert_eq!(log.floor(), Round(u64::MAX), "no overflow");
    }

    #[test]
    fn two_logs_of_one_key_are_complete_from_where_both_are() {
        let here = signed(&[ticket(at(5, 0), A), timeout(at(6, 0))]);
        let mut there = SignedRecords::complete(Round(9), Round(6));
        there.insert(ticket(at(7, 0), B));
        let mut both = here.clone();
        both.add(&there);
        assert_eq!((both.floor(), both.complete_from()), (Round(9), Round(6)));
        assert_eq!(both.records().copied().collect::<Vec<_>>(), [timeout(at(6, 0)), ticket(at(7, 0), B)]);
        there.add(&here);
        assert_eq!(there, both, "in either order");
        assert_eq!(
            SignedRecords::complete(Round(3), Round(9)).complete_from(),
            Round(3),
            "never above the floor"
        );
        let high = SignedRecords::complete(Round(90), Round(3));
        assert_eq!(high.complete_from(), Round(90 - SIGNED_ROUNDS_KEPT));
    }
}

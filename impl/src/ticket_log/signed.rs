//! The index of what was signed: may this be signed, too?

use std::collections::BTreeSet;

use super::record::{Kind, Record};
use crate::bounds::SIGNED_ROUNDS_KEPT;
use crate::committee::{Round, Subround};
use crate::mutants::mutant;
use crate::rules::{Rules, SubroundEntryRule, TicketRule};

/// The part of [`Rules`] that a log enforces. What is a contradiction under every rule is always enforced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SigningRules {
    /// At most one ticket a (round, subround): [`TicketRule::OncePerSubround`]. The other rules compare ranks, which a log
    /// does not know.
    pub one_ticket_per_subround: bool,
    /// No ticket in a subround that was timed out, nor in one before it: [`SubroundEntryRule::Certificate`].
    pub timeout_ends_tickets: bool,
}

impl From<&Rules> for SigningRules {
    fn from(rules: &Rules) -> Self {
        Self {
            one_ticket_per_subround: rules.ticket == TicketRule::OncePerSubround,
            timeout_ends_tickets: rules.subround_entry == SubroundEntryRule::Certificate,
        }
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

/// What a log knows was signed.
///
/// Bounded: records of rounds more than [`SIGNED_ROUNDS_KEPT`] below the floor are dropped, and nothing new is permitted
/// there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Signed {
    floor: Round,
    records: BTreeSet<Record>,
}

impl Signed {
    /// Nothing signed, and nothing but votes to be signed below `floor`.
    #[must_use]
    pub const fn from_floor(floor: Round) -> Self {
        Self { floor, records: BTreeSet::new() }
    }

    /// The lowest round that was not left: no new proposal, ticket or timeout below it is permitted.
    #[must_use]
    pub const fn floor(&self) -> Round {
        self.floor
    }

    /// The lowest round whose records are kept; nothing new is permitted below it.
    #[must_use]
    pub const fn kept_from(&self) -> Round {
        Round(self.floor.0.saturating_sub(SIGNED_ROUNDS_KEPT))
    }

    /// What was signed, by round.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> + Clone {
        self.records.iter()
    }

    /// What was signed in one round.
    pub fn in_round(&self, round: Round) -> impl DoubleEndedIterator<Item = &Record> + Clone {
        let first = Record { round, kind: Kind::Proposal, subround: Subround(0), block: [0; 32] };
        let last =
            Record { round, kind: Kind::FinalityVote, subround: Subround(u32::MAX), block: [u8::MAX; 32] };
        self.records.range(first..=last)
    }

    /// Whether exactly this was signed.
    #[must_use]
    pub fn contains(&self, record: &Record) -> bool {
        self.records.contains(record)
    }

    /// Whether `record` may be signed after everything that is recorded.
    ///
    /// # Errors
    /// The [`Conflict`] that the signature would be.
    pub fn permits(&self, rules: &SigningRules, record: &Record) -> Result<Permit, Conflict> {
        if self.contains(record) {
            return Ok(Permit::Again);
        }
        if record.round < self.kept_from() {
            return Err(Conflict::Forgotten { record: *record, kept_from: self.kept_from() });
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
    pub fn insert(&mut self, record: Record) {
        if record.round >= self.kept_from() {
            self.records.insert(record);
        }
        self.raise_floor(match record.kind {
            Kind::FinalityVote if mutant!(FloorOneLower) => record.round,
            Kind::FinalityVote => Round(record.round.0.saturating_add(1)),
            Kind::Proposal | Kind::Ticket | Kind::Timeout => record.round,
        });
    }

    /// Leaves all rounds below `floor`. The floor never sinks.
    pub fn raise_floor(&mut self, floor: Round) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        let kept_from = self.kept_from();
        while self.records.first().is_some_and(|record| record.round < kept_from) {
            self.records.pop_first();
        }
    }
}

/// Whether signing `new` contradicts `signed`, which is of the same round and another record.
fn contradicts(rules: &SigningRules, signed: &Record, new: &Record) -> bool {
    match (signed.kind, new.kind) {
        // An honest generator makes one block a subround (mutants.md, 31).
        (Kind::Proposal, Kind::Proposal) => signed.subround == new.subround,
        // S1.
        (Kind::Ticket, Kind::Ticket) => rules.one_ticket_per_subround && signed.subround == new.subround,
        // Step 9: a timeout ends the tickets of its subround.
        (Kind::Timeout, Kind::Ticket) => {
            rules.timeout_ends_tickets && signed.subround >= new.subround && !mutant!(TimeoutEndsNothing)
        }
        // Step 8 (A3): a vote says that nothing else was ticketed in the round, in any subround.
        (Kind::Ticket, Kind::FinalityVote) => {
            signed.block != new.block
                && !(mutant!(VoteAgainstOtherSubround) && signed.subround != new.subround)
        }
        // One vote a round.
        (Kind::FinalityVote, Kind::FinalityVote) => true,
        _ => false,
    }
}

/// A signature that must not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Conflict {
    /// It contradicts another one.
    #[error("{record:?} contradicts {signed:?}, which was signed")]
    Contradicts {
        /// What was to be signed.
        record: Record,
        /// What was signed.
        signed: Record,
    },
    /// Its round was left.
    #[error("{record:?} is of a round that was left: the lowest open round is {}", floor.0)]
    RoundLeft {
        /// What was to be signed.
        record: Record,
        /// The lowest round that was not left.
        floor: Round,
    },
    /// Its round is so old that what was signed in it is not known any more.
    #[error("{record:?} is of a round whose records are gone: they are kept from round {}", kept_from.0)]
    Forgotten {
        /// What was to be signed.
        record: Record,
        /// The lowest round whose records are kept.
        kept_from: Round,
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

    fn proposal((r, s): (Round, Subround), block: [u8; 32]) -> Record {
        Record::proposal(r, s, block)
    }

    fn ticket((r, s): (Round, Subround), block: [u8; 32]) -> Record {
        Record::ticket(r, s, block)
    }

    fn timeout((r, s): (Round, Subround)) -> Record {
        Record::timeout(r, s)
    }

    fn vote((r, s): (Round, Subround), block: [u8; 32]) -> Record {
        Record::finality_vote(r, s, block)
    }

    fn signed(records: &[Record]) -> Signed {
        let mut signed = Signed::default();
        records.iter().for_each(|record| signed.insert(*record));
        signed
    }

    fn verdict(records: &[Record], record: Record) -> Result<Permit, Conflict> {
        signed(records).permits(&HARDENED, &record)
    }

    fn contradicts(records: &[Record], record: Record, with: Record) {
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
        assert_eq!(log.kept_from(), Round(6));
        for record in [old, vote(at(5, 0), A)] {
            assert_eq!(
                log.permits(&HARDENED, &record),
                Err(Conflict::Forgotten { record, kept_from: Round(6) })
            );
        }
        log.insert(old);
        assert_eq!(log.records().count(), 2, "memory stays bounded");
    }

    #[test]
    fn a_floor_closes_all_rounds_below_and_never_sinks() {
        let mut log = Signed::from_floor(Round(100));
        log.raise_floor(Round(50));
        assert_eq!(log.floor(), Round(100));
        let record = ticket(at(99, 0), A);
        assert_eq!(log.permits(&HARDENED, &record), Err(Conflict::RoundLeft { record, floor: Round(100) }));
        assert_eq!(log.permits(&HARDENED, &ticket(at(100, 0), A)), Ok(Permit::New));
        log.insert(vote(at(u64::MAX, 0), A));
        assert_eq!(log.floor(), Round(u64::MAX), "no overflow");
    }
}

//! The statements that this miner has signed or is about to sign, and those that it must therefore not sign any more
//! (S1).
//!
//! A statement is entered when its durable write is requested, before it is known to be on disk: from then on it may leave
//! at any moment. Nothing is ever taken back. A restarted miner begins with what its log says.
//!
//! Each step asks here before it signs; [`Miner::sign`](crate::miner::Miner::sign) asks [`SignedRecords::permits`] once more, and the log that
//! the host writes to asks it for itself: an honest miner signs against itself only if all three are wrong in the same way.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::block::BlockId;
use crate::committee::{Round, Subround};
use crate::statement::{FinalityVote, Proposed, Ticket, Timeout};
use crate::ticket_log::{Conflict, Kind, LogRecord, Permit, SignedRecords, SigningRules};

/// See the module doc.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger(Arc<SignedRecords>);

impl Hash for Ledger {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.floor().hash(state);
        self.0.complete_from().hash(state);
        for record in self.0.records() {
            record.hash(state);
        }
    }
}

impl Ledger {
    pub fn new(signed: SignedRecords) -> Self {
        Self(Arc::new(signed))
    }

    /// Enters a statement.
    pub fn enter(&mut self, record: LogRecord) {
        Arc::make_mut(&mut self.0).insert(record);
    }

    /// Whether signing the statement would contradict what was signed: the question that the log asks again.
    pub fn permits(&self, rules: &SigningRules, record: &LogRecord) -> Result<Permit, Conflict> {
        self.0.permits(rules, record)
    }

    fn of_kind(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &LogRecord> {
        self.0.records().filter(move |record| record.kind == kind)
    }

    fn in_round(&self, kind: Kind, round: Round) -> impl DoubleEndedIterator<Item = &LogRecord> {
        self.0.in_round(round).filter(move |record| record.kind == kind)
    }

    /// Own blocks, in order of round and subround.
    pub fn proposals(&self) -> impl Iterator<Item = Proposed> {
        self.of_kind(Kind::Proposal).map(proposed)
    }

    /// The own block of a subround.
    pub fn proposal(&self, round: Round, subround: Subround) -> Option<Proposed> {
        self.in_round(Kind::Proposal, round).find(|record| record.subround == subround).map(proposed)
    }

    /// All tickets, in order of round and subround.
    pub fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.of_kind(Kind::Ticket).map(ticket)
    }

    /// The tickets of one subround.
    pub fn tickets_of(&self, round: Round, subround: Subround) -> impl Iterator<Item = Ticket> {
        self.in_round(Kind::Ticket, round).filter(move |record| record.subround == subround).map(ticket)
    }

    /// Whether this block was ticketed.
    pub fn has_ticketed(&self, round: Round, block: BlockId) -> bool {
        self.in_round(Kind::Ticket, round).any(|record| record.block == block.0)
    }

    /// Finality votes, in order of round.
    pub fn votes(&self) -> impl DoubleEndedIterator<Item = FinalityVote> {
        self.of_kind(Kind::FinalityVote).map(vote)
    }

    /// Whether a finality vote was cast in `round`.
    pub fn has_voted(&self, round: Round) -> bool {
        self.in_round(Kind::FinalityVote, round).next().is_some()
    }

    /// Whether every block ticketed in the vote's round, over all subrounds, is the vote's (none is fine), and no vote was
    /// cast in that round (step 8). Where the log is not complete nobody knows: no.
    pub fn may_vote(&self, vote: &FinalityVote) -> bool {
        let mut tickets = self.in_round(Kind::Ticket, vote.round);
        vote.round >= self.0.complete_from()
            && tickets.all(|record| record.block == vote.block.0)
            && !self.has_voted(vote.round)
    }

    /// Whether the round was left, so that nothing more may be ticketed or timed out in it: a finality vote was cast in it,
    /// or something was signed in a later round.
    pub fn is_closed(&self, round: Round) -> bool {
        round < self.0.floor()
    }

    /// Whether this subround, or a later one of its round, was timed out.
    pub fn has_timed_out(&self, round: Round, subround: Subround) -> bool {
        self.in_round(Kind::Timeout, round).any(|record| record.subround >= subround)
    }

    /// Whether exactly this timeout was signed.
    pub fn signed_timeout(&self, timeout: Timeout) -> bool {
        self.0.contains(&timeout.into())
    }

    /// The timeout of the highest round and subround.
    pub fn highest_timeout(&self) -> Option<Timeout> {
        let last = self.of_kind(Kind::Timeout).next_back()?;
        Some(Timeout { round: last.round, subround: last.subround })
    }
}

fn proposed(record: &LogRecord) -> Proposed {
    Proposed { round: record.round, subround: record.subround, block: BlockId(record.block) }
}

fn ticket(record: &LogRecord) -> Ticket {
    Ticket { round: record.round, subround: record.subround, block: BlockId(record.block) }
}

fn vote(record: &LogRecord) -> FinalityVote {
    FinalityVote { round: record.round, subround: record.subround, block: BlockId(record.block) }
}

impl From<Proposed> for LogRecord {
    fn from(Proposed { round, subround, block }: Proposed) -> Self {
        LogRecord::proposal(round, subround, block.0)
    }
}

impl From<Ticket> for LogRecord {
    fn from(Ticket { round, subround, block }: Ticket) -> Self {
        LogRecord::ticket(round, subround, block.0)
    }
}

impl From<Timeout> for LogRecord {
    fn from(Timeout { round, subround }: Timeout) -> Self {
        LogRecord::timeout(round, subround)
    }
}

impl From<FinalityVote> for LogRecord {
    fn from(FinalityVote { round, subround, block }: FinalityVote) -> Self {
        LogRecord::finality_vote(round, subround, block.0)
    }
}

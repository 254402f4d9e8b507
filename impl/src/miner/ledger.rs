//! What this miner has signed or is about to sign, and what it therefore must not sign any more (S1).
//!
//! A statement is entered when its durable write is requested, before it is known to be on disk: from then on it may leave
//! at any moment. Nothing is ever taken back. A restarted miner fills the ledger from its log before it does anything.

use super::interface::Record;
use crate::block::BlockId;
use crate::bounds::SIGNED_ROUNDS_KEPT;
use crate::committee::{Round, Subround};
use crate::statement::{FinalityVote, Proposed, Ticket, Timeout};

/// See the module doc. The lists are in order of round and subround.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Ledger {
    proposals: Vec<Proposed>,
    tickets: Vec<Ticket>,
    timeouts: Vec<Timeout>,
    votes: Vec<FinalityVote>,
    /// No ticket and no timeout is signed below this round: it was left with a finality vote (step 8).
    floor: Round,
}

impl Ledger {
    /// Enters a statement.
    pub fn enter(&mut self, record: Record) {
        match record {
            Record::Proposal(proposed) => insert(&mut self.proposals, proposed),
            Record::Ticket(ticket) => insert(&mut self.tickets, ticket),
            Record::Timeout(timeout) => insert(&mut self.timeouts, timeout),
            Record::FinalityVote(vote) => {
                insert(&mut self.votes, vote);
                self.floor = self.floor.max(vote.round.next());
            }
        }
    }

    /// All tickets, in order of round and subround.
    pub fn tickets(&self) -> &[Ticket] {
        &self.tickets
    }

    /// The tickets of one subround.
    pub fn tickets_of(&self, round: Round, subround: Subround) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().filter(move |ticket| (ticket.round, ticket.subround) == (round, subround))
    }

    /// Whether this block was ticketed.
    pub fn has_ticketed(&self, round: Round, block: BlockId) -> bool {
        self.tickets.iter().any(|ticket| (ticket.round, ticket.block) == (round, block))
    }

    /// Whether every block ticketed in the vote's round, over all subrounds, is the vote's (none is fine), and no vote was
    /// cast in that round (step 8).
    pub fn may_vote(&self, vote: &FinalityVote) -> bool {
        let other = |ticket: &&Ticket| ticket.round == vote.round && ticket.block != vote.block;
        self.tickets.iter().find(other).is_none() && !self.has_voted(vote.round)
    }

    /// Whether a finality vote was cast in `round`.
    pub fn has_voted(&self, round: Round) -> bool {
        self.votes.iter().any(|vote| vote.round == round)
    }

    /// Finality votes, in order of round.
    pub fn votes(&self) -> &[FinalityVote] {
        &self.votes
    }

    /// Whether the round was left with a finality vote, so that nothing more may be ticketed or timed out in it.
    pub fn is_closed(&self, round: Round) -> bool {
        round < self.floor
    }

    /// Whether this subround, or a later one of its round, was timed out.
    pub fn has_timed_out(&self, round: Round, subround: Subround) -> bool {
        self.timeouts.iter().any(|timeout| timeout.round == round && timeout.subround >= subround)
    }

    /// Whether exactly this timeout was signed.
    pub fn signed_timeout(&self, timeout: &Timeout) -> bool {
        self.timeouts.binary_search(timeout).is_ok()
    }

    /// The timeout of the highest round and subround.
    pub fn highest_timeout(&self) -> Option<Timeout> {
        self.timeouts.last().copied()
    }

    /// All own blocks, in order of round and subround.
    pub fn proposals(&self) -> &[Proposed] {
        &self.proposals
    }

    /// The own block of a subround.
    pub fn proposal(&self, round: Round, subround: Subround) -> Option<&Proposed> {
        self.proposals.iter().find(|proposed| (proposed.round, proposed.subround) == (round, subround))
    }

    /// Forgets what is far below the finalized head: nothing is signed there any more, since the miner's round is above the
    /// head.
    pub fn prune(&mut self, head: Round) {
        let keep = Round(head.0.saturating_sub(SIGNED_ROUNDS_KEPT));
        self.proposals.retain(|proposed| proposed.round >= keep);
        self.tickets.retain(|ticket| ticket.round >= keep);
        self.timeouts.retain(|timeout| timeout.round >= keep);
        self.votes.retain(|vote| vote.round >= keep);
    }
}

fn insert<T: Ord>(list: &mut Vec<T>, item: T) {
    if let Err(index) = list.binary_search(&item) {
        list.insert(index, item);
    }
}

//! Write before send: what this miner signs leaves only when its record is durable (S1, step 5).

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Audience, Effects, Milestone, Miner, Output, WriteId};
use crate::block::BlockId;
use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::message::{Message, Proposal};
use crate::mutants::mutant;
use crate::rules::{SubroundEntryRule, TicketLogRule};
use crate::statement::{FinalityVote, Proposed, Signed, Ticket, Timeout};
use crate::ticket_log::{Kind, Record};

/// Records whose write was requested and not yet reported durable.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Signing {
    pending: VecDeque<(WriteId, Record)>,
    next: u64,
}

impl Signing {
    /// Whether the record is on its way to the log.
    pub fn is_pending(&self, statement: impl Into<Record>) -> bool {
        let record = statement.into();
        self.pending.iter().any(|(_, pending)| *pending == record)
    }

    /// The records on their way to the log.
    pub fn pending(&self) -> impl Iterator<Item = &Record> {
        self.pending.iter().map(|(_, record)| record)
    }
}

impl<S: Scheme> Miner<S> {
    /// Commits to signing a statement: enters it into the ledger and asks for the write; without a durable log it leaves
    /// at once.
    pub(super) fn sign(&mut self, statement: impl Into<Record>, fx: &mut Effects<'_>) {
        let record = statement.into();
        self.ledger.enter(record);
        match self.config.rules.ticket_log {
            TicketLogRule::Durable => {
                let write = WriteId(self.signing.next);
                self.signing.next += 1;
                self.signing.pending.push_back((write, record));
                fx.out.push(Output::Persist { write, record });
                if mutant!(self.config, SendBeforeWrite) {
                    self.publish(record, fx);
                }
            }
            TicketLogRule::Volatile => self.publish(record, fx),
        }
    }

    /// Everything up to this write is durable: the signatures may leave.
    pub(super) fn release(&mut self, write: WriteId, fx: &mut Effects<'_>) {
        while let Some(&(first, record)) = self.signing.pending.front()
            && first <= write
        {
            self.signing.pending.pop_front();
            self.publish(record, fx);
        }
    }

    /// Signs and sends, unless the miner has left what the statement is about in the meantime: keeping quiet is always
    /// safe, and a ticket or timeout of a left round must not appear (step 8).
    pub(super) fn publish(&mut self, record: Record, fx: &mut Effects<'_>) {
        let Record { kind, round, subround, block } = record;
        let block = BlockId(block);
        match kind {
            Kind::Proposal => self.publish_proposal(Proposed { round, subround, block }, fx),
            Kind::Ticket => self.publish_ticket(Ticket { round, subround, block }, fx),
            Kind::Timeout => self.publish_timeout(Timeout { round, subround }, fx),
            Kind::FinalityVote => self.publish_vote(FinalityVote { round, subround, block }, fx),
        }
    }

    fn publish_proposal(&mut self, proposed: Proposed, fx: &mut Effects<'_>) {
        let Some(block) = self.chain.block(proposed.round, proposed.block).cloned() else { return };
        if !self.is_here(proposed.round, proposed.subround) {
            return;
        }
        let timeout_certificate = match self.config.rules.subround_entry {
            SubroundEntryRule::Certificate => {
                self.timeout_certificate.as_ref().map(|(known, _)| Arc::clone(known))
            }
            SubroundEntryRule::Local => None,
        };
        if let Some(Signed { signature, .. }) = Signed::sign(proposed, &self.config.committee, &self.scheme) {
            let proposal = Proposal { block, timeout_certificate, signature };
            fx.broadcast(Audience::Miners, Message::Proposal(proposal));
            fx.milestone(Milestone::Proposed(proposed));
        }
    }

    fn publish_ticket(&mut self, ticket: Ticket, fx: &mut Effects<'_>) {
        if ticket.round != self.round && !mutant!(self.config, TicketAfterLeaving) {
            return;
        }
        if let Some(signed) = Signed::sign(ticket, &self.config.committee, &self.scheme) {
            fx.broadcast(Audience::Miners, Message::Ticket(signed));
            fx.milestone(Milestone::Ticketed(ticket));
            self.add_ticket(Peer::Miner(self.me), signed, fx);
        }
    }

    fn publish_timeout(&mut self, timeout: Timeout, fx: &mut Effects<'_>) {
        if timeout.round != self.round {
            return;
        }
        if let Some(signed) = Signed::sign(timeout, &self.config.committee, &self.scheme) {
            fx.broadcast(Audience::Miners, Message::Timeout(signed));
            fx.milestone(Milestone::TimedOut(timeout));
            self.add_timeout(Peer::Miner(self.me), signed, fx);
        }
    }

    fn publish_vote(&mut self, vote: FinalityVote, fx: &mut Effects<'_>) {
        if let Some(signed) = Signed::sign(vote, &self.config.committee, &self.scheme) {
            fx.broadcast(Audience::Miners, Message::FinalityVote(signed));
            fx.milestone(Milestone::Voted(vote));
            self.add_vote(Peer::Miner(self.me), signed, fx);
        }
    }
}

//! Write before send: what this miner signs leaves only when its record is durable (S1, step 5), and is recorded only when
//! what it rests upon is (L1).

use std::sync::Arc;

use crate::block::{Block, BlockId};
use crate::committee::Peer;
use crate::crypto::scheme::{Scheme, Signature};
use crate::message::{Message, Proposal};
use crate::miner::interface::{Audience, Milestone, Output, Stored, WriteId};
use crate::miner::{Effects, Miner};
use crate::rules::{SubroundEntryRule, TicketLogRule};
use crate::statement::{FinalityVote, Proposed, Signed, Ticket, Timeout};
use crate::ticket_log::{Kind, LogRecord, SigningRules};

impl<S: Scheme> Miner<S> {
    /// Keeps something for a restart. Every later signature rests upon it.
    pub(in crate::miner) fn store(&mut self, stored: Stored, fx: &mut Effects<'_>) {
        fx.out.push(Output::Store { write: self.signing.name_store(), stored });
    }

    /// Commits to signing a statement: enters it into the ledger and asks for the write, as soon as everything that it
    /// may rest upon is durable (L1, see [`Stored`]). Without a durable log it leaves at once. A statement that
    /// contradicts the ledger is withheld, whatever step asks for it (S1). Returns whether it will leave.
    pub(in crate::miner) fn sign(&mut self, statement: impl Into<LogRecord>, fx: &mut Effects<'_>) -> bool {
        let record = statement.into();
        let rules = SigningRules::from(&self.config.rules);
        if let Err(conflict) = self.ledger.permits(&rules, &record) {
            fx.out.push(Output::Withheld(conflict));
            return false;
        }
        self.ledger.enter(record);
        match self.config.rules.ticket_log {
            TicketLogRule::Durable => {
                if self.signing.is_all_stored() {
                    self.persist(record, fx);
                } else {
                    self.signing.held.push_back((self.signing.stored_next, record));
                }
            }
            TicketLogRule::Volatile => self.publish(record, fx),
        }
        true
    }

    fn persist(&mut self, record: LogRecord, fx: &mut Effects<'_>) {
        let write = self.signing.name_write();
        self.signing.pending.push_back((write.number, record));
        fx.out.push(Output::Persist { write, record });
    }

    /// Everything stored up to this write is durable: records that rest upon it may be written, in their order.
    pub(in crate::miner) fn stored(&mut self, write: WriteId, fx: &mut Effects<'_>) {
        self.signing.stored_below = self.signing.stored_below.max(self.signing.confirmed(write));
        while let Some(&(stores, record)) = self.signing.held.front()
            && stores <= self.signing.stored_below
        {
            self.signing.held.pop_front();
            self.persist(record, fx);
        }
    }

    /// Every record up to this write is durable: the signatures may leave.
    pub(in crate::miner) fn release(&mut self, write: WriteId, fx: &mut Effects<'_>) {
        let confirmed = self.signing.confirmed(write);
        while let Some(&(number, record)) = self.signing.pending.front()
            && number < confirmed
        {
            self.signing.pending.pop_front();
            self.publish(record, fx);
        }
    }

    /// Signs and sends, unless the miner has left the subround that the statement is about in the meantime: keeping quiet
    /// is always safe, and a ticket or timeout of a left round must not appear (step 8). A vote is sent always.
    pub(in crate::miner) fn publish(&mut self, record: LogRecord, fx: &mut Effects<'_>) {
        let LogRecord { kind, round, subround, block } = record;
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
        if let Some(Signed { signature, .. }) = Signed::sign(proposed, &self.config.committee, &self.scheme) {
            self.broadcast_proposal(block, signature, fx);
            fx.milestone(Milestone::Proposed(proposed));
        }
    }

    /// Sends a block of the own subround, with the certificate of the subround before where the rules ask for one.
    pub(in crate::miner) fn broadcast_proposal(
        &self,
        block: Arc<Block>,
        signature: Signature,
        fx: &mut Effects<'_>,
    ) {
        let timeout_certificate = match self.config.rules.subround_entry {
            SubroundEntryRule::Certificate => {
                self.timeout_certificate.as_ref().map(|(known, _)| Arc::clone(known))
            }
            SubroundEntryRule::Local => None,
        };
        let proposal = Proposal { block, timeout_certificate, signature };
        fx.broadcast(Audience::Miners, Message::Proposal(proposal));
    }

    fn publish_ticket(&mut self, ticket: Ticket, fx: &mut Effects<'_>) {
        if !self.is_here(ticket.round, ticket.subround) {
            return;
        }
        if let Some(signed) = Signed::sign(ticket, &self.config.committee, &self.scheme) {
            let coordinates = self.config.ticket_form.coordinates(&signed);
            fx.broadcast(Audience::Miners, Message::ticket(signed, coordinates));
            fx.milestone(Milestone::Ticketed(ticket));
            self.add_ticket(Peer::Miner(self.me), signed, coordinates, fx);
        }
    }

    fn publish_timeout(&mut self, timeout: Timeout, fx: &mut Effects<'_>) {
        if !self.is_here(timeout.round, timeout.subround) {
            return;
        }
        if self.config.rules.enters_alone() {
            // Nobody is told: the record is for a restart, which must not ticket what was given up.
            self.enter(timeout.round, timeout.subround.next(), None, fx);
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

//! Offences: proved once, kept within a bound, relayed (S10).

use std::sync::Arc;

use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::miner::interface::{Audience, Output};
use crate::miner::{Effects, Miner};
use crate::statement::{FinalityVote, Proposed, Signed, Ticket};

impl<S: Scheme> Miner<S> {
    /// Keeps and relays evidence that this miner came across, if it is new and holds. Returns whether it is and does.
    pub(in crate::miner) fn accuse(&mut self, evidence: Evidence, fx: &mut Effects<'_>) -> bool {
        let (evidence, evidence_rules) = (evidence.canonical(), self.config.evidence_rules());
        if !self.evidence.wants(&evidence) || evidence.check_form(&evidence_rules, &self.scheme).is_err() {
            return false;
        }
        if evidence.check_signatures(&evidence_rules, &self.scheme).is_err() {
            // A statement from its signer itself is taken unverified: whichever of the two is wrong, its signer sent
            // it.
            if let Evidence::TicketAgainstVote { vote, .. } = &evidence {
                self.accounts.fault(Peer::Miner(vote.signer));
            }
            return false;
        }
        self.convict(Arc::new(evidence), fx);
        true
    }

    pub(in crate::miner) fn convict(&mut self, evidence: Arc<Evidence>, fx: &mut Effects<'_>) {
        if let Evidence::Proposals { first, .. } = &*evidence {
            self.exclude(first);
        }
        self.evidence.keep(Arc::clone(&evidence));
        fx.broadcast(Audience::Miners, Message::Evidence(Arc::clone(&evidence)));
        fx.out.push(Output::Evidence(evidence));
    }

    /// Step 4: no further block of an equivocating generator becomes a candidate of that subround.
    pub(in crate::miner) fn exclude(&mut self, proposed: &Signed<Proposed>) {
        let Proposed { round, subround, .. } = proposed.statement;
        if let Some(state) = self.rounds.collecting(self.here(), round, subround)
            && let Err(index) = state.equivocators.binary_search(&proposed.signer)
        {
            state.equivocators.insert(index, proposed.signer);
        }
    }

    /// Compares a new ticket with its signer's finality vote.
    pub(in crate::miner) fn compare_with_vote(&mut self, ticket: Signed<Ticket>, fx: &mut Effects<'_>) {
        let Some(state) = self.rounds.get(ticket.round) else { return };
        let vote = state.votes.signed_by(ticket.signer).find(|vote| vote.block != ticket.block).copied();
        if let Some(vote) = vote {
            self.accuse(Evidence::TicketAgainstVote { ticket, vote }, fx);
        }
    }

    /// Compares a new finality vote with its signer's tickets of the round.
    pub(in crate::miner) fn compare_with_tickets(
        &mut self,
        vote: Signed<FinalityVote>,
        fx: &mut Effects<'_>,
    ) {
        if !self.config.rules.votes() {
            return;
        }
        let Some(state) = self.rounds.get(vote.round) else { return };
        let tickets = state.subrounds.iter().flat_map(|state| state.tickets.signed_by(vote.signer));
        let others: Vec<Signed<Ticket>> =
            tickets.copied().filter(|ticket| ticket.block != vote.block).collect();
        // Tickets are held unverified: a wrong one must not hide a genuine one. There are as many as subrounds are collected.
        for ticket in others {
            if self.accuse(Evidence::TicketAgainstVote { ticket, vote }, fx) {
                break;
            }
        }
    }
}

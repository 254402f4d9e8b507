//! While nothing moves, a miner says again what others may have lost: its position, and what it signed there (L3, L4).
//!
//! Everything in it was sent before, or rests on a certificate that any honest miner may send. Signatures are deterministic,
//! so that signing again gives the same bytes.

use std::sync::Arc;

use super::{Audience, Effects, Miner, Source, Timer};
use crate::bounds::RESENT_VOTES;
use crate::committee::{Peer, Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::message::{BeaconShare, Message, Proposal};
use crate::rules::SubroundEntryRule;
use crate::statement::{Signed, Timeout};

impl<S: Scheme> Miner<S> {
    /// The miner is still where it was when the timer was set.
    pub(super) fn resend(&mut self, round: Round, subround: Subround, fx: &mut Effects<'_>) {
        if !self.is_here(round, subround) {
            return;
        }
        fx.set_timer(Timer::Resend { round, subround }, self.config.timing.resend);
        // Certificates of others are said again where they are relayed at all.
        let may_relay = self.relays(Source::Received(Peer::Miner(self.me)));
        if let Some(entry) = self.entry.notarization.as_ref().filter(|_| may_relay) {
            fx.broadcast(Audience::Everyone, Message::Notarization(Arc::clone(entry)));
        }
        if let Some(finality) = self.chain.finality().filter(|_| may_relay) {
            fx.broadcast(Audience::Everyone, Message::FinalityCertificate(Arc::clone(finality)));
        }
        if let Some(certificate) = self.timeout_certificate.as_ref().filter(|_| may_relay) {
            fx.broadcast(Audience::Miners, Message::TimeoutCertificate(Arc::clone(certificate)));
        }
        if let Some(target) = self.beacon_target(subround)
            && let Some(share) = BeaconShare::sign(target, &self.config.committee, &self.scheme)
        {
            fx.broadcast(Audience::Miners, Message::BeaconShare(share));
        }
        self.resend_proposal(fx);
        self.resend_statements(fx);
    }

    fn resend_proposal(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(proposed) = self.ledger.proposal(round, subround) else { return };
        let Some(block) = self.chain.block(round, proposed.block).cloned() else { return };
        if self.signing.is_pending(proposed) {
            return;
        }
        let timeout_certificate = match self.config.rules.subround_entry {
            SubroundEntryRule::Certificate => {
                self.timeout_certificate.as_ref().map(|known| (**known).clone())
            }
            SubroundEntryRule::Local => None,
        };
        if let Some(Signed { signature, .. }) = Signed::sign(proposed, &self.config.committee, &self.scheme) {
            let proposal = Proposal { block, timeout_certificate, signature };
            fx.broadcast(Audience::Miners, Message::Proposal(proposal));
        }
    }

    fn resend_statements(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let mut messages = Vec::new();
        for ticket in self.ledger.tickets_of(round, subround) {
            if !self.signing.is_pending(ticket) {
                messages.extend(Signed::sign(ticket, committee, scheme).map(Message::Ticket));
            }
        }
        let timeout = Timeout { round, subround };
        let by_certificate = self.config.rules.subround_entry == SubroundEntryRule::Certificate;
        if by_certificate && self.ledger.signed_timeout(timeout) && !self.signing.is_pending(timeout) {
            messages.extend(Signed::sign(timeout, committee, scheme).map(Message::Timeout));
        }
        let head = self.chain.head().round();
        let open = self.ledger.votes().filter(|vote| vote.round > head);
        for vote in open.rev().take(RESENT_VOTES) {
            if !self.signing.is_pending(vote) {
                messages.extend(Signed::sign(vote, committee, scheme).map(Message::FinalityVote));
            }
        }
        for message in messages {
            fx.broadcast(Audience::Miners, message);
        }
    }
}

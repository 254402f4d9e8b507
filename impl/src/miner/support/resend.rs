//! While nothing moves, a miner says again what others may have lost: its position, and what it signed there (L3, L4).
//!
//! A miner that moves on does not repeat itself: what it said of a round that was left is needed for finality votes only, and
//! a later round's votes finalize an older block with them (step 10). So while rounds go on the head may lag by as many rounds
//! as lose too many votes, and it is caught up with by the first that does not, or as soon as the network stands still.
//!
//! Everything in it was sent before, or rests on a certificate that any honest miner may send. Signatures are deterministic,
//! so that signing again gives the same bytes.

use std::sync::Arc;

use crate::committee::{Peer, Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::limits::RESENT_VOTES;
use crate::message::{BeaconShare, Message};
use crate::miner::interface::{Audience, Timer};
use crate::miner::{Effects, Miner, Source};
use crate::statement::{FinalityVote, Signed, Statement, Ticket, Timeout};
use crate::ticket_log::LogRecord;

impl<S: Scheme> Miner<S> {
    /// The miner is still where it was when the timer was set.
    pub(in crate::miner) fn resend(&mut self, round: Round, subround: Subround, fx: &mut Effects<'_>) {
        if !self.is_here(round, subround) {
            return;
        }
        fx.set_timer(Timer::Resend { round, subround }, self.config.timing.resend);
        self.say_again(fx);
    }

    /// Says the own position, and what was signed there.
    pub(in crate::miner) fn say_again(&mut self, fx: &mut Effects<'_>) {
        if let Some(entry) = self.entry.notarization.as_ref().filter(|_| self.relays(self.entry.source)) {
            fx.broadcast(Audience::Everyone, Message::Notarization(Arc::clone(entry)));
        }
        if let Some((certificate, source)) = &self.timeout_certificate
            && self.relays(*source)
        {
            fx.broadcast(Audience::Miners, Message::TimeoutCertificate(Arc::clone(certificate)));
        }
        let others = Source::Received(Peer::Miner(self.me));
        if let Some(finality) = self.chain.finality().filter(|_| self.relays(others)) {
            fx.broadcast(Audience::Everyone, Message::FinalityCertificate(Arc::clone(finality)));
        }
        if let Some(target) = self.beacon_target(self.subround)
            && let Some(share) = BeaconShare::sign(target, &self.config.committee, &self.scheme)
        {
            fx.broadcast(Audience::Miners, Message::BeaconShare(share));
        }
        // The largest last: should a peer drop messages after it, it has heard the others.
        self.resend_statements(fx);
        self.resend_proposal(fx);
    }

    fn resend_proposal(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(proposed) = self.ledger.proposal(round, subround) else { return };
        let Some(block) = self.chain.block(round, proposed.block).cloned() else { return };
        let Some(Signed { signature, .. }) = self.sign_again(proposed) else { return };
        self.broadcast_proposal(block, signature, fx);
    }

    /// Signs again what was signed here; after a restart that is also how it gets back into the own pools.
    fn resend_statements(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let me = Peer::Miner(self.me);
        let tickets: Vec<Ticket> = self.ledger.tickets_of(round, subround).collect();
        for ticket in tickets {
            if let Some(signed) = self.sign_again(ticket) {
                let coordinates = self.config.ticket_form.coordinates(&signed);
                fx.broadcast(Audience::Miners, Message::ticket(signed, coordinates));
                self.add_ticket(me, signed, coordinates, fx);
            }
        }
        let timeout = Timeout { round, subround };
        let by_certificate = !self.config.rules.enters_alone();
        if by_certificate
            && self.ledger.signed_timeout(timeout)
            && let Some(signed) = self.sign_again(timeout)
        {
            fx.broadcast(Audience::Miners, Message::Timeout(signed));
            self.add_timeout(me, signed, fx);
        }
        let head = self.chain.head().round();
        let open = self.ledger.votes().rev().take_while(|vote| vote.round > head);
        let votes: Vec<FinalityVote> = open.take(RESENT_VOTES).collect();
        for vote in votes {
            if let Some(signed) = self.sign_again(vote) {
                fx.broadcast(Audience::Miners, Message::FinalityVote(signed));
                self.add_vote(me, signed, fx);
            }
        }
    }

    /// Signs what is in the ledger, if it is durable. BLS signatures are deterministic: the bytes are the same again.
    fn sign_again<T: Statement + Into<LogRecord>>(&self, statement: T) -> Option<Signed<T>> {
        let durable = !self.signing.is_pending(statement);
        durable.then(|| Signed::sign(statement, &self.config.committee, &self.scheme)).flatten()
    }
}

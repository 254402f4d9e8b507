//! Steps 1 and 6 to 8: notarizations, leaving a round through one, entering the next.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Audience, Effects, Entry, Event, Milestone, Miner, Output, Phase, Source, Stored, Timer};
use crate::bounds::SUBROUNDS_BEHIND;
use crate::certified::{Notarization, TimeoutCertificate, Verified};
use crate::committee::{MinerId, Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::statement::{FinalityVote, Ticket};

impl<S: Scheme> Miner<S> {
    /// Whether a certificate from `source` is sent on: what this miner made always is (step 7).
    pub(super) fn relays(&self, source: Source) -> bool {
        match source {
            Source::Formed => true,
            Source::Received(_) => self.config.rules.relays(),
        }
    }

    /// Step 6: makes a notarization of the own round, when the tickets for one block suffice.
    pub(super) fn count_tickets(&mut self, ticket: Ticket, fx: &mut Effects<'_>) {
        let Ticket { round, subround, block } = ticket;
        if round != self.round || self.chain.notarization_of(round, block).is_some() {
            return;
        }
        let quorum = self.config.quorum();
        let Some(state) = self.rounds.get(round).and_then(|state| state.subround(subround)) else { return };
        if state.tickets.count(&ticket) < quorum {
            return;
        }
        let suspects = self.accounts.suspects(fx.now);
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let tickets = &mut self.rounds.get_mut(round).subround_mut(subround).tickets;
        let mut blamed = tickets.verify_alone(&ticket, &suspects, committee, scheme);
        let certified = tickets.certify(&ticket, quorum, committee, scheme, &mut blamed);
        blame(&blamed, fx);
        if let Some(notarization) = certified {
            self.events.push_back(Event::Notarized(notarization, Source::Formed));
        }
    }

    /// Counts what was collected of a round before it was entered.
    fn count_early_tickets(&mut self, fx: &mut Effects<'_>) {
        let Some(state) = self.rounds.get(self.round) else { return };
        let quorum = self.config.quorum();
        let claimed: Vec<Ticket> =
            state.subrounds.iter().flat_map(|state| state.tickets.claimed(quorum)).collect();
        for ticket in claimed {
            self.count_tickets(ticket, fx);
        }
    }

    /// Step 8: leaves the round of the notarization, whatever the own round was.
    pub(super) fn leave(
        &mut self,
        notarization: Verified<Arc<Notarization>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        let Ticket { round, subround, block } = notarization.statement;
        self.note(&notarization, source, fx);
        // In the log before a vote that rests upon it.
        self.store(Stored::Notarization(Arc::clone(&notarization)), fx);
        if self.relays(source) {
            // Step 7.
            fx.broadcast(Audience::Everyone, Message::Notarization(Arc::clone(&notarization)));
        }
        if round > self.round {
            fx.milestone(Milestone::Jumped { from: self.round, to: round });
        } else if subround != self.subround {
            fx.milestone(Milestone::Switched { round, from: self.subround, to: subround });
        }
        let vote = FinalityVote { round, subround, block };
        let votes = self.config.rules.votes() && self.ledger.may_vote(&vote);
        if votes {
            self.sign(vote, fx);
        }
        fx.milestone(Milestone::Left { round, block, voted: votes });
        if self.config.rules.waits_before_finality() {
            fx.set_timer(Timer::Finality { round }, self.config.timing.delta.saturating_mul(2));
        }
        if let Source::Received(peer) = source {
            self.catch_up.heard_from(peer);
        }
        self.entry = Entry { block, subround, notarization: Some(notarization), source };
        self.enter(round.next(), Subround(0), None, fx);
        self.evaluate_finality(round, fx);
        self.try_pending_finality(fx);
    }

    /// A notarization of a round that this miner has left, or of another subround than the one it left through.
    pub(super) fn learn(
        &mut self,
        notarization: Verified<Arc<Notarization>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        if !self.note(&notarization, source, fx) {
            return;
        }
        self.evaluate_finality(notarization.round, fx);
        self.adopt(notarization.round, source, fx);
    }

    /// The page: a miner that receives a notarized block of another subround changes its own to match. With a beacon chained
    /// to the notarized block this matters after the round was left, too: all follow the greatest seed among the notarized
    /// blocks of the round, or they would sign different beacon messages for ever. Asked for again whenever a certificate
    /// or a block of `round` became known, since a seed can be compared only when its blocks are here.
    pub(super) fn adopt(&mut self, round: Round, source: Source, fx: &mut Effects<'_>) {
        if !self.adopts() || round.next() != self.round {
            return;
        }
        let mut best = self.entry.block;
        let mut greatest = None;
        for known in self.chain.notarizations(round) {
            if self.chain.compare_seeds(round, known.block, best) == Ordering::Greater {
                best = known.block;
                greatest = Some(known.clone());
            }
        }
        let Some(notarization) = greatest else { return };
        let subround = notarization.subround;
        self.store(Stored::Notarization(Arc::clone(&notarization)), fx);
        if self.relays(source) {
            fx.broadcast(Audience::Everyone, Message::Notarization(Arc::clone(&notarization)));
        }
        fx.milestone(Milestone::Switched { round, from: self.entry.subround, to: subround });
        fx.milestone(Milestone::Adopted { round, block: best });
        self.entry = Entry { block: best, subround, notarization: Some(notarization), source };
        self.restart_beacon(fx);
    }

    /// Whether a round may be entered again through another block, of a greater seed.
    pub(super) fn adopts(&self) -> bool {
        self.config.rules.chained() && self.config.rules.adopts()
    }

    /// The seed changed: what depended on the old one is void.
    fn restart_beacon(&mut self, fx: &mut Effects<'_>) {
        for state in &mut self.rounds.get_mut(self.round).subrounds {
            state.beacon.known = None;
            state.ranks = None;
            state.candidates.clear();
        }
        self.payload_requested = None;
        self.accounts.takes_up_again();
        self.share_beacon(fx);
    }

    /// Enters a notarization into the chain. Returns whether it is new.
    fn note(
        &mut self,
        notarization: &Verified<Arc<Notarization>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) -> bool {
        let ticket = notarization.statement;
        let known = self.chain.notarizations(ticket.round).iter();
        let rival = known
            .filter(|known| known.subround == ticket.subround && known.block != ticket.block)
            .map(|rival| Arc::clone(rival))
            .next();
        if let Some(first) = rival {
            self.accuse(Evidence::Notarizations { first, second: Arc::clone(notarization) }, fx);
        }
        let new = self.chain.notarize(notarization.clone());
        if new {
            fx.milestone(Milestone::Notarized { ticket, formed: source == Source::Formed });
        }
        new
    }

    /// Steps 1 and 9: enters a subround, then counts what came early.
    pub(super) fn enter(
        &mut self,
        round: Round,
        subround: Subround,
        certificate: Option<(Verified<Arc<TimeoutCertificate>>, Source)>,
        fx: &mut Effects<'_>,
    ) {
        let new_round = round != self.round;
        (self.round, self.subround) = (round, subround);
        self.timeout_certificate = certificate;
        let given_up = self.ledger.has_timed_out(round, subround) || self.ledger.is_closed(round);
        self.phase = if given_up { Phase::TimedOut } else { Phase::Collecting };
        self.rounds.prune(round, subround, self.config.ordered_as(subround));
        if new_round {
            // Candidates of the left round that nobody notarized have had their time; if one was, it can be fetched.
            if let Some(left) = round.previous() {
                self.forget_candidates(left, Subround(u32::MAX));
            }
            self.waiting.retain(|(_, proposal)| proposal.block.round() >= round);
        }
        self.forget_candidates(round, Subround(subround.0.saturating_sub(SUBROUNDS_BEHIND)));
        fx.milestone(Milestone::Entered { round, subround });
        let timing = self.config.timing;
        fx.set_timer(Timer::Window { round, subround }, timing.window_closes(subround));
        fx.set_timer(Timer::Wait { round, subround }, timing.gives_up(subround));
        fx.set_timer(Timer::Resend { round, subround }, timing.resend);
        self.share_beacon(fx);
        self.announce_known_beacon(fx);
        if new_round {
            self.count_early_tickets(fx);
        }
        self.count_timeouts(subround, fx);
    }

    /// Drops blocks of subrounds below this one that are not notarized and that this miner did not ticket.
    fn forget_candidates(&mut self, round: Round, below: Subround) {
        let ledger = &self.ledger;
        self.chain.forget_candidates(round, below, |id| ledger.has_ticketed(round, id));
    }

    /// The beacon value of a new subround may be known already.
    fn announce_known_beacon(&mut self, fx: &mut Effects<'_>) {
        let target = self.beacon_target(self.subround);
        if let Some(value) = target.and_then(|target| self.known_beacon(&target)).map(|known| known.value)
            && !self.events.contains(&Event::BeaconKnown)
        {
            fx.milestone(Milestone::Beacon { round: self.round, subround: self.subround, value });
            self.events.push_back(Event::BeaconKnown);
        }
    }
}

/// Reports signers whose stored signatures turned out wrong.
pub(super) fn blame(signers: &[MinerId], fx: &mut Effects<'_>) {
    fx.out.extend(signers.iter().map(|&signer| Output::Blamed(signer)));
}

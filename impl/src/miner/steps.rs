//! The protocol: which fact does what in which phase, and the ten steps in their order.
//!
//! This is the recommended profile, `hardened`; steps have variants under other [`Rules`](crate::rules::Rules).
//! PROTOCOL.md, section 4, is the same in words.
//!
//! 1. **Enter** (r, 0) on the first notarization known for r - 1, whatever its subround. Send a beacon share for r. `n - f`
//!    valid shares make the beacon value; the order of generators of (r, s) follows from it.
//! 2. **Propose**: a miner with rank below `G` in (r, s) broadcasts one block that extends the notarized block through which
//!    it entered r, with that block's certificate, and the timeout certificate of s - 1 when s > 0. Once per (r, s), across
//!    restarts too. The block names the highest finality certificate that the miner knows, of a round below r, and carries
//!    it. More than `K` ([`Config::payload_rounds`](crate::miner::Config::payload_rounds)) rounds above the named block the
//!    payload is empty, and the application is not asked for one.
//! 3. **Collect** proposals until the window closes.
//! 4. **Select** the best rank among valid proposals of (r, s): generator eligible (S4), parent notarized in exactly r - 1
//!    (S3), chain extends the own finalized head (S7), application accepts. The finality certificate that the block names is
//!    genuine, of a round below r, and of no lower round than the one that its parent names; the payload is empty more than
//!    `K` rounds above it. These verdicts follow from the block and its parent: a validator's own head has no part in them,
//!    or those that lag would stop the chain. That the named block is an ancestor follows (S6) and is not checked. A
//!    generator with two blocks in one (r, s) is an equivocator: the proof is kept and relayed, its first block stays a
//!    candidate, no further one becomes one.
//! 5. **Ticket** the selected block: at most one per (r, s), in the log before it leaves (S1), and the block in the host's
//!    storage before that. When nothing was ticketed by the end of the window, a late proposal still is.
//! 6. **Collect tickets**: `q` valid ones of one (r, s, block) from distinct miners make a notarization (S2, S8).
//! 7. **Broadcast the notarization** to miners and sharders. Everyone relays it once.
//! 8. **Leave** r on its first notarization, of any subround s': adopt s', sign no ticket and no timeout of r any more, cast
//!    a finality vote for its block if every block ticketed in r, over all subrounds, is that block (none is fine), enter
//!    (r + 1, 0). A notarization of a later round is the same jump.
//! 9. **Time out** after the window plus the wait for tickets: stop ticketing (r, s), broadcast a timeout vote; `f + 1` votes
//!    make others join; `q` make a timeout certificate, which is relayed and lets everyone enter (r, s + 1). Subrounds are
//!    unbounded; waits grow.
//! 10. **Finalize**: `q` finality votes for a block make a finality certificate; the block and its ancestors are final.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::block::{Block, BlockContent, BlockId, Closing};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate, Verified};
use crate::chain::{FinalBlock, FinalizeError};
use crate::committee::{Peer, Round, Subround};
use crate::crypto::ranks::Rank;
use crate::crypto::scheme::Scheme;
use crate::limits::{MAX_EPOCH_ITEMS_BYTES, MAX_PAYLOAD_BYTES, SUBROUNDS_BEHIND};
use crate::message::{Message, Proposal};
use crate::miner::interface::{Audience, Milestone, Output, Phase, ProposalError, Stored, Timer};
use crate::miner::state::rounds::Candidate;
use crate::miner::support::certify;
use crate::miner::{Contents, Effects, Entry, Event, Miner, Source};
use crate::rules::{SubroundEntryRule, TicketRule};
use crate::statement::{FinalityVote, Proposed, Signed, Ticket, Timeout};

impl<S: Scheme> Miner<S> {
    /// The protocol: which fact does what in which phase. The signatures of step 6, and those of timeouts, votes and shares, are
    /// counted as they come (`count_tickets`); a certificate that they make is an event here, as one that was received. Step 7, the
    /// relay, is part of the step that takes the certificate.
    pub(super) fn transition(&mut self, event: Event, fx: &mut Effects<'_>) {
        use Phase::{Collecting, Ticketing, TimedOut};
        match (self.phase, event) {
            // Step 1: the order of generators is known. Step 2: propose, if it is our turn.
            (_, Event::BeaconKnown) => self.ask_for_payload(fx),
            // Step 2: the payload is here.
            (Collecting | Ticketing, Event::Payload(round, subround, contents))
                if self.is_here(round, subround) =>
            {
                self.propose(contents, fx);
            }
            // Step 3: collect.
            (_, Event::Proposal(from, proposal)) => self.collect(from, proposal, fx),
            // Step 4 and 5: the window closes; select and ticket.
            (Collecting, Event::WindowClosed(round, subround)) if self.is_here(round, subround) => {
                self.phase = Ticketing;
                self.select(fx);
            }
            // Step 5: a late proposal; or, where the rule allows a second ticket, a better one.
            (Ticketing, Event::Accepted(round, _)) if round == self.round => {
                self.select(fx);
            }
            // Step 8: a notarization of this round: leave it; of a later one: jump.
            (_, Event::Notarized(notarization, source)) if self.moves(&notarization) => {
                self.leave(notarization, source, fx);
            }
            // Step 8: a notarization of a round that was left, with the beacon chained to it: the page's "adopt".
            (_, Event::Notarized(notarization, source)) => self.learn(notarization, source, fx),
            // Missing blocks are here.
            (_, Event::CaughtUp(from, response, new)) => self.take_blocks(from, &response, new, fx),
            // Step 9: the wait is over, or f + 1 others say so.
            (Collecting | Ticketing, Event::WaitOver(round, subround) | Event::Joined(round, subround))
                if self.is_here(round, subround) =>
            {
                self.time_out(fx);
            }
            // Step 9: a timeout certificate of this subround or a later one.
            (_, Event::TimeoutCertified(certificate, source))
                if certificate.round == self.round && certificate.subround >= self.subround =>
            {
                self.enter_by_certificate(certificate, source, fx);
            }
            // Step 10.
            (_, Event::FinalityCertified(certificate, source)) => {
                self.certified_final(certificate, source, fx)
            }
            // Events that come too late, or do not concern this phase.
            (
                TimedOut,
                Event::Payload(..) | Event::Accepted(..) | Event::WaitOver(..) | Event::Joined(..),
            )
            | (Collecting, Event::Accepted(..))
            | (
                _,
                Event::Payload(..)
                | Event::Accepted(..)
                | Event::WindowClosed(..)
                | Event::WaitOver(..)
                | Event::Joined(..)
                | Event::TimeoutCertified(..),
            ) => {}
        }
    }

    /// Whether a notarization makes the miner leave its round (step 8).
    pub(super) fn moves(&self, notarization: &Notarization) -> bool {
        notarization.round >= self.round
    }

    // Step 1: enter.

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

    // Step 2: propose.

    /// Asks the application for a payload, when it is this miner's turn, it has not used it, and the application knows the
    /// block to build on.
    pub(super) fn ask_for_payload(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(rank) = self.rank(subround, self.me) else { return };
        let Some(parent_round) = round.previous() else { return };
        if self.phase == Phase::TimedOut
            || !self.is_eligible(rank)
            || self.has_proposed()
            || self.payload_requested == Some((round, subround))
            || !self.chain.is_accepted(parent_round, self.entry.block)
            || self.entry.notarization.is_none() && parent_round != self.config.anchor()
        {
            return;
        }
        if let Some(parent) = self.chain.block(parent_round, self.entry.block).map(Arc::clone) {
            self.payload_requested = Some((round, subround));
            if self.has_empty_child(&parent) {
                self.events.push_back(Event::Payload(round, subround, Contents::default()));
                return;
            }
            fx.out.push(Output::RequestPayload { round, subround, parent });
        }
    }

    /// Makes the block; it leaves when its record is in the log.
    pub(super) fn propose(&mut self, contents: Contents, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(parent_round) = round.previous() else { return };
        let Some(parent) = self.chain.block(parent_round, self.entry.block).map(Arc::clone) else { return };
        let Some(rank) = self.rank(subround, self.me).filter(|&rank| self.is_eligible(rank)) else { return };
        let Some(target) = self.beacon_target(subround) else { return };
        let Some(beacon) = self.known_beacon(&target).cloned() else { return };
        let too_large =
            contents.payload.len() > MAX_PAYLOAD_BYTES || contents.items.len() > MAX_EPOCH_ITEMS_BYTES;
        if self.has_proposed() || too_large {
            return;
        }
        let contents = if self.has_empty_child(&parent) { Contents::default() } else { contents };
        let closing = match self.config.closing_after(parent.header()) {
            Closing::Open => contents.record.map_or(Closing::Open, |record| Closing::Closes { record }),
            tail => tail,
        };
        let certificate = self.entry.notarization.as_ref().filter(|_| parent_round > self.config.anchor());
        let block = Arc::new(Block::new(BlockContent {
            chain: self.config.committee.chain(),
            epoch: self.config.committee.epoch(),
            round,
            subround,
            generator: self.me,
            parent: parent.id(),
            parent_notarization: certificate.map(|known| (**known).clone()),
            finality: self.named_finality(&parent).cloned(),
            beacon: beacon.value,
            beacon_signature: beacon.signature,
            closing,
            items: contents.items,
            payload: contents.payload,
            time: fx.now.max(parent.header().time),
        }));
        let proposed = Proposed { round, subround, block: block.id() };
        let Some(signed) = Signed::sign(proposed, &self.config.committee, &self.scheme) else { return };
        self.store(Stored::Block(Arc::clone(&block)), fx);
        self.add_candidate(
            block,
            Candidate {
                block: proposed.block,
                parent: parent.id(),
                generator: self.me,
                rank,
                signature: signed.signature,
            },
            fx,
        );
        self.chain.mark_stored(round, proposed.block);
        self.sign(proposed, fx);
    }

    /// The highest finality certificate that a block of the own round on top of `parent` can name. The parent's counts, so
    /// that no block names a lower one than its parent: the parent is notarized, so its certificate is genuine.
    fn named_finality<'a>(&'a self, parent: &'a Block) -> Option<&'a Arc<FinalityCertificate>> {
        let own = self.chain.finality().into_iter().chain(&self.pending_finality);
        // The block that the epoch begins on names a block of the epoch before.
        let of_parent = parent.finality().filter(|_| parent.round() > self.config.anchor());
        own.map(|known| &**known)
            .chain(of_parent)
            .filter(|known| known.round < self.round)
            .max_by_key(|known| known.round)
    }

    /// Whether a block of the own round on top of `parent` has to be empty: it is in the tail of the epoch, or too far above the
    /// block that it can name as final.
    fn has_empty_child(&self, parent: &Block) -> bool {
        let named = self.named_finality(parent).map_or(self.config.anchor(), |known| known.round);
        let beyond =
            self.config.rules.votes() && self.round.0.saturating_sub(named.0) > self.config.payload_rounds;
        beyond || self.config.closing_after(parent.header()) != Closing::Open
    }

    fn has_proposed(&self) -> bool {
        self.ledger.proposal(self.round, self.subround).is_some()
    }

    // Step 3: collect.

    /// Step 3: a proposal of the own round becomes a candidate when its generator has its turn (S4).
    pub(super) fn collect(&mut self, from: Peer, proposal: Proposal, fx: &mut Effects<'_>) {
        let block = Arc::clone(&proposal.block);
        let header = *block.header();
        if header.round != self.round {
            return;
        }
        let position = (header.round, header.subround);
        let Some(target) = self.target_of(&block) else {
            self.wait_for_parent(from, proposal);
            return;
        };
        // Under the chained beacon, a block built on another seed is not wrong, but not for us.
        if self.beacon_target(header.subround) != Some(target) {
            self.accounts.set_aside(from, position, proposal.signature, None);
            return;
        }
        if self.rounds.collecting((self.round, self.subround), header.round, header.subround).is_none() {
            return;
        }
        if !self.check_beacon(&block, target, fx) {
            fx.refuse(from, ProposalError::WrongBeacon.into());
            return;
        }
        let Some(rank) = self.rank(header.subround, header.generator) else { return };
        if !self.is_eligible(rank) {
            let refusal = ProposalError::NotEligible { rank: rank.0, generators: self.config.generators };
            fx.refuse(from, refusal.into());
            return;
        }
        let drift = self.config.timing.clock_drift;
        if header.time > fx.now + drift {
            let until = header.time - drift;
            self.accounts.set_aside(from, position, proposal.signature, Some(until));
            fx.refuse(from, ProposalError::Early.into());
            return;
        }
        if let Err(error) = self.check_finality_rises(&header) {
            fx.refuse(from, error.into());
            return;
        }
        // One that is old here says nothing, and honest miners lag: so it is checked where the block is worth it.
        if let Err(refusal) = self.check_finality(&block) {
            fx.refuse(from, refusal);
            return;
        }
        let candidate = Candidate {
            block: block.id(),
            parent: header.parent,
            generator: header.generator,
            rank,
            signature: proposal.signature,
        };
        self.accounts.forgive_arrival(from);
        self.add_candidate(block, candidate, fx);
    }

    // Steps 4 and 5: select and ticket.

    /// Steps 4 and 5: tickets what the rule allows among the candidates of the own subround.
    pub(super) fn select(&mut self, fx: &mut Effects<'_>) {
        while let Some(id) = self.choice() {
            let (round, subround) = self.here();
            if let Some(block) = self.chain.block(round, id).map(Arc::clone) {
                self.store(Stored::Block(block), fx);
                self.chain.mark_stored(round, id);
            }
            // A withheld ticket is not entered in the ledger, and would be chosen again.
            if !self.sign(Ticket { round, subround, block: id }, fx) {
                return;
            }
        }
    }

    /// The next block to ticket in the own subround: the first that the rule allows. Candidates are in order of their ranks.
    fn choice(&self) -> Option<BlockId> {
        let (round, subround) = self.here();
        let stopped = self.ledger.has_timed_out(round, subround);
        if self.ledger.is_closed(round) || stopped {
            return None;
        }
        let state = self.rounds.get(round)?.subround(subround)?;
        let ticketed =
            |block: BlockId| self.ledger.tickets_of(round, subround).any(|known| known.block == block);
        let mut accepted =
            state.candidates.iter().filter(|candidate| self.chain.is_accepted(round, candidate.block));
        let best_ticketed: Option<Rank> = self
            .ledger
            .tickets_of(round, subround)
            .map(|known| state.candidate(known.block).map_or(Rank(0), |candidate| candidate.rank))
            .min();
        let rule = self.config.rules.ticket;
        let allowed = |candidate: &&Candidate| {
            let allowed = match rule {
                TicketRule::OncePerSubround => best_ticketed.is_none(),
                TicketRule::BetterRank => best_ticketed.is_none_or(|best| candidate.rank < best),
                TicketRule::BetterOrEqualRank => best_ticketed.is_none_or(|best| candidate.rank <= best),
            };
            allowed && !ticketed(candidate.block)
        };
        accepted.find(allowed).map(|candidate| candidate.block)
    }

    // Step 6: tickets make a notarization.

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
        if let Some(notarization) = certify(tickets, &ticket, quorum, &suspects, committee, scheme, fx) {
            self.events.push_back(Event::Notarized(notarization, Source::Formed));
        }
    }

    // Step 7: relay.

    /// Whether this miner sends on a certificate from `source` that it takes. It always sends one that it made.
    pub(super) fn relays(&self, source: Source) -> bool {
        match source {
            Source::Formed => true,
            Source::Received(_) => self.config.rules.relays(),
        }
    }

    // Step 8: leave.

    /// Step 8: leaves the round of the notarization, whatever the own round was.
    pub(super) fn leave(
        &mut self,
        notarization: Verified<Arc<Notarization>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        let Ticket { round, subround, block } = notarization.statement;
        self.note(&notarization, source, fx);
        // On the disk before a vote that rests upon it is in the log.
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

    // Step 9: time out.

    /// Stops ticketing the own subround. By certificate: says so and waits for `q` others; locally: enters the next.
    pub(super) fn time_out(&mut self, fx: &mut Effects<'_>) {
        let timeout = Timeout { round: self.round, subround: self.subround };
        self.phase = Phase::TimedOut;
        match self.config.rules.subround_entry {
            // The next one is entered when a restart cannot undo it: see `publish`.
            SubroundEntryRule::Local => {
                self.sign(timeout, fx);
            }
            SubroundEntryRule::Certificate => {
                if !self.ledger.is_closed(timeout.round) {
                    self.sign(timeout, fx);
                }
            }
        }
    }

    /// Counts the timeout votes for a subround of the own round: `q` make a certificate, `f + 1` make this miner join.
    pub(super) fn count_timeouts(&mut self, subround: Subround, fx: &mut Effects<'_>) {
        let round = self.round;
        if subround < self.subround || self.config.rules.enters_alone() {
            return;
        }
        let timeout = Timeout { round, subround };
        let Some(state) = self.rounds.get(round).and_then(|state| state.subround(subround)) else { return };
        let count = state.timeouts.count(&timeout);
        let joins = self.is_here(round, subround)
            && self.phase != Phase::TimedOut
            && count >= self.config.join_threshold();
        let quorum = self.config.quorum();
        if count >= quorum
            && let Some(certificate) = self.certify_timeouts(timeout, quorum, fx)
        {
            self.events.push_back(Event::TimeoutCertified(certificate, Source::Formed));
        } else if joins && self.certify_timeouts(timeout, self.config.join_threshold(), fx).is_some() {
            self.events.push_back(Event::Joined(round, subround));
        }
    }

    /// Enters the subround after the one that the certificate gives up.
    pub(super) fn enter_by_certificate(
        &mut self,
        certificate: Verified<Arc<TimeoutCertificate>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        let Timeout { round, subround } = certificate.statement;
        self.store(Stored::TimeoutCertificate(Arc::clone(&certificate)), fx);
        if self.relays(source) {
            fx.broadcast(Audience::Miners, Message::TimeoutCertificate(Arc::clone(&certificate)));
        }
        self.enter(round, subround.next(), Some((certificate, source)), fx);
    }

    // Step 10: finalize.

    /// Makes a finality certificate when the votes for one block suffice.
    pub(super) fn count_votes(&mut self, vote: FinalityVote, fx: &mut Effects<'_>) {
        let quorum = self.config.quorum();
        let enough = self.rounds.get(vote.round).is_some_and(|state| state.votes.count(&vote) >= quorum);
        if !enough || self.is_certified_final(&vote) {
            return;
        }
        let suspects = self.accounts.suspects(fx.now);
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let votes = &mut self.rounds.get_mut(vote.round).votes;
        if let Some(certificate) = certify(votes, &vote, quorum, &suspects, committee, scheme, fx) {
            self.events.push_back(Event::FinalityCertified(certificate, Source::Formed));
        }
    }

    /// Whether a block of the vote's round, or of a higher one, is known to be final.
    pub(super) fn is_certified_final(&self, vote: &FinalityVote) -> bool {
        let pending = self.pending_finality.as_ref();
        vote.round <= self.chain.head().round() || pending.is_some_and(|pending| pending.round >= vote.round)
    }

    /// A finality certificate became known.
    pub(super) fn certified_final(
        &mut self,
        certificate: Verified<Arc<FinalityCertificate>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        if self.handed_over {
            return;
        }
        if self.is_certified_final(&certificate.statement) {
            if certificate.round > self.chain.head().round() {
                // A higher one waits for blocks. This one needs fewer of them.
                self.try_certificate(&certificate, fx);
            } else {
                self.check_against_head(&certificate, fx);
            }
            return;
        }
        if self.relays(source) {
            fx.broadcast(Audience::Everyone, Message::FinalityCertificate(Arc::clone(&certificate)));
        }
        if let Source::Received(peer) = source {
            self.catch_up.heard_from(peer);
        }
        if !self.try_certificate(&certificate, fx)
            && self.pending_finality.as_ref().is_none_or(|known| known.round < certificate.round)
        {
            self.pending_finality = Some(certificate);
        }
    }

    /// Finalizes the block of a certificate, when its round was left and its chain is known. Returns whether the
    /// certificate has had its effect.
    fn try_certificate(
        &mut self,
        certificate: &Verified<Arc<FinalityCertificate>>,
        fx: &mut Effects<'_>,
    ) -> bool {
        let (round, block) = self.chain.made_final(&certificate.statement, self.handoff.as_deref());
        if round >= self.round {
            // The block's notarization is on its way, or will be asked for: the next round is entered through it.
            return false;
        }
        loop {
            let next = match self.chain.next_final(round, block) {
                Ok((next, ancestor)) if self.load(next, ancestor, fx) => {
                    self.chain.finalize(next, ancestor).map(|path| (path, next))
                }
                Ok(_) => return false,
                Err(error) => Err(error),
            };
            match next {
                Ok((path, next)) if next < round => self.head_moved(path, fx),
                Ok((path, _)) => {
                    self.chain.certify_final(certificate.clone());
                    self.store(Stored::FinalityCertificate(Arc::clone(certificate)), fx);
                    self.head_moved(path, fx);
                    self.hand_over(certificate, fx);
                    return true;
                }
                Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. }) => return false,
                Err(FinalizeError::Behind(_)) => {
                    self.hand_over(certificate, fx);
                    return true;
                }
                Err(FinalizeError::Conflict(_)) => {
                    self.report_conflict(certificate, fx);
                    return true;
                }
            }
        }
    }

    /// Tries the certificate that waits for blocks.
    pub(super) fn try_pending_finality(&mut self, fx: &mut Effects<'_>) {
        if let Some(certificate) = self.pending_finality.take()
            && !self.try_certificate(&certificate, fx)
        {
            self.pending_finality = Some(certificate);
        }
    }

    /// The rules without votes: what is final now that a notarization or block of `round` became known?
    pub(super) fn evaluate_finality(&mut self, round: Round, fx: &mut Effects<'_>) {
        if round >= self.round {
            return;
        }
        let fin = self.chain.final_at_once(self.config.rules.finality, round, round.next() == self.round);
        self.finalize_without_certificate(fin, fx);
    }

    /// The wait after leaving `round` is over; the block in which its notarized blocks meet is final (`TwoDelta`).
    pub(super) fn finalize_after_wait(&mut self, round: Round, fx: &mut Effects<'_>) {
        if self.config.rules.waits_before_finality() && round < self.round {
            let fin = self.chain.final_after_wait(self.config.rules.finality, round);
            self.finalize_without_certificate(fin, fx);
        }
    }

    fn finalize_without_certificate(&mut self, fin: Option<(Round, BlockId)>, fx: &mut Effects<'_>) {
        let Some((round, block)) = fin else { return };
        match self.chain.finalize(round, block) {
            Ok(path) => self.head_moved(path, fx),
            Err(FinalizeError::Conflict(_)) => fx.out.push(Output::Conflict { round, block }),
            Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. } | FinalizeError::Behind(_)) => {}
        }
    }

    fn head_moved(&mut self, path: Vec<FinalBlock>, fx: &mut Effects<'_>) {
        fx.out.extend(path.into_iter().map(Output::Finalized));
        let (round, block) = (self.chain.head().round(), self.chain.head().id());
        fx.milestone(Milestone::Finalized { round, block });
        // The application commits the head, so that its children can be judged.
        self.accepted(round, block, fx);
    }
}

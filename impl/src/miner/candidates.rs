//! Steps 3 to 5: collect, select, ticket.

use std::sync::Arc;

use super::rounds::{Candidate, signed_candidate};
use super::{Effects, Event, Milestone, Miner, Output, ProposalError, Refusal, Source, Stored};
use crate::block::{Block, BlockId, Header, Time};
use crate::bounds::{CHECK_WORK, FINAL_AT_ONCE, MAX_BLOCKS_PER_GENERATOR, MAX_PAYLOAD_BYTES};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate, Verified};
use crate::chain::Verdict;
use crate::committee::{Peer, Round};
use crate::crypto::ranks::Rank;
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::message::Proposal;
use crate::rules::{BeaconRule, TicketRule};
use crate::statement::{BeaconTarget, Proposed, Ticket};

/// The cost of a proposal without a new certificate: its signature.
const PROPOSAL_WORK: u64 = CHECK_WORK;

impl<S: Scheme> Miner<S> {
    /// Whether the twin of an equivocating generator can be ticketed too.
    fn tickets_twins(&self) -> bool {
        self.config.rules.tickets_twins()
    }

    /// Checks what a proposal says of itself: whose it is, and the certificates that it carries. These take the miner to
    /// the proposal's subround, if it is not there; the rest of the checks comes then, in [`Miner::collect`].
    pub(super) fn receive_proposal(
        &mut self,
        from: Peer,
        proposal: Proposal,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let block = &proposal.block;
        let header = *block.header();
        let committee = self.config.committee;
        let foreign = (header.chain, header.epoch) != (committee.chain(), committee.epoch());
        if foreign {
            return Err(ProposalError::Foreign.into());
        }
        if !committee.contains(header.generator) || header.round == Round(0) {
            return Err(ProposalError::Impossible.into());
        }
        if block.payload().len() > MAX_PAYLOAD_BYTES {
            return Err(ProposalError::PayloadTooLarge(block.payload().len()).into());
        }
        let position = (header.round, header.subround);
        if self.is_settled_proposal(position, header.generator, proposal.signature, fx.now) {
            return Ok(());
        }
        let state = self.rounds.get(header.round).and_then(|state| state.subround(header.subround));
        let mut own = Vec::new();
        if let Some(state) = state {
            if state.candidate(block.id()).is_some() {
                return Ok(());
            }
            if state.equivocators.contains(&header.generator) && !self.tickets_twins() {
                return Ok(());
            }
            own.extend(state.candidates.iter().filter(|known| known.generator == header.generator));
        }
        let signed = proposal.signed();
        let first = own.first().map(|known| signed_candidate(known, header.round, header.subround));
        let blocks_of_generator = own.len();
        if !signed.is_genuine(&committee, &self.scheme) {
            return Err(Refusal::WrongSignature(header.generator));
        }
        // Until it turns out to be worth it.
        self.accounts.charge_arrival(from, PROPOSAL_WORK);
        if let Some(first) = first {
            self.accounts.fault(from);
            // Both signatures were verified: excluded, even where the bound on evidence is reached.
            self.exclude(&first);
            self.accuse(Evidence::Proposals { first, second: signed }, fx);
            if !self.tickets_twins() || blocks_of_generator >= MAX_BLOCKS_PER_GENERATOR {
                return Ok(());
            }
        }
        // A certificate of what is known costs a check, too, and brings nothing; what is wrong is a fault.
        let parent_round = header.round.previous().unwrap_or_default();
        let known = self.chain.notarization_of(parent_round, header.parent);
        let again = known.is_some() && known != block.parent_notarization();
        let own = self.timeout_certificate.as_ref().map(|(known, _)| &**known);
        // One of the own subround or a later one moves the miner.
        let timed_out = proposal
            .timeout_certificate
            .as_ref()
            .is_some_and(|certificate| own != Some(certificate) && certificate.subround < self.subround);
        // An equivocator is convicted by two signatures, whatever its blocks say.
        self.check_claim_of_finality(block)?;
        let parent = self.check_parent(block)?;
        let timeout = self.check_timeout_certificate(&proposal)?;
        let says_something = block.finality().is_some_and(|certificate| !self.is_known_final(certificate));
        let finality = if says_something { self.check_finality(block)? } else { None };
        // Each miner may have formed its own certificate of the parent. It is free where the block is worth it.
        self.accounts.charge_arrival(from, CHECK_WORK * (u64::from(again) + u64::from(timed_out)));
        let source = Source::Received(from);
        if let Some(parent) = parent {
            self.events.push_back(Event::Notarized(parent, source));
        }
        if let Some(timeout) = timeout {
            self.events.push_back(Event::TimeoutCertified(timeout, source));
        }
        // After the parent, through which the round is entered: what is final is of a round that was left.
        if let Some(finality) = finality {
            self.events.push_back(Event::FinalityCertified(finality, source));
        }
        self.events.push_back(Event::Proposal(from, proposal));
        Ok(())
    }

    /// Checks the block's claim about the final block that it names, as far as the block alone shows it: that block's
    /// round is below its own, and near enough for its payload.
    fn check_claim_of_finality(&self, block: &Block) -> Result<(), ProposalError> {
        let header = block.header();
        let named = header.final_round;
        if block.finality().is_some() && !self.config.rules.votes() {
            return Err(ProposalError::FinalityWithoutVotes);
        }
        if named >= header.round {
            return Err(ProposalError::FinalityNotBefore { named });
        }
        if self.config.must_be_empty(header) && !block.payload().is_empty() {
            return Err(ProposalError::PayloadBeyond { named, bound: self.config.payload_rounds });
        }
        Ok(())
    }

    /// The certificate of the final block that a block names must be genuine. Returns it when it had to be checked.
    ///
    /// That the named block is an ancestor is not checked: with at most `f` faulty miners it is the only notarized block of
    /// its round (S6), so that every notarized chain goes through it; with more, a certificate of another chain is proof of
    /// the offence, and is reported as a conflict.
    fn check_finality(&self, block: &Block) -> Result<Option<Verified<Arc<FinalityCertificate>>>, Refusal> {
        let Some(certificate) = block.finality() else { return Ok(None) };
        let known = self.chain.finality().into_iter().chain(&self.pending_finality);
        if known.into_iter().any(|known| ***known == **certificate) {
            return Ok(None);
        }
        let certificate = Arc::clone(certificate);
        Ok(Some(certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?))
    }

    /// A block names no lower final block than its parent does. Not known when the parent is not.
    fn check_finality_rises(&self, header: &Header) -> Result<(), ProposalError> {
        let parent = header.round.previous().and_then(|round| self.chain.header(round, header.parent));
        let Some(parent) = parent.map(|parent| parent.final_round) else { return Ok(()) };
        if header.final_round < parent {
            return Err(ProposalError::FinalityFalls { named: header.final_round, parent });
        }
        Ok(())
    }

    /// The parent must be shown to be notarized in exactly the round before (S3), with the labels of the parent itself.
    fn check_parent(&self, block: &Block) -> Result<Option<Verified<Arc<Notarization>>>, Refusal> {
        let header = block.header();
        let parent_round = header.round.previous().ok_or(ProposalError::Impossible)?;
        let Some(certificate) = block.parent_notarization() else {
            let is_genesis = parent_round == Round(0) && header.parent == self.config.genesis.id();
            return if is_genesis { Ok(None) } else { Err(ProposalError::ParentNotNotarized.into()) };
        };
        if certificate.block != header.parent || parent_round == Round(0) {
            return Err(ProposalError::ParentNotNotarized.into());
        }
        if certificate.round != parent_round {
            return Err(ProposalError::ParentNotNotarized.into());
        }
        let parent = self.chain.header(parent_round, header.parent);
        if parent.is_some_and(|parent| parent.subround != certificate.subround) {
            return Err(ProposalError::WrongLabel.into());
        }
        let known = self.chain.notarization_of(parent_round, header.parent);
        if known == Some(certificate) {
            return Ok(Some(Verified::trusted(Arc::clone(certificate))));
        }
        let certificate = Arc::clone(certificate);
        Ok(Some(certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?))
    }

    /// A subround above 0 must be shown to have been entered by `q` timeouts of the one before.
    fn check_timeout_certificate(
        &self,
        proposal: &Proposal,
    ) -> Result<Option<Verified<Arc<TimeoutCertificate>>>, Refusal> {
        let (round, subround) = (proposal.block.round(), proposal.block.subround());
        let Some(before) = subround.previous() else { return Ok(None) };
        if self.config.rules.enters_alone() {
            return Ok(None);
        }
        let certificate = proposal
            .timeout_certificate
            .as_ref()
            .filter(|certificate| (certificate.round, certificate.subround) == (round, before))
            .ok_or(ProposalError::NoTimeoutCertificate)?;
        if let Some((known, _)) = &self.timeout_certificate
            && **known == *certificate
        {
            return Ok(Some(known.clone()));
        }
        let certificate = Arc::clone(certificate);
        Ok(Some(certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?))
    }

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
        if header.time > fx.now.after(drift) {
            let until = Time(header.time.0.saturating_sub(drift));
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

    /// The target that the beacon signed for a block of the own round. `None` when it depends on an unknown parent.
    fn target_of(&self, block: &Block) -> Option<BeaconTarget> {
        let header = block.header();
        match self.config.rules.beacon {
            BeaconRule::RoundOnly => Some(BeaconTarget::Round(header.round)),
            BeaconRule::Chained => {
                let previous = self.chain.header(header.round.previous()?, header.parent)?.beacon;
                Some(BeaconTarget::Chained { round: header.round, subround: header.subround, previous })
            }
        }
    }

    /// Keeps a proposal until its parent is known; one of each generator, of its highest position.
    fn wait_for_parent(&mut self, from: Peer, proposal: Proposal) {
        let header = *proposal.block.header();
        let position = (header.round, header.subround);
        let is_higher =
            |known: &Header| known.generator == header.generator && (known.round, known.subround) > position;
        if self.waiting.iter().any(|(_, known)| is_higher(known.block.header())) {
            return;
        }
        self.accounts.set_aside(from, position, proposal.signature, None);
        self.waiting.retain(|(_, known)| known.block.header().generator != header.generator);
        self.waiting.push((from, proposal));
    }

    /// Enters a block of the own round into its subround and into the chain.
    pub(super) fn add_candidate(&mut self, block: Arc<Block>, candidate: Candidate, fx: &mut Effects<'_>) {
        let (round, subround) = (block.round(), block.subround());
        let Some(state) = self.rounds.collecting((self.round, self.subround), round, subround) else {
            return;
        };
        fx.milestone(Milestone::Collected {
            block: Proposed { round, subround, block: candidate.block },
            generator: candidate.generator,
            rank: candidate.rank,
        });
        state.add_candidate(candidate);
        self.add_block(block, fx);
    }

    /// Enters a block into the chain and follows up what that connects.
    pub(super) fn add_block(&mut self, block: Arc<Block>, fx: &mut Effects<'_>) {
        let (round, id) = (block.round(), block.id());
        if id == self.entry.block {
            // Its seed is known.
            self.accounts.takes_up_again();
        }
        if self.chain.insert(block) {
            self.follow_up_connections(fx);
        } else if self.chain.is_accepted(round, id) {
            // The block was here before it became a candidate: it was caught up with, or recovered.
            self.events.push_back(Event::Accepted(round, id));
        }
    }

    fn follow_up_connections(&mut self, fx: &mut Effects<'_>) {
        while let Some((round, id)) = self.chain.take_connected() {
            self.ask_application(round, id, fx);
            if round.next() == self.round && id == self.entry.block {
                self.share_beacon(fx);
            }
            let (ready, waiting) = std::mem::take(&mut self.waiting)
                .into_iter()
                .partition(|(_, proposal)| proposal.block.header().parent == id);
            self.waiting = waiting;
            self.events.extend(
                Vec::into_iter(ready)
                    .map(|(from, proposal): (Peer, Proposal)| Event::Proposal(from, proposal)),
            );
            self.evaluate_finality(round, fx);
            self.adopt(round, Source::Received(Peer::Miner(self.me)), fx);
        }
        self.try_pending_finality(fx);
    }

    /// Shows a block to the application, once, after its parent was accepted.
    pub(super) fn ask_application(&mut self, round: Round, id: BlockId, fx: &mut Effects<'_>) {
        let Some(node) = self.chain.node(round, id) else { return };
        let (header, whole) = (*node.header(), node.block().map(Arc::clone));
        let Some(parent_round) = round.previous() else { return };
        if node.verdict != Verdict::Unasked || !self.chain.is_accepted(parent_round, header.parent) {
            return;
        }
        let before = self.chain.header(parent_round, header.parent).map(|parent| parent.time);
        if before.is_some_and(|before| header.time < before) {
            self.chain.judge(round, id, Verdict::Refused);
            return;
        }
        // The parent may have come after the proposal was collected.
        if let Err(error) = self.check_finality_rises(&header) {
            self.chain.judge(round, id, Verdict::Refused);
            // Only its generator sends a proposal.
            fx.refuse(Peer::Miner(header.generator), error.into());
            return;
        }
        let Some(block) = whole else {
            self.chain.judge(round, id, Verdict::Loading);
            if !self.loading.contains(&id) {
                fx.out.push(Output::Load { round, block: id });
            }
            return;
        };
        self.chain.judge(round, id, Verdict::Asked);
        fx.out.push(Output::Validate { block });
    }

    /// The application answered.
    pub(super) fn judged(&mut self, round: Round, id: BlockId, accepted: bool, fx: &mut Effects<'_>) {
        if self.chain.node(round, id).is_none_or(|node| node.verdict != Verdict::Asked) {
            return;
        }
        self.chain.judge(round, id, if accepted { Verdict::Accepted } else { Verdict::Refused });
        if accepted {
            self.events.push_back(Event::Accepted(round, id));
            self.accepted(round, id, fx);
        }
    }

    /// A block can be built upon: its children can be judged, and its round's successor can be proposed for.
    pub(super) fn accepted(&mut self, round: Round, id: BlockId, fx: &mut Effects<'_>) {
        for child in self.chain.unasked_children(round, id) {
            self.ask_application(round.next(), child, fx);
        }
        if round.next() == self.round && id == self.entry.block {
            self.ask_for_payload(fx);
        }
    }

    /// The lowest round whose blocks stay whole for a miner in `round`. Where finality takes no votes nothing is put away:
    /// these rules are for examination.
    pub(super) fn whole_from(&self, round: Round) -> Round {
        let votes = self.config.rules.votes();
        Round(if votes { round.0.saturating_sub(self.config.whole_rounds.max(1)) } else { 0 })
    }

    /// At the end of a step: keeps the headers of old blocks; the host is told to store those that it has not. Blocks that are
    /// about to become final stay.
    pub(super) fn put_away(&mut self, fx: &mut Effects<'_>) {
        let head = self.chain.head().round().0;
        let held = if self.loading.is_empty() { 0 } else { head.saturating_add(FINAL_AT_ONCE + 1) };
        for block in self.chain.put_away(Round(held)..self.whole_from(self.round)) {
            self.store(Stored::Block(block), fx);
        }
    }

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

    /// The next block to ticket in the own subround.
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
}

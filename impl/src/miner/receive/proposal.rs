//! Proposals: what can be told of them before they are collected.

use std::sync::Arc;

use crate::block::{Block, Closing, Header};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate, Verified};
use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::limits::{CHECK_WORK, MAX_BLOCKS_PER_GENERATOR, MAX_EPOCH_ITEMS_BYTES, MAX_PAYLOAD_BYTES};
use crate::message::Proposal;
use crate::miner::interface::{ProposalError, Refusal};
use crate::miner::state::rounds::signed_candidate;
use crate::miner::{Effects, Event, Miner, Source};
use crate::rules::BeaconRule;
use crate::statement::BeaconTarget;

/// The cost of a proposal without a new certificate: its signature.
const PROPOSAL_WORK: u64 = CHECK_WORK;

impl<S: Scheme> Miner<S> {
    /// Whether the twin of an equivocating generator can be ticketed too.
    fn tickets_twins(&self) -> bool {
        self.config.rules.tickets_twins()
    }

    /// Checks what a proposal says of itself: whose it is, and the certificates that it carries. These take the miner to
    /// the proposal's subround, if it is not there; the rest of the checks comes then, in [`Miner::collect`].
    pub(in crate::miner) fn receive_proposal(
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
        if !committee.contains(header.generator) || header.round <= self.config.anchor() {
            return Err(ProposalError::Impossible.into());
        }
        if block.payload().len() > MAX_PAYLOAD_BYTES {
            return Err(ProposalError::PayloadTooLarge(block.payload().len()).into());
        }
        if block.items().len() > MAX_EPOCH_ITEMS_BYTES {
            return Err(ProposalError::ItemsTooLarge(block.items().len()).into());
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
        if self.config.must_be_empty(header) && block.content_bytes() > 0 {
            return Err(ProposalError::PayloadBeyond { named, bound: self.config.payload_rounds });
        }
        Ok(())
    }

    /// The certificate of the final block that a block names must be genuine. Returns it when it had to be checked.
    ///
    /// That the named block is an ancestor is not checked: with at most `f` faulty miners it is the only notarized block of
    /// its round (S6), so that every notarized chain goes through it; with more, a certificate of another chain is proof of
    /// the offence, and is reported as a conflict.
    pub(in crate::miner) fn check_finality(
        &self,
        block: &Block,
    ) -> Result<Option<Verified<Arc<FinalityCertificate>>>, Refusal> {
        let Some(certificate) = block.finality() else { return Ok(None) };
        let known = self.chain.finality().into_iter().chain(&self.pending_finality);
        if known.into_iter().any(|known| ***known == **certificate) {
            return Ok(None);
        }
        let certificate = Arc::clone(certificate);
        Ok(Some(certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?))
    }

    /// A block names no lower final block than its parent does. Not known when the parent is not.
    pub(in crate::miner) fn check_finality_rises(&self, header: &Header) -> Result<(), ProposalError> {
        let parent = header.round.previous().and_then(|round| self.chain.header(round, header.parent));
        // The block that the epoch begins on names a block of the epoch before.
        let parent = parent.filter(|parent| parent.round > self.config.anchor());
        let Some(parent) = parent.map(|parent| parent.final_round) else { return Ok(()) };
        if header.final_round < parent {
            return Err(ProposalError::FinalityFalls { named: header.final_round, parent });
        }
        Ok(())
    }

    /// A block says of the end of its epoch what follows from its parent, or closes the epoch; and a block of the tail is empty. Which
    /// record a block may close with the host judges, together with the epoch items.
    pub(in crate::miner) fn check_closing(&self, header: &Header) -> Result<(), ProposalError> {
        if !self.config.hands_over {
            let is_plain = header.closing == Closing::Open && !header.has_items();
            return if is_plain { Ok(()) } else { Err(ProposalError::NoHandover) };
        }
        let parent = header.round.previous().and_then(|round| self.chain.header(round, header.parent));
        let Some(parent) = parent else { return Ok(()) };
        match (self.config.closing_after(parent), header.closing) {
            (Closing::Open, Closing::Open) => Ok(()),
            (Closing::Open, Closing::Closes { .. }) if header.has_items() => Ok(()),
            (below @ Closing::Tail { .. }, found) if found == below => {
                if header.is_empty() {
                    Ok(())
                } else {
                    Err(ProposalError::TailNotEmpty)
                }
            }
            (_, found) => Err(ProposalError::WrongClosing { found }),
        }
    }

    /// The parent must be shown to be notarized in exactly the round before (S3), with the labels of the parent itself.
    fn check_parent(&self, block: &Block) -> Result<Option<Verified<Arc<Notarization>>>, Refusal> {
        let header = block.header();
        let parent_round = header.round.previous().ok_or(ProposalError::Impossible)?;
        let Some(certificate) = block.parent_notarization() else {
            let anchor = (self.config.anchor(), self.config.genesis.id());
            return if (parent_round, header.parent) == anchor {
                Ok(None)
            } else {
                Err(ProposalError::ParentNotNotarized.into())
            };
        };
        // The block that the epoch begins on was notarized by nobody, or by the committee before.
        if certificate.block != header.parent || parent_round <= self.config.anchor() {
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

    /// The target that the beacon signed for a block of the own round. `None` when it depends on an unknown parent.
    pub(in crate::miner) fn target_of(&self, block: &Block) -> Option<BeaconTarget> {
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
    pub(in crate::miner) fn wait_for_parent(&mut self, from: Peer, proposal: Proposal) {
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
}

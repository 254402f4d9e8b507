//! Messages from peers, checked before they count.

mod chain;
mod proposal;
mod shares;

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::block::Time;
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate};
use crate::committee::{Committee, MinerId, Peer, Round, Subround};
use crate::crypto::scheme::{Scheme, Signature};
use crate::crypto::uncompressed::UncompressedSignature;
use crate::evidence::Evidence;
use crate::limits::CHECK_WORK;
use crate::message::Message;
use crate::miner::interface::{ProposalError, Refusal};
use crate::miner::state::rounds::is_near;
use crate::miner::{Effects, Event, Miner, Source};
use crate::signature_pool::{Added, SignaturePool};
use crate::statement::{FinalityVote, Signed, Statement, Ticket, Timeout};
use crate::wire;
use crate::wire::Glance;

/// Adds a signature to its pool, and charges for what that costs beside the sum.
fn collect<T: Statement, S: Scheme>(
    pool: &mut SignaturePool<T>,
    accounts: &mut Accounts,
    from: Peer,
    signed: Signed<T>,
    coordinates: Option<UncompressedSignature>,
    committee: &Committee,
    scheme: &S,
) -> Added<T> {
    let signer = signed.signer;
    let direct = from == Peer::Miner(signer);
    if pool.suspects(signer) {
        accounts.charge(from, CHECK_WORK);
    }
    let strikes = pool.strikes(signer);
    let added = pool.add_received(signed, coordinates, direct, committee, scheme);
    // A genuine signature has taken the place of a wrong one, which came from the signer itself: both were checked.
    if matches!(added, Added::Counted) && pool.strikes(signer) > strikes {
        accounts.fault(Peer::Miner(signer));
    }
    added
}

impl<S: Scheme> Miner<S> {
    /// Whether a message from this peer is looked at: decided before it is decoded.
    pub(in crate::miner) fn hears(&mut self, from: Peer, fx: &mut Effects<'_>) -> bool {
        if !self.config.committee.knows(from) {
            fx.refuse(from, Refusal::Stranger);
            return false;
        }
        // Nobody has a link to itself: what was said here is known.
        from != Peer::Miner(self.me) && self.accounts.hears(from, fx.now)
    }

    /// Decodes a message, and hashes the blocks in it, if a glance does not tell already that it is of no use.
    pub(in crate::miner) fn receive_bytes(&mut self, from: Peer, bytes: &[u8], fx: &mut Effects<'_>) {
        match self.is_of_use(from, bytes, fx.now) {
            Ok(false) => return,
            Ok(true) => {}
            Err(refusal) => return fx.refuse(from, refusal),
        }
        self.accounts.decodes(from, bytes.len());
        match wire::decode(bytes) {
            Ok(message) => self.receive(from, message, fx),
            Err(error) => fx.refuse(from, error.into()),
        }
    }

    /// Whether a message can be of use, judged by its first fields alone: large ones are refused before they are decoded.
    fn is_of_use(&self, from: Peer, bytes: &[u8], now: Time) -> Result<bool, Refusal> {
        match wire::glance(bytes) {
            Some(Glance::Proposal { chain, epoch, round, subround, generator, signature }) => {
                if from != Peer::Miner(generator) {
                    return Err(Refusal::NotItsSender);
                }
                let committee = &self.config.committee;
                if (chain, epoch) != (committee.chain(), committee.epoch()) {
                    return Err(ProposalError::Foreign.into());
                }
                Ok(!self.is_settled_proposal((round, subround), generator, signature, now))
            }
            Some(Glance::ChainResponse) => Ok(self.catch_up.expects(from)),
            _ => Ok(true),
        }
    }

    /// Whether a proposal says nothing new, or comes too late: it is of a round or subround that was left, or a candidate, or
    /// set aside. An honest generator repeats its block while nothing moves, so this must not cost what decoding costs. A
    /// generator has one genuine signature for a block and another one for any other block, so the signature tells the block; a message with
    /// that signature and another block is wrong, and nothing is lost with it.
    pub(in crate::miner) fn is_settled_proposal(
        &self,
        position: (Round, Subround),
        generator: MinerId,
        signature: Signature,
        now: Time,
    ) -> bool {
        let (round, subround) = position;
        if round < self.round || self.rounds.is_left_behind(self.here(), round, subround) {
            return true;
        }
        let state = self.rounds.get(round).and_then(|state| state.subround(subround));
        let mut others = false;
        for known in state.into_iter().flat_map(|state| &state.candidates) {
            match known.generator == generator {
                true if known.signature == signature => return true,
                true => others = true,
                false => {}
            }
        }
        // A block that was set aside before its generator's other one became a candidate convicts the generator.
        let convicts = others && !state.is_some_and(|state| state.equivocators.contains(&generator));
        !convicts && self.accounts.is_aside(Peer::Miner(generator), position, signature, now)
    }

    pub(in crate::miner) fn receive(&mut self, from: Peer, message: Message, fx: &mut Effects<'_>) {
        if !message.may_come_from(from) {
            fx.refuse(from, Refusal::NotItsSender);
            return;
        }
        let received = match message {
            Message::BeaconShare(share) => self.receive_share(from, share, fx),
            Message::Proposal(proposal) => self.receive_proposal(from, proposal, fx),
            Message::Ticket(ticket) => {
                self.add_ticket(from, ticket, None, fx);
                Ok(())
            }
            Message::UncompressedTicket(ticket) => {
                self.add_ticket(from, ticket.signed(), Some(ticket.signature), fx);
                Ok(())
            }
            Message::Notarization(notarization) => self.receive_notarization(from, notarization),
            Message::Timeout(timeout) => {
                self.add_timeout(from, timeout, fx);
                Ok(())
            }
            Message::TimeoutCertificate(certificate) => self.receive_timeout_certificate(from, certificate),
            Message::FinalityVote(vote) => {
                self.add_vote(from, vote, fx);
                Ok(())
            }
            Message::FinalityCertificate(certificate) => self.receive_finality(from, certificate),
            Message::Evidence(evidence) => self.receive_evidence(evidence, fx),
            Message::ChainRequest(request) => {
                self.answer(from, &request, fx);
                Ok(())
            }
            Message::ChainResponse(response) => self.receive_chain(from, response, fx),
        };
        if let Err(refusal) = received {
            fx.refuse(from, refusal);
        }
    }

    /// Step 6: collects a ticket, one of its own too.
    pub(in crate::miner) fn add_ticket(
        &mut self,
        from: Peer,
        ticket: Signed<Ticket>,
        coordinates: Option<UncompressedSignature>,
        fx: &mut Effects<'_>,
    ) {
        let here = self.here();
        let Some(state) = self.rounds.collecting(here, ticket.round, ticket.subround) else { return };
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let added =
            collect(&mut state.tickets, &mut self.accounts, from, ticket, coordinates, committee, scheme);
        match added {
            Added::Ignored => {}
            Added::Wrong => fx.refuse(from, Refusal::WrongSignature(ticket.signer)),
            Added::Contradiction { first } => {
                self.accounts.fault(from);
                self.accuse(Evidence::Tickets { first, second: ticket }, fx);
                self.compare_with_vote(ticket, fx);
            }
            Added::Counted => {
                self.compare_with_vote(ticket, fx);
                self.count_tickets(ticket.statement, fx);
            }
        }
    }

    fn receive_notarization(&mut self, from: Peer, notarization: Arc<Notarization>) -> Result<(), Refusal> {
        let Ticket { round, block, .. } = notarization.statement;
        if round <= self.chain.head().round() || self.chain.notarization_of(round, block).is_some() {
            return Ok(());
        }
        let verified = notarization.verified(&self.config.committee, self.config.quorum(), &self.scheme)?;
        self.events.push_back(Event::Notarized(verified, Source::Received(from)));
        Ok(())
    }

    /// Step 9: collects a timeout vote, one of its own too.
    pub(in crate::miner) fn add_timeout(
        &mut self,
        from: Peer,
        timeout: Signed<Timeout>,
        fx: &mut Effects<'_>,
    ) {
        let here = self.here();
        let local = self.config.rules.enters_alone();
        if timeout.round < self.round || local {
            return;
        }
        let Some(state) = self.rounds.collecting(here, timeout.round, timeout.subround) else { return };
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let added = collect(&mut state.timeouts, &mut self.accounts, from, timeout, None, committee, scheme);
        match added {
            Added::Wrong => fx.refuse(from, Refusal::WrongSignature(timeout.signer)),
            Added::Counted if timeout.round == self.round => self.count_timeouts(timeout.subround, fx),
            Added::Counted | Added::Ignored | Added::Contradiction { .. } => {}
        }
    }

    fn receive_timeout_certificate(
        &mut self,
        from: Peer,
        certificate: Arc<TimeoutCertificate>,
    ) -> Result<(), Refusal> {
        let Timeout { round, subround } = certificate.statement;
        let moves = round == self.round && subround >= self.subround;
        if !moves || self.config.rules.enters_alone() {
            return Ok(());
        }
        let verified = certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?;
        self.events.push_back(Event::TimeoutCertified(verified, Source::Received(from)));
        Ok(())
    }

    /// Step 10: collects a finality vote, one of its own too.
    pub(in crate::miner) fn add_vote(
        &mut self,
        from: Peer,
        vote: Signed<FinalityVote>,
        fx: &mut Effects<'_>,
    ) {
        if !self.config.rules.votes()
            || vote.round <= self.chain.head().round()
            || !is_near(self.round, vote.round)
        {
            return;
        }
        let votes = &mut self.rounds.get_mut(vote.round).votes;
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let added = collect(votes, &mut self.accounts, from, vote, None, committee, scheme);
        match added {
            Added::Ignored => {}
            Added::Wrong => fx.refuse(from, Refusal::WrongSignature(vote.signer)),
            Added::Contradiction { first } => {
                self.accounts.fault(from);
                self.accuse(Evidence::FinalityVotes { first, second: vote }, fx);
                self.compare_with_tickets(vote, fx);
            }
            Added::Counted => {
                self.compare_with_tickets(vote, fx);
                self.count_votes(vote.statement, fx);
            }
        }
    }

    fn receive_finality(&mut self, from: Peer, certificate: Arc<FinalityCertificate>) -> Result<(), Refusal> {
        if !self.config.rules.votes() || self.is_known_final(&certificate) {
            return Ok(());
        }
        let verified = certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?;
        self.events.push_back(Event::FinalityCertified(verified, Source::Received(from)));
        Ok(())
    }

    /// Whether a finality certificate says nothing new: its block is on the own final chain, or too old to be compared, or
    /// waits already.
    pub(in crate::miner) fn is_known_final(&self, certificate: &FinalityCertificate) -> bool {
        let FinalityVote { round, block, .. } = certificate.statement;
        if round <= self.chain.head().round() {
            return self.chain.final_id(round).is_none_or(|own| own == block);
        }
        self.is_certified_final(&certificate.statement)
    }
}

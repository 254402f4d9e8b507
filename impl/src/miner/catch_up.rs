//! Getting blocks that this miner needs and does not have (L4), and serving them to others.
//!
//! One request is under way at a time. What arrives is accepted only from the peer that was asked, and only as a chain
//! that ends in a notarized block, so that nobody can fill the memory with blocks that nobody ticketed.

use std::sync::Arc;

use super::{Effects, Event, Miner, Output, Refusal, Source, Stored, Timer};
use crate::block::{BlockId, Time};
use crate::certified::{Notarization, Verified};
use crate::chain::{ChainResponseError, check_links};
use crate::committee::{MinerId, Peer, Round, SharderId};
use crate::crypto::scheme::Scheme;
use crate::message::{ChainRequest, ChainResponse, Message};

/// The state of catching up.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct CatchUp {
    /// Whether a [`Timer::CatchUp`] is set.
    timer_set: bool,
    /// Who was asked and has not answered.
    asked: Option<Peer>,
    /// Who last showed something new: the first to be asked.
    hint: Option<Peer>,
    /// How often somebody was asked since something was missing: rotates through the peers.
    attempts: u32,
    /// The last block received, when it is not final yet: the next request starts there.
    reached: Option<Round>,
    /// When each peer was last answered.
    answered: Vec<(Peer, Time)>,
}

impl CatchUp {
    /// A peer showed a certificate that this miner did not have: it will have the block too.
    pub fn heard_from(&mut self, peer: Peer) {
        self.hint = Some(peer);
    }
}

impl<S: Scheme> Miner<S> {
    /// The block that is needed most and is not connected: a final one, the one to build on, a candidate's parent.
    pub(super) fn missing(&self) -> Option<BlockId> {
        if let Some(pending) = &self.pending_finality {
            return Some(pending.block);
        }
        let before = self.round.previous()?;
        if !self.chain.is_connected(before, self.entry.block) {
            return Some(self.entry.block);
        }
        let waiting = self.waiting.iter().map(|(_, proposal)| proposal.block.header().parent);
        let candidates = self.rounds.get(self.round).into_iter().flat_map(|state| &state.subrounds);
        let parents = candidates.flat_map(|state| &state.candidates).map(|candidate| candidate.parent);
        waiting.chain(parents).find(|&parent| !self.chain.is_connected(before, parent))
    }

    /// Sets the timer when something is missing: it may still arrive by itself.
    pub(super) fn watch_for_gaps(&mut self, fx: &mut Effects<'_>) {
        if self.missing().is_none() {
            if self.catch_up.reached.is_some() || self.catch_up.attempts > 0 {
                (self.catch_up.reached, self.catch_up.attempts) = (None, 0);
            }
        } else if !self.catch_up.timer_set {
            self.catch_up.timer_set = true;
            fx.set_timer(Timer::CatchUp, self.config.timing.catch_up);
        }
    }

    /// The timer expired: ask the next peer.
    pub(super) fn ask_for_missing(&mut self, fx: &mut Effects<'_>) {
        self.catch_up.timer_set = false;
        self.catch_up.asked = None;
        let Some(tip) = self.missing() else { return };
        let Some(peer) = self.next_peer() else { return };
        self.catch_up.attempts = self.catch_up.attempts.saturating_add(1);
        // After some attempts start over: perhaps the blocks reached are of another branch.
        if self.catch_up.attempts.is_multiple_of(4) {
            self.catch_up.reached = None;
        }
        self.ask(peer, tip, fx);
    }

    fn ask(&mut self, peer: Peer, tip: BlockId, fx: &mut Effects<'_>) {
        let head = self.chain.head().round();
        let after = self.catch_up.reached.map_or(head, |reached| reached.max(head));
        self.catch_up.asked = Some(peer);
        let message = Message::ChainRequest(ChainRequest { after, tip: Some(tip) });
        fx.out.push(Output::Send { to: peer, message });
    }

    /// First whoever showed something new, then miners and sharders in turn.
    fn next_peer(&self) -> Option<Peer> {
        let attempt = self.catch_up.attempts;
        if attempt == 0
            && let Some(hint) = self.catch_up.hint
        {
            return Some(hint);
        }
        let (miners, sharders) = (self.config.committee.miners(), self.config.committee.sharders());
        let turn = attempt / 2;
        if sharders > 0 && (attempt % 2 == 1 || miners == 1) {
            return Some(Peer::Sharder(SharderId((turn % u32::from(sharders)) as u16)));
        }
        let others = u32::from(miners) - 1;
        let step = turn.checked_rem(others)? + 1;
        Some(Peer::Miner(MinerId(((u32::from(self.me.0) + step) % u32::from(miners)) as u16)))
    }

    /// Answers a request from memory, if the peer was not answered just now.
    pub(super) fn answer(&mut self, from: Peer, request: &ChainRequest, fx: &mut Effects<'_>) {
        let interval = self.config.timing.answer_interval;
        let answered = &mut self.catch_up.answered;
        if answered.iter().any(|&(peer, at)| peer == from && fx.now < at.after(interval)) {
            return;
        }
        if let Some(response) = self.chain.answer(request) {
            answered.retain(|&(peer, _)| peer != from);
            answered.push((from, fx.now));
            let message = Message::ChainResponse(Arc::new(response));
            fx.out.push(Output::Send { to: from, message });
        }
    }

    pub(super) fn receive_chain(
        &mut self,
        from: Peer,
        response: &ChainResponse,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        if self.catch_up.asked != Some(from) {
            return Err(ChainResponseError::Unasked.into());
        }
        check_links(response, &self.config.committee)?;
        let certificates = self.check_chain(response)?;
        self.catch_up.asked = None;
        let source = Source::Received(from);
        let Some(last) = response.blocks.last() else { return Ok(()) };
        let head = self.chain.head().round();
        for block in response.blocks.iter().filter(|block| block.round() > head) {
            if self.chain.node(block.round(), block.id()).is_none() {
                fx.store(Stored::Block(Arc::clone(block)));
            }
            self.add_block(Arc::clone(block), fx);
        }
        for certificate in certificates {
            self.events.push_back(Event::Notarized(certificate, source));
        }
        if let Some(finality) = &response.finality {
            let verified =
                Arc::clone(finality).verified(&self.config.committee, self.config.quorum(), &self.scheme)?;
            self.events.push_back(Event::FinalityCertified(verified, source));
        }
        // Go on from the last block, if it led somewhere; otherwise the timer asks somebody else.
        let connected = self.chain.is_connected(last.round(), last.id());
        self.catch_up.reached = connected.then(|| last.round());
        if connected {
            self.catch_up.attempts = 0;
            self.catch_up.heard_from(from);
        }
        Ok(())
    }

    /// Verifies the certificates of all blocks above the head, except those that are known already.
    fn check_chain(&self, response: &ChainResponse) -> Result<Vec<Verified<Arc<Notarization>>>, Refusal> {
        let carried = response.blocks.iter().skip(1).filter_map(|block| block.parent_notarization());
        let head = self.chain.head().round();
        let new = carried
            .chain([&response.notarization])
            .filter(|certificate| certificate.round > head)
            .filter(|certificate| self.chain.notarization_of(certificate.round, certificate.block).is_none());
        new.map(|certificate| {
            let certificate = Arc::clone(certificate);
            Ok(certificate.verified(&self.config.committee, self.config.quorum(), &self.scheme)?)
        })
        .collect()
    }
}

//! Getting blocks that this miner needs and does not have (L4), and serving them to others.

use std::sync::Arc;

use super::{Effects, Event, Miner, Output, Refusal, Source, Stored, Timer};
use crate::block::BlockId;
use crate::bounds::{CHECK_WORK, SERVED_BYTES};
use crate::chain::{Answer, AnswerError};
use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::message::{ChainRequest, ChainResponse, Message};
use crate::wire;

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Chain(error) => Refusal::Chain(error),
            AnswerError::Certificate(error) => Refusal::Certificate(error),
        }
    }
}

impl<S: Scheme> Miner<S> {
    /// The block that is needed most and is not connected: a final one, the one to build on, a candidate's parent.
    fn missing(&self) -> Option<BlockId> {
        if let Some(pending) = &self.pending_finality
            && !self.is_loading_for(pending)
        {
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

    /// After every step: sets the timer when something is missing, since it may still arrive by itself; asks on at once
    /// when a peer has just helped.
    pub(super) fn watch_for_gaps(&mut self, fx: &mut Effects<'_>) {
        if self.missing().is_none() {
            self.catch_up.satisfied();
            return;
        }
        if !self.catch_up.timer_set {
            self.catch_up.timer_set = true;
            fx.set_timer(Timer::CatchUp, self.config.timing.catch_up);
        }
        if self.catch_up.take_success() {
            self.ask_for_missing(fx);
        }
    }

    /// The timer expired: ask the next peer.
    pub(super) fn catch_up_timer(&mut self, fx: &mut Effects<'_>) {
        self.catch_up.timer_set = false;
        self.ask_for_missing(fx);
    }

    fn ask_for_missing(&mut self, fx: &mut Effects<'_>) {
        let Some(tip) = self.missing() else { return };
        let (me, head) = (Peer::Miner(self.me), self.chain.head().round());
        if let Some((to, request)) = self.catch_up.request(me, &self.config.committee, head, Some(tip)) {
            fx.out.push(Output::Send { to, message: Message::ChainRequest(request) });
        }
    }

    /// Answers a request from memory, or lets the host do it, if the peer was not answered just now.
    pub(super) fn answer(&mut self, from: Peer, request: &ChainRequest, fx: &mut Effects<'_>) {
        self.accounts.asked(from, wire::length_of_request(request), fx.now);
        // The bound on answers is on the work for them too.
        let may = self.catch_up.may_answer(from, fx.now, self.config.timing.answer_interval);
        if !may {
            return;
        }
        let Some(most) = self.accounts.answer_bytes(from, fx.now) else { return };
        if let Some(answer) = self.chain.answer(request, most) {
            let (bytes, output) = match answer {
                Answer::Whole(response) => {
                    let bytes = wire::length_of_response(&response);
                    let message = Message::ChainResponse(Arc::new(response));
                    (bytes, Output::Send { to: from, message })
                }
                Answer::Stored(blocks, bytes) => {
                    (bytes, Output::ServeStored { to: from, blocks, bytes: most })
                }
            };
            self.accounts.answered(from, bytes);
            fx.out.push(output);
        } else if request.after < self.chain.finals()[0].block.round() {
            let bytes = most.min(SERVED_BYTES);
            self.accounts.answered(from, SERVED_BYTES);
            fx.out.push(Output::Serve { to: from, after: request.after, bytes });
        } else {
            return;
        }
        // A peer that needs blocks was away when offences were proved, too.
        if let Peer::Miner(_) = from {
            for proof in self.evidence.one_against_each() {
                self.accounts.answered(from, wire::body(&*proof).len());
                fx.out.push(Output::Send { to: from, message: Message::Evidence(proof) });
            }
        }
    }

    pub(super) fn receive_chain(
        &mut self,
        from: Peer,
        response: Arc<ChainResponse>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        if !self.catch_up.take_expected(from) {
            // Nothing is missing any more, or it was never asked for: it costs nothing.
            return Ok(());
        }
        let checked = self.chain.check_answer(&response, &self.config, &self.scheme).inspect_err(|_| {
            self.accounts.charge(from, CHECK_WORK * (response.blocks.len() as u64 + 1));
        })?;
        // It was asked for, and it is right: that it may be no help any more is nobody's fault.
        self.accounts.forgive_arrival(from);
        let head = self.chain.head().round();
        let mut new = !checked.notarizations.is_empty() || checked.finality.is_some();
        for block in response.blocks.iter().filter(|block| block.round() > head) {
            let known = self.chain.node(block.round(), block.id());
            new |= known.is_none();
            if known.is_none_or(|node| !node.stored) {
                self.store(Stored::Block(Arc::clone(block)), fx);
            }
        }
        let source = Source::Received(from);
        let notarized = checked.notarizations.into_iter();
        self.events.extend(notarized.map(|certificate| Event::Notarized(certificate, source)));
        // After the certificates: a block becomes final with the one that is known then.
        self.events.push_back(Event::CaughtUp(from, response, new));
        let finality = checked.finality.into_iter();
        self.events.extend(finality.map(|certificate| Event::FinalityCertified(certificate, source)));
        Ok(())
    }

    /// Enters the blocks of a checked answer; `new`: something in it was not known.
    pub(super) fn take_blocks(
        &mut self,
        from: Peer,
        response: &ChainResponse,
        new: bool,
        fx: &mut Effects<'_>,
    ) {
        let head = self.chain.head().round();
        for block in response.blocks.iter().filter(|block| block.round() > head) {
            self.add_block(Arc::clone(block), fx);
            // `receive_chain` did that.
            self.chain.mark_stored(block.round(), block.id());
        }
        if let Some(last) =
            response.blocks.last().filter(|last| new || self.catch_up.is_further(last.round()))
            && self.chain.is_connected(last.round(), last.id())
        {
            self.catch_up.helped(from, last.round());
        }
    }
}

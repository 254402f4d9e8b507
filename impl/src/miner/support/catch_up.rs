//! Getting blocks that this miner needs and does not have (L4), and serving them to others.

use std::sync::Arc;

use crate::block::BlockId;
use crate::chain::Answer;
use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::limits::SERVED_BYTES;
use crate::message::{ChainRequest, ChainResponse, Message};
use crate::miner::interface::{Output, Timer};
use crate::miner::{Effects, Miner};
use crate::wire;

impl<S: Scheme> Miner<S> {
    /// The block that is needed most and is not connected: a final one, the one to build on, a candidate's parent.
    fn missing(&self) -> Option<BlockId> {
        if let Some(pending) = &self.pending_finality
            && !self.is_loading_for(pending)
        {
            return Some(self.chain.made_final(&pending.statement, self.handoff.as_deref()).1);
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
    pub(in crate::miner) fn watch_for_gaps(&mut self, fx: &mut Effects<'_>) {
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
    pub(in crate::miner) fn catch_up_timer(&mut self, fx: &mut Effects<'_>) {
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
    pub(in crate::miner) fn answer(&mut self, from: Peer, request: &ChainRequest, fx: &mut Effects<'_>) {
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

    /// Enters the blocks of a checked answer; `new`: something in it was not known.
    pub(in crate::miner) fn take_blocks(
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

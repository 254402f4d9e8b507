//! Blocks on their way through the chain: connected, shown to the application, put away, loaded again.

use std::sync::Arc;

use crate::block::{Block, BlockId};
use crate::certified::FinalityCertificate;
use crate::chain::Verdict;
use crate::committee::{Peer, Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::limits::FINAL_AT_ONCE;
use crate::message::Proposal;
use crate::miner::interface::{Milestone, Output, Stored};
use crate::miner::state::rounds::Candidate;
use crate::miner::{Effects, Event, Miner, Source};
use crate::statement::Proposed;

impl<S: Scheme> Miner<S> {
    /// Enters a block of the own round into its subround and into the chain.
    pub(in crate::miner) fn add_candidate(
        &mut self,
        block: Arc<Block>,
        candidate: Candidate,
        fx: &mut Effects<'_>,
    ) {
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
    pub(in crate::miner) fn add_block(&mut self, block: Arc<Block>, fx: &mut Effects<'_>) {
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
    pub(in crate::miner) fn ask_application(&mut self, round: Round, id: BlockId, fx: &mut Effects<'_>) {
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
        let follows = self.check_finality_rises(&header).and_then(|()| self.check_closing(&header));
        if let Err(error) = follows {
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
    pub(in crate::miner) fn judged(
        &mut self,
        round: Round,
        id: BlockId,
        accepted: bool,
        fx: &mut Effects<'_>,
    ) {
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
    pub(in crate::miner) fn accepted(&mut self, round: Round, id: BlockId, fx: &mut Effects<'_>) {
        for child in self.chain.unasked_children(round, id) {
            self.ask_application(round.next(), child, fx);
        }
        if round.next() == self.round && id == self.entry.block {
            self.ask_for_payload(fx);
        }
    }

    /// The lowest round whose blocks stay whole for a miner in `round`. Where finality takes no votes nothing is put away:
    /// these rules are for examination.
    pub(in crate::miner) fn whole_from(&self, round: Round) -> Round {
        let votes = self.config.rules.votes();
        Round(if votes { round.0.saturating_sub(self.config.whole_rounds.max(1)) } else { 0 })
    }

    /// At the end of a step: keeps the headers of old blocks; the host is told to store those that it has not. Blocks that are
    /// about to become final stay.
    pub(in crate::miner) fn put_away(&mut self, fx: &mut Effects<'_>) {
        let head = self.chain.head().round().0;
        let held = if self.loading.is_empty() { 0 } else { head.saturating_add(FINAL_AT_ONCE + 1) };
        for block in self.chain.put_away(Round(held)..self.whole_from(self.round)) {
            self.store(Stored::Block(block), fx);
        }
    }

    /// Whether all blocks from the head up to this one are whole here. Asks the host for the others, once.
    pub(in crate::miner) fn load(&mut self, round: Round, block: BlockId, fx: &mut Effects<'_>) -> bool {
        let away = self.chain.away(round, block);
        for (round, block) in away.iter().rev().copied() {
            if !self.loading.contains(&block) {
                self.loading.push(block);
                fx.out.push(Output::Load { round, block });
            }
        }
        away.is_empty()
    }

    /// The host has loaded a block.
    pub(in crate::miner) fn loaded(&mut self, block: Arc<Block>, fx: &mut Effects<'_>) {
        let (round, id) = (block.round(), block.id());
        if self.scheme.beacon_value(block.beacon_signature()) != block.header().beacon {
            // All the rest is in the id. As if the host had not answered: what it has is damaged.
            return;
        }
        if self.chain.node(round, id).is_some_and(|node| node.verdict == Verdict::Loading) {
            self.chain.judge(round, id, Verdict::Asked);
            fx.out.push(Output::Validate { block: Arc::clone(&block) });
        }
        if let Some(index) = self.loading.iter().position(|awaited| *awaited == id) {
            self.loading.swap_remove(index);
            self.chain.put_back(block);
            if self.loading.is_empty() {
                self.try_pending_finality(fx);
            }
        }
    }

    /// Whether nothing but loading keeps the block of a certificate from becoming final.
    pub(in crate::miner) fn is_loading_for(&self, certificate: &FinalityCertificate) -> bool {
        let (round, block) = self.chain.made_final(&certificate.statement, self.handoff.as_deref());
        round < self.round && self.chain.is_connected(round, block)
    }

    /// Drops blocks of subrounds below this one that are not notarized and that this miner did not ticket.
    pub(in crate::miner) fn forget_candidates(&mut self, round: Round, below: Subround) {
        let ledger = &self.ledger;
        self.chain.forget_candidates(round, below, |id| ledger.has_ticketed(round, id));
    }
}

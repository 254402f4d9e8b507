//! Step 10: when a block is final, and how an observer's finalized head moves.
//!
//! Sharders never vote, so an observer changes nothing for the others. Unless a scenario asks for observers with a
//! head of their own, finality is judged for *any* observer at once: a block counts as final when some observer could
//! have finalized it by now ([`Protocol::finalizable`]). That is what S5 and S6 quantify over, for any number of
//! sharders, and costs no state.

use super::{Action, Blocked, Guard, require};
use crate::{
    blocks::{BlockId, BlockSet, GENESIS},
    fault::Fault,
    protocol::Protocol,
    state::State,
};

impl Protocol {
    pub(super) fn finality_candidates(&self, state: &State, out: &mut Vec<Action>) {
        for observer in 0..self.observers as u8 {
            for block in self.blocks.all() {
                self.offer(state, Action::Finalize { observer, block }, out);
            }
        }
    }

    /// Whether some observer could have finalized `block` directly, not through a descendant. In an asynchronous
    /// network an observer may know any part of the sent messages.
    pub fn finalizable(&self, state: &State, block: BlockId) -> bool {
        if self.waits_for_finality(state) {
            return self.evaluated_after_wait(state, block);
        }
        match self.rules.finality.depth() {
            Some(0) => self.notarized(state, block),
            Some(depth) => self.tip_above(state, block, depth).is_some(),
            None => self.votes(state, block) >= self.committee.quorum,
        }
    }

    /// Whether observers judge a round after a wait.
    pub(crate) fn waits_for_finality(&self, state: &State) -> bool {
        self.rules.waits_before_finality()
            && !self.has(Fault::TwoDeltaWithoutWait)
            && state.environment.synchronous() == 1
    }

    /// A notarized block so many rounds above `block` that descends from it, or is it.
    pub fn tip_above(&self, state: &State, block: BlockId, depth: u8) -> Option<BlockId> {
        let mut tips = self.blocks.of_round(self.blocks.round(block) + depth);
        tips.find(|&tip| self.notarized(state, tip) && state.descends(&self.blocks, tip, block))
    }

    /// The blocks that some observer could have finalized directly.
    #[inline]
    pub fn finalizable_set(&self, state: &State) -> BlockSet {
        if self.rules.votes() {
            // `votes` is 0 where there is no block.
            let quorum = self.committee.quorum;
            return self.blocks.all().filter(|&b| self.votes(state, b) >= quorum).collect();
        }
        self.blocks.all().filter(|&b| state.block(b).parent() != 0 && self.finalizable(state, b)).collect()
    }

    /// `TwoDelta` in a synchronous network: after the wait an observer knows every notarized block of the round that an
    /// honest miner knows, and finalizes the block in which they all meet, so many rounds below as the rule says at least.
    fn evaluated_after_wait(&self, state: &State, block: BlockId) -> bool {
        if self.delivery_pending(state) {
            return false;
        }
        let depth = self.rules.finality.depth().unwrap_or(0);
        (self.blocks.round(block)..=self.blocks.rounds).any(|round| {
            let mut known = self.blocks.of_round(round).filter(|&b| self.public_notarization(state, b));
            let Some(first) = known.next() else { return false };
            let mut meet = known.fold(first, |a, b| self.common_ancestor(state, a, b));
            while self.blocks.round(meet) > round.saturating_sub(depth) {
                meet = state.parent(&self.blocks, meet).unwrap_or(GENESIS);
            }
            meet == block
        })
    }

    /// The last block on both chains.
    pub fn common_ancestor(&self, state: &State, a: BlockId, b: BlockId) -> BlockId {
        let (mut a, mut b) = (a, b);
        while a != b {
            let deeper = if self.blocks.round(a) >= self.blocks.round(b) { &mut a } else { &mut b };
            *deeper = state.parent(&self.blocks, *deeper).unwrap_or(GENESIS);
        }
        a
    }

    pub(super) fn finalize_enabled(
        &self,
        state: &State,
        observer: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(observer < 2, Guard::NoSuch)?;
        self.known(block)?;
        require(self.finalizable(state, block), Guard::NotFinal)?;
        let head = state.head(observer as usize);
        require(head != block, Guard::Done)?;
        let forward = state.descends(&self.blocks, block, head);
        require(
            match self.fault {
                Some(Fault::HeadAnywhere) => true,
                // Only news move a head back, never an ancestor that has been final before.
                Some(Fault::HeadMovesBack) => forward || !state.descends(&self.blocks, head, block),
                _ => forward,
            },
            Guard::HeadRule,
        )
    }

    pub(super) fn finalize_apply(&self, next: &mut State, observer: usize, block: BlockId) {
        let head = next.head(observer);
        let forward = next.descends(&self.blocks, block, head);
        let to = if forward || !self.has(Fault::HeadMovesBack) {
            block
        } else {
            self.common_ancestor(next, head, block)
        };
        if !forward {
            next.environment.set_moved_aside(1);
        }
        if self.has(Fault::HeadSkipsMissing) && self.blocks.round(block) > self.blocks.round(head) + 1 {
            // The blocks between may not have arrived: they are skipped, and never finalized.
            next.environment.set_holed(1);
        }
        next.set_head(observer, to);
    }
}

//! Step 10. **Finalize.** `q` finality votes for b make a finality certificate. The block b and all its ancestors are
//! final. The other values of the rule `finality` judge notarized blocks instead.
//!
//! Observers (sharders) never vote, so they change nothing for the others. Finality is judged for *any* observer: a block
//! is final if some observer can have learned enough by now to finalize it. In an asynchronous network an observer
//! may know any part of the sent messages. The heads of some observers are followed as well (S7).

use super::{Blocked, require};
use crate::{block::Block, fault::Fault, instance::Instance, state::State};
use std::collections::BTreeSet;
use zus_protocol::rules::FinalityRule;

impl Instance {
    /// Whether some observer can have finalized `block` directly, not through a descendant.
    pub fn is_final(&self, state: &State, block: Block) -> bool {
        if self.waits_before_finality(state) {
            return self.met_after_wait(state, block);
        }
        self.final_by(state, block, |b| state.notarized(b), state.sent.votes_for(&block).count())
    }

    /// Whether every observer can finalize `block` directly, from the messages of honest miners.
    pub fn public_final(&self, state: &State, block: Block) -> bool {
        let votes = self.honest_in(state.sent.votes_for(&block));
        self.final_by(state, block, |b| self.public_notarization(state, *b), votes)
    }

    /// Rule `finality`, for an observer that knows these notarizations, and so many votes for `block`.
    fn final_by(&self, state: &State, block: Block, known: impl Fn(&Block) -> bool, votes: usize) -> bool {
        match self.rules.finality {
            FinalityRule::TwoThirds | FinalityRule::TwoDelta => known(&block),
            FinalityRule::CommonAncestor { depth } => state.sent.notarized.iter().any(|tip| {
                tip.round.0 == block.round.0 + u64::from(depth) && state.descends(*tip, block) && known(tip)
            }),
            FinalityRule::Votes => votes >= self.quorum(),
        }
    }

    /// Whether observers judge a round after a wait. An asynchronous network may be late all the same.
    pub(crate) fn waits_before_finality(&self, state: &State) -> bool {
        let waits = self.rules.waits_before_finality() && !self.has(Fault::TwoDeltaWithoutWait);
        waits && state.synchronous.is_some()
    }

    /// The blocks that some observer can have finalized directly.
    pub fn finals(&self, state: &State) -> BTreeSet<Block> {
        state.sent.blocks.keys().copied().filter(|&block| self.is_final(state, block)).collect()
    }

    /// A rule that waits, in a synchronous network: after the wait an observer knows every notarized block of a round that
    /// an honest miner knows, and finalizes the block in which they meet, so many rounds below as the rule says at least.
    fn met_after_wait(&self, state: &State, block: Block) -> bool {
        let public = |b: &&Block| self.public_notarization(state, **b);
        let depth = self.rules.finality.depth().map_or(0, u64::from);
        !self.delivery_pending(state)
            && state.sent.notarized.iter().filter(public).any(|tip| {
                let round = state.sent.notarized.iter().filter(public).filter(|b| b.round == tip.round);
                let meet = round.fold(*tip, |a, &b| state.common_ancestor(a, b));
                state.chain(meet).find(|at| at.round.0 + depth <= tip.round.0) == Some(block)
            })
    }

    pub(super) fn finalize_enabled(
        &self,
        state: &State,
        observer: usize,
        block: Block,
    ) -> Result<(), Blocked> {
        let &head = state.heads.get(observer).ok_or(Blocked::NoSuch)?;
        require(state.sent.blocks.contains_key(&block) && self.is_final(state, block), Blocked::NotFinal)?;
        require(head != block, Blocked::Done)?;
        let forward = state.descends(block, head);
        let allowed = match self.fault {
            Some(Fault::HeadAnywhere) => true,
            // Only news move a head back, never an ancestor that has been final before.
            Some(Fault::HeadMovesBack) => forward || !state.descends(head, block),
            _ => forward,
        };
        require(allowed, Blocked::HeadRule)
    }

    pub(super) fn finalize_apply(&self, state: &mut State, observer: usize, block: Block) {
        let head = state.heads[observer];
        let forward = state.descends(block, head);
        let back = !forward && self.has(Fault::HeadMovesBack);
        state.heads[observer] = if back { state.common_ancestor(head, block) } else { block };
        state.history.moved_aside |= !forward;
        if self.has(Fault::HeadSkipsMissing) && block.round > head.round.next() {
            // The blocks between may not have arrived: they are skipped, and never finalized.
            state.history.holed = true;
        }
    }
}

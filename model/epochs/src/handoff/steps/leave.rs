//! Leaving a round (PROTOCOL.md, section 4, step 8): on a notarization of the own round, or of a later one. The member votes
//! for the block if it ticketed nothing else in that round, and signs nothing more in it.

use crate::handoff::{block::BlockId, instance::Instance, state::State};
use zus_protocol::ids::Subround;

impl Instance {
    pub(super) fn leave_enabled(&self, state: &State, at: usize, block: BlockId) -> bool {
        let (node, of) = (&state.nodes[at], self.block(block));
        let Some(judge) = self.signs_as(node, at, block) else { return false };
        of.round > self.block(node.through).round && self.notarized_by(state, block, judge)
    }

    pub(super) fn leave_apply(&self, state: &mut State, at: usize, block: BlockId) {
        let node = &mut state.nodes[at];
        let mut bound = node.tickets.iter().chain(node.votes.iter());
        let free = bound.all(|signed| signed == block || !self.same_log(signed, block));
        if free {
            node.votes.insert(block);
        }
        (node.through, node.subround) = (block, Subround(0));
    }
}

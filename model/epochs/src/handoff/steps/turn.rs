//! A committee turns Byzantine after its handoff (property E8).
//!
//! The handoff of the first committee was formed. All of its members that are in no later committee turn Byzantine at once: each has
//! signed everything of its epoch, and takes no step any more. So any other chain of that epoch is certified, too. What an honest node
//! had stored by then is written down, and so is the checkpoint of a node that has one.

use crate::handoff::{
    block::{BlockId, Blocks},
    instance::Instance,
    state::{Entry, Node, Record, State},
};
use zus_protocol::ids::Epoch;

/// The committee that turns.
const FIRST: Epoch = Epoch(0);

impl Instance {
    fn turns(&self, at: usize) -> bool {
        let later = (1..self.epochs).any(|epoch| self.is_in(at, Epoch(epoch)));
        self.is_in(at, FIRST) && !later
    }

    pub(super) fn turn_enabled(&self, state: &State, closing: BlockId) -> bool {
        let of = self.block(closing);
        self.turns
            && (of.epoch, of.closed_by) == (FIRST, Some(closing))
            && state.honest().count() == state.nodes.len()
            && self.handed_off(state, closing)
    }

    pub(super) fn turn_apply(&self, state: &mut State, closing: BlockId) {
        let mut everything = Blocks::default();
        self.above_start()
            .filter(|block| self.block(*block).epoch == FIRST)
            .for_each(|block| everything.insert(block));
        for (at, node) in state.nodes.iter_mut().enumerate() {
            if self.turns(at) {
                *node = Node { tickets: everything, votes: everything, turned: true, ..Node::new() };
                continue;
            }
            let checkpoint = Entry { closing, record: Record::OfChain };
            let checkpoint = self.members[at].checkpoint.then_some(checkpoint);
            node.kept = node.entries.first().copied().or(checkpoint);
        }
    }
}

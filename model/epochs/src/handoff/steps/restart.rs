//! Crashes. A node that comes back has its handoffs and its log. Beside them it has the certificate of its round, or it is in the
//! first round of its epoch again. The latter has more runs, so safety is asked of it; liveness fails there, since a vote bars a
//! node from signing in a round whose certificate it may have been the only honest one to hold.

use crate::handoff::{
    block::START,
    instance::{ComesBack, Instance},
    state::{Node, State},
};
use zus_protocol::ids::Subround;

impl Instance {
    /// Whether a node has signed nothing in its epoch.
    pub(crate) fn is_silent(&self, node: &Node) -> bool {
        let mut signed = node.tickets.iter().chain(node.votes.iter());
        signed.all(|block| self.block(block).epoch != node.epoch())
    }

    pub(super) fn restart_enabled(&self, state: &State, at: usize) -> bool {
        let before = state.nodes.iter().filter(|node| node.restarted).count();
        before < self.restarts && !state.nodes[at].restarted
    }

    pub(super) fn restart_apply(&self, state: &mut State, at: usize) {
        let between = state.nodes[at].epoch().0 > 0 && self.is_silent(&state.nodes[at]);
        let node = &mut state.nodes[at];
        node.through = match self.comes_back {
            ComesBack::WithItsCertificate => node.through,
            ComesBack::WithItsLogOnly => node.entries.last().map_or(START, |entry| entry.closing),
        };
        node.subround = Subround(0);
        node.restarted = true;
        node.restarted_between = between;
    }
}

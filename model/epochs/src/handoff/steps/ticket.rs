//! Tickets (PROTOCOL.md, section 4, step 5), with the epoch of the block.
//!
//! A member signs at most one ticket in a (epoch, round, subround), in its own epoch and round, in subrounds that go up, for a
//! block with a notarized parent. Between two subrounds a timeout certificate is asked for by the protocol; here a member may
//! go on at any time, so the model has more runs, and none is lost. Where the instance asks for certificates
//! ([`timeout`](super::timeout)), the block is of the subround that the member is in and has not given up.

use crate::handoff::{
    block::{BlockId, Generator},
    fault::EpochFault,
    instance::{Instance, Subrounds},
    rules::LogScopeRule,
    state::{Node, State},
};
use zus_protocol::ids::Epoch;

impl Instance {
    /// The epoch in which a member signs `block`: its own, above the handoff by which it entered that. Under fault VC6 a member of the old committee takes blocks of the next
    /// epoch for such ones, too.
    pub(crate) fn signs_as(&self, node: &Node, at: usize, block: BlockId) -> Option<Epoch> {
        let own = node.epoch();
        let of = self.block(block).epoch;
        let next = self.has(EpochFault::OldCommitteeInNewRounds) && of.0 == own.0 + 1;
        let on_own_chain = node.entry(of).is_none_or(|entry| self.descends(block, entry.closing));
        ((of == own || next) && self.is_in(at, own) && on_own_chain).then_some(own)
    }

    /// Whether a notarization of `block` can be formed from signatures of members of `judge`.
    pub(crate) fn notarized_by(&self, state: &State, block: BlockId, judge: Epoch) -> bool {
        self.notarized(state, block) && self.block(block).epoch == judge
            || self.block(block).epoch != judge
                && self.signers(state, Node::tickets, block, judge) >= self.quorum_of_nodes(judge)
    }

    /// Whether a log entry for `logged` bars a block of the same round: it does in the same epoch, and under `Shared` in any.
    pub(crate) fn same_log(&self, logged: BlockId, block: BlockId) -> bool {
        let (a, b) = (self.block(logged), self.block(block));
        let scope = match self.rules.log_scope {
            LogScopeRule::PerEpoch => a.epoch == b.epoch,
            LogScopeRule::Shared => true,
        };
        scope && a.round == b.round
    }

    pub(super) fn ticket_enabled(&self, state: &State, at: usize, block: BlockId) -> bool {
        let (node, of) = (&state.nodes[at], self.block(block));
        let Some(judge) = self.signs_as(node, at, block) else { return false };
        let parent = self.block(of.parent);
        let begins = parent.epoch != of.epoch;
        // The first block of an epoch has the closing block as its parent, with the handoff as its certificate.
        let parent_is_known = if begins && judge == of.epoch {
            node.entry(of.epoch).is_some_and(|entry| entry.closing == of.parent)
        } else {
            self.notarized_by(state, of.parent, parent.epoch.min(judge))
        };
        let earlier = node.tickets.iter().filter(|ticket| self.same_log(*ticket, block));
        let mut barred = earlier.map(|ticket| self.block(ticket).subround >= of.subround);
        let voted = node.votes.iter().any(|vote| self.same_log(vote, block));
        let alone = match of.generator {
            Generator::Byzantine => true,
            Generator::Honest => !self.another_is_ticketed(state, block),
        };
        let in_subround = match self.subrounds {
            Subrounds::AtWill => true,
            Subrounds::ByCertificate => {
                let position = (of.epoch, of.round, of.subround);
                of.subround == node.subround && !node.timeouts.contains(&position)
            }
        };
        of.round == self.block(node.through).round.next()
            && in_subround
            && parent_is_known
            && !barred.any(|barred| barred)
            && !voted
            && alone
    }

    /// Whether an honest member ticketed another block of the same (epoch, round, subround).
    fn another_is_ticketed(&self, state: &State, block: BlockId) -> bool {
        let of = self.block(block);
        let beside = |other: BlockId| {
            let b = self.block(other);
            other != block && (b.epoch, b.round, b.subround) == (of.epoch, of.round, of.subround)
        };
        state.nodes.iter().any(|node| node.tickets.iter().any(beside))
    }

    pub(super) fn ticket_apply(&self, state: &mut State, at: usize, block: BlockId) {
        state.nodes[at].tickets.insert(block);
    }
}

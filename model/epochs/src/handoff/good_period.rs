//! The end of fair runs, for E5 and E7.
//!
//! From some moment on the network is synchronous. Then each step that is *due* happens, unless another step makes it
//! impossible. A step is due if honest nodes that still answer hold all that it needs; Byzantine members may be silent for good.
//! Each step makes the state strictly larger, so a fair run ends, in a state in which no step is due. The adversary may stop helping in
//! any state, so every such state that can be reached is the end of a fair run: E5 is an invariant of these states.
//!
//! Waits and timeouts are not here: that honest members all have time to ticket the block of an honest generator is what the
//! protocol's waits are for (PROTOCOL.md, section 4), and that an honest generator comes is an assumption of the instance: the last
//! subround of each round has one.

use super::{
    block::{Block, BlockId, Blocks, Generator, START},
    fault::EpochFault,
    instance::{Instance, Subrounds},
    rules::OldCommitteeRule,
    state::{Node, Record, State},
    steps::Action,
};
use zus_protocol::ids::Epoch;

impl Instance {
    /// Whether a node answers messages of `epoch`: one that is in it does, and one that went on, by the rule.
    fn answers(&self, node: &Node, at: usize, epoch: Epoch) -> bool {
        let went_on = node.epoch() > epoch;
        let leaver = self.is_in(at, epoch) && !self.is_in(at, Epoch(epoch.0 + 1));
        let by_rule = match self.rules.old_committee {
            OldCommitteeRule::ServesUntilFinal => !self.has(EpochFault::OnlyLeaversServe) || leaver,
            OldCommitteeRule::Stops => !self.is_in(at, epoch),
        };
        !went_on || by_rule
    }

    /// Whether honest nodes that answer have signed `block` often enough for a quorum: those that are in its epoch still.
    fn signed_by_present(&self, state: &State, signed: fn(&Node) -> Blocks, block: BlockId) -> bool {
        let epoch = self.block(block).epoch;
        let signs = |(at, node): (usize, &Node)| {
            self.is_in(at, epoch) && node.epoch() == epoch && signed(node).contains(block)
        };
        let count = state.nodes.iter().enumerate().filter(|each| signs(*each)).count();
        count >= self.quorum_of_nodes(epoch)
    }

    /// Whether an honest node that is in the epoch of `block` holds its notarization, or can form it from honest tickets.
    fn notarization_is_held(&self, state: &State, block: BlockId) -> bool {
        let epoch = self.block(block).epoch;
        // A proposal carries the certificate of its parent.
        let by_child = |ticket: BlockId| self.descends(self.block(ticket).parent, block);
        let holds = |node: &Node| {
            node.epoch() == epoch && (self.descends(node.through, block) || node.tickets.iter().any(by_child))
        };
        block == START || state.nodes.iter().any(holds) || self.signed_by_present(state, Node::tickets, block)
    }

    /// Whether an honest node that answers holds the handoff certificate, or can form it from honest votes.
    fn handoff_is_held(&self, state: &State, closing: BlockId) -> bool {
        let epoch = self.block(closing).epoch;
        let next = Epoch(epoch.0 + 1);
        let holds = |(at, node): (usize, &Node)| {
            node.entry(next).is_some_and(|entry| entry.closing == closing) && self.answers(node, at, epoch)
        };
        state.nodes.iter().enumerate().any(holds)
            || self.closing_and_tail(closing).any(|block| self.signed_by_present(state, Node::votes, block))
    }

    /// Whether an enabled step is due.
    fn is_due(&self, state: &State, action: &Action) -> bool {
        match *action {
            Action::Ticket { node, block } => {
                let of = self.block(block);
                let is_held =
                    self.block(of.parent).epoch != of.epoch || self.notarization_is_held(state, of.parent);
                match of.generator {
                    Generator::Byzantine => false,
                    Generator::Honest => state.nodes[node].epoch() == of.epoch && is_held,
                }
            }
            Action::Leave { block, .. } => self.notarization_is_held(state, block),
            Action::Enter { closing, record, .. } => match record {
                Record::OfChain => self.handoff_is_held(state, closing),
                Record::OfNode | Record::Forged => false,
            },
            Action::Timeout { .. }
            | Action::EnterSubround { .. }
            | Action::Restart { .. }
            | Action::Turn { .. } => false,
        }
    }

    /// Whether liveness can be asked of the instance: the last subround of each round has an honest generator, no members turn
    /// Byzantine, and no step waits for timeouts.
    pub fn is_fair(&self) -> bool {
        let last = |block: &Block| {
            let same = |other: &&Block| (other.epoch, other.round) == (block.epoch, block.round);
            self.blocks.iter().filter(same).all(|other| other.subround <= block.subround)
        };
        let honest_last = self.blocks.iter().filter(|block| last(block)).all(|block| match block.generator {
            Generator::Honest => true,
            Generator::Byzantine => false,
        });
        honest_last && !self.turns && self.subrounds == Subrounds::AtWill
    }

    /// Whether a fair run may end in `state`: no step is due. An instance that is not fair has no such state.
    pub fn is_end(&self, state: &State) -> bool {
        self.is_fair() && !self.steps(state).iter().any(|action| self.is_due(state, action))
    }
}

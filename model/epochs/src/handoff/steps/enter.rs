//! Taking a handoff, and entering the next epoch.
//!
//! The recommended rule: a node takes the handoff certificate under the committee that it knows. It stores it with the
//! record, signs nothing of its old epoch any more, and is in the round above the closing block. What a node takes instead
//! under other rules is here, too.

use crate::handoff::{
    block::BlockId,
    fault::EpochFault,
    instance::Instance,
    rules::{ActivationRule, EpochSourceRule, HandoffProofRule},
    state::{Entry, Node, Record, State},
};
use zus_protocol::ids::Subround;

impl Instance {
    /// Whether there is evidence for the genuine record of a closing block, of the kind that the node `at` asks for.
    pub(crate) fn has_evidence(&self, state: &State, at: usize, closing: BlockId) -> bool {
        let epoch = self.block(closing).epoch;
        let notarized = self.notarized(state, closing);
        let by_source = match self.rules.epoch_source {
            EpochSourceRule::Finalized => self.handed_off(state, closing),
            EpochSourceRule::Candidate => {
                let on_it = |block: &BlockId| self.block(*block).parent == closing && *block != closing;
                notarized
                    && self.closing_and_tail(closing).filter(on_it).any(|child| self.notarized(state, child))
            }
            EpochSourceRule::Notarized => notarized,
            EpochSourceRule::AnySharder => self.handed_off(state, closing),
        };
        let joins = !self.is_in(at, epoch);
        let by_activation = match self.rules.activation {
            ActivationRule::AfterHandoff => by_source,
            ActivationRule::Offset { rounds } => {
                let round = self.block(closing).round.0 + u64::from(rounds);
                self.closing_and_tail(closing)
                    .any(|block| self.block(block).round.0 == round && self.notarized(state, block))
            }
        };
        by_activation || joins && notarized && self.has(EpochFault::JoinerTakesNotarized)
    }

    /// Whether a node takes a record that the adversary made up, with the tickets that the adversary has.
    pub(crate) fn takes_forged(&self) -> bool {
        let by_source = match self.rules.epoch_source {
            EpochSourceRule::Finalized | EpochSourceRule::Candidate | EpochSourceRule::Notarized => false,
            EpochSourceRule::AnySharder => true,
        };
        let by_proof = match self.rules.handoff_proof {
            HandoffProofRule::QuorumOfPrevious => false,
            HandoffProofRule::AnyTickets | HandoffProofRule::LinkOnly => true,
        };
        by_source || by_proof || self.has(EpochFault::RecordBeforeUnchecked)
    }

    /// Whether a node may take a handoff of an epoch now: it is in that epoch. A checkpoint names the only one that it takes.
    fn may_take(&self, node: &Node, taken: Entry) -> bool {
        let epoch = self.block(taken.closing).epoch;
        let replaces = self.has(EpochFault::HandoffReplaced)
            && node.epoch().0 == epoch.0 + 1
            && node.entries.last() != Some(&taken);
        let is_next = node.epoch() == epoch
            && node.entries.last().is_none_or(|entry| self.descends(taken.closing, entry.closing))
            && (node.kept.is_none_or(|kept| node.epoch().0 > 0 || kept == taken)
                || self.has(EpochFault::CheckpointIgnored));
        replaces || is_next
    }

    pub(super) fn enter_enabled(&self, state: &State, at: usize, closing: BlockId, record: Record) -> bool {
        let closes = self.block(closing).closed_by == Some(closing);
        closes
            && self.may_take(&state.nodes[at], Entry { closing, record })
            && match record {
                Record::OfChain => self.has_evidence(state, at, closing),
                Record::OfNode => self.has(EpochFault::RecordOfNode) && self.has_evidence(state, at, closing),
                Record::Forged => self.takes_forged(),
            }
    }

    pub(super) fn enter_apply(&self, state: &mut State, at: usize, closing: BlockId, record: Record) {
        let epoch = self.block(closing).epoch;
        let node = &mut state.nodes[at];
        node.entries.truncate(epoch.0 as usize);
        node.entries.push(Entry { closing, record });
        (node.through, node.subround) = (closing, Subround(0));
    }
}

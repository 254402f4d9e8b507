//! Timeouts (PROTOCOL.md, section 4, step 9), where subrounds are entered by certificates.
//!
//! A member gives the subround that it is in up, and signs nothing more in it. `q` timeouts of one epoch, round and subround are a
//! certificate; a member of that epoch enters the next subround of that round with it. Under fault VC36 a certificate of an older
//! epoch with the same numbers does so, too.

use crate::handoff::{
    fault::EpochFault,
    instance::{Instance, Subrounds},
    state::{Node, Position, State},
};
use zus_protocol::ids::{Epoch, Round, Subround};

impl Instance {
    /// The subround that a node is in.
    pub fn position(&self, node: &Node) -> Position {
        (node.epoch(), self.block(node.through).round.next(), node.subround)
    }

    /// The last subround of a round that has a block: of an epoch, or of any.
    pub(super) fn last_subround(&self, round: Round, epoch: Option<Epoch>) -> Subround {
        let there = self.blocks.iter().filter(|block| block.round == round);
        let of_epoch = there.filter(|block| epoch.is_none_or(|epoch| block.epoch == epoch));
        of_epoch.map(|block| block.subround).max().unwrap_or(Subround(0))
    }

    /// Whether a timeout certificate of a subround can be formed.
    fn is_timed_out(&self, state: &State, position: Position) -> bool {
        let (epoch, _, _) = position;
        let signs = |(at, node): (usize, &Node)| self.is_in(at, epoch) && node.timeouts.contains(&position);
        let honest = state.nodes.iter().enumerate().filter(|each| signs(*each)).count();
        honest + self.byzantine(epoch) >= self.quorum(epoch)
    }

    /// The epoch of a timeout certificate by which a member enters a subround.
    pub(crate) fn timeout_certificate(&self, state: &State, entered: Position) -> Option<Epoch> {
        let (own, round, subround) = entered;
        let before = Subround(subround.0.checked_sub(1)?);
        let oldest = if self.has(EpochFault::OlderEpochIsHeard) { 0 } else { own.0 };
        let mut epochs = (oldest..=own.0).rev().map(Epoch);
        epochs.find(|epoch| self.is_timed_out(state, (*epoch, round, before)))
    }

    /// Whether a node is in a subround that no timeout certificate of its own epoch leads to.
    pub(crate) fn is_moved_wrongly(&self, state: &State, node: &Node) -> bool {
        let (epoch, round, subround) = self.position(node);
        let before = subround.0.checked_sub(1).map(Subround);
        before.is_some_and(|before| !self.is_timed_out(state, (epoch, round, before)))
    }

    /// A timeout in a subround after which the list has no block is of no use.
    pub(super) fn timeout_enabled(&self, state: &State, at: usize) -> bool {
        let node = &state.nodes[at];
        let position = self.position(node);
        let (epoch, round, subround) = position;
        self.subrounds == Subrounds::ByCertificate
            && self.is_in(at, epoch)
            && subround < self.last_subround(round, None)
            && !node.timeouts.contains(&position)
    }

    pub(super) fn timeout_apply(&self, state: &mut State, at: usize) {
        let position = self.position(&state.nodes[at]);
        state.nodes[at].timeouts.insert(position);
    }

    pub(super) fn enter_subround_enabled(&self, state: &State, at: usize, subround: Subround) -> bool {
        let (epoch, round, present) = self.position(&state.nodes[at]);
        self.subrounds == Subrounds::ByCertificate
            && self.is_in(at, epoch)
            && present < subround
            && self.timeout_certificate(state, (epoch, round, subround)).is_some()
    }

    pub(super) fn enter_subround_apply(&self, state: &mut State, at: usize, subround: Subround) {
        state.nodes[at].subround = subround;
    }
}

//! The steps. Each file has two functions for a step: `..._enabled` says whether it may happen, `..._apply` says what it
//! changes.

pub mod enter;
pub mod leave;
pub mod restart;
pub mod ticket;
pub mod timeout;
pub mod turn;

use super::{
    block::BlockId,
    instance::Instance,
    state::{Record, State},
};
use serde::{Deserialize, Serialize};
use zus_protocol::ids::Subround;

/// A step of an honest node, by its place in the state; or members turn Byzantine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are `node`, `block`, `subround`, `closing` and `record`")]
pub enum Action {
    /// A member of the committee of its epoch signs a ticket.
    Ticket { node: usize, block: BlockId },
    /// It leaves its round through a notarized block, and votes for that block if it may.
    Leave { node: usize, block: BlockId },
    /// It gives the subround that it is in up, and signs a timeout for it.
    Timeout { node: usize },
    /// It enters a later subround of its round by a timeout certificate of the subround before.
    EnterSubround { node: usize, subround: Subround },
    /// A node takes the handoff of its epoch, signs nothing in it any more, and is in the next one.
    Enter { node: usize, closing: BlockId, record: Record },
    /// A node crashes and comes back at the beginning of its epoch, with its log.
    Restart { node: usize },
    /// The members of the first committee that are in no later one turn Byzantine, after the handoff above this block was formed.
    Turn { closing: BlockId },
}

impl Action {
    /// The node that does it; none if the adversary does.
    pub fn node(&self) -> Option<usize> {
        match *self {
            Action::Ticket { node, .. }
            | Action::Leave { node, .. }
            | Action::Timeout { node }
            | Action::EnterSubround { node, .. }
            | Action::Enter { node, .. }
            | Action::Restart { node } => Some(node),
            Action::Turn { .. } => None,
        }
    }
}

impl Instance {
    /// Whether `action` may happen in `state`.
    pub fn enabled(&self, state: &State, action: &Action) -> bool {
        if action.node().is_some_and(|node| state.nodes[node].turned) {
            return false;
        }
        match *action {
            Action::Ticket { node, block } => self.ticket_enabled(state, node, block),
            Action::Leave { node, block } => self.leave_enabled(state, node, block),
            Action::Timeout { node } => self.timeout_enabled(state, node),
            Action::EnterSubround { node, subround } => self.enter_subround_enabled(state, node, subround),
            Action::Enter { node, closing, record } => self.enter_enabled(state, node, closing, record),
            Action::Restart { node } => self.restart_enabled(state, node),
            Action::Turn { closing } => self.turn_enabled(state, closing),
        }
    }

    /// Does `action`, which must be enabled.
    pub fn apply(&self, state: &mut State, action: &Action) {
        match *action {
            Action::Ticket { node, block } => self.ticket_apply(state, node, block),
            Action::Leave { node, block } => self.leave_apply(state, node, block),
            Action::Timeout { node } => self.timeout_apply(state, node),
            Action::EnterSubround { node, subround } => self.enter_subround_apply(state, node, subround),
            Action::Enter { node, closing, record } => self.enter_apply(state, node, closing, record),
            Action::Restart { node } => self.restart_apply(state, node),
            Action::Turn { closing } => self.turn_apply(state, closing),
        }
    }

    /// The steps that may happen in `state`.
    pub fn steps(&self, state: &State) -> Vec<Action> {
        let mut all = Vec::new();
        for node in 0..state.nodes.len() {
            for block in self.above_start() {
                all.extend([Action::Ticket { node, block }, Action::Leave { node, block }]);
                let records = [Record::OfChain, Record::OfNode, Record::Forged];
                all.extend(records.map(|record| Action::Enter { node, closing: block, record }));
            }
            all.extend([Action::Timeout { node }, Action::Restart { node }]);
            let (epoch, round, _) = self.position(&state.nodes[node]);
            let last = self.last_subround(round, Some(epoch));
            all.extend(
                (1..=last.0).map(|subround| Action::EnterSubround { node, subround: Subround(subround) }),
            );
        }
        all.extend(self.above_start().map(|closing| Action::Turn { closing }));
        all.retain(|action| self.enabled(state, action));
        all
    }
}

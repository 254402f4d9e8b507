//! The steps. Each file has two functions for a step: `..._enabled` says whether it may happen, `..._apply` says what it
//! changes.

pub mod enter;
pub mod leave;
pub mod restart;
pub mod ticket;

use super::{
    block::BlockId,
    instance::Instance,
    state::{Record, State},
};
use serde::{Deserialize, Serialize};

/// A step of an honest node, by its place in the state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are `node`, `block`, `closing` and `record`")]
pub enum Action {
    /// A member of the committee of its epoch signs a ticket.
    Ticket { node: usize, block: BlockId },
    /// It leaves its round through a notarized block, and votes for that block if it may.
    Leave { node: usize, block: BlockId },
    /// A node takes the handoff of its epoch, signs nothing in it any more, and is in the next one.
    Enter { node: usize, closing: BlockId, record: Record },
    /// A node crashes and comes back at the beginning of its epoch, with its log.
    Restart { node: usize },
}

impl Instance {
    /// Whether `action` may happen in `state`.
    pub fn enabled(&self, state: &State, action: &Action) -> bool {
        match *action {
            Action::Ticket { node, block } => self.ticket_enabled(state, node, block),
            Action::Leave { node, block } => self.leave_enabled(state, node, block),
            Action::Enter { node, closing, record } => self.enter_enabled(state, node, closing, record),
            Action::Restart { node } => self.restart_enabled(state, node),
        }
    }

    /// Does `action`, which must be enabled.
    pub fn apply(&self, state: &mut State, action: &Action) {
        match *action {
            Action::Ticket { node, block } => self.ticket_apply(state, node, block),
            Action::Leave { node, block } => self.leave_apply(state, node, block),
            Action::Enter { node, closing, record } => self.enter_apply(state, node, closing, record),
            Action::Restart { node } => self.restart_apply(state, node),
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
            all.push(Action::Restart { node });
        }
        all.retain(|action| self.enabled(state, action));
        all
    }
}

//! Steps 6 and 7. **Collect tickets.** `q` valid tickets of distinct members for one (round, subround, block) make a
//! notarization. **Broadcast** it to miners and sharders. Everybody relays it once (rule `echo`).
//!
//! Anybody can form a notarization, a Byzantine member too, which may then show it to whom it likes. From then on it may
//! reach every miner; that it *must* is a question of the good period.

use super::{Blocked, require};
use crate::{
    block::{Block, Generator},
    fault::Fault,
    instance::Instance,
    state::State,
};

impl Instance {
    /// Whether `q` genuine tickets for exactly this block were sent (S8).
    pub fn has_quorum(&self, state: &State, block: Block) -> bool {
        state.sent.tickets_for(&block).count() >= self.quorum()
    }

    /// Whether honest miners accept a notarization of `block` that somebody can form now.
    pub fn notarizable(&self, state: &State, block: Block) -> bool {
        let tickets = state.sent.tickets_for(&block);
        let forgers = self.committee.byzantine > 0;
        let counted = match self.fault {
            Some(Fault::NotRecorded) => return false,
            Some(Fault::EmbeddedUnverified) if forgers => return true,
            Some(Fault::UnweightedSum) if forgers => tickets.count() + 2,
            Some(Fault::DuplicateSigner) => {
                tickets.clone().count() + tickets.filter(|by| !self.is_honest(**by)).count()
            }
            Some(Fault::SubroundUnbound) => tickets.count() + self.tickets_of_same_id(state, block),
            _ => tickets.count(),
        };
        counted >= self.quorum()
    }

    /// Fault 39: honest tickets for other blocks that have the id of `block`, if the id does not commit to the subround.
    fn tickets_of_same_id(&self, state: &State, block: Block) -> usize {
        let same_id = |other: &Block, parent: &Block| {
            block.generator == Generator::Byzantine
                && (other.generator, other.round, other.twin) == (block.generator, block.round, block.twin)
                && other.subround != block.subround
                && state.sent.blocks.get(&block) == Some(parent)
        };
        let others = state.sent.blocks.iter().filter(|(other, parent)| same_id(other, parent));
        others.map(|(other, _)| self.honest_in(state.sent.tickets_for(other))).sum()
    }

    pub(super) fn notarize_enabled(&self, state: &State, block: Block) -> Result<(), Blocked> {
        require(!state.notarized(&block), Blocked::Done)?;
        require(state.proposed(&block), Blocked::NotProposed)?;
        require(self.notarizable(state, block), Blocked::NotNotarized)
    }

    pub(super) fn notarize_apply(&self, state: &mut State, block: Block) {
        state.sent.notarized.insert(block);
    }
}

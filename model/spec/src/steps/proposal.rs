//! Step 2. **Propose.** A miner with a rank in the order of (r, s) broadcasts one block. The block extends the notarized
//! block through which the miner entered r. It does so once for each (r, s), across restarts too.
//!
//! Which honest miner has an honest rank is decided by this step: any honest miner of the subround may be the one. A
//! Byzantine generator proposes as many blocks as it likes, on any parent of the round before.

use super::{Blocked, require};
use crate::{
    block::{Block, Generator},
    fault::Fault,
    instance::Instance,
    state::State,
};
use zus_protocol::ids::MinerId;

impl Instance {
    pub(super) fn propose_enabled(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        let m = self.acting(state, miner)?;
        self.place_of(&block)?;
        require(block.generator == Generator::Honest, Blocked::NotEligible)?;
        require(block.round == m.round, Blocked::OtherRound)?;
        require(block.subround == m.subround, Blocked::OtherSubround)?;
        require(!state.proposed(&block), Blocked::Done)?;
        require(self.beacon_known(state, miner), Blocked::BeaconUnknown)?;
        let before = m.log.proposals.contains(&m.position());
        match block.twin_before() {
            None => require(!before, Blocked::Done),
            Some(first) => {
                let again =
                    self.has(Fault::ProposesTwice) || self.has(Fault::ProposalsVolatile) && m.restarted;
                require(before && again && block.twin == 1 && state.proposed(&first), Blocked::NotInRules)
            }
        }
    }

    pub(super) fn propose_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        let m = state.miner_mut(miner);
        m.log.proposals.insert(m.position());
        let parent = m.entry;
        state.sent.blocks.insert(block, parent);
    }

    pub(super) fn byzantine_propose_enabled(
        &self,
        state: &State,
        block: Block,
        parent: Block,
    ) -> Result<(), Blocked> {
        require(self.committee.byzantine > 0, Blocked::NoSuch)?;
        self.place_of(&block)?;
        require(block.generator != Generator::Honest, Blocked::NotInRules)?;
        require(!state.proposed(&block), Blocked::Done)?;
        require(state.proposed(&parent) && parent.round.next() == block.round, Blocked::NotProposed)?;
        // Twins are numbered in the order in which they are made.
        require(block.twin_before().is_none_or(|twin| state.proposed(&twin)), Blocked::NotProposed)
    }

    pub(super) fn byzantine_propose_apply(&self, state: &mut State, block: Block, parent: Block) {
        state.sent.blocks.insert(block, parent);
    }
}

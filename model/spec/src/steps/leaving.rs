//! Step 8. **Leave r** on the first notarization of r, of any subround s'. Sign no ticket and no timeout of r any more.
//! Cast a **finality vote** for that block b if every block that the miner ticketed in r, over all subrounds, is b (no
//! ticket is fine). Then enter (r + 1, 0). A notarization of a later round is the same jump.
//!
//! Under `Chained` and `Adopt` a miner that has entered r + 1 changes to another notarized block of r if that one has the
//! greater seed: miners that know the same blocks then end with the same seed.

use super::{Blocked, require};
use crate::{
    block::{Block, GENESIS},
    fault::Fault,
    instance::Instance,
    state::{Miner, State},
};
use std::mem;
use zus_protocol::{
    ids::{MinerId, Subround},
    rules::SubroundSwitchRule,
};

impl Instance {
    pub(super) fn leave_enabled(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        let m = self.acting(state, miner)?;
        require(block.round >= m.round, Blocked::OtherRound)?;
        require(state.notarized(&block), Blocked::NotNotarized)
    }

    pub(super) fn leave_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        let m = state.miner(miner);
        let free = m.ticketed_no_other(&block) || self.has(Fault::VotesAfterOtherTicket);
        if self.rules.votes() && free && !m.voted_in(block.round) {
            self.vote_apply(state, miner, block);
        }
        self.enter_round(state, miner, block);
    }

    /// The miner writes a finality vote for `block` to its log and sends it.
    pub(super) fn vote_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        state.miner_mut(miner).log.votes.insert(block);
        state.sent.votes.entry(block).or_default().insert(miner);
    }

    /// The miner enters the round after that of `through`, in subround 0. Its log is what it takes along.
    pub(super) fn enter_round(&self, state: &mut State, miner: MinerId, through: Block) {
        let m = state.miner_mut(miner);
        *m = Miner::entered(through, mem::take(&mut m.log));
        self.visit(state, miner);
    }

    /// Fault A4: the miner votes and stays.
    pub(super) fn vote_without_leaving_enabled(
        &self,
        state: &State,
        miner: MinerId,
        block: Block,
    ) -> Result<(), Blocked> {
        require(self.rules.votes() && self.has(Fault::VotesWithoutLeaving), Blocked::NotInRules)?;
        self.leave_enabled(state, miner, block)?;
        let m = state.miner(miner);
        require(block.round == m.round, Blocked::OtherRound)?;
        require(!m.voted_in(m.round), Blocked::Done)?;
        require(m.ticketed_no_other(&block), Blocked::TicketRule)
    }

    /// Fault 23: the miner does not compare the label of a notarization with the round of its block.
    pub(super) fn leave_relabelled_enabled(
        &self,
        state: &State,
        miner: MinerId,
        block: Block,
    ) -> Result<(), Blocked> {
        require(self.has(Fault::LabelUnchecked), Blocked::NotInRules)?;
        let m = self.acting(state, miner)?;
        require(block != GENESIS && block.round < m.round, Blocked::OtherRound)?;
        require(state.notarized(&block), Blocked::NotNotarized)
    }

    /// It takes the block for the first one of its own round, and leaves that.
    pub(super) fn leave_relabelled_apply(&self, state: &mut State, miner: MinerId) {
        state.history.mislabelled = true;
        let round = state.miner(miner).round;
        let first = self.places(round, Subround(0)).next();
        self.enter_round(state, miner, first.unwrap_or(Block { round, ..GENESIS }));
    }

    pub(super) fn adopt_enabled(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        let adopts = match self.rules.subround_switch {
            SubroundSwitchRule::Adopt => true,
            SubroundSwitchRule::FirstArrival => false,
        };
        require(adopts && self.rules.chained(), Blocked::NotInRules)?;
        let m = self.acting(state, miner)?;
        require(block.round.next() == m.round, Blocked::OtherRound)?;
        require(state.notarized(&block), Blocked::NotNotarized)?;
        require(self.seed(state, block) > self.seed_of(state, miner), Blocked::OtherSeed)
    }

    pub(super) fn adopt_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        let m = state.miner_mut(miner);
        m.entry = block;
        m.selected = None;
        self.visit(state, miner);
    }

    pub(super) fn byzantine_vote_enabled(
        &self,
        state: &State,
        member: MinerId,
        block: Block,
    ) -> Result<(), Blocked> {
        require(self.rules.votes(), Blocked::NotInRules)?;
        self.byzantine_member(member)?;
        self.place_of(&block)?;
        require(state.proposed(&block), Blocked::NotProposed)?;
        require(!state.sent.votes_for(&block).any(|by| *by == member), Blocked::Done)
    }

    pub(super) fn byzantine_vote_apply(&self, state: &mut State, member: MinerId, block: Block) {
        state.sent.votes.entry(block).or_default().insert(member);
    }
}

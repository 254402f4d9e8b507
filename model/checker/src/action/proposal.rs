//! Step 2: a selected generator produces a block and sends it to all miners.
//!
//! An honest generator proposes on entering its subround, extending the notarized block through which it entered the
//! round, once. A block that nobody ticketed changes nothing, so under the `eager` reduction a block comes into being
//! with its first ticket, provided that somebody could have proposed it by then: an honest miner that was in the
//! subround with that parent (each miner for one rank only), or a Byzantine generator with any notarized parent.

use super::{Action, Blocked, Guard, Seen, require};
use crate::{
    blocks::{BlockId, BlockSet, GENESIS, Generator},
    fault::Fault,
    protocol::Protocol,
    rules::ParentRule,
    state::{State, position},
};

impl Protocol {
    pub(super) fn proposal_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        if self.reductions.eager {
            return;
        }
        for miner in seen.miners {
            let m = &state.miners[miner];
            for block in self.blocks.of_subround(m.round() as u8, m.subround() as u8) {
                self.offer(state, Action::Propose { miner: miner as u8, block }, out);
            }
        }
        for block in self.blocks.all() {
            if self.blocks.place(block).generator == Generator::Honest || state.block(block).parent() != 0 {
                continue;
            }
            for parent in self.entries(self.blocks.round(block)) {
                self.offer(state, Action::ByzantinePropose { block, parent }, out);
            }
        }
    }

    pub(super) fn propose_enabled(&self, state: &State, miner: u8, block: BlockId) -> Result<(), Blocked> {
        require(!self.reductions.eager, Guard::NotInRules)?;
        let miner = self.acting(state, miner)?;
        self.known(block)?;
        let (m, place) = (&state.miners[miner], self.blocks.place(block));
        require(place.generator == Generator::Honest, Guard::NotEligible)?;
        require(u32::from(place.round) == m.round(), Guard::OtherRound)?;
        require(u32::from(place.subround) == m.subround(), Guard::OtherSubround)?;
        require(state.block(block).parent() == 0, Guard::Done)?;
        // A miner that restarted behind proposes nothing in the rounds that it had already reached.
        require(m.round() > m.reached(), Guard::Done)?;
        require(self.beacon_known(state, miner), Guard::BeaconUnknown)?;
        if place.twin == 0 {
            require(m.proposed() == 0, Guard::Done)
        } else {
            let again = self.first_twin_proposed(state, block)
                && self.proposes_twice(state, place.round, place.subround);
            require(m.proposed() == 1 && again, Guard::NotInRules)
        }
    }

    pub(super) fn propose_apply(&self, next: &mut State, miner: usize, block: BlockId) {
        let parent = next.entry(&self.blocks, miner);
        next.miners[miner].set_proposed(1);
        self.materialize(next, block, parent);
    }

    pub(super) fn byzantine_propose_enabled(
        &self,
        state: &State,
        block: BlockId,
        parent: BlockId,
    ) -> Result<(), Blocked> {
        require(!self.reductions.eager, Guard::NotInRules)?;
        self.known(block)?;
        require(self.blocks.place(block).generator != Generator::Honest, Guard::NotInRules)?;
        require(self.committee.byzantine > 0, Guard::NoSuch)?;
        require(state.block(block).parent() == 0, Guard::Done)?;
        // A Byzantine generator may extend anything; whether honest miners accept it is their guard (#703).
        let place = self.blocks.place(block);
        let extends = parent == GENESIS || self.known(parent).is_ok() && state.block(parent).parent() != 0;
        require(extends && self.blocks.round(parent) + 1 == place.round, Guard::NotProposed)?;
        require(place.twin == 0 || self.first_twin_proposed(state, block), Guard::NotProposed)
    }

    /// Whether somebody could have sent `block` with `parent` by now.
    pub(crate) fn could_be_proposed(&self, state: &State, block: BlockId, parent: BlockId) -> bool {
        let place = self.blocks.place(block);
        if parent != GENESIS && parent.index() >= self.blocks.len() {
            return false;
        }
        if self.blocks.round(parent) + 1 != place.round {
            return false;
        }
        if place.twin == 1 && !self.first_twin_proposed(state, block) {
            return false;
        }
        match place.generator {
            Generator::Honest => {
                let taken = self
                    .blocks
                    .of_subround(place.round, place.subround)
                    .filter(|&other| {
                        let o = self.blocks.place(other);
                        o.generator == Generator::Honest
                            && o.twin == 0
                            && o.rank != place.rank
                            && state.parent(&self.blocks, other) == Some(parent)
                    })
                    .count() as u32;
                state.present(parent, place.subround) > taken
                    && (place.twin == 0 || self.proposes_twice(state, place.round, place.subround))
            }
            Generator::Byzantine | Generator::Outsider => {
                self.committee.byzantine > 0 && self.acceptable_parent(state, parent)
            }
        }
    }

    /// Step 4: whether honest miners accept `parent` under a block of the next round (S3).
    pub(super) fn acceptable_parent(&self, state: &State, parent: BlockId) -> bool {
        if self.has(Fault::ParentUnchecked) {
            return parent == GENESIS || state.block(parent).parent() != 0;
        }
        match self.rules.parent {
            ParentRule::Notarized => self.notarized(state, parent),
            ParentRule::OnFinalizedHead => {
                self.notarized(state, parent)
                    && (0..2).all(|observer| state.compatible(&self.blocks, parent, state.head(observer)))
            }
        }
    }

    /// As [`Protocol::acceptable_parent`], in a state whose notarized blocks are known.
    #[inline]
    pub(super) fn acceptable_parent_of(&self, state: &State, notarized: BlockSet, parent: BlockId) -> bool {
        match self.rules.parent {
            ParentRule::Notarized if !self.has(Fault::ParentUnchecked) => {
                parent == GENESIS || notarized.has(parent)
            }
            ParentRule::Notarized | ParentRule::OnFinalizedHead => self.acceptable_parent(state, parent),
        }
    }

    /// Whether an honest generator may make a second block in (round, subround): because the rule lets it, or because
    /// it restarted there without a record of the first.
    fn proposes_twice(&self, state: &State, round: u8, subround: u8) -> bool {
        self.has(Fault::ProposesTwice)
            || self.has(Fault::ProposalsVolatile)
                && state.miners[..self.honest()].iter().any(|m| {
                    m.recovered() == 1 && (m.round(), m.subround()) == (round.into(), subround.into())
                })
    }

    fn first_twin_proposed(&self, state: &State, block: BlockId) -> bool {
        state.block(BlockId(block.0 - 1)).parent() != 0
    }

    /// Puts `block` into the world.
    pub(super) fn materialize(&self, next: &mut State, block: BlockId, parent: BlockId) {
        next.block_mut(block).set_parent(position(&self.blocks, parent).max(1));
        let place = self.blocks.place(block);
        if place.generator == Generator::Honest && place.twin == 1 {
            next.environment.set_proposed_twice(1);
        }
    }
}

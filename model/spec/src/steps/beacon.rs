//! Step 1. **A new round begins.** A miner that enters round r sends its share of the round's beacon value. `t = n - f`
//! valid shares make the value, and the order of the generators of (r, s) follows from it.
//!
//! Under `RoundOnly` a share signs the round, so that there is one value for each round. Under `Chained` it signs round,
//! subround and the *seed* of the notarized block that the miner adopted: miners that adopted different blocks may hold
//! shares that do not fit together (S9, L1). The seed stands for the chain of the block: the subrounds of its blocks.
//!
//! The adversary has the shares of Byzantine and of exposed members from the start. It must not form a value before an
//! honest member that is not exposed has sent its share (S11).

use super::{Blocked, require};
use crate::{
    block::{Block, GENESIS},
    fault::Fault,
    instance::Instance,
    state::{Signers, State, Visit},
};
use zus_protocol::{
    ids::{MinerId, Round, Subround},
    rules::BeaconRule,
};

impl Instance {
    /// The message that the beacon of the round after `block` signs: the subrounds of the chain of `block`, from the
    /// oldest; nothing under `RoundOnly`.
    pub fn seed(&self, state: &State, block: Block) -> Vec<Subround> {
        match self.rules.beacon {
            BeaconRule::RoundOnly => Vec::new(),
            BeaconRule::Chained => {
                let chain = state.chain(block).filter(|at| *at != GENESIS);
                let mut seed: Vec<Subround> = chain.map(|at| at.subround).collect();
                seed.reverse();
                seed
            }
        }
    }

    /// The seed with which `miner` takes part in its round.
    pub fn seed_of(&self, state: &State, miner: MinerId) -> Vec<Subround> {
        self.seed(state, state.miner(miner).entry)
    }

    /// The message that the share of `miner` signs.
    fn share_of(&self, state: &State, miner: MinerId) -> Visit {
        let m = state.miner(miner);
        let subround = match self.rules.beacon {
            BeaconRule::Chained => m.subround,
            BeaconRule::RoundOnly => Subround(0),
        };
        Visit { through: m.entry, subround }
    }

    /// The honest members that sent a share which `miner` can use.
    pub fn sharers(&self, state: &State, miner: MinerId) -> Signers {
        if self.has(Fault::EarlySharesDropped) {
            return state.miner(miner).shares_held.clone();
        }
        let wanted = self.share_of(state, miner);
        let seed = self.seed_of(state, miner);
        let fits = |share: &Visit| {
            (share.through.round, share.subround) == (wanted.through.round, wanted.subround)
                && self.seed(state, share.through) == seed
        };
        state.sent.shares.iter().filter(|(share, _)| fits(share)).flat_map(|(_, by)| by).copied().collect()
    }

    /// Whether `miner` can know the beacon value that orders the generators of its subround: t members have signed it,
    /// or may at any time, since the adversary has their shares.
    pub fn beacon_known(&self, state: &State, miner: MinerId) -> bool {
        let mut signers = self.sharers(state, miner);
        signers
            .extend((0..self.committee.members).map(MinerId).filter(|&member| self.share_is_known(member)));
        signers.len() >= self.beacon_threshold()
    }

    pub(super) fn share_beacon_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        self.acting(state, miner)?;
        let sent = state.sent.shares.get(&self.share_of(state, miner));
        require(sent.is_none_or(|by| !by.contains(&miner)), Blocked::Done)
    }

    pub(super) fn share_beacon_apply(&self, state: &mut State, miner: MinerId) {
        let share = self.share_of(state, miner);
        state.sent.shares.entry(share).or_default().insert(miner);
        if self.has(Fault::EarlySharesDropped) {
            let round = state.miner(miner).round;
            for m in state.miners.iter_mut().filter(|m| m.up && m.round == round) {
                m.shares_held.insert(miner);
            }
        }
    }

    /// The honest members that are not exposed and have sent their share of `round`.
    fn secret_sharers(&self, state: &State, round: Round) -> Signers {
        let shares = state.sent.shares.iter().filter(|(share, _)| share.through.round.next() == round);
        shares.flat_map(|(_, by)| by).copied().filter(|&member| !self.share_is_known(member)).collect()
    }

    pub(super) fn form_beacon_enabled(&self, state: &State, round: Round) -> Result<(), Blocked> {
        match self.rules.beacon {
            BeaconRule::RoundOnly => {}
            // There is no one value of a round to form.
            BeaconRule::Chained => return Err(Blocked::NotInRules),
        }
        require(round > state.floor.round, Blocked::NoSuch)?;
        require(!state.history.formed.contains_key(&round), Blocked::Done)?;
        let known = usize::from(self.committee.byzantine + self.committee.exposed);
        let shares = known + self.secret_sharers(state, round).len();
        require(shares >= self.beacon_threshold(), Blocked::BeaconUnknown)
    }

    pub(super) fn form_beacon_apply(&self, state: &mut State, round: Round) {
        let early = self.secret_sharers(state, round).is_empty();
        state.history.formed.insert(round, early);
    }

    pub(super) fn believe_seed_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        require(self.has(Fault::SeedFromProposal), Blocked::NotInRules)?;
        require(self.committee.byzantine > 0, Blocked::NoSuch)?;
        require(!self.acting(state, miner)?.deceived, Blocked::Done)
    }

    pub(super) fn believe_seed_apply(&self, state: &mut State, miner: MinerId) {
        state.miner_mut(miner).deceived = true;
    }
}

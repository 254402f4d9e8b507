//! Step 1: a new round begins; shares of the beacon make its value, and that the order of the generators.
//!
//! A share is sent on entering a round (`Chained`: a subround), and nothing but being known depends on it, so under
//! the `eager` reduction entering and sending are one step.

use super::{Action, Blocked, Guard, Seen, require};
use crate::{fault::Fault, protocol::Protocol, state::State};

impl Protocol {
    pub(super) fn beacon_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        if self.forms_beacon() {
            for round in 1..=self.blocks.rounds {
                self.offer(state, Action::FormBeacon { round }, out);
            }
        }
        let believing = self.has(Fault::SeedFromProposal);
        if self.reductions.eager && !believing {
            return;
        }
        for miner in seen.miners {
            let miner = miner as u8;
            self.offer(state, Action::ShareBeacon { miner }, out);
            if believing {
                self.offer(state, Action::BelieveSeed { miner }, out);
            }
        }
    }

    pub(super) fn share_beacon_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        require(!self.reductions.eager, Guard::NotInRules)?;
        let miner = self.acting(state, miner)?;
        require(state.miners[miner].shared() == 0, Guard::Done)
    }

    pub(super) fn share_beacon_apply(&self, next: &mut State, miner: usize) {
        next.miners[miner].set_shared(1);
        self.announce(next, miner);
    }

    /// Sends the messages of `miner` on entering its (round, subround): its beacon share, and its block if the order
    /// makes it a generator. Recorded as presence.
    pub(super) fn announce(&self, next: &mut State, miner: usize) {
        let m = next.miners[miner];
        if m.round() <= m.reached() {
            return; // Sent before it restarted behind.
        }
        // Without chaining there is one share a round; where proposals are explicit, presence means nothing but it.
        let subround = if self.reductions.eager || self.rules.chained() { m.subround() as u8 } else { 0 };
        let entry = next.entry(&self.blocks, miner);
        next.add_present(entry, subround, self.weight(miner));
        if subround == 0 {
            self.count_share(next, miner, m.round() as u8);
        }
        if self.has(Fault::EarlySharesDropped) && m.subround() == 0 {
            for other in 0..self.honest() {
                let o = &mut next.miners[other];
                if o.round() == m.round() && o.crashed() == 0 {
                    let held = if other == miner { 0 } else { o.shares_held() };
                    o.set_shares_held(held + self.weight(miner));
                }
            }
        }
    }

    /// The adversary combines the shares that it has of a round's value; whether an honest miner that is not exposed had
    /// sent its own by then is what S11 asks.
    pub(super) fn form_beacon_enabled(&self, state: &State, round: u8) -> Result<(), Blocked> {
        require(self.forms_beacon(), Guard::NotInRules)?;
        require((1..=self.blocks.rounds).contains(&round), Guard::NoSuch)?;
        require(state.environment.formed() >> (round - 1) & 1 == 0, Guard::Done)?;
        require(self.adversary_shares(state, round) >= self.committee.beacon_threshold, Guard::BeaconUnknown)
    }

    pub(super) fn form_beacon_apply(&self, next: &mut State, round: u8) {
        let early = self.unexposed_shares(next, round) == 0;
        let environment = &mut next.environment;
        environment.set_formed(environment.formed() | 1 << (round - 1));
        environment.set_formed_early(environment.formed_early() | u32::from(early) << (round - 1));
    }

    pub(super) fn believe_seed_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        require(self.has(Fault::SeedFromProposal), Guard::NotInRules)?;
        require(self.committee.byzantine > 0, Guard::NoSuch)?;
        let miner = self.acting(state, miner)?;
        require(state.miners[miner].deceived() == 0, Guard::Done)
    }
}

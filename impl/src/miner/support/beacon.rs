//! The beacon value of a subround, and the order of generators that follows from it (S4, S9).

use std::sync::Arc;

use crate::block::Block;
use crate::committee::{MinerId, Subround};
use crate::crypto::ranks::{Rank, Ranks};
use crate::crypto::scheme::{Scheme, Signature};
use crate::message::{BeaconShare, Message};
use crate::miner::interface::{Audience, Milestone};
use crate::miner::state::rounds::{Beacon, HeldShare, KnownBeacon, is_near};
use crate::miner::{Effects, Event, Miner};
use crate::rules::BeaconRule;
use crate::statement::BeaconTarget;

impl<S: Scheme> Miner<S> {
    /// The target that the beacon signs for a subround of the own round. `None` while the chained beacon's previous
    /// value is unknown: the block through which the round was entered is missing.
    pub(in crate::miner) fn beacon_target(&self, subround: Subround) -> Option<BeaconTarget> {
        let (round, subround) = (self.round, self.config.ordered_as(subround));
        match self.config.rules.beacon {
            BeaconRule::RoundOnly => Some(BeaconTarget::Round(round)),
            BeaconRule::Chained => {
                let entry = self.chain.block(round.previous()?, self.entry.block)?;
                Some(BeaconTarget::Chained { round, subround, previous: entry.header().beacon })
            }
        }
    }

    /// Where the shares for a target are collected. `None` when it is too far from the own position.
    pub(in crate::miner) fn beacon_mut(&mut self, target: &BeaconTarget) -> Option<&mut Beacon> {
        let here = self.here();
        match target {
            BeaconTarget::Round(round) => {
                is_near(here.0, *round).then(|| &mut self.rounds.get_mut(*round).beacon)
            }
            BeaconTarget::Chained { round, subround, .. } => {
                // Capped subrounds all look at the value of the last one below the cap, however far above it they are.
                let here = (here.0, self.config.ordered_as(here.1));
                self.rounds.collecting(here, *round, *subround).map(|state| &mut state.beacon)
            }
        }
    }

    pub(in crate::miner) fn known_beacon(&self, target: &BeaconTarget) -> Option<&KnownBeacon> {
        let state = self.rounds.get(target.round())?;
        let beacon = match target {
            BeaconTarget::Round(_) => &state.beacon,
            BeaconTarget::Chained { subround, .. } => &state.subround(*subround)?.beacon,
        };
        beacon.known.as_ref().filter(|known| known.target == *target)
    }

    /// Sends the own share for the own position, once.
    pub(in crate::miner) fn share_beacon(&mut self, fx: &mut Effects<'_>) {
        let Some(target) = self.beacon_target(self.subround) else { return };
        if self.shared != Some(target)
            && let Some(share) = BeaconShare::sign(target, &self.config.committee, &self.scheme)
        {
            self.shared = Some(target);
            fx.broadcast(Audience::Miners, Message::BeaconShare(share));
            if let Some(beacon) = self.beacon_mut(&target) {
                beacon.put(HeldShare { share, verified: true });
            }
        }
        self.combine_beacon(fx);
    }

    /// The beacon value of a new subround may be known already.
    pub(in crate::miner) fn announce_known_beacon(&mut self, fx: &mut Effects<'_>) {
        let target = self.beacon_target(self.subround);
        if let Some(value) = target.and_then(|target| self.known_beacon(&target)).map(|known| known.value)
            && !self.events.contains(&Event::BeaconKnown)
        {
            fx.milestone(Milestone::Beacon { round: self.round, subround: self.subround, value });
            self.events.push_back(Event::BeaconKnown);
        }
    }

    /// The seed changed: what depended on the old one is void.
    pub(in crate::miner) fn restart_beacon(&mut self, fx: &mut Effects<'_>) {
        for state in &mut self.rounds.get_mut(self.round).subrounds {
            state.beacon.known = None;
            state.ranks = None;
            state.candidates.clear();
        }
        self.payload_requested = None;
        self.accounts.takes_up_again();
        self.share_beacon(fx);
    }

    /// Makes a verified group signature the beacon value of its target.
    pub(in crate::miner) fn adopt_beacon(
        &mut self,
        target: BeaconTarget,
        signature: Signature,
        fx: &mut Effects<'_>,
    ) {
        let value = self.scheme.beacon_value(&signature);
        self.set_beacon(KnownBeacon { target, signature, value }, fx);
    }

    fn set_beacon(&mut self, known: KnownBeacon, fx: &mut Effects<'_>) {
        let KnownBeacon { target, value, .. } = known;
        let Some(beacon) = self.beacon_mut(&target) else { return };
        beacon.known = Some(known);
        // Shares have done their work; late ones are not needed.
        beacon.shares.clear();
        if self.beacon_target(self.subround) == Some(target) {
            fx.milestone(Milestone::Beacon { round: self.round, subround: self.subround, value });
            self.events.push_back(Event::BeaconKnown);
        }
    }

    /// Whether a block's beacon value is the committee's for `target`; learns the value when it was not known.
    pub(in crate::miner) fn check_beacon(
        &mut self,
        block: &Block,
        target: BeaconTarget,
        fx: &mut Effects<'_>,
    ) -> bool {
        let (value, signature) = (block.header().beacon, *block.beacon_signature());
        if let Some(known) = self.known_beacon(&target) {
            return (known.value, known.signature) == (value, signature);
        }
        let preimage = target.preimage(&self.config.committee);
        let genuine =
            self.scheme.verify_beacon(&preimage, &signature) && self.scheme.beacon_value(&signature) == value;
        if genuine {
            self.set_beacon(KnownBeacon { target, signature, value }, fx);
        }
        genuine
    }

    /// The order of generators of a subround of the own round, when its beacon value is known.
    fn ranks(&mut self, subround: Subround) -> Option<Arc<Ranks>> {
        let target = self.beacon_target(subround)?;
        let value = self.known_beacon(&target)?.value;
        let (round, miners) = (self.round, self.config.committee.miners());
        let ordered_as = self.config.ordered_as(subround);
        let state = self.rounds.collecting((round, self.subround), round, subround)?;
        let derive = || Arc::new(Ranks::derive(&value, ordered_as, miners));
        Some(Arc::clone(state.ranks.get_or_insert_with(derive)))
    }

    /// A member's rank in a subround of the own round, when the beacon value is known.
    pub(in crate::miner) fn rank(&mut self, subround: Subround, member: MinerId) -> Option<Rank> {
        self.ranks(subround)?.rank(member)
    }

    /// Whether a rank gives a turn (S4).
    pub(in crate::miner) fn is_eligible(&self, rank: Rank) -> bool {
        rank.0 < self.config.generators
    }
}

//! Beacon shares.

use crate::committee::{MinerId, Peer};
use crate::crypto::scheme::{BatchSeed, Scheme, Signature};
use crate::limits::{CHECK_WORK, MAX_STRIKES};
use crate::message::BeaconShare;
use crate::miner::interface::{Output, Refusal};
use crate::miner::state::rounds::HeldShare;
use crate::miner::{Effects, Miner};
use crate::rules::BeaconRule;
use crate::statement::BeaconTarget;

impl<S: Scheme> Miner<S> {
    /// Whether a target is of the kind that the rules ask for.
    fn is_asked_for(&self, target: &BeaconTarget) -> bool {
        match self.config.rules.beacon {
            BeaconRule::RoundOnly => matches!(target, BeaconTarget::Round(_)),
            BeaconRule::Chained => matches!(target, BeaconTarget::Chained { .. }),
        }
    }

    pub(in crate::miner) fn receive_share(
        &mut self,
        from: Peer,
        share: BeaconShare,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let BeaconShare { target, signer, share: signature } = share;
        if !self.is_asked_for(&target) {
            return Err(Refusal::OtherBeaconRule);
        }
        if target.round() < self.round || !self.config.committee.contains(signer) {
            return Ok(());
        }
        let Some(beacon) = self.beacon_mut(&target) else { return Ok(()) };
        let held = beacon.share(signer, &target);
        if held.is_some_and(|held| held.share == share)
            || beacon.known.as_ref().is_some_and(|known| known.target == target)
        {
            return Ok(());
        }
        let (direct, strikes) = (from == Peer::Miner(signer), beacon.strikes(signer));
        if strikes >= MAX_STRIKES {
            return Ok(());
        }
        // A share that did not come from its signer, that contradicts one that did, or whose signer sent a wrong one, has
        // to prove itself: so each member makes a combination fail once at most.
        let trusted_for_now = direct && held.is_none() && strikes == 0;
        let known_wrong = beacon.is_wrong(&share);
        let preimage = target.preimage(&self.config.committee);
        let verified = !trusted_for_now && !known_wrong;
        let wrong =
            known_wrong || verified && !self.scheme.verify_beacon_share(signer, &preimage, &signature);
        if verified {
            self.accounts.charge(from, CHECK_WORK);
        }
        let Some(beacon) = self.beacon_mut(&target) else { return Ok(()) };
        if wrong {
            beacon.found_wrong(share, direct);
            return Err(Refusal::WrongSignature(signer));
        }
        // The share held unverified came from the signer itself, and is not its genuine share.
        if let Some(held) = held {
            beacon.found_wrong(held.share, true);
            self.accounts.fault(from);
        }
        let Some(beacon) = self.beacon_mut(&target) else { return Ok(()) };
        beacon.put(HeldShare { share, verified });
        self.combine_beacon(fx);
        Ok(())
    }

    /// Combines shares for the own position into the value, when there are enough. The combined signature is checked, so
    /// that the shares themselves are only looked at when some are wrong.
    pub(in crate::miner) fn combine_beacon(&mut self, fx: &mut Effects<'_>) {
        let Some(target) = self.beacon_target(self.subround) else { return };
        if self.known_beacon(&target).is_some() {
            return;
        }
        let preimage = target.preimage(&self.config.committee);
        let threshold = self.scheme.beacon_threshold();
        self.drop_wrong_shares_of_suspects(&target, threshold, fx);
        // Once with all, once without those that sums show to be wrong, once without all wrong ones.
        for _ in 0..3 {
            let Some(beacon) = self.beacon_mut(&target) else { return };
            let shares: Vec<(MinerId, Signature)> = beacon
                .shares
                .iter()
                .map(|held| &held.share)
                .filter(|share| share.target == target)
                .map(|share| (share.signer, share.share))
                .collect();
            if shares.len() < threshold {
                return;
            }
            if let Some(signature) = self.scheme.combine_beacon(&preimage, &shares) {
                self.adopt_beacon(target, signature, fx);
                return;
            }
            self.drop_wrong_shares(&target, fx);
        }
    }

    /// Verifies the shares of those that have shown a fault elsewhere, once there are enough of all, so that they spoil no
    /// combination.
    fn drop_wrong_shares_of_suspects(
        &mut self,
        target: &BeaconTarget,
        threshold: usize,
        fx: &mut Effects<'_>,
    ) {
        let suspects = self.accounts.suspects(fx.now);
        if suspects.is_empty() {
            return;
        }
        let preimage = target.preimage(&self.config.committee);
        let Some(mut beacon) = self.beacon_mut(target).map(std::mem::take) else { return };
        let of_target = |held: &HeldShare| held.share.target == *target;
        let enough = beacon.shares.iter().filter(|held| of_target(held)).count() >= threshold;
        let mut wrong = Vec::new();
        for held in beacon.shares.iter_mut().filter(|held| enough && of_target(held) && !held.verified) {
            let BeaconShare { signer, share, .. } = held.share;
            if suspects.binary_search(&signer).is_ok() {
                held.verified = self.scheme.verify_beacon_share(signer, &preimage, &share);
                wrong.extend(Some(held.share).filter(|_| !held.verified));
            }
        }
        beacon.shares.retain(|held| !wrong.contains(&held.share));
        wrong.iter().for_each(|share| beacon.found_wrong(*share, true));
        if let Some(place) = self.beacon_mut(target) {
            *place = beacon;
        }
        fx.out.extend(wrong.iter().map(|share| Output::Blamed(share.signer)));
    }

    fn drop_wrong_shares(&mut self, target: &BeaconTarget, fx: &mut Effects<'_>) {
        let preimage = target.preimage(&self.config.committee);
        let Some(beacon) = self.beacon_mut(target) else { return };
        let mut shares = std::mem::take(&mut beacon.shares);
        let is_open = |held: &HeldShare| held.share.target == *target && !held.verified;
        let open = shares.iter().filter(|held| is_open(held));
        let open: Vec<(MinerId, Signature)> =
            open.map(|held| (held.share.signer, held.share.share)).collect();
        let seed = self.config.batch_seed.as_ref().map(BatchSeed::as_bytes);
        // A named signer is wrong. Each share is verified only when nobody is named: at worst, when two signers
        // conspire.
        let named = self.scheme.wrong_beacon_shares(&preimage, &open);
        let each = named.is_empty();
        let verdicts: Vec<bool> = match each {
            true => self.scheme.verify_beacon_shares(&preimage, &open, seed),
            false => open.iter().map(|(signer, _)| !named.contains(signer)).collect(),
        };
        let mut verdicts = verdicts.into_iter();
        let mut wrong = Vec::new();
        shares.retain_mut(|held| {
            if is_open(held) {
                let right = verdicts.next() == Some(true);
                held.verified = each && right;
                if !right {
                    wrong.push(held.share);
                    return false;
                }
            }
            true
        });
        if let Some(beacon) = self.beacon_mut(target) {
            beacon.shares = shares;
            wrong.iter().for_each(|share| beacon.found_wrong(*share, true));
        }
        fx.out.extend(wrong.into_iter().map(|share| Output::Blamed(share.signer)));
    }
}

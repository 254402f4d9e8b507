//! [`Scheme`] on BLS12-381 with blst: the instance that production runs.

use std::sync::Arc;

use super::bls::{self, DomainTag};
use super::committee_keys::{CommitteeKeys, CommitteeKeysError, MemberKeys};
use super::scheme::{BeaconValue, Domain, Scheme, Signature};
use super::{beacon, bls::RegisteredKey};
use crate::committee::MinerId;

/// The keys of a committee, and of at most one of its members.
#[derive(Clone, Debug)]
pub struct BlstScheme {
    committee: Arc<CommitteeKeys>,
    me: Option<MemberKeys>,
}

impl BlstScheme {
    /// A member: it signs with its keys, which must be the ones the committee knows.
    ///
    /// # Errors
    /// [`CommitteeKeysError::NotMyIdentity`], [`CommitteeKeysError::NotMyShare`].
    pub fn member(committee: Arc<CommitteeKeys>, keys: MemberKeys) -> Result<Self, CommitteeKeysError> {
        let member = keys.member;
        if committee.identity(member).map(RegisteredKey::public_key) != Some(&keys.identity.public_key()) {
            return Err(CommitteeKeysError::NotMyIdentity { member });
        }
        if committee.beacon().share(member) != Some(&keys.beacon.public_key()) {
            return Err(CommitteeKeysError::NotMyShare { member });
        }
        Ok(Self { committee, me: Some(keys) })
    }

    /// An observer such as a sharder: it verifies and never signs.
    #[must_use]
    pub const fn observer(committee: Arc<CommitteeKeys>) -> Self {
        Self { committee, me: None }
    }

    /// The keys that signatures are checked against.
    #[must_use]
    pub const fn committee(&self) -> &Arc<CommitteeKeys> {
        &self.committee
    }

    /// The identity keys of `signers`; `None` unless they are strictly increasing members, at least one.
    fn identities(&self, signers: &[MinerId]) -> Option<Vec<&RegisteredKey>> {
        if signers.is_empty() || !signers.is_sorted_by(|a, b| a < b) {
            return None;
        }
        signers.iter().map(|&signer| self.committee.identity(signer)).collect()
    }
}

impl Scheme for BlstScheme {
    fn me(&self) -> Option<MinerId> {
        self.me.as_ref().map(|keys| keys.member)
    }

    fn committee_size(&self) -> usize {
        self.committee.size()
    }

    fn sign(&self, domain: Domain, message: &[u8]) -> Option<Signature> {
        let keys = self.me.as_ref().filter(|_| domain.is_signed_with_identity_key())?;
        Some(keys.identity.sign(domain.into(), message))
    }

    fn verify(&self, signer: MinerId, domain: Domain, message: &[u8], signature: &Signature) -> bool {
        domain.is_signed_with_identity_key()
            && self
                .committee
                .identity(signer)
                .is_some_and(|key| key.public_key().verify(domain.into(), message, signature))
    }

    fn aggregate(&self, signatures: &[Signature]) -> Option<Signature> {
        bls::aggregate(signatures).ok()
    }

    fn verify_aggregate(
        &self,
        signers: &[MinerId],
        domain: Domain,
        message: &[u8],
        aggregate: &Signature,
    ) -> bool {
        domain.is_signed_with_identity_key()
            && self
                .identities(signers)
                .is_some_and(|keys| bls::verify_aggregate(keys, DomainTag::from(domain), message, aggregate))
    }

    fn beacon_threshold(&self) -> usize {
        self.committee.beacon().threshold()
    }

    fn beacon_share(&self, message: &[u8]) -> Option<Signature> {
        Some(self.me.as_ref()?.beacon.sign(message))
    }

    fn verify_beacon_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool {
        self.committee.beacon().verify_share(signer, message, share)
    }

    fn combine_beacon(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Option<Signature> {
        self.committee.beacon().combine(message, shares).ok()
    }

    fn verify_beacon(&self, message: &[u8], signature: &Signature) -> bool {
        self.committee.beacon().verify(message, signature)
    }

    fn beacon_value(&self, signature: &Signature) -> BeaconValue {
        beacon::value(signature)
    }
}

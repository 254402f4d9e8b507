//! [`Sign`], [`Verify`] and [`Beacon`] on BLS12-381 with blst: the instance that production runs.

mod batch;
mod memory;

use std::sync::Arc;

use self::memory::Memory;
use super::beacon;
use super::committee_keys::{CommitteeKeys, CommitteeKeysError, MemberKeys};
use super::curve::{G1, PointError};
use super::group_testing::{self, PreparedKey};
use super::keys::{self, DomainTag, RegisteredKey};
use super::scheme::{AggregateClaim, Beacon, Sign, Verify};
use super::signature::{BeaconValue, SIGNATURE_BYTES, Sifted, Signature};
use super::uncompressed::ReceivedSignature;
use crate::committee::MinerId;

/// The keys of a committee, and of at most one of its members.
#[derive(Clone, Debug)]
pub struct BlstScheme {
    committee: Arc<CommitteeKeys>,
    me: Option<MemberKeys>,
    memory: Memory,
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
        Ok(Self { committee, me: Some(keys), memory: Memory::default() })
    }

    /// An observer such as a sharder: it verifies and never signs.
    #[must_use]
    pub fn observer(committee: Arc<CommitteeKeys>) -> Self {
        Self { committee, me: None, memory: Memory::default() }
    }

    /// The keys that signatures are checked against.
    #[must_use]
    pub const fn committee(&self) -> &Arc<CommitteeKeys> {
        &self.committee
    }

    fn beacon_hash(&self, message: &[u8]) -> G1 {
        self.memory.hash(DomainTag::BEACON, message)
    }

    /// The lines of the sum of the identity keys of `signers`; `None` unless they are strictly increasing members, at least
    /// one, and their keys have a sum.
    fn prepared_key(&self, signers: &[MinerId]) -> Option<PreparedKey> {
        match signers {
            // A key by itself is kept with the committee.
            [_] => self.committee.identity_sums().prepared_sum(signers),
            _ => self.memory.key(signers, || self.committee.identity_sums().prepared_sum(signers)),
        }
    }
}

/// The points of signatures: those that came compressed are decoded together.
fn decode_received(signatures: &[(MinerId, ReceivedSignature)]) -> Vec<(MinerId, Result<G1, PointError>)> {
    let compressed: Vec<&[u8; SIGNATURE_BYTES]> = signatures
        .iter()
        .filter_map(|(_, signature)| match signature {
            ReceivedSignature::Compressed(Signature(bytes)) => Some(bytes),
            ReceivedSignature::Uncompressed(_) => None,
        })
        .collect();
    let mut decoded = G1::decode_all(&compressed).into_iter();
    let point = |signature: &ReceivedSignature| match signature {
        ReceivedSignature::Uncompressed(signature) => Ok(*signature.point()),
        // There is one for each; the error keeps this total.
        ReceivedSignature::Compressed(_) => decoded.next().unwrap_or(Err(PointError::Encoding)),
    };
    let points: Vec<_> = signatures.iter().map(|(_, signature)| signature).map(point).collect();
    signatures.iter().map(|(signer, _)| *signer).zip(points).collect()
}

impl Sign for BlstScheme {
    fn me(&self) -> Option<MinerId> {
        self.me.as_ref().map(|keys| keys.member)
    }

    fn sign(&self, tag: impl Into<DomainTag>, message: &[u8]) -> Option<Signature> {
        let tag = tag.into();
        let keys = self.me.as_ref().filter(|_| !tag.is_reserved())?;
        Some(keys.identity.sign(tag, message))
    }
}

impl Verify for BlstScheme {
    fn committee_size(&self) -> usize {
        self.committee.size()
    }

    fn aggregate(&self, signatures: &[Signature]) -> Option<Signature> {
        keys::aggregate(signatures).ok()
    }

    fn verify_aggregate(
        &self,
        signers: &[MinerId],
        tag: impl Into<DomainTag>,
        message: &[u8],
        aggregate: &Signature,
    ) -> bool {
        let tag = tag.into();
        if tag.is_reserved() {
            return false;
        }
        let claim = AggregateClaim { signers, tag, message, aggregate: *aggregate };
        if self.memory.is_verified(&claim) {
            return true;
        }
        let verifies =
            keys::is_genuine(aggregate, || self.prepared_key(signers), || self.memory.hash(tag, message));
        if verifies {
            self.memory.remember_verified(&claim);
        }
        verifies
    }

    fn sift(&self, tag: impl Into<DomainTag>, message: &[u8], signatures: &[(MinerId, Signature)]) -> Sifted {
        let received = signatures.iter().map(|(signer, s)| (*signer, ReceivedSignature::Compressed(*s)));
        self.sift_received(tag, message, &received.collect::<Vec<_>>())
    }

    fn sift_received(
        &self,
        tag: impl Into<DomainTag>,
        message: &[u8],
        signatures: &[(MinerId, ReceivedSignature)],
    ) -> Sifted {
        let tag = tag.into();
        if tag.is_reserved() {
            return Sifted::default();
        }
        let hash = self.memory.hash(tag, message);
        let keys = self.committee.identity_sums();
        let points = decode_received(signatures);
        let sifted = group_testing::sift_points(keys, &hash, points, &|signers| self.prepared_key(signers));
        if let Some((signers, aggregate)) = &sifted.group {
            self.memory.remember_verified(&AggregateClaim { signers, tag, message, aggregate: *aggregate });
        }
        sifted
    }

    fn verify_aggregates(&self, claims: &[AggregateClaim<'_>], seed: &[u8; 32]) -> Vec<bool> {
        batch::verify(self, claims, seed)
    }
}

impl Beacon for BlstScheme {
    fn beacon_threshold(&self) -> usize {
        self.committee.beacon().threshold()
    }

    fn beacon_share(&self, message: &[u8]) -> Option<Signature> {
        Some(self.me.as_ref()?.beacon.sign(message))
    }

    fn verify_beacon_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool {
        self.committee.beacon().verify_share_of_hash(signer, &self.beacon_hash(message), share)
    }

    fn verify_beacon_shares(
        &self,
        message: &[u8],
        shares: &[(MinerId, Signature)],
        seed: Option<&[u8; 32]>,
    ) -> Vec<bool> {
        match seed {
            Some(seed) => batch::verify_shares(self, message, shares, seed),
            None => shares
                .iter()
                .map(|(signer, share)| self.verify_beacon_share(*signer, message, share))
                .collect(),
        }
    }

    fn wrong_beacon_shares(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Vec<MinerId> {
        let keys = self.committee.beacon().share_sums();
        group_testing::sift(keys, &self.beacon_hash(message), shares, &|signers| keys.prepared_sum(signers))
            .wrong
    }

    fn combine_beacon(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Option<Signature> {
        self.committee.beacon().combine(message, shares).ok()
    }

    fn verify_beacon(&self, message: &[u8], signature: &Signature) -> bool {
        self.committee.beacon().verify_hash(&self.beacon_hash(message), signature)
    }

    fn beacon_value(&self, signature: &Signature) -> BeaconValue {
        beacon::value(signature)
    }
}

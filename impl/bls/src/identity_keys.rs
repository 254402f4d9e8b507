//! The identity keys of a committee by themselves: for whoever passes through many committees and needs no beacon of theirs.

use crate::committee::MinerId;
use crate::committee_keys::{CommitteeKeys, CommitteeKeysError};
use crate::curve::G1;
use crate::group_testing::KeySums;
use crate::keys::{self, DomainTag, RegisteredKey};
use crate::scheme::{AggregateClaim, Verify};
use crate::signature::Signature;
use crate::together::{self, Claim};

/// Verifies what members sign with their identity keys. The public shares of the beacon key, which
/// [`CommitteeKeys`] has, take a hundred times as long to make.
#[derive(Clone, Debug)]
pub struct IdentityKeys(KeySums);

impl IdentityKeys {
    /// The keys of all members, in their order.
    ///
    /// # Errors
    /// [`CommitteeKeysError::SharedCoordinate`], as [`CommitteeKeys::new`].
    pub fn new(identities: &[RegisteredKey]) -> Result<Self, CommitteeKeysError> {
        CommitteeKeys::require_distinct(identities)?;
        Ok(Self(KeySums::new(identities.iter().map(|key| *key.public_key().point()).collect())))
    }

    /// Whether all claims are right, each of its own committee: [`Verify::verify_aggregate`] of many at once. `seed` is that of
    /// [`Verify::verify_aggregates`].
    #[must_use]
    pub fn verify_all(claims: &[(&Self, AggregateClaim<'_>)], seed: &[u8; 32]) -> bool {
        let of_key = |(keys, claim): &(&Self, AggregateClaim<'_>)| {
            let key = keys.0.sum(claim.signers).filter(|_| !claim.tag.is_reserved())?;
            let (tag, message, signature) = (claim.tag, claim.message.to_vec(), claim.aggregate);
            Some(Claim { key, tag, message, signature })
        };
        let claims: Option<Vec<Claim>> = claims.iter().map(of_key).collect();
        claims.is_some_and(|claims| together::verify(&claims, seed))
    }
}

impl Verify for IdentityKeys {
    fn committee_size(&self) -> usize {
        self.0.committee_size()
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
        keys::is_genuine(aggregate, || self.0.prepared_sum(signers), || G1::hash(tag.as_bytes(), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{SecretKey, TICKET};

    const MEMBERS: u8 = 5;

    fn key(i: u8) -> SecretKey {
        SecretKey::from_seed(&[i; 32])
    }

    fn registered(i: u8) -> RegisteredKey {
        key(i).prove_possession(b"").verify(&key(i).public_key(), b"").unwrap()
    }

    fn signed(members: &[u8]) -> (Vec<MinerId>, Signature) {
        let signatures: Vec<Signature> = members.iter().map(|&i| key(i).sign(TICKET, b"block")).collect();
        let signers = members.iter().map(|&i| MinerId(i.into())).collect();
        (signers, keys::aggregate(&signatures).unwrap())
    }

    #[test]
    fn what_the_members_signed_and_nothing_else_verifies() {
        let keys = IdentityKeys::new(&(0..MEMBERS).map(registered).collect::<Vec<_>>()).unwrap();
        assert_eq!(keys.committee_size(), MEMBERS.into());
        for members in [&[0][..], &[1, 3], &[0, 1, 2, 3], &[0, 1, 2, 3, 4]] {
            let (signers, aggregate) = signed(members);
            assert!(keys.verify_aggregate(&signers, TICKET, b"block", &aggregate), "{members:?}");
            assert!(!keys.verify_aggregate(&signers, TICKET, b"other", &aggregate), "{members:?}");
            assert!(!keys.verify_aggregate(&signers, DomainTag::BEACON, b"block", &aggregate), "reserved");
            let others: Vec<MinerId> = signers.iter().skip(1).copied().collect();
            assert!(!keys.verify_aggregate(&others, TICKET, b"block", &aggregate), "one signer less");
        }
        let (_, stranger) = signed(&[MEMBERS]);
        assert!(!keys.verify(MinerId(MEMBERS.into()), TICKET, b"block", &stranger), "a stranger");
        let (signers, aggregate) = signed(&[1, 3]);
        let twice = [signers[0], signers[0]];
        assert!(!keys.verify_aggregate(&twice, TICKET, b"block", &aggregate), "a signer twice");
        assert!(!keys.verify_aggregate(&signers, TICKET, b"block", &Signature([0; 48])), "no point");
    }

    #[test]
    fn certificates_of_many_committees_are_checked_together() {
        let committee = |of: &[u8]| IdentityKeys::new(&of.iter().map(|&i| registered(i)).collect::<Vec<_>>());
        let committees = [committee(&[0, 1, 2, 3, 4]).unwrap(), committee(&[0, 1, 2, 3]).unwrap()];
        let signed = [signed(&[0, 1, 3]), signed(&[1, 2, 3])];
        let claims = || {
            let both = committees.iter().zip(&signed);
            let claim = both.map(|(keys, (signers, aggregate))| {
                let aggregate = *aggregate;
                (keys, AggregateClaim { signers, tag: TICKET, message: b"block", aggregate })
            });
            claim.collect::<Vec<_>>()
        };
        let verifies =
            |claims: &[(&IdentityKeys, AggregateClaim<'_>)]| IdentityKeys::verify_all(claims, &[7; 32]);
        assert!(verifies(&claims()));
        let mut wrong = [claims(), claims(), claims(), claims()];
        wrong[0][1].1.message = b"other";
        wrong[1][1].1.signers = &signed[0].0;
        wrong[2][0].1.signers = &[];
        wrong[3][0].1.tag = DomainTag::BEACON;
        for (number, wrong) in wrong.iter().enumerate() {
            assert!(!verifies(wrong), "change {number}");
        }
    }

    #[test]
    fn a_key_twice_is_refused() {
        let error = IdentityKeys::new(&[registered(1), registered(2), registered(1)]).unwrap_err();
        assert!(matches!(error, CommitteeKeysError::SharedCoordinate { .. }), "{error}");
    }
}

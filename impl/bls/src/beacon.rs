//! The beacon: a threshold BLS signature that no minority can predict, withhold or bend (step 1, S9).
//!
//! Each member signs the beacon message with its share of the committee's key; any `t` valid shares interpolate to the one
//! signature that verifies under the group key, whichever they are, and its hash is the beacon value. The threshold is
//! `t = n - f` ([`beacon_threshold`](crate::committee::beacon_threshold)): the honest miners alone always make a value; the
//! Byzantine ones do not, even with the shares of `f` honest members that were published in the key generation (S11).
//!
//! Shares are combined first and the result is checked once: a group signature is unique, so that the check of the result is
//! exact. Only when it fails are the shares themselves verified. Shares are signed with the shared key and never with an
//! identity key, in a domain of their own.

use std::fmt;
use std::sync::OnceLock;

use sha3::{Digest, Sha3_256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::curve::{G1, G2, PointError, PreparedG2, Scalar};
use super::group_testing::KeySums;
use super::keys::{DomainTag, PublicKey, SECRET_KEY_BYTES, SecretKey, is_balanced, is_genuine};
use super::polynomial::{Commitments, abscissa, lagrange_at_zero};
use super::signature::{BeaconValue, Signature};
use crate::committee::{MAX_COMMITTEE_SIZE, MinerId, max_faulty};

/// Domain tag of the hash that turns a group signature into a beacon value.
const VALUE_TAG: &[u8] = b"ZUS-BPP-V01-BEACON-VALUE";

/// The public side of a committee's shared key.
#[derive(Clone, Debug)]
pub struct BeaconKey {
    threshold: usize,
    group: PublicKey,
    group_lines: OnceLock<PreparedG2>,
    shares: Vec<PublicKey>,
    share_sums: KeySums,
}

impl PartialEq for BeaconKey {
    fn eq(&self, other: &Self) -> bool {
        // The lines are a function of the group key.
        (self.threshold, &self.group, &self.shares) == (other.threshold, &other.group, &other.shares)
    }
}

impl Eq for BeaconKey {}

impl BeaconKey {
    /// The key of a committee of `committee_size` members whose polynomial has these commitments.
    ///
    /// # Errors
    /// [`BeaconKeyError`] when the faulty members alone could sign, or the honest ones alone could not.
    ///
    /// A member whose share is zero has none: nothing that it sends counts, and the others reach the threshold. A dealer of a key
    /// generation can bring that about for itself and the members that follow it, because it deals last and knows the sum of the
    /// other shares; so it must not be a reason to have no key.
    pub fn from_commitments(
        commitments: &Commitments,
        committee_size: usize,
    ) -> Result<Self, BeaconKeyError> {
        let threshold = commitments.threshold();
        let faulty = max_faulty(committee_size);
        let possible = faulty + 1..=committee_size - faulty;
        if committee_size > MAX_COMMITTEE_SIZE || !possible.contains(&threshold) {
            return Err(BeaconKeyError::Threshold { threshold, committee_size });
        }
        let group = commitments.points().first().copied().map(PublicKey::from_point);
        let group = group.ok_or(BeaconKeyError::Threshold { threshold, committee_size })?;
        let shares: Vec<PublicKey> = (0..committee_size as u16)
            .map(MinerId)
            .map(|member| {
                PublicKey::from_point(commitments.public_share(member).unwrap_or_else(nobodys_share))
            })
            .collect();
        let share_sums = KeySums::new(shares.iter().map(|share| *share.point()).collect());
        Ok(Self { threshold, group, group_lines: OnceLock::new(), shares, share_sums })
    }

    /// The public shares, to verify many shares together.
    #[must_use]
    pub(super) const fn share_sums(&self) -> &KeySums {
        &self.share_sums
    }

    /// How many shares determine a value.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// The key under which combined signatures verify.
    #[must_use]
    pub const fn group(&self) -> &PublicKey {
        &self.group
    }

    /// How many members hold a share.
    #[must_use]
    pub fn committee_size(&self) -> usize {
        self.shares.len()
    }

    /// The key under which a member's shares verify; `None` for a stranger.
    #[must_use]
    pub fn share(&self, member: MinerId) -> Option<&PublicKey> {
        self.shares.get(usize::from(member.0))
    }

    /// Whether `share` is `signer`'s for `message`.
    #[must_use]
    pub fn verify_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool {
        self.verify_share_of_hash(signer, &hash(message), share)
    }

    /// [`BeaconKey::verify_share`] with the hash of the message at hand.
    #[must_use]
    pub fn verify_share_of_hash(&self, signer: MinerId, hash: &G1, share: &Signature) -> bool {
        is_genuine(share, || self.share_sums.prepared_sum(&[signer]), || *hash)
    }

    /// Whether `signature` is the group's over `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.verify_hash(&hash(message), signature)
    }

    /// [`BeaconKey::verify`] with the hash of the message at hand.
    #[must_use]
    pub fn verify_hash(&self, hash: &G1, signature: &Signature) -> bool {
        is_genuine(signature, || Some(self.group_lines()), || *hash)
    }

    /// The lines of the group key, kept.
    fn group_lines(&self) -> &PreparedG2 {
        self.group_lines.get_or_init(|| PreparedG2::new(self.group.point()))
    }

    /// Combines the first `t` of the shares, given in order of strictly increasing signers, and checks the result.
    ///
    /// # Errors
    /// [`CombineError`]; [`CombineError::BadShare`] means that at least one share used is not its signer's.
    pub fn combine(
        &self,
        message: &[u8],
        shares: &[(MinerId, Signature)],
    ) -> Result<Signature, CombineError> {
        let used = shares
            .get(..self.threshold)
            .ok_or(CombineError::TooFew { shares: shares.len(), threshold: self.threshold })?;
        if !shares.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(CombineError::NotIncreasing);
        }
        let stranger = used.iter().find(|(signer, _)| self.share(*signer).is_none());
        if let Some((signer, _)) = stranger {
            return Err(CombineError::NotAMember { signer: *signer });
        }
        let abscissas: Vec<u32> = used.iter().map(|(signer, _)| abscissa(*signer)).collect();
        let weights = lagrange_at_zero(&abscissas).ok_or(CombineError::NotIncreasing)?;
        let encoded: Vec<_> = used.iter().map(|(_, share)| &share.0).collect();
        let points = G1::decode_all(&encoded)
            .into_iter()
            .zip(used)
            .map(|(point, (signer, _))| {
                point.map_err(|reason| CombineError::NotAPoint { signer: *signer, reason })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let combined = G1::linear_combination(&points, &weights).ok_or(CombineError::BadShare)?;
        // The only check of a subgroup: a group signature is unique, so that what passes is it, whatever the shares were.
        let passes = combined.is_in_subgroup() && is_balanced(&combined, &hash(message), self.group_lines());
        passes.then(|| Signature(combined.encode())).ok_or(CombineError::BadShare)
    }
}

/// In the place of a public share that is infinite: a point of which nobody knows the secret, so that no share verifies.
fn nobodys_share() -> G2 {
    G2::hash(b"ZUS-BPP-V01-NOBODYS-SHARE_BLS12381G2_XMD:SHA-256_SSWU_RO_", &[])
}

/// The hash of a message that shares are over.
fn hash(message: &[u8]) -> G1 {
    G1::hash(DomainTag::BEACON.as_bytes(), message)
}

/// The beacon value of a verified group signature: `SHA3-256(tag, signature)`. The encoding of a point is canonical, so that
/// one message has one value.
#[must_use]
pub fn value(signature: &Signature) -> BeaconValue {
    BeaconValue(Sha3_256::new().chain_update(VALUE_TAG).chain_update(signature.0).finalize().into())
}

/// A member's share of the committee's key. Wiped when dropped; `Debug` shows nothing; compared in constant time.
#[derive(Clone)]
pub struct KeyShare(SecretKey);

impl KeyShare {
    /// Takes a value of the shared polynomial as a share; `None` for zero.
    #[must_use]
    pub fn from_scalar(scalar: Scalar) -> Option<Self> {
        SecretKey::from_scalar(scalar).map(Self)
    }

    /// The bytes of the share, for storage.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        self.0.to_bytes()
    }

    /// Reads what [`KeyShare::to_bytes`] writes; `None` for what is no scalar, or zero.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Option<Self> {
        SecretKey::from_bytes(bytes).map(Self)
    }

    /// The share of the beacon's signature over `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(DomainTag::BEACON, message)
    }

    /// The key under which this share's signatures verify.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }
}

impl ConstantTimeEq for KeyShare {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyShare(..)")
    }
}

/// Why commitments are no key of a committee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeaconKeyError {
    /// The faulty members alone reach this threshold, or the honest ones alone do not.
    #[error(
        "a beacon threshold of {threshold} in a committee of {committee_size}: it must be at least {} and at most {}",
        max_faulty(*committee_size) + 1,
        committee_size - max_faulty(*committee_size)
    )]
    Threshold {
        /// Shares needed.
        threshold: usize,
        /// Members.
        committee_size: usize,
    },
}

/// Why shares were not combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// Fewer than the threshold.
    #[error("{shares} beacon shares where {threshold} are needed")]
    TooFew {
        /// Shares given.
        shares: usize,
        /// Shares needed.
        threshold: usize,
    },
    /// The signers are not strictly increasing.
    #[error("the signers of the beacon shares are not strictly increasing")]
    NotIncreasing,
    /// A share of a stranger.
    #[error("miner {} is not of the committee", signer.0)]
    NotAMember {
        /// The stranger.
        signer: MinerId,
    },
    /// A share that is no signature.
    #[error("the beacon share of miner {} is {reason}", signer.0)]
    NotAPoint {
        /// Whose it claims to be.
        signer: MinerId,
        /// The fault of the point.
        reason: PointError,
    },
    /// The combined signature does not verify under the group key.
    #[error("the combined beacon signature does not verify: some share is bad")]
    BadShare,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polynomial::Polynomial;

    const MESSAGE: &[u8] = b"epoch 3, round 9";

    /// A committee of seven with threshold three.
    fn shares() -> (BeaconKey, Vec<KeyShare>) {
        let polynomial = Polynomial::new([11, 22, 33].map(Scalar::from_u64).to_vec());
        let key = BeaconKey::from_commitments(&polynomial.commit().unwrap(), 7).unwrap();
        let share = |i| KeyShare::from_scalar(polynomial.evaluate(abscissa(MinerId(i)))).unwrap();
        (key, (0..7).map(share).collect())
    }

    fn signed(shares: &[KeyShare]) -> Vec<(MinerId, Signature)> {
        (0..).map(MinerId).zip(shares.iter().map(|share| share.sign(MESSAGE))).collect()
    }

    #[test]
    fn every_threshold_of_members_gets_the_one_signature_of_the_secret() {
        let (key, shares) = shares();
        let signed = signed(&shares);
        let expected = SecretKey::from_scalar(Scalar::from_u64(11)).unwrap().sign(DomainTag::BEACON, MESSAGE);
        for a in 0..7 {
            for b in a + 1..7 {
                for c in b + 1..7 {
                    let combined = key.combine(MESSAGE, &[signed[a], signed[b], signed[c]]);
                    assert_eq!(combined, Ok(expected), "{a} {b} {c}");
                }
            }
        }
        assert!(key.verify(MESSAGE, &expected));
        assert!(!key.verify(b"epoch 3, round 8", &expected));
    }

    #[test]
    fn shares_verify_under_the_public_shares_only() {
        let (key, shares) = shares();
        for (i, share) in (0..).map(MinerId).zip(&shares) {
            assert_eq!(key.share(i), Some(&share.public_key()));
            let signature = share.sign(MESSAGE);
            assert!(key.verify_share(i, MESSAGE, &signature));
            assert!(!key.verify_share(MinerId((i.0 + 1) % 7), MESSAGE, &signature));
            assert!(!key.verify_share(i, b"another", &signature));
        }
        assert!(!key.verify_share(MinerId(7), MESSAGE, &shares[0].sign(MESSAGE)));
    }

    #[test]
    fn bad_shares_are_noticed() {
        let (key, shares) = shares();
        let good = signed(&shares);
        assert_eq!(key.combine(MESSAGE, &good[..2]), Err(CombineError::TooFew { shares: 2, threshold: 3 }),);
        let mut bad = good.clone();
        bad[1].1 = shares[1].sign(b"another message");
        assert_eq!(key.combine(MESSAGE, &bad), Err(CombineError::BadShare));
        bad[1].1 = shares[2].sign(MESSAGE);
        assert_eq!(key.combine(MESSAGE, &bad), Err(CombineError::BadShare));
        bad[1].1 = Signature([0; 48]);
        assert_eq!(
            key.combine(MESSAGE, &bad),
            Err(CombineError::NotAPoint { signer: MinerId(1), reason: PointError::Encoding })
        );
        assert_eq!(key.combine(MESSAGE, &[good[0], good[1], good[1]]), Err(CombineError::NotIncreasing));
        assert_eq!(key.combine(MESSAGE, &[good[1], good[0], good[2]]), Err(CombineError::NotIncreasing));
        let stranger = [good[0], good[1], (MinerId(7), good[2].1)];
        assert_eq!(key.combine(MESSAGE, &stranger), Err(CombineError::NotAMember { signer: MinerId(7) }));
        let identity = SecretKey::from_seed(&[1; 32]);
        bad[1].1 = identity.sign(crate::keys::TICKET, MESSAGE);
        assert_eq!(key.combine(MESSAGE, &bad), Err(CombineError::BadShare), "a ticket is no share");
    }

    #[test]
    fn shares_that_cancel_in_the_combination_do_not_change_the_value() {
        let (key, shares) = shares();
        let good = signed(&shares);
        let weights = lagrange_at_zero(&[1, 2, 3]).unwrap();
        let error = G1::hash(b"error", b"");
        let tainted = |i: usize, error: &G1| {
            let error = error.mul(&weights[i].inverse()).unwrap();
            Signature(G1::sum([&G1::decode(&good[i].1.0).unwrap(), &error]).unwrap().encode())
        };
        let forged = [(MinerId(0), tainted(0, &error)), (MinerId(1), tainted(1, &error.neg())), good[2]];
        assert!(!key.verify_share(MinerId(0), MESSAGE, &forged[0].1));
        assert_eq!(key.combine(MESSAGE, &forged), key.combine(MESSAGE, &good), "the value is unique");
    }

    #[test]
    fn a_threshold_that_the_committee_cannot_reach_is_refused() {
        let commitments = Polynomial::new([1, 2, 3].map(Scalar::from_u64).to_vec()).commit().unwrap();
        assert_eq!(
            BeaconKey::from_commitments(&commitments, 2),
            Err(BeaconKeyError::Threshold { threshold: 3, committee_size: 2 })
        );
        // At most 2 of 7 are faulty: 3 to 5 shares. Of 10 members, 3 are.
        for (committee_size, fits) in [(4, true), (5, true), (6, true), (7, true), (9, true), (10, false)] {
            let key = BeaconKey::from_commitments(&commitments, committee_size);
            assert_eq!(key.is_ok(), fits, "3 shares of {committee_size}");
        }
        let refused = BeaconKeyError::Threshold { threshold: 3, committee_size: 10 }.to_string();
        assert_eq!(
            refused,
            "a beacon threshold of 3 in a committee of 10: it must be at least 4 and at most 7"
        );
        assert!(BeaconKey::from_commitments(&Commitments::new(vec![]), 2).is_err());
    }

    /// A dealer that deals last can make its own share zero. It has none then, and the others are as well off as before.
    #[test]
    fn a_member_whose_share_is_zero_has_none_and_the_others_reach_the_threshold() {
        let root_at_one = Polynomial::new(vec![Scalar::from_u64(4), Scalar::from_u64(4).neg()]);
        let key = BeaconKey::from_commitments(&root_at_one.commit().unwrap(), 3).unwrap();
        assert!(KeyShare::from_scalar(root_at_one.evaluate(1)).is_none());
        let share = |x| KeyShare::from_scalar(root_at_one.evaluate(x)).unwrap().sign(MESSAGE);
        let shares = [(MinerId(1), share(2)), (MinerId(2), share(3))];
        let value = key.combine(MESSAGE, &shares).unwrap();
        assert!(key.verify(MESSAGE, &value));
        for forged in [share(2), share(3), value] {
            assert!(!key.verify_share(MinerId(0), MESSAGE, &forged));
        }
        assert!(key.combine(MESSAGE, &[(MinerId(0), share(2)), shares[1]]).is_err());
    }

    #[test]
    fn secrets_are_redacted_and_values_are_hashes_of_signatures() {
        let (_, shares) = shares();
        assert_eq!(format!("{:?}", shares[0]), "KeyShare(..)");
        assert_ne!(value(&shares[0].sign(MESSAGE)), value(&shares[1].sign(MESSAGE)));
        assert!(bool::from(shares[0].ct_eq(&shares[0].clone())));
        assert!(!bool::from(shares[0].ct_eq(&shares[1])));
    }
}

//! Public keys, proofs of possession, and keys that may be summed.

use std::fmt;

use super::{DomainTag, SecretKey, verify_point};
use crate::curve::{G2, G2_BYTES, PointError, Scalar};
use crate::signature::Signature;
use crate::together::{self, Claim};

/// Bytes of an encoded public key.
pub const PUBLIC_KEY_BYTES: usize = G2_BYTES;

/// The flag bits of a compressed point: compression, infinity, and the sign of y.
const FLAG_BITS: u8 = 0b1110_0000;

/// A public key: a point of the subgroup that is not infinity. Its owner need not know the secret key; see
/// [`RegisteredKey`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(G2);

impl PublicKey {
    /// Reads a compressed key.
    ///
    /// # Errors
    /// [`KeyError::Point`] when the bytes are no canonical point, infinity, or outside the subgroup.
    pub fn decode(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Result<Self, KeyError> {
        Ok(Self(G2::decode(bytes)?))
    }

    /// The canonical compressed encoding.
    #[must_use]
    pub fn encode(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.encode()
    }

    /// The x coordinate alone, which a key shares with its mirror image and with no other.
    ///
    /// Two members with mirrored keys can be added to any signer bitmap for free, since their keys sum to zero; a committee
    /// therefore admits each x coordinate once.
    #[must_use]
    pub fn x_coordinate(&self) -> [u8; PUBLIC_KEY_BYTES] {
        let mut bytes = self.encode();
        bytes[0] &= !FLAG_BITS;
        bytes
    }

    /// Whether `signature` is this key's over `message` in the domain of `tag`.
    #[must_use]
    pub fn verify(&self, tag: DomainTag, message: &[u8], signature: &Signature) -> bool {
        verify_point(&self.0, tag, message, signature)
    }

    /// Takes a point of the subgroup as a key.
    #[must_use]
    pub const fn from_point(point: G2) -> Self {
        Self(point)
    }

    /// The point.
    #[must_use]
    pub const fn point(&self) -> &G2 {
        &self.0
    }

    pub(super) fn of_secret(secret: &Scalar) -> Self {
        // Only the zero scalar has an infinite public key, and no secret key is zero; the generator keeps this total.
        Self(G2::generator_times(secret).unwrap_or_else(G2::generator))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.encode();
        write!(f, "PublicKey({:02x}{:02x}{:02x}{:02x}..)", bytes[0], bytes[1], bytes[2], bytes[3])
    }
}

/// A signature, in a domain of its own, over the public key itself and a statement of its owner (which chain the key is
/// for, which encryption key belongs to it). Checked once, by [`ProofOfPossession::verify`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProofOfPossession(pub Signature);

impl ProofOfPossession {
    pub(super) fn of(secret: &SecretKey, statement: &[u8]) -> Self {
        let key = secret.public_key();
        Self(secret.sign(DomainTag::PROOF_OF_POSSESSION, &possession_message(&key, statement)))
    }

    /// Checks the proof and turns the key into one that may be summed.
    ///
    /// # Errors
    /// [`KeyError::NotPossessed`] when the proof is not this key's over this statement.
    pub fn verify(&self, key: &PublicKey, statement: &[u8]) -> Result<RegisteredKey, KeyError> {
        key.verify(DomainTag::PROOF_OF_POSSESSION, &possession_message(key, statement), &self.0)
            .then_some(RegisteredKey(*key))
            .ok_or(KeyError::NotPossessed)
    }

    /// [`ProofOfPossession::verify`] of many keys at once, over one statement; `None` when one of the proofs is wrong. `seed` is that of
    /// [`Verify::verify_aggregates`](crate::scheme::Verify::verify_aggregates).
    #[must_use]
    pub fn verify_all(
        proofs: &[(PublicKey, Self)],
        statement: &[u8],
        seed: &[u8; 32],
    ) -> Option<Vec<RegisteredKey>> {
        let claim = |(key, proof): &(PublicKey, Self)| Claim {
            key: key.0,
            tag: DomainTag::PROOF_OF_POSSESSION,
            message: possession_message(key, statement),
            signature: proof.0,
        };
        let claims: Vec<Claim> = proofs.iter().map(claim).collect();
        together::verify(&claims, seed).then(|| proofs.iter().map(|(key, _)| RegisteredKey(*key)).collect())
    }
}

/// The key has a fixed length, so that key and statement cannot be confused.
fn possession_message(key: &PublicKey, statement: &[u8]) -> Vec<u8> {
    [&key.encode()[..], statement].concat()
}

/// A public key whose proof of possession was verified. The only kind of key that is ever summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisteredKey(PublicKey);

impl RegisteredKey {
    /// The key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.0
    }

    pub(super) const fn point(&self) -> &G2 {
        self.0.point()
    }
}

/// Why a key was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are no usable point.
    #[error("the public key is {0}")]
    Point(#[from] PointError),
    /// The proof of possession does not verify.
    #[error("the proof of possession does not verify")]
    NotPossessed,
}

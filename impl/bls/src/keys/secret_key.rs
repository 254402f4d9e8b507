//! Secret keys: made, used, wiped, never shown.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{DomainTag, ProofOfPossession, PublicKey};
use crate::curve::{G1, SCALAR_BYTES, Scalar};
use crate::signature::Signature;

/// Bytes of an encoded secret key.
pub const SECRET_KEY_BYTES: usize = SCALAR_BYTES;

/// Bytes of the key material that a secret key is made from.
pub const SEED_BYTES: usize = 32;

/// A secret key: a scalar that is not zero. Wiped when dropped; `Debug` shows nothing; compared in constant time.
#[derive(Clone)]
pub struct SecretKey(Scalar);

impl SecretKey {
    /// Derives a key from uniformly random key material (KeyGen of draft-irtf-cfrg-bls-signature-05, section 2.3, with an
    /// empty `key_info`). The caller draws the seed; nothing here is random.
    #[must_use]
    pub fn from_seed(seed: &[u8; SEED_BYTES]) -> Self {
        let bytes = blst::min_sig::SecretKey::key_gen(seed, &[])
            .map(|key| Zeroizing::new(key.to_bytes()))
            .unwrap_or_default();
        // KeyGen fails only for seeds below 32 bytes and never yields zero; the stand-in keeps this total.
        Self::from_bytes(&bytes).unwrap_or_else(|| Self(Scalar::from_u64(1)))
    }

    /// Reads 32 big-endian bytes; `None` for zero and for what is not below the group order.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Option<Self> {
        Self::from_scalar(Scalar::from_bytes(bytes)?)
    }

    /// Takes a scalar as a key; `None` for zero.
    #[must_use]
    pub fn from_scalar(scalar: Scalar) -> Option<Self> {
        (!bool::from(scalar.is_zero())).then_some(Self(scalar))
    }

    /// The bytes that [`SecretKey::from_bytes`] reads, wiped when dropped: for the operator's key file only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        self.0.to_bytes()
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of_secret(&self.0)
    }

    /// Signs `message` in the domain of `tag`. Deterministic.
    #[must_use]
    pub fn sign(&self, tag: DomainTag, message: &[u8]) -> Signature {
        let hash = G1::hash(tag.as_bytes(), message);
        // The product of a non-zero scalar and a point of prime order is never infinity; the hash keeps this total.
        Signature(hash.mul(&self.0).unwrap_or(hash).encode())
    }

    /// Proves possession of this key together with `statement`, which is bound by the proof (see [`ProofOfPossession`]).
    #[must_use]
    pub fn prove_possession(&self, statement: &[u8]) -> ProofOfPossession {
        ProofOfPossession::of(self, statement)
    }
}

impl ConstantTimeEq for SecretKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

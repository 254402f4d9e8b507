//! BLS signatures in the minimal-signature-size variant: signatures in G1 (48 bytes), public keys in G2 (96 bytes).
//!
//! The scheme is that of draft-irtf-cfrg-bls-signature-05 with proofs of possession, over the hash of RFC 9380, with domain
//! tags of this protocol. Three types carry what is known about a key:
//!
//! - [`PublicKey`]: a point of the subgroup, not infinity. One signature can be verified against it.
//! - [`ProofOfPossession`]: a claim to know the secret key, not yet checked.
//! - [`RegisteredKey`]: a key whose proof was checked. Only such keys are ever summed, because an unproven key can be
//!   chosen as `x - (sum of the others)` and then signs for everybody (the rogue-key attack).

mod domain_tag;
mod public_key;
mod secret_key;

pub use domain_tag::DomainTag;
pub use public_key::{KeyError, PUBLIC_KEY_BYTES, ProofOfPossession, PublicKey, RegisteredKey};
pub use secret_key::{SECRET_KEY_BYTES, SEED_BYTES, SecretKey};

use std::ops::Deref;

use super::curve::{G1, G2, Gt, PointError, PreparedG2};
use super::signature::Signature;

/// Sums signatures over one message, without verifying any: the result is worth what [`verify_aggregate`] says of it.
///
/// # Errors
/// [`AggregateError::NotAPoint`] with the position of the first signature that is no point, or
/// [`AggregateError::Infinity`] when the sum is infinite or there is nothing to sum.
pub fn aggregate(signatures: &[Signature]) -> Result<Signature, AggregateError> {
    let points = signatures
        .iter()
        .enumerate()
        .map(|(position, signature)| {
            G1::decode(&signature.0).map_err(|reason| AggregateError::NotAPoint { position, reason })
        })
        .collect::<Result<Vec<_>, _>>()?;
    G1::sum(&points).map(|sum| Signature(sum.encode())).ok_or(AggregateError::Infinity)
}

/// Whether `signature` is the sum of the signatures of exactly `keys` over `message`.
///
/// Sound for every signer because the keys are registered; it says nothing about the summands: forged signatures that
/// cancel in the sum leave the very bytes that honest ones would, so a certificate can stand on this, and neither credit nor
/// blame for a single ticket can. The caller passes each key once.
#[must_use]
pub fn verify_aggregate<'a>(
    keys: impl IntoIterator<Item = &'a RegisteredKey>,
    tag: DomainTag,
    message: &[u8],
    signature: &Signature,
) -> bool {
    G2::sum(keys.into_iter().map(RegisteredKey::point))
        .is_some_and(|key| verify_point(&key, tag, message, signature))
}

/// Why signatures were not summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AggregateError {
    /// One of the signatures is no point that could be a signature.
    #[error("signature {position} of the list is {reason}")]
    NotAPoint {
        /// Its position in the list.
        position: usize,
        /// The fault of the point.
        reason: PointError,
    },
    /// The sum is the point at infinity, or there was nothing to sum.
    #[error("the signatures sum to infinity")]
    Infinity,
}

/// `e(signature, generator) = e(hash(message), key)`, with the checks that the pairing does not make.
fn verify_point(key: &G2, tag: DomainTag, message: &[u8], signature: &Signature) -> bool {
    is_genuine(signature, || Some(Box::new(PreparedG2::new(key))), || G1::hash(tag.as_bytes(), message))
}

/// Whether `signature` is a point of the subgroup that balances hash and key. The cheap checks come first: key and hash are made for a
/// point only. Without a key nothing is genuine.
pub(crate) fn is_genuine<K: Deref<Target = PreparedG2>>(
    signature: &Signature,
    key: impl FnOnce() -> Option<K>,
    hash: impl FnOnce() -> G1,
) -> bool {
    let Ok(point) = G1::decode(&signature.0) else { return false };
    point.is_in_subgroup() && key().is_some_and(|key| is_balanced(&point, &hash(), &key))
}

/// `e(signature, generator) = e(hash, key)`. The signature must be in the subgroup: the pairing does not see it.
pub(crate) fn is_balanced(signature: &G1, hash: &G1, key: &PreparedG2) -> bool {
    Gt::product([(signature, PreparedG2::minus_generator()), (hash, key)]).is_one()
}

/// A tag of a protocol that uses this crate, for its tests.
#[cfg(test)]
pub(crate) const TICKET: DomainTag =
    DomainTag::new(b"ZUS-BPP-V01-TICKET_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");

/// Another one.
#[cfg(test)]
pub(crate) const OTHER: DomainTag =
    DomainTag::new(b"ZUS-BPP-V01-FINALITY-VOTE_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");

#[cfg(test)]
mod tests;

//! Many certificates over different messages, checked with one final exponentiation (catching up, sync); and beacon shares,
//! to find the wrong ones.
//!
//! Claim `i` says `e(S_i, g) = e(H_i, K_i)`. Each side is raised to a coefficient `c_i` and all are multiplied: if any claim
//! is wrong, the product is one with probability `2^-64` at most, provided that the coefficients were unknown when the
//! claims were made. So they are derived here, when all claims are on the table, from all of them and from a secret seed:
//! nothing is drawn in advance, and the same inputs give the same verdict. (Coefficients known to a forger let two wrong
//! claims cancel: `coefficients_known_beforehand_would_let_two_forgeries_cancel`.)
//!
//! Every signature is checked for the subgroup by itself: certificates are compared and stored as bytes.
//!
//! When the product is not one, the same coefficients serve to find the wrong claims ([`isolate`]): a claim's own factor is
//! one exactly if the claim is right, since the group has prime order and no coefficient is zero.

use sha3::{Digest, Sha3_512};

use super::BlstScheme;
use crate::coefficients;
use crate::committee::MinerId;
use crate::curve::{G1, Gt, PreparedG2};
use crate::group_testing::PreparedKey;
use crate::group_testing::isolation::{Defects, Sum, Weighing, isolate};
use crate::keys::DomainTag;
use crate::scheme::AggregateClaim;
use crate::signature::Signature;

/// Claims that share a final exponentiation; more are split. Bounds the memory, which is 20 KB a claim.
const BATCH: usize = 64;

/// Domain tag of the coefficients.
const TAG: &[u8] = b"ZUS-BPP-V01-BATCH-COEFFICIENTS";

/// The verdict about each claim, that of [`Verify::verify_aggregate`](crate::scheme::Verify::verify_aggregate) but
/// for a probability of `2^-64` that a wrong one passes.
pub(super) fn verify(scheme: &BlstScheme, claims: &[AggregateClaim<'_>], seed: &[u8; 32]) -> Vec<bool> {
    let mut verdicts = vec![false; claims.len()];
    let mut open = Vec::new();
    for (position, claim) in claims.iter().enumerate() {
        if claim.tag.is_reserved() {
            continue;
        }
        verdicts[position] = scheme.memory.is_verified(claim);
        if !verdicts[position] {
            open.push(position);
        }
    }
    for chunk in open.chunks(BATCH) {
        let of_chunk: Vec<AggregateClaim<'_>> = chunk.iter().map(|&position| claims[position]).collect();
        let key = |claim: &AggregateClaim<'_>| scheme.prepared_key(claim.signers);
        for (&position, verdict) in chunk.iter().zip(verify_chunk(scheme, &of_chunk, &key, seed)) {
            verdicts[position] = verdict;
            if verdict {
                scheme.memory.remember_verified(&claims[position]);
            }
        }
    }
    verdicts
}

/// The verdict about each beacon share over `message`, that of
/// [`Beacon::verify_beacon_share`](crate::scheme::Beacon::verify_beacon_share) but for the same probability. The
/// tag keeps these claims apart from all others.
pub(super) fn verify_shares(
    scheme: &BlstScheme,
    message: &[u8],
    shares: &[(MinerId, Signature)],
    seed: &[u8; 32],
) -> Vec<bool> {
    let key = |claim: &AggregateClaim<'_>| scheme.committee.beacon().share_sums().prepared_sum(claim.signers);
    let claims: Vec<AggregateClaim<'_>> = shares
        .iter()
        .map(|(signer, share)| AggregateClaim {
            signers: std::slice::from_ref(signer),
            tag: DomainTag::BEACON,
            message,
            aggregate: *share,
        })
        .collect();
    claims.chunks(BATCH).flat_map(|chunk| verify_chunk(scheme, chunk, &key, seed)).collect()
}

fn verify_chunk(
    scheme: &BlstScheme,
    claims: &[AggregateClaim<'_>],
    key: &dyn Fn(&AggregateClaim<'_>) -> Option<PreparedKey>,
    seed: &[u8; 32],
) -> Vec<bool> {
    let mut verdicts = vec![false; claims.len()];
    let encoded: Vec<&[u8; 48]> = claims.iter().map(|claim| &claim.aggregate.0).collect();
    let decoded = G1::decode_all(&encoded);
    let mut equations = Vec::new();
    for ((position, claim), signature) in claims.iter().enumerate().zip(decoded) {
        let (Ok(signature), Some(key)) = (signature, key(claim)) else { continue };
        let hash = scheme.memory.hash(claim.tag, claim.message);
        equations.push((position, signature, hash, key));
    }
    let signatures: Vec<G1> = equations.iter().map(|(_, signature, ..)| *signature).collect();
    let mut inside = G1::are_in_subgroup(&signatures).into_iter();
    equations.retain(|_| inside.next() == Some(true));
    let coefficients = coefficients(seed, claims);
    let batch = Batch::new(equations, &coefficients);
    let mut whole = batch.product();
    let wrong = if whole.is_one() {
        Vec::new()
    } else {
        isolate(&mut Terms::of(&batch, &mut whole), batch.len(), whole).wrong
    };
    for (place, position) in batch.positions.iter().enumerate() {
        verdicts[*position] = !wrong.contains(&place);
    }
    verdicts
}

/// A coefficient for each claim, not zero: 64 bits of a hash of the seed and of every byte of every claim.
fn coefficients(seed: &[u8; 32], claims: &[AggregateClaim<'_>]) -> Vec<u64> {
    let mut hash = Sha3_512::new().chain_update(TAG).chain_update(seed);
    for claim in claims {
        hash.update((claim.tag.as_bytes().len() as u64).to_be_bytes());
        hash.update(claim.tag.as_bytes());
        hash.update((claim.message.len() as u64).to_be_bytes());
        hash.update(claim.message);
        hash.update((claim.signers.len() as u64).to_be_bytes());
        for signer in claim.signers {
            hash.update(signer.0.to_be_bytes());
        }
        hash.update(claim.aggregate.0);
    }
    coefficients::expand(&hash.finalize().into(), claims.len())
}

/// Claims with their coefficients; everything is in the subgroup and finite.
struct Batch {
    positions: Vec<usize>,
    signatures: Vec<G1>,
    coefficients: Vec<u64>,
    /// `c_i H_i`.
    hashes: Vec<G1>,
    keys: Vec<PreparedKey>,
}

impl Batch {
    fn new(equations: Vec<(usize, G1, G1, PreparedKey)>, coefficients: &[u64]) -> Self {
        let mut batch = Self {
            positions: Vec::new(),
            signatures: Vec::new(),
            coefficients: Vec::new(),
            hashes: Vec::new(),
            keys: Vec::new(),
        };
        for (position, signature, hash, key) in equations {
            let coefficient = coefficients[position];
            // A point of prime order times a smaller number is finite; the point itself keeps this total.
            batch.hashes.push(hash.times(coefficient).unwrap_or(hash));
            batch.positions.push(position);
            batch.signatures.push(signature);
            batch.coefficients.push(coefficient);
            batch.keys.push(key);
        }
        batch
    }

    fn len(&self) -> usize {
        self.positions.len()
    }

    /// The product of all claims, those with one set of signers sharing a pairing.
    fn product(&self) -> Gt {
        let weights: Vec<u128> = self.coefficients.iter().copied().map(u128::from).collect();
        let signature = G1::weighted_sum(&self.signatures, &weights);
        product(signature.as_ref(), &self.hashes, &self.keys)
    }
}

fn product(signature: Option<&G1>, hashes: &[G1], keys: &[PreparedKey]) -> Gt {
    let mut merged: Vec<(Vec<&G1>, &PreparedKey)> = Vec::new();
    for (hash, key) in hashes.iter().zip(keys) {
        match merged.iter_mut().find(|(_, other)| std::sync::Arc::ptr_eq(other, key)) {
            Some((hashes, _)) => hashes.push(hash),
            None => merged.push((vec![hash], key)),
        }
    }
    let hashes: Vec<(G1, &PreparedG2)> = merged
        .into_iter()
        .filter_map(|(hashes, key)| match hashes[..] {
            [one] => Some((*one, &**key)),
            _ => Some((G1::sum(hashes)?, &**key)),
        })
        .collect();
    let signature = signature.map(|signature| (signature, PreparedG2::minus_generator()));
    Gt::product(signature.into_iter().chain(hashes.iter().map(|(hash, key)| (hash, *key))))
}

/// The claims of a batch, each raised to its coefficient, for isolation.
struct Terms<'a> {
    batch: &'a Batch,
    /// `c_i S_i`.
    signatures: Vec<G1>,
}

impl<'a> Terms<'a> {
    /// `whole` becomes the product of the claims as they are here.
    fn of(batch: &'a Batch, whole: &mut Gt) -> Self {
        let terms = batch.signatures.iter().zip(&batch.coefficients);
        let signatures = terms.map(|(signature, &c)| signature.times(c).unwrap_or(*signature)).collect();
        let terms = Self { batch, signatures };
        *whole = terms.defect(&Sum::plain(0..batch.len()));
        terms
    }

    fn defect(&self, Sum { set, weighing }: &Sum) -> Gt {
        let weight = |position: usize| match weighing {
            Weighing::Plain => 1,
            Weighing::ByMember => position as u64 + 1,
            Weighing::Moment(power) => (position as u64 - set.start as u64).pow(*power),
        };
        let weights: Vec<u64> = set.clone().map(weight).collect();
        let signatures = &self.signatures[set.clone()];
        let (hashes, keys) = (&self.batch.hashes[set.clone()], &self.batch.keys[set.clone()]);
        if *weighing == Weighing::Plain {
            return product(G1::sum(signatures).as_ref(), hashes, keys);
        }
        let wide: Vec<u128> = weights.iter().copied().map(u128::from).collect();
        let signature = G1::weighted_sum(signatures, &wide);
        let terms = hashes.iter().zip(keys).zip(&weights);
        let (hashes, keys): (Vec<G1>, Vec<PreparedKey>) = terms
            .filter_map(|((hash, key), &weight)| Some((hash.times(weight)?, PreparedKey::clone(key))))
            .unzip();
        product(signature.as_ref(), &hashes, &keys)
    }
}

impl Defects for Terms<'_> {
    type Value = Gt;

    /// Nothing is evaluated in advance: there are no lanes for products of so many pairings.
    fn evaluate(&mut self, asked: &[Sum], _: &[Sum]) -> Vec<Gt> {
        asked.iter().map(|sum| self.defect(sum)).collect()
    }

    fn weight(&self, position: usize) -> u64 {
        position as u64 + 1
    }

    fn one(&self) -> Gt {
        Gt::one()
    }

    fn mul(&self, a: &Gt, b: &Gt) -> Gt {
        a.mul(b)
    }

    fn inverse(&self, value: &Gt) -> Gt {
        value.inverse()
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;

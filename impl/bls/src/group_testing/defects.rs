//! The defects of sums of signatures, by pairings; and claims about single ones, confirmed together.
//!
//! # Confirming together
//! A claim says that the defect of one signature, raised to a scale, is a value ([`Claim`]). Each claim is raised to a
//! coefficient of 64 bits and all are multiplied: the left sides are the defect of one weighted sum of signatures, one
//! evaluation; the right sides are a product of powers. If any claim is false, the two sides agree for one in `2^64` choices
//! of the coefficients. They are the hash of all signatures and of the message, so that nobody knows them before the last
//! signature is fixed, and every machine has the same ones. An attacker who wants an innocent member blamed has to try
//! `2^64` signatures of its own, after it has seen all others and before they are counted. Its gain would be one strike
//! against that member (the caller's affair), since evidence is always one signature verified alone.

use std::collections::HashMap;
use std::ops::Range;

use sha3::{Digest, Sha3_512};

use super::isolation::{Claim, Defects, Sum, Weighing};
use super::key_sums::{KeySums, PreparedKey, weight};
use crate::coefficients;
use crate::committee::MinerId;
use crate::curve::lanes::{self, LANES};
use crate::curve::{G1, G2, Gt, PreparedG2};

/// Domain tag of the coefficients.
const TAG: &[u8] = b"ZUS-BPP-V01-BLAME-COEFFICIENTS";

/// Signatures of a set that is solved by moments, at most: trying all sets of places of eight takes less than evaluating.
const LARGEST_LEAF: usize = 8;

/// Signatures over one message.
pub(super) struct Group<'a> {
    keys: &'a KeySums,
    hash: &'a G1,
    signers: &'a [MinerId],
    points: &'a [G1],
    /// Values that were evaluated in advance.
    in_advance: HashMap<Sum, Gt>,
}

/// A sum that is evaluated: that of signatures and that of their keys, unless infinite.
struct Part {
    signature: Option<G1>,
    key: Option<G2>,
    /// Whose key it is, where it is a single one: its lines are kept.
    alone: Option<MinerId>,
}

impl<'a> Group<'a> {
    pub(super) fn new(keys: &'a KeySums, hash: &'a G1, signers: &'a [MinerId], points: &'a [G1]) -> Self {
        Self { keys, hash, signers, points, in_advance: HashMap::new() }
    }

    fn part(&self, sum: &Sum) -> Part {
        match sum.weighing {
            Weighing::Plain => self.plain(&sum.set),
            Weighing::ByMember => {
                let signers = &self.signers[sum.set.clone()];
                let weights: Vec<u128> = signers.iter().map(|&signer| weight(signer).into()).collect();
                let signature = G1::weighted_sum(&self.points[sum.set.clone()], &weights);
                Part { signature, key: self.keys.weighted_sum(signers), alone: None }
            }
            Weighing::Moment(power) => {
                // The first place counts nothing, the second once.
                let set = sum.set.start + 1..sum.set.end;
                if set.len() == 1 {
                    return self.plain(&set);
                }
                let weights: Vec<u128> = (1..=set.len() as u128).map(|place| place.pow(power)).collect();
                self.weighted(set, &weights)
            }
        }
    }

    fn plain(&self, set: &Range<usize>) -> Part {
        let signers = &self.signers[set.clone()];
        let alone = if let [signer] = signers { Some(*signer) } else { None };
        Part { signature: G1::sum(&self.points[set.clone()]), key: self.keys.sum(signers), alone }
    }

    fn weighted(&self, positions: impl IntoIterator<Item = usize> + Clone, weights: &[u128]) -> Part {
        let points: Vec<G1> = positions.clone().into_iter().map(|position| self.points[position]).collect();
        let keys: Vec<G2> = positions
            .into_iter()
            .filter_map(|position| self.keys.key(self.signers[position]).copied())
            .collect();
        Part {
            signature: G1::weighted_sum(&points, weights),
            key: G2::weighted_sum(&keys, weights),
            alone: None,
        }
    }

    /// The defects of sums, eight at a time where the processor can.
    fn products(&self, parts: &[Part]) -> Vec<Gt> {
        let mut defects = Vec::with_capacity(parts.len());
        for chunk in parts.chunks(LANES) {
            let finite: Option<Vec<(G1, G2)>> =
                chunk.iter().map(|part| Some((part.signature?, part.key?))).collect();
            let products = finite.and_then(|finite| lanes::filled(&finite)).and_then(|full| {
                lanes::products(&full.map(|(s, _)| s), &[*self.hash; LANES], &full.map(|(_, key)| key))
            });
            match products {
                Some(products) => defects.extend(products.into_iter().take(chunk.len())),
                None => defects.extend(chunk.iter().map(|part| self.product(part))),
            }
        }
        defects
    }

    fn product(&self, part: &Part) -> Gt {
        let key = match part.alone {
            Some(signer) => self.keys.prepared_sum(&[signer]),
            None => part.key.map(|key| PreparedKey::new(PreparedG2::new(&key))),
        };
        super::defect(self.hash, part.signature.as_ref(), key.as_deref())
    }

    /// A coefficient for each claim: 64 bits of a hash of everything that was sent.
    pub(super) fn coefficients(&self, count: usize) -> Vec<u64> {
        let mut transcript = Sha3_512::new().chain_update(TAG).chain_update(self.hash.encode());
        for (signer, point) in self.signers.iter().zip(self.points) {
            transcript.update(signer.0.to_be_bytes());
            transcript.update(point.encode());
        }
        coefficients::expand(&transcript.finalize().into(), count)
    }
}

impl Defects for Group<'_> {
    type Value = Gt;

    fn evaluate(&mut self, asked: &[Sum], likely: &[Sum]) -> Vec<Gt> {
        let mut sums: Vec<&Sum> = asked.iter().filter(|sum| !self.in_advance.contains_key(sum)).collect();
        if lanes::is_enabled() && !sums.is_empty() {
            // Lanes that would be empty are filled with what will be asked next.
            let most = sums.len().next_multiple_of(LANES);
            let unknown = likely.iter().filter(|sum| !self.in_advance.contains_key(sum));
            sums.extend(unknown.take(most - sums.len()));
        }
        let parts: Vec<Part> = sums.iter().map(|sum| self.part(sum)).collect();
        let values = self.products(&parts);
        self.in_advance.extend(sums.into_iter().cloned().zip(values));
        // All are there; one is never taken for what was not evaluated.
        asked.iter().filter_map(|sum| self.in_advance.get(sum).copied()).collect()
    }

    fn weight(&self, position: usize) -> u64 {
        weight(self.signers[position])
    }

    fn one(&self) -> Gt {
        Gt::one()
    }

    fn mul(&self, a: &Gt, b: &Gt) -> Gt {
        a.mul(b)
    }

    fn square(&self, value: &Gt) -> Gt {
        value.square()
    }

    fn inverse(&self, value: &Gt) -> Gt {
        value.inverse()
    }

    fn confirm(&mut self, claims: &[Claim<Gt>]) -> Option<bool> {
        let coefficients = self.coefficients(claims.len());
        let scaled =
            |(claim, &coefficient): (&Claim<Gt>, &u64)| u128::from(claim.scale) * u128::from(coefficient);
        let weights: Vec<u128> = claims.iter().zip(&coefficients).map(scaled).collect();
        let left = self.product(&self.weighted(claims.iter().map(|claim| claim.position), &weights));
        let values: Vec<Gt> = claims.iter().map(|claim| claim.value).collect();
        Some(left == Gt::product_of_powers(&values, &coefficients))
    }

    fn largest_leaf(&self) -> usize {
        LARGEST_LEAF
    }
}

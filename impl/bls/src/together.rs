//! Signatures of many keys over many messages, checked together: either all are genuine, or one of them is not and nobody says which.
//!
//! Claim `i` says `e(S_i, g) = e(H_i, K_i)`. Both sides are raised to a coefficient `c_i` and all are multiplied, as in
//! [`blst_scheme`](crate::blst_scheme) for the claims of one committee. The coefficients have 64 bits and follow from a secret seed and
//! from every byte of every claim, so a wrong claim passes with probability `2^-64` at most. Each signature is checked for the subgroup
//! by itself. A caller that needs to know which claim is wrong checks them one by one.

use sha3::{Digest, Sha3_512};

use crate::coefficients;
use crate::curve::{G1, G2, Gt, PreparedG2};
use crate::keys::DomainTag;
use crate::signature::Signature;

/// Claims that share a final exponentiation; more are split. Bounds the memory, which is 20 KB a claim.
const BATCH: usize = 64;

/// Domain tag of the coefficients.
const TAG: &[u8] = b"ZUS-BPP-V01-TOGETHER-COEFFICIENTS";

/// `signature` is that of `key` over `message` in the domain of `tag`.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub key: G2,
    pub tag: DomainTag,
    pub message: Vec<u8>,
    pub signature: Signature,
}

/// Whether all claims are right. `seed` is 32 secret bytes of the caller's ([`BatchSeed`](crate::scheme::BatchSeed)).
pub(crate) fn verify(claims: &[Claim], seed: &[u8; 32]) -> bool {
    claims.chunks(BATCH).all(|chunk| verify_chunk(chunk, &coefficients(seed, chunk)))
}

fn verify_chunk(claims: &[Claim], coefficients: &[u64]) -> bool {
    let encoded: Vec<_> = claims.iter().map(|claim| &claim.signature.0).collect();
    let Ok(signatures) = G1::decode_all(&encoded).into_iter().collect::<Result<Vec<G1>, _>>() else {
        return false;
    };
    if G1::are_in_subgroup(&signatures).contains(&false) {
        return false;
    }
    let weighted_hash = |(claim, &coefficient): (&Claim, &u64)| {
        let hash = G1::hash(claim.tag.as_bytes(), &claim.message);
        // A point of prime order times a smaller number is finite; the point itself keeps this total.
        (hash.times(coefficient).unwrap_or(hash), PreparedG2::new(&claim.key))
    };
    let hashes: Vec<(G1, PreparedG2)> = claims.iter().zip(coefficients).map(weighted_hash).collect();
    let weights: Vec<u128> = coefficients.iter().copied().map(u128::from).collect();
    let signature = G1::weighted_sum(&signatures, &weights);
    let signature = signature.iter().map(|signature| (signature, PreparedG2::minus_generator()));
    Gt::product(signature.chain(hashes.iter().map(|(hash, key)| (hash, key)))).is_one()
}

/// A coefficient for each claim, not zero: 64 bits of a hash of the seed and of every byte of every claim.
fn coefficients(seed: &[u8; 32], claims: &[Claim]) -> Vec<u64> {
    let mut hash = Sha3_512::new().chain_update(TAG).chain_update(seed);
    for claim in claims {
        for bytes in
            [claim.tag.as_bytes(), &claim.message[..], &claim.key.encode()[..], &claim.signature.0[..]]
        {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    }
    coefficients::expand(&hash.finalize().into(), claims.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::products_so_far;
    use crate::curve::strays::{cofactor_only, outside_subgroup};
    use crate::keys::{SecretKey, TICKET};

    const SEED: [u8; 32] = [9; 32];

    fn claims(count: u8) -> Vec<Claim> {
        let claim = |i: u8| {
            let (key, message) = (SecretKey::from_seed(&[i; 32]), vec![i; 3]);
            let signature = key.sign(TICKET, &message);
            Claim { key: *key.public_key().point(), tag: TICKET, message, signature }
        };
        (0..count).map(claim).collect()
    }

    fn plus(signature: &Signature, error: &G1) -> Signature {
        Signature(G1::sum([&G1::decode(&signature.0).unwrap(), error]).unwrap().encode())
    }

    #[test]
    fn genuine_signatures_share_a_product() {
        for count in [0, 1, 2, 17, 64, 65] {
            let before = products_so_far();
            assert!(verify(&claims(count), &SEED), "{count} claims");
            assert_eq!(products_so_far() - before, usize::from(count).div_ceil(BATCH), "{count} claims");
        }
    }

    #[test]
    fn one_wrong_claim_of_any_kind_is_enough() {
        let other = claims(6)[5].clone();
        let changes: [&dyn Fn(&mut Claim); 7] = [
            &|claim| claim.key = other.key,
            &|claim| claim.tag = crate::keys::OTHER,
            &|claim| claim.message.push(0),
            &|claim| claim.signature = other.signature,
            &|claim| claim.signature = Signature([0xc0; 48]),
            &|claim| claim.signature = plus(&claim.signature, &outside_subgroup()),
            // The pairing does not see it.
            &|claim| claim.signature = plus(&claim.signature, &cofactor_only()),
        ];
        for (number, change) in changes.iter().enumerate() {
            for at in 0..4 {
                let mut claims = claims(4);
                change(&mut claims[at]);
                assert!(!verify(&claims, &SEED), "change {number} at {at}");
            }
        }
    }

    /// Two errors that cancel in the plain product; and two that are weighed by the coefficients of the claims before the change.
    #[test]
    fn errors_that_would_cancel_are_found() {
        let (right, error) = (claims(3), G1::hash(b"error", b""));
        let mut wrong = right.clone();
        wrong[0].signature = plus(&wrong[0].signature, &error);
        wrong[2].signature = plus(&wrong[2].signature, &error.neg());
        assert!(verify_chunk(&wrong, &[1; 3]), "they cancel without coefficients");
        assert!(!verify(&wrong, &SEED));
        let early = coefficients(&SEED, &right);
        let mut wrong = right.clone();
        wrong[0].signature = plus(&wrong[0].signature, &error.times(early[2]).unwrap());
        wrong[2].signature = plus(&wrong[2].signature, &error.times(early[0]).unwrap().neg());
        assert!(verify_chunk(&wrong, &early), "they cancel with coefficients that are known before");
        assert!(!verify(&wrong, &SEED));
        assert_ne!(coefficients(&[8; 32], &right), early, "the seed counts");
    }
}

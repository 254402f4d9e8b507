//! arkworks, the one peer without blst. The hash is given to it for nothing. Valid tickets only.

use ark_bls12_381::{Bls12_381, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing as _;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{One as _, Zero as _};
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use zus_benches::committee::{Keys, Tickets, Verdict};

pub fn keys(keys: &Keys) -> Vec<G2Affine> {
    keys.public.iter().map(|key| G2Affine::deserialize_compressed(&key[..]).expect("a key")).collect()
}

/// The hash of the message as a compressed point.
pub fn hash(encoded: &[u8; 48]) -> G1Affine {
    G1Affine::deserialize_compressed(&encoded[..]).expect("a point")
}

pub fn aggregate(keys: &[G2Affine], hash: &G1Affine, tickets: &Tickets) -> Verdict {
    let mut sum = G1Projective::zero();
    for (_, ticket) in &tickets.signatures {
        // Decoding checks the subgroup.
        sum += G1Affine::deserialize_compressed(&ticket.0[..]).expect("a point");
    }
    let key: G2Projective = keys.iter().fold(G2Projective::zero(), |sum, key| sum + key);
    let sum = sum.into_affine();
    let product = Bls12_381::multi_pairing([sum, *hash], [-G2Affine::generator(), key.into_affine()]);
    let aggregate = product.0.is_one().then(|| {
        let mut bytes = [0; 48];
        sum.serialize_compressed(&mut bytes[..]).expect("48 bytes");
        bytes
    });
    Verdict { aggregate, wrong: Vec::new() }
}

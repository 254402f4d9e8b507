//! blstrs: the interface of the `group` and `pairing` crates on blst. Valid tickets only; it has no way to find wrong ones.

use blstrs::{Bls12, G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective};
use group::prime::PrimeCurveAffine as _;
use group::{Curve as _, Group as _};
use pairing::{MillerLoopResult as _, MultiMillerLoop as _};
use zus_benches::committee::{Keys, Tickets, Verdict};

pub fn keys(keys: &Keys) -> Vec<G2Affine> {
    keys.public.iter().map(|key| G2Affine::from_compressed(key).expect("a key")).collect()
}

pub fn aggregate(keys: &[G2Affine], tickets: &Tickets) -> Verdict {
    let mut sum = G1Projective::identity();
    for (_, ticket) in &tickets.signatures {
        // Decoding checks the subgroup.
        let point: Option<G1Affine> = G1Affine::from_compressed(&ticket.0).into();
        sum += point.expect("a point");
    }
    let key = keys.iter().fold(G2Projective::identity(), |sum, key| sum + key).to_affine();
    let hash = G1Projective::hash_to_curve(&tickets.message, tickets.tag.as_bytes(), &[]).to_affine();
    let sum = sum.to_affine();
    let product = Bls12::multi_miller_loop(&[
        (&sum, &G2Prepared::from(-G2Affine::generator())),
        (&hash, &G2Prepared::from(key)),
    ]);
    let valid = bool::from(product.final_exponentiation().is_identity());
    Verdict { aggregate: valid.then(|| sum.to_compressed()), wrong: Vec::new() }
}

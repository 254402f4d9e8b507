//! blstrs: the interface of the `group` and `pairing` crates on blst. Valid tickets only; it has no way to find invalid ones.

use blstrs::{Bls12, G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective};
use group::prime::PrimeCurveAffine as _;
use group::{Curve as _, Group as _};
use pairing::{MillerLoopResult as _, MultiMillerLoop as _};
use zus_measure::committee::{Aggregation, Tickets};
use zus_measure::job::Job;
use zus_measure::peer::{Aggregator, Peer};

/// See the module doc.
pub struct Blstrs;

fn aggregate(keys: &[G2Affine], tickets: &Tickets) -> Aggregation {
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
    Aggregation { aggregate: valid.then(|| sum.to_compressed()), invalid: Vec::new() }
}

impl Peer for Blstrs {
    fn name(&self) -> &'static str {
        "blstrs"
    }

    fn finds_invalid(&self) -> bool {
        false
    }

    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
        let keys: Vec<G2Affine> =
            job.keys.public.iter().map(|key| G2Affine::from_compressed(key).expect("a key")).collect();
        Box::new(move |tickets| aggregate(&keys, tickets))
    }
}

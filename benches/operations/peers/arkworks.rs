//! arkworks, the one peer without blst. The hash is given to it for nothing. Valid tickets only.

use ark_bls12_381::{Bls12_381, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing as _;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{One as _, Zero as _};
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use zus_measure::committee::{Aggregation, Tickets};
use zus_measure::job::Job;
use zus_measure::peer::{Aggregator, Peer};

/// See the module doc.
pub struct Arkworks;

fn aggregate(keys: &[G2Affine], hash: &G1Affine, tickets: &Tickets) -> Aggregation {
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
    Aggregation { aggregate, invalid: Vec::new() }
}

impl Peer for Arkworks {
    fn name(&self) -> &'static str {
        "arkworks"
    }

    fn finds_invalid(&self) -> bool {
        false
    }

    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
        let key = |key: &[u8; 96]| G2Affine::deserialize_compressed(&key[..]).expect("a key");
        let keys: Vec<G2Affine> = job.keys.public.iter().map(key).collect();
        let hash = G1Affine::deserialize_compressed(&job.hash.encode()[..]).expect("a point");
        Box::new(move |tickets| aggregate(&keys, &hash, tickets))
    }
}

//! Our BLS signatures against those of a second library that shares no code with the first: arkworks, in pure Rust.
//!
//! Ours stands on blst, with code of our own for batches (eight points at a time in vector registers, endomorphisms); the
//! other side is the textbook: one equation a question. Both must accept and refuse the same encodings, make the same
//! hashes, keys and signatures, and give the same answer about every signature, sum and proof of possession.

use std::fmt::Debug;

use ark_bls12_381::{Bls12_381, Fq, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::hashing::HashToCurve;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use zus_bpp::crypto::curve::{G1, G1_BYTES, G2, G2_BYTES, PointError, Scalar};
use zus_bpp::crypto::keys::{
    DomainTag, ProofOfPossession, PublicKey, RegisteredKey, SecretKey, aggregate, verify_aggregate,
};
use zus_bpp::crypto::polynomial::lagrange_at_zero;
use zus_bpp::crypto::scheme::{Domain, Signature};

use super::stream::Stream;

type Hasher = MapToCurveBasedHasher<
    G1Projective,
    DefaultFieldHasher<arkworks_sha2::Sha256>,
    WBMap<ark_bls12_381::g1::Config>,
>;

/// Every domain with the end of its tag that differs, by hand: the other side does not ask ours how it separates domains.
const DOMAINS: [(Domain, &str); 6] = [
    (Domain::Proposal, "PROPOSAL"),
    (Domain::Ticket, "TICKET"),
    (Domain::Timeout, "TIMEOUT"),
    (Domain::FinalityVote, "FINALITY-VOTE"),
    (Domain::Beacon, "BEACON"),
    (Domain::ProofOfPossession, "PROOF-OF-POSSESSION"),
];

fn their_tag(name: &str) -> Vec<u8> {
    format!("ZUS-BPP-V01-{name}_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_").into_bytes()
}

/// Points of a batch: more than fill the vector registers once, so that the rest is tried, too.
const BATCH: usize = 11;

/// The question to the two libraries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    CompressedPoint,
    BothCoordinates,
    PublicKey,
    Batch,
    Hash,
    SecretKey,
    Signature,
    Aggregate,
    Possession,
    Combination,
    Polynomial,
}

const QUESTIONS: [Question; 11] = [
    Question::CompressedPoint,
    Question::BothCoordinates,
    Question::PublicKey,
    Question::Batch,
    Question::Hash,
    Question::SecretKey,
    Question::Signature,
    Question::Aggregate,
    Question::Possession,
    Question::Combination,
    Question::Polynomial,
];

/// Asks both libraries one question.
///
/// # Panics
/// When their answers differ.
pub fn differential_bls(bytes: &[u8]) {
    let mut stream = Stream::new(bytes);
    match QUESTIONS[stream.below(QUESTIONS.len())] {
        Question::CompressedPoint => compressed_point(&point_bytes(&mut stream)),
        Question::BothCoordinates => both_coordinates(&mut stream),
        Question::PublicKey => public_key(&key_bytes(&mut stream)),
        Question::Batch => batch(&mut stream),
        Question::Hash => hash(&mut stream),
        Question::SecretKey => secret_key(&mut stream),
        Question::Signature => signature(&mut stream),
        Question::Aggregate => aggregates(&mut stream),
        Question::Possession => possession(&mut stream),
        Question::Combination => combination(&mut stream),
        Question::Polynomial => polynomial(&mut stream),
    }
}

/// The meaning of an input.
pub fn tell(bytes: &[u8]) -> String {
    format!("{:?} on {bytes:02x?}", QUESTIONS[Stream::new(bytes).below(QUESTIONS.len())])
}

fn agree<T: PartialEq + Debug>(what: &str, ours: T, theirs: T) {
    assert!(ours == theirs, "{what}: ours {ours:02x?}, theirs {theirs:02x?}");
}

fn their_hash(tag: &[u8], message: &[u8]) -> G1Affine {
    let hasher = Hasher::new(tag).expect("the parameters of the map are constants");
    hasher.hash(message).expect("the map is total")
}

fn written<T: CanonicalSerialize, const N: usize>(point: &T) -> [u8; N] {
    let mut bytes = Vec::with_capacity(N);
    point.serialize_compressed(&mut bytes).expect("memory does not fail");
    bytes.try_into().expect("a compressed point has one length")
}

/// A point of the curve, in the subgroup or not, but not infinity: what our decoding of a signature gives. The two points
/// whose `x` is zero are left out: they have order three, and blst says of them that they are in no subgroup at once.
fn their_point(bytes: &[u8; G1_BYTES]) -> Option<G1Affine> {
    let point = G1Affine::deserialize_compressed_unchecked(&bytes[..]).ok()?;
    (!point.is_zero() && !point.x.is_zero()).then_some(point)
}

/// One of the two points whose `x` is zero.
fn of_order_three() -> G1Affine {
    G1Affine::new_unchecked(Fq::zero(), Fq::from(2_u64))
}

/// Membership of the subgroup by its definition, which no endomorphism takes part in.
fn is_of_prime_order(point: &G1Affine) -> bool {
    let order = <Fr as PrimeField>::MODULUS;
    let bits = order.to_bits_be();
    let sum = bits.iter().fold(G1Projective::zero(), |sum, bit| {
        let doubled = sum + sum;
        if *bit { doubled + point } else { doubled }
    });
    sum.is_zero()
}

/// Bytes that are, or nearly are, an encoding: a point of the subgroup, one outside it, infinity, or anything.
fn point_bytes(stream: &mut Stream<'_>) -> [u8; G1_BYTES] {
    let mut bytes = match stream.below(6) {
        0 => stream.array(),
        1 => {
            let mut infinity = [0; G1_BYTES];
            infinity[0] = 0xc0;
            infinity
        }
        // A small coordinate: on the curve half the time, and then nearly always outside the subgroup.
        2 => {
            let mut small = [0; G1_BYTES];
            (small[0], small[G1_BYTES - 1]) = (0x80 | (stream.byte() & 0x20), stream.byte());
            small
        }
        // A coordinate at the edge of the field.
        3 => {
            let modulus = Fq::MODULUS.to_bytes_be();
            let mut edge: [u8; G1_BYTES] = modulus.try_into().expect("a field element has 48 bytes");
            edge[G1_BYTES - 1] = edge[G1_BYTES - 1].wrapping_add(stream.byte()).wrapping_sub(0x80);
            edge[0] |= 0x80 | (stream.byte() & 0x20);
            edge
        }
        _ => G1::hash(b"tag", &[stream.byte()]).encode(),
    };
    change(stream, &mut bytes);
    bytes
}

/// One in four times one bit is changed, one in four times a flag of the first byte.
fn change(stream: &mut Stream<'_>, bytes: &mut [u8]) {
    match stream.below(4) {
        0 => {
            let bit = stream.position(8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        1 => bytes[0] ^= 0x20 << stream.below(3),
        _ => {}
    }
}

fn key_bytes(stream: &mut Stream<'_>) -> [u8; G2_BYTES] {
    let mut bytes = match stream.below(5) {
        0 => stream.array(),
        1 => {
            let mut infinity = [0; G2_BYTES];
            infinity[0] = 0xc0;
            infinity
        }
        2 => {
            let mut small = [0; G2_BYTES];
            (small[0], small[G2_BYTES - 1]) = (0x80 | (stream.byte() & 0x20), stream.byte());
            small[G2_BYTES / 2 - 1] = stream.byte();
            small
        }
        _ => SecretKey::from_seed(&[stream.byte(); 32]).public_key().encode(),
    };
    change(stream, &mut bytes);
    bytes
}

fn compressed_point(bytes: &[u8; G1_BYTES]) {
    let (ours, theirs) = (G1::decode(bytes), their_point(bytes));
    agree("whether the bytes are a point", ours.is_ok(), theirs.is_some());
    let of_order_three = G1Affine::deserialize_compressed_unchecked(&bytes[..])
        .is_ok_and(|point| !point.is_zero() && point.x.is_zero());
    agree("whether it has order three", ours == Err(PointError::NotInSubgroup), of_order_three);
    let (Ok(ours), Some(theirs)) = (ours, theirs) else { return };
    agree("the point's encoding", ours.encode(), *bytes);
    agree("the point's encoding", written(&theirs), *bytes);
    let inside = is_of_prime_order(&theirs);
    agree("whether the point is in the subgroup", ours.is_in_subgroup(), inside);
    let mut both = Vec::new();
    theirs.serialize_uncompressed(&mut both).expect("memory does not fail");
    agree("both coordinates", ours.encode_uncompressed().to_vec(), both);
    agree("the mirrored point", ours.neg().encode(), written(&-theirs));
}

fn both_coordinates(stream: &mut Stream<'_>) {
    let mut bytes = match (stream.below(4), G1::decode(&point_bytes(stream))) {
        (1.., Ok(point)) => point.encode_uncompressed(),
        _ => stream.array(),
    };
    change(stream, &mut bytes);
    let ours = G1::decode_uncompressed(&bytes).ok().map(|point| point.encode());
    let theirs = G1Affine::deserialize_uncompressed_unchecked(&bytes[..])
        .ok()
        .filter(|point| !point.is_zero() && !point.x.is_zero() && point.is_on_curve());
    agree("the point of these coordinates", ours, theirs.map(|point| written(&point)));
}

fn public_key(bytes: &[u8; G2_BYTES]) {
    let ours = PublicKey::decode(bytes).ok().map(|key| key.encode());
    let theirs = G2Affine::deserialize_compressed(&bytes[..]).ok().filter(|point| !point.is_zero());
    agree("the public key", ours, theirs.map(|point| written(&point)));
}

/// Many points at once, which ours decodes and checks in vector registers where the machine has them.
fn batch(stream: &mut Stream<'_>) {
    let encoded: Vec<[u8; G1_BYTES]> = (0..1 + stream.below(BATCH)).map(|_| point_bytes(stream)).collect();
    let decoded = G1::decode_all(&encoded.iter().collect::<Vec<_>>());
    let theirs: Vec<Option<G1Affine>> = encoded.iter().map(their_point).collect();
    for ((ours, theirs), bytes) in decoded.iter().zip(&theirs).zip(&encoded) {
        let ours = ours.as_ref().ok().map(G1::encode);
        agree("a point of a batch", ours, theirs.map(|point| written(&point)));
        agree("one point and a batch", ours.is_some(), G1::decode(bytes).is_ok());
    }
    let points: Vec<G1> = decoded.into_iter().flatten().collect();
    let inside: Vec<bool> = theirs.iter().flatten().map(is_of_prime_order).collect();
    agree("which points of a batch are in the subgroup", G1::are_in_subgroup(&points), inside);
    let sum: G1Projective = theirs.iter().flatten().sum();
    let theirs = Some(sum.into_affine()).filter(|sum| !sum.is_zero()).map(|sum| written(&sum));
    agree("the sum", G1::sum(&points).map(|sum| sum.encode()), theirs);
}

fn hash(stream: &mut Stream<'_>) {
    // RFC 9380, section 5.3.3: longer tags are hashed first; this protocol has none.
    let tag = [stream.bytes(200), vec![1]].concat();
    let message = stream.bytes(255);
    agree("the hash", G1::hash(&tag, &message).encode(), written(&their_hash(&tag, &message)));
}

/// A scalar as 32 big-endian bytes: small, near the group order, or anything.
fn scalar_bytes(stream: &mut Stream<'_>) -> [u8; 32] {
    let mut bytes = [0; 32];
    match stream.below(4) {
        0 => bytes[31] = stream.byte() & 3,
        1 => {
            bytes = Fr::MODULUS.to_bytes_be().try_into().expect("a scalar has 32 bytes");
            bytes[31] = bytes[31].wrapping_add(stream.byte() & 7).wrapping_sub(3);
        }
        _ => bytes = stream.array(),
    }
    bytes
}

fn their_scalar(bytes: &[u8; 32]) -> Option<Fr> {
    let limb =
        |i: usize| bytes[32 - 8 * (i + 1)..][..8].iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    Fr::from_bigint(ark_ff::BigInt(std::array::from_fn(limb)))
}

fn secret_key(stream: &mut Stream<'_>) {
    let bytes = scalar_bytes(stream);
    let ours = SecretKey::from_bytes(&bytes);
    let theirs = their_scalar(&bytes).filter(|scalar| !scalar.is_zero());
    agree("whether the bytes are a secret key", ours.is_some(), theirs.is_some());
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        let public = (G2Projective::generator() * theirs).into_affine();
        agree("the public key", ours.public_key().encode(), written(&public));
        agree("the secret key, read back", *ours.to_bytes(), bytes);
    }
}

/// A secret key of both libraries, and the public one of the other.
struct Pair {
    ours: SecretKey,
    theirs: Fr,
    public: G2Affine,
}

fn pair(seed: u8) -> Pair {
    let ours = SecretKey::from_seed(&[seed; 32]);
    let theirs = their_scalar(&ours.to_bytes()).expect("a key is below the group order");
    let public = (G2Projective::generator() * theirs).into_affine();
    agree("the public key", ours.public_key().encode(), written(&public));
    Pair { ours, theirs, public }
}

/// `e(signature, generator) = e(hash, key)`, where the signature is a point of the subgroup and not infinity.
fn they_verify(key: &G2Affine, tag: &[u8], message: &[u8], signature: &Signature) -> bool {
    let Some(signature) = their_point(&signature.0).filter(is_of_prime_order) else { return false };
    let hash = their_hash(tag, message);
    Bls12_381::multi_pairing([signature, -hash], [G2Affine::generator(), *key]).is_zero()
}

fn signature(stream: &mut Stream<'_>) {
    let key = pair(stream.byte());
    let (domain, name) = DOMAINS[stream.below(DOMAINS.len())];
    let message = stream.bytes(64);
    let ours = key.ours.sign(domain.into(), &message);
    let theirs = (their_hash(&their_tag(name), &message) * key.theirs).into_affine();
    agree("the signature", ours.0, written(&theirs));
    let mut shown = match stream.below(4) {
        0 => Signature(point_bytes(stream)),
        // The right signature and a point of order three: the pairing does not see the difference.
        1 => Signature(written(&(theirs + of_order_three()).into_affine())),
        _ => ours,
    };
    change(stream, &mut shown.0);
    let (other, mut other_message) = (DOMAINS[stream.below(DOMAINS.len())], message);
    if stream.below(4) == 0 {
        other_message.push(stream.byte());
    }
    let (domain, name) = if stream.below(4) == 0 { other } else { (domain, name) };
    let accepted = key.ours.public_key().verify(domain.into(), &other_message, &shown);
    let theirs = they_verify(&key.public, &their_tag(name), &other_message, &shown);
    agree("whether the signature verifies", accepted, theirs);
}

fn registered(key: &Pair) -> RegisteredKey {
    let proof = key.ours.prove_possession(b"fuzz");
    proof.verify(&key.ours.public_key(), b"fuzz").expect("a proof of our own making")
}

fn aggregates(stream: &mut Stream<'_>) {
    let keys: Vec<Pair> = (0..1 + stream.below(4)).map(|i| pair(stream.byte() & 0xf0 | i as u8)).collect();
    let tag = DomainTag::from(Domain::Ticket);
    let message = stream.bytes(40);
    let mut signatures: Vec<Signature> = keys.iter().map(|key| key.ours.sign(tag, &message)).collect();
    match stream.below(4) {
        0 => {
            let at = stream.below(signatures.len());
            signatures[at] = Signature(point_bytes(stream));
        }
        1 => {
            let first = signatures[0];
            signatures.push(Signature(G1::decode(&first.0).expect("a signature").neg().encode()));
        }
        _ => {}
    }
    let ours = aggregate(&signatures).ok();
    let summands: Option<Vec<G1Affine>> = signatures.iter().map(|it| their_point(&it.0)).collect();
    let theirs =
        summands.map(|all| all.iter().sum::<G1Projective>().into_affine()).filter(|it| !it.is_zero());
    agree("the sum of signatures", ours.map(|it| it.0), theirs.map(|it| written(&it)));
    let Some(mut sum) = ours else { return };
    change(stream, &mut sum.0);
    let named = 1 + stream.below(keys.len());
    let members: Vec<RegisteredKey> = keys[..named].iter().map(registered).collect();
    let accepted = verify_aggregate(&members, tag, &message, &sum);
    let key = keys[..named].iter().map(|key| key.public).sum::<G2Projective>().into_affine();
    agree("whether the sum verifies", accepted, they_verify(&key, &their_tag("TICKET"), &message, &sum));
}

fn possession(stream: &mut Stream<'_>) {
    let (key, other) = (pair(stream.byte()), pair(stream.byte()));
    let statement = stream.bytes(40);
    let mut proof = key.ours.prove_possession(&statement);
    if stream.below(3) == 0 {
        change(stream, &mut proof.0.0);
    }
    let shown = if stream.below(4) == 0 { &other } else { &key };
    let mut told = statement.clone();
    if stream.below(4) == 0 {
        told.push(stream.byte());
    }
    let ours = ProofOfPossession(proof.0).verify(&shown.ours.public_key(), &told).is_ok();
    // The proof is a signature over the key itself and the statement, in a domain of its own.
    let public: [u8; G2_BYTES] = written(&shown.public);
    let message = [&public[..], &told].concat();
    let tag = their_tag("PROOF-OF-POSSESSION");
    agree("the proof of possession", ours, they_verify(&shown.public, &tag, &message, &proof.0));
}

/// Interpolation in the exponent: the weights, and the sum of points times weights, which ours splits by an endomorphism.
fn combination(stream: &mut Stream<'_>) {
    let members: Vec<u32> = (0..1 + stream.below(6)).map(|_| stream.position(4_096) as u32).collect();
    let weights = lagrange_at_zero(&members);
    let at = |x: u32| Fr::from(u64::from(x));
    let distinct = members.iter().all(|x| *x != 0 && members.iter().filter(|y| *y == x).count() == 1);
    agree("whether there are weights", weights.is_some(), distinct);
    let Some(weights) = weights else { return };
    let theirs: Vec<Fr> = members
        .iter()
        .map(|&i| {
            let others = members.iter().filter(|&&j| j != i);
            others.fold(Fr::from(1_u64), |weight, &j| weight * at(j) / (at(j) - at(i)))
        })
        .collect();
    for (ours, theirs) in weights.iter().zip(&theirs) {
        agree("a weight", ours.to_bytes().to_vec(), theirs.into_bigint().to_bytes_be());
    }
    let points: Vec<G1> = members.iter().map(|_| G1::hash(b"tag", &[stream.byte()])).collect();
    let sum = points.iter().zip(&theirs).map(|(point, weight)| {
        their_point(&point.encode()).expect("a point of ours is one of theirs") * weight
    });
    let sum = sum.sum::<G1Projective>().into_affine();
    let sum = Some(sum).filter(|sum| !sum.is_zero()).map(|sum| written(&sum));
    agree("the combination", G1::linear_combination(&points, &weights).map(|it| it.encode()), sum);
    let small: Vec<u128> = members.iter().map(|&x| u128::from(x) << stream.below(100)).collect();
    let sum = points.iter().zip(&small).map(|(point, &weight)| {
        their_point(&point.encode()).expect("a point of ours is one of theirs") * Fr::from(weight)
    });
    let sum = sum.sum::<G1Projective>().into_affine();
    let sum = Some(sum).filter(|sum| !sum.is_zero()).map(|sum| written(&sum));
    agree("the weighted sum", G1::weighted_sum(&points, &small).map(|it| it.encode()), sum);
}

/// The public share of a member, from commitments.
fn polynomial(stream: &mut Stream<'_>) {
    let coefficients: Vec<[u8; 32]> = (0..1 + stream.below(4)).map(|_| scalar_bytes(stream)).collect();
    let ours: Option<Vec<Scalar>> = coefficients.iter().map(Scalar::from_bytes).collect();
    let theirs: Option<Vec<Fr>> = coefficients.iter().map(their_scalar).collect();
    agree("whether the bytes are scalars", ours.is_some(), theirs.is_some());
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    let points: Option<Vec<G2>> = ours.iter().map(G2::generator_times).collect();
    agree("whether there are commitments", points.is_some(), theirs.iter().all(|it| !it.is_zero()));
    let Some(points) = points else { return };
    let x = stream.position(5_000) as u32;
    let value = theirs.iter().rev().fold(Fr::zero(), |value, it| value * Fr::from(u64::from(x)) + it);
    let expected = Some(value).filter(|it| !it.is_zero());
    let expected = expected.map(|it| written((&(G2Projective::generator() * it).into_affine()) as &G2Affine));
    agree("the public share", G2::evaluate_polynomial(&points, x).map(|it| it.encode()), expected);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinity_and_points_outside_the_subgroup_are_among_the_questions() {
        let mut random = crate::schedule::Random::new(5);
        let (mut infinity, mut outside, mut inside, mut refused) = (0, 0, 0, 0);
        for _ in 0..2_000 {
            let bytes = random.bits().to_le_bytes();
            match G1::decode(&point_bytes(&mut Stream::new(&bytes))) {
                Err(PointError::Infinity) => infinity += 1,
                Err(_) => refused += 1,
                Ok(point) if point.is_in_subgroup() => inside += 1,
                Ok(_) => outside += 1,
            }
        }
        assert!([infinity, outside, inside, refused].into_iter().all(|count| count > 50));
    }
}

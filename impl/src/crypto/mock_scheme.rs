//! A counting mock of [`Scheme`](super::scheme::Scheme): as cheap as a hash, with the algebra of BLS, for exhaustive exploration and fuzzing.
//!
//! It is BLS with the pairing replaced by knowledge of the secrets. Keys are scalars of the prime field `2^61 - 1`; a
//! signature is `secret * H(domain, message)` in that field, so signatures over one message add up as points of G1 do, two
//! forged tickets can cancel in a sum, a signer counted twice weighs twice, and the beacon is a real Shamir sharing that is
//! combined by Lagrange interpolation. A verifier looks the secrets up in the world instead of computing a pairing, so that
//! verifying a certificate costs one hash, one sum and one multiplication.
//!
//! **Unforgeable inside a test world.** `H` is SipHash under a key that only the world holds, and secrets leave it only as
//! signatures. Code that plays a Byzantine miner is handed the [`MockScheme`]s of the Byzantine members and nothing else;
//! what it can produce of its own accord is garbage, sums of signatures that it saw, or genuine signatures of its members. A
//! guessed signature is right with probability `2^-61`. Comparisons do not branch on the expected value, since a
//! coverage-guided fuzzer reads operands of comparisons and would learn to forge from them.
//!
//! **Not modelled**: rogue keys (all keys come from the world) and points outside the subgroup; the blst instance has tests
//! of its own for both.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip::SipHasher13;
use subtle::ConstantTimeEq;

use super::keys::DomainTag;
use super::scheme::{Beacon, BeaconValue, Domain, SIGNATURE_BYTES, Sign, Signature, Verify};
use super::uncompressed::UncompressedSignature;
use crate::committee::{MinerId, beacon_threshold, max_faulty};

/// Bytes of a signature that carry the field element, little-endian; the rest is zero in every mock signature.
const ELEMENT_BYTES: usize = 8;

/// The form of 96 bytes of a mock signature, for code that is handed messages and no bytes: the mock looks at the form of 48
/// bytes only. `None`: this is no mock signature.
#[must_use]
pub fn coordinates(signature: &Signature) -> Option<UncompressedSignature> {
    Element::decode(signature).map(|_| UncompressedSignature::stand_in(*signature))
}

/// The secrets of a mock committee. Deterministic: the same arguments give the same world.
pub struct MockCommittee {
    hash_key: [u8; 16],
    identity_secrets: Vec<Element>,
    beacon_secret: Element,
    beacon_shares: Vec<Element>,
    beacon_threshold: usize,
}

impl MockCommittee {
    /// A committee of `n` members, at least one, whose beacon needs [`beacon_threshold`] shares.
    #[must_use]
    pub fn new(n: u16, seed: u64) -> Arc<Self> {
        Self::with_threshold(n, beacon_threshold(n.max(1).into()), seed)
    }

    /// A committee whose beacon needs `beacon_threshold` shares, kept above `f` and within `n - f`: for rules other than
    /// `hardened`, in committees of which nobody is exposed.
    #[must_use]
    pub fn with_threshold(n: u16, beacon_threshold: usize, seed: u64) -> Arc<Self> {
        let most = crate::committee::beacon_threshold(n.max(1).into());
        let beacon_threshold = beacon_threshold.clamp(max_faulty(n.into()) + 1, most);
        let mut hash_key = [0; 16];
        hash_key[..8].copy_from_slice(&seed.to_le_bytes());
        hash_key[8..].copy_from_slice(b"zus mock");
        let secret = |kind: u8, index: usize| {
            let mut hasher = SipHasher13::new_with_key(&hash_key);
            hasher.write(&[0xff, kind]);
            hasher.write(&(index as u64).to_le_bytes());
            Element::nonzero(hasher.finish())
        };
        let polynomial: Vec<Element> = (0..beacon_threshold).map(|k| secret(1, k)).collect();
        let share = |i: u16| {
            polynomial.iter().rev().fold(Element::ZERO, |sum, &c| sum.mul(abscissa(MinerId(i))).add(c))
        };
        Arc::new(Self {
            hash_key,
            identity_secrets: (0..usize::from(n)).map(|i| secret(0, i)).collect(),
            beacon_secret: polynomial[0],
            beacon_shares: (0..n).map(share).collect(),
            beacon_threshold,
        })
    }

    /// The scheme of one member, or `None` when there is no such member.
    #[must_use]
    pub fn member(self: &Arc<Self>, miner: MinerId) -> Option<MockScheme> {
        (usize::from(miner.0) < self.identity_secrets.len()).then(|| MockScheme {
            me: Some(miner),
            world: Arc::clone(self),
            calls: Arc::default(),
        })
    }

    /// The scheme of an observer such as a sharder: it verifies and never signs.
    #[must_use]
    pub fn observer(self: &Arc<Self>) -> MockScheme {
        MockScheme { me: None, world: Arc::clone(self), calls: Arc::default() }
    }

    fn hash(&self, domain: Domain, message: &[u8]) -> Element {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        hasher.write(&[domain as u8]);
        hasher.write(message);
        Element::nonzero(hasher.finish())
    }

    /// The sum of the identity secrets of `signers`; `None` unless they are strictly increasing members.
    fn secret_sum(&self, signers: &[MinerId]) -> Option<Element> {
        strictly_increasing(signers.iter().copied()).then_some(())?;
        signers.iter().try_fold(Element::ZERO, |sum, signer| {
            Some(sum.add(*self.identity_secrets.get(usize::from(signer.0))?))
        })
    }
}

/// One participant's view of a [`MockCommittee`]. Clones share the call counters.
#[derive(Clone)]
pub struct MockScheme {
    me: Option<MinerId>,
    world: Arc<MockCommittee>,
    calls: Arc<Counters>,
}

impl MockScheme {
    /// How often each operation was asked of this participant.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.calls.snapshot()
    }
}

/// The kind of statement that is signed with the identity key under this tag.
fn identity_domain(tag: impl Into<DomainTag>) -> Option<Domain> {
    let tag = tag.into();
    if tag.is_reserved() { None } else { Domain::of(tag) }
}

impl Sign for MockScheme {
    fn me(&self) -> Option<MinerId> {
        self.me
    }

    fn sign(&self, tag: impl Into<DomainTag>, message: &[u8]) -> Option<Signature> {
        count(&self.calls.sign);
        let domain = identity_domain(tag)?;
        let secret = self.world.identity_secrets.get(usize::from(self.me?.0))?;
        Some(secret.mul(self.world.hash(domain, message)).encode())
    }
}

impl Verify for MockScheme {
    fn committee_size(&self) -> usize {
        self.world.identity_secrets.len()
    }

    fn verify(
        &self,
        signer: MinerId,
        tag: impl Into<DomainTag>,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        count(&self.calls.verify);
        let Some(secret) = self.world.identity_secrets.get(usize::from(signer.0)) else { return false };
        identity_domain(tag)
            .is_some_and(|domain| secret.mul(self.world.hash(domain, message)).is_encoded_by(signature))
    }

    fn aggregate(&self, signatures: &[Signature]) -> Option<Signature> {
        count(&self.calls.aggregate);
        let sum = signatures
            .iter()
            .try_fold(Element::ZERO, |sum, signature| Some(sum.add(Element::decode(signature)?)))?;
        (sum != Element::ZERO).then(|| sum.encode())
    }

    fn verify_aggregate(
        &self,
        signers: &[MinerId],
        tag: impl Into<DomainTag>,
        message: &[u8],
        aggregate: &Signature,
    ) -> bool {
        count(&self.calls.verify_aggregate);
        let Some(domain) = identity_domain(tag).filter(|_| !signers.is_empty()) else { return false };
        let Some(secret) = self.world.secret_sum(signers) else { return false };
        secret != Element::ZERO && secret.mul(self.world.hash(domain, message)).is_encoded_by(aggregate)
    }
}

impl Beacon for MockScheme {
    fn beacon_threshold(&self) -> usize {
        self.world.beacon_threshold
    }

    fn beacon_share(&self, message: &[u8]) -> Option<Signature> {
        count(&self.calls.beacon_share);
        let secret = self.world.beacon_shares.get(usize::from(self.me?.0))?;
        Some(secret.mul(self.world.hash(Domain::Beacon, message)).encode())
    }

    fn verify_beacon_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool {
        count(&self.calls.verify_beacon_share);
        let Some(secret) = self.world.beacon_shares.get(usize::from(signer.0)) else { return false };
        secret.mul(self.world.hash(Domain::Beacon, message)).is_encoded_by(share)
    }

    fn combine_beacon(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Option<Signature> {
        count(&self.calls.combine_beacon);
        strictly_increasing(shares.iter().map(|(signer, _)| *signer)).then_some(())?;
        let used = shares.get(..self.world.beacon_threshold)?;
        if used.iter().any(|(signer, _)| usize::from(signer.0) >= self.committee_size()) {
            return None;
        }
        let sum = interpolate_at_zero(used)?;
        let group = self.world.beacon_secret.mul(self.world.hash(Domain::Beacon, message)).encode();
        sum.is_encoded_by(&group).then_some(group)
    }

    fn verify_beacon(&self, message: &[u8], signature: &Signature) -> bool {
        count(&self.calls.verify_beacon);
        self.world.beacon_secret.mul(self.world.hash(Domain::Beacon, message)).is_encoded_by(signature)
    }

    fn beacon_value(&self, signature: &Signature) -> BeaconValue {
        let mut value = [0; 32];
        for (lane, bytes) in value.chunks_exact_mut(8).enumerate() {
            let mut hasher = SipHasher13::new_with_key(&self.world.hash_key);
            hasher.write(&[0xfe, lane as u8]);
            hasher.write(&signature.0);
            bytes.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        BeaconValue(value)
    }
}

/// How often each operation of one [`MockScheme`] was asked for, whatever the answer was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Calls {
    /// [`Sign::sign`].
    pub sign: u64,
    /// [`Verify::verify`].
    pub verify: u64,
    /// [`Verify::aggregate`].
    pub aggregate: u64,
    /// [`Verify::verify_aggregate`].
    pub verify_aggregate: u64,
    /// [`Beacon::beacon_share`].
    pub beacon_share: u64,
    /// [`Beacon::verify_beacon_share`].
    pub verify_beacon_share: u64,
    /// [`Beacon::combine_beacon`].
    pub combine_beacon: u64,
    /// [`Beacon::verify_beacon`].
    pub verify_beacon: u64,
}

#[derive(Default)]
struct Counters {
    sign: AtomicU64,
    verify: AtomicU64,
    aggregate: AtomicU64,
    verify_aggregate: AtomicU64,
    beacon_share: AtomicU64,
    verify_beacon_share: AtomicU64,
    combine_beacon: AtomicU64,
    verify_beacon: AtomicU64,
}

impl Counters {
    fn snapshot(&self) -> Calls {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Calls {
            sign: read(&self.sign),
            verify: read(&self.verify),
            aggregate: read(&self.aggregate),
            verify_aggregate: read(&self.verify_aggregate),
            beacon_share: read(&self.beacon_share),
            verify_beacon_share: read(&self.verify_beacon_share),
            combine_beacon: read(&self.combine_beacon),
            verify_beacon: read(&self.verify_beacon),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn strictly_increasing(signers: impl Iterator<Item = MinerId>) -> bool {
    signers.is_sorted_by(|a, b| a < b)
}

/// The point at which the beacon polynomial is evaluated for a miner: its position plus one, since zero is the secret.
fn abscissa(miner: MinerId) -> Element {
    Element(u64::from(miner.0) + 1)
}

/// The value at zero of the polynomial through the shares, over one common denominator; `None` when one is no signature.
fn interpolate_at_zero(shares: &[(MinerId, Signature)]) -> Option<Element> {
    let (mut numerator, mut denominator) = (Element::ZERO, Element(1));
    for (signer, share) in shares {
        let (mut above, mut below) = (Element::decode(share)?, Element(1));
        for (other, _) in shares.iter().filter(|(other, _)| other != signer) {
            above = above.mul(abscissa(*other));
            below = below.mul(abscissa(*other).sub(abscissa(*signer)));
        }
        numerator = numerator.mul(below).add(above.mul(denominator));
        denominator = denominator.mul(below);
    }
    Some(numerator.mul(denominator.inverse()))
}

/// An element of the field of `2^61 - 1` elements, always reduced.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Element(u64);

impl Element {
    const MODULUS: u64 = (1 << 61) - 1;
    const ZERO: Element = Element(0);

    /// Maps 64 bits to a non-zero element (the bias of `2^-58` does not matter to a mock).
    fn nonzero(bits: u64) -> Self {
        Element(bits % (Self::MODULUS - 1) + 1)
    }

    fn add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Element(if sum >= Self::MODULUS { sum - Self::MODULUS } else { sum })
    }

    fn sub(self, other: Self) -> Self {
        self.add(Element(if other.0 == 0 { 0 } else { Self::MODULUS - other.0 }))
    }

    fn mul(self, other: Self) -> Self {
        let product = u128::from(self.0) * u128::from(other.0);
        // 2^61 is one: the halves add up. The lower is at most the modulus and the upper less, so one subtraction reduces.
        Element(product as u64 & Self::MODULUS).add(Element((product >> 61) as u64))
    }

    /// The inverse by Fermat's little theorem; the inverse of zero is zero.
    fn inverse(self) -> Self {
        let (mut power, mut base, mut exponent) = (Element(1), self, Self::MODULUS - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power.mul(base);
            }
            base = base.mul(base);
            exponent >>= 1;
        }
        power
    }

    fn encode(self) -> Signature {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..ELEMENT_BYTES].copy_from_slice(&self.0.to_le_bytes());
        Signature(bytes)
    }

    /// `None` for what plays the part of "no point": a value that is not reduced, a non-zero filler, and zero, which is
    /// the point at infinity.
    fn decode(signature: &Signature) -> Option<Self> {
        let (element, filler) = signature.0.split_at(ELEMENT_BYTES);
        let element = u64::from_le_bytes(element.try_into().ok()?);
        let canonical = (1..Self::MODULUS).contains(&element) && filler.iter().all(|&byte| byte == 0);
        canonical.then_some(Element(element))
    }

    /// Whether `signature` is this element's encoding, without a branch on the expected value.
    fn is_encoded_by(self, signature: &Signature) -> bool {
        let (element, filler) = signature.0.split_at(ELEMENT_BYTES);
        let element = u64::from_le_bytes(element.try_into().unwrap_or_default());
        let filler = filler.iter().fold(0, |all, &byte| all | byte);
        (element.ct_eq(&self.0) & filler.ct_eq(&0)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: Domain = Domain::Ticket;

    fn world() -> Arc<MockCommittee> {
        MockCommittee::new(7, 42)
    }

    fn scheme(i: u16) -> MockScheme {
        world().member(MinerId(i)).unwrap()
    }

    fn tickets(signers: &[u16], message: &[u8]) -> Vec<Signature> {
        signers.iter().map(|&i| scheme(i).sign(TICKET, message).unwrap()).collect()
    }

    fn ids(signers: &[u16]) -> Vec<MinerId> {
        signers.iter().map(|&i| MinerId(i)).collect()
    }

    #[test]
    fn products_are_reduced() {
        let p = Element::MODULUS;
        for a in [0, 1, 2, 3, 1 << 30, (1 << 60) + 7, p - 2, p - 1] {
            for b in [0, 1, 2, 5, 1 << 31, (1 << 60) - 1, p - 2, p - 1] {
                let expected = (u128::from(a) * u128::from(b) % u128::from(p)) as u64;
                assert_eq!(Element(a).mul(Element(b)).0, expected, "{a} * {b}");
            }
            assert_eq!(Element(a).mul(Element(a).inverse()).0, u64::from(a != 0));
        }
    }

    #[test]
    fn a_signature_verifies_only_for_its_signer_domain_and_message() {
        let signature = scheme(2).sign(TICKET, b"block").unwrap();
        let observer = world().observer();
        assert!(observer.verify(MinerId(2), TICKET, b"block", &signature));
        assert!(!observer.verify(MinerId(3), TICKET, b"block", &signature));
        assert!(!observer.verify(MinerId(2), Domain::Timeout, b"block", &signature));
        assert!(!observer.verify(MinerId(2), TICKET, b"blocK", &signature));
        assert!(!observer.verify(MinerId(7), TICKET, b"block", &signature), "no such member");
        assert!(!MockCommittee::new(7, 43).observer().verify(MinerId(2), TICKET, b"block", &signature));
    }

    #[test]
    fn any_flipped_bit_breaks_a_signature() {
        let signature = scheme(2).sign(TICKET, b"block").unwrap();
        for bit in 0..SIGNATURE_BYTES * 8 {
            let mut flipped = signature;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!scheme(0).verify(MinerId(2), TICKET, b"block", &flipped), "bit {bit}");
        }
    }

    #[test]
    fn the_keys_of_the_beacon_and_of_the_possession_proof_sign_nothing_else() {
        assert_eq!(scheme(0).sign(Domain::Beacon, b"m"), None);
        assert_eq!(scheme(0).sign(Domain::ProofOfPossession, b"m"), None);
        let share = scheme(0).beacon_share(b"m").unwrap();
        assert!(!scheme(0).verify(MinerId(0), Domain::Beacon, b"m", &share));
        assert!(!scheme(0).verify_aggregate(&ids(&[0]), Domain::Beacon, b"m", &share));
    }

    #[test]
    fn an_aggregate_verifies_for_exactly_its_signers() {
        let observer = world().observer();
        let aggregate = observer.aggregate(&tickets(&[0, 2, 5], b"block")).unwrap();
        let verify = |signers: &[u16]| observer.verify_aggregate(&ids(signers), TICKET, b"block", &aggregate);
        assert!(verify(&[0, 2, 5]));
        for wrong in [&[0, 2][..], &[0, 2, 4], &[0, 2, 5, 6], &[2, 0, 5], &[0, 2, 5, 5], &[0, 2, 7], &[]] {
            assert!(!verify(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_signer_summed_twice_weighs_twice() {
        let observer = world().observer();
        let aggregate = observer.aggregate(&tickets(&[0, 0, 1], b"block")).unwrap();
        assert!(!observer.verify_aggregate(&ids(&[0, 1]), TICKET, b"block", &aggregate));
        assert!(!observer.verify_aggregate(&ids(&[0, 0, 1]), TICKET, b"block", &aggregate));
    }

    #[test]
    fn forged_signatures_can_cancel_in_a_sum_as_points_do() {
        let observer = world().observer();
        let honest = tickets(&[0, 1], b"block");
        let error = Element(5);
        let forged = [
            Element::decode(&honest[0]).unwrap().add(error).encode(),
            Element::decode(&honest[1]).unwrap().sub(error).encode(),
        ];
        assert!(!observer.verify(MinerId(0), TICKET, b"block", &forged[0]));
        assert!(!observer.verify(MinerId(1), TICKET, b"block", &forged[1]));
        assert_eq!(observer.aggregate(&forged), observer.aggregate(&honest));
    }

    #[test]
    fn infinity_and_what_is_no_point_are_not_aggregated() {
        let observer = world().observer();
        let honest = tickets(&[0], b"block")[0];
        let negated = Element::ZERO.sub(Element::decode(&honest).unwrap()).encode();
        assert_eq!(observer.aggregate(&[]), None);
        assert_eq!(observer.aggregate(&[honest, negated]), None, "the sum is infinity");
        assert_eq!(observer.aggregate(&[honest, Signature([0; 48])]), None);
        assert_eq!(observer.aggregate(&[honest, Signature([0xff; 48])]), None);
    }

    #[test]
    fn any_threshold_of_shares_gives_the_one_group_signature() {
        let observer = world().observer();
        let shares: Vec<_> =
            (0..7).map(|i| (MinerId(i), scheme(i).beacon_share(b"round 1").unwrap())).collect();
        let mut values = Vec::new();
        for a in 0..7 {
            for b in a + 1..7 {
                let five: Vec<_> = (0..7).filter(|&i| i != a && i != b).map(|i| shares[i]).collect();
                values.push(observer.combine_beacon(b"round 1", &five));
            }
        }
        assert_eq!(values.len(), 21);
        assert!(values[0].is_some_and(|value| observer.verify_beacon(b"round 1", &value)));
        assert!(values.iter().all(|value| *value == values[0]));
        assert_eq!(observer.combine_beacon(b"round 1", &shares), values[0], "more than enough is fine");
        assert_eq!(observer.combine_beacon(b"round 1", &shares[..4]), None, "too few");
        assert_eq!(observer.combine_beacon(b"round 2", &shares), None, "another message");
        let with_last = |signer, share| [&shares[..4], &[(signer, share)]].concat();
        let duplicated = with_last(MinerId(3), shares[3].1);
        assert_eq!(observer.combine_beacon(b"round 1", &duplicated), None, "one signer twice");
        let mislabelled = with_last(MinerId(6), shares[4].1);
        assert_eq!(observer.combine_beacon(b"round 1", &mislabelled), None, "another's share");
        assert!(!observer.verify_beacon_share(MinerId(3), b"round 1", &shares[2].1));
    }

    #[test]
    fn an_observer_signs_nothing_and_calls_are_counted() {
        let observer = world().observer();
        assert_eq!(observer.sign(TICKET, b"m"), None);
        assert_eq!(observer.beacon_share(b"m"), None);
        let clone = observer.clone();
        assert!(!clone.verify(MinerId(0), TICKET, b"m", &Signature([1; 48])));
        assert_eq!(observer.calls(), Calls { sign: 1, beacon_share: 1, verify: 1, ..Calls::default() });
    }
}

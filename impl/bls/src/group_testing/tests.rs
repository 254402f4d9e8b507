//! Attacks on groups of signatures, and groups against verification one by one.

use proptest::prelude::*;

use super::isolation::{Claim, Defects as _, Sum};
use super::*;
use crate::curve::lanes;
use crate::curve::strays::cofactor_only;
use crate::curve::{G2, Scalar};
use crate::keys::{DomainTag, SecretKey, TICKET};

const MESSAGE: &[u8] = b"round 1, subround 0, block 2";

struct Stage {
    secrets: Vec<SecretKey>,
    keys: KeySums,
    hash: G1,
    tickets: Vec<(MinerId, Signature)>,
}

impl Stage {
    fn new(n: u8) -> Self {
        Self::with((0..n).map(|i| SecretKey::from_seed(&[i; 32])).collect())
    }

    fn with(secrets: Vec<SecretKey>) -> Self {
        let tag = TICKET;
        let keys = KeySums::new(secrets.iter().map(|secret| *secret.public_key().point()).collect());
        let tickets =
            (0..).map(MinerId).zip(secrets.iter().map(|secret| secret.sign(tag, MESSAGE))).collect();
        Self { keys, hash: G1::hash(tag.as_bytes(), MESSAGE), tickets, secrets }
    }

    /// Adds a point to a member's ticket.
    fn taint(&mut self, member: usize, error: &G1) -> &mut Self {
        let ticket = &mut self.tickets[member].1;
        *ticket = Signature(G1::sum([&G1::decode(&ticket.0).unwrap(), error]).unwrap().encode());
        self
    }

    fn replace(&mut self, member: usize, bytes: [u8; 48]) -> &mut Self {
        self.tickets[member].1 = Signature(bytes);
        self
    }

    /// With eight lanes where the processor has them, and without.
    fn sift_both(&self) -> [Sifted; 2] {
        [true, false].map(|enabled| {
            // Other tests may switch at the same time; every verdict is right either way.
            lanes::set_enabled(enabled);
            let sifted = sift(&self.keys, &self.hash, &self.tickets, &|s| self.keys.prepared_sum(s));
            lanes::set_enabled(true);
            if let Some((signers, aggregate)) = &sifted.group {
                assert!(
                    self.is_certificate(signers, aggregate),
                    "S8: what is kept verifies, for any receiver"
                );
            }
            for wrong in &sifted.wrong {
                assert!(!self.verifies_alone(usize::from(wrong.0)), "S10: no genuine ticket is blamed");
            }
            sifted
        })
    }

    fn sift(&self) -> Sifted {
        let [sifted, portable] = self.sift_both();
        assert_eq!(sifted, portable);
        sifted
    }

    /// Members in the group, and members blamed.
    fn verdict(&self) -> (Vec<u16>, Vec<u16>) {
        let sifted = self.sift();
        let numbers = |members: &[MinerId]| members.iter().map(|member| member.0).collect();
        (sifted.group.map_or(vec![], |(signers, _)| numbers(&signers)), numbers(&sifted.wrong))
    }

    fn verifies_alone(&self, member: usize) -> bool {
        self.secrets[member].public_key().verify(TICKET, MESSAGE, &self.tickets[member].1)
    }

    fn one_by_one(&self) -> (Vec<u16>, Vec<u16>) {
        (0..self.tickets.len() as u16).partition(|&member| self.verifies_alone(usize::from(member)))
    }

    /// As a receiver checks it, with none of the code under test.
    fn is_certificate(&self, signers: &[MinerId], aggregate: &Signature) -> bool {
        use blst::min_sig::{PublicKey, Signature};
        let keys: Vec<PublicKey> = signers
            .iter()
            .map(|signer| {
                PublicKey::from_bytes(&self.secrets[usize::from(signer.0)].public_key().encode()).unwrap()
            })
            .collect();
        let tag = TICKET.as_bytes();
        let keys: Vec<&PublicKey> = keys.iter().collect();
        Signature::from_bytes(&aggregate.0).is_ok_and(|signature| {
            signature.fast_aggregate_verify(true, MESSAGE, tag, &keys) == blst::BLST_ERROR::BLST_SUCCESS
        })
    }
}

fn error(i: u8) -> G1 {
    G1::hash(b"error", &[i])
}

fn but(n: u16, wrong: &[u16]) -> (Vec<u16>, Vec<u16>) {
    ((0..n).filter(|member| !wrong.contains(member)).collect(), wrong.to_vec())
}

#[test]
fn valid_tickets_make_the_certificate_that_summing_makes() {
    for n in [1, 2, 3, 7, 8, 9, 40] {
        let stage = Stage::new(n);
        let all: Vec<Signature> = stage.tickets.iter().map(|(_, ticket)| *ticket).collect();
        let (signers, aggregate) = stage.sift().group.unwrap();
        assert_eq!(signers.len(), usize::from(n));
        assert_eq!(aggregate, crate::keys::aggregate(&all).unwrap());
    }
}

#[test]
fn tickets_of_some_members_make_a_certificate_of_those() {
    let mut stage = Stage::new(20);
    stage.tickets.retain(|(signer, _)| signer.0 % 3 != 0);
    let signers: Vec<u16> = (0..20).filter(|i| i % 3 != 0).collect();
    let sifted = stage.sift();
    assert_eq!(sifted.group.map(|(signers, _)| signers.iter().map(|s| s.0).collect()), Some(signers));
}

#[test]
fn wrong_tickets_anywhere_are_found_and_no_others() {
    for wrong in
        [&[0][..], &[11], &[5], &[0, 11], &[3, 4], &[1, 5, 6, 10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]
    {
        let mut stage = Stage::new(12);
        for &member in wrong {
            stage.taint(usize::from(member), &error(member as u8));
        }
        assert_eq!(stage.verdict(), but(12, wrong));
    }
}

/// Pitfall: framing. Equal errors of members 3 and 7 make the weighted defect a power that points at 5.
#[test]
fn two_equal_errors_do_not_frame_the_one_between_them() {
    let mut stage = Stage::new(12);
    stage.taint(3, &error(0)).taint(7, &error(0));
    assert_eq!(stage.verdict(), but(12, &[3, 7]));
    // Errors in proportion 1 : 2 point elsewhere.
    let mut stage = Stage::new(12);
    let doubled = error(0).times(2).unwrap();
    stage.taint(2, &error(0)).taint(8, &doubled);
    assert_eq!(stage.verdict(), but(12, &[2, 8]));
}

/// Pitfall: tickets that cancel. The certificate is the honest one; nobody is blamed, and nobody is credited alone.
#[test]
fn tickets_that_cancel_are_one_group_or_wrong() {
    let honest = Stage::new(12).sift().group;
    let mut stage = Stage::new(12);
    stage.taint(3, &error(0)).taint(9, &error(0).neg());
    assert_eq!(stage.sift().group, honest, "byte for byte");
    // A third error shows at least that one, and never an innocent; what is kept still verifies (checked in `sift`).
    for third in [0, 4, 8, 10] {
        let mut stage = Stage::new(12);
        stage.taint(3, &error(0)).taint(9, &error(0).neg()).taint(third, &error(1));
        let (_, wrong) = stage.verdict();
        assert!(wrong.contains(&(third as u16)) && wrong.iter().all(|&w| [3, 9, third as u16].contains(&w)));
        assert!(wrong == [third as u16] || wrong.len() == 3, "both of the pair or neither: {wrong:?}");
    }
}

/// Where errors cancel, which of the colluders are found depends on the sums that are asked about. Those are the same with
/// lanes and without (`sift`), and on every machine: this list is everybody's.
#[test]
fn colluders_whose_errors_cancel_are_found_alike_on_every_processor() {
    let mut stage = Stage::new(40);
    let multiple = |factor: u64| error(0).times(factor).unwrap();
    // 3 and 4 cancel within every set that has both; 10 and 30 only in the whole; 20, 21 and 22 point at each other.
    stage.taint(3, &multiple(5)).taint(4, &multiple(5).neg());
    stage.taint(10, &multiple(7)).taint(30, &multiple(7).neg());
    stage.taint(20, &multiple(1)).taint(21, &multiple(2)).taint(22, &multiple(1));
    assert_eq!(stage.verdict(), but(40, &[10, 20, 21, 22, 30]));
}

/// Pitfall: components outside the subgroup that cancel, and that reappear when one of the pair is dropped.
#[test]
fn cofactor_parts_that_a_dropped_ticket_cancelled_reappear_and_are_found() {
    let cofactor = cofactor_only();
    assert!(!cofactor.is_in_subgroup());
    let mut alone = Stage::new(12);
    alone.taint(4, &cofactor);
    assert_eq!(alone.verdict(), but(12, &[4]), "the pairing does not see it, the subgroup check does");

    let mut pair = Stage::new(12);
    pair.taint(4, &cofactor).taint(6, &cofactor.neg());
    assert_eq!(pair.verdict(), but(12, &[]), "a clean sum is the honest certificate");

    // Member 6 is wrong for the pairing too: it is dropped, and what it cancelled is there again.
    pair.taint(6, &error(0));
    assert_eq!(pair.verdict(), but(12, &[4, 6]));

    // And what is dropped then may have cancelled an error of a third.
    let mut three = Stage::new(12);
    three.taint(4, &cofactor).taint(6, &cofactor.neg()).taint(6, &error(0));
    three.taint(4, &error(1)).taint(10, &error(1).neg());
    assert_eq!(three.verdict(), but(12, &[4, 6, 10]));
}

/// Pitfall: infinity, as a ticket, as a sum, and as a sum of keys.
#[test]
fn infinity_is_refused_wherever_it_comes_up() {
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    let mut stage = Stage::new(5);
    stage.replace(2, infinity);
    assert_eq!(stage.verdict(), but(5, &[2]));

    // Tickets that sum to infinity: both are wrong.
    let mut stage = Stage::new(2);
    let mirrored = G1::decode(&stage.tickets[0].1.0).unwrap().neg().encode();
    stage.replace(1, mirrored);
    assert_eq!(stage.verdict(), but(2, &[1]));

    // Keys that sum to infinity, and genuine tickets that therefore do: nobody is wrong, and there is no certificate.
    let secret = |value: u64| Scalar::from_u64(value);
    let scalars = [secret(5), secret(7), secret(12).neg()];
    let stage =
        Stage::with(scalars.into_iter().map(|scalar| SecretKey::from_scalar(scalar).unwrap()).collect());
    assert_eq!(
        G2::sum(stage.secrets.iter().map(|s| *s.public_key().point()).collect::<Vec<_>>().iter()),
        None
    );
    assert_eq!(stage.sift(), Sifted::default());
}

/// Pitfall: a signer twice.
#[test]
fn a_list_that_is_not_a_set_is_not_looked_at() {
    let mut stage = Stage::new(4);
    stage.tickets[2] = stage.tickets[1];
    assert_eq!(stage.sift(), Sifted::default());
    stage.tickets.swap(0, 3);
    assert_eq!(stage.sift(), Sifted::default());
}

#[test]
fn strangers_are_left_out() {
    let mut stage = Stage::new(5);
    stage.tickets.push((MinerId(9), stage.tickets[0].1));
    assert_eq!(stage.verdict(), but(5, &[]));
}

/// Pitfall: encodings that a careless decoder reads.
#[test]
fn encodings_that_are_not_canonical_are_their_senders_fault() {
    let valid = Stage::new(6).tickets[0].1.0;
    let mut infinity_with_payload = [0; 48];
    (infinity_with_payload[0], infinity_with_payload[47]) = (0xc0, 1);
    let mut not_compressed = valid;
    not_compressed[0] &= 0x7f;
    let mut x_is_zero = [0; 48];
    x_is_zero[0] = 0x80;
    let mut other_sign = valid;
    other_sign[0] ^= 0x20;
    for bytes in [[0xff; 48], [0; 48], infinity_with_payload, not_compressed, x_is_zero, other_sign] {
        let mut stage = Stage::new(6);
        stage.replace(0, bytes);
        assert_eq!(stage.verdict(), but(6, &[0]), "{bytes:02x?}");
    }
}

#[test]
fn tickets_with_both_coordinates_have_the_same_verdict() {
    let mut stage = Stage::new(12);
    stage.taint(3, &error(0)).taint(8, &cofactor_only());
    let decoded = stage.tickets.iter().map(|(signer, ticket)| {
        let bytes = G1::decode(&ticket.0).unwrap().encode_uncompressed();
        (*signer, G1::decode_uncompressed(&bytes))
    });
    let sifted = sift_points(&stage.keys, &stage.hash, decoded.collect(), &|s| stage.keys.prepared_sum(s));
    assert_eq!(sifted, stage.sift());
    assert_eq!(stage.verdict(), but(12, &[3, 8]));
}

/// Pitfall: a rogue key, chosen so that one member signs for all. The sum of keys is what it wants; a proof of possession is
/// what it cannot have, and only a key with one becomes a member's.
#[test]
fn a_rogue_key_would_sign_for_everybody_but_proves_nothing() {
    let honest: Vec<SecretKey> = (0..4).map(|i| SecretKey::from_seed(&[i; 32])).collect();
    let attacker = SecretKey::from_seed(&[99; 32]);
    let others =
        G2::sum(honest.iter().map(|key| *key.public_key().point()).collect::<Vec<_>>().iter()).unwrap();
    let rogue = G2::sum([attacker.public_key().point(), &others.neg()]).unwrap();
    let mut keys: Vec<G2> = honest.iter().map(|key| *key.public_key().point()).collect();
    keys.push(rogue);
    let keys = KeySums::new(keys);
    let forged = attacker.sign(TICKET, MESSAGE);
    // Split among all five so that every place is filled: one has it, the others' parts cancel.
    let parts = [G1::decode(&forged.0).unwrap(), error(1), error(2), error(1).neg(), error(2).neg()];
    let tickets: Vec<_> = (0..).map(MinerId).zip(parts.map(|part| Signature(part.encode()))).collect();
    let hash = G1::hash(TICKET.as_bytes(), MESSAGE);
    let sifted = sift(&keys, &hash, &tickets, &|signers| keys.prepared_sum(signers));
    assert_eq!(
        sifted.group.map(|(signers, _)| signers.len()),
        Some(5),
        "negative control: without proofs it works"
    );
    let rogue = crate::keys::PublicKey::from_point(rogue);
    let proof = attacker.prove_possession(b"chain");
    assert!(proof.verify(&rogue, b"chain").is_err());
    assert!(honest[0].prove_possession(b"chain").verify(&rogue, b"chain").is_err());
}

/// Pitfall: splitting zero. Members whose keys are mirrored ride along for nothing; a committee does not admit them, see
/// `CommitteeKeys::new` and `a_key_and_its_mirror_image_are_not_both_members` there.
#[test]
fn mirrored_keys_would_ride_along_without_signing() {
    let secret = Scalar::from_u64(77);
    let mirrored =
        [SecretKey::from_scalar(secret.clone()).unwrap(), SecretKey::from_scalar(secret.neg()).unwrap()];
    let signer = SecretKey::from_seed(&[1; 32]);
    let mut stage = Stage::with(vec![signer, mirrored[0].clone(), mirrored[1].clone()]);
    stage.replace(1, error(1).encode());
    stage.replace(2, error(1).neg().encode());
    assert_eq!(stage.verdict(), but(3, &[]), "negative control: two that signed nothing");
    let registered =
        |secret: &SecretKey| secret.prove_possession(b"").verify(&secret.public_key(), b"").unwrap();
    let identities: Vec<_> = stage.secrets.iter().map(registered).collect();
    assert!(crate::committee_keys::shared_coordinate(&identities).is_some());
}

/// Pitfall: a signature of another domain, message or key.
#[test]
fn signatures_made_for_something_else_are_wrong() {
    let mut stage = Stage::new(6);
    let beacon = stage.secrets[1].sign(DomainTag::BEACON, MESSAGE);
    let vote = stage.secrets[2].sign(crate::keys::OTHER, MESSAGE);
    let other_block = stage.secrets[3].sign(TICKET, b"round 1, subround 0, block 3");
    let possession = stage.secrets[4].prove_possession(MESSAGE).0;
    for (member, signature) in [(1, beacon), (2, vote), (3, other_block), (4, possession)] {
        stage.replace(member, signature.0);
    }
    assert_eq!(stage.verdict(), but(6, &[1, 2, 3, 4]));
    let copied = stage.tickets[0].1.0;
    stage.replace(5, copied);
    assert_eq!(stage.verdict(), but(6, &[1, 2, 3, 4, 5]));
}

/// Claims about these members, each of whom sent an error of its own.
fn claims(group: &mut Group<'_>, members: &[usize]) -> Vec<Claim<Gt>> {
    let alone: Vec<Sum> = members.iter().map(|&member| Sum::plain(member..member + 1)).collect();
    let own = group.evaluate(&alone, &[]);
    let claim = |(&position, own): (&usize, Gt)| Claim {
        position,
        scale: 6,
        value: Gt::product_of_powers(&[own], &[6]),
    };
    members.iter().zip(own).map(claim).collect()
}

/// Pitfall: coefficients drawn too early. An attacker who knows them makes two false claims whose errors cancel, and an
/// innocent member is blamed. They are fixed by the last ticket, and one more or another ticket changes all of them.
#[test]
fn claims_are_confirmed_only_if_all_are_true_and_by_nothing_known_beforehand() {
    let mut stage = Stage::new(6);
    for member in [0, 2, 4, 5] {
        stage.taint(member, &error(member as u8));
    }
    let decoded = |stage: &Stage| -> (Vec<MinerId>, Vec<G1>) {
        stage.tickets.iter().map(|(signer, ticket)| (*signer, G1::decode(&ticket.0).unwrap())).unzip()
    };
    let (signers, points) = decoded(&stage);
    let mut group = Group::new(&stage.keys, &stage.hash, &signers, &points);
    let genuine = claims(&mut group, &[0, 2, 4, 5]);
    assert_eq!(group.confirm(&genuine), Some(true));
    for false_one in 0..4 {
        let mut framed = genuine.clone();
        framed[false_one].position = 1;
        assert_eq!(group.confirm(&framed), Some(false), "member 1 is innocent");
        let mut scaled = genuine.clone();
        scaled[false_one].scale += 1;
        assert_eq!(group.confirm(&scaled), Some(false));
    }
    // With known coefficients c: values times x^c1 and x^-c0 cancel.
    let c = group.coefficients(4);
    let mut forged = genuine.clone();
    forged[0].value = forged[0].value.mul(&Gt::product_of_powers(&[genuine[0].value], &[c[1]]));
    forged[1].value = forged[1].value.mul(&Gt::product_of_powers(&[genuine[0].value], &[c[0]]).inverse());
    assert_eq!(group.confirm(&forged), Some(true), "negative control: known coefficients let it pass");
    let early = c;
    for member in [1, 3] {
        // Another ticket of somebody the claims are not about.
        let mut other = Stage::new(6);
        other.tickets.clone_from(&stage.tickets);
        other.taint(member, &error(77));
        let (signers, points) = decoded(&other);
        let mut group = Group::new(&other.keys, &other.hash, &signers, &points);
        assert!(group.coefficients(4).iter().zip(&early).all(|(late, early)| late != early));
        assert_eq!((group.confirm(&genuine), group.confirm(&forged)), (Some(true), Some(false)));
    }
}

/// Pitfall: framing through moments. Two colluders in each set of eight point at the one between them, in all sets at once,
/// so that claims are confirmed together, refuted, and every set is bisected.
#[test]
fn colluders_in_every_small_set_do_not_frame_those_between_them() {
    let mut stage = Stage::new(32);
    let mut wrong = Vec::new();
    for leaf in 0..4 {
        for place in [1, 3] {
            stage.taint(8 * leaf + place, &error(leaf as u8));
            wrong.push((8 * leaf + place) as u16);
        }
    }
    assert_eq!(stage.verdict(), but(32, &wrong));
}

/// A defect that a ticket can have without anybody else's help.
#[derive(Clone, Copy, Debug)]
enum Defect {
    Error(u8),
    OtherKey,
    Cofactor,
    Flipped(u16),
    Infinity,
}

fn defect() -> impl Strategy<Value = Defect> {
    prop_oneof![
        any::<u8>().prop_map(Defect::Error),
        Just(Defect::OtherKey),
        Just(Defect::Cofactor),
        (0_u16..384).prop_map(Defect::Flipped),
        Just(Defect::Infinity),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Where nobody colludes, blame is exactly that of verification one by one.
    #[test]
    fn the_verdict_is_that_of_one_by_one(
        n in 1_u8..40,
        faults in proptest::collection::btree_map(0_usize..40, defect(), 0..6),
    ) {
        let mut stage = Stage::new(n);
        let cofactor = cofactor_only();
        let mut tainted = false;
        for (&member, &fault) in faults.iter().filter(|(member, _)| **member < usize::from(n)) {
            match fault {
                // Errors are a member's own: equal ones are another test.
                Defect::Error(i) => { stage.taint(member, &G1::hash(b"error", &[i, member as u8])); }
                // Not another member's: rotated among all, those would cancel.
                Defect::OtherKey => {
                    let other = SecretKey::from_seed(&[200; 32]).sign(TICKET, MESSAGE);
                    stage.replace(member, other.0);
                }
                // One at most: three of an order of three would cancel.
                Defect::Cofactor if !tainted => { tainted = true; stage.taint(member, &cofactor); }
                Defect::Cofactor => {}
                Defect::Flipped(bit) => {
                    let mut bytes = stage.tickets[member].1.0;
                    bytes[usize::from(bit / 8)] ^= 1 << (bit % 8);
                    stage.replace(member, bytes);
                }
                Defect::Infinity => {
                    let mut bytes = [0; 48];
                    bytes[0] = 0xc0;
                    stage.replace(member, bytes);
                }
            }
        }
        prop_assert_eq!(stage.verdict(), stage.one_by_one());
    }
}

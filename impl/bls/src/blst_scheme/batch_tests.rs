//! Batches against checking one by one, and against coefficients that are known too early.

use super::*;
use crate::curve::strays::outside_subgroup;
use crate::curve::{PointError, products_so_far};
use crate::keys::{OTHER, TICKET};
use crate::scheme::{Beacon as _, Sign as _, Verify as _};
use crate::trusted_dealer;

const SEED: [u8; 32] = [9; 32];

struct Stage {
    members: Vec<BlstScheme>,
    messages: Vec<Vec<u8>>,
    signers: Vec<Vec<MinerId>>,
    aggregates: Vec<Signature>,
}

impl Stage {
    /// `count` certificates of a committee of seven; every third is signed by one and the same five.
    fn new(count: u8) -> Self {
        let (keys, members) = trusted_dealer::deal([7; 32], 7).unwrap();
        let members: Vec<BlstScheme> =
            members.into_iter().map(|member| BlstScheme::member(keys.clone(), member).unwrap()).collect();
        let mut stage = Self { members, messages: vec![], signers: vec![], aggregates: vec![] };
        for i in 0..count {
            let absent = if i % 3 == 0 { 6 } else { u16::from(i) % 6 };
            let signers: Vec<MinerId> = (0..7).filter(|&signer| signer != absent).map(MinerId).collect();
            let message = vec![i; 3];
            let sign =
                |signer: &MinerId| stage.members[usize::from(signer.0)].sign(TICKET, &message).unwrap();
            let summands: Vec<Signature> = signers.iter().map(sign).collect();
            stage.aggregates.push(stage.members[0].aggregate(&summands).unwrap());
            stage.messages.push(message);
            stage.signers.push(signers);
        }
        stage
    }

    fn claims(&self) -> Vec<AggregateClaim<'_>> {
        (0..self.messages.len())
            .map(|i| AggregateClaim {
                signers: &self.signers[i],
                tag: TICKET,
                message: &self.messages[i],
                aggregate: self.aggregates[i],
            })
            .collect()
    }

    /// A verifier that remembers nothing.
    fn verifier(&self) -> BlstScheme {
        BlstScheme::observer(self.members[0].committee().clone())
    }

    fn agrees_with_one_by_one(&self) -> Vec<bool> {
        let claims = self.claims();
        let one_by_one: Vec<bool> = claims
            .iter()
            .map(|c| self.verifier().verify_aggregate(c.signers, c.tag, c.message, &c.aggregate))
            .collect();
        assert_eq!(self.verifier().verify_aggregates(&claims, &SEED), one_by_one);
        one_by_one
    }
}

fn plus(signature: &Signature, error: &G1) -> Signature {
    Signature(G1::sum([&G1::decode(&signature.0).unwrap(), error]).unwrap().encode())
}

#[test]
fn batches_of_all_sizes_agree_with_checking_one_by_one() {
    for count in [0, 1, 2, 3, 17, 70] {
        let stage = Stage::new(count);
        assert!(stage.agrees_with_one_by_one().iter().all(|&verdict| verdict));
    }
}

#[test]
fn wrong_claims_of_every_kind_are_found_and_no_others() {
    let mut stage = Stage::new(12);
    let swapped = stage.aggregates[1];
    stage.aggregates[2] = swapped;
    stage.aggregates[4] = Signature([0xc0; 48]);
    stage.signers[5] = vec![MinerId(1), MinerId(1)];
    stage.signers[6] = vec![];
    stage.signers[7].push(MinerId(99));
    stage.aggregates[8] = plus(&stage.aggregates[8], &outside_subgroup());
    stage.messages[9] = b"another".to_vec();
    assert_eq!(G1::decode(&[0; 48]), Err(PointError::Encoding));
    let verdicts = stage.agrees_with_one_by_one();
    let wrong: Vec<usize> = (0..12).filter(|&i| !verdicts[i]).collect();
    assert_eq!(wrong, [2, 4, 5, 6, 7, 8, 9]);
    let mut other_tag = stage.claims();
    other_tag[0].tag = OTHER;
    other_tag[1].tag = DomainTag::BEACON;
    assert_eq!(stage.verifier().verify_aggregates(&other_tag, &SEED)[..2], [false, false]);
}

#[test]
fn errors_that_cancel_in_the_plain_product_are_found() {
    let mut stage = Stage::new(5);
    let error = G1::hash(b"error", b"");
    stage.aggregates[1] = plus(&stage.aggregates[1], &error);
    stage.aggregates[3] = plus(&stage.aggregates[3], &error.neg());
    assert_eq!(stage.agrees_with_one_by_one(), [true, false, true, false, true]);
}

/// Pitfall: coefficients drawn too early. A forger that knows the coefficients for whatever it sends weighs its errors so
/// that they cancel. It cannot here, since a change of any claim changes every coefficient.
#[test]
fn coefficients_known_beforehand_would_let_two_forgeries_cancel() {
    let mut stage = Stage::new(3);
    let early = coefficients(&SEED, &stage.claims());
    let error = G1::hash(b"error", b"");
    // c_0 * (c_1 E) - c_1 * (c_0 E) = 0.
    stage.aggregates[0] = plus(&stage.aggregates[0], &error.times(early[1]).unwrap());
    stage.aggregates[1] = plus(&stage.aggregates[1], &error.times(early[0]).unwrap().neg());
    let equations: Vec<_> = stage
        .claims()
        .iter()
        .enumerate()
        .map(|(i, claim)| {
            let verifier = stage.verifier();
            let hash = verifier.memory.hash(claim.tag, claim.message);
            let signature = G1::decode(&claim.aggregate.0).unwrap();
            (i, signature, hash, verifier.prepared_key(claim.signers).unwrap())
        })
        .collect();
    assert!(Batch::new(equations.clone(), &early).product().is_one(), "negative control: the attack works");
    let late = coefficients(&SEED, &stage.claims());
    assert!(early.iter().zip(&late).all(|(early, late)| early != late));
    assert!(!Batch::new(equations, &late).product().is_one());
    assert_eq!(stage.agrees_with_one_by_one(), [false, false, true]);
}

#[test]
fn coefficients_depend_on_every_part_of_every_claim_and_on_the_seed() {
    let mut stage = Stage::new(2);
    let original = coefficients(&SEED, &stage.claims());
    assert_eq!(coefficients(&SEED, &stage.claims()), original, "and on nothing else");
    assert_ne!(coefficients(&[8; 32], &stage.claims())[0], original[0]);
    stage.messages[1].push(0);
    let longer = coefficients(&SEED, &stage.claims());
    assert_ne!(longer[0], original[0]);
    stage.signers[1].pop();
    assert_ne!(coefficients(&SEED, &stage.claims())[0], longer[0]);
}

/// Beacon shares of a committee of forty, some of them changed.
struct Shares {
    verifier: BlstScheme,
    shares: Vec<(MinerId, Signature)>,
}

impl Shares {
    const MESSAGE: &[u8] = b"a round";

    fn new() -> Self {
        let (keys, members) = trusted_dealer::deal([7; 32], 40).unwrap();
        let share = |member| {
            let scheme = BlstScheme::member(keys.clone(), member).unwrap();
            (scheme.me().unwrap(), scheme.beacon_share(Self::MESSAGE).unwrap())
        };
        Self {
            shares: members.into_iter().map(share).collect(),
            verifier: BlstScheme::observer(keys.clone()),
        }
    }

    fn add(&mut self, member: usize, error: &G1) {
        self.shares[member].1 = plus(&self.shares[member].1, error);
    }

    /// The wrong ones, and how many products of pairings it takes to find them.
    fn wrong(&self, seed: Option<&[u8; 32]>) -> (Vec<usize>, usize) {
        let before = products_so_far();
        let verdicts = self.verifier.verify_beacon_shares(Self::MESSAGE, &self.shares, seed);
        assert_eq!(verdicts.len(), self.shares.len());
        let wrong = (0..verdicts.len()).filter(|&position| !verdicts[position]).collect();
        (wrong, products_so_far() - before)
    }
}

#[test]
fn wrong_beacon_shares_are_found_with_fewer_checks_than_there_are_shares() {
    let mut stage = Shares::new();
    assert_eq!(stage.wrong(Some(&SEED)), (vec![], 1));
    stage.add(11, &G1::hash(b"error", b"one"));
    let (wrong, checks) = stage.wrong(Some(&SEED));
    let (one_by_one, all_checks) = stage.wrong(None);
    assert_eq!((&wrong, &one_by_one, all_checks), (&vec![11], &vec![11], 40));
    assert!(checks <= 5, "{checks}");
    stage.shares[3].1 = Signature([0xc0; 48]);
    stage.shares[5].0 = MinerId(4);
    stage.shares[39].0 = MinerId(99);
    let (wrong, checks) = stage.wrong(Some(&SEED));
    assert_eq!(wrong, [3, 5, 11, 39]);
    assert_eq!(stage.wrong(None).0, wrong);
    assert!(checks < 20, "{checks}");
}

/// Pitfall: shares that cancel in the plain sum do not in the combination. Kept as a group that verifies, they would spoil
/// every combination and nobody would be blamed (L1).
#[test]
fn beacon_shares_whose_errors_cancel_in_the_sum_are_found() {
    let mut stage = Shares::new();
    let error = G1::hash(b"error", b"one");
    stage.add(2, &error);
    stage.add(7, &error.neg());
    let combined = stage.verifier.combine_beacon(Shares::MESSAGE, &stage.shares);
    assert_eq!(combined, None, "they spoil the combination");
    let hash = stage.verifier.beacon_hash(Shares::MESSAGE);
    let keys = stage.verifier.committee.beacon().share_sums();
    let sifted =
        crate::group_testing::sift(keys, &hash, &stage.shares, &|signers| keys.prepared_sum(signers));
    assert_eq!(sifted.wrong, [], "negative control: a plain sum keeps them");
    assert_eq!(stage.wrong(Some(&SEED)).0, [2, 7]);
    let named = |stage: &Shares| stage.verifier.wrong_beacon_shares(Shares::MESSAGE, &stage.shares);
    assert_eq!(named(&stage), [], "so nobody is named, and each share is verified");
    // A third signer with a wrong share is named, and the two are not.
    stage.add(11, &G1::hash(b"error", b"two"));
    assert_eq!(named(&stage), [MinerId(11)]);
}

/// One wrong share among those that are combined costs some sums and products of two pairings, and not a check of each.
#[test]
fn a_wrong_beacon_share_is_named_for_less_than_one_check_in_four_shares() {
    let mut stage = Shares::new();
    let named = |stage: &Shares| {
        let before = products_so_far();
        let named = stage.verifier.wrong_beacon_shares(Shares::MESSAGE, &stage.shares);
        (named, products_so_far() - before)
    };
    assert_eq!(named(&stage), (vec![], 1));
    stage.add(11, &G1::hash(b"error", b"one"));
    let (wrong, products) = named(&stage);
    assert_eq!(wrong, [MinerId(11)]);
    assert!(products < 10, "{products}");
    stage.shares[3].1 = Signature([0xc0; 48]);
    let (mut wrong, _) = named(&stage);
    wrong.sort_unstable();
    assert_eq!(wrong, [MinerId(3), MinerId(11)]);
}

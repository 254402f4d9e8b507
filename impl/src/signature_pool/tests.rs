//! The pool against verification one by one, and against each way of confusing it.

use super::*;
use crate::block::BlockId;
use crate::committee::{ChainId, Epoch, Round, Subround};
use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
use crate::crypto::scheme::Signature;
use crate::statement::Ticket;

const QUORUM: usize = 5;

fn committee() -> Committee {
    Committee::new(ChainId([1; 32]), Epoch(1), 7, 0).unwrap()
}

fn scheme(i: u16) -> MockScheme {
    MockCommittee::new(7, 1).member(MinerId(i)).unwrap()
}

fn ticket(block: u8) -> Ticket {
    Ticket { round: Round(1), subround: Subround(0), block: BlockId([block; 32]) }
}

fn signed(i: u16, block: u8) -> Signed<Ticket> {
    Signed::sign(ticket(block), &committee(), &scheme(i)).unwrap()
}

fn forged(i: u16, block: u8) -> Signed<Ticket> {
    Signed { signature: Signature([3; 48]), ..signed(i, block) }
}

fn add(pool: &mut SignaturePool<Ticket>, signed: Signed<Ticket>) -> Added<Ticket> {
    pool.add(signed, true, &committee(), &scheme(0))
}

fn certify(pool: &mut SignaturePool<Ticket>, block: u8) -> (Option<Vec<u16>>, Vec<u16>) {
    let mut blamed = Vec::new();
    let certified = pool.certify(&ticket(block), QUORUM, &committee(), &scheme(0), &mut blamed);
    if let Some(certified) = &certified {
        assert_eq!(certified.verify(&committee(), QUORUM, &scheme(0)), Ok(()), "S8");
    }
    let signers = certified.map(|certified| certified.certificate.signers.iter().map(|id| id.0).collect());
    (signers, blamed.iter().map(|id| id.0).collect())
}

#[test]
fn a_quorum_makes_a_certificate_with_one_verification() {
    let mut pool = SignaturePool::new(1);
    let verifier = scheme(0);
    for i in 0..5 {
        assert_eq!(pool.add(signed(i, 1), true, &committee(), &verifier), Added::Counted);
    }
    assert_eq!(verifier.calls().verify, 0, "nothing is verified alone");
    let mut blamed = Vec::new();
    assert!(pool.certify(&ticket(1), QUORUM, &committee(), &verifier, &mut blamed).is_some());
    assert_eq!((verifier.calls().verify, verifier.calls().verify_aggregate), (0, 1));
}

#[test]
fn fewer_than_a_quorum_makes_none_and_repetitions_do_not_count() {
    let mut pool = SignaturePool::new(1);
    for i in [0, 1, 2, 3, 3, 3, 0] {
        add(&mut pool, signed(i, 1));
    }
    assert_eq!(pool.count(&ticket(1)), 4);
    assert_eq!(certify(&mut pool, 1), (None, vec![]));
}

#[test]
fn wrong_tickets_are_dropped_and_blamed_exactly() {
    for wrong in [vec![], vec![2], vec![0, 6], vec![1, 2, 3]] {
        let mut pool = SignaturePool::new(1);
        for i in 0..7 {
            add(&mut pool, if wrong.contains(&i) { forged(i, 1) } else { signed(i, 1) });
        }
        let good: Vec<u16> = (0..7).filter(|i| !wrong.contains(i)).collect();
        let expected = (good.len() >= QUORUM).then_some(good);
        assert_eq!(certify(&mut pool, 1), (expected, wrong));
    }
}

#[test]
fn a_blamed_signer_can_repair_itself_but_is_not_trusted_unverified_again() {
    let mut pool = SignaturePool::new(1);
    for i in 0..4 {
        add(&mut pool, signed(i, 1));
    }
    add(&mut pool, forged(4, 1));
    assert_eq!(certify(&mut pool, 1), (None, vec![4]));
    assert_eq!(add(&mut pool, forged(4, 1)), Added::Wrong);
    assert_eq!(add(&mut pool, signed(4, 1)), Added::Counted);
    assert_eq!(certify(&mut pool, 1), (Some(vec![0, 1, 2, 3, 4]), vec![]));
}

#[test]
fn a_signer_of_garbage_is_not_verified_for_ever() {
    for other in [1, 2] {
        let mut pool = SignaturePool::new(1);
        let verifier = scheme(0);
        add(&mut pool, forged(4, 1));
        for i in 0..100 {
            let garbage = Signed { signature: Signature([i; 48]), ..signed(4, other) };
            pool.add(garbage, true, &committee(), &verifier);
        }
        assert_eq!(verifier.calls().verify, u64::from(MAX_STRIKES));
    }
}

#[test]
fn nobody_takes_the_place_of_another_with_garbage() {
    let mut pool = SignaturePool::new(1);
    assert_eq!(pool.add(forged(4, 1), false, &committee(), &scheme(0)), Added::Wrong);
    assert_eq!(add(&mut pool, signed(4, 1)), Added::Counted);
    // Even when the garbage claims to come from the signer itself.
    let mut pool = SignaturePool::new(1);
    assert_eq!(add(&mut pool, forged(4, 1)), Added::Counted);
    assert_eq!(add(&mut pool, signed(4, 1)), Added::Counted, "the genuine one replaces it");
    for i in 0..4 {
        add(&mut pool, signed(i, 1));
    }
    assert_eq!(certify(&mut pool, 1), (Some(vec![0, 1, 2, 3, 4]), vec![]));
}

#[test]
fn a_second_statement_of_one_signer_is_a_contradiction_only_if_both_are_genuine() {
    let mut pool = SignaturePool::new(1);
    add(&mut pool, signed(4, 1));
    assert_eq!(add(&mut pool, forged(4, 2)), Added::Wrong);
    assert_eq!(add(&mut pool, signed(4, 2)), Added::Contradiction { first: signed(4, 1) });
    assert_eq!(pool.count(&ticket(1)), 1, "the first one counts");
    assert_eq!(pool.count(&ticket(2)), 0);
    let mut pool = SignaturePool::new(1);
    add(&mut pool, forged(4, 1));
    assert_eq!(add(&mut pool, signed(4, 2)), Added::Counted, "the garbage convicts nobody");
    assert_eq!(pool.count(&ticket(1)), 0);
}

#[test]
fn where_more_are_allowed_a_signer_has_so_many_places_and_no_more() {
    let mut pool = SignaturePool::new(2);
    assert_eq!(add(&mut pool, signed(4, 1)), Added::Counted);
    assert_eq!(add(&mut pool, signed(4, 2)), Added::Counted);
    assert_eq!(add(&mut pool, signed(4, 3)), Added::Ignored);
    assert_eq!(pool.signed_by(MinerId(4)).count(), 2);
    assert_eq!(add(&mut pool, signed(5, 2)), Added::Counted);
    assert_eq!(pool.claimed(2), [ticket(2)]);
}

/// Pitfall: two forged tickets that cancel. The sum is the honest one, so the certificate is sound, and nobody is blamed;
/// but the pair must not survive when one half is replaced, and a part of the group is not trusted.
#[test]
fn tickets_that_cancel_leave_the_honest_certificate_or_none() {
    let error = signed(6, 9).signature;
    let (plus, minus) = cancelling_pair(&error);
    let mut pool = SignaturePool::new(1);
    for i in [0, 1, 2] {
        add(&mut pool, signed(i, 1));
    }
    add(&mut pool, Signed { signature: plus, ..signed(3, 1) });
    add(&mut pool, Signed { signature: minus, ..signed(4, 1) });
    let mut with_a_third = pool.clone();
    let (signers, blamed) = certify(&mut pool, 1);
    assert_eq!((signers, blamed), (Some(vec![0, 1, 2, 3, 4]), vec![]));
    // A later signature is judged by itself, and the group stays whole.
    add(&mut pool, forged(5, 1));
    assert_eq!(certify(&mut pool, 1), (Some(vec![0, 1, 2, 3, 4]), vec![5]));
    // With one more wrong ticket the group fails, and then each is looked at alone.
    add(&mut with_a_third, forged(5, 1));
    assert_eq!(certify(&mut with_a_third, 1), (None, vec![3, 4, 5]));
    // When one half repairs itself, what verified with the other half is forgotten, and the other half is found.
    assert_eq!(add(&mut pool, signed(3, 1)), Added::Counted);
    assert_eq!(certify(&mut pool, 1), (None, vec![4]));
    assert_eq!(add(&mut pool, signed(6, 1)), Added::Counted);
    assert_eq!(certify(&mut pool, 1), (Some(vec![0, 1, 2, 3, 6]), vec![]));
}

#[test]
fn a_group_that_was_too_small_is_not_verified_again() {
    let mut pool = SignaturePool::new(1);
    let verifier = scheme(0);
    let mut blamed = Vec::new();
    for i in 0..3 {
        pool.add(signed(i, 1), true, &committee(), &verifier);
    }
    for i in [3, 4] {
        pool.add(forged(i, 1), true, &committee(), &verifier);
    }
    assert!(pool.certify(&ticket(1), QUORUM, &committee(), &verifier, &mut blamed).is_none());
    assert_eq!(blamed, [MinerId(3), MinerId(4)]);
    let before = verifier.calls();
    for i in [5, 6] {
        pool.add(signed(i, 1), true, &committee(), &verifier);
    }
    let certified = pool.certify(&ticket(1), QUORUM, &committee(), &verifier, &mut blamed).expect("a quorum");
    assert_eq!(verifier.calls().verify, before.verify, "the three are not looked at again");
    assert_eq!(verifier.calls().verify_aggregate, before.verify_aggregate + 1, "the two are, together");
    assert_eq!(certified.verify(&committee(), QUORUM, &scheme(0)), Ok(()), "S8");
}

/// A spammer that sends one wrong ticket at a time, each when the quorum seems complete.
#[test]
fn wrong_tickets_one_at_a_time_cost_no_more_than_verifying_each() {
    let mut pool = SignaturePool::new(1);
    let verifier = scheme(0);
    let mut blamed = Vec::new();
    for i in 0..4 {
        pool.add(signed(i, 1), true, &committee(), &verifier);
    }
    for i in [4, 5] {
        pool.add(forged(i, 1), true, &committee(), &verifier);
        assert!(pool.certify(&ticket(1), QUORUM, &committee(), &verifier, &mut blamed).is_none());
    }
    pool.add(signed(6, 1), true, &committee(), &verifier);
    assert!(pool.certify(&ticket(1), QUORUM, &committee(), &verifier, &mut blamed).is_some());
    assert_eq!(blamed, [MinerId(4), MinerId(5)]);
    let calls = verifier.calls();
    // The first failure looks at all five; after that each newcomer is looked at, at most as a group and alone.
    assert!(calls.verify <= 6 && calls.verify_aggregate <= 3, "{calls:?}");
}

/// Signatures of members 3 and 4 with an error added to one and taken from the other. The mock's signatures are sums in a
/// field of `2^61 - 1` elements, little-endian in the first eight bytes.
fn cancelling_pair(error: &Signature) -> (Signature, Signature) {
    const MODULUS: u64 = (1 << 61) - 1;
    let element = |signature: &Signature| u64::from_le_bytes(signature.0[..8].try_into().unwrap());
    let signature = |element: u64| {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&element.to_le_bytes());
        Signature(bytes)
    };
    let error = element(error);
    let plus = (element(&signed(3, 1).signature) + error) % MODULUS;
    let minus = (element(&signed(4, 1).signature) + MODULUS - error) % MODULUS;
    (signature(plus), signature(minus))
}

/// The pool on real signatures against verification of each: what it makes, whom it blames, what it keeps.
mod on_real_signatures {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::blst_scheme::BlstScheme;
    use crate::crypto::curve::{G1, roots_so_far};
    use crate::crypto::trusted_dealer;
    use crate::crypto::uncompressed::UncompressedSignature;

    const N: u16 = 10;
    const QUORUM: usize = 7;

    fn members() -> Vec<BlstScheme> {
        let (keys, members) = trusted_dealer::deal([5; 32], N).unwrap();
        members.into_iter().map(|member| BlstScheme::member(keys.clone(), member).unwrap()).collect()
    }

    fn coordinates(signed: &Signed<Ticket>) -> UncompressedSignature {
        UncompressedSignature::new(signed.signature).unwrap()
    }

    /// A pool of so many tickets whose coordinates came with them, and what certifying them decodes.
    fn roots(with_coordinates: usize, spoil: impl Fn(usize, &mut UncompressedSignature)) -> usize {
        let members = members();
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), N, 0).unwrap();
        let verifier = BlstScheme::observer(members[0].committee().clone());
        let mut pool = SignaturePool::new(1);
        for (i, member) in members.iter().take(QUORUM).enumerate() {
            let signed = Signed::sign(ticket(1), &committee, member).unwrap();
            let mut coordinates = coordinates(&signed);
            spoil(i, &mut coordinates);
            let coordinates = (i < with_coordinates).then_some(coordinates);
            let added = pool.add_received(signed, coordinates, true, &committee, &verifier);
            assert_eq!(added, Added::Counted);
        }
        let (before, mut blamed) = (roots_so_far(), Vec::new());
        let certified = pool.certify(&ticket(1), QUORUM, &committee, &verifier, &mut blamed);
        let drawn = roots_so_far() - before;
        assert_eq!((certified.is_some(), blamed), (true, vec![]));
        drawn
    }

    #[test]
    fn tickets_with_both_coordinates_are_not_decoded() {
        for with_coordinates in [0, 1, 4, QUORUM] {
            assert_eq!(roots(with_coordinates, |_, _| {}), QUORUM - with_coordinates);
        }
    }

    /// Coordinates are believed to be those of the signature beside them only if they are.
    #[test]
    fn coordinates_of_another_signature_are_not_looked_at() {
        let other = UncompressedSignature::new(Signature(G1::hash(b"tag", b"other").encode())).unwrap();
        let drawn = roots(QUORUM, |i, coordinates| {
            if i == 3 {
                *coordinates = other;
            }
        });
        assert_eq!(drawn, 1);
    }

    /// One ticket in both forms is one ticket.
    #[test]
    fn the_form_of_a_ticket_makes_no_difference() {
        let members = members();
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), N, 0).unwrap();
        let mut pool = SignaturePool::new(1);
        let signed = Signed::sign(ticket(1), &committee, &members[2]).unwrap();
        let both = Some(coordinates(&signed));
        let mut add = |coordinates| pool.add_received(signed, coordinates, true, &committee, &members[0]);
        assert_eq!([add(None), add(both), add(None)], [Added::Counted, Added::Ignored, Added::Ignored]);
        assert_eq!(pool.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Tickets come in any order, in bursts, wrong ones among them, and a certificate is asked for in between.
        #[test]
        fn blame_and_certificate_are_those_of_one_by_one(
            order in Just((0..N).collect::<Vec<u16>>()).prop_shuffle(),
            wrong in proptest::collection::btree_set(0..N, 0..5),
            ask_after in proptest::collection::btree_set(0..usize::from(N), 0..6),
            uncompressed in proptest::collection::btree_set(0..N, 0..usize::from(N)),
        ) {
            let members = members();
            let committee = Committee::new(ChainId([1; 32]), Epoch(1), N, 0).unwrap();
            let verifier = BlstScheme::observer(members[0].committee().clone());
            let mut pool = SignaturePool::new(1);
            let mut blamed = Vec::new();
            let mut certified = None;
            for (count, &i) in order.iter().enumerate() {
                let member = &members[usize::from(i)];
                let statement = if wrong.contains(&i) { ticket(9) } else { ticket(1) };
                let mut signed = Signed::sign(statement, &committee, member).unwrap();
                signed.statement = ticket(1);
                let coordinates = uncompressed.contains(&i).then(|| coordinates(&signed));
                let added = pool.add_received(signed, coordinates, true, &committee, &verifier);
                prop_assert_eq!(added, Added::Counted);
                if ask_after.contains(&count) || count + 1 == order.len() {
                    certified = pool.certify(&ticket(1), QUORUM, &committee, &verifier, &mut blamed).or(certified);
                }
            }
            let good = order.len() - wrong.len();
            prop_assert_eq!(certified.is_some(), good >= QUORUM);
            if let Some(certified) = &certified {
                let fresh = BlstScheme::observer(members[0].committee().clone());
                prop_assert_eq!(certified.verify(&committee, QUORUM, &fresh), Ok(()), "S8");
            }
            blamed.sort_unstable();
            let expected: Vec<MinerId> = wrong.iter().copied().map(MinerId).collect();
            if certified.is_some() {
                prop_assert_eq!(blamed, expected);
            } else {
                // Where no quorum is left, what comes last may never have been looked at.
                prop_assert!(blamed.iter().all(|miner| expected.contains(miner)));
            }
        }
    }
}

//! The work that one member can cause: the cheap check comes first, and a sender of wrong messages is soon ignored.

use super::*;
use crate::curve::{Scalar, combinations_so_far, points_so_far, products_so_far};
use crate::dkg::MAX_STRIKES;
use crate::keys::aggregate;
use crate::signers::Signers;

const FLOODER: MinerId = MinerId(3);

/// A dealing whose first commitment is no point, with a signature that is over something else.
fn forged(world: &Ceremony) -> Vec<u8> {
    let mut bytes = world.dealings()[1].encode();
    bytes[6..6 + 48].fill(0xff);
    bytes
}

#[test]
fn the_signature_of_a_dealing_is_looked_at_before_its_points() {
    let mut world = Ceremony::new(4);
    let bytes = forged(&world);
    let first = world.members[0].receive_dealing(FLOODER, &bytes);
    assert_eq!(first, Err(TranscriptError::NotAuthentic { dealer: MinerId(1) }.into()));
}

/// How many of a hundred wrong messages of one member are looked at.
fn looked_at(mut send: impl FnMut(u8) -> Result<(), MemberError>) -> usize {
    let unheard = Err(TranscriptError::NotHeard { from: FLOODER }.into());
    (0..100)
        .filter(|&i| {
            let answer = send(i);
            assert!(answer.is_err());
            answer != unheard
        })
        .count()
}

fn wrong_receipts() -> usize {
    let mut world = Ceremony::new(4);
    let (session, dealer) = (Arc::clone(&world.session), &mut world.members[0]);
    looked_at(|i| {
        let signature = identity(3).sign(DomainTag::DKG_RECEIPT, &[i; 32]);
        let (attempt, dealer_id) = (session.attempt(), MinerId(0));
        dealer.on_receipt(FLOODER, &Receipt { attempt, dealer: dealer_id, recipient: FLOODER, signature })
    })
}

fn wrong_dealings() -> usize {
    let mut world = Ceremony::new(4);
    let bytes = forged(&world);
    looked_at(|_| world.members[0].receive_dealing(FLOODER, &bytes).map(|_| ()))
}

fn wrong_settlements() -> usize {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let mut bytes = world.settlements()[1].encode();
    let last = bytes.len() - 48;
    bytes[last..].copy_from_slice(&identity(3).sign(DomainTag::DKG_SETTLEMENT, &[0; 32]).0);
    looked_at(|_| world.members[0].receive_settlement(FLOODER, &bytes))
}

#[test]
fn who_sends_wrong_messages_of_a_key_generation_is_not_heard_any_more() {
    for floods in [wrong_receipts, wrong_dealings, wrong_settlements] {
        assert_eq!(floods(), usize::from(MAX_STRIKES));
    }
}

/// A receipt of one member that another one sends costs no check, and counts against nobody.
#[test]
fn nobody_is_silenced_by_what_others_send_in_its_name() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    let receipt = world.members[1].on_dealing(&dealings[0]).unwrap();
    let wrong = Receipt { signature: identity(3).sign(DomainTag::DKG_RECEIPT, &[7; 32]), ..receipt };
    for _ in 0..100 {
        let refused = Err(MemberError::Receipt { recipient: MinerId(1) });
        assert_eq!(world.members[0].on_receipt(FLOODER, &wrong), refused);
        assert_eq!(world.members[0].on_receipt(FLOODER, &receipt), refused, "right, and not its sender's");
    }
    assert_eq!(world.members[0].on_receipt(MinerId(1), &receipt), Ok(()));
}

/// Bytes and decoded messages lead to the same key; what is known already is answered as before.
#[test]
fn a_key_generation_on_bytes_is_the_same() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    for dealing in &dealings {
        for recipient in 0..4 {
            let (bytes, dealer) = (dealing.encode(), usize::from(dealing.dealer.0));
            let receipt = world.members[recipient].receive_dealing(FLOODER, &bytes).unwrap();
            assert_eq!(world.members[recipient].receive_dealing(FLOODER, &bytes), Ok(receipt), "again");
            world.members[dealer].on_receipt(receipt.recipient, &receipt).unwrap();
        }
    }
    // A second dealing of a dealer is out by its signature, and nothing more of it is looked at.
    let second = member(&world.session, 1, 99).dealing().encode();
    let refused = Err(ShareRefused::SecondDealing { dealer: MinerId(1) }.into());
    let mut spoilt = second.clone();
    spoilt[6..6 + 48].fill(0xff);
    for member in &mut world.members {
        assert_eq!(member.receive_dealing(FLOODER, &second), refused);
        for _ in 0..10 {
            assert_eq!(member.receive_dealing(FLOODER, &spoilt), refused, "no check is left to fail");
        }
        member.end_dealing().unwrap();
    }
    for settlement in world.settlements() {
        for member in &mut world.members {
            member.receive_settlement(FLOODER, &settlement.encode()).unwrap();
        }
    }
    assert_eq!(world.verdict(1), Err(Disqualified::TwoDealings));
    assert_eq!(world.finish().qualified().len(), 3);
}

/// The products of pairings and the points of commitments that something costs.
fn cost(work: impl FnOnce()) -> (usize, usize) {
    let before = (products_so_far(), points_so_far());
    work();
    (products_so_far() - before.0, points_so_far() - before.1)
}

/// The cost of a hundred copies of a message for a member that has seen the dealings of all but member 3.
fn cost_of_dealings(bytes: &[u8]) -> (usize, usize) {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    for dealing in &dealings[..3] {
        world.members[0].on_dealing(dealing).unwrap();
    }
    cost(|| {
        for _ in 0..100 {
            let _answer = world.members[0].receive_dealing(FLOODER, bytes);
        }
    })
}

#[test]
fn what_a_dealing_costs_is_bounded_whoever_it_names() {
    let world = Ceremony::new(4);
    let strikes = usize::from(MAX_STRIKES);
    let genuine = |dealer: usize| world.dealings()[dealer].encode();
    assert_eq!(cost_of_dealings(&genuine(1)), (0, 0), "it is known");
    let (products, points) = cost_of_dealings(&genuine(3));
    assert_eq!(points, world.session.parameters().threshold(), "read once");
    assert!((1..=3).contains(&products), "one signature and one share, once: {products}");
    let mut other_attempt = genuine(3);
    other_attempt[3] ^= 1;
    assert_eq!(cost_of_dealings(&other_attempt), (0, 0));
    let mut stranger = genuine(3);
    stranger[4..6].copy_from_slice(&9_u16.to_be_bytes());
    assert_eq!(cost_of_dealings(&stranger), (0, 0));
    // Signed by nobody, of a dealer that is known and of one that is not.
    for dealer in [1, 3] {
        let mut forged = genuine(dealer);
        let last = forged.len() - 48;
        forged[last..].copy_from_slice(&identity(2).sign(DomainTag::DKG_DEALING, &[0; 32]).0);
        let (products, points) = cost_of_dealings(&forged);
        assert!(products <= strikes && points == 0, "dealer {dealer}: {products}, {points}");
    }
}

#[test]
fn a_message_that_is_known_costs_no_check_decoded_or_not() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    for dealing in &dealings[..3] {
        let receipt = world.members[0].on_dealing(dealing).unwrap();
        let again = cost(|| {
            for _ in 0..100 {
                assert_eq!(world.members[0].on_dealing(dealing), Ok(receipt));
            }
        });
        assert_eq!(again, (0, 0), "a dealing");
    }
    let (receipt, wrong) = (world.members[1].on_dealing(&dealings[0]).unwrap(), [7; 32]);
    world.members[0].on_receipt(MinerId(1), &receipt).unwrap();
    let again = cost(|| {
        let forged = Receipt { signature: identity(1).sign(DomainTag::DKG_RECEIPT, &wrong), ..receipt };
        for _ in 0..100 {
            world.members[0].on_receipt(MinerId(1), &receipt).unwrap();
            world.members[0].on_receipt(MinerId(1), &forged).unwrap_err();
        }
    });
    assert_eq!(again, (0, 0), "a receipt");
    let mut settling = Ceremony::new(4);
    settling.deal(&dealings, |_, _| false);
    let settlements = settling.settlements();
    world.members[0].end_dealing().unwrap();
    // Member 3 has not dealt in this world: there is nothing to settle, whoever signed it.
    let refused = Err(TranscriptError::NothingToSettle { dealer: MinerId(3) }.into());
    let none = cost(|| {
        for _ in 0..100 {
            assert_eq!(world.members[0].on_settlement(&settlements[3]), refused);
            assert_eq!(world.members[0].receive_settlement(FLOODER, &settlements[3].encode()), refused);
        }
    });
    assert_eq!(none, (0, 0), "a settlement without a dealing");
    world.members[0].on_settlement(&settlements[1]).unwrap();
    let again = cost(|| {
        for _ in 0..100 {
            world.members[0].on_settlement(&settlements[1]).unwrap();
        }
    });
    assert_eq!(again, (0, 0), "a settlement");
}

/// A dealer whose dealing member 0 of 31 took, and its settlement with ten revealed shares, as many as may be, of which `wrong`
/// says the errors.
fn settlement_with_errors(wrong: &[(usize, Scalar)]) -> (Member, Settlement) {
    let session = session(31, EPOCH, ATTEMPT);
    let (dealer, mut victim) = (member(&session, 1, 200), member(&session, 0, 200));
    victim.on_dealing(dealer.dealing()).unwrap();
    victim.end_dealing().unwrap();
    let digest = dealer.dealing().digest(&session);
    let (missing, signers): (Vec<u16>, Vec<u16>) = (0..31).partition(|i| i % 3 == 2);
    let receipts: Vec<Signature> =
        signers.iter().map(|&i| identity(i).sign(DomainTag::DKG_RECEIPT, &digest)).collect();
    let mut revealed: Vec<Scalar> = missing.iter().map(|&i| dealer.share_for_tests(MinerId(i))).collect();
    assert_eq!(revealed.len(), session.parameters().max_revealed());
    for (position, error) in wrong {
        revealed[*position] = revealed[*position].add(error);
    }
    let signers = Signers::from_members(31, signers.into_iter().map(MinerId)).unwrap();
    let receipts = (signers, aggregate(&receipts).unwrap());
    let settlement = Settlement::signed(&session, MinerId(1), &identity(1), receipts, revealed);
    (victim, settlement)
}

/// A settlement costs one linear combination of the commitments, however many shares it reveals and whichever are wrong; an
/// evaluation for each share is for who wants the name.
#[test]
fn a_settlement_that_reveals_many_shares_costs_one_combination() {
    let error = Scalar::from_u64(9);
    let cases = [
        (vec![], None),
        (vec![(0, error.clone())], Some(2)),
        (vec![(9, error.clone())], Some(29)),
        // Errors that add up to nothing.
        (vec![(3, error.clone()), (7, error.neg())], Some(11)),
    ];
    for (wrong, named) in cases {
        let (mut victim, settlement) = settlement_with_errors(&wrong);
        let before = combinations_so_far();
        let (products, points) = cost(|| victim.on_settlement(&settlement).unwrap());
        assert_eq!(points, 0);
        assert!((1..=2).contains(&products), "the dealer's signature, and the receipts if it gets there");
        assert_eq!(combinations_so_far() - before, 1, "{named:?}");
        let verdict = victim.transcript().qualifies(MinerId(1));
        assert_eq!(verdict, named.map_or(Ok(()), |_| Err(Disqualified::BadShare)));
        assert_eq!(victim.transcript().wrong_share(MinerId(1)), named.map(MinerId));
    }
}

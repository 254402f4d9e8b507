//! What one member can make another spend: the cheap check comes first, and who sends wrong messages is not heard any more.

use super::*;
use crate::bounds::MAX_STRIKES;
use crate::mutants::{Mutant, Scope};

const FLOODER: MinerId = MinerId(3);

fn with<T>(mutant: Option<Mutant>, test: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter(mutant);
    test()
}

/// A dealing whose first commitment is no point, with a signature that is over something else.
fn forged(world: &World) -> Vec<u8> {
    let mut bytes = world.dealings()[1].encode();
    bytes[6..6 + 48].fill(0xff);
    bytes
}

#[test]
fn the_signature_of_a_dealing_is_looked_at_before_its_points() {
    let first = |mutant| {
        let mut world = World::new(4);
        let bytes = forged(&world);
        with(mutant, || world.members[0].receive_dealing(FLOODER, &bytes))
    };
    assert_eq!(first(None), Err(TranscriptError::NotAuthentic { dealer: MinerId(1) }.into()));
    let unreadable = first(Some(Mutant::PointsBeforeSignature));
    assert!(matches!(unreadable, Err(MemberError::Transcript(TranscriptError::Unreadable(_)))));
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
    let mut world = World::new(4);
    let (session, dealer) = (Arc::clone(&world.session), &mut world.members[0]);
    looked_at(|i| {
        let signature = identity(3).sign(DomainTag::DKG_RECEIPT, &[i; 32]);
        let (attempt, dealer_id) = (session.attempt(), MinerId(0));
        dealer.on_receipt(FLOODER, &Receipt { attempt, dealer: dealer_id, recipient: FLOODER, signature })
    })
}

fn wrong_dealings() -> usize {
    let mut world = World::new(4);
    let bytes = forged(&world);
    looked_at(|_| world.members[0].receive_dealing(FLOODER, &bytes).map(|_| ()))
}

fn wrong_settlements() -> usize {
    let mut world = World::new(4);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let mut bytes = world.settlements()[1].encode();
    let last = bytes.len() - 48;
    bytes[last..].copy_from_slice(&identity(3).sign(DomainTag::DKG_SETTLEMENT, &[0; 32]).0);
    looked_at(|_| world.members[0].receive_settlement(FLOODER, &bytes))
}

#[test]
fn who_sends_wrong_messages_of_a_key_generation_is_not_heard_any_more() {
    let hears_all = Some(Mutant::KeyGenerationHearsAll);
    for floods in [wrong_receipts, wrong_dealings, wrong_settlements] {
        assert_eq!(floods(), usize::from(MAX_STRIKES));
        assert_eq!(with(hears_all, floods), 100, "the control");
    }
}

/// A receipt of one member that another one sends costs no check, and counts against nobody.
#[test]
fn nobody_is_silenced_by_what_others_send_in_its_name() {
    let mut world = World::new(4);
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
    let mut world = World::new(4);
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

//! The results of honest members, and the conclusions that everybody draws from the same broadcasts.

use super::*;

#[test]
fn honest_members_make_one_key_with_all_dealings() {
    for n in [1, 2, 4, 7] {
        let mut world = Ceremony::new(n);
        let dealings = world.dealings();
        world.deal(&dealings, |_, _| false);
        let settlements = world.settlements();
        world.settle(&settlements);
        let outcome = world.finish();
        assert_eq!(outcome.qualified().len(), usize::from(n));
        assert_eq!(outcome.key().threshold(), usize::from(n - (n - 1) / 3));
        assert!(settlements.iter().all(|settlement| settlement.revealed.is_empty()));
    }
}

#[test]
fn the_same_seeds_make_the_same_key_and_another_epoch_makes_another() {
    let key = |epoch| {
        let mut world = Ceremony::in_epoch(4, epoch);
        let dealings = world.dealings();
        world.deal(&dealings, |_, _| false);
        let settlements = world.settlements();
        world.settle(&settlements);
        world.finish().key().clone()
    };
    assert_eq!(key(EPOCH), key(EPOCH));
    assert_ne!(key(EPOCH).group(), key(Epoch(9)).group(), "a seed is never used for two polynomials");
}

#[test]
fn verdicts_and_key_do_not_depend_on_the_order_of_messages() {
    let run = |reverse: bool, duplicate: bool| {
        let mut world = Ceremony::new(4);
        let mut dealings = world.dealings();
        // Miner 1 deals twice, miner 3's second settlement contradicts its first.
        dealings.push(member(&world.session, 1, 99).dealing().clone());
        if duplicate {
            dealings.extend(dealings.clone());
        }
        if reverse {
            dealings.reverse();
        }
        world.deal(&dealings, |dealer, recipient| (dealer, recipient) == (2, 0));
        let mut settlements = world.settlements();
        if reverse {
            settlements.reverse();
        }
        let doubled = settlements.iter().find(|s| s.dealer == MinerId(3)).unwrap();
        let mut other = doubled.clone();
        other.aggregate = settlements[1].aggregate;
        let other = resettled(&world.session, other);
        settlements.insert(if reverse { 0 } else { settlements.len() }, other);
        world.settle(&settlements);
        (0..4).map(|i| world.verdict(i)).collect::<Vec<_>>()
    };
    let expected = vec![Ok(()), Err(Disqualified::TwoDealings), Ok(()), Err(Disqualified::TwoSettlements)];
    for reverse in [false, true] {
        for duplicate in [false, true] {
            assert_eq!(run(reverse, duplicate), expected, "reverse {reverse}, duplicate {duplicate}");
        }
    }
}

#[test]
fn a_member_that_restarts_continues_where_it_was() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let settlements = world.settlements();
    world.settle(&settlements);
    let outcome = world.finish();

    let mut restarted = member(&world.session, 2, 200);
    assert_eq!(restarted.dealing(), &dealings[2], "no second dealing");
    for dealing in &dealings {
        restarted.on_dealing(dealing).unwrap();
    }
    restarted.end_dealing().unwrap();
    for settlement in &settlements {
        restarted.on_settlement(settlement).unwrap();
    }
    assert_eq!(restarted.finish().unwrap().0, outcome);
}

#[test]
fn messages_out_of_phase_are_refused() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    assert_eq!(
        world.members[0].transcript().outcome(),
        Err(TranscriptError::WrongPhase { phase: Phase::Dealing })
    );
    world.deal(&dealings, |_, _| false);
    let settlements = world.settlements();
    let late = Err(MemberError::Transcript(TranscriptError::WrongPhase { phase: Phase::Settling }));
    assert_eq!(world.members[0].on_dealing(&dealings[1]), late);
    assert_eq!(world.members[0].end_dealing(), late.map(drop));
    let mut early = Transcript::new(Arc::clone(&world.session));
    assert_eq!(
        early.on_settlement(&settlements[0]),
        Err(TranscriptError::WrongPhase { phase: Phase::Dealing })
    );
}

#[test]
fn every_message_round_trips_and_no_other_length_is_read() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    world.deal(&dealings, |dealer, recipient| (dealer, recipient) == (0, 3));
    let settlements = world.settlements();
    let session = &world.session;
    for dealing in &dealings {
        let bytes = dealing.encode();
        assert_eq!(bytes.len(), Dealing::encoded_bytes(session));
        assert_eq!(Dealing::decode(session, &bytes).as_ref(), Ok(dealing));
        for length in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
            assert!(Dealing::decode(session, &bytes[..length]).is_err());
        }
        assert!(Dealing::decode(session, &[&bytes[..], &[0]].concat()).is_err());
    }
    assert_eq!(settlements[0].revealed.len(), 1);
    for settlement in &settlements {
        let bytes = settlement.encode();
        let decoded = Settlement::decode(session, &bytes).unwrap();
        assert!(decoded.is_authentic(session));
        assert_eq!(decoded.encode(), bytes);
        for length in 0..bytes.len() {
            assert!(Settlement::decode(session, &bytes[..length]).is_err());
        }
        assert!(Settlement::decode(session, &[&bytes[..], &[0]].concat()).is_err());
    }
    let receipt = member(session, 1, 200).on_dealing(&dealings[0]).unwrap();
    assert_eq!(Receipt::decode(&receipt.encode()), receipt);
}

#[test]
fn any_flipped_bit_of_a_broadcast_is_noticed() {
    let mut world = Ceremony::new(2);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let (session, settlement) = (&world.session, &world.settlements()[0]);
    let flip = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let (dealing, settlement) = (dealings[0].encode(), settlement.encode());
    for bit in (0..dealing.len() * 8).step_by(7) {
        let decoded = Dealing::decode(session, &flip(&dealing, bit));
        assert!(!decoded.is_ok_and(|dealing| dealing.is_authentic(session)), "dealing, bit {bit}");
    }
    for bit in (0..settlement.len() * 8).step_by(3) {
        let decoded = Settlement::decode(session, &flip(&settlement, bit));
        assert!(!decoded.is_ok_and(|s| s.is_authentic(session)), "settlement, bit {bit}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let world = Ceremony::new(2);
    assert_eq!(format!("{:?}", world.members[0]), "Member { me: MinerId(0), .. }");
}

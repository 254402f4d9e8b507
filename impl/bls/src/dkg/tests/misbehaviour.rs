//! One dishonest act at a time, and what comes of it.

use super::*;
use crate::curve::Scalar;
use crate::keys;
use crate::signers::Signers;

/// Runs a key generation of seven in which `dishonest` replaces the dealings and settlements that are broadcast.
fn run(
    tamper_dealings: impl Fn(&Ceremony, Vec<Dealing>) -> Vec<Dealing>,
    lost: impl Fn(u16, u16) -> bool,
    tamper_settlements: impl Fn(&Ceremony, Vec<Settlement>) -> Vec<Settlement>,
) -> Ceremony {
    let mut world = Ceremony::new(7);
    let dealings = tamper_dealings(&world, world.dealings());
    world.deal(&dealings, lost);
    let settlements = tamper_settlements(&world, world.settlements());
    world.settle(&settlements);
    world
}

fn honest_dealings(_: &Ceremony, dealings: Vec<Dealing>) -> Vec<Dealing> {
    dealings
}

fn honest_settlements(_: &Ceremony, settlements: Vec<Settlement>) -> Vec<Settlement> {
    settlements
}

#[test]
fn a_silent_dealer_is_left_out_and_the_others_make_the_key() {
    let without_2 = |_: &Ceremony, mut dealings: Vec<Dealing>| {
        dealings.remove(2);
        dealings
    };
    let without_settlement_of_2 =
        |_: &Ceremony, s: Vec<Settlement>| s.into_iter().filter(|s| s.dealer != MinerId(2)).collect();
    let world = run(without_2, |_, _| false, without_settlement_of_2);
    assert_eq!(world.verdict(2), Err(Disqualified::NoDealing));
    assert_eq!(world.finish().qualified().len(), 6);

    let world = run(honest_dealings, |_, _| false, without_settlement_of_2);
    assert_eq!(world.verdict(2), Err(Disqualified::NoSettlement));
    assert_eq!(world.finish().qualified().len(), 6);
}

#[test]
fn a_recipient_that_withholds_its_receipt_costs_its_own_share_only() {
    let world = run(honest_dealings, |_, recipient| recipient == 4, honest_settlements);
    for dealer in 0..7 {
        assert_eq!(world.verdict(dealer), Ok(()));
    }
    world.finish();
}

#[test]
fn a_dealer_that_cheats_one_recipient_must_reveal_the_right_share() {
    let cheat = |world: &Ceremony, mut dealings: Vec<Dealing>| {
        dealings[1] = with_wrong_share(&world.session, &dealings[1], 5);
        dealings
    };
    // The dealer's own state is that of its honest dealing, so it is settled by hand.
    let settle = |reveal: fn(&Ceremony) -> Scalar| {
        move |world: &Ceremony, mut settlements: Vec<Settlement>| {
            let dealing = world.members[0].transcript().dealing(MinerId(1)).unwrap();
            let digest = dealing.digest(&world.session);
            let signers = (0..7).filter(|&i| i != 5);
            let receipts: Vec<Signature> =
                signers.clone().map(|i| identity(i).sign(DomainTag::DKG_RECEIPT, &digest)).collect();
            settlements.retain(|s| s.dealer != MinerId(1));
            settlements.push(Settlement::signed(
                &world.session,
                MinerId(1),
                &identity(1),
                (
                    Signers::from_members(7, signers.map(MinerId)).unwrap(),
                    keys::aggregate(&receipts).unwrap(),
                ),
                vec![reveal(world)],
            ));
            settlements
        }
    };
    let right = |world: &Ceremony| world.members[1].share_for_tests(MinerId(5));
    let world = run(cheat, |_, _| false, settle(right));
    assert_eq!(world.verdict(1), Ok(()), "everybody has the right share now");
    assert_eq!(world.finish().qualified().len(), 7);

    let wrong = |_: &Ceremony| Scalar::from_u64(5);
    let world = run(cheat, |_, _| false, settle(wrong));
    assert_eq!(world.verdict(1), Err(Disqualified::BadShare));
    assert_eq!(world.members[0].transcript().wrong_share(MinerId(1)), Some(MinerId(5)));
    assert_eq!(world.members[0].transcript().wrong_share(MinerId(2)), None);
    assert_eq!(world.finish().qualified().len(), 6);
}

#[test]
fn a_wrong_or_unreadable_share_gets_no_receipt() {
    let mut world = Ceremony::new(4);
    let honest = world.dealings();
    let wrong = with_wrong_share(&world.session, &honest[1], 0);
    let refused = world.members[0].on_dealing(&wrong);
    assert_eq!(refused, Err(ShareRefused::Wrong { dealer: MinerId(1) }.into()));

    // A share that was sealed for another dealing, recipient or dealer does not open.
    let mut moved = honest[2].clone();
    moved.sealed[0] = honest[3].sealed[0];
    let refused = world.members[0].on_dealing(&resigned(&world.session, moved));
    assert_eq!(refused, Err(ShareRefused::Unreadable { dealer: MinerId(2) }.into()));
    let mut moved = honest[3].clone();
    moved.sealed[0] = honest[3].sealed[1];
    let refused = world.members[0].on_dealing(&resigned(&world.session, moved));
    assert_eq!(refused, Err(ShareRefused::Unreadable { dealer: MinerId(3) }.into()));
}

#[test]
fn a_sealed_share_is_bound_to_session_dealer_recipient_and_every_commitment() {
    let (session, old_session) = (session(4, EPOCH, ATTEMPT), session(4, Epoch(7), ATTEMPT));
    let commitments = member(&session, 0, 200).dealing().commitments.clone();
    let reversed = Commitments::new(commitments.points().iter().rev().copied().collect());
    let shorter = with_degree(&commitments, 1);
    let mut contexts = Vec::new();
    for session in [&session, &old_session] {
        for (dealer, recipient) in [(0, 1), (1, 0), (0, 2), (2, 1)] {
            for commitments in [&commitments, &reversed, &shorter] {
                contexts.push(sealing_context(session, MinerId(dealer), MinerId(recipient), commitments));
            }
        }
    }
    let all = contexts.len();
    contexts.sort();
    contexts.dedup();
    assert_eq!((contexts.len(), all), (24, 24));
}

#[test]
fn a_dealer_that_claims_a_receipt_it_does_not_have_is_out() {
    let claim = |world: &Ceremony, mut settlements: Vec<Settlement>| {
        settlements[3].receipts.insert(MinerId(6)).unwrap();
        settlements[3].revealed.clear();
        settlements[3] = resettled(&world.session, settlements[3].clone());
        settlements
    };
    let world = run(honest_dealings, |dealer, recipient| (dealer, recipient) == (3, 6), claim);
    assert_eq!(world.verdict(3), Err(Disqualified::BadReceipts));
    world.finish();
}

#[test]
fn too_many_revealed_shares_disqualify_and_an_honest_dealer_does_not_get_there() {
    // f = 2 of 7: two may be revealed, three may not.
    let lost = |limit: u16| move |dealer, recipient| dealer == 0 && recipient < limit;
    let world = run(honest_dealings, lost(2), honest_settlements);
    assert_eq!(world.verdict(0), Ok(()));
    world.finish();

    let mut world = Ceremony::new(7);
    let dealings = world.dealings();
    world.deal(&dealings, lost(3));
    assert_eq!(
        world.members[0].settle().err(),
        Some(MemberError::WouldRevealTooMuch { missing: 3, allowed: 2 })
    );
    // A dishonest one does it anyway.
    let digest = dealings[0].digest(&world.session);
    let receipts: Vec<Signature> =
        (3..7).map(|i| identity(i).sign(DomainTag::DKG_RECEIPT, &digest)).collect();
    let reckless = Settlement::signed(
        &world.session,
        MinerId(0),
        &identity(0),
        (Signers::from_members(7, (3..7).map(MinerId)).unwrap(), keys::aggregate(&receipts).unwrap()),
        (0..3).map(|i| world.members[0].share_for_tests(MinerId(i))).collect(),
    );
    let settlements = [world.settlements(), vec![reckless]].concat();
    world.settle(&settlements);
    assert_eq!(world.verdict(0), Err(Disqualified::TooManyRevealed { revealed: 3, allowed: 2 }));
    world.finish();
}

#[test]
fn a_dealer_with_two_dealings_is_out_and_its_second_gets_no_receipt() {
    let mut world = Ceremony::new(7);
    let mut dealings = world.dealings();
    dealings.push(member(&world.session, 1, 99).dealing().clone());
    for dealing in &dealings[..7] {
        world.members[0].on_dealing(dealing).unwrap();
    }
    assert_eq!(
        world.members[0].on_dealing(&dealings[7]),
        Err(ShareRefused::SecondDealing { dealer: MinerId(1) }.into())
    );
    let world = run(|_, _| dealings.clone(), |_, _| false, honest_settlements);
    assert_eq!(world.verdict(1), Err(Disqualified::TwoDealings));
    assert_eq!(world.finish().qualified().len(), 6);
}

#[test]
fn a_receipt_counts_for_its_epoch_dealer_dealing_and_recipient_only() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    let receipt = world.members[1].on_dealing(&dealings[0]).unwrap();
    let mut old_world = Ceremony::in_epoch(4, Epoch(7));
    let old_dealing = old_world.dealings()[0].clone();
    let old = old_world.members[1].on_dealing(&old_dealing).unwrap();
    let other_dealer = world.members[1].on_dealing(&dealings[2]).unwrap();
    let other_dealing =
        member(&world.session, 1, 200).on_dealing(member(&world.session, 0, 99).dealing()).unwrap();

    let refused = Err(MemberError::Receipt { recipient: MinerId(1) });
    assert_eq!(world.members[0].on_receipt(receipt.recipient, &receipt), Ok(()));
    assert_eq!(world.members[0].on_receipt(receipt.recipient, &receipt), Ok(()), "again");
    assert_eq!(world.members[0].on_receipt(old.recipient, &old), refused, "of an older epoch");
    assert_eq!(
        world.members[0].on_receipt(other_dealer.recipient, &other_dealer),
        refused,
        "for another dealer"
    );
    let relabelled = Receipt { dealer: MinerId(0), ..other_dealer };
    assert_eq!(world.members[0].on_receipt(relabelled.recipient, &relabelled), refused, "relabelled");
    assert_eq!(
        world.members[0].on_receipt(other_dealing.recipient, &other_dealing),
        refused,
        "for another dealing"
    );
    let misdelivered = Receipt { dealer: MinerId(2), ..receipt };
    assert_eq!(
        world.members[0].on_receipt(misdelivered.recipient, &misdelivered),
        refused,
        "labelled with another dealer"
    );
    let of_another = Receipt { recipient: MinerId(3), ..receipt };
    assert_eq!(
        world.members[0].on_receipt(of_another.recipient, &of_another),
        Err(MemberError::Receipt { recipient: MinerId(3) }),
        "of another recipient"
    );
    let ticket = Receipt { signature: identity(1).sign(DomainTag::DKG_DEALING, &[0; 32]), ..receipt };
    assert_eq!(world.members[0].on_receipt(ticket.recipient, &ticket), refused, "of another domain");
}

#[test]
fn replayed_receipts_do_not_settle() {
    let old = {
        let mut world = Ceremony::in_epoch(7, Epoch(7));
        let dealings = world.dealings();
        world.deal(&dealings, |_, _| false);
        world.settlements()
    };
    let replay = |world: &Ceremony, mut settlements: Vec<Settlement>| {
        settlements[2].aggregate = old[2].aggregate;
        settlements[2] = resettled(&world.session, settlements[2].clone());
        settlements[3].aggregate = settlements[4].aggregate;
        settlements[3] = resettled(&world.session, settlements[3].clone());
        settlements
    };
    let world = run(honest_dealings, |_, _| false, replay);
    assert_eq!(world.verdict(2), Err(Disqualified::BadReceipts), "receipts of an older epoch");
    assert_eq!(world.verdict(3), Err(Disqualified::BadReceipts), "receipts for another dealer");
    world.finish();
}

#[test]
fn nobody_can_disqualify_another_by_a_forged_broadcast() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    let not_authentic = TranscriptError::NotAuthentic { dealer: MinerId(1) };
    let mut forged = dealings[2].clone();
    forged.dealer = MinerId(1);
    assert_eq!(world.members[0].on_dealing(&forged), Err(not_authentic.into()));
    let old = Ceremony::in_epoch(4, Epoch(7)).dealings()[1].clone();
    assert_eq!(world.members[0].on_dealing(&old), Err(not_authentic.into()), "of an older epoch");
    let mut stranger = dealings[1].clone();
    stranger.dealer = MinerId(4);
    assert_eq!(
        world.members[0].on_dealing(&stranger),
        Err(TranscriptError::NotAuthentic { dealer: MinerId(4) }.into())
    );
    world.deal(&dealings, |_, _| false);
    let mut forged = world.settlements()[2].clone();
    forged.dealer = MinerId(1);
    assert_eq!(world.members[0].on_settlement(&forged), Err(not_authentic.into()));
    let settlements = world.settlements();
    world.settle(&settlements);
    assert_eq!(world.verdict(1), Ok(()));
    assert_eq!(world.finish().qualified().len(), 4);
}

#[test]
fn a_polynomial_of_another_degree_is_no_dealing() {
    let mut world = Ceremony::new(7);
    for threshold in [0, 1, 3, 4, 6, 7] {
        let mut dealing = world.dealings()[1].clone();
        dealing.commitments = with_degree(&dealing.commitments, threshold);
        let dealing = resigned(&world.session, dealing);
        let refused = world.members[0].on_dealing(&dealing);
        assert_eq!(refused, Err(TranscriptError::NotAuthentic { dealer: MinerId(1) }.into()), "{threshold}");
        assert!(Dealing::decode(&world.session, &dealing.encode()).is_err());
    }
}

#[test]
fn too_few_dealers_make_no_key() {
    let keep =
        |n: u16| move |_: &Ceremony, d: Vec<Dealing>| d.into_iter().filter(|d| d.dealer.0 < n).collect();
    let settled =
        |n: u16| move |_: &Ceremony, s: Vec<Settlement>| s.into_iter().filter(|s| s.dealer.0 < n).collect();
    run(keep(5), |_, _| false, settled(5)).finish();
    let world = run(keep(4), |_, _| false, settled(4));
    assert_eq!(
        world.members[0].finish().err(),
        Some(TranscriptError::TooFewQualified { qualified: 4, needed: 5 }.into())
    );
}

#[test]
fn a_part_of_a_key_is_no_key() {
    // Miner 5's share of dealing 1 is garbage, and yet its receipt exists: another process signed with its key.
    let cheat = |world: &Ceremony, mut dealings: Vec<Dealing>| {
        dealings[1] = with_wrong_share(&world.session, &dealings[1], 5);
        dealings
    };
    let settle = |world: &Ceremony, mut settlements: Vec<Settlement>| {
        let digest = *world.members[0].transcript().dealing_digest(MinerId(1)).unwrap();
        let receipts: Vec<Signature> =
            (0..7).map(|i| identity(i).sign(DomainTag::DKG_RECEIPT, &digest)).collect();
        settlements.retain(|s| s.dealer != MinerId(1));
        settlements.push(Settlement::signed(
            &world.session,
            MinerId(1),
            &identity(1),
            (Signers::from_members(7, (0..7).map(MinerId)).unwrap(), keys::aggregate(&receipts).unwrap()),
            vec![],
        ));
        settlements
    };
    let world = run(cheat, |_, _| false, settle);
    assert_eq!(world.verdict(1), Ok(()));
    assert!(world.members[0].finish().is_ok(), "the others have their keys");
    assert_eq!(
        world.members[5].finish().err(),
        Some(ShareRefused::Wrong { dealer: MinerId(1) }.into()),
        "six of seven shares are not used as a key"
    );
}

#[test]
fn committees_and_parameters_that_are_not_sound_are_refused() {
    let open = |members, parameters| Session::new(CHAIN, EPOCH, ATTEMPT, parameters, members).err();
    let of_seven = Parameters::new(7, 5, 2, 5).unwrap();
    assert_eq!(of_seven, Parameters::hardened(7).unwrap());
    assert_eq!(open(session_members(7), of_seven), None);
    let of_six = Parameters::hardened(6).unwrap();
    let other = SessionError::OtherParameters { parameters: 6, members: 7 };
    assert_eq!(open(session_members(7), of_six), Some(other));
    assert_eq!(open(vec![], of_six), Some(SessionError::Size { members: 0 }));

    let mirror = Scalar::from_bytes(&identity(2).to_bytes()).unwrap().neg();
    let mirrored = SecretKey::from_scalar(mirror).unwrap();
    for twin in [mirrored, identity(2)] {
        let mut all = session_members(6);
        all.push(session_member(&twin, Some(decryption(6).encryption_key())));
        let shared = SessionError::SharedCoordinate { first: MinerId(2), second: MinerId(6) };
        assert_eq!(open(all, of_seven), Some(shared));
    }
}

/// The members that registered no encryption key keep nobody from dealing: their shares are revealed, and they take them.
#[test]
fn members_without_an_encryption_key_have_their_shares_from_settlements() {
    let mut members = session_members(7);
    for silent in [2, 6] {
        members[silent].encryption = None;
    }
    let parameters = Parameters::hardened(7).unwrap();
    let session = Arc::new(Session::new(CHAIN, EPOCH, ATTEMPT, parameters, members).unwrap());
    assert_eq!(session.sealed_shares(), 5);
    let positions: Vec<_> = session.members().map(|member| session.sealed_position(member)).collect();
    assert_eq!(positions, [Some(0), Some(1), None, Some(2), Some(3), Some(4), None]);
    let members = (0..7).map(|i| member(&session, i, 200)).collect();
    let mut world = Ceremony { session, members };
    let dealings = world.dealings();
    assert!(dealings.iter().all(|dealing| dealing.sealed.len() == 5));
    for dealing in &dealings {
        assert_eq!(Dealing::decode(&world.session, &dealing.encode()).as_ref(), Ok(dealing));
    }
    world.deal(&dealings, |_, _| false);
    let settlements = world.settlements();
    let both = [MinerId(2), MinerId(6)];
    for settlement in &settlements {
        assert_eq!(settlement.revealed().map(|(member, _)| member).collect::<Vec<_>>(), both);
    }
    world.settle(&settlements);
    assert_eq!(world.finish().qualified().len(), 7);
}

#[test]
fn a_member_joins_with_its_registered_keys_only() {
    let session = session(4, EPOCH, ATTEMPT);
    let join = |me: u16, identity, decryption| {
        Member::new(Arc::clone(&session), MinerId(me), identity, decryption, &[0; 32]).err()
    };
    let refused = |me| Some(MemberError::NotMyKeys { member: MinerId(me) });
    assert_eq!(join(0, identity(0), decryption(0)), None);
    assert_eq!(join(0, identity(1), decryption(0)), refused(0));
    assert_eq!(join(0, identity(0), decryption(1)), refused(0));
    assert_eq!(join(4, identity(4), decryption(4)), refused(4));
}

/// A bitmap that has the right number of members, one of them beyond the committee, so that the length is right too.
#[test]
fn a_settlement_names_no_members_beyond_the_committee() {
    let mut world = Ceremony::new(4);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let genuine = world.settlements()[0].encode();
    let bitmap = 6;
    let found = {
        let beyond = |bit: u8| {
            let mut bytes = genuine.clone();
            bytes[bitmap] = bytes[bitmap] & !(bytes[bitmap] & bytes[bitmap].wrapping_neg()) | bit;
            Settlement::decode(&world.session, &bytes)
        };
        let outside = (0..8).map(|bit| 1 << bit).filter(|bit| genuine[bitmap] & bit == 0);
        outside.map(beyond).collect::<Vec<_>>()
    };
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|found| matches!(found, Err(DecodeError::Signers(_)))), "{found:?}");
}

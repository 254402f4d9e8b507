//! The fold over the blocks of a branch: phases, attempts, and what becomes of each item.

use crate::committee::{Epoch, MinerId, Round};
use crate::crypto::dkg::{Attempt, Dealer, Disqualified, Ready, Registration, Settlement};
use crate::crypto::keys::DomainTag;
use crate::epochs::item::{EpochItem, ItemKind, ItemsError};
use crate::epochs::key_generation::{ItemError, ItemRefused, Phase, Progress};

use super::stage::{CHAIN, EPOCH, FIRST, PHASE, Stage, decryption, identity};

fn refused(result: Result<(), ItemError>) -> ItemRefused {
    match result {
        Err(ItemError::Refused { reason, .. }) => reason,
        other => panic!("{other:?} instead of a refused item"),
    }
}

#[test]
fn an_attempt_of_honest_members_completes_a_record_of_all_dealers() {
    for n in [1, 4, 7] {
        let mut stage = Stage::settled(n);
        let all = stage.all();
        let quorum = usize::from(n) - (usize::from(n) - 1) / 3;
        stage.say_ready(&all[..quorum - 1]);
        assert_eq!(stage.progress.record(), None, "{} of {n} are ready", quorum - 1);
        stage.say_ready(&all[quorum - 1..quorum]);
        let record = stage.progress.record().expect("a quorum is ready").clone();
        let content = record.content();
        assert_eq!(content.qualified, all.iter().map(|&i| MinerId(i)).collect::<Vec<_>>());
        assert_eq!((content.epoch, content.attempt), (Epoch(EPOCH.0 + 1), Attempt(0)));
        assert_eq!(stage.progress.phase(), Phase::Complete);
    }
}

#[test]
fn phases_have_the_rounds_of_their_attempt_and_twice_as_many_in_the_next() {
    let mut stage = Stage::new(4);
    let mut seen = Vec::new();
    for _ in 0..FIRST.0 + 9 * PHASE {
        let progress = &stage.progress;
        let here = (progress.attempt().0, progress.phase());
        if seen.last().is_none_or(|(last, _)| *last != here) {
            seen.push((here, progress.next_round().0));
        }
        stage.block(&[]).unwrap();
    }
    let first = FIRST.0;
    // Nobody deals, so that the attempt ends with the phase of settlements.
    let expected = [
        ((0, Phase::Waiting), 41),
        ((0, Phase::Registering), first),
        ((0, Phase::Dealing), first + PHASE),
        ((0, Phase::Settling), first + 2 * PHASE),
        ((1, Phase::Registering), first + 3 * PHASE),
        ((1, Phase::Dealing), first + 5 * PHASE),
        ((1, Phase::Settling), first + 7 * PHASE),
        ((2, Phase::Registering), first + 9 * PHASE),
    ];
    assert_eq!(seen[..8], expected);
}

#[test]
fn a_block_of_another_round_than_the_next_is_refused() {
    let stage = Stage::new(4);
    let expected = stage.progress.next_round();
    for found in [Round(expected.0 - 1), Round(expected.0 + 1)] {
        let refused = stage.progress.after(found, &[]).err();
        assert_eq!(refused, Some(ItemError::Round { found, expected }));
    }
}

#[test]
fn bytes_that_are_no_items_make_a_block_invalid() {
    let stage = Stage::new(4);
    let refused = stage.progress.after(stage.progress.next_round(), &[0]).err();
    assert_eq!(refused, Some(ItemError::Items(ItemsError::UnexpectedEnd { index: 0 })));
}

/// An item that its sender did not sign makes the block invalid in its phase, whatever its kind.
#[test]
fn an_item_that_is_not_signed_makes_a_block_of_its_phase_invalid() {
    let mut stage = Stage::new(4);
    let all = stage.all();
    let spoiled = |item: &EpochItem| {
        let mut bytes = item.as_item().bytes.to_vec();
        // The lowest bit of the signature.
        *bytes.last_mut().unwrap() ^= 1;
        EpochItem::new(item.as_item().kind, bytes).unwrap()
    };
    stage.until(Phase::Registering);
    let item = stage.registration(2);
    assert_eq!(refused(stage.block(&[spoiled(&item)])), ItemRefused::NotSigned);
    stage.register(&all);
    stage.until(Phase::Dealing);
    let item = stage.dealer(2).dealing().into();
    assert!(matches!(refused(stage.block(&[spoiled(&item)])), ItemRefused::Transcript(_)));
    let mut longer = item.as_item().bytes.to_vec();
    longer.push(0);
    let longer = EpochItem::new(ItemKind::Dealing, longer).unwrap();
    assert!(matches!(refused(stage.block(&[longer])), ItemRefused::Transcript(_)));
    stage.deal(&all);
    stage.until(Phase::Settling);
    let item = (&stage.settlement(2, &[])).into();
    assert!(matches!(refused(stage.block(&[spoiled(&item)])), ItemRefused::Transcript(_)));
    stage.settle(&all, &[]);
    stage.until(Phase::Readying);
    let item = stage.ready(2);
    assert_eq!(refused(stage.block(&[spoiled(&item)])), ItemRefused::NotSigned);
    let mut longer = item.as_item().bytes.to_vec();
    longer.pop();
    let shorter = EpochItem::new(ItemKind::Ready, longer).unwrap();
    assert_eq!(refused(stage.block(&[shorter])), ItemRefused::ReadyLength { found: 85, expected: 86 });
}

#[test]
fn an_item_of_a_stranger_makes_a_block_invalid_in_every_phase() {
    let mut stage = Stage::new(4);
    let about = (CHAIN, Epoch(EPOCH.0 + 1), Attempt(0));
    let key = decryption(4).encryption_key();
    let stranger = Registration::new(about, MinerId(4), &identity(4), key, b"").unwrap();
    for phase in [Phase::Waiting, Phase::Registering, Phase::Dealing, Phase::Settling] {
        stage.until(phase);
        let refused = refused(stage.block(&[(&stranger).into()]));
        assert_eq!(refused, ItemRefused::Stranger { members: 4 }, "{phase:?}");
    }
}

/// Late, early, repeated, of another attempt, for another record: the block is valid, and the branch is as if it were empty.
#[test]
fn an_item_out_of_time_changes_nothing() {
    let mut stage = Stage::new(4);
    let all = stage.all();
    let same = |stage: &Stage, item: &EpochItem| {
        let count = stage.progress.counts(item.as_item());
        assert_eq!(count, Ok(false), "{:?} in {:?}", item.as_item().kind, stage.progress.phase());
        let bytes = stage.progress.select([item]);
        assert!(bytes.is_empty(), "a generator leaves it away");
        let mut after = Stage { progress: stage.progress.clone(), n: stage.n };
        after.block(std::slice::from_ref(item)).expect("the block is valid");
    };
    let early = stage.registration(0);
    same(&stage, &early);
    stage.register(&all);
    same(&stage, &early);
    stage.until(Phase::Dealing);
    same(&stage, &early);
    let dealing: EpochItem = stage.dealer(0).dealing().into();
    stage.deal(&all);
    same(&stage, &dealing);
    stage.until(Phase::Settling);
    same(&stage, &dealing);
    let settlement: EpochItem = (&stage.settlement(0, &[])).into();
    stage.settle(&all, &[]);
    same(&stage, &settlement);
    stage.until(Phase::Readying);
    for item in [&early, &dealing, &settlement] {
        same(&stage, item);
    }
    let other = Ready::new(&stage.session(), MinerId(0), &identity(0), [1; 32]);
    same(&stage, &(&other).into());
    let ready = stage.ready(0);
    stage.block(std::slice::from_ref(&ready)).unwrap();
    same(&stage, &ready);
    // The attempt fails; nothing of it counts in the next one.
    stage.until(Phase::Registering);
    assert_eq!(stage.progress.attempt(), Attempt(1));
    same(&stage, &early);
    stage.until(Phase::Dealing);
    same(&stage, &dealing);
    stage.until(Phase::Settling);
    same(&stage, &settlement);
}

#[test]
fn a_registration_serves_the_later_attempts_too() {
    let mut stage = Stage::new(4);
    stage.register(&[0, 1, 2]);
    stage.until(Phase::Settling);
    stage.until(Phase::Registering);
    assert_eq!(stage.progress.attempt(), Attempt(1));
    // Member 3 is still silent: everybody's settlement reveals its share, and it is a member all the same.
    stage.deal(&[0, 1, 2]);
    stage.settle(&[0, 1, 2], &[]);
    assert_eq!(stage.settlement(0, &[]).revealed().map(|(member, _)| member.0).collect::<Vec<_>>(), [3]);
    stage.say_ready(&[0, 1, 2]);
    let record = stage.progress.record().expect("a silent member blocks nothing");
    assert_eq!(record.content().qualified, [0, 1, 2].map(MinerId));
    assert_eq!(record.size(), 4);
}

#[test]
fn the_first_registration_of_an_attempt_counts_and_another_attempt_may_renew_it() {
    let mut stage = Stage::new(4);
    stage.register(&[0]);
    let about = (CHAIN, Epoch(EPOCH.0 + 1), Attempt(0));
    let other = Registration::new(about, MinerId(0), &identity(0), decryption(9).encryption_key(), b"");
    stage.block(&[(&other.unwrap()).into()]).unwrap();
    let key = |stage: &Stage| stage.progress.registration(MinerId(0)).unwrap().encryption.clone();
    assert_eq!(key(&stage), decryption(0).encryption_key());
    stage.until(Phase::Settling);
    stage.until(Phase::Registering);
    let about = (about.0, about.1, Attempt(1));
    let other = Registration::new(about, MinerId(0), &identity(0), decryption(9).encryption_key(), b"");
    stage.block(&[(&other.unwrap()).into()]).unwrap();
    assert_eq!(key(&stage), decryption(9).encryption_key());
}

#[test]
fn dealers_that_contradict_themselves_or_do_not_settle_are_out() {
    let mut stage = Stage::new(7);
    let all = stage.all();
    stage.register(&all);
    stage.deal(&[0, 1, 2, 3, 4, 5, 6]);
    // Dealer 0 deals twice.
    let second = crate::crypto::dkg::Dealer::new(&stage.session(), MinerId(0), identity(0), &[9; 32]);
    let item: EpochItem = second.unwrap().dealing().into();
    assert_eq!(stage.progress.counts(item.as_item()), Ok(true), "it convicts its dealer");
    stage.block(std::slice::from_ref(&item)).unwrap();
    assert_eq!(stage.progress.counts(item.as_item()), Ok(false));
    // Dealer 1 settles twice, dealer 2 does not settle.
    stage.settle(&[0, 1, 3, 4, 5, 6], &[]);
    stage.settle(&[1], &[2]);
    let transcript = stage.progress.transcript().unwrap();
    let verdict = |dealer| transcript.qualifies(MinerId(dealer));
    assert_eq!(verdict(0), Err(Disqualified::TwoDealings));
    assert_eq!(verdict(1), Err(Disqualified::TwoSettlements));
    assert_eq!(verdict(2), Err(Disqualified::NoSettlement));
    // Four are left where five are needed.
    stage.until(Phase::Registering);
    assert_eq!(stage.progress.attempt(), Attempt(1));
}

fn resigned(stage: &Stage, mut settlement: Settlement) -> Settlement {
    let identity = identity(settlement.dealer.0);
    settlement.signature = identity.sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(&stage.session()));
    settlement
}

#[test]
fn a_dealer_whose_settlement_is_wrong_is_out_and_its_generator_is_not_blamed() {
    let mut stage = Stage::new(4);
    let all = stage.all();
    stage.register(&all);
    stage.deal(&all);
    stage.until(Phase::Settling);
    let right = stage.settlement(3, &[0]);
    let mut wrong = right.clone();
    wrong.revealed[0] = wrong.revealed[0].add(&crate::crypto::curve::Scalar::from_u64(1));
    let wrong = resigned(&stage, wrong);
    stage.block(&[(&wrong).into()]).expect("the dealer signed it");
    let verdict = stage.progress.transcript().unwrap().qualifies(MinerId(3));
    assert_eq!(verdict, Err(Disqualified::BadShare));
    stage.settle(&[0, 1, 2], &[]);
    stage.say_ready(&[0, 1, 2]);
    let record = stage.progress.record().expect("a record without the dishonest dealer");
    assert_eq!(record.content().qualified, [0, 1, 2].map(MinerId));
}

#[test]
fn branches_with_the_same_items_in_other_blocks_have_one_record() {
    let first = Stage::record(4);
    let mut stage = Stage::new(4);
    for member in [3, 1, 0, 2] {
        stage.register(&[member]);
    }
    for dealer in [2, 3, 0, 1] {
        stage.deal(&[dealer]);
    }
    for dealer in [1, 0, 3, 2] {
        stage.settle(&[dealer], &[]);
    }
    stage.say_ready(&[3, 2, 1]);
    assert_eq!(stage.progress.record(), Some(&first));
}

/// The digest that ready statements name commits to the settlements, so that a statement of one branch counts for no other record.
#[test]
fn another_settlement_makes_another_record() {
    let first = Stage::record(4);
    let mut stage = Stage::new(4);
    let all = stage.all();
    stage.register(&all);
    stage.deal(&all);
    stage.settle(&[0, 1, 2], &[]);
    stage.settle(&[3], &[0]);
    stage.say_ready(&all);
    let other = stage.progress.record().expect("complete");
    assert_eq!(other.content().coefficients, first.content().coefficients);
    assert_ne!(other.digest(), first.digest());
}

#[test]
fn a_tail_block_has_no_items() {
    let mut stage = Stage::settled(4);
    let ready = stage.ready(3);
    stage.say_ready(&[0, 1, 2]);
    assert!(stage.progress.record().is_some());
    assert_eq!(stage.block(std::slice::from_ref(&ready)), Err(ItemError::Tail));
    assert!(stage.progress.select([&ready]).is_empty());
    stage.block(&[]).expect("an empty block of the tail");
    assert!(stage.progress.record().is_some(), "the record stays");
}

#[test]
fn a_generator_selects_the_items_that_count() {
    let mut stage = Stage::new(4);
    stage.until(Phase::Registering);
    let mut forged = stage.registration(2).as_item().bytes.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = EpochItem::new(ItemKind::Registration, forged).unwrap();
    let offered = [stage.registration(3), forged, stage.registration(1), stage.registration(3)];
    let bytes = stage.progress.select(&offered);
    let after: Progress = stage.progress.after(stage.progress.next_round(), &bytes).expect("a valid block");
    let registered: Vec<u16> = (0..4).filter(|&i| after.registration(MinerId(i)).is_some()).collect();
    assert_eq!(registered, [1, 3]);
}

/// Thresholds come from the members of the plan, whoever answers.
#[test]
fn silent_members_make_no_quorum_smaller() {
    let mut stage = Stage::new(7);
    let five = [0, 1, 2, 3, 4];
    stage.register(&five);
    stage.deal(&five);
    stage.settle(&five, &[]);
    stage.say_ready(&five[..4]);
    assert_eq!(stage.progress.record(), None, "four of seven");
    let mut fewer = Stage::new(7);
    fewer.register(&five);
    fewer.deal(&five[..4]);
    fewer.settle(&five[..4], &[]);
    fewer.until(Phase::Registering);
    assert_eq!(fewer.progress.attempt(), Attempt(1), "four dealers of seven");
}

/// Two branches with two dealings of one dealer: receipts of the one settle nothing on the other.
#[test]
fn a_receipt_for_a_dealing_on_another_branch_settles_nothing() {
    let mut left = Stage::new(4);
    let all = left.all();
    left.register(&all);
    left.deal(&[0, 1, 2]);
    let mut right = Stage { progress: left.progress.clone(), n: 4 };
    left.deal(&[3]);
    let session = left.session();
    let mut other = Dealer::new(&session, MinerId(3), identity(3), &[9; 32]).unwrap();
    right.block(&[other.dealing().into()]).unwrap();
    left.until(Phase::Settling);
    right.until(Phase::Settling);
    // Its own receipt is for the dealing on the right, those of the others for the one on the left.
    let own = right.receipt(3, 3).unwrap();
    for i in 0..3 {
        let receipt = left.receipt(i, 3).unwrap();
        assert!(other.on_receipt(&session, MinerId(i), &receipt).is_err(), "its own dealer refuses it");
    }
    other.on_receipt(&session, MinerId(3), &own).unwrap();
    let shown = left.settlement(3, &[]);
    right.block(&[(&shown).into()]).unwrap();
    let verdict = right.progress.transcript().unwrap().qualifies(MinerId(3));
    assert_eq!(verdict, Err(Disqualified::BadReceipts));
}

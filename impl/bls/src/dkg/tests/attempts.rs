//! A key generation that is repeated in one epoch: nothing of one attempt counts in another, and nobody is blamed for a replay.

use super::*;

const BEFORE: Attempt = Attempt(0);

/// A whole attempt, with every message that was sent in it.
struct Played {
    world: Ceremony,
    dealings: Vec<Dealing>,
    receipts: Vec<Receipt>,
    settlements: Vec<Settlement>,
}

fn play(attempt: Attempt) -> Played {
    play_in(EPOCH, attempt)
}

fn play_in(epoch: Epoch, attempt: Attempt) -> Played {
    let mut world = Ceremony::in_attempt(4, epoch, attempt);
    let dealings = world.dealings();
    let mut witness = member(&world.session, 1, 200);
    let receipts = dealings.iter().map(|dealing| witness.on_dealing(dealing).unwrap()).collect();
    // The receipts of miner 3 are late: its shares are published, as in an attempt that fails.
    world.deal(&dealings, |_, recipient| recipient == 3);
    let settlements = world.settlements();
    world.settle(&settlements);
    Played { world, dealings, receipts, settlements }
}

fn other(sender: u16) -> TranscriptError {
    TranscriptError::OtherAttempt { sender: MinerId(sender), found: BEFORE, expected: ATTEMPT }
}

/// Replays an attempt into the next one and returns whether every message was refused for its attempt. Then the next one goes on.
fn replays_are_refused(old: &Played) -> bool {
    let mut world = Ceremony::in_attempt(4, EPOCH, ATTEMPT);
    let dealings = world.dealings();
    let mut refused = true;
    for dealing in &old.dealings {
        for member in &mut world.members {
            refused &= member.on_dealing(dealing) == Err(other(dealing.dealer.0).into());
        }
    }
    for receipt in &old.receipts {
        let dealer = &mut world.members[usize::from(receipt.dealer.0)];
        refused &= dealer.on_receipt(receipt.recipient, receipt) == Err(other(receipt.recipient.0).into());
    }
    if !refused {
        return false;
    }
    world.deal(&dealings, |_, recipient| recipient == 1);
    for settlement in &old.settlements {
        for member in &mut world.members {
            refused &= member.on_settlement(settlement) == Err(other(settlement.dealer.0).into());
        }
    }
    let settlements = world.settlements();
    // The recorded receipts of miner 1 did not count: every dealer has to reveal its share.
    assert!(settlements.iter().all(|settlement| !settlement.receipts.contains(MinerId(1))));
    world.settle(&settlements);
    assert!((0..4).all(|dealer| world.verdict(dealer) == Ok(())), "a replay blames nobody");
    assert_eq!(world.finish().qualified().len(), 4);
    refused
}

#[test]
fn a_replay_of_an_attempt_is_refused_in_the_next_and_blames_nobody() {
    let old = play(BEFORE);
    assert!(replays_are_refused(&old));
    let refused = other(2).to_string();
    assert_eq!(refused, "a message of miner 2 in attempt 0, where attempt 1 is under way");
}

#[test]
fn a_message_with_the_number_of_another_attempt_is_not_authentic() {
    let old = play(BEFORE);
    let mut world = Ceremony::in_attempt(4, EPOCH, ATTEMPT);
    let (dealing, settlement) = (&old.dealings[2], &old.settlements[2]);
    let not_authentic = TranscriptError::NotAuthentic { dealer: MinerId(2) };
    let dealing = Dealing { attempt: ATTEMPT, ..dealing.clone() };
    assert_eq!(world.members[0].on_dealing(&dealing), Err(not_authentic.into()));
    let receipt = Receipt { attempt: ATTEMPT, ..old.receipts[0] };
    let refused = Err(MemberError::Receipt { recipient: MinerId(1) });
    assert_eq!(world.members[0].on_receipt(receipt.recipient, &receipt), refused);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    let settlement = Settlement { attempt: ATTEMPT, ..settlement.clone() };
    assert_eq!(world.members[0].on_settlement(&settlement), Err(not_authentic.into()));
}

/// The same attempt of the next epoch, by the same members: no message of one counts in the other.
#[test]
fn a_message_of_another_epoch_is_not_authentic() {
    let old = play_in(Epoch(EPOCH.0 + 1), ATTEMPT);
    let mut world = Ceremony::in_attempt(4, EPOCH, ATTEMPT);
    let not_authentic = TranscriptError::NotAuthentic { dealer: MinerId(2) };
    assert_eq!(world.members[0].on_dealing(&old.dealings[2]), Err(not_authentic.into()));
    let refused = Err(MemberError::Receipt { recipient: MinerId(1) });
    assert_eq!(world.members[0].on_receipt(MinerId(1), &old.receipts[0]), refused);
    let dealings = world.dealings();
    world.deal(&dealings, |_, _| false);
    assert_eq!(world.members[0].on_settlement(&old.settlements[2]), Err(not_authentic.into()));
}

#[test]
fn one_seed_makes_other_secrets_in_every_attempt() {
    let (old, new) = (play(BEFORE), play(ATTEMPT));
    for (old, new) in old.dealings.iter().zip(&new.dealings) {
        assert_ne!(old.commitments, new.commitments);
        assert!(old.sealed.iter().zip(&new.sealed).all(|(old, new)| old != new));
    }
    let (old, new) = (old.world.finish(), new.world.finish());
    assert_ne!(old.key().group(), new.key().group());
}

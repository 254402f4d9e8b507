//! Whole key generations of participants, most of them honest.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::block::Digest;
use crate::committee::MinerId;
use crate::crypto::dkg::Attempt;
use crate::epochs::key_generation::{Entry, Output, Participant, ParticipantError, Phase, Secret};
use crate::epochs::lies::Lie;

use super::stage::identity;
use super::world::{Crash, PHASE, Setup, World};

/// Rounds of the first attempt.
const ATTEMPT: u64 = 4 * PHASE;

fn dealers(members: impl IntoIterator<Item = u16>) -> Vec<MinerId> {
    members.into_iter().map(MinerId).collect()
}

#[test]
fn honest_members_end_with_keys_in_the_first_attempt() {
    for n in [1, 4, 7, 16] {
        let record = World::new(Setup::new(n)).run(ATTEMPT + 4);
        assert_eq!(record.content().attempt, Attempt(0));
        assert_eq!(record.content().qualified, dealers(0..n), "n = {n}");
    }
}

#[test]
fn f_silent_members_keep_nobody_from_making_a_key() {
    for (n, silent) in [(4, &[2][..]), (7, &[0, 6]), (16, &[1, 4, 5, 9, 15])] {
        let liars: Vec<_> = silent.iter().map(|&i| (i, Lie::Silent)).collect();
        let record = World::new(Setup::lying(n, &liars)).run(ATTEMPT + 4);
        assert_eq!(record.content().attempt, Attempt(0), "n = {n}");
        let expected = dealers((0..n).filter(|i| !silent.contains(i)));
        assert_eq!(record.content().qualified, expected, "n = {n}");
        assert_eq!(record.size(), usize::from(n), "they are members all the same");
    }
}

const LIES: [Lie; 13] = Lie::all(1);

#[test]
fn each_lie_ends_in_a_record_without_its_dealer_or_does_no_harm() {
    for lie in LIES {
        let record = World::new(Setup::lying(4, &[(3, lie)])).run(ATTEMPT + 4);
        assert_eq!(record.content().attempt, Attempt(0), "{lie:?}");
        let qualified = record.content().qualified.contains(&MinerId(3));
        assert_eq!(qualified, !lie.disqualifies(), "{lie:?}");
        assert!(record.content().qualified.starts_with(&dealers(0..3)), "{lie:?}");
    }
}

#[test]
fn two_liars_of_seven_do_no_more() {
    for (number, lie) in LIES.into_iter().enumerate() {
        let other = LIES[(number + 5) % LIES.len()];
        let record = World::new(Setup::lying(7, &[(2, lie), (5, other)])).run(ATTEMPT + 4);
        let expected: Vec<u16> =
            (0..7).filter(|&i| !(i == 2 && lie.disqualifies() || i == 5 && other.disqualifies())).collect();
        assert_eq!(record.content().qualified, dealers(expected), "{lie:?} and {other:?}");
    }
}

#[test]
fn lost_messages_are_sent_again() {
    for loss in [10, 30, 50] {
        World::new(Setup { loss, ..Setup::new(4) }).run(16 * ATTEMPT);
    }
    World::new(Setup { loss: 30, ..Setup::lying(7, &[(1, Lie::NoReceipts), (3, Lie::Silent)]) })
        .run(16 * ATTEMPT);
}

/// No item comes into a block for most of the first attempt: it fails, and the next one makes the key with other secrets.
#[test]
fn a_failed_attempt_is_followed_by_one_that_makes_the_key() {
    for blocked in [PHASE..2 * PHASE, 2 * PHASE..3 * PHASE, 3 * PHASE..4 * PHASE, 0..2 * PHASE] {
        let record = World::new(Setup { blocked: blocked.clone(), ..Setup::new(4) }).run(3 * ATTEMPT + 4);
        assert_eq!(record.content().attempt, Attempt(1), "{blocked:?}");
        assert_eq!(record.content().qualified, dealers(0..4));
    }
    let record = World::new(Setup { blocked: 0..3 * ATTEMPT, ..Setup::new(4) }).run(8 * ATTEMPT);
    assert!(record.content().attempt >= Attempt(2));
}

/// More than `f` members are silent in the first attempt. It fails without a deadlock, and they are not barred from the next.
#[test]
fn members_that_were_down_in_an_attempt_take_part_in_the_next() {
    let down = vec![(1, 0..ATTEMPT - PHASE), (2, 0..ATTEMPT - PHASE)];
    let record = World::new(Setup { down, ..Setup::new(4) }).run(3 * ATTEMPT + 4);
    assert_eq!(record.content().attempt, Attempt(1));
    assert_eq!(record.content().qualified, dealers(0..4), "nobody is barred for being late");
}

/// One member goes down in the middle of one phase and is back in the middle of another one, or of the next attempt. It ends with its
/// key share, and so do the others. A member reads every final block again, a joiner the last one only.
#[test]
fn a_member_may_be_down_from_any_phase_to_any_other() {
    for jumps in [false, true] {
        for from in 0..4 {
            for to in from..6 {
                let rounds = from * PHASE + PHASE / 2..to * PHASE + PHASE / 2 + 1;
                let setup = Setup { jumps, down: vec![(2, rounds.clone())], ..Setup::new(4) };
                let record = World::new(setup).run(3 * ATTEMPT);
                assert_eq!(record.content().attempt, Attempt(0), "down in {rounds:?}");
            }
        }
    }
}

/// The same beside a member that is silent for ever: then the attempt may fail, and the next one does not.
#[test]
fn a_member_may_be_down_beside_a_silent_one() {
    for from in 0..4 {
        for to in from..6 {
            let rounds = from * PHASE + PHASE / 2..to * PHASE + PHASE / 2 + 1;
            let setup = Setup { down: vec![(2, rounds.clone())], ..Setup::lying(4, &[(0, Lie::Silent)]) };
            let record = World::new(setup).run(4 * ATTEMPT);
            assert!(record.content().attempt <= Attempt(1), "down in {rounds:?}");
        }
    }
}

/// A member crashes before each of its outputs in turn, with its writes on the disk or not, and is back at once or a phase later.
#[test]
fn a_member_may_crash_before_each_of_its_outputs() {
    let mut honest = World::new(Setup::new(4));
    honest.run(ATTEMPT + 4);
    let outputs = honest.outputs[1];
    assert!(outputs > 12, "{outputs} outputs");
    let mut attempts = BTreeSet::new();
    for before_output in 0..outputs {
        for (writes_survive, rounds) in [(true, 1), (false, PHASE)] {
            let crash = Crash { member: 1, before_output, writes_survive, rounds };
            let mut world = World::new(Setup { crash: Some(crash), ..Setup::new(4) });
            attempts.insert(world.run(3 * ATTEMPT).content().attempt);
        }
    }
    assert_eq!(attempts.into_iter().collect::<Vec<_>>(), [Attempt(0)], "one slow member stops nothing");
}

/// The same where each member counts: one is silent, so that the attempt fails if the crash comes at the wrong time.
#[test]
fn a_member_that_counts_may_crash_before_each_of_its_outputs() {
    let setup = || Setup::lying(4, &[(0, Lie::Silent)]);
    let mut honest = World::new(setup());
    honest.run(ATTEMPT + 4);
    for before_output in 0..honest.outputs[1] {
        for (writes_survive, rounds) in [(false, 1), (true, PHASE)] {
            let crash = Crash { member: 1, before_output, writes_survive, rounds };
            World::new(Setup { crash: Some(crash), ..setup() }).run(3 * ATTEMPT);
        }
    }
}

/// A dealer has settled with the receipts of all, and crashes. It comes back to a network that brings no receipt, late in the phase: what
/// it settles is what it wrote.
#[test]
fn a_dealer_that_restarts_sends_the_settlement_that_it_wrote() {
    let mut world = World::new(Setup { blocked: 2 * PHASE..3 * PHASE, ..Setup::new(4) });
    let written = |world: &World| {
        let entries = &world.disks[1].entries;
        entries.iter().find_map(|entry| match entry {
            Entry::Settlement { settlement, .. } => Some(settlement.clone()),
            Entry::Secrets { .. } | Entry::Share { .. } | Entry::KeyShare { .. } => None,
        })
    };
    while written(&world).is_none() || world.now() < 3 * PHASE - 2 {
        assert!(world.now() < 3 * PHASE, "it settles in the first attempt");
        world.round();
    }
    let late = world.chain.last().expect("a chain");
    assert_eq!(late.phase(), Phase::Settling);
    let plan = Arc::clone(late.plan());
    let mut back = Participant::recover(plan, identity(1), b"here", &world.disks[1].entries).unwrap();
    let sent = back.on_final(late).into_iter().find_map(|output| match output {
        Output::Item(item) => Some(item),
        _ => None,
    });
    let sent = sent.expect("its settlement");
    assert_eq!(Some(sent.as_item().bytes.to_vec()), written(&world));
}

/// No ready statement comes into a block, and a member goes down after it has said that it is ready: its secrets are still there for
/// the next attempt.
#[test]
fn an_attempt_that_fails_after_ready_statements_costs_nobody_its_secrets() {
    let ready = 3 * PHASE..4 * PHASE;
    let down = vec![(1, ready.start + PHASE / 2..ready.end - 1)];
    let record = World::new(Setup { blocked: ready, down, ..Setup::new(4) }).run(3 * ATTEMPT + 4);
    assert_eq!(record.content().attempt, Attempt(1));
    assert_eq!(record.content().qualified, dealers(0..4));
}

/// A member with another disk is a member all the same. In that attempt it does not deal, and takes the shares that are revealed.
#[test]
fn a_member_that_lost_its_disk_contradicts_nothing() {
    for lost in [PHASE / 2, PHASE + PHASE / 2, 2 * PHASE + PHASE / 2] {
        let mut world = World::new(Setup { down: vec![(1, lost..lost + 2)], ..Setup::new(7) });
        while world.now() < lost + 1 {
            world.round();
        }
        world.disks[1].entries.clear();
        // It has no share where its dealers have its receipts; then it has no keys, and the others have theirs.
        world.may_have_no_share = Some(1);
        world.run_but(&[1], 3 * ATTEMPT);
    }
}

#[test]
fn who_is_no_member_or_has_no_journal_does_not_take_part() {
    let world = World::new(Setup::new(4));
    let plan = Arc::clone(world.chain[0].plan());
    let entropy = Secret::new([1; 32]);
    let begin = |i, endpoint: &[u8]| Participant::new(Arc::clone(&plan), identity(i), endpoint, &entropy);
    assert_eq!(begin(9, b"").err(), Some(ParticipantError::NoMember));
    assert_eq!(begin(0, &[0; 65]).err(), Some(ParticipantError::Endpoint { bytes: 65 }));
    let recover =
        |entries: &[Entry]| Participant::recover(Arc::clone(&plan), identity(0), b"", entries).err();
    assert_eq!(recover(&[]), Some(ParticipantError::NoSecrets));
    let damaged =
        Entry::KeyShare { attempt: Attempt(0), record: Digest([0; 32]), share: Secret::new([0xff; 32]) };
    assert_eq!(recover(&[damaged]), Some(ParticipantError::Damaged));
}

#[test]
fn nothing_leaves_before_the_secrets_are_durable() {
    let world = World::new(Setup::new(4));
    let plan = Arc::clone(world.chain[0].plan());
    let entropy = Secret::new([1; 32]);
    let (mut member, outputs) = Participant::new(plan, identity(0), b"here", &entropy).unwrap();
    let [Output::Append { write, .. }] = outputs[..] else { panic!("{outputs:?}") };
    let mut progress = world.chain[0].clone();
    while progress.phase() != Phase::Registering {
        progress = progress.after(progress.next_round(), &[]).unwrap();
    }
    assert!(member.on_final(&progress).is_empty(), "its secrets are not written");
    assert!(matches!(member.on_stored(write)[..], [Output::Item(_)]), "its registration");
    assert!(member.on_stored(write).is_empty(), "a write is confirmed once");
}

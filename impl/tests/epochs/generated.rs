//! Committees that generate the keys of the next one on their chain.

use std::collections::BTreeMap;

use zus_bpp::committee::{Epoch, MinerId};
use zus_bpp::crypto::dkg::{Attempt, Receipt};
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::generated::{BlsSignatures, MockSignatures};
use zus_bpp::epochs::item::{EpochItem, ItemKind};
use zus_bpp::epochs::key_generation::Phase;
use zus_bpp::epochs::lies::Lie;
use zus_bpp::epochs::replica::Part;
use zus_bpp::limits::MAX_ITEMS_OF_MEMBER;
use zus_sim::epochs::{GeneratedWorld, KeysMade, Mistake, Setup};
use zus_sim::timed::Links;

use super::{ends, parts};

type World = GeneratedWorld<MockSignatures>;

/// Four members, of whom one is exchanged from epoch to epoch; a sharder.
fn setup(epochs: u16, seed: u64) -> Setup {
    let mut setup = Setup::new(Setup::exchanging(4, 1, epochs), 1, 2, seed);
    setup.phase_rounds = 8;
    setup
}

fn ends_well(setup: Setup) -> World {
    let mut world = World::generated(setup, MockSignatures);
    ends(&mut world, 3, 400_000);
    world
}

fn keys(world: &World, epoch: u64) -> &KeysMade {
    &world.observer.keys[&Epoch(epoch)]
}

fn excluded(world: &World, epoch: u64) -> Vec<u16> {
    keys(world, epoch).excluded.iter().map(|(place, _)| *place).collect()
}

#[test]
fn each_committee_makes_the_keys_of_the_next_one() {
    let world = ends_well(setup(3, 1));
    for epoch in [2, 3] {
        assert_eq!((keys(&world, epoch).attempt, excluded(&world, epoch)), (0, vec![]), "epoch {epoch}");
    }
    let members = parts(&world, 3).into_iter().filter(|(_, part)| *part == Part::Member);
    assert_eq!(members.map(|(node, _)| node).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(world.observer.refused.is_empty(), "{:?}", world.observer.refused);
}

#[test]
fn the_keys_sign_on_bls() {
    let mut world = GeneratedWorld::generated(setup(2, 1), BlsSignatures);
    ends(&mut world, 3, 200_000);
    assert_eq!(world.observer.keys[&Epoch(2)].excluded, []);
}

/// Dealers that lie, one in each committee and each in another way; messages are lost; members, joiners and the sharder are killed.
fn rough(seed: u64) -> Setup {
    let mut setup = setup(6, seed);
    setup.phase_rounds = 12;
    setup.lies = vec![(0, Lie::TwoDealings), (4, Lie::TwoSettlements), (8, Lie::WrongRevealed(1))];
    setup.links = Links { loss: 50, bytes: true, ..Links::RELIABLE };
    let killed = [(2, 5_000), (5, 9_000), (9, 14_000), (6, 35_000), (7, 52_000), (3, 60_000), (8, 70_000)];
    setup.away = killed.map(|(node, at)| (node, at, at + 2_000)).to_vec();
    setup
}

#[test]
fn byzantine_dealers_losses_and_kills_end_on_one_chain_and_one_seed_is_one_run() {
    let run = |seed| {
        let world = ends_well(rough(seed));
        let heads: BTreeMap<u16, _> =
            (0..10).filter_map(|node| Some((node, world.observer.head(node)?.id()))).collect();
        (heads, world.observer.keys.clone(), world.now, world.sent)
    };
    let (heads, made, now, sent) = run(1);
    assert_eq!(made.len(), 5, "{made:?}");
    let first = |epoch| made[&Epoch(epoch)].excluded.first().cloned();
    assert_eq!(first(2), Some((3, "two different settlements".to_owned())));
    assert_eq!(first(6), Some((3, "a wrong share revealed".to_owned())));
    assert_eq!((heads, made, now, sent), run(1));
}

#[test]
fn each_lie_of_a_joiner_ends_in_a_key_without_its_dealing_or_does_no_harm() {
    for lie in Lie::all(1) {
        let mut setup = setup(2, 3);
        setup.lies = vec![(4, lie)];
        let world = ends_well(setup);
        let expected: &[u16] = if lie.disqualifies() { &[3] } else { &[] };
        assert_eq!((keys(&world, 2).attempt, excluded(&world, 2).as_slice()), (0, expected), "{lie:?}");
    }
}

/// A control: with more than `f` dealers that settle nothing no attempt ends in a key, and the check says so.
#[test]
fn with_too_many_byzantine_dealers_the_epoch_does_not_end() {
    let mut setup = setup(2, 3);
    setup.lies = vec![(3, Lie::NoSettlement), (4, Lie::NoSettlement)];
    let mut world = World::generated(setup, MockSignatures);
    assert!(!world.run_to_the_end(1, 60_000));
    assert!(world.observer.keys.is_empty());
    assert!(world.observer.violations.is_empty(), "nothing unsafe: {:?}", world.observer.violations);
    let attempt = world.replica(1).expect("it runs").progress().attempt();
    assert!(attempt > Attempt(0), "failed attempts are followed by others");
}

/// A control: hosts that confirm writes of secrets and never make them. A member that crashes has no key share, and the check says so.
#[test]
fn secrets_that_were_never_written_are_missed() {
    let run = |mistake| {
        let mut setup = setup(2, 3);
        setup.mistake = mistake;
        let mut world = World::generated(setup, MockSignatures);
        assert!(world.run_to_the_end(3, 200_000));
        world.stop(2);
        world.restart(2);
        world.run(3_000);
        world.observer.violations
    };
    assert_eq!(run(None), [].into());
    let violations = run(Some(Mistake::JournalNotWritten));
    assert_eq!(violations, ["E5 share: node 2 enters epoch 2 without its key share".to_owned()].into());
}

/// More than `f` members of the next committee are away in the first attempt: it fails, and the next one makes the key.
#[test]
fn a_failed_attempt_is_followed_by_one_that_makes_the_key() {
    let mut setup = Setup::new(Setup::exchanging(4, 2, 2), 1, 2, 5);
    setup.phase_rounds = 12;
    setup.away = vec![(4, 0, 16_000), (5, 0, 16_000)];
    let world = ends_well(setup);
    assert_eq!((keys(&world, 2).attempt, excluded(&world, 2)), (1, vec![]));
}

/// A joiner is away during the whole key generation. Its shares were revealed, so that it signs all the same.
#[test]
fn a_joiner_that_was_away_has_its_key_share_from_the_chain() {
    let mut setup = setup(2, 5);
    setup.away = vec![(4, 0, 25_000)];
    let world = ends_well(setup);
    assert_eq!(excluded(&world, 2), [3], "it did not deal");
    assert_eq!(parts(&world, 2)[&4], Part::Member);
}

/// A member of both committees, and a joiner, crash in the middle of the steps of a whole epoch, at one after the other.
#[test]
fn a_member_crashes_at_steps_of_its_key_generation() {
    for node in [2, 4] {
        let mut whole = World::generated(setup(2, 7), MockSignatures);
        while whole.observer.handovers.get(&Epoch(2)).is_none_or(|handover| handover.nodes.len() < 6) {
            whole.run(100);
        }
        let steps = whole.steps(node);
        for part in 0..6 {
            let mut setup = setup(2, 7);
            setup.kill_at_step = Some((node, 1 + steps * part / 6 + part, 600));
            let world = ends_well(setup);
            assert_eq!(keys(&world, 2).attempt, 0, "part {part} of node {node}");
        }
    }
}

/// The same at every other step from the last round of the key generation to the beginning of the next epoch: nothing of that epoch is durable
/// before the key share is.
#[test]
fn a_member_crashes_at_every_other_step_of_the_boundary() {
    let short = || {
        let mut setup = setup(2, 7);
        // Writes to the disk take their time, so that there are crashes before each of them.
        setup.flush = 40;
        setup
    };
    for node in [2, 4] {
        let mut world = World::generated(short(), MockSignatures);
        let mut first = 0;
        while world.replica(node).expect("it runs").epoch() == Epoch(1) {
            if world.replica(node).is_some_and(|replica| replica.progress().phase() < Phase::Complete) {
                first = world.steps(node);
            }
            world.run(5);
            assert!(world.now.0 < 60_000, "no handover");
        }
        let steps = first.saturating_sub(6)..world.steps(node) + 1;
        assert!(steps.end - steps.start > 8, "{steps:?}");
        for step in steps.step_by(2) {
            let mut setup = short();
            setup.kill_at_step = Some((node, step, 300));
            let world = ends_well(setup);
            assert_eq!(parts(&world, 2)[&node], Part::Member, "step {step} of node {node}");
        }
    }
}

/// A member crashes when its shares were on their way to the disk, and is back when dealings count no more. It opens them again: the
/// dealings are on the chain.
#[test]
fn a_member_that_lost_its_shares_opens_them_again() {
    let mut world = World::generated(setup(2, 4), MockSignatures);
    until(&mut world, Phase::Readying);
    world.stop(2);
    // Its secrets come first.
    world.lose_entries(2, Epoch(2), 1);
    world.restart(2);
    ends(&mut world, 3, 100_000);
    assert_eq!((excluded(&world, 2), parts(&world, 2)[&2]), (vec![], Part::Member));
}

/// A joiner has no place in the epoch in which it generates its key. It is told of final blocks all the same, and need not ask for them.
#[test]
fn a_joiner_is_as_far_as_the_members() {
    let mut world = World::generated(setup(2, 6), MockSignatures);
    let mut behind = 0;
    while world.now.0 < 8_000 {
        world.run(25);
        let head = |node| world.replica(node).expect("it runs").finalized().round().0;
        behind = behind.max((0..4).map(head).max().unwrap_or(0).saturating_sub(head(4)));
    }
    assert!(behind <= 2, "{behind} rounds behind");
}

fn until(world: &mut World, phase: Phase) {
    while world.replica(0).expect("it runs").progress().phase() < phase {
        world.run(20);
        assert!(world.now.0 < 60_000, "{phase:?} never comes");
    }
}

fn item(kind: ItemKind, sender: u16, mark: u8, length: usize) -> Envelope<zus_bpp::epochs::record::Record> {
    let mut bytes = [&0_u32.to_be_bytes()[..], &sender.to_be_bytes(), &[mark]].concat();
    bytes.resize(length, 0);
    Envelope::Item { epoch: Epoch(1), item: EpochItem::new(kind, bytes).expect("a length of the kind") }
}

/// The refusals of node 0 of messages of node 4, the joiner, in the order of the reasons.
fn refused(world: &mut World) -> Vec<String> {
    let reasons = world.observer.refused.remove(&(0, 4)).unwrap_or_default();
    reasons.into_iter().map(|(reason, times)| format!("{times}: {reason}")).collect()
}

#[test]
fn bad_items_and_receipts_are_refused_with_the_reason() {
    let mut world = World::generated(setup(2, 9), MockSignatures);
    until(&mut world, Phase::Registering);
    // Node 4 has place 3 in the next committee. The phase of its item has not begun, so that it waits: so many, and no more.
    for mark in 0..=MAX_ITEMS_OF_MEMBER as u8 {
        world.deliver(4, 0, &item(ItemKind::Dealing, 3, mark, 400));
        world.deliver(4, 0, &item(ItemKind::Dealing, 3, 0, 400));
    }
    world.run(5);
    assert_eq!(refused(&mut world), ["1: there is no room for an epoch item, a Dealing"]);
    world.deliver(4, 0, &item(ItemKind::Dealing, 2, 0, 400));
    world.deliver(4, 0, &item(ItemKind::Dealing, 9, 0, 400));
    // It is faulty, and is heard no more for a while.
    world.deliver(4, 0, &item(ItemKind::Dealing, 9, 1, 400));
    world.run(5);
    assert_eq!(
        refused(&mut world),
        [
            "1: an epoch item, a Dealing that names miner 2 as its sender, is not that node's",
            "1: an epoch item, a Dealing that names miner 9 as its sender, is not that node's",
        ]
    );
    // Those that waited are found out when they can be checked, and hold up nobody.
    until(&mut world, Phase::Dealing);
    let found = refused(&mut world);
    assert!(found.iter().all(|reason| reason.contains("a Dealing, is refused")), "{found:?}");
    assert!(!found.is_empty());
    world.run(1_500);
    let receipt = |recipient, dealer| Envelope::Receipt {
        epoch: Epoch(1),
        receipt: Receipt {
            attempt: Attempt(0),
            dealer: MinerId(dealer),
            recipient: MinerId(recipient),
            signature: Signature([1; 48]),
        },
    };
    world.deliver(4, 1, &receipt(3, 0));
    world.deliver(4, 1, &receipt(0, 0));
    // Node 0 is no member of the next committee.
    world.deliver(4, 0, &receipt(3, 0));
    world.deliver(4, 0, &item(ItemKind::Registration, 3, 0, 100));
    world.deliver(4, 0, &item(ItemKind::Dealing, 3, 7, 400));
    world.run(5);
    let found = refused(&mut world);
    let late = "1: an epoch item, a Registration of attempt 0, comes too late";
    assert!(found.contains(&late.to_owned()), "{found:?}");
    assert!(found.contains(&"1: a receipt for a node that makes no dealing".to_owned()), "{found:?}");
    assert!(found.iter().any(|reason| reason.contains("a Dealing, is refused")), "{found:?}");
    let of_member = world.observer.refused.remove(&(1, 4)).unwrap_or_default();
    let of_member: Vec<String> = of_member.into_keys().collect();
    assert!(
        of_member.contains(&"a receipt that names miner 0 as its sender is not that node's".to_owned()),
        "{of_member:?}"
    );
    assert!(
        of_member.contains(&"a receipt: the receipt of miner 3 is not for this dealing".to_owned()),
        "{of_member:?}"
    );
    ends(&mut world, 3, 100_000);
    assert_eq!(keys(&world, 2).attempt, 0);
}

#[test]
fn items_and_receipts_are_read_back() {
    use zus_bpp::wire::{WireError, from_bytes, to_bytes};
    let of_item = item(ItemKind::Settlement, 3, 1, 200);
    let receipt = Receipt {
        attempt: Attempt(7),
        dealer: MinerId(1),
        recipient: MinerId(2),
        signature: Signature([3; 48]),
    };
    let of_receipt = Envelope::Receipt { epoch: Epoch(5), receipt };
    for envelope in [of_item, of_receipt] {
        let bytes = to_bytes(&envelope);
        assert_eq!(from_bytes(&bytes), Ok(envelope.clone()));
        for length in 0..bytes.len() {
            assert!(
                from_bytes::<Envelope<zus_bpp::epochs::record::Record>>(&bytes[..length]).is_err(),
                "{length}"
            );
        }
    }
    // The kind of the item is behind version, tag and epoch; its length comes next.
    let bytes = to_bytes(&item(ItemKind::Ready, 3, 1, 86));
    let mut other = bytes.clone();
    other[10] = 9;
    let read = |bytes: &[u8]| from_bytes::<Envelope<zus_bpp::epochs::record::Record>>(bytes).map(drop);
    assert_eq!(read(&other), Err(WireError::UnknownTag { field: "kind of epoch item", found: 9 }));
    let mut other = bytes;
    other[11] = 1;
    assert!(matches!(read(&other), Err(WireError::TooLong { field: "epoch item", .. })));
}

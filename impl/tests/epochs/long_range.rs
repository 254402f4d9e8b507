//! E8: a committee turns Byzantine after its handoff, when no member of it is left, and signs another history. A node that has stored the
//! handoff, or has a checkpoint of it, keeps its head. One without a checkpoint cannot know better.

use zus_bpp::committee::{Epoch, Round};
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::generated::MockSignatures;
use zus_bpp::epochs::record::Record;
use zus_sim::epochs::{GeneratedNetwork, GeneratedWorld, Setup, WorldOf};

type World = GeneratedWorld<MockSignatures>;

/// A node without a checkpoint, and one with it.
const WITHOUT: u16 = 12;
const WITH: u16 = 13;

/// Three committees without a common member, and the two nodes, which are away.
fn setup() -> Setup {
    let mut setup = Setup::new(Setup::exchanging(4, 4, 3), 0, 4, 11);
    setup.phase_rounds = 12;
    setup.nodes = 14;
    setup.away = vec![(WITHOUT, 0, u64::MAX), (WITH, 0, u64::MAX)];
    setup
}

/// Another history of the first epoch, signed with the genuine keys of its committee: the same network with other delays.
fn forged() -> WorldOf<GeneratedNetwork<MockSignatures>> {
    let mut setup = setup();
    let network = GeneratedNetwork::new(MockSignatures, &setup);
    setup.seed += 1;
    let mut world = World::new(setup, network);
    while world.replica(0).expect("it runs").finalized().round() < Round(12) {
        world.run(50);
    }
    assert_eq!(world.replica(0).expect("it runs").epoch(), Epoch(1));
    world
}

#[test]
fn e8_who_has_a_checkpoint_keeps_its_head_when_an_old_committee_turns_byzantine() {
    let forged = forged();
    let history: Vec<Envelope<Record>> =
        [0, 4, 8].into_iter().filter_map(|after| forged.stored(0, Epoch(1), Round(after))).collect();
    assert_eq!(history.len(), 3);

    let mut world = World::generated(setup(), MockSignatures);
    assert!(world.run_to_the_end_of(&[4, 5, 6, 7, 8, 9, 10, 11], 3, 200_000), "no member of C(1) is left");
    let genuine: Vec<_> = world.observer.chain().map(|block| (block.round(), block.id())).collect();
    // The members of the first committee have left. Somebody has bought their keys.
    for node in 0..4 {
        world.stop(node);
        world.turns(node);
    }
    let checkpoint = world.beginnings(8).iter().find(|beginning| beginning.record.epoch() == Epoch(3));
    world.replace(WITH, checkpoint.expect("it is in the last epoch").clone());
    world.run(3_000);
    let heads = |world: &World| {
        let known = [8, WITH].map(|node| world.observer.head(node).expect("a head").clone());
        assert!(known.iter().all(|head| head.header().epoch == Epoch(3)), "{known:?}");
        known.map(|head| head.round())
    };
    let before = heads(&world);
    world.restart(WITHOUT);
    for _ in 0..20 {
        for envelope in &history {
            for (from, to) in (0..4).flat_map(|from| [8, WITH, WITHOUT].map(|to| (from, to))) {
                world.deliver(from, to, envelope);
            }
        }
        world.run(200);
    }
    // With a checkpoint, or with the handoff: the chain has gone on, and every block of before is still there.
    let after = heads(&world);
    assert!(after[0] > before[0] && after[1] > before[1], "{before:?} {after:?}");
    for (round, block) in &genuine {
        let now = world.observer.chain().find(|known| known.round() == *round).map(|known| known.id());
        assert_eq!(now, Some(*block), "round {round}");
    }
    // Without: it is misled, and that is what E8 says.
    let misled = world.observer.head(WITHOUT).expect("it has a head");
    assert_eq!(misled.header().epoch, Epoch(1));
    assert!(misled.round() >= Round(8), "round {}", misled.round());
    assert!(
        genuine.iter().all(|(_, block)| *block != misled.id()),
        "its head is a block that nobody else has"
    );
    let violations = &world.observer.violations;
    assert!(!violations.is_empty());
    for violation in violations {
        assert!(
            violation.starts_with(&format!("E3: node {WITHOUT} finalized another block")),
            "{violations:?}"
        );
    }
}

//! Dishonest miners, partitions and bad networks, one at a time.

use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::miner::Milestone;
use zus_bpp::rules::Rules;

use zus_sim::Byzantine;
use zus_sim::timed::{Disturbance, Links, Setup, World};

/// Runs a setup to a height, safely.
fn survives(setup: &Setup, height: usize) -> World<zus_bpp::crypto::mock_scheme::MockScheme> {
    let mut world = World::mock(setup);
    let done = world.run_to_height(height, 120_000);
    assert!(done, "only {} blocks after {} ms: {setup:?}", world.observer.lowest(), world.now.0);
    world.assert_safe();
    world
}

#[test]
fn each_kind_of_dishonest_miner_at_each_place() {
    for kind in Byzantine::ALL {
        for place in 0..4 {
            let mut setup = Setup::new(4, Rules::HARDENED, 10 + u64::from(place));
            setup.byzantine = vec![(place, kind)];
            survives(&setup, 8);
        }
    }
}

#[test]
fn two_of_seven_of_different_kinds() {
    for (seed, first) in Byzantine::ALL.into_iter().enumerate() {
        for second in Byzantine::ALL {
            let mut setup = Setup::new(7, Rules::HARDENED, seed as u64);
            setup.byzantine = vec![(1, first), (5, second)];
            survives(&setup, 4);
        }
    }
}

#[test]
fn five_of_sixteen() {
    let mut setup = Setup::new(16, Rules::HARDENED, 3);
    setup.byzantine = [0, 3, 6, 9, 12].into_iter().zip(Byzantine::ALL).collect();
    survives(&setup, 6);
}

#[test]
fn a_silent_generator_is_passed_by_the_next_rank() {
    let mut setup = Setup::new(4, Rules::HARDENED, 4);
    setup.byzantine = vec![(2, Byzantine::NoProposals)];
    let world = survives(&setup, 15);
    let wins = world
        .observer
        .steps
        .iter()
        .filter(|(_, _, step)| matches!(step, Milestone::Collected { rank, .. } if rank.0 > 0));
    assert!(wins.count() > 0, "W3: somebody of a lower rank was needed");
}

#[test]
fn when_all_generators_of_a_subround_are_silent_the_next_subround_finds_others() {
    // G = 2 of 4 generators: with two dead miners no quorum is left, so one is dead and the other does not propose.
    let mut later = 0;
    for seed in 0..10 {
        let mut setup = Setup::new(7, Rules::HARDENED, seed);
        setup.byzantine = vec![(1, Byzantine::NoProposals), (4, Byzantine::NoProposals)];
        later += survives(&setup, 12).observer.rounds_with_later_subrounds();
    }
    assert!(later > 0, "W1: a notarization in a subround above 0");
}

#[test]
fn an_equivocating_generator_is_convicted_and_nobody_else() {
    let mut setup = Setup::new(4, Rules::HARDENED, 5);
    setup.byzantine = vec![(3, Byzantine::Equivocate)];
    let world = survives(&setup, 15);
    assert_eq!(world.observer.convicted.iter().copied().collect::<Vec<_>>(), [MinerId(3)]);
    for i in 0..3 {
        let evidence = world.miner(i).map_or(0, |miner| miner.evidence().len());
        assert!(evidence > 0, "miner {i} has the proof");
    }
}

#[test]
fn garbage_is_refused_and_noticed() {
    let mut setup = Setup::new(4, Rules::HARDENED, 6);
    setup.byzantine = vec![(1, Byzantine::Garbage)];
    let world = survives(&setup, 8);
    assert!(!world.observer.refused.is_empty());
    let culprits = world.observer.refused.keys().map(|(_, from)| *from);
    assert!(culprits.into_iter().all(|from| from == Peer::Miner(MinerId(1))));
}

#[test]
fn a_minority_partition_stops_and_joins_again() {
    let mut setup = Setup::new(4, Rules::HARDENED, 7);
    setup.disturbances =
        vec![(2_000, Disturbance::Partition(vec![vec![0, 1, 2], vec![3]])), (12_000, Disturbance::Heal)];
    let mut world = World::mock(&setup);
    world.run(12_000);
    let (majority, minority) =
        (world.observer.height(Peer::Miner(MinerId(0))), world.observer.height(Peer::Miner(MinerId(3))));
    assert!(majority > minority + 5, "{majority} {minority}");
    assert!(world.run_to_height(majority + 3, 20_000), "L4: the one that was away catches up");
    world.assert_safe();
}

#[test]
fn no_majority_no_progress_and_then_progress() {
    let mut setup = Setup::new(4, Rules::HARDENED, 8);
    setup.disturbances =
        vec![(2_000, Disturbance::Partition(vec![vec![0, 1], vec![2, 3]])), (30_000, Disturbance::Heal)];
    let mut world = World::mock(&setup);
    world.run(3_000);
    let before = world.observer.lowest();
    world.run(26_000);
    assert!(world.observer.lowest() <= before + 1, "nobody can finalize alone");
    assert!(world.run_to_height(before + 5, 30_000), "L1, L2 after the partition");
    world.assert_safe();
}

#[test]
fn a_third_of_all_messages_lost() {
    for seed in 0..5 {
        let mut setup = Setup::new(7, Rules::HARDENED, seed);
        setup.links = Links { loss: 333, ..Links::ROUGH };
        survives(&setup, 5);
    }
}

#[test]
fn other_profiles_live_on_a_network_that_loses_and_reorders() {
    for rules in [Rules::DOCUMENTED, Rules::DEPLOYED] {
        for seed in 0..5 {
            let mut setup = Setup::new(4, rules, seed);
            setup.links = Links::ROUGH;
            let mut world = World::mock(&setup);
            assert!(world.run_to_height(8, 120_000), "only {} blocks", world.observer.lowest());
        }
    }
}

#[test]
fn sharders_follow_a_network_that_loses_half_of_what_they_are_told() {
    let mut setup = Setup::new(4, Rules::HARDENED, 9);
    setup.links = Links { loss: 500, ..Links::RELIABLE };
    let mut world = World::mock(&setup);
    assert!(world.run_to_height(10, 300_000));
    let reached = world.run_until(60_000, |world| {
        (0..2).all(|id| world.observer.height(Peer::Sharder(SharderId(id))) >= 10)
    });
    assert!(reached, "L5");
    world.assert_safe();
}

//! Dishonest leavers and joiners, laggards, loss, checkpoints.

use zus_bpp::committee::Epoch;
use zus_bpp::epochs::replica::Part;
use zus_sim::Byzantine;
use zus_sim::epochs::{Setup, World};
use zus_sim::timed::Links;

use super::{ends, ends_well, parts};

fn exchanged(seed: u64) -> Setup {
    Setup::new(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4], vec![2, 3, 4, 5]], 1, 3, seed)
}

#[test]
fn a_dishonest_leaver_or_joiner_of_each_kind() {
    for (number, kind) in Byzantine::ALL.into_iter().enumerate() {
        // The noise is no message of this world's network.
        if kind == Byzantine::Noise {
            continue;
        }
        for node in [0, 4] {
            let mut setup = exchanged(number as u64);
            setup.byzantine = vec![(node, kind)];
            let world = ends_well(setup, 3, 200_000);
            assert!(world.observer.convicted.iter().all(|(_, convicted)| *convicted == node), "{kind:?}");
        }
    }
}

#[test]
fn messages_are_lost_and_late() {
    for seed in 0..6 {
        let mut setup = exchanged(seed);
        setup.links = Links { bytes: true, ..Links::ROUGH };
        ends_well(setup, 3, 400_000);
    }
}

/// A member of all committees is away while a whole epoch begins and ends.
#[test]
fn a_laggard_that_missed_a_whole_epoch() {
    for seed in 0..3 {
        let committees = vec![vec![0, 1, 2, 3], vec![0, 1, 2, 4], vec![0, 1, 2, 5], vec![0, 1, 2, 6]];
        let mut setup = Setup::new(committees, 1, 2, seed);
        setup.away = vec![(2, 500, 9_000)];
        let mut world = World::mock(setup);
        world.run(8_900);
        let others = world.replica(0).expect("it runs").epoch();
        assert!(others >= Epoch(3), "seed {seed}: the others are in epoch {others:?}");
        ends(&mut world, 3, 100_000);
        assert!(parts(&world, 4).get(&2) == Some(&Part::Member), "seed {seed}");
    }
}

/// A node that was never there begins with nothing but genesis, long after all of its peers have left.
#[test]
fn a_joiner_that_comes_when_the_first_committee_is_gone() {
    let mut setup = Setup::new(Setup::exchanging(4, 2, 4), 1, 2, 5);
    setup.away = vec![(9, 0, 20_000)];
    let mut world = World::mock(setup);
    world.run(19_900);
    ends(&mut world, 3, 100_000);
    assert_eq!(parts(&world, 4).get(&9), Some(&Part::Member));
}

#[test]
fn a_checkpoint_leads_into_the_last_epoch_without_those_before() {
    let mut setup = Setup::new(Setup::exchanging(4, 1, 4), 1, 2, 5);
    setup.away = vec![(6, 0, u64::MAX)];
    let mut world = World::mock(setup);
    world.run(12_000);
    let beginning = world.beginnings(3).last().expect("a beginning").clone();
    assert!(beginning.record.epoch >= Epoch(3), "{:?}", beginning.record.epoch);
    world.replace(6, beginning);
    ends(&mut world, 3, 60_000);
    let first = world.beginnings(6).first().expect("the checkpoint").record.epoch;
    assert!(first >= Epoch(3));
}

//! Crashes at the boundary, at every step of it.

use zus_bpp::committee::Epoch;
use zus_sim::epochs::{Setup, World};

use super::ends;

fn setup(seed: u64) -> Setup {
    Setup::new(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4]], 1, 2, seed)
}

/// The steps of a node from one before it hands over to some after it has entered.
fn steps_at_the_boundary(node: u16, seed: u64) -> std::ops::Range<u64> {
    let mut world = World::mock(setup(seed));
    let mut first = 0;
    loop {
        world.run(10);
        let replica = world.replica(node).expect("it runs");
        if replica.epoch() == Epoch(2) {
            return first..world.steps(node) + 40;
        }
        if !replica.is_between_epochs() {
            first = world.steps(node).saturating_sub(40);
        }
        assert!(world.now.0 < 60_000, "no handover");
    }
}

fn crash_at_every_step(node: u16) {
    let seed = 3;
    let steps = steps_at_the_boundary(node, seed);
    assert!(steps.end - steps.start > 60, "{steps:?}");
    for step in steps {
        for pause in [30, 3_000] {
            let mut setup = setup(seed);
            setup.kill_at_step = Some((node, step, pause));
            let mut world = World::mock(setup);
            while world.steps(node) < step {
                world.run(20);
                assert!(world.now.0 < 60_000, "no step {step}");
            }
            ends(&mut world, 3, 100_000);
        }
    }
}

#[test]
fn a_member_of_both_crashes_at_every_step() {
    crash_at_every_step(2);
}

#[test]
fn a_leaver_crashes_at_every_step() {
    crash_at_every_step(0);
}

#[test]
fn a_joiner_crashes_at_every_step() {
    crash_at_every_step(4);
}

/// WE6: a node stops when it has the beginning, and signs in the epoch when it is back.
#[test]
fn all_members_stop_at_the_boundary_and_come_back() {
    for seed in 0..3 {
        let mut world = World::mock(setup(seed));
        while world.replica(1).is_none_or(|replica| replica.epoch() < Epoch(2)) {
            world.run(5);
        }
        let at = world.now.0;
        let mut again = setup(seed);
        again.away = (0..6).map(|node| (node, at, at + 500 + u64::from(node))).collect();
        let mut world = World::mock(again);
        ends(&mut world, 3, 100_000);
    }
}

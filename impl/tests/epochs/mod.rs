//! Nodes across epochs in virtual time.

mod boundary;
mod faults;
mod folders;
mod generated;
mod handover;
mod long_range;
mod refused;

use std::collections::BTreeMap;

use zus_bpp::committee::Epoch;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::epochs::replica::Part;
use zus_sim::epochs::{KeySource, Setup, World, WorldOf};

/// Runs to the end of the plan, with so many rounds of the last epoch final everywhere, and asks for E1 to E9.
pub fn ends_well(setup: Setup, rounds: u64, milliseconds: u64) -> World<MockScheme> {
    let mut world = World::mock(setup);
    ends(&mut world, rounds, milliseconds);
    world
}

pub fn ends<N: KeySource>(world: &mut WorldOf<N>, rounds: u64, milliseconds: u64) {
    let reached = world.run_to_the_end(rounds, milliseconds);
    let setup = world.setup().clone();
    let state: Vec<_> = (0..setup.nodes)
        .map(|node| {
            world
                .replica(node)
                .map(|replica| (replica.epoch().0, replica.finalized().round().0, world.is_member(node)))
        })
        .collect();
    assert!(
        world.observer.violations.is_empty(),
        "seed {}: {:#?} {state:?}",
        setup.seed,
        world.observer.violations
    );
    assert!(
        reached,
        "seed {}: not at the end after {} ms: {state:?}, refused {:#?}",
        setup.seed, world.now.0, world.observer.refused
    );
    // The node that came back last gets the time to ask for what it missed.
    world.run(4_000);
    world.observer.ends_in(setup.plan.last(), 8);
    assert!(world.observer.violations.is_empty(), "seed {}: {:#?}", setup.seed, world.observer.violations);
}

/// The parts of the nodes that entered an epoch.
pub fn parts<N: KeySource>(world: &WorldOf<N>, epoch: u64) -> BTreeMap<u16, Part> {
    world.observer.handovers.get(&Epoch(epoch)).map(|handover| handover.nodes.clone()).unwrap_or_default()
}

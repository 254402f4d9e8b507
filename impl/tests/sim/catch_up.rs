//! Those who were away for long (L4, L5).

use std::time::Duration;

use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::limits::{KEPT_FINAL_BLOCKS, MAX_CHAIN_BLOCKS};
use zus_bpp::miner::Timing;
use zus_bpp::rules::Rules;

use zus_sim::timed::{Disturbance, Links, Setup, World};

/// A miner is down for more rounds than the others keep in memory, and comes back.
fn away(sharders: u16, seed: u64) {
    let mut setup = Setup::new(4, Rules::HARDENED, seed);
    setup.sharders = sharders;
    (setup.timing.window, setup.timing.delta) = (Duration::from_millis(100), Duration::from_millis(20));
    setup.disturbances = vec![(1_000, Disturbance::Kill(3))];
    let mut world = World::mock(&setup);
    let rounds = KEPT_FINAL_BLOCKS + 3 * MAX_CHAIN_BLOCKS;
    let others =
        |world: &World<_>| (0..3).map(|i| world.observer.height(Peer::Miner(MinerId(i)))).min().unwrap_or(0);
    assert!(world.run_until(200_000, |world| others(world) > rounds));
    world.restart(3);
    let target = others(&world) + 5;
    let started = world.now;
    assert!(world.run_to_height(target, 20_000), "L4: only {} of {target}", world.observer.lowest());
    assert!(world.now.0 - started.0 < 10_000, "it took {} ms", world.now.0 - started.0);
    world.assert_safe();
}

#[test]
fn a_miner_that_was_away_for_long_gets_the_blocks_from_sharders_or_from_storage() {
    away(2, 1);
    away(0, 2);
}

#[test]
fn a_sharder_that_heard_nothing_for_long_gets_everything() {
    let mut setup = Setup::new(4, Rules::HARDENED, 3);
    (setup.timing.window, setup.timing.delta) = (Duration::from_millis(100), Duration::from_millis(20));
    // Sharders are in the first group: nobody.
    setup.disturbances =
        vec![(500, Disturbance::Partition(vec![vec![], vec![0, 1, 2, 3]])), (30_000, Disturbance::Heal)];
    let mut world = World::mock(&setup);
    world.run(30_000);
    let sharders = |world: &World<_>| {
        (0..2).map(|id| world.observer.height(Peer::Sharder(SharderId(id)))).min().unwrap_or(0)
    };
    let (miners, before) = (world.observer.lowest(), sharders(&world));
    assert!(miners > before + KEPT_FINAL_BLOCKS, "{miners} {before}");
    let gaps = world.gaps;
    assert!(gaps <= 2, "nothing more is known to be missing while nobody is heard");
    assert!(
        world.run_until(20_000, |world| sharders(world) > miners),
        "L5: {} of {miners}",
        sharders(&world)
    );
    assert!(world.gaps > gaps, "the gap was reported");
    world.assert_safe();
}

/// Regression: an answer that came after the next peer had been asked was dropped, so that where a message takes longer than
/// the wait for the next request nobody ever caught up.
#[test]
fn answers_that_take_longer_than_the_wait_for_the_next_request_are_taken() {
    for (delay, sharders) in [(200, 1), (300, 0), (500, 2)] {
        let mut setup = Setup::new(4, Rules::HARDENED, 1);
        setup.sharders = sharders;
        setup.timing = Timing::DEFAULT;
        assert!(Duration::from_millis(2 * delay) > setup.timing.catch_up);
        setup.links = Links { delay: delay..=delay, ..Links::RELIABLE };
        setup.disturbances = vec![(1_000, Disturbance::Kill(3))];
        let mut world = World::mock(&setup);
        let height = |world: &World<_>, id| world.observer.height(Peer::Miner(MinerId(id)));
        let others = |world: &World<_>| (0..3).map(|id| height(world, id)).min().unwrap_or(0);
        assert!(world.run_until(400_000, |world| others(world) > 20));
        world.restart(3);
        world.run(60_000);
        let (own, others) = (height(&world, 3), others(&world));
        assert!(own + 5 > others, "L4: at {delay} ms with {sharders} sharders, {own} of {others}");
        world.assert_safe();
    }
}

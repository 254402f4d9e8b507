//! Honest miners hear each other, whatever they repeat (L1): accounts are for those who break rules.

use std::time::Duration;

use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::limits::MAX_PAYLOAD_BYTES;
use zus_bpp::rules::Rules;

use zus_sim::timed::{Disturbance, Links, Setup, World};

/// Four miners with blocks of a mebibyte that repeat themselves often. One is down; of the messages of the others many are lost for a
/// while, and one of them starts again.
fn repeats(resend: Duration, seed: u64) {
    let bad = Links { loss: 600, bytes: true, ..Links::RELIABLE };
    let mut setup = Setup::new(4, Rules::HARDENED, seed);
    setup.payload = MAX_PAYLOAD_BYTES;
    setup.links = bad;
    setup.timing = setup.timing.with_resend(resend);
    setup.disturbances = vec![
        (0, Disturbance::Kill(2)),
        (1_500, Disturbance::Kill(1)),
        (2_500, Disturbance::Restart(1)),
        (4_000, Disturbance::Links(Links { bytes: true, ..Links::RELIABLE })),
    ];
    let mut world = World::mock(&setup);
    let lowest = |world: &World<_>| {
        [0, 1, 3].map(|id| world.observer.height(Peer::Miner(MinerId(id)))).into_iter().min()
    };
    world.run(4_000);
    let before = lowest(&world);
    let live = world.run_until(20_000, |world| lowest(world) > before.map(|height| height + 3));
    assert!(
        live,
        "L1: resend {resend:?}, seed {seed}: stuck at {before:?}, {} messages dropped",
        world.muted
    );
    assert_eq!(world.muted, 0, "resend {resend:?}, seed {seed}");
    world.assert_safe();
}

/// Regression: a known block that came again was decoded and charged for. At 500 ms that is more than time pays back, and
/// it left before ticket and timeout: honest miners muted each other for good.
#[test]
fn repeated_large_blocks_mute_nobody() {
    for seed in 0..3 {
        repeats(Duration::from_millis(500), seed);
    }
    let least = Setup::new(4, Rules::HARDENED, 0).config().least_resend();
    repeats(least.max(Duration::from_millis(50)), 3);
}

/// The answers that it asks for, the blocks that come again and its relays of all that it learns are no reason to drop anything.
#[test]
fn a_miner_that_was_away_and_catches_up_on_large_blocks_is_heard() {
    let mut setup = Setup::new(4, Rules::HARDENED, 1);
    setup.payload = MAX_PAYLOAD_BYTES / 4;
    setup.links = Links { bytes: true, ..Links::RELIABLE };
    setup.timing = {
        let (most, delta) = (Duration::from_millis(100), Duration::from_millis(20));
        setup.timing.with_window(most).with_resend(most).with_delta(delta)
    };
    setup.disturbances = vec![(1_000, Disturbance::Kill(3)), (12_000, Disturbance::Restart(3))];
    let mut world = World::mock(&setup);
    world.run(12_010);
    let reached = world.observer.chain(Peer::Miner(MinerId(0))).count();
    assert!(world.run_to_height(reached + 3, 20_000), "L4: {} of {reached}", world.observer.lowest());
    assert_eq!(world.muted, 0);
    world.assert_safe();
}

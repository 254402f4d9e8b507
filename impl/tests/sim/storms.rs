//! Everything at once, by seed: dishonest miners, crashes in the middle of steps, partitions, loss, repetition, reordering;
//! then calm. Safe throughout, and live afterwards.

use zus_bpp::rules::Rules;

use zus_sim::timed::{Setup, World};

/// When the storm ends, in milliseconds.
const CALM: u64 = 8_000;

/// How long the calm may last before three more blocks are final: the subrounds that were reached may be long ones.
const PATIENCE: u64 = 60_000;

fn weather(seed: u64) -> World<zus_bpp::crypto::mock_scheme::MockScheme> {
    let miners = [4, 5, 7, 10][seed as usize % 4];
    let setup = Setup::stormy(miners, Rules::HARDENED, seed, CALM);
    let mut world = World::mock(&setup);
    world.run(CALM + 10);
    let highest = (0..usize::from(miners))
        .filter_map(|i| world.miner(i))
        .map(|miner| miner.finalized().round().0)
        .max()
        .unwrap_or(0);
    let live = world.run_to_height(highest as usize + 3, PATIENCE);
    assert!(live, "L1, L2: stuck at {} of {highest}: {setup:?}", world.observer.lowest());
    world.assert_safe();
    world
}

/// To run more: `STORMS=100000 cargo test -p zus-bpp --test all storms`; to replay one: `STORM=<seed>`.
#[test]
fn after_every_storm_the_chain_is_one_and_grows() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = match number("STORM") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STORMS").unwrap_or(1_200),
    };
    let many = seeds.end - seeds.start >= 300;
    let (mut later, mut two, mut convicted) = (0, 0, 0);
    for seed in seeds {
        println!("replay: STORM={seed} cargo test -p zus-bpp --test all storms");
        let world = weather(seed);
        later += world.observer.rounds_with_later_subrounds();
        two += world.observer.rounds_with_two_notarized();
        convicted += world.observer.convicted.len();
    }
    if many {
        assert!(later > 0, "W1 was reached");
        assert!(two > 0, "W2 was reached");
        assert!(convicted > 0, "equivocation was punished");
    }
}

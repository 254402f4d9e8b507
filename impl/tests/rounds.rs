//! Rounds are produced, and agreed upon.

mod sim;

use sim::{Setup, World};
use zus_bpp::rules::Rules;

#[test]
fn four_honest_miners_finalize() {
    let setup = Setup::new(4, Rules::HARDENED, 1);
    let mut world = World::mock(&setup);
    let done = world.run_to_height(10, 60_000);
    println!("{} ms, {} steps, {} messages", world.now.0, world.steps, world.sent.0);
    if !done {
        for (miner, step) in &world.observer.steps {
            println!("{miner}: {step:?}");
        }
    }
    assert!(done);
    world.assert_safe();
}

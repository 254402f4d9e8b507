//! The exhaustive product at its smallest sizes.

use stateright::Checker;
use zus_fuzz::product::Product;
use zus_fuzz::world::Setup;

fn product(rounds: u8, subrounds: u8, byzantine: &[u16], seed: u64) -> Product {
    let mut setup = Setup::new(4, seed);
    setup.sharders = 0;
    setup.rounds = rounds;
    setup.subrounds = subrounds;
    setup.byzantine = byzantine.to_vec();
    Product { setup, crashes: 0 }
}

#[test]
fn one_round_of_two_subrounds() {
    for (r, s, byz, seed) in [(1, 1, 0, 0), (1, 2, 3, 1), (1, 2, 2, 0)] {
        let start = std::time::Instant::now();
        let product = product(r, s, &[byz], seed);
        let ground = product.initial().run.world.ground.clone();
        println!("{:?} {:?}", ground.order(1, 0), ground.order(1, u32::from(s) - 1));
        let checker = product.explore(std::env::var("REFUSALS").is_ok());
        println!("seed {seed}: {} unique, {} total, {:?}", checker.unique_state_count(), checker.state_count(), start.elapsed());
        for (name, path) in checker.discoveries() {
            println!("{name}: {:?}", path.last_state());
            println!("{:#?}", path.into_actions());
        }
    }
}

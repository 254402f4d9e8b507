//! The exhaustive product at its smallest sizes.

use stateright::Checker;
use zus_fuzz::product::Product;

#[test]
fn one_round_of_two_subrounds() {
    for (r, s, byz, seed, crashes) in [(1, 1, 0, 0, 0), (1, 1, 3, 0, 0), (1, 1, 3, 0, 1), (2, 1, 0, 0, 0), (2, 1, 3, 0, 0), (1, 2, 3, 1, 0), (1, 2, 3, 1, 1)] {
        let start = std::time::Instant::now();
        let mut product = Product::of_four(r, s, byz, seed);
        product.crashes = crashes;
        let ground = product.initial().run.world.ground.clone();
        println!("{:?} {:?}", ground.order(1, 0), ground.order(1, u32::from(s) - 1));
        let copy = product.clone();
        let checker = product.explore(std::env::var("REFUSALS").is_ok());
        println!("{r} {s} byz {byz} seed {seed} crashes {crashes}: {} unique, {} total, {:?}", checker.unique_state_count(), checker.state_count(), start.elapsed());
        for (name, path) in checker.discoveries() {
            println!("{name}: {:?}", path.last_state());
            println!("{:?}", copy.refusals(path.last_state()));
            println!("{:#?}", path.into_actions());
        }
    }
}

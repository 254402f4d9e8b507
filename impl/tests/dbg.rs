//! debugging
mod sim;
use sim::{Setup, World};
use zus_bpp::rules::Rules;
#[test]
fn dbg() {
    let setup = Setup::new(16, Rules::HARDENED, 1);
    let mut world = World::mock(&setup);
    world.observer.beacon_of_round = false;
    world.run(1200);
    for (t, m, s) in &world.observer.steps {
        if m.0 < 3 {
            println!("{} {m}: {s:?}", t.0);
        }
    }
    println!("{:?}", world.observer.violations);
}

//! Committees that generate the keys of the next one on their chain.

use zus_bpp::epochs::generated::MockSignatures;
use zus_sim::epochs::{GeneratedWorld, Setup};

use super::ends;

fn setup(epochs: u16, seed: u64) -> Setup {
    let mut setup = Setup::new(Setup::exchanging(4, 1, epochs), 1, 2, seed);
    setup.phase_rounds = 12;
    setup
}

#[test]
fn each_committee_makes_the_keys_of_the_next_one() {
    let mut world = GeneratedWorld::generated(setup(3, 1), MockSignatures);
    ends(&mut world, 3, 200_000);
    eprintln!("{:?} {:?} {:#?}", world.now, world.observer.keys, world.observer.refused);
}

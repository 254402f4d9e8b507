//! One round of a miner, from entering it to the finalized block: processor time of a whole network on real signatures,
//! divided by its miners and rounds. The network is that of the tests, with messages as values: encoding is another bench.

use std::time::Duration;

use zus_benches::process_time;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::rules::Rules;
use zus_sim::timed::{Setup, World};

use crate::{Bench, Effort};

/// Virtual time in which a quiet network surely finalizes a block, in milliseconds.
const LONG_ENOUGH: u64 = 60_000;

pub fn bench(criterion: &mut Bench, effort: Effort) {
    let mut group = criterion.benchmark_group("miner_round");
    for n in effort.choose(vec![16], vec![16, 100]) {
        let setup = Setup { sharders: 0, ..Setup::new(n, Rules::HARDENED, 1) };
        let (committee, members) = trusted_dealer::deal([1; 32], n).expect("keys");
        let scheme = |member| BlstScheme::member(committee.clone(), member).expect("its own keys");
        let schemes: Vec<BlstScheme> = members.into_iter().map(scheme).collect();
        let mut world = World::new(&setup, schemes, &BlstScheme::observer(committee.clone()));
        group.bench_function(format!("n={n}"), |b| {
            b.iter_custom(|rounds| {
                let height = world.observer.lowest() + rounds as usize;
                let (reached, time) = process_time::of(|| world.run_to_height(height, rounds * LONG_ENOUGH));
                assert!(reached, "the network finalizes");
                time.max(Duration::from_nanos(1)) / u32::from(n)
            });
        });
        world.assert_safe();
    }
    group.finish();
}

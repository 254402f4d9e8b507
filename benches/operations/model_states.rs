//! How many states of the model the checker explores, on all threads. The number of states is asserted.

use criterion::Throughput;
use zus_checker::committed;
use zus_checker::properties::Facts;
use zus_checker::scenario::Change;
use zus_checker::search::bfs::{End, Limits, explore};

use crate::{Bench, Effort};

pub fn bench(criterion: &mut Bench, _: Effort) {
    let scenario = committed::scenario("hardened_loss", &Change::default())
        .expect("a scenario that is read")
        .expect("a scenario that is known");
    let run = || explore(&scenario.protocol, Facts::default(), None, Limits::default(), &|_| {}, &|_| {});
    let exploration = run();
    assert_eq!((exploration.end, exploration.unique), (End::Exhausted, 39_392));
    let mut group = criterion.benchmark_group("model");
    group.throughput(Throughput::Elements(exploration.unique));
    group.bench_function("states/scenario=hardened_loss", |b| b.iter(run));
    group.finish();
}

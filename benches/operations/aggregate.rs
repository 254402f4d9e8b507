//! From tickets as bytes to the aggregate and the invalid ones (step 6), ours and the peers', all on the same bytes.

use criterion::{BenchmarkId, Throughput};
use zus_measure::committee::Tickets;
use zus_measure::job::Job;
use zus_measure::ours::{self, Prepared};
use zus_measure::peer::{Peer, differs, disagreement};

use crate::Bench;

/// All answers must be the right ones before anybody is timed.
pub fn require_agreement(job: &Job, peers: &[&dyn Peer], invalid: usize) {
    let tickets = job.tickets.with_invalid(invalid, 1);
    let right = job.expected(&tickets);
    let ours = [
        differs("ours", &ours::aggregate(&job.keys, &tickets), &right),
        differs("ours, portable", &ours::portably(|| ours::aggregate(&job.keys, &tickets)), &right),
    ];
    let theirs = peers.iter().map(|&peer| disagreement(peer, job, invalid));
    let wrong: Vec<String> = ours.into_iter().chain(theirs).flatten().collect();
    assert!(wrong.is_empty(), "n = {}, {invalid} invalid: {}", job.keys.n(), wrong.join("\n"));
}

pub fn bench(bench: &mut Bench) {
    for n in bench.arguments.sizes(&[100], &[100, 1000]) {
        let job = Job::new(n.into());
        let prepared = Prepared::new(&job);
        for invalid in bench.arguments.invalid_of(n) {
            if n > 100 && invalid > 0 && bench.arguments.n.is_empty() {
                // Up to seconds each: these are in the table of ratios.
                continue;
            }
            require_agreement(&job, &bench.peers, invalid);
            let mut group = bench.criterion.benchmark_group(format!("aggregate/n={n}/invalid={invalid}"));
            // An element is a ticket.
            group.throughput(Throughput::Elements(n.into()));
            let placements: Vec<Tickets> =
                (0..4).map(|seed| job.tickets.with_invalid(invalid, seed)).collect();
            let mut case = |name: &str, verify: &dyn Fn(&Tickets)| {
                let mut placement = placements.iter().cycle();
                group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                    bencher.iter(|| placement.next().map(verify));
                });
            };
            case("ours", &|tickets| drop(ours::aggregate(&job.keys, tickets)));
            case("ours, portable", &|tickets| {
                drop(ours::portably(|| ours::aggregate(&job.keys, tickets)));
            });
            for peer in &bench.peers {
                if invalid == 0 || peer.finds_invalid() {
                    let aggregator = peer.aggregator(&job);
                    case(peer.name(), &|tickets| drop(aggregator(tickets)));
                }
            }
            if invalid == 0 {
                case("limit", &|tickets| assert!(ours::limit(tickets, &prepared.all_keys)));
            }
            group.finish();
        }
    }
}

//! The tables of ratios: ours, the peers and the limit, interleaved in one run. See [`zus_measure::paired`].

use zus_measure::committee::Tickets;
use zus_measure::figures::{columns, markdown, rows};
use zus_measure::job::Job;
use zus_measure::ours::{self, Prepared};
use zus_measure::paired::{self, Case};
use zus_measure::peer::Peer;
use zus_measure::required::Measured;

use crate::Bench;
use crate::aggregate::require_agreement;

/// Measures and prints one table after the other.
pub fn print(bench: &Bench) -> Vec<Measured> {
    let arguments = &bench.arguments;
    let mut all = Vec::new();
    for n in arguments.sizes(&[100, 1000], &[100, 1000]) {
        let rounds = match (arguments.quick, n > 200) {
            (true, large) => {
                if large {
                    1
                } else {
                    3
                }
            }
            (false, large) => {
                if large {
                    5
                } else {
                    20
                }
            }
        };
        let job = Job::new(n.into());
        let prepared = Prepared::new(&job);
        for invalid in arguments.invalid_of(n) {
            let asked_for = !arguments.n.is_empty() || !arguments.invalid.is_empty();
            if n > 200 && invalid > 1 && arguments.quick && !asked_for {
                continue;
            }
            require_agreement(&job, &bench.peers, invalid);
            let measured = measure(&job, &prepared, &bench.peers, invalid, rounds);
            zus_output::say!("\n{}", markdown(&columns(&measured), &rows(&measured)));
            all.push(measured);
        }
    }
    all
}

/// All that can be done with so many invalid tickets.
fn measure(job: &Job, prepared: &Prepared, peers: &[&dyn Peer], invalid: usize, rounds: usize) -> Measured {
    let placements: Vec<Tickets> =
        (0..=rounds as u64).map(|seed| job.tickets.with_invalid(invalid, seed)).collect();
    let placements = &placements;
    let at = move |round: usize| &placements[round];
    let mut cases = vec![
        Case::new("ours", |round| drop(ours::aggregate(&job.keys, at(round)))),
        Case::new("ours, portable", |round| {
            drop(ours::portably(|| ours::aggregate(&job.keys, at(round))));
        }),
        Case::new("one by one", |round| {
            assert_eq!(ours::one_by_one(&job.hash, &prepared.lines, at(round)), at(round).len() - invalid);
        }),
    ];
    for peer in peers.iter().filter(|peer| invalid == 0 || peer.finds_invalid()) {
        let aggregator = peer.aggregator(job);
        cases.push(Case::new(peer.name(), move |round| drop(aggregator(at(round)))));
    }
    if invalid == 0 {
        let encoded = ours::uncompressed(&job.tickets);
        cases.push(Case::new("ours, 96-byte tickets", move |round| {
            drop(ours::aggregate_uncompressed(&job.keys, at(round), &encoded));
        }));
        cases.push(Case::new("limit, portable", |round| {
            assert!(ours::portably(|| ours::limit(at(round), &prepared.all_keys)));
        }));
        cases.push(Case::new("limit", |round| assert!(ours::limit(at(round), &prepared.all_keys))));
    }
    Measured { n: job.keys.n(), invalid, times: paired::run(cases, rounds) }
}

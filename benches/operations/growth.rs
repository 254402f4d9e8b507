//! Tickets a second as the committee grows, all valid.

use zus_measure::figures::tickets_a_second;
use zus_measure::job::Job;
use zus_measure::ours::{self, Prepared};
use zus_measure::paired::{self, Case};
use zus_output::figures::Series;

use crate::Bench;
use crate::aggregate::require_agreement;

/// Measures and prints; the curves are given back.
pub fn print(bench: &Bench) -> Vec<Series> {
    let arguments = &bench.arguments;
    let sizes = arguments.sizes(&[4, 64], &[4, 8, 16, 32, 64, 100, 200, 400, 1000, 2000, 4000]);
    let names: Vec<&str> =
        ["ours"].into_iter().chain(bench.peers.iter().map(|peer| peer.name())).chain(["limit"]).collect();
    let mut curves: Vec<Series> =
        names.iter().map(|&name| Series { name: name.into(), points: Vec::new() }).collect();
    zus_output::say!(
        "\n| tickets a second, n | {} |\n|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for n in sizes {
        let job = Job::new(n.into());
        let prepared = Prepared::new(&job);
        require_agreement(&job, &bench.peers, 0);
        let mut cases = vec![Case::new("ours", |_| drop(ours::aggregate(&job.keys, &job.tickets)))];
        for peer in &bench.peers {
            let aggregator = peer.aggregator(&job);
            let tickets = &job.tickets;
            cases.push(Case::new(peer.name(), move |_| drop(aggregator(tickets))));
        }
        cases.push(Case::new("limit", |_| assert!(ours::limit(&job.tickets, &prepared.all_keys))));
        let times = paired::run(cases, if arguments.quick || arguments.test { 2 } else { 9 });
        let mut row = format!("| {n} |");
        for (name, curve) in names.iter().zip(&mut curves) {
            let time = times.milliseconds(name);
            let rate = tickets_a_second(n.into(), time);
            curve.points.push((n.into(), rate.parse().unwrap_or(f64::NAN)));
            row += &format!(" {rate} |");
        }
        zus_output::say!("{row}");
    }
    curves
}

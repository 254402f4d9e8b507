//! Tickets a second as the committee grows, all valid: a table, and a plot where `ZUS_GROWTH_SVG` says.

use zus_benches::committee::Keys;
use zus_benches::figures;
use zus_benches::paired::{self, Case};
use zus_bpp::crypto::curve::PreparedG2;
use zus_output::figures::Series;
use zus_report::page::figures::file;

use crate::Effort;
use crate::peers::{self, commonware, ours};

const NAMES: [&str; 4] = ["ours", "commonware", "blst", "limit"];

/// Measures and prints; the curves are given back.
pub fn print(effort: Effort) -> Vec<Series> {
    let sizes = effort.choose(vec![4, 64], vec![4, 8, 16, 32, 64, 100, 200, 400, 1000, 2000, 4000]);
    let mut curves = NAMES.map(|name| Series { name: name.into(), points: Vec::new() });
    zus_output::say!(
        "\n| tickets a second, n | {} |\n|---|{}",
        NAMES.join(" | "),
        "---|".repeat(NAMES.len())
    );
    for n in sizes {
        let keys = Keys::new(n);
        let statement = commonware::Statement(b"a block");
        let tickets = keys.tickets(commonware::tag(), &commonware::message(&statement));
        let everybody: Vec<_> = tickets.signatures.iter().map(|(miner, _)| *miner).collect();
        let all_keys = PreparedG2::new(&keys.sums.sum(&everybody).expect("a finite sum"));
        let (peer, blst) = (commonware::verifier(&keys), peers::blst::keys(&keys));
        let times = paired::run(
            vec![
                Case::new("ours", |_| drop(ours::aggregate(&keys, &tickets))),
                Case::new("commonware", |_| {
                    drop(commonware::aggregate(&peer, keys.quorum(), &statement, &tickets));
                }),
                Case::new("blst", |_| drop(peers::blst::aggregate(&blst, keys.quorum(), &tickets))),
                Case::new("limit", |_| assert!(ours::limit(&tickets, &all_keys))),
            ],
            effort.choose(2, 9),
        );
        let mut row = format!("| {n} |");
        for (name, curve) in NAMES.iter().zip(&mut curves) {
            let milliseconds = times.milliseconds(name).map_or(f64::NAN, |spread| spread.median);
            let rate = (n as f64 / milliseconds * 1e3).round();
            curve.points.push((n as f64, rate));
            row += &format!(" {rate} |");
        }
        zus_output::say!("{row}");
    }
    if let Some(path) = std::env::var_os("ZUS_GROWTH_SVG") {
        let svg = file(&figures::plot(&curves));
        zus_output::whole::write(&path, svg).expect("the plot's file can be written");
    }
    curves.into()
}

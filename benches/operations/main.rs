//! All benches in one program, so that peers are measured in the same run.
//!
//! ```text
//! cargo bench -p zus-benches                  # everything, within 15 minutes
//! cargo bench -p zus-benches -- --quick       # everything, roughly, within 2
//! cargo bench -p zus-benches -- aggregate/    # some operations; a filter leaves out the table
//! cargo bench -p zus-benches -- ratios        # the table of ratios alone
//! ```
#![allow(missing_docs)]

use std::time::Duration;

use criterion::Criterion;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use zus_benches::process_time;

mod beacon;
mod certificate_check;
mod growth;
mod incremental;
mod key_generation;
mod miner_round;
mod model_states;
mod peers;
mod ratios;
mod signature;
mod ticket_aggregation;
mod ticket_log;
mod wire;

/// How much to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Quick,
    Full,
}

impl Effort {
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Effort::Quick => quick,
            Effort::Full => full,
        }
    }
}

/// Processor time of the process instead of the wall clock; see [`process_time`].
pub struct ProcessorTime;

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        process_time::now()
    }

    fn end(&self, start: Duration) -> Duration {
        // A tick, lest something that is faster than the clock take no time at all.
        (process_time::now().saturating_sub(start)).max(Duration::from_nanos(1))
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

pub type Bench = Criterion<ProcessorTime>;

/// Benches one operation with all its peers.
type Operation = fn(&mut Bench, Effort);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let effort =
        if arguments.iter().any(|argument| argument == "--quick") { Effort::Quick } else { Effort::Full };
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));
    let mut criterion = Criterion::default()
        .with_measurement(ProcessorTime)
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(effort.choose(50, 300)))
        .measurement_time(Duration::from_millis(effort.choose(200, 2_000)))
        .configure_from_args();
    if filter.is_none_or(|filter| filter != "ratios" && filter != "growth") {
        let operations: [(&str, Operation); 10] = [
            ("aggregate", ticket_aggregation::bench),
            ("incremental", incremental::bench),
            ("certificate", certificate_check::bench),
            ("beacon", beacon::bench),
            ("signature", signature::bench),
            ("dkg", key_generation::bench),
            ("ticket_log", ticket_log::bench),
            ("wire", wire::bench),
            ("miner_round", miner_round::bench),
            ("model", model_states::bench),
        ];
        for (name, bench) in operations {
            // A filter that names an operation spares the others their preparations; criterion filters the rest.
            let named = |filter: &&String| operations.iter().any(|(other, _)| filter.starts_with(other));
            if filter.filter(named).is_none_or(|filter| filter.starts_with(name)) {
                bench(&mut criterion, effort);
            }
        }
        criterion.final_summary();
    }
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    if filter.is_none_or(|filter| filter == "ratios") {
        ratios::print(effort);
    }
    if filter.is_none_or(|filter| filter == "ratios" || filter == "growth") {
        growth::print(effort);
    }
}

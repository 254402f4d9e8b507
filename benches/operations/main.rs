//! All benches in one program, so that peers are measured in the same run.
//!
//! ```text
//! cargo bench -p zus-benches                  # everything, within 15 minutes
//! cargo bench -p zus-benches -- --quick       # everything, roughly, within 2
//! cargo bench -p zus-benches -- aggregate/    # some operations; a filter leaves out the table
//! cargo bench -p zus-benches -- ratios        # the table of ratios alone, and whether each is what is asked
//! cargo bench -p zus-benches -- ratios --gate # the same, and an error where one is not
//! ```
#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use zus_benches::asked::verdicts;
use zus_benches::figures::{VERDICT_COLUMNS, figures, markdown, verdict_rows};
use zus_benches::process_time;
use zus_bpp::crypto::curve::lanes;

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

/// The uses of the ratios besides printing them.
#[derive(Default)]
struct Options {
    /// Fail where a bar is missed, every bar being so many times harder than the one that is asked.
    gate: Option<f64>,
    /// Where the tables go, for `zus report --figures`.
    figures: Option<PathBuf>,
}

impl Options {
    /// Takes `--gate`, `--gate=FACTOR` and `--figures=FILE` out of the arguments.
    fn take(arguments: &mut Vec<String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = Vec::new();
        for argument in arguments.drain(..) {
            match argument.split_once('=') {
                None if argument == "--gate" => options.gate = Some(1.0),
                Some(("--gate", factor)) => match factor.parse() {
                    Ok(factor) if factor > 0.0 => options.gate = Some(factor),
                    _ => return Err(format!("--gate={factor}: the factor must be a number above zero")),
                },
                Some(("--figures", file)) if !file.is_empty() => options.figures = Some(file.into()),
                _ if argument.starts_with("--figures") => return Err("write --figures=FILE".into()),
                _ => rest.push(argument),
            }
        }
        *arguments = rest;
        Ok(options)
    }

    fn is_default(&self) -> bool {
        self.gate.is_none() && self.figures.is_none()
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match Options::take(&mut arguments) {
        Ok(options) => run(&arguments, &options),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String], options: &Options) -> ExitCode {
    let effort =
        if arguments.iter().any(|argument| argument == "--quick") { Effort::Quick } else { Effort::Full };
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));
    if !options.is_default() && filter.is_none_or(|filter| filter != "ratios") {
        eprintln!("error: --gate and --figures belong to the table of ratios: -- ratios --gate");
        return ExitCode::from(2);
    }
    let mut criterion = Criterion::default()
        .with_measurement(ProcessorTime)
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(effort.choose(50, 300)))
        .measurement_time(Duration::from_millis(effort.choose(200, 1_000)));
    if options.is_default() {
        // It knows only its own options.
        criterion = criterion.configure_from_args();
    }
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
        return ExitCode::SUCCESS;
    }
    let wants_ratios = filter.is_none_or(|filter| filter == "ratios");
    let measured = if wants_ratios { ratios::print(effort) } else { Vec::new() };
    let curves = if wants_ratios || filter.is_some_and(|filter| filter == "growth") {
        growth::print(effort)
    } else {
        Vec::new()
    };
    if !wants_ratios {
        return ExitCode::SUCCESS;
    }
    let verdicts = verdicts(&measured, lanes::is_supported(), options.gate.unwrap_or(1.0));
    zus_output::say!("\n{}", markdown(&VERDICT_COLUMNS.map(String::from), &verdict_rows(&verdicts)));
    if let Some(file) = &options.figures {
        let notes =
            vec![processor(), "medians of processor time, the tenth to the ninetieth percentile".into()];
        let text = serde_json::to_string_pretty(&figures(notes, &measured, &verdicts, &curves));
        if let Err(error) =
            text.map_err(std::io::Error::other).and_then(|text| zus_output::whole::write(file, text))
        {
            eprintln!("error: {}: {error}", zus_output::plain::path(file));
            return ExitCode::from(2);
        }
    }
    let missed = verdicts.iter().filter(|verdict| !verdict.ok).count();
    if missed > 0 && options.gate.is_some() {
        eprintln!("error: {missed} of {} ratios are not what is asked", verdicts.len());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The name of the processor, and whether it has the lanes.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let lanes = if lanes::is_supported() { "with" } else { "without" };
    format!("one thread of {}, {lanes} AVX-512 IFMA", name.map_or("an unnamed processor", |(_, name)| name))
}

//! All benches in one program, so that peers are measured in the same run.
//!
//! ```text
//! cargo bench -p zus-benches                                    # everything, within 20 minutes
//! cargo bench -p zus-benches -- --quick                         # everything, roughly, within 2
//! cargo bench -p zus-benches -- aggregate --n 200 --invalid 10  # one operation at one size
//! cargo bench -p zus-benches --features peers -- ratios --gate  # all peers; an error where a required ratio is missed
//! ```
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use zus_bpp::crypto::curve::lanes;
use zus_measure::arguments::{Arguments, Operation};
use zus_measure::figures::{COMPARISON_COLUMNS, comparison_rows, figures, markdown};
use zus_measure::peer::Peer;
use zus_measure::process_time;
use zus_measure::required::compare;

mod aggregate;
mod beacon;
mod blocks;
mod certificate;
mod dkg;
mod growth;
mod incremental;
mod peers;
mod ratios;
mod signature;
mod ticket_log;
mod wire;

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

/// The measurements of operations by themselves: criterion, the arguments, and the peers that are asked for.
pub struct Bench {
    pub criterion: Criterion<ProcessorTime>,
    pub arguments: Arguments,
    pub peers: Vec<&'static dyn Peer>,
}

fn main() -> ExitCode {
    let names: Vec<&str> = peers::PEERS.iter().map(|peer| peer.name()).collect();
    let arguments = match Arguments::parse_from_line(std::env::args_os(), &names) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    if arguments.list {
        zus_output::say!("operations: {}\npeers: {}", Operation::names().join(", "), names.join(", "));
        return ExitCode::SUCCESS;
    }
    if let Err(error) = can_end(&arguments) {
        eprintln!("error: {error}");
        return ExitCode::from(2);
    }
    let peers = peers::PEERS.iter().copied().filter(|peer| arguments.wants_peer(peer.name())).collect();
    let mut bench = Bench { criterion: criterion(&arguments), arguments, peers };
    for operation in Operation::ALL {
        if !bench.arguments.wants(operation) {
            continue;
        }
        match operation {
            Operation::Aggregate => aggregate::bench(&mut bench),
            Operation::Incremental => incremental::bench(&mut bench),
            Operation::Certificate => certificate::bench(&mut bench),
            Operation::Beacon => beacon::bench(&mut bench),
            Operation::Signature => signature::bench(&mut bench),
            Operation::Dkg => dkg::bench(&mut bench),
            Operation::TicketLog => ticket_log::bench(&mut bench),
            Operation::Wire => wire::bench(&mut bench),
            Operation::Blocks => blocks::print(&bench),
            // With the growth, below.
            Operation::Ratios => {}
            Operation::Growth if bench.arguments.wants(Operation::Ratios) => {}
            Operation::Growth => drop(growth::print(&bench)),
        }
    }
    bench.criterion.final_summary();
    if bench.arguments.wants(Operation::Ratios) && !bench.arguments.test {
        ratios(&bench)
    } else {
        ExitCode::SUCCESS
    }
}

/// Where criterion keeps its measurements: `target/criterion`, or the folder that its variable names.
fn kept() -> PathBuf {
    let named = std::env::var_os("CRITERION_HOME").map(PathBuf::from);
    // The program is target/PROFILE/deps/operations-HASH.
    let beside = || Some(std::env::current_exe().ok()?.ancestors().nth(3)?.join("criterion"));
    named.or_else(beside).unwrap_or_else(|| "target/criterion".into())
}

/// Whether there are measurements of this name, of any bench: `criterion/GROUP/BENCH/NAME/estimates.json`.
fn is_kept(folder: &Path, name: &str, depth: usize) -> bool {
    folder.join(name).join("estimates.json").exists()
        || depth > 0
            && std::fs::read_dir(folder)
                .is_ok_and(|inside| inside.flatten().any(|entry| is_kept(&entry.path(), name, depth - 1)))
}

/// Looks at whatever would stop the program after the measurements.
fn can_end(arguments: &Arguments) -> std::io::Result<()> {
    if let Some(file) = &arguments.figures {
        zus_output::whole::check(file).map_err(zus_output::whole::unwritable(file))?;
    }
    match &arguments.baseline {
        Some(name) if !is_kept(&kept(), name, 3) => Err(std::io::Error::other(format!(
            "--baseline {name}: no measurement has this name in {}\n  fix: --save-baseline {name} first",
            zus_output::plain::path(kept())
        ))),
        _ => Ok(()),
    }
}

/// Criterion as the arguments say.
fn criterion(arguments: &Arguments) -> Criterion<ProcessorTime> {
    let (before, long) = match (arguments.test, arguments.quick) {
        (true, _) => (Duration::from_micros(1), Duration::from_micros(1)),
        (false, true) => (Duration::from_millis(50), Duration::from_millis(200)),
        (false, false) => (Duration::from_millis(300), Duration::from_secs(1)),
    };
    let mut criterion = Criterion::default()
        .with_measurement(ProcessorTime)
        .output_directory(&kept())
        .sample_size(10)
        .warm_up_time(before)
        .measurement_time(long);
    if arguments.test {
        criterion = criterion.without_plots().save_baseline("test".into());
    }
    if let Some(name) = &arguments.save_baseline {
        criterion = criterion.save_baseline(name.clone());
    }
    if let Some(name) = &arguments.baseline {
        criterion = criterion.retain_baseline(name.clone(), false);
    }
    criterion
}

/// The tables of ratios, the growth, and the required ratios.
fn ratios(bench: &Bench) -> ExitCode {
    let arguments = &bench.arguments;
    let measured = ratios::print(bench);
    let curves = growth::print(bench);
    let comparisons = compare(&measured, lanes::is_supported(), arguments.gate.unwrap_or(1.0));
    zus_output::say!("\n{}", markdown(&COMPARISON_COLUMNS.map(String::from), &comparison_rows(&comparisons)));
    if let Some(file) = &arguments.figures {
        let notes =
            vec![processor(), "medians of processor time, the tenth to the ninetieth percentile".into()];
        let command = "cargo bench -p zus-benches --features peers -- ratios --figures FILE";
        let text = serde_json::to_string_pretty(&figures(command, notes, &measured, &comparisons, &curves));
        if let Err(error) =
            text.map_err(std::io::Error::other).and_then(|text| zus_output::whole::write(file, text))
        {
            eprintln!("error: {}: {error}", zus_output::plain::path(file));
            return ExitCode::from(2);
        }
    }
    let missed = comparisons.iter().filter(|comparison| !comparison.ok).count();
    if missed > 0 && arguments.gate.is_some() {
        eprintln!("error: {missed} of {} required ratios are missed", comparisons.len());
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

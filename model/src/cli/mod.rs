//! The commands of `zus`, their options, and what they return.
//!
//! Results go to standard output, progress and messages to standard error. The exit code is 0 when everything is as
//! expected, 1 when something is not, 2 for bad input or usage, and 3 when a bound was hit before the answer was
//! complete.

mod bench;
mod check;
mod draw;
mod explore;
mod measure;
mod progress;
mod replay;
mod report;
mod simulate;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};
use zus_model::checker::{
    bfs::Limits,
    check::{Standing, quoted},
};

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything is as expected.
    AsExpected = 0,
    /// Something is not.
    Differs = 1,
    /// The input cannot be used.
    BadInput = 2,
    /// A bound was hit before the answer was complete.
    Incomplete = 3,
}

impl From<Standing> for Exit {
    fn from(standing: Standing) -> Self {
        match standing {
            // A sample that shows nothing is as good as a scenario that asks for one can expect.
            Standing::AsExpected | Standing::Sampled => Exit::AsExpected,
            Standing::Incomplete => Exit::Incomplete,
            Standing::Differs => Exit::Differs,
        }
    }
}

const EXIT_CODES: &str = "Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, \
3 a bound was hit before the answer was complete.";

/// Checks the Züs block production protocol: every reachable state of a scenario, against what is expected of it.
#[derive(Parser)]
#[command(name = "zus", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(CheckArgs),
    Simulate(SimulateArgs),
    Replay(ReplayArgs),
    Draw(DrawArgs),
    Report(ReportArgs),
    Explore(ExploreArgs),
    Bench(BenchArgs),
    #[command(hide = true)]
    Measure(MeasureArgs),
}

/// Explores scenarios and says, property by property, whether reality is what they expect.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus check                               all committed scenarios
  zus check late_better_rank              one of them, with the run that breaks it
  zus check my.toml --format markdown     a file of yours, with sequence diagrams
  zus check --mutants                     every rule change of mutants.toml must be caught

Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, 3 a bound was hit before the answer was
complete.")]
struct CheckArgs {
    /// Scenario files, or names of committed scenarios [default: all committed ones]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Run the mutants instead: rule changes, each of which must break the property that it is said to break
    #[arg(long, conflicts_with = "scenarios")]
    mutants: bool,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report in all forms, and a trace of every run that is found, into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare with an earlier report (report.json): verdicts, shortest runs, numbers of states
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Leave the runs out of text and Markdown
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    bounds: Bounds,
}

/// How far a search may go.
#[derive(Args, Clone, Copy)]
struct Bounds {
    /// Threads [default: one for each processor]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Unique states of a scenario at most
    #[arg(long, value_name = "N", default_value_t = Limits::default().states, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    /// Memory of a scenario at most, e.g. 2GiB, 500MB or a number of bytes
    #[arg(long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    max_memory: u64,
}

/// Random deep runs of a scenario, beyond what can be explored exhaustively.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus simulate hardened_n7 --seed 1 --runs 100000
  zus simulate hardened_n7 --seed 4711 --runs 1      run 4711 again

Exit code: 0 nothing speaks against what is expected, 1 something does, 2 bad input or usage, 3 something that is
expected to be found was not.")]
struct SimulateArgs {
    /// A scenario file, or the name of a committed scenario
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// The seed of the first run; the others have the seeds that follow
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Steps of a run at most
    #[arg(long, value_name = "K", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report in all forms, and a trace of every run that is found, into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leave the runs out of text and Markdown
    #[arg(long, short)]
    quiet: bool,
    /// Threads [default: one for each processor]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// Executes a trace step by step, and rejects it at the first step that may not happen.
#[derive(Args)]
#[command(after_help = "\
Example:
  zus check late_better_rank --out out && zus replay out/traces/late_better_rank-S2.json

Exit code: 0 it is a run and shows what it claims, 1 it is none or does not, 2 bad input or usage.")]
struct ReplayArgs {
    /// The trace file
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Leave the steps out
    #[arg(long, short)]
    quiet: bool,
}

/// Draws a run: as a page to step through, as a picture, or as a Mermaid diagram.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus draw model/traces/deployed_fork-S5.json --out fork.html     then open fork.html in a browser
  zus draw model/traces/deployed_fork-S5.json --format svg --out fork.svg
  zus draw model/traces/late_better_rank-S2.json --format mermaid

Exit code: 0 it is drawn, 1 it is no run or does not show what it claims, 2 bad input or usage.")]
struct DrawArgs {
    /// A trace, or a scene that another tool wrote
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// The form of the drawing
    #[arg(long, value_enum, default_value_t = DrawFormat::Html)]
    format: DrawFormat,
    /// Write it into this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Checks everything and puts it on one page: safety matrix, scenarios, mutants, ledger, figures; runs open in a viewer.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus report out                                then open out/index.html in a browser
  zus report out --reuse --figures bench.json   the same page again, with the figures of a bench

The folders out/check, out/mutants and out/matrix are what `zus check --out` makes: reports, and a trace of every run.

Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, 3 a bound was hit before the answer was
complete.")]
struct ReportArgs {
    /// The folder for the page and what it is made from
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Use what is in the folder already
    #[arg(long)]
    reuse: bool,
    /// Unique states of a cell of the safety matrix at most
    #[arg(long, value_name = "N", default_value_t = 1_200_000, value_parser = clap::value_parser!(u64).range(1..))]
    matrix_states: u64,
    /// The ledger of properties [default: proofs/ledger.toml, where it is]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Tables and plots of another tool; the format is described in model/src/report/page/figures.rs
    #[arg(long, value_name = "FILE")]
    figures: Vec<PathBuf>,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    bounds: Bounds,
}

/// The forms of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum DrawFormat {
    /// One page with the viewer; it needs no network
    Html,
    /// A picture
    Svg,
    /// A sequence diagram for Markdown
    Mermaid,
    /// The data that it is drawn from
    Scene,
    /// Informal Trace Format, for the viewers of Quint and Apalache
    Itf,
}

/// A scenario or a run in a browser, step by step: choose what happens, see what may not happen and why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus explore late_better_rank                        then open http://127.0.0.1:3000
  zus explore model/traces/deployed_fork-S5.json      from the end of a run; steps can be taken back
  zus explore late_better_rank --stateright           Stateright's own Explorer")]
struct ExploreArgs {
    /// A scenario file, the name of a committed scenario, or a trace
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// Where to listen; this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    address: SocketAddr,
    /// Stateright's own Explorer, of a scenario
    #[arg(long)]
    stateright: bool,
}

/// How fast the search is, beside Stateright's own on the same model, and how its work grows.
#[derive(Args)]
#[command(after_help = "\
Every measurement is a process of its own; searches take turns, so that what else the machine does falls on all of
them. Given are medians, with the least and the greatest.")]
struct BenchArgs {
    /// Only the smallest instance, three turns, and a short table of growth
    #[arg(long)]
    quick: bool,
    /// How often each search has its turn [default: 5, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    turns: Option<u16>,
    /// Threads of the searches that use several [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The form of the tables
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
}

/// One measurement of `zus bench`, as a line of JSON.
#[derive(Args)]
struct MeasureArgs {
    /// The name of a committed scenario
    scenario: String,
    /// Which search
    #[arg(value_enum)]
    search: measure::Search,
    /// With how many threads
    threads: u16,
}

/// The forms of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum TableFormat {
    /// Aligned columns
    Text,
    /// A Markdown table
    Markdown,
    /// Tables and a plot for `zus report --figures`
    Json,
}

/// The forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Aligned tables and runs in words
    Text,
    /// The report's schema itself
    Json,
    /// Tables, and runs as Mermaid sequence diagrams
    Markdown,
    /// XML for the test tab of a CI
    Junit,
}

/// A number of bytes with or without a unit.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(format!("`{unit}` is no unit; use KiB, MiB, GiB, KB, MB or GB")),
    };
    let number: u64 = number.parse().map_err(|_| "give a number of bytes, e.g. 2GiB".to_owned())?;
    number.checked_mul(factor).filter(|&bytes| bytes > 0).ok_or_else(|| "out of range".into())
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A scenario, or the list of mutants, cannot be used.
    #[error(transparent)]
    Scenario(#[from] zus_model::scenario::ScenarioError),
    /// A trace cannot be read.
    #[error(transparent)]
    Trace(#[from] zus_model::trace::TraceError),
    /// A scene cannot be read.
    #[error(transparent)]
    Scene(#[from] zus_model::draw::scene::SceneError),
    /// A file of a report cannot be used.
    #[error("{path}: {why}\n  fix: name a file that this version of `zus` can read, or leave it out")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A scene has no diagram, and no states.
    #[error("Mermaid and ITF are made from a trace, and this is a scene\n  fix: use --format html or svg")]
    NoDiagram,
    /// There is no scenario to check.
    #[error("there is no scenario, so nothing would be checked\n  fix: name a scenario file")]
    NoScenario,
    /// The output folder cannot be written to.
    #[error("{path}: cannot be written: {source}\n  fix: name a folder that can, after --out")]
    Unwritable {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The Explorer asks nobody who they are.
    #[error(
        "{address} can be reached from other machines\n  fix: use a loopback address, e.g. 127.0.0.1:3000"
    )]
    NotLoopback {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The Explorer cannot listen.
    #[error("{address}: {source}\n  fix: use another port, e.g. --address 127.0.0.1:3001")]
    Address {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
    /// The threads cannot be started.
    #[error("the threads cannot be started: {0}\n  fix: ask for fewer with --threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A measurement came to nothing.
    #[error("{what}: the measurement failed: {why}")]
    Measurement {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A report cannot be put into XML.
    #[error("the report cannot be written as JUnit XML: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// Standard output is gone.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs the command that the user asked for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Draw(args) => draw::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Explore(args) => explore::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Measure(args) => measure::run(&args),
    };
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        // Whoever reads the output has read enough (`zus check | head`); what was not checked is not as expected.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(Exit::Incomplete as u8)
        }
        Err(failure) => {
            let mut stderr = anstream::stderr();
            let _ = writeln!(stderr, "error: {failure}");
            ExitCode::from(Exit::BadInput as u8)
        }
    }
}

/// Does `work` on that many threads.
fn on_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build()?;
    Ok(pool.install(work))
}

/// The command as the user gave it, for reports and traces.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("zus".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Most memory that this process has had, in bytes; 0 where the system does not say.
fn peak_memory() -> u64 {
    memory("VmHWM:")
}

/// A line of `/proc/self/status` that counts kilobytes, in bytes; 0 where the system does not say.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).map_or(0, |k| k * 1024)
}

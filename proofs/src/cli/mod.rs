//! The command line.
//!
//! Exit codes: 0 all is well, 1 a condition fails, 2 the input is wrong, 3 something is missing or without a verdict.

/// Prints a line. A reader that has gone away, as `head` does, ends the process, and so does a full disk.
macro_rules! say {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

mod check;
mod epochs;
mod graph;
mod json;
mod runs;

use crate::spec::{RuleChoice, Sources, Spec, SpecError, load};
use crate::{independence, parts::Ask};
use clap::{Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
};
use zus_output::{folder::Folder, plain, pulse::Pulse, whole};

/// Threads, at most.
const MOST_THREADS: u64 = 1024;
/// Steps of a search, at most: the longest run of the tables has 40.
const MOST_STEPS: u64 = 1000;
/// Rounds, subrounds and blocks of a universe, at most; together they stay below [`MAX_ELEMENTS`](crate::bounded::MAX_ELEMENTS).
const MOST_OF_A_UNIVERSE: u64 = 62;
/// Failing conditions that are explained, at most.
const MOST_EXPLAINED: u64 = 1000;

/// Threads used, unless told otherwise: the processors that there are.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS as usize)
}

/// A number of the command line: each has bounds, which `--help` and every refusal show.
fn number(range: impl std::ops::RangeBounds<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

#[derive(Parser)]
#[command(name = "zus-proofs", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the specification is read from.
#[derive(clap::Args)]
struct ReadFrom {
    /// Read the specification from this folder instead of the one built in.
    #[arg(long, value_name = "FOLDER")]
    spec: Option<PathBuf>,
}

impl ReadFrom {
    fn sources(&self) -> Result<Sources, BadInput> {
        match &self.spec {
            Some(folder) => Ok(Sources::folder(folder)?),
            None => Ok(Sources::embedded()),
        }
    }
}

/// How many threads a command may use.
#[derive(clap::Args)]
struct Threads {
    /// Threads, and solver processes, to use.
    #[arg(long, default_value_t = default_threads(), value_parser = number(1..=MOST_THREADS))]
    threads: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Prove every condition; on failure print the smallest counterexample and, if one is found, a real run.
    Check(CheckArguments),
    /// Delete every axiom, conjunct and guard in turn: which conditions fail?
    Controls {
        /// The rules.
        #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
        rules: String,
        /// Ask this solver about every condition decided again.
        #[arg(long)]
        judge: Option<JudgeName>,
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// Delete every conjunct, disjunct and premise of the clock's items in turn: what is seen of it?
    Parts {
        /// Only parts whose line has this text.
        #[arg(value_name = "TEXT")]
        only: Option<String>,
        /// Ask the conditions too about parts that no kept run shows: that takes minutes.
        #[arg(long)]
        conditions: bool,
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// Which actions commute, disable or enable each other: proved for any number of members, line by line.
    Independence {
        /// The rules.
        #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
        rules: String,
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// Search the runs that weaker rules allow, and those that reach every witness; write them as JSON, and as traces
    /// for `zus replay`.
    Runs {
        /// Where to.
        #[arg(long, value_name = "FOLDER", default_value = "proofs/runs")]
        out: PathBuf,
        /// Where to write the traces.
        #[arg(long, value_name = "FOLDER", default_value = "proofs/traces")]
        traces: PathBuf,
        /// Only the runs of the clock, `clock.jsonl`.
        #[arg(long)]
        clock: bool,
        /// Only the runs that stall without an obligation, a timer or a window, `stalls.jsonl`.
        #[arg(long, conflicts_with = "clock")]
        stalls: bool,
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// Draw the real run that stalls the clock without an item: an obligation, a timer, a window, an axiom.
    Stall {
        /// The item, as `check --delete` takes it; without one, all that there are.
        #[arg(value_name = "ITEM")]
        item: Option<String>,
    },
    /// Replay a run, or search one that breaks a property.
    Run(RunArguments),
    /// Print the hypotheses that the judge's refutations use, condition by condition: `hints.txt` has them.
    Hints {
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// Compare the whole graphs of the model's specification and of this one on tiny universes: states, labelled edges, and where
    /// nothing must happen any more.
    Graph {
        /// Only the universes of this name; without one, all.
        #[arg(value_name = "UNIVERSE")]
        universe: Option<String>,
        /// Leave out an item of the specification: guard:ACTION/NAME.
        #[arg(long, value_name = "ITEM")]
        delete: Vec<String>,
        #[command(flatten)]
        from: ReadFrom,
        #[command(flatten)]
        threads: Threads,
    },
    /// The handover between epochs: its conditions, controls, rule changes and runs.
    Epochs {
        /// Search its runs again, and write `epochs.jsonl` into this folder.
        #[arg(long, value_name = "FOLDER")]
        runs: Option<PathBuf>,
        /// Compare the whole graphs of the model and of the specification, also of the larger instances.
        #[arg(long, conflicts_with = "runs")]
        graph: bool,
        #[command(flatten)]
        threads: Threads,
    },
    /// Print the verification conditions as SMT-LIB scripts, one file each.
    Smtlib {
        /// The rules.
        #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
        rules: String,
        /// Where to.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        #[command(flatten)]
        from: ReadFrom,
    },
    /// The ledger: what evidence there is for every property.
    Ledger {
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Check traces (of the model, the fuzzer, or the production code) step by step: every step is one of the
    /// specification's.
    Tie {
        /// Files in the format of `zus replay`.
        #[arg(required = true, value_name = "TRACE")]
        traces: Vec<PathBuf>,
        #[command(flatten)]
        from: ReadFrom,
    },
}

#[derive(clap::Args)]
struct RunArguments {
    /// The rules.
    #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
    rules: String,
    /// Replay this file; or
    #[arg(long, value_name = "FILE", required_unless_present = "breaks", conflicts_with_all = ["breaks", "universe", "byzantine", "steps"])]
    replay: Option<PathBuf>,
    /// search a run that breaks this property.
    #[arg(long, value_name = "PROPERTY")]
    breaks: Option<String>,
    /// Rounds with blocks, subrounds of each, blocks of each (round, subround): 1 or more of each.
    #[arg(long, value_name = "N", num_args = 3, default_values_t = [1, 2, 1], value_parser = number(1..=MOST_OF_A_UNIVERSE))]
    universe: Vec<usize>,
    /// Byzantine miners among the four: 0 to 3.
    #[arg(long, default_value_t = 1, value_parser = number(0..=3))]
    byzantine: usize,
    /// Steps of non-interfering actions to search: 1 to 1000.
    #[arg(long, default_value_t = 60, value_parser = number(1..=MOST_STEPS))]
    steps: usize,
    #[command(flatten)]
    from: ReadFrom,
}

#[derive(clap::Args)]
struct CheckArguments {
    /// Everything, as in CI: both profiles proved, all judges, no vacuity, controls, refutations, arithmetic, ledger.
    #[arg(long, conflicts_with_all = ["rules", "delete", "judge", "explain", "certificates"])]
    all: bool,
    /// Which judges; the one in Rust always, for it explains failures. A judge named here that is missing is an error.
    #[arg(long, value_delimiter = ',')]
    judge: Vec<JudgeName>,
    /// The rules.
    #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
    rules: String,
    /// Leave out an item: axiom:NAME, invariant:NAME or guard:ACTION/NAME.
    #[arg(long, value_name = "ITEM")]
    delete: Vec<String>,
    /// Write every condition's refutation as DIMACS and DRAT.
    #[arg(long, value_name = "FOLDER")]
    certificates: Option<PathBuf>,
    /// Explain at most so many failing conditions; with 0 no real run is searched either.
    #[arg(long, default_value_t = 5, value_parser = number(0..=MOST_EXPLAINED))]
    explain: usize,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
    #[command(flatten)]
    from: ReadFrom,
    #[command(flatten)]
    threads: Threads,
}

/// How a check is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum CheckFormat {
    /// For a terminal.
    Text,
    /// Condition by condition, for `zus summary --proofs`; what the judge in Rust finds. `zus schema proofs` is its
    /// schema.
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
enum JudgeName {
    Rust,
    Z3,
    Cvc5,
}

/// How the ledger is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// A table.
    Markdown,
}

/// How a command ends, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    /// All is well.
    Fine,
    /// Something is missing, or has no verdict.
    Incomplete,
    /// A condition fails.
    Fails,
}

/// Input that is wrong.
struct BadInput(String);

impl<E: std::error::Error> From<E> for BadInput {
    fn from(error: E) -> Self {
        BadInput(error.to_string())
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(End::Fine) => ExitCode::from(0),
        Ok(End::Fails) => ExitCode::from(1),
        Ok(End::Incomplete) => ExitCode::from(3),
        Err(error) => {
            eprintln!("zus-proofs: {}", plain::message(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

fn execute(arguments: &Arguments) -> Result<End, BadInput> {
    let _pulse = Pulse::new("zus-proofs at work");
    match &arguments.command {
        Command::Check(check) => execute_check(check),
        Command::Controls { rules, judge, from, threads } => {
            check::print_controls(&read(&from.sources()?, rules)?, *judge, threads.threads)
        }
        Command::Parts { only, conditions, from, threads } => {
            let ask = if *conditions { Ask::Conditions } else { Ask::Runs };
            check::print_parts(&from.sources()?, only.as_deref(), ask, threads.threads)
        }
        Command::Stall { item } => runs::stall(item.as_deref()),
        Command::Independence { rules, from, threads } => {
            let spec = read(&from.sources()?, rules)?;
            say!("{}", independence::table(&spec, &independence::pairs(&spec, threads.threads)).trim_end());
            Ok(End::Fine)
        }
        Command::Runs { out, clock: true, from, threads, .. } => {
            runs::write_clock(&from.sources()?, out, threads.threads)
        }
        Command::Runs { out, stalls: true, from, threads, .. } => {
            runs::write_stalls(&from.sources()?, out, threads.threads)
        }
        Command::Runs { out, traces, from, threads, .. } => {
            runs::write(&from.sources()?, out, traces, threads.threads)
        }
        Command::Run(run) => {
            let spec = read(&run.from.sources()?, &run.rules)?;
            match &run.replay {
                Some(file) => runs::replay(&spec, file),
                None => runs::search(&spec, run),
            }
        }
        Command::Hints { from, threads } => check::print_hints(&from.sources()?, threads.threads),
        Command::Graph { universe, delete, from, threads } => {
            graph::print(&from.sources()?, universe.as_deref(), delete, threads.threads)
        }
        Command::Epochs { runs: Some(folder), .. } => epochs::write(folder),
        Command::Epochs { graph: true, .. } => epochs::graph(),
        Command::Epochs { threads, .. } => epochs::check(&[], threads.threads),
        Command::Smtlib { rules, out, from } => runs::smtlib_files(&read(&from.sources()?, rules)?, out),
        Command::Ledger { format } => check::print_ledger(*format),
        Command::Tie { traces, from } => runs::tie(&from.sources()?, traces),
    }
}

fn execute_check(check: &CheckArguments) -> Result<End, BadInput> {
    let (sources, threads) = (check.from.sources()?, check.threads.threads);
    let twice = |at: usize| check.judge[..at].contains(&check.judge[at]);
    if let Some(at) = (0..check.judge.len()).find(|&at| twice(at)) {
        let name = format!("{:?}", check.judge[at]).to_lowercase();
        return Err(BadInput(format!("--judge names {name} twice\n  fix: name each judge once")));
    }
    match check.format {
        CheckFormat::Json => {
            if check.all
                || check.judge.iter().any(|&judge| judge != JudgeName::Rust)
                || check.certificates.is_some()
            {
                return Err(BadInput(
                    "--format json goes with neither --all, another --judge nor --certificates\n  fix: leave it out, or those"
                        .into(),
                ));
            }
            json::print(&sources, check, threads)
        }
        CheckFormat::Text if check.all => check::all(&sources, threads),
        CheckFormat::Text => check::one(&sources, check, threads),
    }
}

fn read(sources: &Sources, rules: &str) -> Result<Spec, SpecError> {
    load(sources, &RuleChoice::new(rules))
}

/// Opens a folder that the user named, to write into it.
fn folder(path: &Path) -> Result<Folder, BadInput> {
    Ok(Folder::open(path).map_err(whole::unwritable(path))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// A new option is asked, too: a number without bounds, or a 0 that makes a command do nothing, has to be meant.
    #[test]
    fn every_number_of_the_command_line_has_bounds() {
        let numbers = zus_output::numbers::numbers(&Arguments::command());
        let names = |which: fn(&zus_output::numbers::Number) -> bool| {
            numbers.iter().filter(|number| which(number)).map(|number| &*number.name).collect::<Vec<_>>()
        };
        assert!(numbers.len() >= 7, "{numbers:?}");
        assert_eq!(names(|number| number.takes_any), [""; 0]);
        // No failing condition explained; no Byzantine miner.
        assert_eq!(names(|number| number.takes_zero), ["check --explain", "run --byzantine"]);
    }
}

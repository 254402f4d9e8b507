//! The command line.
//!
//! Exit codes: 0 all is well, 1 a condition fails, 2 the input is wrong, 3 something is missing or without a verdict.

/// Prints a line. A reader that has gone away, as `head` does, ends the process, and so does a full disk.
macro_rules! say {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

mod check;
mod json;
mod runs;

use crate::spec::{RuleChoice, Sources, Spec, SpecError, load};
use clap::{Parser, Subcommand, ValueEnum};
use std::{fmt, path::PathBuf, process::ExitCode};
use zus_output::{plain, pulse::Pulse};

/// Threads used, unless told otherwise: the processors that there are.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[derive(Parser)]
#[command(name = "zus-proofs", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Read the specification from this folder instead of the one built in.
    #[arg(long, global = true, value_name = "FOLDER")]
    spec: Option<PathBuf>,
    /// Threads, and solver processes, to use.
    #[arg(long, global = true, default_value_t = default_threads())]
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
    },
    /// Replay a run, or search one that breaks a property.
    Run {
        /// The rules.
        #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
        rules: String,
        /// Replay this file; or
        #[arg(long, value_name = "FILE", required_unless_present = "breaks")]
        replay: Option<PathBuf>,
        /// search a run that breaks this property.
        #[arg(long, value_name = "PROPERTY")]
        breaks: Option<String>,
        /// Rounds with blocks, subrounds of each, blocks of each (round, subround).
        #[arg(long, value_name = "N", num_args = 3, default_values_t = [1, 2, 1])]
        world: Vec<usize>,
        /// Byzantine miners among the four.
        #[arg(long, default_value_t = 1)]
        byzantine: usize,
        /// Steps of non-interfering actions to search.
        #[arg(long, default_value_t = 60)]
        steps: usize,
    },
    /// Print the verification conditions as SMT-LIB scripts, one file each.
    Smtlib {
        /// The rules.
        #[arg(long, default_value = "hardened", value_name = "PROFILE[,RULE=VALUE...]")]
        rules: String,
        /// Where to.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
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
    },
}

#[derive(clap::Args)]
struct CheckArguments {
    /// Everything, as in CI: both profiles proved, all judges, no vacuity, controls, refutations, arithmetic, ledger.
    #[arg(long, conflicts_with_all = ["rules", "delete", "judge"])]
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
    /// Explain at most so many failing conditions.
    #[arg(long, default_value_t = 5)]
    explain: usize,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
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
    let sources = match &arguments.spec {
        Some(folder) => Sources::folder(folder)
            .map_err(|e| BadInput(format!("{}: {e}", zus_output::plain::path(folder))))?,
        None => Sources::embedded(),
    };
    let threads = arguments.threads.max(1);
    let _pulse = Pulse::new("zus-proofs at work");
    match &arguments.command {
        Command::Check(check) if check.format == CheckFormat::Json => {
            if check.all
                || check.judge.iter().any(|&judge| judge != JudgeName::Rust)
                || check.certificates.is_some()
            {
                return Err(BadInput(
                    "--format json goes with neither --all, another --judge nor --certificates".into(),
                ));
            }
            json::print(&sources, check, threads)
        }
        Command::Check(check) if check.all => check::all(&sources, threads),
        Command::Check(check) => check::one(&sources, check, threads),
        Command::Controls { rules, judge } => check::print_controls(&read(&sources, rules)?, *judge, threads),
        Command::Runs { out, traces } => runs::write(&sources, out, traces, threads),
        Command::Run { rules, replay: Some(file), .. } => runs::replay(&read(&sources, rules)?, file),
        Command::Run { rules, breaks, world, byzantine, steps, .. } => {
            let size = <[usize; 3]>::try_from(world.clone())
                .map_err(|_| BadInput("--world takes three numbers".into()))?;
            let breaks = breaks.as_deref().unwrap_or_default();
            runs::search(&read(&sources, rules)?, breaks, size, *byzantine, *steps)
        }
        Command::Smtlib { rules, out } => runs::smtlib_files(&read(&sources, rules)?, out),
        Command::Ledger { format } => check::print_ledger(*format),
        Command::Tie { traces } => runs::tie(&sources, traces),
    }
}

fn read(sources: &Sources, rules: &str) -> Result<Spec, SpecError> {
    load(sources, &RuleChoice::new(rules))
}

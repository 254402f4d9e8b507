//! The command line tool: walks, the product, the kill matrix, speed, coverage, shrinking and replaying.

/// As the one of the standard library, which panics when the reader has gone away; this ends the process.
macro_rules! println {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

mod coverage;
mod finding;
mod judge;
mod matrix;
mod mutants;
mod product;
mod seeds;
mod soak;
mod speed;
#[cfg(feature = "study")]
mod study;
mod table;
mod trial;
mod waits;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use serde_json::json;

use zus_bpp::limits::MAX_ROUND;
use zus_bpp::rules::Rules;
use zus_checker::blocks::{MAX_ROUNDS, MAX_SUBROUNDS};
use zus_checker::instance::MAX_RESTARTS;
use zus_output::{plain, whole};
use zus_protocol::synchrony::{TICKET_WAIT, WINDOW};

use crate::judge::finding as judge_input;
use crate::mutants::{IS_WOVEN, VARIABLE};
use crate::product::Product;
use crate::schedule::profile;
use crate::soak::Plan;
use crate::targets;
use crate::waits::{DELTA, Waits};
use finding::Deviation;
use matrix::hunt::Layer;

/// Steps of a product at most: 2 TiB.
const MOST_STEPS: u64 = 1 << 30;
/// Runs of a walk at most: at ten thousand a second, three years.
const MOST_RUNS: u64 = 1 << 40;
/// Subrounds of one round of a soak at most: hours.
const MOST_SUBROUNDS: i64 = 2_000;
/// Seconds of any measurement at most: a day.
const MOST_SECONDS: i64 = 86_400;
/// Ticks of a wait at most: ten times as long as the least.
const MOST_TICKS: i64 = 50;
/// The most of whatever else is counted: effort, processes, seeds.
const MOST: i64 = 1_000;
/// Rounds of a soak at most: years.
const MOST_ROUNDS: u64 = 1 << 40;
/// The round at which a soak may begin at most: what follows stays below the highest round.
const HIGHEST_BEGIN: u64 = MAX_ROUND - 2 * MOST_ROUNDS;

/// Production code against the model.
#[derive(Parser)]
#[command(name = "zus-fuzz", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A plain random walk over schedules: the control that a fuzzer has to beat.
    Walk {
        /// Runs, at most.
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
        runs: u64,
        /// The same seed walks the same way.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// `hardened`, `documented`, `deployed`, or a change of one rule such as `ticket = BetterRank`; without it half of the
        /// runs are under `hardened` and the others under all other rules in turn.
        #[arg(long, value_parser = rules)]
        rules: Option<Rules>,
        /// Rules that the honest participants follow, and the model does not: a rehearsal of a finding.
        #[arg(long, value_parser = Deviation::named)]
        deviate: Option<Deviation>,
        /// Where a finding goes.
        #[arg(long, default_value = "finding.run")]
        out: PathBuf,
    },
    /// A long run with faults all along, under a bound on memory.
    Soak {
        /// Rounds that everybody has to finalize.
        #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=MOST_ROUNDS))]
        rounds: u64,
        /// The same seed is the same run.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Members.
        #[arg(long, default_value = "4", value_parser = PossibleValuesParser::new(["4", "7"]).try_map(|number| number.parse::<u16>()))]
        miners: u16,
        /// The round at which everybody begins.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=HIGHEST_BEGIN))]
        begins_at: u64,
        /// Subrounds that one round has at least; hundreds take minutes.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=MOST_SUBROUNDS))]
        subrounds: u32,
        /// The rules, as for a walk; they have to be live.
        #[arg(long, value_parser = live, default_value = "hardened")]
        rules: Rules,
        /// Rules that the honest participants follow, and the oracles do not: a rehearsal of a finding.
        #[arg(long, value_parser = Deviation::named)]
        deviate: Option<Deviation>,
    },
    /// How long rounds take with these waits, next to the bound of the proof; waits that are too short are refused.
    Waits {
        /// The window, in ticks of 100 ms: the bound on messages in this network.
        #[arg(long, default_value_t = WINDOW, value_parser = clap::value_parser!(u32).range(1..=MOST_TICKS))]
        window: u32,
        /// The wait for tickets after it, in ticks.
        #[arg(long, default_value_t = TICKET_WAIT, value_parser = clap::value_parser!(u32).range(1..=MOST_TICKS))]
        ticket_wait: u32,
        /// The bound on messages that the miners are told, in milliseconds.
        #[arg(long, default_value_t = DELTA, value_parser = clap::value_parser!(u64).range(1..=MOST as u64))]
        told: u64,
        /// Runs; every other one has a Byzantine member.
        #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u64).range(1..=MOST as u64))]
        seeds: u64,
    },
    /// The exhaustive product of production and model.
    Product {
        /// Rounds.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=MAX_ROUNDS as i64))]
        rounds: u8,
        /// Subrounds of each round.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=MAX_SUBROUNDS as i64))]
        subrounds: u8,
        /// Which of the four miners is Byzantine.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=3))]
        byzantine: u16,
        /// Crashes, at most.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_RESTARTS)))]
        crashes: u32,
        /// Decides the order of generators.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// The rules, as for a walk.
        #[arg(long, value_parser = rules, default_value = "hardened")]
        rules: Rules,
        /// Beacon shares arrive at any time, not at once.
        #[arg(long)]
        late_shares: bool,
        /// Look for what the model may do and production does not; takes several times as long.
        #[arg(long)]
        refusals: bool,
        /// Steps at most: a thousand of them take about 2 MiB.
        #[arg(long, default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1..=MOST_STEPS))]
        max_steps: u64,
        /// Where the trace of the first violation goes, for `zus replay` and `zus draw`.
        #[arg(long)]
        trace: Option<PathBuf>,
    },
    /// The kill matrix: which layer notices which deliberate bug.
    Matrix {
        /// Runs of the walk for each bug, at most.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
        runs: u64,
        /// Judge these bugs only; the results of before stand for the others.
        #[arg(long)]
        only: Vec<String>,
        /// Run the rule changes through the model, too.
        #[arg(long)]
        model: bool,
        /// Ask the exhaustive product, too.
        #[arg(long)]
        product: bool,
        /// Ask the unit tests of the production crate, too.
        #[arg(long)]
        units: bool,
        /// Keep what product and fuzzing said before.
        #[arg(long)]
        keep: bool,
        /// Write results, tables and witnesses.
        #[arg(long)]
        write: bool,
    },
    /// Everything that the harness has, cheapest first, until something is wrong.
    Judge {
        /// How much: 1 takes some ten seconds where nothing is wrong.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MOST as u64))]
        effort: u64,
        /// Where the input of a finding goes.
        #[arg(long, default_value = "finding.input")]
        out: PathBuf,
    },
    /// The production crate with the deliberate bugs of `fuzz/harness/mutants`.
    Mutants {
        #[command(subcommand)]
        command: mutants::Bugs,
    },
    /// One layer looks for the bug of its process, for `matrix`.
    #[command(hide = true)]
    Hunt {
        /// The layer that looks.
        #[arg(value_enum)]
        layer: Layer,
        /// Runs of the walk, at most.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
        runs: u64,
    },
    /// Writes the seed corpora again.
    #[command(hide = true)]
    Seeds,
    /// Executions and steps a second of each target.
    #[command(hide = true)]
    Speed {
        /// Seconds for each target.
        #[arg(long, default_value_t = 3, value_parser = seconds())]
        seconds: u64,
        /// Instrumented programs to measure, too: their kind and folder, as `none=DIR` or `address=DIR`.
        #[arg(long, value_parser = kind_and_folder)]
        instrumented: Vec<(String, PathBuf)>,
        /// Where the figures go, for `zus report --figures`.
        #[arg(long)]
        json: Option<PathBuf>,
        /// A README whose table of speeds is replaced.
        #[arg(long)]
        readme: Option<PathBuf>,
    },
    /// Runs a target on files, without an engine, and prints what they stand for: how a crash of any engine is replayed.
    Run {
        /// Its name.
        #[arg(value_parser = PossibleValuesParser::new(targets::ALL.iter().map(|(name, _)| *name)))]
        target: String,
        /// Inputs.
        #[arg(required_unless_present = "hex")]
        files: Vec<PathBuf>,
        /// An input of two hexadecimal digits a byte, as a panic prints it.
        #[arg(long, value_parser = hex)]
        hex: Option<Hex>,
    },
    /// The table of the targets: the meaning of their bytes, and what judges them.
    Targets {
        /// Write what follows from the table: shims, programs, first inputs, lines of the README.
        #[arg(long)]
        write: bool,
    },
    /// How much of the model the committed inputs, random runs and the product reach through production code.
    Coverage {
        /// Seconds of random runs.
        #[arg(long, default_value_t = 20, value_parser = seconds())]
        seconds: u64,
        /// The same seed walks the same way.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Folders of inputs of `conformance` beside the committed ones: what an engine has found.
        inputs: Vec<PathBuf>,
    },
    /// The worth of the model as an engine's novelty signal; `fuzz/harness/study` builds the programs.
    #[cfg(feature = "study")]
    #[command(hide = true)]
    Study {
        /// The folder of the programs without the counters.
        #[arg(long)]
        edges: PathBuf,
        /// The folder of those with them.
        #[arg(long)]
        feedback: PathBuf,
        /// Seconds for each measurement, at most.
        #[arg(long, default_value_t = 20, value_parser = seconds())]
        seconds: u64,
        /// Seeds.
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=MOST as u64))]
        seeds: u64,
    },
    /// Makes a failing run shorter.
    Shrink {
        /// A schedule.
        file: PathBuf,
        /// Rules that the honest participants follow, and the model does not: a rehearsal of a finding.
        #[arg(long, value_parser = Deviation::named)]
        deviate: Option<Deviation>,
        /// Where the shorter one goes; without it, it replaces the longer one.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Plays a schedule, and then a synchronous network, and prints it; writes its trace for `zus replay`.
    Replay {
        /// A schedule.
        file: PathBuf,
        /// Rules that the honest participants follow, and the model does not: a rehearsal of a finding.
        #[arg(long, value_parser = Deviation::named)]
        deviate: Option<Deviation>,
        /// Where the trace goes.
        #[arg(long)]
        trace: Option<PathBuf>,
    },
}

/// Runs the tool. 0: nothing wrong; 1: a finding; 2: the tool could not do it; 3: a bound was hit before the answer was known.
#[must_use]
pub fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if !IS_WOVEN && let Some(name) = std::env::var_os(VARIABLE) {
        eprintln!(
            "error: {VARIABLE}={}: this program has no deliberate bugs\n  fix: `zus-fuzz mutants run NAME -- ...`",
            plain::quoted(&name)
        );
        return ExitCode::from(2);
    }
    let outcome = match command {
        Command::Walk { runs, seed, rules, deviate, out } => {
            finding::walk(rules, runs, seed, &deviate.unwrap_or(Deviation::NONE), &out)
        }
        Command::Product {
            rounds,
            subrounds,
            byzantine,
            crashes,
            seed,
            rules,
            late_shares,
            refusals,
            max_steps,
            trace,
        } => {
            let mut product = Product::of_four(rounds, subrounds, byzantine, seed).under(rules);
            (product.crashes, product.late_shares) = (crashes, late_shares);
            product::explore(product, refusals, max_steps as usize, trace.as_deref())
        }
        Command::Soak { rounds, seed, miners, begins_at, subrounds, rules, deviate } => {
            let plan = Plan { miners, begins_at, subrounds, rules, ..Plan::of(rounds, seed) };
            Ok(soak::soaks(plan, &deviate.unwrap_or(Deviation::NONE)))
        }
        Command::Waits { window, ticket_wait, told, seeds } => {
            Ok(waits::waits(Waits { window, ticket_wait, told }, seeds))
        }
        Command::Matrix { runs, only, model, product, units, keep, write } => {
            matrix::matrix(&matrix::Request { runs, only, model, product, units, keep, write })
        }
        Command::Judge { effort, out } => judge::judge(effort, &out),
        Command::Mutants { command } => mutants::obey(command),
        Command::Hunt { layer, runs } => matrix::hunt::hunt(layer, runs),
        Command::Seeds => seeds::seeds(),
        Command::Speed { seconds, instrumented, json, readme } => {
            speed::speed(&speed::Speed { seconds, instrumented, json, readme })
        }
        Command::Run { target, files, hex } => runs(&target, &files, hex),
        Command::Targets { write } => table::targets(write),
        Command::Coverage { seconds, seed, inputs } => coverage::coverage(seconds, seed, &inputs),
        #[cfg(feature = "study")]
        Command::Study { edges, feedback, seconds, seeds } => {
            study::study(&study::Study { edges, feedback, seconds, seeds })
        }
        Command::Shrink { file, deviate, out } => {
            finding::shrink(&file, &deviate.unwrap_or(Deviation::NONE), out.as_deref())
        }
        Command::Replay { file, deviate, trace } => {
            finding::replay(&file, &deviate.unwrap_or(Deviation::NONE), trace.as_deref())
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) if error.kind() == std::io::ErrorKind::QuotaExceeded => {
            println!("{error}");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("error: {}", plain::message(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

/// The rules of a name; clap says which option was wrong.
fn rules(name: &str) -> Result<Rules, String> {
    let names = || profile::OTHERS.iter().map(|(name, _)| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    profile::named(name)
        .or_else(|| changed(name))
        .ok_or_else(|| format!("no such rules\n  fix: name 'hardened', {}", names()))
}

/// The rules that `PROFILE[,RULE=VALUE...]` names, as the proofs and the workbench have it, if a schedule can have them.
fn changed(text: &str) -> Option<Rules> {
    let mut words = text.split(',').map(str::trim);
    let mut rules = serde_json::to_value(Rules::profile(words.next()?)?).ok()?;
    for word in words {
        let (rule, value) = word.split_once('=')?;
        let value = match value.trim().strip_prefix("CommonAncestor") {
            Some(depth) => json!({ "CommonAncestor": { "depth": depth.trim().parse::<u8>().ok()? } }),
            None => json!(value.trim()),
        };
        *rules.get_mut(rule.trim())? = value;
    }
    let rules = serde_json::from_value(rules).ok()?;
    profile::named(&profile::name_of(&rules))
}

/// Rules under which a synchronous network brings progress.
fn live(name: &str) -> Result<Rules, String> {
    let rules = rules(name)?;
    let refused = || {
        format!(
            "under '{name}' nothing need become final, so a long run says nothing\n  fix: name live rules: 'hardened', 'echo = None'"
        )
    };
    if crate::liveness::is_live(&rules) { Ok(rules) } else { Err(refused()) }
}

/// A number of seconds.
fn seconds() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MOST_SECONDS as u64)
}

fn kind_and_folder(text: &str) -> Result<(String, PathBuf), String> {
    let (kind, folder) = text.split_once('=').ok_or("give a kind and a folder: none=DIR or address=DIR")?;
    Ok((kind.to_owned(), folder.into()))
}

/// An input in a command.
#[derive(Clone)]
struct Hex(Vec<u8>);

fn hex(text: &str) -> Result<Hex, String> {
    targets::from_hex(text).map(Hex)
}

fn runs(target: &str, files: &[PathBuf], hex: Option<Hex>) -> std::io::Result<bool> {
    let unknown =
        || std::io::Error::other(format!("no target {target}\n  fix: `zus-fuzz run --help` lists them"));
    let body = targets::named(target).ok_or_else(unknown)?;
    let mut inputs: Vec<(String, Vec<u8>)> = Vec::new();
    inputs.extend(hex.map(|Hex(bytes)| ("the given bytes".to_owned(), bytes)));
    for file in files {
        inputs.push((plain::path(file), targets::input(file)?));
    }
    for (name, bytes) in inputs {
        println!("{name}: {}", targets::tell(target, &bytes));
        // The panic's own message, with its place, is on standard error.
        if let Some(found) = judge_input(body, &bytes) {
            println!("WRONG: {found}");
            return Ok(false);
        }
    }
    println!("nothing is wrong");
    Ok(true)
}

/// Writes a file that the user named.
fn write(path: &Path, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
    whole::write(path, bytes).map_err(whole::unwritable(path))
}

/// Whether a file that the user named can be written: asked before the work.
///
/// # Errors
/// When it cannot; the error names it.
fn check(path: &Path) -> std::io::Result<()> {
    whole::check(path).map_err(whole::unwritable(path))
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
            let names = numbers.iter().filter(|number| which(number)).map(|number| &*number.name);
            names.filter(|name| !name.ends_with(" --seed")).collect::<Vec<_>>()
        };
        assert!(numbers.len() >= 15, "{numbers:?}");
        assert_eq!(names(|number| number.takes_any), [""; 0]);
        // From genesis; no round held up; the first miner; no crash; the least effort.
        let zero = [
            "soak --begins-at",
            "soak --subrounds",
            "product --byzantine",
            "product --crashes",
            "judge --effort",
        ];
        assert_eq!(names(|number| number.takes_zero), zero);
    }
}

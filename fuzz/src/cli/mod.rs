//! The command line tool: walks, the product, the kill matrix, speed, coverage, shrinking and replaying.

mod coverage;
#[cfg(feature = "mutants")]
mod matrix;
mod seeds;
mod speed;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use stateright::Checker;

use zus_bpp::rules::Rules;

use crate::campaign::{CALM_EVERY, run, walk_under};
use crate::product::Product;
use crate::schedule::{Schedule, profile};
use crate::shrink::shrink;
use crate::world::Adjust;

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
        #[arg(long, default_value_t = 100_000)]
        runs: u64,
        /// The same seed walks the same way.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// `hardened`, `documented`, `deployed`, or a change of one rule such as `ticket = BetterRank`; without it half of the
        /// runs are under `hardened` and the others under all other rules in turn.
        #[arg(long, value_parser = rules)]
        rules: Option<Rules>,
        /// Where a finding goes.
        #[arg(long, default_value = "finding.run")]
        out: PathBuf,
    },
    /// The exhaustive product of production and model.
    Product {
        /// Rounds.
        #[arg(long, default_value_t = 1)]
        rounds: u8,
        /// Subrounds of each round.
        #[arg(long, default_value_t = 2)]
        subrounds: u8,
        /// Which of the four miners is Byzantine.
        #[arg(long, default_value_t = 0)]
        byzantine: u16,
        /// Crashes, at most.
        #[arg(long, default_value_t = 0)]
        crashes: u32,
        /// Decides the order of generators.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// The rules, as for a walk.
        #[arg(long, value_parser = rules, default_value = "hardened")]
        rules: Rules,
        /// Look for what the model may do and production does not; takes several times as long.
        #[arg(long)]
        refusals: bool,
    },
    /// Finds and shrinks a witness for each deliberate bug (needs the feature `mutants`).
    #[cfg(feature = "mutants")]
    Matrix {
        /// Runs for each, at most.
        #[arg(long, default_value_t = 100_000)]
        runs: u64,
        /// Write the witnesses.
        #[arg(long)]
        write: bool,
    },
    /// Writes the seed corpora again.
    Seeds,
    /// Executions and steps a second of each target.
    Speed {
        /// Seconds for each target.
        #[arg(long, default_value_t = 3)]
        seconds: u64,
    },
    /// How much of the model a random walk reaches through production code.
    Coverage {
        /// Runs.
        #[arg(long, default_value_t = 20_000)]
        runs: u64,
        /// Seconds that the search for reachable model states may take, in its own scenario.
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Makes a failing run shorter.
    Shrink {
        /// A schedule.
        file: PathBuf,
        /// Where the shorter one goes.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Runs a schedule and prints it; writes its trace for `zus replay`.
    Replay {
        /// A schedule.
        file: PathBuf,
        /// Where the trace goes.
        #[arg(long)]
        trace: Option<PathBuf>,
    },
}

/// Runs the tool. 0: nothing wrong; 1: a finding; 2: the tool could not do it.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Walk { runs, seed, rules, out } => walks(rules, runs, seed, &out),
        Command::Product { rounds, subrounds, byzantine, crashes, seed, rules, refusals } => {
            let mut product = Product::of_four(rounds, subrounds, byzantine, seed).under(rules);
            product.crashes = crashes;
            Ok(explore(product, refusals))
        }
        #[cfg(feature = "mutants")]
        Command::Matrix { runs, write } => matrix::matrix(runs, write),
        Command::Seeds => seeds::seeds(),
        Command::Speed { seconds } => Ok(speed::speed(seconds)),
        Command::Coverage { runs, seed } => Ok(coverage::coverage(runs, seed)),
        Command::Shrink { file, out } => shrinks(&file, out.as_deref()),
        Command::Replay { file, trace } => replays(&file, trace.as_deref()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The rules of a name; clap says which option was wrong.
fn rules(name: &str) -> Result<Rules, String> {
    let names = || profile::OTHERS.map(|(name, _)| format!("'{name}'")).join(", ");
    profile::named(name).ok_or_else(|| format!("no such rules; there are 'hardened', {}", names()))
}

fn walks(rules: Option<Rules>, runs: u64, seed: u64, out: &Path) -> std::io::Result<bool> {
    let start = Instant::now();
    let Some(found) = walk_under(rules, seed, runs, Adjust::NONE, Some(CALM_EVERY)) else {
        let seconds = start.elapsed().as_secs_f64();
        println!("{runs} runs, nothing wrong, {:.0} runs a second", runs as f64 / seconds);
        return Ok(true);
    };
    let kind = found.failure.kind();
    let fails = |schedule: &Schedule| {
        let run = run(schedule, Adjust::NONE);
        run.failure().or_else(|| run.ends_well().err()).is_some_and(|failure| failure.kind() == kind)
    };
    let short = shrink(&found.schedule, fails);
    std::fs::write(out, short.explicit())?;
    println!("run {}: {}\n{short:?}", found.runs, found.failure);
    println!("{} choices, of {}", short.choices.len(), found.schedule.choices.len());
    println!("replay: cargo run -p zus-fuzz -- replay {}", out.display());
    Ok(false)
}

fn explore(product: Product, refusals: bool) -> bool {
    let start = Instant::now();
    let copy = product.clone();
    let checker = product.explore(refusals);
    let found = checker.discoveries();
    let (unique, steps) = (checker.unique_state_count(), checker.state_count());
    let seconds = start.elapsed().as_secs_f64();
    println!("{unique} pairs, {steps} steps, depth {}, {seconds:.1} s", checker.max_depth());
    for (property, path) in &found {
        println!("VIOLATED: {property}\n{:?}", path.last_state());
        for action in copy.refusals(path.last_state()) {
            println!("refused: {action:?}");
        }
        for offer in path.clone().into_actions() {
            println!("  {offer:?}");
        }
    }
    found.is_empty()
}

fn shrinks(file: &Path, out: Option<&Path>) -> std::io::Result<bool> {
    let schedule = Schedule::from_file(&std::fs::read(file)?);
    let first = run(&schedule, Adjust::NONE);
    let Some(failure) = first.failure().or_else(|| first.ends_well().err()) else {
        println!("nothing is wrong with this run");
        return Ok(true);
    };
    let kind = failure.kind();
    let start = Instant::now();
    let short = shrink(&schedule, |schedule| {
        let run = run(schedule, Adjust::NONE);
        run.failure().or_else(|| run.ends_well().err()).is_some_and(|failure| failure.kind() == kind)
    });
    println!(
        "{} choices of {}, {:?}\n{short:?}",
        short.choices.len(),
        schedule.choices.len(),
        start.elapsed()
    );
    if let Some(out) = out {
        std::fs::write(out, short.explicit())?;
    }
    Ok(false)
}

fn replays(file: &Path, trace: Option<&Path>) -> std::io::Result<bool> {
    let schedule = Schedule::from_file(&std::fs::read(file)?);
    println!("{schedule:?}");
    let run = run(&schedule, Adjust::NONE);
    if let Some(path) = trace {
        let command = format!("zus-fuzz replay {}", file.display());
        match run.judges.refinement.trace(&command) {
            Ok(trace) => std::fs::write(path, trace.to_json())?,
            Err(error) => eprintln!("the actions are no run: {error}"),
        }
    }
    Ok(run.failure().is_none())
}

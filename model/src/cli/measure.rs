//! One measurement of `zus search-speed`: one search over one scenario, in a process that does nothing else, so that its
//! processor time and its memory are the search's.

use super::{Exit, Failure, MeasureArgs, on_threads};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use stateright::{Checker, Model};
use std::{io::Write, time::Instant};
use zus_checker::{
    committed, memory,
    properties::Facts,
    scenario::{Scenario, Verdict},
    search::{
        bfs::{Limits, explore},
        stateright::Packed,
    },
};

/// A search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Search {
    /// The one of `zus check`.
    Ours,
    /// Stateright's, breadth first.
    Bfs,
    /// Stateright's, depth first.
    Dfs,
}

/// The work of a search, and its cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Unique states.
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// Seconds on the wall.
    pub seconds: f64,
    /// Seconds of processor time, of all threads; 0 where the system does not say.
    pub cpu_seconds: f64,
    /// Bytes of memory at most, beyond what the process had before; 0 where the system does not say.
    pub bytes: u64,
}

/// The properties asked of every state: the safety properties that the scenario expects to hold, so that no search ends
/// early.
pub fn asked(scenario: &Scenario) -> Facts {
    let safe =
        |e: &&zus_checker::scenario::Expectation| e.verdict == Verdict::Holds && !e.property.is_liveness();
    scenario.expect.iter().filter(safe).map(|e| e.property).collect()
}

/// Runs the command.
pub fn run(args: &MeasureArgs) -> Result<Exit, Failure> {
    let mut scenario = committed::find(&args.scenario)?;
    if args.all_runs {
        scenario.protocol.reductions.sorted = false;
    }
    let asked = asked(&scenario);
    let before = memory::now();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let (unique, generated) = match args.search {
        Search::Ours => on_threads(Some(args.threads), || {
            let limits = Limits { states: u64::MAX, memory: u64::MAX };
            let e = explore(&scenario.protocol, asked, None, limits, &|_| {}, &|_| {});
            (e.unique, e.generated)
        })?,
        Search::Bfs => counts(model(scenario, asked).checker().threads(args.threads.into()).spawn_bfs()),
        Search::Dfs => counts(model(scenario, asked).checker().threads(args.threads.into()).spawn_dfs()),
    };
    let measured = Measured {
        unique,
        generated,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
        bytes: memory::peak().saturating_sub(before),
    };
    let line = serde_json::to_string(&measured).unwrap_or_default();
    writeln!(std::io::stdout(), "{line}")?;
    Ok(Exit::AsExpected)
}

fn model(scenario: Scenario, asked: Facts) -> Packed {
    Packed::new(scenario.protocol, asked).jointly()
}

fn counts<M: Model>(checker: impl Checker<M>) -> (u64, u64) {
    let checker = checker.join();
    (checker.unique_state_count() as u64, checker.state_count() as u64)
}

/// Processor time of this process so far, in seconds; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    /// Linux counts in hundredths of a second here, whatever its own clock.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process, in parentheses, may have spaces; user and system time are fields 14 and 15.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum();
    ticks / TICKS
}

//! The worth of the model as the novelty signal. libFuzzer runs with and without [`crate::feedback`]; a plain random
//! walk over the same vocabulary is the control. All get the same deliberate bugs and the same empty corpus.
//!
//! `fuzz/harness/study` builds the programs. Each measurement is a process of its own with a seed; an execution is one schedule.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::campaign::walk;
use crate::feedback::{digest, study};
use crate::mutants::VARIABLE;
use crate::schedule::{Random, Run, Schedule};
use crate::world::Adjust;

/// The status with which libFuzzer says that a target has crashed.
const CRASHED: i32 = 77;

/// The arguments of the study.
pub struct Study {
    /// Programs without the counters, by name of their target.
    pub edges: PathBuf,
    /// Programs with the counters.
    pub feedback: PathBuf,
    /// Seconds for each measurement, at most.
    pub seconds: u64,
    /// Seeds.
    pub seeds: u64,
}

/// Measures and prints a table: of the bug that this process has, or of the real code.
///
/// # Errors
/// When a program cannot be run, or what it counts cannot be read.
pub fn study(what: &Study) -> std::io::Result<bool> {
    // The programs inherit the bug.
    match std::env::var(VARIABLE) {
        Ok(bug) => bug_of_process(what, &bug),
        Err(_) => states(what),
    }
}

fn bug_of_process(what: &Study, bug: &str) -> std::io::Result<bool> {
    println!(
        "Executions until a deliberate bug is noticed, by seed; - where {} s are not enough.\n",
        what.seconds
    );
    println!("| bug | random walk | libFuzzer, edges | edges and model states |\n|---|---|---|---|");
    let mut cells = [String::new(), String::new(), String::new()];
    for seed in 1..=what.seeds {
        tell(&mut cells[0], walk_until(what, seed));
        for (cell, folder) in cells[1..].iter_mut().zip([&what.edges, &what.feedback]) {
            let run = fuzz(&folder.join("conformance"), seed, what.seconds)?;
            tell(cell, run.crashed.then_some(run.executions));
        }
    }
    println!("| {bug} | {} | {} | {} |", cells[0], cells[1], cells[2]);
    Ok(true)
}

fn states(what: &Study) -> std::io::Result<bool> {
    for target in ["conformance", "conformance_bls"] {
        println!("\nDistinct states of the model that `{target}` reaches on the real code.\n");
        println!(
            "| seed | after executions | edges | edges and model states | random walk | after seconds | edges | edges and model states |"
        );
        println!("|--:|--:|--:|--:|--:|--:|--:|--:|");
        for seed in 1..=what.seeds {
            let edges = fuzz(&what.edges.join(target), seed, what.seconds)?;
            let feedback = fuzz(&what.feedback.join(target), seed, what.seconds)?;
            let equal = edges.executions.min(feedback.executions) / study::EVERY * study::EVERY;
            let walked =
                if target == "conformance" { walked_states(seed, equal).to_string() } else { "".into() };
            println!(
                "| {seed} | {equal} | {} | {} | {walked} | {} | {} in {} | {} in {} |",
                edges.states_after(equal),
                feedback.states_after(equal),
                what.seconds,
                edges.states(),
                edges.executions,
                feedback.states(),
                feedback.executions,
            );
        }
    }
    Ok(true)
}

fn tell(cell: &mut String, executions: Option<u64>) {
    let _ = match executions {
        Some(executions) => write!(cell, " {executions}"),
        None => write!(cell, " -"),
    };
}

fn walk_until(what: &Study, seed: u64) -> Option<u64> {
    /// Runs between two looks at the clock.
    const BATCH: u64 = 256;
    let start = Instant::now();
    let mut runs = 0;
    while start.elapsed().as_secs() < what.seconds {
        // A batch has a seed of its own, so that no batch repeats another.
        if let Some(found) = walk(seed << 32 | runs, BATCH, Adjust::NONE, Some(16)) {
            return Some(runs + found.runs);
        }
        runs += BATCH;
    }
    None
}

/// Distinct states of so many random runs.
fn walked_states(seed: u64, runs: u64) -> usize {
    let mut random = Random::new(seed << 32);
    let mut states = std::collections::HashSet::new();
    for _ in 0..runs {
        let schedule = Schedule::random(&mut random);
        let Ok(mut run) = Run::new(&schedule.header.setup(), schedule.header.swarm()) else { continue };
        for choice in &schedule.choices {
            run.choose(*choice);
            states.insert(digest(&run.judges.refinement.protocol, &run.judges.refinement.state));
        }
    }
    states.len()
}

/// One process of a fuzz target.
struct Fuzzed {
    crashed: bool,
    executions: u64,
    /// (executions, distinct states), from time to time.
    counts: Vec<(u64, u64)>,
}

impl Fuzzed {
    fn states(&self) -> u64 {
        self.counts.last().map_or(0, |(_, states)| *states)
    }

    fn states_after(&self, executions: u64) -> u64 {
        let before = self.counts.iter().take_while(|(count, _)| *count <= executions);
        before.last().map_or(0, |(_, states)| *states)
    }
}

fn fuzz(program: &Path, seed: u64, seconds: u64) -> std::io::Result<Fuzzed> {
    let folder = std::env::temp_dir().join(format!("zus-study-{}", std::process::id()));
    let (corpus, counts) = (folder.join("corpus"), folder.join("counts"));
    std::fs::create_dir_all(&corpus)?;
    let mut command = Command::new(program);
    command.arg(format!("-seed={seed}")).arg(format!("-max_total_time={seconds}"));
    command.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", folder.to_string_lossy()));
    command.arg(&corpus).env(study::COUNTS, &counts).stdout(Stdio::null()).stderr(Stdio::piped());
    let named = |error| {
        let program = zus_output::plain::path(program);
        std::io::Error::other(format!("{program}: {error}\n  fix: name the folders that `fuzz/study` builds"))
    };
    let output = command.output().map_err(named)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let executions = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let executions = executions.and_then(|count| count.trim().parse().ok());
    let executions =
        executions.ok_or_else(|| named(std::io::Error::other("libFuzzer's final statistics are missing")))?;
    let lines = std::fs::read_to_string(&counts).unwrap_or_default();
    let numbers = |line: &str| {
        let mut numbers = line.split(' ').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let counts = lines.lines().filter_map(numbers).collect();
    std::fs::remove_dir_all(&folder)?;
    Ok(Fuzzed { crashed: output.status.code() == Some(CRASHED), executions, counts })
}

//! `zus-fuzz mutants`: the production crate with deliberate bugs, and whether their witnesses show them.

mod build;
mod survey;

use std::io::{Error, Result};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Subcommand;
use rustix::process::Signal;

pub use build::Copy;
use survey::{Survey, survey};

use super::trial;
use crate::mutants::{Bug, PARTICIPANTS, Table, VARIABLE, WITHIN, Witness};

/// Seconds of processor time for one witness. Without a bug the longest takes a few.
const LIMIT: u64 = 120;

/// The commands for the deliberate bugs.
#[derive(Subcommand)]
pub enum Bugs {
    /// Writes the copy of the production crate that has them, and prints the environment of a build with it.
    Weave,
    /// Whether the witness of each shows it: builds the tool with the copy, and plays them.
    Check {
        /// These bugs only, each with what it shows.
        only: Vec<String>,
        /// Those too whose witnesses are unit tests of the production crate, which are built with the copy.
        #[arg(long)]
        tests: bool,
    },
    /// Runs this tool with a bug in the production code: `mutants run SecondTicket -- walk`.
    Run {
        /// Its name (fuzz/MATRIX.md).
        bug: String,
        /// The arguments of the tool.
        #[arg(last = true, required = true)]
        arguments: Vec<String>,
    },
    /// Judges each mutant that cargo-mutants names, one process each.
    Survey {
        /// The output of `cargo mutants --list --json`.
        list: PathBuf,
        /// The unit tests of the production crate judge, and not this tool.
        #[arg(long)]
        tests: bool,
        /// Arguments of the judge.
        #[arg(last = true)]
        arguments: Vec<String>,
        /// Where the verdicts go; mutants that are killed there already are not judged again.
        #[arg(long)]
        out: PathBuf,
        /// Seconds of processor time for one mutant.
        #[arg(long, default_value_t = 60, value_parser = super::seconds())]
        timeout: u64,
        /// Processes at a time.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=super::MOST))]
        jobs: u16,
    },
}

/// Does it.
///
/// # Errors
/// When there is no such bug, when the copy cannot be written or built, or when a program of it cannot be run.
pub fn obey(command: Bugs) -> Result<bool> {
    match command {
        Bugs::Weave => weave(),
        Bugs::Check { only, tests } => check(&only, tests),
        Bugs::Run { bug, arguments } => run(&bug, &arguments),
        Bugs::Survey { list, tests, arguments, out, timeout, jobs } => {
            let jobs = jobs.into();
            survey(&Survey { list, tests, arguments, out, timeout, jobs })
        }
    }
}

/// Writes the copy and says what builds with it.
///
/// # Errors
/// When a row has not exactly one place, or a file cannot be written.
fn weave() -> Result<bool> {
    let copy = Copy::new(&Table::read()?)?;
    println!("ZUS_WOVEN=1 RUSTC_WORKSPACE_WRAPPER={}", zus_output::plain::quoted_path(copy.wrapper()));
    Ok(true)
}

/// Runs the tool with a bug.
///
/// # Errors
/// When there is no such bug, or the tool cannot be built or run.
fn run(name: &str, arguments: &[String]) -> Result<bool> {
    let table = Table::read()?;
    table.only(&[name.to_owned()])?;
    let tool = Copy::new(&table)?.tool()?;
    let mut command = Command::new(tool);
    command.args(arguments).env(VARIABLE, name);
    if !matches!(arguments.first().map(String::as_str), Some("run")) {
        command.env(WITHIN, PARTICIPANTS);
    }
    match command.status()?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        code => Err(Error::other(format!("the tool ends with {code:?}"))),
    }
}

/// The fate of a witness.
enum Fate {
    /// The failure that it shows, in a line.
    Killed(String),
    Survives,
    /// It was stopped after [`LIMIT`] seconds.
    Endless,
}

/// The programs that witnesses are given to.
struct Programs {
    tool: PathBuf,
    tests: Option<[PathBuf; 3]>,
    /// Where a walk writes what it finds.
    scratch: PathBuf,
}

/// Plays the witnesses of these bugs, or of all; those that are tests only with `tests`. Returns whether each shows its bug.
///
/// # Errors
/// When the copy cannot be built, or a witness cannot be played.
fn check(only: &[String], with_tests: bool) -> Result<bool> {
    let table = Table::read()?;
    let mut asked: Vec<(&Bug, String, Witness)> = Vec::new();
    for bug in table.only(only)? {
        let witnesses = bug.witnesses().map_err(Error::other)?;
        asked.extend(bug.witness.iter().cloned().zip(witnesses).map(|(name, witness)| (bug, name, witness)));
    }
    let all = asked.len();
    asked.retain(|(_, _, witness)| with_tests || !matches!(witness, Witness::Test(_)));
    let start = Instant::now();
    let copy = Copy::new(&table)?;
    let has_tests = asked.iter().any(|(_, _, witness)| matches!(witness, Witness::Test(_)));
    let tests = has_tests.then(|| copy.tests()).transpose()?;
    let programs = Programs { tool: copy.tool()?, tests, scratch: copy.folder().to_owned() };
    let built = start.elapsed().as_secs();
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || -> Result<()> {
        while let Some((bug, name, witness)) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
            let fate = play(&programs, &bug.id, witness)
                .map_err(|error| Error::other(bug.wrong(&format!("the witness {name}: {error}"))))?;
            let said = match fate {
                Fate::Killed(what) => Ok(what),
                Fate::Endless if bug.hangs => Ok("it does not end".to_owned()),
                Fate::Endless => Err(format!(
                    "its witness {name} did not end in {LIMIT} s\n  fix: again on an idle machine; hangs = true in the row, if \
                     the bug may be a loop"
                )),
                Fate::Survives => Err(format!("it survives its witness {name}")),
            };
            match (said, told.lock()) {
                (Ok(what), _) if !only.is_empty() => println!("{}: {name}: {what}", bug.id),
                (Err(what), Ok(mut told)) => told.push(bug.wrong(&what)),
                _ => {}
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let mut joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.try_for_each(|ended| ended.map_err(|_| Error::other("a judge panicked"))?)
    })?;
    let survivors = told.into_inner().map_err(|_| Error::other("a judge panicked"))?;
    survivors.iter().for_each(|line| println!("{line}"));
    println!(
        "{} bugs, {} witnesses, {} show nothing; {} s, of which the build took {built}",
        table.only(only)?.len(),
        asked.len(),
        survivors.len(),
        start.elapsed().as_secs(),
    );
    if asked.len() < all {
        println!("{} unit tests are left out: --tests asks them, too", all - asked.len());
    }
    Ok(survivors.is_empty())
}

/// What the unit tests of this filter say: it fits tests of one program at least.
fn test(programs: &Programs, environment: &[(&str, &str)], filter: &str) -> Result<Fate> {
    let tests = programs.tests.as_ref().ok_or_else(|| Error::other("the tests are not built"))?;
    let mut fits = false;
    for program in tests {
        let arguments = [filter.to_owned(), "--format=terse".into()];
        let Some((status, text)) = trial::run(program, &arguments, environment, LIMIT)? else {
            return Ok(Fate::Endless);
        };
        let last = text.lines().last().unwrap_or_default();
        match status.code() {
            Some(0) => fits |= !text.contains("running 0 tests"),
            Some(101) => return Ok(Fate::Killed(last.to_owned())),
            None if !is_killed(status) => {
                return Ok(Fate::Killed(format!("a panic in production, {status}")));
            }
            None => return Err(Error::other(KILLED)),
            Some(_) => {
                return Err(Error::other(format!("{} {filter}: {status}", zus_output::plain::path(program))));
            }
        }
    }
    // A filter that fits no test would pass for ever.
    if fits { Ok(Fate::Survives) } else { Err(Error::other(format!("no test is called {filter}"))) }
}

/// The reason to judge a witness again.
const KILLED: &str = "its program was killed from outside\n  fix: again, with more memory";

/// Whether somebody else ended a program: the system without memory, or a person. Its own end is an abort.
fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

fn play(programs: &Programs, name: &str, witness: &Witness) -> Result<Fate> {
    let file = |path: &Path| path.to_string_lossy().into_owned();
    let (program, arguments, within) = match witness {
        Witness::Run(path) => (&programs.tool, vec!["replay".into(), file(path)], true),
        Witness::Input(target, path) => {
            (&programs.tool, vec!["run".into(), target.clone(), file(path)], false)
        }
        Witness::Command(words) => {
            let mut words = words.clone();
            if words[0] == "walk" {
                words.extend(["--out".into(), file(&programs.scratch.join(format!("{name}.run")))]);
            }
            (&programs.tool, words, true)
        }
        Witness::Test(filter) => return test(programs, &[(VARIABLE, name)], filter),
    };
    let bug = (VARIABLE, name);
    let environment = if within { vec![bug, (WITHIN, PARTICIPANTS)] } else { vec![bug] };
    let Some((status, text)) = trial::run(program, &arguments, &environment, LIMIT)? else {
        return Ok(Fate::Endless);
    };
    let said = || {
        let line = text.lines().rfind(|line| line.contains("WRONG: ") || line.contains("VIOLATED after "));
        line.or_else(|| text.lines().last()).unwrap_or_default().to_owned()
    };
    match status.code() {
        Some(0) => Ok(Fate::Survives),
        Some(1) => Ok(Fate::Killed(said())),
        None if is_killed(status) => Err(Error::other(KILLED)),
        Some(101) | None => Ok(Fate::Killed(format!("a panic in production, {status}"))),
        Some(_) => Err(Error::other(format!(
            "{} {}: {status}",
            zus_output::plain::path(program),
            arguments.join(" ")
        ))),
    }
}

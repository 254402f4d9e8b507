//! The kill matrix: each rule change of the model and each deliberate bug of the production crate, and which layer notices it.
//!
//! `matrix/results.json` holds the measurements; `MATRIX.md` and `model/figures/kill_matrix.json` (a part of the
//! report) are made of it. Bugs that are not asked for keep their earlier results, so that one bug can be judged again
//! alone.

pub mod hunt;
mod table;
mod units;

use std::collections::BTreeMap;
use std::io::Error;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use zus_checker::mutants::{Executioner, Mutant as RuleChange, committed_mutants};
use zus_checker::search::bfs::Limits;
use zus_checker::search::check::{Found, Options};
use zus_output::lock::Lock;

use super::mutants::Copy;
use crate::campaign::{Until, play};
use crate::judge::{finding, quietly};
use crate::mutants::{Bug, Table as Bugs};
use crate::room;
use crate::schedule::Schedule;
use crate::targets;
use crate::world::Adjust;
use hunt::{Hunted, Layer};

/// Runs after which the targets are asked before the walk goes on.
const SOON: u64 = 200;

/// The arguments of the command.
pub struct Request {
    /// Runs of a walk for each bug, at most.
    pub runs: u64,
    /// Bugs to judge; none: all.
    pub only: Vec<String>,
    /// Whether the rule changes are run through the model.
    pub model: bool,
    /// Whether the exhaustive product is asked.
    pub product: bool,
    /// Whether the unit tests of the production crate are asked.
    pub units: bool,
    /// Whether product and fuzzing are not asked again.
    pub keep: bool,
    /// Whether results, tables and witnesses are written.
    pub write: bool,
}

/// Everything that is known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Results {
    rules: Vec<Rule>,
    code: BTreeMap<String, Code>,
}

/// A rule change in the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rule {
    id: String,
    name: String,
    property: String,
    killed: bool,
    /// Unique states until then.
    states: u64,
    /// Actions of the run that shows it.
    actions: usize,
    seconds: f64,
}

/// A bug in the production crate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Code {
    /// By the random walk, with choices of its witness.
    walk: Option<Seen>,
    witness: Option<usize>,
    /// By a target.
    target: Option<Seen>,
    /// By the exhaustive product.
    product: Option<Seen>,
    /// The first test of the crate that fails, and how many do; empty: none. Missing: it was not asked.
    units: Option<(String, usize)>,
}

/// How a layer noticed a bug.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    by: String,
    what: String,
    executions: u64,
    seconds: f64,
}

impl From<Hunted> for Seen {
    fn from(Hunted { by, what, executions, seconds, .. }: Hunted) -> Self {
        Self { by, what, executions, seconds }
    }
}

impl Code {
    /// Whether the product check or fuzzing notices it.
    fn is_killed(&self) -> bool {
        self.walk.is_some() || self.target.is_some() || self.product.is_some()
    }

    /// By what, in a line.
    fn by(&self) -> String {
        let seen: Vec<String> = [&self.walk, &self.target, &self.product]
            .into_iter()
            .flatten()
            .map(|seen| format!("{} ({}, {}, {:.1} s)", seen.by, seen.what, seen.executions, seen.seconds))
            .collect();
        if seen.is_empty() { "survives".into() } else { seen.join("; ") }
    }
}

fn save(file: &Path, results: &Results) -> std::io::Result<()> {
    zus_output::whole::write(file, serde_json::to_string_pretty(results)? + "\n")
}

/// Where the inputs are that show the bugs.
const WITNESSES: &str = "regressions/mutants";

/// Measures, prints, and writes if it is told to. Returns whether every bug is noticed.
pub fn matrix(request: &Request) -> std::io::Result<bool> {
    let file = room().join("matrix/results.json");
    // Two runs that write would each lose what the other found.
    let folders = ["matrix", WITNESSES].into_iter().filter(|_| request.write);
    let _taken: Vec<Lock> =
        folders.map(|folder| Lock::take(room().join(folder))).collect::<std::io::Result<_>>()?;
    let mut results: Results = match std::fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            let file = zus_output::plain::path(&file);
            Error::other(format!("{file}: {error}\n  fix: restore it from the repository, or remove it"))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Results::default(),
        Err(error) => return Err(Error::other(format!("{}: {error}", zus_output::plain::path(&file)))),
    };
    let bugs = Bugs::read()?;
    results.code.retain(|name, _| bugs.named(name).is_some());
    let asked = bugs.only(&request.only)?;
    if request.model {
        results.rules = rules()?;
    }
    let copy = if request.keep && !request.units { None } else { Some(Copy::new(&bugs)?) };
    let tool = copy.as_ref().filter(|_| !request.keep).map(Copy::tool).transpose()?.unwrap_or_default();
    let (next, known) = (AtomicUsize::new(0), Mutex::new(results));
    // A search for a bug that only a test or a command shows takes all its effort: it is made for those that are named.
    let hunted: Vec<_> =
        asked.iter().filter(|bug| !is_shown_elsewhere(bug) || !request.only.is_empty()).collect();
    let worker = || -> std::io::Result<()> {
        while let Some(bug) = hunted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let code = judge(bug, &tool, request)?;
            let mut results = known.lock().map_err(|_| Error::other("a judge panicked"))?;
            eprintln!("{}: {}", bug.id, code.by());
            let units = results.code.get(&bug.id).and_then(|known| known.units.clone());
            results.code.insert(bug.id.clone(), Code { units, ..code });
            if request.write {
                save(&file, &results)?;
            }
        }
        Ok(())
    };
    if !request.keep {
        quietly(|| {
            std::thread::scope(|scope| {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
                let mut joined = workers.into_iter().map(|worker| worker.join());
                joined.try_for_each(|ended| ended.map_err(|_| Error::other("a judge panicked"))?)
            })
        })?;
    }
    let mut results = known.into_inner().map_err(|_| Error::other("a judge panicked"))?;
    if let Some(copy) = copy.filter(|_| request.units) {
        let programs = copy.tests()?;
        for bug in &asked {
            let failed = units::failed(&programs, &bug.id)?;
            eprintln!("{}: {failed:?}", bug.id);
            results.code.entry(bug.id.clone()).or_default().units = Some(failed);
            if request.write {
                save(&file, &results)?;
            }
        }
    }
    let tables = table::tables(&results, &bugs)?;
    println!("{}", table::markdown(&tables));
    if request.write {
        save(&file, &results)?;
        zus_output::whole::write(room().join("MATRIX.md"), table::page(&tables))?;
        zus_output::whole::write(room().join("../model/figures/kill_matrix.json"), table::figures(&tables)?)?;
    }
    Ok(asked
        .iter()
        .all(|bug| is_shown_elsewhere(bug) || results.code.get(&bug.id).is_some_and(Code::is_killed)))
}

/// Whether only a test or a command shows a bug: that is for `mutants check`.
fn is_shown_elsewhere(bug: &Bug) -> bool {
    bug.witness.iter().all(|witness| witness.contains(' '))
}

fn judge(bug: &Bug, tool: &Path, request: &Request) -> std::io::Result<Code> {
    let mut code = Code::default();
    let hunt = |layer: Layer, runs: u64| hunt::ask(tool, &bug.id, layer, runs);
    if request.product {
        code.product = hunt(Layer::Product, 1)?.map(Seen::from);
    }
    // Most are noticed by a few runs; what is not may concern a target, whose committed inputs come first.
    if hunt(Layer::Soon, request.runs.min(SOON))?.is_none() {
        code.target = target(bug, hunt(Layer::Inputs, 1)?, request)?;
        if code.target.is_some() {
            return Ok(code);
        }
    }
    if let Some(found) = hunt(Layer::Walk, request.runs)? {
        if !found.input.is_empty() {
            let schedule = Schedule::from_file(&found.input);
            blames_the_bug(bug, &found, || {
                play(&schedule, Adjust::NONE, Until::End, false).failure.map(|failure| failure.kind())
            })?;
            code.witness = Some(schedule.choices.len());
            if request.write {
                write_witness(&format!("{}.run", bug.id), &found.input)?;
            }
        }
        code.walk = Some(found.into());
    }
    if code.walk.is_none() && code.product.is_none() {
        code.target = target(bug, hunt(Layer::Targets, 1)?, request)?;
    }
    Ok(code)
}

/// The failure that a target shows, which is the bug's and not the code's.
fn target(bug: &Bug, found: Option<Hunted>, request: &Request) -> std::io::Result<Option<Seen>> {
    let Some(found) = found else { return Ok(None) };
    let target = targets::named(&found.by).ok_or_else(|| Error::other(format!("no target {}", found.by)))?;
    blames_the_bug(bug, &found, || finding(target, &found.input))?;
    if request.write {
        write_witness(&format!("{}.{}", bug.id, found.by), &found.input)?;
    }
    Ok(Some(found.into()))
}

/// Refuses a witness that shows something wrong about the code without the bug, too: that is a finding, and no kill. The finding
/// is kept beside the witnesses of before, which stay as they are.
fn blames_the_bug(
    bug: &Bug,
    found: &Hunted,
    without: impl FnOnce() -> Option<String>,
) -> std::io::Result<()> {
    let Some(what) = without() else { return Ok(()) };
    let artifacts = Lock::take(room().join("artifacts"))?;
    let file = artifacts.folder().join(format!("without-{}.{}", bug.id, found.by));
    zus_output::whole::write(&file, &found.input)?;
    let path = zus_output::plain::quoted_path(&file);
    let again =
        if found.by == "walk" { format!("replay {path}") } else { format!("run {} {path}", found.by) };
    Err(Error::other(format!(
        "the production code fails without {}, too: {what}; see it with `cargo run -p zus-fuzz -- {again}`",
        bug.id
    )))
}

fn write_witness(name: &str, bytes: &[u8]) -> std::io::Result<()> {
    zus_output::whole::write(crate::mutants::witnesses().join(name), bytes)
}

/// The rule changes, through the model.
fn rules() -> std::io::Result<Vec<Rule>> {
    let mutants = committed_mutants().map_err(|error| Error::other(error.to_string()))?;
    let mut executioner = Executioner::default();
    let run = |mutant: &RuleChange| {
        let options =
            Options { limits: Limits::default(), command: "zus check --mutants", progress: &|_| {} };
        let fate = executioner.run(mutant, options);
        eprintln!("rule {}", mutant.id);
        Rule {
            killed: fate.found == Found::Violated && fate.why.is_none(),
            states: fate.unique,
            actions: fate.trace.map_or(0, |trace| trace.steps.len()),
            seconds: fate.seconds,
            property: mutant.property.id().into(),
            id: mutant.id.clone(),
            name: mutant.name.clone(),
        }
    };
    Ok(mutants.iter().map(run).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input that fails without the bug is a finding about the code, which is kept and named; it is no witness.
    #[test]
    fn a_failure_of_the_code_itself_is_no_witness_of_a_bug() {
        let bugs = Bugs::read().expect("the table is read");
        let bug = &bugs.bugs[0];
        let found = Hunted {
            by: "trial".into(),
            what: "wrong".into(),
            executions: 1,
            seconds: 0.0,
            input: b"input".to_vec(),
        };
        assert!(blames_the_bug(bug, &found, || None).is_ok());
        let refused = blames_the_bug(bug, &found, || Some("wrong as well".into())).unwrap_err().to_string();
        let file = room().join("artifacts").join(format!("without-{}.trial", bug.id));
        let kept = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(kept, b"input");
        assert!(refused.contains("wrong as well") && refused.contains("run trial"), "{refused}");
    }
}

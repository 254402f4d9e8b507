//! The kill matrix: each rule change of the model and each deliberate bug of the production crate, and which layer notices it.
//!
//! `matrix/results.json` holds the measurements; `MATRIX.md` and `model/figures/kill_matrix.json` (a part of the
//! report) are made of it. Bugs that are not asked for keep their earlier results, so that one bug can be judged again
//! alone.

mod table;
mod units;

use std::collections::BTreeMap;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use zus_bpp::miner::Config;
use zus_bpp::mutants::{Mutant, Scope};
use zus_checker::mutants::{Executioner, Mutant as RuleChange, committed_mutants};
use zus_checker::search::bfs::Limits;
use zus_checker::search::check::{Found, Options};
use zus_output::lock::Lock;

use crate::campaign::{CALM_EVERY, Until, play, shortened, walk};
use crate::judge::{Kill, Replay, by_product, by_target, finding, quietly, targets_by_cost};
use crate::product::timeless;
use crate::room;
use crate::world::Adjust;

/// Gives the honest participants a bug.
fn give(config: &mut Config, variant: u16) {
    config.mutant = Mutant::ALL.get(usize::from(variant)).copied();
}

/// The same where time stands still.
fn give_timeless(config: &mut Config, variant: u16) {
    timeless(config, 0);
    give(config, variant);
}

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
    /// The test program of the production crate: `cargo test -p zus-bpp --lib --no-run` prints its path.
    pub units: Option<PathBuf>,
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

impl From<Kill> for Seen {
    fn from(Kill { by, what, executions, seconds, .. }: Kill) -> Self {
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
        Err(_) => Results::default(),
    };
    results.code.retain(|name, _| Mutant::ALL.iter().any(|mutant| format!("{mutant:?}") == *name));
    if request.model {
        results.rules = rules()?;
    }
    let asked: Vec<usize> = (0..Mutant::ALL.len())
        .filter(|&index| {
            let name = format!("{:?}", Mutant::ALL[index]);
            request.only.is_empty() || request.only.contains(&name)
        })
        .collect();
    let is_bug = |name: &&String| Mutant::ALL.iter().any(|mutant| format!("{mutant:?}") == **name);
    if let Some(name) = request.only.iter().find(|name| !is_bug(name)) {
        return Err(Error::other(format!(
            "--only {name}: no deliberate bug has this name\n  fix: fuzz/MATRIX.md lists all"
        )));
    }
    let (next, known) = (AtomicUsize::new(0), Mutex::new(results));
    let worker = || -> std::io::Result<()> {
        while let Some(&index) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
            // A thread of its own: what is kept for a thread may have been made with the bug.
            let code = std::thread::scope(|one| one.spawn(|| judge(index, request)).join());
            let code = code.map_err(|_| Error::other("a judge panicked"))??;
            let name = format!("{:?}", Mutant::ALL[index]);
            let mut results = known.lock().map_err(|_| Error::other("a judge panicked"))?;
            eprintln!("{name}: {}", code.by());
            let units = results.code.get(&name).and_then(|known| known.units.clone());
            results.code.insert(name, Code { units, ..code });
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
    if let Some(program) = &request.units {
        for &index in &asked {
            let name = format!("{:?}", Mutant::ALL[index]);
            let failed = units::failed(program, &name)?;
            eprintln!("{name}: {failed:?}");
            results.code.entry(name).or_default().units = Some(failed);
            if request.write {
                save(&file, &results)?;
            }
        }
    }
    let tables = table::tables(&results)?;
    println!("{}", table::markdown(&tables));
    if request.write {
        save(&file, &results)?;
        zus_output::whole::write(room().join("MATRIX.md"), table::page(&tables))?;
        zus_output::whole::write(room().join("../model/figures/kill_matrix.json"), table::figures(&tables)?)?;
    }
    Ok(asked.iter().all(|&index| {
        let mutant = Mutant::ALL[index];
        exempt(mutant).is_some() || results.code.get(&format!("{mutant:?}")).is_some_and(Code::is_killed)
    }))
}

/// Bugs that neither product nor fuzzing can notice, and why.
#[must_use]
pub fn exempt(mutant: Mutant) -> Option<&'static str> {
    match mutant {
        Mutant::SignUnasked => {
            Some("takes away the last of three guards; no step asks for what the first forbids")
        }
        _ => None,
    }
}

fn judge(index: usize, request: &Request) -> std::io::Result<Code> {
    let variant = index as u16;
    let adjust = Adjust(give, variant);
    let mut code = Code::default();
    let start = std::time::Instant::now();
    code.product = product(variant, request);
    // Most are noticed by a few runs; what is not may concern a target, whose committed inputs come first.
    let soon = std::panic::catch_unwind(|| walk(1, request.runs.min(SOON), adjust, None));
    if matches!(soon, Ok(None)) {
        code.target = target(index, 0, request)?;
        if code.target.is_some() {
            return Ok(code);
        }
    }
    // A broken property says more than a world that stands still, and costs less: those runs first.
    let walked = std::panic::catch_unwind(|| {
        walk(1, request.runs, adjust, None).or_else(|| walk(1, request.runs, adjust, Some(CALM_EVERY)))
    });
    match walked {
        Ok(Some(found)) => {
            let what = found.failure.kind();
            let seconds = start.elapsed().as_secs_f64();
            let short = shortened(&found.schedule, &found.failure, found.at_end, adjust);
            let (input, replay) = (short.explicit(), Replay::Schedule);
            let kill = Kill { by: "walk".into(), what, executions: found.runs, seconds, input, replay };
            blames_the_bug(Mutant::ALL[index], &kill, || {
                play(&short, Adjust::NONE, Until::End, false).failure.map(|failure| failure.kind())
            })?;
            code.witness = Some(short.choices.len());
            if request.write {
                write_witness(&format!("{:?}.run", Mutant::ALL[index]), &kill.input)?;
            }
            code.walk = Some(kill.into());
        }
        Ok(None) => {}
        Err(_) => {
            let (executions, seconds) = (0, start.elapsed().as_secs_f64());
            code.walk = Some(Seen { by: "walk".into(), what: "a panic".into(), executions, seconds });
        }
    }
    if code.walk.is_none() && code.product.is_none() {
        code.target = target(index, 1, request)?;
    }
    Ok(code)
}

/// The first target that notices a bug: by its committed inputs, and with some effort by others.
fn target(index: usize, effort: u64, request: &Request) -> std::io::Result<Option<Seen>> {
    let mutant = Mutant::ALL[index];
    let _scope = Scope::enter(Some(mutant));
    // Whole key generations cost a tenth of a second each: only with some effort.
    let skipped = |name: &str| name.starts_with("conformance") || (effort == 0 && name == "dkg");
    let mut others = targets_by_cost().filter(|(name, _)| !skipped(name));
    let killed =
        others.find_map(|(name, target)| by_target(name, *target, effort).map(|kill| (*target, kill)));
    let Some((target, kill)) = killed else { return Ok(None) };
    blames_the_bug(mutant, &kill, || finding(target, &kill.input))?;
    if request.write {
        write_witness(&format!("{mutant:?}.{}", kill.by), &kill.input)?;
    }
    Ok(Some(Seen::from(kill)))
}

/// Refuses a witness that shows something wrong about the code without the bug, too: that is a finding, and no kill. The finding
/// is kept beside the witnesses of before, which stay as they are.
fn blames_the_bug(
    mutant: Mutant,
    kill: &Kill,
    without: impl FnOnce() -> Option<String> + Send,
) -> std::io::Result<()> {
    // A thread of its own: what is kept for a thread may have been made with the bug.
    let found = std::thread::scope(|one| one.spawn(without).join());
    let Some(what) = found.map_err(|_| Error::other("a judge panicked"))? else { return Ok(()) };
    let artifacts = Lock::take(room().join("artifacts"))?;
    let file = artifacts.folder().join(format!("without-{mutant:?}.{}", kill.by));
    zus_output::whole::write(&file, &kill.input)?;
    Err(Error::other(format!(
        "the production code fails without {mutant:?}, too: {what}; see it with `cargo run -p zus-fuzz -- {}`",
        kill.replay.arguments(&file)
    )))
}

fn product(variant: u16, request: &Request) -> Option<Seen> {
    let bent = request.product.then_some(Adjust(give_timeless, variant))?;
    by_product(Some(bent)).map(Seen::from)
}

fn write_witness(name: &str, bytes: &[u8]) -> std::io::Result<()> {
    zus_output::whole::write(room().join(WITNESSES).join(name), bytes)
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
        let mutant = Mutant::ALL[0];
        let kill = Kill {
            by: "trial".into(),
            what: "wrong".into(),
            executions: 1,
            seconds: 0.0,
            input: b"input".to_vec(),
            replay: Replay::Target("trial".into()),
        };
        assert!(blames_the_bug(mutant, &kill, || None).is_ok());
        let refused = blames_the_bug(mutant, &kill, || Some("wrong as well".into())).unwrap_err().to_string();
        let file = room().join("artifacts").join(format!("without-{mutant:?}.trial"));
        let kept = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(kept, b"input");
        assert!(refused.contains("wrong as well") && refused.contains("run trial"), "{refused}");
    }
}

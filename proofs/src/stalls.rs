//! The controls of the clock: an obligation, a timer or a window deleted, and a real run in which liveness then fails.
//!
//! Each run is refused by the whole specification, by just the item that was deleted: so the item is what keeps the
//! protocol live there, and the proof could have been otherwise.

use crate::{
    bounded::{Run, RunFileError, Search, Target, UniverseError},
    nonvacuity::{stuck, universe},
    spec::{Formula, Obligation, Spec, SpecError},
    structure::{Evaluator, Interpreter},
    verify::parallel,
};

/// The properties that a stall breaks.
pub const LIVE: &[&str] = &["L1", "L1-all", "L1-ends", "L1-first", "L2", "L2-all", "L3", "L5"];
/// The items that are deleted besides the obligations.
const OTHERS: &[&str] = &[
    "guard:timeout/timer",
    "guard:log_ticket/window-closed",
    "guard:restart/stays-up",
    "axiom:timer-long",
    "axiom:windows",
    "axiom:window-long",
    "axiom:up-quorum",
];
/// The kept runs, one a line.
pub(crate) const RUNS: &str = include_str!("../runs/stalls.jsonl");
/// Steps of a search; the longest stall needs about 28.
const MAX_STEPS: usize = 30;
/// Universes to search, the smallest first.
const UNIVERSES: &[[usize; 3]] = &[[1, 1, 1], [1, 2, 1]];

/// Why a stall cannot be searched or read.
#[derive(Debug, thiserror::Error)]
pub enum StallError {
    /// The item is not there.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The search failed.
    #[error(transparent)]
    Universe(#[from] UniverseError),
    /// A line is no run.
    #[error(transparent)]
    File(#[from] RunFileError),
    /// A line is no JSON with a name.
    #[error("a line of runs/stalls.jsonl has no name")]
    NoName,
}

/// Everything that is deleted in turn.
pub fn items(spec: &Spec) -> Vec<String> {
    let obligations = spec.obligations.iter().map(|o| format!("guard:{}/{}", o.waiting, o.name));
    obligations.chain(OTHERS.iter().map(|item| (*item).to_string())).collect()
}

/// The states in which time has stopped: an obligation is open, and none of its actions is enabled.
fn stopped(spec: &Spec) -> Formula {
    let lemma = |o: &Obligation| spec.lemmas.iter().find(|lemma| lemma.name == o.name);
    let stops = spec.obligations.iter().filter_map(lemma).map(stuck);
    Formula::Or(stops.collect())
}

/// The word for a state in which time has stopped, among the names of properties.
pub const STOP: &str = "time-stops";

/// The properties of [`LIVE`] that a run of the specification without an item breaks at its end.
pub fn broken(without: &Spec, run: &Run) -> Vec<String> {
    let interpreter = Interpreter::new(without);
    let states = run.replay(&interpreter).unwrap_or_default();
    let broken = states.last().map(|end| interpreter.broken_safety(end)).unwrap_or_default();
    let broken = broken.iter().map(|s| s.name.clone()).filter(|name| LIVE.contains(&name.as_str()));
    let stops = states.last().is_some_and(|end| Evaluator::new(&stopped(without), &[]).holds(end, &[]));
    broken.chain(stops.then(|| STOP.to_string())).collect()
}

/// A run for every item, which is its name: the kept one if it still breaks something, or one that is searched.
pub fn search(spec: &Spec, threads: usize) -> Result<Vec<(String, Option<Run>)>, StallError> {
    let items = items(spec);
    let found = parallel(items.len(), threads, |index| {
        let without = spec.without(&items[index])?;
        let lines = RUNS.lines();
        let mut old = lines.filter_map(|line| Run::from_json(&without, line).ok());
        if let Some(run) = old.find(|run| run.name == items[index] && !broken(&without, run).is_empty()) {
            return Ok((items[index].clone(), Some(run)));
        }
        let broken = LIVE.iter().filter_map(|name| without.statement(name));
        let broken = broken.map(|statement| Formula::negate((*statement.formula).clone()));
        let targets = [Formula::Or(broken.collect()), stopped(&without)];
        for target in targets.map(Target::State) {
            for size in UNIVERSES {
                let mut search = Search::new(&without, &universe(&without, *size))?;
                let run = search.run(&items[index], &target, MAX_STEPS);
                if let Some(run) = run.map_err(UniverseError::from)? {
                    return Ok((items[index].clone(), Some(run)));
                }
            }
        }
        Ok((items[index].clone(), None))
    });
    found.into_iter().collect()
}

/// A kept run that the specification allows and that breaks liveness: it is one of those whose item is deleted.
pub fn shown(spec: &Spec) -> Option<Run> {
    let lines = RUNS.lines();
    lines.filter_map(|line| Run::from_json(spec, line).ok()).find(|run| !broken(spec, run).is_empty())
}

/// The kept runs, each with the specification without its item.
pub fn kept(spec: &Spec) -> Result<Vec<(Spec, Run)>, StallError> {
    let read = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| StallError::NoName)?;
        let without = spec.without(value["name"].as_str().ok_or(StallError::NoName)?)?;
        let run = Run::from_json(&without, line)?;
        Ok((without, run))
    };
    RUNS.lines().map(read).collect()
}

/// A run drawn: one line a tick, with the actions of each miner since the tick before, in order. `*` makes a certificate, or is an
/// observer.
pub fn drawn(spec: &Spec, run: &Run) -> String {
    let columns = run.universe.miners + 1;
    let mut rows = vec![vec![Vec::<String>::new(); columns]];
    for event in &run.events {
        let action = &spec.actions[event.action];
        if action.name == "tick" {
            rows.push(vec![Vec::new(); columns]);
            continue;
        }
        let of_miner = action.parameters.first().is_some_and(|p| Some(p.variable.sort) == spec.sort("miner"));
        let column = if of_miner { event.arguments[0] as usize } else { run.universe.miners };
        let word = action.name.trim_start_matches("byzantine_").to_string();
        if let Some(row) = rows.last_mut() {
            row[column].push(word);
        }
    }
    let honest = run.universe.miners - run.universe.byzantine;
    let name = |miner: usize| match miner {
        m if m < honest => format!("miner{m}"),
        m if m < run.universe.miners => format!("miner{m}, Byzantine"),
        _ => "*".to_string(),
    };
    let mut text = String::from("| tick |");
    (0..columns).for_each(|miner| text += &format!(" {} |", name(miner)));
    text += &format!("\n|{}\n", "---|".repeat(columns + 1));
    // Ticks in which nobody does anything are one line.
    let mut at = 0;
    while at < rows.len() {
        let idle = |row: &Vec<Vec<String>>| row.iter().all(Vec::is_empty);
        let end = (at..rows.len()).find(|next| !idle(&rows[*next])).unwrap_or(rows.len());
        if end > at {
            let ticks = if end - at == 1 { at.to_string() } else { format!("{at} to {}", end - 1) };
            text += &format!("| {ticks} |{}\n", " |".repeat(columns));
            at = end;
            continue;
        }
        text += &format!("| {at} |");
        rows[at].iter().for_each(|cell| text += &format!(" {} |", cell.join(", ")));
        text.push('\n');
        at += 1;
    }
    text
}

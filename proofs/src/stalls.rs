//! The controls of the clock: an obligation, a timer or a window deleted, and a real run in which liveness then fails.
//!
//! Each run is refused by the whole specification, by just the item that was deleted: so the item is what keeps the
//! protocol live there, and the proof could have been otherwise.

use crate::{
    bounded::{Run, RunFileError, Search, Target, WorldError},
    nonvacuity::world,
    spec::{Formula, Spec, SpecError},
    structure::Interpreter,
    verify::parallel,
};

/// The properties that a stall breaks.
pub const LIVE: &[&str] = &["L1", "L1-all", "L1-ends", "L1-next", "L2", "L2-all", "L3", "L5"];
/// The items that are deleted besides the obligations.
const OTHERS: &[&str] = &[
    "guard:timeout/timer",
    "guard:log_ticket/window-closed",
    "guard:restart/stays-up",
    "axiom:timer-long",
    "axiom:windows",
];
/// Steps of a search; the longest stall needs about 28.
const MAX_STEPS: usize = 30;
/// Worlds to search, the smallest first.
const WORLDS: &[[usize; 3]] = &[[1, 1, 1], [1, 2, 1]];

/// Why a stall cannot be searched or read.
#[derive(Debug, thiserror::Error)]
pub enum StallError {
    /// The item is not there.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The search failed.
    #[error(transparent)]
    World(#[from] WorldError),
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

/// The properties of [`LIVE`] that a run of the specification without an item breaks at its end.
pub fn broken(without: &Spec, run: &Run) -> Vec<String> {
    let interpreter = Interpreter::new(without);
    let states = run.replay(&interpreter).unwrap_or_default();
    let broken = states.last().map(|end| interpreter.broken_safety(end)).unwrap_or_default();
    broken.iter().map(|s| s.name.clone()).filter(|name| LIVE.contains(&name.as_str())).collect()
}

/// Searches a stall for every item; the run's name is the item.
pub fn search(spec: &Spec, threads: usize) -> Result<Vec<(String, Option<Run>)>, StallError> {
    let items = items(spec);
    let found = parallel(items.len(), threads, |index| {
        let without = spec.without(&items[index])?;
        let broken = LIVE.iter().filter_map(|name| without.statement(name));
        let broken = broken.map(|statement| Formula::negate((*statement.formula).clone()));
        let target = Target::State(Formula::Or(broken.collect()));
        for size in WORLDS {
            let run = Search::new(&without, &world(&without, *size))?.run(&items[index], &target, MAX_STEPS);
            if let Some(run) = run.map_err(WorldError::from)? {
                return Ok((items[index].clone(), Some(run)));
            }
        }
        Ok((items[index].clone(), None))
    });
    found.into_iter().collect()
}

/// The kept runs, each with the specification without its item.
pub fn kept(spec: &Spec) -> Result<Vec<(Spec, Run)>, StallError> {
    let read = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| StallError::NoName)?;
        let without = spec.without(value["name"].as_str().ok_or(StallError::NoName)?)?;
        let run = Run::from_json(&without, line)?;
        Ok((without, run))
    };
    include_str!("../runs/stalls.jsonl").lines().map(read).collect()
}

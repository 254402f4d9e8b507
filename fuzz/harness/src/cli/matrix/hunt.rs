//! One layer looks for the bug of its process, which [`ask`] starts: a bug may loop, allocate without end, or abort.

use std::io::Error;
use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::campaign::{CALM_EVERY, shortened, walk};
use crate::cli::trial;
use crate::judge::{by_product, by_target, quietly, targets_by_cost};
use crate::mutants::{PARTICIPANTS, VARIABLE, WITHIN};
use crate::world::Adjust;

/// Seconds for one layer: several times what the slowest takes.
const LIMIT: u64 = 3_600;

/// The layer that looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Layer {
    /// The exhaustive product.
    Product,
    /// A short walk, which ends with its first finding.
    Soon,
    /// Every target on its committed inputs.
    Inputs,
    /// A walk, and what it finds is made shorter.
    Walk,
    /// Every target, on random inputs too.
    Targets,
}

/// The finding of a layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hunted {
    /// The layer: `walk`, `product`, or the name of a target.
    pub by: String,
    /// The fault, in a few words.
    pub what: String,
    /// Executions, or pairs of the product, that it took.
    pub executions: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// The input of the target, or the schedule; empty for a product.
    pub input: Vec<u8>,
}

/// Looks, in this process, and prints what is found. Returns whether nothing is.
///
/// # Errors
/// When it cannot be printed.
pub fn hunt(layer: Layer, runs: u64) -> std::io::Result<bool> {
    let found = quietly(|| look(layer, runs));
    if let Some(found) = &found {
        println!("{}", serde_json::to_string(found)?);
    }
    Ok(found.is_none())
}

fn look(layer: Layer, runs: u64) -> Option<Hunted> {
    let start = std::time::Instant::now();
    let target = |effort: u64| {
        // Whole key generations cost a tenth of a second each: only with some effort.
        let skipped = |name: &str| name.starts_with("conformance") || (effort == 0 && name == "dkg");
        let mut others = targets_by_cost().filter(|(name, _)| !skipped(name));
        others.find_map(|(name, target)| by_target(name, *target, effort))
    };
    let kill = match layer {
        Layer::Product => by_product(None)?,
        Layer::Inputs => target(0)?,
        Layer::Targets => target(1)?,
        Layer::Soon | Layer::Walk => {
            let adjust = Adjust::NONE;
            // A broken property says more than a world that stands still, and costs less: those runs first.
            let found = walk(1, runs, adjust, None);
            let calm = || walk(1, runs, adjust, Some(CALM_EVERY));
            let found = if layer == Layer::Walk { found.or_else(calm) } else { found }?;
            let (what, seconds) = (found.failure.kind(), start.elapsed().as_secs_f64());
            let input = match layer {
                Layer::Walk => shortened(&found.schedule, &found.failure, found.at_end, adjust).explicit(),
                _ => found.schedule.explicit(),
            };
            return Some(Hunted { by: "walk".into(), what, executions: found.runs, seconds, input });
        }
    };
    let crate::judge::Kill { by, what, executions, seconds, input, .. } = kill;
    Some(Hunted { by, what, executions, seconds, input })
}

/// Lets a layer look for a bug, in a process that has it.
///
/// # Errors
/// When the process cannot be run, or cannot do it.
pub fn ask(tool: &Path, bug: &str, layer: Layer, runs: u64) -> std::io::Result<Option<Hunted>> {
    let name = layer.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let arguments = ["hunt", &name, "--runs", &runs.to_string()].map(str::to_owned);
    // The walk and the product judge participants only: what is around them goes by the page.
    let within = matches!(layer, Layer::Product | Layer::Soon | Layer::Walk);
    let environment = [(VARIABLE, bug), (WITHIN, if within { PARTICIPANTS } else { "" })];
    let by = match layer {
        Layer::Product => "product",
        Layer::Soon | Layer::Walk => "walk",
        Layer::Inputs | Layer::Targets => return asked(tool, &arguments, &environment, None),
    };
    asked(tool, &arguments, &environment, Some(by))
}

fn asked(
    tool: &Path,
    arguments: &[String],
    environment: &[(&str, &str)],
    by: Option<&str>,
) -> std::io::Result<Option<Hunted>> {
    let start = std::time::Instant::now();
    // An end of the process is a finding of a walk or a product, though without an input.
    let ended = |what: String| {
        let by = by.ok_or_else(|| Error::other(format!("{}: {what}", arguments.join(" "))))?;
        let (executions, seconds) = (0, start.elapsed().as_secs_f64());
        Ok(Some(Hunted { by: by.into(), what, executions, seconds, input: Vec::new() }))
    };
    let Some((status, text)) = trial::run(tool, arguments, environment, LIMIT)? else {
        return ended("it does not end".into());
    };
    match status.code() {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(serde_json::from_str(&text)?)),
        Some(2) => Err(Error::other(format!("{}: {status}", arguments.join(" ")))),
        _ => ended("a panic".into()),
    }
}

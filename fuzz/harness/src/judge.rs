//! Everything that the harness has, cheapest first, until something is wrong: what judges a mutant, and what somebody who
//! has changed the production code runs to see whether it is noticed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use crate::campaign::{CALM_EVERY, walk};
use crate::product::Product;
use crate::schedule::Random;
use crate::schedule::run::panic_message;
use crate::targets::{ALL, Target};
use crate::world::Adjust;
use zus_output::plain::quoted_path;

/// The check that noticed a fault.
#[derive(Clone, Debug)]
pub struct Kill {
    /// The layer: `walk`, `product`, or the name of a target.
    pub by: String,
    /// The fault, in a few words.
    pub what: String,
    /// Executions, or pairs of the product, that it took.
    pub executions: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// The input of the target, or the schedule, that shows it; empty for a product.
    pub input: Vec<u8>,
    /// The command of the tool that shows it again, about a file with that input.
    pub replay: Replay,
}

/// Which command of the tool shows a finding again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// `replay FILE`.
    Schedule,
    /// `run TARGET FILE`.
    Target(String),
    /// `product` with these options.
    Product(String),
}

impl Replay {
    /// The arguments of the tool, for an input in this file.
    #[must_use]
    pub fn arguments(&self, file: &Path) -> String {
        match self {
            Replay::Schedule => format!("replay {}", quoted_path(file)),
            Replay::Target(name) => format!("run {name} {}", quoted_path(file)),
            Replay::Product(options) => format!("product {options}"),
        }
    }
}

/// Random inputs of a target for one unit of effort; runs on real signatures take tens of milliseconds each.
fn share(name: &str) -> u64 {
    match name {
        "conformance" => 0, // That is the walk.
        "conformance_bls" => 4,
        "twins" => 150,
        "recovery" => 600,
        "overrun" => 600,
        "equivocation" => 2_000,
        "ledger" => 400,
        "floods" => 30,
        "answers" => 4_000,
        "evidence" => 32_000,
        "profiles" => 200,
        "dkg" => 40,
        "scenario" | "trace" => 0, // They read files of the model.
        _ => 4_000,
    }
}

/// Targets whose inputs take microseconds.
const CHEAP: [&str; 8] =
    ["signers", "statements", "evidence", "certificate", "beacon", "signature_pool", "decode", "messages"];

/// Every target, those first whose inputs take microseconds, and key generation last.
pub fn targets_by_cost() -> impl Iterator<Item = &'static (&'static str, Target)> {
    let cost = |name: &str| if CHEAP.contains(&name) { 0 } else { 1 + u8::from(name == "dkg") };
    (0..3).flat_map(move |group| ALL.iter().filter(move |(name, _)| cost(name) == group))
}

/// Whether a target panics on an input, and how. Somebody should see to it that panics are not printed ([`quietly`]).
#[must_use]
pub fn finding(target: Target, bytes: &[u8]) -> Option<String> {
    // Targets do not catch panics themselves, since an engine aborts first; here no engine runs.
    let panic = catch_unwind(AssertUnwindSafe(|| target(bytes))).err()?;
    Some(panic_message(&*panic).lines().next().unwrap_or_default().chars().take(120).collect())
}

/// Does something without printing panics.
pub fn quietly<T>(what: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = what();
    std::panic::set_hook(hook);
    result
}

/// One target: its committed inputs, then random ones.
#[must_use]
pub fn by_target(name: &str, target: Target, effort: u64) -> Option<Kill> {
    let start = Instant::now();
    let mut executions = 0;
    let kill = |what: String, executions: u64, input: Vec<u8>| {
        let (seconds, replay) = (start.elapsed().as_secs_f64(), Replay::Target(name.into()));
        Some(Kill { by: name.into(), what, executions, seconds, input, replay })
    };
    let corpus = committed(name);
    for input in &corpus {
        executions += 1;
        if let Some(what) = finding(target, input) {
            return kill(what, executions, input.clone());
        }
    }
    let mut random = Random::new(1);
    // Some random inputs that cost next to nothing are always tried.
    let always = if CHEAP.contains(&name) || name == "answers" { share(name) / 8 } else { 0 };
    for _ in 0..(share(name) * effort).max(always) {
        let bytes = match corpus.get(random.below(corpus.len().max(1))) {
            Some(input) if random.below(2) == 0 => bent(input, &mut random),
            _ => (0..random.below(96)).map(|_| random.bits() as u8).collect(),
        };
        executions += 1;
        if let Some(what) = finding(target, &bytes) {
            return kill(what, executions, bytes);
        }
    }
    None
}

/// An input with a few changes, as an engine makes them.
fn bent(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes.push(random.bits() as u8),
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(1),
            3 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            _ if !bytes.is_empty() => bytes[at] = random.bits() as u8,
            _ => {}
        }
    }
    bytes
}

/// The committed inputs of a target, in order of their names.
fn committed(name: &str) -> Vec<Vec<u8>> {
    let folder = crate::room().join("inputs").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    files.iter().filter_map(|file| std::fs::read(file.path()).ok()).collect()
}

/// The random walk, some runs of which end in a synchronous network.
#[must_use]
pub fn by_walk(adjust: Adjust, runs: u64) -> Option<Kill> {
    let start = Instant::now();
    let found = walk(1, runs, adjust, Some(CALM_EVERY))?;
    Some(Kill {
        by: "walk".into(),
        what: found.failure.kind(),
        executions: found.runs,
        seconds: start.elapsed().as_secs_f64(),
        input: found.schedule.explicit(),
        replay: Replay::Schedule,
    })
}

/// Steps of one product that are explored at most: a bug may take the end from an exploration. Without one the largest has
/// 15,964.
const STEPS: usize = 80_000;

/// Small products, exhaustively, both directions where that takes a second. A change of the configuration has to stop time
/// too ([`timeless`](crate::product::timeless)).
#[must_use]
pub fn by_product(adjust: Option<Adjust>) -> Option<Kill> {
    let start = Instant::now();
    let mut pairs = 0;
    // Rounds, subrounds, who is Byzantine, keys, crashes, both directions.
    let products =
        [(1, 1, 0, 0, 0, true), (1, 1, 3, 1, 0, true), (2, 1, 0, 0, 0, true), (1, 1, 3, 1, 1, false)];
    for (rounds, subrounds, byzantine, seed, crashes, refusals) in products {
        let mut product = Product::of_four(rounds, subrounds, byzantine, seed);
        product.crashes = crashes;
        product.setup.adjust = adjust.unwrap_or(product.setup.adjust);
        let hunted = catch_unwind(AssertUnwindSafe(|| product.hunt(refusals, STEPS)));
        let found = hunted.unwrap_or_else(|_| Some(("a panic in production".into(), 0)));
        if let Some((what, explored)) = found {
            pairs += explored as u64;
            let seconds = start.elapsed().as_secs_f64();
            let refusals = if refusals { " --refusals" } else { "" };
            let options = format!(
                "--rounds {rounds} --subrounds {subrounds} --byzantine {byzantine} --seed {seed} --crashes {crashes}{refusals}"
            );
            let (input, replay) = (Vec::new(), Replay::Product(options));
            return Some(Kill { by: "product".into(), what, executions: pairs, seconds, input, replay });
        }
    }
    None
}

/// All of it, on this thread, of the production code as it is. With an effort of 0 all but the cheapest targets run on their
/// committed inputs only, and those that take tens of milliseconds for each are left out: a quarter of a minute where nothing is
/// wrong.
#[must_use]
pub fn judge(effort: u64) -> Option<Kill> {
    let adjust = Adjust::NONE;
    let is_cheap = |name: &str| CHEAP.contains(&name);
    let is_costly = |name: &str| name == "conformance_bls" || effort == 0 && name == "dkg";
    let first = || targets_by_cost().filter(|(name, _)| is_cheap(name));
    let rest = || targets_by_cost().filter(|(name, _)| !is_cheap(name) && !is_costly(name));
    let found = by_walk(adjust, 40);
    let found = found.or_else(|| first().find_map(|(name, target)| by_target(name, *target, effort)));
    let found = found.or_else(|| by_walk(adjust, 2_000 * effort.max(1)));
    let found = found.or_else(|| rest().find_map(|(name, target)| by_target(name, *target, effort)));
    let found = found.or_else(|| by_product(None));
    let mut last = ALL.iter().filter(|(name, _)| *name == "conformance_bls" && effort > 0);
    found.or_else(|| last.find_map(|(name, target)| by_target(name, *target, effort)))
}

//! A scenario checked: explored or sampled, and compared with what it expects.
//!
//! A run that shows something is the truth about it, however the search ended. That nothing shows it is said only
//! when every reachable state was seen: a search that hit a bound says `unknown`, a sample says `sampled`.

use super::{
    bfs::{End, Exploration, Limits, Progress, explore},
    run::{Run, RunError, named_run},
    simulate::{MOST_STEPS, Sample, shortened, simulate},
};
use crate::{
    committed::name_of,
    properties::{Facts, Property},
    scenario::{Scenario, Verdict},
    trace::{Claim, Producer, Trace, shown_verdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use zus_output::plain::quoted_path;

/// The finding on a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// S, L: every reachable state was seen, and none violates it.
    Holds,
    /// S, L: a run violates it.
    Violated,
    /// W: a run shows it.
    Reachable,
    /// W: every reachable state was seen, and none shows it.
    Unreachable,
    /// No random run shows it, which proves nothing.
    Sampled,
    /// A bound was hit before the answer was known.
    Unknown,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Found::Holds => "holds",
            Found::Violated => "violated",
            Found::Reachable => "reachable",
            Found::Unreachable => "unreachable",
            Found::Sampled => "sampled",
            Found::Unknown => "unknown",
        })
    }
}

impl From<Verdict> for Found {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => Found::Holds,
            Verdict::Violated => Found::Violated,
            Verdict::Reachable => Found::Reachable,
            Verdict::Unreachable => Found::Unreachable,
        }
    }
}

/// How what was found compares with what is expected; the greater, the worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The verdict is the expected one.
    #[default]
    AsExpected,
    /// Nothing speaks against the expected verdict, in a scenario that asks for a sample only.
    Sampled,
    /// A bound was hit before the answer was known.
    Incomplete,
    /// The verdict is another one.
    Differs,
}

/// The finding for one expectation.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Of which property.
    pub property: Property,
    /// The expected verdict.
    pub expected: Verdict,
    /// Where it is expected.
    pub line: usize,
    /// The verdict that was found.
    pub found: Found,
    /// How the two compare.
    pub standing: Standing,
    /// Why a verdict of all states says nothing: its premise is reachable in none of them.
    pub vacuous: Option<String>,
    /// The run that shows it.
    pub trace: Option<Trace>,
    /// Why there is none, though something was found.
    pub fault: Option<RunError>,
}

/// How a scenario was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Method {
    /// Every reachable state was seen.
    Exhausted,
    /// Everything that was expected to be found was found, so it ended there.
    AllFound,
    /// The limit on states was hit.
    StateLimit,
    /// The limit on memory was hit.
    MemoryLimit,
    /// Random runs.
    Sampled {
        /// How many.
        runs: u64,
        /// The seed of the first.
        seed: u64,
    },
}

/// The rest that a search left when it hit a bound.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rest {
    /// States that were seen and not expanded.
    pub waiting: u64,
    /// Unique states that there may be in all, if fewer than one new one came of each; none where there is no end in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u64>,
}

impl Rest {
    /// New states for each one expanded from which on no end is in sight.
    const ENDLESS: f64 = 0.97;

    /// A geometric series goes on from the last level.
    fn new(unique: u64, waiting: u64, growth: f64) -> Self {
        let more = waiting as f64 * growth / (1.0 - growth);
        Rest { waiting, estimate: (growth < Self::ENDLESS).then(|| unique + more as u64) }
    }
}

/// A scenario checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Which.
    pub scenario: Scenario,
    /// How.
    pub method: Method,
    /// Unique states; visited ones, for a sample.
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// Longest distance from the start.
    pub depth: u32,
    /// Most bytes of table, queue and buffers at a time.
    pub peak_bytes: u64,
    /// Where a bound was hit: the states that wait, and how many all of them may be.
    pub rest: Option<Rest>,
    /// Seconds.
    pub seconds: f64,
    /// Expectation by expectation.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The worst of all findings, and of the pinned number of states.
    pub fn standing(&self) -> Standing {
        self.findings.iter().map(|f| f.standing).fold(self.exploration(), Standing::max)
    }

    /// How the exploration itself stands: the pinned number of states, or every state, may be asked for as well.
    pub fn exploration(&self) -> Standing {
        let asked = self.scenario.states.is_some() || self.scenario.exhaustive;
        match (self.method, self.scenario.states) {
            (Method::Exhausted, Some(states)) if states != self.unique => Standing::Differs,
            (Method::StateLimit | Method::MemoryLimit, _) if asked => Standing::Incomplete,
            _ => Standing::AsExpected,
        }
    }
}

/// The options of a search.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How far it may go.
    pub limits: Limits,
    /// The command to write into traces.
    pub command: &'a str,
    /// Told how it goes.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// The facts that end a search early once all of them are found; none where the whole instance must be explored.
fn enough(scenario: &Scenario) -> Option<Facts> {
    let of_all_states = |v| matches!(v, Verdict::Holds | Verdict::Unreachable);
    let exhaustive = scenario.exhaustive
        || scenario.states.is_some()
        || scenario.expect.iter().any(|e| of_all_states(e.verdict));
    (!exhaustive).then(|| scenario.expect.iter().map(|e| e.property).collect())
}

/// Checks `scenario`.
pub fn check(scenario: &Scenario, options: Options<'_>) -> Checked {
    let start = Instant::now();
    let asked: Facts = scenario.asked();
    let mut checked = match scenario.simulate {
        Some(runs) => sample(scenario, asked, Sample { seed: 0, runs, steps: MOST_STEPS }, options),
        None => exhaust(scenario, asked, enough(scenario), options),
    };
    checked.seconds = start.elapsed().as_secs_f64();
    checked
}

/// Explores `scenario` for what it expects, up to `enough`.
pub fn exhaust(scenario: &Scenario, asked: Facts, enough: Option<Facts>, options: Options<'_>) -> Checked {
    let protocol = &scenario.protocol;
    let exploration = explore(protocol, asked, enough, options.limits, options.progress, &|_| {});
    let Exploration { unique, generated, depth, peak_bytes, waiting, growth, end, found } = exploration;
    let method = match end {
        End::Exhausted => Method::Exhausted,
        End::AllFound => Method::AllFound,
        End::States => Method::StateLimit,
        End::Memory => Method::MemoryLimit,
    };
    let reached = |premise: Property| found.contains_key(&premise);
    let findings = judge(scenario, method, reached, |property| {
        let path = found.get(&property)?;
        Some((produced_by(options.command.into(), None), named_run(protocol, path, property)))
    });
    let scenario = scenario.clone();
    let rest = matches!(end, End::States | End::Memory).then(|| Rest::new(unique, waiting, growth));
    Checked { scenario, method, unique, generated, depth, peak_bytes, rest, seconds: 0.0, findings }
}

/// Samples `scenario` for what it expects.
pub fn sample(scenario: &Scenario, asked: Facts, sample: Sample, options: Options<'_>) -> Checked {
    let protocol = &scenario.protocol;
    let seen = std::sync::Mutex::new((0, 0));
    let mut sampled = simulate(protocol, asked, sample, &|runs, states| {
        let mut seen = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *seen = (seen.0 + runs, seen.1 + states);
        let (done, visited) = *seen;
        let frontier = sample.runs - done;
        (options.progress)(Progress { unique: visited, generated: done, depth: 0, frontier });
    });
    let method = Method::Sampled { runs: sample.runs, seed: sample.seed };
    let found = std::mem::take(&mut sampled.found);
    // A reader of the trace needs one run, not the sample that it was found in.
    let again = |seed: u64| {
        let steps = match sample.steps {
            MOST_STEPS => String::new(),
            steps => format!(" --steps {steps}"),
        };
        format!("zus simulate {} --seed {seed} --runs 1{steps}", quoted_path(name_of(scenario)))
    };
    let reached = |premise: Property| found.contains_key(&premise);
    let findings = judge(scenario, method, reached, |property| {
        let (seed, actions) = found.get(&property)?;
        let producer = produced_by(again(*seed), Some(*seed));
        Some((producer, shortened(protocol, actions.clone(), property)))
    });
    Checked {
        scenario: scenario.clone(),
        method,
        unique: sampled.states,
        generated: sampled.states,
        depth: sampled.longest as u32,
        peak_bytes: 0,
        rest: None,
        seconds: 0.0,
        findings,
    }
}

/// The run that shows a property, and what made it.
type Shown = (Producer, Result<Run, RunError>);

fn produced_by(command: String, seed: Option<u64>) -> Producer {
    Producer { tool: concat!("zus ", env!("CARGO_PKG_VERSION")).into(), command: Some(command), seed }
}

fn judge(
    scenario: &Scenario,
    method: Method,
    reached: impl Fn(Property) -> bool,
    shown: impl Fn(Property) -> Option<Shown>,
) -> Vec<Finding> {
    let finding = |e: &crate::scenario::Expectation| {
        let run = shown(e.property);
        let found = match (&run, method) {
            (Some(_), _) => shown_verdict(e.property).into(),
            (None, Method::Exhausted) if e.property.is_witness() => Found::Unreachable,
            (None, Method::Exhausted) => Found::Holds,
            (None, Method::Sampled { .. }) => Found::Sampled,
            // `AllFound` has found all that is asked.
            (None, Method::AllFound | Method::StateLimit | Method::MemoryLimit) => Found::Unknown,
        };
        let of_all_states = matches!(e.verdict, Verdict::Holds | Verdict::Unreachable);
        let standing = if found == e.verdict.into() {
            Standing::AsExpected
        } else if found == Found::Sampled && of_all_states {
            Standing::Sampled
        } else if matches!(found, Found::Sampled | Found::Unknown) {
            Standing::Incomplete
        } else {
            Standing::Differs
        };
        // A run is a run, whatever else is reachable; that there is none says something only where its premise is.
        let of_all = matches!(found, Found::Holds | Found::Unreachable | Found::Sampled);
        let absent: Vec<Property> = if of_all {
            scenario.premises_of(e.property).filter(|&p| !reached(p)).collect()
        } else {
            Vec::new()
        };
        let vacuous = absent.first().map(|premise| match found {
            Found::Sampled => format!("in these runs {}: it says nothing", premise.absent()),
            _ => format!("{}: it says nothing", premise.absent()),
        });
        let meant = absent.iter().all(|&p| scenario.is_without(p));
        let standing = match (found, of_all && !meant) {
            (_, false) => standing,
            (Found::Sampled, true) => standing.max(Standing::Incomplete),
            (_, true) => Standing::Differs,
        };
        let mut finding = Finding {
            property: e.property,
            expected: e.verdict,
            line: e.line,
            found,
            standing,
            vacuous,
            trace: None,
            fault: None,
        };
        if let Some((producer, run)) = run {
            match run.and_then(|run| trace_of(scenario, e.property, &run, producer)) {
                Ok(trace) => finding.trace = Some(trace),
                // A finding that cannot be shown is not believed.
                Err(fault) => {
                    finding.fault = Some(fault);
                    finding.standing = Standing::Differs;
                }
            }
        }
        finding
    };
    scenario.expect.iter().map(finding).collect()
}

/// The trace of a run that shows `property`.
pub fn trace_of(
    scenario: &Scenario,
    property: Property,
    run: &Run,
    producer: Producer,
) -> Result<Trace, RunError> {
    let states = run.states().ok_or(RunError::NotShown(property))?;
    // A step that shows W4 or W8 is explained by the state that lets it happen.
    let because = states.iter().rev().take(2).find_map(|state| run.protocol.explain(state, property));
    let claim = Claim {
        property,
        verdict: shown_verdict(property),
        because: because.unwrap_or_else(|| property.text().into()),
    };
    Trace::of_run(producer, Some(scenario.name.clone()), Some(claim), &run.protocol, &run.actions)
        .map_err(|_| RunError::NotShown(property))
}

//! A scenario checked: explored or sampled, and compared with what it expects.
//!
//! A run that shows something is the truth about it, however the search ended. That nothing shows it is said only
//! when every reachable state was seen: a search that hit a bound says `unknown`, a sample says `sampled`. A search of states of
//! certificates for any number of rounds says a third thing: that nothing shows it with at most so many idle blocks.

use super::{
    bfs::{Limits, Progress, explore},
    engines::{Explicit, Looked, Searched, certificates, explicit},
    run::{Run, RunError},
    simulate::{MOST_STEPS, Sample, shortened, simulate},
};
use crate::{
    committed::name_of,
    expand::shows,
    properties::{Facts, Property},
    scenario::{Answer, Engine, Expectation, Scenario, Verdict},
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
    /// S: every state of certificates was seen, for any number of rounds and subrounds and at most so many idle blocks, and none
    /// violates it. That more idle blocks change nothing is argued and tested, not proved.
    HoldsAnyRounds,
    /// S, L: a run violates it.
    Violated,
    /// W: a run shows it.
    Reachable,
    /// W: every reachable state was seen, and none shows it.
    Unreachable,
    /// W: as [`Found::HoldsAnyRounds`], and none shows it.
    UnreachableAnyRounds,
    /// No random run shows it, which proves nothing.
    Sampled,
    /// A bound was hit before the answer was known.
    Unknown,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Found::Holds => "holds",
            Found::HoldsAnyRounds => "holds for any rounds",
            Found::Violated => "violated",
            Found::Reachable => "reachable",
            Found::Unreachable => "unreachable",
            Found::UnreachableAnyRounds => "unreachable for any rounds",
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

impl Found {
    /// Whether it is a verdict of all states for any number of rounds and subrounds.
    pub fn is_of_any_rounds(self) -> bool {
        match self {
            Found::HoldsAnyRounds | Found::UnreachableAnyRounds => true,
            Found::Holds
            | Found::Violated
            | Found::Reachable
            | Found::Unreachable
            | Found::Sampled
            | Found::Unknown => false,
        }
    }

    /// The word for a verdict in a style sheet, and where it stands alone: no more than that it holds.
    pub fn word(self) -> &'static str {
        match self {
            Found::Holds | Found::HoldsAnyRounds => "holds",
            Found::Violated => "violated",
            Found::Reachable => "reachable",
            Found::Unreachable | Found::UnreachableAnyRounds => "unreachable",
            Found::Sampled => "sampled",
            Found::Unknown => "unknown",
        }
    }

    /// The verdict that this is, if it is one; what the scenario is about says how far it goes.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Found::Holds | Found::HoldsAnyRounds => Some(Verdict::Holds),
            Found::Violated => Some(Verdict::Violated),
            Found::Reachable => Some(Verdict::Reachable),
            Found::Unreachable | Found::UnreachableAnyRounds => Some(Verdict::Unreachable),
            Found::Sampled | Found::Unknown => None,
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
    /// The engine that answered, and why the other one did not.
    pub answer: Answer,
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
    /// Of a verdict of all states of certificates: the situations that the same search reached.
    pub beside: Vec<Beside>,
    /// The run that shows it.
    pub trace: Option<Trace>,
    /// Why there is none, though something was found.
    pub fault: Option<RunError>,
}

/// A situation that a search of certificates reached, and the steps of the run that shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beside {
    /// Which.
    pub property: Property,
    /// How many steps of the specification; or why it has no run, so that nothing is believed.
    pub steps: Result<usize, RunError>,
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
    pub(super) fn new(unique: u64, waiting: u64, growth: f64) -> Self {
        let more = waiting as f64 * growth / (1.0 - growth);
        Rest { waiting, estimate: (growth < Self::ENDLESS).then(|| unique + more as u64) }
    }
}

/// A scenario checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Which.
    pub scenario: Scenario,
    /// Each search, with its engine.
    pub searches: Vec<Searched>,
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

    /// Unique states of all searches.
    pub fn unique(&self) -> u64 {
        self.searches.iter().map(|searched| searched.unique).sum()
    }

    /// States generated by all searches, with repetitions.
    pub fn generated(&self) -> u64 {
        self.searches.iter().map(|searched| searched.generated).sum()
    }

    /// The search of single steps; the one of certificates where that is the only one.
    pub fn main(&self) -> Searched {
        let nothing = Searched {
            engine: Engine::Explicit,
            method: Method::AllFound,
            unique: 0,
            generated: 0,
            depth: 0,
            peak_bytes: 0,
            rest: None,
            seconds: 0.0,
        };
        self.searches.first().copied().unwrap_or(nothing)
    }

    /// How the exploration itself stands: the pinned number of states, or every state, may be asked for as well.
    pub fn exploration(&self) -> Standing {
        let asked = self.scenario.states.is_some() || self.scenario.exhaustive;
        let Searched { method, unique, .. } = self.main();
        match (method, self.scenario.states) {
            (Method::Exhausted, Some(states)) if states != unique => Standing::Differs,
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

/// Whether the whole instance must be explored by that engine, not only until all is found that is expected to be.
fn is_exhaustive(scenario: &Scenario, engine: Engine) -> bool {
    let of_all_states = |v| matches!(v, Verdict::Holds | Verdict::Unreachable);
    let of_engine = |property| scenario.answer(property).by == engine;
    scenario.exhaustive
        || scenario.states.is_some()
        || scenario.expect.iter().any(|e| of_all_states(e.verdict) && of_engine(e.property))
}

/// Checks `scenario`.
pub fn check(scenario: &Scenario, options: Options<'_>) -> Checked {
    check_by(scenario, options, &on_threads(options))
}

/// The explicit search on the threads of this process.
fn on_threads<'o>(options: Options<'o>) -> Box<Explicit<'o>> {
    Box::new(move |protocol, asked, enough| {
        explore(protocol, asked, enough, options.limits, options.progress, &|_| {})
    })
}

/// As [`check`], with another explicit search.
pub fn check_by(scenario: &Scenario, options: Options<'_>, by: &Explicit<'_>) -> Checked {
    let asked: Facts = scenario.asked();
    match scenario.simulate {
        Some(runs) => sample(scenario, asked, Sample { seed: 0, runs, steps: MOST_STEPS }, options),
        None => {
            let expected = |engine| -> Facts {
                let of_engine = |property: &Property| scenario.answer(*property).by == engine;
                scenario.expect.iter().map(|e| e.property).filter(of_engine).collect()
            };
            let enough = |engine| (!is_exhaustive(scenario, engine)).then(|| expected(engine));
            searched(scenario, asked, &enough, options, by)
        }
    }
}

/// Explores `scenario` for what it expects, up to `enough`.
pub fn exhaust(scenario: &Scenario, asked: Facts, enough: Facts, options: Options<'_>) -> Checked {
    let of_engine = |engine| enough.iter().filter(|p| scenario.answer(*p).by == engine).collect();
    searched(scenario, asked, &|engine| Some(of_engine(engine)), options, &on_threads(options))
}

/// Explores `scenario` for what it expects of `asked`, each property by the engine that answers for it, up to `enough`.
fn searched(
    scenario: &Scenario,
    asked: Facts,
    enough: &dyn Fn(Engine) -> Option<Facts>,
    options: Options<'_>,
    by: &Explicit<'_>,
) -> Checked {
    let start = Instant::now();
    let asked_of = |engine| -> Facts {
        let of_engine = |e: &&Expectation| scenario.answer(e.property).by == engine;
        let expected = scenario.expect.iter().filter(of_engine).map(|e| e.property);
        let premises = expected.flat_map(|p| std::iter::once(p).chain(scenario.premises_of(p)));
        premises.filter(|p| asked.has(*p)).collect()
    };
    let mut looked = Vec::new();
    if scenario.is_answered_by(Engine::Explicit) {
        let engine = Engine::Explicit;
        looked.push(explicit(scenario, asked_of(engine), enough(engine), options, by));
    }
    if let (true, Ok(seen)) = (scenario.is_answered_by(Engine::Certificates), scenario.seen()) {
        let engine = Engine::Certificates;
        looked.push(certificates(scenario, seen, asked_of(engine), enough(engine), options));
    }
    let findings = judge(scenario, &looked);
    let searches = looked.iter().map(|looked| looked.searched).collect();
    let scenario = scenario.clone();
    Checked { scenario, searches, seconds: start.elapsed().as_secs_f64(), findings }
}

/// Samples `scenario` for what it expects.
pub fn sample(scenario: &Scenario, asked: Facts, sample: Sample, options: Options<'_>) -> Checked {
    let start = Instant::now();
    // Random runs are of single steps, whichever engine the scenario names.
    let scenario = &Scenario { simulate: Some(sample.runs), ..scenario.clone() };
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
    let reached = found.keys().copied().collect();
    let shown = move |property| {
        let (seed, actions) = found.get(&property)?;
        let producer = produced_by(again(*seed), Some(*seed));
        Some((producer, shortened(protocol, actions.clone(), property)))
    };
    let searched = Searched {
        engine: Engine::Explicit,
        method,
        unique: sampled.states,
        generated: sampled.states,
        depth: sampled.longest as u32,
        peak_bytes: 0,
        rest: None,
        seconds: start.elapsed().as_secs_f64(),
    };
    let findings =
        judge(scenario, &[Looked { searched, reached, shown: Box::new(shown), beside: Vec::new() }]);
    let (scenario, searches) = (scenario.clone(), vec![searched]);
    Checked { scenario, searches, seconds: start.elapsed().as_secs_f64(), findings }
}

/// The run that shows a property, and what made it.
pub(super) type Shown = (Producer, Result<Run, RunError>);

pub(super) fn produced_by(command: String, seed: Option<u64>) -> Producer {
    Producer { tool: concat!("zus ", env!("CARGO_PKG_VERSION")).into(), command: Some(command), seed }
}

/// Of each expectation what the search found that answers for it; that of its engine, or the only one.
fn judge(scenario: &Scenario, looked: &[Looked<'_>]) -> Vec<Finding> {
    let finding = |e: &Expectation| {
        let answer = scenario.answer(e.property);
        let of = looked.iter().find(|looked| looked.searched.engine == answer.by)?;
        let (method, endless) = (of.searched.method, of.is_endless(scenario));
        let run = (of.shown)(e.property);
        let found = match (&run, method, e.property.is_witness()) {
            (Some(_), ..) => shown_verdict(e.property).into(),
            (None, Method::Exhausted, true) if endless => Found::UnreachableAnyRounds,
            (None, Method::Exhausted, false) if endless => Found::HoldsAnyRounds,
            (None, Method::Exhausted, true) => Found::Unreachable,
            (None, Method::Exhausted, false) => Found::Holds,
            (None, Method::Sampled { .. }, _) => Found::Sampled,
            // `AllFound` has found all that is asked.
            (None, Method::AllFound | Method::StateLimit | Method::MemoryLimit, _) => Found::Unknown,
        };
        let of_all_states = matches!(e.verdict, Verdict::Holds | Verdict::Unreachable);
        let standing = if found.verdict() == Some(e.verdict) {
            Standing::AsExpected
        } else if found == Found::Sampled && of_all_states {
            Standing::Sampled
        } else if matches!(found, Found::Sampled | Found::Unknown) {
            Standing::Incomplete
        } else {
            Standing::Differs
        };
        // A run is a run, whatever else is reachable; that there is none says something only where its premise is.
        let of_all = match found {
            Found::Violated | Found::Reachable | Found::Unknown => false,
            Found::Holds | Found::HoldsAnyRounds | Found::Unreachable | Found::UnreachableAnyRounds => true,
            Found::Sampled => true,
        };
        let absent: Vec<Property> = if of_all {
            scenario.premises_of(e.property).filter(|&p| !of.reached.has(p)).collect()
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
        let beside = if of_all { of.beside.clone() } else { Vec::new() };
        let mut finding = Finding {
            property: e.property,
            answer,
            expected: e.verdict,
            line: e.line,
            found,
            standing,
            vacuous,
            trace: None,
            fault: beside.iter().find_map(|beside| beside.steps.err()),
            beside,
        };
        if finding.fault.is_some() {
            finding.standing = Standing::Differs;
        }
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
        Some(finding)
    };
    scenario.expect.iter().filter_map(finding).collect()
}

/// The trace of a run that shows `property`, in the packed model and in the specification, which executes it once more.
pub fn trace_of(
    scenario: &Scenario,
    property: Property,
    run: &Run,
    producer: Producer,
) -> Result<Trace, RunError> {
    let states = run.states().ok_or(RunError::NotShown(property))?;
    match shows(&run.protocol, &run.actions, property) {
        Ok(true) => {}
        Ok(false) => return Err(RunError::NotSpecified(property)),
        Err((step, _)) => return Err(RunError::Refused { step, steps: run.actions.len(), property }),
    }
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

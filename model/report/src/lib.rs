//! The result of a check, as data: one schema, from which every other form is made.
//!
//! It is for tools that show results of the checker ([`zus_checker`]), or that read those of an earlier run.
//!
//! ```
//! use zus_checker::{scenario, search::{bfs::Limits, check::{Options, check}}};
//! use zus_report::{ScenarioReport, text};
//!
//! # let toml = "question = \"?\"\nprofile = \"hardened\"\nn = 4\nbyzantine = 1\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\"]]\n[expect]\nS2 = \"holds\"\nfinal = \"reachable\"\n";
//! let scenario = scenario::parse("mine", "mine.toml", toml)?;
//! let checked = check(&scenario, Options { limits: Limits::default(), command: "zus", progress: &|_| {} });
//! let report = ScenarioReport::new(&checked);
//! println!("{}", text::line(&report));                                  // for a terminal
//! let data = serde_json::to_string(&report).expect("it is plain data");  // for a program
//! let again: ScenarioReport = serde_json::from_str(&data).expect("a report is read as it was written");
//! assert_eq!(again.unique, report.unique);
//! # Ok::<(), scenario::ScenarioError>(())
//! ```
//!
//! `json` is this schema itself; [`text`], [`markdown`], [`junit`], [`sarif`], [`summary`] and [`page`] are made from it.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod draw;
pub mod itf;
pub mod junit;
pub mod markdown;
pub mod mermaid;
pub mod mutants;
pub mod page;
pub mod property;
pub mod sarif;
pub mod schema;
pub mod summary;
pub mod text;
mod verdict;

use crate::{
    draw::{
        scene::{Event, Kind, Scene},
        staging::{self, Lanes},
    },
    mutants::MutantResult,
};
pub use verdict::BesideReport;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zus_checker::{
    committed::name_of,
    properties::Property,
    scenario::{Engine, Verdict},
    search::{
        check::{Checked, Found, Method, Rest, Standing},
        engines::Searched,
    },
    trace::Trace,
};
use zus_output::plain::{self, quoted_path};

/// The name of the format.
pub const FORMAT: &str = "zus-report";
/// Its version.
pub const VERSION: u32 = 1;

/// The findings of one call of `zus check`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The tool and its version.
    pub tool: String,
    /// The command that makes the report again.
    pub command: String,
    /// The scenarios, in the order in which they were checked.
    pub scenarios: Vec<ScenarioReport>,
    /// The mutants, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutants: Vec<MutantResult>,
    /// All together.
    pub summary: Summary,
    /// The differences from an earlier report, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<baseline::Comparison>,
    /// Why nothing was checked: the input could not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Why nothing was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// The error, with the fix.
    pub message: String,
    /// In which file, if in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// In which line of it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// All scenarios and mutants together.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// How it stands: the worst of all.
    pub standing: Standing,
    /// Properties and mutants that are as expected.
    pub as_expected: usize,
    /// Properties that no random run speaks against, in scenarios that ask for random runs only.
    pub sampled: usize,
    /// Properties, pinned numbers and mutants that are not.
    pub differ: usize,
    /// Properties and mutants without an answer, because a bound was hit.
    pub incomplete: usize,
    /// Unique states of what was explored.
    pub unique: u64,
    /// States generated, with repetitions, random runs included.
    pub generated: u64,
    /// Seconds.
    pub seconds: f64,
    /// Most memory of the process at a time, in bytes; 0 where the system does not say.
    pub peak_memory: u64,
}

/// The findings on one scenario.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// The question that it answers.
    pub question: String,
    /// The profile it starts from.
    pub profile: String,
    /// Members, those that may be and those that are Byzantine, restarts.
    pub faults: Faults,
    /// Rounds, subrounds; where any number of both is asked for (`idle_blocks`), those of the instance that stands for all.
    pub size: (u8, u8),
    /// Any number of rounds and subrounds is asked for, with at most so many idle blocks of each flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_blocks: Option<u8>,
    /// The engine of `method`, `unique`, `generated`, `depth`, `rest` and `peak_bytes`: the explicit search, or certificates where
    /// they answer for every property.
    #[serde(default)]
    pub engine: Engine,
    /// Each search by itself, where certificates answer for a property.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<Searched>,
    /// The network.
    pub network: zus_checker::protocol::Network,
    /// How it was explored.
    pub method: Method,
    /// Which runs were explored step by step; none said of random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// Unique states (states visited, for a sample).
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// Longest distance from the start.
    pub depth: u32,
    /// The number of unique states that the scenario pins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<u64>,
    /// Seconds.
    pub seconds: f64,
    /// Most bytes of table, queue and buffers at a time.
    pub peak_bytes: u64,
    /// How the exploration itself stands, where every state or an exact number of them is asked for.
    pub exploration: Standing,
    /// The worst of its properties and of the exploration.
    pub standing: Standing,
    /// Where a bound was hit: what is left, as far as one can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    /// The next best command, where a bound was hit that left something open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Notes for the reader of the file, though nothing is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Property by property.
    pub properties: Vec<PropertyReport>,
}

/// The runs that a search explored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "explored")]
pub enum Runs {
    /// Sorted runs, which reach every state of a run here.
    Sorted,
    /// All of them.
    All {
        /// Why sorted ones are not enough here.
        because: String,
    },
}

impl Runs {
    fn of(checked: &Checked) -> Option<Runs> {
        let main = checked.main();
        match (main.method, main.engine, checked.scenario.protocol.unsorted()) {
            (Method::Sampled { .. }, ..) | (_, Engine::Certificates, _) => None,
            (_, Engine::Explicit, None) => Some(Runs::Sorted),
            (_, Engine::Explicit, Some(because)) => Some(Runs::All { because: because.into() }),
        }
    }
}

/// The members that may be faulty, and those that are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Faults {
    /// Members.
    pub n: u32,
    /// Byzantine members tolerated.
    pub f: u32,
    /// Members that are Byzantine.
    pub byzantine: u32,
    /// Crashes of honest miners, at most.
    pub restarts: u32,
}

/// The finding on one property.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PropertyReport {
    /// Which.
    #[schemars(with = "property::PropertySchema")]
    pub property: Property,
    /// Its sentence.
    pub text: String,
    /// The expected verdict.
    pub expected: Verdict,
    /// The verdict that was found.
    pub found: Found,
    /// How the two compare.
    pub standing: Standing,
    /// The engine that answered.
    #[serde(default)]
    pub engine: Engine,
    /// Why the other engine did not.
    #[serde(default)]
    pub not_other_engine: String,
    /// Of a verdict for any number of rounds and subrounds: idle blocks of each flag at most. It is not called exact: that more of
    /// them change nothing is argued and tested, not proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_blocks: Option<u8>,
    /// Of a verdict of all states of certificates: the situations that the same search reached, without which it would say nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<BesideReport>,
    /// Why the verdict says nothing: its premise is not reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacuous: Option<String>,
    /// Line of the scenario file where it is expected.
    pub line: usize,
    /// The shortest run that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReport>,
    /// A fault of the checker itself: it has no run for what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Where in a folder of output the trace of a run is. The name of a scenario is that of its file, and may have anything in it.
pub fn trace_file(of: &str, property: &str) -> String {
    let of = of.replace(|c| plain::is_hidden(c) || matches!(c, '/' | '\\'), "_");
    format!("traces/{of}-{property}.json")
}

/// A run, to be read and drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    /// Its point, in one sentence.
    pub because: String,
    /// The trace file, if it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The command that shows the run again: from its trace file, if that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// The participants, in the order in which they are drawn.
    pub participants: Vec<String>,
    /// How many of them are drawn before the lane of what has been sent; all of them where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<usize>,
    /// The steps.
    pub steps: Vec<StepReport>,
}

/// A step, to be read and drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepReport {
    /// The step in words.
    pub says: String,
    /// The participants that act: indices of [`RunReport::participants`]; none if the network does.
    pub who: Vec<usize>,
    /// The direction of the step between them and the network.
    pub kind: StepKind,
    /// The message or the deed, in a few words.
    pub label: String,
}

/// The kind of a step, as an observer of the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A message leaves.
    Sends,
    /// A message arrives and is acted upon.
    Receives,
    /// Nothing is seen from outside.
    Does,
    /// The network changes.
    Network,
}

impl ScenarioReport {
    /// The report of what was checked.
    pub fn new(checked: &Checked) -> Self {
        Self::with_fingerprints(checked, 64)
    }

    /// The report of what was checked by a search whose fingerprints have so many bits.
    pub fn with_fingerprints(checked: &Checked, bits: u32) -> Self {
        let scenario = &checked.scenario;
        let protocol = &scenario.protocol;
        let main = checked.main();
        let idle_blocks = scenario.choice.idle();
        let certified = scenario.is_answered_by(Engine::Certificates);
        let properties = checked
            .findings
            .iter()
            .map(|finding| PropertyReport {
                engine: finding.answer.by,
                not_other_engine: finding.answer.not_other.into(),
                idle_blocks: finding.found.is_of_any_rounds().then_some(idle_blocks).flatten(),
                beside: finding
                    .beside
                    .iter()
                    .filter_map(|b| Some(BesideReport { property: b.property, steps: b.steps.ok()? }))
                    .collect(),
                property: finding.property,
                text: finding.property.text().into(),
                expected: finding.expected,
                found: finding.found,
                standing: finding.standing,
                vacuous: finding.vacuous.clone(),
                line: finding.line,
                run: finding.trace.as_ref().map(|trace| {
                    let again = match (trace.producer.seed, &trace.producer.command) {
                        (Some(_), Some(command)) => command.clone(),
                        _ => {
                            let file = format!("out/{}", trace_file(&scenario.name, finding.property.id()));
                            let named = quoted_path(name_of(scenario));
                            format!("zus check {named} --out out; zus replay {}", quoted_path(&file))
                        }
                    };
                    RunReport { again: Some(again), ..RunReport::new(trace) }
                }),
                fault: finding.fault.map(|fault| fault.to_string()),
            })
            .collect();
        ScenarioReport {
            name: checked.scenario.name.clone(),
            path: checked.scenario.path.clone(),
            question: checked.scenario.question.clone(),
            profile: checked.scenario.profile.clone(),
            faults: Faults {
                n: protocol.committee.n,
                f: protocol.committee.f,
                byzantine: protocol.committee.byzantine,
                restarts: protocol.crashes,
            },
            size: (protocol.blocks.rounds, protocol.blocks.subrounds),
            network: protocol.network,
            idle_blocks,
            engine: main.engine,
            searches: if certified { checked.searches.clone() } else { Vec::new() },
            method: main.method,
            runs: Runs::of(checked),
            unique: main.unique,
            generated: main.generated,
            depth: main.depth,
            pinned: checked.scenario.states,
            seconds: checked.seconds,
            peak_bytes: main.peak_bytes,
            exploration: checked.exploration(),
            standing: checked.standing(),
            rest: main.rest,
            next: verdict::next(checked),
            notes: verdict::notes(checked, bits),
            properties,
        }
    }
}

impl RunReport {
    /// The run of a trace.
    pub fn new(trace: &Trace) -> Self {
        RunReport::drawn(trace, staging::stage(trace).ok().as_ref())
    }

    /// The run of a trace, as it is drawn; a step that is not drawn, because it is no step of the model, has its sentence.
    pub fn drawn(trace: &Trace, scene: Option<&Scene>) -> Self {
        let lanes = Lanes(&trace.protocol);
        let events = scene.map_or(&[][..], |scene| &scene.events);
        let steps = trace.steps.iter().enumerate().map(|(at, step)| {
            let kind = mermaid::passes(&trace.protocol, &step.action);
            let of_step = || events.iter().filter(|event| event.step == at + 1);
            let Some(main) = of_step().find(|event| !event.implied) else {
                let says = step.says.clone().unwrap_or_default();
                let who = lanes.participant(lanes.of(&step.action)).into_iter().collect();
                return StepReport { label: says.clone(), says, who, kind };
            };
            // Miners that time out together do so in one step.
            let together = main.kind == Kind::Timeout && !main.byzantine;
            let acts =
                |event: &&Event| !event.implied || together && event.kind == main.kind && !event.byzantine;
            StepReport {
                says: step.says.clone().unwrap_or_else(|| main.says.clone()),
                who: of_step().filter(acts).filter_map(|event| lanes.participant(event.lane)).collect(),
                kind,
                label: main.label.clone(),
            }
        });
        let steps: Vec<StepReport> = steps.collect();
        let drawn = scene.map_or(0, |scene| scene.lanes.len() - 1);
        let acting = steps.iter().flat_map(|step| &step.who).map(|who| who + 1).max().unwrap_or(0);
        RunReport {
            because: trace.claim.as_ref().map_or_else(String::new, |claim| claim.because.clone()),
            trace: None,
            again: None,
            participants: (0..drawn.max(acting)).map(|who| trace.protocol.participant(who)).collect(),
            sent: Some(lanes.network()),
            steps,
        }
    }
}

impl Report {
    /// A report of nothing yet, of the command that makes it.
    pub fn new(command: String) -> Self {
        Report {
            format: FORMAT.into(),
            version: VERSION,
            tool: concat!("zus ", env!("CARGO_PKG_VERSION")).into(),
            command,
            scenarios: Vec::new(),
            mutants: Vec::new(),
            summary: Summary::default(),
            compared: None,
            error: None,
        }
    }

    /// A report that says only why nothing was checked.
    pub fn failed(command: String, error: ErrorReport) -> Self {
        let mut report = Report { error: Some(error), ..Report::new(command) };
        report.summarize(0.0, 0);
        report
    }

    /// All together, once everything has been checked.
    pub fn summarize(&mut self, seconds: f64, peak_memory: u64) {
        let mut summary = Summary { seconds, peak_memory, ..Summary::default() };
        let mut count = |standing: Standing| {
            match standing {
                Standing::AsExpected => summary.as_expected += 1,
                Standing::Sampled => summary.sampled += 1,
                Standing::Incomplete => summary.incomplete += 1,
                Standing::Differs => summary.differ += 1,
            }
            summary.standing = summary.standing.max(standing);
        };
        for scenario in &self.scenarios {
            scenario.properties.iter().for_each(|p| count(p.standing));
            if scenario.exploration != Standing::AsExpected {
                count(scenario.exploration);
            }
        }
        self.mutants.iter().for_each(|m| count(m.standing));
        if self.error.is_some() || self.compared.as_ref().is_some_and(|compared| compared.fails()) {
            count(Standing::Differs);
        }
        let explored = |s: &&ScenarioReport| !matches!(s.method, Method::Sampled { .. });
        let all = |s: &ScenarioReport, of: fn(&Searched) -> u64, one: u64| match s.searches.as_slice() {
            [] => one,
            searches => searches.iter().map(of).sum(),
        };
        summary.unique = self
            .scenarios
            .iter()
            .filter(explored)
            .map(|s| all(s, |search| search.unique, s.unique))
            .sum::<u64>()
            + self.mutants.iter().map(|m| m.unique).sum::<u64>();
        summary.generated =
            self.scenarios.iter().map(|s| all(s, |search| search.generated, s.generated)).sum::<u64>()
                + self.mutants.iter().map(|m| m.generated).sum::<u64>();
        self.summary = summary;
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        zus_output::plain::json(&serde_json::to_string_pretty(self).unwrap_or_default()).into_owned() + "\n"
    }
}

//! The trace format of the project: one run of the model, as JSON, that replays without any other file.
//!
//! The checker writes traces of violations and witnesses, the simulator, the fuzzer and the proofs' tool write theirs
//! in the same form, and everything that shows or replays a run reads it.
//!
//! ```json
//! {
//!   "format": "zus-trace",
//!   "version": 1,
//!   "producer": { "tool": "zus 0.1.0", "command": "zus check late_better_rank" },
//!   "scenario": "late_better_rank",
//!   "claim": { "property": "S2", "verdict": "violated", "because": "S2: B(1,0)#0 and B(1,0)#1 are both ..." },
//!   "instance": {
//!     "n": 4, "f": 1, "byzantine": 0, "quorum": 3, "beacon_threshold": 2, "honest": [1, 1, 1, 1],
//!     "rounds": 1, "subrounds": 1,
//!     "blocks": [{ "name": "B(1,0)#0", "round": 1, "subround": 0, "rank": 0, "twin": 0, "generator": "honest" }],
//!     "network": "async", "restarts": 0, "observers": 0, "reserved_rounds": 0, "reserved_subrounds": 0,
//!     "rules": { "beacon": "RoundOnly", "ticket": "BetterRank" },
//!     "reductions": { "byzantine_available": true, "eager": true }
//!   },
//!   "steps": [
//!     { "do": "ticket", "miner": 0, "block": "B(1,0)#1", "parent": "genesis", "says": "miner 0 tickets ..." }
//!   ]
//! }
//! ```
//!
//! - `format`, `version`: read first; another version is refused with a message, never guessed at.
//! - `producer`: which tool wrote it, and the command that makes it again, with its seed if it has one.
//! - `scenario`: the name of the scenario it came from, if it came from one; for people, nothing depends on it.
//! - `claim`: what the run shows: a property, `violated` or `reachable`, and why, in one sentence. A run that shows
//!   nothing in particular has none.
//! - `instance`: everything that decides which steps may happen (the crate's [`Protocol`], field by field). `honest`
//!   has one entry for each honest miner: the members that it stands for. `blocks` are the places of blocks, in order.
//!   `rules` has all rules; those that no profile chooses may be missing.
//! - `steps`: the actions of [`Action`] in their serde form, except that blocks are named (`sentence.rs`), so that a
//!   trace can be read, and does not depend on how blocks are numbered. `says` is for people and is not checked.
//!
//! [`Trace::replay`] executes the steps one by one. A step that may not happen is named with the guard that is false;
//! after the last one the claim must be a fact.

use crate::{
    action::{Action, Blocked},
    blocks::{Blocks, Generator, Place},
    committee::{Committee, MAX_COMMITTEE, MAX_HONEST, quorum, tolerated},
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    reductions::Reductions,
    rules::Rules,
    scenario::Verdict,
    sentence::{block_name, block_named},
    state::State,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// The name of the format.
pub const FORMAT: &str = "zus-trace";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Steps that a trace may have.
pub const MAX_STEPS: usize = 100_000;
/// Bytes that a trace file may have.
pub const MAX_BYTES: u64 = 64 << 20;
/// Restarts that the state can count.
const MAX_RESTARTS: u32 = 15;
/// Byzantine members whose messages the state can name, where they are explicit.
const MAX_EXPLICIT_BYZANTINE: u32 = 3;

/// Who wrote a trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// The tool and its version.
    pub tool: String,
    /// The command that makes the trace again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The seed of a random run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// What a trace shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Of which property.
    pub property: Property,
    /// `violated` or `reachable`.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub because: String,
}

/// Where a block stands, by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPlace {
    /// Its name (`sentence.rs`).
    pub name: String,
    /// Its round, from 1.
    pub round: u8,
    /// Its subround, from 0.
    pub subround: u8,
    /// The rank of its generator; 0 is the best.
    pub rank: u8,
    /// 0, or 1 for the second block of the same generator in the same subround.
    pub twin: u8,
    /// Who generates it.
    pub generator: Generator,
}

/// The instance of the protocol that a trace is a run of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Members of the committee.
    pub n: u32,
    /// Byzantine members that it tolerates.
    pub f: u32,
    /// Members that are Byzantine.
    pub byzantine: u32,
    /// Size of a certificate.
    pub quorum: u32,
    /// Shares that determine a beacon value.
    pub beacon_threshold: u32,
    /// Members that each honest miner stands for (1, unless they act in groups).
    pub honest: Vec<u32>,
    /// Rounds, from 1.
    pub rounds: u8,
    /// Subrounds of a round, from 0.
    pub subrounds: u8,
    /// The blocks that can exist, in order of (round, subround, rank, twin).
    pub blocks: Vec<NamedPlace>,
    /// What the network does.
    pub network: Network,
    /// Crashes of honest miners, at most.
    pub restarts: u32,
    /// Observers with a head of their own.
    pub observers: usize,
    /// Rounds at the end that only a synchronous network reaches.
    pub reserved_rounds: u8,
    /// Subrounds at the end of a round that only a synchronous network reaches.
    pub reserved_subrounds: u8,
    /// A choice for every open question.
    pub rules: Rules,
    /// Which steps are merged, and which messages are always there.
    pub reductions: Reductions,
}

impl From<&Protocol> for Instance {
    fn from(protocol: &Protocol) -> Self {
        let Protocol { committee, blocks, .. } = protocol;
        let named = |b| {
            let Place { round, subround, rank, twin, generator, .. } = *blocks.place(b);
            NamedPlace { name: block_name(blocks, b), round, subround, rank, twin, generator }
        };
        Instance {
            n: committee.n,
            f: committee.f,
            byzantine: committee.byzantine,
            quorum: committee.quorum,
            beacon_threshold: committee.beacon_threshold,
            honest: committee.weights.clone(),
            rounds: blocks.rounds,
            subrounds: blocks.subrounds,
            blocks: blocks.all().map(named).collect(),
            network: protocol.network,
            restarts: protocol.crashes,
            observers: protocol.observers,
            reserved_rounds: protocol.reserved_rounds,
            reserved_subrounds: protocol.reserved_subrounds,
            rules: protocol.rules,
            reductions: protocol.reductions,
        }
    }
}

/// Why an [`Instance`] is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("instance.{field}: {message}")]
pub struct BadInstance {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl TryFrom<&Instance> for Protocol {
    type Error = BadInstance;

    fn try_from(given: &Instance) -> Result<Self, BadInstance> {
        let require = |fine: bool, field: &'static str, message: &dyn Fn() -> String| {
            if fine { Ok(()) } else { Err(BadInstance { field, message: message() }) }
        };
        require((1..=MAX_COMMITTEE).contains(&given.n), "n", &|| {
            format!("{} members; 1 to {MAX_COMMITTEE} can be counted", given.n)
        })?;
        require(given.f == tolerated(given.n), "f", &|| {
            format!("{}, but n = {} tolerates {}", given.f, given.n, tolerated(given.n))
        })?;
        let q = quorum(given.rules.quorum, given.n);
        require(given.quorum == q, "quorum", &|| format!("{}, but the rule gives {q}", given.quorum))?;
        // No weight is above MAX_COMMITTEE where all together are not, so the sum of seven cannot overflow.
        let weights_fit = given.honest.len() <= MAX_HONEST
            && given.honest.iter().all(|w| (1..=MAX_COMMITTEE).contains(w))
            && given.byzantine <= MAX_COMMITTEE
            && given.honest.iter().sum::<u32>() + given.byzantine == given.n;
        require(weights_fit && !given.honest.is_empty(), "honest", &|| {
            format!(
                "1 to {MAX_HONEST} miners that stand for {} - {} members are needed, not {:?}",
                given.n, given.byzantine, given.honest
            )
        })?;
        let synchronous = !matches!(given.network, Network::Async | Network::Lossy);
        let merged = given.reductions.eager && given.reductions.byzantine_available;
        require(!synchronous || merged, "reductions", &|| {
            "a synchronous network is defined with `eager` and `byzantine_available` only".into()
        })?;
        let named = given.reductions.byzantine_available || given.byzantine <= MAX_EXPLICIT_BYZANTINE;
        require(named, "byzantine", &|| {
            format!("explicit Byzantine messages have room for {MAX_EXPLICIT_BYZANTINE} Byzantine miners")
        })?;
        require(given.restarts <= MAX_RESTARTS, "restarts", &|| format!("more than {MAX_RESTARTS}"))?;
        require(given.observers <= 2, "observers", &|| "more than 2".into())?;
        let places: Vec<Place> = given.blocks.iter().map(NamedPlace::place).collect();
        let blocks = Blocks::from_places(given.rounds, given.subrounds, &places)
            .map_err(|error| BadInstance { field: "blocks", message: error.to_string() })?;
        for (block, place) in blocks.all().zip(&given.blocks) {
            let name = block_name(&blocks, block);
            require(name == place.name, "blocks", &|| {
                format!("the block in the place of {name} is called {}", place.name)
            })?;
        }
        require(given.reserved_rounds < given.rounds, "reserved_rounds", &|| "all rounds".into())?;
        require(given.reserved_subrounds < given.subrounds, "reserved_subrounds", &|| {
            "all subrounds".into()
        })?;
        Ok(Protocol {
            committee: Committee {
                n: given.n,
                f: given.f,
                byzantine: given.byzantine,
                quorum: given.quorum,
                beacon_threshold: given.beacon_threshold,
                weights: given.honest.clone(),
            },
            rules: given.rules,
            blocks,
            crashes: given.restarts,
            network: given.network,
            observers: given.observers,
            reserved_rounds: given.reserved_rounds,
            reserved_subrounds: given.reserved_subrounds,
            reductions: given.reductions,
        })
    }
}

impl NamedPlace {
    fn place(&self) -> Place {
        let NamedPlace { round, subround, rank, twin, generator, .. } = *self;
        Place { round, subround, rank, twin, generator, local: 0 }
    }
}

/// One step of a trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// The same in words.
    pub says: Option<String>,
}

/// A run of the model that can be stored, shown and replayed.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Who wrote it.
    pub producer: Producer,
    /// The scenario it came from.
    pub scenario: Option<String>,
    /// What it shows.
    pub claim: Option<Claim>,
    /// What it is a run of.
    pub protocol: Protocol,
    /// The steps, from the initial state.
    pub steps: Vec<Step>,
}

/// Why a text is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}\n  fix: name a trace file, as `zus check` writes them")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than any trace.
    #[error("{path}: larger than {MAX_BYTES} bytes\n  fix: name a trace file, as `zus check` writes them")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// The text is no JSON, or has a field that the format does not know, or lacks one.
    #[error("{path}:{line}: {message}\n  fix: the format is described in model/src/trace.rs")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It says that it is something else.
    #[error(
        "{path}: format: {found:?}, version {version}: this is no trace that is read here\n  fix: use a file with format \"{FORMAT}\", version {VERSION}"
    )]
    Format {
        /// The file.
        path: String,
        /// The format it names.
        found: String,
        /// The version it names.
        version: u32,
    },
    /// Its instance is none.
    #[error("{path}: {source}\n  fix: write the instance as `zus check` does")]
    Instance {
        /// The file.
        path: String,
        /// Why.
        source: BadInstance,
    },
    /// A step is no action.
    #[error("{path}: step {step}: {message}\n  fix: the actions are those of model/src/action/mod.rs")]
    Step {
        /// The file.
        path: String,
        /// Which, from 1.
        step: usize,
        /// What is wrong.
        message: String,
    },
}

/// Why a trace is not a run of the model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// A step may not happen.
    #[error("step {step} may not happen: {deed}: {guard}\n  action: {action}")]
    Blocked {
        /// Which, from 1.
        step: usize,
        /// The action in words.
        deed: String,
        /// The guard that is false.
        guard: Blocked,
        /// The action as the trace has it.
        action: String,
    },
    /// All steps may happen, and the claimed property does not show.
    #[error("after step {steps}: {} is claimed to be {verdict}, and the run does not show it", .property.id())]
    NotShown {
        /// How many there are.
        steps: usize,
        /// The property.
        property: Property,
        /// What is claimed of it.
        verdict: Verdict,
    },
}

/// A trace executed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The state before the first step and after each one.
    pub states: Vec<State>,
    /// One sentence for each step.
    pub sentences: Vec<String>,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    producer: Producer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
    instance: Instance,
    #[serde(default, skip_serializing)]
    steps: Vec<Map<String, Value>>,
}

/// The fields of actions that name blocks.
const BLOCK_FIELDS: [&str; 2] = ["block", "parent"];

impl Trace {
    /// The trace of a run, with a sentence for each step. `None` if it is no run of `protocol`.
    pub fn of_run(
        producer: Producer,
        scenario: Option<String>,
        claim: Option<Claim>,
        protocol: &Protocol,
        actions: &[Action],
    ) -> Result<Trace, ReplayError> {
        let steps = actions.iter().map(|&action| Step { action, says: None }).collect();
        let mut trace = Trace { producer, scenario, claim, protocol: protocol.clone(), steps };
        let replayed = trace.replay()?;
        for (step, sentence) in trace.steps.iter_mut().zip(replayed.sentences) {
            step.says = Some(sentence);
        }
        Ok(trace)
    }

    /// Executes the steps, and looks whether the claim is a fact.
    pub fn replay(&self) -> Result<Replayed, ReplayError> {
        let protocol = &self.protocol;
        let mut states = vec![protocol.initial()];
        let mut sentences = Vec::with_capacity(self.steps.len());
        for (index, Step { action, .. }) in self.steps.iter().enumerate() {
            let before = states[index];
            if let Err(guard) = protocol.enabled(&before, action) {
                return Err(ReplayError::Blocked {
                    step: index + 1,
                    deed: protocol.deed(&before, action, &before),
                    guard,
                    action: Value::Object(written(&protocol.blocks, action)).to_string(),
                });
            }
            let after = protocol.apply(&before, action);
            sentences.push(protocol.sentence(&before, action, &after));
            states.push(after);
        }
        if let Some(Claim { property, verdict, .. }) = self.claim {
            let actions: Vec<Action> = self.steps.iter().map(|s| s.action).collect();
            if !shows(protocol, &states, &actions, property) {
                return Err(ReplayError::NotShown { steps: self.steps.len(), property, verdict });
            }
        }
        Ok(Replayed { states, sentences })
    }

    /// As JSON: one line a step.
    pub fn to_json(&self) -> String {
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            producer: self.producer.clone(),
            scenario: self.scenario.clone(),
            claim: self.claim.clone(),
            instance: Instance::from(&self.protocol),
            steps: Vec::new(),
        };
        let head = serde_json::to_string_pretty(&file).unwrap_or_default();
        let head = head.strip_suffix("\n}").unwrap_or(&head);
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| {
                let mut object = written(&self.protocol.blocks, &step.action);
                if let Some(says) = &step.says {
                    object.insert("says".into(), says.as_str().into());
                }
                format!("\n    {}", Value::Object(object))
            })
            .collect();
        format!("{head},\n  \"steps\": [{}\n  ]\n}}\n", steps.join(","))
    }

    /// Reads a trace file.
    pub fn load(path: &Path) -> Result<Trace, TraceError> {
        let shown = path.display().to_string();
        let unreadable = |source| TraceError::Unreadable { path: shown.clone(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
            return Err(TraceError::TooLarge { path: shown });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Trace::from_json(&shown, &text)
    }

    /// Reads a trace from its text; `path` is for messages.
    pub fn from_json(path: &str, text: &str) -> Result<Trace, TraceError> {
        let syntax = |error: serde_json::Error| TraceError::Syntax {
            path: path.into(),
            line: error.line().max(1),
            message: error.to_string(),
        };
        let header: Header = serde_json::from_str(text).map_err(syntax)?;
        if header.format != FORMAT || header.version != VERSION {
            let Header { format: found, version } = header;
            return Err(TraceError::Format { path: path.into(), found, version });
        }
        let file: File = serde_json::from_str(text).map_err(syntax)?;
        let protocol = Protocol::try_from(&file.instance)
            .map_err(|source| TraceError::Instance { path: path.into(), source })?;
        let bad = |step: usize, message: String| TraceError::Step { path: path.into(), step, message };
        if file.steps.len() > MAX_STEPS {
            return Err(bad(MAX_STEPS + 1, format!("a trace has at most {MAX_STEPS} steps")));
        }
        if let Some(claim) = &file.claim
            && claim.verdict != shown_verdict(claim.property)
        {
            let message =
                format!("{} cannot be shown to be `{}` by a run", claim.property.id(), claim.verdict);
            return Err(TraceError::Instance {
                path: path.into(),
                source: BadInstance { field: "claim", message },
            });
        }
        let steps = file
            .steps
            .into_iter()
            .enumerate()
            .map(|(index, object)| read(&protocol.blocks, object).map_err(|message| bad(index + 1, message)))
            .collect::<Result<_, _>>()?;
        Ok(Trace { producer: file.producer, scenario: file.scenario, claim: file.claim, protocol, steps })
    }
}

/// What a run can show of a property.
pub const fn shown_verdict(property: Property) -> Verdict {
    if property.is_witness() { Verdict::Reachable } else { Verdict::Violated }
}

/// Whether a run shows `property`: in its last state, or, for W4 and W8, which are steps, by its last step.
pub fn shows(protocol: &Protocol, states: &[State], actions: &[Action], property: Property) -> bool {
    let Some(last) = states.last() else { return false };
    let asked: Facts = std::iter::once(property).collect();
    if protocol.facts(last, asked).has(property) {
        return true;
    }
    let (Some(&Action::Leave { miner, block }), Some(before)) =
        (actions.last(), states.len().checked_sub(2).map(|at| &states[at]))
    else {
        return false;
    };
    let (m, place) = (&before.miners[miner as usize], protocol.blocks.place(block));
    match property {
        Property::W4 => u32::from(place.round) == m.round() && u32::from(place.subround) != m.subround(),
        Property::W8 => u32::from(place.round) > m.round(),
        _ => false,
    }
}

/// An action as a step of a trace has it.
fn written(blocks: &Blocks, action: &Action) -> Map<String, Value> {
    let mut object = match serde_json::to_value(action) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    for field in BLOCK_FIELDS {
        if let Some(value) = object.get_mut(field)
            && let Some(number) = value.as_u64()
        {
            *value = block_name(blocks, crate::blocks::BlockId(number as u8)).into();
        }
    }
    object
}

/// The step that such an object stands for.
fn read(blocks: &Blocks, mut object: Map<String, Value>) -> Result<Step, String> {
    let says = match object.remove("says") {
        None => None,
        Some(Value::String(says)) => Some(says),
        Some(other) => return Err(format!("`says` is a sentence, not {other}")),
    };
    for field in BLOCK_FIELDS {
        if let Some(value) = object.get_mut(field) {
            let block = value
                .as_str()
                .and_then(|name| block_named(blocks, name))
                .ok_or_else(|| format!("`{field}`: the instance has no block {value}"))?;
            *value = block.0.into();
        }
    }
    let action = serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
    Ok(Step { action, says })
}

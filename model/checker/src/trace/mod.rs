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
//!     "n": 4, "f": 1, "byzantine": 0, "quorum": 3, "beacon_threshold": 3, "honest": [1, 1, 1, 1],
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
//! - `finding`: where production code made the run, what it did wrong after the steps ([`CodeFault`]). It is shown as what the file
//!   says: no replay can check it.
//! - `producer`: which tool wrote it, and the command that makes it again, with its seed if it has one. Tool and command are
//!   shown as what the file says, and nobody checks them.
//! - `scenario`: the name of the scenario it came from, if it came from one: the title of drawings. Nothing depends on it, and
//!   nobody checks it.
//! - `claim`: what the run shows: a property, `violated` or `reachable`, which is checked. A run that shows nothing in particular
//!   has none. `because` says why in one sentence; it is for readers of the file, is not checked, and is never shown.
//! - `instance`: everything that decides which steps may happen (the crate's [`Protocol`], field by field). `honest`
//!   has one entry for each honest miner: the members that it stands for. `blocks` are the places of blocks, in order.
//!   `rules` has all rules; those that no profile chooses may be missing.
//!   It is judged as the instance of a scenario is (`crate::settings`): what cannot matter in any run of it is refused; what
//!   this run makes no use of may be there. But it has an answer to every question, so no rule is refused as idle; and in an
//!   asynchronous network a subround may be without a block, which only leaves out runs.
//!   `exposed` is the number of honest members whose key share the adversary has: 0 where it is missing.
//! - `steps`: the actions of [`Action`] in their serde form, except that blocks are named (`sentence.rs`), so that a
//!   trace can be read, and does not depend on how blocks are numbered. `says` is for readers of the file, is not checked, and
//!   is never shown.
//!
//! [`Trace::replay`] executes the steps one by one. A step that may not happen is named with the guard that is false;
//! after the last one the claim must be a fact. The texts for readers are computed from the run ([`Trace::told`]).
//!
//! This form names a run within the bounds of the packed model, which explores, draws and replays it. A run of any length has a
//! form of its own ([`long`]), which the specification follows line by line.

mod error;
mod instance;
mod locate;
pub mod long;
mod object;

pub use error::{ReplayError, TraceError};
pub use instance::{BadInstance, Instance, NamedPlace};
pub use object::Object;

use crate::{
    action::Action,
    blocks::{Blocks, block_name, block_named},
    properties::{Facts, Property},
    protocol::Protocol,
    scenario::Verdict,
    state::State,
};
use locate::Way::{Item, Key};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;
use zus_output::bounded;

/// The name of the format.
pub const FORMAT: &str = "zus-trace";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Steps that a trace may have.
pub const MAX_STEPS: usize = 100_000;
/// Bytes that a trace file may have.
pub const MAX_BYTES: u64 = 64 << 20;

/// The producer of a trace.
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

/// The claim of a trace.
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

/// One step of a trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The action.
    pub action: Action,
    /// The same in words.
    pub says: Option<String>,
}

/// A run of the model that can be stored, shown and replayed.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The producer.
    pub producer: Producer,
    /// The scenario it came from.
    pub scenario: Option<String>,
    /// The claim.
    pub claim: Option<Claim>,
    /// The fault of production code at its end, where production code made it.
    pub finding: Option<CodeFault>,
    /// The instance.
    pub protocol: Protocol,
    /// The steps, from the initial state.
    pub steps: Vec<Step>,
}

/// A trace executed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The state before the first step and after each one.
    pub states: Vec<State>,
    /// One sentence for each step.
    pub sentences: Vec<String>,
}

/// The fault of production code after the steps of a trace. The model may be unable to show it: then the trace has no
/// claim. Where the model forbids a step of production, that step is the trace's last one, and a replay refuses it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeFault {
    /// The kind in a word or two: a property's id, `disabled`, `differs`, `liveness`, `panic`.
    pub kind: String,
    /// The facts, in a sentence.
    pub because: String,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u64,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finding: Option<CodeFault>,
    instance: Instance,
    #[serde(default, skip_serializing)]
    steps: Vec<Object>,
}

/// The fields of actions that name blocks.
const BLOCK_FIELDS: [&str; 2] = ["block", "parent"];

impl Trace {
    /// The trace of a run, with a sentence for each step.
    pub fn of_run(
        producer: Producer,
        scenario: Option<String>,
        claim: Option<Claim>,
        protocol: &Protocol,
        actions: &[Action],
    ) -> Result<Trace, ReplayError> {
        let steps = actions.iter().map(|&action| Step { action, says: None }).collect();
        let mut trace = Trace { producer, scenario, claim, finding: None, protocol: protocol.clone(), steps };
        let replayed = trace.replay()?;
        for (step, sentence) in trace.steps.iter_mut().zip(replayed.sentences) {
            step.says = Some(sentence);
        }
        Ok(trace)
    }

    /// The trace without its last step, if that is what production did and the model forbids.
    #[must_use]
    pub fn without_fault(&self) -> Option<Trace> {
        let last = self.steps.len();
        let refused = || matches!(self.replay(), Err(ReplayError::Blocked { step, .. }) if step == last);
        (self.finding.is_some() && refused()).then(|| {
            let mut legal = self.clone();
            legal.steps.pop();
            legal
        })
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
                    deed: protocol.deed(&before, action),
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

    /// The trace in the words of this version, if it is a run and shows its claim. The texts in a file are unchecked, so the
    /// texts of steps and claim are computed from the run. A last step that production took and the model forbids is
    /// described by its effect.
    pub fn told(&self) -> Result<Trace, ReplayError> {
        let mut told = self.without_fault().unwrap_or_else(|| self.clone());
        let replayed = told.replay()?;
        if let Some(claim) = &mut told.claim {
            // A step that shows W4 or W8 is explained by the state that lets it happen.
            let ends = replayed.states.iter().rev().take(2);
            let because = ends.into_iter().find_map(|state| told.protocol.explain(state, claim.property));
            claim.because = because.unwrap_or_else(|| claim.property.text().into());
        }
        for (step, sentence) in told.steps.iter_mut().zip(replayed.sentences) {
            step.says = Some(sentence);
        }
        let last = replayed.states.last();
        for &Step { action, .. } in &self.steps[told.steps.len()..] {
            let deed = last.map(|state| told.protocol.deed(state, &action));
            let says = deed.map(|deed| format!("production does, and may not: {deed}"));
            told.steps.push(Step { action, says });
        }
        Ok(told)
    }

    /// As JSON: one line a step.
    pub fn to_json(&self) -> String {
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            producer: self.producer.clone(),
            scenario: self.scenario.clone(),
            claim: self.claim.clone(),
            finding: self.finding.clone(),
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
        let file = format!("{head},\n  \"steps\": [{}\n  ]\n}}\n", steps.join(","));
        zus_output::plain::json(&file).into_owned()
    }

    /// An action as a step of this trace's instance.
    pub fn step_json(&self, action: &Action) -> Value {
        Value::Object(written(&self.protocol.blocks, action))
    }

    /// The step of this trace's instance that such an object stands for.
    pub fn step_of(&self, object: Map<String, Value>) -> Result<Step, String> {
        read(&self.protocol.blocks, object)
    }

    /// Reads a trace file.
    pub fn load(path: &Path) -> Result<Trace, TraceError> {
        Trace::from_json(&zus_output::plain::path(path), &text(path)?)
    }

    /// Reads a trace from its text; `path` is for messages.
    pub fn from_json(path: &str, text: &str) -> Result<Trace, TraceError> {
        let syntax = |error: serde_json::Error| TraceError::Syntax {
            path: path.into(),
            line: error.line().max(1),
            message: error.to_string(),
        };
        long::refuse(path, text)?;
        let header: Header = serde_json::from_str(text).map_err(syntax)?;
        let line = |way: &[locate::Way<'_>]| locate::line_of(text, way);
        if header.format != FORMAT || header.version != u64::from(VERSION) {
            let Header { format: found, version } = header;
            let wrong = if found == FORMAT { "version" } else { "format" };
            return Err(TraceError::Format { path: path.into(), line: line(&[Key(wrong)]), found, version });
        }
        let file: File = serde_json::from_str(text).map_err(syntax)?;
        let protocol =
            Protocol::try_from(&file.instance).map_err(|source| TraceError::instance(path, text, source))?;
        let bad = |step: usize, message: String| TraceError::Step {
            path: path.into(),
            line: line(&[Key("steps"), Item(step - 1)]),
            step,
            message,
        };
        if file.steps.len() > MAX_STEPS {
            return Err(bad(MAX_STEPS + 1, format!("a trace has at most {MAX_STEPS} steps")));
        }
        if let Some(Claim { property, verdict, .. }) = file.claim
            && verdict != shown_verdict(property)
        {
            let line = line(&[Key("claim"), Key("verdict")]);
            return Err(TraceError::Claim { path: path.into(), line, property, verdict });
        }
        let steps = file
            .steps
            .into_iter()
            .enumerate()
            .map(|(index, object)| {
                read(&protocol.blocks, object.0).map_err(|message| bad(index + 1, message))
            })
            .collect::<Result<_, _>>()?;
        let File { producer, scenario, claim, finding, .. } = file;
        Ok(Trace { producer, scenario, claim, finding, protocol, steps })
    }
}

/// The text of a trace file.
pub fn text(path: &Path) -> Result<String, TraceError> {
    let unreadable = |source| TraceError::Unreadable { path: zus_output::plain::path(path), source };
    bounded::read(path, MAX_BYTES).map_err(unreadable)
}

/// The verdict that a run can show of a property.
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
    let keys: Vec<String> = object.keys().cloned().collect();
    let action = serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
    // serde ignores all keys beside the name of an action that has no fields.
    let known = written(blocks, &action);
    match keys.iter().find(|key| !known.contains_key(key.as_str())) {
        Some(key) => Err(format!("unknown field `{key}`")),
        None => Ok(Step { action, says }),
    }
}

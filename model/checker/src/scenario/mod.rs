//! Scenario files: which instance of the protocol is explored, and what is expected of it.
//!
//! A scenario is a TOML file; its comments say what question it answers. `load` turns it into a [`Scenario`] or says
//! what is wrong, with file, line, field and the fix. The expected verdicts are data: `zus check` fails when reality
//! differs in either direction.

mod effect;
mod engine;
mod expecting;
mod generators;
mod overrides;
mod reading;

pub(crate) use effect::idle;
pub use engine::{Answer, Choice, Engine, Named, Unsupported};
pub(crate) use expecting::unasked;
pub use overrides::{Change, Overrides, Question};

use crate::{
    properties::{Facts, Property},
    protocol::Protocol,
};
use reading::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{ops::Range, path::Path};
use zus_output::bounded::{self, Unread};

/// Bytes that a scenario file may have.
pub const MAX_BYTES: u64 = 1 << 20;

/// The verdict on a property, expected or found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// S, L: in no reachable state is it violated; every reachable state was seen.
    Holds,
    /// S, L: a run violates it.
    Violated,
    /// W: a run shows it.
    Reachable,
    /// W: no run shows it; every reachable state was seen.
    Unreachable,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Reachable => "reachable",
            Verdict::Unreachable => "unreachable",
        })
    }
}

/// One expectation of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// Of which property.
    pub property: Property,
    /// Which verdict.
    pub verdict: Verdict,
    /// Line of the file where it stands, from 1.
    pub line: usize,
}

/// A scenario, ready to be explored.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's name without the ending.
    pub name: String,
    /// The file as it was named, for messages.
    pub path: String,
    /// The question that it answers, one line.
    pub question: String,
    /// The profile it starts from.
    pub profile: String,
    /// The instance that is explored.
    pub protocol: Protocol,
    /// The engine that answers, where it can.
    pub choice: Choice,
    /// The expected verdicts, in the order of the properties.
    pub expect: Vec<Expectation>,
    /// The exact number of unique states, if pinned.
    pub states: Option<u64>,
    /// Whether it explores everything even when all that is expected to be found has been found.
    pub exhaustive: bool,
    /// How many random runs stand in for an exhaustive exploration, if it is too large for one.
    pub simulate: Option<u64>,
    /// Notes for the reader of a file that has no errors, each with its line.
    pub notes: Vec<String>,
    /// Settings that are written and could be left out.
    pub optional: Vec<Optional>,
}

/// A setting that is written and could be left out.
#[derive(Clone, Debug)]
pub struct Optional {
    /// The field.
    pub field: &'static str,
    /// Line of the file where it stands, from 1.
    pub line: usize,
    /// The instance without it.
    pub without: Protocol,
}

/// The situations that must come about for a verdict on any number of rounds and subrounds.
const BEYOND: [Property; 3] = [Property::Child, Property::W1, Property::W2];

impl Scenario {
    /// The properties that a search looks for: the expected ones, and the premises of those that are to hold.
    pub fn asked(&self) -> Facts {
        self.expect
            .iter()
            .flat_map(|e| std::iter::once(e.property).chain(self.premises_of(e.property)))
            .collect()
    }

    /// The premises of `property`: unless they are reachable, a verdict on it is vacuous. Where miners may
    /// restart, a restart is one of them. Where rounds and subrounds have no end, there is more than the first of each.
    pub fn premises_of(&self, property: Property) -> impl Iterator<Item = Property> + use<> {
        let is_premise = Property::PREMISES.contains(&property);
        let restarts = self.protocol.crashes > 0 && !is_premise;
        let beyond = if self.choice.idle().is_some() && !is_premise { &BEYOND[..] } else { &[] };
        let own = property.premises().iter().copied().chain(restarts.then_some(Property::Restarted));
        own.chain(beyond.iter().copied().filter(move |premise| *premise != property))
    }

    /// Whether the scenario says by name that it is without that premise.
    pub fn is_without(&self, premise: Property) -> bool {
        self.expect.iter().any(|e| e.property == premise && e.verdict == Verdict::Unreachable)
    }
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{path}: {source}\n  fix: {}", scenario_file(source, *near))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: Unread,
        /// The name of a committed scenario that may have been meant.
        near: Option<&'static str>,
    },
    /// The file is no TOML, has an unknown field, lacks one, or has a value of the wrong kind.
    #[error("{path}:{line}: {field}: {message}\n  fix: {fix}")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The field, as far as one can be told.
        field: String,
        /// The error.
        message: String,
        /// The fix.
        fix: String,
    },
    /// The values are well-formed and make no scenario.
    #[error("{path}:{line}: {field}: {message}\n  fix: {fix}")]
    Invalid {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// The error.
        message: String,
        /// The fix.
        fix: String,
    },
}

impl ScenarioError {
    /// The file, and the line in it, if there is one.
    pub fn place(&self) -> (&str, Option<usize>) {
        match self {
            ScenarioError::Unreadable { path, .. } => (path, None),
            ScenarioError::Syntax { path, line, .. } | ScenarioError::Invalid { path, line, .. } => {
                (path, Some(*line))
            }
        }
    }
}

/// The fix for a scenario file that cannot be read.
fn scenario_file(source: &Unread, near: Option<&str>) -> String {
    let near = near.filter(|_| source.is_missing());
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? Or "));
    near + &source.fix("a scenario file (the committed ones are in model/scenarios)")
}

/// Reads and checks a scenario file.
pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
    let shown = path.to_string_lossy().into_owned();
    let unreadable = |source| ScenarioError::Unreadable { path: shown.clone(), source, near: None };
    let text = bounded::read(path, MAX_BYTES).map_err(unreadable)?;
    let name = path.file_stem().map_or_else(|| shown.clone(), |s| s.to_string_lossy().into_owned());
    parse(&name, &shown, &text)
}

/// Checks the text of a scenario file; `path` is for messages.
pub fn parse(name: &str, path: &str, text: &str) -> Result<Scenario, ScenarioError> {
    parse_with(name, path, text, &Change::default())
}

/// Checks the text of a scenario file read otherwise than it is written: a mutant of the scenario.
pub fn parse_with(name: &str, path: &str, text: &str, change: &Change) -> Result<Scenario, ScenarioError> {
    let file = toml::from_str(text).map_err(|error| syntax(path, text, &error))?;
    Reading { path, text, change }.scenario(name, file)
}

/// The error that toml and serde found, with the line, the field and the fix.
pub(crate) fn syntax(path: &str, text: &str, error: &toml::de::Error) -> ScenarioError {
    let at = error.span().unwrap_or(0..0);
    let message = error.message().trim().replace('\n', ", ");
    let (message, fix) = match message.split_once(", expected one of ").or(message.split_once(", expected "))
    {
        Some((message, "`=`")) => (message.to_owned(), "write a value: KEY = VALUE; or remove it".to_owned()),
        Some((message, known)) if known.starts_with('`') => {
            let near = message
                .split('`')
                .nth(1)
                .and_then(|wrong| nearest(wrong, known.split('`').skip(1).step_by(2)));
            let meant = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
            (format!("{message}{meant}"), format!("use one of {known}"))
        }
        _ if message.starts_with("missing field") => {
            (message, "add it; model/SCENARIOS.md describes all fields".into())
        }
        _ => (message, "correct the value; model/SCENARIOS.md describes all fields".into()),
    };
    // Where a field is missing there is none to name, and the span is that of the whole table.
    let field = if message.starts_with("missing field") { None } else { field_at(text, at.start) };
    let field = field.unwrap_or_else(|| "scenario".into());
    let shaped =
        field.ends_with("finality") || field.ends_with("rules") && message.contains("CommonAncestor");
    let shape =
        if shaped { "; a rule with fields is written { CommonAncestor = { depth = 3 } }" } else { "" };
    let fix = fix + shape;
    ScenarioError::Syntax { path: path.into(), line: line_of(text, &at), field, message, fix }
}

/// Of `known` the word that is most like `wrong`, if one is.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// A longer name is no misspelt name, and takes long to compare.
    const LONGEST: usize = 64;
    if wrong.len() > LONGEST {
        return None;
    }
    let likeness = |word: &str| strsim::jaro_winkler(&wrong.to_lowercase(), &word.to_lowercase());
    let scored = known.map(|word| (likeness(word), word)).filter(|(likeness, _)| *likeness > 0.8);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

/// The key that stands at that byte of a TOML text, or whose value does, with its table.
fn field_at(text: &str, at: usize) -> Option<String> {
    let end = text[..at.min(text.len())].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[end..].lines().next().unwrap_or_default();
    let mut table = String::new();
    let mut key = None;
    for line in text[..end].lines().chain([line]) {
        if let Some(header) = line.trim().strip_prefix('[') {
            table = header.trim_matches(['[', ']', ' ']).to_owned() + ".";
            key = None;
        } else if let Some((name, "=")) = key_of(line) {
            key = Some(name);
        }
    }
    // Without a value it is no line of what stands above.
    let key = key_of(line).filter(|(_, after)| after.is_empty()).map(|(name, _)| name).or(key);
    key.map(|key| table + key)
}

/// The key at the start of a line, bare or quoted, and `=` if it goes on with that, or nothing if it ends there.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, after) = match line.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
        Some(quote) => line[1..].split_once(quote)?,
        None => {
            let bare = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            line.split_at(line.find(|c| !bare(c)).unwrap_or(line.len()))
        }
    };
    let after = after.trim_start();
    let after = if after.starts_with('#') { "" } else { after.get(..1).unwrap_or_default() };
    (!name.is_empty() && matches!(after, "" | "=")).then_some((name, after))
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.as_bytes()[..span.start.min(text.len())].iter().filter(|&&b| b == b'\n').count()
}

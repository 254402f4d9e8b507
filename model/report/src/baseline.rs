//! The differences from an earlier report: verdicts, lengths of shortest runs, numbers of states, mutants. Not
//! seconds.

use super::{PropertyReport, Report, ScenarioReport};
use crate::mutants::MutantResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A report beside an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The command that made the earlier one.
    pub against: String,
    /// The differences, all of them.
    pub changes: Vec<Change>,
    /// Whether nothing may differ.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Of which scenario or mutant.
    pub of: String,
    /// The kind of the difference.
    pub what: String,
    /// As it was; empty where there was nothing.
    pub before: String,
    /// As it is; empty where there is nothing any more.
    pub after: String,
}

/// Compares `now` with `earlier`. A check that only one of them has is a difference as well, so that a check that
/// disappears is noticed.
pub fn compare(earlier: &Report, now: &Report) -> Comparison {
    let mut changes = Vec::new();
    let mut note = |of: &str, what: &str, before: String, after: String| {
        if before != after {
            changes.push(Change { of: of.into(), what: what.into(), before, after });
        }
    };
    // Two files in different folders may have one name; then they are told apart by their paths.
    let twice = |name: &str| {
        let of = |report: &Report| report.scenarios.iter().filter(|s| s.name == name).count() > 1;
        of(earlier) || of(now)
    };
    let label = |s: &ScenarioReport| if twice(&s.name) { s.path.clone() } else { s.name.clone() };
    let names = |report: &Report| report.scenarios.iter().map(label).collect::<Vec<_>>();
    let named = |report: &'_ Report, name: &str| report.scenarios.iter().position(|s| label(s) == name);
    for name in union(names(earlier), names(now)) {
        let (old, new) = (named(earlier, &name), named(now, &name));
        let (old, new) = (old.map(|at| &earlier.scenarios[at]), new.map(|at| &now.scenarios[at]));
        let ids = |s: Option<&ScenarioReport>| -> Vec<_> {
            s.map_or(Vec::new(), |s| s.properties.iter().map(|p| p.property).collect())
        };
        for property in union(ids(old), ids(new)) {
            let of = |s: Option<&ScenarioReport>| {
                s.and_then(|s| s.properties.iter().find(|p| p.property == property))
                    .map_or(String::new(), verdict)
            };
            note(&name, property.id(), of(old), of(new));
        }
        let states = |s: Option<&ScenarioReport>| s.map_or(String::new(), |s| s.unique.to_string());
        note(&name, "unique states", states(old), states(new));
    }
    let ids = |report: &Report| report.mutants.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    for id in union(ids(earlier), ids(now)) {
        let of = |report: &Report| {
            report.mutants.iter().find(|m| m.id == id).map_or(String::new(), |m: &MutantResult| {
                let steps = m.run.as_ref().map_or(String::new(), |run| format!(" in {}", run.steps.len()));
                format!("{} {}{steps}", m.property.id(), m.found)
            })
        };
        note(&format!("mutant {id}"), "killed by", of(earlier), of(now));
    }
    Comparison { against: earlier.command.clone(), changes, required: false }
}

fn verdict(p: &PropertyReport) -> String {
    if let Some(why) = &p.vacuous {
        return format!("{}, but {why}", p.found);
    }
    match &p.run {
        Some(run) => format!("{} in {} steps", p.found, run.steps.len()),
        None => p.found.to_string(),
    }
}

/// The first ones, and those of the others that are not among them.
fn union<T: PartialEq>(mut first: Vec<T>, others: Vec<T>) -> Vec<T> {
    for other in others {
        if !first.contains(&other) {
            first.push(other);
        }
    }
    first
}

impl Change {
    /// As a sentence.
    pub fn sentence(&self) -> String {
        format!("{}, {}: it was {}, and is {}", self.of, self.what, shown(&self.before), shown(&self.after))
    }
}

impl Comparison {
    /// Whether something differs that may not.
    pub fn fails(&self) -> bool {
        self.required && !self.changes.is_empty()
    }

    /// As lines for a terminal.
    pub fn text(&self) -> String {
        let mark = if self.fails() { "  DIFFERS" } else { "" };
        let head = format!("beside {}: {} differences{mark}", self.against, self.changes.len());
        let rows = self.changes.iter().map(|c| {
            let (before, after) = (shown(&c.before), shown(&c.after));
            format!("  {}  {}: {before} -> {after}", c.of, c.what)
        });
        std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
    }
}

/// The value as it is shown: `(none)` for an empty one.
pub(super) fn shown(value: &str) -> &str {
    if value.is_empty() { "(none)" } else { value }
}

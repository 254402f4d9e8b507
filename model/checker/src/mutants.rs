//! Rule changes that must be caught: `model/mutants.toml`, one row of `PROTOCOL.md`, section 7 each.
//!
//! A mutant is a scenario under one changed rule. It is *killed* when the changed rule breaks the property that it is
//! said to break. That the property breaks for this reason and no other is shown by the same scenario without the
//! change: there everything is as the scenario expects, and the property holds.
//!
//! The scenarios are those of `model/scenarios/mutants`.
//!
//! ```toml
//! [[mutant]]
//! id = "35"
//! name = "the equal-rank twin of an equivocating generator is ticketed too"
//! evidence = "#697, #698, #702"
//! scenario = "one_round"
//! property = "S2"
//! rules = { ticket = "BetterOrEqualRank" }
//! ```
//!
//! A mistake that is no rule stands as `fault = "QuorumOneLess"` in the place of `rules`.

use crate::{
    committed,
    fault::Fault,
    properties::{Facts, Property},
    scenario::{
        Change, Expectation, Overrides, Question, Scenario, ScenarioError, Verdict, idle, syntax, unasked,
    },
    search::check::{Checked, Found, Options, Standing, check, exhaust},
    settings::idle_fault,
    trace::Trace,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Where the scenarios of mutants are, below `model/scenarios`.
const FOLDER: &str = "mutants";

/// A rule change, and what it breaks.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its number in `PROTOCOL.md`, section 7.
    pub id: String,
    /// The rule change.
    pub name: String,
    /// Where it happened.
    pub evidence: String,
    /// The property that breaks.
    pub property: Property,
    /// The scenario without the change.
    pub baseline: Scenario,
    /// The scenario with it.
    pub mutated: Scenario,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    mutant: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Spanned<String>,
    name: String,
    evidence: String,
    scenario: Spanned<String>,
    property: Spanned<Property>,
    #[serde(default)]
    rules: Option<Spanned<Overrides>>,
    #[serde(default)]
    fault: Option<Spanned<Fault>>,
}

/// The outcome of checking a mutant.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The finding for the property under the changed rule.
    pub found: Found,
    /// The finding for it without the change.
    pub baseline: Found,
    /// Other properties that break under the changed rule, as far as was looked.
    pub others: Vec<Property>,
    /// Killed (`AsExpected`), or not.
    pub standing: Standing,
    /// Why it is not killed.
    pub why: Option<String>,
    /// Unique states under the changed rule.
    pub unique: u64,
    /// States generated under the changed rule, with repetitions.
    pub generated: u64,
    /// Seconds under the changed rule.
    pub seconds: f64,
    /// The shortest run that kills it.
    pub trace: Option<Trace>,
}

/// The committed mutants.
pub fn committed_mutants() -> Result<Vec<Mutant>, ScenarioError> {
    let (path, text) = committed::mutants();
    parse(&path, text)
}

/// Checks the text of a list of mutants; `path` is for messages.
pub fn parse(path: &str, text: &str) -> Result<Vec<Mutant>, ScenarioError> {
    let line = |at: usize| 1 + text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count();
    let file: File = toml::from_str(text).map_err(|error| syntax(path, text, &error))?;
    if file.mutant.is_empty() {
        return Err(ScenarioError::Invalid {
            path: path.into(),
            line: 1,
            field: "mutant",
            message: "there is no mutant, so nothing would be checked".into(),
            fix: "add a [[mutant]]".into(),
        });
    }
    let mut mutants: Vec<Mutant> = Vec::new();
    for row in file.mutant {
        let invalid = |at: usize, field, message: String, fix: &str| ScenarioError::Invalid {
            path: path.into(),
            line: line(at),
            field,
            message,
            fix: fix.into(),
        };
        let id = row.id.get_ref().clone();
        if mutants.iter().any(|m| m.id == id) {
            let message = format!("there are two mutants `{id}`");
            return Err(invalid(
                row.id.span().start,
                "id",
                message,
                "give each an id of its own, e.g. 4a, 4b",
            ));
        }
        let rules = row.rules.as_ref().map(|rules| rules.get_ref().clone()).unwrap_or_default();
        let fault = row.fault.as_ref().map(|fault| *fault.get_ref());
        let changed = [rules != Overrides::default(), fault.is_some()];
        if changed.iter().filter(|changed| **changed).count() != 1 {
            let (at, message) = match &row.rules {
                Some(rules) if fault.is_none() => {
                    (rules.span().start, format!("mutant `{id}` changes no rule"))
                }
                _ => (row.id.span().start, format!("mutant `{id}` needs either `rules` or `fault`")),
            };
            return Err(invalid(at, "rules", message, "override at least one rule, or name one fault"));
        }
        let property = *row.property.get_ref();
        if property.is_witness() {
            let message = format!("{} is a witness, and cannot break", property.id());
            return Err(invalid(row.property.span().start, "property", message, "name an S or L property"));
        }
        let named = row.scenario.get_ref();
        let with = |change: &Change| {
            committed::scenario(&format!("{FOLDER}/{named}"), change).ok_or_else(|| {
                let fix = "name a file in model/scenarios/mutants, without .toml";
                invalid(row.scenario.span().start, "scenario", format!("there is no scenario `{named}`"), fix)
            })?
        };
        let change = Change { rules, fault, lenient: true };
        let (baseline, mutated) = (with(&Change::default())?, with(&change)?);
        let at = row.property.span().start;
        if let Some((about, fix)) = unasked(property, &mutated.protocol) {
            let message = format!("{} is about {about}, which `{named}` does not have", property.id());
            return Err(invalid(at, "property", message, &fix));
        }
        let (rules, base) = (mutated.protocol.rules, baseline.protocol.rules);
        let asked: Facts = baseline.asked().iter().chain([property]).collect();
        if let Some(fault) = &row.fault
            && let Some((why, fix)) = idle_fault(*fault.get_ref(), &mutated.protocol, asked)
        {
            return Err(invalid(fault.span().start, "fault", format!("it changes nothing: {why}"), &fix));
        }
        for (question, span, without) in change.rules.written(rules, base) {
            let field = question.field();
            let same_layout = baseline.protocol.blocks.same_as(&mutated.protocol.blocks);
            let idle = if without == rules {
                Some((format!("it is that of `{named}` already"), "override it otherwise".to_owned()))
            } else if question == Question::SubroundCap && same_layout {
                Some(("the generators are the same without it".into(), "name another scenario".into()))
            } else {
                idle(question, &mutated.protocol, &without, asked)
            };
            if let Some((why, fix)) = idle {
                return Err(invalid(span.start, field, format!("it changes nothing: {why}"), &fix));
            }
        }
        let line = line(at);
        mutants.push(Mutant {
            id,
            name: row.name,
            evidence: row.evidence,
            property,
            baseline: expecting(baseline, property, Verdict::Holds, line),
            mutated: expecting(mutated, property, Verdict::Violated, line),
        });
    }
    Ok(mutants)
}

/// The scenario, with this expectation of `property` in the place of its own, if it has one.
fn expecting(mut scenario: Scenario, property: Property, verdict: Verdict, line: usize) -> Scenario {
    scenario.expect.retain(|e| e.property != property);
    scenario.expect.push(Expectation { property, verdict, line });
    scenario.expect.sort_by_key(|e| e.property);
    scenario
}

/// Runs mutants one after the other; baselines that several of them share are checked once.
#[derive(Default)]
pub struct Executioner {
    baselines: BTreeMap<(String, Property), (Found, Option<String>)>,
}

impl Executioner {
    /// Runs one mutant.
    pub fn run(&mut self, mutant: &Mutant, options: Options<'_>) -> Fate {
        let start = std::time::Instant::now();
        let checked = self.mutated(mutant, options);
        let seconds = start.elapsed().as_secs_f64();
        let (baseline, unfit) = self.baseline(mutant, options);
        let (unique, generated) = (checked.unique(), checked.generated());
        let Checked { findings, .. } = checked;
        let others: Vec<Property> = findings
            .iter()
            .filter(|f| f.found == Found::Violated && f.property != mutant.property)
            .map(|f| f.property)
            .collect();
        let finding = findings.into_iter().find(|f| f.property == mutant.property);
        let found = finding.as_ref().map_or(Found::Unknown, |f| f.found);
        let fault = finding.as_ref().and_then(|f| f.fault);
        let trace = finding.and_then(|f| f.trace);
        let (standing, why) = match (found, unfit) {
            (Found::Violated, None) if trace.is_some() => (Standing::AsExpected, None),
            (Found::Violated, None) => (
                Standing::Differs,
                fault.map(|f| f.to_string()).or(Some("there is no run that shows it".into())),
            ),
            (_, Some(why)) => {
                let open = matches!(baseline, Found::Unknown | Found::Sampled);
                (if open { Standing::Incomplete } else { Standing::Differs }, Some(why))
            }
            (Found::Unknown | Found::Sampled, None) => {
                (Standing::Incomplete, Some("a bound was hit before it was killed".into()))
            }
            (_, None) if others.is_empty() => (Standing::Differs, Some("it survives".into())),
            (_, None) => {
                let ids: Vec<&str> = others.iter().map(|p| p.id()).collect();
                (Standing::Differs, Some(format!("it breaks {} instead", ids.join(", "))))
            }
        };
        Fate { found, baseline, others, standing, why, unique, generated, seconds, trace }
    }

    /// The scenario under the changed rule, up to the level on which the property breaks.
    fn mutated(&self, mutant: &Mutant, options: Options<'_>) -> Checked {
        let scenario = &mutant.mutated;
        if scenario.simulate.is_some() {
            return check(scenario, options);
        }
        let asked: Facts = scenario.asked().iter().filter(|p| !p.is_witness()).collect();
        let enough: Facts = std::iter::once(mutant.property).collect();
        exhaust(scenario, asked, enough, options)
    }

    /// The finding for the property without the change, and the reason why it is no valid baseline, if there is
    /// one.
    fn baseline(&mut self, mutant: &Mutant, options: Options<'_>) -> (Found, Option<String>) {
        let key = (mutant.baseline.path.clone(), mutant.property);
        self.baselines
            .entry(key)
            .or_insert_with(|| {
                let checked = check(&mutant.baseline, options);
                let found = checked
                    .findings
                    .iter()
                    .find(|f| f.property == mutant.property)
                    .map_or(Found::Unknown, |f| f.found);
                let unfit = checked.findings.iter().find(|f| f.standing > Standing::Sampled).map(|f| {
                    let (id, found, expected) = (f.property.id(), f.found, f.expected);
                    match &f.vacuous {
                        Some(why) => format!("without the change {id} {found}, but {why}"),
                        None => format!("without the change {id} is {found}, and should be {expected}"),
                    }
                });
                (found, unfit)
            })
            .clone()
    }
}

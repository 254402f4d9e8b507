//! The effects of a change, as Markdown for a pull request: verdicts, numbers of states, new runs, conditions of
//! the proofs, mutants that survive, and numbers of other tools that moved. Unchanged items are counted, not shown.

pub mod proofs;

use super::{
    PropertyReport, Report, RunReport, ScenarioReport,
    baseline::{Change, compare, shown},
    markdown::{cell, section},
    page::figures::{Figures, Value, change, exact},
    text,
};
use proofs::{Outcome, Proofs};
use std::fmt::Write;
use zus_checker::search::check::Standing;

/// Bytes of a summary; a job's may have a mebibyte, and is lost as a whole where it has more.
pub const MOST_BYTES: usize = 1_000_000;
/// Rows of a table; what is more is counted.
const MOST_ROWS: usize = 200;
/// Characters of a counterexample of the proofs.
const MOST_SAID: usize = 4_000;

/// The inputs of a summary.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The reports of the change.
    pub after: Vec<Report>,
    /// Those of before; without any, only what is not as expected is said.
    pub before: Vec<Report>,
    /// The proofs of the change.
    pub proofs: Vec<Proofs>,
    /// Those of before.
    pub proofs_before: Vec<Proofs>,
    /// Figures of other tools.
    pub figures: Vec<Figures>,
    /// Those of before.
    pub figures_before: Vec<Figures>,
}

/// A summary in the making: the sections, what they say in a line each, and the runs, which come last.
#[derive(Default)]
struct Summary {
    lines: Vec<String>,
    sections: String,
    runs: Vec<String>,
}

/// Writes the summary.
pub fn write(inputs: &Inputs) -> String {
    let (before, after) = (merged(&inputs.before), merged(&inputs.after));
    let mut summary = Summary::default();
    if let (Some(before), Some(after)) = (&before, &after) {
        summary.compared(before, after);
    }
    if let Some(after) = &after {
        summary.unexpected(after, before.is_none());
        summary.survivors(after, &inputs.figures);
    }
    summary.proofs(&inputs.proofs_before, &inputs.proofs);
    summary.figures(&inputs.figures_before, &inputs.figures);
    zus_output::plain::text(&summary.finish(before.as_ref(), after.as_ref())).into_owned()
}

/// Several reports as one.
fn merged(reports: &[Report]) -> Option<Report> {
    let (first, others) = reports.split_first()?;
    let mut all = first.clone();
    for other in others {
        all.scenarios.extend(other.scenarios.iter().cloned());
        all.mutants.extend(other.mutants.iter().cloned());
    }
    Some(all)
}

/// `1 verdict`, `2 verdicts`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Summary {
    /// A section with a table; nothing where there is no row.
    fn table(&mut self, title: &str, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|&h| h.to_owned()).collect();
        let _ = write!(self.sections, "\n## {title}\n\n{}|{}\n", line(&head), "---|".repeat(head.len()));
        for row in rows.iter().take(MOST_ROWS) {
            let cells: Vec<String> = row.iter().map(|c| cell(&cut(c, 400))).collect();
            self.sections.push_str(&line(&cells));
        }
        if rows.len() > MOST_ROWS {
            let _ = writeln!(self.sections, "\nand {} more", rows.len() - MOST_ROWS);
        }
    }

    /// Verdicts, numbers of states, shortest runs.
    fn compared(&mut self, before: &Report, after: &Report) {
        let changes = compare(before, after).changes;
        let of_states = |c: &&Change| c.what == "unique states";
        let of_mutants = |c: &&Change| c.of.starts_with("mutant ");
        // A verdict is more than the length of its run.
        let word = |text: &str| text.split(" in ").next().unwrap_or_default().to_owned();
        let verdicts: Vec<&Change> = changes
            .iter()
            .filter(|c| !of_states(c) && !of_mutants(c) && word(&c.before) != word(&c.after))
            .collect();
        let rows: Vec<Vec<String>> = verdicts
            .iter()
            .map(|c| {
                let now = property(after, &c.of, &c.what);
                let expected =
                    now.map_or(String::new(), |(s, p)| format!("{} ({}:{})", p.expected, s.path, p.line));
                let mark = now.map_or("", |(_, p)| text::mark(p.standing));
                let before = shown(&c.before).to_owned();
                vec![
                    c.of.clone(),
                    c.what.clone(),
                    before,
                    format!("**{}**", shown(&c.after)),
                    expected,
                    mark.into(),
                ]
            })
            .collect();
        self.lines.push(match rows.len() {
            0 => "no verdict changed".into(),
            count => format!("**{} changed**", counted(count, "verdict")),
        });
        self.table("Verdicts changed", &["scenario", "property", "before", "now", "expected", ""], &rows);

        let rows: Vec<Vec<String>> = changes.iter().filter(of_states).map(states).collect();
        let same = after.scenarios.len().saturating_sub(rows.len());
        self.lines.push(format!("{} of states moved, {same} are the same", counted(rows.len(), "number")));
        self.table("Unique states", &["scenario", "before", "now", "change"], &rows);

        let rows: Vec<Vec<String>> = changes
            .iter()
            .filter(of_mutants)
            .map(|c| vec![c.of.clone(), shown(&c.before).into(), format!("**{}**", shown(&c.after))])
            .collect();
        self.table("Mutants changed", &["mutant", "before", "now"], &rows);

        let mut others = 0;
        let old = |name: &str, id: &str| property(before, name, id).and_then(|(_, p)| p.run.as_ref());
        for scenario in &after.scenarios {
            for p in &scenario.properties {
                let Some(run) = &p.run else { continue };
                let earlier = old(&scenario.name, p.property.id());
                if earlier.is_none_or(|earlier| words(earlier) != words(run)) {
                    if earlier.is_some_and(|earlier| earlier.steps.len() == run.steps.len()) {
                        others += 1;
                    }
                    self.runs.push(section(&scenario.name, p.property.id(), run));
                }
            }
        }
        // Another run of the same length is no shorter one: the search, or the words, took another of several.
        let new = self.runs.len() - others;
        if new > 0 {
            self.lines.push(format!("{}, drawn below", counted(new, "new run")));
        }
        if others > 0 {
            self.lines
                .push(format!("{} of the same length as before, drawn below", counted(others, "other run")));
        }
        if self.runs.is_empty() {
            self.lines.push("every run that is shown is the same".into());
        }
    }

    /// The verdicts that are not as the scenarios expect, independent of the baseline; with `runs`, with the
    /// runs that show them.
    fn unexpected(&mut self, after: &Report, runs: bool) {
        let mut rows = Vec::new();
        for s in &after.scenarios {
            for p in s.properties.iter().filter(|p| p.standing > Standing::Sampled) {
                let steps =
                    p.run.as_ref().map_or(String::new(), |run| format!(" in {} steps", run.steps.len()));
                rows.push(vec![
                    s.name.clone(),
                    p.property.id().into(),
                    p.expected.to_string(),
                    match &p.vacuous {
                        Some(why) => format!("**{}**{steps}, but {why}", p.found),
                        None => format!("**{}**{steps}", p.found),
                    },
                    format!("{}:{}", s.path, p.line),
                ]);
                if let (true, Some(run)) = (runs, &p.run) {
                    self.runs.push(section(&s.name, p.property.id(), run));
                }
            }
            if s.exploration > Standing::Sampled {
                let asked = s.pinned.map_or("every state".into(), text::grouped);
                rows.push(vec![
                    s.name.clone(),
                    "states".into(),
                    asked,
                    text::grouped(s.unique),
                    s.path.clone(),
                ]);
            }
        }
        self.lines.push(match rows.len() {
            0 => "everything is as the scenarios expect".into(),
            count => format!(
                "**{} not as expected**",
                if count == 1 { "1 is".into() } else { format!("{count} are") }
            ),
        });
        self.table("Not as expected", &["scenario", "property", "expected", "found", "where"], &rows);
    }

    /// Mutants of the model, and what other tools want noticed.
    fn survivors(&mut self, after: &Report, figures: &[Figures]) {
        let alive = after.mutants.iter().filter(|m| m.standing > Standing::Sampled);
        let mut rows: Vec<Vec<String>> = alive
            .map(|m| {
                let why = m.why.clone().unwrap_or_default();
                vec![
                    format!("{} {}", m.id, m.name),
                    m.property.id().into(),
                    why,
                    "zus check --mutants".into(),
                ]
            })
            .collect();
        if !after.mutants.is_empty() {
            self.lines.push(match rows.len() {
                0 => format!("all {} of the model are caught", counted(after.mutants.len(), "mutant")),
                count => format!("**{} of the model not caught**", counted(count, "mutant")),
            });
        }
        for f in figures {
            rows.extend(
                f.attention
                    .iter()
                    .map(|a| vec![a.clone(), String::new(), f.title.clone(), f.command.clone()]),
            );
        }
        self.table(
            "Mutants that survive, and what else to look at",
            &["what", "property", "why", "again"],
            &rows,
        );
    }

    /// Conditions that do not hold, and whether they did.
    fn proofs(&mut self, before: &[Proofs], after: &[Proofs]) {
        let (mut rows, mut broken, mut known) = (Vec::new(), 0, 0);
        let mut said = Vec::new();
        for proof in after {
            let old = before.iter().find(|b| b.rules == proof.rules);
            known += proof.conditions.len();
            for c in proof.conditions.iter().filter(|c| c.outcome != Outcome::Holds) {
                let earlier = old.and_then(|o| o.conditions.iter().find(|b| b.id == c.id));
                broken +=
                    usize::from(earlier.is_some_and(|e| e.outcome == Outcome::Holds) || earlier.is_none());
                rows.push(vec![
                    proof.rules.clone(),
                    c.id.clone(),
                    earlier.map_or("(not asked)".into(), |e| e.outcome.name().into()),
                    format!("**{}**", c.outcome.name()),
                    proof.command.clone(),
                ]);
                if !c.says.is_empty() {
                    said.push((c.id.clone(), c.says.clone()));
                }
            }
            if let Some(run) = &proof.run {
                said.push((format!("{}: a real run", proof.rules), run.clone()));
            }
            // A condition that the proofs no longer have is no longer proved either.
            for gone in old.into_iter().flat_map(|o| &o.conditions) {
                if !proof.conditions.iter().any(|c| c.id == gone.id) {
                    let now = "(not asked)".to_owned();
                    let was = gone.outcome.name().to_owned();
                    rows.push(vec![proof.rules.clone(), gone.id.clone(), was, now, proof.command.clone()]);
                }
            }
        }
        if !after.is_empty() {
            self.lines.push(match broken {
                0 if rows.is_empty() => format!("all {} hold", counted(known, "proof condition")),
                0 => "no other proof condition broke".into(),
                count => format!("**{} broke**", counted(count, "proof condition")),
            });
        }
        self.table("Proof conditions", &["rules", "condition", "before", "now", "again"], &rows);
        for (title, text) in said.iter().take(20) {
            let text = cut(&text.replace("```", "'''"), MOST_SAID);
            let _ = write!(
                self.sections,
                "\n<details><summary>{}</summary>\n\n```text\n{text}\n```\n\n</details>\n",
                cell(title)
            );
        }
    }

    /// Numbers of other tools that moved by more than they may.
    fn figures(&mut self, before: &[Figures], after: &[Figures]) {
        let (mut rows, mut known) = (Vec::new(), 0);
        for figures in after {
            let old = before.iter().find(|b| b.title == figures.title);
            for value in &figures.values {
                let known_before =
                    |o: &Figures| o.values.iter().find(|v| v.name == value.name).map(|v| v.value);
                let earlier = old.and_then(known_before).or(value.before);
                known += usize::from(earlier.is_some());
                if let Some(earlier) = earlier.filter(|_| value.moved(earlier)) {
                    let Value { name, unit, value, .. } = value;
                    rows.push(vec![
                        name.clone(),
                        format!("{} {unit}", exact(earlier)),
                        format!("**{}** {unit}", exact(*value)),
                        change(earlier, *value),
                        figures.command.clone(),
                    ]);
                }
            }
        }
        if known > 0 {
            self.lines.push(match rows.len() {
                0 => format!("all {} of other tools stayed", counted(known, "number")),
                count => format!("**{} of {known} of other tools moved**", counted(count, "number")),
            });
        }
        self.table(
            "Instruction counts and other numbers that moved",
            &["of", "before", "now", "change", "again"],
            &rows,
        );
    }

    fn finish(self, before: Option<&Report>, after: Option<&Report>) -> String {
        let mut out = String::from("# What changed\n\n");
        for line in &self.lines {
            let _ = writeln!(out, "- {line}");
        }
        let code = |command: &str| command.replace(['`', '\n', '\r'], "'");
        if let (Some(before), Some(after)) = (before, after) {
            let _ = writeln!(out, "\n`{}` beside `{}`", code(&after.command), code(&before.command));
        } else if after.is_some() {
            out.push_str("\nThere is no earlier report to compare with.\n");
        }
        out.push_str(&self.sections);
        if !self.runs.is_empty() {
            out.push_str("\n## Runs\n");
        }
        let mut left_out = 0;
        for run in &self.runs {
            if out.len() + run.len() + 200 > MOST_BYTES {
                left_out += 1;
            } else {
                out.push_str(run);
            }
        }
        if left_out > 0 {
            let _ = writeln!(out, "\n{left_out} more runs do not fit; the report has them.");
        }
        out
    }
}

/// A number of states that moved, and by how much.
fn states(c: &Change) -> Vec<String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let grouped = |text: &str| number(text).map_or_else(|| shown(text).to_owned(), text::grouped);
    let by = match (number(&c.before), number(&c.after)) {
        (Some(before), Some(after)) => change(before as f64, after as f64),
        _ => String::new(),
    };
    vec![c.of.clone(), grouped(&c.before), format!("**{}**", grouped(&c.after)), by]
}

fn property<'a>(
    report: &'a Report,
    scenario: &str,
    id: &str,
) -> Option<(&'a ScenarioReport, &'a PropertyReport)> {
    let scenario = report.scenarios.iter().find(|s| s.name == scenario)?;
    Some((scenario, scenario.properties.iter().find(|p| p.property.id() == id)?))
}

/// The identity of a run, independent of its file: its sentences.
fn words(run: &RunReport) -> Vec<&str> {
    run.steps.iter().map(|step| step.says.as_str()).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

//! A report as Markdown: for a pull request, or the summary of a CI job.

use super::{Method, Report, RunReport, ScenarioReport, mermaid, text};
use crate::{checker::check::Standing, mutants::MutantResult};
use std::fmt::Write;

/// Bytes of a report: a job summary may have a mebibyte. What does not fit is left out, diagrams first.
pub const MOST_BYTES: usize = 1 << 20;

/// A cell of a table: what would end it is escaped.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

/// Writes the report.
pub fn write(report: &Report) -> String {
    let tables = tables(report);
    let mut text = tables;
    let mut left_out = 0;
    let runs = report
        .scenarios
        .iter()
        .flat_map(|s| {
            s.properties.iter().filter_map(move |p| Some((s.name.as_str(), p.property, p.run.as_ref()?)))
        })
        .chain(report.mutants.iter().filter_map(|m| Some((m.name.as_str(), m.property, m.run.as_ref()?))));
    for (name, property, run) in runs {
        let section = section(name, property.id(), run);
        if text.len() + section.len() + 200 > MOST_BYTES {
            left_out += 1;
        } else {
            text.push_str(&section);
        }
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n{left_out} more runs do not fit; their traces are in the output folder.");
    }
    text
}

fn tables(report: &Report) -> String {
    let mut out = String::from("# zus check\n\n");
    let _ = writeln!(out, "{}\n", text::summary_line(&report.summary));
    if !report.scenarios.is_empty() {
        out.push_str("| scenario | property | expected | found | | states | seconds |\n");
        out.push_str("|---|---|---|---|---|--:|--:|\n");
    }
    for scenario in &report.scenarios {
        for (index, property) in scenario.properties.iter().enumerate() {
            let name = if index == 0 { cell(&scenario.name) } else { String::new() };
            let (states, seconds) = if index == 0 {
                (scenario.unique.to_string(), format!("{:.2}", scenario.seconds))
            } else {
                (String::new(), String::new())
            };
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} | {} | {states} | {seconds} |",
                property.property.id(),
                property.expected,
                property.found,
                text::mark(property.standing),
            );
        }
        if scenario.standing != Standing::AsExpected {
            out.push_str(&remarks(scenario));
        }
    }
    if !report.mutants.is_empty() {
        out.push_str("\n## Mutants\n\n| # | rule change | killed by | | states | steps | seconds |\n");
        out.push_str("|---|---|---|---|--:|--:|--:|\n");
        report.mutants.iter().for_each(|m| out.push_str(&mutant(m)));
    }
    out
}

fn remarks(scenario: &ScenarioReport) -> String {
    let mut out = String::new();
    if scenario.pinned_differs() {
        let pinned = scenario.pinned.unwrap_or_default();
        let _ = writeln!(
            out,
            "| | | {pinned} states | {} states | {} | | |",
            scenario.unique,
            text::mark(Standing::Differs)
        );
    }
    match scenario.method {
        Method::StateLimit | Method::MemoryLimit => {
            let _ = writeln!(out, "| | | | {} | | | |", text::method(&scenario.method));
        }
        Method::Exhausted | Method::AllFound | Method::Sampled { .. } => {}
    }
    out
}

fn mutant(m: &MutantResult) -> String {
    let steps = m.run.as_ref().map_or(String::new(), |run| run.steps.len().to_string());
    let by = match &m.why {
        None => m.property.id().to_owned(),
        Some(why) => format!("{}: {}", m.property.id(), cell(why)),
    };
    let (id, name, mark) = (cell(&m.id), cell(&m.name), text::mark(m.standing));
    format!("| {id} | {name} | {by} | {mark} | {} | {steps} | {:.2} |\n", m.unique, m.seconds)
}

fn section(name: &str, property: &str, run: &RunReport) -> String {
    let mut out = format!(
        "\n<details><summary>{}: {property} in {} steps</summary>\n\n{}\n\n",
        cell(name),
        run.steps.len(),
        cell(&run.because)
    );
    let _ = writeln!(out, "```mermaid\n{}```\n", mermaid::diagram(run));
    let first = run.steps.len().saturating_sub(mermaid::MOST_STEPS);
    for (index, step) in run.steps.iter().enumerate().skip(first) {
        let _ = writeln!(out, "{}. {}", index + 1, cell(&step.says));
    }
    if let Some(trace) = &run.trace {
        let _ = writeln!(out, "\n`zus replay {trace}`");
    }
    out.push_str("\n</details>\n");
    out
}

//! A report as Markdown: for a pull request, or the summary of a CI job.

use super::{Method, Report, RunReport, ScenarioReport, baseline::shown, mermaid, text};
use crate::mutants::MutantResult;
use std::fmt::Write;
use zus_checker::{
    scenario::Engine,
    search::check::{Found, Standing},
};

/// Bytes of a report: a job summary may have a mebibyte. Parts that do not fit are left out, diagrams first.
pub const MOST_BYTES: usize = 1 << 20;

/// A cell of a table, read by others as what it says: nothing in it ends the cell, links, shows a picture or calls a person.
pub(super) fn cell(text: &str) -> String {
    const NOTHING: &str = "<!-- -->";
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('[', "\\[")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
        .replace('@', &format!("@{NOTHING}"))
        .replace("://", &format!(":{NOTHING}//"))
        .replace("www.", &format!("www{NOTHING}."))
}

/// One line of code, with any content: the fence has more backticks than stand together in the content.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Writes the report, with its runs if they are wanted.
pub fn write(report: &Report, runs: bool) -> String {
    let report = &zus_output::plain::every_line(report);
    let mut text = tables(report);
    if !runs {
        return text;
    }
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
    if let Some(error) = &report.error {
        let _ = writeln!(out, "**Nothing was checked.** {}\n", cell(&error.message));
    }
    if let Some(compared) = &report.compared {
        let _ = writeln!(out, "## Beside {}\n", code(&compared.against));
        if compared.changes.is_empty() {
            out.push_str("Nothing differs: verdicts, shortest runs, numbers of states.\n\n");
        } else {
            out.push_str("| of | what | before | now |\n|---|---|---|---|\n");
            for c in &compared.changes {
                let [of, what, before, now] = [&c.of, &c.what, &c.before, &c.after].map(|t| cell(shown(t)));
                let _ = writeln!(out, "| {of} | {what} | {before} | **{now}** |");
            }
            out.push_str("\n## Everything\n\n");
        }
    }
    if !report.scenarios.is_empty() {
        out.push_str(
            "| scenario | question | found | | unique states | seconds |\n|---|---|---|---|--:|--:|\n",
        );
    }
    for scenario in &report.scenarios {
        let unique = match scenario.searches.as_slice() {
            [] => states(scenario.method, scenario.unique),
            searches => {
                let each = searches.iter().map(|search| match search.engine {
                    Engine::Explicit => states(search.method, search.unique),
                    Engine::Certificates => {
                        format!("{} of certificates", states(search.method, search.unique))
                    }
                });
                each.collect::<Vec<_>>().join(", ")
            }
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {unique} | {:.2} |",
            cell(&scenario.name),
            cell(&scenario.question),
            verdicts(scenario),
            text::mark(scenario.standing),
            scenario.seconds,
        );
        out.push_str(&remarks(scenario));
    }
    if !report.mutants.is_empty() {
        out.push_str("\n## Mutants\n\n| # | rule change | killed by | | states | steps | seconds |\n");
        out.push_str("|---|---|---|---|--:|--:|--:|\n");
        report.mutants.iter().for_each(|m| out.push_str(&mutant(m)));
    }
    out
}

/// How many states, and whether these are all.
fn states(method: Method, unique: u64) -> String {
    match method {
        Method::Sampled { runs, .. } => format!("{runs} random runs"),
        Method::AllFound | Method::StateLimit | Method::MemoryLimit => {
            format!("{} (not all)", text::grouped(unique))
        }
        Method::Exhausted => text::grouped(unique),
    }
}

/// The verdicts, property by property; properties with equal verdicts of one engine stand together.
fn verdicts(scenario: &ScenarioReport) -> String {
    let mut groups: Vec<(Found, Engine, Vec<String>, String)> = Vec::new();
    for p in &scenario.properties {
        let id = match &p.run {
            Some(run) => format!("{} in {}", p.property.id(), run.steps.len()),
            None => p.property.id().to_owned(),
        };
        match groups.iter_mut().find(|(found, engine, ..)| (*found, *engine) == (p.found, p.engine)) {
            Some((.., ids, _)) => ids.push(id),
            None => groups.push((p.found, p.engine, vec![id], p.beside())),
        }
    }
    let each: Vec<String> = groups
        .iter()
        .map(|(found, engine, ids, beside)| {
            let found = match (found.is_of_any_rounds(), scenario.scope()) {
                (true, Some(scope)) => format!("{} for {scope}", found.word()),
                _ => found.to_string(),
            };
            let by = match (engine, beside.as_str()) {
                (Engine::Explicit, _) => String::new(),
                (Engine::Certificates, "") => " (by certificates)".into(),
                (Engine::Certificates, beside) => format!(" (by certificates, {beside})"),
            };
            format!("**{found}** {}{by}", ids.join(", "))
        })
        .collect();
    each.join("; ")
}

/// The verdicts that are not as expected, or were not reached, row by row.
fn remarks(scenario: &ScenarioReport) -> String {
    let mut out = String::new();
    for p in scenario.properties.iter().filter(|p| p.standing > Standing::Sampled || p.vacuous.is_some()) {
        let (id, expected, found, mark) = (p.property.id(), p.expected, p.found, text::mark(p.standing));
        let why = p.vacuous.as_ref().map_or(String::new(), |why| format!(", but {}", cell(why)));
        let _ = writeln!(
            out,
            "| | {}:{} | {id}: expected **{expected}**, found **{found}**{why} | {mark} | | |",
            cell(&scenario.path),
            p.line
        );
    }
    if scenario.exploration != Standing::AsExpected {
        let asked = scenario.pinned.map_or("every state".into(), |pinned| format!("{pinned} states"));
        let mark = text::mark(scenario.exploration);
        let _ = writeln!(out, "| | | {asked} asked for, {} seen | {mark} | | |", scenario.unique);
    }
    for note in &scenario.notes {
        let _ = writeln!(out, "| | | note: {} | | | |", cell(note));
    }
    if let Some(advice) = scenario.advice() {
        let _ = writeln!(out, "| | | {} | | | |", cell(&advice));
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

pub(super) fn section(name: &str, property: &str, run: &RunReport) -> String {
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
    if let Some(again) = &run.again {
        let _ = writeln!(out, "\n{}", code(again));
    }
    out.push_str("\n</details>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{cell, code};

    #[test]
    fn nothing_ends_a_line_of_code() {
        for (text, written) in
            [("zus replay a", "`zus replay a`"), ("a`b", "`` a`b ``"), ("```", "```` ``` ````")]
        {
            assert_eq!(code(text), written);
        }
    }

    #[test]
    fn a_cell_ends_nothing_links_nowhere_and_calls_nobody() {
        let hostile = "a|b\\|c\n[x](https://evil) ![p](//evil) @team www.evil <img>";
        let written = cell(hostile);
        for found in ["[x]", "![p]", "@team", "://", "www.", "<img", "\n", "a|b"] {
            assert!(
                hostile.contains(found) && !written.replace("\\[", "").contains(found),
                "{found} in {written}"
            );
        }
        assert!(written.starts_with("a\\|b\\\\\\|c "), "{written}");
    }
}

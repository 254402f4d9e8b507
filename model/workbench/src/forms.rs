//! The report as text, JSON, Markdown and JUnit.

use crate::report::{Answer, Report, Row};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::fmt::Write as _;
use zus_output::plain;

/// Characters of a sentence on a terminal.
const SENTENCE: usize = 160;

/// As data.
pub fn json(report: &Report) -> String {
    // Strings and numbers: it cannot fail.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}

/// For a terminal: a line a row, and for a row that does not hold its command and its run.
pub fn text(report: &Report) -> String {
    let mut out = format!("{}\n", headline(report));
    if let Some(tree) = &report.tree {
        let _ = writeln!(out, "  tree: {}", plain::line(tree));
    }
    for row in &report.rows {
        let says = plain::line(&row.says);
        let short: String = says.chars().take(SENTENCE).collect();
        let more = if short.len() < says.len() { " ..." } else { "" };
        let _ = writeln!(out, "  {:<9} {:<12} {:<15} {short}{more}", row.layer, row.name, row.answer.word());
        if let Some(witness) = &row.witness {
            let _ = writeln!(out, "  {:38} witness: {}", "", plain::line(witness));
        }
        if matches!(row.answer, Answer::Violated | Answer::Changed | Answer::Undecided) {
            let _ = writeln!(out, "  {:38} more: {}", "", row.command);
        }
        if let Some(run) = &row.run {
            let _ = writeln!(out, "  {:38} run: {run}", "");
        }
    }
    for layer in &report.running {
        let _ = writeln!(out, "  {layer:<9} has not ended");
    }
    let _ = writeln!(out, "{}", verdict(report));
    out
}

/// The rules and the commit that they are compared with.
pub fn headline(report: &Report) -> String {
    let since = report
        .since
        .as_ref()
        .map(|since| format!(", compared with {} ({:.12})", plain::line(&since.named), since.commit));
    format!("{}{}", report.rules, since.unwrap_or_default())
}

/// The result in a sentence.
pub fn verdict(report: &Report) -> String {
    counts(&report.rows)
}

/// The number of rows with each answer, the worst first.
pub fn counts(rows: &[Row]) -> String {
    let all = [
        Answer::Violated,
        Answer::Changed,
        Answer::Undecided,
        Answer::Holds,
        Answer::NotExpressible,
        Answer::Skipped,
    ];
    let count = |answer| rows.iter().filter(|row| row.answer == answer).count();
    let counts: Vec<String> = all
        .into_iter()
        .filter(|answer| count(*answer) > 0)
        .map(|answer| format!("{} {}", count(answer), answer.word()))
        .collect();
    counts.join(", ")
}

/// Bytes of the Markdown at most: a summary of a job may have a mebibyte.
const MAX_MARKDOWN: usize = 1_000_000;

/// For a pull request: the table, and below it the run of each row that has one, as a diagram of Mermaid, as far as there is room.
pub fn markdown(report: &Report, diagram: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = format!(
        "## {}\n\n{}{}\n\n| layer | question | answer | |\n|---|---|---|---|\n",
        cell(&headline(report)),
        report.tree.as_ref().map(|tree| format!("Tree: {}\n\n", cell(tree))).unwrap_or_default(),
        verdict(report)
    );
    for row in &report.rows {
        let witness =
            row.witness.as_ref().map(|witness| format!("<br>witness: {}", cell(witness))).unwrap_or_default();
        let bold = if matches!(row.answer, Answer::Violated | Answer::Changed) { "**" } else { "" };
        let _ = writeln!(
            out,
            "| {} | {} | {bold}{}{bold} | {}{witness}<br>`{}` |",
            row.layer,
            row.name,
            row.answer.word(),
            cell(&row.says),
            row.command.replace('`', "'").replace('|', "\\|")
        );
    }
    for row in &report.rows {
        let Some(diagram) = row.run.as_deref().and_then(diagram) else { continue };
        let title = format!("{}: {} is {}", row.layer, cell(&row.name), row.answer.word());
        let drawn = format!(
            "\n<details><summary>{title}</summary>\n\n```mermaid\n{}\n```\n\n</details>\n",
            diagram.trim_end()
        );
        if out.len() + drawn.len() < MAX_MARKDOWN {
            out += &drawn;
        } else {
            let _ = writeln!(out, "\n{title}: there is no room for the run here; the page has it.");
        }
    }
    out + "\n<!-- zus -->\n"
}

/// Text in a cell of a table: nothing in it ends the cell, or is markup.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in plain::line(text).chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

/// For a CI system: a suite a layer, a case a row.
pub fn junit(report: &Report) -> String {
    let mut junit = quick_junit::Report::new(format!("zus-workbench: {}", report.rules));
    let mut suites: Vec<TestSuite> = Vec::new();
    for row in &report.rows {
        let case = case(row);
        match suites.iter_mut().find(|suite| suite.name.as_str() == row.layer) {
            Some(suite) => drop(suite.add_test_case(case)),
            None => {
                let mut suite = TestSuite::new(row.layer.clone());
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    junit.add_test_suites(suites);
    junit.to_string().unwrap_or_default() + "\n"
}

fn case(row: &Row) -> TestCase {
    let failed = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(plain::line(&row.says).into_owned());
        status.set_description(row.command.clone());
        status
    };
    let status = match row.answer {
        Answer::Holds => TestCaseStatus::success(),
        Answer::NotExpressible | Answer::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(plain::line(&row.says).into_owned());
            status
        }
        Answer::Violated | Answer::Changed => failed(NonSuccessKind::Failure),
        Answer::Undecided => failed(NonSuccessKind::Error),
    };
    TestCase::new(format!("{}: {}", row.name, row.answer.word()), status)
}

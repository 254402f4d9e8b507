//! The page: the change in words, the table, the runs that break it, and what was not checked.

use crate::{
    forms::{headline, verdict},
    report::{Answer, Report, Row},
};
use maud::{Markup, PreEscaped, html};
use zus_report::draw::page::{PAGE_CSS, POLICY, page};

const CSS: &str = include_str!("page.css");

/// The page of a report. `picture` has the picture of a run, as SVG.
pub fn write(report: &Report, picture: &dyn Fn(&str) -> Option<String>) -> String {
    let broken = report.rows.iter().filter(|row| matches!(row.answer, Answer::Violated | Answer::Changed));
    let drawn: Vec<(&Row, String)> =
        broken.filter_map(|row| Some((row, picture(row.run.as_deref()?)?))).collect();
    let open =
        |row: &&Row| matches!(row.answer, Answer::NotExpressible | Answer::Skipped | Answer::Undecided);
    let unchecked: Vec<&Row> = report.rows.iter().filter(open).collect();
    let body = html! {
        main.verify {
            h1 { "What the change did: " (headline(report)) }
            p.verdict.(class(report.rows.iter().map(|row| row.answer).max().unwrap_or(Answer::Undecided))) { (verdict(report)) }
            @if let Some(tree) = &report.tree { p { "Tree: " (tree) } }
            @if !report.running.is_empty() {
                p.verdict.undecided { "Not ended yet: " (report.running.join(", ")) "." }
            }
            div.table { table {
                thead { tr { th { "layer" } th { "question" } th { "answer" } th { "in a sentence" } th { "more" } } }
                tbody { @for row in &report.rows { (line(row)) } }
            } }
            @for (row, svg) in &drawn {
                h2 { (row.layer) ": " (row.name) " is " (row.answer.word()) }
                p { (row.says) }
                div.run { (PreEscaped(svg)) }
            }
            h2 { "What was not checked" }
            @if unchecked.is_empty() { p { "Every layer gave an answer." } }
            ul { @for row in &unchecked { li { b { (row.layer) ", " (row.name) } ": " (row.says) } } }
            p { "The model looks at small instances, the code at small schedules: only the proofs speak of any number of members. "
                "Numbers of states are exact; times are of this machine." }
            p { code { (report.command) } }
            p { @for (layer, seconds) in &report.seconds { (layer) " " (format!("{seconds:.1} s")) " " } }
        }
    };
    page("What the change did", POLICY, &[PAGE_CSS, CSS], &body, &[], &[])
}

fn line(row: &Row) -> Markup {
    html! {
        tr {
            td { (row.layer) }
            td { (row.name) }
            td.(class(row.answer)) { (row.answer.word()) }
            td {
                (row.says)
                @if let Some(witness) = &row.witness { br; small { "witness: " (witness) } }
            }
            td {
                code { (row.command) }
                @if let Some(run) = &row.run { br; a href=(run) { "the run" } }
            }
        }
    }
}

fn class(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::NotExpressible | Answer::Skipped => "open",
        Answer::Undecided => "undecided",
        Answer::Changed | Answer::Violated => "violated",
    }
}

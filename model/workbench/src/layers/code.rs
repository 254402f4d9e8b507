//! The production code: is each step of it one of the model?

use super::{Context, Found, drawn, word};
use crate::{
    Failure,
    report::{Answer, Row},
    tools::Done,
};
use zus_output::plain;

/// Steps of the product at most, half a minute.
const STEPS: &str = "1000000";
/// Random runs.
const RUNS: &str = "10000";
const RUNS_QUICK: &str = "500";

pub fn ask(context: &Context) -> Result<Found, Failure> {
    let mut found = Found::default();
    let rules = context.rules.to_string();
    let subrounds = if context.quick { "1" } else { "2" };
    let product =
        ["product", "--rules", &rules, "--rounds", "1", "--subrounds", subrounds, "--max-steps", STEPS];
    let done = context.tools.run("zus-fuzz", &product)?;
    // `132384 pairs, 544260 steps, depth 16, ...`: what follows depends on the machine.
    let pairs = done.stdout.lines().rev().find(|line| line.contains(" pairs, "));
    let pairs = pairs.map(|line| line.split(", ").take(3).collect::<Vec<_>>().join(", "));
    let mut row = row(
        "product",
        &done,
        &format!("each step of the code is one of the model: {}", pairs.as_deref().unwrap_or("")),
    );
    if let (Answer::Holds, Some(pairs)) = (row.answer, pairs) {
        row.facts.insert("product".into(), pairs.clone());
        row.witness = Some(pairs);
    }
    let expressible = row.answer != Answer::NotExpressible;
    found.rows.push(row);
    if !expressible {
        return Ok(found);
    }

    let finding = word(&context.scratch.join("finding.run"));
    let runs = if context.quick { RUNS_QUICK } else { RUNS };
    let walk = ["walk", "--rules", &rules, "--runs", runs, "--out", &finding];
    let done = context.tools.run("zus-fuzz", &walk)?;
    let mut row = row_of_walk(&done, runs);
    if row.answer == Answer::Violated {
        let trace = context.scratch.join("finding.json");
        let replayed = context.tools.run("zus-fuzz", &["replay", &finding, "--trace", &word(&trace)])?;
        found.files.insert("finding.txt".into(), replayed.stdout.into_bytes());
        row.run = drawn(context, &trace, "code", &mut found.files).or(Some("finding.txt".into()));
    }
    found.rows.push(row);

    if context.named {
        let says = "the committed inputs have rules of their own";
        found.rows.push(Row::new(
            "code",
            "corpora",
            Answer::NotExpressible,
            says,
            "zus-fuzz judge --effort 0",
        ));
        return Ok(found);
    }
    let finding = word(&context.scratch.join("finding.input"));
    let done = context.tools.run("zus-fuzz", &["judge", "--effort", "0", "--out", &finding])?;
    let mut row = self::row("corpora", &done, "every committed input of every target passes");
    if row.answer == Answer::Holds {
        row.witness = Some("fuzz/MATRIX.md: the deliberate bugs that the same inputs detect".into());
    }
    found.rows.push(row);
    Ok(found)
}

fn row_of_walk(done: &Done, runs: &str) -> Row {
    let mut row = row("walk", done, &format!("{runs} random runs, each to its synchronous end"));
    if row.answer == Answer::Holds {
        row.witness = Some(format!("{runs} runs were played to their end"));
    }
    row
}

/// The row of a program with the exit codes 0 (nothing wrong), 1 (a finding) and 2 (bad input).
fn row(name: &str, done: &Done, holds: &str) -> Row {
    let finding = || {
        let lines = done.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
        plain::line(lines.take(2).collect::<Vec<_>>().join("; ").as_str()).into_owned()
    };
    let (answer, says) = match done.code {
        Some(0) => (Answer::Holds, holds.to_owned()),
        Some(1) => (Answer::Violated, finding()),
        Some(2) if done.stderr.contains("no such rules") => {
            (Answer::NotExpressible, "the harness has no schedules under these rules".to_owned())
        }
        _ => (Answer::Undecided, done.why()),
    };
    Row::new("code", name, answer, says, &done.command)
}

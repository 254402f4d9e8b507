//! The production code: is each step of it one of the model?

use super::{Context, Found, drawn, word};
use crate::{
    Failure,
    report::{Answer, MAX_BYTES, Row},
    tools::{Done, command},
};
use std::path::{Path, PathBuf};
use zus_output::{bounded, plain};

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
    let trace = context.scratch.join("product.json");
    let done = context.tools.run("zus-fuzz", &[&product[..], &["--trace", &word(&trace)]].concat())?;
    // `132384 pairs, 544260 steps, depth 16, ...`: what follows depends on the machine.
    let pairs = done.stdout.lines().rev().find(|line| line.contains(" pairs, "));
    let pairs = pairs.map(|line| line.split(", ").take(3).collect::<Vec<_>>().join(", "));
    // A block that is final some rounds later is beyond this: the walk goes that far.
    let holds = format!(
        "in one round, each step of the code is one of the model: {}",
        pairs.as_deref().unwrap_or("")
    );
    let mut row = row("product", &done, &holds, &command("zus-fuzz", &product));
    if let (Answer::Holds, Some(pairs)) = (row.answer, pairs) {
        row.facts.insert("product".into(), pairs.clone());
        row.witness = Some(pairs);
    }
    if row.answer == Answer::Violated {
        let said = done.stdout.replace(&word(&trace), &word(&context.out.join("runs/code-product.json")));
        found.files.insert("product.txt".into(), said.into_bytes());
        show(context, &mut row, &trace, "code-product", "product.txt", &mut found);
    }
    let expressible = row.answer != Answer::NotExpressible;
    found.rows.push(row);
    if !expressible {
        return Ok(found);
    }

    let runs = if context.quick { RUNS_QUICK } else { RUNS };
    let walk = ["walk", "--rules", &rules, "--runs", runs];
    let finding = context.scratch.join("finding.run");
    let done = context.tools.run("zus-fuzz", &[&walk[..], &["--out", &word(&finding)]].concat())?;
    let holds = format!("{runs} random runs, each to its synchronous end");
    let mut row = self::row("walk", &done, &holds, &command("zus-fuzz", &walk));
    if row.answer == Answer::Holds {
        row.witness = Some(format!("{runs} runs were played to their end"));
    }
    if row.answer == Answer::Violated {
        let trace = context.scratch.join("finding.json");
        let replay = ["replay", &word(&finding), "--trace", &word(&trace)];
        let replayed = context.tools.run("zus-fuzz", &replay)?;
        let kept = keep(context, &finding, &mut found);
        row.command = command("zus-fuzz", &["replay", &word(&kept)]);
        let said = replayed.stdout.replace(&word(&finding), &word(&kept));
        let said = said.replace(&word(&trace), &word(&context.out.join("runs/code-walk.json")));
        found.files.insert("finding.txt".into(), said.into_bytes());
        show(context, &mut row, &trace, "code-walk", "finding.txt", &mut found);
    }
    found.rows.push(row);

    if context.named {
        let says = "the committed inputs have rules of their own";
        let command = "zus-fuzz judge --effort 0";
        found.rows.push(Row::new("code", "corpora", Answer::NotExpressible, says, command));
        return Ok(found);
    }
    let judge = ["judge", "--effort", "0"];
    let finding = context.scratch.join("finding.input");
    let done = context.tools.run("zus-fuzz", &[&judge[..], &["--out", &word(&finding)]].concat())?;
    let holds = "every committed input of every target passes";
    let mut row = self::row("corpora", &done, holds, &command("zus-fuzz", &judge));
    if row.answer == Answer::Holds {
        row.witness = Some("fuzz/MATRIX.md: the deliberate bugs that the same inputs detect".into());
    }
    if row.answer == Answer::Violated {
        let kept = keep(context, &finding, &mut found);
        let said = done.stdout.replace(&word(&finding), &word(&kept));
        found.files.insert("corpora.txt".into(), said.into_bytes());
        row.run = Some("corpora.txt".into());
    }
    found.rows.push(row);
    Ok(found)
}

/// Puts the file of a finding into the output folder. Where it is then: the temporary folder goes with this process.
fn keep(context: &Context, finding: &Path, found: &mut Found) -> PathBuf {
    let name = finding.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = context.out.join(&name);
    // There is none where the finding is another one than an input, such as a pair of the product.
    if let Ok(bytes) = bounded::bytes(finding, MAX_BYTES) {
        found.files.insert(name, bytes);
    }
    kept
}

/// Draws the trace of a finding; the row then says the finding with the numbers of miners that the drawing has. Where there is no
/// trace the run is this text.
fn show(context: &Context, row: &mut Row, trace: &Path, name: &str, text: &str, found: &mut Found) {
    row.run = drawn(context, trace, name, &mut found.files);
    if row.run.is_none() {
        row.run = Some(text.into());
        return;
    }
    let trace = bounded::text(trace, MAX_BYTES).unwrap_or_default();
    let trace: serde_json::Value = serde_json::from_str(&trace).unwrap_or_default();
    if let Some(because) = trace["finding"]["because"].as_str() {
        row.says = format!("{} (in {text} with the code's numbers of miners)", plain::line(because));
    }
}

/// The row of a program with the exit codes 0 (nothing wrong), 1 (a finding) and 2 (bad input).
fn row(name: &str, done: &Done, holds: &str, command: &str) -> Row {
    let (answer, says) = match done.code {
        Some(0) => (Answer::Holds, holds.to_owned()),
        Some(1) => (Answer::Violated, finding(&done.stdout)),
        Some(2) if done.stderr.contains("no such rules") => {
            (Answer::NotExpressible, "the harness has no schedules under these rules".to_owned())
        }
        _ => (Answer::Undecided, done.why()),
    };
    Row::new("code", name, answer, says, command)
}

/// The line of a transcript that says what is wrong.
fn finding(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong = lines.clone().find(|line| line.contains("WRONG: ") || line.starts_with("VIOLATED"));
    plain::line(wrong.or(lines.next()).unwrap_or("it said nothing")).into_owned()
}

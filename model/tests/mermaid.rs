//! The diagrams, also those of the summary of a pull request, read by Mermaid's own parser. Needs Node and its packages
//! `mermaid` and `jsdom`:
//!
//! ```sh
//! npm install --prefix target/ci/mermaid mermaid@11 jsdom@29
//! ZUS_MERMAID=$PWD/target/ci/mermaid cargo test -p zus-model --test all mermaid
//! ```
//!
//! Without `ZUS_MERMAID` the test says so and checks nothing; `.ci/run` sets it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use zus_checker::trace::Trace;
use zus_report::{RunReport, StepKind, StepReport, mermaid};

/// Parses every diagram of the array on standard input, and prints the number of those that parse.
const PARSER: &str = r#"
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[1] + "/");
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("");
globalThis.window = window; globalThis.document = window.document;
const { default: mermaid } = await import(pathToFileURL(require.resolve("mermaid")).href);
let fine = 0;
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  try { await mermaid.parse(text); fine += 1; } catch (error) { console.error(text + "\n" + error.message); }
}
console.log(fine);
"#;

fn parsed(packages: &str, diagrams: &[String]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("parse.mjs");
    fs::write(&script, PARSER.replace("process.argv[1]", &format!("{packages:?}"))).unwrap();
    let mut child =
        Command::new("node").arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), diagrams).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn mermaid_reads_every_diagram() {
    let Ok(packages) = std::env::var("ZUS_MERMAID") else {
        eprintln!("skipped: set ZUS_MERMAID to the folder of the packages mermaid and jsdom");
        return;
    };
    let traces = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("traces")).unwrap();
    let mut diagrams: Vec<String> = traces
        .map(|entry| Trace::load(&entry.unwrap().path()).unwrap())
        .map(|trace| mermaid::diagram(&RunReport::new(&trace)))
        .collect();
    let hostile = "a;b #35; %%{init: {}}%% -->>x: <script>\n  p9->>net: \u{0} \"`end`\" end";
    let step =
        StepReport { says: hostile.into(), who: vec![0], kind: StepKind::Sends, label: hostile.into() };
    diagrams.push(mermaid::diagram(&RunReport {
        because: hostile.into(),
        trace: None,
        again: None,
        participants: vec![hostile.into()],
        sent: None,
        steps: vec![step; 3],
    }));
    let in_summary = summary();
    assert!(in_summary.len() >= 2, "{in_summary:?}");
    diagrams.extend(in_summary);
    assert_eq!(parsed(&packages, &diagrams), diagrams.len());
    assert_eq!(parsed(&packages, &["sequenceDiagram\n  p0->>: x;;".into()]), 0, "it can say no");
}

/// The diagrams of a summary of a report that differs from what its scenario expects.
fn summary() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let scenario = include_str!("../scenarios/late_better_rank.toml")
        .replace("S2 = \"violated\"", "S2 = \"holds\"")
        .replace("W3 = \"reachable\"", "W3 = \"unreachable\"");
    fs::write(folder.path().join("late.toml"), scenario).unwrap();
    let zus = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    assert_eq!(zus(&["check", "late.toml", "--out", "out", "--quiet"]).status.code(), Some(1));
    let text = String::from_utf8(zus(&["summary", "out"]).stdout).unwrap();
    text.split("```mermaid\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

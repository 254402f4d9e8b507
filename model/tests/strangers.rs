//! Names that a stranger chose, of files and folders, in what is printed: commands run when they are pasted, and nothing is a link.
#![cfg(unix)]

use crate::program::{text, zus_in};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use zus_output::plain;

/// Reverses the direction of text, erases the line, ends quotes of shells and of Markdown, and has a second line.
const NAME: &str = "s\u{202e}\u{1b}[2K it's `x` $HOME\nline";
/// A link in messages of SARIF and in Markdown.
const LINK: &str = "[x](https:evil)";

/// Nine states, and a verdict that is not expected.
const SCENARIO: &str = r#"question = "[q](https://evil)"
profile = "documented"
n = 4
byzantine = 0
rounds = 1
subrounds = 1
network = "async"
generators = [["honest", "honest"]]

[rules]
ticket = "BetterRank"

[expect]
S2 = "holds"
"#;

/// The output of bash for a line that was printed.
fn pasted(folder: &Path, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_zus")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths(std::iter::once(program.into()).chain(std::env::split_paths(&paths)));
    Command::new("bash").args(["-c", line]).env("PATH", paths.unwrap()).current_dir(folder).output().unwrap()
}

/// It is one line of what was printed, hides nothing, and shows the run when it is pasted.
fn shows_the_run(folder: &Path, command: &str, form: &str) {
    assert!(!command.chars().any(plain::is_hidden), "{form}: {command:?}");
    let shown = pasted(folder, command);
    let told = format!("{form}: {command}\n{}{}", text(&shown.stdout), text(&shown.stderr));
    assert_eq!(shown.status.code(), Some(0), "{told}");
    assert!(told.contains("and S2 is violated"), "{told}");
}

#[test]
fn every_printed_command_runs_when_it_is_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (scenario, out) = (format!("{NAME}.toml"), format!("-o{NAME}"));
    fs::write(at.join(&scenario), SCENARIO).unwrap();
    let command = |printed: &str, form: &str| {
        let mut lines = printed.lines().map(|line| line.trim_matches([' ', '`']));
        let last = lines.rfind(|line| line.starts_with("zus "));
        last.unwrap_or_else(|| panic!("{form}: {printed}")).to_owned()
    };
    // Without a folder the trace is made first, and then shown.
    let checked = text(&zus_in(at, &["check", &scenario]).stdout);
    shows_the_run(at, &command(&checked, "check"), "check");
    let out_option = format!("--out={out}");
    let checked = zus_in(at, &["check", &scenario, &out_option, "-v"]);
    assert_eq!(checked.status.code(), Some(1), "{}", text(&checked.stderr));
    shows_the_run(at, &command(&text(&checked.stdout), "check --out"), "check --out");
    let read = |name: &str| fs::read_to_string(at.join(&out).join(name)).unwrap();
    for form in ["report.txt", "report.md"] {
        shows_the_run(at, &command(&read(form), form), form);
    }
    let log: Value = serde_json::from_str(&read("report.sarif")).unwrap();
    let flow = log.pointer("/runs/0/results/0/codeFlows/0/message/text").unwrap().as_str().unwrap();
    let flow = flow.split_once("(zus").map(|(_, rest)| format!("zus{}", rest.strip_suffix(')').unwrap()));
    // A reader of the format takes the escapes back.
    let flow = flow.unwrap().replace("\\[", "[").replace("\\]", "]").replace("\\\\", "\\");
    shows_the_run(at, &flow, "report.sarif");
    // And what reports say of themselves.
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    let again = report["command"].as_str().unwrap();
    assert_eq!(pasted(at, again).status.code(), Some(1), "{again}");
    let sampled = text(&zus_in(at, &["simulate", &scenario, "--runs", "100"]).stdout);
    let again = command(&sampled, "simulate");
    assert!(again.starts_with("zus simulate "), "{again}");
    let shown = text(&pasted(at, &again).stdout);
    assert!(shown.contains("S2  violated"), "{again}: {shown}");
}

#[test]
fn no_message_of_sarif_has_a_link_or_hides_anything() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let name = format!("{LINK}\u{202e}\u{1b}.toml");
    fs::write(at.join(&name), SCENARIO).unwrap();
    assert_eq!(zus_in(at, &["check", &name, "--out", "out"]).status.code(), Some(1));
    let baseline = format!("{LINK}.json");
    let mut earlier: Value = serde_json::from_slice(&fs::read(at.join("out/report.json")).unwrap()).unwrap();
    earlier["scenarios"][0]["unique"] = 8.into();
    fs::write(at.join(&baseline), earlier.to_string()).unwrap();
    fs::write(at.join("bad.toml"), SCENARIO.replace("documented", &format!("{LINK}\\u202e"))).unwrap();
    for (arguments, code) in [
        (&["check", &name, "--baseline", &baseline][..], 1),
        (&["check", "bad.toml"], 2),
        (&["check", LINK], 2),
        (&["check", "--nonsense", LINK], 2),
    ] {
        let printed = zus_in(at, &[arguments, &["--format", "sarif"]].concat());
        assert_eq!(printed.status.code(), Some(code), "{arguments:?}: {}", text(&printed.stderr));
        let log: Value = serde_json::from_slice(&printed.stdout).unwrap();
        let mut messages = Vec::new();
        texts(&log, &mut messages);
        let named = messages.iter().filter(|message| message.contains("evil")).count();
        assert!(named > 0 || arguments[1] == "--nonsense", "{arguments:?}: {messages:?}");
        for message in messages {
            assert!(message.matches('[').count() == message.matches("\\[").count(), "{message}");
            assert!(message.matches(']').count() == message.matches("\\]").count(), "{message}");
            assert!(!message.chars().any(|c| plain::is_hidden(c) && c != '\n'), "{message:?}");
        }
    }
}

/// Every text of a message, and the name of everything.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::String(text) if key == "text" => found.push(text.clone()),
                    other => texts(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

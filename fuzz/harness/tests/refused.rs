//! Unusable input of the tool: exit code 2, and a message that names the option or the file, and the fix.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Time for one command.
const PATIENCE: Duration = Duration::from_secs(30);

fn tool(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-fuzz"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool runs");
    // A command that was not refused may run without an end.
    let end = Instant::now() + PATIENCE;
    while child.try_wait().expect("it runs").is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait_with_output().expect("it has ended")
}

#[test]
fn every_refusal_names_the_option_or_file_and_the_fix() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("empty"), "").expect("a file");
    fs::create_dir(folder.path().join("folder")).expect("a folder");
    let refused: &[(&[&str], &[&str])] = &[
        (&["walk", "--runs", "0"], &["--runs", "1..="]),
        (&["walk", "--rules", "X"], &["--rules", "fix: ", "hardened"]),
        (&["walk", "--deviate", "X"], &["--deviate", "no such rules", "hardened"]),
        (&["mutants", "check", "X"], &["X: no deliberate bug", "MATRIX.md"]),
        (&["mutants", "run", "X", "--", "walk"], &["X: no deliberate bug", "MATRIX.md"]),
        (&["walk", "--runs", "1", "--out", "no/file"], &["no/file: cannot be written", "fix: "]),
        (&["walk", "--runs", "1", "--out", "folder"], &["folder: cannot be written", "fix: "]),
        (&["soak", "--miners", "5"], &["--miners", "4, 7"]),
        (&["soak", "--miners", "6"], &["--miners", "4, 7"]),
        (&["soak", "--rounds", "0"], &["--rounds", "1..="]),
        (&["soak", "--subrounds", "4294967295"], &["--subrounds", "0..="]),
        (&["soak", "--rules", "deployed"], &["--rules", "deployed", "fix: "]),
        (&["product", "--rounds", "9"], &["--rounds", "1..=6"]),
        (&["product", "--rounds", "6", "--subrounds", "4"], &["--rounds 6", "--subrounds 4", "fix: "]),
        (&["product", "--crashes", "100000"], &["--crashes", "0..=15"]),
        (&["judge", "--effort", "99999999"], &["--effort", "0..="]),
        (&["judge", "--out", "no/file"], &["no/file: cannot be written", "fix: "]),
        (&["speed", "--seconds", "0"], &["--seconds", "1..="]),
        (&["speed", "--json", "no/file"], &["no/file: cannot be written", "fix: "]),
        (&["speed", "--readme", "X"], &["X: cannot be read", "fix: "]),
        (&["speed", "--readme", "empty"], &["empty: the marks", "fix: ", "<!-- speed -->"]),
        (&["coverage", "--seconds", "0"], &["--seconds", "1..="]),
        (&["coverage", "X"], &["X: cannot be read", "fix: "]),
        (&["run", "nosuch"], &["TARGET", "conformance"]),
        (&["run", "nosuch", "empty"], &["TARGET", "conformance"]),
        (&["run", "decode", "X"], &["X: cannot be read", "fix: "]),
        (&["run", "decode", "--hex", "zz"], &["--hex", "two hexadecimal digits a byte"]),
        (&["replay", "empty", "--trace", "empty"], &["empty: cannot be written: it is an input", "fix: "]),
        (&["replay", "X"], &["X: cannot be read", "fix: "]),
        (&["replay", "folder"], &["folder: this is a folder, and no file", "fix: "]),
        (&["replay", "empty", "--trace", "no/file"], &["no/file: cannot be written", "fix: "]),
        (&["shrink", "X"], &["X: cannot be read", "fix: "]),
        (&["shrink", "empty", "--out", "no/file"], &["no/file: cannot be written", "fix: "]),
        (&["matrix", "--only", "Nothing"], &["Nothing: no deliberate bug", "fix: "]),
        (&["matrix", "--only", "SignUnasked", "--only", "Nothing"], &["Nothing: no deliberate bug", "fix: "]),
    ];
    let mut wrong = Vec::new();
    for (arguments, says) in refused {
        let output = tool(arguments, folder.path());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(2) || !says.iter().all(|part| error.contains(part)) {
            wrong.push(format!("{arguments:?}: {:?}, not {says:?}: {error}", output.status.code()));
        }
        if error.contains(".zus-unfinished-") {
            wrong.push(format!("{arguments:?}: names a file of the tool's own: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), refused.len(), wrong.join("\n"));
    assert_eq!(tool(&["shrink", "empty"], folder.path()).status.code(), Some(0), "the control");
}

/// A long run that fails prints the command that fails in the same way: with every option that is not the usual one.
#[test]
fn a_long_run_that_fails_prints_the_command_that_shows_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let soak = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zus-fuzz"));
        command.args(arguments).current_dir(folder.path());
        let output = command.output().expect("the tool runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let asked = ["--rounds", "60", "--seed", "3", "--miners", "7", "--begins-at", "50", "--subrounds", "2"];
    let deviation = ["--deviate", "hardened,ticket_log=Volatile"];
    let rules = ["soak", "--rules", "subround_switch = FirstArrival"];
    let (code, said) = soak(&[&rules, &asked[..], &deviation].concat());
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().find(|line| line.starts_with("replay: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("replay: cargo run -p zus-fuzz "), "{line}");
    // As a shell reads it.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("printf '%s\\n' {}", line.split_once(" -- ").expect(line).1)]);
    let words = shell.output().expect("a shell");
    let words = String::from_utf8(words.stdout).expect("text");
    let words: Vec<&str> = words.lines().collect();
    for option in asked.chunks(2).chain([&rules[1..], &deviation[..]]) {
        assert!(words.windows(2).any(|two| two == option), "{option:?}: {line}");
    }
    assert_eq!(soak(&words), (code, said));
}

/// A bug that has no effect is no bug that was not noticed.
#[test]
fn a_program_without_bugs_takes_none() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-fuzz"));
    let output = command.args(["walk", "--runs", "1"]).env("ZUS_MUTANT", "SecondTicket").output();
    let output = output.expect("the tool runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("ZUS_MUTANT=SecondTicket: this program has no deliberate bugs"), "{said}");
}

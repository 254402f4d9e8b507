//! The command line: exit codes, a missing judge, and the walk-through of README.md.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-proofs"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("ZUS_PROOFS_PYTHON", "/no/python")
        .env("PATH", "")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_missing_judge_is_a_failure() {
    let output = run(&["check", "--judge", "rust", "--judge", "z3"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("157 of 157 conditions hold"));
    let output = run(&["check", "--judge", "rust"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[cfg(unix)]
#[test]
fn a_folder_that_another_run_writes_into_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (out, traces) = (at("out"), at("traces"));
    let cases: [(&str, &[&str]); 4] = [
        (&out, &["smtlib", "--out", &out]),
        (&out, &["check", "--judge", "rust", "--certificates", &out]),
        (&out, &["runs", "--out", &out, "--traces", &traces]),
        (&traces, &["runs", "--out", &out, "--traces", &traces]),
    ];
    for (place, arguments) in cases {
        let taken = zus_output::lock::Lock::take(place).unwrap();
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            said.contains(&format!("{place}: another run is writing into this folder\n  fix: ")),
            "{said}"
        );
        drop(taken);
    }
    assert_eq!(run(&["smtlib", "--out", &out]).status.code(), Some(0), "the control");
}

/// A copy of the specification with another text in one place of one file.
fn edited(name: &str, edit: &str, from: &str, to: &str) -> std::path::PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&copy).unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("spec")).unwrap() {
        let file = file.unwrap().path();
        let mut text = fs::read_to_string(&file).unwrap();
        if file.ends_with(edit) {
            assert_eq!(text.matches(from).count(), 1);
            text = text.replace(from, to);
        }
        fs::write(copy.join(file.file_name().unwrap()), text).unwrap();
    }
    copy
}

/// Every condition holds of an action that never happens, so that says nothing.
#[test]
fn an_action_that_never_happens_is_no_proof() {
    let says = "from the shares of {g}\"";
    let copy = edited("idle", "beacon.epr", says, &format!("{says} (guard never (not (= g g)))"));
    for format in ["text", "json"] {
        let check = ["check", "--spec", copy.to_str().unwrap(), "--judge", "rust", "--format", format];
        let output = run(&check);
        let printed = text(&output);
        assert_eq!(output.status.code(), Some(3), "{printed}");
        assert!(printed.contains("action:form_beacon") && !printed.contains("action:propose"), "{printed}");
    }
}

#[test]
fn the_walk_through_of_the_readme_is_what_the_command_prints() {
    // The edit that README.md describes.
    let copy = edited("walk-through", "rounds.epr", "(guard ticketed-no-other (not (logged_other n b)))", "");
    let output = run(&["check", "--spec", copy.to_str().unwrap(), "--explain", "1", "--judge", "rust"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output);
    let readme = include_str!("../README.md");
    let shown = readme.split("<!-- walk-through -->").nth(1).expect("README.md has the walk-through");
    for line in shown
        .lines()
        .filter(|l| !l.trim().is_empty() && !l.starts_with("```") && !l.trim().starts_with("..."))
    {
        // Times differ from run to run.
        let line = line.split("; rust").next().unwrap_or_default();
        assert!(printed.contains(line), "README.md shows\n{line}\nand the command prints\n{printed}");
    }
}

#[test]
fn the_stalled_run_of_the_readme_is_what_the_command_draws() {
    let output = run(&["stall", "guard:log_ticket/window-closed"]);
    assert_eq!(output.status.code(), Some(0));
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = readme.split("<!-- stall -->").nth(1).expect("README.md has the stalled run");
    assert_eq!(shown.trim(), text(&output).trim());
    // Every kept run is listed with what it breaks; another item has none.
    let output = run(&["stall"]);
    let listed = text(&output);
    assert!(listed.lines().count() > 20 && listed.lines().all(|line| line.contains("actions that break ")));
    assert!(listed.lines().all(|line| !line.ends_with("break ")), "{listed}");
    let output = run(&["stall", "guard:tick/nothing"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_ledger_prints_a_table() {
    let output = run(&["ledger", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("| S5 |"));
    let shown = include_str!("../LEDGER.md");
    assert!(shown.ends_with(&text(&output)), "LEDGER.md shows another ledger");
}

#[test]
fn a_trace_is_checked_step_by_step() {
    let output = run(&["tie", "proofs/tests/tie/localnet.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("24 steps of the model"));
    assert_eq!(run(&["tie", "proofs/no-such.json"]).status.code(), Some(2));
}

#[test]
fn the_conditions_come_as_data_too() {
    use zus_report::summary::proofs::{Outcome, Proofs};
    let read =
        |output: &Output| Proofs::parse(&text(output)).unwrap_or_else(|why| panic!("{why}: {output:?}"));
    let output = run(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let proofs = read(&output);
    assert_eq!(proofs.conditions.len(), 157);
    assert!(proofs.conditions.iter().all(|c| c.outcome == Outcome::Holds) && proofs.run.is_none());
    let delete = ["--delete", "guard:leave_voting/ticketed-no-other"];
    let output = run(&[&["check", "--format", "json"][..], &delete].concat());
    assert_eq!(output.status.code(), Some(1));
    let proofs = read(&output);
    let failing: Vec<_> = proofs.conditions.iter().filter(|c| c.outcome == Outcome::Fails).collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0].id, "leave_voting:voted-ticketed-no-other");
    assert!(failing[0].says.contains("miner0 leaves round1"), "{}", failing[0].says);
    assert!(proofs.run.is_some_and(|run| run.contains("break S10-honest")));
    assert_eq!(run(&["check", "--format", "json", "--all"]).status.code(), Some(2));
}

/// A file without an end, or larger than any run, is refused with its name and the bound.
#[cfg(unix)]
#[test]
fn a_run_is_read_up_to_a_bound() {
    use zus_output::bounded::MOST_BYTES;
    let large = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large-run");
    fs::File::create(&large).and_then(|file| file.set_len(MOST_BYTES + 1)).unwrap();
    for file in ["/dev/zero", large.to_str().unwrap()] {
        let refused = run(&["run", "--replay", file]);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{error}");
        assert!(error.contains(&format!("{file}: larger than {MOST_BYTES} bytes")), "{error}");
    }
    fs::remove_file(large).unwrap();
}

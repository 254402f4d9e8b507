//! Input that cannot be used: exit code 2, and a message that names the option or the file, and the fix.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Time for one command.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with files of every wrong kind.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("empty", "");
    file("broken.json", "{");
    let run = fs::read_to_string(root().join("proofs/runs/W1.json")).unwrap();
    let third = run.match_indices("\"action\": \"").nth(2).unwrap().0;
    file("third.json", &format!("{}{}", &run[..third], run[third..].replacen("\": \"", "\": \"un", 1)));
    for name in ["nothing", "no_profile", "twice"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    file("no_profile/protocol.epr", "");
    file("twice/protocol.epr", "(rule ticket A B)\n(rule ticket B)\n");
    folder
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-proofs"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that should have been refused may run without an end.
    let end = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

#[test]
fn every_refusal_names_the_option_or_file_and_the_fix() {
    let folder = folder();
    let trace = root().join("proofs/tests/tie/localnet.json");
    let trace = trace.to_str().unwrap();
    let search: fn(&[&'static str]) -> Vec<&'static str> = |more| [&["run", "--breaks", "S5"], more].concat();
    let refused: &[(Vec<&str>, &[&str])] = &[
        // Numbers that make a search empty, and numbers without an end.
        (search(&["--universe", "0", "0", "0"]), &["--universe", "1..="]),
        (search(&["--universe", "1", "1", "9999999999"]), &["--universe", "1..="]),
        (search(&["--universe", "9", "9", "1"]), &["--universe", "at most 64", "fix: "]),
        (search(&["--steps", "0"]), &["--steps", "1..="]),
        (search(&["--steps", "99999999"]), &["--steps", "1..="]),
        (search(&["--byzantine", "9"]), &["--byzantine", "0..=3"]),
        (search(&["--byzantine", "2"]), &["--byzantine", "fix: ", "faults=Any"]),
        (vec!["check", "--threads", "0"], &["--threads", "1..="]),
        (vec!["check", "--threads", "99999999"], &["--threads", "1..="]),
        (vec!["check", "--explain", "99999999"], &["--explain", "0..="]),
        // Options that have no effect.
        (vec!["ledger", "--spec", "nothing"], &["--spec"]),
        (vec!["ledger", "--threads", "2"], &["--threads"]),
        (vec!["tie", trace, "--threads", "2"], &["--threads"]),
        (vec!["smtlib", "--out", "x", "--threads", "2"], &["--threads"]),
        (search(&["--threads", "2"]), &["--threads"]),
        (search(&["--replay", "broken.json"]), &["--replay"]),
        (vec!["run", "--replay", "broken.json", "--steps", "5"], &["--steps"]),
        (vec!["run", "--replay", "broken.json", "--universe", "1", "1", "1"], &["--universe"]),
        (vec!["run", "--replay", "broken.json", "--byzantine", "1"], &["--byzantine"]),
        (vec!["check", "--all", "--explain", "3"], &["--explain"]),
        (vec!["check", "--all", "--certificates", "x"], &["--certificates"]),
        (vec!["check", "--format", "json", "--certificates", "x"], &["--certificates", "fix: "]),
        (vec!["check", "--judge", "rust,rust"], &["--judge", "rust", "twice", "fix: "]),
        // Names.
        (vec!["check", "--rules", "nosuch"], &["--rules", "nosuch", "fix: "]),
        (vec!["check", "--rules", "hardened,ticket=Never"], &["--rules", "ticket=Never", "fix: "]),
        (
            vec!["check", "--rules", "hardened,ticket=BetterRank,ticket=OncePerSubround"],
            &["--rules", "ticket", "twice", "fix: "],
        ),
        (vec!["check", "--delete", "X"], &["--delete", "`X`", "fix: "]),
        (vec!["check", "--delete", "axiom:x", "--format", "json"], &["--delete", "`axiom:x`", "fix: "]),
        (vec!["run", "--breaks", "X"], &["--breaks", "`X`", "fix: ", "S5"]),
        // Files and folders that are read.
        (vec!["check", "--spec", "X"], &["X: cannot be read", "fix: ", "--spec"]),
        (vec!["check", "--spec", "empty"], &["empty: cannot be read", "fix: ", "--spec"]),
        (vec!["check", "--spec", "nothing"], &["nothing/protocol.epr", "fix: ", "--spec"]),
        (vec!["check", "--spec", "no_profile"], &["no_profile/protocol.epr", "no profile", "fix: "]),
        (
            vec!["check", "--spec", "twice"],
            &["twice/protocol.epr:2:", "ticket", "twice", "twice/protocol.epr:1:"],
        ),
        (vec!["tie", trace, "--spec", "no_profile"], &["no_profile/protocol.epr", "no profile", "fix: "]),
        (vec!["tie", "X"], &["X: cannot be read", "fix: "]),
        (vec!["tie", "empty"], &["empty:1:", "fix: "]),
        (vec!["run", "--replay", "X"], &["X: cannot be read", "fix: "]),
        (vec!["run", "--replay", "nothing"], &["nothing: this is a folder, and no file", "fix: "]),
        (vec!["run", "--replay", "broken.json"], &["broken.json: ", "line 1", "fix: "]),
        (vec!["run", "--replay", "third.json"], &["third.json: ", "action 3", "fix: "]),
        // Places that are written to.
        (vec!["smtlib", "--out", "/dev/null"], &["/dev/null: cannot be written", "fix: "]),
        (vec!["check", "--certificates", "/dev/null"], &["/dev/null: cannot be written", "fix: "]),
        (vec!["runs", "--out", "empty"], &["empty: cannot be written", "fix: "]),
        (vec!["runs", "--out", "o", "--traces", "empty"], &["empty: cannot be written", "fix: "]),
    ];
    let mut wrong = Vec::new();
    for (arguments, says) in refused {
        let output = run(arguments, folder.path());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(2) || !says.iter().all(|part| error.contains(part)) {
            wrong.push(format!("{arguments:?}: {:?}, not {says:?}: {error}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), refused.len(), wrong.join("\n"));
}

/// The controls: the same commands with input that can be used.
#[test]
fn what_can_be_used_is_not_refused() {
    let folder = folder();
    let trace = root().join("proofs/tests/tie/localnet.json");
    let spec = root().join("proofs/spec");
    let (trace, spec) = (trace.to_str().unwrap(), spec.to_str().unwrap());
    for (arguments, code) in [
        (&["run", "--breaks", "S5", "--universe", "1", "1", "1", "--steps", "4", "--byzantine", "0"][..], 0),
        (&["run", "--breaks", "S1", "--steps", "4", "--byzantine", "2", "--rules", "hardened,faults=Any"], 0),
        (
            &[
                "run",
                "--breaks",
                "S5",
                "--universe",
                "1",
                "2",
                "1",
                "--byzantine",
                "0",
                "--rules",
                "documented",
            ],
            1,
        ),
        (&["tie", trace, "--spec", spec], 0),
        (&["ledger"], 0),
    ] {
        let output = run(arguments, folder.path());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
}

//! `zus-workbench verify`, with the rooms' own programs, and with one of them replaced.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

const ROOMS: [(&str, &str); 4] = [
    ("zus-model", "zus"),
    ("zus-cluster", "zus-cluster"),
    ("zus-proofs", "zus-proofs"),
    ("zus-fuzz", "zus-fuzz"),
];

/// The rooms' programs, which `cargo test --workspace` builds beside this one, and a test of this crate alone does not.
pub fn rooms() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_zus-workbench")).parent().unwrap().to_path_buf();
    if ROOMS.iter().any(|(_, program)| !folder.join(program).is_file()) {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet"]);
        ROOMS.iter().for_each(|(package, program)| {
            build.args(["-p", package, "--bin", program]);
        });
        assert!(build.status().unwrap().success());
    }
    folder
}

/// A folder with the rooms' programs, of which `replaced` is this script of bash instead.
pub fn with(replaced: &str, script: &str) -> tempfile::TempDir {
    let (folder, rooms) = (tempfile::tempdir().unwrap(), rooms());
    for (_, program) in ROOMS.iter().filter(|(_, program)| *program != replaced) {
        symlink(rooms.join(program), folder.path().join(program)).unwrap();
    }
    if !script.is_empty() {
        let file = folder.path().join(replaced);
        fs::write(&file, format!("#!/usr/bin/env bash\nreal={}\n{script}\n", rooms.join(replaced).display()))
            .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn command(programs: &Path, out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-workbench"));
    command
        .arg("verify")
        .arg("--programs")
        .arg(programs)
        .arg("--out")
        .arg(out)
        .arg("--quick")
        .args(arguments);
    command.stdin(Stdio::null());
    command
}

/// A row of a report: layer, name, answer.
pub type Answer = (String, String, String);

/// The exit code, all that was printed, and the rows.
fn verified(programs: &Path, out: &Path, arguments: &[&str]) -> (Option<i32>, String, Vec<Answer>) {
    let Output { status, stdout, stderr } = command(programs, out, arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code(), said, rows_of(out))
}

/// The rows of the report in this folder.
pub fn rows_of(out: &Path) -> Vec<Answer> {
    let report = fs::read_to_string(out.join("report.json")).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap_or_default();
    let word = |row: &serde_json::Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = report["rows"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| (word(row, "layer"), word(row, "name"), word(row, "answer"))).collect()
}

#[track_caller]
pub fn answers(rows: &[Answer], layer: &str, name: &str, answer: &str) {
    let found = rows.iter().find(|row| row.0 == layer && row.1 == name);
    assert_eq!(found.map(|row| row.2.as_str()), Some(answer), "{layer}, {name}: {rows:#?}");
}

pub const REST: [&str; 8] =
    ["--skip", "code", "--skip", "listed", "--skip", "hot-path", "--skip", "liveness"];

#[test]
fn hardened_holds_in_every_layer_that_can_say_it_each_with_its_witness() {
    let out = tempfile::tempdir().unwrap();
    let (code, said, rows) = verified(&rooms(), out.path(), &["--rules", "hardened"]);
    assert_eq!(code, Some(0), "{said}");
    let holds: Vec<_> = rows.iter().filter(|row| row.2 == "holds").collect();
    for name in ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11"] {
        answers(&rows, "model", name, "holds");
    }
    for name in ["L1", "L2", "L3", "L4", "L5"] {
        answers(&rows, "liveness", name, "holds");
    }
    answers(&rows, "proofs", "conditions", "holds");
    answers(&rows, "code", "product", "holds");
    answers(&rows, "listed", "mutants", "not_expressible");
    assert_eq!(said.matches("witness: ").count(), holds.len(), "{said}");
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(
        page.contains("What the change did: hardened") && page.contains("What was not checked"),
        "{page}"
    );
}

#[test]
fn a_rule_that_breaks_a_property_is_seen_by_model_and_proofs_and_its_run_is_drawn() {
    let out = tempfile::tempdir().unwrap();
    let (code, said, rows) =
        verified(&rooms(), out.path(), &[&["--rules", "hardened,ticket=BetterRank"][..], &REST].concat());
    assert_eq!(code, Some(1), "{said}");
    answers(&rows, "model", "S2", "violated");
    answers(&rows, "model", "S6", "holds");
    // In this instance the rule changes nothing: it is no evidence.
    let s6 = said.lines().find(|line| line.contains(" S6 ")).unwrap_or_default();
    assert!(s6.contains("one-round") && !s6.contains("restart-behind"), "{s6}");
    answers(&rows, "proofs", "conditions", "violated");
    answers(&rows, "code", "all", "skipped");
    for file in [
        "runs/model-S2.html",
        "runs/model-S2.svg",
        "runs/model-S2.json",
        "proofs.txt",
        "instances/one-round.toml",
    ] {
        assert!(out.path().join(file).is_file(), "{file}: {said}");
    }
    let page = fs::read_to_string(out.path().join("index.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("model: S2 is violated"), "the run is on the page");
    // The command of the row shows it.
    let zus = rooms().join("zus");
    let again = Command::new(zus)
        .args(["check", "-v"])
        .arg(out.path().join("instances/one-round.toml"))
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    // In every form.
    let junit = fs::read_to_string(out.path().join("report.xml")).unwrap();
    assert!(junit.contains("<failure") && junit.contains("S2: violated"), "{junit}");
    let markdown = fs::read_to_string(out.path().join("report.md")).unwrap();
    assert!(markdown.contains("| model | S2 | **violated** |"), "{markdown}");
    let drawn = "<details><summary>model: S2 is violated</summary>\n\n```mermaid\nsequenceDiagram\n";
    assert!(markdown.contains(drawn), "{markdown}");
}

#[test]
fn a_rule_that_breaks_liveness_alone_is_seen_there() {
    let out = tempfile::tempdir().unwrap();
    let skip = ["--skip", "code", "--skip", "listed", "--skip", "hot-path", "--skip", "model"];
    let (code, said, rows) =
        verified(&rooms(), out.path(), &[&["--rules", "hardened,echo=None"][..], &skip].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(rows.iter().any(|row| row.0 == "liveness" && row.2 == "violated"), "{said}");
    answers(&rows, "proofs", "conditions", "holds");
}

/// A rule that is safe on a chain of two rounds, and is not where two chains grow side by side.
#[test]
fn a_rule_that_goes_by_depth_is_judged_where_it_is_deep_enough() {
    let skip = ["code", "proofs", "liveness", "listed", "hot-path"].map(|layer| ["--skip", layer]).concat();
    for depth in 1..=3 {
        let out = tempfile::tempdir().unwrap();
        let rules = format!("hardened,finality=CommonAncestor{depth}");
        let (code, said, rows) = verified(&rooms(), out.path(), &[&["--rules", &*rules][..], &skip].concat());
        let model: Vec<_> = rows.iter().filter(|(layer, name, _)| layer == "model" && name == "S5").collect();
        assert_eq!(code, Some(1), "{said}");
        assert!(matches!(model[..], [(_, _, answer)] if answer == "violated"), "{depth}: {rows:?}\n{said}");
    }
}

#[test]
fn code_that_does_not_implement_the_rules_is_seen_by_its_layer_alone() {
    let out = tempfile::tempdir().unwrap();
    // Participants that follow another rule in random runs; the product is that of the code as it is.
    let deviates = r#"case "$1" in walk | replay) exec "$real" "$@" --deviate hardened,ticket=BetterOrEqualRank;; esac; exec "$real" "$@""#;
    let programs = with("zus-fuzz", deviates);
    let (code, said, rows) =
        verified(programs.path(), out.path(), &["--rules", "hardened", "--skip", "liveness"]);
    assert_eq!(code, Some(1), "{said}");
    answers(&rows, "code", "walk", "violated");
    answers(&rows, "code", "product", "holds");
    answers(&rows, "model", "S2", "holds");
    // The run is drawn, and the command of the row reads a file that is still there, and fails in the same way.
    for file in ["finding.run", "finding.txt", "runs/code-walk.html", "runs/code-walk.json"] {
        assert!(out.path().join(file).is_file(), "{file}: {said}");
    }
    let finding = out.path().join("finding.run");
    assert!(said.contains(&format!("more: zus-fuzz replay {}", finding.display())), "{said}");
    let replayed =
        Command::new(programs.path().join("zus-fuzz")).arg("replay").arg(&finding).output().unwrap();
    assert_eq!(replayed.status.code(), Some(1));
    let text = fs::read_to_string(out.path().join("finding.txt")).unwrap();
    let text = text.replace(out.path().to_str().unwrap(), "OUT");
    assert!(!text.contains("/.tmp"), "a folder that is gone: {text}");
}

#[test]
fn a_listed_verdict_that_is_another_one_is_seen() {
    let out = tempfile::tempdir().unwrap();
    // The committed scenarios, with one of another verdict; the mutants are not asked again.
    let wrong = out.path().join("wrong.toml");
    fs::write(&wrong, "question = \"?\"\nprofile = \"hardened\"\nn = 4\nbyzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"]]\n[rules]\nticket = \"BetterRank\"\n[expect]\nS2 = \"holds\"\n").unwrap();
    let script = format!(
        r#"if [ "$1" = check ]; then shift; exec "$real" check {} "${{@/--mutants/}}"; fi; exec "$real" "$@""#,
        wrong.display()
    );
    let script = script.replace(
        r#""${@/--mutants/}""#,
        r#"$(for word in "$@"; do [ "$word" = --mutants ] || echo "$word"; done)"#,
    );
    let programs = with("zus", &script);
    let skip =
        ["--skip", "code", "--skip", "proofs", "--skip", "hot-path", "--skip", "model", "--skip", "liveness"];
    let (code, said, rows) = verified(programs.path(), &out.path().join("out"), &skip);
    assert_eq!(code, Some(1), "{said}");
    answers(&rows, "listed", "scenarios", "violated");
    assert!(said.contains("wrong"), "{said}");
    assert!(out.path().join("out/runs/scenarios.html").is_file(), "{said}");
}

#[test]
fn a_hot_path_that_takes_more_is_seen_and_a_tool_that_is_missing_is_no_silence() {
    let out = tempfile::tempdir().unwrap();
    let skip =
        ["--skip", "code", "--skip", "listed", "--skip", "model", "--skip", "liveness", "--skip", "proofs"];
    for (script, answer, exit) in [
        ("echo 'sign: 1000 (+9.00 %) BEYOND 5 %'; exit 1", "violated", 1),
        ("echo 'sign: 1000 (+0.00 %) ok'", "holds", 0),
        ("echo 'SKIPPED: valgrind: No such file' >&2", "undecided", 3),
        ("echo 'SKIPPED: the baseline is for another machine'", "undecided", 3),
        ("kill -9 $$", "undecided", 3),
    ] {
        let programs = with("instructions", script);
        let (code, said, rows) = verified(programs.path(), out.path(), &skip);
        assert_eq!(code, Some(exit), "{script}: {said}");
        answers(&rows, "hot-path", "instructions", answer);
    }
    let without = with("zus-proofs", "");
    let skip = ["--rules", "hardened", "--skip", "code", "--skip", "model", "--skip", "liveness"];
    let (code, said, rows) = verified(without.path(), out.path(), &skip);
    assert_eq!(code, Some(3), "{said}");
    answers(&rows, "proofs", "all", "undecided");
    assert!(said.contains("zus-proofs: cannot be started"), "{said}");
}

#[test]
fn a_judge_that_says_yes_to_everything_is_not_believed() {
    let out = tempfile::tempdir().unwrap();
    // It leaves out nothing that it is told to leave out.
    let programs = with(
        "zus-proofs",
        r#"args=("$@"); for i in "${!args[@]}"; do [ "${args[$i]}" = --delete ] && unset "args[$i]" "args[$((i + 1))]"; done; exec "$real" "${args[@]}""#,
    );
    let (code, said, rows) =
        verified(programs.path(), out.path(), &[&["--rules", "hardened"][..], &REST].concat());
    assert_eq!(code, Some(3), "{said}");
    answers(&rows, "proofs", "conditions", "undecided");
    assert!(said.contains("so this says nothing"), "{said}");
}

#[test]
fn rules_that_are_none_are_bad_input_and_a_layer_without_words_says_so() {
    let out = tempfile::tempdir().unwrap();
    for (rules, said) in [
        ("hardend", "\"hardend\" is no profile"),
        ("hardened,ticket=Never", "Never"),
        ("hardened,colour=Red", "colour"),
    ] {
        let output = command(&rooms(), out.path(), &["--rules", rules]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{rules}: {told}");
        assert!(told.contains(said) && told.contains("\n  fix: "), "{rules}: {told}");
    }
    // No layer shows this rule: what holds without it is no evidence for it.
    let (code, said, rows) =
        verified(&rooms(), &out.path().join("idle"), &["--rules", "hardened,parent=OnFinalizedHead"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(rows.iter().all(|row| row.2 == "not_expressible"), "{rows:#?}");
    // The harness has no schedules with two changes, and no instance of the model forgets with a restart.
    let skip = ["--skip", "listed", "--skip", "hot-path", "--skip", "model", "--skip", "liveness"];
    let rules = ["--rules", "hardened,ticket=BetterRank,echo=None"];
    let (_, said, rows) = verified(&rooms(), out.path(), &[&rules[..], &skip].concat());
    answers(&rows, "code", "product", "not_expressible");
    assert!(said.contains("the harness has no schedules under these rules"), "{said}");
}

/// Finished layers stay on the page when the user interrupts the rest.
#[test]
fn an_interrupted_run_leaves_what_is_known() {
    let out = tempfile::tempdir().unwrap();
    let programs = with("zus-fuzz", "exec sleep 600");
    let mut run = command(programs.path(), out.path(), &["--rules", "hardened", "--skip", "liveness"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let page = || fs::read_to_string(out.path().join("index.html")).unwrap_or_default();
    let start = Instant::now();
    while !(page().contains("Not ended yet: code.") && start.elapsed() < Duration::from_secs(120)) {
        assert!(start.elapsed() < Duration::from_secs(120), "{}", page());
        std::thread::sleep(Duration::from_millis(100));
    }
    // As with Ctrl-C on a terminal the programs get it, too. SIGINT itself is ignored below a shell's background job.
    let interrupt = format!("kill -TERM {0} $(pgrep -P {0})", run.id());
    assert!(Command::new("bash").args(["-c", &interrupt]).status().is_ok());
    assert!(!run.wait().unwrap().success());
    assert!(page().contains("Not ended yet: code.") && page().contains("at most one notarized block"));
}

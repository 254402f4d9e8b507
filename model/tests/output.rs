//! The output of the commands, and its place: files whole or not at all, folders without traces of runs that no longer
//! exist, no text in disguise, and the behaviour when nobody can read.

use crate::program::{text, zus_in};
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};
use zus_output::plain;

const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/deployed_fork-S5.json");
/// Reverses the direction of text, sounds the bell, erases the line, has no width, and begins a sequence in one character.
const DISGUISE: &str = "\u{202e}\u{7}\u{1b}[2K\u{200b}\u{9b}";

/// Nine states; its question and the name of its file are in disguise.
const SCENARIO: &str = r#"question = "QUESTION"
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
S2 = "violated"
"#;

/// Runs it in a process that cannot write files of more than `kib` KiB.
#[cfg(unix)]
fn zus_with_small_files(folder: &Path, kib: u32, arguments: &[&str]) -> Output {
    let script = format!("ulimit -c 0; ulimit -f {kib}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_zus")])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Names in a folder, sorted, without the list of what was written.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != zus_output::folder::LIST).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn without_room_the_earlier_output_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for format in ["html", "svg", "mermaid", "scene", "itf"] {
        let file = format!("keep.{format}");
        fs::write(at.join(&file), "good").unwrap();
        let drawn = zus_with_small_files(at, 1, &["draw", TRACE, "--format", format, "--out", &file]);
        assert_eq!(drawn.status.code(), Some(2), "{format}");
        let said = format!("error: {file}: cannot be written: File too large");
        assert!(text(&drawn.stderr).starts_with(&said), "{}", text(&drawn.stderr));
        assert_eq!(fs::read_to_string(at.join(&file)).unwrap(), "good");
    }
    assert_eq!(zus_in(at, &["check", "late_better_rank", "--out", "out", "--quiet"]).status.code(), Some(0));
    let read = || {
        ["report.txt", "report.json", "report.md", "report.xml", "report.sarif"]
            .map(|name| fs::read(at.join("out").join(name)).unwrap())
    };
    let before = read();
    let full = zus_with_small_files(at, 1, &["check", "late_better_rank", "--out", "out", "--quiet"]);
    assert_eq!(full.status.code(), Some(2), "{}", text(&full.stderr));
    assert_eq!(read(), before);
    let summary = ["summary", "out", "--out", "s.md"];
    assert_eq!(zus_in(at, &summary).status.code(), Some(0));
    let before = fs::read(at.join("s.md")).unwrap();
    assert_eq!(zus_with_small_files(at, 0, &summary).status.code(), Some(2));
    assert_eq!(fs::read(at.join("s.md")).unwrap(), before);
    let beside: Vec<String> =
        names(at).into_iter().chain(names(&at.join("out"))).filter(|n| n.starts_with(".zus-")).collect();
    assert!(beside.is_empty(), "{beside:?}");
}

/// Nothing of a run that had no room is left but whole files, also where the results go to a file.
#[cfg(unix)]
#[test]
fn without_room_every_file_is_whole_and_the_error_names_the_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let full = zus_with_small_files(at, 2, &["check", "late_better_rank", "--out", "out", "--quiet"]);
    assert_eq!(full.status.code(), Some(2), "{}", text(&full.stderr));
    let said = text(&full.stderr);
    let file =
        said.strip_prefix("error: ").and_then(|said| said.split(": cannot be written: ").next()).unwrap();
    assert!(file.starts_with("out/") && !at.join(file).exists(), "{said}");
    for name in names(&at.join("out/traces")) {
        let trace = fs::read(at.join("out/traces").join(&name)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&trace).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert_eq!(unfinished(&at.join("out")), [""; 0]);
    let results = fs::File::create(at.join("results")).unwrap();
    let script = "ulimit -c 0; ulimit -f 1; exec \"$0\" check late_better_rank --format json";
    let mut command = Command::new("bash");
    let full = command.args(["-c", script, env!("CARGO_BIN_EXE_zus")]).stdout(results).output().unwrap();
    assert_eq!(full.status.code(), Some(2));
    assert!(
        text(&full.stderr).starts_with("error: standard output: File too large"),
        "{}",
        text(&full.stderr)
    );
}

/// Files that were not finished, in a folder and in that of its traces.
#[cfg(unix)]
fn unfinished(folder: &Path) -> Vec<String> {
    let traces = folder.join("traces");
    let below = if traces.is_dir() { names(&traces) } else { Vec::new() };
    names(folder).into_iter().chain(below).filter(|name| name.starts_with(".zus-unfinished-")).collect()
}

#[cfg(unix)]
#[test]
fn what_a_killed_run_was_writing_is_gone_after_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let out = at.join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join(".zus-unfinished-notes"), "of the user").unwrap();
    let cases: [(&Path, &[&str]); 2] = [
        (&out, &["check", "late_better_rank", "--quiet", "--out", "out"]),
        (at, &["draw", TRACE, "--format", "svg", "--out", "run.svg"]),
    ];
    for (place, arguments) in cases {
        let foreign = unfinished(place);
        // The name of what a killed process leaves is seen in the tests of `zus_output`, with processes that are killed.
        fs::write(place.join(".zus-unfinished-a1B2c3D4e5F6"), "half of it").unwrap();
        assert_eq!(zus_in(at, arguments).status.code(), Some(0));
        assert_eq!(unfinished(place), foreign, "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(out.join(".zus-unfinished-notes")).unwrap(), "of the user");
}

/// A process that is killed with the test, however that ends.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn two_runs_do_not_write_into_one_folder() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let endless = "question = \"?\"\nprofile = \"hardened\"\nn = 4\nrounds = 3\nsubrounds = 3\nnetwork = \"async\"\n\
                   generators = [[\"byzantine\", \"honest\"]]\n[expect]\nS2 = \"holds\"\n";
    fs::write(at.join("endless.toml"), endless).unwrap();
    // The first prints the results of one scenario, and is then at work on the other.
    let mut first = Command::new(env!("CARGO_BIN_EXE_zus"));
    first
        .args(["check", "late_better_rank", "endless.toml", "--out", "out"])
        .current_dir(at)
        .stdout(Stdio::piped());
    let mut first = Ended(first.spawn().unwrap());
    let mut results = String::new();
    BufReader::new(first.0.stdout.as_mut().unwrap()).read_line(&mut results).unwrap();
    assert!(!results.is_empty(), "it ended");
    let second = ["check", "amnesia", "--out", "out", "--format", "json"];
    // One that is not refused waits where the first does.
    let mut refused = Command::new("timeout");
    refused.args(["20", env!("CARGO_BIN_EXE_zus")]).args(second).current_dir(at);
    let refused = refused.output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    let expected =
        "error: out: another run is writing into this folder\n  fix: wait until it has ended, or name";
    assert!(said.starts_with(expected), "{said}");
    assert!(text(&refused.stdout).contains("another run"), "in the form that was asked for");
    drop(first);
    assert_eq!(zus_in(at, &second).status.code(), Some(0), "a run that is gone holds nothing");
    assert!(names(&at.join("out/traces")).iter().all(|name| name.starts_with("amnesia-")));
}

#[cfg(unix)]
#[test]
fn every_command_that_writes_several_files_takes_the_folder_first() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cases: [(&str, &[&str]); 7] = [
        ("out", &["check", "late_better_rank", "--out", "out"]),
        ("out/traces", &["check", "late_better_rank", "--quiet", "--out", "out"]),
        ("out", &["check", "--mutants", "--out", "out"]),
        ("out", &["simulate", "late_better_rank", "--out", "out"]),
        ("man", &["man", "man"]),
        ("page", &["report", "page"]),
        ("page/matrix", &["report", "page"]),
    ];
    for (place, arguments) in cases {
        let taken = zus_output::lock::Lock::take(at.join(place)).unwrap();
        let refused = zus_in(at, arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused.stderr));
        let expected = format!("error: {place}: another run is writing into this folder");
        assert!(text(&refused.stderr).contains(&expected), "{arguments:?}: {}", text(&refused.stderr));
        drop(taken);
    }
    assert_eq!(names(&at.join("man")), [""; 0]);
    assert_eq!(zus_in(at, &["man", "man"]).status.code(), Some(0), "the control");
}

#[test]
fn no_trace_of_a_run_that_no_longer_exists_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let check = |scenarios: &[&str]| {
        let output = zus_in(at, &[&["check", "--quiet", "--out", "out"], scenarios].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    assert_eq!(check(&["late_better_rank", "amnesia"]), "");
    let traces = at.join("out/traces");
    let all = names(&traces);
    assert!(all.iter().any(|name| name.starts_with("amnesia-")), "{all:?}");
    fs::write(traces.join("mine.json"), "of the user").unwrap();
    let said = check(&["late_better_rank"]);
    let left = names(&traces);
    assert!(left.iter().all(|name| name.starts_with("late_better_rank-") || name == "mine.json"), "{left:?}");
    assert!(left.contains(&"mine.json".to_owned()) && said.contains("mine.json"), "kept, and said: {said}");
}

/// Whether a text shows what it is: `may` are characters that the form itself needs.
#[test]
fn a_folder_says_that_nothing_was_checked_and_keeps_no_earlier_verdict() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.toml"), SCENARIO).unwrap();
    fs::write(folder.path().join("bad.toml"), SCENARIO.replace("n = 4", "n = 64")).unwrap();
    for bad in [
        &["check", "bad.toml"][..],
        &["check", "good.toml", "--baseline", "bad.toml"],
        &["simulate", "bad.toml"],
    ] {
        let out = folder.path().join("out");
        assert_eq!(zus_in(folder.path(), &["check", "good.toml", "--out", "out"]).status.code(), Some(0));
        assert!(out.join("traces/good-S2.json").exists());
        assert_eq!(zus_in(folder.path(), &[bad, &["--out", "out"]].concat()).status.code(), Some(2));
        for name in ["report.txt", "report.json", "report.md", "report.xml", "report.sarif"] {
            let said = fs::read_to_string(out.join(name)).unwrap();
            assert!(said.contains("bad.toml") && !said.contains("good-S2"), "{bad:?}, {name}: {said}");
        }
        assert!(!out.join("traces/good-S2.json").exists());
    }
}

/// The same of a file that the user names.
#[test]
fn after_bad_input_the_file_of_an_earlier_run_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(zus_in(at, &["check", "late_better_rank", "--quiet", "--out", "out"]).status.code(), Some(0));
    fs::write(at.join("bad.json"), "{}").unwrap();
    let mut no_run: serde_json::Value = serde_json::from_slice(&fs::read(TRACE).unwrap()).unwrap();
    no_run["steps"].as_array_mut().unwrap().remove(0);
    fs::write(at.join("no_run.json"), no_run.to_string()).unwrap();
    let file = at.join("file");
    for (bad, code) in [
        (&["draw", "bad.json"][..], 2),
        (&["draw", "none.json"], 2),
        (&["draw", "no_run.json"], 1),
        (&["summary", "none"], 2),
        (&["summary", "out", "--figures", "bad.json"], 2),
    ] {
        for good in [&["draw", TRACE, "--out", "file"][..], &["summary", "out", "--out", "file"]] {
            assert_eq!(zus_in(at, good).status.code(), Some(0));
            assert!(file.exists());
        }
        let refused = zus_in(at, &[bad, &["--out", "file"]].concat());
        assert_eq!(refused.status.code(), Some(code), "{bad:?}: {}", text(&refused.stderr));
        assert!(!file.exists(), "{bad:?}");
    }
    let index = at.join("out/index.html");
    fs::write(&index, r#"<meta name="generator" content="zus">"#).unwrap();
    assert_eq!(zus_in(at, &["report", "out", "--figures", "bad.json"]).status.code(), Some(2));
    assert!(!index.exists());
    // An input is never taken for an earlier output, though it is bad.
    for arguments in [
        &["draw", "bad.json", "--out", "./bad.json"][..],
        &["summary", "out", "--out", "out/report.json"],
        &["summary", "out", "--figures", "bad.json", "--out", "bad.json"],
    ] {
        let refused = zus_in(at, arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&refused.stderr).contains("it is an input of this command"),
            "{}",
            text(&refused.stderr)
        );
    }
    assert_eq!(fs::read_to_string(at.join("bad.json")).unwrap(), "{}");
}

/// A name that the tool chose may be a link to a file that nobody meant.
#[cfg(unix)]
#[test]
fn a_link_in_a_folder_of_output_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    fs::write(folder.path().join("good.toml"), SCENARIO).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    for name in ["report.json", ".zus-written"] {
        std::os::unix::fs::symlink(&precious, folder.path().join("out").join(name)).unwrap();
    }
    assert_eq!(zus_in(folder.path(), &["check", "good.toml", "--out", "out"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
    assert!(fs::read_to_string(folder.path().join("out/report.json")).unwrap().contains("zus-report"));
}

fn is_plain(bytes: &[u8], what: &str) {
    let text = text(bytes);
    let hidden = text.chars().find(|&c| plain::is_hidden(c) && c != '\n' && c != '\t');
    assert_eq!(hidden, None, "{what}");
}

#[test]
fn nothing_that_a_stranger_names_is_shown_in_disguise() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let escaped: String = DISGUISE.chars().map(|c| format!("\\u{:04X}", c as u32)).collect();
    let name = format!("s{DISGUISE}.toml");
    fs::write(at.join(&name), SCENARIO.replace("QUESTION", &escaped)).unwrap();
    for format in ["text", "json", "markdown", "junit", "sarif"] {
        let output = zus_in(at, &["check", &name, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        is_plain(&output.stdout, format);
        // SARIF has findings only, and here there is none.
        if format != "sarif" {
            let shown = text(&output.stdout).to_lowercase();
            let bell = shown.contains("u{7}") || shown.contains("u0007");
            assert!(shown.contains("202e") && bell, "{format}: it is said that it is there");
        }
    }
    let output = zus_in(at, &["check", &name, "--out", "out", "--quiet"]);
    assert_eq!(output.status.code(), Some(0));
    for form in ["report.txt", "report.json", "report.md", "report.xml", "report.sarif"] {
        is_plain(&fs::read(at.join("out").join(form)).unwrap(), form);
    }
    // The trace of it, with more of the same in all fields that are for people.
    let saved = fs::read_dir(at.join("out/traces")).unwrap().next().unwrap().unwrap().path();
    let mut trace: serde_json::Value = serde_json::from_slice(&fs::read(saved).unwrap()).unwrap();
    let dress =
        |value: &mut serde_json::Value| *value = format!("{}{DISGUISE}", value.as_str().unwrap()).into();
    for field in ["/producer/tool", "/producer/command", "/scenario", "/claim/because", "/steps/0/says"] {
        dress(trace.pointer_mut(field).unwrap());
    }
    let dressed = format!("t{DISGUISE}.json");
    fs::write(at.join(&dressed), trace.to_string()).unwrap();
    for format in ["html", "svg", "mermaid", "scene", "itf"] {
        let output = zus_in(at, &["draw", &dressed, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        is_plain(&output.stdout, format);
    }
    let scene = zus_in(at, &["draw", &dressed, "--format", "scene"]).stdout;
    fs::write(at.join("scene.json"), text(&scene).replace("miner 0", "miner\\u202e 0")).unwrap();
    for format in ["html", "svg"] {
        is_plain(&zus_in(at, &["draw", "scene.json", "--format", format]).stdout, format);
    }
    is_plain(&zus_in(at, &["replay", &dressed]).stdout, "replay");
    is_plain(&zus_in(at, &["summary", "out"]).stdout, "summary");
    // Input that is refused.
    fs::write(
        at.join(&dressed),
        trace.to_string().replace("\"do\":\"ticket\"", &format!("\"do\":\"{DISGUISE}\"")),
    )
    .unwrap();
    fs::write(at.join(&name), SCENARIO.replace("documented", DISGUISE)).unwrap();
    let huge = "\u{202e}".repeat(300_000);
    fs::write(at.join("huge.json"), format!("{{\"format\":\"{huge}\",\"version\":1}}")).unwrap();
    for arguments in [
        &["check", &name][..],
        &["check", DISGUISE],
        &["replay", &dressed],
        &["draw", &dressed],
        &["draw", "huge.json"],
        &["replay", "huge.json"],
        &["check", "--format", DISGUISE],
        &[DISGUISE],
        &["report", "out/report.json", "--figures", DISGUISE],
    ] {
        let output = zus_in(at, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        is_plain(&output.stderr, &format!("{arguments:?}"));
        assert!(output.stderr.len() < 2 * plain::MOST_MESSAGE, "{} bytes", output.stderr.len());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn what_is_wrong_with_inputs_and_places_shows_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("file"), "good").unwrap();
    fs::write(at.join("wrong.json"), "{}").unwrap();
    fs::create_dir_all(at.join("full/index.html")).unwrap();
    // Each of these is minutes of work, if it is begun.
    for (arguments, named) in [
        (&["report", "out", "--ledger", "none.toml"][..], "none.toml"),
        (&["report", "out", "--figures", "none.json"], "none.json"),
        (&["report", "out", "--figures", "wrong.json"], "wrong.json"),
        (&["report", "file"], "file"),
        (&["report", "full"], "index.html"),
        (&["check", "--out", "file"], "file"),
        (&["check", "--out", "file/below"], "file/below"),
        (&["check", "--baseline", "wrong.json"], "wrong.json"),
        (&["simulate", "hardened_n7", "--runs", "1000000000", "--out", "file"], "file"),
        (&["draw", TRACE, "--out", "full"], "full"),
        (&["draw", TRACE, "--out", "none/x.html"], "none/x.html"),
        (&["summary", "none", "--out", "full"], "full"),
        (&["man", "file"], "file"),
    ] {
        let output = zus_in(at, arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(named) && said.contains("fix: "), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read_to_string(at.join("file")).unwrap(), "good");
    assert!(!at.join("out/check").exists(), "nothing was begun");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_or_a_full_disk_is_no_crash() {
    let commands: [&[&str]; 8] = [
        &["check", "late_better_rank"],
        &["check", "late_better_rank", "--format", "json"],
        &["simulate", "late_better_rank", "--runs", "10"],
        &["replay", TRACE],
        &["draw", TRACE],
        &["schema", "report"],
        &["completions", "bash"],
        &["--help"],
    ];
    for arguments in commands {
        let zus = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_zus"));
            command.args(arguments).stderr(Stdio::piped());
            command
        };
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        if let Ok(full) = full {
            let output = zus().stdout(full).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        }
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = zus().stdout(writer).output().unwrap();
        assert!(matches!(output.status.code(), Some(2 | 3)), "{arguments:?}: {:?}", output.status);
        assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}: {}", text(&output.stderr));
    }
    // Nobody has to read what is said on the side.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let quiet =
        Command::new(env!("CARGO_BIN_EXE_zus")).args(["check", "late_better_rank"]).stderr(writer).output();
    assert_eq!(quiet.unwrap().status.code(), Some(0));
}

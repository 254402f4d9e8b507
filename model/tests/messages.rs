//! The errors of `zus`: in every form, with the name that was meant, and with the next thing to do.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const SMALL: &str = r#"question = "?"
profile = "hardened"
n = 4
rounds = 1
subrounds = 1
network = "async"
generators = [["honest", "honest"]]

[expect]
S2 = "holds"
"#;

fn zus(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn an_error_stands_where_a_form_has_its_results() {
    let bad = SMALL.replace("n = 4", "n = 64");
    let folder = folder_with(&[("bad.toml", &bad), ("before.json", "{}")]);
    for arguments in [
        &["check", "bad.toml"][..],
        &["simulate", "bad.toml"],
        &["check", "hardened_live", "--baseline", "before.json"],
    ] {
        let file = arguments.last().unwrap();
        for format in ["json", "markdown", "junit", "sarif"] {
            let (code, out, err) = zus(folder.path(), &[arguments, &["--format", format]].concat());
            assert_eq!(code, Some(2), "{arguments:?} {format}: {out}");
            assert!(err.starts_with("error: "), "{err}");
            assert!(out.contains(file) && !out.contains("\"level\": \"none\""), "{format}: {out}");
            match format {
                "json" => {
                    let report: Value = serde_json::from_str(&out).unwrap();
                    assert_eq!(report["error"]["path"], *file);
                    assert_eq!(report["summary"]["standing"], "differs");
                }
                "junit" => assert!(out.contains("errors=\"1\"") && out.contains("<error message="), "{out}"),
                "sarif" => {
                    let log: Value = serde_json::from_str(&out).unwrap();
                    let result = &log["runs"][0]["results"][0];
                    assert_eq!((&result["ruleId"], &result["level"]), (&"input".into(), &"error".into()));
                    let line = if *file == "bad.toml" { 3 } else { 1 };
                    let region = &result["locations"][0]["physicalLocation"]["region"];
                    assert_eq!(region["startLine"], line);
                }
                _ => assert!(out.contains("**Nothing was checked.**"), "{out}"),
            }
        }
        let (_, out, _) = zus(folder.path(), arguments);
        assert_eq!(out, "", "the text is for people, who read the error stream");
    }
}

/// A command line that cannot be read has its error in the form that it names, too; in Markdown and XML it is one line.
#[test]
fn a_wrong_command_line_is_told_in_the_form_that_it_names() {
    let folder = folder_with(&[("bad.toml", &SMALL.replace("n = 4", "n = 64"))]);
    for format in ["json", "markdown", "junit", "sarif"] {
        let (code, out, err) = zus(folder.path(), &["check", "--max-states", "0", "--format", format]);
        assert!(
            code == Some(2) && out.contains("--max-states") && err.contains("--max-states"),
            "{format}: {out}"
        );
        let (_, out, _) = zus(folder.path(), &["check", "bad.toml", &format!("--format={format}")]);
        let one_line = ["markdown", "junit"].contains(&format);
        assert!(
            out.contains("bad.toml") && (!one_line || out.contains("; fix: ") && !out.contains("\\n")),
            "{out}"
        );
    }
    assert_eq!(zus(folder.path(), &["check", "--max-states", "0"]).1, "");
}

#[test]
fn a_difference_from_the_baseline_is_an_exit_code_where_it_is_asked() {
    let folder = folder_with(&[("s.toml", SMALL)]);
    let at = folder.path();
    assert_eq!(zus(at, &["check", "s.toml", "--quiet", "--out", "before"]).0, Some(0));
    let beside = ["check", "s.toml", "--quiet", "--baseline", "before/report.json"];
    let strict = [&beside[..], &["--unchanged"]].concat();
    assert_eq!(zus(at, &strict).0, Some(0));
    // A third generator: other states, and the same verdict.
    fs::write(
        at.join("s.toml"),
        SMALL.replace("[[\"honest\", \"honest\"]]", "[[\"honest\", \"honest\", \"honest\"]]"),
    )
    .unwrap();
    let (code, out, _) = zus(at, &beside);
    assert!(code == Some(0) && out.contains("1 differences\n"), "{out}");
    let (code, out, _) = zus(at, &strict);
    assert!(code == Some(1) && out.contains("1 differences  DIFFERS"), "{out}");
    for (format, strictly, loosely) in [
        ("junit", "failures=\"1\"", "failures=\"0\""),
        ("sarif", "\"level\": \"error\"", "\"level\": \"note\""),
        ("json", "\"required\": true", "\"changes\": ["),
        ("markdown", "| s | unique states |", "| s | unique states |"),
    ] {
        for (arguments, code, shown) in [(&strict[..], 1, strictly), (&beside[..], 0, loosely)] {
            let (found, out, err) = zus(at, &[arguments, &["--format", format]].concat());
            assert_eq!(found, Some(code), "{format}: {err}");
            assert!(out.contains(shown), "{format}: {shown} in {out}");
        }
    }
    assert_eq!(zus(at, &["check", "s.toml", "--unchanged"]).0, Some(2), "unchanged beside nothing");
}

#[test]
fn what_holds_about_nothing_is_said_in_every_form() {
    // The deployed node finalizes three rounds below a tip, and there are two: nothing is ever final.
    let empty = SMALL
        .replace("hardened", "deployed")
        .replace("rounds = 1\nsub", "rounds = 2\nsub")
        .replace("S2 = \"holds\"", "S5 = \"holds\"");
    let folder = folder_with(&[("empty.toml", &empty)]);
    let why = "nothing ever becomes final: it says nothing";
    for (format, shown) in [
        ("text", "S5  holds       SAYS NOTHING"),
        ("json", "\"standing\": \"differs\""),
        ("markdown", "expected **holds**, found **holds**, but"),
        ("junit", "failures=\"1\""),
        ("sarif", "empty: S5 holds, as expected, but "),
    ] {
        let (code, out, err) = zus(folder.path(), &["check", "empty.toml", "--format", format]);
        assert_eq!(code, Some(1), "{format}: {out}{err}");
        assert!(out.contains(shown) && out.contains(why), "{format}: {out}");
    }
    fs::write(folder.path().join("meant.toml"), empty + "final = \"unreachable\"\n").unwrap();
    let (code, out, _) = zus(folder.path(), &["check", "meant.toml"]);
    assert!(code == Some(0) && out.contains(why), "{out}");
    // A sample that never gets there has not looked at anything.
    let (code, out, _) = zus(folder.path(), &["simulate", "empty.toml", "--runs", "5"]);
    assert!(code == Some(3) && out.contains("in these runs nothing ever becomes final"), "{out}");
}

#[test]
fn a_verdict_is_a_sentence_that_can_be_read() {
    let folder = folder_with(&[("s.toml", &SMALL.replace("\"holds\"", "\"violated\""))]);
    let (_, out, _) = zus(folder.path(), &["check", "s.toml", "--format", "sarif"]);
    assert!(out.contains("s: S2 holds, but it is expected to be violated"), "{out}");
    assert!(!out.contains("to be holds"), "{out}");
}

#[test]
fn the_name_that_was_meant_is_named() {
    let folder = folder_with(&[]);
    let said = |text: &str| {
        fs::write(folder.path().join("s.toml"), text).unwrap();
        let (code, _, err) = zus(folder.path(), &["check", "s.toml"]);
        assert_eq!(code, Some(2), "{text}");
        err
    };
    let with = |rules: &str| SMALL.replace("[expect]", &format!("[rules]\n{rules}\n\n[expect]"));
    for (text, meant) in [
        (SMALL.replace("subrounds", "subround"), "did you mean `subrounds`?"),
        (with("tickets = \"BetterRank\""), "did you mean `ticket`?"),
        (with("ticket = \"betterrank\""), "did you mean `BetterRank`?"),
        (SMALL.replace("\"async\"", "\"asynchronous\""), "did you mean `"),
        (with("finality = \"CommonAncestor\""), "{ CommonAncestor = { depth = 3 } }"),
        (with("finality = { CommonAncestor = 3 }"), "{ CommonAncestor = { depth = 3 } }"),
        (with("finality = { CommonAncestor = { deep = 3 } }"), "{ CommonAncestor = { depth = 3 } }"),
        (SMALL.replace("S2 =", "finale ="), "did you mean `final`?"),
    ] {
        let err = said(&text);
        assert!(err.contains(meant), "{meant}: {err}");
    }
    let far = said(&SMALL.replace("subrounds", "xyzzy"));
    assert!(!far.contains("did you mean"), "{far}");
    let (code, _, err) = zus(folder.path(), &["check", "hardend"]);
    assert!(code == Some(2) && err.contains("did you mean `hardened`?"), "{err}");
    let (_, _, err) = zus(folder.path(), &["check", "nothing-like-it"]);
    assert!(!err.contains("did you mean"), "{err}");
}

#[test]
fn a_bound_that_is_hit_comes_with_what_to_do() {
    let folder = folder_with(&[]);
    let (code, out, _) = zus(folder.path(), &["check", "hardened_live", "--quiet", "--max-states", "3000"]);
    assert_eq!(code, Some(3));
    for said in
        ["states were seen", "of them wait", "bytes of memory", "--max-memory", "zus simulate hardened_live"]
    {
        assert!(out.contains(said), "{said}: {out}");
    }
    // Near the end fewer come than go, and the rest can be estimated.
    let (_, out, _) = zus(folder.path(), &["check", "hardened_live", "--quiet", "--max-states", "54000"]);
    let all = out.split("perhaps ").nth(1).unwrap_or_else(|| panic!("{out}"));
    let all: u64 = all.split(" in all").next().unwrap().replace(',', "").parse().unwrap();
    assert!((54_000..70_000).contains(&all), "{all}, and there are 55,553");
}

/// Whichever command reads a scenario tries its settings.
#[test]
fn a_setting_that_changes_nothing_is_refused_by_every_command_that_takes_a_scenario() {
    let idle = SMALL
        .replace("\"async\"", "\"synchronous\"")
        .replace("rounds = 1\nsub", "rounds = 2\nsub")
        .replace("n = 4", "n = 4\nbeacon_threshold = 2");
    let folder = folder_with(&[("idle.toml", &idle)]);
    for command in ["check", "simulate", "explore"] {
        let (code, _, err) = zus(folder.path(), &[command, "idle.toml"]);
        let said = "idle.toml:4: beacon_threshold: it changes nothing: without it as many states are reached";
        assert!(code == Some(2) && err.contains(said), "{command}: {err}");
    }
}

/// Each command that reads a file, with the file in its place.
const READERS: [&[&str]; 12] = [
    &["check", "FILE"],
    &["check", "small.toml", "--baseline", "FILE"],
    &["simulate", "FILE"],
    &["replay", "FILE"],
    &["draw", "FILE"],
    &["explore", "FILE", "--address", "127.0.0.1:0"],
    &["report", "page", "--figures", "FILE"],
    &["report", "page", "--ledger", "FILE"],
    &["summary", "FILE"],
    &["summary", "report.json", "--baseline", "FILE"],
    &["summary", "report.json", "--proofs", "FILE"],
    &["summary", "report.json", "--figures", "FILE"],
];

/// Results, traces and baselines go by names.
#[test]
fn two_scenarios_of_one_name_are_not_checked_together() {
    let folder = folder_with(&[("small.toml", SMALL)]);
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/small.toml"), SMALL).unwrap();
    let (code, _, said) = zus(folder.path(), &["check", "small.toml", "a/small.toml"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.starts_with(
            "error: a/small.toml: its name is `small`, as that of small.toml\n  fix: rename one"
        ),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn a_word_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus"));
    let output = command.arg("check").arg(std::ffi::OsStr::from_bytes(b"x\xff.toml")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("error: $'x\\xff.toml': this is no UTF-8\n  fix: "), "{said}");
}

/// A file that is there has another fix than one that is not, and nothing is waited for.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_with_a_fix_of_its_own() {
    let folder = folder_with(&[("small.toml", SMALL)]);
    let (_, report, _) = zus(folder.path(), &["check", "small.toml", "--format", "json"]);
    fs::write(folder.path().join("report.json"), report).unwrap();
    fs::write(folder.path().join("bytes"), b"line\n\xff").unwrap();
    fs::write(folder.path().join("large"), "").unwrap();
    fs::File::options().write(true).open(folder.path().join("large")).unwrap().set_len(1 << 30).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    for (name, said, fix) in [
        ("bytes", "bytes: no UTF-8 at byte 5, in line 2", "save it as UTF-8"),
        ("pipe", "pipe: this is a pipe, a socket or a device, and no file", "name a"),
        ("large", "large: larger than ", "; none that is of use is larger than "),
        ("none", "none: cannot be read: No such file", ", one that is there"),
    ] {
        for reader in READERS {
            let arguments: Vec<&str> =
                reader.iter().map(|word| if *word == "FILE" { name } else { word }).collect();
            let mut command = Command::new("timeout");
            command.args(["30", env!("CARGO_BIN_EXE_zus")]).args(&arguments).current_dir(folder.path());
            let output = command.output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
            assert!(told.starts_with(&format!("error: {said}")), "{arguments:?}: {told}");
            assert!(
                told.split_once("\n  fix: ").is_some_and(|(_, rest)| rest.contains(fix)),
                "{arguments:?}: {told}"
            );
        }
    }
    // A file that is already open is read.
    let script = "\"$0\" check <(cat small.toml) /dev/stdin < report.json";
    let mut command = Command::new("bash");
    let output =
        command.args(["-c", script, env!("CARGO_BIN_EXE_zus")]).current_dir(folder.path()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: /dev/stdin:1: "), "the first is a scenario, the second is none: {told}");
}

#[test]
fn what_is_named_twice_is_refused() {
    let folder = folder_with(&[("small.toml", SMALL), ("figures.json", include_str!("data/figures.json"))]);
    let (code, _, err) = zus(folder.path(), &["check", "small.toml", "--out", "out", "-q"]);
    assert_eq!(code, Some(0), "{err}");
    for (arguments, named) in [
        (&["check", "small.toml", "./small.toml"][..], "./small.toml"),
        (&["check", "amnesia", "small.toml", "amnesia"], "model/scenarios/amnesia.toml"),
        (&["summary", "out", "out/report.json"], "out/report.json"),
        (&["summary", "out", "--baseline", "out"], "out/report.json"),
        (&["summary", "out", "--figures", "figures.json", "--figures", "figures.json"], "figures.json"),
        (
            &["summary", "out", "--figures", "figures.json", "--baseline-figures", "figures.json"],
            "figures.json",
        ),
        (&["report", "page", "--figures", "figures.json", "--figures", "./figures.json"], "./figures.json"),
    ] {
        let (code, _, err) = zus(folder.path(), arguments);
        assert_eq!(
            (code, err),
            (Some(2), format!("error: {named}: named twice\n  fix: name it once\n")),
            "{arguments:?}"
        );
    }
}

/// The error names the line with the mistake, however it looks, and not the line above it.
#[test]
fn a_bad_key_is_named_itself() {
    for (line, field, fix) in [
        ("S99 = \"holds\"", "expect.S99", "use one of"),
        ("colour", "expect.colour", "write a value: KEY = VALUE"),
        ("colour # of nothing", "expect.colour", "write a value: KEY = VALUE"),
        ("\"S 99\" = \"holds\"", "expect.S 99", "use one of"),
        ("'S = 9' = \"holds\"", "expect.S = 9", "use one of"),
        ("S3 = \"maybe\"", "expect.S3", "use one of"),
        ("[rules]\n'colour' = 1", "rules.colour", "use one of"),
    ] {
        let text = format!("{SMALL}{line}\n");
        let folder = folder_with(&[("s.toml", &text)]);
        let (code, _, err) = zus(folder.path(), &["check", "s.toml"]);
        let at = text.lines().count();
        assert!(
            code == Some(2) && err.starts_with(&format!("error: s.toml:{at}: {field}: ")),
            "{line}: {err}"
        );
        assert!(err.contains(&format!("\n  fix: {fix}")), "{line}: {err}");
    }
}

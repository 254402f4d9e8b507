//! The command line, run as a user runs it: exit codes, forms of the report, and what is said about bad input.

use crate::program::zus_in;
use std::{fs, path::Path, process::Output};

/// One honest generator, one subround: nine states.
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

fn zus(arguments: &[&str]) -> Output {
    zus_in(Path::new("."), arguments)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Checks the text of a scenario.
fn check(text: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), text).unwrap();
    zus_in(folder.path(), &[&["check", "s.toml"], more].concat())
}

#[test]
fn all_as_expected_is_0_and_the_last_line_is_a_summary() {
    let output = check(SMALL, &[]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    let last = text.lines().last().unwrap();
    for part in
        ["1 as expected, 0 differ, 0 incomplete", "unique states", "generated", " s, ", "unique/s", "MiB"]
    {
        assert!(last.contains(part), "{part} in {last}");
    }
    assert_eq!(err(&output), "", "nothing but results where standard error is no terminal");
    assert!(text.lines().all(|line| line == line.trim_end()), "nothing trails:\n{text}");
}

#[test]
fn a_scenario_is_one_line_and_what_differs_is_told_with_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let late = "generators = [[\"honest\", \"honest\"]]\n\n[rules]\nticket = \"BetterRank\"";
    fs::write(folder.path().join("good.toml"), SMALL).unwrap();
    fs::write(folder.path().join("bad.toml"), SMALL.replace("generators = [[\"honest\", \"honest\"]]", late))
        .unwrap();
    let check = |more: &[&str]| {
        let output = zus_in(folder.path(), &[&["check", "good.toml", "bad.toml"], more].concat());
        assert_eq!(code(&output), 1);
        out(&output)
    };
    let said = check(&[]);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("ok            good ") && lines[0].ends_with("S2 holds"), "{said}");
    assert!(lines[1].starts_with("DIFFERS       bad ") && lines[1].contains("S2 violated in "), "{said}");
    assert!(said.contains("   1. miner ") && said.contains("   => S2: "), "{said}");
    assert_eq!(said.matches("every state").count(), 1, "of the one that differs: {said}");
    let quiet = check(&["-q"]);
    assert!(quiet.contains("expected holds at bad.toml:13") && !quiet.contains("   1. miner "), "{quiet}");
    let verbose = check(&["-v"]);
    assert!(verbose.contains("every state: 28 unique states"), "{verbose}");
    assert_eq!(code(&zus_in(folder.path(), &["check", "good.toml", "-q", "-v"])), 2);
}

#[test]
fn a_verdict_that_differs_is_1_in_either_direction() {
    let late = "generators = [[\"honest\", \"honest\"]]\n\n[rules]\nticket = \"BetterRank\"";
    let broken = SMALL.replace("generators = [[\"honest\", \"honest\"]]", late);
    let output = check(&broken, &[]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("DIFFERS"));
    assert!(out(&output).contains("expected holds at s.toml:13"), "{}", out(&output));
    assert_eq!(code(&check(&broken.replace("\"holds\"", "\"violated\""), &[])), 0);

    // Where messages arrive before timers, an honest generator's subround does not time out.
    let timely = SMALL.replace("\"async\"", "\"synchronous\"").replace("subrounds = 1", "subrounds = 2");
    for (expected, found) in [("S2 = \"violated\"", "holds"), ("W2 = \"reachable\"", "unreachable")] {
        let output = check(&timely.replace("S2 = \"holds\"", expected), &[]);
        assert_eq!(code(&output), 1, "{expected}");
        assert!(out(&output).contains(found), "{}", out(&output));
    }
    assert_eq!(code(&check(&timely.replace("S2 = \"holds\"", "W2 = \"unreachable\""), &[])), 0);
}

#[test]
fn a_bound_that_is_hit_is_3_and_nothing_is_said_to_hold() {
    for bound in [["--max-states", "5"], ["--max-memory", "1KiB"]] {
        for format in ["text", "json", "markdown", "junit"] {
            let arguments = ["check", "hardened", "-q", "--format", format, bound[0], bound[1]];
            let output = zus(&arguments);
            assert_eq!(code(&output), 3, "{arguments:?}");
            let found_to_hold = match format {
                "text" => out(&output).lines().any(|l| l.split_whitespace().nth(1) == Some("holds")),
                "json" => out(&output).contains("\"found\": \"holds\""),
                "markdown" => {
                    out(&output).contains("found **holds**") || out(&output).contains("| **holds**")
                }
                _ => !out(&output).contains("errors=\"1"),
            };
            assert!(!found_to_hold, "{}", out(&output));
        }
    }
}

#[test]
fn a_violation_that_is_found_before_a_bound_is_hit_stands() {
    let output = zus(&["check", "f_plus_one", "-q", "--max-states", "2000"]);
    assert_eq!(code(&output), 3);
    let text = out(&output);
    assert!(text.lines().any(|l| l.trim_start().starts_with("S2  violated")), "{text}");
    assert!(text.lines().any(|l| l.trim_start().starts_with("S10 unknown")), "{text}");
}

#[test]
fn a_pinned_number_that_differs_is_1_and_one_that_is_not_reached_is_3() {
    let pinned = |states: u32| SMALL.replace("network", &format!("states = {states}\nnetwork"));
    assert_eq!(code(&check(&pinned(28), &[])), 0);
    let output = check(&pinned(29), &[]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("29 unique states are pinned, 28 were found"), "{}", out(&output));
    // All that is expected to be found is found, but the number is open.
    let found = pinned(28).replace("S2 = \"holds\"", "signed = \"reachable\"");
    assert_eq!(code(&check(&found, &["--max-states", "3"])), 3);
}

#[test]
fn the_forms_are_what_they_say() {
    let json = zus(&["check", "late_better_rank", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["format"], "zus-report");
    assert_eq!(report["scenarios"][0]["properties"][0]["found"], "violated");
    assert_eq!(report["scenarios"][0]["properties"][0]["run"]["steps"].as_array().unwrap().len(), 6);

    let xml = out(&zus(&["check", "late_better_rank", "--format", "junit"]));
    assert!(xml.starts_with("<?xml") && xml.contains("failures=\"0\""), "{xml}");

    let markdown = out(&zus(&["check", "late_better_rank", "--format", "markdown"]));
    assert!(
        markdown.contains("| **violated** S2 in 6; **reachable** W3 in 3 | ok | 112 (not all) |"),
        "{markdown}"
    );
    assert!(markdown.contains("```mermaid\nsequenceDiagram\n"), "{markdown}");
}

#[test]
fn out_holds_the_report_in_every_form_and_traces_that_replay() {
    let folder = tempfile::tempdir().unwrap();
    let output = zus_in(folder.path(), &["check", "late_better_rank", "-v", "--out", "out"]);
    assert_eq!(code(&output), 0);
    for name in ["report.txt", "report.json", "report.md", "report.xml"] {
        assert!(folder.path().join("out").join(name).metadata().unwrap().len() > 100, "{name}");
    }
    // The command that the text prints is the one that replays the run.
    let text = out(&output);
    let command = text.lines().find_map(|l| l.trim().strip_prefix("zus replay ")).unwrap();
    let replayed = zus_in(folder.path(), &["replay", command]);
    assert_eq!(code(&replayed), 0, "{}", err(&replayed));
    let said = out(&replayed);
    assert!(said.ends_with("a run of 6 steps, and S2 is violated; the packed model executed it\n"), "{said}");
}

#[test]
fn without_out_the_text_says_how_to_get_the_run_again() {
    let text = out(&zus(&["check", "late_better_rank", "-v"]));
    let command = "zus check late_better_rank --out out; zus replay out/traces/late_better_rank-S2.json";
    assert!(text.contains(command), "{text}");
}

#[test]
fn replay_rejects_a_run_that_is_none_with_1() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&zus_in(folder.path(), &["check", "late_better_rank", "-q", "--out", "out"])), 0);
    let path = folder.path().join("out/traces/late_better_rank-S2.json");
    let text = fs::read_to_string(&path).unwrap();
    let step = text.lines().find(|l| l.contains("\"miner\":1,\"block\":\"B(1,0)#1\"")).unwrap();
    fs::write(&path, text.replace(step, &format!("{step}\n{step}"))).unwrap();
    let output = zus_in(folder.path(), &["replay", "out/traces/late_better_rank-S2.json"]);
    assert_eq!(code(&output), 1);
    let said = out(&output);
    assert!(said.contains("step 3 may not happen"), "{said}");
    assert!(said.contains("the ticket rule allows no further ticket"), "{said}");
}

#[test]
fn replay_reads_the_reason_off_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/late_better_rank-S2.json");
    let mut trace: serde_json::Value = serde_json::from_str(&fs::read_to_string(committed).unwrap()).unwrap();
    trace["claim"]["because"] = "S2: the moon is full".into();
    fs::write(folder.path().join("t.json"), trace.to_string()).unwrap();
    let said = out(&zus_in(folder.path(), &["replay", "t.json"]));
    assert!(said.contains("   => S2: B(1,0)#0 and B(1,0)#1 are both") && !said.contains("moon"), "{said}");
    trace.as_object_mut().unwrap().remove("claim");
    fs::write(folder.path().join("t.json"), trace.to_string()).unwrap();
    assert!(!out(&zus_in(folder.path(), &["replay", "t.json"])).contains("=>"));
}

#[test]
fn simulate_finds_runs_and_prints_the_command_that_finds_them_again() {
    let arguments = ["simulate", "late_better_rank", "--seed", "3", "--runs", "300"];
    let output = zus(&arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    let again = text.lines().find_map(|l| l.trim().strip_prefix("zus ")).unwrap();
    assert!(
        again.starts_with("simulate late_better_rank --seed ") && again.ends_with(" --runs 1"),
        "{again}"
    );
    let words: Vec<&str> = again.split(' ').collect();
    assert!(out(&zus(&words)).contains("S2  violated"), "{again}");
    // A property that a sample does not violate is not said to hold, and a fact that it was to show and did not
    // is not as expected.
    let sampled = zus(&["simulate", "hardened_loss", "-q", "--runs", "1"]);
    assert_eq!(code(&sampled), 3);
    assert!(
        !out(&sampled).lines().any(|l| l.split_whitespace().nth(1) == Some("holds")),
        "{}",
        out(&sampled)
    );
}

#[test]
fn a_sample_that_finds_what_should_hold_violated_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let late = "generators = [[\"honest\", \"honest\"]]\n\n[rules]\nticket = \"BetterRank\"";
    fs::write(folder.path().join("s.toml"), SMALL.replace("generators = [[\"honest\", \"honest\"]]", late))
        .unwrap();
    let output = zus_in(folder.path(), &["simulate", "s.toml", "--runs", "500"]);
    assert_eq!(code(&output), 1, "{}", out(&output));
    assert!(out(&output).contains("zus simulate s.toml --seed "), "{}", out(&output));
}

#[test]
fn mutants_are_killed_one_by_one_or_the_exit_code_says_so() {
    // All of them run in continuous integration; here a bound that none of the larger ones can keep.
    let output = zus(&["check", "--mutants", "-q", "--max-states", "3000"]);
    assert_eq!(code(&output), 3, "{}", out(&output));
    assert!(out(&output).contains("INCOMPLETE"), "{}", out(&output));
    assert!(out(&output).lines().any(|l| l.starts_with("35   S2 ")), "{}", out(&output));
}

/// Mistakes in a scenario: a name, the edit of [`SMALL`] that makes it, and the words of the error: line,
/// field, fix.
const BAD_SCENARIOS: &[(&str, &str, &str, &[&str])] = &[
    (
        "an unknown field",
        "n = 4",
        "colour = 4\nn = 4",
        &["s.toml:3: colour: unknown field", "fix: use one of"],
    ),
    ("a missing field", "n = 4\n", "", &["s.toml:1: scenario: missing field `n`", "fix: add it"]),
    ("no TOML", "n = 4", "n = [", &["s.toml:4: rounds: unexpected `=` in array", "fix: "]),
    ("a value of another kind", "n = 4", "n = \"four\"", &["s.toml:3: n: invalid type", "fix: "]),
    ("a negative size", "n = 4", "n = -4", &["s.toml:3: n: ", "fix: "]),
    ("an unknown profile", "\"hardened\"", "\"hard\"", &["s.toml:2: profile: ", "fix: use `documented`"]),
    (
        "an unknown rule",
        "[expect]",
        "[rules]\nvoting = \"Twice\"\n[expect]",
        &["s.toml:10: rules.voting: unknown field", "fix: use one of `beacon`"],
    ),
    (
        "an unknown value of a rule",
        "[expect]",
        "[rules]\nticket = \"Twice\"\n[expect]",
        &["s.toml:10: rules.ticket: unknown variant `Twice`", "fix: use one of `OncePerSubround`"],
    ),
    (
        "an unknown network",
        "\"async\"",
        "\"fast\"",
        &["s.toml:6: network: unknown variant", "fix: use one of `async`"],
    ),
    (
        "n = 3 with f = 1 claimed",
        "n = 4",
        "n = 3\nf = 1",
        &["s.toml:4: f: n = 3 tolerates", "fix: use f = 0"],
    ),
    ("an f beyond all sizes", "n = 4", "n = 4\nf = 4294967295", &["s.toml:4: f: ", "fix: "]),
    ("nobody", "n = 4", "n = 0", &["s.toml:3: n: ", "fix: use 1 to 63"]),
    ("a committee that is too large", "n = 4", "n = 64", &["s.toml:3: n: ", "fix: use 1 to 63"]),
    ("too many honest miners", "n = 4", "n = 11", &["s.toml:3: n: 8 honest miners", "fix: use at most 7"]),
    ("nobody honest", "n = 4", "n = 4\nbyzantine = 4", &["s.toml:4: byzantine: ", "fix: leave one honest"]),
    (
        "groups that do not add up",
        "n = 4",
        "n = 4\ngroups = [1, 1]",
        &["s.toml:4: groups: ", "fix: let them add up to 3"],
    ),
    (
        "groups whose sum overflows",
        "n = 4",
        "n = 4\ngroups = [4294967295, 4]",
        &["s.toml:4: groups: ", "fix: let them add up to 3"],
    ),
    (
        "a beacon threshold of nobody",
        "n = 4",
        "n = 4\nbeacon_threshold = 0",
        &["s.toml:4: beacon_threshold: ", "fix: use 1 to 4"],
    ),
    (
        "a beacon threshold that nobody reaches",
        "n = 4",
        "n = 4\nbeacon_threshold = 5",
        &["s.toml:4: beacon_threshold: ", "fix: use 1 to 4"],
    ),
    (
        "a threshold by number and by mistake",
        "n = 4",
        "n = 4\nbeacon_threshold = 2\nfault = \"BeaconOfFaultsPlusOne\"",
        &["s.toml:4: beacon_threshold: the mistake in the threshold has no effect", "fix: remove"],
    ),
    (
        "more exposed members than a key generation has",
        "n = 4",
        "n = 4\nexposed = 2",
        &[
            "s.toml:4: exposed: 2 exposed members; a key generation exposes at most f = 1",
            "fix: use at most 1",
        ],
    ),
    (
        "an exposed member of a round with many beacon values",
        "n = 4",
        "n = 4\nexposed = 1\nrules = { beacon = \"Chained\" }",
        &["s.toml:4: exposed: only under `RoundOnly`", "fix: set beacon = \"RoundOnly\""],
    ),
    (
        "an exposed member of a group",
        "n = 4",
        "n = 4\ngroups = [2, 1]\nexposed = 1",
        &["s.toml:5: exposed: a member of a group", "fix: remove `groups` or `exposed`"],
    ),
    (
        "a property of exposed members without one",
        "S2 = \"holds\"",
        "S11 = \"holds\"",
        &["s.toml:10: expect: S11 is about an adversary that has", "fix: set exposed = 1"],
    ),
    (
        "a property of exposed members in the one round whose shares are there from the start",
        "n = 4\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"]]\n\n[expect]\nS2 = \"holds\"",
        "n = 4\nexposed = 1\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"]]\n\n[expect]\nS11 = \"holds\"",
        &["expect: S11 is about a round whose shares", "fix: set rounds = 2 or more, or eager = false"],
    ),
    (
        "a witness of exposed members without one",
        "S2 = \"holds\"",
        "W10 = \"reachable\"",
        &["s.toml:10: expect: W10 is about an adversary that has", "fix: set exposed = 1"],
    ),
    (
        "votes that are missing, where there are none",
        "[expect]\nS2 = \"holds\"",
        "rules = { finality = \"TwoThirds\" }\n[expect]\nW9 = \"reachable\"",
        &["s.toml:11: expect: W9 is about finality votes", "fix: use finality"],
    ),
    ("no round", "rounds = 1\nsub", "rounds = 0\nsub", &["s.toml:4: rounds: ", "fix: use 1 to 6"]),
    ("too many rounds", "rounds = 1\nsub", "rounds = 7\nsub", &["s.toml:4: rounds: ", "fix: use 1 to 6"]),
    ("too many subrounds", "subrounds = 1", "subrounds = 5", &["s.toml:5: subrounds: ", "fix: use 1 to 4"]),
    (
        "more blocks than the bit sets hold",
        "rounds = 1\nsubrounds = 1",
        "rounds = 6\nsubrounds = 4\nbyzantine = 1",
        // Four subrounds of one Byzantine generator with twins fit a round; six such rounds do not fit the state.
        &["rounds: all rounds together can have", "the state has room for 40", "fix: use fewer rounds"],
    ),
    (
        "a subround without a generator",
        "[[\"honest\", \"honest\"]]",
        "[[]]",
        &["s.toml:7: generators: ", "fix: give one list"],
    ),
    (
        "more Byzantine generators than miners",
        "[[\"honest\", \"honest\"]]",
        "[[\"byzantine\", \"byzantine\"]]",
        &["s.toml:7: generators: ", "fix: a miner generates at one rank"],
    ),
    ("three twins", "n = 4", "n = 4\ntwins = 3", &["s.toml:4: twins: ", "fix: use 1 or 2"]),
    ("too many restarts", "n = 4", "n = 4\nrestarts = 16", &["s.toml:4: restarts: ", "fix: use at most 15"]),
    ("three observers", "n = 4", "n = 4\nobservers = 3", &["s.toml:4: observers: ", "fix: use 0"]),
    (
        "a good period that never comes",
        "n = 4",
        "n = 4\nreserved_subrounds = 0\nreserved_rounds = 1",
        &["s.toml:5: reserved_rounds: ", "fix: "],
    ),
    (
        "an order outside the rounds",
        "[expect]",
        "[[order]]\nround = 2\nsubround = 0\nranks = [\"honest\"]\n[expect]",
        &["order: (round, subround) = (2, 0)", "fix: use rounds 1 to 1"],
    ),
    (
        "nothing expected",
        "S2 = \"holds\"",
        "",
        &["expect: nothing is expected", "fix: expect at least one verdict"],
    ),
    (
        "an unknown property",
        "S2 = \"holds\"",
        "S12 = \"holds\"",
        &["s.toml:10: expect", "unknown variant `S12`", "fix: use one of `S1`"],
    ),
    (
        "an unknown verdict",
        "\"holds\"",
        "\"maybe\"",
        &["s.toml:10: expect.S2: unknown variant", "fix: use one of `holds`"],
    ),
    (
        "a witness that holds",
        "S2 = \"holds\"",
        "W1 = \"holds\"",
        &["s.toml:10: expect: W1 cannot be `holds`", "fix: "],
    ),
    (
        "liveness of an asynchronous network",
        "S2 = \"holds\"",
        "L1 = \"holds\"",
        &["s.toml:10: expect: L1 is about a network that becomes synchronous", "fix: "],
    ),
    (
        "a property that the ticket rule makes empty",
        "S2 = \"holds\"",
        "S1 = \"holds\"\n[rules]\nticket = \"BetterOrEqualRank\"",
        &["s.toml:10: expect: S1 says nothing", "fix: expect no S1"],
    ),
    (
        "growth where no round is left to grow",
        "network = \"async\"\ngenerators = [[\"honest\", \"honest\"]]\n\n[expect]\n",
        "network = \"partially_synchronous\"\nreserved_rounds = 0\nreserved_subrounds = 0\ngenerators = [[\"honest\", \"honest\"]]\n\n[expect]\nL2 = \"holds\"\n",
        &["expect: L2 needs a round that only the good period reaches", "fix: set reserved_rounds"],
    ),
    (
        "a claim from miners that act in groups",
        "n = 4",
        "n = 4\ngroups = [2, 1]",
        &["expect: `holds` cannot be claimed from miners that act in groups", "fix: "],
    ),
    (
        "no random run",
        "n = 4",
        "n = 4\nsimulate = 0",
        &["s.toml:4: simulate: 0 random runs", "fix: use 1 to"],
    ),
    ("a pinned sample", "n = 4", "n = 4\nsimulate = 5\nstates = 5", &["s.toml:5: states: ", "fix: "]),
    (
        "explicit messages in a synchronous network",
        "network = \"async\"",
        "network = \"synchronous\"\nreductions = { eager = false }",
        &["s.toml:6: reductions: ", "fix: remove these two"],
    ),
];

#[test]
fn a_bad_scenario_is_2_with_the_line_the_field_and_the_fix() {
    let mut wrong = Vec::new();
    for (what, from, to, said) in BAD_SCENARIOS {
        assert!(SMALL.contains(from), "{what}");
        let mut text = SMALL.replacen(from, to, 1);
        if what.contains("bit sets") {
            text = text.replace("[[\"honest\", \"honest\"]]", "[[\"byzantine\"]]");
        }
        let output = check(&text, &[]);
        let message = err(&output);
        let good = code(&output) == 2
            && message.starts_with("error: s.toml:")
            && said.iter().all(|part| message.contains(part))
            && !message.contains("panicked")
            && out(&output).is_empty();
        if !good {
            wrong.push(format!("{what}, exit code {}: {message}{}", code(&output), out(&output)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unreadable_file_is_2() {
    for (arguments, said, fix) in [
        (["check", "no-such-scenario"], "cannot be read", "fix: name a scenario file"),
        (["check", "."], "this is a folder", "fix: name a scenario file"),
        (["simulate", "no-such-scenario"], "cannot be read", "fix: name a scenario file"),
        (["replay", "no-such-trace.json"], "cannot be read", "fix: name a trace file"),
        (["replay", "."], "this is a folder", "fix: name a trace file"),
    ] {
        let output = zus(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(said) && err(&output).contains(fix), "{}", err(&output));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), [0xff, 0xfe, 0]).unwrap();
    assert_eq!(code(&zus_in(folder.path(), &["check", "s.toml"])), 2);
    fs::write(folder.path().join("s.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    let output = zus_in(folder.path(), &["check", "s.toml"]);
    assert!(code(&output) == 2 && err(&output).contains("larger than"), "{}", err(&output));
}

#[test]
fn a_mistake_in_the_last_scenario_shows_before_the_first_is_explored() {
    let output = zus(&["check", "hardened_3_rounds", "no-such-scenario"]);
    assert_eq!((code(&output), out(&output)), (2, String::new()));
}

#[test]
fn an_output_folder_that_cannot_be_made_is_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let output = zus_in(folder.path(), &["check", "late_better_rank", "--out", "file/out"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("cannot be written") && err(&output).contains("fix: "), "{}", err(&output));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &[][..],
        &["chek"],
        &["check", "--format", "pdf"],
        &["check", "--mutants", "hardened"],
        &["check", "--threads", "0"],
        &["check", "--max-states", "0"],
        &["check", "--max-memory", "12 parsecs"],
        &["check", "--max-memory", "99999999999999999999"],
        &["simulate", "hardened", "--runs", "0"],
        &["simulate"],
        &["replay"],
    ] {
        let output = zus(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(!err(&output).is_empty() && !err(&output).contains("panicked"), "{}", err(&output));
    }
    assert_eq!(code(&zus(&["--help"])), 0);
    assert_eq!(code(&zus(&["--version"])), 0);
}

#[test]
fn a_baseline_shows_what_changed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("s.toml"), SMALL).unwrap();
    assert_eq!(code(&zus_in(at, &["check", "s.toml", "--out", "before", "--quiet"])), 0);
    let same = zus_in(at, &["check", "s.toml", "--baseline", "before/report.json", "--quiet"]);
    assert!(
        out(&same).contains("beside zus check s.toml --out before --quiet: 0 differences"),
        "{}",
        out(&same)
    );
    // The quorum is f + 1, with two generators: S2 breaks, and the instance has other states.
    let broken = SMALL.replace("[[\"honest\", \"honest\"]]", "[[\"honest\", \"honest\", \"honest\"]]");
    fs::write(at.join("s.toml"), broken.replace("network", "fault = \"QuorumOfFaultsPlusOne\"\nnetwork"))
        .unwrap();
    let changed = zus_in(
        at,
        &["check", "s.toml", "--baseline", "before/report.json", "--format", "markdown", "--quiet"],
    );
    assert_eq!(code(&changed), 1);
    let text = out(&changed);
    assert!(text.contains("| s | S2 | holds | **violated in "), "{text}");
    assert!(text.contains("| s | unique states | "), "{text}");
    // One that has been left out is a change as well.
    fs::write(at.join("t.toml"), SMALL).unwrap();
    let other = out(&zus_in(at, &["check", "t.toml", "--baseline", "before/report.json", "--quiet"]));
    assert!(other.contains("s  S2: holds -> (none)") && other.contains("t  S2: (none) -> holds"), "{other}");
    let refused = zus_in(at, &["check", "s.toml", "--baseline", "s.toml"]);
    assert_eq!(code(&refused), 2);
}

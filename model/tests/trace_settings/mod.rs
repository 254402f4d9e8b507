//! Settings of a trace and what they change, as `settings.rs` has them of a scenario: every field of the format, toggled,
//! leads to another instance, or to an error that names it; and what a scenario refuses as idle, a trace does not have.

mod table;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use zus_checker::{
    fault::Fault,
    scenario::{Change, parse, parse_with},
    search::{
        bfs::Limits,
        run::named,
        trial::{Behaviour, behaviour, effects, effects_of_run},
    },
    trace::{Producer, Trace, TraceError},
};

use table::{
    Edits,
    Toggle::{Changes, Says},
    base, edited, fields, honest, place, with,
};

fn read(trace: &Value) -> Result<Trace, TraceError> {
    Trace::from_json("t.json", &format!("{trace:#}"))
}

fn of(edits: Edits) -> Option<Behaviour> {
    let trace = read(&edited(edits)).unwrap_or_else(|error| panic!("{error}"));
    behaviour(&trace.protocol)
}

/// The fields that an object has: the parser names them when it meets one that it does not know.
fn known(object: &str) -> BTreeSet<String> {
    let mut trace = base();
    trace.pointer_mut(object).unwrap()["colour"] = json!(1);
    let error = read(&trace).unwrap_err().to_string();
    let known = error.split(", expected ").nth(1).unwrap_or_else(|| panic!("{object}: {error}"));
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_field_of_a_trace_changes_something_or_is_refused() {
    read(&base()).unwrap_or_else(|error| panic!("{error}"));
    let rows = fields();
    let objects: BTreeSet<&str> = rows.iter().map(|(object, ..)| *object).collect();
    for object in objects {
        let listed = rows.iter().filter(|row| row.0 == object).map(|row| row.1.to_owned()).collect();
        assert_eq!(
            known(object),
            listed,
            "{object}: a field of the format has no row here, or a row no field"
        );
    }
    for (object, field, toggle, refused, said) in rows {
        let error = read(&edited(refused)).expect_err(field).to_string();
        assert!(error.starts_with("t.json:") && error.contains("\n  fix: "), "{object}/{field}: {error}");
        assert!(error.contains(said), "{object}/{field}: {said:?} in {error}");
        let left_out = ["fault", "exposed", "restarts_behind"].contains(&field);
        assert!(left_out || !error.contains("remove it"), "{object}/{field} must be there: {error}");
        match toggle {
            Changes(before, after) => {
                let [before, after] = [before, after].map(of);
                assert!(before.is_some() || after.is_some(), "{object}/{field}: both are too large");
                assert_ne!(before, after, "{object}/{field} changes nothing");
            }
            Says(why) => assert!(!why.is_empty()),
        }
    }
}

/// More that no run of the instance can use: other fields' rows have one each.
#[test]
fn what_cannot_matter_in_any_run_is_refused() {
    let fault = |fault: &str| ("/instance/fault", json!(fault));
    for (edits, said) in [
        (
            with(
                honest(2, 1),
                &[("/instance/exposed", json!(1)), ("/instance/rules/beacon", json!("Chained"))],
            ),
            "instance.exposed: only under `RoundOnly`",
        ),
        (
            with(honest(2, 1), &[("/instance/beacon_threshold", json!(4)), ("/instance/honest", json!([3]))]),
            "instance.beacon_threshold: it changes nothing: one honest share",
        ),
        (
            vec![fault("BeaconOfFaultsPlusOne")],
            "instance.beacon_threshold: it changes nothing: the mistake in the threshold has no effect beside",
        ),
        (
            vec![fault("BeaconOfFaultsPlusOne"), ("/instance/beacon_threshold", json!(2))],
            "instance.fault: it changes nothing: all shares of the first round",
        ),
        (
            vec![fault("SeedFromProposal"), ("/instance/rules/beacon", json!("Chained"))],
            "instance.fault: it changes nothing: it is a mistake of a beacon that is not chained\n  fix: set beacon = \"RoundOnly\" \
             in `rules`",
        ),
        (vec![fault("OwnSubroundOnly")], "instance.fault: it changes nothing: no subround is entered"),
        (
            with(
                honest(2, 2),
                &[
                    ("/instance/network", json!("partially_synchronous")),
                    ("/instance/blocks", json!([place(1, 0, 0, 0, "honest"), place(2, 0, 0, 0, "honest")])),
                ],
            ),
            "instance.blocks: (1, 1) has no generator",
        ),
        (
            with(honest(2, 1), &[("/instance/blocks", json!([place(2, 0, 0, 0, "honest")]))]),
            "instance.blocks: (1, 0) has no generator",
        ),
    ] {
        let error = read(&edited(edits)).expect_err(said).to_string();
        assert!(error.contains(said), "{said:?} in {error}");
    }
    // Settings that this run does not use, and another one could: a subround that nobody was in, a restart, the
    // last round.
    let could = [
        with(honest(2, 1), &[("/instance/subrounds", json!(2)), ("/instance/restarts", json!(2))]),
        with(honest(2, 1), &[("/instance/rounds", json!(3))]),
        vec![fault("ProposesTwice")],
    ];
    for edits in could {
        read(&edited(edits)).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Settings that no argument covers are tried, as for a scenario.
#[test]
fn a_setting_without_which_a_small_instance_does_the_same_is_refused() {
    let tried = |edits: Edits| {
        let text = format!("{:#}", edited(edits));
        let trace = Trace::from_json("t.json", &text).unwrap_or_else(|error| panic!("{error}"));
        effects_of_run("t.json", &text, &trace).map_err(|error| error.to_string())
    };
    let synchronous = ("/instance/network", json!("synchronous"));
    let error =
        tried(with(honest(2, 1), &[synchronous, ("/instance/beacon_threshold", json!(2))])).unwrap_err();
    let said = "instance.beacon_threshold: it changes nothing: without it as many states are reached (";
    assert!(error.contains(said) && error.contains("\n  fix: write its usual value"), "{error}");
    let line = error.split(':').nth(1).unwrap().parse::<usize>().unwrap();
    let text = format!("{:#}", edited(honest(2, 1)));
    assert!(text.lines().nth(line - 1).unwrap().contains("beacon_threshold"), "{error}");
    assert_eq!(tried(with(honest(2, 1), &[("/instance/beacon_threshold", json!(4))])), Ok(()));
    assert_eq!(tried(vec![]), Ok(()));
}

#[test]
fn every_answer_to_a_question_is_read() {
    let rules = base().pointer("/instance/rules").unwrap().clone();
    assert_eq!(known("/instance/rules"), rules.as_object().unwrap().keys().cloned().collect());
    for (question, answer) in rules.as_object().unwrap() {
        let at = format!("/instance/rules/{question}");
        let mut wrong = base();
        *wrong.pointer_mut(&at).unwrap() = json!("?");
        let error = read(&wrong).unwrap_err().to_string();
        let answers = error.split(", expected ").nth(1).unwrap_or_else(|| panic!("{error}"));
        let own = read(&base()).unwrap().protocol.rules;
        for other in answers.split('`').skip(1).step_by(2).filter(|other| json!(other) != *answer) {
            let mut trace = base();
            let given =
                if other == "CommonAncestor" { json!({ other: { "depth": 1 } }) } else { json!(other) };
            *trace.pointer_mut(&at).unwrap() = given;
            let rules =
                read(&trace).unwrap_or_else(|error| panic!("{question} = {other}: {error}")).protocol.rules;
            assert_ne!(rules, own, "{question} = {other}");
        }
    }
}

/// Small instances in which settings can matter, or cannot.
const GROUNDS: &[&str] = &[
    "byzantine = 1\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
    "byzantine = 0\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\nobservers = 1\ngenerators = [[\"honest\"]]",
    "byzantine = 1\nrounds = 2\nsubrounds = 2\nrestarts = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 2\nreserved_rounds = 0\nnetwork = \"partially_synchronous\"\ngenerators = [[\"byzantine\"], [\"honest\"]]",
    "byzantine = 0\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
    "byzantine = 3\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
    "byzantine = 1\nrounds = 2\nsubrounds = 1\nnetwork = \"synchronous\"\ngenerators = [[\"honest\", \"honest\"]]",
    "byzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"synchronous\"\ngenerators = [[\"honest\"]]",
];

/// Settings that mean the same in a scenario and in a trace, each with all its values. Which reductions are usual is not the same
/// for the last three.
fn settings() -> Vec<String> {
    let lines: [(&str, &[&str]); 9] = [
        ("beacon_threshold", &["1", "2", "3", "4"]),
        ("exposed", &["1"]),
        ("observers", &["1", "2"]),
        ("restarts", &["1"]),
        ("restarts_behind", &["true"]),
        ("reserved_rounds", &["0", "1"]),
        ("reserved_subrounds", &["0", "1"]),
        ("outsider", &["true"]),
        ("reductions", &["{ byzantine_available = false }", "{ eager = false }"]),
    ];
    let written = |(key, values): &(&str, &[&str])| {
        values.iter().map(|value| format!("{key} = {value}")).collect::<Vec<_>>()
    };
    let faults = Fault::ALL.into_iter().map(|fault| format!("fault = \"{fault:?}\""));
    lines.iter().flat_map(written).chain(faults).collect()
}

/// One judge: a setting that a scenario refuses, the trace of a run of the same instance refuses in the same words.
#[test]
fn a_trace_refuses_the_settings_that_a_scenario_refuses() {
    let (mut refused, mut taken, mut wrong) = (0, 0, Vec::new());
    let why = |error: String| {
        let (_, why) = error.split_once(": it changes nothing: ").unwrap_or_else(|| panic!("{error}"));
        why.replace("[rules]", "`rules`")
            .replace("[reductions]", "`reductions`")
            .split("\n")
            .next()
            .unwrap()
            .to_owned()
    };
    for ground in GROUNDS {
        for setting in settings() {
            let text = format!(
                "{setting}\nquestion = \"?\"\nprofile = \"hardened\"\nn = 4\n{ground}\n[expect]\nfinal = \"reachable\"\n"
            );
            let change = Change { lenient: true, ..Change::default() };
            let Ok(lenient) = parse_with("s", "s.toml", &text, &change) else { continue };
            let strict = parse("s", "s.toml", &text)
                .and_then(|mut scenario| effects(&mut scenario, Limits::default(), &|_, _| {}));
            let producer = Producer { tool: "a test".into(), command: None, seed: None };
            let trace =
                Trace::of_run(producer, None, None, &named(&lenient.protocol), &[]).unwrap().to_json();
            let tried = |trace: &Trace, text: &str| effects_of_run("t.json", text, trace);
            let tried = Trace::from_json("t.json", &trace).and_then(|read| tried(&read, &trace));
            let of_trace = tried.err().map(|error| why(error.to_string()));
            let of_scenario = strict.err().map(|error| why(error.to_string()));
            if of_scenario.is_some() {
                refused += 1
            } else {
                taken += 1
            }
            if of_trace != of_scenario {
                wrong.push(format!(
                    "{setting} in {}:\n  scenario: {of_scenario:?}\n  trace: {of_trace:?}",
                    ground.replace('\n', ", ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 40 && taken > 40, "{refused} refused, {taken} taken");
}

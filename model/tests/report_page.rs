//! The page of `zus report`: every verdict that has a run opens it, what is missing is said, and names stay text.

use std::{fs, path::Path, process::Command};
use zus_checker::{
    properties::Property,
    scenario::Overrides,
    search::{
        bfs::Limits,
        check::{Found, Options},
    },
    trace::Trace,
};
use zus_report::{
    Report, RunReport, ScenarioReport, Summary,
    page::{
        self, Part, Parts,
        figures::{self, Figures, Plot, Series, Table, Value},
        ledger::Ledger,
        matrix,
    },
};

const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

fn options(states: u64) -> Options<'static> {
    let limits = Limits { states, ..Limits::default() };
    Options { limits, command: "cargo test", progress: &|_| {} }
}

#[test]
fn every_cell_of_the_matrix_is_a_scenario_of_its_own() {
    let cells = matrix::cells();
    let columns = matrix::columns().count();
    assert_eq!(cells.len() % columns, 0);
    let mut names: Vec<&str> = cells.iter().map(|c| c.scenario.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cells.len());
    for cell in &cells {
        let scenario = cell.scenario("cell.toml").unwrap_or_else(|error| panic!("{error}"));
        assert!(scenario.expect.iter().any(|e| e.property == Property::S5), "{}", cell.scenario);
        // Its rule is in force, whether it changes anything there or not.
        let rule =
            cell.text.split("\n[rules]\n").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let protocol = &scenario.protocol;
        let own: Overrides = toml::from_str(rule).unwrap();
        assert_eq!(own.over(protocol.rules), protocol.rules, "{}", cell.scenario);
        let mistake = protocol.fault.map(|fault| format!("\nfault = \"{fault:?}\"\n"));
        assert_eq!(mistake.is_some(), cell.text.contains("\nfault = "), "{}", cell.scenario);
        assert!(mistake.is_none_or(|mistake| cell.text.contains(&mistake)), "{}", cell.scenario);
    }
}

fn explored(name: &str, states: u64) -> ScenarioReport {
    let cell = matrix::cells().into_iter().find(|c| c.scenario == name).unwrap();
    ScenarioReport::new(&matrix::explore(&cell.scenario("cell.toml").unwrap(), options(states)))
}

#[test]
fn cells_say_what_is_so() {
    let found = |report: &ScenarioReport, property| {
        report.properties.iter().find(|p| p.property == property).unwrap().found
    };
    let fork = explored("finality-two-thirds-too-many-async", 10_000);
    assert_eq!(found(&fork, Property::S5), Found::Violated);
    assert_eq!(found(&fork, Property::S8), Found::Holds);
    let held = explored("hardened-partially-synchronous", 10_000);
    assert!(held.properties.iter().all(|p| p.found == Found::Holds), "{held:?}");
    assert!(held.properties.iter().any(|p| p.property == Property::L1));
    // A ticket that waits to be sent beside one of an earlier subround: a run has to be found again by name.
    let restarted = explored("finality-two-thirds-restart-async", 100_000);
    assert_eq!(found(&restarted, Property::S5), Found::Violated);
    for p in &restarted.properties {
        assert!(p.fault.is_none() && (p.found != Found::Violated || p.run.is_some()), "{p:?}");
    }
    // A bound is never a proof.
    let bounded = explored("hardened-byzantine-async", 500);
    assert!(bounded.properties.iter().all(|p| p.found == Found::Unknown));
}

fn parts() -> Parts {
    let report = |scenarios| Report {
        format: "zus-report".into(),
        version: 1,
        tool: HOSTILE.into(),
        command: HOSTILE.into(),
        scenarios,
        mutants: Vec::new(),
        summary: Summary::default(),
        compared: None,
        error: None,
    };
    let mut scenario = explored("finality-two-thirds-too-many-async", 10_000);
    scenario.question = HOSTILE.into();
    scenario.path = HOSTILE.into();
    for p in &mut scenario.properties {
        p.text = HOSTILE.into();
        if let Some(run) = &mut p.run {
            run.because = HOSTILE.into();
        }
    }
    let mut named = scenario.clone();
    named.name = HOSTILE.into();
    let part = |report| Part { report, traces: "nowhere".into(), command: HOSTILE.into() };
    let text = HOSTILE.to_owned();
    let series = Series {
        name: text.clone(),
        points: vec![(1.0, 2.0), (f64::NAN, 1.0), (3.0, f64::INFINITY), (10.0, 0.0)],
    };
    let plot = Plot {
        title: text.clone(),
        command: text.clone(),
        x: text.clone(),
        y: text.clone(),
        log_x: true,
        log_y: true,
        series: vec![series],
    };
    let table = Table {
        title: text.clone(),
        columns: vec![text.clone()],
        rows: vec![vec![text.clone()], Vec::new()],
        command: text.clone(),
        notes: vec![text.clone()],
    };
    let value = Value {
        name: text.clone(),
        unit: text.clone(),
        value: 2.0,
        before: Some(1.0),
        tolerance_percent: 1.0,
    };
    let quoted = toml::Value::String(text.clone()).to_string();
    Parts {
        command: text.clone(),
        matrix: Some((part(report(vec![scenario])), matrix::cells())),
        check: Some(part(report(vec![named]))),
        mutants: Some(part(report(Vec::new()))),
        ledger: Some(Ledger::parse(&format!("[S1]\nclass = {quoted}\nsays = {quoted}\nproof = [{quoted}]\nmodel = {quoted}\nfuzz = [{quoted}]\n")).unwrap()),
        figures: vec![Figures {
            format: figures::FORMAT.into(),
            version: figures::VERSION,
            title: text.clone(),
            command: text.clone(),
            machine: text.clone(),
            date: text.clone(),
            notes: vec![text.clone()],
            attention: vec![text],
            values: vec![value],
            tables: vec![table],
            plots: vec![plot],
        }],
        committed: Vec::new(),
    }
}

#[test]
fn what_is_read_is_text_on_the_page() {
    let page = page::write(&parts());
    assert!(page.matches("&lt;img src=x onerror").count() >= 20, "it is all there");
    assert!(!page.contains("<img") && !page.contains("alert(1)</script>"));
    assert_eq!(page.matches("<script").count(), 2, "the viewer, and what opens runs; no trace could be read");
    assert!(!page.contains("NaN") && !page.contains("inf"), "points without a place are left out");
}

#[test]
fn what_is_missing_is_said_with_the_command_that_makes_it() {
    let page = page::write(&Parts::default());
    for section in ["Safety matrix", "Scenarios", "Mutants", "Ledger", "Figures"] {
        let after = page.split(&format!("<h2>{section}</h2>")).nth(1).unwrap_or_else(|| panic!("{section}"));
        assert!(after.starts_with("<p class=\"missing\">Not measured here. Run <code>zus "), "{section}");
    }
}

/// The whole command, with what `zus check` wrote before.
#[test]
fn a_report_is_made_from_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let zus = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    assert!(zus(&["check", "late_better_rank", "--out", "out/check", "--quiet"]).status.success());
    // The other two parts are empty, not missing, or they would be made.
    let text = fs::read_to_string(folder.path().join("out/check/report.json")).unwrap();
    let mut empty: Report = serde_json::from_str(&text).unwrap();
    empty.scenarios.clear();
    for part in ["mutants", "matrix"] {
        fs::create_dir_all(folder.path().join("out").join(part)).unwrap();
        fs::write(folder.path().join("out").join(part).join("report.json"), empty.to_json()).unwrap();
    }
    let made = zus(&["report", "out", "--reuse", "--quiet"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let page = fs::read_to_string(folder.path().join("out/index.html")).unwrap();
    for id in ["run-1", "run-2"] {
        assert!(
            page.contains(&format!("data-run=\"{id}\"")) && page.contains(&format!("id=\"{id}\"")),
            "{id}"
        );
    }
    assert!(page.contains("S2 in 6") && page.contains("zus check late_better_rank"));
    // A file that is none is named.
    fs::write(folder.path().join("f.json"), "{}").unwrap();
    let refused = zus(&["report", "out", "--reuse", "--figures", "f.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("f.json: missing field"));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs/ledger.toml").is_file());
    // One that is to be used again is read before the others are made.
    fs::create_dir_all(folder.path().join("new/mutants")).unwrap();
    fs::write(folder.path().join("new/mutants/report.json"), "{}").unwrap();
    let refused = zus(&["report", "new", "--reuse"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("new/mutants/report.json: missing field"));
    assert!(!folder.path().join("new/check/report.json").exists(), "nothing was made before");
}

#[test]
fn the_committed_ledger_can_be_read() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs/ledger.toml")).unwrap();
    let ledger = Ledger::parse(&text).unwrap();
    for property in Property::ALL {
        assert!(ledger.rows.contains_key(property.id()), "{}", property.id());
    }
}

#[test]
fn the_example_of_figures_is_shown_and_what_cannot_be_shown_is_refused() {
    let text = include_str!("data/figures.json");
    let figures = Figures::parse(text).unwrap();
    let page = page::write(&Parts { committed: vec![figures.clone()], ..Parts::default() });
    for shown in [
        "measured before, not in this run",
        "2026-11-25",
        "mutant ForgetEarlyTickets survives",
        "1,578,864",
        "+5.26 %",
        "cargo bench -p zus-benches -- ratios --format json</code>",
        "cargo bench -p zus-benches -- ratios</code>",
        "<polyline",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    // Figures that are given replace committed ones of the same title.
    let given = Figures { machine: "another".into(), ..figures.clone() };
    let page = page::write(&Parts { committed: vec![figures], figures: vec![given], ..Parts::default() });
    assert!(page.contains("another") && !page.contains("measured before"));
    for (what, by, why) in [
        ("\"zus-figures\"", "\"other\"", "not \"zus-figures\""),
        ("\"version\": 1", "\"version\": 2", "version 2"),
        ("\"title\": \"An example\"", "\"title\": \" \"", "`title` and `command`"),
        ("\"4.58\"]", "\"4.58\", \"\"]", "row 2: 4 cells, 3 columns"),
        ("\"notes\": [\"in", "\"note\": [\"in", "unknown field `note`"),
        ("\"value\": 1578864", "\"value\": -1", "not below zero"),
        ("[{ \"name\": \"ours\", \"points\": [[4, 4900], [100, 82154], [1000, 202063]] }]", "[]", "0 series"),
    ] {
        assert!(text.contains(what), "{what}");
        let refused = Figures::parse(&text.replacen(what, by, 1)).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let nothing = r#"{"format":"zus-figures","version":1,"title":"t","command":"c"}"#;
    assert!(Figures::parse(nothing).unwrap_err().contains("nothing would be shown"));
}

#[test]
fn the_committed_figures_can_be_read() {
    for (path, figures) in zus_report::page::figures::committed() {
        let figures = figures.unwrap_or_else(|why| panic!("{path}: {why}"));
        assert!(!figures.date.is_empty() && !figures.machine.is_empty(), "{path} says when and where");
    }
}

/// The cells of `deployed` are too small for its fork, which the headline tells: the row says it, and a cell says of what it
/// does not know.
#[test]
fn a_row_says_what_breaks_beyond_its_cells_and_a_cell_what_is_not_known() {
    let cell = explored("deployed-byzantine-async", 10_000);
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/deployed_fork-S5.json");
    let run = RunReport::new(&Trace::load(&trace).unwrap());
    // The result that `zus check deployed_fork` finds in a few seconds.
    let mut fork = ScenarioReport { name: "deployed_fork".into(), ..cell.clone() };
    fork.properties.retain(|p| p.property == Property::S5);
    for p in &mut fork.properties {
        assert_ne!(p.found, Found::Violated, "the cell has no such fork");
        (p.found, p.run) = (Found::Violated, Some(run.clone()));
    }
    let report = |scenarios| Report { scenarios, ..parts().check.unwrap().report };
    let part = |scenarios| Part { report: report(scenarios), traces: "nowhere".into(), command: "c".into() };
    let page = |check| {
        page::write(&Parts {
            matrix: Some((part(vec![cell.clone()]), matrix::cells())),
            check: Some(part(check)),
            ..Parts::default()
        })
    };
    let row = |page: &str| {
        let from = page.find("<th scope=\"row\">deployed").unwrap();
        page[from..].split("</tr>").next().unwrap().to_owned()
    };
    let with = row(&page(vec![fork]));
    assert!(with.contains("S5 in 24") && with.contains("(deployed_fork)"), "{with}");
    assert!(!row(&page(Vec::new())).contains("S5 in"), "the control");
    if cell.properties.iter().any(|p| p.found == Found::Unknown) {
        assert!(with.contains("not known: "), "{with}");
    }
}

//! `zus epochs`: lines, changed rules, errors, drawings.

use crate::program::{text, zus_in};
use std::path::Path;

fn zus(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = zus_in(Path::new("."), arguments);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn an_instance_is_a_line_and_its_properties() {
    let (code, out, _) = zus(&["epochs", "three_epochs", "--quiet"]);
    assert_eq!(code, Some(0), "{out}");
    let first = out.lines().next().unwrap();
    assert!(first.starts_with("ok ") && first.contains(" three_epochs "), "{first}");
    assert!(first.contains(" 3,114 states ") && first.ends_with(" 6 hold, 2 reachable"), "{first}");
    assert!(out.contains("E1              holds"), "{out}");
}

#[test]
fn a_changed_rule_breaks_with_the_shortest_run_in_sentences() {
    let asked = ["epochs", "three_epochs", "--rules", "handoff_proof=AnyTickets"];
    let (code, out, _) = zus(&asked);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.starts_with("DIFFERS "), "{out}");
    assert!(
        out.contains("with handoff_proof=AnyTickets") && out.contains("E7 is violated (1 steps):"),
        "{out}"
    );
    assert!(out.contains("takes a record that the adversary made up and enters epoch 1 above b."), "{out}");
    let json = [&asked[..], &["--format", "json"]].concat();
    let report = |arguments: &[&str]| -> serde_json::Value {
        let mut report: serde_json::Value = serde_json::from_str(&zus(arguments).1).unwrap();
        report["instances"][0]["seconds"].take();
        report
    };
    let found = report(&json);
    assert_eq!(found["instances"][0]["standing"], "DIFFERS");
    let properties = found["instances"][0]["properties"].as_array().unwrap();
    let e7 = properties.iter().find(|property| property["id"] == "E7").unwrap();
    assert_eq!((&e7["found"], e7["run"].as_array().unwrap().len()), (&"violated".into(), 1));
    assert_eq!(found, report(&json), "the same again");
}

/// The control: a change that the instance does not notice is as expected.
#[test]
fn a_changed_rule_that_breaks_nothing_is_as_expected() {
    let (code, out, _) = zus(&["epochs", "three_epochs", "--rules", "tail=Normal", "--quiet"]);
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn a_search_that_is_cut_says_so() {
    let (code, out, _) = zus(&["epochs", "three_epochs", "--quiet", "--max-states", "100"]);
    assert_eq!(code, Some(3), "{out}");
    let first = out.lines().next().unwrap();
    assert!(
        first.starts_with("INCOMPLETE ") && first.contains(" unknown") && !first.contains(" hold"),
        "{out}"
    );
    assert!(!out.contains("E1              holds"), "{out}");
}

#[test]
fn bad_names_are_refused_with_the_fix() {
    let refused = |arguments: &[&str], why: &str, fix: &str| {
        let (code, _, error) = zus(&[&["epochs"], arguments].concat());
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(why) && error.contains(&format!("fix: {fix}")), "{error}");
    };
    refused(&["nothing"], "no instance `nothing`", "use one of boundary_deployed, ");
    refused(&["three_epochs", "--rules", "x=y"], "no rule `x`", "use one of epoch_source, ");
    refused(&["three_epochs", "--rules", "tail"], "`tail` changes no rule", "write rule=Value");
    refused(&["three_epochs", "--rules", "tail=Full"], "no value `Full`", "use one of Empty, Normal");
    refused(&["three_epochs", "--rules", "tail=Empty:1"], "has a number", "write a number from 0 to 255");
    refused(&["three_epochs", "--fault", "X"], "no fault `X`", "use one of RecordBeforeUnchecked, ");
    refused(&["boundary_mended", "--fault", "X"], "has no faults", "change a rule with --rules");
    refused(&["three_epochs", "--out", "run.png"], "says no form", "end it with .svg");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.svg");
    let out = out.to_str().unwrap();
    refused(&["three_epochs", "--out", out], "no run to draw", "name a property");
    refused(&["keys_registering", "--rules", "ready=None", "--out", out], "not drawn", "leave --out away");
}

/// The drawing of a handover has the lanes of both committees, the closing block, the tail, the certificate, and who enters.
#[test]
fn a_run_across_the_boundary_shows_both_committees() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = |name: &str, arguments: &[&str]| {
        let path = folder.path().join(name);
        let out = ["--quiet", "--out", path.to_str().unwrap()];
        let (_, out, error) = zus(&[&["epochs"], arguments, &out].concat());
        std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{why}: {out}{error}"))
    };
    let change = ["disjoint_second", "--rules", "finality_cap=None", "--property", "E3"];
    let drawing = drawn("cap.svg", &change);
    for part in [
        ">leaves<",
        ">joins<",
        ">closing<",
        ">tail<",
        ">epoch 1<",
        "glyph handoff",
        "glyph enter_epoch",
        ">in epoch 1<",
        "block finalized next",
    ] {
        assert!(drawing.contains(part), "{part}");
    }
    let width: i32 = drawing.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    assert!(width <= 560, "{width} pixels are wide for a screen of 390");
    assert!(drawn("cap.html", &change).contains("class=\"committee joins\""));
    assert_eq!(drawing, drawn("again.svg", &change));
    let split = drawn("split.svg", &["boundary_immediate"]);
    assert!(split.contains(">has the record under A<") && split.contains(">SR - 1<"), "{split}");
}

/// The committed figures are those that the command draws.
#[test]
fn the_figures_of_the_page_are_current() {
    let folder = tempfile::tempdir().unwrap();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
    let figures: [(&str, &[&str]); 2] = [
        ("handover.svg", &["one_exchanged_second", "--rules", "finality_cap=None", "--property", "E3"]),
        ("boundary_split.svg", &["boundary_immediate"]),
    ];
    for (name, arguments) in figures {
        let path = folder.path().join(name);
        zus(&[&["epochs"], arguments, &["--quiet", "--out", path.to_str().unwrap()]].concat());
        let drawn = std::fs::read_to_string(&path).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(pages.join(name), &drawn).unwrap();
        }
        let found = std::fs::read_to_string(pages.join(name)).unwrap_or_default();
        let command = arguments.join(" ");
        assert!(found == drawn, "{name} is not current: zus epochs {command} --out model/pages/{name}");
    }
}

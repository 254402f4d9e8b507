//! The forms of a report: JSON as its published schema has it, SARIF as its own schema has it, and all others made from
//! the same data.

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use zus_checker::{properties::Property, search::check::Found};
use zus_report::mutants::MutantResult;
use zus_report::{
    Report, junit, markdown, page::figures::Figures, sarif, schema, summary::proofs::Proofs, text,
};

/// A scenario with a violation that is expected, one that is not, an unexpected number of states, a bound.
const SCENARIO: &str = r#"question = "?"
profile = "hardened"
n = 4
rounds = 1
subrounds = 1
states = 10
network = "async"
generators = [["honest", "honest"]]

[rules]
ticket = "BetterRank"

[expect]
S2 = "holds"
S8 = "holds"
W3 = "reachable"
"#;

struct Made {
    folder: tempfile::TempDir,
    report: Report,
}

impl Made {
    /// The files that `zus check` writes for these arguments.
    fn of(arguments: &[&str]) -> Made {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bad name.toml"), SCENARIO).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zus"));
        command.arg("check").args(arguments).args(["--quiet", "--out", "out"]).current_dir(folder.path());
        assert!(command.output().unwrap().status.code().is_some_and(|code| code != 2));
        let report = serde_json::from_str(&read(folder.path(), "report.json")).unwrap();
        Made { folder, report }
    }

    fn file(&self, name: &str) -> String {
        read(self.folder.path(), name)
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("out").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases() -> Vec<Made> {
    vec![
        Made::of(&["bad name.toml", "late_better_rank"]),
        Made::of(&["hardened", "--max-states", "500"]),
        Made::of(&["hardened_n7_deep"]),
    ]
}

fn validator(schema: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

fn problems(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

/// A report of mutants, one of which survives.
fn with_mutants(report: &Report) -> Report {
    let run = report.scenarios[0].properties[0].run.clone();
    let mutant = |id: &str, standing| MutantResult {
        id: id.into(),
        name: "the equal-rank twin is ticketed too".into(),
        evidence: "#697".into(),
        scenario: "one_round".into(),
        property: Property::S2,
        found: Found::Holds,
        baseline: Found::Holds,
        others: vec![Property::S10],
        standing,
        why: Some("S2 holds under the changed rule".into()),
        unique: 9,
        generated: 12,
        seconds: 0.5,
        run: run.clone(),
    };
    let mut report = report.clone();
    report.mutants = vec![mutant("35", report.scenarios[0].standing), mutant("4a", Default::default())];
    report.summarize(1.0, 0);
    report
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for (name, of) in
        [("report", schema::report()), ("figures", schema::figures()), ("proofs", schema::proofs())]
    {
        let path = folder.join(format!("{name}.schema.json"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &of).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == of,
            "{name}: write it again with UPDATE=1 cargo test -p zus-model --test all forms"
        );
    }
}

/// Breaks a report.
type Break<'a> = &'a dyn Fn(&mut Value);

#[test]
fn every_report_is_as_the_schema_says_and_a_broken_one_is_not() {
    let schema = validator(&schema::report());
    let made = cases();
    for case in &made {
        let report: Value = serde_json::from_str(&case.file("report.json")).unwrap();
        assert_eq!(problems(&schema, &report), Vec::<String>::new());
    }
    let mutants = serde_json::to_value(with_mutants(&made[0].report)).unwrap();
    assert_eq!(problems(&schema, &mutants), Vec::<String>::new());
    let breaks: [(&str, Break<'_>); 7] = [
        ("another format", &|r| r["format"] = json!("other")),
        ("another version", &|r| r["version"] = json!(2)),
        ("no scenarios", &|r| drop(r.as_object_mut().unwrap().remove("scenarios"))),
        ("no such property", &|r| r["scenarios"][0]["properties"][0]["property"] = json!("S99")),
        ("no such verdict", &|r| r["scenarios"][0]["properties"][0]["found"] = json!("perhaps")),
        ("a number as text", &|r| r["scenarios"][0]["unique"] = json!("9")),
        ("a step without words", &|r| {
            drop(
                r["scenarios"][0]["properties"][0]["run"]["steps"][0].as_object_mut().unwrap().remove("says"),
            );
        }),
    ];
    for (what, break_it) in breaks {
        let mut broken = mutants.clone();
        break_it(&mut broken);
        assert!(!problems(&schema, &broken).is_empty(), "{what}");
    }
}

#[test]
fn figures_and_proofs_have_schemas_too() {
    let figures = include_str!("data/figures.json");
    assert!(Figures::parse(figures).is_ok());
    let (schema, value) = (validator(&schema::figures()), serde_json::from_str::<Value>(figures).unwrap());
    assert_eq!(problems(&schema, &value), Vec::<String>::new());
    let mut broken = value;
    broken["plots"][0]["series"][0]["points"][0] = json!([1]);
    assert!(!problems(&schema, &broken).is_empty());
    let proofs = json!({ "format": "zus-proofs", "version": 1, "command": "zus-proofs check", "rules": "hardened",
        "conditions": [{ "id": "implied:S5", "outcome": "holds" }], "unchanged": 1 });
    let schema = validator(&schema::proofs());
    assert_eq!(problems(&schema, &proofs), Vec::<String>::new());
    assert!(Proofs::parse(&proofs.to_string()).is_ok());
    let mut broken = proofs;
    broken["conditions"][0]["outcome"] = json!("maybe");
    assert!(!problems(&schema, &broken).is_empty() && Proofs::parse(&broken.to_string()).is_err());
}

/// Every form is made from the content of the JSON, and from nothing else.
#[test]
fn every_form_is_made_from_the_json() {
    for case in cases() {
        let Report { scenarios, .. } = &case.report;
        assert!(!scenarios.is_empty());
        let plain = anstream::adapter::strip_str(&text::write(&case.report)).to_string();
        assert_eq!(case.file("report.txt"), plain);
        assert_eq!(case.file("report.md"), markdown::write(&case.report, true));
        assert_eq!(case.file("report.xml"), junit::write(&case.report).unwrap());
        assert_eq!(case.file("report.sarif"), sarif::write(&case.report).unwrap());
    }
}

/// Where Cargo has unpacked the crate that writes SARIF: in its registry, or where `cargo metadata` says.
fn sarif_crate() -> PathBuf {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let version =
        lock.split("name = \"serde-sarif\"\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let unpacked = registries.into_iter().flatten().flatten();
    let unpacked =
        unpacked.map(|r| r.path().join(format!("serde-sarif-{version}"))).find(|path| path.is_dir());
    unpacked.unwrap_or_else(|| {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let metadata = command.output().unwrap();
        assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
        let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
        let package =
            metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "serde-sarif").unwrap();
        Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_path_buf()
    })
}

/// The schema from which that crate was made. One regular expression in it has a bracket too many.
fn sarif_schema() -> String {
    let text = fs::read_to_string(sarif_crate().join("src/schema.json")).unwrap();
    let broken = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
    assert!(text.contains(broken), "it is mended; remove this");
    text.replace(broken, "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$")
}

#[test]
fn findings_are_sarif_at_the_line_that_expects_otherwise() {
    let schema = validator(&sarif_schema());
    let made = cases();
    for case in &made {
        let log: Value = serde_json::from_str(&case.file("report.sarif")).unwrap();
        assert_eq!(problems(&schema, &log), Vec::<String>::new());
    }
    let log: Value = serde_json::from_str(&made[0].file("report.sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    // The violation that is not expected and the number of states; what late_better_rank expects is no finding.
    assert_eq!(results.iter().map(|r| r["ruleId"].as_str().unwrap()).collect::<Vec<_>>(), ["S2", "states"]);
    let line = 1 + SCENARIO.lines().position(|line| line.starts_with("S2")).unwrap();
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], line);
    assert_eq!(place["artifactLocation"], json!({ "uri": "bad%20name.toml", "uriBaseId": "%SRCROOT%" }));
    assert_eq!((&results[0]["level"], &results[1]["level"]), (&json!("error"), &json!("error")));
    let steps = results[0]["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let shortest = made[0].report.scenarios[0].properties[0].run.as_ref().unwrap().steps.len();
    assert!(shortest >= 4 && steps.len() == shortest, "{steps:?}");
    let says = |at: usize| steps[at]["location"]["message"]["text"].as_str().unwrap();
    assert!(says(0).contains("tickets B(1,0)") && says(shortest - 1).contains("is notarized"), "{steps:?}");
    let rule = results[0]["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "S2");
    // A bound is a warning, and the mutant that survives is found in its list.
    let log: Value = serde_json::from_str(&made[1].file("report.sarif")).unwrap();
    assert!(log["runs"][0]["results"].as_array().unwrap().iter().all(|r| r["level"] == "warning"), "{log}");
    let log: Value = serde_json::from_str(&sarif::write(&with_mutants(&made[0].report)).unwrap()).unwrap();
    assert_eq!(problems(&schema, &log), Vec::<String>::new());
    let last = log["runs"][0]["results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["ruleId"], "mutant");
    let line = last["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap() as usize;
    assert_eq!(include_str!("../mutants.toml").lines().nth(line - 1), Some("id = \"35\""));
    let mut broken = log;
    broken["runs"][0]["results"][0]["level"] = json!("terrible");
    assert!(!problems(&schema, &broken).is_empty());
}

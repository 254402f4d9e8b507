//! The page of the protocol (`PROTOCOL.md`) and the code say the same, and every citation of the page leads somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use crate::architecture::files;
use serde_json::Value;
use zus_checker::Fault;
use zus_checker::mutants::committed_mutants;
use zus_checker::properties::Property;
use zus_checker::rules::Rules;

const PAGE: &str = include_str!("../PROTOCOL.md");
const RULES: &str = include_str!("../protocol/src/rules.rs");

/// The text of a section, without its heading.
fn section(number: u32) -> &'static str {
    let rest =
        PAGE.split(&format!("\n## {number}. ")).nth(1).unwrap_or_else(|| panic!("no section {number}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The rows of all tables in a text, as cells without code marks.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    lines.map(cells).collect()
}

#[test]
fn properties_have_their_sentences() {
    let shown: BTreeSet<(String, String, String)> = rows(section(5))
        .into_iter()
        .filter(|row| row[0] != "id")
        .map(|row| (row[0].clone(), row[1].clone(), row[2].clone()))
        .collect();
    let kind = |property: Property| match (property.is_witness(), property.is_liveness()) {
        (true, _) => "witness",
        (false, true) => "liveness",
        (false, false) => "safety",
    };
    let known = Property::ALL.iter().map(|p| (p.id().into(), kind(*p).into(), p.text().into())).collect();
    assert_eq!(shown, known);
}

/// Rule and value of each variant in `rules.rs`.
fn choices() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let (mut rule, mut depth) = (None, 0);
    for line in RULES.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub enum ").and_then(|rest| rest.strip_suffix("Rule {")) {
            (rule, depth) = (Some(snake(name)), 1);
            continue;
        }
        let Some(of) = &rule else { continue };
        if line.starts_with("/// ") {
            continue;
        }
        let name: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
        if depth == 1 && name.starts_with(char::is_uppercase) {
            found.insert((of.clone(), name));
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
        if depth == 0 {
            rule = None;
        }
    }
    found
}

/// `TicketLog` as a key of a scenario has it.
fn snake(name: &str) -> String {
    let letters = name.char_indices().flat_map(|(at, letter)| {
        let gap = (at > 0 && letter.is_uppercase()).then_some('_');
        gap.into_iter().chain(letter.to_lowercase())
    });
    letters.collect()
}

#[test]
fn every_rule_and_value_is_described_and_no_other() {
    let mut shown = BTreeSet::new();
    let mut rule = String::new();
    for row in rows(section(3)).into_iter().filter(|row| row.len() == 4 && row[2] != "value") {
        if row[0] == "rule" || !row[2].starts_with(char::is_uppercase) || row[3].contains("hardened") {
            continue;
        }
        // The table of profiles has four columns, too: its last three are values.
        if row[1].starts_with(char::is_uppercase) {
            continue;
        }
        if !row[0].is_empty() {
            rule = row[0].clone();
        }
        shown.insert((rule.clone(), row[2].clone()));
    }
    let known = choices();
    assert!(known.len() >= 20, "{known:?}");
    assert_eq!(shown, known);
}

/// Tests and tools walk `ALL`: a value that it does not have is not compared, and not run.
#[test]
fn every_value_is_listed() {
    let mut listed = BTreeSet::new();
    for rules in Rules::HARDENED.changes().into_iter().map(|(_, rules)| rules).chain([Rules::HARDENED]) {
        let Ok(Value::Object(values)) = serde_json::to_value(rules) else { panic!("rules are an object") };
        let name = |value: Value| match value {
            Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
            name => name.as_str().unwrap_or_default().to_owned(),
        };
        listed.extend(values.into_iter().map(|(rule, value)| (rule, name(value))));
    }
    assert_eq!(listed, choices(), "`every_value!` in model/protocol/src/rules.rs");
}

#[test]
fn profiles_are_those_of_the_code() {
    let table = rows(section(3).split("| rule | `documented`").nth(1).expect("a table of profiles"));
    for (column, rules) in [(1, Rules::DOCUMENTED), (2, Rules::DEPLOYED), (3, Rules::HARDENED)] {
        let Ok(Value::Object(known)) = serde_json::to_value(rules) else { panic!("rules are an object") };
        for row in &table {
            let value = match &known[&row[0]] {
                Value::String(name) => name.clone(),
                Value::Object(fields) => {
                    format!("CommonAncestor (depth {})", fields["CommonAncestor"]["depth"])
                }
                other => panic!("{other}"),
            };
            assert_eq!(row[column], value, "{}", row[0]);
        }
        assert!(table.len() >= 10, "{} rows", table.len());
    }
}

#[test]
fn every_fault_has_its_row() {
    let ids: BTreeSet<String> = rows(section(7)).into_iter().map(|row| row[0].clone()).collect();
    let source = include_str!("../spec/src/fault.rs");
    let cited = source.lines().filter_map(|line| line.trim().strip_prefix("/// *")?.split_once([',', '*']));
    let cited: BTreeSet<String> = cited.map(|(id, _)| id.to_owned()).collect();
    assert_eq!(cited.len(), Fault::ALL.len());
    assert!(cited.is_subset(&ids), "{:?}", cited.difference(&ids));
    // And each is caught by a mutant of its own.
    let mutants = committed_mutants().unwrap_or_else(|error| panic!("{error}"));
    let caught: BTreeSet<_> = mutants.iter().filter_map(|mutant| mutant.mutated.protocol.fault).collect();
    assert_eq!(caught, Fault::ALL.into_iter().collect());
}

#[test]
fn rule_changes_to_catch_are_those_that_the_model_catches() {
    let ids = rows(section(7)).into_iter().map(|row| row[0].clone());
    let shown: BTreeSet<String> = ids.filter(|id| id != "#").collect();
    let mutants = committed_mutants().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown, mutants.iter().map(|mutant| mutant.id.clone()).collect());
    for mutant in &mutants {
        let row = rows(section(7)).into_iter().find(|row| row[0] == mutant.id).expect("seen above");
        assert!(
            row[3].contains(mutant.property.id()),
            "{}: {} in `{}`",
            mutant.id,
            mutant.property.id(),
            row[3]
        );
    }
}

#[test]
fn every_citation_leads_to_a_section() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = files(&root, &[".rs", ".md", ".toml", ".epr", ".smt2"]);
    let (mut cited, mut wrong) = (0, Vec::new());
    for file in files {
        if file.ends_with("model/tests/protocol_page.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let mut say = |why: &str| wrong.push(format!("{}:{}: {why}: {line}", file.display(), number + 1));
            for name in ["protocol.md", "mutants.md", "epochs.md"] {
                if line.contains(name) {
                    say("no such page; the protocol is model/PROTOCOL.md");
                }
            }
            let Some((_, after)) = line.split_once("PROTOCOL.md") else { continue };
            cited += 1;
            // "PROTOCOL.md, section 4", and in Markdown a link.
            let after = after.trim_start_matches([')', '`', ']', ',', ' ']);
            if let Some(section) = after.strip_prefix("section ") {
                let digits: String = section.chars().take_while(char::is_ascii_digit).collect();
                if !PAGE.contains(&format!("\n## {digits}. ")) {
                    say("no such section");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cited >= 40, "{cited} citations: were they looked for?");
}

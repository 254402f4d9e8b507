//! The page (PROTOCOL.md, section 8) and the code say the same.

use super::changes::changes;
use std::collections::{BTreeMap, BTreeSet};
use zus_epochs::handoff::{EpochFault, EpochProperty, EpochRules};

const PAGE: &str = include_str!("../../../PROTOCOL.md");

/// The rows of the tables under a heading of section 8, as cells without code marks.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section =
        PAGE.split("\n## 8. ").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("section 8");
    let under = section.split(&format!("\n### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let under = under.split("\n### ").next().unwrap_or(under);
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().strip_prefix('|').and_then(|rest| rest.strip_suffix('|')).expect("a row");
        inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = under.lines().filter(|line| line.starts_with("| "));
    lines.map(cells).filter(|row| !["rule", "id", "#"].contains(&&*row[0])).collect()
}

/// What each change breaks by the tests, over all its instances.
fn broken() -> BTreeMap<String, BTreeSet<String>> {
    let mut broken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for change in changes() {
        let ids = change.breaks.iter().map(|(property, _)| property.id().to_owned());
        broken.entry(change.name).or_default().extend(ids);
    }
    broken
}

fn ids(cell: &str) -> BTreeSet<String> {
    cell.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// Rule and values, the recommended one first, and what the others break.
#[test]
fn rules_and_values_are_those_of_the_code() {
    let (mut shown, mut rule) = (Vec::new(), String::new());
    for row in rows("Rules of the handover") {
        if !row[0].is_empty() {
            rule.clone_from(&row[0]);
            assert_eq!(ids(&row[3]), BTreeSet::new(), "{rule}: the recommended value");
            let hardened = serde_json::to_value(EpochRules::HARDENED).expect("rules");
            assert_eq!(hardened[&rule].as_str(), Some(&*row[1]), "{rule}");
            continue;
        }
        let name = format!("{rule} = {}", row[1]);
        assert_eq!(ids(&row[3]), broken().remove(&name).unwrap_or_default(), "{name}");
        shown.push(name);
    }
    let known = EpochRules::HARDENED.changes().into_iter().map(|(name, _)| match name.split_once(" {") {
        Some((name, _)) => name.to_owned(),
        None => name,
    });
    assert_eq!(shown, known.collect::<Vec<_>>());
}

#[test]
fn properties_have_their_sentences() {
    let shown: Vec<(String, String)> =
        rows("Properties of epochs").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    let known =
        EpochProperty::ALL.iter().map(|property| (property.id().to_owned(), property.text().to_owned()));
    assert_eq!(shown, known.collect::<Vec<_>>());
}

#[test]
fn rule_changes_break_what_the_tests_say() {
    let mut faults = BTreeSet::new();
    for row in rows("Rule changes of the handover") {
        let known = broken().remove(&row[2]).unwrap_or_else(|| panic!("{}: no test of {}", row[0], row[2]));
        assert_eq!(ids(&row[3]), known, "{}", row[0]);
        faults.insert(row[2].clone());
    }
    for fault in EpochFault::ALL {
        assert!(faults.contains(&format!("{fault:?}")), "{fault:?} has no row");
    }
}

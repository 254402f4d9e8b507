//! The page (PROTOCOL.md, section 8) and the code say the same of the key generation.

use super::verdicts::{faults, rule_changes};
use std::collections::{BTreeMap, BTreeSet};
use zus_epochs::key_generation::{Fault, KeyRules, Property};

const PAGE: &str = include_str!("../../../PROTOCOL.md");

/// The rows of the table under a heading of section 8, as cells without code marks.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let under = PAGE.split(&format!("\n### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let under = under.split("\n### ").next().unwrap_or(under);
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = under.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    lines.map(cells).filter(|row| !["rule", "id", "#"].contains(&&*row[0])).collect()
}

/// The properties that tests break by each change.
fn broken() -> BTreeMap<String, BTreeSet<String>> {
    let by_hand = [
        ("ready = KPercent".to_owned(), [Property::Backed.id().to_owned()].into()),
        ("acts_on = NotarizedChain".to_owned(), BTreeSet::new()),
    ];
    let mut broken: BTreeMap<String, BTreeSet<String>> = by_hand.into();
    let rules = rule_changes().into_iter().map(|(name, _, property)| (name.to_owned(), property));
    let faults = faults()
        .into_iter()
        .filter_map(|(_, instance, property)| instance.fault.map(|fault| (format!("{fault:?}"), property)));
    for (name, property) in rules.chain(faults) {
        broken.entry(name).or_default().insert(property.id().to_owned());
    }
    broken
}

fn ids(cell: &str) -> BTreeSet<String> {
    cell.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[test]
fn rules_and_values_are_those_of_the_code() {
    let (mut shown, mut rule) = (Vec::new(), String::new());
    for row in rows("Rules of the key generation") {
        let recommended = !row[0].is_empty();
        if recommended {
            rule.clone_from(&row[0]);
            assert!(format!("{:?}", KeyRules::HARDENED).contains(&format!("{rule}: {}", row[1])), "{rule}");
            assert!(row[3].is_empty(), "{rule}: the recommended value breaks something");
        } else {
            let name = format!("{rule} = {}", row[1]);
            assert_eq!(Some(&ids(&row[3])), broken().get(&name), "{name}");
            shown.push(name);
        }
    }
    let known = KeyRules::HARDENED.changes().into_iter().map(|(name, _)| name);
    assert_eq!(shown, known.collect::<Vec<_>>());
}

#[test]
fn properties_have_their_sentences() {
    let shown: Vec<_> = rows("Properties of the key generation");
    assert_eq!(shown.len(), Property::ALL.len());
    for (row, property) in shown.iter().zip(Property::ALL) {
        assert_eq!((&*row[0], &*row[2]), (property.id(), property.text()));
        assert_eq!(row[1] == "witness", property.is_witness(), "{}", row[0]);
    }
}

#[test]
fn rule_changes_break_what_the_tests_say() {
    let mut shown = BTreeSet::new();
    for row in rows("Rule changes of the key generation") {
        assert_eq!(Some(&ids(&row[3])), broken().get(&row[2]), "{}", row[0]);
        shown.insert((row[0].clone(), row[2].clone()));
    }
    for &fault in Fault::ALL {
        assert!(shown.contains(&(fault.id().to_owned(), format!("{fault:?}"))), "{fault:?} has no row");
    }
}

//! The page (PROTOCOL.md, section 8) and the code say the same.

use super::changes::changes;
use crate::page::{ids, rows};
use std::collections::{BTreeMap, BTreeSet};
use zus_epochs::handoff::{EpochFault, EpochProperty, EpochRules};

/// The properties that the tests break by each change, over all its instances.
fn broken() -> BTreeMap<String, BTreeSet<String>> {
    let mut broken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for change in changes() {
        let ids = change.breaks.iter().map(|(property, _)| property.id().to_owned());
        broken.entry(change.name).or_default().extend(ids);
    }
    broken
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

//! The page (PROTOCOL.md, section 8) and the code say the same of the key generation.

use super::verdicts::{faults, rule_changes};
use crate::page::{ids, rows};
use std::collections::{BTreeMap, BTreeSet};
use zus_epochs::key_generation::{Fault, KeyRules, Property};

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

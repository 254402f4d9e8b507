//! The rules that a header can ask for beside `hardened`: the other two profiles, and each change of one rule of `hardened`.

use std::sync::LazyLock;

use zus_bpp::rules::{BeaconRule, Rules, SubroundSwitchRule};

const HARDENED: Rules = Rules::HARDENED;

/// Changes that are not among [`OTHERS`]: the code does not start with the first, and `deployed` has the second.
const LEFT_OUT: [&str; 2] = ["parent = OnFinalizedHead", "subround_cap = CappedAtOne"];

/// The rules by their number. Committed inputs name their rules by it, so nothing is ever inserted, moved or removed here.
const FIRST: [&str; 15] = [
    "documented",
    "deployed",
    "beacon = Chained",
    "beacon = Chained, subround_switch = FirstArrival",
    "subround_switch = FirstArrival",
    "ticket = BetterRank",
    "ticket = BetterOrEqualRank",
    "subround_entry = Local",
    "finality = TwoThirds",
    "finality = CommonAncestor 1",
    "finality = CommonAncestor 2",
    "finality = TwoDelta",
    "quorum = Percent66",
    "ticket_log = Volatile",
    "echo = None",
];

/// Rules that came after all 64 numbers had a meaning, in the order in which they came: a new value of a rule is appended, under
/// the name that [`Rules::changes`] gives it. A header asks for them by a mark of its own ([`Header`](super::Header)) and a number.
pub const LATER: &[&str] = &[];

/// How many of the 64 numbers stand for one of [`LATER`].
const NUMBERS_EACH: u8 = 8;

/// All of them, by name, in the order of their numbers.
pub static OTHERS: LazyLock<Vec<(String, Rules)>> = LazyLock::new(|| {
    let known = known();
    let rules = |name: &&str| known.iter().find(|(known, _)| known == name).cloned();
    let missing = |name| move || panic!("fuzz/harness/src/schedule/profile.rs: no rules are called `{name}`");
    FIRST.iter().chain(LATER).map(|name| rules(name).unwrap_or_else(missing(name))).collect()
});

/// Rules that have a name, in an order that a new value changes.
fn known() -> Vec<(String, Rules)> {
    // Says something under a chained beacon only, which is a change of its own.
    let chained =
        Rules { beacon: BeaconRule::Chained, subround_switch: SubroundSwitchRule::FirstArrival, ..HARDENED };
    let mut known = HARDENED.changes();
    known.retain(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    known.push(("beacon = Chained, subround_switch = FirstArrival".into(), chained));
    known.extend([("documented".into(), Rules::DOCUMENTED), ("deployed".into(), Rules::DEPLOYED)]);
    known
}

/// The place of a number among [`OTHERS`], where `later` of them came later. The mark of the header does not change a number
/// that none of these has.
fn place(number: u8, marked: bool, later: usize) -> usize {
    const PROFILES: usize = 2;
    let slot = usize::from(number / NUMBERS_EACH);
    if marked && slot < later {
        return FIRST.len() + slot;
    }
    // The profiles come as often as four changes each.
    let number = usize::from(number) % (FIRST.len() + 3 * PROFILES);
    number.checked_sub(FIRST.len()).map_or(number, |more| more % PROFILES)
}

/// The rules that a number stands for, any number below 64, in a header with the mark or without it.
#[must_use]
pub fn of(number: u8, marked: bool) -> Rules {
    OTHERS[place(number, marked, LATER.len())].1
}

/// Whether a number has a meaning in a header with the mark that a value yet to come would change: that of the next one.
#[must_use]
pub fn is_for_the_next(number: u8) -> bool {
    usize::from(number / NUMBERS_EACH) == LATER.len()
}

/// The rules of that name: `hardened`, or one of [`OTHERS`].
#[must_use]
pub fn named(name: &str) -> Option<Rules> {
    let other = || OTHERS.iter().find(|(known, _)| known == name).map(|(_, rules)| *rules);
    if name == name_of(&HARDENED) { Some(HARDENED) } else { other() }
}

/// The name of rules, if a header can ask for them.
#[must_use]
pub fn name_of(rules: &Rules) -> String {
    let hardened = ("hardened".into(), HARDENED);
    let known = OTHERS.iter().chain([&hardened]).find(|(_, known)| known == rules);
    known.map_or("other rules".into(), |(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_value_is_asked_for_and_each_has_a_name_of_its_own() {
        let numbers = (0..64).flat_map(|number| [(number, false), (number, true)]);
        let names: BTreeSet<String> = numbers.map(|(number, marked)| name_of(&of(number, marked))).collect();
        assert_eq!(names.len(), OTHERS.len());
        assert_eq!(name_of(&Rules::HARDENED), "hardened");
        assert!(OTHERS.iter().all(|(name, rules)| named(name) == Some(*rules)));
        assert!(LEFT_OUT.iter().all(|name| HARDENED.changes().iter().any(|(known, _)| known == name)));
        assert_eq!((named("hardened"), named("hardend")), (Some(HARDENED), None));
    }

    /// Names without a number.
    fn without_a_number(known: &[(String, Rules)]) -> Vec<&str> {
        let names = known.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !FIRST.iter().chain(LATER).any(|listed| listed == name)).collect()
    }

    #[test]
    fn every_value_of_every_rule_has_a_number() {
        let known = known();
        let missing = without_a_number(&known);
        assert!(missing.is_empty(), "fuzz/harness/src/schedule/profile.rs: append {missing:?} to `LATER`");
        assert!(LATER.len() <= usize::from(64 / NUMBERS_EACH), "`LATER` is full: take a second mark");
        // A value in the middle of the list, as an enum that grows has it.
        let mut more = known.clone();
        more.insert(3, ("ticket = WorseRank".into(), HARDENED));
        assert_eq!(without_a_number(&more), ["ticket = WorseRank"]);
    }

    /// The committed inputs ask for these rules under these numbers.
    #[test]
    fn a_new_value_changes_no_number_that_has_a_meaning() {
        for number in 0..64 {
            let among = usize::from(number) % 21;
            let before = if among < 15 { among } else { (among - 15) % 2 };
            for later in 0..8 {
                assert_eq!(place(number, false, later), before, "{number}");
                let marked = place(number, true, later);
                let slot = usize::from(number / 8);
                assert_eq!(marked, if slot < later { 15 + slot } else { before }, "{number} of {later}");
            }
        }
        let first: Vec<&str> = OTHERS[..15].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            (first[0], first[4], first[14]),
            ("documented", "subround_switch = FirstArrival", "echo = None")
        );
        assert_eq!(first, FIRST);
    }
}

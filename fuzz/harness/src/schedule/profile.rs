//! The rules that a header can ask for beside `hardened`: the other two profiles, and each change of one rule of `hardened`.

use std::sync::LazyLock;

use zus_bpp::rules::{BeaconRule, Rules, SubroundSwitchRule};

const HARDENED: Rules = Rules::HARDENED;

/// Changes that are not among [`OTHERS`]: the code does not start with the first, and `deployed` has the second.
const LEFT_OUT: [&str; 2] = ["parent = OnFinalizedHead", "subround_cap = CappedAtOne"];

/// All of them, by name, in an order that inputs of corpora refer to. The profiles come as often as four changes each.
pub static OTHERS: LazyLock<Vec<(String, Rules)>> = LazyLock::new(|| {
    let mut others = vec![("documented".into(), Rules::DOCUMENTED), ("deployed".into(), Rules::DEPLOYED)];
    others.extend(HARDENED.changes().into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())));
    // Says something under a chained beacon only, which is the first change.
    let chained =
        Rules { beacon: BeaconRule::Chained, subround_switch: SubroundSwitchRule::FirstArrival, ..HARDENED };
    others.insert(3, ("beacon = Chained, subround_switch = FirstArrival".into(), chained));
    others
});

/// The rules that a number stands for, any number.
#[must_use]
pub fn of(number: u8) -> Rules {
    const PROFILES: usize = 2;
    let number = usize::from(number) % (OTHERS.len() + 3 * PROFILES);
    let index = number.checked_sub(OTHERS.len()).map_or(number, |more| more % PROFILES);
    OTHERS[index].1
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
    use super::*;

    #[test]
    fn every_rule_value_is_asked_for_and_each_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> = (0..64).map(|number| name_of(&of(number))).collect();
        assert_eq!(names.len(), OTHERS.len());
        assert_eq!(name_of(&Rules::HARDENED), "hardened");
        assert!(OTHERS.iter().all(|(name, rules)| named(name) == Some(*rules)));
        assert!(LEFT_OUT.iter().all(|name| HARDENED.changes().iter().any(|(known, _)| known == name)));
        assert_eq!((named("hardened"), named("hardend")), (Some(HARDENED), None));
    }
}

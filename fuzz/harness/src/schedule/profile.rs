//! The rules that a header can ask for beside `hardened`: the other two profiles, and each change of one rule of `hardened`.

use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, QuorumRule, Rules, SubroundEntryRule, SubroundSwitchRule,
    TicketLogRule, TicketRule,
};

const HARDENED: Rules = Rules::HARDENED;

/// All of them, by name. The profiles come as often as four changes each.
pub const OTHERS: [(&str, Rules); 15] = [
    ("documented", Rules::DOCUMENTED),
    ("deployed", Rules::DEPLOYED),
    ("beacon = Chained", Rules { beacon: BeaconRule::Chained, ..HARDENED }),
    // Says something under a chained beacon only.
    (
        "beacon = Chained, subround_switch = FirstArrival",
        Rules { beacon: BeaconRule::Chained, subround_switch: SubroundSwitchRule::FirstArrival, ..HARDENED },
    ),
    (
        "subround_switch = FirstArrival",
        Rules { subround_switch: SubroundSwitchRule::FirstArrival, ..HARDENED },
    ),
    ("ticket = BetterRank", Rules { ticket: TicketRule::BetterRank, ..HARDENED }),
    ("ticket = BetterOrEqualRank", Rules { ticket: TicketRule::BetterOrEqualRank, ..HARDENED }),
    ("subround_entry = Local", Rules { subround_entry: SubroundEntryRule::Local, ..HARDENED }),
    ("finality = TwoThirds", Rules { finality: FinalityRule::TwoThirds, ..HARDENED }),
    (
        "finality = CommonAncestor 1",
        Rules { finality: FinalityRule::CommonAncestor { depth: 1 }, ..HARDENED },
    ),
    (
        "finality = CommonAncestor 2",
        Rules { finality: FinalityRule::CommonAncestor { depth: 2 }, ..HARDENED },
    ),
    ("finality = TwoDelta", Rules { finality: FinalityRule::TwoDelta, ..HARDENED }),
    ("quorum = Percent66", Rules { quorum: QuorumRule::Percent66, ..HARDENED }),
    ("ticket_log = Volatile", Rules { ticket_log: TicketLogRule::Volatile, ..HARDENED }),
    ("echo = None", Rules { echo: EchoRule::None, ..HARDENED }),
];

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
    let other = || OTHERS.iter().find(|(known, _)| *known == name).map(|(_, rules)| *rules);
    if name == name_of(&HARDENED) { Some(HARDENED) } else { other() }
}

/// The name of rules, if a header can ask for them.
#[must_use]
pub fn name_of(rules: &Rules) -> &'static str {
    let known = [("hardened", HARDENED)].into_iter().chain(OTHERS);
    known.into_iter().find(|(_, known)| known == rules).map_or("other rules", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_value_is_asked_for_and_each_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = (0..64).map(|number| name_of(&of(number))).collect();
        assert_eq!(names.len(), OTHERS.len());
        assert_eq!(name_of(&Rules::HARDENED), "hardened");
        assert!(OTHERS.iter().all(|(name, rules)| named(name) == Some(*rules)));
        assert_eq!((named("hardened"), named("hardend")), (Some(HARDENED), None));
    }
}

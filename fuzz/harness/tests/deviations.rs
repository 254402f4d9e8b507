//! Participants that follow other rules than the model: something to find, in the production code as it is.

use zus_bpp::miner::Config;
use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, QuorumRule, Rules, SubroundCapRule, SubroundEntryRule,
    SubroundSwitchRule, TicketLogRule, TicketRule,
};
use zus_fuzz::world::Adjust;

type Deviation = (&'static str, fn(&mut Rules));

/// Each changes one rule.
pub const ALL: [Deviation; 15] = [
    ("better rank", |rules| rules.ticket = TicketRule::BetterRank),
    ("twins", |rules| rules.ticket = TicketRule::BetterOrEqualRank),
    ("once", |rules| rules.ticket = TicketRule::OncePerSubround),
    ("volatile", |rules| rules.ticket_log = TicketLogRule::Volatile),
    ("percent", |rules| rules.quorum = QuorumRule::Percent66),
    ("no echo", |rules| rules.echo = EchoRule::None),
    ("first arrival", |rules| rules.subround_switch = SubroundSwitchRule::FirstArrival),
    ("local", |rules| rules.subround_entry = SubroundEntryRule::Local),
    ("certificate", |rules| rules.subround_entry = SubroundEntryRule::Certificate),
    ("capped", |rules| rules.subround_cap = SubroundCapRule::CappedAtOne),
    ("two thirds", |rules| rules.finality = FinalityRule::TwoThirds),
    ("depth 0", |rules| rules.finality = FinalityRule::CommonAncestor { depth: 0 }),
    ("two delta", |rules| rules.finality = FinalityRule::TwoDelta),
    ("votes", |rules| rules.finality = FinalityRule::Votes),
    ("chained", |rules| rules.beacon = BeaconRule::Chained),
];

fn deviate(config: &mut Config, number: u16) {
    (ALL[usize::from(number)].1)(&mut config.rules);
}

/// Participants that deviate so.
pub fn of(name: &str) -> Adjust {
    let number = ALL.iter().position(|(known, _)| *known == name).expect("a deviation");
    Adjust(deviate, number as u16)
}

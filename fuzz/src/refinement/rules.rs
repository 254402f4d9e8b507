//! The model's rules for those of the production code: the one place where the two vocabularies meet.

use zus_bpp::rules as code;
use zus_model::rules as model;

use crate::world::Setup;

/// The model's rules for the miners of a setup. Exhaustive: a new value in production does not compile until it is named here.
#[must_use]
pub fn model_rules(setup: &Setup) -> model::Rules {
    let code::Rules {
        beacon,
        ticket,
        subround_entry,
        subround_switch,
        finality,
        quorum,
        ticket_log,
        echo,
        subround_cap,
    } = setup.rules;
    model::Rules {
        beacon: match beacon {
            code::BeaconRule::Chained => model::BeaconRule::Chained,
            code::BeaconRule::RoundOnly => model::BeaconRule::RoundOnly,
        },
        // A scenario's number of shares counts.
        threshold: model::ThresholdRule::default(),
        ticket: match ticket {
            code::TicketRule::OncePerSubround => model::TicketRule::OncePerSubround,
            code::TicketRule::BetterRank => model::TicketRule::BetterRank,
            code::TicketRule::BetterOrEqualRank => model::TicketRule::BetterOrEqualRank,
        },
        subround_entry: match subround_entry {
            code::SubroundEntryRule::Local => model::SubroundEntryRule::Local,
            code::SubroundEntryRule::Certificate => model::SubroundEntryRule::Certificate,
        },
        subround_switch: match subround_switch {
            code::SubroundSwitchRule::FirstArrival => model::SubroundSwitchRule::FirstArrival,
            code::SubroundSwitchRule::Adopt => model::SubroundSwitchRule::Adopt,
        },
        finality: match finality {
            code::FinalityRule::TwoThirds => model::FinalityRule::TwoThirds,
            code::FinalityRule::CommonAncestor { depth } => model::FinalityRule::CommonAncestor { depth },
            code::FinalityRule::TwoDelta => model::FinalityRule::TwoDelta,
            code::FinalityRule::Votes => model::FinalityRule::Votes,
        },
        quorum: match quorum {
            code::QuorumRule::ByzantineMajority => model::QuorumRule::ByzantineMajority,
            code::QuorumRule::Percent66 => model::QuorumRule::Percent66,
        },
        ticket_log: match ticket_log {
            code::TicketLogRule::Durable => model::TicketLogRule::Durable,
            code::TicketLogRule::Volatile => model::TicketLogRule::Volatile,
        },
        echo: match echo {
            code::EchoRule::Certificates => model::EchoRule::Certificates,
            code::EchoRule::None => model::EchoRule::None,
        },
        subround_cap: match subround_cap {
            code::SubroundCapRule::Unbounded => model::SubroundCapRule::Unbounded,
            code::SubroundCapRule::CappedAtOne => model::SubroundCapRule::CappedAtOne,
        },
        // What no profile has a choice in.
        parent: model::ParentRule::Notarized,
        proposal: model::ProposalRule::Once,
        counting: model::CountingRule::Genuine,
        head: model::HeadRule::Descends,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_of_the_code_are_those_of_the_model() {
        let rules = |rules| model_rules(&Setup { rules, ..Setup::new(4, 0) });
        assert_eq!(rules(code::Rules::HARDENED), model::Rules::HARDENED);
        assert_eq!(rules(code::Rules::DOCUMENTED), model::Rules::DOCUMENTED);
        assert_eq!(rules(code::Rules::DEPLOYED), model::Rules::DEPLOYED);
        // The cap is a rule of its own: it stays when another rule of the profile changes.
        let changed = code::Rules { echo: code::EchoRule::Certificates, ..code::Rules::DEPLOYED };
        assert_eq!(rules(changed).subround_cap, model::SubroundCapRule::CappedAtOne);
    }
}

//! The negative controls: where `no_certificates` says no, states of certificates are wrong.

use super::{
    compared::{mistaken, specified, stepped},
    kept, searched,
    small::instance,
};
use std::time::Instant;
use zus_checker::{
    blocks::{
        Blocks,
        Generator::{self, Byzantine, Honest},
    },
    fault::Fault,
    protocol::{Network, Protocol},
    rules::{BeaconRule, Rules, TicketLogRule, TicketRule},
};

#[test]
fn where_they_are_no_answer_they_are_wrong() {
    let h = Rules::HARDENED;
    let chained = Rules { beacon: BeaconRule::Chained, ..h };
    let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..h };
    let no_beacon = {
        let mut of = instance(1, 0, 1, 1, h, &[Honest]);
        of.committee.beacon_threshold = 2;
        of
    };
    let one = || instance(1, 0, 2, 2, h, &[Honest]);
    let mut unharmed = Vec::new();
    let mut cases = vec![
        ("synchronous".to_owned(), Protocol { network: Network::Synchronous, ..one() }),
        (
            "partially synchronous".to_owned(),
            Protocol {
                network: Network::PartiallySynchronous,
                reserved_rounds: 1,
                reserved_subrounds: 1,
                ..one()
            },
        ),
        ("chained".to_owned(), instance(2, 0, 2, 2, chained, &[Honest])),
        ("no beacon value".to_owned(), no_beacon),
        (
            "Byzantine certificates".to_owned(),
            mistaken(Fault::QuorumOfFaultsPlusOne, instance(2, 1, 1, 1, h, &[Byzantine])),
        ),
        (
            "restarts behind".to_owned(),
            Protocol { crashes: 1, restarts_behind: true, ..instance(1, 0, 2, 2, h, &[Honest]) },
        ),
        ("volatile".to_owned(), Protocol { crashes: 1, ..instance(2, 1, 1, 1, volatile, &[Byzantine]) }),
    ];
    let twins = Rules { ticket: TicketRule::BetterOrEqualRank, ..h };
    let laid_out = |fault, of: Protocol, order: &[Generator]| {
        let (rounds, subrounds) = (of.blocks.rounds, of.blocks.subrounds);
        let blocks =
            Blocks::new(rounds, subrounds, 2, false, h.subround_cap, Some(fault), |_, _| order.to_vec());
        mistaken(fault, Protocol { blocks: blocks.unwrap(), ..of })
    };
    for fault in Fault::ALL {
        let observed = Protocol { observers: 1, ..instance(1, 0, 2, 1, h, &[Honest]) };
        let restarts = Protocol { crashes: 1, ..instance(1, 0, 1, 1, twins, &[Honest]) };
        let of = match fault {
            Fault::SeedFromProposal => laid_out(fault, instance(2, 1, 1, 1, h, &[Byzantine]), &[Byzantine]),
            Fault::ProposesTwice => mistaken(fault, instance(1, 0, 1, 1, twins, &[Honest])),
            Fault::ProposalsVolatile => mistaken(fault, restarts),
            Fault::ParentUnchecked => mistaken(fault, instance(4, 1, 2, 1, h, &[Byzantine])),
            Fault::SubroundUnbound => mistaken(fault, instance(3, 1, 1, 2, h, &[Byzantine])),
            Fault::NotRecorded => mistaken(fault, instance(2, 0, 1, 1, h, &[Honest])),
            Fault::VotesWithoutLeaving => mistaken(fault, instance(1, 0, 1, 2, h, &[Honest])),
            Fault::HeadSkipsMissing => mistaken(fault, observed),
            Fault::EarlySharesDropped => mistaken(fault, instance(2, 0, 2, 1, h, &[Honest])),
            _ => mistaken(fault, instance(2, 1, 1, 1, h, &[Byzantine])),
        };
        if of.no_certificates().is_some() {
            cases.push((format!("{fault:?}"), of));
        }
    }
    for (name, protocol) in cases {
        assert!(protocol.no_certificates().is_some(), "{name}");
        let start = Instant::now();
        // Some are too much for the specification.
        let large = ["chained", "ParentUnchecked", "SubroundUnbound"].contains(&name.as_str());
        let (facts, certified, states) =
            if large { stepped(&searched(&protocol)) } else { specified(&protocol) };
        let reached = kept(&searched(&protocol));
        let differences = certified.differences(&reached.certified);
        println!(
            "{name}: {states} states, {differences:?}, {facts:?} {:?} {:?}",
            reached.facts,
            start.elapsed()
        );
        if facts == reached.facts && differences == [0; 3] {
            unharmed.push(name);
        }
    }
    // Out of caution.
    assert_eq!(unharmed, ["EarlySharesDropped"]);
}

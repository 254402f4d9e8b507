//! The instance of the specification that the packed model packs.

use crate::{
    blocks::{BlockId, Blocks, GENESIS, Generator},
    protocol::{Network, Protocol},
    rules as packed,
};
use std::collections::BTreeMap;
use zus_protocol::{
    ids::{MinerId, Rank, Round, Subround},
    rules as vocabulary,
};
use zus_spec::{self as spec, Block, Bounds, Crashes, Fault, Instance, Order};

/// The instance of the specification that `protocol` packs, and the bounds that it packs it within.
pub fn specified(protocol: &Protocol) -> (Instance, Bounds) {
    let (rules, fault) = rules_of(&protocol.rules);
    let mut listed: BTreeMap<(Round, Subround), Vec<spec::Generator>> = BTreeMap::new();
    let mut twins = 1;
    for block in protocol.blocks.all() {
        let block = block_of(&protocol.blocks, block);
        twins = twins.max(block.twin + 1);
        if block.twin == 0 {
            listed.entry((block.round, block.subround)).or_default().push(block.generator);
        }
    }
    let of = &protocol.committee;
    let mut instance =
        Instance::new(of.n as u16, of.byzantine as u16, rules, Order { listed, otherwise: Vec::new() });
    instance.fault = fault;
    instance.committee.exposed = of.exposed as u16;
    if instance.beacon_threshold() != of.beacon_threshold as usize {
        instance.committee.beacon_threshold = Some(of.beacon_threshold as u16);
    }
    instance.crashes = match (protocol.crashes, protocol.restarts_behind) {
        (0, _) => Crashes::Never,
        (_, false) => Crashes::Restart,
        (_, true) => Crashes::RestartBehind,
    };
    instance.network = match protocol.network {
        Network::Async | Network::Lossy => spec::Network::Asynchronous,
        Network::Synchronous => spec::Network::Synchronous,
        Network::PartiallySynchronous => spec::Network::PartiallySynchronous,
    };
    instance.observers = protocol.observers;
    let bounds = Bounds {
        twins,
        crashes: protocol.crashes,
        reserved_rounds: protocol.reserved_rounds.into(),
        reserved_subrounds: protocol.reserved_subrounds.into(),
        beacon_values: protocol.forms_beacon(),
        ..Bounds::new(protocol.blocks.rounds.into(), protocol.blocks.subrounds.into())
    };
    (instance, bounds)
}

/// A block of the packed model in the specification.
pub fn block_of(blocks: &Blocks, block: BlockId) -> Block {
    if block == GENESIS {
        return spec::GENESIS;
    }
    let place = blocks.place(block);
    Block {
        round: Round(place.round.into()),
        subround: Subround(place.subround.into()),
        rank: Rank(place.rank.into()),
        twin: place.twin,
        generator: match place.generator {
            Generator::Honest => spec::Generator::Honest,
            Generator::Byzantine => spec::Generator::Byzantine,
            Generator::Outsider => spec::Generator::Outsider,
        },
    }
}

/// The same, back. `None` if the packed model has no room for it.
pub fn packed_block(blocks: &Blocks, block: Block) -> Option<BlockId> {
    if block == spec::GENESIS {
        Some(GENESIS)
    } else {
        blocks.all().find(|&id| block_of(blocks, id) == block)
    }
}

/// The members that honest miner `miner` of the packed model stands for.
pub fn members(protocol: &Protocol, miner: usize) -> impl Iterator<Item = MinerId> + Clone + use<> {
    let first: u32 = protocol.committee.weights[..miner].iter().sum();
    (first..first + protocol.weight(miner)).map(|member| MinerId(member as u16))
}

/// The rules of the packed model as rules of the vocabulary, and the mistake in them. Where a value stands for several
/// mistakes at once, the first one counts; no scenario has two.
fn rules_of(rules: &packed::Rules) -> (vocabulary::Rules, Option<Fault>) {
    use vocabulary as v;
    let mut faults = Vec::new();
    let mut wrong = |fault| faults.push(fault);
    let beacon = match rules.beacon {
        packed::BeaconRule::Chained => v::BeaconRule::Chained,
        packed::BeaconRule::RoundOnly => v::BeaconRule::RoundOnly,
        packed::BeaconRule::EarlySharesDropped => {
            wrong(Fault::EarlySharesDropped);
            v::BeaconRule::RoundOnly
        }
        packed::BeaconRule::SeedFromProposal => {
            wrong(Fault::SeedFromProposal);
            v::BeaconRule::RoundOnly
        }
    };
    match rules.threshold {
        packed::ThresholdRule::Quorum => {}
        packed::ThresholdRule::FaultsPlusOne => wrong(Fault::BeaconOfFaultsPlusOne),
    }
    let ticket = match rules.ticket {
        packed::TicketRule::OncePerSubround => v::TicketRule::OncePerSubround,
        packed::TicketRule::BetterRank => v::TicketRule::BetterRank,
        packed::TicketRule::BetterOrEqualRank => v::TicketRule::BetterOrEqualRank,
    };
    let subround_entry = match rules.subround_entry {
        packed::SubroundEntryRule::Local => v::SubroundEntryRule::Local,
        packed::SubroundEntryRule::Certificate => v::SubroundEntryRule::Certificate,
        packed::SubroundEntryRule::OwnSubroundOnly => {
            wrong(Fault::OwnSubroundOnly);
            v::SubroundEntryRule::Certificate
        }
        packed::SubroundEntryRule::WithoutCertificate => {
            wrong(Fault::WithoutCertificate);
            v::SubroundEntryRule::Certificate
        }
    };
    let subround_switch = match rules.subround_switch {
        packed::SubroundSwitchRule::FirstArrival => v::SubroundSwitchRule::FirstArrival,
        packed::SubroundSwitchRule::Adopt => v::SubroundSwitchRule::Adopt,
    };
    let finality = match rules.finality {
        packed::FinalityRule::TwoThirds => v::FinalityRule::TwoThirds,
        packed::FinalityRule::CommonAncestor { depth } => v::FinalityRule::CommonAncestor { depth },
        packed::FinalityRule::TwoDelta => v::FinalityRule::TwoDelta,
        packed::FinalityRule::TwoDeltaWithoutWait => {
            wrong(Fault::TwoDeltaWithoutWait);
            v::FinalityRule::TwoDelta
        }
        packed::FinalityRule::Votes => v::FinalityRule::Votes,
        packed::FinalityRule::VotesAfterOtherTicket => {
            wrong(Fault::VotesAfterOtherTicket);
            v::FinalityRule::Votes
        }
        packed::FinalityRule::VotesWithoutLeaving => {
            wrong(Fault::VotesWithoutLeaving);
            v::FinalityRule::Votes
        }
    };
    let quorum = match rules.quorum {
        packed::QuorumRule::ByzantineMajority => v::QuorumRule::ByzantineMajority,
        packed::QuorumRule::Percent66 => v::QuorumRule::Percent66,
        packed::QuorumRule::OneLess => {
            wrong(Fault::QuorumOneLess);
            v::QuorumRule::ByzantineMajority
        }
        packed::QuorumRule::FaultsPlusOne => {
            wrong(Fault::QuorumOfFaultsPlusOne);
            v::QuorumRule::ByzantineMajority
        }
    };
    let ticket_log = match rules.ticket_log {
        packed::TicketLogRule::Durable => v::TicketLogRule::Durable,
        packed::TicketLogRule::Volatile => v::TicketLogRule::Volatile,
        packed::TicketLogRule::ProposalsVolatile => {
            wrong(Fault::ProposalsVolatile);
            v::TicketLogRule::Durable
        }
        packed::TicketLogRule::VotesVolatile => {
            wrong(Fault::VotesVolatile);
            v::TicketLogRule::Durable
        }
    };
    let echo = match rules.echo {
        packed::EchoRule::Certificates => v::EchoRule::Certificates,
        packed::EchoRule::TimeoutCertificates => {
            wrong(Fault::NotarizationsNotRelayed);
            v::EchoRule::Certificates
        }
        packed::EchoRule::None => v::EchoRule::None,
    };
    let parent = match rules.parent {
        packed::ParentRule::Notarized => v::ParentRule::Notarized,
        packed::ParentRule::OnFinalizedHead => v::ParentRule::OnFinalizedHead,
        packed::ParentRule::Unchecked => {
            wrong(Fault::ParentUnchecked);
            v::ParentRule::Notarized
        }
    };
    match rules.proposal {
        packed::ProposalRule::Once => {}
        packed::ProposalRule::Twice => wrong(Fault::ProposesTwice),
    }
    match rules.counting {
        packed::CountingRule::Genuine => {}
        packed::CountingRule::EmbeddedUnverified => wrong(Fault::EmbeddedUnverified),
        packed::CountingRule::LabelUnchecked => wrong(Fault::LabelUnchecked),
        packed::CountingRule::NotRecorded => wrong(Fault::NotRecorded),
        packed::CountingRule::UnweightedSum => wrong(Fault::UnweightedSum),
        packed::CountingRule::SubroundUnbound => wrong(Fault::SubroundUnbound),
        packed::CountingRule::DuplicateSigner => wrong(Fault::DuplicateSigner),
    }
    match rules.head {
        packed::HeadRule::Descends => {}
        packed::HeadRule::Anywhere => wrong(Fault::HeadAnywhere),
        packed::HeadRule::SkipsMissing => wrong(Fault::HeadSkipsMissing),
        packed::HeadRule::MovesBack => wrong(Fault::HeadMovesBack),
    }
    let subround_cap = match rules.subround_cap {
        packed::SubroundCapRule::Unbounded => v::SubroundCapRule::Unbounded,
        packed::SubroundCapRule::CappedAtOne => v::SubroundCapRule::CappedAtOne,
    };
    let rules = vocabulary::Rules {
        beacon,
        ticket,
        subround_entry,
        subround_switch,
        finality,
        quorum,
        ticket_log,
        echo,
        parent,
        subround_cap,
    };
    (rules, faults.first().copied())
}

//! The instance of the specification that the packed model packs.

use crate::{
    blocks::{BlockId, Blocks, GENESIS, Generator},
    protocol::{Network, Protocol},
};
use std::collections::BTreeMap;
use zus_protocol::ids::{MinerId, Rank, Round, Subround};
use zus_spec::{self as spec, Block, Bounds, Crashes, Instance, Order};

/// The instance of the specification that `protocol` packs, and the bounds that it packs it within.
pub fn specified(protocol: &Protocol) -> (Instance, Bounds) {
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
    let mut instance = Instance::new(
        of.n as u16,
        of.byzantine as u16,
        protocol.rules,
        Order { listed, otherwise: Vec::new() },
    );
    instance.fault = protocol.fault;
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

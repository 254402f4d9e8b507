//! The instance of the protocol that a trace is a run of: everything that decides which steps may happen.

use crate::{
    blocks::{Blocks, Generator, Place},
    committee::{Committee, MAX_COMMITTEE, MAX_HONEST, quorum, tolerated},
    protocol::{Network, Protocol},
    reductions::Reductions,
    rules::Rules,
    sentence::block_name,
};
use serde::{Deserialize, Serialize};

/// Restarts that the state can count.
const MAX_RESTARTS: u32 = 15;
/// Byzantine members whose messages the state can name, where they are explicit.
const MAX_EXPLICIT_BYZANTINE: u32 = 3;

/// Where a block stands, by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPlace {
    /// Its name (`sentence.rs`).
    pub name: String,
    /// Its round, from 1.
    pub round: u8,
    /// Its subround, from 0.
    pub subround: u8,
    /// The rank of its generator; 0 is the best.
    pub rank: u8,
    /// 0, or 1 for the second block of the same generator in the same subround.
    pub twin: u8,
    /// Who generates it.
    pub generator: Generator,
}

/// The instance of the protocol that a trace is a run of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Members of the committee.
    pub n: u32,
    /// Byzantine members that it tolerates.
    pub f: u32,
    /// Members that are Byzantine.
    pub byzantine: u32,
    /// Size of a certificate.
    pub quorum: u32,
    /// Shares that determine a beacon value.
    pub beacon_threshold: u32,
    /// Honest members whose key share the adversary has: the last ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exposed: u32,
    /// Members that each honest miner stands for (1, unless they act in groups).
    pub honest: Vec<u32>,
    /// Rounds, from 1.
    pub rounds: u8,
    /// Subrounds of a round, from 0.
    pub subrounds: u8,
    /// The blocks that can exist, in order of (round, subround, rank, twin).
    pub blocks: Vec<NamedPlace>,
    /// What the network does.
    pub network: Network,
    /// Crashes of honest miners, at most.
    pub restarts: u32,
    /// Whether a restarted miner may find itself in an earlier round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarts_behind: bool,
    /// Observers with a head of their own.
    pub observers: usize,
    /// Rounds at the end that only a synchronous network reaches.
    pub reserved_rounds: u8,
    /// Subrounds at the end of a round that only a synchronous network reaches.
    pub reserved_subrounds: u8,
    /// A choice for every open question.
    pub rules: Rules,
    /// Which steps are merged, and which messages are always there.
    pub reductions: Reductions,
}

impl From<&Protocol> for Instance {
    fn from(protocol: &Protocol) -> Self {
        let Protocol { committee, blocks, .. } = protocol;
        let named = |b| {
            let Place { round, subround, rank, twin, generator, .. } = *blocks.place(b);
            NamedPlace { name: block_name(blocks, b), round, subround, rank, twin, generator }
        };
        Instance {
            n: committee.n,
            f: committee.f,
            byzantine: committee.byzantine,
            quorum: committee.quorum,
            beacon_threshold: committee.beacon_threshold,
            exposed: committee.exposed,
            honest: committee.weights.clone(),
            rounds: blocks.rounds,
            subrounds: blocks.subrounds,
            blocks: blocks.all().map(named).collect(),
            network: protocol.network,
            restarts: protocol.crashes,
            restarts_behind: protocol.restarts_behind,
            observers: protocol.observers,
            reserved_rounds: protocol.reserved_rounds,
            reserved_subrounds: protocol.reserved_subrounds,
            rules: protocol.rules,
            reductions: protocol.reductions,
        }
    }
}

/// Why an [`Instance`] is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("instance.{field}: {message}")]
pub struct BadInstance {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl TryFrom<&Instance> for Protocol {
    type Error = BadInstance;

    fn try_from(given: &Instance) -> Result<Self, BadInstance> {
        let require = |fine: bool, field: &'static str, message: &dyn Fn() -> String| {
            if fine { Ok(()) } else { Err(BadInstance { field, message: message() }) }
        };
        require((1..=MAX_COMMITTEE).contains(&given.n), "n", &|| {
            format!("{} members; 1 to {MAX_COMMITTEE} can be counted", given.n)
        })?;
        require(given.f == tolerated(given.n), "f", &|| {
            format!("{}, but n = {} tolerates {}", given.f, given.n, tolerated(given.n))
        })?;
        let q = quorum(given.rules.quorum, given.n);
        require(given.quorum == q, "quorum", &|| format!("{}, but the rule gives {q}", given.quorum))?;
        // No weight is above MAX_COMMITTEE where all together are not, so the sum of seven cannot overflow.
        let weights_fit = given.honest.len() <= MAX_HONEST
            && given.honest.iter().all(|w| (1..=MAX_COMMITTEE).contains(w))
            && given.byzantine <= MAX_COMMITTEE
            && given.honest.iter().sum::<u32>() + given.byzantine == given.n;
        require(weights_fit && !given.honest.is_empty(), "honest", &|| {
            format!(
                "1 to {MAX_HONEST} miners that stand for {} - {} members are needed, not {:?}",
                given.n, given.byzantine, given.honest
            )
        })?;
        let synchronous = !matches!(given.network, Network::Async | Network::Lossy);
        let merged = given.reductions.eager && given.reductions.byzantine_available;
        require(!synchronous || merged, "reductions", &|| {
            "a synchronous network is defined with `eager` and `byzantine_available` only".into()
        })?;
        let named = given.reductions.byzantine_available || given.byzantine <= MAX_EXPLICIT_BYZANTINE;
        require(named, "byzantine", &|| {
            format!("explicit Byzantine messages have room for {MAX_EXPLICIT_BYZANTINE} Byzantine miners")
        })?;
        require(given.restarts <= MAX_RESTARTS, "restarts", &|| format!("more than {MAX_RESTARTS}"))?;
        require(given.observers <= 2, "observers", &|| "more than 2".into())?;
        let places: Vec<Place> = given.blocks.iter().map(NamedPlace::place).collect();
        let blocks = Blocks::from_places(given.rounds, given.subrounds, &places)
            .map_err(|error| BadInstance { field: "blocks", message: error.to_string() })?;
        for (block, place) in blocks.all().zip(&given.blocks) {
            let name = block_name(&blocks, block);
            require(name == place.name, "blocks", &|| {
                format!("the block in the place of {name} is called {}", place.name)
            })?;
        }
        let reserved = given.reserved_rounds > 0 || given.reserved_subrounds > 0;
        require(!reserved || given.network == Network::PartiallySynchronous, "reserved_rounds", &|| {
            "only a network that becomes synchronous has a good period to reserve for".into()
        })?;
        require(given.reserved_rounds < given.rounds, "reserved_rounds", &|| "all rounds".into())?;
        require(given.reserved_subrounds < given.subrounds, "reserved_subrounds", &|| {
            "all subrounds".into()
        })?;
        let committee = Committee {
            n: given.n,
            f: given.f,
            byzantine: given.byzantine,
            quorum: given.quorum,
            beacon_threshold: given.beacon_threshold,
            exposed: given.exposed,
            weights: given.honest.clone(),
        };
        if let Some((message, fix)) = committee.exposed_refused(&given.rules) {
            return Err(BadInstance { field: "exposed", message: format!("{message}; {fix}") });
        }
        Ok(Protocol {
            committee,
            rules: given.rules,
            blocks,
            crashes: given.restarts,
            restarts_behind: given.restarts_behind,
            network: given.network,
            observers: given.observers,
            reserved_rounds: given.reserved_rounds,
            reserved_subrounds: given.reserved_subrounds,
            reductions: given.reductions,
        })
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl NamedPlace {
    fn place(&self) -> Place {
        let NamedPlace { round, subround, rank, twin, generator, .. } = *self;
        Place { round, subround, rank, twin, generator, local: 0 }
    }
}

//! The instance of the protocol that a trace is a run of: everything that decides which steps may happen.

use crate::{
    blocks::{Blocks, Generator, Place, block_name},
    committee::Committee,
    fault::Fault,
    instance::{Parts, Unfit, sized},
    properties::Property,
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::Rules,
    settings::{Form, judge},
};
use serde::{Deserialize, Serialize};

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
    /// Its generator.
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
    /// The behaviour of the network.
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
    #[serde(deserialize_with = "rules")]
    pub rules: Rules,
    /// The mistake, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
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
            fault: protocol.fault,
            reductions: protocol.reductions,
        }
    }
}

/// Why an [`Instance`] is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("instance.{field}: {message}\n  fix: {fix}")]
pub struct BadInstance {
    /// The field.
    pub field: &'static str,
    /// The error.
    pub message: String,
    /// The fix.
    pub fix: String,
}

impl From<Unfit> for BadInstance {
    /// Some fields have another name in a trace, what is a table of a scenario is a field, and most must be there.
    fn from(Unfit { field, message, fix }: Unfit) -> Self {
        let field = match field {
            "groups" => "honest",
            "generators" | "outsider" => "blocks",
            same => same,
        };
        let fix = fix.replace("[rules]", "`rules`").replace("[reductions]", "`reductions`");
        let fix = match field {
            "fault" | "exposed" | "restarts_behind" => fix,
            _ => fix.replace("remove it", "write its usual value"),
        };
        BadInstance { field, message, fix }
    }
}

impl TryFrom<&Instance> for Protocol {
    type Error = BadInstance;

    fn try_from(given: &Instance) -> Result<Self, BadInstance> {
        let require = |fine: bool, field: &'static str, message: &dyn Fn() -> String| {
            let fix = "write the instance as `zus check --out DIR` does (model/checker/src/trace/mod.rs)"
                .to_owned();
            if fine { Ok(()) } else { Err(BadInstance { field, message: message(), fix }) }
        };
        sized(given.rounds, given.subrounds)?;
        let places: Vec<Place> = given.blocks.iter().map(NamedPlace::place).collect();
        let blocks = Blocks::from_places(given.rounds, given.subrounds, &places);
        let blocks = blocks.map_err(|error| BadInstance {
            field: "blocks",
            message: error.to_string(),
            fix: "name the blocks in order, each once".into(),
        })?;
        for (block, place) in blocks.all().zip(&given.blocks) {
            let name = block_name(&blocks, block);
            require(name == place.name, "blocks", &|| {
                format!("the block in the place of {name} is called {}", place.name)
            })?;
        }
        let parts = Parts {
            n: given.n,
            byzantine: given.byzantine,
            groups: given.honest.clone(),
            beacon_threshold: given.beacon_threshold,
            exposed: given.exposed,
            rules: given.rules,
            fault: given.fault,
            blocks,
            network: given.network,
            restarts: given.restarts,
            restarts_behind: given.restarts_behind,
            observers: given.observers,
            reserved_rounds: given.reserved_rounds,
            reserved_subrounds: given.reserved_subrounds,
            reductions: given.reductions,
        };
        let protocol = parts.checked()?;
        // A run may show anything, whether or not it is claimed.
        let asked = Property::every().collect();
        judge(&protocol, Form::Run, asked)?;
        let Committee { n, f, quorum, .. } = protocol.committee;
        require(given.f == f, "f", &|| format!("{}, but n = {n} tolerates {f}", given.f))?;
        require(given.quorum == quorum, "quorum", &|| {
            format!("{}, but the rule gives {quorum}", given.quorum)
        })?;
        Ok(protocol)
    }
}

/// Rules as they are written. Traces of earlier versions name the answers to three more questions, to which there is no
/// second one any more but as a `fault`.
pub(super) fn rules<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rules, D::Error> {
    use serde::de::Error;
    let mut rules = super::object::Object::deserialize(deserializer)?.0;
    for (question, answer) in [("proposal", "Once"), ("counting", "Genuine"), ("head", "Descends")] {
        if rules.get(question).is_some_and(|given| given == answer) {
            rules.remove(question);
        }
    }
    serde_json::from_value(serde_json::Value::Object(rules)).map_err(D::Error::custom)
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

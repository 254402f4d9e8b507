//! From a run of the specification to a trace of the model: what `zus replay` accepts.
//!
//! The model takes Byzantine tickets, votes, timeouts and shares as sent, judges finality of any observer at once, and
//! combines and certifies by itself, so those actions of the specification become no steps. Under `Local` a timeout and
//! the subround that it leads to are one step.

use super::placement::block as model_block;
use crate::{
    bounded::{Event, Run},
    spec::Spec,
    structure::Element,
};
use std::collections::{BTreeMap, BTreeSet};
use zus_checker::{
    Fault,
    action::{Action, Blocked},
    blocks::{BadPlaces, BlockId, Blocks, Generator, Place},
    committee::{Committee, beacon_threshold, quorum, tolerated},
    properties::Property,
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::{FinalityRule, Rules},
    scenario::Verdict,
    state::State,
    trace::{Claim, Producer, ReplayError, Trace, shown_verdict},
};

/// Why a run of the specification is no trace of the model.
#[derive(Debug, thiserror::Error)]
pub enum NoTrace {
    /// The model has no such rule.
    #[error("the model has no rule `{0}`")]
    Rule(String),
    /// The blocks cannot be laid out.
    #[error(transparent)]
    Places(#[from] BadPlaces),
    /// The model cannot do a step.
    #[error("action {index} of the run, `{action}`, becomes {step:?}, which the model refuses: {blocked}")]
    Blocked {
        /// Its place in the run, from 1.
        index: usize,
        /// The action of the specification.
        action: String,
        /// The action of the model.
        step: Action,
        /// Which guard is false.
        blocked: Blocked,
    },
    /// A restart that the model does not have.
    #[error("action {0} of the run: a restart anywhere but where the miner was")]
    Restart(usize),
    /// The trace does not replay or does not show its claim.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// The run as a trace. `property` is what it shows, if the model has a property of that name.
pub fn trace_of(spec: &Spec, run: &Run, property: Option<Property>, command: &str) -> Result<Trace, NoTrace> {
    let protocol = protocol_of(spec, run)?;
    let renumbered = order(spec, run);
    let mut steps = Steps {
        spec,
        run,
        protocol: &protocol,
        renumbered,
        state: protocol.initial(),
        done: Vec::new(),
        waiting: Vec::new(),
    };
    for index in 0..run.events.len() {
        steps.event(index)?;
    }
    if property == Some(Property::W6) {
        // The witness ends with the recovery; the model's with the ticket that is then sent.
        for miner in 0..protocol.honest() as u8 {
            if steps.state.miners[miner as usize].recovered() == 1 {
                steps.step(run.events.len(), Action::SendTicket { miner })?;
            }
        }
    }
    let claim = property.map(|property| {
        let verdict = shown_verdict(property);
        let holds = if verdict == Verdict::Violated { "is violated" } else { "is reached" };
        Claim {
            property,
            verdict,
            because: format!("{property:?} {holds}: run `{}` of the specification", run.name),
        }
    });
    let producer = Producer {
        tool: concat!("zus-proofs ", env!("CARGO_PKG_VERSION")).to_string(),
        command: Some(command.to_string()),
        seed: None,
    };
    Ok(Trace::of_run(producer, None, claim, &protocol, &steps.done)?)
}

/// The property of the model that a property, witness or run of the specification is named after: `S10-honest` shows
/// S10. Witness `S6-of-ancestors` says what S6 does not mean, so it shows nothing.
pub fn property(name: &str) -> Option<Property> {
    let id = name.split('-').next().unwrap_or_default();
    Property::ALL.iter().copied().find(|p| p.id() == id && name != "S6-of-ancestors")
}

/// The model's rules, and its mistake, of that specification.
pub fn model_rules(spec: &Spec) -> Result<(Rules, Option<Fault>), NoTrace> {
    let profile = Rules::profile(&spec.rules.profile).unwrap_or(Rules::HARDENED);
    let value = |rule: &str| spec.rules.value(rule).unwrap_or_default().to_string();
    fn parse<T: serde::de::DeserializeOwned>(value: String) -> Result<T, NoTrace> {
        serde_json::from_value(serde_json::Value::String(value.clone())).map_err(|_| NoTrace::Rule(value))
    }
    let finality = value("finality");
    let fault = match value("fault").as_str() {
        "None" => None,
        named => Some(parse(named.to_string())?),
    };
    let rules = Rules {
        beacon: parse(value("beacon"))?,
        ticket: parse(value("ticket"))?,
        subround_entry: parse(value("subround_entry"))?,
        subround_switch: parse(value("subround_switch"))?,
        finality: match finality.strip_prefix("CommonAncestor").map(str::parse) {
            Some(Ok(depth)) => FinalityRule::CommonAncestor { depth },
            _ => parse(finality)?,
        },
        quorum: parse(value("quorum"))?,
        ticket_log: parse(value("ticket_log"))?,
        echo: parse(value("echo"))?,
        ..profile
    };
    Ok((rules, fault))
}

fn protocol_of(spec: &Spec, run: &Run) -> Result<Protocol, NoTrace> {
    let (rules, fault) = model_rules(spec)?;
    let universe = &run.universe;
    let (n, byzantine) = (universe.miners as u32, universe.byzantine as u32);
    let places = places(spec, run);
    let restarts = run.events.iter().filter(|e| spec.actions[e.action].name == "restart").count();
    Ok(Protocol {
        committee: Committee {
            n,
            f: tolerated(n),
            byzantine,
            quorum: quorum(rules.quorum, fault, n),
            beacon_threshold: beacon_threshold(fault, n),
            exposed: universe.exposed as u32,
            weights: vec![1; (n - byzantine) as usize],
        },
        rules,
        fault,
        blocks: Blocks::from_places(universe.rounds as u8, universe.subrounds as u8, &places)?,
        crashes: restarts as u32,
        restarts_behind: false,
        network: Network::Async,
        observers: 0,
        reserved_rounds: 0,
        reserved_subrounds: 0,
        reductions: Reductions { byzantine_available: true, ..Reductions::NONE },
    })
}

/// Where the specification's blocks stand in the model, in the order of its elements.
fn placed(spec: &Spec, run: &Run) -> Vec<(Place, Element)> {
    let initial = &run.initial;
    // Of two twins the first is the one proposed first.
    let proposed = |block: Element| {
        let proposes = |e: &Event| {
            spec.actions[e.action].name.ends_with("propose") && e.arguments.get(1) == Some(&block)
        };
        run.events.iter().position(proposes).unwrap_or(usize::MAX)
    };
    let value = |name: &str, block| spec.function(name).map_or(0, |f| initial.value(f, &[block]));
    let outranks = |x, y| spec.relation("outranks").is_some_and(|r| initial.holds(r, &[x, y]));
    let byzantine = |m| spec.relation("byzantine").is_some_and(|r| initial.holds(r, &[m]));
    let count = spec.sort("block").map_or(1, |sort| initial.size(sort)) as Element;
    let mut groups: BTreeMap<(Element, Element), Vec<Element>> = BTreeMap::new();
    for block in 1..count {
        groups.entry((value("round", block), value("subround", block))).or_default().push(block);
    }
    let mut found = Vec::new();
    for ((round, subround), blocks) in groups {
        // Best rank first: by the number of generators that outrank it, then by number.
        let mut generators: Vec<Element> = Vec::new();
        for block in &blocks {
            let generator = value("generator", *block);
            if !generators.contains(&generator) {
                generators.push(generator);
            }
        }
        let better = |generator: &Element| {
            let own = blocks.iter().copied().filter(|b| value("generator", *b) == *generator);
            let above: BTreeSet<_> = own
                .flat_map(|b| blocks.iter().copied().filter(move |other| outranks(*other, b)))
                .map(|other| value("generator", other))
                .collect();
            above.len()
        };
        generators.sort_by_key(better);
        for (rank, generator) in generators.iter().enumerate() {
            let mut own: Vec<_> = blocks.iter().filter(|b| value("generator", **b) == *generator).collect();
            own.sort_by_key(|b| proposed(**b));
            for (twin, block) in own.into_iter().enumerate() {
                let kind = if byzantine(*generator) { Generator::Byzantine } else { Generator::Honest };
                let place = Place {
                    round: round as u8,
                    subround: subround as u8,
                    rank: rank as u8,
                    twin: twin as u8,
                    generator: kind,
                    local: 0,
                };
                found.push((place, *block));
            }
        }
    }
    found
}

fn places(spec: &Spec, run: &Run) -> Vec<Place> {
    placed(spec, run).into_iter().map(|(place, _)| place).collect()
}

/// The model's block for every block of the specification.
fn order(spec: &Spec, run: &Run) -> BTreeMap<Element, BlockId> {
    let places = placed(spec, run).into_iter().enumerate();
    let blocks = places.map(|(index, (_, element))| (element, model_block(index as Element + 1)));
    blocks.chain([(0, zus_checker::blocks::GENESIS)]).collect()
}

struct Steps<'a> {
    spec: &'a Spec,
    run: &'a Run,
    protocol: &'a Protocol,
    renumbered: BTreeMap<Element, BlockId>,
    state: State,
    done: Vec<Action>,
    /// Byzantine proposals whose parent, or whose twin, has not been proposed.
    waiting: Vec<Action>,
}

impl Steps<'_> {
    fn step(&mut self, index: usize, step: Action) -> Result<(), NoTrace> {
        if let Err(blocked) = self.protocol.enabled(&self.state, &step) {
            let action = self.run.sentences(self.spec).get(index).cloned().unwrap_or_default();
            return Err(NoTrace::Blocked { index: index + 1, action, step, blocked });
        }
        self.state = self.protocol.apply(&self.state, &step);
        self.done.push(step);
        Ok(())
    }

    /// Proposes what can be proposed by now, first twins first.
    fn waiting(&mut self) {
        self.waiting.sort_by_key(|action| match action {
            Action::ByzantinePropose { block, .. } => block.0,
            _ => 0,
        });
        let mut later = Vec::new();
        for action in std::mem::take(&mut self.waiting) {
            if self.protocol.enabled(&self.state, &action).is_ok() {
                self.state = self.protocol.apply(&self.state, &action);
                self.done.push(action);
            } else {
                later.push(action);
            }
        }
        self.waiting = later;
    }

    fn event(&mut self, index: usize) -> Result<(), NoTrace> {
        let event = &self.run.events[index];
        let action = &self.spec.actions[event.action];
        let argument = |name: &str| {
            let place = action.parameters.iter().position(|p| p.name == name);
            place.map_or(0, |p| event.arguments[p])
        };
        let miner = argument("n") as u8;
        let block = self.renumbered.get(&argument("b")).copied().unwrap_or(BlockId(0));
        let local = self.protocol.rules.enters_alone();
        match action.name.as_str() {
            "share_beacon" if self.state.miners[miner as usize].shared() == 0 => {
                self.step(index, Action::ShareBeacon { miner })?;
            }
            "form_beacon" if self.protocol.forms_beacon() => {
                // Rounds that nobody has been in are alike; the model has those of the universe, from 1.
                let round = (argument("r") as u8).clamp(1, self.protocol.blocks.rounds);
                self.step(index, Action::FormBeacon { round })?;
            }
            "propose" => self.step(index, Action::Propose { miner, block })?,
            "byzantine_propose" => {
                let parent = self.spec.relation("parent").and_then(|relation| {
                    self.run.initial.tuples(relation).find(|t| t[1] == argument("b")).map(|t| t[0])
                });
                let first = self.protocol.entries(self.protocol.blocks.round(block)).next();
                let parent = parent.and_then(|p| self.renumbered.get(&p).copied()).or(first);
                self.waiting.extend(parent.map(|parent| Action::ByzantinePropose { block, parent }));
            }
            "log_ticket" => {
                let parent = self.renumbered.get(&argument("p")).copied().unwrap_or(BlockId(0));
                self.step(index, Action::Select { miner, block })?;
                self.step(index, Action::Ticket { miner, block, parent })?;
            }
            "send_ticket" if self.state.miners[miner as usize].unsent() != 0 => {
                self.step(index, Action::SendTicket { miner })?;
            }
            "notarize" => self.step(index, Action::Notarize { block })?,
            "leave_voting" | "leave_silently" => self.step(index, Action::Leave { miner, block })?,
            "adopt" => self.step(index, Action::Adopt { miner, block })?,
            "timeout" if !local => self.step(index, Action::Timeout { miner })?,
            "enter_subround" if local => self.step(index, Action::Timeout { miner })?,
            "enter_subround" => {
                self.step(index, Action::EnterSubround { miner, subround: argument("t") as u8 })?
            }
            "restart" => {
                let m = &self.state.miners[miner as usize];
                let entry = self.state.entry(&self.protocol.blocks, miner as usize);
                let through = self.renumbered.get(&argument("p")).copied();
                if (m.round(), m.subround(), Some(entry)) != (argument("r"), 0, through) {
                    return Err(NoTrace::Restart(index + 1));
                }
                self.step(index, Action::Crash { miner })?;
                self.step(index, Action::Restart { miner })?;
            }
            // Implied, taken as sent, or sent before.
            _ => {}
        }
        self.waiting();
        Ok(())
    }
}

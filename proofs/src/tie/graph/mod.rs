//! The whole graphs of `model/spec` and of `proofs/spec` on tiny universes: the same states, the same labelled edges.
//!
//! Each graph is walked by itself, with nothing from the other. What is compared are *facts*: where each miner is, what is in
//! its log, which messages were sent, by whom. Two differences of form are bridged on purpose, and nothing else:
//!
//! - the model selects and then tickets, goes down and then comes back; the other specification has one action for both;
//! - `proofs/spec` combines shares and makes certificates of timeouts and of votes by actions; in the model they are there as
//!   soon as their parts are. [`Universe::every_order`] walks their orders too.
//!
//! States with the same facts must have the same steps, too, in each graph by itself: so nothing that is not a fact decides
//! anything. In the model this is asked of the states in which nobody is down and nothing is selected, and in `proofs/spec` for each
//! placement of generators and parents by itself.
//!
//! Actions of `proofs/spec` that are beyond a bound of the universe are left out, by [`Bound`](super::Bound), and counted.

mod fact;
mod model;
mod specification;
mod time;
mod universes;
mod walk;

pub(super) use time::TICKS;

pub use fact::{Fact, Facts};
pub use time::{Rest, at_rest, clock};
pub use universes::{Universe, timed, universes};

use super::{BoundsHit, Placement, Tie, Untied, rules_of};
use crate::spec::{RuleChoice, Sources, Spec, SpecError, load};
use fact::Dictionary;
use std::sync::Mutex;
use walk::{Edge, Graph, Numbers, Stopped};
use zus_checker::{expand::specified, rules::Rules};
use zus_spec::Crashes;

/// What two equal graphs have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// States, told apart by their facts.
    pub states: u64,
    /// Edges: from a state, by a step, to a state.
    pub edges: u64,
    /// States of the model before they are told apart by their facts only, and of the other specification over all placements.
    pub raw: (u64, u64),
    /// Actions that were beyond a bound of the universe.
    pub beyond: BoundsHit,
}

/// Where two graphs differ first.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}\nthe state:\n{}\nafter {} steps:\n{}", lines(.state), .run.len(), lines(.run))]
pub struct Difference {
    /// The step, and the graph that has it.
    pub what: String,
    /// The facts of the state, in words.
    pub state: Vec<String>,
    /// A run to it, in words.
    pub run: Vec<String>,
}

fn lines(of: &[String]) -> String {
    of.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Why graphs cannot be compared, or are not the same.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// They differ.
    #[error(transparent)]
    Differ(#[from] Box<Difference>),
    /// The universe cannot be tied.
    #[error(transparent)]
    Untied(#[from] Untied),
    /// The specification cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Too many states.
    #[error("universe `{0}` has more than {1} states\n  fix: make it smaller")]
    TooLarge(String, u64),
}

/// The specification for the rules of a universe.
pub fn spec_of(sources: &Sources, universe: &Universe) -> Result<Spec, SpecError> {
    load(sources, &RuleChoice::new(rules_of(&Rules::HARDENED, universe.fault)))
}

/// Walks both graphs of a universe, and compares them.
pub fn compare(spec: &Spec, universe: &Universe, threads: usize) -> Result<Compared, GraphError> {
    let protocol = universe.protocol()?;
    let (mut instance, mut bounds) = specified(&protocol);
    // Log and message of a ticket are two steps there only where miners may go down.
    instance.crashes = if universe.restarts { Crashes::RestartBehind } else { Crashes::Restart };
    bounds.crashes = universe.restarts.into();
    bounds.beacon_values = universe.forms_beacon;
    let dictionary = Dictionary::new(&protocol, &instance);
    let tie = Tie::new(spec, &protocol)?;
    let mut numbers = Numbers::default();
    let limits = (threads, universe.most);
    let stopped = |stopped: Stopped, graph: &str, numbers: &Numbers| match stopped {
        Stopped::TooLarge => GraphError::TooLarge(universe.name.into(), universe.most),
        Stopped::Hidden(state) => {
            let what =
                format!("{graph}: of two states with the same facts, one has a step that the other has not");
            difference(&dictionary, numbers, what, state, &[])
        }
    };
    let model = model::walk(&dictionary, &bounds, &mut numbers, limits)
        .map_err(|error| stopped(error, "the model", &numbers))?;
    let walker =
        specification::Walker { tie: &tie, dictionary: &dictionary, universe, beyond: Mutex::default() };
    let mut proved = Graph::default();
    for placement in Placement::every(&protocol)? {
        walker
            .walk(&mut proved, &placement, &mut numbers, limits)
            .map_err(|error| stopped(error, "the specification", &numbers))?;
    }
    if let Some((edge, owner)) = first_difference(&model, &proved) {
        let (from, label, to) = edge;
        let (has, lacks, graph) = match owner {
            Owner::Model => ("the model", "the specification", &model),
            Owner::Specification => ("the specification", "the model", &proved),
        };
        let step = dictionary.sentence(&numbers.labels[label as usize]);
        let change = change(&dictionary, &numbers, from, to);
        let what = format!("{has} has a step that {lacks} has not: {step}, so that {change}");
        return Err(difference(&dictionary, &numbers, what, from, &graph.run(from)));
    }
    if model.states.len() != proved.states.len() {
        // Only the first state of a graph has no edge to it.
        let what = "the graphs begin in different states".to_string();
        return Err(difference(&dictionary, &numbers, what, 0, &[]));
    }
    Ok(Compared {
        states: model.states.len() as u64,
        edges: model.edges.len() as u64,
        raw: (model.raw, proved.raw),
        beyond: walker.beyond.into_inner().unwrap_or_else(|e| e.into_inner()),
    })
}

enum Owner {
    Model,
    Specification,
}

/// The first edge, in the order in which states were found, that only one of them has.
fn first_difference(model: &Graph, proved: &Graph) -> Option<(Edge, Owner)> {
    let only = |one: &Graph, other: &Graph| {
        one.edges
            .iter()
            .filter(|edge| other.states.contains_key(&edge.0) && !other.edges.contains(*edge))
            .min()
            .copied()
    };
    let (left, right) = (only(model, proved), only(proved, model));
    match (left, right) {
        (Some(left), Some(right)) if right < left => Some((right, Owner::Specification)),
        (Some(left), _) => Some((left, Owner::Model)),
        (None, right) => right.map(|edge| (edge, Owner::Specification)),
    }
}

fn change(dictionary: &Dictionary, numbers: &Numbers, from: u32, to: u32) -> String {
    let (before, after) = (&numbers.states[from as usize], &numbers.states[to as usize]);
    let new = after.iter().filter(|fact| !before.contains(fact)).map(|fact| dictionary.words(*fact));
    let gone = before.iter().filter(|fact| !after.contains(fact));
    new.chain(gone.map(|fact| format!("no longer {}", dictionary.words(*fact))))
        .collect::<Vec<_>>()
        .join(", ")
}

fn difference(
    dictionary: &Dictionary,
    numbers: &Numbers,
    what: String,
    state: u32,
    run: &[u32],
) -> GraphError {
    let facts = numbers.states[state as usize].iter().map(|fact| dictionary.words(*fact)).collect();
    let run = run.iter().map(|label| dictionary.sentence(&numbers.labels[*label as usize])).collect();
    GraphError::Differ(Box::new(Difference { what, state: facts, run }))
}

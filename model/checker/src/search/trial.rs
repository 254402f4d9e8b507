//! Settings on trial: a small instance is explored without each setting that could be left out, and where nothing is other
//! than with it, the setting is refused. What is argued from the rules ([`crate::scenario`]) says why, and holds for instances
//! of any size; this looks, and holds for every setting.

use super::bfs::{End, Limits, Progress, explore};
use crate::{
    properties::{Facts, Property},
    protocol::Protocol,
    scenario::{Scenario, ScenarioError},
};
use std::{collections::BTreeMap, sync::Mutex};

/// Unique states of an instance that is compared at most: a fraction of a second.
pub const MOST_STATES: u64 = 20_000;

/// All that an instance does, as far as a setting may change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// Unique states.
    pub unique: u64,
    /// Steps, with those that lead to a known state.
    pub generated: u64,
    /// Longest distance from the start.
    pub depth: u32,
    /// The properties that are violated, and the witnesses that are reachable.
    pub shows: Vec<Property>,
    /// States at each distance from the start, and nearer.
    levels: BTreeMap<u32, u64>,
}

/// What `protocol` does, if it has [`MOST_STATES`] states at most.
pub fn behaviour(protocol: &Protocol) -> Option<Behaviour> {
    let asked: Facts = Property::ALL.iter().chain(Property::PREMISES).copied().collect();
    let limits = Limits { states: MOST_STATES, ..Limits::default() };
    let levels = Mutex::new(BTreeMap::new());
    let level = |Progress { depth, unique, .. }: Progress| {
        levels.lock().unwrap_or_else(|broken| broken.into_inner()).insert(depth, unique);
    };
    let explored = explore(protocol, asked, None, limits, &level, &|_| {});
    (explored.end == End::Exhausted).then(|| Behaviour {
        unique: explored.unique,
        generated: explored.generated,
        depth: explored.depth,
        shows: explored.found.into_keys().collect(),
        levels: levels.into_inner().unwrap_or_else(|broken| broken.into_inner()),
    })
}

/// Refuses the first setting without which the instance does the same.
pub fn effects(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.optional.is_empty() {
        return Ok(());
    }
    let Some(with) = behaviour(&scenario.protocol) else { return Ok(()) };
    let idle = scenario.optional.iter().find(|optional| behaviour(&optional.without).as_ref() == Some(&with));
    let Some(idle) = idle else { return Ok(()) };
    Err(ScenarioError::Invalid {
        path: scenario.path.clone(),
        line: idle.line,
        field: idle.field,
        message: format!(
            "it changes nothing: without it as many states are reached ({}), by as many steps ({}), and every property \
             has the same verdict",
            with.unique, with.generated
        ),
        fix: "remove it, or use an instance in which it matters".into(),
    })
}

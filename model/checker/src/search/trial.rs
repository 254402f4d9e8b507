//! Settings on trial: a small instance, of a scenario or a trace, is explored without each setting that could be left out.
//! Where nothing differs, the setting is refused. Arguments from the rules ([`crate::scenario`]) give the reason, and hold
//! for instances of any size; a trial gives no reason, and covers every setting.

use super::bfs::{End, Limits, Progress, explore};
use crate::{
    instance::Unfit,
    properties::{Facts, Property},
    protocol::Protocol,
    scenario::{Scenario, ScenarioError},
    settings::{explored, without},
    trace::{Trace, TraceError},
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

/// The behaviour of `protocol`, if it has [`MOST_STATES`] states at most.
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

/// The first setting without which `with` does the same, of those that could be left out, each with the instance without it;
/// and why it is refused.
fn idle<'p, T: Copy>(
    with: &Protocol,
    optional: impl IntoIterator<Item = (T, &'p Protocol)>,
) -> Option<(T, String, String)> {
    let mut optional = optional.into_iter().peekable();
    optional.peek()?;
    let with = behaviour(with)?;
    let (setting, _) = optional.find(|(_, without)| behaviour(without).as_ref() == Some(&with))?;
    let message = format!(
        "it changes nothing: without it as many states are reached ({}), by as many steps ({}), and every property has the \
         same verdict",
        with.unique, with.generated
    );
    Some((setting, message, "remove it, or use an instance in which it matters".into()))
}

/// Refuses the first setting of a scenario without which the instance does the same.
pub fn effects(scenario: &Scenario) -> Result<(), ScenarioError> {
    let optional =
        scenario.optional.iter().map(|optional| ((optional.field, optional.line), &optional.without));
    match idle(&scenario.protocol, optional) {
        None => Ok(()),
        Some(((field, line), message, fix)) => {
            Err(ScenarioError::Invalid { path: scenario.path.clone(), line, field, message, fix })
        }
    }
}

/// Refuses the first setting of a trace, which was read from `text`, without which its instance does the same; `path` is for
/// messages.
pub fn effects_of_run(path: &str, text: &str, trace: &Trace) -> Result<(), TraceError> {
    let (protocol, form) = explored(&trace.protocol);
    let optional = without(&protocol, form);
    match idle(&protocol, optional.iter().map(|(field, without)| (*field, without))) {
        None => Ok(()),
        Some((field, message, fix)) => {
            Err(TraceError::instance(path, text, Unfit { field, message, fix }.into()))
        }
    }
}

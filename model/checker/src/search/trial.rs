//! Settings on trial: an instance, of a scenario or a trace, is explored with and without each setting that could be left out,
//! until the two differ. Where nothing differs, the setting is refused. Arguments from the rules ([`crate::scenario`]) give the
//! reason, and hold for instances of any size; a trial gives no reason, and covers every setting. Of a scenario in which
//! neither is known within [`MOST_STATES`], the report has a note.

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

/// Unique states of an instance that is compared first: a fraction of a second. Most settings show there.
const FIRST_STATES: u64 = 20_000;
/// Each further comparison goes so many times as far.
const FURTHER: u64 = 7;
/// Unique states of an instance that is compared at most: some seconds.
pub const MOST_STATES: u64 = FURTHER * FURTHER * FIRST_STATES;

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
    /// At each distance from the start that was explored as a whole: states until there, and steps.
    levels: BTreeMap<u32, (u64, u64)>,
    /// Whether this is all.
    whole: bool,
}

impl Behaviour {
    /// Whether the two are the same, where that is known.
    fn is(&self, other: &Behaviour) -> Option<bool> {
        if self.whole && other.whole {
            return Some(self == other);
        }
        let differ = self.levels.iter().any(|(depth, of)| other.levels.get(depth).is_some_and(|o| o != of));
        // One that ended has no deeper level.
        let ended = |a: &Behaviour, b: &Behaviour| a.whole && b.depth > a.depth;
        (differ || ended(self, other) || ended(other, self)).then_some(false)
    }
}

/// The behaviour of the first `states` states of `protocol`, or a few more.
fn begun(protocol: &Protocol, states: u64) -> Behaviour {
    let asked: Facts = Property::ALL.iter().chain(Property::PREMISES).copied().collect();
    let limits = Limits { states, ..Limits::default() };
    let levels = Mutex::new(BTreeMap::new());
    let level = |Progress { depth, unique, generated, .. }: Progress| {
        levels.lock().unwrap_or_else(|broken| broken.into_inner()).insert(depth, (unique, generated));
    };
    let explored = explore(protocol, asked, None, limits, &level, &|_| {});
    let whole = explored.end == End::Exhausted;
    let mut levels = levels.into_inner().unwrap_or_else(|broken| broken.into_inner());
    if !whole {
        levels.remove(&explored.depth);
    }
    let (unique, generated, depth) = (explored.unique, explored.generated, explored.depth);
    Behaviour { unique, generated, depth, shows: explored.found.into_keys().collect(), levels, whole }
}

/// The behaviour of `protocol`, if it has [`FIRST_STATES`] states at most.
pub fn behaviour(protocol: &Protocol) -> Option<Behaviour> {
    Some(begun(protocol, FIRST_STATES)).filter(|behaviour| behaviour.whole)
}

/// How a trial of settings ended.
enum Trial<T> {
    /// Without this one the instance does the same; and the message.
    Idle(T, String),
    /// All have an effect, but for these: within [`MOST_STATES`] they have shown none.
    Untold(Vec<T>),
}

/// Tries settings that could be left out, each with the instance without it.
fn trial<'p, T>(with: &Protocol, optional: impl IntoIterator<Item = (T, &'p Protocol)>) -> Trial<T> {
    let mut untold: Vec<(T, &Protocol)> = optional.into_iter().collect();
    let mut states = FIRST_STATES;
    while !untold.is_empty() && states <= MOST_STATES {
        let with = begun(with, states);
        for (setting, without) in std::mem::take(&mut untold) {
            match with.is(&begun(without, states)) {
                Some(false) => {}
                None => untold.push((setting, without)),
                Some(true) => {
                    let Behaviour { unique, generated, .. } = with;
                    let message = format!(
                        "it changes nothing: without it as many states are reached ({unique}), by as many steps ({generated}), \
                         and every property has the same verdict"
                    );
                    return Trial::Idle(setting, message);
                }
            }
        }
        states *= FURTHER;
    }
    Trial::Untold(untold.into_iter().map(|(setting, _)| setting).collect())
}

const FIX: &str = "remove it, or use an instance in which it matters";

/// Refuses the first setting of a scenario without which the instance does the same, and notes those that have shown no effect.
///
/// # Errors
/// [`ScenarioError::Invalid`], with the line of the setting.
pub fn effects(scenario: &mut Scenario) -> Result<(), ScenarioError> {
    let optional =
        scenario.optional.iter().map(|optional| ((optional.field, optional.line), &optional.without));
    let path = scenario.path.clone();
    match trial(&scenario.protocol, optional) {
        Trial::Idle((field, line), message) => {
            Err(ScenarioError::Invalid { path, line, field, message, fix: FIX.into() })
        }
        Trial::Untold(settings) => {
            scenario.notes.extend(settings.into_iter().map(|(field, line)| {
                format!(
                    "{path}:{line}: {field} changes nothing within the first {MOST_STATES} states: a smaller instance shows \
                     whether it matters"
                )
            }));
            Ok(())
        }
    }
}

/// Refuses the first setting of a trace, which was read from `text`, without which its instance does the same; `path` is for
/// messages.
///
/// # Errors
/// The field, with its line.
pub fn effects_of_run(path: &str, text: &str, trace: &Trace) -> Result<(), TraceError> {
    let (protocol, form) = explored(&trace.protocol);
    let optional = without(&protocol, form);
    match trial(&protocol, optional.iter().map(|(field, without)| (*field, without))) {
        Trial::Untold(_) => Ok(()),
        Trial::Idle(field, message) => {
            Err(TraceError::instance(path, text, Unfit { field, message, fix: FIX.into() }.into()))
        }
    }
}

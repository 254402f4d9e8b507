//! Settings on trial: an instance, of a scenario or a trace, is explored with and without each setting that could be left out,
//! until the two differ. Where nothing differs, the setting is refused. Arguments from the rules ([`crate::scenario`]) give the
//! reason, and hold for instances of any size; a trial gives no reason, and covers every setting. Of a scenario in which
//! neither is known within the bound, the report has a note.

use super::bfs::{End, Limits, Progress, explore};
use crate::{
    instance::Unfit,
    properties::{Facts, Property},
    protocol::{Protocol, Reductions},
    scenario::{Scenario, ScenarioError},
    settings::{explored, without},
    trace::{Trace, TraceError},
};
use std::{collections::BTreeMap, sync::Mutex};

/// How the trial goes, for a display: the field on trial, and the search.
type Told<'t> = &'t (dyn Fn(&str, Progress) + Sync);

/// Unique states of an instance that is compared first: a fraction of a second. Most settings show there. Traces, and scenarios that
/// are not explored to their end, are compared no further.
pub const FIRST_STATES: u64 = 20_000;
/// Each further comparison goes so many times as far.
const FURTHER: u64 = 7;
/// Unique states of an instance that is compared at most, where it is to be explored anyway.
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

/// The behaviour of the first states of `protocol`, up to the bounds and a few more.
fn begun(protocol: &Protocol, limits: Limits, told: &(dyn Fn(Progress) + Sync)) -> Behaviour {
    let asked: Facts = Property::every().collect();
    let levels = Mutex::new(BTreeMap::new());
    let level = |progress: Progress| {
        told(progress);
        let Progress { depth, unique, generated, .. } = progress;
        levels.lock().unwrap_or_else(|broken| broken.into_inner()).insert(depth, (unique, generated));
    };
    // Sorted runs forget more, so that two instances that differ could look alike.
    let unsorted = Reductions { sorted: false, ..protocol.reductions };
    let protocol = Protocol { reductions: unsorted, ..protocol.clone() };
    let explored = explore(&protocol, asked, None, limits, &level, &|_| {});
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
    let limits = Limits { states: FIRST_STATES, ..Limits::default() };
    Some(begun(protocol, limits, &|_| {})).filter(|behaviour| behaviour.whole)
}

/// How a trial of settings ended.
enum Trial<T> {
    /// Without this one the instance does the same; and the message.
    Idle(T, String),
    /// All have an effect, but for these: within the bounds they have shown none.
    Untold(Vec<T>),
}

/// Tries settings that could be left out, by field, each with the instance without it, within the bounds.
fn trial<'p, T>(
    with: &Protocol,
    optional: impl IntoIterator<Item = (&'static str, T, &'p Protocol)>,
    limits: Limits,
    told: Told<'_>,
) -> Trial<T> {
    let mut untold: Vec<_> = optional.into_iter().collect();
    let mut states = 0;
    while !untold.is_empty() && states < limits.states {
        states = (states * FURTHER).max(FIRST_STATES).min(limits.states);
        let limits = Limits { states, ..limits };
        let with = begun(with, limits, &|progress| told("the instance as it is", progress));
        for (field, setting, without) in std::mem::take(&mut untold) {
            match with.is(&begun(without, limits, &|progress| told(field, progress))) {
                Some(false) => {}
                None => untold.push((field, setting, without)),
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
    }
    Trial::Untold(untold.into_iter().map(|(_, setting, _)| setting).collect())
}

const FIX: &str = "remove it, or use an instance in which it matters";

/// Refuses the first setting of a scenario without which the instance does the same, and notes those that have shown no effect
/// within the bounds, and [`MOST_STATES`].
///
/// # Errors
/// [`ScenarioError::Invalid`], with the line of the setting.
pub fn effects(scenario: &mut Scenario, limits: Limits, told: Told<'_>) -> Result<(), ScenarioError> {
    let optional = scenario.optional.iter();
    let optional = optional.map(|of| (of.field, (of.field, of.line), &of.without));
    let limits = Limits { states: limits.states.min(MOST_STATES), ..limits };
    let path = scenario.path.clone();
    match trial(&scenario.protocol, optional, limits, told) {
        Trial::Idle((field, line), message) => {
            Err(ScenarioError::Invalid { path, line, field, message, fix: FIX.into() })
        }
        Trial::Untold(settings) => {
            scenario.notes.extend(settings.into_iter().map(|(field, line)| {
                format!(
                    "{path}:{line}: {field} changes nothing within the first {} states: a smaller instance shows \
                     whether it matters",
                    limits.states
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
    let limits = Limits { states: FIRST_STATES, ..Limits::default() };
    let optional = optional.iter().map(|(field, without)| (*field, *field, without));
    match trial(&protocol, optional, limits, &|_, _| {}) {
        Trial::Untold(_) => Ok(()),
        Trial::Idle(field, message) => {
            Err(TraceError::instance(path, text, Unfit { field, message, fix: FIX.into() }.into()))
        }
    }
}

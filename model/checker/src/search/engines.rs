//! The two engines at work on a scenario: each looks for the properties that it answers for.

use super::{
    bfs::{End, Exploration},
    check::{Beside, Method, Options, Rest, Shown, produced_by},
    run,
    table::Fingerprint,
};
use crate::{
    certificates::{expand::named_run, kept::Past, rounds::Rounds, search::explore, support::Seen},
    properties::{Facts, Property},
    protocol::Protocol,
    scenario::{Engine, Scenario},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Instant};

/// One search, and how far it came.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Searched {
    /// Of which engine.
    pub engine: Engine,
    /// How it ended.
    pub method: Method,
    /// Unique states; visited ones, for a sample.
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// Longest distance from the start.
    pub depth: u32,
    /// Most bytes of table, queue and buffers at a time.
    pub peak_bytes: u64,
    /// Where a bound was hit: the states that wait, and how many all of them may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    /// Seconds.
    pub seconds: f64,
}

/// A search, and what it found.
pub(super) struct Looked<'a> {
    pub searched: Searched,
    /// The facts that it found.
    pub reached: Facts,
    /// The run to a fact.
    pub shown: Box<dyn Fn(Property) -> Option<Shown> + 'a>,
    /// The situations that it reached, which say that a verdict of all states is about something.
    pub beside: Vec<Beside>,
}

impl Looked<'_> {
    /// Whether it is a search of any number of rounds and subrounds.
    pub fn is_endless(&self, scenario: &Scenario) -> bool {
        self.searched.engine == Engine::Certificates && scenario.choice.idle().is_some()
    }
}

/// The figures of a search that began at `start`, and the paths that it found.
fn searched(
    engine: Engine,
    start: Instant,
    exploration: Exploration,
) -> (Searched, BTreeMap<Property, Vec<Fingerprint>>) {
    let Exploration { unique, generated, depth, peak_bytes, waiting, growth, end, found } = exploration;
    let rest = matches!(end, End::States | End::Memory).then(|| Rest::new(unique, waiting, growth));
    let method = match end {
        End::Exhausted => Method::Exhausted,
        End::AllFound => Method::AllFound,
        End::States => Method::StateLimit,
        End::Memory => Method::MemoryLimit,
    };
    let seconds = start.elapsed().as_secs_f64();
    (Searched { engine, method, unique, generated, depth, peak_bytes, rest, seconds }, found)
}

/// An explicit search of a protocol for the facts that are asked, which ends at the end of a level once `enough` is all found.
pub type Explicit<'e> = dyn Fn(&Protocol, Facts, Option<Facts>) -> Exploration + 'e;

/// Explores `scenario` step by step for `asked`, up to `enough`.
pub(super) fn explicit<'a>(
    scenario: &'a Scenario,
    asked: Facts,
    enough: Option<Facts>,
    options: Options<'a>,
    explore: &Explicit<'_>,
) -> Looked<'a> {
    let start = Instant::now();
    let protocol = &scenario.protocol;
    let exploration = explore(protocol, asked, enough);
    let (searched, found) = searched(Engine::Explicit, start, exploration);
    let reached = found.keys().copied().collect();
    let shown = move |property| {
        let path = found.get(&property)?;
        Some((produced_by(options.command.into(), None), run::named_run(protocol, path, property)))
    };
    Looked { searched, reached, shown: Box::new(shown), beside: Vec::new() }
}

/// The situations that are looked for beside every verdict of certificates.
const BESIDE: [Property; 5] =
    [Property::Notarized, Property::Child, Property::Final, Property::W1, Property::W2];

/// Explores the states of certificates of `scenario` for `asked`, up to `enough`.
pub(super) fn certificates<'a>(
    scenario: &'a Scenario,
    seen: Seen,
    asked: Facts,
    enough: Option<Facts>,
    options: Options<'a>,
) -> Looked<'a> {
    let start = Instant::now();
    let protocol = &scenario.protocol;
    let limits = options.limits;
    let asked = asked.iter().chain(BESIDE).collect();
    let progress = &|progress| (options.progress)(progress);
    let exploration = match seen {
        Seen::Kept => explore(&Past { protocol }, asked, enough, limits, progress, &mut |_| {}),
        Seen::Forgotten(reach) => {
            explore(&Rounds { protocol, reach }, asked, enough, limits, progress, &mut |_| {})
        }
    };
    let (searched, found) = searched(Engine::Certificates, start, exploration);
    let run = move |found: &BTreeMap<Property, Vec<Fingerprint>>, property| {
        Some(named_run(protocol, seen, found.get(&property)?, property))
    };
    let beside = BESIDE.into_iter().filter_map(|property| {
        let steps = run(&found, property)?.map(|run| run.actions.len());
        Some(Beside { property, steps })
    });
    let beside = beside.collect();
    let reached = found.keys().copied().collect();
    let shown = move |property| Some((produced_by(options.command.into(), None), run(&found, property)?));
    Looked { searched, reached, shown: Box::new(shown), beside }
}

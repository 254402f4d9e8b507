//! Breadth-first exploration, level by level.
//!
//! Each level is cut into chunks of a fixed size. Threads expand chunks against the table as it stands and keep what
//! is new, sorted into shards; then each shard takes up its new states, chunk by chunk in order. So neither the counts,
//! nor which run is found, nor anything else that is reported depends on the number of threads, and the first run that
//! reaches a fact is a shortest one.

use super::{
    codec::Codec,
    expander::{Expander, fingerprint_of, used},
    table::{Fingerprint, Table},
};
use crate::{
    properties::{Facts, Property},
    protocol::Protocol,
    state::State,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Shards of the table; a power of two, at least a few times the number of threads. The order of states within a level, and with
/// it the run that is found, depends on this number.
pub const SHARDS: usize = 16;
/// States of one chunk of work.
const CHUNK: usize = 256;
/// Chunks expanded before their results are taken up: bounds what waits in buffers.
const CHUNKS_AT_ONCE: usize = 16;

/// How far an exploration may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unique states.
    pub states: u64,
    /// Bytes of table, queue and buffers.
    pub memory: u64,
}

impl Default for Limits {
    /// 200 million states, 4 GiB.
    fn default() -> Self {
        Limits { states: 200_000_000, memory: 4 << 30 }
    }
}

/// The reason why an exploration ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Every reachable state was seen.
    Exhausted,
    /// Everything that was sought was found, and nothing else was asked.
    AllFound,
    /// The limit on unique states.
    States,
    /// The limit on memory.
    Memory,
}

/// How an exploration goes, for a progress display. Of a sample: states visited, runs done, and runs to go.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Unique states so far.
    pub unique: u64,
    /// States generated so far, with repetitions.
    pub generated: u64,
    /// Steps from the start.
    pub depth: u32,
    /// States that wait: the rest of the present level, and what is known of the next one.
    pub frontier: u64,
}

/// The result of an exploration.
#[derive(Debug)]
pub struct Exploration {
    /// Unique states.
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// Longest distance from the start.
    pub depth: u32,
    /// Most bytes of table, queue and buffers at a time.
    pub peak_bytes: u64,
    /// States that were seen and not expanded.
    pub waiting: u64,
    /// New states for each one expanded, of the last level: a number below 1 lets the rest be estimated.
    pub growth: f64,
    /// Why it ended.
    pub end: End,
    /// Each fact found, with the fingerprints of a shortest run to it.
    pub found: BTreeMap<Property, Vec<Fingerprint>>,
}

/// The fingerprint of a state of `protocol`.
pub fn fingerprint(protocol: &Protocol, state: &State) -> Fingerprint {
    fingerprint_of(state, used(protocol))
}

/// New states on their way into one shard: fingerprint, predecessor, and the packed state.
#[derive(Default)]
struct Fresh {
    links: Vec<(Fingerprint, Fingerprint)>,
    states: Vec<u8>,
}

/// A successor of a state in a group.
struct Link {
    print: Fingerprint,
    predecessor: Fingerprint,
    /// The predecessor's number in the group.
    of: usize,
}

/// Work on one chunk: the results, and the buffers, which serve the next chunk again.
struct Work<'p> {
    shards: [Fresh; SHARDS],
    generated: u64,
    found: BTreeMap<Property, Fingerprint>,
    expanders: Vec<Expander<'p>>,
    /// The links of the successors of a group, and room for as many states as a group has had successors.
    links: Vec<Link>,
    successors: Vec<State>,
}

impl<'p> Work<'p> {
    fn new(protocol: &'p Protocol) -> Self {
        Work {
            shards: Default::default(),
            generated: 0,
            found: BTreeMap::new(),
            expanders: (0..STATES_AT_ONCE).map(|_| Expander::new(protocol)).collect(),
            links: Vec::new(),
            successors: Vec::new(),
        }
    }
}

#[derive(Default)]
struct Shard {
    table: Table,
    next: Vec<u8>,
}

/// Explores `protocol` and looks for `asked`. Ends early, at the end of a level, once `enough` is all found.
/// `visit` is called with each state as it is expanded, in no particular order.
pub fn explore(
    protocol: &Protocol,
    asked: Facts,
    enough: Option<Facts>,
    limits: Limits,
    progress: &(dyn Fn(Progress) + Sync),
    visit: &(dyn Fn(&State) + Sync),
) -> Exploration {
    let codec = Codec::new(protocol);
    let mut shards: Vec<Shard> = (0..SHARDS).map(|_| Shard::default()).collect();
    let initial = protocol.normalize(protocol.initial());
    let start = fingerprint(protocol, &initial);
    let first = &mut shards[start as usize % SHARDS];
    first.table.insert(start, 0);
    codec.pack(&initial, &mut first.next);
    let mut found: BTreeMap<Property, Fingerprint> = BTreeMap::new();
    let (mut generated, mut depth, mut peak_bytes) = (1u64, 0, 0);
    let (mut waiting, mut growth) = (1, f64::INFINITY);
    let mut works: Vec<Work<'_>> = (0..CHUNKS_AT_ONCE).map(|_| Work::new(protocol)).collect();
    let unique = |shards: &[Shard]| shards.iter().map(|s| s.table.len() as u64).sum::<u64>();

    let end = 'levels: loop {
        let sought = Facts(asked.0 & !found.keys().copied().collect::<Facts>().0);
        if enough.is_some_and(|e| found.keys().copied().collect::<Facts>().0 & e.0 == e.0) {
            break End::AllFound;
        }
        let frontier: Vec<Vec<u8>> = shards.iter_mut().map(|shard| std::mem::take(&mut shard.next)).collect();
        let level_bytes: usize = frontier.iter().map(Vec::len).sum();
        if level_bytes == 0 {
            break End::Exhausted;
        }
        if generated > 1 {
            depth += 1;
        }
        let mut level = BTreeMap::new();
        let mut done = 0;
        let chunks: Vec<&[u8]> = frontier.iter().flat_map(|part| part.chunks(CHUNK * codec.bytes)).collect();
        for batch in chunks.chunks(CHUNKS_AT_ONCE) {
            let works = &mut works[..batch.len()];
            let all = works.par_iter_mut().zip(batch);
            all.for_each(|(work, chunk)| expand(work, &codec, &shards, chunk, sought, visit));
            let expanded = &*works;
            generated += expanded.iter().map(|e| e.generated).sum::<u64>();
            let buffered: usize =
                expanded.iter().flat_map(|e| &e.shards).map(|f| f.states.len() + 16 * f.links.len()).sum();
            shards.par_iter_mut().enumerate().for_each(|(at, shard)| {
                for fresh in expanded.iter().map(|e| &e.shards[at]) {
                    take_up(codec.bytes, shard, fresh);
                }
            });
            let bytes = (frontier.iter().map(Vec::capacity).sum::<usize>()
                + buffered
                + shards.iter().map(|s| s.table.bytes() + s.next.capacity()).sum::<usize>())
                as u64;
            peak_bytes = peak_bytes.max(bytes);
            let seen = unique(&shards);
            done += batch.iter().map(|chunk| chunk.len()).sum::<usize>();
            let next: usize = shards.iter().map(|s| s.next.len()).sum();
            waiting = ((level_bytes - done + next) / codec.bytes) as u64;
            growth = next as f64 / done as f64;
            progress(Progress { unique: seen, generated, depth, frontier: waiting });
            for (property, state) in works.iter_mut().flat_map(|work| std::mem::take(&mut work.found)) {
                let least: &mut Fingerprint = level.entry(property).or_insert(state);
                *least = (*least).min(state);
            }
            if seen > limits.states || bytes > limits.memory {
                found.extend(level);
                break 'levels if seen > limits.states { End::States } else { End::Memory };
            }
        }
        // Of the states of this level that show a fact, the one with the least fingerprint stands, whatever the
        // threads did.
        found.extend(level);
    };
    let found = found.into_iter().map(|(p, f)| (p, walk_back(&shards, start, f))).collect();
    Exploration { unique: unique(&shards), generated, depth, peak_bytes, waiting, growth, end, found }
}

/// States expanded before their successors are looked up: enough for the look-ups, each a miss of the cache, to
/// overlap, few enough for the successors to stay in it.
const STATES_AT_ONCE: usize = 16;
/// Links taken up after their places are read, for the same reason.
const LINKS_AT_ONCE: usize = 32;

/// Expands the states of `chunk`.
fn expand(
    work: &mut Work<'_>,
    codec: &Codec,
    shards: &[Shard],
    chunk: &[u8],
    sought: Facts,
    visit: &(dyn Fn(&State) + Sync),
) {
    let Work { shards: fresh, generated, found, expanders, links, successors } = work;
    for fresh in fresh.iter_mut() {
        fresh.links.clear();
        fresh.states.clear();
    }
    *generated = 0;
    for group in chunk.chunks(STATES_AT_ONCE * codec.bytes) {
        links.clear();
        for (of, (packed, expander)) in group.chunks_exact(codec.bytes).zip(&mut *expanders).enumerate() {
            let predecessor = expander.enter(codec, packed);
            visit(expander.state());
            let facts = expander.facts(sought);
            if facts != Facts::default() {
                for property in facts.iter() {
                    let least = found.entry(property).or_insert(predecessor);
                    *least = (*least).min(predecessor);
                }
            }
            for step in 0..expander.steps() {
                if links.len() == successors.len() {
                    successors.push(State::empty());
                }
                let next = &mut successors[links.len()];
                links.push(Link { print: expander.step(step, next), predecessor, of });
            }
        }
        *generated += links.len() as u64;
        // All places are read before any is looked at, so that the misses overlap.
        std::hint::black_box(
            links
                .iter()
                .fold(0, |all, link| all ^ shards[link.print as usize % SHARDS].table.touch(link.print)),
        );
        for (&Link { print, predecessor, of }, successor) in links.iter().zip(&*successors) {
            let shard = print as usize % SHARDS;
            if !shards[shard].table.contains(print) {
                let packed = &group[of * codec.bytes..][..codec.bytes];
                fresh[shard].links.push((print, predecessor));
                codec.pack_after((expanders[of].state(), packed), successor, &mut fresh[shard].states);
            }
        }
    }
}

/// Adds to `shard` the new states of `fresh`, each packed in `packed` bytes.
fn take_up(packed: usize, shard: &mut Shard, fresh: &Fresh) {
    let groups = fresh.links.chunks(LINKS_AT_ONCE).zip(fresh.states.chunks(LINKS_AT_ONCE * packed));
    for (links, states) in groups {
        std::hint::black_box(
            links.iter().fold(0, |all, &(print, _)| all ^ shard.table.touch_to_insert(print)),
        );
        for (&(print, predecessor), bytes) in links.iter().zip(states.chunks_exact(packed)) {
            if shard.table.insert(print, predecessor) {
                shard.next.extend_from_slice(bytes);
            }
        }
    }
}

/// The fingerprints from the start to `last`. A 32-bit half names its state but for rare accidents; where two states
/// share one, both branches are followed.
fn walk_back(shards: &[Shard], start: Fingerprint, last: Fingerprint) -> Vec<Fingerprint> {
    let mut paths = vec![vec![last]];
    loop {
        let mut longer = Vec::new();
        for path in paths {
            let at = path[path.len() - 1];
            if at == start {
                let mut path = path;
                path.reverse();
                return path;
            }
            let Some(low) = shards[at as usize % SHARDS].table.predecessor(at) else { continue };
            // The low bits name the shard as well.
            for before in shards[low as usize % SHARDS].table.with_low_half(low) {
                let mut path = path.clone();
                path.push(before);
                longer.push(path);
            }
        }
        if longer.is_empty() {
            return Vec::new();
        }
        paths = longer;
    }
}

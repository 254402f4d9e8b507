//! Breadth first, one thread: the states of certificates are few.

use super::{
    kept::{Kept, Past, Step},
    rounds::{Next, Reach, Rounds, State},
};
use crate::{
    properties::{Facts, Property},
    protocol::Protocol,
    search::{
        bfs::{End, Exploration, Limits, Progress},
        table::Fingerprint,
    },
};
use rapidhash::v3::rapidhash_v3;
use std::collections::{BTreeMap, HashMap};

/// A search over states of certificates.
pub trait Certificates {
    /// A state, in its normal form.
    type State: Clone;

    /// The first state, and what it shows.
    fn first(&self) -> (Facts, Self::State);
    /// What each step from `state` shows, and where it leads.
    fn after(&self, state: &Self::State, next: &mut Vec<(Facts, Self::State)>);
    /// The state as bytes, to be hashed.
    fn bytes(&self, state: &Self::State, out: &mut Vec<u8>);
}

impl Certificates for Rounds<'_> {
    type State = State;

    fn first(&self) -> (Facts, State) {
        (self.initial_facts(), self.initial())
    }

    fn after(&self, state: &State, next: &mut Vec<Next>) {
        self.successors(state, next);
    }

    fn bytes(&self, state: &State, out: &mut Vec<u8>) {
        state.encode(out);
    }
}

impl Certificates for Past<'_> {
    type State = Kept;

    fn first(&self) -> (Facts, Kept) {
        let state = self.initial();
        (self.facts(&state), state)
    }

    fn after(&self, state: &Kept, next: &mut Vec<(Facts, Kept)>) {
        let mut steps: Vec<Step> = Vec::new();
        self.steps(state, &mut steps);
        for step in steps {
            let mut after = state.clone();
            self.apply(&mut after, &step);
            self.normalize(&mut after);
            next.push((self.facts(&after), after));
        }
    }

    fn bytes(&self, state: &Kept, out: &mut Vec<u8>) {
        state.encode(out);
    }
}

/// The fingerprint of a state.
pub fn fingerprint<C: Certificates>(of: &C, state: &C::State) -> Fingerprint {
    let mut bytes = Vec::new();
    of.bytes(state, &mut bytes);
    rapidhash_v3(&bytes)
}

/// Bytes that one more state costs in the table.
const BYTES_IN_TABLE: u64 = 34;

/// Explores, and looks for `asked`; ends early, at the end of a level, once `enough` is all found. `visit` sees each state.
pub fn explore<C: Certificates>(
    of: &C,
    asked: Facts,
    enough: Option<Facts>,
    limits: Limits,
    progress: &dyn Fn(Progress),
    visit: &mut dyn FnMut(&C::State),
) -> Exploration {
    let (facts, first) = of.first();
    let start = fingerprint(of, &first);
    let mut before: HashMap<Fingerprint, Fingerprint> = HashMap::from([(start, start)]);
    // Of the last step of each run: where it starts, and where it leads.
    let mut found: BTreeMap<Property, (Fingerprint, Fingerprint)> = BTreeMap::new();
    let note = |found: &mut BTreeMap<_, _>, facts: Facts, from, to| {
        for property in Facts(facts.0 & asked.0).iter() {
            found.entry(property).or_insert((from, to));
        }
    };
    note(&mut found, facts, start, start);
    visit(&first);
    let mut level = vec![first];
    let (mut generated, mut depth, mut peak_bytes) = (1, 0, 0);
    let (mut waiting, mut growth) = (1, f64::INFINITY);
    let (mut next, mut bytes) = (Vec::new(), Vec::new());
    let end = 'levels: loop {
        let so_far: Facts = found.keys().copied().collect();
        if enough.is_some_and(|enough| so_far.0 & enough.0 == enough.0) {
            break End::AllFound;
        }
        if level.is_empty() {
            break End::Exhausted;
        }
        let mut above = Vec::new();
        for (done, state) in (1u64..).zip(&level) {
            let from = fingerprint(of, state);
            next.clear();
            of.after(state, &mut next);
            generated += next.len() as u64;
            for (facts, state) in next.drain(..) {
                bytes.clear();
                of.bytes(&state, &mut bytes);
                let to = rapidhash_v3(&bytes);
                note(&mut found, facts, from, to);
                if let std::collections::hash_map::Entry::Vacant(place) = before.entry(to) {
                    place.insert(from);
                    visit(&state);
                    above.push(state);
                }
            }
            let unique = before.len() as u64;
            waiting = level.len() as u64 - done + above.len() as u64;
            growth = above.len() as f64 / done as f64;
            let used =
                unique * BYTES_IN_TABLE + (level.len() + above.len()) as u64 * (128 + bytes.len() as u64);
            peak_bytes = peak_bytes.max(used);
            if done % 1024 == 0 {
                progress(Progress { unique, generated, depth, frontier: waiting });
            }
            if unique > limits.states {
                break 'levels End::States;
            }
            if used > limits.memory {
                break 'levels End::Memory;
            }
        }
        depth += u32::from(!above.is_empty());
        level = above;
    };
    let path = |(from, to): (Fingerprint, Fingerprint)| {
        let mut path = vec![from];
        while path.last() != Some(&start) {
            let Some(earlier) = path.last().and_then(|at| before.get(at)) else { break };
            path.push(*earlier);
        }
        path.reverse();
        if (from, to) != (start, start) {
            path.push(to);
        }
        path
    };
    let found = found.into_iter().map(|(property, last)| (property, path(last))).collect();
    Exploration { unique: before.len() as u64, generated, depth, peak_bytes, waiting, growth, end, found }
}

/// The search of an instance without its past, up to its bounds or beyond.
pub fn rounds(protocol: &Protocol, reach: Reach) -> Rounds<'_> {
    Rounds { protocol, reach }
}

//! All states and all labelled edges of a graph, breadth first.

use super::fact::Facts;
use crate::verify::parallel;
use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};
use zus_spec::Action;

/// Numbers for facts and for steps, the same in both graphs.
#[derive(Default)]
pub(super) struct Numbers {
    facts: HashMap<Facts, u32>,
    pub states: Vec<Facts>,
    steps: HashMap<Action, u32>,
    pub labels: Vec<Action>,
}

impl Numbers {
    pub fn state(&mut self, facts: &Facts) -> u32 {
        if let Some(number) = self.facts.get(facts) {
            return *number;
        }
        let number = self.states.len() as u32;
        self.states.push(facts.clone());
        self.facts.insert(facts.clone(), number);
        number
    }

    pub fn step(&mut self, action: Action) -> u32 {
        *self.steps.entry(action).or_insert_with(|| {
            self.labels.push(action);
            self.labels.len() as u32 - 1
        })
    }
}

/// An edge: from a state, by a step, to a state.
pub(super) type Edge = (u32, u32, u32);

/// A graph: its states told apart by their facts, and its edges.
#[derive(Default)]
pub(super) struct Graph {
    /// Each with the edge by which it was found first.
    pub states: HashMap<u32, Option<Edge>>,
    pub edges: HashSet<Edge>,
    /// States before they are told apart by their facts only.
    pub raw: u64,
}

/// One step of a raw state.
pub(super) struct Step<S> {
    /// None of a step that changes no fact.
    pub label: Option<Action>,
    pub facts: Facts,
    pub after: S,
}

/// The steps of a raw state.
pub(super) struct Steps<S> {
    pub steps: Vec<Step<S>>,
    /// All edges of its facts, if nothing is under way in it.
    pub whole: Option<Vec<(Action, Facts)>>,
}

/// Why a walk ends early.
pub(super) enum Stopped {
    /// Too many raw states.
    TooLarge,
    /// Two states with these facts have other steps.
    Hidden(u32),
}

impl Graph {
    /// Adds everything that can be reached from `first`.
    pub fn walk<S: Hash + Send + Sync>(
        &mut self,
        numbers: &mut Numbers,
        (facts, first): (Facts, S),
        (threads, most): (usize, u64),
        steps: impl Fn(&S) -> Steps<S> + Sync,
    ) -> Result<(), Stopped> {
        // The edges of each state from which nothing is under way.
        let mut all: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        let start = numbers.state(&facts);
        self.states.entry(start).or_insert(None);
        let mut seen = HashSet::from([fingerprint(&first)]);
        let mut level = vec![(start, first)];
        while !level.is_empty() {
            self.raw += level.len() as u64;
            if self.raw > most {
                return Err(Stopped::TooLarge);
            }
            let found = parallel(level.len(), threads, |at| steps(&level[at].1));
            let mut next = Vec::new();
            for ((from, _), found) in level.iter().zip(found) {
                if let Some(whole) = found.whole {
                    let number =
                        |(action, facts): &(Action, Facts)| (numbers.step(*action), numbers.state(facts));
                    let mut edges: Vec<_> = whole.iter().map(number).filter(|(_, to)| to != from).collect();
                    edges.sort_unstable();
                    edges.dedup();
                    if all.entry(*from).or_insert_with(|| edges.clone()) != &edges {
                        return Err(Stopped::Hidden(*from));
                    }
                }
                for step in found.steps {
                    let to = numbers.state(&step.facts);
                    if let Some(label) = step.label.filter(|_| to != *from) {
                        let edge = (*from, numbers.step(label), to);
                        self.edges.insert(edge);
                        self.states.entry(to).or_insert(Some(edge));
                    }
                    if seen.insert(fingerprint(&step.after)) {
                        next.push((to, step.after));
                    }
                }
            }
            level = next;
        }
        Ok(())
    }

    /// The steps of a run to a state.
    pub fn run(&self, mut state: u32) -> Vec<u32> {
        let mut labels = Vec::new();
        while let Some(Some((from, label, _))) = self.states.get(&state) {
            labels.push(*label);
            state = *from;
        }
        labels.reverse();
        labels
    }
}

/// 128 bits that stand for a state.
fn fingerprint(state: &impl Hash) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, state).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

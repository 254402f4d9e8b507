//! All reachable states of a small scenario, and random deep runs of a larger one, each with its image.

use super::{Drift, Placement, Tie, Untied, backward::BoundsHit};
use crate::structure::Structure;
use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};
use zus_checker::{action::Action, protocol::Protocol, state::State};

/// The counts of an exploration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exploration {
    /// Pairs of state and image; of random runs with repetitions.
    pub states: u64,
    /// Steps checked.
    pub steps: u64,
    /// How often each action of the specification was executed.
    pub executed: BTreeMap<String, u64>,
    /// How often a bound of the scenario was the reason why the model does not have an action.
    pub bounds: BoundsHit,
    /// Whether every reachable state was visited.
    pub exhausted: bool,
}

impl Exploration {
    /// Adds what another exploration visited.
    pub fn add(&mut self, other: Exploration) {
        self.states += other.states;
        self.steps += other.steps;
        other.executed.into_iter().for_each(|(name, count)| *self.executed.entry(name).or_default() += count);
        other.bounds.into_iter().for_each(|(bound, count)| *self.bounds.entry(bound).or_default() += count);
        self.exhausted &= other.exhausted;
    }
}

/// A run of the model at whose end the two part.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{drift}\nafter {} steps of the model:\n{}", .run.len(), .sentences.join("\n"))]
pub struct Failure {
    /// How they part.
    pub drift: Drift,
    /// The run.
    pub run: Vec<Action>,
    /// The same in words.
    pub sentences: Vec<String>,
}

impl Failure {
    pub(super) fn new(protocol: &Protocol, run: Vec<Action>, drift: Drift) -> Self {
        let mut state = protocol.initial();
        let mut sentences = Vec::new();
        for action in &run {
            let after = protocol.apply(&state, action);
            sentences.push(format!("  {}", protocol.sentence(&state, action, &after)));
            state = after;
        }
        Failure { drift, run, sentences }
    }
}

/// 128 bits that stand for a state and its image.
fn fingerprint(state: &State, image: &Structure) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, state, image).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

struct Visit {
    state: State,
    image: Structure,
    /// The visit before, and the step from there.
    from: Option<(usize, Action)>,
}

/// Visits all states that are reachable with a placement, breadth first, at most `limit`.
pub fn explore(tie: &Tie<'_>, placement: &Placement, limit: usize) -> Result<Exploration, Box<Failure>> {
    let protocol = &tie.protocol;
    let mut exploration = Exploration { exhausted: true, ..Exploration::default() };
    let fail = |visits: &[Visit], at: usize, last: Option<Action>, drift: Drift| {
        let mut run: Vec<_> = last.into_iter().collect();
        let mut at = at;
        while let Some((before, action)) = visits.get(at).and_then(|v| v.from) {
            run.push(action);
            at = before;
        }
        run.reverse();
        Box::new(Failure::new(protocol, run, drift))
    };
    let (image, events) = tie.initial(placement).map_err(|drift| fail(&[], 0, None, drift))?;
    tie.count(&events, &mut exploration);
    let mut visits = vec![Visit { state: protocol.initial(), image, from: None }];
    let mut seen = HashSet::from([fingerprint(&visits[0].state, &visits[0].image)]);
    let mut actions = Vec::new();
    let mut at = 0;
    while at < visits.len() {
        let (state, image) = (visits[at].state, visits[at].image.clone());
        tie.conjuncts(&image).map_err(|drift| fail(&visits, at, None, drift))?;
        if tie.complete() {
            let missing = tie.missing(&state, &image, placement, &mut exploration.bounds);
            missing.map_err(|drift| fail(&visits, at, None, drift))?;
        }
        actions.clear();
        protocol.actions(&state, &mut actions);
        for action in &actions {
            if !placement.fits(protocol, &state, action) {
                continue;
            }
            let after = protocol.apply(&state, action);
            let step = tie.follow(&image, &state, action, &after);
            let (next, events) = step.map_err(|drift| fail(&visits, at, Some(*action), drift))?;
            let moved = tie.transitions(&image, &next);
            moved.map_err(|drift| fail(&visits, at, Some(*action), drift))?;
            exploration.steps += 1;
            tie.count(&events, &mut exploration);
            if seen.insert(fingerprint(&after, &next)) {
                if visits.len() >= limit {
                    exploration.exhausted = false;
                    exploration.states = visits.len() as u64;
                    return Ok(exploration);
                }
                visits.push(Visit { state: after, image: next, from: Some((at, *action)) });
            }
        }
        at += 1;
    }
    exploration.states = visits.len() as u64;
    Ok(exploration)
}

/// One random run of at most `steps` steps, checked against the placement that it ends with. A seed is a run.
pub fn walk(tie: &Tie<'_>, seed: u64, steps: usize) -> Result<Exploration, Box<Failure>> {
    let protocol = &tie.protocol;
    let (states, run) = random_run(protocol, seed, steps);
    let placement = Placement::of_run(protocol, &states, &run);
    // Every action of the model that proposes names the proposer, unless under `eager`.
    let placement = placement.map_err(|untied: Untied| {
        Box::new(Failure::new(protocol, run.clone(), Drift::Broken(untied.to_string())))
    })?;
    let fail = |at: usize, drift: Drift| Box::new(Failure::new(protocol, run[..at].to_vec(), drift));
    let mut exploration = Exploration { states: 1, exhausted: false, ..Exploration::default() };
    let (mut image, events) = tie.initial(&placement).map_err(|drift| fail(0, drift))?;
    tie.count(&events, &mut exploration);
    for (at, action) in run.iter().enumerate() {
        if tie.complete() {
            let missing = tie.missing(&states[at], &image, &placement, &mut exploration.bounds);
            missing.map_err(|drift| fail(at, drift))?;
        }
        let step = tie.follow(&image, &states[at], action, &states[at + 1]);
        let (next, events) = step.map_err(|drift| fail(at + 1, drift))?;
        tie.transitions(&image, &next).map_err(|drift| fail(at + 1, drift))?;
        tie.conjuncts(&next).map_err(|drift| fail(at + 1, drift))?;
        tie.count(&events, &mut exploration);
        exploration.states += 1;
        exploration.steps += 1;
        image = next;
    }
    Ok(exploration)
}

/// How much more likely the favourite kinds of action of a run are.
const APPETITES: [u32; 4] = [1, 4, 16, 64];

/// A run in which some kinds of action are more likely than others, so that runs differ in what is early or late.
fn random_run(protocol: &Protocol, seed: u64, steps: usize) -> (Vec<State>, Vec<Action>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut appetites = HashMap::new();
    let (mut states, mut run, mut enabled) = (vec![protocol.initial()], Vec::new(), Vec::new());
    while run.len() < steps {
        let state = states[states.len() - 1];
        enabled.clear();
        protocol.actions(&state, &mut enabled);
        if enabled.is_empty() {
            break;
        }
        let mut weigh = |action: &Action| {
            let appetite = || APPETITES[random.usize(..APPETITES.len())];
            *appetites.entry(kind(action)).or_insert_with(appetite)
        };
        let weights: Vec<u32> = enabled.iter().map(&mut weigh).collect();
        let total: u32 = weights.iter().sum();
        let mut draw = random.u32(..total);
        let chosen = weights.iter().position(|weight| {
            let here = draw < *weight;
            draw = draw.saturating_sub(*weight);
            here
        });
        let action = enabled[chosen.unwrap_or_default()];
        states.push(protocol.apply(&state, &action));
        run.push(action);
    }
    (states, run)
}

/// The kind of an action.
fn kind(action: &Action) -> std::mem::Discriminant<Action> {
    std::mem::discriminant(action)
}

//! Small instances, and the explicit specification explored over them.

use std::collections::{BTreeSet, HashSet};
use zus_checker::{
    blocks::{Blocks, Generator},
    expand::specified,
    properties::Property,
    protocol::Protocol,
    rules::Rules,
};
use zus_spec::{Exploration, State};

/// A block of a chain: its (round, subround, rank, twin).
pub type Place = (u64, u32, u32, u8);
/// The notarized blocks of a state, each with its chain.
pub type Notarized = BTreeSet<Vec<Place>>;

/// An asynchronous instance with the same generators in every subround.
pub fn instance(
    n: u32,
    byzantine: u32,
    rounds: u8,
    subrounds: u8,
    rules: Rules,
    order: &[Generator],
) -> Protocol {
    let blocks = Blocks::new(rounds, subrounds, 2, false, rules.subround_cap, None, |_, _| order.to_vec());
    Protocol::asynchronous(n, byzantine, rules, blocks.unwrap())
}

/// Every property, and every premise.
pub fn everything() -> impl Iterator<Item = Property> {
    Property::every()
}

/// All renamings of the twins of a set: which of two is called the first is arbitrary.
pub fn renamings(set: &Notarized) -> impl Iterator<Item = impl Fn(&Place) -> Place + use<>> + use<> {
    let places: BTreeSet<_> = set.iter().flatten().map(|&(r, s, k, _)| (r, s, k)).collect();
    let places: Vec<_> = places.into_iter().collect();
    (0..1u32 << places.len()).map(move |swapped| {
        let places = places.clone();
        move |&(r, s, k, twin): &Place| {
            let at = places.iter().position(|&p| p == (r, s, k));
            (r, s, k, at.map_or(twin, |at| twin ^ (swapped >> at & 1) as u8))
        }
    })
}

/// Calls `visit` for every state of the specification, and says how many there are.
pub fn specification(protocol: &Protocol, mut visit: impl FnMut(&Exploration, &State)) -> usize {
    let (instance, bounds) = specified(protocol);
    let spec = Exploration::new(instance, bounds);
    let start = spec.instance.initial();
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = vec![start];
    while let Some(state) = waiting.pop() {
        visit(&spec, &state);
        for step in spec.steps(&state) {
            let mut next = state.clone();
            spec.instance.apply(&mut next, &step);
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    seen.len()
}

/// The chain of a block of the specification, without genesis.
pub fn chain_of(state: &State, block: zus_spec::Block) -> Vec<Place> {
    let named = |b: zus_spec::Block| (b.round.0, b.subround.0, b.rank.0 as u32, b.twin);
    state.chain(block).filter(|b| b.round.0 > 0).map(named).collect()
}

//! Finite universes: a committee, a few rounds and blocks, laid out as the axioms say.

use super::{Bit, Circuit, Symbolic};
use crate::{
    spec::{FunctionId, Interpretation, RelationId, SortId, Spec, Threshold},
    structure::Element,
};
use serde::{Deserialize, Serialize};
use zus_protocol::rules::QuorumRule;

/// Miners that a universe may have: sets of them are enumerated.
pub const MAX_MINERS: usize = 10;
/// Elements that any other sort may have.
pub const MAX_ELEMENTS: usize = 64;

/// The size of a universe.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Universe {
    /// n.
    pub miners: usize,
    /// How many are Byzantine: the last ones.
    pub byzantine: usize,
    /// How many honest ones are exposed: those just before the Byzantine ones.
    #[serde(default, skip_serializing_if = "none")]
    pub exposed: usize,
    /// Observers.
    pub observers: usize,
    /// Rounds that may have blocks, from 1; one more can be entered.
    pub rounds: usize,
    /// Subrounds of each.
    pub subrounds: usize,
    /// Blocks of each (round, subround).
    pub blocks: usize,
    /// Ticks of the clock, where there is one.
    #[serde(default, skip_serializing_if = "none")]
    pub ticks: usize,
}

/// Why a universe cannot be laid out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UniverseError {
    /// Too large.
    #[error("a universe of {0} {1}s; at most {2}")]
    TooLarge(usize, String, usize),
    /// A sort that universes know nothing about.
    #[error("universes have no size for sort `{0}`")]
    UnknownSort(String),
    /// The search in it went wrong.
    #[error(transparent)]
    Unsound(#[from] super::Unsound),
}

impl Universe {
    /// Four miners, one of them Byzantine, two observers.
    pub const fn of_four(rounds: usize, subrounds: usize, blocks: usize) -> Self {
        Universe { miners: 4, byzantine: 1, exposed: 0, observers: 2, rounds, subrounds, blocks, ticks: 0 }
    }

    /// `f = floor((n - 1) / 3)`.
    pub fn faults(&self) -> usize {
        (self.miners - 1) / 3
    }

    /// The quorum: `n - f`, or `ceil(0.66 n)` under `Percent66`.
    pub fn quorum(&self, spec: &Spec) -> usize {
        match spec.rules.quorum() {
            QuorumRule::Percent66 => (self.miners * 66).div_ceil(100),
            QuorumRule::ByzantineMajority => self.miners - self.faults(),
        }
    }

    /// Round and subround of every block but genesis, in order.
    pub fn layout(&self) -> Vec<(Element, Element)> {
        let one = |index: usize| {
            let place = index / self.blocks;
            ((place / self.subrounds + 1) as Element, (place % self.subrounds) as Element)
        };
        (0..self.rounds * self.subrounds * self.blocks).map(one).collect()
    }

    /// Beacon values: under `RoundOnly` one is genuine and one is not. Under `Chained` a value is the history that it
    /// signs: the subrounds of the chain of blocks below, one for every round.
    fn beacon_values(&self, spec: &Spec) -> usize {
        if chained(spec).is_some() { self.histories().len() } else { 2 }
    }

    /// All sequences of subrounds, of lengths 0 to the number of rounds, shorter ones first.
    fn histories(&self) -> Vec<Vec<Element>> {
        let mut all = vec![Vec::new()];
        let mut last: Vec<Vec<Element>> = all.clone();
        for _ in 0..self.rounds {
            let extend = |history: Vec<Element>| {
                (0..self.subrounds as Element)
                    .map(move |s| history.iter().copied().chain([s]).collect::<Vec<_>>())
            };
            last = last.into_iter().flat_map(extend).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    fn threshold(&self, spec: &Spec, size: Threshold) -> usize {
        match size {
            Threshold::Quorum => self.quorum(spec),
            Threshold::WithoutFaulty => self.miners - self.faults(),
            Threshold::OneHonest => self.faults() + 1,
        }
    }

    /// Sizes of the specification's sorts.
    pub fn sizes(&self, spec: &Spec) -> Result<Vec<usize>, UniverseError> {
        if self.miners > MAX_MINERS {
            return Err(UniverseError::TooLarge(self.miners, "miner".to_string(), MAX_MINERS));
        }
        let size = |index: usize| {
            let name = &spec.sorts[index].name;
            let sets = spec.interpretations.iter().find_map(|i| match i {
                Interpretation::Threshold { sort, size, .. } if sort.0 == index => {
                    Some(subsets(self.miners, self.threshold(spec, *size)).len())
                }
                _ => None,
            });
            let size = match (sets, name.as_str()) {
                (Some(sets), _) => return Ok(sets),
                (_, "miner") => self.miners,
                (_, "observer") => self.observers,
                (_, "round") => self.rounds + 2,
                (_, "subround") => self.subrounds,
                (_, "block") => 1 + self.layout().len(),
                (_, "beacon_value") => self.beacon_values(spec),
                (_, "tick") => self.ticks.max(1),
                _ => return Err(UniverseError::UnknownSort(name.clone())),
            };
            if size > MAX_ELEMENTS {
                return Err(UniverseError::TooLarge(size, name.clone(), MAX_ELEMENTS));
            }
            Ok(size)
        };
        (0..spec.sorts.len()).map(size).collect()
    }

    /// The fixed part: what the interpretations and the layout determine, the rest free under the axioms.
    pub fn fixed(&self, spec: &Spec, circuit: &mut Circuit) -> Result<Symbolic, UniverseError> {
        let mut fixed = Symbolic::new(spec, &self.sizes(spec)?, &[]);
        let mut done = self.interpret(spec, &mut fixed);
        self.blocks(spec, circuit, &mut fixed, &mut done);
        self.beacon(spec, circuit, &mut fixed, &mut done);
        for index in 0..spec.relations.len() {
            if spec.relations[index].immutable() && !done.0.contains(&RelationId(index)) {
                fixed.free_relation(circuit, RelationId(index));
            }
        }
        for (index, function) in spec.functions.iter().enumerate() {
            if !done.1.contains(&FunctionId(index)) {
                fixed.free_function(circuit, FunctionId(index), function.result);
            }
        }
        self.close(spec, circuit, &mut fixed);
        for axiom in &spec.axioms {
            let bit = fixed.value(circuit, &axiom.formula, &[]);
            circuit.require([bit]);
        }
        Ok(fixed)
    }

    /// Orders and threshold sets.
    fn interpret(&self, spec: &Spec, fixed: &mut Symbolic) -> (Vec<RelationId>, Vec<FunctionId>) {
        let (mut relations, mut functions) = (Vec::new(), Vec::new());
        for interpretation in &spec.interpretations {
            match interpretation {
                Interpretation::Ordered { sort, le, previous, zero } => {
                    for pair in fixed.tuples(&[*sort, *sort]) {
                        fixed.set(*le, &pair, Bit::Constant(pair[0] <= pair[1]));
                        fixed.set(*previous, &pair, Bit::Constant(pair[0] + 1 == pair[1]));
                    }
                    fixed.assign(*zero, &[], 0);
                    relations.extend([*le, *previous]);
                    functions.push(*zero);
                }
                Interpretation::Threshold { member, size, .. } => {
                    for (set, members) in subsets(self.miners, self.threshold(spec, *size)).iter().enumerate()
                    {
                        for miner in members {
                            fixed.set(*member, &[*miner, set as Element], Bit::TRUE);
                        }
                    }
                    relations.push(*member);
                }
                Interpretation::Closure { closure, .. } => relations.push(*closure),
            }
        }
        (relations, functions)
    }

    /// Byzantine and exposed miners, and where the blocks stand. Parents are free, of the blocks of lower rounds.
    fn blocks(
        &self,
        spec: &Spec,
        circuit: &mut Circuit,
        fixed: &mut Symbolic,
        done: &mut (Vec<RelationId>, Vec<FunctionId>),
    ) {
        if let Some(byzantine) = spec.relation("byzantine") {
            for miner in self.miners - self.byzantine.min(self.miners)..self.miners {
                fixed.set(byzantine, &[miner as Element], Bit::TRUE);
            }
            done.0.push(byzantine);
        }
        if let Some(exposed) = spec.relation("exposed") {
            let honest = self.miners - self.byzantine.min(self.miners);
            for miner in honest - self.exposed.min(honest)..honest {
                fixed.set(exposed, &[miner as Element], Bit::TRUE);
            }
            done.0.push(exposed);
        }
        // Block 0; every other constant is free.
        if let Some(genesis) = spec.function("genesis") {
            fixed.assign(genesis, &[], 0);
            done.1.push(genesis);
        }
        let layout: Vec<_> = [(0, 0)].into_iter().chain(self.layout()).collect();
        for (name, place) in [("round", 0), ("subround", 1)] {
            if let Some(function) = spec.function(name) {
                for (block, at) in layout.iter().enumerate() {
                    let value = if place == 0 { at.0 } else { at.1 };
                    fixed.assign(function, &[block as Element], value);
                }
                done.1.push(function);
            }
        }
        if let Some(parent) = spec.relation("parent") {
            for (block, (round, _)) in layout.iter().enumerate() {
                for (candidate, (below, _)) in layout.iter().enumerate() {
                    if below < round {
                        fixed.set(parent, &[candidate as Element, block as Element], circuit.input());
                    }
                }
            }
            done.0.push(parent);
        }
    }

    /// Under a chained beacon: which value follows which, and the values that a block of some (round, subround) can
    /// carry. Which of them it is follows from its parent; that is for the actions to check.
    fn beacon(
        &self,
        spec: &Spec,
        circuit: &mut Circuit,
        fixed: &mut Symbolic,
        done: &mut (Vec<RelationId>, Vec<FunctionId>),
    ) {
        let (Some(chained), Some(seed)) = (chained(spec), spec.function("seed")) else { return };
        let histories = self.histories();
        for (after, history) in histories.iter().enumerate() {
            let Some((last, before)) = history.split_last() else { continue };
            let before = histories.iter().position(|h| h == before).unwrap_or_default();
            let tuple = [before as Element, history.len() as Element, *last, after as Element];
            fixed.set(chained, &tuple, Bit::TRUE);
        }
        let layout = [(0, 0)].into_iter().chain(self.layout());
        for (block, (round, subround)) in layout.enumerate() {
            let fits =
                |h: &Vec<Element>| h.len() == round as usize && h.last().is_none_or(|s| *s == subround);
            let values = histories.iter().enumerate().filter(|(_, h)| fits(h)).map(|(v, _)| v as Element);
            fixed.choose(circuit, seed, &[block as Element], &values.collect::<Vec<_>>());
        }
        done.0.push(chained);
        done.1.push(seed);
    }

    /// Closures, computed upwards: rounds grow along `parent`, so paths are no longer than there are rounds.
    fn close(&self, spec: &Spec, circuit: &mut Circuit, fixed: &mut Symbolic) {
        for interpretation in &spec.interpretations {
            let Interpretation::Closure { closure, step } = interpretation else { continue };
            let sort = fixed.sorts(*closure)[0];
            let elements = fixed.tuples(&[sort]).len() as Element;
            for element in 0..elements {
                fixed.set(*closure, &[element, element], Bit::TRUE);
            }
            // Blocks are laid out in order of rounds, so the parents of `y` are complete before `y`.
            for y in 0..elements {
                for x in (0..elements).filter(|x| *x != y) {
                    let mut paths = Vec::new();
                    for p in (0..elements).filter(|p| *p != y) {
                        let (up, rest) = (fixed.bit(*step, &[p, y]), fixed.bit(*closure, &[x, p]));
                        paths.push(circuit.and([up, rest]));
                    }
                    let bit = circuit.or(paths);
                    fixed.set(*closure, &[x, y], bit);
                }
            }
        }
    }

    /// Whether a sort's elements are sets of miners, and their members.
    pub fn members(&self, spec: &Spec, sort: SortId) -> Option<Vec<Vec<Element>>> {
        spec.interpretations.iter().find_map(|i| match i {
            Interpretation::Threshold { sort: s, size, .. } if *s == sort => {
                Some(subsets(self.miners, self.threshold(spec, *size)))
            }
            _ => None,
        })
    }
}

fn none(number: &usize) -> bool {
    *number == 0
}

/// The relation of a chained beacon, if the rules have one.
fn chained(spec: &Spec) -> Option<RelationId> {
    spec.relation("chained")
}

/// All sets of `size` of the first `n` numbers, in lexicographic order.
pub(crate) fn subsets(n: usize, size: usize) -> Vec<Vec<Element>> {
    let mut found = vec![Vec::new()];
    for _ in 0..size {
        let extend = |set: Vec<Element>| {
            let next = set.last().map_or(0, |l| l + 1);
            (next..n as Element).map(move |e| set.iter().copied().chain([e]).collect::<Vec<_>>())
        };
        found = found.into_iter().flat_map(extend).collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_as_many_as_binomials_say() {
        assert_eq!(subsets(4, 3), [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]);
        assert_eq!(subsets(7, 5).len(), 21);
        assert_eq!(subsets(3, 0), [Vec::<Element>::new()]);
        assert!(subsets(2, 3).is_empty());
    }

    #[test]
    fn blocks_are_laid_out_by_round_then_subround() {
        assert_eq!(Universe::of_four(2, 2, 1).layout(), [(1, 0), (1, 1), (2, 0), (2, 1)]);
        assert_eq!(Universe::of_four(1, 1, 2).layout(), [(1, 0), (1, 0)]);
    }
}

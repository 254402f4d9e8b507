//! Counterexamples to conditions of the clock, in universes that are laid out beforehand.
//!
//! A clock makes many terms, and the judge may instantiate for minutes before a structure satisfies everything. In a universe of four
//! miners and a dozen ticks, whose orders are given, a condition is one circuit, and the solver decides it in seconds. Such a
//! structure is a counterexample like any other: all hypotheses hold in it, and the goal does not. That there is none in
//! these universes says nothing.

use super::minimise::{exactness, thin};
use crate::{
    bounded::{Circuit, Universe, UniverseError},
    condition::{Condition, Constant},
    sat::{Answer, Phase, Solver},
    spec::{FunctionId, RelationId, Spec},
    structure::Structure,
};

/// Universes to look in: rounds with blocks, subrounds of each, blocks of each.
const UNIVERSES: &[[usize; 3]] = &[[1, 1, 1], [1, 2, 1], [1, 1, 2]];
/// Ticks of each: p0 to q3, and the end of the leader's timer.
const TICKS: usize = 14;

/// A structure with all hypotheses of a condition and without its goal, with few facts, if one of the universes has it.
pub fn finite(spec: &Spec, condition: &Condition) -> Result<Option<Structure>, UniverseError> {
    search(spec, condition, true)
}

/// The same, with as many facts as the solver happens to find: it takes a part of the time.
pub fn finite_of_any_size(spec: &Spec, condition: &Condition) -> Result<Option<Structure>, UniverseError> {
    search(spec, condition, false)
}

fn search(spec: &Spec, condition: &Condition, few: bool) -> Result<Option<Structure>, UniverseError> {
    for [rounds, subrounds, blocks] in UNIVERSES {
        let universe = Universe { ticks: TICKS, ..Universe::of_four(*rounds, *subrounds, *blocks) };
        let mut circuit = Circuit::new(Solver::new(Phase::False));
        let mut symbolic = universe.fixed(spec, &mut circuit)?;
        for relation in (0..spec.relations.len()).map(RelationId) {
            if !spec.relations[relation.0].immutable() {
                symbolic.free_relation(&mut circuit, relation);
            }
        }
        let sorts = crate::judge::constant_sorts(condition);
        symbolic.extend(&sorts);
        for (index, Constant { sort, .. }) in condition.constants.iter().enumerate() {
            symbolic.free_function(&mut circuit, FunctionId(spec.functions.len() + index), *sort);
        }
        let refutand = condition.refutand();
        for formula in refutand.iter().map(|(_, formula)| formula).chain(&exactness(spec)) {
            let bit = symbolic.value(&mut circuit, formula, &[]);
            circuit.require([bit]);
        }
        if let Answer::Satisfiable(model) = circuit.solver.solve(&[]) {
            return Ok(match few {
                true => thin(spec, &sorts, &mut circuit, &symbolic),
                false => Some(symbolic.decode(spec, &sorts, &model)),
            });
        }
    }
    Ok(None)
}

//! The smallest counterexample: few elements, then few facts.

use crate::{
    bounded::{Bit, Circuit, Symbolic},
    condition::Condition,
    sat::{Answer, Literal, Phase, Solver},
    spec::{Formula, FunctionId, RelationId, RelationKind, SortId, Spec, Term, Time},
    structure::{Evaluator, Structure},
};

/// Elements that a sort may gain over the judge's structure so that derived relations can be exactly what they are
/// defined to be.
const MORE_ELEMENTS: usize = 2;

/// A structure that refutes the condition as `structure` does, with no sort that could be smaller alone, and no fact
/// that could be left out alone: facts of the state first, then fixed ones. Derived relations are as defined, if the
/// condition can be refuted so.
pub fn minimise(spec: &Spec, condition: &Condition, structure: Structure) -> Structure {
    // With a clock every attempt is large; its structures are small already (`finite`).
    if spec.sort("tick").is_some() {
        return structure;
    }
    let sizes: Vec<_> = structure.sizes().iter().map(|size| size + MORE_ELEMENTS).collect();
    let exact = Attempt::new(spec, condition, &sizes, true).solve(&[]);
    let (mut best, exact) = match exact {
        Some(larger) => (larger, true),
        None => (structure, false),
    };
    for sort in 0..spec.sorts.len() {
        for size in 1..best.sizes()[sort] {
            let mut sizes = best.sizes().to_vec();
            sizes[sort] = size;
            if let Some(smaller) = Attempt::new(spec, condition, &sizes, exact).solve(&[]) {
                best = smaller;
                break;
            }
        }
    }
    let mut attempt = Attempt::new(spec, condition, best.sizes(), exact);
    let Attempt { constants, circuit, symbolic, .. } = &mut attempt;
    thin(spec, constants, circuit, symbolic).unwrap_or(best)
}

/// A structure of a satisfiable circuit in which no fact could be left out alone: facts of the state first, then fixed ones.
pub(super) fn thin(
    spec: &Spec,
    constants: &[SortId],
    circuit: &mut Circuit,
    symbolic: &Symbolic,
) -> Option<Structure> {
    let (state, fixed): (Vec<_>, Vec<_>) =
        (0..spec.relations.len()).map(RelationId).partition(|r| !spec.relations[r.0].immutable());
    let (mut absent, mut best) = (Vec::new(), None);
    for relations in [state, fixed] {
        let bits = bits(symbolic, &relations);
        if let Some(model) = fewest(circuit, &bits, &mut absent) {
            best = Some(symbolic.decode(spec, constants, &model));
        }
    }
    best
}

/// The bits of relations that are not decided.
fn bits(symbolic: &Symbolic, relations: &[RelationId]) -> Vec<Literal> {
    let all = relations.iter().flat_map(|r| {
        let sorts = symbolic.sorts(*r).to_vec();
        symbolic.tuples(&sorts).into_iter().map(|tuple| symbolic.bit(*r, &tuple))
    });
    let literal = |bit| match bit {
        Bit::Literal(literal) => Some(literal),
        Bit::Constant(_) => None,
    };
    all.filter_map(literal).collect()
}

fn model(circuit: &mut Circuit, assumptions: &[Literal]) -> Option<Vec<bool>> {
    match circuit.solver.solve(assumptions) {
        Answer::Satisfiable(model) => Some(model),
        Answer::Unsatisfiable(_) => None,
    }
}

/// Fewer and fewer of `bits` true, those of `absent` false; in the end those false are added to `absent`, and of those
/// true none can be made false without making another one true.
fn fewest(circuit: &mut Circuit, bits: &[Literal], absent: &mut Vec<Literal>) -> Option<Vec<bool>> {
    let mut found = model(circuit, absent)?;
    loop {
        let (present, missing): (Vec<Literal>, Vec<Literal>) = bits.iter().partition(|l| found[l.variable()]);
        let assumptions: Vec<_> = absent.iter().copied().chain(missing.iter().map(|l| !*l)).collect();
        // One of those present must go, in this query only.
        let query = circuit.solver.variable();
        circuit.solver.clause(present.iter().map(|l| !*l).chain([!query]).collect());
        let query: Vec<_> = assumptions.iter().copied().chain([query]).collect();
        match model(circuit, &query) {
            Some(fewer) => found = fewer,
            None => {
                // The state's true facts stay as they are while the fixed part is thinned.
                *absent = assumptions.into_iter().chain(present).collect();
                return Some(found);
            }
        }
    }
}

/// Whether a structure has all hypotheses of a condition and not its goal.
pub fn refutes(condition: &Condition, structure: &Structure) -> bool {
    condition.refutand().iter().all(|(_, formula)| Evaluator::new(formula, &[]).holds(structure, &[]))
}

/// That derived relations hold nothing but what their definitions say, and single-tuple invariants hold of all tuples.
pub(super) fn exactness(spec: &Spec) -> Vec<Formula> {
    let derived = spec.relations.iter().enumerate().filter_map(|(index, relation)| match &relation.kind {
        RelationKind::Derived { variables, definition } => {
            let terms = variables.iter().map(|v| Term::Variable(*v)).collect();
            let atom = Formula::Relation(RelationId(index), Time::Before, terms);
            Some(Formula::forall(variables.clone(), Formula::implies(atom, (**definition).clone())))
        }
        _ => None,
    });
    let pointwise = spec.pointwise.iter().map(|statement| {
        let variables = statement.parameters.iter().map(|p| p.variable).collect();
        Formula::forall(variables, statement.formula.clone())
    });
    derived.chain(pointwise).collect()
}

/// Structures of one size that refute a condition.
struct Attempt<'a> {
    spec: &'a Spec,
    constants: Vec<SortId>,
    circuit: Circuit,
    symbolic: Symbolic,
}

impl<'a> Attempt<'a> {
    /// `exact` requires derived relations to be as defined, and every single-tuple invariant.
    fn new(spec: &'a Spec, condition: &Condition, sizes: &[usize], exact: bool) -> Self {
        let constants = crate::judge::constant_sorts(condition);
        let mut circuit = Circuit::new(Solver::new(Phase::False));
        let mut symbolic = Symbolic::new(spec, sizes, &constants);
        for relation in (0..spec.relations.len()).map(RelationId) {
            symbolic.free_relation(&mut circuit, relation);
        }
        let results = spec.functions.iter().map(|f| f.result).chain(constants.iter().copied());
        for (index, result) in results.enumerate() {
            symbolic.free_function(&mut circuit, FunctionId(index), result);
        }
        for (_, formula) in condition.refutand() {
            let bit = symbolic.value(&mut circuit, &formula, &[]);
            circuit.require([bit]);
        }
        for formula in if exact { exactness(spec) } else { Vec::new() } {
            let bit = symbolic.value(&mut circuit, &formula, &[]);
            circuit.require([bit]);
        }
        Attempt { spec, constants, circuit, symbolic }
    }

    fn solve(&mut self, assumptions: &[Literal]) -> Option<Structure> {
        let model = model(&mut self.circuit, assumptions)?;
        Some(self.symbolic.decode(self.spec, &self.constants, &model))
    }
}

//! Ground terms, atoms and clauses: instances of formulas over the Herbrand universe.

use crate::{
    sat::{Answer, Certificate, Literal, Phase, Solver},
    spec::{Formula, FunctionId, RelationId, SortId, Spec},
    structure::{Compiled, Evaluator, Goal, Operand},
};
use std::collections::HashMap;

/// A ground term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct TermId(pub(super) u32);

/// A ground atom.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Atom {
    Relation(RelationId, Vec<TermId>),
    /// The smaller first.
    Equal(TermId, TermId),
}

/// A ground formula.
pub(super) enum Ground {
    Constant(bool),
    Literal(Literal),
    And(Vec<Ground>),
    Or(Vec<Ground>),
}

/// A ground term's function and arguments.
pub(super) struct TermData {
    pub(super) function: FunctionId,
    pub(super) arguments: Vec<TermId>,
}

/// The ground part of a condition: terms that exist so far, atoms, clauses.
pub(super) struct Grounder {
    /// Result sorts: the specification's functions, the condition's constants, then Skolem functions.
    results: Vec<SortId>,
    pub(super) terms: Vec<TermData>,
    interned: HashMap<(FunctionId, Vec<TermId>), TermId>,
    pub(super) by_sort: Vec<Vec<TermId>>,
    pub(super) atoms: Vec<(Atom, Literal)>,
    literals: HashMap<Atom, Literal>,
    solver: Solver,
    /// Place of a Skolem function by the address of its quantifier and the variable's place there.
    skolem: HashMap<(usize, usize), FunctionId>,
}

impl Grounder {
    pub(super) fn new(spec: &Spec, constants: &[SortId]) -> Self {
        let results = spec.functions.iter().map(|f| f.result).chain(constants.iter().copied()).collect();
        let mut grounder = Grounder {
            results,
            terms: Vec::new(),
            interned: HashMap::new(),
            by_sort: vec![Vec::new(); spec.sorts.len()],
            atoms: Vec::new(),
            literals: HashMap::new(),
            solver: Solver::new(Phase::False),
            skolem: HashMap::new(),
        };
        for (index, function) in spec.functions.iter().enumerate() {
            if function.arguments.is_empty() {
                grounder.term(FunctionId(index), Vec::new());
            }
        }
        for index in 0..constants.len() {
            grounder.term(FunctionId(spec.functions.len() + index), Vec::new());
        }
        // No sort is empty.
        for sort in (0..spec.sorts.len()).map(SortId) {
            if grounder.by_sort[sort.0].is_empty() {
                let some = grounder.function(sort);
                grounder.term(some, Vec::new());
            }
        }
        grounder
    }

    /// A new function.
    fn function(&mut self, result: SortId) -> FunctionId {
        self.results.push(result);
        FunctionId(self.results.len() - 1)
    }

    /// A term, new or not.
    pub(super) fn term(&mut self, function: FunctionId, arguments: Vec<TermId>) -> TermId {
        let key = (function, arguments);
        if let Some(term) = self.interned.get(&key) {
            return *term;
        }
        let term = TermId(self.terms.len() as u32);
        let sort = self.results[function.0];
        self.terms.push(TermData { function, arguments: key.1.clone() });
        self.by_sort[sort.0].push(term);
        self.interned.insert(key, term);
        term
    }

    fn place(&mut self, place: &Operand, slots: &[TermId]) -> TermId {
        match place {
            Operand::Slot(slot) => slots[*slot],
            Operand::Apply(function, arguments) => {
                let arguments = arguments.iter().map(|a| self.place(a, slots)).collect();
                self.term(*function, arguments)
            }
        }
    }

    /// The literal of an atom.
    pub(super) fn atom(&mut self, atom: Atom) -> Literal {
        if let Some(literal) = self.literals.get(&atom) {
            return *literal;
        }
        let literal = self.solver.variable();
        self.literals.insert(atom.clone(), literal);
        self.atoms.push((atom, literal));
        literal
    }

    /// Whether two terms are equal: decided, or a literal.
    pub(super) fn equal(&mut self, left: TermId, right: TermId) -> Ground {
        if left == right {
            return Ground::Constant(true);
        }
        Ground::Literal(self.atom(Atom::Equal(left.min(right), left.max(right))))
    }

    /// The Skolem term of a variable of an existential.
    pub(super) fn skolem(&mut self, goal: &Goal, step: usize, slots: &[TermId]) -> TermId {
        // The compiled formulas outlive the grounder and do not move, so an address names a quantifier.
        let key = (std::ptr::from_ref(goal) as usize, step);
        let function = match self.skolem.get(&key) {
            Some(function) => *function,
            None => {
                let function = self.function(goal.steps[step].sort);
                self.skolem.insert(key, function);
                function
            }
        };
        let arguments = goal.free.iter().map(|(slot, _)| slots[*slot]).collect();
        self.term(function, arguments)
    }

    /// The instance of a quantifier-free node.
    pub(super) fn literal(&mut self, node: &Compiled, slots: &[TermId]) -> Ground {
        match node {
            Compiled::Constant(value) => Ground::Constant(*value),
            Compiled::Relation { relation, positive, arguments, .. } => {
                let tuple = arguments.iter().map(|a| self.place(a, slots)).collect();
                Ground::Literal(self.atom(Atom::Relation(*relation, tuple)).signed(*positive))
            }
            Compiled::Equal { positive, left, right } => {
                let (left, right) = (self.place(left, slots), self.place(right, slots));
                match self.equal(left, right) {
                    Ground::Literal(literal) => Ground::Literal(literal.signed(*positive)),
                    _ => Ground::Constant(*positive),
                }
            }
            Compiled::And(parts) => Ground::And(parts.iter().map(|p| self.literal(p, slots)).collect()),
            Compiled::Or(parts) => Ground::Or(parts.iter().map(|p| self.literal(p, slots)).collect()),
            // The caller instantiates quantifiers.
            Compiled::Quantified(_) => Ground::Constant(true),
        }
    }

    /// Asserts a ground formula where `selector` holds.
    pub(super) fn assert(&mut self, ground: Ground, selector: Literal) {
        self.imply(vec![!selector], ground);
    }

    /// Adds clauses for: one of `clause`, or `ground`.
    fn imply(&mut self, mut clause: Vec<Literal>, ground: Ground) {
        match ground {
            Ground::Constant(true) => {}
            Ground::Constant(false) => self.solver.clause(clause),
            Ground::Literal(literal) => {
                clause.push(literal);
                self.solver.clause(clause);
            }
            Ground::And(parts) => parts.into_iter().for_each(|part| self.imply(clause.clone(), part)),
            Ground::Or(parts) => {
                let mut conjunctions = Vec::new();
                if self.flatten(parts, &mut clause, &mut conjunctions) {
                    for part in conjunctions {
                        let name = self.solver.variable();
                        clause.push(name);
                        self.imply(vec![!name], part);
                    }
                    self.solver.clause(clause);
                }
            }
        }
    }

    /// Sorts disjuncts into literals and conjunctions; false if one is true.
    fn flatten(
        &mut self,
        parts: Vec<Ground>,
        literals: &mut Vec<Literal>,
        conjunctions: &mut Vec<Ground>,
    ) -> bool {
        parts.into_iter().all(|part| match part {
            Ground::Constant(value) => !value,
            Ground::Literal(literal) => {
                literals.push(literal);
                true
            }
            Ground::Or(inner) => self.flatten(inner, literals, conjunctions),
            conjunction => {
                conjunctions.push(conjunction);
                true
            }
        })
    }

    /// Adds a clause that holds in every structure.
    pub(super) fn valid(&mut self, clause: Vec<Literal>) {
        self.solver.clause(clause);
    }

    pub(super) fn selector(&mut self) -> Literal {
        self.solver.variable()
    }

    pub(super) fn solve(&mut self, assumptions: &[Literal]) -> Answer {
        self.solver.solve(assumptions)
    }

    pub(super) fn certificate(&self, core: Vec<Literal>) -> Certificate {
        self.solver.certificate(core)
    }
}

/// Compiles a closed formula.
pub(super) fn compile(formula: &Formula) -> Evaluator {
    Evaluator::new(formula, &[])
}

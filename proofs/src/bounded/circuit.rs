//! Boolean circuits over a solver: gates are shared and constants folded.

use crate::sat::{Literal, Solver};
use std::collections::{HashMap, HashSet};

/// A Boolean, decided or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bit {
    /// Decided.
    Constant(bool),
    /// As the solver says.
    Literal(Literal),
}

impl Bit {
    /// True.
    pub const TRUE: Bit = Bit::Constant(true);
    /// False.
    pub const FALSE: Bit = Bit::Constant(false);

    /// Its value under an assignment.
    pub fn value(self, model: &[bool]) -> bool {
        match self {
            Bit::Constant(value) => value,
            Bit::Literal(literal) => model[literal.variable()] == literal.is_positive(),
        }
    }
}

impl std::ops::Not for Bit {
    type Output = Bit;

    fn not(self) -> Bit {
        match self {
            Bit::Constant(value) => Bit::Constant(!value),
            Bit::Literal(literal) => Bit::Literal(!literal),
        }
    }
}

/// Gates over a solver.
pub struct Circuit {
    /// The solver.
    pub solver: Solver,
    gates: HashMap<Vec<Literal>, Literal>,
    inputs: HashMap<Literal, Vec<Literal>>,
}

impl Circuit {
    /// Without gates.
    pub fn new(solver: Solver) -> Self {
        Circuit { solver, gates: HashMap::new(), inputs: HashMap::new() }
    }

    /// A free input.
    pub fn input(&mut self) -> Bit {
        Bit::Literal(self.solver.variable())
    }

    /// Conjunction.
    pub fn and(&mut self, bits: impl IntoIterator<Item = Bit>) -> Bit {
        let mut literals = Vec::new();
        for bit in bits {
            match bit {
                Bit::Constant(true) => {}
                Bit::Constant(false) => return Bit::FALSE,
                Bit::Literal(literal) => literals.push(literal),
            }
        }
        literals.sort_unstable();
        literals.dedup();
        if literals.iter().any(|l| literals.binary_search(&!*l).is_ok()) {
            return Bit::FALSE;
        }
        match literals[..] {
            [] => Bit::TRUE,
            [one] => Bit::Literal(one),
            _ => Bit::Literal(self.gate(literals)),
        }
    }

    fn gate(&mut self, literals: Vec<Literal>) -> Literal {
        if let Some(gate) = self.gates.get(&literals) {
            return *gate;
        }
        let gate = self.solver.variable();
        for literal in &literals {
            self.solver.clause(vec![!gate, *literal]);
        }
        self.solver.clause(literals.iter().map(|l| !*l).chain([gate]).collect());
        self.inputs.insert(gate, literals.clone());
        self.gates.insert(literals, gate);
        gate
    }

    /// Calls `leaf` with every input below `bit`, as the literal that helps to make `bit` true; an input may come in
    /// both polarities.
    pub fn leaves(&self, bit: Bit, leaf: &mut impl FnMut(Literal)) {
        let Bit::Literal(root) = bit else { return };
        let mut seen = HashSet::new();
        let mut open = vec![root];
        while let Some(literal) = open.pop() {
            if !seen.insert(literal) {
                continue;
            }
            let gate = literal.signed(literal.is_positive());
            match self.inputs.get(&gate) {
                Some(inputs) if literal == gate => open.extend(inputs),
                Some(inputs) => open.extend(inputs.iter().map(|l| !*l)),
                None => leaf(literal),
            }
        }
    }

    /// Disjunction.
    pub fn or(&mut self, bits: impl IntoIterator<Item = Bit>) -> Bit {
        !self.and(bits.into_iter().map(|b| !b))
    }

    /// Requires one of the bits.
    pub fn require(&mut self, bits: impl IntoIterator<Item = Bit>) {
        let mut clause = Vec::new();
        for bit in bits {
            match bit {
                Bit::Constant(true) => return,
                Bit::Constant(false) => {}
                Bit::Literal(literal) => clause.push(literal),
            }
        }
        self.solver.clause(clause);
    }

    /// Requires at most one of the bits: each implies that none of the later ones holds.
    pub fn at_most_one(&mut self, bits: &[Bit]) {
        let mut later = Bit::FALSE;
        for bit in bits.iter().rev() {
            self.require([!*bit, !later]);
            later = self.or([*bit, later]);
        }
    }

    /// Requires exactly one of the bits, pairwise.
    pub fn exactly_one(&mut self, bits: &[Bit]) {
        self.require(bits.iter().copied());
        for (index, left) in bits.iter().enumerate() {
            for right in &bits[..index] {
                self.require([!*left, !*right]);
            }
        }
    }
}

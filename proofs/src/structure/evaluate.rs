//! Formulas compiled for evaluation on finite structures.
//!
//! A quantifier over a disjunction (or, existential, a conjunction) of parts tries its variables in an order that
//! decides parts early, and cuts a branch as soon as one part decides it.

use super::{Element, Structure};
use crate::{
    condition::free_variables,
    spec::{Formula, FunctionId, RelationId, SortId, Term, Time, Variable},
};
use std::collections::HashMap;

/// A term over slots.
#[derive(Clone, Debug)]
pub enum Operand {
    /// The element in a slot.
    Slot(usize),
    /// A function applied.
    Apply(FunctionId, Vec<Operand>),
}

/// One variable of a quantifier, and the parts that are decided once it has a value.
#[derive(Clone, Debug)]
pub struct Step {
    /// The variable.
    pub variable: Variable,
    /// Where its value goes.
    pub slot: usize,
    /// Its sort.
    pub sort: SortId,
    /// Parts whose variables all have values now, and had not before.
    pub ready: Vec<usize>,
}

/// The search of a quantifier.
#[derive(Clone, Debug)]
pub struct Goal {
    /// True for a universal quantifier, whose counterexample is searched; false for an existential, whose witness is.
    pub universal: bool,
    /// Parts that read none of the variables.
    pub ready: Vec<usize>,
    /// The variables, in the order of search.
    pub steps: Vec<Step>,
    /// Disjuncts of a universal body, conjuncts of an existential one.
    pub parts: Vec<Compiled>,
    /// Slots of free variables that the whole formula reads: arguments of the Skolem functions of an existential.
    pub free: Vec<(usize, SortId)>,
}

/// A formula in negation normal form over slots.
#[derive(Clone, Debug)]
pub enum Compiled {
    /// Decided.
    Constant(bool),
    /// A relation, or its negation.
    Relation {
        /// Which.
        relation: RelationId,
        /// Of which state.
        time: Time,
        /// False if negated.
        positive: bool,
        /// Of what.
        arguments: Vec<Operand>,
    },
    /// An equality, or its negation.
    Equal {
        /// False if negated.
        positive: bool,
        /// Left side.
        left: Operand,
        /// Right side.
        right: Operand,
    },
    /// Conjunction.
    And(Vec<Compiled>),
    /// Disjunction.
    Or(Vec<Compiled>),
    /// A quantifier.
    Quantified(Goal),
}

/// A compiled formula.
#[derive(Clone, Debug)]
pub struct Evaluator {
    /// The formula.
    pub root: Compiled,
    /// Number of slots.
    pub slots: usize,
}

impl Evaluator {
    /// Compiles `formula`, whose free variables are `free`; they take the first slots.
    pub fn new(formula: &Formula, free: &[Variable]) -> Self {
        let mut compiler = Compiler { slots: HashMap::new(), next: 0 };
        for variable in free {
            compiler.slot(variable);
        }
        let root = compiler.compile(&formula.normal(true));
        Evaluator { root, slots: compiler.next }
    }

    /// Whether the formula holds of one state.
    pub fn holds(&self, state: &Structure, free: &[Element]) -> bool {
        self.holds_between(state, state, free)
    }

    /// Whether the formula holds of two states of one universe.
    pub fn holds_between(&self, before: &Structure, after: &Structure, free: &[Element]) -> bool {
        let mut slots = vec![0; self.slots];
        slots[..free.len()].copy_from_slice(free);
        self.root.holds(&View { before, after }, &mut slots)
    }
}

/// The states that a formula is evaluated on.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The state that plain relations read.
    pub before: &'a Structure,
    /// The state that primed relations read.
    pub after: &'a Structure,
}

/// Arguments that fit without allocation; no relation of a specification has more.
const INLINE_ARGUMENTS: usize = 8;

impl Operand {
    /// Its element.
    pub fn value(&self, state: &Structure, slots: &[Element]) -> Element {
        match self {
            Operand::Slot(slot) => slots[*slot],
            Operand::Apply(function, arguments) => {
                values(arguments, state, slots, |arguments| state.value(*function, arguments))
            }
        }
    }
}

fn values<T>(
    places: &[Operand],
    state: &Structure,
    slots: &[Element],
    then: impl FnOnce(&[Element]) -> T,
) -> T {
    if places.len() <= INLINE_ARGUMENTS {
        let mut buffer = [0; INLINE_ARGUMENTS];
        for (value, place) in buffer.iter_mut().zip(places) {
            *value = place.value(state, slots);
        }
        then(&buffer[..places.len()])
    } else {
        then(&places.iter().map(|p| p.value(state, slots)).collect::<Vec<_>>())
    }
}

impl Compiled {
    /// Its truth value.
    pub fn holds(&self, view: &View<'_>, slots: &mut Vec<Element>) -> bool {
        match self {
            Compiled::Constant(value) => *value,
            Compiled::Relation { relation, time, positive, arguments } => {
                let state = if *time == Time::Before { view.before } else { view.after };
                values(arguments, state, slots, |tuple| state.holds(*relation, tuple)) == *positive
            }
            Compiled::Equal { positive, left, right } => {
                (left.value(view.before, slots) == right.value(view.before, slots)) == *positive
            }
            Compiled::And(parts) => parts.iter().all(|part| part.holds(view, slots)),
            Compiled::Or(parts) => parts.iter().any(|part| part.holds(view, slots)),
            Compiled::Quantified(goal) => {
                let mut found = false;
                goal.search(view, slots, &mut |_| {
                    found = true;
                    false
                });
                found != goal.universal
            }
        }
    }
}

impl Goal {
    /// Calls `found` with the slots of every counterexample (universal) or witness (existential) until it returns
    /// false.
    pub fn search(
        &self,
        view: &View<'_>,
        slots: &mut Vec<Element>,
        found: &mut impl FnMut(&mut Vec<Element>) -> bool,
    ) -> bool {
        if self.undecided(&self.ready, view, slots) { self.extend(0, view, slots, found) } else { true }
    }

    /// Whether none of the parts rules a solution out: a universal's counterexample falsifies all, an existential's
    /// witness satisfies all.
    fn undecided(&self, ready: &[usize], view: &View<'_>, slots: &mut Vec<Element>) -> bool {
        ready.iter().all(|part| self.parts[*part].holds(view, slots) != self.universal)
    }

    fn extend(
        &self,
        depth: usize,
        view: &View<'_>,
        slots: &mut Vec<Element>,
        found: &mut impl FnMut(&mut Vec<Element>) -> bool,
    ) -> bool {
        let Some(step) = self.steps.get(depth) else { return found(slots) };
        for element in 0..view.before.size(step.sort) as Element {
            slots[step.slot] = element;
            if self.undecided(&step.ready, view, slots) && !self.extend(depth + 1, view, slots, found) {
                return false;
            }
        }
        true
    }
}

struct Compiler {
    slots: HashMap<Variable, usize>,
    next: usize,
}

impl Compiler {
    fn slot(&mut self, variable: &Variable) -> usize {
        let next = &mut self.next;
        *self.slots.entry(*variable).or_insert_with(|| {
            *next += 1;
            *next - 1
        })
    }

    fn place(&mut self, term: &Term) -> Operand {
        match term {
            Term::Variable(v) => Operand::Slot(self.slot(v)),
            Term::Apply(f, arguments) => {
                Operand::Apply(*f, arguments.iter().map(|t| self.place(t)).collect())
            }
        }
    }

    fn compile(&mut self, formula: &Formula) -> Compiled {
        match formula {
            Formula::Constant(value) => Compiled::Constant(*value),
            Formula::Relation(..) | Formula::Equal(..) => self.literal(formula, true),
            Formula::Not(inner) => self.literal(inner, false),
            Formula::And(parts) => Compiled::And(parts.iter().map(|p| self.compile(p)).collect()),
            Formula::Or(parts) => Compiled::Or(parts.iter().map(|p| self.compile(p)).collect()),
            Formula::Forall(variables, body) => self.quantifier(true, formula, variables, body),
            Formula::Exists(variables, body) => self.quantifier(false, formula, variables, body),
        }
    }

    fn literal(&mut self, atom: &Formula, positive: bool) -> Compiled {
        match atom {
            Formula::Relation(relation, time, terms) => Compiled::Relation {
                relation: *relation,
                time: *time,
                positive,
                arguments: terms.iter().map(|t| self.place(t)).collect(),
            },
            Formula::Equal(left, right) => {
                Compiled::Equal { positive, left: self.place(left), right: self.place(right) }
            }
            // Normal form has negations only around these.
            other => self.compile(&other.normal(positive)),
        }
    }

    fn quantifier(
        &mut self,
        universal: bool,
        whole: &Formula,
        variables: &[Variable],
        body: &Formula,
    ) -> Compiled {
        let parts: &[Formula] = match body {
            Formula::Or(parts) if universal => parts,
            Formula::And(parts) if !universal => parts,
            other => std::slice::from_ref(other),
        };
        let reads: Vec<Vec<Variable>> = parts
            .iter()
            .map(|part| variables.iter().copied().filter(|v| free_variables(part).contains(v)).collect())
            .collect();
        let mut left: Vec<Variable> = variables.to_vec();
        let mut decided = vec![false; parts.len()];
        let mut ready_now = |left: &[Variable]| {
            let now: Vec<_> = (0..parts.len())
                .filter(|p| !decided[*p] && reads[*p].iter().all(|v| !left.contains(v)))
                .collect();
            now.iter().for_each(|p| decided[*p] = true);
            now
        };
        let ready = ready_now(&left);
        let mut steps = Vec::new();
        while !left.is_empty() {
            // The variable of the part that needs fewest more; the first such part in the text.
            let missing = |part: &Vec<Variable>| part.iter().filter(|v| left.contains(v)).count();
            let next = reads.iter().filter(|part| missing(part) > 0).min_by_key(|part| missing(part));
            let next =
                next.and_then(|part| part.iter().find(|v| left.contains(v))).copied().unwrap_or(left[0]);
            left.retain(|v| *v != next);
            steps.push(Step {
                variable: next,
                slot: self.slot(&next),
                sort: next.sort,
                ready: ready_now(&left),
            });
        }
        let mut free: Vec<_> = free_variables(whole).into_iter().collect();
        free.sort();
        let free = free.iter().map(|v| (self.slot(v), v.sort)).collect();
        let parts = parts.iter().map(|p| self.compile(p)).collect();
        Compiled::Quantified(Goal { universal, ready, steps, parts, free })
    }
}

//! Sorted first-order formulas.

use std::collections::HashMap;

/// A sort, by its place in [`super::Spec::sorts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SortId(pub usize);

/// A relation, by its place in [`super::Spec::relations`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelationId(pub usize);

/// A function or constant, by its place in [`super::Spec::functions`]. Conditions number their own constants on from
/// there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionId(pub usize);

/// A variable. No two binders of a specification share a number, so substitution cannot capture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Variable {
    /// Unique in the specification.
    pub number: u32,
    /// Its sort.
    pub sort: SortId,
}

/// A term.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    /// A variable.
    Variable(Variable),
    /// A function applied to as many terms as it has arguments, none for a constant.
    Apply(FunctionId, Vec<Term>),
}

/// Which of an action's two states a relation is read in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Time {
    /// Before the action; in a formula about one state, that state.
    Before,
    /// After it.
    After,
}

/// A formula; `=>`, `ite`, `distinct` and Boolean `=` are expanded when it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formula {
    /// `true` or `false`.
    Constant(bool),
    /// A relation of terms.
    Relation(RelationId, Time, Vec<Term>),
    /// Equality of two terms of one sort.
    Equal(Term, Term),
    /// Negation.
    Not(Box<Formula>),
    /// Conjunction; empty is true.
    And(Vec<Formula>),
    /// Disjunction; empty is false.
    Or(Vec<Formula>),
    /// Universal quantification.
    Forall(Vec<Variable>, Box<Formula>),
    /// Existential quantification.
    Exists(Vec<Variable>, Box<Formula>),
}

impl Term {
    /// This term with the variables of `map` replaced.
    pub fn substitute(&self, map: &HashMap<Variable, Term>) -> Term {
        match self {
            Term::Variable(v) => map.get(v).unwrap_or(self).clone(),
            Term::Apply(f, arguments) => {
                Term::Apply(*f, arguments.iter().map(|t| t.substitute(map)).collect())
            }
        }
    }

    /// A constant.
    pub fn constant(function: FunctionId) -> Term {
        Term::Apply(function, Vec::new())
    }
}

impl Formula {
    /// Negation.
    pub fn negate(formula: Formula) -> Formula {
        match formula {
            Formula::Not(inner) => *inner,
            Formula::Constant(value) => Formula::Constant(!value),
            other => Formula::Not(Box::new(other)),
        }
    }

    /// `premise => conclusion`.
    pub fn implies(premise: Formula, conclusion: Formula) -> Formula {
        Formula::Or(vec![Formula::negate(premise), conclusion])
    }

    /// `Forall`, or the body alone if there is no variable.
    pub fn forall(variables: Vec<Variable>, body: Formula) -> Formula {
        if variables.is_empty() { body } else { Formula::Forall(variables, Box::new(body)) }
    }

    /// `Exists`, or the body alone if there is no variable.
    pub fn exists(variables: Vec<Variable>, body: Formula) -> Formula {
        if variables.is_empty() { body } else { Formula::Exists(variables, Box::new(body)) }
    }

    /// A relation without arguments.
    pub fn fact(relation: RelationId) -> Formula {
        Formula::Relation(relation, Time::Before, Vec::new())
    }

    /// This formula with the free variables of `map` replaced.
    pub fn substitute(&self, map: &HashMap<Variable, Term>) -> Formula {
        self.rewrite(&mut |atom| match atom {
            Formula::Relation(r, time, arguments) => {
                Formula::Relation(*r, *time, arguments.iter().map(|t| t.substitute(map)).collect())
            }
            Formula::Equal(left, right) => Formula::Equal(left.substitute(map), right.substitute(map)),
            other => other.clone(),
        })
    }

    /// This formula with every relation and equality replaced by what `atom` makes of it.
    pub fn rewrite(&self, atom: &mut impl FnMut(&Formula) -> Formula) -> Formula {
        match self {
            Formula::Constant(_) => self.clone(),
            Formula::Relation(..) | Formula::Equal(..) => atom(self),
            Formula::Not(inner) => Formula::negate(inner.rewrite(atom)),
            Formula::And(parts) => Formula::And(parts.iter().map(|p| p.rewrite(atom)).collect()),
            Formula::Or(parts) => Formula::Or(parts.iter().map(|p| p.rewrite(atom)).collect()),
            Formula::Forall(vs, body) => Formula::Forall(vs.clone(), Box::new(body.rewrite(atom))),
            Formula::Exists(vs, body) => Formula::Exists(vs.clone(), Box::new(body.rewrite(atom))),
        }
    }

    /// Calls `visit` on every relation and equality.
    pub fn visit(&self, visit: &mut impl FnMut(&Formula)) {
        match self {
            Formula::Constant(_) => {}
            Formula::Relation(..) | Formula::Equal(..) => visit(self),
            Formula::Not(inner) => inner.visit(visit),
            Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|p| p.visit(visit)),
            Formula::Forall(_, body) | Formula::Exists(_, body) => body.visit(visit),
        }
    }

    /// Whether a relation of `wanted` occurs.
    pub fn mentions(&self, mut wanted: impl FnMut(RelationId) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |atom| {
            if let Formula::Relation(r, _, _) = atom {
                found |= wanted(*r);
            }
        });
        found
    }

    /// Negation normal form: `Not` only around relations and equalities, nested `And` and `Or` flattened, constants
    /// folded. `positive` false gives that of the negation.
    pub fn normal(&self, positive: bool) -> Formula {
        match self {
            Formula::Constant(value) => Formula::Constant(*value == positive),
            Formula::Relation(..) => {
                if positive {
                    self.clone()
                } else {
                    Formula::Not(Box::new(self.clone()))
                }
            }
            Formula::Equal(left, right) if left == right => Formula::Constant(positive),
            Formula::Equal(..) => {
                if positive {
                    self.clone()
                } else {
                    Formula::Not(Box::new(self.clone()))
                }
            }
            Formula::Not(inner) => inner.normal(!positive),
            Formula::And(parts) => join(parts, positive, positive),
            Formula::Or(parts) => join(parts, positive, !positive),
            Formula::Forall(vs, body) => quantify(vs, body.normal(positive), positive),
            Formula::Exists(vs, body) => quantify(vs, body.normal(positive), !positive),
        }
    }
}

/// The normal forms of `parts` in a conjunction or disjunction.
fn join(parts: &[Formula], positive: bool, conjunction: bool) -> Formula {
    let mut joined = Vec::new();
    for part in parts {
        match part.normal(positive) {
            Formula::Constant(value) if value == conjunction => {}
            Formula::Constant(value) => return Formula::Constant(value),
            Formula::And(inner) if conjunction => joined.extend(inner),
            Formula::Or(inner) if !conjunction => joined.extend(inner),
            other => joined.push(other),
        }
    }
    match (joined.len(), conjunction) {
        (0, _) => Formula::Constant(conjunction),
        (1, _) => joined.remove(0),
        (_, true) => Formula::And(joined),
        (_, false) => Formula::Or(joined),
    }
}

/// Sorts are not empty, so a quantifier over a constant is the constant; directly nested ones merge.
fn quantify(variables: &[Variable], body: Formula, universal: bool) -> Formula {
    let mut variables = variables.to_vec();
    match body {
        Formula::Constant(_) => body,
        Formula::Forall(inner, body) if universal => {
            variables.extend(inner);
            Formula::Forall(variables, body)
        }
        Formula::Exists(inner, body) if !universal => {
            variables.extend(inner);
            Formula::Exists(variables, body)
        }
        body if universal => Formula::Forall(variables, Box::new(body)),
        body => Formula::Exists(variables, Box::new(body)),
    }
}

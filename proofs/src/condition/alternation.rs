//! Whether a condition lies in the decidable fragment.
//!
//! Draw an edge from sort `a` to sort `b` for every function from `a` to `b`, those that Skolemization adds included: an
//! existential quantifier over `b` in the scope of a universal one over `a` of which it depends. Without a cycle only
//! finitely many ground terms exist, and grounding decides the condition (stratified EPR).

use super::{Condition, Origin};
use crate::spec::{Formula, SortId, Spec, Term, Variable};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One edge and what causes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edge {
    /// The sort it starts from.
    pub from: SortId,
    /// The sort it leads to.
    pub to: SortId,
    /// The function or hypothesis that causes it.
    pub cause: String,
}

/// The edges of a condition.
#[derive(Clone, Default, Debug)]
pub struct Alternation {
    /// For each pair of sorts, the first cause.
    edges: BTreeMap<(SortId, SortId), String>,
}

/// Edges that lead back to where they start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle(pub Vec<Edge>);

impl Cycle {
    /// The cycle in words.
    pub fn describe(&self, spec: &Spec) -> String {
        let edge =
            |e: &Edge| format!("{} -> {} ({})", spec.sorts[e.from.0].name, spec.sorts[e.to.0].name, e.cause);
        let edges: Vec<_> = self.0.iter().map(edge).collect();
        format!(
            "quantifier alternation has a cycle: {}; make one of the existentials a parameter of the action, or name \
             it by a derived relation",
            edges.join(", ")
        )
    }
}

/// The alternation of a condition.
pub fn alternation(spec: &Spec, condition: &Condition) -> Alternation {
    let mut found = Alternation::default();
    for function in &spec.functions {
        for from in &function.arguments {
            found.add(*from, function.result, || function.name.clone());
        }
    }
    for (origin, formula) in condition.refutand() {
        found.formula(&origin, &formula, &mut Vec::new());
    }
    found
}

impl Alternation {
    fn add(&mut self, from: SortId, to: SortId, cause: impl FnOnce() -> String) {
        self.edges.entry((from, to)).or_insert_with(cause);
    }

    /// Edges of a formula in negation normal form under the universal variables `universal`.
    fn formula(&mut self, origin: &Origin, formula: &Formula, universal: &mut Vec<Variable>) {
        match formula {
            Formula::And(parts) | Formula::Or(parts) => {
                parts.iter().for_each(|part| self.formula(origin, part, universal));
            }
            Formula::Forall(variables, body) => {
                let depth = universal.len();
                universal.extend(variables);
                self.formula(origin, body, universal);
                universal.truncate(depth);
            }
            Formula::Exists(variables, body) => {
                // The Skolem function takes the universal variables that the body reads, through inner existentials
                // too: those stand for Skolem terms over the same variables.
                let free = free_variables(body);
                for from in universal.iter().filter(|v| free.contains(v)) {
                    for to in variables {
                        self.add(from.sort, to.sort, || origin.to_string());
                    }
                }
                self.formula(origin, body, universal);
            }
            _ => {}
        }
    }

    /// A cycle, if there is one.
    pub fn cycle(&self) -> Option<Cycle> {
        let mut done = BTreeSet::new();
        let sorts: BTreeSet<_> = self.edges.keys().map(|(from, _)| *from).collect();
        sorts.into_iter().find_map(|sort| self.search(sort, &mut Vec::new(), &mut done))
    }

    fn search(&self, sort: SortId, path: &mut Vec<SortId>, done: &mut BTreeSet<SortId>) -> Option<Cycle> {
        if let Some(start) = path.iter().position(|s| *s == sort) {
            path.push(sort);
            let edge = |pair: &[SortId]| {
                let cause = self.edges[&(pair[0], pair[1])].clone();
                Edge { from: pair[0], to: pair[1], cause }
            };
            return Some(Cycle(path[start..].windows(2).map(edge).collect()));
        }
        if done.contains(&sort) {
            return None;
        }
        path.push(sort);
        for (_, to) in self.edges.keys().filter(|(from, _)| *from == sort) {
            if let Some(cycle) = self.search(*to, path, done) {
                return Some(cycle);
            }
        }
        path.pop();
        done.insert(sort);
        None
    }
}

/// Free variables of a formula.
pub(crate) fn free_variables(formula: &Formula) -> HashSet<Variable> {
    fn term(t: &Term, free: &mut HashSet<Variable>) {
        match t {
            Term::Variable(v) => drop(free.insert(*v)),
            Term::Apply(_, arguments) => arguments.iter().for_each(|t| term(t, free)),
        }
    }
    fn go(formula: &Formula, free: &mut HashSet<Variable>) {
        match formula {
            Formula::Constant(_) => {}
            Formula::Relation(_, _, terms) => terms.iter().for_each(|t| term(t, free)),
            Formula::Equal(left, right) => [left, right].into_iter().for_each(|t| term(t, free)),
            Formula::Not(inner) => go(inner, free),
            Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|p| go(p, free)),
            Formula::Forall(variables, body) | Formula::Exists(variables, body) => {
                let mut inner = HashSet::new();
                go(body, &mut inner);
                free.extend(inner.into_iter().filter(|v| !variables.contains(v)));
            }
        }
    }
    let mut free = HashSet::new();
    go(formula, &mut free);
    free
}

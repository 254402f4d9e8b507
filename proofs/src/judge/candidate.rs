//! From a satisfying assignment to a finite structure, or to what equality still demands.

use super::ground::{Atom, Ground, Grounder, TermId};
use crate::{
    sat::Literal,
    spec::{FunctionId, SortId, Spec},
    structure::{Element, Structure},
};
use std::collections::{HashMap, VecDeque};

/// A structure whose elements are classes of equal terms.
pub(super) struct Candidate {
    pub(super) structure: Structure,
    /// By sort and element, a term of the class.
    pub(super) representatives: Vec<Vec<TermId>>,
    /// By term, its element.
    elements: Vec<Element>,
}

impl Candidate {
    /// The element that a term stands for, if the term existed when the candidate was made.
    pub(super) fn element(&self, term: TermId) -> Option<Element> {
        self.elements.get(term.0 as usize).copied()
    }
}

/// Terms joined by true equalities.
struct Classes {
    /// By term, its class's smallest term.
    root: Vec<TermId>,
    /// By term, the equal terms next to it and the literals that say so.
    edges: Vec<Vec<(TermId, Literal)>>,
}

impl Classes {
    fn new(grounder: &Grounder, model: &[bool]) -> Self {
        let count = grounder.terms.len();
        let mut edges = vec![Vec::new(); count];
        for (atom, literal) in &grounder.atoms {
            if let Atom::Equal(left, right) = atom
                && model[literal.variable()]
            {
                edges[left.0 as usize].push((*right, *literal));
                edges[right.0 as usize].push((*left, *literal));
            }
        }
        let mut root: Vec<Option<TermId>> = vec![None; count];
        for start in (0..count as u32).map(TermId) {
            if root[start.0 as usize].is_some() {
                continue;
            }
            let mut queue = vec![start];
            while let Some(term) = queue.pop() {
                if root[term.0 as usize].replace(start).is_none() {
                    queue.extend(edges[term.0 as usize].iter().map(|(next, _)| *next));
                }
            }
        }
        Classes { root: root.into_iter().flatten().collect(), edges }
    }

    fn root(&self, term: TermId) -> TermId {
        self.root[term.0 as usize]
    }

    /// Literals that make two terms of one class equal, negated: the shortest way between them.
    fn explain(&self, from: TermId, to: TermId) -> Vec<Literal> {
        let mut came: HashMap<TermId, (TermId, Literal)> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(term) = queue.pop_front() {
            if term == to {
                break;
            }
            for (next, literal) in &self.edges[term.0 as usize] {
                if *next != from && !came.contains_key(next) {
                    came.insert(*next, (term, *literal));
                    queue.push_back(*next);
                }
            }
        }
        let (mut why, mut term) = (Vec::new(), to);
        while term != from {
            let (previous, literal) = came[&term];
            why.push(!literal);
            term = previous;
        }
        why
    }

    fn explain_all(&self, from: &[TermId], to: &[TermId]) -> Vec<Literal> {
        from.iter().zip(to).flat_map(|(f, t)| self.explain(*f, *t)).collect()
    }
}

/// The structure of a satisfying assignment; `None` after adding clauses if the assignment violates transitivity or
/// congruence of equality.
pub(super) fn candidate(
    spec: &Spec,
    grounder: &mut Grounder,
    model: &[bool],
    constants: &[SortId],
) -> Option<Candidate> {
    let classes = Classes::new(grounder, model);
    let mut clauses: Vec<Vec<Literal>> = Vec::new();
    // Transitivity: an equality that is false within a class. Congruence of relations: two values for one tuple.
    let mut values: HashMap<(usize, Vec<TermId>), (usize, bool)> = HashMap::new();
    for (index, (atom, literal)) in grounder.atoms.iter().enumerate() {
        let value = model.get(literal.variable()).copied().unwrap_or(false);
        match atom {
            Atom::Equal(left, right) => {
                if !value && classes.root(*left) == classes.root(*right) {
                    let mut clause = classes.explain(*left, *right);
                    clause.push(*literal);
                    clauses.push(clause);
                }
            }
            Atom::Relation(relation, tuple) => {
                let key = (relation.0, tuple.iter().map(|t| classes.root(*t)).collect());
                let (first, agreed) = *values.entry(key).or_insert((index, value));
                if agreed != value {
                    let (Atom::Relation(_, other), other_literal) = &grounder.atoms[first] else { continue };
                    let mut clause = classes.explain_all(other, tuple);
                    clause.push(other_literal.signed(!agreed));
                    clause.push(literal.signed(value));
                    // As implications: equal tuples, and the first one's value, give the second's.
                    let last = clause.len() - 1;
                    clause[last] = literal.signed(!value);
                    clause[last - 1] = other_literal.signed(!agreed);
                    clauses.push(clause);
                }
            }
        }
    }
    // Congruence of functions.
    let mut applied: HashMap<(FunctionId, Vec<TermId>), TermId> = HashMap::new();
    let mut unequal = Vec::new();
    for index in 0..grounder.terms.len() {
        let term = TermId(index as u32);
        let data = &grounder.terms[index];
        if data.arguments.is_empty() {
            continue;
        }
        let key = (data.function, data.arguments.iter().map(|t| classes.root(*t)).collect());
        let first = *applied.entry(key).or_insert(term);
        if classes.root(first) != classes.root(term) {
            let why = classes.explain_all(&grounder.terms[first.0 as usize].arguments, &data.arguments);
            unequal.push((why, first, term));
        }
    }
    for (mut why, first, term) in unequal {
        if let Ground::Literal(literal) = grounder.equal(first, term) {
            why.push(literal);
            clauses.push(why);
        }
    }
    if !clauses.is_empty() {
        clauses.into_iter().for_each(|clause| grounder.valid(clause));
        return None;
    }
    Some(build(spec, grounder, model, constants, &classes))
}

fn build(
    spec: &Spec,
    grounder: &Grounder,
    model: &[bool],
    constants: &[SortId],
    classes: &Classes,
) -> Candidate {
    let mut elements = vec![0; grounder.terms.len()];
    let mut representatives = Vec::new();
    for terms in &grounder.by_sort {
        let roots: Vec<_> = terms.iter().copied().filter(|t| classes.root(*t) == *t).collect();
        let place: HashMap<_, _> =
            roots.iter().enumerate().map(|(place, root)| (*root, place as Element)).collect();
        terms.iter().for_each(|t| elements[t.0 as usize] = place[&classes.root(*t)]);
        representatives.push(roots);
    }
    let sizes: Vec<_> = representatives.iter().map(Vec::len).collect();
    let mut structure = Structure::new(spec, &sizes, constants);
    let tuple = |terms: &[TermId]| terms.iter().map(|t| elements[t.0 as usize]).collect::<Vec<_>>();
    for (atom, literal) in &grounder.atoms {
        if let Atom::Relation(relation, terms) = atom
            && model.get(literal.variable()).copied().unwrap_or(false)
        {
            structure.set(*relation, &tuple(terms), true);
        }
    }
    for (index, data) in grounder.terms.iter().enumerate() {
        if data.function.0 < spec.functions.len() + constants.len() {
            structure.assign(data.function, &tuple(&data.arguments), elements[index]);
        }
    }
    Candidate { structure, representatives, elements }
}

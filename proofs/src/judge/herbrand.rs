//! The judge in pure Rust: instances over the finite Herbrand universe, refuted propositionally.
//!
//! In the fragment that `condition::alternation` checks, a condition's hypotheses and negated goal are satisfiable if
//! and only if their instances over the finitely many ground terms are. Most of those instances are not needed, so they
//! are added lazily:
//!
//! 1. Solve the instances so far. Unsatisfiable: the condition holds; the solver's steps are checked independently.
//! 2. Otherwise read the assignment as a finite structure, whose elements are classes of equal terms. If it violates
//!    transitivity or congruence of equality, add that instance and go on with 1.
//! 3. Evaluate every formula on the structure. If all hold, the structure is a counterexample. Otherwise add, for every
//!    violation, the instance that excludes it, and go on with 1.
//!
//! A universal is instantiated with terms of the violating elements, an existential with its Skolem terms. Every
//! instance excludes the present assignment or adds a term, and both are finite, so the loop ends.

use super::{
    Hints, Verdict,
    candidate::{Candidate, candidate},
    constant_sorts,
    ground::{Ground, Grounder, TermId, compile},
};
use crate::{
    condition::{Condition, ConditionId, Origin, alternation},
    sat::{Answer, Certificate, CertificateError, Literal},
    spec::Spec,
    structure::{Compiled, Element, Evaluator, Goal, Structure, View},
};
use std::collections::{BTreeSet, HashSet};

/// Rounds of instantiation before the judge gives up; the largest condition needs about 900.
const MAX_ROUNDS: usize = 4_000;
/// The same where only the hypotheses near to the goal are tried.
const FEW_ROUNDS: usize = 120;
/// Instances of one formula added in one round: enough to converge, few enough not to drown the solver.
const MAX_INSTANCES_A_ROUND: usize = 48;

/// The same of a formula that makes new terms: each is a witness that the next round has to reckon with.
const MAX_WITNESSES_A_ROUND: usize = 8;

/// When a formula is instantiated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Second,
    Last,
}

impl Turn {
    fn of(origin: &Origin, formula: &Evaluator) -> Turn {
        match origin {
            _ if !generative(&formula.root) => Turn::First,
            Origin::Axiom(_) => Turn::Last,
            Origin::Invariant(_) | Origin::Derived(_) => Turn::Second,
            // The condition's own: its goal, its guards, its assumptions.
            _ => Turn::First,
        }
    }
}

/// A proof of a condition.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The hypotheses that it uses.
    pub used: BTreeSet<Origin>,
    /// The propositional refutation, checked.
    pub certificate: Certificate,
    /// Rounds of instantiation.
    pub rounds: usize,
    /// Whether the hypotheses of a hint were enough.
    pub hinted: bool,
}

/// Why the judge has no verdict.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HerbrandError {
    /// The condition is outside the fragment.
    #[error("{0}: {1}")]
    Undecidable(ConditionId, String),
    /// The solver's refutation does not check.
    #[error("{0}: {1}")]
    Certificate(ConditionId, CertificateError),
    /// The structure found is no counterexample.
    #[error("{0}: the structure found does not satisfy {1}")]
    Model(ConditionId, Origin),
    /// No end in sight.
    #[error("{0}: no verdict after {MAX_ROUNDS} rounds of instantiation")]
    Rounds(ConditionId),
}

/// The judge.
pub struct Herbrand<'a> {
    spec: &'a Spec,
    hints: &'a Hints,
}

impl<'a> Herbrand<'a> {
    /// For the conditions of a specification.
    pub fn new(spec: &'a Spec) -> Self {
        Herbrand { spec, hints: Hints::kept() }
    }

    /// The same, with other hints than those that are kept.
    pub fn hinted(spec: &'a Spec, hints: &'a Hints) -> Self {
        Herbrand { spec, hints }
    }

    /// Decides a condition: by the hypotheses of its hint or by those that are near to it, if they are enough, and else by all.
    pub fn decide(&self, condition: &Condition) -> Result<Verdict<Proof>, HerbrandError> {
        match self.by_few(condition) {
            Some(proof) => Ok(Verdict::Holds(proof)),
            None => self.decide_within(condition, MAX_ROUNDS),
        }
    }

    /// A proof from the hypotheses of the condition's hint, or from those that are near to it. If there is none, that says
    /// nothing.
    pub fn by_few(&self, condition: &Condition) -> Option<Proof> {
        if let Some(hinted) = self.hints.of(condition)
            && let Ok(Verdict::Holds(proof)) = self.decide_within(&hinted, FEW_ROUNDS)
        {
            return Some(Proof { hinted: true, ..proof });
        }
        condition.near(self.spec).iter().find_map(|near| {
            if near.hypotheses.len() == condition.hypotheses.len() {
                return None;
            }
            match self.decide_within(near, FEW_ROUNDS) {
                Ok(Verdict::Holds(proof)) => Some(proof),
                _ => None,
            }
        })
    }

    fn decide_within(&self, condition: &Condition, most: usize) -> Result<Verdict<Proof>, HerbrandError> {
        if let Some(cycle) = alternation(self.spec, condition).cycle() {
            return Err(HerbrandError::Undecidable(condition.id.clone(), cycle.describe(self.spec)));
        }
        let refutand = condition.refutand();
        let compiled: Vec<Evaluator> = refutand.iter().map(|(_, formula)| compile(formula)).collect();
        let turns: Vec<Turn> = refutand.iter().zip(&compiled).map(|((o, _), c)| Turn::of(o, c)).collect();
        let constants = constant_sorts(condition);
        let mut grounder = Grounder::new(self.spec, &constants);
        let selectors: Vec<Literal> = refutand.iter().map(|_| grounder.selector()).collect();
        for round in 0..most {
            let model = match grounder.solve(&selectors) {
                Answer::Satisfiable(model) => model,
                Answer::Unsatisfiable(core) => {
                    let certificate = grounder.certificate(core);
                    let check = certificate.check();
                    check.map_err(|e| HerbrandError::Certificate(condition.id.clone(), e))?;
                    let used = refutand.iter().zip(&selectors).filter(|(_, s)| certificate.core.contains(s));
                    let used = used.map(|((origin, _), _)| origin.clone()).collect();
                    return Ok(Verdict::Holds(Proof { used, certificate, rounds: round, hinted: false }));
                }
            };
            let Some(candidate) = candidate(self.spec, &mut grounder, &model, &constants) else { continue };
            let terms = grounder.terms.len();
            let mut added = false;
            // A formula that makes new terms waits until nothing else is violated; of that, the axioms wait longest.
            for turn in [Turn::First, Turn::Second, Turn::Last] {
                let most = if turn == Turn::First { MAX_INSTANCES_A_ROUND } else { MAX_WITNESSES_A_ROUND };
                for index in (0..compiled.len()).filter(|index| turns[*index] == turn) {
                    let mut instances =
                        Instances { candidate: &candidate, grounder: &mut grounder, found: HashSet::new() };
                    for ground in instances.of(&compiled[index], most) {
                        grounder.assert(ground, selectors[index]);
                        added = true;
                    }
                }
                if added {
                    break;
                }
            }
            if !added && grounder.terms.len() == terms {
                // The whole structure once more, formula by formula.
                return match compiled.iter().position(|c| !c.holds(&candidate.structure, &[])) {
                    None => Ok(Verdict::Fails(candidate.structure)),
                    Some(index) => Err(HerbrandError::Model(condition.id.clone(), refutand[index].0.clone())),
                };
            }
        }
        Err(HerbrandError::Rounds(condition.id.clone()))
    }
}

/// Instances that exclude the violations of a formula in a candidate.
struct Instances<'a> {
    candidate: &'a Candidate,
    grounder: &'a mut Grounder,
    /// Outermost assignments already instantiated this round.
    found: HashSet<Vec<Element>>,
}

impl Instances<'_> {
    fn structure(&self) -> &Structure {
        &self.candidate.structure
    }

    /// One instance for every violation, up to the limit.
    fn of(&mut self, evaluator: &Evaluator, most: usize) -> Vec<Ground> {
        let mut instances = Vec::new();
        let parts: &[Compiled] = match &evaluator.root {
            Compiled::And(parts) => parts,
            other => std::slice::from_ref(other),
        };
        for part in parts {
            let mut slots = vec![0; evaluator.slots];
            let view = View { before: &self.candidate.structure, after: &self.candidate.structure };
            match part {
                Compiled::Quantified(goal) if goal.universal => {
                    let mut violations = Vec::new();
                    goal.search(&view, &mut slots, &mut |slots| {
                        violations.push(slots.clone());
                        violations.len() < most
                    });
                    for slots in violations {
                        if self.found.insert(slots.clone()) {
                            let mut terms = vec![TermId(0); evaluator.slots];
                            self.bind(goal, &slots, &mut terms);
                            instances.extend(self.disjunction(&goal.parts, &mut slots.clone(), &mut terms));
                        }
                    }
                }
                other => {
                    if !other.holds(&view, &mut slots) {
                        let mut terms = vec![TermId(0); evaluator.slots];
                        instances.extend(self.exclude(other, &mut slots, &mut terms));
                    }
                }
            }
        }
        instances
    }

    /// Terms for the elements that a quantifier's variables have.
    fn bind(&self, goal: &Goal, slots: &[Element], terms: &mut [TermId]) {
        for step in &goal.steps {
            terms[step.slot] = self.candidate.representatives[step.sort.0][slots[step.slot] as usize];
        }
    }

    /// The instance of a disjunction all of whose parts are false; `None` if a part needs only a new term.
    fn disjunction(
        &mut self,
        parts: &[Compiled],
        slots: &mut Vec<Element>,
        terms: &mut Vec<TermId>,
    ) -> Option<Ground> {
        let parts: Option<Vec<_>> = parts.iter().map(|part| self.exclude(part, slots, terms)).collect();
        parts.map(Ground::Or)
    }

    /// A ground consequence of a false node that is false in the candidate; `None` if the node would be true but for
    /// an element that the candidate lacks, whose term then exists from here on.
    fn exclude(
        &mut self,
        node: &Compiled,
        slots: &mut Vec<Element>,
        terms: &mut Vec<TermId>,
    ) -> Option<Ground> {
        match node {
            Compiled::Constant(_) | Compiled::Relation { .. } | Compiled::Equal { .. } => {
                Some(self.grounder.literal(node, terms))
            }
            Compiled::Or(parts) => self.disjunction(parts, slots, terms),
            Compiled::And(parts) => {
                let view = View { before: self.structure(), after: self.structure() };
                let false_part = parts.iter().find(|part| !part.holds(&view, slots));
                false_part.and_then(|part| self.exclude(part, slots, terms))
            }
            Compiled::Quantified(goal) if goal.universal => {
                let view = View { before: self.structure(), after: self.structure() };
                let mut violation = None;
                goal.search(&view, slots, &mut |slots| {
                    violation = Some(slots.clone());
                    false
                });
                let mut slots = violation?;
                self.bind(goal, &slots, terms);
                self.disjunction(&goal.parts, &mut slots, terms)
            }
            Compiled::Quantified(goal) => self.witness(goal, slots, terms),
        }
    }

    /// A false existential: its Skolem terms must satisfy the body.
    fn witness(&mut self, goal: &Goal, slots: &mut Vec<Element>, terms: &mut Vec<TermId>) -> Option<Ground> {
        let mut known = true;
        for (place, step) in goal.steps.iter().enumerate() {
            let term = self.grounder.skolem(goal, place, terms);
            terms[step.slot] = term;
            match self.candidate.element(term) {
                Some(element) => slots[step.slot] = element,
                None => known = false,
            }
        }
        if known {
            let view = View { before: self.structure(), after: self.structure() };
            let false_part = goal.parts.iter().find(|part| !part.holds(&view, slots));
            return false_part.and_then(|part| self.exclude(part, slots, terms));
        }
        // The terms are new: of a quantifier-free body the instance is the whole body, of another the part that is.
        let plain = goal.parts.iter().filter(|part| quantifier_free(part));
        let parts: Vec<_> = plain.map(|part| self.grounder.literal(part, terms)).collect();
        (!parts.is_empty()).then_some(Ground::And(parts))
    }
}

/// Whether an existential depends on variables, so that its instances make new terms.
fn generative(node: &Compiled) -> bool {
    match node {
        Compiled::Quantified(goal) => {
            !goal.universal && !goal.free.is_empty() || goal.parts.iter().any(generative)
        }
        Compiled::And(parts) | Compiled::Or(parts) => parts.iter().any(generative),
        _ => false,
    }
}

fn quantifier_free(node: &Compiled) -> bool {
    match node {
        Compiled::Quantified(_) => false,
        Compiled::And(parts) | Compiled::Or(parts) => parts.iter().all(quantifier_free),
        _ => true,
    }
}

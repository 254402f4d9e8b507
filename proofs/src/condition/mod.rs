//! Verification conditions: closed statements, each of which a judge proves or refutes on its own.
//!
//! The state after an action is substituted, not described: the weakest precondition of a formula under an action is
//! again a formula over the state before, so a condition speaks of one state only.

mod alternation;
mod generate;
mod smtlib;

pub(crate) use alternation::free_variables;
pub use alternation::{Alternation, Cycle, Edge, alternation};
pub(crate) use generate::{after, every_state};
pub use generate::{conditions, initially};
pub use smtlib::smtlib;

use crate::spec::{Formula, FunctionId, RelationId, SortId, Spec, Term};
use std::{collections::BTreeSet, fmt, sync::Arc};

/// The kind of statement that a condition establishes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A conjunct of the invariant holds at first.
    Initiation,
    /// An action keeps a conjunct of the invariant.
    Consecution,
    /// The invariant implies a property of states.
    Safety,
    /// The invariant implies a property of an action's steps.
    Transition,
    /// A derived relation contains what its definition says: at first, or kept by an action.
    DerivedContains,
    /// A derived relation contains nothing else.
    DerivedOnly,
    /// A progress lemma.
    Lemma,
    /// An action meets an obligation that is open.
    Met,
}

/// Names a condition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConditionId {
    /// Its kind.
    pub kind: Kind,
    /// The action, or `init`; empty where there is none.
    pub action: String,
    /// The conjunct, property, derived relation or lemma.
    pub statement: String,
}

impl fmt::Display for ConditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConditionId { kind, action, statement } = self;
        match kind {
            Kind::Initiation => write!(f, "init:{statement}"),
            Kind::Consecution | Kind::Transition => write!(f, "{action}:{statement}"),
            Kind::Safety => write!(f, "implied:{statement}"),
            Kind::DerivedContains => write!(f, "{action}:{statement}-contains"),
            Kind::DerivedOnly => write!(f, "{action}:{statement}-only"),
            Kind::Lemma => write!(f, "lemma:{statement}"),
            Kind::Met => write!(f, "met:{statement}/{action}"),
        }
    }
}

/// Where a hypothesis comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// An axiom.
    Axiom(String),
    /// A conjunct of the invariant.
    Invariant(String),
    /// An invariant of single tuples, of the tuple in question.
    Pointwise(String),
    /// Something unbounded, of the terms that a lemma names.
    Unbounded(String),
    /// A guard: action and name.
    Guard(String, String),
    /// The half of a derived relation's definition that is universal.
    Derived(String),
    /// The definition of a derived relation, for the tuple in question.
    Definition(String),
    /// An assumption of a lemma.
    Assumption(String),
    /// The negated goal.
    Goal,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Axiom(name) => write!(f, "axiom:{name}"),
            Origin::Invariant(name) => write!(f, "invariant:{name}"),
            Origin::Pointwise(name) => write!(f, "pointwise:{name}"),
            Origin::Unbounded(name) => write!(f, "unbounded:{name}"),
            Origin::Guard(action, name) => write!(f, "guard:{action}/{name}"),
            Origin::Derived(name) => write!(f, "derived:{name}"),
            Origin::Definition(name) => write!(f, "definition:{name}"),
            Origin::Assumption(name) => write!(f, "assumption:{name}"),
            Origin::Goal => f.write_str("goal"),
        }
    }
}

/// A hypothesis.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Where it comes from.
    pub origin: Origin,
    /// The formula, closed.
    pub formula: Arc<Formula>,
}

/// A constant of one condition: a parameter of its action or lemma, or a tuple in question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its sort.
    pub sort: SortId,
}

/// A verification condition: the hypotheses imply the goal.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its name.
    pub id: ConditionId,
    /// Its own constants, numbered on from the specification's functions.
    pub constants: Vec<Constant>,
    /// The hypotheses.
    pub hypotheses: Vec<Hypothesis>,
    /// The goal.
    pub goal: Arc<Formula>,
}

impl Condition {
    /// The function that stands for the `index`th constant.
    pub fn constant(spec: &Spec, index: usize) -> FunctionId {
        FunctionId(spec.functions.len() + index)
    }

    /// The condition with fewer hypotheses, which is a stronger claim.
    pub fn only(&self, used: &BTreeSet<Origin>) -> Condition {
        let hypotheses = self.hypotheses.iter().filter(|h| used.contains(&h.origin)).cloned().collect();
        Condition { hypotheses, ..self.clone() }
    }

    /// The condition with those hypotheses only that speak of nothing declared after all that the goal and the assumptions
    /// speak of: first no later constant and relation, then no later constant. Like [`Self::only`] stronger claims, and
    /// smaller ones: most of the protocol is about no clock, and most of the clock about no tick by name.
    pub fn near(&self, spec: &Spec) -> [Condition; 2] {
        let assumed = |h: &&Hypothesis| matches!(h.origin, Origin::Assumption(_));
        let claim = self.hypotheses.iter().filter(assumed).map(|h| Latest::of(spec, &h.formula));
        let claim = claim.fold(Latest::of(spec, &self.goal), Latest::max);
        let keep = |near: &dyn Fn(Latest) -> bool| {
            let near = self.hypotheses.iter().filter(|h| near(Latest::of(spec, &h.formula)));
            Condition { hypotheses: near.cloned().collect(), ..self.clone() }
        };
        let constants = |of: Latest| of.constant <= claim.constant;
        [keep(&|of| constants(of) && of.relation <= claim.relation), keep(&constants)]
    }

    /// Hypotheses and negated goal in negation normal form: what a judge refutes.
    pub fn refutand(&self) -> Vec<(Origin, Formula)> {
        let hypotheses = self.hypotheses.iter().map(|h| (h.origin.clone(), h.formula.normal(true)));
        hypotheses.chain([(Origin::Goal, self.goal.normal(false))]).collect()
    }
}

/// What of all that a formula names is declared last.
#[derive(Clone, Copy)]
struct Latest {
    relation: Option<RelationId>,
    constant: Option<FunctionId>,
}

impl Latest {
    fn of(spec: &Spec, formula: &Formula) -> Self {
        let mut latest = Latest { relation: None, constant: None };
        let constant = |term: &Term| match term {
            Term::Apply(f, arguments) if arguments.is_empty() && f.0 < spec.functions.len() => Some(*f),
            _ => None,
        };
        formula.visit(&mut |atom| match atom {
            Formula::Relation(relation, _, terms) => {
                latest.relation = latest.relation.max(Some(*relation));
                latest.constant = latest.constant.max(terms.iter().filter_map(constant).max());
            }
            Formula::Equal(left, right) => {
                latest.constant = latest.constant.max(constant(left)).max(constant(right));
            }
            _ => {}
        });
        latest
    }

    fn max(self, other: Self) -> Self {
        Latest { relation: self.relation.max(other.relation), constant: self.constant.max(other.constant) }
    }
}

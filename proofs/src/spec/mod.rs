//! The specification: one definition of the protocol, read from `spec/*.epr` for one choice of rules.
//!
//! ```text
//! text ──▶ S-expressions ──▶ items for these rules (`rules`, `items`) ──▶ sorted formulas (`elaborate`) ──▶ Spec
//! ```

mod elaborate;
mod error;
mod formula;
mod induction;
mod items;
mod load;
mod obligation;
mod parts;
mod rules;

pub use error::{Mistake, SpecError};
pub use formula::{Formula, FunctionId, RelationId, SortId, Term, Time, Variable};
pub use load::{Sources, load};
pub use parts::{Part, load_without, parts};
pub use rules::{RuleChoice, Rules};

use crate::text::Location;
use std::{collections::HashMap, sync::Arc};

/// A sort.
#[derive(Clone, Debug)]
pub struct Sort {
    /// Its name.
    pub name: String,
}

/// The role of a relation in a run.
#[derive(Clone, Debug)]
pub enum RelationKind {
    /// Fixed for a whole run.
    Immutable,
    /// Changed by actions.
    State,
    /// Changed by actions, and proved equal to its definition in every reachable state. Formulas that would leave the
    /// decidable fragment name it instead of its definition.
    Derived {
        /// The variables of the definition, one an argument.
        variables: Vec<Variable>,
        /// The formula that it is equal to.
        definition: Arc<Formula>,
    },
}

/// A relation.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// Names and sorts of its arguments; the names are those of `sentence`.
    pub arguments: Vec<(String, SortId)>,
    /// Its meaning in words, with `{argument}` for the arguments.
    pub sentence: String,
    /// Its role in a run.
    pub kind: RelationKind,
    /// Where it is declared.
    pub position: Location,
}

impl Relation {
    /// Whether it is the same in all states of a run.
    pub fn immutable(&self) -> bool {
        matches!(self.kind, RelationKind::Immutable)
    }
}

/// A function or constant, fixed for a whole run.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Sorts of its arguments.
    pub arguments: Vec<SortId>,
    /// Sort of its value.
    pub result: SortId,
}

/// A closed formula with a name: an axiom, an invariant, a property.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name; for a property of PROTOCOL.md, its id.
    pub name: String,
    /// The statement in words.
    pub sentence: String,
    /// The formula.
    pub formula: Arc<Formula>,
    /// Where it stands.
    pub position: Location,
}

/// The initial value of a state relation.
#[derive(Clone, Debug)]
pub struct Initial {
    /// One an argument.
    pub variables: Vec<Variable>,
    /// True of the tuples that are in.
    pub formula: Formula,
}

/// A parameter of an action.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its sort is the variable's.
    pub variable: Variable,
}

/// One named conjunct of an action's guard, over the parameters and the state before.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Its name, unique in the action.
    pub name: String,
    /// The formula.
    pub formula: Formula,
    /// Where it stands.
    pub position: Location,
}

/// The change of one relation by an action: deletions, then insertions.
#[derive(Clone, Debug)]
pub struct Update {
    /// The relation.
    pub relation: RelationId,
    /// One an argument.
    pub variables: Vec<Variable>,
    /// True of the tuples that go.
    pub delete: Formula,
    /// True of the tuples that come.
    pub insert: Formula,
}

/// An action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// The action in words, with `{parameter}` for the parameters.
    pub sentence: String,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// All must hold.
    pub guards: Vec<Guard>,
    /// At most one a relation.
    pub updates: Vec<Update>,
    /// Where it stands.
    pub position: Location,
}

impl Action {
    /// All guards, with terms for the parameters.
    pub fn enabled(&self, terms: &[Term]) -> Formula {
        let map: HashMap<_, _> =
            self.parameters.iter().map(|p| p.variable).zip(terms.iter().cloned()).collect();
        Formula::And(self.guards.iter().map(|g| g.formula.substitute(&map)).collect())
    }

    /// The update of `relation`, if any.
    pub fn update(&self, relation: RelationId) -> Option<&Update> {
        self.updates.iter().find(|u| u.relation == relation)
    }
}

/// Something that must be reachable.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Its id.
    pub name: String,
    /// The witness in words.
    pub sentence: String,
    /// The size of the universe to search: rounds with blocks, subrounds, blocks of each.
    pub universe: [usize; 3],
    /// Empty for a state; for a step, the actions (by place) with the formula over their parameters and the state
    /// before.
    pub steps: Vec<(usize, Formula)>,
    /// The formula, for a state.
    pub state: Option<Formula>,
    /// Where it stands.
    pub position: Location,
}

/// An invariant of single tuples. It may hold an existential that would leave the decidable fragment if it were
/// assumed of all tuples at once; so it is assumed only before an action, of the tuple in question.
#[derive(Clone, Debug)]
pub struct Pointwise {
    /// Its name.
    pub name: String,
    /// The invariant in words.
    pub sentence: String,
    /// The tuple.
    pub parameters: Vec<Parameter>,
    /// The formula that holds of it.
    pub formula: Formula,
    /// Where it stands.
    pub position: Location,
}

/// A progress lemma: an action is enabled.
#[derive(Clone, Debug)]
pub struct Lemma {
    /// Its name.
    pub name: String,
    /// The lemma in words.
    pub sentence: String,
    /// Universally quantified over the whole lemma.
    pub parameters: Vec<Parameter>,
    /// Assumptions by name.
    pub assumptions: Vec<(String, Formula)>,
    /// The conclusion.
    pub conclusion: Formula,
    /// Whether it may use the invariants of single tuples, and what is unbounded, of the terms that it names.
    pub pointwise: bool,
    /// Where it stands.
    pub position: Location,
}

/// A duty that an action waits for: the clock does not tick over it.
///
/// One item is the source of three things, so that they cannot differ: a guard of the waiting action (`due` implies
/// `done`), a lemma (while it is open, one of its actions is enabled) and a property of steps (what is done stays
/// done). That its action makes it done is a condition too. So between two ticks each tuple is met at most once.
#[derive(Clone, Debug)]
pub struct Obligation {
    /// Its name: that of the guard, of the lemma and, with `-stays`, of the property of steps.
    pub name: String,
    /// The action that waits.
    pub waiting: String,
    /// The tuples that it is about, then what the lemma takes besides.
    pub parameters: Vec<Parameter>,
    /// The assumptions under which it is open, by name: `for`, `due`, `open`, `given` and `names`.
    pub open: Vec<(String, Formula)>,
    /// The actions that meet it.
    pub done: Formula,
    /// The actions that meet it, by place, with terms for their parameters.
    pub by: Vec<(usize, Vec<Term>)>,
}

/// How a finite universe interprets what the axioms only constrain.
#[derive(Clone, Debug)]
pub enum Interpretation {
    /// The sort's elements are 0, 1, 2, ...; with order, predecessor relation and zero.
    Ordered {
        /// The sort.
        sort: SortId,
        /// `x <= y`.
        le: RelationId,
        /// `x + 1 = y`.
        previous: RelationId,
        /// Zero.
        zero: FunctionId,
    },
    /// The sort's elements are all sets of exactly the threshold's number of miners.
    Threshold {
        /// The sort of sets.
        sort: SortId,
        /// Membership: (element, set).
        member: RelationId,
        /// The size of the sets.
        size: Threshold,
    },
    /// The relation is the reflexive and transitive closure of the other.
    Closure {
        /// The closure.
        closure: RelationId,
        /// The relation whose closure it is.
        step: RelationId,
    },
}

/// A number of miners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threshold {
    /// `n - f`, the quorum.
    Quorum,
    /// `f + 1`.
    OneHonest,
    /// `n - f`, whatever the rule for quorums.
    WithoutFaulty,
}

/// The whole specification, for one choice of rules.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The choice.
    pub rules: Rules,
    /// Sorts.
    pub sorts: Vec<Sort>,
    /// Relations.
    pub relations: Vec<Relation>,
    /// Functions and constants.
    pub functions: Vec<Function>,
    /// The axioms about the fixed part.
    pub axioms: Vec<Statement>,
    /// By relation; `None` for an immutable one.
    pub initial: Vec<Option<Initial>>,
    /// Actions.
    pub actions: Vec<Action>,
    /// The conjuncts of the inductive invariant.
    pub invariants: Vec<Statement>,
    /// Properties of states.
    pub safety: Vec<Statement>,
    /// Properties of steps.
    pub transitions: Vec<Statement>,
    /// The states and steps that must be reachable.
    pub witnesses: Vec<Witness>,
    /// Invariants of single tuples.
    pub pointwise: Vec<Pointwise>,
    /// Things that exist beyond every element of a sort, of single tuples: the next round, a block of a miner. Finite universes end somewhere,
    /// so these are no axioms of them.
    pub unbounded: Vec<Pointwise>,
    /// The fact without arguments that says that names fit the run.
    pub naming: Option<RelationId>,
    /// Progress lemmas.
    pub lemmas: Vec<Lemma>,
    /// Obligations.
    pub obligations: Vec<Obligation>,
    /// Interpretations of finite universes.
    pub interpretations: Vec<Interpretation>,
    /// Names of variables, by number.
    pub variables: Vec<String>,
}

impl Spec {
    /// The relation of that name.
    pub fn relation(&self, name: &str) -> Option<RelationId> {
        self.relations.iter().position(|r| r.name == name).map(RelationId)
    }

    /// The function or constant of that name.
    pub fn function(&self, name: &str) -> Option<FunctionId> {
        self.functions.iter().position(|f| f.name == name).map(FunctionId)
    }

    /// The sort of that name.
    pub fn sort(&self, name: &str) -> Option<SortId> {
        self.sorts.iter().position(|s| s.name == name).map(SortId)
    }

    /// The action of that name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|a| a.name == name)
    }

    /// The state property, step property or invariant of that name.
    pub fn statement(&self, name: &str) -> Option<&Statement> {
        self.safety.iter().chain(&self.transitions).chain(&self.invariants).find(|s| s.name == name)
    }

    /// The specification without one item: `axiom:NAME`, `invariant:NAME` or `guard:ACTION/NAME`.
    pub fn without(&self, item: &str) -> Result<Spec, SpecError> {
        let mut spec = self.clone();
        let before = spec.items().len();
        match item.split_once(':') {
            Some(("axiom", name)) => spec.axioms.retain(|a| a.name != name),
            Some(("invariant", name)) => {
                spec.invariants.retain(|i| i.name != name);
                spec.pointwise.retain(|p| p.name != name);
            }
            Some(("guard", path)) => {
                if let Some((action, guard)) = path.split_once('/') {
                    let actions = spec.actions.iter_mut().filter(|a| a.name == action);
                    actions.for_each(|a| a.guards.retain(|g| g.name != guard));
                    // Of an obligation nothing is left: what nobody waits for need not be met.
                    let gone = |o: &Obligation| o.waiting == action && o.name == guard;
                    if let Some(at) = spec.obligations.iter().position(gone) {
                        let stays = format!("{}-stays", spec.obligations.remove(at).name);
                        let own = |l: &Lemma| {
                            let rest = l.name.strip_prefix(guard);
                            rest.is_some_and(|rest| {
                                rest.is_empty() || rest == "-names" || rest.starts_with("-given")
                            })
                        };
                        spec.lemmas.retain(|l| !own(l));
                        spec.transitions.retain(|t| t.name != stays);
                    }
                }
            }
            _ => {}
        }
        if spec.items().len() == before { Err(SpecError::NoItem(item.to_string())) } else { Ok(spec) }
    }

    /// Everything that [`Self::without`] can delete.
    pub fn items(&self) -> Vec<String> {
        let axioms = self.axioms.iter().map(|a| format!("axiom:{}", a.name));
        let invariants =
            self.invariants.iter().map(|i| &i.name).chain(self.pointwise.iter().map(|p| &p.name));
        let invariants = invariants.map(|name| format!("invariant:{name}"));
        let guards =
            self.actions.iter().flat_map(|a| a.guards.iter().map(|g| format!("guard:{}/{}", a.name, g.name)));
        axioms.chain(invariants).chain(guards).collect()
    }

    /// The sort of a term.
    pub fn sort_of(&self, term: &Term) -> SortId {
        match term {
            Term::Variable(v) => v.sort,
            Term::Apply(f, _) => self.functions[f.0].result,
        }
    }
}

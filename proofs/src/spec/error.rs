//! The errors of a specification, each with its place and its fix.

use crate::text::{Location, ReadError};

/// A mistake and its place.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpecError {
    /// The text is no sequence of S-expressions.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The text is, but says nothing meaningful.
    #[error("{position}: {mistake}")]
    At {
        /// Where.
        position: Location,
        /// The mistake.
        mistake: Mistake,
    },
    /// A file that is not there.
    #[error(
        "no file `{0}` in the specification\n  fix: add it, or name with --spec a folder that has all of its files"
    )]
    NoFile(String),
    /// A specification without profiles: an empty file, most likely.
    #[error(
        "{0} declares no profile\n  fix: name with --spec a whole specification, such as a copy of proofs/spec"
    )]
    NoProfile(String),
    /// A rule choice that names no rule or value.
    #[error(
        "--rules: `{0}` is no choice of rules\n  fix: write a profile, then `rule=value` after commas: {1}"
    )]
    Rules(String, String),
    /// A value that is defined only next to certain values of other rules.
    #[error(
        "--rules: `{choice}` has {rule}={value}, which the specification defines only where {needs}\n  fix: choose so, or \
         another value of `{rule}`"
    )]
    Requires {
        /// The choice.
        choice: String,
        /// The rule.
        rule: String,
        /// Its value.
        value: String,
        /// The condition that fails: `finality=Votes`.
        needs: String,
    },
    /// A rule chosen twice.
    #[error("--rules: `{0}` chooses `{1}` twice\n  fix: name each rule once")]
    RuleTwice(String, String),
    /// An item to delete that is not there.
    #[error(
        "--delete: nothing is named `{0}`\n  fix: write `axiom:NAME`, `invariant:NAME` or `guard:ACTION/NAME`, once each"
    )]
    NoItem(String),
}

/// A mistake in a specification.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mistake {
    /// An item of the wrong shape.
    #[error("expected {0}")]
    Expected(&'static str),
    /// An item that is none of the known ones.
    #[error(
        "`{0}` is no item of a specification; one of sort, immutable, relation, derived, function, constant, \
             define, axiom, init, action, obligation, invariant, safety, transition, pointwise, unbounded, witness, \
             lemma, induction, naming, rule, profile, requires, when, include, ordered, threshold, closure"
    )]
    UnknownItem(String),
    /// A part of an action that is none of the known ones.
    #[error("`{0}` is no part of an action; one of guard, insert, delete, when")]
    UnknownPart(String),
    /// A name declared twice.
    #[error("`{0}` is declared twice; the first is at {1}; rename one")]
    Twice(String, Location),
    /// A sort that is not declared.
    #[error("sort `{0}` is not declared; declare it with `(sort {0})`, or correct the name")]
    NoSort(String),
    /// A name that is not declared.
    #[error(
        "`{0}` is not declared; declare it as a relation, function, constant or variable, or correct the name"
    )]
    NoName(String),
    /// A relation that is not declared.
    #[error(
        "relation `{0}` is not declared; declare it with `(relation {0} (...) \"...\")`, or correct the name"
    )]
    NoRelation(String),
    /// An action that is not declared.
    #[error("action `{0}` is not declared; correct the name")]
    NoAction(String),
    /// Too few or too many arguments.
    #[error("`{name}` takes {expected} arguments, here it has {found}")]
    Arity {
        /// Of what.
        name: String,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A term of the wrong sort.
    #[error("`{term}` is of sort {found}, but {expected} is needed here")]
    Sort {
        /// The term.
        term: String,
        /// Its sort.
        found: String,
        /// The sort that is needed.
        expected: String,
    },
    /// A formula where a term is needed.
    #[error("`{0}` is a formula, but a term is needed here")]
    FormulaForTerm(String),
    /// A term where a formula is needed.
    #[error("`{0}` is a term of sort {1}, but a formula is needed here")]
    TermForFormula(String, String),
    /// A guard that reads the state after.
    #[error(
        "a guard reads the state before the action, but `{0}` is of the state after; remove the prime, or state \
             what you mean as an `insert` or `delete`"
    )]
    GuardReadsAfter(String),
    /// A prime anywhere else outside a transition property.
    #[error("`{0}` is of the state after, which only a `transition` property may read; remove the prime")]
    PrimedHere(String),
    /// A prime on something fixed.
    #[error("`{0}` is the same before and after every action; remove the prime")]
    PrimedImmutable(String),
    /// An update of something fixed.
    #[error("`{0}` is immutable; declare it with `relation` if actions change it")]
    UpdateOfImmutable(String),
    /// A parameter of a `given` that hides another.
    #[error("`{0}` is a parameter of the obligation already; take another name for what is given")]
    Hidden(String),
    /// A `names` where nothing says which fact names.
    #[error("`names` needs the fact under which names are given; declare it with `(naming relation)`")]
    NoNaming,
    /// A state relation without `init`.
    #[error("relation `{0}` has no `init`; say which tuples are in at first, for example `false`")]
    NoInit(String),
    /// An axiom or an `init` that reads what actions change.
    #[error(
        "state relation `{0}` differs from state to state; an axiom, an `unbounded` or an `init` reads only what is fixed"
    )]
    ReadsState(String),
    /// A derived relation whose definition reads a derived relation.
    #[error("the definition of `{0}` reads the derived relation `{1}`; define it by state relations")]
    DerivedOfDerived(String, String),
    /// A definition that uses itself.
    #[error("`{0}` is defined by itself")]
    Cyclic(String),
    /// A sentence that names an argument that there is not.
    #[error("the sentence names `{{{0}}}`, which is no argument; correct the name")]
    Sentence(String),
    /// An induction along a relation that is no successor.
    #[error(
        "this is not the successor of a sort that is declared `ordered`, so induction along it proves nothing"
    )]
    NotASuccessor,
    /// `enabled` outside a lemma.
    #[error("`enabled` speaks of actions, which only a `lemma` may do")]
    EnabledHere,
    /// A condition that names no rule or no value of it.
    #[error("`{0}` is no rule, or no value of the rule; correct the name")]
    NoRule(String),
}

impl Mistake {
    /// With its place.
    pub fn at(self, position: &Location) -> SpecError {
        SpecError::At { position: position.clone(), mistake: self }
    }
}

//! Which actions commute, and which disable or enable each other, for any number of members.
//!
//! Two steps that commute lead to the same state in either order, so a search may explore one order only. For every two actions,
//! each with parameters of its own, the judge in Rust decides in every state that the invariant allows:
//!
//! - *keeps*: where both are enabled, the second is enabled after the first as well, and the other way round;
//! - *ends*: where both are enabled, both orders end in the same state;
//! - *waits*: where the first is enabled and the second is after it, the second was enabled before, and the other way round.
//!
//! A claim that holds is proved. One that fails is refuted by a state that the invariant allows, which need not be reachable:
//! therefore the table says *may*. Actions of a miner are asked twice: of one miner, and of two.

use crate::{
    condition::{Condition, ConditionId, Constant, Hypothesis, Kind, Origin, after, every_state},
    judge::{Herbrand, Verdict},
    spec::{Action, Formula, RelationId, Spec, Term, Time, Variable},
    verify::parallel,
};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

/// The members that two actions are of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    /// One of them, or both, is nobody's, or they are of a miner and an observer.
    Any,
    /// The same miner, or observer.
    Same,
    /// Different ones.
    Apart,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Any => "any",
            Who::Same => "same",
            Who::Apart => "apart",
        })
    }
}

/// Two actions, and what is proved of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The first action, by place.
    pub first: usize,
    /// The second one, not before it.
    pub second: usize,
    /// The members that they are of.
    pub who: Who,
    /// Proved: the first leaves the second enabled; the second the first.
    pub keeps: [bool; 2],
    /// Proved: both orders end in the same state.
    pub ends: bool,
    /// Proved: the first does not enable the second; the second not the first.
    pub waits: [bool; 2],
}

impl Pair {
    /// Proved: both orders are possible where both actions are, and lead to one state.
    pub fn commutes(&self) -> bool {
        self.ends && self.keeps == [true; 2]
    }

    /// Its line in the table.
    fn line(&self, spec: &Spec) -> String {
        let [first, second] = [self.first, self.second].map(|index| spec.actions[index].name.as_str());
        let (one, other) = if self.first == self.second {
            ("one".to_string(), "the other".to_string())
        } else {
            (first.to_string(), second.to_string())
        };
        let mut said = Vec::new();
        if self.commutes() {
            said.push("commute".to_string());
        }
        for (index, (from, to)) in [(&one, &other), (&other, &one)].into_iter().enumerate() {
            if !self.keeps[index] {
                said.push(format!("{from} may disable {to}"));
            }
            if !self.waits[index] {
                said.push(format!("{from} may enable {to}"));
            }
        }
        if !self.ends {
            said.push("the order may matter".to_string());
        }
        format!("{first} {second} {} -> {}", self.who, said.join(", "))
    }
}

/// The acting member: the first parameter, if it is a miner or an observer.
fn actor(spec: &Spec, action: &Action) -> Option<Variable> {
    let variable = action.parameters.first()?.variable;
    ["miner", "observer"].contains(&spec.sorts[variable.sort.0].name.as_str()).then_some(variable)
}

/// One pair, decided.
pub fn pair(spec: &Spec, first: &str, second: &str, who: Who) -> Option<Pair> {
    let place = |name: &str| spec.actions.iter().position(|a| a.name == name);
    Some(Two::new(spec, &every_state(spec), place(first)?, place(second)?, who).decide())
}

/// All pairs of actions, decided.
pub fn pairs(spec: &Spec, threads: usize) -> Vec<Pair> {
    let mut cases = Vec::new();
    for first in 0..spec.actions.len() {
        for second in first..spec.actions.len() {
            let [one, other] = [first, second].map(|index| actor(spec, &spec.actions[index]).map(|v| v.sort));
            let who: &[Who] =
                if one.is_some() && one == other { &[Who::Same, Who::Apart] } else { &[Who::Any] };
            cases.extend(who.iter().map(|who| (first, second, *who)));
        }
    }
    let state = every_state(spec);
    parallel(cases.len(), threads, |index| {
        let (first, second, who) = cases[index];
        Two::new(spec, &state, first, second, who).decide()
    })
}

/// The table: one line a pair.
pub fn table(spec: &Spec, pairs: &[Pair]) -> String {
    let mut text = format!("# {}\n", spec.rules);
    pairs.iter().for_each(|pair| text += &format!("{}\n", pair.line(spec)));
    text
}

/// Two actions with constants for their parameters.
struct Two<'a> {
    spec: &'a Spec,
    state: &'a [Hypothesis],
    pair: Pair,
    constants: Vec<Constant>,
    maps: [HashMap<Variable, Term>; 2],
}

impl<'a> Two<'a> {
    fn new(spec: &'a Spec, state: &'a [Hypothesis], first: usize, second: usize, who: Who) -> Self {
        let pair = Pair { first, second, who, keeps: [true; 2], ends: true, waits: [true; 2] };
        let mut constants = Vec::new();
        let maps = [(first, "first"), (second, "second")].map(|(index, name)| {
            let parameters = &spec.actions[index].parameters;
            let constant = |parameter: &crate::spec::Parameter| {
                let term = Term::constant(Condition::constant(spec, constants.len()));
                constants.push(Constant {
                    name: format!("{name}_{}", parameter.name),
                    sort: parameter.variable.sort,
                });
                (parameter.variable, term)
            };
            parameters.iter().map(constant).collect()
        });
        Two { spec, state, pair, constants, maps }
    }

    fn action(&self, which: usize) -> &'a Action {
        &self.spec.actions[[self.pair.first, self.pair.second][which]]
    }

    /// All guards of one of them.
    fn guards(&self, which: usize) -> Vec<Formula> {
        self.action(which).guards.iter().map(|g| g.formula.substitute(&self.maps[which])).collect()
    }

    /// A formula as it is after one of them, over the state before.
    fn after(&self, which: usize, formula: &Formula) -> Formula {
        after(self.action(which), &self.maps[which], formula, Time::Before)
    }

    /// Whether one of them changes a relation that a formula reads.
    fn touches(&self, which: usize, formula: &Formula) -> bool {
        formula.mentions(|relation| self.action(which).update(relation).is_some())
    }

    fn holds(&self, assumptions: Vec<Formula>, constants: Vec<Constant>, goal: Formula) -> bool {
        let actors = [0, 1].map(|which| {
            let variable = actor(self.spec, self.action(which))?;
            self.maps[which].get(&variable).cloned()
        });
        let same = match actors {
            [Some(one), Some(other)] => Formula::Equal(one, other),
            _ => Formula::Constant(true),
        };
        let who = match self.pair.who {
            Who::Any => Formula::Constant(true),
            Who::Same => same,
            Who::Apart => Formula::negate(same),
        };
        let assumed = |formula| Hypothesis {
            origin: Origin::Assumption("pair".to_string()),
            formula: Arc::new(formula),
        };
        let hypotheses = self.state.iter().cloned().chain(assumptions.into_iter().chain([who]).map(assumed));
        let condition = Condition {
            id: ConditionId {
                kind: Kind::Lemma,
                action: self.action(0).name.clone(),
                statement: format!("{}/{}", self.action(0).name, self.action(1).name),
            },
            constants: self.constants.iter().cloned().chain(constants).collect(),
            hypotheses: hypotheses.collect(),
            goal: Arc::new(goal),
        };
        matches!(Herbrand::new(self.spec).decide(&condition), Ok(Verdict::Holds(_)))
    }

    fn decide(mut self) -> Pair {
        let both: Vec<_> = [self.guards(0), self.guards(1)].concat();
        for (first, second) in [(0, 1), (1, 0)] {
            let guard = Formula::And(self.guards(second));
            if !self.touches(first, &guard) {
                continue;
            }
            let later = self.after(first, &guard);
            let keeps = self.holds(both.clone(), Vec::new(), later.clone());
            let before = [self.guards(first), vec![later]].concat();
            let waits = self.holds(before, Vec::new(), guard);
            self.pair.keeps[first] = keeps;
            self.pair.waits[first] = waits;
        }
        // Each relation that one of them changes, of one tuple.
        let mut constants = Vec::new();
        let mut goals = Vec::new();
        let changed =
            [0, 1].into_iter().flat_map(|which| self.action(which).updates.iter().map(|u| u.relation));
        for relation in changed.collect::<BTreeSet<RelationId>>() {
            let tuple = self.spec.relations[relation.0].arguments.iter().map(|(_, sort)| {
                constants.push(Constant { name: format!("tuple{}", constants.len()), sort: *sort });
                Term::constant(Condition::constant(self.spec, self.constants.len() + constants.len() - 1))
            });
            let atom = Formula::Relation(relation, Time::Before, tuple.collect());
            let [one, other] =
                [(0, 1), (1, 0)].map(|(first, second)| self.after(first, &self.after(second, &atom)));
            if one != other {
                goals.push(Formula::implies(one.clone(), other.clone()));
                goals.push(Formula::implies(other, one));
            }
        }
        self.pair.ends = goals.is_empty() || self.holds(both, constants, Formula::And(goals));
        self.pair
    }
}

/// The members that two instances of actions are of.
pub fn who(spec: &Spec, one: (usize, &[u32]), other: (usize, &[u32])) -> Who {
    let [a, b] = [one.0, other.0].map(|index| actor(spec, &spec.actions[index]).map(|v| v.sort));
    match (a, b) {
        (Some(a), Some(b)) if a == b && one.1[0] == other.1[0] => Who::Same,
        (Some(a), Some(b)) if a == b => Who::Apart,
        _ => Who::Any,
    }
}

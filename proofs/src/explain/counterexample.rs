//! A failed condition in the protocol's words.

use super::{Names, minimise, refutes};
use crate::{
    condition::{Condition, ConditionId, Kind},
    spec::{Action, Formula, RelationId, RelationKind, Spec},
    structure::{Compiled, Element, Evaluator, Interpreter, Structure, View},
};
use std::fmt;

/// A counterexample to a condition: smallest, and checked by the evaluator.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The condition.
    pub condition: ConditionId,
    /// The failure, in one line.
    pub headline: String,
    /// The state: what is true in it.
    pub state: Vec<String>,
    /// The action, if there is one.
    pub action: Option<String>,
    /// The facts that the action makes true, or no longer true.
    pub change: Vec<String>,
    /// For which elements the statement fails.
    pub culprits: Vec<String>,
    /// Its structure.
    pub structure: Structure,
}

/// The evaluator does not confirm a counterexample.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}: the evaluator does not confirm the counterexample ({1})")]
pub struct Unconfirmed(pub ConditionId, pub String);

impl Counterexample {
    /// Explains why a condition fails, given one structure that shows it.
    pub fn new(spec: &Spec, condition: &Condition, structure: Structure) -> Result<Self, Unconfirmed> {
        let structure = minimise(spec, condition, structure);
        if !refutes(condition, &structure) {
            return Err(Unconfirmed(
                condition.id.clone(),
                "a hypothesis fails or the goal holds".to_string(),
            ));
        }
        let names = Names::of(spec, &structure);
        // An obligation's action has terms for its parameters, not constants of its own.
        let named = |a: &Action| a.name == condition.id.action && condition.id.kind != Kind::Met;
        let index = spec.actions.iter().position(named);
        let arguments = |action: &Action| -> Vec<Element> {
            let constants = 0..action.parameters.len();
            constants.map(|i| structure.value(Condition::constant(spec, i), &[])).collect()
        };
        let mut after = structure.clone();
        let mut sentence = None;
        if let Some(index) = index {
            let action = &spec.actions[index];
            let arguments = arguments(action);
            let interpreter = Interpreter::new(spec);
            let enabled = interpreter.enabled(&structure, index, &arguments);
            enabled.map_err(|disabled| Unconfirmed(condition.id.clone(), disabled.to_string()))?;
            after = interpreter.apply(&structure, index, &arguments);
            sentence = Some(names.action(action, &arguments));
        }
        Ok(Counterexample {
            headline: headline(spec, condition),
            state: facts(spec, &names, &structure),
            action: sentence,
            change: change(spec, &names, &structure, &after),
            culprits: culprits(spec, condition, &names, &structure, &after),
            condition: condition.id.clone(),
            structure,
        })
    }
}

fn headline(spec: &Spec, condition: &Condition) -> String {
    let ConditionId { kind, action, statement } = &condition.id;
    let pointwise = spec.pointwise.iter().find(|p| p.name == *statement).map(|p| p.sentence.as_str());
    let lemma = spec.lemmas.iter().find(|l| l.name == *statement).map(|l| l.sentence.as_str());
    let said = spec.statement(statement).map(|s| s.sentence.as_str()).or(pointwise).or(lemma);
    let said = said.map(|s| format!(" ({s})")).unwrap_or_default();
    match kind {
        Kind::Initiation => format!("`{statement}`{said} does not hold at first"),
        Kind::Consecution => format!("action `{action}` does not keep `{statement}`{said}"),
        Kind::Transition => format!("a step of action `{action}` can break `{statement}`{said}"),
        Kind::Safety => format!("the invariant does not imply `{statement}`{said}"),
        Kind::DerivedContains => {
            format!("after `{action}`, `{statement}` lacks something that its definition says")
        }
        Kind::DerivedOnly => {
            format!("after `{action}`, `{statement}` has something that its definition does not say")
        }
        Kind::Lemma => format!("progress lemma `{statement}`{said} fails"),
        Kind::Met => format!("action `{action}` does not meet the obligation `{statement}`{said}"),
    }
}

/// The facts that are true in a state, the fixed part by block and miner, orders and reflexive facts left out.
fn facts(spec: &Spec, names: &Names<'_>, structure: &Structure) -> Vec<String> {
    let mut facts: Vec<String> = names.blocks().iter().map(describe_block).collect();
    facts.extend(names.sets());
    for (index, relation) in spec.relations.iter().enumerate() {
        // Orders show in the names, members in those of sets; derived relations say nothing new.
        let shown = match relation.kind {
            RelationKind::State => true,
            RelationKind::Derived { .. } => false,
            RelationKind::Immutable => {
                ["byzantine", "self", "eligible", "outranks"].contains(&&*relation.name)
            }
        };
        if shown {
            facts.extend(
                structure.tuples(RelationId(index)).map(|tuple| names.fact(RelationId(index), &tuple)),
            );
        }
    }
    facts
}

fn describe_block(row: &std::collections::BTreeMap<&'static str, String>) -> String {
    let get = |field| row.get(field).map(String::as_str);
    let mut text = get("block").unwrap_or_default().to_string();
    if let (Some(round), Some(subround)) = (get("round"), get("subround")) {
        text += &format!(": {round}, {subround}");
    }
    for field in ["parent", "generator", "seed"] {
        if let Some(value) = get(field) {
            text += &format!(", {field} {value}");
        }
    }
    text
}

fn change(spec: &Spec, names: &Names<'_>, before: &Structure, after: &Structure) -> Vec<String> {
    let line = |(relation, tuple, now): (RelationId, Vec<Element>, bool)| {
        let fact = names.fact(relation, &tuple);
        if now { fact } else { format!("no longer: {fact}") }
    };
    let derived = |r: RelationId| matches!(spec.relations[r.0].kind, RelationKind::Derived { .. });
    before.differences(after).into_iter().filter(|(r, ..)| !derived(*r)).map(line).collect()
}

/// The elements for which a broken universal statement fails.
fn culprits(
    spec: &Spec,
    condition: &Condition,
    names: &Names<'_>,
    before: &Structure,
    after: &Structure,
) -> Vec<String> {
    let Some(statement) = spec.statement(&condition.id.statement) else { return Vec::new() };
    let Formula::Forall(variables, _) = &*statement.formula else { return Vec::new() };
    let state = if condition.id.kind == Kind::Transition { before } else { after };
    let evaluator = Evaluator::new(&statement.formula, &[]);
    let Compiled::Quantified(goal) = &evaluator.root else { return Vec::new() };
    let mut found = None;
    let mut slots = vec![0; evaluator.slots];
    goal.search(&View { before: state, after }, &mut slots, &mut |slots| {
        found = Some(slots.clone());
        false
    });
    let Some(slots) = found else { return Vec::new() };
    // The quantifier's slots are in its steps' order; the statement's variables in the text's.
    let value = |wanted: &crate::spec::Variable| {
        let step = goal.steps.iter().find(|s| s.variable == *wanted)?;
        let element = names.element(wanted.sort, slots[step.slot]);
        Some(format!("{} = {element}", spec.variables[wanted.number as usize]))
    };
    variables.iter().filter_map(value).collect()
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.condition, self.headline)?;
        writeln!(f, "  in this state, which every other conjunct allows:")?;
        self.state.iter().try_for_each(|fact| writeln!(f, "    {fact}"))?;
        if let Some(action) = &self.action {
            writeln!(f, "  this action can happen:\n    {action}")?;
            writeln!(f, "  and then:")?;
            self.change.iter().try_for_each(|fact| writeln!(f, "    {fact}"))?;
        }
        if !self.culprits.is_empty() {
            writeln!(f, "  so that `{}` fails for {}", self.condition.statement, self.culprits.join(", "))?;
        }
        Ok(())
    }
}

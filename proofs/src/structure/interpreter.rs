//! Steps of the specification on finite structures: which guards hold, what the state after is, which conjuncts hold.

use super::{Compiled, Element, Evaluator, Structure, View};
use crate::spec::{Action, Formula, RelationId, Spec, Statement, Variable};

/// A compiled specification.
pub struct Interpreter<'a> {
    spec: &'a Spec,
    actions: Vec<CompiledAction>,
    axioms: Vec<Evaluator>,
    invariants: Vec<Evaluator>,
    safety: Vec<Evaluator>,
    transitions: Vec<Evaluator>,
    initial: Vec<Option<Evaluator>>,
}

struct CompiledAction {
    guards: Vec<Evaluator>,
    /// All guards at once, over some parameters that exist: their witnesses are the instances.
    search: Evaluator,
    /// Where the search keeps the parameters.
    parameters: Vec<usize>,
    /// Delete and insert, over the parameters and then the tuple.
    updates: Vec<(Evaluator, Evaluator)>,
}

/// A guard that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("guard `{guard}` of action `{action}` does not hold")]
pub struct Disabled {
    /// The action.
    pub action: String,
    /// The first of its guards that does not hold.
    pub guard: String,
}

impl<'a> Interpreter<'a> {
    /// Compiles every formula of the specification.
    pub fn new(spec: &'a Spec) -> Self {
        let statements = |list: &[Statement]| list.iter().map(|s| Evaluator::new(&s.formula, &[])).collect();
        let initial =
            |i: &Option<crate::spec::Initial>| i.as_ref().map(|i| Evaluator::new(&i.formula, &i.variables));
        Interpreter {
            spec,
            actions: spec.actions.iter().map(compile).collect(),
            axioms: statements(&spec.axioms),
            invariants: statements(&spec.invariants),
            safety: statements(&spec.safety),
            transitions: statements(&spec.transitions),
            initial: spec.initial.iter().map(initial).collect(),
        }
    }

    /// The specification.
    pub fn spec(&self) -> &'a Spec {
        self.spec
    }

    /// Every guard of the action at `index` with its value.
    pub fn guards(&self, state: &Structure, index: usize, arguments: &[Element]) -> Vec<(&'a str, bool)> {
        let names = self.spec.actions[index].guards.iter().map(|g| g.name.as_str());
        names.zip(self.actions[index].guards.iter().map(|g| g.holds(state, arguments))).collect()
    }

    /// Whether all guards hold.
    pub fn enabled(&self, state: &Structure, index: usize, arguments: &[Element]) -> Result<(), Disabled> {
        match self.actions[index].guards.iter().position(|g| !g.holds(state, arguments)) {
            None => Ok(()),
            Some(guard) => {
                let action = &self.spec.actions[index];
                Err(Disabled { action: action.name.clone(), guard: action.guards[guard].name.clone() })
            }
        }
    }

    /// The state after the action, whether or not its guards hold.
    pub fn apply(&self, state: &Structure, index: usize, arguments: &[Element]) -> Structure {
        let mut after = state.clone();
        self.each_change(state, index, arguments, |relation, tuple, value| {
            after.set(relation, tuple, value);
            true
        });
        after
    }

    /// Whether the action would change the state.
    pub fn changes(&self, state: &Structure, index: usize, arguments: &[Element]) -> bool {
        let mut changes = false;
        self.each_change(state, index, arguments, |_, _, _| {
            changes = true;
            false
        });
        changes
    }

    /// Calls `found` with every tuple that the action changes and its value afterwards, until it returns false.
    fn each_change(
        &self,
        state: &Structure,
        index: usize,
        arguments: &[Element],
        mut found: impl FnMut(RelationId, &[Element], bool) -> bool,
    ) {
        let updates = self.spec.actions[index].updates.iter().zip(&self.actions[index].updates);
        let mut free = arguments.to_vec();
        for (update, (delete, insert)) in updates {
            for tuple in state.all_tuples(update.relation) {
                free.truncate(arguments.len());
                free.extend(&tuple);
                let was = state.holds(update.relation, &tuple);
                let is = was && !delete.holds(state, &free) || insert.holds(state, &free);
                if is != was && !found(update.relation, &tuple, is) {
                    return;
                }
            }
        }
    }

    /// All arguments with which the action is enabled.
    pub fn instances(&self, state: &Structure, index: usize) -> Vec<Vec<Element>> {
        let compiled = &self.actions[index];
        let mut found = Vec::new();
        let mut slots = vec![0; compiled.search.slots];
        let view = View { before: state, after: state };
        match &compiled.search.root {
            Compiled::Quantified(goal) => {
                goal.search(&view, &mut slots, &mut |slots| {
                    found.push(compiled.parameters.iter().map(|slot| slots[*slot]).collect());
                    true
                });
            }
            // No parameters, or nothing that depends on them.
            decided => {
                if decided.holds(&view, &mut slots) {
                    found.push(Vec::new());
                    for parameter in &self.spec.actions[index].parameters {
                        let elements = 0..state.size(parameter.variable.sort) as Element;
                        let extend = |tuple: Vec<Element>| {
                            elements.clone().map(move |e| tuple.iter().copied().chain([e]).collect())
                        };
                        found = found.into_iter().flat_map(extend).collect();
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// Axioms that do not hold.
    pub fn broken_axioms(&self, state: &Structure) -> Vec<&'a Statement> {
        broken(&self.spec.axioms, &self.axioms, state, state)
    }

    /// Conjuncts of the invariant that do not hold.
    pub fn broken_invariants(&self, state: &Structure) -> Vec<&'a Statement> {
        broken(&self.spec.invariants, &self.invariants, state, state)
    }

    /// Properties of states that do not hold.
    pub fn broken_safety(&self, state: &Structure) -> Vec<&'a Statement> {
        broken(&self.spec.safety, &self.safety, state, state)
    }

    /// Properties of steps that do not hold.
    pub fn broken_transitions(&self, before: &Structure, after: &Structure) -> Vec<&'a Statement> {
        broken(&self.spec.transitions, &self.transitions, before, after)
    }

    /// Sets every state relation to what it is at first.
    pub fn initialize(&self, state: &mut Structure) {
        let fixed = state.clone();
        for (index, initial) in self.initial.iter().enumerate() {
            if let Some(initial) = initial {
                let relation = RelationId(index);
                for tuple in fixed.all_tuples(relation) {
                    state.set(relation, &tuple, initial.holds(&fixed, &tuple));
                }
            }
        }
    }
}

fn broken<'a>(
    statements: &'a [Statement],
    compiled: &[Evaluator],
    before: &Structure,
    after: &Structure,
) -> Vec<&'a Statement> {
    let pairs = statements.iter().zip(compiled);
    pairs.filter(|(_, c)| !c.holds_between(before, after, &[])).map(|(s, _)| s).collect()
}

fn compile(action: &Action) -> CompiledAction {
    let parameters: Vec<Variable> = action.parameters.iter().map(|p| p.variable).collect();
    let over = |formula: &Formula, tuple: &[Variable]| {
        Evaluator::new(formula, &parameters.iter().chain(tuple).copied().collect::<Vec<_>>())
    };
    let all = Formula::And(action.guards.iter().map(|g| g.formula.clone()).collect());
    let search = if parameters.is_empty() { all } else { Formula::Exists(parameters.clone(), Box::new(all)) };
    let search = Evaluator::new(&search, &parameters);
    CompiledAction {
        search,
        // Free variables take the first slots.
        parameters: (0..parameters.len()).collect(),
        guards: action.guards.iter().map(|g| over(&g.formula, &[])).collect(),
        updates: action
            .updates
            .iter()
            .map(|u| (over(&u.delete, &u.variables), over(&u.insert, &u.variables)))
            .collect(),
    }
}

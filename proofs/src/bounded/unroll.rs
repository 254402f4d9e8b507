//! Bounded search: the specification unrolled in a finite universe.
//!
//! One step executes any set of action instances that do not interfere: none reads what another changes to its
//! disadvantage, and no two change one tuple differently. So a step's actions may happen in any order, each enabled
//! when its turn comes, and a run of many actions needs few steps.

use super::{Bit, Circuit, Event, Run, RunError, Symbolic, Universe, UniverseError};
use crate::{
    sat::{Answer, Phase, Solver},
    spec::{Formula, RelationId, Spec, Witness},
    structure::{Element, Evaluator, Interpreter, Structure},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
};

/// A run that the search found and its replay refuses: the search is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the search for `{name}` found a run that its replay refuses: {error}; this is a fault of zus-proofs"
)]
pub struct Unsound {
    /// The name of the run.
    pub name: String,
    /// The refusal of the replay.
    pub error: RunError,
}

/// The target of a search.
#[derive(Clone, Debug)]
pub enum Target {
    /// A state in which the formula holds.
    State(Formula),
    /// A step of one of the actions (by place) whose formula holds of the parameters and the state before.
    Step(Vec<(usize, Formula)>),
}

impl Target {
    /// The target that shows a witness.
    pub fn witness(witness: &Witness) -> Self {
        match &witness.state {
            Some(formula) => Target::State(formula.clone()),
            None => Target::Step(witness.steps.clone()),
        }
    }

    /// A state that breaks a property of states.
    pub fn violation(formula: &Formula) -> Self {
        Target::State(Formula::negate(formula.clone()))
    }

    /// Any step of an action.
    pub fn action(index: usize) -> Self {
        Target::Step(vec![(index, Formula::Constant(true))])
    }
}

/// An action with elements for its parameters.
struct Instance {
    action: usize,
    arguments: Vec<Element>,
    /// Tuples that it takes out, each under a condition.
    deletes: Changes,
    /// Tuples that it puts in.
    inserts: Changes,
    /// Tuples whose absence may disable it, or change what it does.
    needs: BTreeSet<Tuple>,
    /// Tuples whose presence may disable it, or change what it does.
    forbids: BTreeSet<Tuple>,
    /// Whether its updates read the state, so that their conditions differ from step to step.
    reads: bool,
}

type Tuple = (RelationId, Vec<Element>);
/// Tuples, each with the condition under which it is deleted or inserted.
type Changes = BTreeMap<Tuple, Bit>;

/// A search in one universe; deepened step by step.
pub struct Search<'a> {
    spec: &'a Spec,
    universe: Universe,
    circuit: Circuit,
    fixed: Symbolic,
    guards: Vec<Evaluator>,
    instances: Vec<Instance>,
    /// Instances that may not be executed in one step, as pairs of sets.
    exclusions: Vec<(Vec<usize>, Vec<usize>)>,
    frames: Vec<Symbolic>,
    /// By step and instance.
    executed: Vec<Vec<Bit>>,
}

impl<'a> Search<'a> {
    /// Lays the universe out. No step yet.
    pub fn new(spec: &'a Spec, universe: &Universe) -> Result<Self, UniverseError> {
        Search::without(spec, universe, &[])
    }

    /// The same, for runs in which certain actions do not happen.
    pub fn without(spec: &'a Spec, universe: &Universe, excluded: &[&str]) -> Result<Self, UniverseError> {
        let mut circuit = Circuit::new(Solver::new(Phase::Saved));
        let fixed = universe.fixed(spec, &mut circuit)?;
        Ok(Search::of(spec, universe, circuit, fixed, excluded))
    }

    /// The same where the whole fixed part is that of a structure; `universe` is what its runs say of their size.
    pub fn inside(spec: &'a Spec, universe: &Universe, structure: &Structure, excluded: &[&str]) -> Self {
        let circuit = Circuit::new(Solver::new(Phase::Saved));
        Search::of(spec, universe, circuit, Symbolic::of(spec, structure), excluded)
    }

    fn of(
        spec: &'a Spec,
        universe: &Universe,
        mut circuit: Circuit,
        fixed: Symbolic,
        excluded: &[&str],
    ) -> Self {
        let mut initial = fixed.clone();
        for (index, init) in spec.initial.iter().enumerate() {
            let (relation, Some(init)) = (RelationId(index), init) else { continue };
            let compiled = Evaluator::new(&init.formula, &init.variables);
            for tuple in fixed.tuples(fixed.sorts(relation)) {
                let bit = fixed.evaluate(&mut circuit, &compiled, &tuple);
                initial.set(relation, &tuple, bit);
            }
        }
        let guard = |action: &crate::spec::Action| {
            let parameters: Vec<_> = action.parameters.iter().map(|p| p.variable).collect();
            let all = Formula::And(action.guards.iter().map(|g| g.formula.clone()).collect());
            Evaluator::new(&all, &parameters)
        };
        let guards = spec.actions.iter().map(guard).collect();
        let mut search = Search {
            spec,
            universe: universe.clone(),
            circuit,
            fixed,
            guards,
            instances: Vec::new(),
            exclusions: Vec::new(),
            frames: vec![initial],
            executed: Vec::new(),
        };
        search.instantiate(excluded);
        search.exclude();
        search
    }

    /// Whether the axioms have a model of this size.
    pub fn consistent(&mut self) -> bool {
        matches!(self.circuit.solver.solve(&[]), Answer::Satisfiable(_))
    }

    /// The shortest run, in steps, to the target within `steps` steps; its actions are then thinned out.
    pub fn run(&mut self, name: &str, target: &Target, steps: usize) -> Result<Option<Run>, Unsound> {
        self.run_within(name, target, 0..=steps)
    }

    /// A run to the target in a number of steps within a range, the shortest such. Steps may be idle, so a range that
    /// starts late only skips what is known to be too short.
    pub fn run_within(
        &mut self,
        name: &str,
        target: &Target,
        steps: RangeInclusive<usize>,
    ) -> Result<Option<Run>, Unsound> {
        for depth in steps {
            while self.executed.len() < depth {
                self.extend();
            }
            let goal = self.target(target, depth);
            let assumption = match goal {
                Bit::Constant(false) => continue,
                Bit::Constant(true) => Vec::new(),
                Bit::Literal(literal) => vec![literal],
            };
            if let Answer::Satisfiable(model) = self.circuit.solver.solve(&assumption) {
                return self.decode(name, target, depth, &model).map(Some);
            }
        }
        Ok(None)
    }

    /// All instances whose guards can hold at all, with what they read and change.
    fn instantiate(&mut self, excluded: &[&str]) {
        // A state of free tuples shows what the guards depend on.
        let mut probe = self.fixed.clone();
        let mut tuples = HashMap::new();
        for index in (0..self.spec.relations.len()).filter(|i| !self.spec.relations[*i].immutable()) {
            let relation = RelationId(index);
            probe.free_relation(&mut self.circuit, relation);
            for tuple in probe.tuples(probe.sorts(relation)) {
                if let Bit::Literal(literal) = probe.bit(relation, &tuple) {
                    tuples.insert(literal, (relation, tuple));
                }
            }
        }
        for (action, declared) in self.spec.actions.iter().enumerate() {
            if excluded.contains(&declared.name.as_str()) {
                continue;
            }
            let sorts: Vec<_> = declared.parameters.iter().map(|p| p.variable.sort).collect();
            for arguments in self.fixed.tuples(&sorts) {
                let guard = probe.evaluate(&mut self.circuit, &self.guards[action], &arguments);
                if guard == Bit::FALSE {
                    continue;
                }
                let (mut needs, mut forbids) = (BTreeSet::new(), BTreeSet::new());
                self.circuit.leaves(guard, &mut |literal| {
                    let (set, atom) =
                        if literal.is_positive() { (&mut needs, literal) } else { (&mut forbids, !literal) };
                    set.extend(tuples.get(&atom).cloned());
                });
                let (deletes, inserts) = self.effects(&probe, declared, &arguments);
                // The relations that an update reads may neither come nor go in the same step.
                let mut reads = false;
                for bit in deletes.values().chain(inserts.values()) {
                    self.circuit.leaves(*bit, &mut |literal| {
                        let atom = if literal.is_positive() { literal } else { !literal };
                        if let Some(tuple) = tuples.get(&atom) {
                            reads = true;
                            needs.insert(tuple.clone());
                            forbids.insert(tuple.clone());
                        }
                    });
                }
                self.instances.push(Instance { action, arguments, deletes, inserts, needs, forbids, reads });
            }
        }
    }

    /// The changes that an action makes in a state.
    fn effects(
        &mut self,
        state: &Symbolic,
        action: &crate::spec::Action,
        arguments: &[Element],
    ) -> (Changes, Changes) {
        let parameters: Vec<_> = action.parameters.iter().map(|p| p.variable).collect();
        let (mut deletes, mut inserts) = (BTreeMap::new(), BTreeMap::new());
        for update in &action.updates {
            let variables: Vec<_> = parameters.iter().chain(&update.variables).copied().collect();
            for (formula, changes) in [(&update.delete, &mut deletes), (&update.insert, &mut inserts)] {
                let compiled = Evaluator::new(formula, &variables);
                for tuple in state.tuples(state.sorts(update.relation)) {
                    let free: Vec<_> = arguments.iter().chain(&tuple).copied().collect();
                    let bit = state.evaluate(&mut self.circuit, &compiled, &free);
                    if bit != Bit::FALSE {
                        changes.insert((update.relation, tuple), bit);
                    }
                }
            }
        }
        (deletes, inserts)
    }

    /// Which instances interfere.
    fn exclude(&mut self) {
        #[derive(Default)]
        struct Users {
            needing: Vec<usize>,
            forbidding: Vec<usize>,
            deleting: Vec<usize>,
            inserting: Vec<usize>,
        }
        let mut users: BTreeMap<&Tuple, Users> = BTreeMap::new();
        for (index, instance) in self.instances.iter().enumerate() {
            instance.needs.iter().for_each(|t| users.entry(t).or_default().needing.push(index));
            instance.forbids.iter().for_each(|t| users.entry(t).or_default().forbidding.push(index));
            instance.deletes.keys().for_each(|t| users.entry(t).or_default().deleting.push(index));
            instance.inserts.keys().for_each(|t| users.entry(t).or_default().inserting.push(index));
        }
        let mut exclusions = BTreeSet::new();
        for users in users.into_values() {
            let Users { needing, forbidding, deleting, inserting } = users;
            let pairs = [(needing, deleting.clone()), (forbidding, inserting.clone()), (inserting, deleting)];
            exclusions
                .extend(pairs.into_iter().filter(|(left, right)| !left.is_empty() && !right.is_empty()));
        }
        self.exclusions = exclusions.into_iter().collect();
    }

    /// One more step.
    fn extend(&mut self) {
        let Some(now) = self.frames.last().cloned() else { return };
        let mut executed = Vec::new();
        for instance in &self.instances {
            let guard = now.evaluate(&mut self.circuit, &self.guards[instance.action], &instance.arguments);
            let bit = if guard == Bit::FALSE { Bit::FALSE } else { self.circuit.input() };
            self.circuit.require([!bit, guard]);
            executed.push(bit);
        }
        for (left, right) in &self.exclusions {
            let both: Vec<_> = left.iter().copied().filter(|i| right.binary_search(i).is_ok()).collect();
            let bits = |set: &[usize], without: &[usize]| -> Vec<Bit> {
                set.iter().filter(|i| without.binary_search(i).is_err()).map(|i| executed[*i]).collect()
            };
            let any_right = self.circuit.or(bits(right, &[]));
            for bit in bits(left, &both) {
                self.circuit.require([!bit, !any_right]);
            }
            let right_only = self.circuit.or(bits(right, &both));
            let both: Vec<_> = both.iter().map(|i| executed[*i]).collect();
            both.iter().for_each(|bit| self.circuit.require([!*bit, !right_only]));
            self.circuit.at_most_one(&both);
        }
        let mut changes: BTreeMap<Tuple, (Vec<Bit>, Vec<Bit>)> = BTreeMap::new();
        for (index, bit) in executed.iter().copied().enumerate().filter(|(_, bit)| *bit != Bit::FALSE) {
            let instance = &self.instances[index];
            let (deletes, inserts) = if instance.reads {
                let (action, arguments) = (&self.spec.actions[instance.action], instance.arguments.clone());
                self.effects(&now, action, &arguments)
            } else {
                (instance.deletes.clone(), instance.inserts.clone())
            };
            for (tuple, condition) in deletes {
                changes.entry(tuple).or_default().0.push(self.circuit.and([bit, condition]));
            }
            for (tuple, condition) in inserts {
                changes.entry(tuple).or_default().1.push(self.circuit.and([bit, condition]));
            }
        }
        let mut next = now.clone();
        for ((relation, tuple), (deletes, mut inserts)) in changes {
            let deleted = self.circuit.or(deletes);
            inserts.push(self.circuit.and([now.bit(relation, &tuple), !deleted]));
            next.set(relation, &tuple, self.circuit.or(inserts));
        }
        self.frames.push(next);
        self.executed.push(executed);
    }

    fn target(&mut self, target: &Target, depth: usize) -> Bit {
        match target {
            Target::State(formula) => self.frames[depth].value(&mut self.circuit, formula, &[]),
            Target::Step(steps) => {
                let Some(executed) = depth.checked_sub(1).map(|step| &self.executed[step]) else {
                    return Bit::FALSE;
                };
                let before = &self.frames[depth - 1];
                let mut cases = Vec::new();
                for (action, formula) in steps {
                    let parameters: Vec<_> =
                        self.spec.actions[*action].parameters.iter().map(|p| p.variable).collect();
                    let compiled = Evaluator::new(formula, &parameters);
                    for (instance, bit) in self.instances.iter().zip(executed) {
                        if instance.action == *action && *bit != Bit::FALSE {
                            let holds = before.evaluate(&mut self.circuit, &compiled, &instance.arguments);
                            cases.push(self.circuit.and([*bit, holds]));
                        }
                    }
                }
                self.circuit.or(cases)
            }
        }
    }

    fn decode(&self, name: &str, target: &Target, depth: usize, model: &[bool]) -> Result<Run, Unsound> {
        let universe = self.frames[0].decode(self.spec, &[], model);
        let mut events = Vec::new();
        for (step, executed) in self.executed[..depth].iter().enumerate() {
            let wanted = |action: usize| match target {
                Target::Step(steps) => step + 1 == depth && steps.iter().any(|(a, _)| *a == action),
                Target::State(_) => false,
            };
            let mut now: Vec<_> =
                self.instances.iter().zip(executed).filter(|(_, bit)| bit.value(model)).collect();
            // The step looked for comes last.
            now.sort_by_key(|(instance, _)| wanted(instance.action));
            let event =
                |(i, _): &(&Instance, &Bit)| Event { action: i.action, arguments: i.arguments.clone() };
            events.extend(now.iter().map(event));
        }
        let mut run = Run::new(self.spec, &self.universe, name, universe, events);
        let interpreter = Interpreter::new(self.spec);
        // Of several such steps in the last frame, one is looked for.
        let last =
            self.executed[..depth].last().map_or(0, |e| e.iter().filter(|bit| bit.value(model)).count());
        for _ in 0..last {
            if run.check(&interpreter, target).is_ok() {
                break;
            }
            let start = run.events.len() - last;
            run.events[start..].rotate_right(1);
        }
        // The interpreter knows the specification apart from the circuits: a run that it refuses is none.
        run.check(&interpreter, target).map_err(|error| Unsound { name: name.to_string(), error })?;
        run.thin(&interpreter, target);
        Ok(run)
    }
}

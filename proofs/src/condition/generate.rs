//! Which conditions a specification has.

use super::{Condition, ConditionId, Constant, Hypothesis, Kind, Origin};
use crate::spec::{
    Action, Formula, FunctionId, Parameter, Pointwise, RelationId, RelationKind, SortId, Spec, Statement,
    Term, Time, Variable,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// All conditions, and how many more hold because an action changes nothing that the statement reads.
pub fn conditions(spec: &Spec) -> (Vec<Condition>, usize) {
    let mut generator = Generator { spec, found: Vec::new(), unchanged: 0 };
    generator.initiation();
    for action in &spec.actions {
        generator.steps(action);
    }
    generator.stutter();
    generator.implied();
    generator.lemmas();
    generator.met();
    (generator.found, generator.unchanged)
}

/// `formula`, of the initial state, as a formula over the immutable part alone.
pub fn initially(spec: &Spec, formula: &Formula) -> Formula {
    formula.rewrite(&mut |atom| match atom {
        Formula::Relation(r, _, terms) => match &spec.initial[r.0] {
            Some(initial) => initial.formula.substitute(&pairs(&initial.variables, terms)),
            None => atom.clone(),
        },
        other => other.clone(),
    })
}

/// The assumptions about every reachable state: axioms, conjuncts, derived relations.
pub(crate) fn every_state(spec: &Spec) -> Vec<Hypothesis> {
    Generator { spec, found: Vec::new(), unchanged: 0 }.state()
}

struct Generator<'a> {
    spec: &'a Spec,
    found: Vec<Condition>,
    unchanged: usize,
}

impl Generator<'_> {
    fn initiation(&mut self) {
        let spec = self.spec;
        let axioms = self.axioms();
        for conjunct in &spec.invariants {
            let goal = initially(spec, &conjunct.formula);
            self.push(Kind::Initiation, "init", &conjunct.name, Vec::new(), axioms.clone(), goal);
        }
        for statement in &spec.pointwise {
            let (constants, map) = self.constants(&statement.parameters, Vec::new());
            let goal = initially(spec, &statement.formula.substitute(&map));
            let mut hypotheses = axioms.clone();
            hypotheses.extend(self.beyond(&constants, std::slice::from_ref(&goal)));
            self.push(Kind::Initiation, "init", &statement.name, constants, hypotheses, goal);
        }
        for (id, variables, definition) in self.derived() {
            let [contains, only] = halves(id, &variables, &definition).map(|half| initially(spec, &half));
            let name = &spec.relations[id.0].name;
            self.push(Kind::DerivedContains, "init", name, Vec::new(), axioms.clone(), contains);
            self.push(Kind::DerivedOnly, "init", name, Vec::new(), axioms.clone(), only);
        }
    }

    fn steps(&mut self, action: &Action) {
        let spec = self.spec;
        let (constants, map) = self.constants(&action.parameters, Vec::new());
        let mut hypotheses = self.state();
        for guard in &action.guards {
            let origin = Origin::Guard(action.name.clone(), guard.name.clone());
            hypotheses.push(Hypothesis { origin, formula: Arc::new(guard.formula.substitute(&map)) });
        }
        let after = |formula: &Formula, time| after(action, &map, formula, time);
        for (kind, statements, time) in [
            (Kind::Consecution, &spec.invariants, Time::Before),
            (Kind::Transition, &spec.transitions, Time::After),
        ] {
            for Statement { name, formula, .. } in statements {
                // Of a transition property, standing still is a condition of its own.
                if !formula.mentions(|r| action.update(r).is_some()) {
                    self.unchanged += 1;
                    continue;
                }
                let goal = after(formula, time);
                self.push(kind.clone(), &action.name, name, constants.clone(), hypotheses.clone(), goal);
            }
        }
        for statement in &spec.pointwise {
            if !statement.formula.mentions(|r| action.update(r).is_some()) {
                self.unchanged += 1;
                continue;
            }
            let (constants, tuple) = self.constants(&statement.parameters, constants.clone());
            let before = statement.formula.substitute(&tuple);
            let goal = after(&before, Time::Before);
            let mut hypotheses = hypotheses.clone();
            let origin = Origin::Pointwise(statement.name.clone());
            hypotheses.push(Hypothesis { origin, formula: Arc::new(before) });
            hypotheses.extend(self.beyond(&constants, std::slice::from_ref(&goal)));
            self.push(Kind::Consecution, &action.name, &statement.name, constants, hypotheses, goal);
        }
        for (id, variables, definition) in self.derived() {
            if action.update(id).is_none() && !definition.mentions(|r| action.update(r).is_some()) {
                self.unchanged += 2;
                continue;
            }
            let name = &spec.relations[id.0].name;
            let [contains, _] = halves(id, &variables, &definition);
            let goal = after(&contains, Time::Before);
            self.push(Kind::DerivedContains, &action.name, name, constants.clone(), hypotheses.clone(), goal);
            // The other half, for one tuple: its definition before is assumed of that tuple only, which keeps the
            // existential block out of the alternation graph.
            let mut constants = constants.clone();
            let tuple: Vec<Term> = variables
                .iter()
                .map(|v| {
                    constants.push(Constant { name: format!("tuple{}", constants.len()), sort: v.sort });
                    Term::constant(FunctionId(spec.functions.len() + constants.len() - 1))
                })
                .collect();
            let defined = definition.substitute(&pairs(&variables, &tuple));
            let atom = Formula::Relation(id, Time::Before, tuple);
            let half = Formula::implies(atom, defined);
            let mut hypotheses = hypotheses.clone();
            let origin = Origin::Definition(name.clone());
            hypotheses.push(Hypothesis { origin, formula: Arc::new(half.clone()) });
            let goal = after(&half, Time::Before);
            self.push(Kind::DerivedOnly, &action.name, name, constants, hypotheses, goal);
        }
    }

    fn implied(&mut self) {
        let hypotheses = self.state();
        for property in &self.spec.safety {
            let goal = (*property.formula).clone();
            self.push(Kind::Safety, "", &property.name, Vec::new(), hypotheses.clone(), goal);
        }
    }

    /// Standing still keeps every property of steps.
    fn stutter(&mut self) {
        let hypotheses = self.state();
        for property in &self.spec.transitions {
            let still = |atom: &Formula| match atom {
                Formula::Relation(r, _, terms) => Formula::Relation(*r, Time::Before, terms.clone()),
                other => other.clone(),
            };
            let goal = property.formula.rewrite(&mut |atom| still(atom));
            self.push(Kind::Transition, "stutter", &property.name, Vec::new(), hypotheses.clone(), goal);
        }
    }

    fn lemmas(&mut self) {
        let spec = self.spec;
        for lemma in &spec.lemmas {
            let (constants, map) = self.constants(&lemma.parameters, Vec::new());
            let mut hypotheses = self.state();
            for (name, formula) in &lemma.assumptions {
                let origin = Origin::Assumption(format!("{}/{name}", lemma.name));
                hypotheses.push(Hypothesis { origin, formula: Arc::new(formula.substitute(&map)) });
            }
            let goal = lemma.conclusion.substitute(&map);
            if lemma.pointwise {
                let said = lemma.assumptions.iter().map(|(_, formula)| formula.substitute(&map));
                let terms = Terms::of(spec, &constants, &said.chain([goal.clone()]).collect::<Vec<_>>());
                let pointwise = spec.pointwise.iter();
                hypotheses.extend(pointwise.filter_map(|p| terms.hypothesis(p, Origin::Pointwise)));
                hypotheses
                    .extend(spec.unbounded.iter().filter_map(|u| terms.hypothesis(u, Origin::Unbounded)));
            }
            self.push(Kind::Lemma, "", &lemma.name, constants, hypotheses, goal);
        }
    }

    /// The `unbounded` items of the terms of a statement about a single tuple, if they speak of one sort only.
    fn beyond(&self, constants: &[Constant], formulas: &[Formula]) -> Vec<Hypothesis> {
        let terms = Terms::of(self.spec, constants, formulas);
        let one = self.spec.unbounded.iter().filter(|u| u.parameters.len() == 1);
        one.filter_map(|u| terms.hypothesis(u, Origin::Unbounded)).collect()
    }

    /// The actions of an open obligation meet it.
    fn met(&mut self) {
        let spec = self.spec;
        for obligation in &spec.obligations {
            let (constants, map) = self.constants(&obligation.parameters, Vec::new());
            let mut open = self.state();
            for (name, formula) in &obligation.open {
                let origin = Origin::Assumption(format!("{}/{name}", obligation.name));
                open.push(Hypothesis { origin, formula: Arc::new(formula.substitute(&map)) });
            }
            for (action, terms) in &obligation.by {
                let action = &spec.actions[*action];
                let variables = action.parameters.iter().map(|p| p.variable);
                let arguments: HashMap<_, _> =
                    variables.zip(terms.iter().map(|term| term.substitute(&map))).collect();
                let mut hypotheses = open.clone();
                for guard in &action.guards {
                    let origin = Origin::Guard(action.name.clone(), guard.name.clone());
                    let formula = Arc::new(guard.formula.substitute(&arguments));
                    hypotheses.push(Hypothesis { origin, formula });
                }
                let goal = after(action, &arguments, &obligation.done.substitute(&map), Time::Before);
                self.push(Kind::Met, &action.name, &obligation.name, constants.clone(), hypotheses, goal);
            }
        }
    }

    fn axioms(&self) -> Vec<Hypothesis> {
        let hypothesis =
            |s: &Statement| Hypothesis { origin: Origin::Axiom(s.name.clone()), formula: s.formula.clone() };
        self.spec.axioms.iter().map(hypothesis).collect()
    }

    /// The assumptions about every reachable state.
    fn state(&self) -> Vec<Hypothesis> {
        let mut hypotheses = self.axioms();
        for conjunct in &self.spec.invariants {
            let origin = Origin::Invariant(conjunct.name.clone());
            hypotheses.push(Hypothesis { origin, formula: conjunct.formula.clone() });
        }
        for (id, variables, definition) in self.derived() {
            let [contains, _] = halves(id, &variables, &definition);
            let origin = Origin::Derived(self.spec.relations[id.0].name.clone());
            hypotheses.push(Hypothesis { origin, formula: Arc::new(contains) });
        }
        hypotheses
    }

    fn derived(&self) -> Vec<(RelationId, Vec<Variable>, Arc<Formula>)> {
        let relations = self.spec.relations.iter().enumerate();
        let derived = relations.filter_map(|(index, relation)| match &relation.kind {
            RelationKind::Derived { variables, definition } => {
                Some((RelationId(index), variables.clone(), definition.clone()))
            }
            _ => None,
        });
        derived.collect()
    }

    /// Constants for parameters, after those there are.
    fn constants(
        &self,
        parameters: &[Parameter],
        mut constants: Vec<Constant>,
    ) -> (Vec<Constant>, HashMap<Variable, Term>) {
        let mut map = HashMap::new();
        for parameter in parameters {
            let taken = constants.iter().any(|c| c.name == parameter.name);
            let name = if taken { format!("{}_too", parameter.name) } else { parameter.name.clone() };
            map.insert(parameter.variable, Term::constant(Condition::constant(self.spec, constants.len())));
            constants.push(Constant { name, sort: parameter.variable.sort });
        }
        (constants, map)
    }

    fn push(
        &mut self,
        kind: Kind,
        action: &str,
        statement: &str,
        constants: Vec<Constant>,
        hypotheses: Vec<Hypothesis>,
        goal: Formula,
    ) {
        let id = ConditionId { kind, action: action.to_string(), statement: statement.to_string() };
        self.found.push(Condition { id, constants, hypotheses, goal: Arc::new(goal) });
    }
}

/// `formula` with its relations of `time` read after the action, as a formula over the state before.
pub(crate) fn after(
    action: &Action,
    map: &HashMap<Variable, Term>,
    formula: &Formula,
    time: Time,
) -> Formula {
    formula.rewrite(&mut |atom| {
        let Formula::Relation(r, t, terms) = atom else { return atom.clone() };
        let before = Formula::Relation(*r, Time::Before, terms.clone());
        let (true, Some(update)) = (*t == time, action.update(*r)) else { return before };
        let mut map = map.clone();
        map.extend(pairs(&update.variables, terms));
        let stays = Formula::And(vec![before, Formula::negate(update.delete.substitute(&map))]);
        Formula::Or(vec![stays, update.insert.substitute(&map)])
    })
}

/// The ground terms of some formulas, by sort.
struct Terms(BTreeMap<SortId, BTreeSet<Term>>);

impl Terms {
    fn of(spec: &Spec, constants: &[Constant], formulas: &[Formula]) -> Self {
        fn add(found: &mut Terms, sort_of: &dyn Fn(FunctionId) -> SortId, term: &Term) -> bool {
            let Term::Apply(function, arguments) = term else { return false };
            // All arguments are looked at, also after one that is not ground.
            let ground = arguments.iter().filter(|term| add(found, sort_of, term)).count();
            let ground = ground == arguments.len();
            if ground {
                found.0.entry(sort_of(*function)).or_default().insert(term.clone());
            }
            ground
        }
        let sort_of = |f: FunctionId| match spec.functions.get(f.0) {
            Some(function) => function.result,
            None => constants[f.0 - spec.functions.len()].sort,
        };
        let mut found = Terms(BTreeMap::new());
        for formula in formulas {
            formula.visit(&mut |atom| {
                let terms: &[Term] = match atom {
                    Formula::Relation(_, _, terms) => terms,
                    Formula::Equal(left, right) => &[left.clone(), right.clone()],
                    _ => &[],
                };
                for term in terms {
                    add(&mut found, &sort_of, term);
                }
            });
        }
        found
    }

    /// A statement about single tuples, of all tuples of these terms.
    fn hypothesis(&self, statement: &Pointwise, origin: fn(String) -> Origin) -> Option<Hypothesis> {
        let mut tuples = vec![HashMap::new()];
        for parameter in &statement.parameters {
            let terms = self.0.get(&parameter.variable.sort)?;
            let with = |tuple: &HashMap<Variable, Term>, term: &Term| {
                let mut tuple = tuple.clone();
                tuple.insert(parameter.variable, term.clone());
                tuple
            };
            tuples =
                tuples.iter().flat_map(|tuple| terms.iter().map(move |term| with(tuple, term))).collect();
        }
        let all = tuples.iter().map(|tuple| statement.formula.substitute(tuple)).collect();
        Some(Hypothesis { origin: origin(statement.name.clone()), formula: Arc::new(Formula::And(all)) })
    }
}

/// The two halves of `relation = definition`: that it contains, and that it contains only, what is defined.
fn halves(id: RelationId, variables: &[Variable], definition: &Formula) -> [Formula; 2] {
    let atom = Formula::Relation(id, Time::Before, variables.iter().map(|v| Term::Variable(*v)).collect());
    [
        Formula::forall(variables.to_vec(), Formula::implies(definition.clone(), atom.clone())),
        Formula::forall(variables.to_vec(), Formula::implies(atom, definition.clone())),
    ]
}

fn pairs(variables: &[Variable], terms: &[Term]) -> HashMap<Variable, Term> {
    variables.iter().copied().zip(terms.iter().cloned()).collect()
}

//! Finite structures whose relations and functions are circuits, and formulas over them as circuits.

use super::{Bit, Circuit};
use crate::{
    spec::{Formula, FunctionId, RelationId, SortId, Spec, Variable},
    structure::{Compiled, Element, Evaluator, Goal, Operand, Structure},
};
use std::rc::Rc;

/// The possible values of a function at one place, exactly one of which holds.
type Choice = Vec<(Element, Bit)>;

/// A structure of a fixed size.
#[derive(Clone)]
pub struct Symbolic {
    sizes: Vec<usize>,
    /// By relation: sorts of the arguments, and a bit a tuple.
    relations: Vec<(Vec<SortId>, Rc<Vec<Bit>>)>,
    /// By function: sorts of the arguments, and a choice a tuple.
    functions: Vec<(Vec<SortId>, Rc<Vec<Choice>>)>,
}

impl Symbolic {
    /// All relations empty, all functions 0; `constants` as in [`Structure::new`].
    pub fn new(spec: &Spec, sizes: &[usize], constants: &[SortId]) -> Self {
        let length = |sorts: &[SortId]| sorts.iter().map(|s| sizes[s.0]).product();
        let relation = |r: &crate::spec::Relation| {
            let sorts: Vec<_> = r.arguments.iter().map(|(_, sort)| *sort).collect();
            let bits = vec![Bit::FALSE; length(&sorts)];
            (sorts, Rc::new(bits))
        };
        let function = |sorts: Vec<SortId>| {
            let choices = vec![vec![(0, Bit::TRUE)]; length(&sorts)];
            (sorts, Rc::new(choices))
        };
        let own = spec.functions.iter().map(|f| f.arguments.clone());
        Symbolic {
            sizes: sizes.to_vec(),
            relations: spec.relations.iter().map(relation).collect(),
            functions: own.chain(constants.iter().map(|_| Vec::new())).map(function).collect(),
        }
    }

    /// The fixed part of a structure, each bit a constant; what changes in a run is empty.
    pub fn of(spec: &Spec, structure: &Structure) -> Self {
        let mut fixed = Symbolic::new(spec, structure.sizes(), &[]);
        for (index, relation) in spec.relations.iter().enumerate() {
            if relation.immutable() {
                for tuple in structure.tuples(RelationId(index)) {
                    fixed.set(RelationId(index), &tuple, Bit::TRUE);
                }
            }
        }
        for (index, function) in spec.functions.iter().enumerate() {
            for tuple in fixed.tuples(&function.arguments) {
                fixed.assign(FunctionId(index), &tuple, structure.value(FunctionId(index), &tuple));
            }
        }
        fixed
    }

    /// Adds constants beyond the specification's, each 0.
    pub fn extend(&mut self, constants: &[SortId]) {
        self.functions.extend(constants.iter().map(|_| (Vec::new(), Rc::new(vec![vec![(0, Bit::TRUE)]]))));
    }

    fn index(&self, sorts: &[SortId], tuple: &[Element]) -> usize {
        sorts
            .iter()
            .zip(tuple)
            .fold(0, |index, (sort, element)| index * self.sizes[sort.0] + *element as usize)
    }

    /// All tuples of elements of `sorts`, in order.
    pub fn tuples(&self, sorts: &[SortId]) -> Vec<Vec<Element>> {
        sorts.iter().fold(vec![Vec::new()], |tuples, sort| {
            let extend = |tuple: Vec<Element>| {
                (0..self.sizes[sort.0] as Element).map(move |e| tuple.iter().copied().chain([e]).collect())
            };
            tuples.into_iter().flat_map(extend).collect()
        })
    }

    /// Sorts of a relation's arguments.
    pub fn sorts(&self, relation: RelationId) -> &[SortId] {
        &self.relations[relation.0].0
    }

    /// The bit of a tuple.
    pub fn bit(&self, relation: RelationId, tuple: &[Element]) -> Bit {
        let (sorts, bits) = &self.relations[relation.0];
        bits[self.index(sorts, tuple)]
    }

    /// Sets the bit of a tuple.
    pub fn set(&mut self, relation: RelationId, tuple: &[Element], bit: Bit) {
        let index = self.index(&self.relations[relation.0].0, tuple);
        Rc::make_mut(&mut self.relations[relation.0].1)[index] = bit;
    }

    /// Makes a relation free.
    pub fn free_relation(&mut self, circuit: &mut Circuit, relation: RelationId) {
        let bits = Rc::make_mut(&mut self.relations[relation.0].1);
        bits.iter_mut().for_each(|bit| *bit = circuit.input());
    }

    /// Sets the value of a function at a tuple.
    pub fn assign(&mut self, function: FunctionId, tuple: &[Element], value: Element) {
        let index = self.index(&self.functions[function.0].0, tuple);
        Rc::make_mut(&mut self.functions[function.0].1)[index] = vec![(value, Bit::TRUE)];
    }

    /// Makes a function, with values in `result`, free.
    pub fn free_function(&mut self, circuit: &mut Circuit, function: FunctionId, result: SortId) {
        let size = self.sizes[result.0];
        for choice in Rc::make_mut(&mut self.functions[function.0].1) {
            let bits: Vec<_> =
                (0..size).map(|_| if size == 1 { Bit::TRUE } else { circuit.input() }).collect();
            if size > 1 {
                circuit.exactly_one(&bits);
            }
            *choice = bits.into_iter().enumerate().map(|(e, bit)| (e as Element, bit)).collect();
        }
    }

    /// Leaves the value of a function at a tuple open among some elements.
    pub fn choose(
        &mut self,
        circuit: &mut Circuit,
        function: FunctionId,
        tuple: &[Element],
        among: &[Element],
    ) {
        let index = self.index(&self.functions[function.0].0, tuple);
        let bits: Vec<_> =
            among.iter().map(|_| if among.len() == 1 { Bit::TRUE } else { circuit.input() }).collect();
        circuit.exactly_one(&bits);
        Rc::make_mut(&mut self.functions[function.0].1)[index] = among.iter().copied().zip(bits).collect();
    }

    /// Value of a formula whose free variables have the given elements.
    pub fn value(&self, circuit: &mut Circuit, formula: &Formula, free: &[(Variable, Element)]) -> Bit {
        let variables: Vec<_> = free.iter().map(|(v, _)| *v).collect();
        let elements: Vec<_> = free.iter().map(|(_, e)| *e).collect();
        self.evaluate(circuit, &Evaluator::new(formula, &variables), &elements)
    }

    /// Value of a compiled formula.
    pub fn evaluate(&self, circuit: &mut Circuit, evaluator: &Evaluator, free: &[Element]) -> Bit {
        let mut slots = vec![0; evaluator.slots];
        slots[..free.len()].copy_from_slice(free);
        self.node(circuit, &evaluator.root, &mut slots)
    }

    fn node(&self, circuit: &mut Circuit, node: &Compiled, slots: &mut Vec<Element>) -> Bit {
        match node {
            Compiled::Constant(value) => Bit::Constant(*value),
            Compiled::Relation { relation, positive, arguments, .. } => {
                let mut cases = Vec::new();
                for (tuple, condition) in self.places(circuit, arguments, slots) {
                    let bit = self.bit(*relation, &tuple);
                    cases.push(circuit.and([condition, bit]));
                }
                let bit = circuit.or(cases);
                if *positive { bit } else { !bit }
            }
            Compiled::Equal { positive, left, right } => {
                let (left, right) = (self.place(circuit, left, slots), self.place(circuit, right, slots));
                let mut cases = Vec::new();
                for (a, x) in &left {
                    for (b, y) in &right {
                        if a == b {
                            cases.push(circuit.and([*x, *y]));
                        }
                    }
                }
                let bit = circuit.or(cases);
                if *positive { bit } else { !bit }
            }
            Compiled::And(parts) => {
                let bits: Vec<_> = parts.iter().map(|part| self.node(circuit, part, slots)).collect();
                circuit.and(bits)
            }
            Compiled::Or(parts) => {
                let bits: Vec<_> = parts.iter().map(|part| self.node(circuit, part, slots)).collect();
                circuit.or(bits)
            }
            Compiled::Quantified(goal) => {
                // A universal is the conjunction of its instances, each a disjunction of parts; an existential is the
                // negation of the same with everything negated.
                let mut instances = Vec::new();
                self.instances(circuit, goal, 0, &goal.ready, &mut Vec::new(), slots, &mut instances);
                let bit = circuit.and(instances);
                if goal.universal { bit } else { !bit }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn instances(
        &self,
        circuit: &mut Circuit,
        goal: &Goal,
        depth: usize,
        ready: &[usize],
        decided: &mut Vec<Bit>,
        slots: &mut Vec<Element>,
        instances: &mut Vec<Bit>,
    ) {
        let kept = decided.len();
        for part in ready {
            let bit = self.node(circuit, &goal.parts[*part], slots);
            let bit = if goal.universal { bit } else { !bit };
            if bit == Bit::TRUE {
                decided.truncate(kept);
                return;
            }
            decided.push(bit);
        }
        match goal.steps.get(depth) {
            None => instances.push(circuit.or(decided.iter().copied())),
            Some(step) => {
                for element in 0..self.sizes[step.sort.0] as Element {
                    slots[step.slot] = element;
                    self.instances(circuit, goal, depth + 1, &step.ready, decided, slots, instances);
                }
            }
        }
        decided.truncate(kept);
    }

    fn place(&self, circuit: &mut Circuit, place: &Operand, slots: &[Element]) -> Choice {
        match place {
            Operand::Slot(slot) => vec![(slots[*slot], Bit::TRUE)],
            Operand::Apply(function, arguments) => {
                let mut cases: Choice = Vec::new();
                let (sorts, choices) = &self.functions[function.0];
                for (tuple, condition) in self.places(circuit, arguments, slots) {
                    for (element, bit) in &choices[self.index(sorts, &tuple)] {
                        let bit = circuit.and([condition, *bit]);
                        match cases.iter_mut().find(|(e, _)| e == element) {
                            Some((_, other)) => *other = circuit.or([*other, bit]),
                            None => cases.push((*element, bit)),
                        }
                    }
                }
                cases.retain(|(_, bit)| *bit != Bit::FALSE);
                cases
            }
        }
    }

    /// Possible tuples with their conditions.
    fn places(
        &self,
        circuit: &mut Circuit,
        places: &[Operand],
        slots: &[Element],
    ) -> Vec<(Vec<Element>, Bit)> {
        let mut tuples = vec![(Vec::new(), Bit::TRUE)];
        for place in places {
            let choice = self.place(circuit, place, slots);
            let mut extended = Vec::with_capacity(tuples.len() * choice.len());
            for (tuple, condition) in tuples {
                for (element, bit) in &choice {
                    let tuple: Vec<_> = tuple.iter().copied().chain([*element]).collect();
                    extended.push((tuple, circuit.and([condition, *bit])));
                }
            }
            tuples = extended;
        }
        tuples
    }

    /// The structure of an assignment.
    pub fn decode(&self, spec: &Spec, constants: &[SortId], model: &[bool]) -> Structure {
        let mut structure = Structure::new(spec, &self.sizes, constants);
        for (index, (sorts, bits)) in self.relations.iter().enumerate() {
            for (tuple, bit) in self.tuples(sorts).iter().zip(bits.iter()) {
                if bit.value(model) {
                    structure.set(RelationId(index), tuple, true);
                }
            }
        }
        for (index, (sorts, choices)) in self.functions.iter().enumerate() {
            for (tuple, choice) in self.tuples(sorts).iter().zip(choices.iter()) {
                let chosen = choice.iter().find(|(_, bit)| bit.value(model));
                structure.assign(FunctionId(index), tuple, chosen.map_or(0, |(element, _)| *element));
            }
        }
        structure
    }
}

//! Finite structures: states of the specification over a finite universe, evaluated by the very formulas that are proved.

mod evaluate;
mod interpreter;

pub use evaluate::{Compiled, Evaluator, Goal, Operand, Step, View};
pub use interpreter::{Disabled, Interpreter};

use crate::spec::{FunctionId, RelationId, SortId, Spec};
use std::sync::Arc;

/// An element of a sort: 0, 1, 2, ...
pub type Element = u32;

/// A finite structure. Relations are shared between states until one changes them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Structure {
    sizes: Vec<usize>,
    relations: Vec<Arc<Table<bool>>>,
    functions: Vec<Table<Element>>,
}

/// A value for every tuple.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Table<T> {
    sizes: Vec<usize>,
    values: Vec<T>,
}

impl<T: Clone> Table<T> {
    fn new(sizes: Vec<usize>, value: T) -> Self {
        let length = sizes.iter().product();
        Table { sizes, values: vec![value; length] }
    }

    #[inline]
    fn index(&self, arguments: &[Element]) -> usize {
        debug_assert_eq!(arguments.len(), self.sizes.len());
        let mut index = 0;
        for (argument, size) in arguments.iter().zip(&self.sizes) {
            debug_assert!((*argument as usize) < *size);
            index = index * size + *argument as usize;
        }
        index
    }

    fn tuple(&self, mut index: usize) -> Vec<Element> {
        let mut tuple = vec![0; self.sizes.len()];
        for (place, size) in tuple.iter_mut().zip(&self.sizes).rev() {
            *place = (index % size) as Element;
            index /= size;
        }
        tuple
    }
}

impl Structure {
    /// All relations empty, all functions 0. `sizes` has one number, at least 1, a sort; `constants` are the sorts of
    /// constants beyond the specification's.
    pub fn new(spec: &Spec, sizes: &[usize], constants: &[SortId]) -> Self {
        debug_assert!(sizes.len() == spec.sorts.len() && sizes.iter().all(|s| *s > 0));
        let dims = |sorts: &mut dyn Iterator<Item = SortId>| sorts.map(|s| sizes[s.0]).collect::<Vec<_>>();
        let relation = |r: &crate::spec::Relation| {
            Arc::new(Table::new(dims(&mut r.arguments.iter().map(|(_, s)| *s)), false))
        };
        let functions = spec.functions.iter().map(|f| Table::new(dims(&mut f.arguments.iter().copied()), 0));
        Structure {
            sizes: sizes.to_vec(),
            relations: spec.relations.iter().map(relation).collect(),
            functions: functions.chain(constants.iter().map(|_| Table::new(Vec::new(), 0))).collect(),
        }
    }

    /// Number of elements of a sort.
    #[inline]
    pub fn size(&self, sort: SortId) -> usize {
        self.sizes[sort.0]
    }

    /// Number of elements of every sort.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Whether a relation holds of a tuple.
    #[inline]
    pub fn holds(&self, relation: RelationId, tuple: &[Element]) -> bool {
        let table = &self.relations[relation.0];
        table.values[table.index(tuple)]
    }

    /// Makes a relation hold of a tuple, or not.
    pub fn set(&mut self, relation: RelationId, tuple: &[Element], value: bool) {
        let table = Arc::make_mut(&mut self.relations[relation.0]);
        let index = table.index(tuple);
        table.values[index] = value;
    }

    /// The value of a function or constant.
    #[inline]
    pub fn value(&self, function: FunctionId, arguments: &[Element]) -> Element {
        let table = &self.functions[function.0];
        table.values[table.index(arguments)]
    }

    /// Sets the value of a function or constant.
    pub fn assign(&mut self, function: FunctionId, arguments: &[Element], value: Element) {
        let table = &mut self.functions[function.0];
        let index = table.index(arguments);
        table.values[index] = value;
    }

    /// The tuples of a relation, in order.
    pub fn tuples(&self, relation: RelationId) -> impl Iterator<Item = Vec<Element>> + '_ {
        let table = &self.relations[relation.0];
        table.values.iter().enumerate().filter(|(_, value)| **value).map(|(index, _)| table.tuple(index))
    }

    /// All tuples that a relation could hold of.
    pub fn all_tuples(&self, relation: RelationId) -> impl Iterator<Item = Vec<Element>> + use<> {
        let table = self.relations[relation.0].clone();
        (0..table.values.len()).map(move |index| table.tuple(index))
    }

    /// Tuples on which two structures of one universe differ, with their value in `other`.
    pub fn differences(&self, other: &Structure) -> Vec<(RelationId, Vec<Element>, bool)> {
        let mut found = Vec::new();
        for (index, (left, right)) in self.relations.iter().zip(&other.relations).enumerate() {
            if !Arc::ptr_eq(left, right) {
                let changed = (0..left.values.len()).filter(|i| left.values[*i] != right.values[*i]);
                found.extend(changed.map(|i| (RelationId(index), left.tuple(i), right.values[i])));
            }
        }
        found
    }
}

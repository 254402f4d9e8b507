//! Names for the elements of a structure, and sentences about them.

use crate::{
    spec::{Action, Interpretation, RelationId, SortId, Spec},
    structure::{Element, Structure},
};
use std::collections::BTreeMap;

/// Names of a structure's elements.
pub struct Names<'a> {
    spec: &'a Spec,
    structure: &'a Structure,
    names: Vec<Vec<String>>,
}

impl<'a> Names<'a> {
    /// Numbers the elements of every sort: ordered ones by their order, zero first; blocks by round, and genesis as
    /// itself; sets of miners by their members.
    pub fn of(spec: &'a Spec, structure: &'a Structure) -> Self {
        let names = (0..spec.sorts.len()).map(|sort| sort_names(spec, structure, SortId(sort))).collect();
        let mut names = Names { spec, structure, names };
        names.name_genesis();
        names.name_sets();
        names
    }

    fn name_genesis(&mut self) {
        if let (Some(genesis), Some(block)) = (self.spec.function("genesis"), self.spec.sort("block")) {
            let element = self.structure.value(genesis, &[]);
            self.names[block.0][element as usize] = "genesis".to_string();
        }
    }

    fn name_sets(&mut self) {
        for interpretation in &self.spec.interpretations {
            let Interpretation::Threshold { sort, member, .. } = interpretation else { continue };
            let Some(miner) = self.spec.relations[member.0].arguments.first().map(|(_, sort)| *sort) else {
                continue;
            };
            for set in 0..self.structure.size(*sort) as Element {
                let members = (0..self.structure.size(miner) as Element)
                    .filter(|m| self.structure.holds(*member, &[*m, set]))
                    .map(|m| self.names[miner.0][m as usize].clone());
                let members: Vec<_> = members.collect();
                self.names[sort.0][set as usize] = format!("{{{}}}", members.join(", "));
            }
        }
    }

    /// The name of an element.
    pub fn element(&self, sort: SortId, element: Element) -> String {
        self.names[sort.0][element as usize].clone()
    }

    /// The effect of an action, in words.
    pub fn action(&self, action: &Action, arguments: &[Element]) -> String {
        let pairs = action.parameters.iter().zip(arguments);
        let pairs = pairs.map(|(p, e)| (p.name.as_str(), self.element(p.variable.sort, *e)));
        fill(&action.sentence, pairs)
    }

    /// A fact, in words.
    pub fn fact(&self, relation: RelationId, tuple: &[Element]) -> String {
        let relation = &self.spec.relations[relation.0];
        let pairs = relation.arguments.iter().zip(tuple);
        fill(&relation.sentence, pairs.map(|((name, sort), e)| (name.as_str(), self.element(*sort, *e))))
    }

    /// One line for the sets of every sort of sets.
    pub fn sets(&self) -> Vec<String> {
        let sets = self.spec.interpretations.iter().filter_map(|i| match i {
            Interpretation::Threshold { sort, .. } => Some(*sort),
            _ => None,
        });
        let line =
            |sort: SortId| format!("{}s: {}", self.spec.sorts[sort.0].name, self.names[sort.0].join(", "));
        sets.map(line).collect()
    }

    /// Every block with its fields.
    pub fn blocks(&self) -> Vec<BTreeMap<&'static str, String>> {
        let Some(block) = self.spec.sort("block") else { return Vec::new() };
        let fields = ["round", "subround", "generator", "seed"];
        let one = |element: Element| {
            let mut row = BTreeMap::from([("block", self.element(block, element))]);
            for field in fields {
                if let Some(function) = self.spec.function(field) {
                    let value = self.structure.value(function, &[element]);
                    row.insert(field, self.element(self.spec.functions[function.0].result, value));
                }
            }
            if let Some(parent) = self.spec.relation("parent") {
                let parent = self.structure.tuples(parent).find(|pair| pair[1] == element);
                if let Some(pair) = parent {
                    row.insert("parent", self.element(block, pair[0]));
                }
            }
            row
        };
        (0..self.structure.size(block) as Element).map(one).collect()
    }
}

/// Names of one sort's elements.
fn sort_names(spec: &Spec, structure: &Structure, sort: SortId) -> Vec<String> {
    let size = structure.size(sort) as Element;
    let order = spec.interpretations.iter().find_map(|i| match i {
        Interpretation::Ordered { sort: s, le, .. } if *s == sort => Some(*le),
        _ => None,
    });
    let place = |element: Element| match order {
        // As many as are below it.
        Some(le) => (0..size).filter(|e| *e != element && structure.holds(le, &[*e, element])).count(),
        None => element as usize,
    };
    let name = spec.sorts[sort.0].name.replace('_', "-");
    (0..size).map(|element| format!("{name}{}", place(element))).collect()
}

/// A sentence with its `{argument}`s filled in.
fn fill<'a>(sentence: &str, pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    pairs.fold(sentence.to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value))
}

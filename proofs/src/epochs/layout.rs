//! An instance of `model/epochs` as a universe of the specification: its whole fixed part.

use crate::{
    bounded::{Universe, subsets},
    spec::{FunctionId, RelationId, Spec},
    structure::{Element, Interpreter, Structure},
};
use std::collections::BTreeSet;
use zus_epochs::handoff::{BlockId, Instance};
use zus_protocol::ids::Epoch;

/// Why an instance is no universe.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("epochs/: the specification has no {kind} `{name}`\n  fix: name it as src/epochs/layout.rs does")]
pub struct Unknown {
    /// Sort, relation or function.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// An instance laid out.
///
/// Epochs, rounds above the start, subrounds, blocks and nodes are numbered as in the instance. Records 0, 1, 2, ... are those
/// that chains make, one an epoch; after them comes one of each epoch that the adversary makes up: its committee is the Byzantine nodes,
/// all of them are a quorum of it, and of it nothing is assumed.
pub struct Layout<'a> {
    /// The instance.
    pub instance: &'a Instance,
    quorums: Vec<Vec<Element>>,
}

/// A set of nodes that some node takes for a quorum of an epoch.
#[derive(Clone, Copy)]
enum Takes {
    Quorum,
    OldQuorum,
    NextQuorum,
}

impl<'a> Layout<'a> {
    /// Lays an instance out.
    pub fn new(instance: &'a Instance) -> Self {
        let mut sets = BTreeSet::new();
        for epoch in (0..instance.epochs).map(Epoch) {
            let members = Self::committee(instance, epoch);
            for takes in [Takes::Quorum, Takes::OldQuorum, Takes::NextQuorum] {
                let size = Self::size(instance, epoch, takes);
                let chosen = subsets(members.len(), size).into_iter();
                sets.extend(
                    chosen.map(|set| set.iter().map(|at| members[*at as usize]).collect::<Vec<Element>>()),
                );
            }
        }
        sets.insert(Self::byzantine(instance));
        Layout { instance, quorums: sets.into_iter().collect() }
    }

    fn committee(instance: &Instance, epoch: Epoch) -> Vec<Element> {
        let all = 0..instance.members.len();
        all.filter(|at| instance.is_in(*at, epoch)).map(|at| at as Element).collect()
    }

    fn byzantine(instance: &Instance) -> Vec<Element> {
        let all = instance.members.iter().enumerate();
        all.filter(|(_, member)| !member.honest).map(|(at, _)| at as Element).collect()
    }

    fn size(instance: &Instance, epoch: Epoch, takes: Takes) -> usize {
        let of = match takes {
            Takes::Quorum => epoch,
            Takes::OldQuorum => Epoch(epoch.0.saturating_sub(1)),
            Takes::NextQuorum => Epoch((epoch.0 + 1).min(instance.epochs - 1)),
        };
        instance.quorum(of)
    }

    /// The record of an epoch that chains make.
    pub fn record(&self, epoch: Epoch) -> Element {
        epoch.0 as Element
    }

    /// The record of an epoch that the adversary makes up.
    pub fn forged(&self, epoch: Epoch) -> Element {
        (self.instance.epochs + epoch.0) as Element
    }

    /// The epoch of a record, and whether a chain makes it.
    pub fn epoch_of(&self, record: Element) -> (Epoch, bool) {
        let (record, epochs) = (u64::from(record), self.instance.epochs);
        (Epoch(record % epochs), record < epochs)
    }

    /// The round of a block above the start.
    fn round(&self, block: usize) -> Element {
        (self.instance.blocks[block].round.0 - self.instance.blocks[0].round.0) as Element
    }

    fn subround(&self, block: usize) -> Element {
        self.instance.blocks[block].subround.0 as Element
    }

    /// The size as a run file has it.
    pub fn universe(&self) -> Universe {
        let blocks = 0..self.instance.blocks.len();
        let rounds = blocks.clone().map(|block| self.round(block)).max().unwrap_or_default();
        let subrounds = blocks.map(|block| self.subround(block)).max().unwrap_or_default();
        Universe {
            byzantine: Self::byzantine(self.instance).len(),
            miners: self.instance.members.len(),
            observers: self.instance.members.len(),
            ..Universe::of_four(rounds as usize, subrounds as usize + 1, 1)
        }
    }

    /// The initial state.
    pub fn initial(&self, spec: &Spec) -> Result<Structure, Unknown> {
        let mut structure = self.fixed(spec)?;
        Interpreter::new(spec).initialize(&mut structure);
        Ok(structure)
    }

    fn fixed(&self, spec: &Spec) -> Result<Structure, Unknown> {
        let instance = self.instance;
        let universe = self.universe();
        let (nodes, epochs) = (instance.members.len() as Element, instance.epochs as Element);
        let mut sizes = Vec::new();
        for sort in &spec.sorts {
            sizes.push(match sort.name.as_str() {
                "epoch" => epochs as usize,
                "record" => 2 * epochs as usize,
                "node" => nodes as usize,
                "quorum" => self.quorums.len(),
                "round" => universe.rounds + 1,
                "subround" => universe.subrounds,
                "block" => instance.blocks.len(),
                other => return Err(Unknown { kind: "sort", name: other.to_string() }),
            });
        }
        let mut fixed = Fixed { spec, structure: Structure::new(spec, &sizes, &[]) };
        for (name, size) in [("epoch", epochs as usize), ("round", universe.rounds + 1)]
            .into_iter()
            .chain([("subround", universe.subrounds)])
        {
            for x in 0..size as Element {
                for y in x..size as Element {
                    fixed.set(&format!("{name}_le"), &[x, y])?;
                }
                if x + 1 < size as Element {
                    fixed.set(&format!("previous_{name}"), &[x, x + 1])?;
                }
            }
            fixed.assign(&format!("{name}0"), &[], 0)?;
        }
        fixed.assign("record0", &[], 0)?;
        fixed.assign("genesis", &[], 0)?;
        for node in Self::byzantine(instance) {
            fixed.set("byzantine", &[node])?;
        }
        self.records(&mut fixed)?;
        self.blocks(&mut fixed)?;
        Ok(fixed.structure)
    }

    fn records(&self, fixed: &mut Fixed<'_>) -> Result<(), Unknown> {
        let instance = self.instance;
        for (at, set) in self.quorums.iter().enumerate() {
            for node in set {
                fixed.set("member", &[*node, at as Element])?;
            }
        }
        let byzantine = Self::byzantine(instance);
        for epoch in (0..instance.epochs).map(Epoch) {
            for record in [self.record(epoch), self.forged(epoch)] {
                fixed.set("record_epoch", &[record, epoch.0 as Element])?;
                if epoch.0 > 0 {
                    fixed.set("succeeds", &[record, epoch.0 as Element - 1])?;
                }
            }
            let (record, forged) = (self.record(epoch), self.forged(epoch));
            let members = Self::committee(instance, epoch);
            for node in &members {
                fixed.set("in_committee", &[*node, record])?;
            }
            for node in &byzantine {
                fixed.set("in_committee", &[*node, forged])?;
            }
            let tolerated = instance.size(epoch) - instance.quorum(epoch);
            if instance.byzantine(epoch) <= tolerated {
                fixed.set("sound", &[record])?;
            }
            for (at, set) in self.quorums.iter().enumerate() {
                let inside = set.iter().all(|node| members.contains(node));
                let takes = [
                    ("quorum_of", Takes::Quorum),
                    ("old_quorum", Takes::OldQuorum),
                    ("next_quorum", Takes::NextQuorum),
                ];
                for (name, takes) in takes {
                    let weak = name != "quorum_of";
                    if weak && fixed.spec.relation(name).is_none() {
                        continue;
                    }
                    if inside && set.len() >= Self::size(instance, epoch, takes) {
                        fixed.set(name, &[at as Element, record])?;
                    }
                    if *set == byzantine && !byzantine.is_empty() {
                        fixed.set(name, &[at as Element, forged])?;
                    }
                }
            }
        }
        Ok(())
    }

    fn blocks(&self, fixed: &mut Fixed<'_>) -> Result<(), Unknown> {
        let instance = self.instance;
        for (at, block) in instance.blocks.iter().enumerate() {
            let (id, element) = (BlockId(at as u8), at as Element);
            fixed.assign("round", &[element], self.round(at))?;
            fixed.assign("subround", &[element], self.subround(at))?;
            fixed.set("block_epoch", &[element, block.epoch.0 as Element])?;
            if at > 0 {
                fixed.set("parent", &[Element::from(block.parent.0), element])?;
            }
            if let Some(closing) = block.closed_by {
                fixed.set("closed_by", &[element, Element::from(closing.0)])?;
                let next = Epoch(block.epoch.0 + 1);
                if closing == id && next.0 < instance.epochs {
                    fixed.set("names", &[element, self.record(next)])?;
                }
            }
            for below in
                (0..instance.blocks.len()).filter(|&below| instance.descends(id, BlockId(below as u8)))
            {
                fixed.set("ancestor", &[below as Element, element])?;
            }
        }
        Ok(())
    }
}

/// A structure of which the fixed part is written by name.
struct Fixed<'a> {
    spec: &'a Spec,
    structure: Structure,
}

impl Fixed<'_> {
    fn set(&mut self, name: &str, tuple: &[Element]) -> Result<(), Unknown> {
        let relation = relation(self.spec, name)?;
        self.structure.set(relation, tuple, true);
        Ok(())
    }

    fn assign(&mut self, name: &str, tuple: &[Element], value: Element) -> Result<(), Unknown> {
        let unknown = || Unknown { kind: "function", name: name.to_string() };
        let function: FunctionId = self.spec.function(name).ok_or_else(unknown)?;
        self.structure.assign(function, tuple, value);
        Ok(())
    }
}

/// The relation of that name.
pub(super) fn relation(spec: &Spec, name: &str) -> Result<RelationId, Unknown> {
    spec.relation(name).ok_or_else(|| Unknown { kind: "relation", name: name.to_string() })
}

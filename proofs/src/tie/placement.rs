//! Generators and parents of blocks: the model decides them when a block is proposed, and in the specification they
//! belong to a block's identity.

use super::Untied;
use crate::structure::Element;
use std::collections::BTreeSet;
use zus_checker::{
    action::Action,
    blocks::{BlockId, GENESIS, Generator},
    protocol::Protocol,
    state::State,
};

/// Parent and generator of every block of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// By position of the block.
    pub(super) parents: Vec<BlockId>,
    /// By position of the block: a miner, the honest ones first.
    pub(super) generators: Vec<Element>,
}

/// The element that stands for a block: 0 is genesis.
pub(super) fn element(block: BlockId) -> Element {
    if block == GENESIS { 0 } else { block.index() as Element + 1 }
}

/// The block that an element stands for.
pub(super) fn block(element: Element) -> BlockId {
    if element == 0 { GENESIS } else { BlockId(element as u8 - 1) }
}

impl Placement {
    /// The parent of a block.
    pub fn parent(&self, block: BlockId) -> BlockId {
        self.parents[block.index()]
    }

    /// The generator of a block.
    pub fn generator(&self, block: BlockId) -> Element {
        self.generators[block.index()]
    }

    /// Whether an action of the model proposes a block as it is placed; every other action fits anyway.
    pub fn fits(&self, protocol: &Protocol, before: &State, action: &Action) -> bool {
        match *action {
            Action::Propose { miner, block } => {
                self.generator(block) == Element::from(miner)
                    && self.parent(block) == before.entry(&protocol.blocks, miner as usize)
            }
            Action::ByzantinePropose { block, parent } | Action::Ticket { block, parent, .. } => {
                self.parent(block) == parent
            }
            _ => true,
        }
    }

    /// All placements of a scenario, up to renaming honest miners: of those that generate nothing yet, the first is
    /// taken.
    pub fn all(protocol: &Protocol) -> Result<Vec<Placement>, Untied> {
        Placement::enumerate(protocol, false)
    }

    /// All placements of a scenario.
    pub fn every(protocol: &Protocol) -> Result<Vec<Placement>, Untied> {
        Placement::enumerate(protocol, true)
    }

    fn enumerate(protocol: &Protocol, renamed: bool) -> Result<Vec<Placement>, Untied> {
        let mut found = vec![Placement { parents: Vec::new(), generators: Vec::new() }];
        for block in protocol.blocks.all() {
            let mut next = Vec::new();
            for placement in &found {
                for generator in placement.possible(protocol, block, renamed)? {
                    for parent in protocol.entries(protocol.blocks.round(block)) {
                        let mut placement = placement.clone();
                        placement.parents.push(parent);
                        placement.generators.push(generator);
                        next.push(placement);
                    }
                }
            }
            found = next;
        }
        Ok(found)
    }

    /// The miners that may generate `block` if the blocks before it are generated as placed: a miner has one rank in
    /// a subround. Without `renamed`, of those that generate nothing yet only the first.
    fn possible(&self, protocol: &Protocol, block: BlockId, renamed: bool) -> Result<Vec<Element>, Untied> {
        let place = protocol.blocks.place(block);
        if place.twin == 1 {
            return Ok(vec![self.generators[block.index() - 1]]);
        }
        let taken: BTreeSet<_> = protocol
            .blocks
            .of_subround(place.round, place.subround)
            .filter(|b| b.0 < block.0)
            .map(|b| self.generator(b))
            .collect();
        let honest = protocol.honest() as Element;
        let found: Vec<_> = match place.generator {
            Generator::Honest => {
                let fresh = (0..honest).find(|m| !self.generators.contains(m));
                (0..honest)
                    .filter(|m| !taken.contains(m))
                    .filter(|m| renamed || self.generators.contains(m) || Some(*m) == fresh)
                    .collect()
            }
            Generator::Byzantine | Generator::Outsider => (honest..honest + protocol.committee.byzantine)
                .find(|m| !taken.contains(m))
                .into_iter()
                .collect(),
        };
        if found.is_empty() { Err(Untied::Generators) } else { Ok(found) }
    }

    /// The placement that a run of the model ends with. Blocks that it does not propose are placed anyhow.
    pub fn of_run(protocol: &Protocol, states: &[State], actions: &[Action]) -> Result<Placement, Untied> {
        let mut parents = vec![None; protocol.blocks.len()];
        let mut generators: Vec<Option<Element>> = vec![None; protocol.blocks.len()];
        for (step, (before, action)) in states.iter().zip(actions).enumerate() {
            match *action {
                Action::Propose { miner, block } => {
                    parents[block.index()] = Some(before.entry(&protocol.blocks, miner as usize));
                    generators[block.index()] = Some(miner.into());
                }
                Action::ByzantinePropose { block, parent } => parents[block.index()] = Some(parent),
                Action::Ticket { block, parent, .. } if before.block(block).parent() == 0 => {
                    parents[block.index()] = Some(parent);
                    if protocol.blocks.place(block).generator == Generator::Honest {
                        let proposer = proposer(protocol, &states[..=step], block, parent, &generators);
                        generators[block.index()] = Some(proposer.ok_or(Untied::Generator(step + 1))?);
                    }
                }
                _ => {}
            }
        }
        let mut placement = Placement { parents: Vec::new(), generators: Vec::new() };
        for block in protocol.blocks.all() {
            let first = protocol.entries(protocol.blocks.round(block)).next().unwrap_or(GENESIS);
            placement.parents.push(parents[block.index()].unwrap_or(first));
            let generator = match generators[block.index()] {
                Some(generator) => generator,
                None => placement.spare(protocol, block, &generators)?,
            };
            placement.generators.push(generator);
        }
        Ok(placement)
    }

    /// A generator for a block that a run does not propose: nobody that generates another rank of the subround.
    fn spare(
        &self,
        protocol: &Protocol,
        block: BlockId,
        known: &[Option<Element>],
    ) -> Result<Element, Untied> {
        let place = protocol.blocks.place(block);
        if place.twin == 1 {
            return Ok(self.generators[block.index() - 1]);
        }
        let twin = protocol.blocks.of_subround(place.round, place.subround).find(|b| {
            let other = protocol.blocks.place(*b);
            other.rank == place.rank && *b != block && known[b.index()].is_some()
        });
        if let Some(generator) = twin.and_then(|b| known[b.index()]) {
            return Ok(generator);
        }
        let others: BTreeSet<_> = protocol
            .blocks
            .of_subround(place.round, place.subround)
            .filter_map(|b| known[b.index()].or_else(|| self.generators.get(b.index()).copied()))
            .collect();
        let honest = protocol.honest() as Element;
        let mut candidates = match place.generator {
            Generator::Honest => 0..honest,
            Generator::Byzantine | Generator::Outsider => honest..honest + protocol.committee.byzantine,
        };
        candidates.find(|m| !others.contains(m)).ok_or(Untied::Generators)
    }
}

/// A miner that was in the block's subround, came through `parent`, knew the beacon value there, and generates no other
/// block of the subround.
fn proposer(
    protocol: &Protocol,
    states: &[State],
    block: BlockId,
    parent: BlockId,
    generators: &[Option<Element>],
) -> Option<Element> {
    let place = protocol.blocks.place(block);
    let busy = |miner: usize| {
        protocol
            .blocks
            .of_subround(place.round, place.subround)
            .any(|b| b != block && generators[b.index()] == Some(miner as Element))
    };
    let could = |miner: usize| {
        states.iter().any(|state| {
            let m = &state.miners[miner];
            (m.round(), m.subround()) == (place.round.into(), place.subround.into())
                && m.crashed() == 0
                && state.entry(&protocol.blocks, miner) == parent
                && protocol.beacon_known(state, miner)
        })
    };
    (0..protocol.honest()).find(|m| !busy(*m) && could(*m)).map(|m| m as Element)
}

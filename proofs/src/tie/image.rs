//! The universe of the specification that a scenario of the model and a placement determine, and its initial state.
//!
//! Beacon values are numbered as the rounds that they belong to, so every other round's value is a wrong one. `self`,
//! the observer that a miner is, is empty: a miner of the model may always not know of a final block yet.

use super::{
    Drift, Tie, Untied,
    placement::{Placement, element},
    vocabulary::Signature,
};
use crate::{
    bounded::{Event, UniverseError, subsets},
    spec::{Interpretation, RelationId, Spec, Threshold},
    structure::{Element, Structure},
};
use zus_checker::{
    blocks::{GENESIS, Generator},
    committee::{quorum, tolerated},
    protocol::Protocol,
};

/// Sizes of the sorts.
pub(super) fn sizes(spec: &Spec, protocol: &Protocol) -> Result<Vec<usize>, Untied> {
    let size = |index: usize| {
        let sets = spec.interpretations.iter().find_map(|i| match i {
            Interpretation::Threshold { sort, size, .. } if sort.0 == index => {
                Some(subsets(protocol.committee.n as usize, threshold(spec, protocol, *size)).len())
            }
            _ => None,
        });
        match (sets, spec.sorts[index].name.as_str()) {
            (Some(sets), _) => Ok(sets),
            (_, "miner") => Ok(protocol.committee.n as usize),
            (_, "observer") => Ok(protocol.observers.max(1)),
            (_, "round" | "beacon_value") => Ok(protocol.blocks.rounds as usize + 2),
            (_, "subround") => Ok(protocol.blocks.subrounds as usize),
            (_, "tick") => Ok(super::graph::TICKS as usize),
            (_, "block") => Ok(protocol.blocks.len() + 1),
            (_, name) => Err(UniverseError::UnknownSort(name.to_string()).into()),
        }
    };
    (0..spec.sorts.len()).map(size).collect()
}

/// How many members a set has, by the specification's rules, not the model's.
fn threshold(spec: &Spec, protocol: &Protocol, size: Threshold) -> usize {
    let n = protocol.committee.n;
    match size {
        Threshold::Quorum => quorum(spec.rules.quorum(), None, n) as usize,
        Threshold::WithoutFaulty => (n - tolerated(n)) as usize,
        Threshold::OneHonest => tolerated(n) as usize + 1,
    }
}

impl Tie<'_> {
    /// The image of the model's initial state, and the actions that lead there from the specification's: what
    /// Byzantine miners are taken to have sent from the start, and what is implied.
    pub fn initial(&self, placement: &Placement) -> Result<(Structure, Vec<Event>), Drift> {
        let mut image = Structure::new(self.spec, &self.sizes, &[]);
        self.interpret(&mut image);
        self.place(&mut image, placement);
        self.interpreter.initialize(&mut image);
        if let Some(axiom) = self.interpreter.broken_axioms(&image).first() {
            return Err(Drift::Broken(axiom.name.clone()));
        }
        let mut events = Vec::new();
        let state = self.protocol.initial();
        for event in self.sent_at_the_start() {
            self.execute(&mut image, event, &mut events)?;
        }
        self.implied(&mut image, &state, &mut events)?;
        self.agreement(&state, &image)?;
        Ok((image, events))
    }

    /// The messages that Byzantine miners have sent from the start, in the model's view.
    fn sent_at_the_start(&self) -> Vec<Event> {
        let (a, blocks) = (&self.actions, &self.protocol.blocks);
        let honest = self.protocol.honest() as Element;
        let mut events = Vec::new();
        let exposed = self.protocol.committee.exposed;
        for byzantine in honest - exposed..self.protocol.committee.n {
            let mut event = |action: usize, arguments: &[Element]| {
                let arguments = [&[byzantine], arguments].concat();
                events.push(Event { action, arguments });
            };
            for round in 0..=Element::from(blocks.rounds) + 1 {
                event(a.byzantine_share, &[round, round]);
            }
            if byzantine < honest {
                continue; // Exposed: its key signs shares, and nothing else.
            }
            if !self.protocol.reductions.byzantine_available {
                continue;
            }
            for block in blocks.all() {
                event(a.byzantine_ticket, &[element(block)]);
                event(a.byzantine_vote, &[element(block)]);
            }
            for round in 1..=Element::from(blocks.rounds) {
                for subround in 0..Element::from(blocks.subrounds) {
                    event(a.byzantine_timeout, &[round, subround]);
                }
            }
        }
        events
    }

    /// Orders and sets of miners.
    pub(super) fn interpret(&self, image: &mut Structure) {
        for interpretation in &self.spec.interpretations {
            match interpretation {
                Interpretation::Ordered { sort, le, previous, zero } => {
                    let size = image.size(*sort) as Element;
                    for x in 0..size {
                        (x..size).for_each(|y| image.set(*le, &[x, y], true));
                        if x + 1 < size {
                            image.set(*previous, &[x, x + 1], true);
                        }
                    }
                    image.assign(*zero, &[], 0);
                }
                Interpretation::Threshold { member, size, .. } => {
                    let members = threshold(self.spec, &self.protocol, *size);
                    let sets = subsets(self.protocol.committee.n as usize, members);
                    for (set, members) in sets.iter().enumerate() {
                        members.iter().for_each(|m| image.set(*member, &[*m, set as Element], true));
                    }
                }
                Interpretation::Closure { .. } => {}
            }
        }
        for miner in self.protocol.honest() as Element..self.protocol.committee.n {
            image.set(self.words.byzantine, &[miner], true);
        }
        for miner in (0..self.protocol.honest()).filter(|m| self.protocol.exposed(*m)) {
            image.set(self.words.exposed, &[miner as Element], true);
        }
    }

    /// Blocks, and who may generate.
    pub(super) fn place(&self, image: &mut Structure, placement: &Placement) {
        let Signature { round, subround, generator, seed, beacon, genesis, .. } = self.signature;
        let blocks = &self.protocol.blocks;
        image.assign(genesis, &[], element(GENESIS));
        for value in 0..=Element::from(blocks.rounds) + 1 {
            image.assign(beacon, &[value], value);
        }
        for block in blocks.all() {
            let (this, place) = (element(block), *blocks.place(block));
            let miner = placement.generator(block);
            image.assign(round, &[this], place.round.into());
            image.assign(subround, &[this], place.subround.into());
            image.assign(seed, &[this], place.round.into());
            image.assign(generator, &[this], miner);
            image.set(self.words.parent, &[element(placement.parent(block)), this], true);
            if place.generator != Generator::Outsider {
                image.set(self.words.eligible, &[place.round.into(), place.subround.into(), miner], true);
            }
            for other in blocks.of_subround(place.round, place.subround) {
                if place.rank < blocks.place(other).rank {
                    image.set(self.words.outranks, &[this, element(other)], true);
                }
            }
        }
        self.close(image);
    }

    /// Ancestors: blocks are numbered by round, so a block's parent is complete before it.
    fn close(&self, image: &mut Structure) {
        for interpretation in &self.spec.interpretations {
            let Interpretation::Closure { closure, step } = interpretation else { continue };
            let elements = self.protocol.blocks.len() as Element + 1;
            for y in 0..elements {
                image.set(*closure, &[y, y], true);
                for p in (0..y).filter(|p| image.holds(*step, &[*p, y])).collect::<Vec<_>>() {
                    for x in 0..=p {
                        if image.holds(*closure, &[x, p]) {
                            image.set(*closure, &[x, y], true);
                        }
                    }
                }
            }
        }
    }

    /// The first set of miners of which a relation holds in all.
    pub(super) fn set_of(
        &self,
        image: &Structure,
        member: RelationId,
        sets: usize,
        holds: impl Fn(Element) -> bool,
    ) -> Option<Element> {
        (0..sets as Element)
            .find(|set| (0..self.protocol.committee.n).all(|m| !image.holds(member, &[m, *set]) || holds(m)))
    }
}

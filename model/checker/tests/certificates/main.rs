//! States of certificates reach what steps reach (`certificates/mod.rs` gives the lemmas; here they are tested).
//!
//! - With the whole past kept they are compared with the explicit specification: the sets of notarized blocks with their
//!   chains, the sets of final blocks, the facts. Where miners act in groups, which the specification does not know, and where
//!   it is too large, they are compared with the search of steps.
//! - Without the past they are compared with those that keep it, state by state.
//! - Each precondition is dropped.
//! - Runs that are found become runs of the specification.

#[path = "../small/mod.rs"]
mod small;

mod compared;
mod controls;
mod counts;
mod forgotten;
mod runs;

use std::collections::{BTreeMap, BTreeSet};
use zus_checker::{
    blocks::{BlockId, BlockSet},
    certificates::{
        answers,
        kept::{Kept, Past},
        search::explore,
    },
    properties::{Facts, Property},
    protocol::{Protocol, Reductions},
    search::bfs::{End, Limits},
};

use small::{Notarized, Place, everything, renamings};

/// For each set of notarized blocks, with their chains, the largest sets of final blocks beside it. Closed under renaming of twins.
#[derive(Default, PartialEq)]
struct Certified(BTreeMap<Notarized, BTreeSet<BTreeSet<Place>>>);

impl Certified {
    /// Adds a state.
    fn add(&mut self, notarized: &Notarized, finals: &BTreeSet<Place>) {
        for rename in renamings(notarized) {
            let renamed = notarized.iter().map(|chain| chain.iter().map(&rename).collect()).collect();
            let finals: BTreeSet<Place> = finals.iter().map(&rename).collect();
            let known = self.0.entry(renamed).or_default();
            if !known.iter().any(|other| finals.is_subset(other)) {
                known.retain(|other| !other.is_subset(&finals));
                known.insert(finals);
            }
        }
    }

    /// The sets of notarized blocks that are in one only, and those whose final blocks differ.
    fn differences(&self, other: &Certified) -> [usize; 3] {
        let missing = |a: &Certified, b: &Certified| a.0.keys().filter(|set| !b.0.contains_key(*set)).count();
        let finals = self.0.iter().filter(|(set, finals)| other.0.get(*set).is_some_and(|of| of != *finals));
        [missing(self, other), missing(other, self), finals.count()]
    }
}

/// The properties that states of certificates answer for.
fn answered() -> Facts {
    everything().filter(|property| answers(*property)).collect()
}

/// What the search of certificates finds.
struct Reached {
    facts: BTreeSet<Property>,
    certified: Certified,
    unique: u64,
}

/// The instance as a search has it.
fn searched(protocol: &Protocol) -> Protocol {
    Protocol { reductions: Reductions::ALL, ..protocol.clone() }
}

/// The blocks of `protocol` by place, with their chains as `parents` has them.
fn chains(protocol: &Protocol, notarized: BlockSet, chain: impl Fn(BlockId) -> Vec<BlockId>) -> Notarized {
    notarized.iter().map(|block| chain(block).into_iter().map(|at| name(protocol, at)).collect()).collect()
}

fn name(protocol: &Protocol, block: BlockId) -> Place {
    let place = protocol.blocks.place(block);
    (u64::from(place.round), u32::from(place.subround), u32::from(place.rank), place.twin)
}

/// Explores `protocol` with its whole past, whether or not that is exact there.
fn kept(protocol: &Protocol) -> Reached {
    let past = Past { protocol };
    let mut certified = Certified::default();
    let mut visit = |state: &Kept| {
        let notarized = chains(protocol, state.notarized(), |block| state.chain(block).collect());
        let finals = past.finals(state).iter().map(|block| name(protocol, block)).collect();
        certified.add(&notarized, &finals);
    };
    let explored = explore(&past, answered(), None, Limits::default(), &|_| {}, &mut visit);
    assert_eq!(explored.end, End::Exhausted);
    Reached { facts: explored.found.keys().copied().collect(), certified, unique: explored.unique }
}

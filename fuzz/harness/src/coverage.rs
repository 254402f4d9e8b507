//! Absolute coverage: of the states that the exhaustive check of the model enumerates for a small scenario, those that
//! production code reaches; and the guards of the model that a run exercises.
//!
//! **States.** Four miners, one of them a Byzantine generator of rank 0. The model is enumerated under the reductions that a
//! projection can follow; states of both sides are projected onto what both have (`projected`). What the
//! [product](crate::product) reaches is what production can reach at all: where a miner of the model may pick any block that
//! may have arrived, a production miner picks the best one that it holds, and its own as a generator. So three sets have to lie
//! in each other: what runs reach, what the product reaches, and what the model has. The first inclusion is a check of the
//! product's claim that nothing is lost by what it fixes, the second one of the refinement, by other means than the step check.
//!
//! **Guards.** A guard is a pair of an action and the reason why it may not happen. A run exercises it in a state in which it is
//! the reason.

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

use rapidhash::fast::RapidHasher;
use zus_checker::action::{Action, Blocked, Guard};
use zus_checker::blocks::GENESIS;
use zus_checker::protocol::Protocol;
use zus_checker::protocol::Reductions;
use zus_checker::state::State;

use crate::product::{Pair, Product};
use crate::refinement::protocol_of;
use crate::schedule::{Choice, Run, ground_of};

/// States of the model, and pairs of the product, after which an enumeration is given up.
pub const MAX_STATES: usize = 3_000_000;

/// Projected states, by fingerprint.
pub type States = HashSet<u64>;

/// A small scenario in which model and production are compared as sets of states.
pub struct Small {
    /// Production and model together.
    pub product: Product,
    /// The instance of the model, reduced as far as a projection can follow.
    reduced: Protocol,
}

impl Small {
    /// One round of so many subrounds; the Byzantine miner has rank 0 in the first one. Beacon shares may be late.
    ///
    /// # Panics
    /// When the model has no room for it: it has, for up to four subrounds.
    #[must_use]
    pub fn new(subrounds: u8) -> Self {
        let product = Product { late_shares: true, ..Product::of_four(1, subrounds, 3, 0) };
        let protocol =
            protocol_of(&ground_of(&product.setup)).expect("the model has room for the small scenario");
        let reductions =
            Reductions { byzantine_available: true, eager: true, symmetry: true, ..Reductions::NONE };
        Self { product, reduced: Protocol { crashes: 0, reductions, ..protocol } }
    }

    /// The states of the model. `None`: more than [`MAX_STATES`].
    #[must_use]
    pub fn model(&self) -> Option<States> {
        let first = self.reduced.initial();
        let mut seen = HashSet::from([fingerprint(&first)]);
        let mut states = HashSet::from([projected(&self.reduced, &first)]);
        let (mut open, mut actions) = (vec![first], Vec::new());
        while let Some(state) = open.pop() {
            actions.clear();
            self.reduced.actions(&state, &mut actions);
            for action in &actions {
                let next = self.reduced.normalize(self.reduced.apply(&state, action));
                if seen.insert(fingerprint(&next)) {
                    states.insert(projected(&self.reduced, &next));
                    open.push(next);
                }
            }
            if seen.len() > MAX_STATES {
                return None;
            }
        }
        Some(states)
    }

    /// Pairs of the product, and what they reach. `None`: more than [`MAX_STATES`].
    #[must_use]
    pub fn possible(&self) -> Option<(usize, States)> {
        let first = self.product.initial();
        let (mut pairs, mut states) = (HashSet::from([fingerprint(&first)]), HashSet::new());
        let mut open = vec![first];
        while let Some(pair) = open.pop() {
            states.insert(self.of_pair(&pair));
            for offer in self.product.offers(&pair) {
                let next = self.product.next(&pair, offer);
                if pairs.insert(fingerprint(&next)) {
                    open.push(next);
                }
            }
            if pairs.len() > MAX_STATES {
                return None;
            }
        }
        Some((pairs.len(), states))
    }

    fn of_pair(&self, pair: &Pair) -> u64 {
        projected(&self.reduced, &pair.run.judges.refinement.state)
    }

    /// Makes choices in the small scenario, until the first crash (the enumerations have none), and adds what they reach.
    ///
    /// # Panics
    /// When the model has no room for the scenario: [`Small::new`] has seen that it has.
    pub fn follow(&self, choices: &[Choice], reached: &mut States) {
        let mut run = Run::new(&self.product.setup, 0).expect("the model has room for the small scenario");
        let mut steps = 0;
        for choice in choices {
            run.choose(*choice);
            if run.world.crashes > 0 {
                return;
            }
            if run.judges.steps != steps {
                steps = run.judges.steps;
                reached.insert(projected(&self.reduced, &run.judges.refinement.state));
            }
        }
    }
}

fn fingerprint<T: Hash>(of: &T) -> u64 {
    let mut hasher = RapidHasher::default();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The part of a state that both the reduced model and production have: positions, tickets, timeouts and votes, with
/// honest miners interchangeable. The parts that the reductions add or leave out (Byzantine messages, unused blocks,
/// shares) are not in it.
fn projected(protocol: &Protocol, state: &State) -> u64 {
    let rounds = usize::from(protocol.blocks.rounds);
    let mut miners: Vec<Vec<u32>> = (0..protocol.honest())
        .map(|index| {
            let (m, sent) = (&state.miners[index], &state.archive[index]);
            let position = [m.round(), m.subround(), m.entry(), m.timed_out()];
            let tickets = sent.tickets[..rounds].iter().map(|&set| set.into());
            let votes = sent.votes[..rounds].iter().map(|&set| set.into());
            let timeouts = sent.timeouts[..rounds].iter().map(|&set| set.into());
            position.into_iter().chain(tickets).chain(votes).chain(timeouts).collect()
        })
        .collect();
    miners.sort_unstable();
    fingerprint(&miners)
}

/// Guards, as (action, reason), and how often each was the reason.
pub type Guards = BTreeMap<(String, String), u64>;

/// Asks of every action that can be named in `state` why it may not happen.
pub fn count_guards(protocol: &Protocol, state: &State, guards: &mut Guards) {
    let blocks = &protocol.blocks;
    let mut ask = |action: Action| {
        // An action that does not exist in the instance is not a guard of a state.
        if let Err(guard) = protocol.enabled(state, &action)
            && !matches!(guard, Blocked::Guard(Guard::NoSuch) | Blocked::Guard(Guard::NotInRules))
        {
            *guards.entry((name(&action), guard.to_string())).or_default() += 1;
        }
    };
    for miner in 0..protocol.honest() as u8 {
        ask(Action::ShareBeacon { miner });
        ask(Action::SendTicket { miner });
        ask(Action::Timeout { miner });
        ask(Action::Restart { miner });
        for subround in 0..blocks.subrounds {
            ask(Action::EnterSubround { miner, subround });
        }
        for block in blocks.all() {
            ask(Action::Propose { miner, block });
            ask(Action::Select { miner, block });
            ask(Action::Leave { miner, block });
            let parent = state.parent(blocks, block).unwrap_or(GENESIS);
            ask(Action::Ticket { miner, block, parent });
        }
    }
    for block in blocks.all() {
        ask(Action::Notarize { block });
        ask(Action::Finalize { observer: 0, block });
    }
}

/// The kind of an action.
#[must_use]
pub fn name(action: &Action) -> String {
    let text = format!("{action:?}");
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

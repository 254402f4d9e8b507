//! The good period: what a synchronous network guarantees, where its runs end, and L1 to L5.
//!
//! In a synchronous network
//! 1. everything that honest miners owe each other without a timer happens before any timer fires: messages arrive
//!    ([`Instance::delivery_pending`]), shares, blocks and notarizations are sent;
//! 2. timers fire in order: a collection window closes with the best block of an honest generator that must have
//!    arrived, and before the timeout of its subround;
//! 3. Byzantine members send what they like to whom they like, or nothing: their help *may* come and never *must*.
//!
//! Every step makes the state strictly larger, and nothing is undone. So within bounds every run ends, and a fair run ends
//! in a *quiescent* state, in which nothing must happen any more. "In the end ..." holds for all fair runs exactly if it
//! holds in every reachable quiescent state. A livelock uses up the subrounds, and shows as a quiescent state, too.
//!
//! The bounds are those of the caller. L1 can hold within them only if the last subround has an honest generator at rank
//! 0, as a beacon gives it again and again, and if that subround is reserved for the good period.

use crate::{
    block::{Block, Generator},
    explore::Bounds,
    fault::Fault,
    instance::Instance,
    state::{Miner, State, Visit},
    steps::{Action, Blocked, require},
};
use std::collections::BTreeSet;
use zus_protocol::{
    ids::{MinerId, Round, Subround},
    properties::Property,
};

impl Instance {
    /// Whether an honest miner has moved through the notarization of `block`.
    fn moved_through(&self, state: &State, block: Block) -> bool {
        state.visits.keys().any(|visit| visit.through == block)
    }

    /// Whether every honest miner has a notarization of `block`, or is about to get one: from q honest tickets, from an
    /// honest miner that moved through it and relays it, or with a later block that carries it.
    pub fn public_notarization(&self, state: &State, block: Block) -> bool {
        let carries = |(child, parent): (&Block, &Block)| {
            *parent == block
                && (child.generator == Generator::Honest || self.public_notarization(state, *child))
        };
        state.notarized(&block)
            && (self.honest_in(state.sent.tickets_for(&block)) >= self.quorum()
                || self.relays_notarizations() && self.moved_through(state, block)
                || state.sent.blocks.iter().any(carries))
    }

    /// The same of the timeout certificate of (round, subround).
    fn public_timeout_certificate(&self, state: &State, round: Round, subround: Subround) -> bool {
        let later = |visit: &Visit| visit.through.round.next() == round && visit.subround > subround;
        self.honest_in(state.sent.timeouts_of(round, subround)) >= self.quorum()
            || self.relays_timeouts()
                && self.timeout_certified(state, round, subround)
                && state.visits.keys().any(later)
    }

    /// Step 9: whether f + 1 timeouts of honest miners make `m` join.
    fn joins(&self, state: &State, m: &Miner) -> bool {
        let sent = if self.has(Fault::OwnSubroundOnly) {
            m.timeouts_held.len()
        } else {
            self.honest_in(state.sent.timeouts_of(m.round, m.subround))
        };
        self.timeouts_are_votes() && !m.timed_out() && sent > self.tolerated()
    }

    /// Whether something must happen before any timer fires: an honest miner is down, or owes a message, or a message of
    /// an honest miner would make another one move.
    pub fn delivery_pending(&self, state: &State) -> bool {
        let unformed = |&block: &Block| {
            !state.notarized(&block)
                && self.notarizable(state, block)
                && self.honest_in(state.sent.tickets_for(&block)) >= self.quorum()
        };
        state.sent.blocks.keys().any(unformed) || self.honest().any(|miner| self.owes_or_moves(state, miner))
    }

    fn owes_or_moves(&self, state: &State, miner: MinerId) -> bool {
        let m = state.miner(miner);
        let moves = |&block: &Block| block.round >= m.round && self.public_notarization(state, block);
        let seed = || {
            let greater = |&block: &Block| {
                block.round.next() == m.round
                    && self.public_notarization(state, block)
                    && self.seed(state, block) > self.seed_of(state, miner)
            };
            self.rules.adopts() && self.rules.chained() && state.sent.notarized.iter().any(greater)
        };
        let subround = || match self.fault {
            Some(Fault::OwnSubroundOnly) => m.certificate_held || m.timeouts_held.len() >= self.quorum(),
            _ => {
                self.timeouts_are_votes()
                    && state.sent.timeouts.keys().any(|&(round, subround)| {
                        round == m.round
                            && subround >= m.subround
                            && self.public_timeout_certificate(state, round, subround)
                    })
            }
        };
        !m.up
            || m.unsent.is_some()
            || self.enabled(state, &Action::ShareBeacon { miner }).is_ok()
            || self.places(m.round, m.subround).any(|block| self.proposal_due(state, miner, block))
            || state.sent.notarized.iter().any(moves)
            || seed()
            || subround()
            || self.joins(state, m)
    }

    /// Whether every honest miner has been in the place of `block` under the seed of `miner`. Then the generator has.
    fn generator_was_there(&self, state: &State, miner: MinerId, block: Block) -> bool {
        let seed = self.seed_of(state, miner);
        let there = state.visits.iter().filter(|(visit, _)| {
            (visit.through.round.next(), visit.subround) == (block.round, block.subround)
                && self.seed(state, visit.through) == seed
        });
        let there: BTreeSet<&MinerId> = there.flat_map(|(_, by)| by).collect();
        there.len() == self.honest_members()
    }

    /// Whether an honest generator owes `block`, and `miner` can be the one.
    pub fn proposal_due(&self, state: &State, miner: MinerId, block: Block) -> bool {
        self.enabled(state, &Action::Propose { miner, block }).is_ok()
            && self.sharers(state, miner).len() >= self.beacon_threshold()
            && self.generator_was_there(state, miner, block)
    }

    /// Whether `block` must have reached `miner`: an honest generator proposed it under the seed of the miner.
    fn must_have_arrived(&self, state: &State, miner: MinerId, block: Block) -> bool {
        let same_seed = |&parent: &Block| self.seed(state, parent) == self.seed_of(state, miner);
        block.generator == Generator::Honest && state.sent.blocks.get(&block).is_some_and(same_seed)
    }

    /// Steps 3 and 4: whether the collection window of `miner` may close with `block` selected.
    pub(crate) fn window_may_close(
        &self,
        state: &State,
        miner: MinerId,
        block: Block,
    ) -> Result<(), Blocked> {
        if state.synchronous.is_none() {
            return Ok(());
        }
        require(!self.delivery_pending(state), Blocked::MessagesFirst)?;
        let better = self
            .places(block.round, block.subround)
            .any(|other| other.rank < block.rank && self.must_have_arrived(state, miner, other));
        require(!better, Blocked::BetterArrived)
    }

    /// Whether `miner` must sign a ticket when its window closes.
    fn must_ticket(&self, state: &State, miner: MinerId) -> bool {
        let m = state.miner(miner);
        m.up && !m.timed_out()
            && m.unsent.is_none()
            && !m.deceived
            && m.tickets_here().next().is_none()
            && self.sharers(state, miner).len() >= self.beacon_threshold()
            && self.places(m.round, m.subround).any(|block| {
                self.must_have_arrived(state, miner, block) && self.rules.ticket.allows([], block.rank)
            })
    }

    /// Step 9: whether the subround of `miner` may time out. Joining needs no timer; otherwise all windows of the subround
    /// have closed.
    pub(crate) fn timer_may_fire(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        if state.synchronous.is_none() {
            return Ok(());
        }
        let m = state.miner(miner);
        let sent = state.sent.timeouts_of(m.round, m.subround);
        // Byzantine timeouts may help to make it join, windows open or not.
        let helped = self.honest_in(sent.clone()) > 0 && sent.count() > self.tolerated();
        if self.joins(state, m) || helped {
            return Ok(());
        }
        let open = self
            .honest()
            .any(|other| state.miner(other).position() == m.position() && self.must_ticket(state, other));
        require(!open && !self.delivery_pending(state), Blocked::MessagesFirst)
    }

    /// Whether a fair run of the good period ends here: within the bounds nothing must happen without Byzantine help.
    pub fn quiescent(&self, state: &State, bounds: &Bounds) -> bool {
        let timer = |miner: MinerId| {
            let m = state.miner(miner);
            m.round <= bounds.rounds
                && m.subround < bounds.last_subround()
                && self.timeout_enabled(state, miner).is_ok()
        };
        state.synchronous.is_some()
            && !self.delivery_pending(state)
            && !self.honest().any(|miner| self.must_ticket(state, miner) || timer(miner))
    }

    /// Whether a run that ends in `state` violates a liveness property, or shows the premise `Ending`. False where the run
    /// does not end.
    pub fn stalled(&self, state: &State, bounds: &Bounds, property: Property) -> bool {
        if !self.quiescent(state, bounds) {
            return false;
        }
        let blocks = || state.sent.blocks.keys().copied();
        let head = || blocks().filter(|&b| self.public_final(state, b)).max_by_key(|b| b.round);
        let first = state.miners.iter().map(|m| m.round).max().unwrap_or_default();
        match property {
            Property::Ending => true,
            // A notarization that only a withheld ticket would complete is none.
            Property::L1 => (1..=bounds.rounds.0).map(Round).any(|round| {
                !state.sent.notarized.iter().any(|&block| {
                    block.round == round
                        && (self.public_notarization(state, block) || self.moved_through(state, block))
                })
            }),
            // Nothing has happened yet in the rounds that are reserved for the good period.
            Property::L2 => {
                let since = state.synchronous.unwrap_or_default().min(bounds.unreserved_rounds());
                head().is_none_or(|head| head.round <= since)
            }
            Property::L3 => state.miners.iter().any(|m| m.position() != state.miners[0].position()),
            Property::L4 => state.miners.iter().any(|m| !m.up || m.round < first),
            // The block that some observer has finalized with Byzantine help must have reached all of them.
            Property::L5 => blocks().any(|block| {
                self.is_final(state, block)
                    && (self.rules.votes() || self.moved_through(state, block))
                    && !head().is_some_and(|head| state.descends(head, block))
                    && !self.public_final(state, block)
            }),
            other => {
                assert!(!other.is_liveness(), "{} is judged nowhere", other.id());
                false
            }
        }
    }
}

//! The good period: what a synchronous network lets happen, and why liveness over it is checked soundly.
//!
//! **What is claimed.** L1 to L5 speak of a network that is asynchronous at first and synchronous from some moment on.
//! The moment is the action `Synchronize`, possible in every state of the asynchronous phase; everything reachable
//! from there is explored as well. In the good period
//! 1. messages that honest miners sent reach every honest miner before any timer fires: while one of them would make
//!    a miner move ([`Protocol::delivery_pending`]) no window closes and no subround times out;
//! 2. timers fire fairly: a window closes before the timeout of its subround (`timer_may_fire`), with the
//!    best block of an honest generator that must have arrived (`window_may_close`);
//! 3. Byzantine miners send any message to any miner, or nothing: a step that needs their help *may* happen and never
//!    *must*.
//!
//! **The argument.** Every action of the good period makes the state strictly larger (a position, a set or a tally
//! grows; nothing is undone), and all of them are bounded: the graph has no cycle, so every run ends. A fair run ends
//! where no action must happen any more: [`Protocol::quiescent`]. A property "in the end ..." holds for all fair runs
//! exactly if it holds in every reachable quiescent state, which is a state predicate: no path condition, so joining
//! paths cannot hide a violation as they do in Stateright's `eventually`. That a run is stuck for ever, or goes round
//! for ever without progress (a livelock goes from subround to subround, so it uses up the subrounds that a scenario
//! has), both show as a quiescent state without progress.
//!
//! **What bounds mean for it.** "Holds" with bounded subrounds needs that the last one is good: a VRF gives every rank
//! to an honest miner again and again, so a scenario reserves its last subround, and its last round, for the good
//! period, with an honest generator at rank 0 (`reserved_subrounds`, `reserved_rounds`). With `subround_cap =
//! CappedAtOne` later subrounds have the generators of subround 1 and the assumption fails, as it does in reality.
//! Waits grow from subround to subround, so a miner in the last subround is not timed out of it before others that
//! are behind have timed out of theirs; without a certificate this is all that brings them together.
//! Messages that honest miners sent before the good period arrive in it (miners answer requests by sending
//! again).

use crate::{
    action::{Blocked, Guard},
    blocks::{BlockId, Generator},
    fault::Fault,
    protocol::Protocol,
    rules::SubroundEntryRule,
    state::State,
};

impl Protocol {
    /// Members that are honest.
    fn honest_members(&self) -> u32 {
        self.committee.weights.iter().sum()
    }

    /// Whether every honest miner has, or is about to get, a notarization of `block`: q honest tickets, or a relay by
    /// an honest miner that moved through it, or a proposal of an honest generator that carries it, or one that got
    /// a notarization itself.
    pub fn public_notarization(&self, state: &State, block: BlockId) -> bool {
        if !self.notarized(state, block) {
            return false;
        }
        state.block(block).tickets() >= self.committee.quorum
            || self.echoes() && self.adopted(state, block)
            || self.blocks.of_round(self.blocks.round(block) + 1).any(|child| {
                state.parent(&self.blocks, child) == Some(block)
                    && (self.blocks.place(child).generator == Generator::Honest
                        || self.public_notarization(state, child))
            })
    }

    /// The same for the timeout certificate of (round, subround).
    fn public_timeout_certificate(&self, state: &State, round: u8, subround: u8) -> bool {
        state.timeout(round, subround).honest() >= self.committee.quorum
            || self.echoes_timeouts()
                && self.timeout_certified(state, round, subround)
                && (subround + 1..self.blocks.subrounds).any(|s| self.visitors(state, round, s) > 0)
    }

    /// Step 9: whether f + 1 timeouts, one of them honest, make `miner` join.
    fn joins(&self, state: &State, miner: usize) -> bool {
        let m = &state.miners[miner];
        if m.timed_out() == 1 || m.subround() as u8 >= self.last_subround(state) {
            return false;
        }
        let sent = match self.rules.subround_entry {
            SubroundEntryRule::Local => return false,
            SubroundEntryRule::Certificate if self.has(Fault::OwnSubroundOnly) => m.timeouts_held(),
            SubroundEntryRule::Certificate => state.timeout(m.round() as u8, m.subround() as u8).honest(),
        };
        sent > self.committee.f
    }

    /// Whether something that honest miners sent would make an honest miner move.
    pub fn delivery_pending(&self, state: &State) -> bool {
        (0..self.honest()).any(|miner| self.delivery_pending_for(state, miner))
    }

    fn delivery_pending_for(&self, state: &State, miner: usize) -> bool {
        let m = &state.miners[miner];
        if m.crashed() == 1 {
            return true;
        }
        let (round, last) = (m.round() as u8, self.last_subround(state));
        if round > self.last_round(state) {
            return false;
        }
        let notarization = (round..=self.blocks.rounds)
            .any(|r| self.blocks.of_round(r).any(|b| self.public_notarization(state, b)));
        let seed = self.rules.chained()
            && self.rules.adopts()
            && self.blocks.of_round(round - 1).any(|b| {
                self.public_notarization(state, b) && self.seed(state, b) > self.seed_of_miner(state, miner)
            });
        let subround = match self.rules.subround_entry {
            SubroundEntryRule::Local => false,
            SubroundEntryRule::Certificate if self.has(Fault::OwnSubroundOnly) => {
                // Honest timeouts alone, or a certificate that another miner entered by and relayed.
                m.timeouts_held() >= self.committee.quorum && (m.subround() as u8) < last
            }
            SubroundEntryRule::Certificate => {
                (m.subround() as u8..last).any(|s| self.public_timeout_certificate(state, round, s))
            }
        };
        m.unsent() != 0 || notarization || seed || subround || self.joins(state, miner)
    }

    /// Whether the block of an honest generator at this place must have reached `miner`, and is valid for it.
    fn must_have_arrived(&self, state: &State, miner: usize, block: BlockId) -> bool {
        let place = self.blocks.place(block);
        if place.generator != Generator::Honest || place.twin != 0 {
            return false;
        }
        let seed = self.seed_of_miner(state, miner);
        match state.parent(&self.blocks, block) {
            Some(parent) => self.seed(state, parent) == seed,
            // The generator is not fixed yet; each candidate has been there with this seed, and has proposed.
            None => {
                let there: u32 = self
                    .entries(place.round)
                    .filter(|&entry| self.seed(state, entry) == seed)
                    .map(|entry| state.present(entry, place.subround))
                    .sum();
                there >= self.honest_members()
            }
        }
    }

    /// Whether the collection window of `miner` may close with `block` picked.
    pub(crate) fn window_may_close(
        &self,
        state: &State,
        miner: usize,
        block: BlockId,
    ) -> Result<(), Blocked> {
        if self.delivery_pending(state) {
            return Err(Guard::MessagesFirst.into());
        }
        let picked = self.blocks.place(block);
        let better = self
            .blocks
            .of_subround(picked.round, picked.subround)
            .any(|b| self.blocks.place(b).rank < picked.rank && self.must_have_arrived(state, miner, b));
        if better { Err(Guard::BetterArrived.into()) } else { Ok(()) }
    }

    /// Whether `miner` must sign a ticket when its window closes.
    fn must_ticket(&self, state: &State, miner: usize) -> bool {
        let m = &state.miners[miner];
        if !self.active(state, miner) || m.timed_out() == 1 || m.unsent() != 0 || m.deceived() == 1 {
            return false;
        }
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        m.spent() == 0
            && m.tickets() as u16 & self.blocks.mask(round, subround) == 0
            && self.honest_shares(state, miner) >= self.committee.beacon_threshold
            && self.blocks.of_subround(round, subround).any(|b| {
                self.must_have_arrived(state, miner, b) && self.rules.ticket.allows([], self.blocks.rank(b))
            })
    }

    /// Whether the subround of `miner` may time out: joining needs no timer; otherwise all windows of the subround
    /// have closed.
    pub(crate) fn timer_may_fire(&self, state: &State, miner: usize) -> Result<(), Blocked> {
        let m = &state.miners[miner];
        let sent = state.timeout(m.round() as u8, m.subround() as u8).honest();
        // Byzantine timeouts may help to make it join, windows open or not; they never must.
        if self.joins(state, miner) || sent > 0 && sent + self.committee.byzantine > self.committee.f {
            return Ok(());
        }
        let windows_open = (0..self.honest()).any(|other| {
            let o = &state.miners[other];
            (o.round(), o.subround()) == (m.round(), m.subround()) && self.must_ticket(state, other)
        });
        if windows_open || self.delivery_pending(state) { Err(Guard::MessagesFirst.into()) } else { Ok(()) }
    }

    /// Whether a fair run of the good period can end here: nothing must happen any more without Byzantine help.
    pub fn quiescent(&self, state: &State) -> bool {
        state.environment.synchronous() == 1
            && !self.delivery_pending(state)
            && (0..self.honest()).all(|miner| {
                !self.must_ticket(state, miner)
                    && (!self.active(state, miner) || self.may_time_out(state, miner as u8).is_err())
            })
    }

    /// Whether every observer can finalize `block` directly from what honest miners have sent.
    pub fn public_final(&self, state: &State, block: BlockId) -> bool {
        match self.rules.finality.depth() {
            Some(depth) => self
                .blocks
                .of_round(self.blocks.round(block) + depth)
                .any(|tip| self.public_notarization(state, tip) && state.descends(&self.blocks, tip, block)),
            None => state.block(block).votes() >= self.committee.quorum,
        }
    }
}

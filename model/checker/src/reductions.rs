//! Reductions: ways to explore fewer states with the same verdicts. Each is a switch; `tests/reductions.rs` checks on
//! small instances that every one of them gives the same verdicts and the same set of reachable sets of notarized
//! blocks as the model without it.
//!
//! - **byzantine_available**: the tickets, votes and timeouts of Byzantine miners are not steps but always there. They
//!   can be sent at any time by miners that depend on nothing, and the network is monotone: having been sent enables
//!   more and disables nothing, so a state in which they have been is simulated by the one in which they always were,
//!   and a run of the reduced model becomes a run of the full one by sending them all first (blocks: just before use).
//! - **eager**: sending a beacon share, proposing, selecting and forming a notarization are merged into the step that
//!   makes them possible or uses them (`action/beacon.rs`, `proposal.rs`, `ticket.rs`, `notarization.rs`). Each of
//!   them only adds a message that was implied, so moving it to its cause or its first use commutes with all others.
//!   A generator must have known the beacon value before it left its subround. It did where leaving takes a certificate:
//!   of the q signers of one all honest ones were in the round and had sent their shares, which with the Byzantine ones
//!   are q, and a beacon value takes at most n - f. So it is exact under `Certificate` with at most f Byzantine miners.
//!   Round 1 begins with its shares sent, so what is known before them (S11) shows in later rounds only.
//!   Where a miner leaves by its own timer (`Local`), one that was in the subround before the value was known may propose
//!   all the same, which adds runs and hides none; that the runs which violate something are none of these is a test.
//! - **symmetry**: honest miners of equal weight, exposed or not, are interchangeable, because the environment chooses the order of
//!   generators, so a state stands for all its permutations: miners are sorted.
//! - **counting**: who sent what in the past is forgotten where only how many did can matter. A miner's guards read
//!   what it did in its present round, and tallies; they never read names ([`State::archive`](crate::state::State)).
//!   Once all honest miners have left a round, its tickets, votes and timeouts can change no more, so of a round that
//!   is behind everyone there remains: which blocks are notarized, their parents, and which have enough votes.
//!   Not where miners forget (`Volatile` with restarts): there names decide whether a ticket is counted twice. Tallies
//!   stay exact where more than f miners are Byzantine: S10 counts the culprits by them.
//! - **lazy**: a timeout that no certificate uses stops one miner from ticketing and does nothing else, so it need not
//!   happen: either the miner leaves the round later (then it may do both at once), or a certificate is formed (then
//!   just enough miners time out together). Not in a synchronous network, where timers must fire.
//! - **sorted**: steps happen in the order of their layers, which are those of rounds and subrounds: `sorted/mod.rs`.

use crate::{
    action::Action,
    blocks::{BlockId, GENESIS, MAX_SUBROUNDS},
    committee::{MAX_HONEST, Members},
    fault::Fault,
    protocol::{Network, Protocol},
    state::{Miner, State},
};
use std::cmp::Ordering;

impl Protocol {
    /// The representative of `state` under the reductions that are on.
    #[inline]
    pub fn normalize(&self, mut state: State) -> State {
        self.normalize_in_place(&mut state);
        state
    }

    /// As [`Protocol::normalize`], in place.
    #[inline]
    pub fn normalize_in_place(&self, state: &mut State) {
        self.forget_below_floor(state);
        if self.reductions.counting {
            self.forget(state);
            self.forget_behind_in_round(state);
        }
        if self.reductions.symmetry {
            self.sort(state);
        }
    }

    /// As [`Protocol::normalize_in_place`] for a state that `action` made of a normal one, in which `behind` was what
    /// [`Protocol::behind`] says. Most actions touch one miner and one tally, and leave nothing more behind: then only
    /// these are looked at.
    #[inline]
    pub(crate) fn normalize_after(&self, state: &mut State, action: &Action, behind: (u8, u8)) {
        if state.environment.floor() != 0 {
            return self.normalize_in_place(state);
        }
        if self.reductions.counting && !self.forgets_nothing() {
            #[cfg(debug_assertions)]
            let whole = {
                let mut whole = *state;
                self.forget(&mut whole);
                whole
            };
            self.forget_touched(state, action, behind);
            let now = self.behind(state);
            if now != behind {
                for miner in 0..self.honest() {
                    self.forget_tickets_of(state, miner, now);
                }
                self.forget_rounds(state, behind.0, now);
            }
            #[cfg(debug_assertions)]
            assert_eq!(*state, whole, "{action:?} touches more than is looked at");
        }
        if self.reductions.symmetry {
            self.sort(state);
        }
    }

    fn forget_touched(&self, state: &mut State, action: &Action, behind: (u8, u8)) {
        match *action {
            Action::Ticket { miner, block, .. } => {
                self.saturate_block(state, block);
                self.forget_tickets_of(state, miner as usize, behind);
            }
            // Without certificates a miner that times out enters the next subround.
            Action::Timeout { .. } | Action::TimeoutTogether { .. } if self.rules.enters_alone() => {
                self.forget(state);
            }
            Action::Timeout { miner } => {
                self.saturate_timeouts(state);
                self.forget_tickets_of(state, miner as usize, behind);
            }
            Action::TimeoutTogether { .. } => self.saturate_timeouts(state),
            Action::TimeoutThenLeave { miner, block } => {
                self.saturate_timeouts(state);
                self.saturate_block(state, block);
                self.saturate_presence(state, block);
                self.forget_tickets_of(state, miner as usize, behind);
            }
            Action::Leave { miner, block } => {
                self.saturate_block(state, block);
                self.saturate_presence(state, block);
                self.forget_tickets_of(state, miner as usize, behind);
            }
            Action::EnterSubround { miner, .. } => {
                self.saturate_presence(state, state.entry(&self.blocks, miner as usize));
                self.forget_tickets_of(state, miner as usize, behind);
            }
            _ => self.forget(state),
        }
    }

    /// The honest miners, but of neighbours that are alike only the first: under `symmetry` what one of them does, the
    /// other may do with the same outcome. All of them without it.
    #[inline]
    pub(crate) fn representatives(&self, state: &State) -> Members {
        let mut rest = (1u32 << self.honest()) - 1;
        if self.reductions.symmetry {
            for miner in 1..self.honest() {
                let alike = state.miners[miner] == state.miners[miner - 1]
                    && self.alike(miner, miner - 1)
                    && (!self.keeps_archive() || state.archive[miner] == state.archive[miner - 1]);
                rest &= !(u32::from(alike) << miner);
            }
        }
        Members(rest as u8)
    }

    fn sort(&self, state: &mut State) {
        // Insertion sort: at most seven miners, and nearly sorted already. Only those of equal weight and exposure trade places.
        for i in 1..self.honest() {
            let mut at = i;
            while at > 0
                && match state.miners[at].cmp(&state.miners[at - 1]) {
                    Ordering::Less => false,
                    Ordering::Equal => self.keeps_archive() && state.archive[at] > state.archive[at - 1],
                    Ordering::Greater => true,
                }
                && self.alike(at, at - 1)
            {
                state.miners.swap(at, at - 1);
                if self.keeps_archive() {
                    state.archive.swap(at, at - 1);
                }
                at -= 1;
            }
        }
        debug_assert!(state.miners[self.honest()..MAX_HONEST].iter().all(|m| m.0 == 0));
    }

    /// Whether everything can matter for ever: names, or what would be erased, are looked at again.
    #[inline]
    pub(crate) fn forgets_nothing(&self) -> bool {
        self.keeps_archive() || self.has(Fault::ParentUnchecked)
    }

    /// Erases what can matter no more.
    fn forget(&self, state: &mut State) {
        if self.forgets_nothing() {
            return;
        }
        let behind = self.behind(state);
        for miner in 0..self.honest() {
            self.forget_tickets_of(state, miner, behind);
        }
        self.forget_rounds(state, 1, behind);
        self.saturate(state);
    }

    /// The least (round, subround) in which an honest miner can still sign.
    #[inline]
    pub(crate) fn behind(&self, state: &State) -> (u8, u8) {
        const { assert!(MAX_SUBROUNDS < 8, "a subround and one more have three bits") };
        let signs_in = |m: &Miner| {
            // A miner that has timed out signs no ticket in that subround any more, but may have one to send.
            let done = m.timed_out() == 1 && m.unsent() == 0;
            m.position() + u32::from(done)
        };
        let split = |position: u32| ((position >> 3) as u8, (position & 7) as u8);
        let miners = state.miners[..self.honest()].iter();
        match self.floor(state) {
            None => miners.map(signs_in).min().map_or((1, 0), split),
            // In a sorted run nobody signs below the floor.
            Some(floor) if floor.voting => (floor.round, self.blocks.subrounds),
            Some(floor) if self.forgets_within() => (floor.round, floor.subround + u8::from(floor.timeouts)),
            Some(floor) => {
                let here = miners.filter(|m| m.round() as u8 >= floor.round).map(signs_in).min();
                here.map_or((floor.round, 0), split)
            }
        }
    }

    /// Of a round or subround that everyone has left, only what has become of its blocks remains; those before round
    /// `from` have been seen to.
    pub(crate) fn forget_rounds(&self, state: &mut State, from: u8, (behind, behind_subround): (u8, u8)) {
        let exact = self.committee.byzantine > self.committee.f;
        let asynchronous = matches!(self.network, Network::Async | Network::Lossy);
        let quorum = self.committee.quorum;
        for round in from..=behind.min(self.blocks.rounds) {
            let left = round < behind;
            if left {
                for subround in 0..MAX_SUBROUNDS as u8 {
                    *state.timeout_mut(round, subround) = Default::default();
                }
                if asynchronous {
                    for entry in self.entries(round) {
                        state.clear_presence(entry);
                    }
                }
            }
            if exact || !self.reductions.eager || !self.counts_genuine() {
                continue;
            }
            let waiting = self.awaits_jumps(state, round);
            for block in self.blocks.of_round(round) {
                if !left && self.blocks.place(block).subround >= behind_subround {
                    continue;
                }
                if !self.notarized(state, block) {
                    if self.reductions.byzantine_available && (left || asynchronous) {
                        *state.block_mut(block) = Default::default();
                    }
                } else if left && self.reductions.byzantine_available {
                    let byzantine = self.committee.byzantine;
                    let enough = |honest: u32, any: bool| match (honest >= quorum, any) {
                        (true, _) => quorum,
                        (false, true) => quorum.saturating_sub(byzantine),
                        (false, false) => 0,
                    };
                    let tickets = enough(state.block(block).tickets(), true);
                    let votes = enough(state.block(block).votes(), self.votes(state, block) >= quorum);
                    let undecided = waiting && votes == 0;
                    let tally = state.block_mut(block);
                    tally.set_tickets(tickets);
                    if !undecided {
                        tally.set_votes(votes);
                    }
                }
            }
        }
    }

    /// A miner's tickets matter for its rule in the present subround, and for its vote: which is cast for the only
    /// block that it ticketed. Once there are two of them, or the one can be notarized no more, which does not matter.
    #[inline]
    fn forget_tickets_of(&self, state: &mut State, miner: usize, behind: (u8, u8)) {
        let m = state.miners[miner];
        if m.tickets() == 0 || m.round() as u8 > self.blocks.rounds {
            return;
        }
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let here = self.blocks.mask(round, subround);
        let signed = m.tickets() as u16;
        if !self.rules.votes() {
            // Without votes, tickets of an earlier subround of the round are behind the miner, also while one waits to
            // be sent, or a state reached by names would not have the representative that was explored.
            state.miners[miner].set_tickets(u32::from(signed & here));
            return;
        }
        let exact = !self.rules.tickets_once()
            || !self.votes_as_specified()
            || !self.counts_genuine()
            || !self.reductions.eager
            || !self.reductions.byzantine_available;
        // Where S1 is broken, let it be seen.
        if exact || (signed & here).count_ones() > 1 || m.spent() == 1 && signed & here != 0 {
            return;
        }
        if m.unsent() != 0 {
            // The ticket that waits is one of them; beside another one, which it can be since an earlier subround, it
            // spoils the vote, and which the other one was does not matter.
            if m.spoiled() == 1 || signed.count_ones() > 1 {
                state.miners[miner].set_spoiled(1);
                state.miners[miner].set_tickets(1 << (m.unsent() - 1));
            }
            return;
        }
        let only = self.blocks.at(round, signed.trailing_zeros() as u8);
        let dead = (round, self.blocks.place(only).subround) < behind && !self.notarized(state, only);
        let m = &mut state.miners[miner];
        if m.spoiled() == 1 || signed.count_ones() > 1 || dead {
            m.set_spoiled(1);
            m.set_spent(u32::from(signed & here != 0 || m.spent() == 1));
            m.set_tickets(0);
        }
    }

    /// Whether tallies are only ever compared with thresholds, from below: in an asynchronous network, where every
    /// Byzantine message is there, and no culprits are counted.
    #[inline]
    fn saturates(&self) -> bool {
        matches!(self.network, Network::Async | Network::Lossy)
            && self.committee.byzantine <= self.committee.f
            && self.reductions.byzantine_available
            && self.reductions.eager
            && self.counts_genuine()
    }

    /// Honest signers beyond which one more of them changes nothing.
    #[inline]
    fn enough(&self) -> u32 {
        self.committee.quorum.saturating_sub(self.committee.byzantine)
    }

    fn saturate(&self, state: &mut State) {
        if !self.saturates() {
            return;
        }
        for block in self.blocks.all() {
            self.saturate_block(state, block);
            self.saturate_presence(state, block);
        }
        self.saturate_presence(state, GENESIS);
        self.saturate_timeouts(state);
    }

    #[inline]
    fn saturate_timeouts(&self, state: &mut State) {
        if self.saturates() {
            let enough = self.enough();
            for tally in &mut state.timeouts[..self.blocks.rounds as usize * MAX_SUBROUNDS] {
                tally.set_honest(tally.honest().min(enough));
            }
        }
    }

    #[inline]
    fn saturate_block(&self, state: &mut State, block: BlockId) {
        if self.saturates() {
            let enough = self.enough();
            let tally = state.block_mut(block);
            tally.set_tickets(tally.tickets().min(enough));
            tally.set_votes(tally.votes().min(enough));
        }
    }

    /// Presence is compared with the beacon threshold, and with how many honest generators a subround has.
    #[inline]
    fn saturate_presence(&self, state: &mut State, entry: BlockId) {
        if self.saturates() {
            let committee = &self.committee;
            let shares = committee.beacon_threshold.saturating_sub(committee.byzantine);
            state.cap_present(entry, shares.max(self.blocks.most_honest()));
        }
    }
}

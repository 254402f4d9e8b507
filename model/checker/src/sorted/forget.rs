//! The parts of a state that a sorted run may forget (Lemma 4): all that only steps below the floor would read.

use super::Floor;
use crate::{
    blocks::{BlockId, MAX_SUBROUNDS},
    fault::Fault,
    protocol::Protocol,
    state::{Archive, Miner, State},
};

impl Protocol {
    /// Whether a sorted run also forgets within the present round: where subrounds are entered with a certificate from any
    /// lower one, tickets and proposals of a lower subround are then settled, and nobody forgets what it signed.
    #[inline]
    pub(crate) fn forgets_within(&self) -> bool {
        self.reductions.counting
            && (self.crashes == 0 || self.rules.is_durable())
            && !self.rules.chained()
            && self.takes_certificates()
            && self.counts_genuine()
            && !self.has(Fault::ParentUnchecked)
    }

    /// Before the other reductions: where miners are, and the past by name.
    pub(crate) fn forget_below_floor(&self, state: &mut State) {
        let Some(floor) = self.floor(state).filter(|_| self.reductions.counting) else { return };
        for miner in 0..self.honest() {
            let m = state.miners[miner];
            if (m.round() as u8) < floor.round {
                state.miners[miner] = self.left_behind(state, m, floor);
            } else if m.round() as u8 == floor.round && floor.voting {
                state.miners[miner] = self.about_to_leave(m);
            } else if m.round() as u8 == floor.round && self.forgets_within() {
                state.miners[miner] = self.below_within(m, floor);
            }
            if self.keeps_archive() {
                forget_archive(&mut state.archive[miner], floor);
            }
        }
        if self.has(Fault::ParentUnchecked) {
            return;
        }
        if self.keeps_archive() {
            self.forget_rounds(state, 1, (floor.round, 0));
        }
        let round = floor.round.min(self.blocks.rounds + 1);
        if round > self.blocks.rounds || !floor.voting && !self.forgets_within() {
            return;
        }
        let subrounds = if floor.voting { self.blocks.subrounds + 1 } else { floor.subround };
        for subround in 0..subrounds.saturating_sub(1).min(MAX_SUBROUNDS as u8) {
            *state.timeout_mut(round, subround) = Default::default();
        }
        if !floor.voting && floor.subround > 0 {
            let before = floor.subround - 1;
            let certified = self.timeout_certified(state, round, before);
            let enough = self.committee.quorum.saturating_sub(self.committee.byzantine);
            state.timeout_mut(round, before).set_honest(if certified { enough } else { 0 });
        }
        self.forget_presence(state, floor);
    }

    /// A miner of a round below that of the floor can only jump from there, and vote. Which round it was in decides W9 alone.
    fn left_behind(&self, state: &State, m: Miner, floor: Floor) -> Miner {
        let mut left = Miner::default();
        left.set_crashed(m.crashed());
        // In the layer of votes it does what a miner does that is in the round and has ticketed nothing.
        let last = if floor.voting { floor.round } else { floor.round - 1 };
        left.set_round(last.into());
        if !self.remembers_rounds() {
            return left;
        }
        let undecided = (m.round() as u8..floor.round).find(|&round| !self.never_final_decided(state, round));
        let Some(round) = undecided else { return left };
        left.set_round(round.into());
        if u32::from(round) == m.round() {
            left.set_tickets(m.tickets());
            left.set_spoiled(m.spoiled());
        }
        left
    }

    /// Whether W9 of `round`, which lies below the floor, waits for miners that were left behind to jump over it.
    pub(crate) fn awaits_jumps(&self, state: &State, round: u8) -> bool {
        state.environment.floor() != 0
            && self.remembers_rounds()
            && state.miners[..self.honest()].iter().any(|m| m.round() as u8 <= round)
    }

    /// Whether W9 of a round below the floor is decided: a block of it has, or can have by Byzantine help, enough votes.
    fn never_final_decided(&self, state: &State, round: u8) -> bool {
        self.blocks.of_round(round).any(|b| self.votes(state, b) >= self.committee.quorum)
    }

    /// In the layer of votes a miner of the round can only leave, and votes as its tickets let it.
    fn about_to_leave(&self, m: Miner) -> Miner {
        let mut left = Miner::default();
        left.set_crashed(m.crashed());
        left.set_round(m.round());
        if self.rules.votes() {
            left.set_tickets(m.tickets());
            left.set_spoiled(m.spoiled());
        }
        left
    }

    /// A miner of the floor's round that is not in its subround can no longer sign in its own. One that is in the last
    /// subround enters no other.
    fn below_within(&self, m: Miner, floor: Floor) -> Miner {
        let mut kept = m;
        if m.subround() as u8 != floor.subround {
            kept = self.about_to_leave(m);
            kept.set_entry(m.entry());
        } else if floor.subround + 1 == self.blocks.subrounds {
            kept.set_entry(0);
        }
        kept
    }

    /// After the other reductions: a miner below the floor's subround has no ticket there, and in the layer of votes none of the round
    /// signs one.
    pub(crate) fn forget_behind_in_round(&self, state: &mut State) {
        let Some(floor) = self.floor(state) else { return };
        for m in &mut state.miners[..self.honest()] {
            let round = m.round() as u8;
            let here = round == floor.round && m.subround() as u8 == floor.subround;
            if round < floor.round || round == floor.round && (floor.voting || self.forgets_within() && !here)
            {
                m.set_spent(0);
            }
        }
    }

    /// Shares of a round are all sent when its first ticket is: they are enough or not. Presence in a subround matters for
    /// its proposals.
    fn forget_presence(&self, state: &mut State, floor: Floor) {
        let entries = || self.entries(floor.round);
        if floor.voting {
            for entry in entries() {
                state.clear_presence(entry);
            }
            return;
        }
        if floor.subround == 0 {
            return;
        }
        for entry in entries() {
            for subround in 1..floor.subround {
                state.set_present(entry, subround, 0);
            }
        }
        let sent: u32 = entries().map(|entry| state.present(entry, 0)).sum();
        let needed = self.committee.beacon_threshold.saturating_sub(self.committee.byzantine);
        let first: Option<BlockId> = entries().next();
        for entry in entries() {
            let count = if Some(entry) == first && sent >= needed { needed } else { 0 };
            state.set_present(entry, 0, count);
        }
    }
}

/// Nobody signs in a lower round again, so no message of it comes twice.
fn forget_archive(archive: &mut Archive, floor: Floor) {
    for round in 0..usize::from(floor.round - 1).min(archive.tickets.len()) {
        archive.tickets[round] = 0;
        archive.votes[round] = 0;
        archive.timeouts[round] = 0;
    }
}

//! Steps 6 to 8: q tickets make a notarization, it is broadcast and relayed, and each receiver leaves the round.
//!
//! Collecting, broadcasting and relaying only make a message exist that q tickets imply, so under the `eager`
//! reduction a notarization exists as soon as its tickets do. Receiving is the guard of [`Action::Leave`].

use super::{Action, Blocked, Guard, Seen, require};
use crate::{
    blocks::{BlockId, BlockSet},
    fault::Fault,
    protocol::Protocol,
    state::{Miner, State, position},
};

impl Protocol {
    pub(super) fn notarization_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        if !self.reductions.eager {
            for block in self.blocks.all() {
                self.offer(state, Action::Notarize { block }, out);
            }
        }
        for miner in seen.miners {
            if !self.active(state, miner) {
                continue;
            }
            let m = &state.miners[miner];
            let (round, subround) = (m.round() as u8, m.subround() as u8);
            // Only a relabelled notarization is accepted in a later round than its own.
            let latest = if self.has(Fault::LabelUnchecked) {
                seen.notarized
            } else if self.rules.chained() {
                seen.notarized.from_round(&self.blocks, round - 1)
            } else {
                seen.notarized.from_round(&self.blocks, round)
            };
            if latest == BlockSet::default() {
                continue;
            }
            let miner = miner as u8;
            let lazy = self.times_out_and_leaves(state)
                && self.may_time_out(state, miner).is_ok()
                && !self.timeout_certified(state, round, subround);
            for block in latest.iter() {
                if self.blocks.round(block) >= round {
                    if self.votes_in_order(state, block) {
                        out.push(Action::Leave { miner, block });
                    }
                    if lazy {
                        out.push(Action::TimeoutThenLeave { miner, block });
                    }
                }
                if self.has(Fault::VotesWithoutLeaving) {
                    self.offer(state, Action::VoteWithoutLeaving { miner, block }, out);
                }
                if self.has(Fault::LabelUnchecked) {
                    self.offer(state, Action::LeaveRelabelled { miner, block }, out);
                }
                if self.rules.chained() {
                    self.offer(state, Action::Adopt { miner, block }, out);
                }
            }
        }
        if !self.reductions.byzantine_available && self.rules.votes() {
            for byzantine in 0..self.committee.byzantine as u8 {
                for block in self.blocks.all() {
                    self.offer(state, Action::ByzantineVote { byzantine, block }, out);
                }
            }
        }
    }

    pub(super) fn notarize_enabled(&self, state: &State, block: BlockId) -> Result<(), Blocked> {
        require(!self.reductions.eager, Guard::NotInRules)?;
        self.known(block)?;
        require(state.block(block).notarized() == 0, Guard::Done)?;
        require(self.notarizable(state, block), Guard::NotNotarized)
    }

    pub(super) fn leave_enabled(&self, state: &State, miner: u8, block: BlockId) -> Result<(), Blocked> {
        let miner = self.acting(state, miner)?;
        self.known(block)?;
        require(u32::from(self.blocks.round(block)) >= state.miners[miner].round(), Guard::OtherRound)?;
        require(self.notarized(state, block), Guard::NotNotarized)
    }

    pub(super) fn leave_apply(&self, next: &mut State, miner: usize, block: BlockId) {
        let m = next.miners[miner];
        let round = self.blocks.round(block);
        let ticketed_no_other = if u32::from(round) > m.round() {
            // It has been there only if it restarted behind; then its log knows.
            !self.restarts_behind || self.logged_no_other(next, miner, block)
        } else {
            self.ticketed_no_other(&m, block)
        };
        let votes = !self.vote_logged(next, miner, round)
            && self.rules.votes()
            && match self.fault {
                Some(Fault::VotesAfterOtherTicket) => true,
                Some(Fault::VotesWithoutLeaving) => ticketed_no_other && m.voted() == 0,
                _ => ticketed_no_other,
            };
        if votes {
            if !ticketed_no_other {
                next.environment.set_contradicted(1);
            }
            self.vote(next, miner, block);
        }
        self.enter_round(next, miner, round + 1, block);
    }

    /// Whether every block that the miner ticketed in its round, over all subrounds, is `block`; none is fine.
    pub(crate) fn ticketed_no_other(&self, m: &Miner, block: BlockId) -> bool {
        m.spoiled() == 0 && m.tickets() & !(1 << self.blocks.place(block).local) == 0
    }

    /// The same of a round that the miner jumps over, by its log.
    fn logged_no_other(&self, state: &State, miner: usize, block: BlockId) -> bool {
        let place = self.blocks.place(block);
        state.archive[miner].tickets[place.round as usize - 1] & !(1 << place.local) == 0
    }

    fn vote(&self, next: &mut State, miner: usize, block: BlockId) {
        if self.keeps_archive() {
            let place = self.blocks.place(block);
            let sent = &mut next.archive[miner].votes[place.round as usize - 1];
            if *sent >> place.local & 1 == 1 {
                return;
            }
            *sent |= 1 << place.local;
        }
        let tally = next.block_mut(block);
        tally.set_votes(tally.votes() + self.weight(miner));
    }

    /// Step 1 of the next round: everything about the round before is behind the miner.
    fn enter_round(&self, next: &mut State, miner: usize, round: u8, through: BlockId) {
        self.keep_unsent(next, miner);
        let logged = (self.restarts_behind && round <= self.blocks.rounds).then(|| {
            (
                next.archive[miner].tickets[round as usize - 1],
                next.archive[miner].timeouts[round as usize - 1],
            )
        });
        let m = &mut next.miners[miner];
        let reached = m.reached();
        *m = Default::default();
        m.set_round(round.into());
        m.set_entry(position(&self.blocks, through));
        m.set_reached(reached);
        if let Some((tickets, timeouts)) = logged {
            m.set_tickets(tickets.into());
            m.set_timed_out((timeouts & 1).into());
        }
        if self.reductions.eager {
            self.announce(next, miner);
        }
    }

    /// Whether a timeout and leaving the round are merged; in a sorted run they are not.
    fn times_out_and_leaves(&self, state: &State) -> bool {
        self.reductions.lazy && self.takes_certificates() && state.environment.floor() == 0
    }

    pub(super) fn timeout_then_leave_enabled(
        &self,
        state: &State,
        miner: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(self.reductions.lazy, Guard::NotInRules)?;
        self.leave_enabled(state, miner, block)?;
        self.may_time_out(state, miner)?;
        let m = &state.miners[miner as usize];
        require(self.takes_certificates(), Guard::NotInRules)?;
        require(!self.timeout_certified(state, m.round() as u8, m.subround() as u8), Guard::Done)
    }

    pub(super) fn vote_without_leaving_enabled(
        &self,
        state: &State,
        miner: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(self.has(Fault::VotesWithoutLeaving), Guard::NotInRules)?;
        self.leave_enabled(state, miner, block)?;
        let m = &state.miners[miner as usize];
        require(m.voted() == 0, Guard::Done)?;
        require(u32::from(self.blocks.round(block)) == m.round(), Guard::OtherRound)?;
        require(self.ticketed_no_other(m, block), Guard::TicketRule)
    }

    pub(super) fn vote_without_leaving_apply(&self, next: &mut State, miner: usize, block: BlockId) {
        next.miners[miner].set_voted(1);
        self.vote(next, miner, block);
    }

    pub(super) fn leave_relabelled_enabled(
        &self,
        state: &State,
        miner: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(self.has(Fault::LabelUnchecked), Guard::NotInRules)?;
        let miner = self.acting(state, miner)?;
        self.known(block)?;
        require(u32::from(self.blocks.round(block)) < state.miners[miner].round(), Guard::OtherRound)?;
        require(self.notarized(state, block), Guard::NotNotarized)
    }

    /// The miner takes the notarization for one of its own round, and the block for the first one there.
    pub(super) fn leave_relabelled_apply(&self, next: &mut State, miner: usize) {
        let round = next.miners[miner].round() as u8;
        next.environment.set_mislabelled(1);
        self.enter_round(next, miner, round + 1, self.blocks.at(round, 0));
    }

    /// `Adopt` under a chained beacon: of two notarized blocks of the round before, the one whose seed is greater
    /// (oldest subround first) wins, so that miners that know the same blocks end with the same seed.
    pub(super) fn adopt_enabled(&self, state: &State, miner: u8, block: BlockId) -> Result<(), Blocked> {
        require(self.rules.chained() && self.rules.adopts(), Guard::NotInRules)?;
        let miner = self.acting(state, miner)?;
        self.known(block)?;
        let m = &state.miners[miner];
        require(u32::from(self.blocks.round(block)) + 1 == m.round(), Guard::OtherRound)?;
        require(self.notarized(state, block), Guard::NotNotarized)?;
        require(self.seed(state, block) > self.seed_of_miner(state, miner), Guard::OtherSeed)
    }

    pub(super) fn adopt_apply(&self, next: &mut State, miner: usize, block: BlockId) {
        let m = &mut next.miners[miner];
        m.set_entry(position(&self.blocks, block));
        m.set_shared(0);
        m.set_selected(0);
        if self.reductions.eager {
            self.announce(next, miner);
        }
    }

    pub(super) fn byzantine_vote_enabled(
        &self,
        state: &State,
        byzantine: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(!self.reductions.byzantine_available && self.rules.votes(), Guard::NotInRules)?;
        require(u32::from(byzantine) < self.committee.byzantine, Guard::NoSuch)?;
        self.known(block)?;
        let tally = state.block(block);
        require(tally.parent() != 0, Guard::NotProposed)?;
        require(tally.byzantine_votes() >> byzantine & 1 == 0, Guard::Done)
    }
}

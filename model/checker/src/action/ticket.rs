//! Steps 3 to 5: a miner waits to collect proposals, picks the best, and signs a ticket for it.
//!
//! In an asynchronous network any proposal may arrive late, so any valid one can be the best that arrived: the window
//! and the pick leave no trace but the ticket. In a synchronous one the window is a timer (`good_period.rs`).

use super::{Action, Blocked, Guard, Seen, require};
use crate::{
    blocks::{BlockId, Generator},
    protocol::Protocol,
    state::{State, position},
};

impl Protocol {
    pub(super) fn ticket_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        for miner in seen.miners {
            if !self.active(state, miner) {
                continue;
            }
            let m = &state.miners[miner];
            let id = miner as u8;
            let (round, subround) = (m.round() as u8, m.subround() as u8);
            // The guards that are the same for all blocks come first, and the rule's before others: it is false most often.
            if !self.tickets_in_order(state, round, subround) {
                continue;
            }
            if m.unsent() != 0 {
                out.push(Action::SendTicket { miner: id });
                continue;
            }
            if m.timed_out() == 1
                || self.ticket_rule_spent(state, miner)
                || self.vote_logged(state, miner, round)
                || !self.beacon_known(state, miner)
            {
                continue;
            }
            for block in self.blocks.of_subround(round, subround) {
                if !self.reductions.eager {
                    self.offer(state, Action::Select { miner: id, block }, out);
                    if let Some(parent) = state.parent(&self.blocks, block) {
                        self.offer(state, Action::Ticket { miner: id, block, parent }, out);
                    }
                    continue;
                }
                if self.ticket_rule_allows(state, miner, block).is_err()
                    || self.eligible(state, miner, block).is_err()
                    || state.environment.synchronous() == 1
                        && self.window_may_close(state, miner, block).is_err()
                {
                    continue;
                }
                let fits = |parent: BlockId| {
                    self.acceptable_parent_of(state, seen.notarized, parent)
                        && self.extends_seed(state, miner, parent).is_ok()
                };
                let ticket = |parent: BlockId| Action::Ticket { miner: id, block, parent };
                match state.parent(&self.blocks, block) {
                    Some(parent) => {
                        if fits(parent) {
                            out.push(ticket(parent));
                        }
                    }
                    None => {
                        for parent in self.entries(round) {
                            if fits(parent) && self.could_be_proposed(state, block, parent) {
                                out.push(ticket(parent));
                            }
                        }
                    }
                }
            }
        }
        if !self.reductions.byzantine_available {
            for byzantine in 0..self.committee.byzantine as u8 {
                for block in self.blocks.all() {
                    self.offer(state, Action::ByzantineTicket { byzantine, block }, out);
                }
            }
        }
    }

    /// Whether the rule can allow no ticket at all any more in the miner's subround.
    fn ticket_rule_spent(&self, state: &State, miner: usize) -> bool {
        let m = &state.miners[miner];
        let here = self.blocks.mask(m.round() as u8, m.subround() as u8);
        (m.spent() == 1 || m.tickets() as u16 & here != 0) && self.rules.tickets_once()
    }

    pub(super) fn select_enabled(&self, state: &State, miner: u8, block: BlockId) -> Result<(), Blocked> {
        require(!self.reductions.eager, Guard::NotInRules)?;
        let selected = self.named(miner).map(|m| state.miners[m].selected())?;
        require(selected == 0, Guard::Done)?;
        self.known(block)?;
        let parent = state.parent(&self.blocks, block).ok_or(Guard::NotProposed)?;
        self.may_ticket(state, miner, block, parent)
    }

    pub(super) fn select_apply(&self, next: &mut State, miner: usize, block: BlockId) {
        next.miners[miner].set_selected(position(&self.blocks, block));
    }

    pub(super) fn ticket_enabled(
        &self,
        state: &State,
        miner: u8,
        block: BlockId,
        parent: BlockId,
    ) -> Result<(), Blocked> {
        self.may_ticket(state, miner, block, parent)?;
        let selected = state.miners[miner as usize].selected();
        require(self.reductions.eager || selected == position(&self.blocks, block), Guard::NotSelected)
    }

    /// The guards of steps 4 and 5.
    fn may_ticket(&self, state: &State, miner: u8, block: BlockId, parent: BlockId) -> Result<(), Blocked> {
        let miner = self.acting(state, miner)?;
        self.known(block)?;
        let (m, place) = (&state.miners[miner], self.blocks.place(block));
        require(u32::from(place.round) == m.round(), Guard::OtherRound)?;
        require(u32::from(place.subround) == m.subround(), Guard::OtherSubround)?;
        require(m.timed_out() == 0, Guard::TimedOut)?;
        require(m.unsent() == 0, Guard::Done)?;
        require(!self.vote_logged(state, miner, place.round), Guard::VoteLogged)?;
        self.ticket_rule_allows(state, miner, block)?;
        self.eligible(state, miner, block)?;
        match state.parent(&self.blocks, block) {
            Some(proposed) => require(proposed == parent, Guard::NotProposed)?,
            None => require(
                self.reductions.eager && self.could_be_proposed(state, block, parent),
                Guard::NotProposed,
            )?,
        }
        require(self.acceptable_parent(state, parent), Guard::ParentNotNotarized)?;
        self.extends_seed(state, miner, parent)?;
        require(self.beacon_known(state, miner), Guard::BeaconUnknown)?;
        if state.environment.synchronous() == 1 {
            self.window_may_close(state, miner, block)?;
        }
        Ok(())
    }

    /// A generator is eligible under the seed that the miner holds for the value of the beacon (S4).
    fn eligible(&self, state: &State, miner: usize, block: BlockId) -> Result<(), Blocked> {
        let outsider = self.blocks.place(block).generator == Generator::Outsider;
        require(outsider == (state.miners[miner].deceived() == 1), Guard::NotEligible)
    }

    /// Under a chained beacon, a block extends one with the seed that the miner holds.
    fn extends_seed(&self, state: &State, miner: usize, parent: BlockId) -> Result<(), Blocked> {
        let same = !self.rules.chained() || self.seed(state, parent) == self.seed_of_miner(state, miner);
        require(same, Guard::OtherSeed)
    }

    /// Rule `ticket` (S1).
    fn ticket_rule_allows(&self, state: &State, miner: usize, block: BlockId) -> Result<(), Blocked> {
        let (m, place) = (&state.miners[miner], self.blocks.place(block));
        let signed = m.tickets() as u16;
        let mine = || {
            self.blocks
                .of_subround(place.round, place.subround)
                .filter(move |&b| signed >> self.blocks.place(b).local & 1 == 1)
        };
        let (rule, rank) = (self.rules.ticket, self.blocks.rank(block));
        let allowed = m.spent() == 0
            && mine().all(|b| b != block)
            && rule.allows(mine().map(|b| self.blocks.rank(b)), rank);
        require(allowed, Guard::TicketRule)
    }

    pub(super) fn ticket_apply(&self, next: &mut State, miner: usize, block: BlockId, parent: BlockId) {
        if next.block(block).parent() == 0 {
            self.materialize(next, block, parent);
        }
        let local = self.blocks.place(block).local;
        let writes_first = self.writes_before_sending();
        let m = &mut next.miners[miner];
        m.set_tickets(m.tickets() | 1 << local);
        m.set_selected(0);
        if writes_first {
            m.set_unsent(u32::from(local) + 1);
        } else {
            self.send_ticket(next, miner, block);
        }
    }

    pub(super) fn send_ticket_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        let miner = self.acting(state, miner)?;
        require(state.miners[miner].unsent() != 0, Guard::NothingToSend)
    }

    /// A ticket that `miner` leaves behind unsent is in its log all the same, which only a restart behind reads again.
    pub(super) fn keep_unsent(&self, next: &mut State, miner: usize) {
        let m = &next.miners[miner];
        if self.restarts_behind && m.unsent() != 0 {
            next.archive[miner].tickets[m.round() as usize - 1] |= 1 << (m.unsent() - 1);
        }
    }

    pub(super) fn send_ticket_apply(&self, next: &mut State, miner: usize) {
        let m = &mut next.miners[miner];
        let block = self.blocks.at(m.round() as u8, m.unsent() as u8 - 1);
        m.set_unsent(0);
        m.set_resent(m.recovered());
        self.send_ticket(next, miner, block);
    }

    fn send_ticket(&self, next: &mut State, miner: usize, block: BlockId) {
        if next.miners[miner].voted() == 1 {
            next.environment.set_contradicted(1);
        }
        if self.keeps_archive() {
            let place = self.blocks.place(block);
            let sent = &mut next.archive[miner].tickets[place.round as usize - 1];
            if *sent >> place.local & 1 == 1 {
                return;
            }
            *sent |= 1 << place.local;
        }
        let tally = next.block_mut(block);
        tally.set_tickets(tally.tickets() + self.weight(miner));
    }

    pub(super) fn byzantine_ticket_enabled(
        &self,
        state: &State,
        byzantine: u8,
        block: BlockId,
    ) -> Result<(), Blocked> {
        require(!self.reductions.byzantine_available, Guard::NotInRules)?;
        require(u32::from(byzantine) < self.committee.byzantine, Guard::NoSuch)?;
        self.known(block)?;
        let tally = state.block(block);
        require(tally.parent() != 0, Guard::NotProposed)?;
        require(tally.byzantine_tickets() >> byzantine & 1 == 0, Guard::Done)
    }
}

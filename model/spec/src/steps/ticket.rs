//! Steps 3 to 5. **Collect** proposals until the window closes. **Select** the best rank among the valid proposals of
//! (r, s). **Ticket** the selected block: a signature over the block, at most one in (r, s), written to the log before it
//! leaves. A late proposal may still be ticketed after the window, if none was.
//!
//! A proposal is valid if its generator is eligible, its parent is notarized in exactly r - 1, and it was made under the
//! miner's seed. In an asynchronous network every better proposal may be late, so any valid one can be the best that
//! arrived in time. In a synchronous one the window is a timer (`good_period`).
//!
//! Writing to the log and sending are two steps where the log is durable and miners crash, so that a crash can come
//! between them (W6). Timeout votes and finality votes are written and sent in one step: a crash between would look like a
//! message that is late, or a log record that no peer knows.

use super::{Blocked, require};
use crate::{
    block::{Block, Generator},
    fault::Fault,
    instance::{Crashes, Instance},
    state::{Miner, State},
};
use zus_protocol::{
    ids::MinerId,
    rules::{ParentRule, TicketLogRule, TicketRule},
};

impl Instance {
    /// Step 4: whether `miner` may sign a ticket for `block`.
    fn may_ticket(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        let m = self.acting(state, miner)?;
        self.place_of(&block)?;
        require(block.round == m.round, Blocked::OtherRound)?;
        require(block.subround == m.subround, Blocked::OtherSubround)?;
        require(!m.timed_out(), Blocked::TimedOut)?;
        require(m.unsent.is_none(), Blocked::Done)?;
        require(!self.has_voted(m), Blocked::VoteLogged)?;
        require(self.ticket_rule_allows(m, block), Blocked::TicketRule)?;
        require(self.takes_for_eligible(m, block), Blocked::NotEligible)?;
        let &parent = state.sent.blocks.get(&block).ok_or(Blocked::NotProposed)?;
        require(self.acceptable_parent(state, parent), Blocked::ParentNotNotarized)?;
        require(self.seed(state, parent) == self.seed_of(state, miner), Blocked::OtherSeed)?;
        require(self.beacon_known(state, miner), Blocked::BeaconUnknown)
    }

    /// Whether the miner's log says that it voted in its round, and so has left it.
    pub(super) fn has_voted(&self, m: &Miner) -> bool {
        m.voted_in(m.round) && !self.has(Fault::VotesWithoutLeaving)
    }

    /// Rule `ticket` (S1).
    fn ticket_rule_allows(&self, m: &Miner, block: Block) -> bool {
        match self.rules.ticket {
            TicketRule::OncePerSubround => m.tickets_here().next().is_none(),
            TicketRule::BetterRank => m.tickets_here().all(|mine| block.rank < mine.rank),
            TicketRule::BetterOrEqualRank => {
                m.tickets_here().all(|mine| block != *mine && block.rank <= mine.rank)
            }
        }
    }

    /// Whether the order that the miner holds for the right one selects the generator (S4).
    fn takes_for_eligible(&self, m: &Miner, block: Block) -> bool {
        (block.generator == Generator::Outsider) == m.deceived
    }

    /// Rule `parent` (S3). Any miner may know of the head of an observer.
    fn acceptable_parent(&self, state: &State, parent: Block) -> bool {
        if self.has(Fault::ParentUnchecked) {
            return state.proposed(&parent);
        }
        state.notarized(&parent)
            && match self.rules.parent {
                ParentRule::Notarized => true,
                ParentRule::OnFinalizedHead => state.heads.iter().all(|&head| state.compatible(parent, head)),
            }
    }

    pub(super) fn select_enabled(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        require(self.named(state, miner)?.selected.is_none(), Blocked::Done)?;
        self.may_ticket(state, miner, block)?;
        self.window_may_close(state, miner, block)
    }

    pub(super) fn select_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        state.miner_mut(miner).selected = Some(block);
    }

    pub(super) fn ticket_enabled(&self, state: &State, miner: MinerId, block: Block) -> Result<(), Blocked> {
        self.may_ticket(state, miner, block)?;
        require(state.miner(miner).selected == Some(block), Blocked::NotSelected)
    }

    pub(super) fn ticket_apply(&self, state: &mut State, miner: MinerId, block: Block) {
        let m = state.miner_mut(miner);
        m.selected = None;
        m.log.tickets.insert(block);
        if self.writes_before_sending() {
            m.unsent = Some(block);
        } else {
            state.sent.tickets.entry(block).or_default().insert(miner);
        }
    }

    /// Whether a crash can come between the log and the message.
    pub fn writes_before_sending(&self) -> bool {
        self.crashes != Crashes::Never
            && match self.rules.ticket_log {
                TicketLogRule::Durable => true,
                TicketLogRule::Volatile => false,
            }
    }

    pub(super) fn send_ticket_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        require(self.acting(state, miner)?.unsent.is_some(), Blocked::NothingToSend)
    }

    pub(super) fn send_ticket_apply(&self, state: &mut State, miner: MinerId) {
        let m = state.miner_mut(miner);
        m.resent = m.restarted;
        if let Some(block) = m.unsent.take() {
            state.sent.tickets.entry(block).or_default().insert(miner);
        }
    }

    pub(super) fn byzantine_ticket_enabled(
        &self,
        state: &State,
        member: MinerId,
        block: Block,
    ) -> Result<(), Blocked> {
        self.byzantine_member(member)?;
        self.place_of(&block)?;
        require(state.proposed(&block), Blocked::NotProposed)?;
        require(!state.sent.tickets_for(&block).any(|by| *by == member), Blocked::Done)
    }

    pub(super) fn byzantine_ticket_apply(&self, state: &mut State, member: MinerId, block: Block) {
        state.sent.tickets.entry(block).or_default().insert(member);
    }
}

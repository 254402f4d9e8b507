//! Step 9. **Time out** after the window and the wait for tickets, without a notarization: stop ticketing (r, s), and
//! broadcast a timeout vote. `f + 1` timeout votes make others join. `q` make a timeout certificate, which is relayed and
//! lets everybody enter (r, s + 1). Subrounds are unbounded, and waits grow.
//!
//! In an asynchronous network a timer may fire at any moment, so that joining is a timeout like any other. Under `Local`
//! there is no vote: the own timeout lets a miner enter the next subround.

use super::{Blocked, require};
use crate::{fault::Fault, instance::Instance, state::State};
use zus_protocol::{
    ids::{MinerId, Round, Subround},
    rules::SubroundEntryRule,
};

impl Instance {
    /// Whether subrounds are entered with a certificate of timeout votes.
    pub fn timeouts_are_votes(&self) -> bool {
        match self.rules.subround_entry {
            SubroundEntryRule::Certificate => true,
            SubroundEntryRule::Local => false,
        }
    }

    pub(crate) fn timeout_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        let m = self.acting(state, miner)?;
        require(!m.timed_out(), Blocked::TimedOut)?;
        require(!self.has_voted(m), Blocked::VoteLogged)?;
        self.timer_may_fire(state, miner)
    }

    pub(super) fn timeout_apply(&self, state: &mut State, miner: MinerId) {
        let (round, subround) = state.miner(miner).position();
        if !self.timeouts_are_votes() {
            return self.enter_subround_apply(state, miner, subround.next());
        }
        let m = state.miner_mut(miner);
        m.selected = None;
        m.log.timeouts.insert((round, subround));
        state.sent.timeouts.entry((round, subround)).or_default().insert(miner);
        if self.has(Fault::OwnSubroundOnly) {
            for m in state.miners.iter_mut().filter(|m| m.position() == (round, subround)) {
                m.timeouts_held.insert(miner);
            }
        }
    }

    /// Whether `q` members timed out of (round, subround).
    pub fn timeout_certified(&self, state: &State, round: Round, subround: Subround) -> bool {
        state.sent.timeouts_of(round, subround).count() >= self.quorum()
    }

    pub(super) fn enter_subround_enabled(
        &self,
        state: &State,
        miner: MinerId,
        subround: Subround,
    ) -> Result<(), Blocked> {
        require(self.timeouts_are_votes(), Blocked::NotInRules)?;
        let m = self.acting(state, miner)?;
        require(subround > m.subround, Blocked::OtherSubround)?;
        let left = Subround(subround.0 - 1);
        let sent = state.sent.timeouts_of(m.round, left);
        let certified = match self.fault {
            Some(Fault::OwnSubroundOnly) => {
                let recorded =
                    sent.filter(|by| !self.is_honest(**by) || m.timeouts_held.contains(by)).count();
                left == m.subround && (m.certificate_held || recorded >= self.quorum())
            }
            Some(Fault::WithoutCertificate) if !m.timed_out() && sent.clone().count() > self.tolerated() => {
                true
            }
            _ => self.timeout_certified(state, m.round, left),
        };
        require(certified, Blocked::NoTimeoutCertificate)
    }

    pub(super) fn enter_subround_apply(&self, state: &mut State, miner: MinerId, subround: Subround) {
        let round = state.miner(miner).round;
        if self.has(Fault::OwnSubroundOnly) && self.relays_timeouts() {
            // The miner relays the certificate. Others than those of the subround that it is about drop it.
            for m in state.miners.iter_mut().filter(|m| (m.round, m.subround.next()) == (round, subround)) {
                m.certificate_held = true;
            }
        }
        let m = state.miner_mut(miner);
        m.subround = subround;
        m.selected = None;
        m.unsent = None;
        m.restarted = false;
        m.resent = false;
        m.timeouts_held.clear();
        m.certificate_held = false;
        self.visit(state, miner);
    }

    pub(super) fn byzantine_timeout_enabled(
        &self,
        state: &State,
        member: MinerId,
        round: Round,
        subround: Subround,
    ) -> Result<(), Blocked> {
        require(self.timeouts_are_votes(), Blocked::NotInRules)?;
        self.byzantine_member(member)?;
        require(round > state.floor.round, Blocked::NoSuch)?;
        require(!state.sent.timeouts_of(round, subround).any(|by| *by == member), Blocked::Done)
    }

    pub(super) fn byzantine_timeout_apply(
        &self,
        state: &mut State,
        member: MinerId,
        round: Round,
        subround: Subround,
    ) {
        state.sent.timeouts.entry((round, subround)).or_default().insert(member);
    }
}

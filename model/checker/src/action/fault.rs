//! Crashes, restarts, and the moment at which the network becomes synchronous.

use super::{Action, Blocked, Guard, Seen, require};
use crate::{
    fault::Fault,
    protocol::{Network, Protocol},
    state::State,
};

impl Protocol {
    pub(super) fn fault_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        if self.crashes > 0 {
            for miner in seen.miners {
                let miner = miner as u8;
                self.offer(state, Action::Crash { miner }, out);
                self.offer(state, Action::Restart { miner }, out);
                self.offer(state, Action::RestartBehind { miner }, out);
            }
        }
        if self.network == Network::PartiallySynchronous {
            self.offer(state, Action::Synchronize, out);
        }
    }

    pub(super) fn crash_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        require(self.crashes > 0, Guard::NotInRules)?;
        let miner = self.named(miner)?;
        require(state.miners[miner].crashed() == 0, Guard::Down)?;
        require(state.environment.synchronous() == 0, Guard::Network)?;
        require(state.environment.crashes() < self.crashes, Blocked::Bound)
    }

    pub(super) fn crash_apply(&self, next: &mut State, miner: usize) {
        next.environment.set_crashes(next.environment.crashes() + 1);
        let m = &mut next.miners[miner];
        m.set_crashed(1);
        m.set_selected(0);
        if !self.rules.is_durable() {
            m.set_tickets(0);
            m.set_timed_out(0);
            m.set_voted(0);
            m.set_proposed(0);
        }
    }

    pub(super) fn restart_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        let miner = self.named(miner)?;
        require(state.miners[miner].crashed() == 1, Guard::Up)
    }

    /// It finds its round and subround again from its peers' certificates, and the rest in its log.
    pub(super) fn restart_apply(&self, next: &mut State, miner: usize) {
        next.miners[miner].set_crashed(0);
        next.miners[miner].set_recovered(1);
    }

    pub(super) fn restart_behind_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        require(self.restarts_behind, Guard::NotInRules)?;
        let miner = self.named(miner)?;
        require(state.miners[miner].crashed() == 1, Guard::Up)
    }

    /// It comes back in (1, 0) with its log, as if it had received no certificate. It sends no message a second time.
    pub(super) fn restart_behind_apply(&self, next: &mut State, miner: usize) {
        let reached = next.miners[miner].round().max(next.miners[miner].reached());
        self.keep_unsent(next, miner);
        let archive = next.archive[miner];
        let m = &mut next.miners[miner];
        *m = Default::default();
        m.set_round(1);
        m.set_reached(reached.min(u32::from(self.blocks.rounds)));
        m.set_tickets(archive.tickets[0].into());
        m.set_timed_out((archive.timeouts[0] & 1).into());
    }

    /// Whether its log keeps `miner` from signing in `round`: it has voted there, so it has left.
    pub(super) fn vote_logged(&self, state: &State, miner: usize, round: u8) -> bool {
        self.restarts_behind
            && !self.has(Fault::VotesVolatile)
            && state.archive[miner].votes[round as usize - 1] != 0
    }

    pub(super) fn synchronize_enabled(&self, state: &State) -> Result<(), Blocked> {
        require(self.network == Network::PartiallySynchronous, Guard::Network)?;
        require(state.environment.synchronous() == 0, Guard::Network)
    }

    pub(super) fn synchronize_apply(&self, next: &mut State) {
        let latest = next.miners[..self.honest()].iter().map(|m| m.round()).max().unwrap_or(1);
        next.environment.set_synchronous(1);
        // Nothing has happened yet in the rounds that are reserved for the good period.
        next.environment.set_stable_since(latest.min(u32::from(self.blocks.rounds - self.reserved_rounds)));
    }
}

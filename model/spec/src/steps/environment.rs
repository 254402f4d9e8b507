//! Events of the environment: crashes, restarts, and the moment at which the network becomes synchronous.
//!
//! Proposals, tickets, timeouts and votes are durable: a miner that restarts has its log. It finds its round and subround
//! again from the certificates of its peers, or, if nobody tells it, starts in the first round again and goes through the
//! rounds with its log. Under `Volatile` a crash empties the log.

use super::{Blocked, require};
use crate::{
    fault::Fault,
    instance::{Crashes, Instance, Network},
    state::{Log, Miner, State},
};
use std::mem;
use zus_protocol::{ids::MinerId, rules::TicketLogRule};

impl Instance {
    pub(super) fn crash_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        require(self.crashes != Crashes::Never, Blocked::NotInRules)?;
        self.acting(state, miner)?;
        require(state.synchronous.is_none(), Blocked::Network)
    }

    pub(super) fn crash_apply(&self, state: &mut State, miner: MinerId) {
        state.history.crashes += 1;
        let m = state.miner_mut(miner);
        m.up = false;
        m.selected = None;
        match self.rules.ticket_log {
            TicketLogRule::Durable => {}
            TicketLogRule::Volatile => m.log = Log::default(),
        }
        if self.has(Fault::VotesVolatile) {
            m.log.votes.clear();
        }
    }

    pub(super) fn restart_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        require(!self.named(state, miner)?.up, Blocked::Up)
    }

    pub(super) fn restart_apply(&self, state: &mut State, miner: MinerId) {
        let m = state.miner_mut(miner);
        m.up = true;
        m.restarted = true;
    }

    pub(super) fn restart_behind_enabled(&self, state: &State, miner: MinerId) -> Result<(), Blocked> {
        require(self.crashes == Crashes::RestartBehind, Blocked::NotInRules)?;
        self.restart_enabled(state, miner)
    }

    pub(super) fn restart_behind_apply(&self, state: &mut State, miner: MinerId) {
        let first = state.floor;
        let m = state.miner_mut(miner);
        *m = Miner::entered(first, mem::take(&mut m.log));
    }

    pub(super) fn synchronize_enabled(&self, state: &State) -> Result<(), Blocked> {
        let will_be = self.network == Network::PartiallySynchronous;
        require(will_be && state.synchronous.is_none(), Blocked::Network)
    }

    pub(super) fn synchronize_apply(&self, state: &mut State) {
        state.synchronous = state.miners.iter().map(|m| m.round).max();
    }
}

//! Step 9: a subround without a notarization times out, and a new subround with new generators begins.
//!
//! Timers may fire at any moment of an asynchronous network, so joining a timeout at f + 1 needs no action of its
//! own: it is a timeout. In a synchronous network it is one that must happen (`good_period.rs`).

use super::{Action, Blocked, Guard, Seen, require};
use crate::{fault::Fault, protocol::Protocol, state::State};

impl Protocol {
    pub(super) fn timeout_candidates(&self, state: &State, seen: &Seen, out: &mut Vec<Action>) {
        for miner in seen.miners {
            if !self.active(state, miner) {
                continue;
            }
            let m = &state.miners[miner];
            let id = miner as u8;
            if !self.reductions.lazy {
                self.offer(state, Action::Timeout { miner: id }, out);
            }
            if self.rules.enters_alone() {
                continue;
            }
            for subround in m.subround() as u8 + 1..=self.last_subround(state) {
                if self.tickets_in_order(state, m.round() as u8, subround)
                    && self.may_enter(state, miner, subround)
                {
                    out.push(Action::EnterSubround { miner: id, subround });
                }
            }
        }
        if self.reductions.lazy {
            for round in 1..=self.last_round(state) {
                for subround in 0..self.last_subround(state) {
                    self.timeout_sets(state, seen, (round, subround), out);
                }
            }
        }
        if !self.reductions.byzantine_available {
            for byzantine in 0..self.committee.byzantine as u8 {
                for round in 1..=self.blocks.rounds {
                    for subround in 0..self.blocks.subrounds {
                        self.offer(state, Action::ByzantineTimeout { byzantine, round, subround }, out);
                    }
                }
            }
        }
    }

    fn timeout_sets(&self, state: &State, seen: &Seen, (round, subround): (u8, u8), out: &mut Vec<Action>) {
        if self.in_order(state, &Action::TimeoutTogether { round, subround, miners: 0 }).is_err() {
            return;
        }
        // Where it is forgotten who timed out, one set stands for all.
        let any = state.environment.floor() != 0 && self.forgets_within() && self.timeouts_have_a_layer();
        let before = out.len();
        let present = (0..self.honest())
            .filter(|&m| {
                let miner = &state.miners[m];
                (miner.round(), miner.subround()) == (round.into(), subround.into())
                    && miner.timed_out() == 0
                    && miner.crashed() == 0
            })
            .fold(0u8, |set, m| set | 1 << m);
        // All of them are not enough: no set is.
        let all: u32 = (0..self.honest()).filter(|m| present >> m & 1 == 1).map(|m| self.weight(m)).sum();
        let tally = state.timeout(round, subround);
        if all + tally.honest() + self.byzantine_signers(tally.byzantine()) < self.committee.quorum {
            return;
        }
        let mut miners = present;
        // Of miners that stand for each other, the first ones.
        let first = seen.miners.0;
        while miners != 0 && !(any && out.len() > before) {
            if miners & !first & !(miners << 1) == 0 {
                self.offer(state, Action::TimeoutTogether { round, subround, miners }, out);
            }
            miners = (miners - 1) & present;
        }
    }

    /// Whether the miner has a timer that may run out in its subround.
    pub(crate) fn may_time_out(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        let miner = self.acting(state, miner)?;
        let m = &state.miners[miner];
        require(m.timed_out() == 0, Guard::TimedOut)?;
        require((m.subround() as u8) < self.last_subround(state), Blocked::Bound)?;
        require(!self.vote_logged(state, miner, m.round() as u8), Guard::VoteLogged)?;
        if state.environment.synchronous() == 1 { self.timer_may_fire(state, miner) } else { Ok(()) }
    }

    pub(super) fn timeout_enabled(&self, state: &State, miner: u8) -> Result<(), Blocked> {
        require(!self.reductions.lazy, Guard::NotInRules)?;
        self.may_time_out(state, miner)
    }

    pub(super) fn timeout_apply(&self, next: &mut State, miner: usize) {
        let m = next.miners[miner];
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        if self.rules.enters_alone() {
            self.enter_subround_apply(next, miner, subround + 1);
            return;
        }
        next.miners[miner].set_timed_out(1);
        next.miners[miner].set_selected(0);
        if self.keeps_archive() {
            let sent = &mut next.archive[miner].timeouts[round as usize - 1];
            if *sent >> subround & 1 == 1 {
                return;
            }
            *sent |= 1 << subround;
        }
        let weight = self.weight(miner);
        let tally = next.timeout_mut(round, subround);
        tally.set_honest(tally.honest() + weight);
        if self.has(Fault::OwnSubroundOnly) {
            for other in &mut next.miners {
                if (other.round(), other.subround()) == (m.round(), m.subround()) {
                    other.set_timeouts_held(other.timeouts_held() + weight);
                }
            }
        }
    }

    pub(super) fn timeout_together_enabled(
        &self,
        state: &State,
        round: u8,
        subround: u8,
        miners: u8,
    ) -> Result<(), Blocked> {
        require(self.reductions.lazy, Guard::NotInRules)?;
        require(miners != 0 && u32::from(miners) < 1 << self.honest(), Guard::NoSuch)?;
        require(
            (1..=self.blocks.rounds).contains(&round) && subround < self.blocks.subrounds,
            Guard::NoSuch,
        )?;
        let tally = state.timeout(round, subround);
        let mut count = tally.honest() + self.byzantine_signers(tally.byzantine());
        let mut least = u32::MAX;
        for miner in (0..self.honest() as u8).filter(|m| miners >> m & 1 == 1) {
            self.may_time_out(state, miner)?;
            let m = &state.miners[miner as usize];
            require(m.round() == u32::from(round), Guard::OtherRound)?;
            require(m.subround() == u32::from(subround), Guard::OtherSubround)?;
            count += self.weight(miner as usize);
            least = least.min(self.weight(miner as usize));
        }
        let quorum = self.committee.quorum;
        // Just enough: without any one of them there is no certificate.
        require(count >= quorum && count - least < quorum, Guard::NoTimeoutCertificate)
    }

    pub(super) fn byzantine_timeout_enabled(
        &self,
        state: &State,
        byzantine: u8,
        round: u8,
        subround: u8,
    ) -> Result<(), Blocked> {
        require(!self.reductions.byzantine_available, Guard::NotInRules)?;
        require(u32::from(byzantine) < self.committee.byzantine, Guard::NoSuch)?;
        require(
            (1..=self.blocks.rounds).contains(&round) && subround < self.blocks.subrounds,
            Guard::NoSuch,
        )?;
        require(!self.rules.enters_alone(), Guard::NotInRules)?;
        require(state.timeout(round, subround).byzantine() >> byzantine & 1 == 0, Guard::Done)
    }

    pub(super) fn enter_subround_enabled(
        &self,
        state: &State,
        miner: u8,
        subround: u8,
    ) -> Result<(), Blocked> {
        let miner = self.acting(state, miner)?;
        let m = &state.miners[miner];
        require(subround <= self.last_subround(state), Blocked::Bound)?;
        require(u32::from(subround) > m.subround(), Guard::OtherSubround)?;
        require(!self.rules.enters_alone(), Guard::NotInRules)?;
        require(self.may_enter(state, miner, subround), Guard::NoTimeoutCertificate)
    }

    /// Whether the miner has a certificate to enter `subround` of its round with.
    fn may_enter(&self, state: &State, miner: usize, subround: u8) -> bool {
        let m = &state.miners[miner];
        let round = m.round() as u8;
        match self.fault {
            Some(Fault::OwnSubroundOnly) => {
                u32::from(subround) == m.subround() + 1
                    && m.timeouts_held() + self.committee.byzantine >= self.committee.quorum
            }
            Some(Fault::WithoutCertificate) => {
                let tally = state.timeout(round, subround - 1);
                let sent = tally.honest() + self.byzantine_signers(tally.byzantine());
                self.timeout_certified(state, round, subround - 1)
                    || m.timed_out() == 0 && sent > self.committee.f
            }
            _ => self.timeout_certified(state, round, subround - 1),
        }
    }

    pub(super) fn enter_subround_apply(&self, next: &mut State, miner: usize, subround: u8) {
        let chained = self.rules.chained();
        let round = next.miners[miner].round();
        if self.has(Fault::OwnSubroundOnly) && self.echoes_timeouts() {
            // It relays the certificate: miners in the subround just left have it now, others drop it.
            for other in &mut next.miners {
                if (other.round(), other.subround() + 1) == (round, subround.into()) {
                    other.set_timeouts_held(other.timeouts_held().max(self.committee.quorum));
                }
            }
        }
        self.keep_unsent(next, miner);
        let logged =
            self.restarts_behind && next.archive[miner].timeouts[round as usize - 1] >> subround & 1 == 1;
        let m = &mut next.miners[miner];
        m.set_subround(subround.into());
        m.set_timed_out(logged.into());
        m.set_selected(0);
        m.set_unsent(0);
        m.set_spent(0);
        m.set_proposed(0);
        m.set_timeouts_held(0);
        m.set_recovered(0);
        m.set_resent(0);
        if chained {
            m.set_shared(0);
        }
        if self.reductions.eager {
            self.announce(next, miner);
        }
    }
}

//! Step 9: giving up a subround and entering the next.

use std::sync::Arc;

use super::leave::blame;
use super::{Audience, Effects, Event, Miner, Phase, Source, Stored};
use crate::certified::{TimeoutCertificate, Verified};
use crate::committee::Subround;
use crate::crypto::scheme::Scheme;
use crate::message::Message;
use crate::rules::SubroundEntryRule;
use crate::statement::Timeout;

impl<S: Scheme> Miner<S> {
    /// Stops ticketing the own subround. By certificate: says so and waits for `q` others; locally: enters the next.
    pub(super) fn time_out(&mut self, fx: &mut Effects<'_>) {
        let timeout = Timeout { round: self.round, subround: self.subround };
        self.phase = Phase::TimedOut;
        match self.config.rules.subround_entry {
            // The next one is entered when a restart cannot undo it: see `publish`.
            SubroundEntryRule::Local => {
                self.sign(timeout, fx);
            }
            SubroundEntryRule::Certificate => {
                if !self.ledger.is_closed(timeout.round) {
                    self.sign(timeout, fx);
                }
            }
        }
    }

    /// Counts the timeout votes for a subround of the own round: `q` make a certificate, `f + 1` make this miner join.
    pub(super) fn count_timeouts(&mut self, subround: Subround, fx: &mut Effects<'_>) {
        let round = self.round;
        if subround < self.subround || self.config.rules.enters_alone() {
            return;
        }
        let timeout = Timeout { round, subround };
        let Some(state) = self.rounds.get(round).and_then(|state| state.subround(subround)) else { return };
        let count = state.timeouts.count(&timeout);
        let joins = self.is_here(round, subround)
            && self.phase != Phase::TimedOut
            && count >= self.config.join_threshold();
        let quorum = self.config.quorum();
        if count >= quorum
            && let Some(certificate) = self.certify_timeouts(timeout, quorum, fx)
        {
            self.events.push_back(Event::TimeoutCertified(certificate, Source::Formed));
        } else if joins && self.certify_timeouts(timeout, self.config.join_threshold(), fx).is_some() {
            self.events.push_back(Event::Joined(round, subround));
        }
    }

    fn certify_timeouts(
        &mut self,
        timeout: Timeout,
        threshold: usize,
        fx: &mut Effects<'_>,
    ) -> Option<Verified<Arc<TimeoutCertificate>>> {
        let suspects = self.accounts.suspects(fx.now);
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let timeouts = &mut self.rounds.get_mut(timeout.round).subround_mut(timeout.subround).timeouts;
        let mut blamed = timeouts.verify_alone(&timeout, &suspects, committee, scheme);
        let certified = timeouts.certify(&timeout, threshold, committee, scheme, &mut blamed);
        blame(&blamed, fx);
        certified
    }

    /// Enters the subround after the one that the certificate gives up.
    pub(super) fn enter_by_certificate(
        &mut self,
        certificate: Verified<Arc<TimeoutCertificate>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        let Timeout { round, subround } = certificate.statement;
        self.store(Stored::TimeoutCertificate(Arc::clone(&certificate)), fx);
        if self.relays(source) {
            fx.broadcast(Audience::Miners, Message::TimeoutCertificate(Arc::clone(&certificate)));
        }
        self.enter(round, subround.next(), Some((certificate, source)), fx);
    }
}

//! Certificates: made of what was collected, compared with what is known.

use std::sync::Arc;

use crate::certified::{Certified, FinalityCertificate, Notarization, TimeoutCertificate, Verified};
use crate::committee::{Committee, MinerId};
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::miner::interface::{Milestone, Output};
use crate::miner::{Effects, Miner, Source};
use crate::signature_pool::SignaturePool;
use crate::statement::{FinalityVote, Statement, Ticket, Timeout};

/// Makes a certificate of the signatures in a pool for `statement`, when `threshold` of them are genuine. Those of `suspects`,
/// in order of member, are verified alone first. Signers of wrong ones are blamed.
pub(in crate::miner) fn certify<T: Statement, S: Scheme>(
    pool: &mut SignaturePool<T>,
    statement: &T,
    threshold: usize,
    suspects: &[MinerId],
    committee: &Committee,
    scheme: &S,
    fx: &mut Effects<'_>,
) -> Option<Verified<Arc<Certified<T>>>> {
    let mut blamed = pool.verify_alone(statement, suspects, committee, scheme);
    let certified = pool.certify(statement, threshold, committee, scheme, &mut blamed);
    fx.blame(&blamed);
    certified
}

impl<S: Scheme> Miner<S> {
    /// Counts what was collected of a round before it was entered.
    pub(in crate::miner) fn count_early_tickets(&mut self, fx: &mut Effects<'_>) {
        let Some(state) = self.rounds.get(self.round) else { return };
        let quorum = self.config.quorum();
        let claimed: Vec<Ticket> =
            state.subrounds.iter().flat_map(|state| state.tickets.claimed(quorum)).collect();
        for ticket in claimed {
            self.count_tickets(ticket, fx);
        }
    }

    /// Enters a notarization into the chain. Returns whether it is new.
    pub(in crate::miner) fn note(
        &mut self,
        notarization: &Verified<Arc<Notarization>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) -> bool {
        let ticket = notarization.statement;
        let known = self.chain.notarizations(ticket.round).iter();
        let rival = known
            .filter(|known| known.subround == ticket.subround && known.block != ticket.block)
            .map(|rival| Arc::clone(rival))
            .next();
        if let Some(first) = rival {
            self.accuse(Evidence::Notarizations { first, second: Arc::clone(notarization) }, fx);
        }
        let new = self.chain.notarize(notarization.clone());
        if new {
            fx.milestone(Milestone::Notarized { ticket, formed: source == Source::Formed });
        }
        new
    }

    pub(in crate::miner) fn certify_timeouts(
        &mut self,
        timeout: Timeout,
        threshold: usize,
        fx: &mut Effects<'_>,
    ) -> Option<Verified<Arc<TimeoutCertificate>>> {
        let suspects = self.accounts.suspects(fx.now);
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let timeouts = &mut self.rounds.get_mut(timeout.round).subround_mut(timeout.subround).timeouts;
        certify(timeouts, &timeout, threshold, &suspects, committee, scheme, fx)
    }

    /// A certificate at or below the head must be for a block of the own chain.
    pub(in crate::miner) fn check_against_head(
        &mut self,
        certificate: &Verified<Arc<FinalityCertificate>>,
        fx: &mut Effects<'_>,
    ) {
        let FinalityVote { round, block, .. } = certificate.statement;
        if self.chain.final_id(round).is_some_and(|own| own != block) {
            self.report_conflict(certificate, fx);
        }
    }

    pub(in crate::miner) fn report_conflict(
        &mut self,
        certificate: &Verified<Arc<FinalityCertificate>>,
        fx: &mut Effects<'_>,
    ) {
        let FinalityVote { round, block, .. } = certificate.statement;
        fx.out.push(Output::Conflict { round, block });
        if let Some(own) = self.chain.finality().filter(|own| own.round == round).map(|own| Arc::clone(own)) {
            let evidence = Evidence::FinalityCertificates { first: own, second: Arc::clone(certificate) };
            self.accuse(evidence, fx);
        }
        let finals = self.chain.finals().iter();
        let rival = finals
            .filter(|known| known.block.round() == round && known.block.id() != block)
            .find_map(|known| known.notarization.as_ref().map(Arc::clone));
        if let Some(notarization) = rival {
            let finality = Arc::clone(certificate);
            self.accuse(Evidence::NotarizationAgainstFinality { notarization, finality }, fx);
        }
    }
}

//! Step 10: finality, by votes or by one of the rules without votes.

use std::sync::Arc;

use super::leave::blame;
use super::{Audience, Effects, Event, Milestone, Miner, Output, Source, Stored};
use crate::block::{Block, BlockId};
use crate::certified::{FinalityCertificate, Verified};
use crate::chain::{FinalBlock, FinalizeError, Verdict};
use crate::committee::Round;
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::statement::FinalityVote;

impl<S: Scheme> Miner<S> {
    /// Makes a finality certificate when the votes for one block suffice.
    pub(super) fn count_votes(&mut self, vote: FinalityVote, fx: &mut Effects<'_>) {
        let quorum = self.config.quorum();
        let enough = self.rounds.get(vote.round).is_some_and(|state| state.votes.count(&vote) >= quorum);
        if !enough || self.is_certified_final(&vote) {
            return;
        }
        let suspects = self.accounts.suspects(fx.now);
        let (committee, scheme) = (&self.config.committee, &self.scheme);
        let votes = &mut self.rounds.get_mut(vote.round).votes;
        let mut blamed = votes.verify_alone(&vote, &suspects, committee, scheme);
        let certified = votes.certify(&vote, quorum, committee, scheme, &mut blamed);
        blame(&blamed, fx);
        if let Some(certificate) = certified {
            self.events.push_back(Event::FinalityCertified(certificate, Source::Formed));
        }
    }

    /// Whether a block, or a descendant, is known to be final.
    pub(super) fn is_certified_final(&self, vote: &FinalityVote) -> bool {
        let pending = self.pending_finality.as_ref();
        vote.round <= self.chain.head().round() || pending.is_some_and(|pending| pending.round >= vote.round)
    }

    /// A finality certificate became known.
    pub(super) fn certified_final(
        &mut self,
        certificate: Verified<Arc<FinalityCertificate>>,
        source: Source,
        fx: &mut Effects<'_>,
    ) {
        if self.is_certified_final(&certificate.statement) {
            if certificate.round > self.chain.head().round() {
                // A higher one waits for blocks. This one needs fewer of them.
                self.try_certificate(&certificate, fx);
            } else {
                self.check_against_head(&certificate, fx);
            }
            return;
        }
        if self.relays(source) {
            fx.broadcast(Audience::Everyone, Message::FinalityCertificate(Arc::clone(&certificate)));
        }
        if let Source::Received(peer) = source {
            self.catch_up.heard_from(peer);
        }
        if !self.try_certificate(&certificate, fx)
            && self.pending_finality.as_ref().is_none_or(|known| known.round < certificate.round)
        {
            self.pending_finality = Some(certificate);
        }
    }

    /// A certificate at or below the head must be for a block of the own chain.
    fn check_against_head(&mut self, certificate: &Verified<Arc<FinalityCertificate>>, fx: &mut Effects<'_>) {
        let FinalityVote { round, block, .. } = certificate.statement;
        if self.chain.final_id(round).is_some_and(|own| own != block) {
            self.report_conflict(certificate, fx);
        }
    }

    fn report_conflict(&mut self, certificate: &Verified<Arc<FinalityCertificate>>, fx: &mut Effects<'_>) {
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

    /// Finalizes the block of a certificate, when its round was left and its chain is known. Returns whether the
    /// certificate has had its effect.
    fn try_certificate(
        &mut self,
        certificate: &Verified<Arc<FinalityCertificate>>,
        fx: &mut Effects<'_>,
    ) -> bool {
        let FinalityVote { round, block, .. } = certificate.statement;
        if round >= self.round {
            // The block's notarization is on its way, or will be asked for: the next round is entered through it.
            return false;
        }
        loop {
            let next = match self.chain.next_final(round, block) {
                Ok((next, ancestor)) if self.load(next, ancestor, fx) => {
                    self.chain.finalize(next, ancestor).map(|path| (path, next))
                }
                Ok(_) => return false,
                Err(error) => Err(error),
            };
            match next {
                Ok((path, next)) if next < round => self.head_moved(path, fx),
                Ok((path, _)) => {
                    self.chain.certify_final(certificate.clone());
                    self.store(Stored::FinalityCertificate(Arc::clone(certificate)), fx);
                    self.head_moved(path, fx);
                    return true;
                }
                Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. }) => return false,
                Err(FinalizeError::Behind(_)) => return true,
                Err(FinalizeError::Conflict(_)) => {
                    self.report_conflict(certificate, fx);
                    return true;
                }
            }
        }
    }

    /// Whether all blocks from the head up to this one are whole here. Asks the host for the others, once.
    fn load(&mut self, round: Round, block: BlockId, fx: &mut Effects<'_>) -> bool {
        let away = self.chain.away(round, block);
        for (round, block) in away.iter().rev().copied() {
            if !self.loading.contains(&block) {
                self.loading.push(block);
                fx.out.push(Output::Load { round, block });
            }
        }
        away.is_empty()
    }

    /// The host has loaded a block.
    pub(super) fn loaded(&mut self, block: Arc<Block>, fx: &mut Effects<'_>) {
        let (round, id) = (block.round(), block.id());
        if self.scheme.beacon_value(block.beacon_signature()) != block.header().beacon {
            // All the rest is in the id. As if the host had not answered: what it has is damaged.
            return;
        }
        if self.chain.node(round, id).is_some_and(|node| node.verdict == Verdict::Loading) {
            self.chain.judge(round, id, Verdict::Asked);
            fx.out.push(Output::Validate { block: Arc::clone(&block) });
        }
        if let Some(index) = self.loading.iter().position(|awaited| *awaited == id) {
            self.loading.swap_remove(index);
            self.chain.put_back(block);
            if self.loading.is_empty() {
                self.try_pending_finality(fx);
            }
        }
    }

    /// Whether nothing but loading keeps the block of a certificate from becoming final.
    pub(super) fn is_loading_for(&self, certificate: &FinalityCertificate) -> bool {
        certificate.round < self.round && self.chain.is_connected(certificate.round, certificate.block)
    }

    /// Tries the certificate that waits for blocks.
    pub(super) fn try_pending_finality(&mut self, fx: &mut Effects<'_>) {
        if let Some(certificate) = self.pending_finality.take()
            && !self.try_certificate(&certificate, fx)
        {
            self.pending_finality = Some(certificate);
        }
    }

    /// The rules without votes: what is final now that a notarization or block of `round` became known?
    pub(super) fn evaluate_finality(&mut self, round: Round, fx: &mut Effects<'_>) {
        if round >= self.round {
            return;
        }
        let fin = self.chain.final_at_once(self.config.rules.finality, round, round.next() == self.round);
        self.finalize_without_certificate(fin, fx);
    }

    /// `TwoDelta`: the wait after leaving `round` is over; the block in which its notarized blocks meet is final.
    pub(super) fn finalize_after_wait(&mut self, round: Round, fx: &mut Effects<'_>) {
        if self.config.rules.waits_before_finality() && round < self.round {
            let fin = self.chain.common_ancestor(round, 0);
            self.finalize_without_certificate(fin, fx);
        }
    }

    fn finalize_without_certificate(&mut self, fin: Option<(Round, BlockId)>, fx: &mut Effects<'_>) {
        let Some((round, block)) = fin else { return };
        match self.chain.finalize(round, block) {
            Ok(path) => self.head_moved(path, fx),
            Err(FinalizeError::Conflict(_)) => fx.out.push(Output::Conflict { round, block }),
            Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. } | FinalizeError::Behind(_)) => {}
        }
    }

    fn head_moved(&mut self, path: Vec<FinalBlock>, fx: &mut Effects<'_>) {
        fx.out.extend(path.into_iter().map(Output::Finalized));
        let (round, block) = (self.chain.head().round(), self.chain.head().id());
        fx.milestone(Milestone::Finalized { round, block });
        // The application commits the head, so that its children can be judged.
        self.accepted(round, block, fx);
    }
}

//! Answers of peers, and their evidence.

use std::sync::Arc;

use crate::chain::AnswerError;
use crate::committee::Peer;
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::limits::CHECK_WORK;
use crate::message::ChainResponse;
use crate::miner::interface::{Refusal, Stored};
use crate::miner::{Effects, Event, Miner, Source};

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Chain(error) => Refusal::Chain(error),
            AnswerError::Certificate(error) => Refusal::Certificate(error),
        }
    }
}

impl<S: Scheme> Miner<S> {
    pub(in crate::miner) fn receive_chain(
        &mut self,
        from: Peer,
        response: Arc<ChainResponse>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        if !self.catch_up.take_expected(from) {
            // Nothing is missing any more, or it was never asked for: it costs nothing.
            return Ok(());
        }
        let checked = self.chain.check_answer(&response, &self.config, &self.scheme).inspect_err(|_| {
            self.accounts.charge(from, CHECK_WORK * (response.blocks.len() as u64 + 1));
        })?;
        // It was asked for, and it is right: that it may be no help any more is nobody's fault.
        self.accounts.forgive_arrival(from);
        let head = self.chain.head().round();
        let mut new = !checked.notarizations.is_empty() || checked.finality.is_some();
        for block in response.blocks.iter().filter(|block| block.round() > head) {
            let known = self.chain.node(block.round(), block.id());
            new |= known.is_none();
            if known.is_none_or(|node| !node.stored) {
                self.store(Stored::Block(Arc::clone(block)), fx);
            }
        }
        let source = Source::Received(from);
        let notarized = checked.notarizations.into_iter();
        self.events.extend(notarized.map(|certificate| Event::Notarized(certificate, source)));
        // After the certificates: a block becomes final with the one that is known then.
        self.events.push_back(Event::CaughtUp(from, response, new));
        let finality = checked.finality.into_iter();
        self.events.extend(finality.map(|certificate| Event::FinalityCertified(certificate, source)));
        Ok(())
    }

    pub(in crate::miner) fn receive_evidence(
        &mut self,
        evidence: Arc<Evidence>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let evidence = match evidence.is_canonical() {
            true => evidence,
            false => Arc::new(Evidence::clone(&evidence).canonical()),
        };
        // One piece costs two signatures or two certificates at most, and nothing where its form is wrong or it is not wanted.
        evidence.check_form(&self.config.evidence_rules(), &self.scheme)?;
        if !self.evidence.wants(&evidence) {
            return Ok(());
        }
        evidence.check_signatures(&self.config.evidence_rules(), &self.scheme)?;
        self.convict(evidence, fx);
        Ok(())
    }
}

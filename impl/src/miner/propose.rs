//! Step 2: propose.

use std::sync::Arc;

use super::rounds::Candidate;
use super::{Effects, Event, Miner, Output, Stored};
use crate::block::{Block, BlockContent};
use crate::bounds::MAX_PAYLOAD_BYTES;
use crate::certified::FinalityCertificate;
use crate::committee::Round;
use crate::crypto::scheme::Scheme;
use crate::statement::{Proposed, Signed};

use super::Phase;

impl<S: Scheme> Miner<S> {
    /// Asks the application for a payload, when it is this miner's turn, it has not used it, and the application knows the
    /// block to build on.
    pub(super) fn ask_for_payload(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(rank) = self.rank(subround, self.me) else { return };
        let Some(parent_round) = round.previous() else { return };
        if self.phase == Phase::TimedOut
            || !self.is_eligible(rank)
            || self.has_proposed()
            || self.payload_requested == Some((round, subround))
            || !self.chain.is_accepted(parent_round, self.entry.block)
            || self.entry.notarization.is_none() && parent_round != Round(0)
        {
            return;
        }
        if let Some(parent) = self.chain.block(parent_round, self.entry.block).map(Arc::clone) {
            self.payload_requested = Some((round, subround));
            if self.is_beyond(&parent) {
                self.events.push_back(Event::Payload(round, subround, Vec::new()));
                return;
            }
            fx.out.push(Output::RequestPayload { round, subround, parent });
        }
    }

    /// The highest finality certificate that a block of the own round on top of `parent` can name. The parent's counts, so
    /// that no block names a lower one than its parent: the parent is notarized, so its certificate is genuine.
    fn named_finality<'a>(&'a self, parent: &'a Block) -> Option<&'a Arc<FinalityCertificate>> {
        let own = self.chain.finality().into_iter().chain(&self.pending_finality);
        own.map(|known| &**known)
            .chain(parent.finality())
            .filter(|known| known.round < self.round)
            .max_by_key(|known| known.round)
    }

    /// Whether a block of the own round on top of `parent` has to be empty.
    fn is_beyond(&self, parent: &Block) -> bool {
        let named = self.named_finality(parent).map_or(Round(0), |known| known.round);
        self.config.rules.votes() && self.round.0.saturating_sub(named.0) > self.config.payload_rounds
    }

    fn has_proposed(&self) -> bool {
        self.ledger.proposal(self.round, self.subround).is_some()
    }

    /// Makes the block; it leaves when its record is in the log.
    pub(super) fn propose(&mut self, payload: Vec<u8>, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(parent_round) = round.previous() else { return };
        let Some(parent) = self.chain.block(parent_round, self.entry.block).map(Arc::clone) else { return };
        let Some(rank) = self.rank(subround, self.me).filter(|&rank| self.is_eligible(rank)) else { return };
        let Some(target) = self.beacon_target(subround) else { return };
        let Some(beacon) = self.known_beacon(&target).cloned() else { return };
        if self.has_proposed() || payload.len() > MAX_PAYLOAD_BYTES {
            return;
        }
        let payload = if self.is_beyond(&parent) { Vec::new() } else { payload };
        let block = Arc::new(Block::new(BlockContent {
            chain: self.config.committee.chain(),
            epoch: self.config.committee.epoch(),
            round,
            subround,
            generator: self.me,
            parent: parent.id(),
            parent_notarization: self.entry.notarization.as_ref().map(|known| (**known).clone()),
            finality: self.named_finality(&parent).cloned(),
            beacon: beacon.value,
            beacon_signature: beacon.signature,
            payload,
            time: fx.now.max(parent.header().time),
        }));
        let proposed = Proposed { round, subround, block: block.id() };
        let Some(signed) = Signed::sign(proposed, &self.config.committee, &self.scheme) else { return };
        self.store(Stored::Block(Arc::clone(&block)), fx);
        self.add_candidate(
            block,
            Candidate {
                block: proposed.block,
                parent: parent.id(),
                generator: self.me,
                rank,
                signature: signed.signature,
            },
            fx,
        );
        self.chain.mark_stored(round, proposed.block);
        self.sign(proposed, fx);
    }
}

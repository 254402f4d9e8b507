//! Getting blocks that are needed and not here (L4, L5): whom to ask, and what to accept. Shared by miner and sharder.
//!
//! One peer after the other is asked until somebody helps. An answer may take longer than the wait for the next request, so
//! it is accepted from every peer that was asked and has not answered, once; and only as a chain that ends in a notarized
//! block, so that nobody can fill the memory with blocks that nobody ticketed.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::{Chain, ChainResponseError, check_links};
use crate::block::{Block, BlockId, Time};
use crate::certified::{CertificateBatch, FinalityCertificate, Notarization, Verified};
use crate::committee::{Committee, MinerId, Peer, Round, SharderId};
use crate::crypto::certificate::CertificateError;
use crate::crypto::scheme::{Beacon, Verify};
use crate::message::{ChainRequest, ChainResponse};
use crate::miner::Config;

/// After so many requests without success the next one starts at the finalized head again: perhaps the blocks that were
/// reached are of another branch. After as many more it starts where the highest block was reached: perhaps peers only had
/// no more to give for a while, and whoever began at the head each time would get no further than they give at once.
const ATTEMPTS_PER_START: u32 = 4;

/// The state of catching up.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct CatchUp {
    /// Whether the timer for the next request is set.
    pub timer_set: bool,
    /// Peers that were asked and have not answered; each peer at most once.
    asked: Vec<Peer>,
    /// The peer that last showed something new: it is asked first.
    hint: Option<Peer>,
    /// How often somebody was asked since something was missing: rotates through the peers.
    attempts: u32,
    /// The last block received, when it is not final yet: the next request starts there.
    reached: Option<Round>,
    /// The highest block received since something was missing.
    highest: Option<Round>,
    /// Whether the last start was at the finalized head.
    from_head: bool,
    /// The peer that was asked last has just helped: it can be asked for more.
    succeeded: bool,
    /// When each peer was last answered.
    answered: Vec<(Peer, Time)>,
}

impl CatchUp {
    /// Whether each peer was asked once at most, and has one time of its last answer.
    pub fn is_in_order(&self) -> bool {
        let once =
            |peers: &[Peer]| peers.iter().enumerate().all(|(index, peer)| !peers[..index].contains(peer));
        once(&self.asked) && once(&self.answered.iter().map(|(peer, _)| *peer).collect::<Vec<_>>())
    }

    /// A peer showed a certificate that was not known: it will have the block too.
    pub fn heard_from(&mut self, peer: Peer) {
        self.hint = Some(peer);
    }

    /// Nothing is missing.
    pub fn satisfied(&mut self) {
        (self.reached, self.attempts, self.succeeded) = (None, 0, false);
        (self.highest, self.from_head) = (None, false);
        self.asked.clear();
    }

    /// Whether this peer was asked and had not answered. Now it has, whatever the answer is worth: a wrong one costs the
    /// work of checking it once a request.
    pub fn take_expected(&mut self, from: Peer) -> bool {
        let index = self.asked.iter().position(|&peer| peer == from);
        index.map(|index| self.asked.swap_remove(index)).is_some()
    }

    /// Whether this peer was asked and has not answered.
    pub fn expects(&self, from: Peer) -> bool {
        self.asked.contains(&from)
    }

    /// The next request, and to whom. `None` when there is nobody else.
    pub fn request(
        &mut self,
        me: Peer,
        committee: &Committee,
        head: Round,
        tip: Option<BlockId>,
    ) -> Option<(Peer, ChainRequest)> {
        let peer = self.next_peer(me, committee)?;
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts.is_multiple_of(ATTEMPTS_PER_START) {
            self.from_head = !self.from_head;
            self.reached = self.highest.filter(|_| !self.from_head);
        }
        if !self.asked.contains(&peer) {
            self.asked.push(peer);
        }
        let after = self.reached.map_or(head, |reached| reached.max(head));
        Some((peer, ChainRequest { after, tip }))
    }

    /// First whoever showed something new, then miners and sharders in turn.
    fn next_peer(&self, me: Peer, committee: &Committee) -> Option<Peer> {
        if self.attempts == 0
            && let Some(hint) = self.hint.filter(|&hint| hint != me)
        {
            return Some(hint);
        }
        let turn = self.attempts / 2;
        let sharder = || {
            let id = turn.checked_rem(u32::from(committee.sharders()))?;
            Some(Peer::Sharder(SharderId(id as u16))).filter(|&peer| peer != me)
        };
        let miner = || {
            let miners = u32::from(committee.miners());
            // All others in turn: were the own turn one of them, a committee without sharders would stop asking there.
            let (first, others) = match me {
                Peer::Miner(miner) => (u32::from(miner.0) + 1, miners.saturating_sub(1)),
                Peer::Sharder(_) => (0, miners),
            };
            let id = (first + turn.checked_rem(others)?).checked_rem(miners)?;
            Some(Peer::Miner(MinerId(id as u16)))
        };
        if self.attempts % 2 == 1 { sharder().or_else(miner) } else { miner().or_else(sharder) }
    }

    /// A peer that was asked answered with blocks up to `last` of which something is new, and they lead up from what was
    /// here. An answer that is no help (it came late, and another peer's was faster) takes back nothing of this.
    pub fn helped(&mut self, from: Peer, last: Round) {
        self.reached = self.reached.max(Some(last));
        self.highest = self.highest.max(self.reached);
        self.succeeded = true;
        self.attempts = 0;
        self.hint = Some(from);
    }

    /// Whether an answer leads further up than the last one. It helps even when nothing in it is new: after a start at the
    /// finalized head the blocks above it come again, and what is missing may be beyond what one answer holds.
    pub fn is_further(&self, last: Round) -> bool {
        self.reached < Some(last)
    }

    /// Whether a peer has helped since the last call.
    pub fn take_success(&mut self) -> bool {
        std::mem::take(&mut self.succeeded)
    }

    /// Whether `peer` may be answered now, and was not within `interval`; if so, it is noted.
    pub fn may_answer(&mut self, peer: Peer, now: Time, interval: Duration) -> bool {
        if let Some((_, at)) = self.answered.iter_mut().find(|(known, _)| *known == peer) {
            // A clock that was set back says nothing of the time that has passed.
            let may = now < *at || now >= *at + interval;
            if may {
                *at = now;
            }
            return may;
        }
        self.answered.push((peer, now));
        true
    }
}

/// Why an answer was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum AnswerError {
    /// It is no piece of the chain.
    #[error(transparent)]
    Chain(#[from] ChainResponseError),
    /// A certificate in it proves nothing.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The certificates of an answer that are new.
pub(crate) struct CheckedAnswer {
    /// Lowest round first.
    pub notarizations: Vec<Verified<Arc<Notarization>>>,
    /// The highest that the answer shows: it comes beside the blocks, or the last block names it.
    pub finality: Option<Verified<Arc<FinalityCertificate>>>,
}

impl Chain {
    /// Checks an answer: the blocks are linked, each above the head is notarized, and what their ids do not cover fits.
    ///
    /// Its certificates, [`MAX_CHAIN_BLOCKS`](crate::limits::MAX_CHAIN_BLOCKS) and one at most, are one batch where the
    /// configuration has a seed. An answer with a wrong one is refused as a whole; looking for the wrong ones costs about as
    /// much again as checking each, once a request, and those that are good need no check when they come again.
    pub(crate) fn check_answer<S: Verify + Beacon>(
        &self,
        response: &ChainResponse,
        config: &Config,
        scheme: &S,
    ) -> Result<CheckedAnswer, AnswerError> {
        let committee = &config.committee;
        check_links(response, committee)?;
        let head = self.head().round();
        let fits = |block: &Block| scheme.beacon_value(block.beacon_signature()) == block.header().beacon;
        if let Some(other) = response.blocks.iter().find(|block| block.round() > head && !fits(block)) {
            return Err(ChainResponseError::OtherBeacon(other.round()).into());
        }
        let carried = response.blocks.iter().skip(1).filter_map(|block| block.parent_notarization());
        let notarizations: Vec<_> = carried
            .chain([&response.notarization])
            .filter(|certificate| certificate.round > head)
            .filter(|certificate| self.notarization_of(certificate.round, certificate.block).is_none())
            .collect();
        let finality = response.finality.as_ref().filter(|certificate| certificate.round > head);
        let mut batch = CertificateBatch::new(committee, config.quorum(), scheme);
        notarizations.iter().for_each(|certificate| batch.push(certificate));
        finality.iter().for_each(|certificate| batch.push(certificate));
        batch.verify(config.batch_seed.as_ref())?;
        let finality = finality.cloned().map(Verified::trusted);
        Ok(CheckedAnswer {
            notarizations: notarizations.into_iter().cloned().map(Verified::trusted).collect(),
            finality: self.named_finality(response, config, scheme).or(finality),
        })
    }

    /// The finality certificate that the last block of an answer names, when it says more than what is known and what came
    /// beside the blocks. By these certificates a node finalizes while it catches up, and need not hold the whole way first.
    ///
    /// The quorum that ticketed the block has verified the certificate; a node acts only on what it has verified itself. One
    /// that is wrong proves nothing against the peer, who is right to answer with what is notarized, and is ignored.
    fn named_finality<S: Verify + Beacon>(
        &self,
        response: &ChainResponse,
        config: &Config,
        scheme: &S,
    ) -> Option<Verified<Arc<FinalityCertificate>>> {
        let named = response.blocks.last()?.finality()?;
        let beside = response.finality.as_ref().map_or(Round(0), |known| known.round);
        let is_new = named.round > self.head().round().max(beside);
        if !is_new || !config.rules.votes() {
            return None;
        }
        Arc::clone(named).verified(&config.committee, config.quorum(), scheme).ok()
    }
}

#[cfg(test)]
#[path = "catch_up_tests.rs"]
mod tests;

//! Serving a piece of the chain to somebody who is behind (L4, L5).

use std::sync::Arc;

use super::{Chain, FinalBlock};
use crate::block::{Block, BlockId};
use crate::certified::Notarization;
use crate::committee::Round;
use crate::limits::{MAX_CHAIN_BLOCKS, MAX_CHAIN_BYTES};
use crate::message::{ChainRequest, ChainResponse};

/// The answer to a chain request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The blocks are here.
    Whole(ChainResponse),
    /// The host has some of them. So many bytes will be sent.
    Stored(Vec<StoredBlock>, usize),
}

impl Answer {
    /// The answer, if all its blocks are here.
    pub fn whole(self) -> Option<ChainResponse> {
        match self {
            Answer::Whole(response) => Some(response),
            Answer::Stored(..) => None,
        }
    }
}

/// A block of an answer; see [`Output::ServeStored`].
///
/// [`Output::ServeStored`]: crate::miner::Output::ServeStored
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredBlock {
    /// Its round.
    pub round: Round,
    /// The block.
    pub block: BlockId,
    /// The block itself, where the miner has it whole: the host need not have been told to store it yet.
    pub whole: Option<Arc<Block>>,
    /// Its certificate, where the miner has it.
    pub notarization: Option<Arc<Notarization>>,
}

impl Chain {
    /// The lowest blocks above `request.after` on the way to the block asked for, or to the head. `None` when there are
    /// none, or when the first of them is no longer kept. `most` is how many bytes of payload fit; the first block always does.
    pub(crate) fn answer(&self, request: &ChainRequest, most: usize) -> Option<Answer> {
        let (mut path, _) = self.way_down(request)?;
        path.reverse();
        let whole = |known: &StoredBlock| {
            let block = known.whole.clone()?;
            Some(FinalBlock { block, notarization: known.notarization.clone() })
        };
        let Some(whole) = path.iter().map(whole).collect::<Option<Vec<FinalBlock>>>() else {
            let bytes = self.bytes_of(&path, most);
            return Some(Answer::Stored(path, bytes));
        };
        let mut response = respond_within(whole, most)?;
        response.finality = self
            .finality
            .as_ref()
            .filter(|finality| response.blocks.iter().any(|block| block.id() == finality.block))
            .map(|finality| Arc::clone(finality));
        Some(Answer::Whole(response))
    }

    /// The lowest blocks of [`Chain::answer`], highest first, one more than fit; and the number of steps that were needed to find them.
    pub(super) fn way_down(&self, request: &ChainRequest) -> Option<(Vec<StoredBlock>, usize)> {
        let head = || (self.head().round(), self.head().id());
        let (mut at, mut want) = request.tip.and_then(|id| self.find(id)).unwrap_or_else(head);
        // One more than fit: its parent certificate may be the one that the last block lacks.
        let last = Round(request.after.0.saturating_add(MAX_CHAIN_BLOCKS as u64 + 1));
        let (mut path, mut steps) = (Vec::new(), 0);
        while at > request.after {
            steps += 1;
            if let Some(station) = self.shortcuts.station(want, last) {
                (at, want) = station;
                continue;
            }
            if at <= last {
                let notarization = self.notarization_of(at, want).cloned();
                let whole = self.block(at, want).map(Arc::clone);
                path.push(StoredBlock { round: at, block: want, whole, notarization });
            }
            want = self.header(at, want)?.parent;
            at = at.previous()?;
        }
        Some((path, steps))
    }

    /// How many bytes of these blocks [`respond_within`] sends at most.
    fn bytes_of(&self, path: &[StoredBlock], most: usize) -> usize {
        let (mut payloads, mut bytes) = (0usize, 0usize);
        for (index, known) in path.iter().take(MAX_CHAIN_BLOCKS).enumerate() {
            let Some(size) = self.size(known.round, known.block) else { break };
            payloads = payloads.saturating_add(size.payload);
            if index > 0 && payloads > most.min(MAX_CHAIN_BYTES) {
                break;
            }
            bytes = bytes.saturating_add(size.whole);
        }
        bytes
    }

    fn find(&self, id: BlockId) -> Option<(Round, BlockId)> {
        let above = self.shortcuts.round(id);
        let finals = || self.finals.iter().map(|found| &found.block).find(|block| block.id() == id);
        above.or_else(|| finals().map(|block| block.round())).map(|round| (round, id))
    }
}

/// An answer with as many of the lowest blocks of `path` (consecutive, lowest first) as fit, and a certificate for the last
/// of them: its own, or the one that its child in `path` carries. For hosts that serve from their storage: `path` should
/// then hold one block more than [`MAX_CHAIN_BLOCKS`].
#[must_use]
pub fn respond(path: Vec<FinalBlock>) -> Option<ChainResponse> {
    respond_within(path, MAX_CHAIN_BYTES)
}

/// [`respond`] with `most` bytes of payload at most, where that is less than [`MAX_CHAIN_BYTES`]; the first block always fits.
#[must_use]
pub fn respond_within(path: Vec<FinalBlock>, most: usize) -> Option<ChainResponse> {
    let most = most.min(MAX_CHAIN_BYTES);
    let mut bytes = 0usize;
    let mut count = 0;
    for found in path.iter().take(MAX_CHAIN_BLOCKS) {
        bytes = bytes.saturating_add(found.block.content_bytes());
        if count > 0 && bytes > most {
            break;
        }
        count += 1;
    }
    while count > 0 {
        let last = &path[count - 1];
        let carried = path.get(count).and_then(|child| child.block.parent_notarization());
        if let Some(notarization) = last.notarization.as_ref().or(carried).map(Arc::clone) {
            let blocks = path.into_iter().take(count).map(|found| found.block).collect();
            return Some(ChainResponse { blocks, notarization, finality: None });
        }
        count -= 1;
    }
    None
}

/// Why an answer is not a piece of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainResponseError {
    /// It contains no block, or more than fit.
    #[error("{0} blocks in one answer")]
    Length(usize),
    /// A block does not extend the one before it.
    #[error("the block of round {0} does not extend the one before it in the answer")]
    Broken(Round),
    /// A block belongs to another chain or epoch.
    #[error("the block of round {0} belongs to another chain or epoch")]
    Foreign(Round),
    /// The beacon signature beside a block's header, which the block's id does not cover, does not make the header's value.
    #[error("the beacon signature of the block of round {0} does not make its beacon value")]
    OtherBeacon(Round),
    /// The certificate is for another block than the last one.
    #[error("the certificate is not for the last block of the answer")]
    OtherTip,
}

/// Checks that blocks are consecutive and that the certificate names the last of them with the round and subround of its
/// header. With a valid certificate all of them are then notarized: each is committed to by its child.
pub(crate) fn check_links(
    response: &ChainResponse,
    committee: &crate::committee::Committee,
) -> Result<(), ChainResponseError> {
    let blocks = &response.blocks;
    let last = match blocks.last() {
        Some(last) if blocks.len() <= MAX_CHAIN_BLOCKS => last,
        _ => return Err(ChainResponseError::Length(blocks.len())),
    };
    for block in blocks {
        if block.header().chain != committee.chain() || block.header().epoch != committee.epoch() {
            return Err(ChainResponseError::Foreign(block.round()));
        }
    }
    for pair in blocks.windows(2) {
        let labelled = pair[1].parent_notarization().is_some_and(|notarization| {
            (notarization.round, notarization.subround, notarization.block)
                == (pair[0].round(), pair[0].subround(), pair[0].id())
        });
        if pair[1].header().parent != pair[0].id() || pair[1].round() != pair[0].round().next() || !labelled {
            return Err(ChainResponseError::Broken(pair[1].round()));
        }
    }
    let tip = &response.notarization;
    if (tip.round, tip.subround, tip.block) != (last.round(), last.subround(), last.id()) {
        return Err(ChainResponseError::OtherTip);
    }
    Ok(())
}

//! Which block is final. A finality certificate makes its block final, or the closing block of the epoch below it. The rules without
//! votes walk from the notarized blocks of a round to one block.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Chain;
use crate::block::{BlockId, Closing};
use crate::certified::FinalityCertificate;
use crate::committee::Round;
use crate::epochs::handoff::{ClosingBlock, HandoffCertificate};
use crate::rules::FinalityRule;
use crate::statement::FinalityVote;

impl Chain {
    /// Step 10 with votes: the block that a finality certificate makes final. In the tail of an epoch it is the closing block and
    /// nothing above it, or blocks of the tail could be final beside the first block of the next epoch. `known` is a handoff whose
    /// block may not be here.
    pub fn made_final(&self, vote: &FinalityVote, known: Option<&HandoffCertificate>) -> (Round, BlockId) {
        let closing = self.closing_below(vote, known);
        closing.map_or((vote.round, vote.block), |closing| (closing.round, closing.id))
    }

    /// The handoff certificate that a finality certificate is, now that the closing block is the head. `None` if the head, which is
    /// above `anchor`, does not close the epoch.
    pub fn handoff(
        &self,
        certificate: &Arc<FinalityCertificate>,
        known: Option<&Arc<HandoffCertificate>>,
        anchor: Round,
    ) -> Option<Arc<HandoffCertificate>> {
        let head = self.head();
        let closes = match head.header().closing {
            Closing::Closes { .. } => head.round() > anchor,
            Closing::Open | Closing::Tail { .. } => false,
        };
        if !closes {
            return None;
        }
        let handoff = match known.filter(|known| known.finality().statement == certificate.statement) {
            Some(known) => Arc::clone(known),
            None => {
                let header = self.header(certificate.round, certificate.block)?;
                Arc::new(HandoffCertificate::new(*header, Arc::clone(certificate)).ok()?)
            }
        };
        (handoff.closing().id == head.id()).then_some(handoff)
    }

    fn closing_below(&self, vote: &FinalityVote, known: Option<&HandoffCertificate>) -> Option<ClosingBlock> {
        let header = self.header(vote.round, vote.block).and_then(|header| match header.closing {
            Closing::Tail { .. } => ClosingBlock::below(header),
            Closing::Open | Closing::Closes { .. } => None,
        });
        let known =
            known.filter(|known| known.finality().statement == *vote).map(HandoffCertificate::closing);
        header.or(known)
    }

    /// Which of two blocks of one round has the greater seed, where the beacon is chained: compares the subrounds of their
    /// chains, oldest first, as far as both are known. All that know the same blocks find the same.
    pub fn compare_seeds(&self, mut round: Round, mut a: BlockId, mut b: BlockId) -> Ordering {
        let mut order = Ordering::Equal;
        while a != b
            && let (Some(first), Some(second)) = (self.header(round, a), self.header(round, b))
        {
            order = first.subround.cmp(&second.subround).then(order);
            (a, b) = (first.parent, second.parent);
            let Some(below) = round.previous() else { break };
            round = below;
        }
        order
    }

    /// Step 10 without votes or a wait: the block that is final now that a notarization or block of `round` is known; `highest`:
    /// to a node that knows of no later round.
    pub fn final_at_once(&self, rule: FinalityRule, round: Round, highest: bool) -> Option<(Round, BlockId)> {
        match rule {
            // Notarized is final, the first one known first.
            FinalityRule::TwoThirds => self.first_connected(round),
            // From the tips only: below a higher notarized block a lone one proves nothing.
            FinalityRule::CommonAncestor { depth } if highest => self.common_ancestor(round, depth),
            FinalityRule::CommonAncestor { .. } | FinalityRule::TwoDelta | FinalityRule::Votes => None,
        }
    }

    /// Step 10 without votes, after the wait: the block in which the notarized blocks of `round` meet, as many rounds below them
    /// as the rule asks for.
    pub fn final_after_wait(&self, rule: FinalityRule, round: Round) -> Option<(Round, BlockId)> {
        rule.depth().and_then(|depth| self.common_ancestor(round, depth))
    }

    /// The first notarized block of `round` that became known, among those that are connected.
    pub fn first_connected(&self, round: Round) -> Option<(Round, BlockId)> {
        let mut known = self.notarizations(round).iter().map(|known| known.block);
        known.find(|&block| self.is_connected(round, block)).map(|block| (round, block))
    }

    /// The block in which all connected notarized blocks of `round` meet, at least `depth` rounds below them. `None` when
    /// there is no such block above the finalized head.
    pub fn common_ancestor(&self, round: Round, depth: u8) -> Option<(Round, BlockId)> {
        let mut meeting: Vec<BlockId> = self
            .notarizations(round)
            .iter()
            .map(|notarization| notarization.block)
            .filter(|&block| self.is_connected(round, block))
            .collect();
        let (mut at, mut walked) = (round, 0);
        while at > self.head().round() {
            match meeting[..] {
                [] => return None,
                [block] if walked >= depth => return Some((at, block)),
                _ => {}
            }
            meeting = meeting
                .iter()
                .filter_map(|&block| self.node(at, block).map(|node| node.header().parent))
                .collect();
            meeting.sort_unstable();
            meeting.dedup();
            at = at.previous()?;
            walked = walked.saturating_add(1);
        }
        None
    }
}

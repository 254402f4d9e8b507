//! The rules by which a block is final without votes: all walk from the notarized blocks of a round to one block.

use super::Chain;
use crate::block::BlockId;
use crate::committee::Round;

impl Chain {
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
                .filter_map(|&block| self.node(at, block).map(|node| node.block.header().parent))
                .collect();
            meeting.sort_unstable();
            meeting.dedup();
            at = at.previous()?;
            walked = walked.saturating_add(1);
        }
        None
    }
}

//! Forgetting rounds that are final everywhere, so that a run of any length can be followed in bounded memory.

use crate::{block::Block, state::State};
use zus_protocol::ids::Round;

impl State {
    /// Forgets the rounds below `round`, if one block of the round before it, the new floor, is notarized and lies on the
    /// chain of every observer's head and of every honest miner's entry. Says whether it did. Without an observer nothing is
    /// final for anybody, and nothing is forgotten.
    ///
    /// Everything about the rounds below the floor can matter no more: all miners and observers stand above it. A property
    /// that is broken there must have been looked at before; a miner that restarts behind then starts above the floor.
    pub fn forget_below(&mut self, round: Round) -> bool {
        let Some(before) = round.previous().filter(|before| *before > self.floor.round) else { return false };
        let tips: Vec<Block> =
            self.heads.iter().copied().chain(self.miners.iter().map(|m| m.entry)).collect();
        let ancestor = |tip: &Block| self.chain(*tip).find(|at| at.round == before);
        let Some(floor) = self.heads.first().and_then(ancestor) else { return false };
        if !self.notarized(&floor) || !tips.iter().all(|tip| ancestor(tip) == Some(floor)) {
            return false;
        }
        let sent = &mut self.sent;
        sent.shares.retain(|share, _| share.through.round >= before);
        sent.blocks.retain(|block, _| block.round > before);
        sent.tickets.retain(|block, _| block.round > before);
        sent.notarized.retain(|block| block.round > before);
        sent.votes.retain(|block, _| block.round > before);
        sent.timeouts.retain(|(of, _), _| *of > before);
        self.visits.retain(|visit, _| visit.through.round >= before);
        self.history.formed.retain(|of, _| *of > before);
        for m in &mut self.miners {
            m.log.proposals.retain(|(of, _)| *of > before);
            m.log.tickets.retain(|block| block.round > before);
            m.log.timeouts.retain(|(of, _)| *of > before);
            m.log.votes.retain(|block| block.round > before);
        }
        self.floor = floor;
        true
    }
}

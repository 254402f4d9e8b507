//! The part of the chain that a participant holds in memory: the finalized head, a few final blocks below it, and a tree of
//! blocks and notarizations above it. Shared by miner and sharder.
//!
//! Above the head a miner holds the newest blocks whole, and of older ones the header: the host has stored them, and they are
//! loaded again to be judged, if they were not, and when they become final. A block that is away costs about a kibibyte with
//! its certificate, whatever its payload was. A sharder has nothing stored that is not final, and holds all blocks whole: of
//! these at most [`Config::payload_rounds`](crate::miner::Config::payload_rounds) rounds have a payload.
//!
//! A block is *connected* when every block between it and the finalized head is here. Only connected blocks can be judged
//! by the application, ticketed, extended or finalized. The head moves along connected blocks only, and what does not
//! descend from it is dropped: it never moves back or aside (S7).

mod answer;
mod catch_up;
mod finality;
mod level;
mod read_back;
mod shortcuts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

pub(crate) use answer::Answer;
pub(crate) use answer::check_links;
pub use answer::{ChainResponseError, StoredBlock, respond, respond_within};
pub(crate) use catch_up::{AnswerError, CatchUp};
use level::{Level, Size};
pub use level::{TreeNode, Verdict};
pub(crate) use read_back::check_read_back;
pub use read_back::{Damage, Damaged, Item};
use shortcuts::Shortcuts;

use crate::block::{Block, BlockId, Header};
use crate::certified::{FinalityCertificate, Notarization, Verified};
use crate::committee::{Round, Subround};
use crate::limits::{FINAL_AT_ONCE, KEPT_FINAL_BLOCKS, MAX_NOTARIZATIONS_PER_ROUND};

/// A final block with its certificate. Genesis has none, and a block that became final through a descendant before its
/// own certificate was seen may be without one here; its child then carries it. The last of those that a miner is started with
/// needs a certificate among what was stored ([`Damage::Uncertified`]).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FinalBlock {
    /// The block.
    pub block: Arc<Block>,
    /// Its notarization.
    pub notarization: Option<Arc<Notarization>>,
}

/// Why a block cannot be made the finalized head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FinalizeError {
    /// It is not above the head.
    #[error("round {0} is not above the finalized head")]
    Behind(Round),
    /// A block between it and the head is not known.
    #[error("the block {block} of round {round} is missing")]
    Missing {
        /// The missing block's round.
        round: Round,
        /// The missing block.
        block: BlockId,
    },
    /// A block between it and the head is not whole here: the host has it.
    #[error("the block {block} of round {round} has to be loaded")]
    Away {
        /// The block's round.
        round: Round,
        /// The block.
        block: BlockId,
    },
    /// It does not descend from the head: property S5 is broken somewhere.
    #[error("the block does not descend from the finalized head of round {0}")]
    Conflict(Round),
}

/// See the module doc.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Chain {
    /// Final blocks, lowest round first, the head last; never empty.
    finals: Vec<FinalBlock>,
    /// The finality certificate of the newest block that has one, at or below the head.
    finality: Option<Verified<Arc<FinalityCertificate>>>,
    /// Rounds above the head, in increasing order. Copied when changed, so that a clone of the chain is cheap.
    levels: Vec<Arc<Level>>,
    /// The rounds of all blocks in `levels`, and ways down.
    shortcuts: Shortcuts,
    /// Rounds of `levels` that may hold a whole block.
    whole: BTreeSet<Round>,
    /// Blocks that became connected and were not yet taken by [`Chain::take_connected`].
    connected: VecDeque<(Round, BlockId)>,
}

impl Chain {
    /// A chain that is final up to the last of `finals`: consecutive blocks, lowest first. When they are not, or there are
    /// none, it begins after the gap, or at genesis.
    pub fn new(genesis: &Arc<Block>, mut finals: Vec<FinalBlock>) -> Self {
        let is_child = |pair: &[FinalBlock]| {
            pair[1].block.header().parent == pair[0].block.id()
                && pair[1].block.round() == pair[0].block.round().next()
        };
        let broken = finals.windows(2).rposition(|pair| !is_child(pair));
        let surplus = finals.len().saturating_sub(KEPT_FINAL_BLOCKS);
        finals.drain(..surplus.max(broken.map_or(0, |index| index + 1)));
        if finals.is_empty() {
            finals.push(FinalBlock { block: Arc::clone(genesis), notarization: None });
        }
        Self {
            finals,
            finality: None,
            levels: Vec::new(),
            shortcuts: Shortcuts::default(),
            whole: BTreeSet::new(),
            connected: VecDeque::new(),
        }
    }

    /// Whether the final blocks are one above the other, and the rounds above the head in order, each with its place among the whole ones.
    pub fn is_in_order(&self) -> bool {
        let head = self.head().round();
        let is_child = |pair: &[FinalBlock]| pair[1].block.header().parent == pair[0].block.id();
        self.finals.len() <= KEPT_FINAL_BLOCKS
            && self.finals.windows(2).all(is_child)
            && self.levels.windows(2).all(|pair| pair[0].round < pair[1].round)
            && self.levels.first().is_none_or(|lowest| head < lowest.round)
            && self.finality.as_ref().is_none_or(|known| known.round <= head)
            && self
                .levels
                .iter()
                .filter(|level| level.is_whole())
                .all(|level| self.whole.contains(&level.round))
    }

    /// The finalized head.
    pub fn head(&self) -> &Arc<Block> {
        &self.finals[self.finals.len() - 1].block
    }

    /// The finalized head with its certificate.
    pub fn final_head(&self) -> &FinalBlock {
        &self.finals[self.finals.len() - 1]
    }

    /// The final blocks that are kept, lowest round first.
    pub fn finals(&self) -> &[FinalBlock] {
        &self.finals
    }

    /// The newest finality certificate of a block at or below the head.
    pub fn finality(&self) -> Option<&Verified<Arc<FinalityCertificate>>> {
        self.finality.as_ref()
    }

    /// The final block of a round, when it is kept.
    pub fn final_id(&self, round: Round) -> Option<BlockId> {
        self.final_block(round).map(|found| found.block.id())
    }

    fn final_block(&self, round: Round) -> Option<&FinalBlock> {
        let lowest = self.finals[0].block.round();
        self.finals.get(usize::try_from(round.0.checked_sub(lowest.0)?).ok()?)
    }

    /// The place of a round in `levels`, or the place where it would be.
    fn index(&self, round: Round) -> Result<usize, usize> {
        // In general no round is missing.
        let first = self.levels.first().map_or(round, |level| level.round);
        let guess = usize::try_from(round.0.saturating_sub(first.0)).unwrap_or(usize::MAX);
        match self.levels.get(guess) {
            Some(level) if level.round == round => Ok(guess),
            _ => self.levels.binary_search_by_key(&round, |level| level.round),
        }
    }

    fn level(&self, round: Round) -> Option<&Level> {
        self.index(round).ok().map(|index| &*self.levels[index])
    }

    /// The level of a round above the head, made when it is not there.
    fn level_mut(&mut self, round: Round) -> &mut Level {
        let index = match self.index(round) {
            Ok(index) => index,
            Err(index) => {
                self.levels.insert(index, Arc::new(Level::new(round)));
                index
            }
        };
        Arc::make_mut(&mut self.levels[index])
    }

    /// A block above the head.
    pub fn node(&self, round: Round, id: BlockId) -> Option<&TreeNode> {
        self.level(round)?.node(id)
    }

    /// A whole block above the head, or a final block that is kept.
    pub fn block(&self, round: Round, id: BlockId) -> Option<&Arc<Block>> {
        let above = self.node(round, id).and_then(TreeNode::block);
        above.or_else(|| self.kept(round, id).map(|found| &found.block))
    }

    /// The header of a block above the head, whole or not, or of a final block that is kept.
    pub fn header(&self, round: Round, id: BlockId) -> Option<&Header> {
        let above = self.node(round, id).map(TreeNode::header);
        above.or_else(|| self.kept(round, id).map(|found| found.block.header()))
    }

    fn kept(&self, round: Round, id: BlockId) -> Option<&FinalBlock> {
        self.final_block(round).filter(|found| found.block.id() == id)
    }

    /// Whether every block from here down to the head is known; the head itself is connected.
    pub fn is_connected(&self, round: Round, id: BlockId) -> bool {
        self.is_head(round, id) || self.node(round, id).is_some_and(|node| node.connected)
    }

    /// Whether the application has accepted the block and all its ancestors; final blocks count as accepted.
    pub fn is_accepted(&self, round: Round, id: BlockId) -> bool {
        self.is_head(round, id)
            || self.node(round, id).is_some_and(|node| node.connected && node.verdict == Verdict::Accepted)
    }

    fn is_head(&self, round: Round, id: BlockId) -> bool {
        let head = self.head();
        (head.round(), head.id()) == (round, id)
    }

    /// Adds a block above the head. Returns whether it is new.
    pub fn insert(&mut self, block: Arc<Block>) -> bool {
        let (round, id) = (block.round(), block.id());
        let Some(parent_round) = round.previous() else { return false };
        if round <= self.head().round() || self.node(round, id).is_some() {
            return false;
        }
        let connected = self.is_connected(parent_round, block.header().parent);
        let parent = block.header().parent;
        self.level_mut(round).insert(TreeNode::new(block, connected));
        self.shortcuts.insert(id, round);
        self.whole.insert(round);
        if connected {
            self.shortcuts.connect(id, parent);
            self.connected.push_back((round, id));
            self.connect_descendants(round, id);
        }
        true
    }

    fn connect_descendants(&mut self, mut round: Round, id: BlockId) {
        let mut parents = vec![id];
        while !parents.is_empty() {
            round = round.next();
            let Ok(index) = self.index(round) else { return };
            let children = Arc::make_mut(&mut self.levels[index]).connect_children_of(&parents);
            self.connected.extend(children.iter().map(|&(child, _)| (round, child)));
            for &(child, parent) in &children {
                self.shortcuts.connect(child, parent);
            }
            parents = children.into_iter().map(|(child, _)| child).collect();
        }
    }

    /// A block that became connected since the last call, in an order in which parents come first.
    pub fn take_connected(&mut self) -> Option<(Round, BlockId)> {
        self.connected.pop_front()
    }

    /// Records what the application was asked or answered about a block.
    pub fn judge(&mut self, round: Round, id: BlockId, verdict: Verdict) {
        if self.node(round, id).is_some()
            && let Some(node) = self.level_mut(round).node_mut(id)
        {
            node.verdict = verdict;
        }
    }

    /// The connected children of a block that were not shown to the application yet.
    pub fn unasked_children(&self, round: Round, id: BlockId) -> Vec<BlockId> {
        let children = self.level(round.next()).map_or(&[][..], Level::nodes).iter();
        children
            .filter(|node| node.connected && node.verdict == Verdict::Unasked && node.header().parent == id)
            .map(TreeNode::id)
            .collect()
    }

    /// Records a notarization above the head. Returns whether it is new.
    pub fn notarize(&mut self, notarization: Verified<Arc<Notarization>>) -> bool {
        let round = notarization.round;
        if round <= self.head().round() {
            return false;
        }
        let level = self.level_mut(round);
        level.notarizations.len() < MAX_NOTARIZATIONS_PER_ROUND && level.notarize(notarization)
    }

    /// The known notarizations of a round above the head, lowest subround first.
    pub fn notarizations(&self, round: Round) -> &[Verified<Arc<Notarization>>] {
        self.level(round).map_or(&[], |level| &level.notarizations)
    }

    /// All known notarizations above the head.
    pub fn all_notarizations(&self) -> impl Iterator<Item = &Verified<Arc<Notarization>>> {
        self.levels.iter().flat_map(|level| &level.notarizations)
    }

    /// The certificate of a block, above or below the head.
    pub fn notarization_of(&self, round: Round, id: BlockId) -> Option<&Arc<Notarization>> {
        let above = self.notarizations(round).iter().find(|known| known.block == id).map(|known| &**known);
        above.or_else(|| {
            let found = self.final_block(round)?;
            found.notarization.as_ref().filter(|_| found.block.id() == id)
        })
    }

    /// Drops what a round holds of old subrounds and that is neither notarized nor worth keeping.
    pub fn forget_candidates(&mut self, round: Round, below: Subround, keep: impl Fn(BlockId) -> bool) {
        if self.level(round).is_some_and(|level| level.has_candidates(below)) {
            for gone in self.level_mut(round).forget_candidates(below, keep) {
                self.shortcuts.remove(gone);
            }
        }
    }

    /// Makes a block the finalized head, with all its ancestors (step 10). Returns the newly final blocks, lowest first.
    ///
    /// # Errors
    /// [`FinalizeError`]; nothing is changed then.
    pub fn finalize(&mut self, round: Round, id: BlockId) -> Result<Vec<FinalBlock>, FinalizeError> {
        let head = (self.head().round(), self.head().id());
        if round <= head.0 {
            return Err(match self.final_block(round) {
                Some(known) if known.block.id() != id => FinalizeError::Conflict(head.0),
                _ => FinalizeError::Behind(round),
            });
        }
        let mut path = Vec::new();
        let (mut at, mut want) = (round, id);
        while at > head.0 {
            let node = self.node(at, want).ok_or(FinalizeError::Missing { round: at, block: want })?;
            // Of the ancestors of a whole block the miner has loaded those that were away.
            let block = node.block().ok_or(FinalizeError::Away { round: at, block: want })?;
            let notarization = self.notarization_of(at, want).cloned();
            path.push(FinalBlock { block: Arc::clone(block), notarization });
            want = node.header().parent;
            at = Round(at.0 - 1);
        }
        if want != head.1 {
            return Err(FinalizeError::Conflict(head.0));
        }
        path.reverse();
        self.advance_head(&path);
        Ok(path)
    }

    fn advance_head(&mut self, path: &[FinalBlock]) {
        self.finals.extend_from_slice(path);
        let surplus = self.finals.len().saturating_sub(KEPT_FINAL_BLOCKS);
        self.finals.drain(..surplus);
        let head = (self.head().round(), self.head().id());
        let above = self.levels.partition_point(|level| level.round <= head.0);
        for level in self.levels.drain(..above) {
            level.nodes().iter().for_each(|node| self.shortcuts.remove(node.id()));
        }
        self.whole = self.whole.split_off(&head.0.next());
        // A block that does not descend from the head any more can never be ticketed or become final.
        let (mut parent_round, mut parents) = (head.0, vec![head.1]);
        for level in &mut self.levels {
            if level.round != parent_round.next() {
                break;
            }
            let above_head = parent_round == head.0;
            if level.has_strays(&parents, above_head) {
                for gone in Arc::make_mut(level).drop_strays(&parents, above_head) {
                    self.shortcuts.remove(gone);
                }
            }
            parents = level.nodes().iter().filter(|node| node.connected).map(TreeNode::id).collect();
            parent_round = level.round;
        }
        let mut connected = std::mem::take(&mut self.connected);
        connected.retain(|&(round, id)| self.node(round, id).is_some());
        self.connected = connected;
    }

    /// Where a finalization up to this block stops first: at the block itself, or [`FINAL_AT_ONCE`] rounds above the head, so
    /// that not more than these blocks have to be whole. The blocks in between are final as well.
    ///
    /// # Errors
    /// [`FinalizeError`], as far as headers tell.
    pub fn next_final(&self, round: Round, id: BlockId) -> Result<(Round, BlockId), FinalizeError> {
        let head = (self.head().round(), self.head().id());
        let stop = Round(head.0.0.saturating_add(FINAL_AT_ONCE));
        if round <= stop {
            return Ok((round, id));
        }
        let (mut at, mut want, mut next) = (round, id, id);
        while at > head.0 {
            if at == stop {
                next = want;
            }
            let node = self.node(at, want).ok_or(FinalizeError::Missing { round: at, block: want })?;
            want = node.header().parent;
            at = Round(at.0 - 1);
        }
        if want == head.1 { Ok((stop, next)) } else { Err(FinalizeError::Conflict(head.0)) }
    }

    /// The blocks from the head up to this one that are not whole here, highest first.
    pub fn away(&self, round: Round, id: BlockId) -> Vec<(Round, BlockId)> {
        let (mut at, mut want, mut away) = (round, id, Vec::new());
        while let Some(node) = self.node(at, want) {
            if node.block().is_none() {
                away.push((at, want));
            }
            want = node.header().parent;
            at = Round(at.0.saturating_sub(1));
        }
        away
    }

    /// Keeps the headers of the blocks of these rounds. Returns the blocks that the host was not told to store.
    pub fn put_away(&mut self, rounds: Range<Round>) -> Vec<Arc<Block>> {
        if rounds.is_empty() {
            return Vec::new();
        }
        let whole: Vec<Round> = self.whole.range(rounds).copied().collect();
        let mut untold = Vec::new();
        for round in whole {
            self.whole.remove(&round);
            if self.level(round).is_some_and(Level::is_whole) {
                untold.extend(self.level_mut(round).put_away());
            }
        }
        untold
    }

    /// How many blocks above the head are whole.
    #[must_use]
    pub fn whole_blocks(&self) -> usize {
        let levels = self.whole.iter().filter_map(|round| self.level(*round));
        levels.flat_map(Level::nodes).filter(|node| node.block().is_some()).count()
    }

    /// How large a block above the head is, or a final block that is kept.
    fn size(&self, round: Round, id: BlockId) -> Option<Size> {
        let above = self.node(round, id).map(TreeNode::size);
        above.or_else(|| self.kept(round, id).map(|found| Size::of(&found.block)))
    }

    /// Makes a block above the head whole again.
    pub fn put_back(&mut self, block: Arc<Block>) {
        let (round, id) = (block.round(), block.id());
        if self.node(round, id).is_some_and(|node| node.block().is_none())
            && let Some(node) = self.level_mut(round).node_mut(id)
        {
            node.put_back(block);
            self.whole.insert(round);
        }
    }

    /// The host was told to store a block.
    pub fn mark_stored(&mut self, round: Round, id: BlockId) {
        if self.node(round, id).is_some_and(|node| !node.stored)
            && let Some(node) = self.level_mut(round).node_mut(id)
        {
            node.stored = true;
        }
    }

    /// Remembers the finality certificate of a block at or below the head, when it is the newest.
    pub fn certify_final(&mut self, certificate: Verified<Arc<FinalityCertificate>>) {
        if certificate.round <= self.head().round()
            && self.finality.as_ref().is_none_or(|known| known.round < certificate.round)
        {
            self.finality = Some(certificate);
        }
    }
}

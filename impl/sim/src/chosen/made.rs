//! The blocks of a world: in the order in which they were made, and found by id.

use std::ops::Deref;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};

/// See the module doc. Reads as a slice.
#[derive(Clone, Debug, Default)]
pub struct Made {
    blocks: Vec<Arc<Block>>,
    /// Ids in order, and where the first block of each stands.
    by_id: Vec<(BlockId, usize)>,
}

impl Made {
    /// Adds a block at the end.
    pub fn push(&mut self, block: Arc<Block>) {
        let id = block.id();
        if let Err(position) = self.by_id.binary_search_by_key(&id, |(known, _)| *known) {
            self.by_id.insert(position, (id, self.blocks.len()));
        }
        self.blocks.push(block);
    }

    /// Forgets the blocks of which `keeps` says no.
    pub fn retain(&mut self, keeps: impl Fn(&Block) -> bool) {
        let blocks = std::mem::take(&mut self.blocks);
        self.by_id.clear();
        blocks.into_iter().filter(|block| keeps(block)).for_each(|block| self.push(block));
    }

    /// The block that has this id; the first one, if the same was made again.
    #[must_use]
    pub fn find(&self, id: &BlockId) -> Option<&Arc<Block>> {
        let position = self.by_id.binary_search_by_key(id, |(known, _)| *known).ok()?;
        self.blocks.get(self.by_id[position].1)
    }
}

impl Deref for Made {
    type Target = [Arc<Block>];

    fn deref(&self) -> &Self::Target {
        &self.blocks
    }
}

impl<'a> IntoIterator for &'a Made {
    type Item = &'a Arc<Block>;
    type IntoIter = std::slice::Iter<'a, Arc<Block>>;

    fn into_iter(self) -> Self::IntoIter {
        self.blocks.iter()
    }
}

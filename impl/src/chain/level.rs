//! The blocks and notarizations of one round above the finalized head.

use std::sync::Arc;

use crate::block::{Block, BlockId, Header};
use crate::certified::{Notarization, Verified};
use crate::committee::{Round, Subround};
use crate::wire;

/// The verdict of the application on a block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// It was not asked: the block or its parent is not judgeable yet.
    Unasked,
    /// It will be asked as soon as the host has given the block back.
    Loading,
    /// It was asked and has not answered.
    Asked,
    /// It accepts the block.
    Accepted,
    /// It refuses the block.
    Refused,
}

/// A block above the head, whole or as far as the chain needs it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Body {
    Whole(Arc<Block>),
    /// The host has the block.
    Away(Box<Stub>),
}

/// The part of a block that stays in memory when the host has stored the block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Stub {
    header: Header,
    size: Size,
}

/// How large a block is on the wire, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Size {
    /// Of the payload and the epoch items.
    pub payload: usize,
    /// Of all of it.
    pub whole: usize,
}

impl Size {
    /// That of a block.
    pub fn of(block: &Block) -> Self {
        Self { payload: block.content_bytes(), whole: wire::length_of_block(block) }
    }
}

/// A block above the head.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TreeNode {
    id: BlockId,
    body: Body,
    /// Whether the host was told to store it.
    pub stored: bool,
    /// Whether every block between it and the head is known.
    pub connected: bool,
    /// The verdict of the application on it.
    pub verdict: Verdict,
}

impl TreeNode {
    /// A whole block that nobody was asked about.
    pub(super) fn new(block: Arc<Block>, connected: bool) -> Self {
        let id = block.id();
        Self { id, body: Body::Whole(block), stored: false, connected, verdict: Verdict::Unasked }
    }

    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The block's header.
    #[must_use]
    pub fn header(&self) -> &Header {
        match &self.body {
            Body::Whole(block) => block.header(),
            Body::Away(stub) => &stub.header,
        }
    }

    /// The block, if it is whole here.
    #[must_use]
    pub fn block(&self) -> Option<&Arc<Block>> {
        match &self.body {
            Body::Whole(block) => Some(block),
            Body::Away(_) => None,
        }
    }

    /// How large the block is.
    pub(super) fn size(&self) -> Size {
        match &self.body {
            Body::Whole(block) => Size::of(block),
            Body::Away(stub) => stub.size,
        }
    }

    /// Keeps the header. Returns the block if the host was not told to store it.
    fn put_away(&mut self) -> Option<Arc<Block>> {
        let Body::Whole(block) = &self.body else { return None };
        let stub = Box::new(Stub { header: *block.header(), size: Size::of(block) });
        let Body::Whole(block) = std::mem::replace(&mut self.body, Body::Away(stub)) else { return None };
        let told = std::mem::replace(&mut self.stored, true);
        (!told).then_some(block)
    }

    /// Makes the block whole again.
    pub(super) fn put_back(&mut self, block: Arc<Block>) {
        self.body = Body::Whole(block);
    }
}

/// See the module doc. Both lists are ordered, so that equal knowledge is an equal value, whatever arrived first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Level {
    pub(super) round: Round,
    nodes: Vec<TreeNode>,
    pub(super) notarizations: Vec<Verified<Arc<Notarization>>>,
}

impl Level {
    pub(super) fn new(round: Round) -> Self {
        Self { round, nodes: Vec::new(), notarizations: Vec::new() }
    }

    pub(super) fn nodes(&self) -> &[TreeNode] {
        &self.nodes
    }

    fn position(&self, id: BlockId) -> Result<usize, usize> {
        self.nodes.binary_search_by_key(&id, |node| node.id)
    }

    pub(super) fn node(&self, id: BlockId) -> Option<&TreeNode> {
        self.position(id).ok().map(|index| &self.nodes[index])
    }

    pub(super) fn node_mut(&mut self, id: BlockId) -> Option<&mut TreeNode> {
        self.position(id).ok().map(|index| &mut self.nodes[index])
    }

    pub(super) fn insert(&mut self, node: TreeNode) {
        if let Err(index) = self.position(node.id) {
            self.nodes.insert(index, node);
        }
    }

    /// Connects the children of connected blocks and returns those that were not connected before, each with its parent.
    pub(super) fn connect_children_of(&mut self, parents: &[BlockId]) -> Vec<(BlockId, BlockId)> {
        let mut children = Vec::new();
        for node in &mut self.nodes {
            let parent = node.header().parent;
            if !node.connected && parents.contains(&parent) {
                node.connected = true;
                children.push((node.id, parent));
            }
        }
        children
    }

    pub(super) fn notarize(&mut self, notarization: Verified<Arc<Notarization>>) -> bool {
        match self.notarizations.binary_search_by_key(&notarization.statement, |known| known.statement) {
            Ok(_) => false,
            Err(index) => {
                self.notarizations.insert(index, notarization);
                true
            }
        }
    }

    fn is_notarized(&self, id: BlockId) -> bool {
        self.notarizations.iter().any(|notarization| notarization.block == id)
    }

    pub(super) fn has_candidates(&self, below: Subround) -> bool {
        self.nodes.iter().any(|node| node.header().subround < below)
    }

    /// Drops the blocks of old subrounds that are neither notarized nor kept, and returns their ids.
    pub(super) fn forget_candidates(
        &mut self,
        below: Subround,
        keep: impl Fn(BlockId) -> bool,
    ) -> Vec<BlockId> {
        self.drop_nodes(|level, node| {
            node.header().subround < below && !level.is_notarized(node.id) && !keep(node.id)
        })
    }

    fn drop_nodes(&mut self, goes: impl Fn(&Self, &TreeNode) -> bool) -> Vec<BlockId> {
        let nodes = std::mem::take(&mut self.nodes);
        let (gone, kept): (Vec<TreeNode>, Vec<TreeNode>) =
            nodes.into_iter().partition(|node| goes(self, node));
        self.nodes = kept;
        gone.into_iter().map(|node| node.id).collect()
    }

    /// Whether [`Level::put_away`] would change something.
    pub(super) fn is_whole(&self) -> bool {
        self.nodes.iter().any(|node| node.block().is_some())
    }

    /// Keeps the headers of the blocks. Returns those that the host was not told to store.
    pub(super) fn put_away(&mut self) -> Vec<Arc<Block>> {
        self.nodes.iter_mut().filter_map(TreeNode::put_away).collect()
    }

    /// Whether a block here descends from none of `parents`, all connected blocks of the round below; a block whose
    /// parent is not known yet is given the benefit of the doubt, except right above the head.
    pub(super) fn has_strays(&self, parents: &[BlockId], above_head: bool) -> bool {
        self.nodes.iter().any(|node| is_stray(node, parents, above_head))
    }

    /// Drops the blocks of [`Level::has_strays`], and returns their ids.
    pub(super) fn drop_strays(&mut self, parents: &[BlockId], above_head: bool) -> Vec<BlockId> {
        self.drop_nodes(|_, node| is_stray(node, parents, above_head))
    }
}

fn is_stray(node: &TreeNode, parents: &[BlockId], above_head: bool) -> bool {
    (node.connected || above_head) && !parents.contains(&node.header().parent)
}

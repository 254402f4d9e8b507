//! The state of a run: what each honest node signed and knows. Certificates are no state: they follow from the signatures.

use super::block::{BlockId, Blocks, START};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use zus_protocol::ids::{Epoch, Round, Subround};

/// A subround of a round of an epoch.
pub type Position = (Epoch, Round, Subround);

/// The record that a node took for a committee.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// The one that the chain makes. Every chain that closes makes the same.
    OfChain,
    /// One that the node made from its own state (fault VC13).
    OfNode,
    /// One that the adversary made up.
    Forged,
}

/// The handoff by which a node entered an epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entry {
    /// The closing block of the epoch before.
    pub closing: BlockId,
    /// The record.
    pub record: Record,
}

/// An honest node: a member of committees, or one that follows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node {
    /// The handoffs that it stored, from epoch 1 on; durable.
    pub entries: Vec<Entry>,
    /// The block through which it came into its round, which is the one after that block's. It holds its notarization.
    pub through: BlockId,
    /// The blocks that it signed a ticket for; durable.
    pub tickets: Blocks,
    /// The blocks that it signed a finality vote for; durable.
    pub votes: Blocks,
    /// Whether it crashed and came back.
    pub restarted: bool,
    /// Whether it did so after it had stored a handoff and before its first signature in that epoch (WE6).
    pub restarted_between: bool,
    /// The subround of its round that it is in. Always the first one where subrounds are entered at will.
    pub subround: Subround,
    /// The subrounds that it signed a timeout for; durable. Empty where subrounds are entered at will.
    pub timeouts: BTreeSet<Position>,
    /// Whether it turned Byzantine: it signed everything of its epoch, and takes no step.
    pub turned: bool,
    /// The handoff that it had stored when members turned Byzantine, or that its checkpoint has.
    pub kept: Option<Entry>,
}

impl Node {
    /// A node that knows the first committee and the start.
    pub fn new() -> Node {
        Node {
            entries: Vec::new(),
            through: START,
            tickets: Blocks::default(),
            votes: Blocks::default(),
            restarted: false,
            restarted_between: false,
            subround: Subround(0),
            timeouts: BTreeSet::new(),
            turned: false,
            kept: None,
        }
    }

    /// The epoch that it is in.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.entries.len() as u64)
    }

    /// The handoff by which it entered an epoch, if it did.
    pub fn entry(&self, epoch: Epoch) -> Option<&Entry> {
        self.entries.get((epoch.0 as usize).checked_sub(1)?)
    }

    /// The blocks that it signed a ticket for.
    pub fn tickets(&self) -> Blocks {
        self.tickets
    }

    /// The blocks that it signed a finality vote for.
    pub fn votes(&self) -> Blocks {
        self.votes
    }
}

impl Default for Node {
    fn default() -> Self {
        Node::new()
    }
}

/// A state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The honest nodes, in the order of the instance.
    pub nodes: Vec<Node>,
}

impl State {
    /// The nodes that are honest still.
    pub fn honest(&self) -> impl Iterator<Item = &Node> + Clone {
        self.nodes.iter().filter(|node| !node.turned)
    }
}

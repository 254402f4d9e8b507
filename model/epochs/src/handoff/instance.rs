//! An instance: the members of each committee, the blocks, the rules, and what may go wrong.
//!
//! Committee `C(k)` has `n(k)` members. At most `f(k) = floor((n(k) - 1) / 3)` of them are meant to be Byzantine, and a
//! quorum is `q(k) = n(k) - f(k)`. Byzantine members have signed everything that there is to sign, so no state is kept for
//! them: it is exact, since nothing that a Byzantine member signs keeps it, or anybody else, from signing anything.

use super::{
    block::{Block, BlockId, Blocks, START},
    fault::EpochFault,
    rules::{EpochRules, ThresholdsRule},
    state::{Node, State},
};
use zus_protocol::ids::Epoch;

/// A member of one or more committees, or a node that is in none and follows.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, for sentences.
    pub name: String,
    /// Whether it is honest.
    pub honest: bool,
    /// The committees that it is in: `of[k]` says whether it is in `C(k)`.
    pub of: Vec<bool>,
    /// Whether its operator gives it a checkpoint: the handoff after which members turn Byzantine.
    pub checkpoint: bool,
}

/// The way to the next subround of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subrounds {
    /// A member goes on at any time. So the model has more runs than with certificates, and no state for timeouts.
    AtWill,
    /// A member goes on with a timeout certificate of its epoch and round.
    ByCertificate,
}

/// The knowledge that a node that comes back has beside its log and its handoffs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ComesBack {
    /// The certificate by which it came into its round: it stored it with its vote.
    WithItsCertificate,
    /// Nothing: it is in the first round of its epoch again.
    WithItsLogOnly,
}

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The members: the honest ones first, and those of the same committees side by side.
    pub members: Vec<Member>,
    /// The blocks; the first one is the start.
    pub blocks: Vec<Block>,
    /// Epochs: the last one hands over to nobody.
    pub epochs: u64,
    /// The rules.
    pub rules: EpochRules,
    /// The mistake in the rules, if there is one.
    pub fault: Option<EpochFault>,
    /// How many honest nodes may crash and come back, each once.
    pub restarts: usize,
    /// The knowledge that a node that comes back has beside its log and its handoffs.
    pub comes_back: ComesBack,
    /// The way to the next subround.
    pub subrounds: Subrounds,
    /// Whether the members that are in the first committee only may turn Byzantine, all at once, after a handoff of it was formed.
    pub turns: bool,
}

impl Instance {
    /// An instance of these members and blocks under the recommended rules. A member is a name of its kind, how many there
    /// are of that kind, and the committees that they are in. A kind with the name `Byzantine` is that, and one with the name
    /// `node with a checkpoint` has one.
    pub fn new(kinds: &[(&str, usize, &[bool])], blocks: Vec<Block>) -> Self {
        let of_kind = |&(name, count, of): &(&str, usize, &[bool])| {
            let member = move |at: usize| Member {
                name: if count == 1 { name.to_owned() } else { format!("{name} {}", at + 1) },
                honest: name != "Byzantine",
                of: of.to_vec(),
                checkpoint: name == "node with a checkpoint",
            };
            (0..count).map(member).collect::<Vec<_>>()
        };
        let mut members: Vec<Member> = kinds.iter().flat_map(of_kind).collect();
        members.sort_by_key(|member| !member.honest);
        let epochs = blocks.iter().map(|block| block.epoch.0 + 1).max().unwrap_or(1);
        Instance {
            members,
            blocks,
            epochs,
            rules: EpochRules::HARDENED,
            fault: None,
            restarts: 0,
            comes_back: ComesBack::WithItsCertificate,
            subrounds: Subrounds::AtWill,
            turns: false,
        }
    }

    /// Whether two honest nodes are alike but for their state: they have the same committees, and both or none has a checkpoint.
    pub fn are_alike(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.members[a], &self.members[b]);
        (&a.of, a.checkpoint) == (&b.of, b.checkpoint)
    }

    /// Whether the rules have this mistake.
    pub fn has(&self, fault: EpochFault) -> bool {
        self.fault == Some(fault)
    }

    /// The initial state: each node knows `C(0)` and the start.
    pub fn initial(&self) -> State {
        State { nodes: self.members.iter().filter(|member| member.honest).map(|_| Node::new()).collect() }
    }

    /// The block of that id.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[usize::from(id.0)]
    }

    /// All blocks above the start.
    pub fn above_start(&self) -> impl Iterator<Item = BlockId> + use<> {
        (1..self.blocks.len() as u8).map(BlockId)
    }

    /// Whether a node is in the committee of `epoch`.
    pub fn is_in(&self, node: usize, epoch: Epoch) -> bool {
        self.members[node].of.get(epoch.0 as usize).copied().unwrap_or(false)
    }

    /// `n` of an epoch.
    pub fn size(&self, epoch: Epoch) -> usize {
        (0..self.members.len()).filter(|&member| self.is_in(member, epoch)).count()
    }

    /// How many members of the committee are in fact Byzantine.
    pub fn byzantine(&self, epoch: Epoch) -> usize {
        (0..self.members.len()).filter(|&at| self.is_in(at, epoch) && !self.members[at].honest).count()
    }

    /// `q` of an epoch, by its definition.
    pub fn quorum(&self, epoch: Epoch) -> usize {
        let n = self.size(epoch);
        n - n.saturating_sub(1) / 3
    }

    /// The number of tickets or votes of the epoch that nodes take for a quorum.
    pub fn quorum_of_nodes(&self, epoch: Epoch) -> usize {
        match self.rules.thresholds {
            ThresholdsRule::OfOldCommittee if epoch.0 > 0 => self.quorum(Epoch(epoch.0 - 1)),
            ThresholdsRule::OfNewCommittee | ThresholdsRule::OfOldCommittee => self.quorum(epoch),
        }
    }

    /// The same of finality votes.
    pub fn quorum_of_votes(&self, epoch: Epoch) -> usize {
        let next = Epoch(epoch.0 + 1);
        if self.has(EpochFault::VotesWithNextQuorum) && next.0 < self.epochs {
            return self.quorum_of_nodes(next);
        }
        self.quorum_of_nodes(epoch)
    }

    /// How many members of `C(epoch)` signed `block`: the honest ones by their sets, and the Byzantine ones.
    pub fn signers(&self, state: &State, signed: fn(&Node) -> Blocks, block: BlockId, epoch: Epoch) -> usize {
        let signs = |&(at, node): &(usize, &Node)| self.is_in(at, epoch) && signed(node).contains(block);
        state.nodes.iter().enumerate().filter(signs).count() + self.byzantine(epoch)
    }

    /// Whether a notarization of `block` can be formed.
    pub fn notarized(&self, state: &State, block: BlockId) -> bool {
        let epoch = self.block(block).epoch;
        block == START || self.signers(state, Node::tickets, block, epoch) >= self.quorum_of_nodes(epoch)
    }

    /// Whether a finality certificate for `block` can be formed.
    pub fn certified(&self, state: &State, block: BlockId) -> bool {
        let epoch = self.block(block).epoch;
        self.signers(state, Node::votes, block, epoch) >= self.quorum_of_votes(epoch)
    }

    /// The closing block and the tail blocks on it.
    pub fn closing_and_tail(&self, closing: BlockId) -> impl Iterator<Item = BlockId> {
        self.above_start().filter(move |block| self.block(*block).closed_by == Some(closing))
    }

    /// Whether the handoff certificate of a closing block can be formed: a finality certificate for it, or for a block of its tail.
    pub fn handed_off(&self, state: &State, closing: BlockId) -> bool {
        self.closing_and_tail(closing).any(|block| self.certified(state, block))
    }

    /// Whether `block` is `below`, or descends from it.
    pub fn descends(&self, block: BlockId, below: BlockId) -> bool {
        let mut at = block;
        while at != below && at != START {
            at = self.block(at).parent;
        }
        at == below
    }
}

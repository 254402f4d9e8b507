//! An observer of a run across epochs: it believes what nodes show, and nothing that they say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId, Closing, Digest, Time};
use zus_bpp::committee::{Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::Signers;
use zus_bpp::epochs::replica::{EpochMilestone, Part};
use zus_bpp::message::Message;

use super::key_source::KeysMade;
use crate::messages::{self, Said};
use zus_bpp::epochs::planned::Schedule;

/// A kind of signed statement, as E9 and E2 look at it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Signature {
    /// A ticket.
    Ticket,
    /// A finality vote.
    Vote,
    /// A timeout.
    Timeout,
    /// An own block.
    Proposal,
}

/// The block of a timeout, which is for none.
const NO_BLOCK: BlockId = BlockId([0; 32]);

/// How an epoch began.
#[derive(Clone, Debug)]
pub struct Handover {
    /// When the first node entered.
    pub first: Time,
    /// When the last member of its committee that entered did.
    pub last: Time,
    /// The round of the closing block.
    pub anchor: Round,
    /// The lowest round whose certificate some node entered by: it is above the closing block's if no node had that one's.
    pub certified: Round,
    /// The nodes that entered it, and their parts.
    pub nodes: BTreeMap<u16, Part>,
}

/// See the module doc.
#[derive(Debug, Default)]
pub struct Observer {
    /// How each epoch began.
    pub handovers: BTreeMap<Epoch, Handover>,
    /// Broken properties, each with its id in front.
    pub violations: BTreeSet<String>,
    /// The refusals: who refused, whose message, why.
    pub refused: BTreeMap<(u16, u16), BTreeMap<String, u64>>,
    /// The outcome of the key generation of each epoch, where it was not planned.
    pub keys: BTreeMap<Epoch, KeysMade>,
    /// Members that evidence convicts: epoch and node.
    pub convicted: BTreeSet<(Epoch, u16)>,
    /// E1: the record and the block that the epoch begins on, as the first honest node knew them.
    known: BTreeMap<Epoch, (Digest, BlockId)>,
    /// E3: the first block that anybody finalized in a round.
    finals: BTreeMap<Round, Arc<Block>>,
    /// The finalized head of each node.
    heads: BTreeMap<u16, Arc<Block>>,
    /// E9: what each honest node signed in a position.
    signed: BTreeMap<(u16, Epoch, Signature, Round, Subround), BTreeSet<BlockId>>,
    /// The rounds in which the certificates that nodes entered by were formed.
    certified: BTreeMap<(u16, Epoch), Round>,
    honest: BTreeSet<u16>,
}

impl Observer {
    /// An observer of these honest nodes.
    pub fn new(honest: impl IntoIterator<Item = u16>) -> Self {
        Self { honest: honest.into_iter().collect(), ..Self::default() }
    }

    /// A node is honest no more.
    pub(super) fn forget(&mut self, node: u16) {
        self.honest.remove(&node);
    }

    /// The finalized head of a node.
    #[must_use]
    pub fn head(&self, node: u16) -> Option<&Arc<Block>> {
        self.heads.get(&node)
    }

    /// The chain that was finalized first.
    pub fn chain(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.finals.values()
    }

    fn violated(&mut self, what: String) {
        self.violations.insert(what);
    }

    /// A node knows the committee of an epoch, and the block that it begins on.
    pub fn knows(&mut self, node: u16, epoch: Epoch, record: Digest, anchor: BlockId) {
        if !self.honest.contains(&node) {
            return;
        }
        let first = *self.known.entry(epoch).or_insert((record, anchor));
        if first != (record, anchor) {
            self.violated(format!(
                "E1: node {node} knows another committee or beginning of epoch {}",
                epoch.0
            ));
        }
    }

    /// E1: the final chain of a node has made the keys of an epoch so; every honest node sees the same.
    pub fn keys_made(&mut self, node: u16, epoch: Epoch, made: Option<KeysMade>) {
        let Some(made) = made.filter(|_| self.honest.contains(&node)) else { return };
        let first = self.keys.entry(epoch).or_insert_with(|| made.clone());
        if *first != made {
            self.violated(format!("E1: node {node} sees another key generation of epoch {}", epoch.0));
        }
    }

    /// A node took a step.
    pub fn milestone(&mut self, now: Time, node: u16, plan: &Schedule, milestone: EpochMilestone) {
        match milestone {
            EpochMilestone::HandedOver { epoch, certified, .. } => {
                self.certified.insert((node, Epoch(epoch.0 + 1)), certified);
            }
            EpochMilestone::Entered { epoch, anchor, part } => {
                let members = plan.record(epoch).map(|record| record.miners).unwrap_or_default();
                if part == Part::Follower && members.contains(&node) && self.honest.contains(&node) {
                    self.violated(format!(
                        "E5 share: node {node} enters epoch {} without its key share",
                        epoch.0
                    ));
                }
                let certified = self.certified.get(&(node, epoch)).copied().unwrap_or(anchor);
                let handover = self.handovers.entry(epoch).or_insert_with(|| Handover {
                    first: now,
                    last: now,
                    anchor,
                    certified,
                    nodes: BTreeMap::new(),
                });
                handover.certified = handover.certified.min(certified);
                if part == Part::Member && !handover.nodes.contains_key(&node) {
                    handover.last = now;
                }
                handover.nodes.entry(node).or_insert(part);
            }
            EpochMilestone::Keys { .. }
            | EpochMilestone::NoKeyShare { .. }
            | EpochMilestone::Released { .. } => {}
        }
    }

    /// A block is final at a node.
    pub fn finalized(&mut self, node: u16, block: &Arc<Block>) {
        if !self.honest.contains(&node) {
            return;
        }
        let round = block.round();
        let first = self.finals.entry(round).or_insert_with(|| Arc::clone(block)).id();
        if first != block.id() {
            self.violated(format!("E3: node {node} finalized another block of round {round} than others"));
        }
        if let Closing::Tail { .. } = block.header().closing {
            self.violated(format!("E3: node {node} finalized a tail block of round {round}"));
        }
        if let Some(below) = self.heads.get(&node).cloned() {
            if below.round().next() != round || block.header().parent != below.id() {
                self.violated(format!("S7: node {node} finalized round {round} on {}", below.round()));
            }
            let closes = matches!(below.header().closing, Closing::Closes { .. });
            if (block.header().epoch != below.header().epoch) != closes {
                self.violated(format!(
                    "E3: node {node}: the epoch changes in round {round} without a closing block"
                ));
            }
        }
        self.heads.insert(node, Arc::clone(block));
    }

    /// A node forgot nothing: it goes on above this head.
    pub fn restarted(&mut self, node: u16, head: &Arc<Block>) {
        if self.heads.get(&node).is_some_and(|known| known.id() != head.id()) {
            self.violated(format!("S7: node {node} came back with another head, of round {}", head.round()));
        }
    }

    /// A node signed a message of an epoch, or sends a certificate.
    pub fn sent(&mut self, node: u16, plan: &Schedule, epoch: Epoch, present: Epoch, message: &Message) {
        if !self.honest.contains(&node) {
            return;
        }
        let said = messages::said(message);
        let signed = match &said {
            Said::Ticket(ticket) => Some((Signature::Ticket, ticket.round, ticket.subround, ticket.block)),
            Said::Vote(vote) => Some((Signature::Vote, vote.round, vote.subround, vote.block)),
            Said::Timeout(timeout) => Some((Signature::Timeout, timeout.round, timeout.subround, NO_BLOCK)),
            // A block is sent by its generator only.
            Said::Proposal(proposal) => {
                let block = &proposal.block;
                Some((Signature::Proposal, block.round(), block.subround(), block.id()))
            }
            // A share of the beacon is of a round and no block: two of one round are equal.
            Said::Share(_)
            | Said::Notarization(_)
            | Said::TimeoutCertificate(_)
            | Said::FinalityCertificate(_)
            | Said::Evidence(_)
            | Said::Blocks(_)
            | Said::Unsigned => None,
        };
        if let Some((kind, round, subround, block)) = signed {
            if epoch != present {
                self.violated(format!(
                    "E2: node {node} signed in epoch {} while it was in epoch {}",
                    epoch.0, present.0
                ));
            }
            let position = if kind == Signature::Vote { Subround(0) } else { subround };
            let blocks = self.signed.entry((node, epoch, kind, round, position)).or_default();
            blocks.insert(block);
            if blocks.len() > 1 {
                self.violated(format!(
                    "E9: node {node} signed two blocks in epoch {} round {round}",
                    epoch.0
                ));
            }
        }
        let (kind, round, subround, block, certificate) = match &said {
            Said::Notarization(it) => (Signature::Ticket, it.round, it.subround, it.block, &it.certificate),
            Said::FinalityCertificate(it) => {
                (Signature::Vote, it.round, it.subround, it.block, &it.certificate)
            }
            Said::TimeoutCertificate(it) => {
                (Signature::Timeout, it.round, it.subround, NO_BLOCK, &it.certificate)
            }
            // The certificates inside of blocks were messages before, of the nodes that made them.
            Said::Share(_)
            | Said::Proposal(_)
            | Said::Ticket(_)
            | Said::Timeout(_)
            | Said::Vote(_)
            | Said::Evidence(_)
            | Said::Blocks(_)
            | Said::Unsigned => return,
        };
        self.certified(node, plan, epoch, (kind, round, subround, block), &certificate.signers);
    }

    /// E2: a certificate that an honest node sends holds a quorum of members of the epoch; the honest ones among them signed.
    fn certified(
        &mut self,
        node: u16,
        plan: &Schedule,
        epoch: Epoch,
        (kind, round, subround, block): (Signature, Round, Subround, BlockId),
        signers: &Signers,
    ) {
        let Some(members) = plan.record(epoch).map(|record| record.miners) else {
            self.violated(format!("E2: node {node} sends a certificate of epoch {}, which is none", epoch.0));
            return;
        };
        let quorum = members.len() - (members.len() - 1) / 3;
        let position = if kind == Signature::Vote { Subround(0) } else { subround };
        let signed = |signer: MinerId| {
            let Some(member) = members.get(usize::from(signer.0)) else { return false };
            let of = self.signed.get(&(*member, epoch, kind, round, position));
            !self.honest.contains(member) || of.is_some_and(|blocks| blocks.contains(&block))
        };
        let all_signed = signers.iter().all(signed);
        let anchor = self.handovers.get(&epoch).map_or(Round(0), |handover| handover.anchor);
        if signers.count() < quorum || !all_signed || round <= anchor {
            self.violated(format!(
                "E2: node {node} takes a certificate of epoch {} round {round} that its committee did not make",
                epoch.0
            ));
        }
    }

    /// Evidence against a member of an epoch.
    pub fn convicts(&mut self, plan: &Schedule, epoch: Epoch, members: &[MinerId]) {
        let record = plan.record(epoch);
        for member in members {
            let node = record.as_ref().and_then(|record| record.miners.get(usize::from(member.0))).copied();
            let Some(node) = node else { continue };
            self.convicted.insert((epoch, node));
            if self.honest.contains(&node) {
                self.violated(format!("E9: evidence of epoch {} convicts the honest node {node}", epoch.0));
            }
        }
    }

    /// E7, at the end of a run: each honest node is in the epoch, and its head is at most so many rounds behind the highest.
    pub fn ends_in(&mut self, epoch: Epoch, behind: u64) {
        let highest = self.finals.keys().next_back().copied().unwrap_or_default();
        for node in self.honest.clone() {
            let head = self.heads.get(&node).map(|head| (head.header().epoch, head.round()));
            let (in_epoch, round) = head.unwrap_or_default();
            if in_epoch != epoch || round.0 + behind < highest.0 {
                self.violated(format!(
                    "E7: node {node} ends in epoch {} with round {round} final, others in epoch {} with round {highest}",
                    in_epoch.0, epoch.0
                ));
            }
        }
    }
}

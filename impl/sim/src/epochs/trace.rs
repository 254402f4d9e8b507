//! The steps of nodes in the order in which they were taken: to compare a run with a specification of the handover.

use std::collections::{BTreeMap, VecDeque};

use zus_bpp::block::{BlockId, Digest, Header};
use zus_bpp::committee::Epoch;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::replica::{EpochMilestone, Output};
use zus_bpp::epochs::roster::CommitteeRecord;
use zus_bpp::message::Message;
use zus_bpp::miner::{self, Stored};

/// Signed statements that are kept, for an adversary that repeats them.
const KEPT: usize = 64;

/// A step of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It is in an epoch that begins on this block, with this record.
    Enters {
        /// The block.
        anchor: BlockId,
        /// The digest of the record.
        record: Digest,
    },
    /// It came back after a crash.
    Returns,
    /// Its ticket for a block left.
    Ticket(BlockId),
    /// Its finality vote for a block left.
    Vote(BlockId),
    /// A block is final there.
    Final(BlockId),
}

/// A step, with the node and the epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The number of the node.
    pub node: u16,
    /// The epoch of the step.
    pub epoch: Epoch,
    /// The step.
    pub step: Step,
}

/// See the module doc.
#[derive(Default)]
pub struct Trace {
    /// The steps that nobody has taken out yet.
    pub steps: VecDeque<Taken>,
    /// The headers of blocks that nodes have judged, made or finalized.
    pub headers: BTreeMap<BlockId, Header>,
    /// The last tickets and votes, each with its epoch.
    pub signed: VecDeque<(Epoch, Message)>,
    /// The beginnings that are on their way to a disk, or there.
    begun: BTreeMap<(u16, Epoch), (BlockId, Digest)>,
    /// The last epoch that each node has entered.
    entered: BTreeMap<u16, Epoch>,
}

impl Trace {
    /// Writes the steps down that follow from the outputs of one step of a replica. What was signed comes before what is final by it.
    pub(super) fn write<R: CommitteeRecord>(&mut self, node: u16, outputs: &[Output<R>]) {
        let from = self.steps.len();
        for output in outputs {
            match output {
                Output::StoreBeginning(beginning) => {
                    let begins = (beginning.anchor.id(), beginning.record.digest());
                    self.begun.insert((node, beginning.record.epoch()), begins);
                }
                Output::Milestone(EpochMilestone::Entered { epoch, .. }) => self.enters(node, *epoch),
                Output::Broadcast { envelope: Envelope::Message { epoch, message }, .. }
                | Output::Send { envelope: Envelope::Message { epoch, message }, .. } => {
                    self.says(node, *epoch, message);
                }
                Output::Host { epoch, output } => self.hosts(node, *epoch, output),
                _ => {}
            }
        }
        let order = |taken: &Taken| match taken.step {
            Step::Enters { .. } | Step::Returns => 0,
            Step::Ticket(_) | Step::Vote(_) => 1,
            Step::Final(_) => 2,
        };
        self.steps.make_contiguous()[from..].sort_by_key(|taken| (taken.epoch, order(taken)));
    }

    fn take(&mut self, node: u16, epoch: Epoch, step: Step) {
        self.steps.push_back(Taken { node, epoch, step });
    }

    fn enters(&mut self, node: u16, epoch: Epoch) {
        let before = self.entered.insert(node, epoch);
        if before.is_none_or(|before| before < epoch)
            && let Some(&(anchor, record)) = self.begun.get(&(node, epoch))
        {
            self.take(node, epoch, Step::Enters { anchor, record });
        } else if before.is_some() {
            self.take(node, epoch, Step::Returns);
        }
    }

    fn says(&mut self, node: u16, epoch: Epoch, message: &Message) {
        let step = match message {
            Message::Ticket(ticket) => Step::Ticket(ticket.block),
            Message::UncompressedTicket(ticket) => Step::Ticket(ticket.statement.block),
            Message::FinalityVote(vote) => Step::Vote(vote.block),
            Message::Proposal(proposal) => return self.knows(proposal.block.header()),
            _ => return,
        };
        self.signed.push_back((epoch, message.clone()));
        let surplus = self.signed.len().saturating_sub(KEPT);
        self.signed.drain(..surplus);
        self.take(node, epoch, step);
    }

    fn hosts(&mut self, node: u16, epoch: Epoch, output: &miner::Output) {
        match output {
            miner::Output::Validate { block } => self.knows(block.header()),
            miner::Output::Store { stored: Stored::Block(block), .. } => self.knows(block.header()),
            miner::Output::Finalized(found) => {
                self.knows(found.block.header());
                self.take(node, epoch, Step::Final(found.block.id()));
            }
            _ => {}
        }
    }

    fn knows(&mut self, header: &Header) {
        self.headers.insert(header.id(), *header);
    }
}

//! The surroundings of a miner: its disk, its application, and whether it runs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use zus_bpp::application::TransactionQueue;
use zus_bpp::block::{Block, BlockId};
use zus_bpp::bounds::KEPT_FINAL_BLOCKS;
use zus_bpp::chain::FinalBlock;
use zus_bpp::message::Message;
use zus_bpp::miner::{Miner, Recovery, Stored, WriteId};
use zus_bpp::ticket_log::{MemoryLog, Record, TicketLog};

use super::Byzantine;

/// The data that survives a crash: two storages, each of which keeps the order of its own writes.
#[derive(Clone, Debug)]
pub struct Disk {
    pub log: MemoryLog,
    pub stored: Vec<Stored>,
    /// All final blocks.
    pub history: Vec<FinalBlock>,
    /// On its way to `stored`: a crash keeps an unknown beginning of it.
    unconfirmed: VecDeque<(WriteId, Stored)>,
}

impl Disk {
    pub fn new(log: MemoryLog) -> Self {
        Self { log, stored: Vec::new(), history: Vec::new(), unconfirmed: VecDeque::new() }
    }

    /// Makes every record durable that was appended.
    pub fn flush_log(&mut self) {
        self.log.flush().expect("memory does not fail");
    }

    pub fn store(&mut self, write: WriteId, stored: Stored) {
        self.unconfirmed.push_back((write, stored));
    }

    /// Makes everything durable that was stored, up to this write.
    pub fn flush_stores(&mut self, write: WriteId) {
        let count = self.unconfirmed.iter().take_while(|(known, _)| *known <= write).count();
        self.stored.extend(self.unconfirmed.drain(..count).map(|(_, stored)| stored));
    }

    /// A block that was stored, or is final; durable or not.
    pub fn load(&self, id: BlockId) -> Option<Arc<Block>> {
        let stored = self.stored.iter().chain(self.unconfirmed.iter().map(|(_, stored)| stored));
        let stored = stored.filter_map(|stored| match stored {
            Stored::Block(block) => Some(block),
            _ => None,
        });
        let finals = self.history.iter().rev().map(|found| &found.block);
        stored.chain(finals).find(|block| block.id() == id).map(Arc::clone)
    }

    /// How many stores a crash may lose.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.len()
    }

    /// A crash: so many of the unflushed records, and of the unconfirmed stores, are on the disk all the same.
    pub fn crash(&mut self, records: usize, stores: usize) {
        let survivors = std::mem::take(&mut self.unconfirmed).into_iter().take(stores);
        self.stored.extend(survivors.map(|(_, stored)| stored));
        self.log = self.log.clone().crash(records);
    }

    pub fn commit(&mut self, head: FinalBlock) {
        let round = head.block.round();
        self.history.push(head);
        self.stored.retain(|stored| stored.is_needed_beyond(round));
    }

    pub fn recovery(&self) -> Recovery {
        let first = self.history.len().saturating_sub(KEPT_FINAL_BLOCKS);
        let finals = self.history[first..].to_vec();
        Recovery { finals, signed: self.log.signed().clone(), stored: self.stored.clone() }
    }
}

pub struct Host<S> {
    pub miner: Option<Miner<S>>,
    pub scheme: S,
    pub byzantine: Option<Byzantine>,
    pub disk: Disk,
    pub application: TransactionQueue,
    /// Rises with every start: what was meant for an earlier life does not arrive.
    pub life: u32,
    /// The next step ends in a crash.
    pub kill_in_step: bool,
    /// How many steps it has taken, in all lives.
    pub steps: u64,
    /// Tickets that were in the log and had not left when it crashed.
    pub unsent: BTreeSet<Record>,
    /// Whether one of them left after the restart (W6).
    pub sent_from_log: bool,
}

impl<S: zus_bpp::crypto::scheme::Scheme + Clone> Host<S> {
    pub fn start(&mut self, config: &Arc<zus_bpp::miner::Config>, recovery: Recovery) {
        self.life += 1;
        self.kill_in_step = false;
        self.application.restart();
        let miner = Miner::new(Arc::clone(config), self.scheme.clone(), recovery);
        self.miner = Some(miner.expect("the scheme is a member's"));
    }
}

/// The record that a miner's log must have before it sends this message.
pub fn record_of(message: &Message) -> Option<Record> {
    match message {
        Message::Proposal(proposal) => {
            let block = &proposal.block;
            Some(Record::proposal(block.round(), block.subround(), block.id().0))
        }
        Message::Ticket(ticket) => Some(Record::ticket(ticket.round, ticket.subround, ticket.block.0)),
        Message::UncompressedTicket(_) => record_of(&message.clone().compressed()),
        Message::Timeout(timeout) => Some(Record::timeout(timeout.round, timeout.subround)),
        Message::FinalityVote(vote) => Some(Record::finality_vote(vote.round, vote.subround, vote.block.0)),
        Message::BeaconShare(_)
        | Message::Notarization(_)
        | Message::TimeoutCertificate(_)
        | Message::FinalityCertificate(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

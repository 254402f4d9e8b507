//! What surrounds a miner: its disk, its application, and whether it runs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use zus_bpp::application::TransactionQueue;
use zus_bpp::bounds::KEPT_FINAL_BLOCKS;
use zus_bpp::chain::FinalBlock;
use zus_bpp::miner::{Miner, Recovery, Stored};
use zus_bpp::ticket_log::{AppendError, MemoryLog, Record, TicketLog};

use super::Byzantine;

/// One item on its way to the disk.
#[derive(Clone, Debug)]
pub enum Item {
    /// A record, which is in the log's own hands.
    Record,
    Stored(Stored),
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub struct Disk {
    pub log: MemoryLog,
    pub stored: Vec<Stored>,
    /// All final blocks.
    pub history: Vec<FinalBlock>,
    /// Written, not flushed: a crash keeps an unknown beginning of it.
    pub unflushed: VecDeque<Item>,
}

impl Disk {
    pub fn new(log: MemoryLog) -> Self {
        Self { log, stored: Vec::new(), history: Vec::new(), unflushed: VecDeque::new() }
    }

    /// Writes a record. The log refuses what contradicts it.
    pub fn append(&mut self, record: Record) -> Result<(), AppendError> {
        self.log.append(record)?;
        self.unflushed.push_back(Item::Record);
        Ok(())
    }

    /// A flush reaches every record that was appended, and with it everything that was stored before.
    pub fn flush(&mut self) {
        self.log.flush().expect("memory does not fail");
        let records = self.unflushed.iter().rposition(|item| matches!(item, Item::Record));
        for item in self.unflushed.drain(..records.map_or(0, |last| last + 1)) {
            if let Item::Stored(stored) = item {
                self.stored.push(stored);
            }
        }
    }

    /// A crash: `survives` of the unflushed items are on the disk all the same.
    pub fn crash(&mut self, survives: usize) {
        let mut records = 0;
        for item in std::mem::take(&mut self.unflushed).into_iter().take(survives) {
            match item {
                Item::Record => records += 1,
                Item::Stored(stored) => self.stored.push(stored),
            }
        }
        self.log = self.log.clone().crash(records);
    }

    pub fn commit(&mut self, head: FinalBlock) {
        let round = head.block.round();
        self.history.push(head);
        self.stored.retain(|stored| match stored {
            Stored::Block(block) => block.round() > round,
            Stored::Notarization(certificate) => certificate.round > round,
            Stored::TimeoutCertificate(certificate) => certificate.round > round,
            Stored::FinalityCertificate(_) => true,
        });
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

//! The data of a miner that survives a crash: two storages, each of which keeps the order of its own writes.

use std::collections::VecDeque;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Round};
use zus_bpp::limits::KEPT_FINAL_BLOCKS;
use zus_bpp::miner::{Config, Recovery, Stored, WriteId};
use zus_bpp::ticket_log::{KEY_BYTES, MemoryLog, Owner, SigningRules, TicketLog};

/// See the module doc.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The ticket log.
    pub log: MemoryLog,
    /// The stores that are durable.
    pub stored: Vec<Stored>,
    /// The final blocks.
    pub history: Vec<FinalBlock>,
    /// On its way to `stored`: a crash keeps an unknown beginning of it.
    unconfirmed: VecDeque<(WriteId, Stored)>,
}

impl Disk {
    /// The empty disk of a member.
    #[must_use]
    pub fn new(config: &Config, miner: MinerId) -> Self {
        let mut key = [0; KEY_BYTES];
        key[..2].copy_from_slice(&miner.0.to_be_bytes());
        let owner = Owner { chain: config.committee.chain(), epoch: config.committee.epoch(), key };
        let log = MemoryLog::new(owner, SigningRules::from(&config.rules), Round(0));
        Self { log, stored: Vec::new(), history: Vec::new(), unconfirmed: VecDeque::new() }
    }

    /// Makes every record durable that was appended.
    ///
    /// # Panics
    /// Never: memory does not fail.
    pub fn flush_log(&mut self) {
        self.log.flush().expect("memory does not fail");
    }

    /// A store is on its way.
    pub fn store(&mut self, write: WriteId, stored: Stored) {
        self.unconfirmed.push_back((write, stored));
    }

    /// Makes everything durable that was stored, up to this write.
    pub fn flush_stores(&mut self, write: WriteId) {
        let count = self.unconfirmed.iter().take_while(|(known, _)| *known <= write).count();
        self.stored.extend(self.unconfirmed.drain(..count).map(|(_, stored)| stored));
    }

    /// A block that was stored, durable or not, or is final.
    #[must_use]
    pub fn load(&self, id: &BlockId) -> Option<Arc<Block>> {
        let stored = self.stored.iter().chain(self.unconfirmed.iter().map(|(_, stored)| stored));
        let stored = stored.filter_map(|stored| match stored {
            Stored::Block(block) => Some(block),
            Stored::Notarization(_) | Stored::TimeoutCertificate(_) | Stored::FinalityCertificate(_) => None,
        });
        let finals = self.history.iter().rev().map(|found| &found.block);
        stored.chain(finals).find(|block| block.id() == *id).map(Arc::clone)
    }

    /// How many stores a crash may lose.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed.len()
    }

    /// A crash: so many of the unflushed records, and of the unconfirmed stores, are on the disk all the same.
    pub fn crash(&mut self, records: usize, stores: usize) {
        let survivors = std::mem::take(&mut self.unconfirmed).into_iter().take(stores);
        self.stored.extend(survivors.map(|(_, stored)| stored));
        self.log = self.log.clone().crash(records);
    }

    /// Keeps a final block, durable at once, and drops what it makes superfluous. A host commits a final block before it drops what the
    /// block makes superfluous ([`FileStorage`](zus_bpp::node::FileStorage)), and finalized heads of the specification never go back.
    pub fn commit(&mut self, head: FinalBlock) {
        let round = head.block.round();
        self.history.push(head);
        self.stored.retain(|stored| stored.is_needed_beyond(round));
    }

    /// The disk, as a restarted miner finds it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        let first = self.history.len().saturating_sub(KEPT_FINAL_BLOCKS);
        Recovery::default()
            .with_finals(&self.history[first..])
            .with_signed(self.log.signed().clone())
            .with_stored(self.stored.clone())
    }

    /// A new log, empty and with this floor, in place of one that is lost; what was stored is lost with it.
    pub fn lose_log(&mut self, floor: Round) {
        self.log = MemoryLog::new(*self.log.owner(), *self.log.rules(), floor);
        self.stored.clear();
    }

    /// Forgets what is below a round: a long run has no end of it.
    pub fn forget(&mut self, below: Round) {
        let above = self.history.partition_point(|known| known.block.round() < below);
        self.history.drain(..above);
        let mut log = MemoryLog::new(*self.log.owner(), *self.log.rules(), Round(0));
        for record in self.log.durable().iter().filter(|record| record.round >= below) {
            // They are in the log that this one replaces, and in its order.
            let _ = log.append(*record);
        }
        let _ = log.flush();
        self.log = log;
    }
}

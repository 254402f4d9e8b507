//! A member of a timed world: its disk, its application, and whether it runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::application::{Application, Transaction, TransactionQueue};
use zus_bpp::block::Block;
use zus_bpp::committee::{Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::{Config, Miner, Recovery};
use zus_bpp::ticket_log::LogRecord;

use crate::Byzantine;
use crate::disk::Disk;
use crate::member::Answers;

/// A queue of transactions, and the bytes of payload that a generator asks it for.
pub struct Queue {
    pub transactions: TransactionQueue,
    most: usize,
}

impl Queue {
    /// Every application starts with the same transactions of three accounts: small ones, or large ones to fill large payloads.
    pub fn filled(payload: usize) -> Self {
        let mut transactions = TransactionQueue::new();
        let body = if payload > 1 << 12 { 4_000 } else { 8 };
        for number in 0..(8 * payload as u64 / body).max(100) {
            for account in 0..3 {
                let body = vec![account as u8; body as usize];
                transactions.submit(Transaction { account, number, body }).expect("the queue has room");
            }
        }
        Self { transactions, most: payload }
    }
}

impl Answers for Queue {
    fn payload(&mut self, _: Round, _: Subround, parent: &Arc<Block>) -> Option<Vec<u8>> {
        Some(self.transactions.make_payload(parent, self.most))
    }

    fn accepts(&mut self, block: &Block) -> bool {
        self.transactions.validate(block).is_ok()
    }

    fn commit(&mut self, block: &Block) {
        self.transactions.commit(block);
    }
}

pub struct Host<S> {
    pub miner: Option<Miner<S>>,
    pub scheme: S,
    pub byzantine: Option<Byzantine>,
    pub disk: Disk,
    pub application: Queue,
    /// Rises with every start: what was meant for an earlier life does not arrive.
    pub life: u32,
    /// The next step ends in a crash.
    pub kill_in_step: bool,
    /// How many steps it has taken, in all lives.
    pub steps: u64,
    /// Tickets that were in the log and had not left when it crashed.
    pub unsent: BTreeSet<LogRecord>,
    /// Whether one of them left after the restart (W6).
    pub sent_from_log: bool,
}

impl<S: Scheme + Clone> Host<S> {
    pub fn start(&mut self, config: &Arc<Config>, recovery: Recovery) {
        self.life += 1;
        self.kill_in_step = false;
        self.application.transactions.restart();
        let miner = Miner::new(Arc::clone(config), self.scheme.clone(), recovery);
        self.miner = Some(miner.expect("the scheme is a member's"));
    }
}

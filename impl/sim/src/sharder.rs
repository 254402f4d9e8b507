//! A sharder with its storage and its timers.

use std::sync::Arc;

use zus_bpp::block::{BlockId, Time};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::SharderId;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Config;
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput, SharderTimer};

/// See the module doc.
#[derive(Clone)]
pub struct Archive<S> {
    /// The sharder.
    pub sharder: Sharder<S>,
    /// The blocks that it has stored, for serving them.
    pub history: MemoryHistory,
    /// The same, as ids from the round above the one with which it began.
    pub chain: Vec<BlockId>,
    /// Timers that were set and have not fired, with the time when they are due, in milliseconds.
    pub timers: Vec<(u64, SharderTimer)>,
}

impl<S: Scheme> Archive<S> {
    /// One that has stored these final blocks.
    ///
    /// # Panics
    /// When the keys do not fit the configuration: a setup is not input.
    #[must_use]
    pub fn new(config: &Arc<Config>, observer: S, id: SharderId, finals: Vec<FinalBlock>) -> Self {
        let sharder = Sharder::new(Arc::clone(config), observer, id, finals);
        Self {
            sharder: sharder.expect("the keys are of this committee"),
            history: MemoryHistory::default(),
            chain: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// Starts it.
    pub fn start(&mut self, now: Time) -> Vec<SharderOutput> {
        let mut outputs = Vec::new();
        self.sharder.start(now, &mut outputs);
        self.keep(&outputs);
        outputs
    }

    /// Gives it one input, and keeps what it stores. Messages and the rest are left to the world.
    pub fn step(&mut self, now: Time, input: SharderInput) -> Vec<SharderOutput> {
        if let SharderInput::Timer(timer) = &input {
            self.timers.retain(|(_, known)| known != timer);
        }
        let mut outputs = Vec::new();
        self.sharder.step(now, input, &self.history, &mut outputs);
        self.keep(&outputs);
        outputs
    }

    fn keep(&mut self, outputs: &[SharderOutput]) {
        for output in outputs {
            match output {
                SharderOutput::SetTimer { timer, at } => {
                    self.timers.retain(|(_, known)| known != timer);
                    self.timers.push((at.0, *timer));
                }
                SharderOutput::Finalized(found) => {
                    self.chain.push(found.block.id());
                    self.history.store(found.clone());
                }
                SharderOutput::Send { .. }
                | SharderOutput::Refused { .. }
                | SharderOutput::Gap { .. }
                | SharderOutput::Certified(_)
                | SharderOutput::HandedOver(_)
                | SharderOutput::Conflict { .. } => {}
            }
        }
    }
}

//! The sharder of a world, with its storage and its timers.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{Peer, SharderId};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput, SharderTimer};

use super::{Content, Event, Ground, Watch, World, bit};

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

impl<S: Scheme + Clone> Archive<S> {
    /// One that has stored nothing.
    ///
    /// # Panics
    /// When the keys do not fit the configuration: a setup is not input.
    #[must_use]
    pub(super) fn new(ground: &Ground<S>) -> Self {
        let observer = ground.keys.observer.clone();
        let finals = ground.base.iter().cloned().collect();
        let sharder = Sharder::new(ground.config.clone(), observer, SharderId(0), finals);
        Self {
            sharder: sharder.expect("the keys are of this committee"),
            history: MemoryHistory::default(),
            chain: Vec::new(),
            timers: Vec::new(),
        }
    }

    fn set(&mut self, outputs: &[SharderOutput]) {
        for output in outputs {
            if let SharderOutput::SetTimer { timer, at } = output {
                self.timers.retain(|(_, known)| known != timer);
                self.timers.push((at.0, *timer));
            }
        }
    }
}

impl<S: Scheme + Clone> World<S> {
    /// The sharder sets its first timer.
    pub(super) fn start_sharder(&mut self) {
        let Some(found) = &mut self.archive else { return };
        let mut outputs = Vec::new();
        found.sharder.start(self.now, &mut outputs);
        found.set(&outputs);
    }

    /// Gives the sharder one input.
    pub fn give_sharder<W: Watch<S>>(&mut self, input: SharderInput, watch: &mut W) {
        let Some(found) = &mut self.archive else { return };
        let mut outputs = Vec::new();
        found.sharder.step(self.now, input.clone(), &found.history, &mut outputs);
        found.set(&outputs);
        for output in &outputs {
            match output {
                SharderOutput::Send { to, message } => {
                    let from = Peer::Sharder(SharderId(0));
                    self.network.send(from, bit(*to), Content::Message(message.clone()));
                }
                SharderOutput::Finalized(block) => {
                    found.chain.push(block.block.id());
                    found.history.store(block.clone());
                }
                _ => {}
            }
        }
        if !self.ground.setup.rules.votes() {
            // A notarization that it knows from a Byzantine miner alone is valid all the same, and may make a block
            // final.
            let finals = outputs.iter().filter_map(|output| match output {
                SharderOutput::Finalized(found) => found.notarization.as_ref(),
                _ => None,
            });
            for known in finals.chain(found.sharder.notarizations()) {
                if !self.notarized.contains(&known.statement) {
                    self.notarized.push(known.statement);
                }
            }
        }
        watch.watch(self, &Event::Sharder { input, outputs });
    }

    /// Timers of the sharder that are due at `time`, or all of them, fire.
    pub fn fire_sharder<W: Watch<S>>(&mut self, time: Option<u64>, watch: &mut W) {
        let Some(found) = &self.archive else { return };
        let due = found.timers.iter().filter(|(due, _)| time.is_none_or(|time| *due <= time));
        let due: Vec<SharderTimer> = due.map(|(_, timer)| *timer).collect();
        for timer in due {
            if let Some(found) = &mut self.archive {
                found.timers.retain(|(_, known)| *known != timer);
            }
            self.give_sharder(SharderInput::Timer(timer), watch);
        }
    }
}

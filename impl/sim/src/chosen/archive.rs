//! The sharder of a world.

use zus_bpp::committee::{Peer, SharderId};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::sharder::{SharderInput, SharderOutput, SharderTimer};

use super::{Content, Event, Watch, World, bit};

impl<S: Scheme + Clone> World<S> {
    /// The sharder sets its first timer.
    pub(super) fn start_sharder(&mut self) {
        if let Some(found) = &mut self.archive {
            found.start(self.now);
        }
    }

    /// Gives the sharder one input.
    pub fn give_sharder<W: Watch<S>>(&mut self, input: SharderInput, watch: &mut W) {
        let Some(found) = &mut self.archive else { return };
        let outputs = found.step(self.now, input.clone());
        for output in &outputs {
            if let SharderOutput::Send { to, message } = output {
                let from = Peer::Sharder(SharderId(0));
                self.network.send(from, bit(*to), Content::Message(message.clone()));
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
            self.give_sharder(SharderInput::Timer(timer), watch);
        }
    }
}

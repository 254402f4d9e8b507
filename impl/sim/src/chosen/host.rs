//! The surroundings of an honest miner: its disk, its timers, and whether it runs.

use std::collections::VecDeque;
use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::{Config, Input, Miner, TicketForm, Timer, WriteId};
use zus_bpp::ticket_log::LogRecord;

use super::{Ground, Receivers, bit};
use crate::disk::Disk;

/// A request of a miner to a slow disk, or to an application beside it, that is not answered yet.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A record is written to the log.
    LogRecord(WriteId, LogRecord),
    /// Something else is stored.
    Stored(WriteId),
    /// The application answers this.
    Answer(Input),
}

/// See the module doc.
#[derive(Clone)]
pub struct Host<S> {
    /// Its place in the committee.
    pub id: MinerId,
    /// The miner; while it is down, as it was at the crash (its position is on the disk, see [`DiskModel::Crashing`](super::DiskModel)).
    pub miner: Miner<S>,
    /// Whether it runs.
    pub up: bool,
    /// How often it was restarted.
    pub restarts: u32,
    /// Whether it restarted in its present subround.
    pub recovered: Option<(Round, Subround)>,
    /// Its disk.
    pub disk: Disk,
    /// Requests that disk and application have not answered yet, oldest first; they are answered in the order of
    /// asking.
    pub asked: VecDeque<Asked>,
    /// Records whose write was confirmed, where the disk is slow.
    pub confirmed: Vec<LogRecord>,
    /// The last store that was asked for, and the last that is durable.
    pub last_store: Option<WriteId>,
    /// See [`Host::last_store`].
    pub durable_store: Option<WriteId>,
    /// The last store that was asked for before the last round was left.
    pub stored_at_leaving: Option<WriteId>,
    /// Records that were decided, and the last store before each: what it may rest upon (L1).
    pub rests_on: Vec<(LogRecord, Option<WriteId>)>,
    /// Timers that were set and have not fired, with the time when they are due, in milliseconds.
    pub timers: Vec<(u64, Timer)>,
    /// Records of the messages that have left this miner: tickets, timeouts, votes and proposals, in order.
    pub said: Vec<LogRecord>,
    /// Beacon shares that it has sent: round, subround (0 where the beacon signs the round only), and the block through which it
    /// was in that round then.
    pub shared: Vec<(Round, Subround, BlockId)>,
    /// The round that it entered last by leaving one, and the block through which it did.
    pub entered: (Round, BlockId),
    /// Rounds that it left with a finality vote, and the block; whether the vote left is in `said`.
    pub voted: Vec<(Round, BlockId)>,
}

impl<S: Scheme + Clone> Host<S> {
    /// A miner that has never run.
    pub fn new(id: MinerId, miner: Miner<S>, disk: Disk) -> Self {
        Self {
            id,
            miner,
            up: true,
            restarts: 0,
            recovered: None,
            disk,
            asked: VecDeque::new(),
            confirmed: Vec::new(),
            last_store: None,
            durable_store: None,
            stored_at_leaving: None,
            rests_on: Vec::new(),
            timers: Vec::new(),
            said: Vec::new(),
            shared: Vec::new(),
            entered: (Round(0), BlockId([0; 32])),
            voted: Vec::new(),
        }
    }

    /// Forgets what is below a round, and of its log what the log itself has forgotten.
    pub fn forget(&mut self, below: Round) {
        self.said.retain(|record| record.round >= below);
        self.shared.retain(|(round, ..)| *round >= below);
        self.voted.retain(|(round, _)| *round >= below);
        self.rests_on.retain(|(record, _)| record.round >= below);
        self.confirmed.retain(|record| record.round >= below);
        self.disk.forget(below);
    }

    /// Remembers a timer: of each kind the last one, and the one before, which must do nothing any more.
    pub fn set_timer(&mut self, due: u64, timer: Timer) {
        let kind = |known: &Timer| std::mem::discriminant(known) == std::mem::discriminant(&timer);
        if self.timers.iter().any(|(_, known)| *known == timer) {
            self.timers.retain(|(_, known)| *known != timer);
        } else if self.timers.iter().filter(|(_, known)| kind(known)).count() > 1
            && let Some(oldest) = self.timers.iter().position(|(_, known)| kind(known))
        {
            self.timers.remove(oldest);
        }
        self.timers.push((due, timer));
    }

    /// Whether this record has left.
    #[must_use]
    pub fn has_said(&self, record: &LogRecord) -> bool {
        self.said.contains(record)
    }
}

/// The configuration of a miner, with the form of its tickets.
pub(super) fn config_of<S>(ground: &Ground<S>, long_tickets: Receivers, miner: MinerId) -> Arc<Config> {
    if long_tickets & bit(Peer::Miner(miner)) == 0 {
        return Arc::clone(&ground.config);
    }
    let mut config = Config::clone(&ground.config);
    config.ticket_form = TicketForm::Uncompressed;
    Arc::new(config)
}

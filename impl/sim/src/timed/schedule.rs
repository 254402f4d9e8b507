//! The schedule of events: a queue in virtual time, with ties in the order in which they were scheduled.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use zus_bpp::block::Time;
use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::message::Message;
use zus_bpp::miner::{Timer, WriteId};
use zus_bpp::sharder::SharderTimer;

use super::Disturbance;

/// Something that will happen.
pub enum Happening {
    Message { from: Peer, to: Peer, message: Message },
    Bytes { from: Peer, to: Peer, bytes: Vec<u8> },
    MinerTimer { miner: MinerId, life: u32, timer: Timer },
    Flushed { miner: MinerId, life: u32, write: WriteId },
    Stored { miner: MinerId, life: u32, write: WriteId },
    SharderTimer { sharder: usize, timer: SharderTimer },
    Disturbance(Disturbance),
}

struct Scheduled {
    at: Time,
    order: u64,
    happening: Happening,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// See the module doc.
#[derive(Default)]
pub struct Schedule {
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
}

impl Schedule {
    pub fn add(&mut self, at: Time, happening: Happening) {
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled { at, order: self.scheduled, happening }));
    }

    /// The next thing that happens, if it happens by `end`.
    pub fn next(&mut self, end: Time) -> Option<(Time, Happening)> {
        if self.queue.peek().is_none_or(|Reverse(next)| next.at > end) {
            return None;
        }
        self.queue.pop().map(|Reverse(next)| (next.at, next.happening))
    }
}

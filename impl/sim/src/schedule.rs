//! The schedule of events: a queue in virtual time, with ties in the order in which they were scheduled.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use zus_bpp::block::Time;

struct Scheduled<H> {
    at: Time,
    order: u64,
    happening: H,
}

impl<H> PartialEq for Scheduled<H> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<H> Eq for Scheduled<H> {}

impl<H> PartialOrd for Scheduled<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<H> Ord for Scheduled<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// See the module doc.
pub struct Schedule<H> {
    queue: BinaryHeap<Reverse<Scheduled<H>>>,
    scheduled: u64,
}

impl<H> Default for Schedule<H> {
    fn default() -> Self {
        Self { queue: BinaryHeap::new(), scheduled: 0 }
    }
}

impl<H> Schedule<H> {
    pub fn add(&mut self, at: Time, happening: H) {
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled { at, order: self.scheduled, happening }));
    }

    /// The next thing that happens, if it happens by `end`.
    pub fn next(&mut self, end: Time) -> Option<(Time, H)> {
        if self.queue.peek().is_none_or(|Reverse(next)| next.at > end) {
            return None;
        }
        self.queue.pop().map(|Reverse(next)| (next.at, next.happening))
    }
}

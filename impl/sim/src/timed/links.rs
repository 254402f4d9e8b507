//! The links from senders to receivers: loss, delay, repetition, partitions, and the changes that dishonest miners
//! make.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Audience, Milestone};
use zus_bpp::statement::{Ticket, Timeout};
use zus_bpp::ticket_log::{Kind, LogRecord};
use zus_bpp::wire;

use super::World;
use super::happening::Happening;
use crate::Byzantine;
use crate::byzantine::tamper;
use crate::messages::record_of;

/// The step of the protocol in which a record's message is sent; a vote is a part of the step in which its round is left.
fn milestone_of(record: &LogRecord) -> Option<Milestone> {
    let LogRecord { kind, round, subround, block } = *record;
    match kind {
        Kind::Ticket => Some(Milestone::Ticketed(Ticket { round, subround, block: BlockId(block) })),
        Kind::Timeout => Some(Milestone::TimedOut(Timeout { round, subround })),
        Kind::Proposal | Kind::FinalityVote => None,
    }
}

impl<S: Scheme + Clone> World<S> {
    pub(super) fn broadcast(&mut self, from: MinerId, to: Audience, message: &Message) {
        if self.hosts[usize::from(from.0)].byzantine.is_none() {
            self.observer.sent(from, message);
            let host = &mut self.hosts[usize::from(from.0)];
            if let Some(record) = record_of(message) {
                let durable = self.config.rules.is_durable();
                if durable && !host.disk.log.durable().contains(&record) {
                    self.observer.sent_before_written(from, &record);
                }
                if host.unsent.remove(&record) {
                    // Written before a crash and said after it: the miner took the step, and could not report it then.
                    host.sent_from_log |= record.kind == Kind::Ticket;
                    if let Some(milestone) = milestone_of(&record) {
                        self.observer.milestone(self.now, from, milestone);
                    }
                }
            }
            let life = host.life;
            *self.said.entry((from, life, message.clone())).or_default() += 1;
        }
        for i in 0..self.hosts.len() {
            if i != usize::from(from.0) {
                self.send(from, Peer::Miner(MinerId(i as u16)), message);
            }
        }
        if to == Audience::Everyone {
            for i in 0..self.sharders.len() {
                self.send(from, Peer::Sharder(SharderId(i as u16)), message);
            }
        }
    }

    pub(super) fn send(&mut self, from: MinerId, to: Peer, message: &Message) {
        let host = &self.hosts[usize::from(from.0)];
        let host_is_dishonest = host.byzantine.is_some();
        let place = match to {
            Peer::Miner(miner) => usize::from(miner.0),
            Peer::Sharder(_) => 0,
        };
        let messages = match host.byzantine {
            None => vec![message.clone()],
            Some(Byzantine::Noise) => {
                let bytes = (0..self.random.usize(0..200)).map(|_| self.random.u8(..)).collect();
                self.transmit(Peer::Miner(from), to, Happening::Bytes { from: Peer::Miner(from), to, bytes });
                let mut bytes = wire::encode(message);
                let position = self.random.usize(0..bytes.len());
                bytes[position] ^= 1 << self.random.u8(0..8);
                self.transmit(Peer::Miner(from), to, Happening::Bytes { from: Peer::Miner(from), to, bytes });
                Vec::new()
            }
            Some(kind) => tamper(kind, message, place, &self.config.committee, &host.scheme),
        };
        for message in messages {
            if host_is_dishonest {
                self.observer.sent(from, &message);
            }
            self.put_on_network(Peer::Miner(from), to, message);
        }
    }

    pub(super) fn put_on_network(&mut self, from: Peer, to: Peer, message: Message) {
        self.sent.0 += 1;
        let happening = if self.links.bytes {
            let bytes = wire::encode(&message);
            self.sent.1 += bytes.len() as u64;
            Happening::Bytes { from, to, bytes }
        } else {
            Happening::Message { from, to, message: message.clone() }
        };
        self.transmit(from, to, happening);
        if self.random.u16(0..1000) < self.links.duplicates {
            self.transmit(from, to, Happening::Message { from, to, message });
        }
    }

    pub(super) fn transmit(&mut self, from: Peer, to: Peer, happening: Happening) {
        if self.random.u16(0..1000) < self.links.loss || !self.are_linked(from, to) {
            return;
        }
        let delay = self.random.u64(self.links.delay.clone());
        self.schedule.add(self.now.after(delay), happening);
    }

    pub(super) fn are_linked(&self, from: Peer, to: Peer) -> bool {
        let Some(groups) = &self.groups else { return true };
        let group = |peer| match peer {
            Peer::Miner(MinerId(i)) => groups.get(&i).copied(),
            Peer::Sharder(_) => Some(0),
        };
        group(from).is_some() && group(from) == group(to)
    }
}

//! The network: every message that was ever sent, and who has received it. As in the model it is monotone
//! (architecture.md, decision 1): a message may be delivered at any time, in any order, again, or never.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use rapidhash::fast::RapidHasher;
use zus_bpp::committee::Peer;
use zus_bpp::message::Message;

pub use crate::messages::Kind;

/// The content of a message on its way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// A message, decoded.
    Message(Message),
    /// Bytes that may be a message.
    Bytes(Vec<u8>),
}

impl Content {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Content::Message(message) => Kind::of(message),
            Content::Bytes(_) => Kind::Bytes,
        }
    }
}

/// Receivers as a set: bit `i` is miner `i`, [`SHARDER`] the sharder.
pub type Receivers = u32;

/// The bit of the sharder.
pub const SHARDER: Receivers = 1 << 31;

/// A message that was sent.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The sender.
    pub from: Peer,
    /// To whom.
    pub to: Receivers,
    /// The kind of the message.
    pub kind: Kind,
    /// The content.
    pub content: Content,
}

/// Everything that was sent.
#[derive(Clone, Debug, Default)]
pub struct Network {
    sent: Vec<Arc<Envelope>>,
    /// Hashes of what was sent, by whom and to whom: what is said again is not kept again.
    seen: HashMap<u64, usize, BuildHasherDefault<RapidHasher<'static>>>,
    /// The participants that have received each message, or lost it.
    delivered: Vec<Receivers>,
    lost: Vec<Receivers>,
    /// The participants in another part of the network than miner 0, while it is partitioned.
    pub apart: Receivers,
}

impl Network {
    /// Puts a message on the network, unless it was said before.
    pub fn send(&mut self, from: Peer, to: Receivers, content: Content) {
        let mut hasher = RapidHasher::default();
        (from, to, &content).hash(&mut hasher);
        let next = self.sent.len();
        let index = *self.seen.entry(hasher.finish()).or_insert(next);
        if index == next {
            let kind = content.kind();
            self.sent.push(Arc::new(Envelope { from, to, kind, content }));
            self.delivered.push(0);
            self.lost.push(0);
        } else if self.sent[index].kind == Kind::Chain {
            // A question that is asked again wants an answer again.
            self.delivered[index] = 0;
        } else {
            self.delivered[index] &= !std::mem::take(&mut self.lost[index]);
        }
    }

    /// Loses a message for `receiver`, until it is sent again.
    pub fn lose(&mut self, index: usize, receiver: Receivers) {
        self.mark(index, receiver);
        self.lost[index] |= receiver;
    }

    /// Makes all messages open to `receiver` again: it restarted, and has forgotten them.
    pub fn reopen(&mut self, receiver: Receivers) {
        self.delivered.iter_mut().for_each(|delivered| *delivered &= !receiver);
    }

    /// Forgets all messages, and that they were said.
    pub fn clear(&mut self) {
        let apart = self.apart;
        *self = Self { apart, ..Self::default() };
    }

    /// All messages, oldest first.
    #[must_use]
    pub fn sent(&self) -> &[Arc<Envelope>] {
        &self.sent
    }

    /// Marks a message as received by `receiver`.
    pub fn mark(&mut self, index: usize, receiver: Receivers) {
        self.delivered[index] |= receiver;
    }

    /// Whether a message can reach `receiver` and has not yet.
    #[must_use]
    pub fn is_open(&self, index: usize, receiver: Receivers) -> bool {
        let envelope = &self.sent[index];
        envelope.to & receiver & !self.delivered[index] != 0 && self.is_linked(envelope.from, receiver)
    }

    /// Whether sender and receiver are in one part of the network.
    #[must_use]
    pub fn is_linked(&self, from: Peer, receiver: Receivers) -> bool {
        let sender = bit(from);
        self.apart == 0 || (self.apart & sender == 0) == (self.apart & receiver == 0)
    }

    /// The messages that can reach `receiver` and have not yet, oldest first.
    pub fn open(&self, receiver: Receivers) -> impl Iterator<Item = usize> + '_ {
        (0..self.sent.len()).filter(move |&index| self.is_open(index, receiver))
    }
}

/// A participant as a set of receivers.
#[must_use]
pub fn bit(peer: Peer) -> Receivers {
    match peer {
        Peer::Miner(miner) => 1 << miner.0.min(30),
        Peer::Sharder(_) => SHARDER,
    }
}

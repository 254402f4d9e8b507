//! The inputs and outputs of a sharder.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::{BlockId, Time};
use crate::certified::FinalityCertificate;
use crate::chain::FinalBlock;
use crate::committee::{Peer, Round};
use crate::epochs::handoff::HandoffCertificate;
use crate::message::Message;
use crate::miner::Refusal;

/// Something that happened outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SharderInput {
    /// Bytes of one message arrived.
    Bytes {
        /// The peer that the link authenticated.
        from: Peer,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A decoded message arrived.
    Message {
        /// The peer that the link authenticated.
        from: Peer,
        /// The message.
        message: Message,
    },
    /// A handoff certificate of the own epoch, which the host has verified: its block becomes final when the chain up to it is here.
    Handoff(Arc<HandoffCertificate>),
    /// A timer expired.
    Timer(SharderTimer),
}

/// A timer. Timers are never cancelled; one that comes too late is ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SharderTimer {
    /// A missing block is asked for.
    CatchUp,
    /// Somebody is asked whether there is anything new.
    Poll,
    /// 2Δ have passed since a notarization of the round was seen (rule `TwoDelta`).
    Finality {
        /// The round.
        round: Round,
    },
}

/// Something to do outside, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SharderOutput {
    /// Send a message to one peer.
    Send {
        /// To whom.
        to: Peer,
        /// The message.
        message: Message,
    },
    /// Give [`SharderInput::Timer`] back at this time, or later.
    SetTimer {
        /// The timer to give back.
        timer: SharderTimer,
        /// When.
        at: Time,
    },
    /// Store a final block. Every final block comes once, in order of round.
    Finalized(FinalBlock),
    /// Store the certificate that made the last final block final.
    Certified(Arc<FinalityCertificate>),
    /// The closing block of the epoch is final, and was put out before this: the epoch is over. This sharder does nothing any more.
    HandedOver(Arc<HandoffCertificate>),
    /// Blocks of these rounds are final and not here; they are being asked for.
    Gap {
        /// The first round.
        from: Round,
        /// The last round.
        to: Round,
    },
    /// A message was refused, and why.
    Refused {
        /// Whose message it was.
        from: Peer,
        /// Why.
        refusal: Refusal,
    },
    /// A certificate of finality contradicts the stored chain: more than `f` miners are Byzantine, or the rules are
    /// unsafe. The stored chain stays (S7).
    Conflict {
        /// The round in which another block is claimed to be final.
        round: Round,
        /// That block.
        block: BlockId,
    },
}

/// The stored part of the chain, for reading.
pub trait History {
    /// The final block of a round, if it is stored and can be read.
    fn block(&self, round: Round) -> Option<FinalBlock>;
}

/// A history in memory: for tests and small networks.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory(BTreeMap<Round, FinalBlock>);

impl MemoryHistory {
    /// Stores a final block.
    pub fn store(&mut self, found: FinalBlock) {
        self.0.insert(found.block.round(), found);
    }

    /// The last final block.
    #[must_use]
    pub fn head(&self) -> Option<&FinalBlock> {
        self.0.values().next_back()
    }

    /// How many blocks are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl History for MemoryHistory {
    fn block(&self, round: Round) -> Option<FinalBlock> {
        self.0.get(&round).cloned()
    }
}

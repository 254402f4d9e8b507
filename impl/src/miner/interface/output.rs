//! Outputs: what is to be done outside.

use std::hash::Hash;
use std::sync::Arc;

use crate::block::{Block, BlockId, Time};
use crate::chain::{FinalBlock, StoredBlock};
use crate::committee::{MinerId, Peer, Round, Subround};
use crate::epochs::handoff::HandoffCertificate;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::miner::interface::{Milestone, Refusal, Stored, Timer, WriteId};
use crate::ticket_log::{Conflict, LogRecord};

/// The receivers of a broadcast; the sender itself is never one of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Audience {
    /// All other miners.
    Miners,
    /// All other miners and all sharders.
    Everyone,
}

/// Something to do outside, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send a message to one peer.
    Send {
        /// To whom.
        to: Peer,
        /// The message.
        message: Message,
    },
    /// Send a message to many.
    Broadcast {
        /// To whom.
        to: Audience,
        /// The message.
        message: Message,
    },
    /// Give [`Input::Timer`](crate::miner::Input::Timer) back at this time, or later.
    SetTimer {
        /// The timer to give back.
        timer: Timer,
        /// When.
        at: Time,
    },
    /// Append a record of what is about to be signed to the ticket log, flush it, then give
    /// [`Input::Persisted`](crate::miner::Input::Persisted) back.
    Persist {
        /// The name to give back.
        write: WriteId,
        /// The record to write.
        record: LogRecord,
    },
    /// Make this durable for a restart, then give [`Input::Stored`](crate::miner::Input::Stored) back. No later record is asked for before that.
    Store {
        /// The name to give back.
        write: WriteId,
        /// The item to keep.
        stored: Stored,
    },
    /// Give the block back that came in an [`Output::Store`] before, whether or not that is durable yet; the answer is
    /// [`Input::Loaded`](crate::miner::Input::Loaded). The application has to judge it, or it is about to become final. A host
    /// that cannot read it stops, as when it cannot write.
    Load {
        /// The block's round.
        round: Round,
        /// The block.
        block: BlockId,
    },
    /// Ask the application for a payload on top of `parent`; the answer is [`Input::Payload`](crate::miner::Input::Payload).
    RequestPayload {
        /// The round of the block to be made.
        round: Round,
        /// Its subround.
        subround: Subround,
        /// The block that it will extend; the application has accepted it.
        parent: Arc<Block>,
    },
    /// Ask the application about a block; the answer is [`Input::Validated`](crate::miner::Input::Validated). Its parent was accepted before.
    Validate {
        /// The block.
        block: Arc<Block>,
    },
    /// A block is final. Every final block comes once, parents first; the application commits it.
    Finalized(FinalBlock),
    /// The closing block of the epoch is final, and was put out before this: the epoch is over. The host makes the certificate and
    /// the record durable, and goes on in the next epoch ([`epochs`](crate::epochs)). This miner does nothing any more.
    HandedOver(Arc<HandoffCertificate>),
    /// A peer asks for blocks above this round, which are not kept in memory any more. A host that stores the chain can
    /// answer; not answering is fine where sharders do.
    Serve {
        /// The peer that asks.
        to: Peer,
        /// The first block to send is of the round after this one.
        after: Round,
        /// Bytes of payload to send at most, but the first block always:
        /// [`respond_within`](crate::chain::respond_within).
        bytes: usize,
    },
    /// A peer asks for these blocks, consecutive and lowest first, which are not all in memory: each that is not given
    /// here came in [`Output::Store`] or [`Output::Finalized`].
    ServeStored {
        /// The peer that asks.
        to: Peer,
        /// The blocks, with their certificates; more than fit into an answer by one.
        blocks: Vec<StoredBlock>,
        /// Bytes of payload to send at most, as in [`Output::Serve`].
        bytes: usize,
    },
    /// Proof of an offence, new to this miner; it is relayed too.
    Evidence(Arc<Evidence>),
    /// A message was refused, and why. [`Refusal::proves_sender_faulty`] tells whether it was the sender's fault; nothing has to
    /// be done.
    Refused {
        /// Whose message it was.
        from: Peer,
        /// Why.
        refusal: Refusal,
    },
    /// A signature that this miner sent, stored unverified, turned out to be wrong.
    Blamed(MinerId),
    /// A certificate of finality contradicts the finalized head: more than `f` miners are Byzantine, or this miner's
    /// rules are unsafe. The head stays where it is (S7).
    Conflict {
        /// The round in which another block is claimed to be final.
        round: Round,
        /// That block.
        block: BlockId,
    },
    /// A signature against the ticket log was asked for inside this miner, and not made (S1). Never seen unless this crate has
    /// a bug: report it. Nothing has to be done.
    Withheld(Conflict),
    /// A step of the protocol was taken: for logs, metrics and traces. Nothing has to be done.
    Milestone(Milestone),
}

impl Output {
    /// The message that is to be sent, if this is to send one.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        match self {
            Self::Send { message, .. } | Self::Broadcast { message, .. } => Some(message),
            _ => None,
        }
    }
}

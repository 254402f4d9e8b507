//! Inputs: what happened outside.

use std::hash::Hash;
use std::sync::Arc;

use crate::block::{Block, BlockId, Digest};
use crate::committee::{Peer, Round, Subround};
use crate::epochs::handoff::HandoffCertificate;
use crate::message::Message;
use crate::miner::interface::WriteId;

/// Something that happened outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// Begin, or go on where the log ends: the first input, once.
    Start,
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
    /// A timer expired.
    Timer(Timer),
    /// The application answers [`Output::RequestPayload`](crate::miner::Output::RequestPayload).
    Payload {
        /// The round asked for.
        round: Round,
        /// The subround asked for.
        subround: Subround,
        /// The payload.
        payload: Vec<u8>,
        /// The encoded epoch items; empty where there are none, or where epochs do not end
        /// ([`Config::hands_over`](crate::miner::Config::hands_over)).
        items: Vec<u8>,
        /// The digest of the next committee's record, where it is complete with these items: the block closes the epoch.
        record: Option<Digest>,
    },
    /// The application answers [`Output::Validate`](crate::miner::Output::Validate).
    Validated {
        /// The block's round.
        round: Round,
        /// The block.
        block: BlockId,
        /// Whether it accepts the block.
        accepted: bool,
    },
    /// The content of this [`Output::Store`](crate::miner::Output::Store), and of every one before it, is durable.
    Stored(WriteId),
    /// The answer to [`Output::Load`](crate::miner::Output::Load).
    Loaded(Arc<Block>),
    /// A handoff certificate of the own epoch, which the host has verified: its block becomes final when the chain up to it is here.
    Handoff(Arc<HandoffCertificate>),
    /// The record of this [`Output::Persist`](crate::miner::Output::Persist), and of every one before it, is durable.
    Persisted(WriteId),
}

/// A timer. Timers are never cancelled; one that comes too late is ignored. They do not outlive the miner that set them: a
/// host that stops a miner drops its timers, and a restarted one sets its own. An old timer of a subround that was left does
/// nothing; one of the subround in which the miner starts again ends a wait early, as a faster clock would.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// The collection window of a subround closes (step 3).
    Window {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
    },
    /// A subround is given up (step 9).
    Wait {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
    },
    /// Nothing moved: send again what others may have lost.
    Resend {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
    },
    /// A missing block is asked for.
    CatchUp,
    /// 2Δ have passed since a round was left (rule `TwoDelta`).
    Finality {
        /// The round.
        round: Round,
    },
}

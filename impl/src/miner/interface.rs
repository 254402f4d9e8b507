//! The inputs and outputs of a miner.

use std::fmt;
use std::sync::Arc;

use super::Refusal;
use crate::block::{Block, BlockId, Time};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate};
use crate::chain::{FinalBlock, StoredBlock};
use crate::committee::{MinerId, Peer, Round, Subround};
use crate::crypto::ranks::Rank;
use crate::crypto::scheme::BeaconValue;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::statement::{FinalityVote, Proposed, Ticket, Timeout};
use crate::ticket_log::{Conflict, Record};

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
    /// The application answers [`Output::RequestPayload`].
    Payload {
        /// The round asked for.
        round: Round,
        /// The subround asked for.
        subround: Subround,
        /// The payload.
        payload: Vec<u8>,
    },
    /// The application answers [`Output::Validate`].
    Validated {
        /// The block's round.
        round: Round,
        /// The block.
        block: BlockId,
        /// Whether it accepts the block.
        accepted: bool,
    },
    /// The content of this [`Output::Store`], and of every one before it, is durable.
    Stored(WriteId),
    /// The answer to [`Output::Load`].
    Loaded(Arc<Block>),
    /// The record of this [`Output::Persist`], and of every one before it, is durable.
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

/// The name of a durable write; later writes of one miner have larger ones.
///
/// It carries the time of the miner's [`Input::Start`], so that what was written for an earlier start confirms nothing for
/// this one: of two starts with one disk the second has to be given a later time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WriteId {
    /// When the miner that asks for the write was started.
    pub started: Time,
    /// Its number, from 0, among all writes that this miner asks for.
    pub number: u64,
}

/// The items that a restarted miner needs to go on where it was, beside its ticket log. Each is kept until it is below
/// the finalized head.
///
/// Losing it never costs safety, but it can cost progress (L1). A miner whose log holds a finality vote signs neither ticket
/// nor timeout in that round any more; without the notarization that it voted for it cannot show the others the way out. If
/// nobody else has that notarization, one such miner beside `f` faulty ones leaves fewer than a quorum, for ever. So the
/// miner asks for a record only when everything that it stored before is confirmed by [`Input::Stored`]: whatever a crash
/// loses, no record has lost what it rests upon.
///
/// Of finality certificates the newest is enough. It is there to convince others; a miner without it knows what is final
/// from [`Recovery::finals`](super::Recovery::finals) all the same, and gets the certificate of a later block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Stored {
    /// A block that this miner proposed, ticketed or caught up with.
    Block(Arc<Block>),
    /// The notarization through which it entered a round.
    Notarization(Arc<Notarization>),
    /// The timeout certificate through which it entered a subround; of one round the last is enough.
    TimeoutCertificate(Arc<TimeoutCertificate>),
    /// The certificate of a block that it finalized.
    FinalityCertificate(Arc<FinalityCertificate>),
}

impl Stored {
    /// Whether a restart may still need this once the block of round `head` is final and kept; if not, the host may drop
    /// it.
    #[must_use]
    pub fn is_needed_beyond(&self, head: Round) -> bool {
        match self {
            Stored::Block(block) => block.round() > head,
            Stored::Notarization(certificate) => certificate.round > head,
            Stored::TimeoutCertificate(certificate) => certificate.round > head,
            // That of the head, and one whose block is not final here yet.
            Stored::FinalityCertificate(certificate) => certificate.round >= head,
        }
    }
}

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
    /// Give [`Input::Timer`] back at this time, or later.
    SetTimer {
        /// The timer to give back.
        timer: Timer,
        /// When.
        at: Time,
    },
    /// Append a record of what is about to be signed to the ticket log, flush it, then give [`Input::Persisted`] back.
    Persist {
        /// The name to give back.
        write: WriteId,
        /// The record to write.
        record: Record,
    },
    /// Make this durable for a restart, then give [`Input::Stored`] back. No later record is asked for before that.
    Store {
        /// The name to give back.
        write: WriteId,
        /// The item to keep.
        stored: Stored,
    },
    /// Give the block back that came in an [`Output::Store`] before, whether or not that is durable yet; the answer is
    /// [`Input::Loaded`]. The application has to judge it, or it is about to become final. A host that cannot read it stops, as
    /// when it cannot write.
    Load {
        /// The block's round.
        round: Round,
        /// The block.
        block: BlockId,
    },
    /// Ask the application for a payload on top of `parent`; the answer is [`Input::Payload`].
    RequestPayload {
        /// The round of the block to be made.
        round: Round,
        /// Its subround.
        subround: Subround,
        /// The block that it will extend; the application has accepted it.
        parent: Arc<Block>,
    },
    /// Ask the application about a block; the answer is [`Input::Validated`]. Its parent was accepted before.
    Validate {
        /// The block.
        block: Arc<Block>,
    },
    /// A block is final. Every final block comes once, parents first; the application commits it.
    Finalized(FinalBlock),
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

/// A step of the protocol, as an observer of this miner sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Milestone {
    /// Step 1 or 9: a subround was entered.
    Entered {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
    },
    /// Step 1: the order of generators is known.
    Beacon {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
        /// The value.
        value: BeaconValue,
    },
    /// Step 2: the own block left.
    Proposed(Proposed),
    /// Step 3: a block became a candidate.
    Collected {
        /// The block, its round and subround.
        block: Proposed,
        /// The miner that made it.
        generator: MinerId,
        /// The generator's rank.
        rank: Rank,
    },
    /// Step 5: a ticket left.
    Ticketed(Ticket),
    /// Step 6 or 7: a notarization became known.
    Notarized {
        /// The block, its round and subround.
        ticket: Ticket,
        /// Whether this miner made it from tickets.
        formed: bool,
    },
    /// Step 8: a notarized block of another subround was adopted.
    Switched {
        /// The round.
        round: Round,
        /// The own subround.
        from: Subround,
        /// The block's.
        to: Subround,
    },
    /// Step 8: the round was entered again, through another block of the round before, of a greater seed.
    Adopted {
        /// The round of the block.
        round: Round,
        /// The block.
        block: BlockId,
    },
    /// Step 8: a round was left.
    Left {
        /// The round.
        round: Round,
        /// The block through which it was left.
        block: BlockId,
        /// Whether a finality vote is cast for it.
        voted: bool,
    },
    /// Step 8: rounds were jumped over.
    Jumped {
        /// The round where the miner was.
        from: Round,
        /// The round whose notarization it saw.
        to: Round,
    },
    /// Step 8: a finality vote left.
    Voted(FinalityVote),
    /// Step 9: a subround was given up.
    TimedOut(Timeout),
    /// Step 10: the finalized head moved.
    Finalized {
        /// The round of the new head.
        round: Round,
        /// The new head.
        block: BlockId,
    },
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Milestone::Entered { round, subround } => write!(f, "enters ({round}, {subround})"),
            Milestone::Beacon { round, subround, .. } => {
                write!(f, "knows the order of generators of ({round}, {subround})")
            }
            Milestone::Proposed(Proposed { round, subround, block }) => {
                write!(f, "proposes block {block} in ({round}, {subround})")
            }
            Milestone::Collected { block: Proposed { round, subround, block }, generator, rank } => {
                write!(f, "collects block {block} of {generator}, rank {}, in ({round}, {subround})", rank.0)
            }
            Milestone::Ticketed(Ticket { round, subround, block }) => {
                write!(f, "tickets block {block} in ({round}, {subround})")
            }
            Milestone::Notarized { ticket: Ticket { round, subround, block }, formed } => {
                let how = if *formed { "makes" } else { "hears of" };
                write!(f, "{how} a notarization of block {block} in ({round}, {subround})")
            }
            Milestone::Switched { round, from, to } => {
                write!(f, "switches from subround {from} to {to} of round {round}")
            }
            Milestone::Adopted { round, block } => {
                write!(f, "builds on block {block} of round {round} from now on")
            }
            Milestone::Left { round, block, voted } => {
                let vote = if *voted { "with" } else { "without" };
                write!(f, "leaves round {round} through block {block}, {vote} a finality vote")
            }
            Milestone::Jumped { from, to } => write!(f, "jumps from round {from} over to round {to}"),
            Milestone::Voted(FinalityVote { round, block, .. }) => {
                write!(f, "votes block {block} of round {round} final")
            }
            Milestone::TimedOut(Timeout { round, subround }) => {
                write!(f, "gives up ({round}, {subround})")
            }
            Milestone::Finalized { round, block } => {
                write!(f, "finalizes block {block} of round {round}")
            }
        }
    }
}

//! The inputs and outputs of a replica.

use std::sync::Arc;

use thiserror::Error;

use crate::block::{Block, Digest, Time};
use crate::chain::StoredBlock;
use crate::committee::{Epoch, MinerId, Round};
use crate::crypto::beacon::KeyShare;
use crate::crypto::dkg::{Attempt, MemberError, ShareRefused};
use crate::crypto::scheme::{BatchSeed, Scheme, Verify};
use crate::epochs::envelope::Envelope;
use crate::epochs::handoff::HandoffError;
use crate::epochs::item::ItemKind;
use crate::epochs::key_generation::{
    Began, Entry, ItemRefused, KeyGeneration, ParticipantError, Secret, WriteId,
};
use crate::epochs::link::{Beginning, BeginningError, Link, LinkError, Step};
use crate::epochs::progress::{ItemsRefusal, Progress};
use crate::epochs::roster::{CommitteeRecord, NodeId, RosterError};
use crate::miner::{self, Recovery, Refusal, StartError};
use crate::sharder::SharderTimer;
use crate::wire::WireError;

/// The keys of committees, and how the next one comes about. The host has them: the key generation makes them.
pub trait Keys {
    /// Signs and verifies in one epoch.
    type Scheme: Scheme + Clone;
    /// Verifies what members sign, but no beacon.
    type Verifier: Verify;
    /// The record of a committee.
    type Record: CommitteeRecord;
    /// The state that epoch items make.
    type Progress: Progress<Record = Self::Record>;
    /// The part of a node in the key generation of the next committee.
    type Participant: KeyGeneration<Self::Progress>;

    /// The identity keys of a committee, to verify its certificates while a node passes through its epoch. `None`: the record's keys are
    /// no keys.
    fn verifier(&self, record: &Self::Record) -> Option<Self::Verifier>;

    /// Whether a quorum of each committee signed the certificate of its step, and the keys of all these committees are keys. It is what
    /// [`Keys::verifier`] and the handoff certificate say of each step; an implementation may check all of them together, with `seed`.
    fn verify_steps(&self, steps: &[Step<'_, Self::Record>], seed: &BatchSeed) -> bool {
        let _not_needed_here = seed;
        steps.iter().all(|Step { before, committee, quorum, handoff }| {
            let verifier = self.verifier(before);
            verifier.is_some_and(|verifier| handoff.verify(committee, *quorum, &verifier).is_ok())
        })
    }

    /// The keys of a committee, to verify with. `None`: the record's keys are no keys.
    fn observer(&self, record: &Self::Record) -> Option<Self::Scheme>;

    /// The same, to sign with as the member of this seat, which has this share of the beacon's key. `None`: this node has no key share of
    /// that committee, and follows.
    fn member(&self, record: &Self::Record, seat: MinerId, share: Option<&KeyShare>) -> Option<Self::Scheme>;

    /// The progress of an epoch on the block that it begins on. `None`: the record's keys are no keys, or those of the next committee.
    fn begin(&self, record: &Self::Record, anchor: &Block) -> Option<Self::Progress>;

    /// The part of this node in the key generation that `progress` is the beginning of, with what is in its journal; `None`: it has none.
    /// `entropy` is 32 uniformly random bytes that nobody else has and that were never used before, for one that begins.
    ///
    /// # Errors
    /// A journal that is none.
    fn participant(
        &self,
        progress: &Self::Progress,
        journal: &[Entry],
        entropy: &Secret,
    ) -> Result<Option<Began<Self::Participant>>, ParticipantError>;
}

/// A timer, of one epoch. One that comes too late is ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// Of the member.
    Miner(Epoch, miner::Timer),
    /// Of the one that follows.
    Follower(Epoch, SharderTimer),
    /// Members that were not heard in this epoch are told again that it has begun.
    Handoff(Epoch),
}

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Input<R> {
    /// Begin, or go on: the first input, once.
    Start,
    /// Bytes arrived from a node that the link authenticated.
    Bytes {
        /// The node.
        from: NodeId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A decoded envelope arrived.
    Envelope {
        /// The node that the link authenticated.
        from: NodeId,
        /// The bytes that it sent.
        envelope: Envelope<R>,
    },
    /// A timer expired.
    Timer(Timer),
    /// The answer to an [`Output::Host`] of this epoch. Of [`miner::Input::Payload`] the fields `items` and `record` are filled in here.
    Host {
        /// The epoch.
        epoch: Epoch,
        /// The answer.
        input: miner::Input,
    },
    /// The beginning of this epoch is durable ([`Output::StoreBeginning`]), and the host has opened its ticket log, or made one: the
    /// records that are in it, and what else is stored of the epoch.
    Begun {
        /// The epoch.
        epoch: Epoch,
        /// What was read.
        recovery: Recovery,
        /// 32 uniformly random bytes that nobody else has and that were never used before ([`Keys::participant`]).
        entropy: Secret,
    },
    /// A write to the journal of the key generation of this epoch is durable ([`Output::Journal`]).
    Journaled {
        /// The epoch.
        epoch: Epoch,
        /// The write.
        write: WriteId,
    },
}

/// Something to do outside, in this order.
#[derive(Debug)]
pub enum Output<R> {
    /// Send something to one node.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        envelope: Envelope<R>,
    },
    /// Send something to many; the sender is none of them.
    Broadcast {
        /// To whom.
        to: Arc<[NodeId]>,
        /// What.
        envelope: Envelope<R>,
    },
    /// Give the timer back at this time, or later.
    SetTimer {
        /// The timer.
        timer: Timer,
        /// When.
        at: Time,
    },
    /// An output of the participant of this epoch that is for disk, application or log. The disk and the ticket log are those of the
    /// epoch. It sends nothing, and sets no timer.
    Host {
        /// The epoch.
        epoch: Epoch,
        /// What to do.
        output: miner::Output,
    },
    /// Make the beginning of the next epoch durable, open its ticket log or make one, then give [`Input::Begun`] back. Before that
    /// nothing is signed in the epoch, and after it nothing in the one before.
    StoreBeginning(Beginning<R>),
    /// Write entries to the journal of the key generation of this epoch, the next one, durably, all or none; then give
    /// [`Input::Journaled`] back. They are secret. What rests on them leaves after that.
    Journal {
        /// The epoch that the keys are for.
        epoch: Epoch,
        /// The number of the write.
        write: WriteId,
        /// Whether they take the place of the whole journal, atomically; the old entries are to be overwritten. Else they are appended.
        replaces: bool,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// A node asks for the final blocks of an epoch above this round: send it what is stored, of this epoch alone.
    Serve {
        /// The node.
        to: NodeId,
        /// The epoch.
        epoch: Epoch,
        /// The first block is of the round after this one.
        after: Round,
        /// Bytes of payload at most, but the first block always.
        bytes: usize,
    },
    /// A node asks for blocks of the present epoch that are not all in memory: [`miner::Output::ServeStored`].
    ServeStored {
        /// The node.
        to: NodeId,
        /// The epoch.
        epoch: Epoch,
        /// The blocks.
        blocks: Vec<StoredBlock>,
        /// Bytes of payload at most.
        bytes: usize,
    },
    /// A node asks for links that are not in memory any more: send it up to [`MAX_LINKS_AT_ONCE`](crate::limits::MAX_LINKS_AT_ONCE) of
    /// those that are stored.
    ServeLinks {
        /// The node.
        to: NodeId,
        /// The first link leads to the epoch after this one.
        after: Epoch,
    },
    /// Something that a node sent was refused.
    Refused {
        /// The node.
        from: NodeId,
        /// Why.
        refusal: EpochRefusal,
    },
    /// A step across epochs was taken: for logs and metrics.
    Milestone(EpochMilestone),
    /// The final chain makes another record than the handoff certificate names, or its items are invalid: more than `f` members of the
    /// epoch are Byzantine. The replica stays where it is.
    Diverged {
        /// The epoch.
        epoch: Epoch,
        /// The record that the final chain makes.
        own: Option<Digest>,
        /// The record that the committee has handed over to.
        named: Option<Digest>,
    },
    /// The next epoch cannot be entered with what the host read: the node stops.
    Failed(ReplicaError),
}

/// The part of a node in an epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// A member of the committee, with its key share.
    Member,
    /// It follows the final chain: a sharder, a leaver, or one that has not joined.
    Follower,
}

/// A step across epochs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EpochMilestone {
    /// An epoch was entered: its ticket log is open.
    Entered {
        /// The epoch.
        epoch: Epoch,
        /// The round of the block that it begins on.
        anchor: Round,
        /// The part of this node.
        part: Part,
    },
    /// The closing block of an epoch is final here.
    HandedOver {
        /// The epoch.
        epoch: Epoch,
        /// The round of the closing block.
        closing: Round,
        /// The round of the block whose certificate shows it: the closing block, or one of the tail.
        certified: Round,
    },
    /// The key generation of the next epoch is over, and this node, a member there, has its key share.
    Keys {
        /// The next epoch.
        epoch: Epoch,
        /// The attempt that made the key.
        attempt: Attempt,
    },
    /// The same, but it has none: it follows that epoch.
    NoKeyShare {
        /// The next epoch.
        epoch: Epoch,
        /// Why.
        reason: ShareRefused,
    },
    /// A node that left the committee has seen a final block of the next epoch: it may stop.
    Released {
        /// The epoch that goes on without it.
        epoch: Epoch,
    },
}

/// Why something was refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum EpochRefusal {
    /// The bytes are no envelope.
    #[error("malformed: {0}")]
    Malformed(#[from] WireError),
    /// The participant of the epoch refused a message.
    #[error("{0}")]
    Message(Refusal),
    /// The node has no place in the epoch of its message.
    #[error("the node has no place in epoch {}", .0.0)]
    Stranger(Epoch),
    /// A message of an epoch whose committee is not known. It waits or is dropped; the links are asked for.
    #[error("epoch {} is not known here, the present one is {}", found.0, present.0)]
    UnknownEpoch {
        /// The epoch of the message.
        found: Epoch,
        /// The present one.
        present: Epoch,
    },
    /// A handoff certificate proves nothing.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    /// A handoff certificate names a closing block that is not above the block that the epoch begins on.
    #[error("a handoff whose closing block is of round {closing}, and the epoch begins above round {anchor}")]
    NotAbove {
        /// The round of the closing block.
        closing: Round,
        /// The round of the block that the epoch begins on.
        anchor: Round,
    },
    /// A link leads nowhere.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Links that nobody asked for.
    #[error("links that were not asked for")]
    Unasked,
    /// A block was refused for its epoch items, or for what it says of the end of its epoch.
    #[error(transparent)]
    Items(#[from] ItemsRefusal),
    /// An item of another member, or of none: a node sends its own ones.
    #[error("an epoch item, a {kind:?} that names {named} as its sender, is not that node's")]
    ForeignItem {
        /// Its kind.
        kind: ItemKind,
        /// The seat in the next committee that it names.
        named: MinerId,
    },
    /// An item that its sender did not make so.
    #[error("an epoch item, a {kind:?}, is refused: {reason}")]
    Item {
        /// Its kind.
        kind: ItemKind,
        /// Why.
        reason: ItemRefused,
    },
    /// An item whose phase is over on the final chain here.
    #[error("an epoch item, a {kind:?} of attempt {}, comes too late", attempt.0)]
    ItemOver {
        /// Its kind.
        kind: ItemKind,
        /// Its attempt.
        attempt: Attempt,
    },
    /// There is no room for an item.
    #[error("there is no room for an epoch item, a {kind:?}")]
    NoRoom {
        /// Its kind.
        kind: ItemKind,
    },
    /// A receipt of another member, or of none: a node sends its own ones.
    #[error("a receipt that names {named} as its sender is not that node's")]
    ForeignReceipt {
        /// The seat in the next committee that it names.
        named: MinerId,
    },
    /// A receipt of no use. Its sender may have seen another dealing first.
    #[error("a receipt: {0}")]
    Receipt(MemberError),
    /// A receipt for a node that makes no dealing.
    #[error("a receipt for a node that makes no dealing")]
    NoDealer,
}

impl EpochRefusal {
    /// Whether it is certain that the sender is faulty.
    #[must_use]
    pub fn proves_sender_faulty(&self) -> bool {
        match self {
            EpochRefusal::Message(refusal) => refusal.proves_sender_faulty(),
            EpochRefusal::Malformed(_)
            | EpochRefusal::Handoff(_)
            | EpochRefusal::NotAbove { .. }
            | EpochRefusal::Link(_)
            // Only its generator sends a proposal.
            | EpochRefusal::Items(_)
            | EpochRefusal::ForeignItem { .. }
            // Everybody acts on the final chain, and that of the sender had reached the phase of the item.
            | EpochRefusal::Item { .. }
            | EpochRefusal::ForeignReceipt { .. } => true,
            EpochRefusal::Stranger(_)
            | EpochRefusal::UnknownEpoch { .. }
            | EpochRefusal::Unasked
            | EpochRefusal::ItemOver { .. }
            | EpochRefusal::NoRoom { .. }
            | EpochRefusal::Receipt(_)
            | EpochRefusal::NoDealer => false,
        }
    }
}

/// Why a replica cannot be started, or cannot go on in the next epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The beginning of the epoch is none.
    #[error(transparent)]
    Beginning(#[from] BeginningError),
    /// The nodes of its record are no committee.
    #[error("the record of epoch {}: {reason}", epoch.0)]
    Roster {
        /// The epoch.
        epoch: Epoch,
        /// Why.
        reason: RosterError,
    },
    /// The keys of the record are no keys.
    #[error("the record of epoch {} has keys that are none", .0.0)]
    Keys(Epoch),
    /// The record's keys, or those of the next committee, are no keys of a committee.
    #[error("the committee after that of epoch {} cannot generate a key", .0.0)]
    NextCommittee(Epoch),
    /// The journal of the key generation is none that a participant writes.
    #[error("the journal of the key generation of epoch {}: {reason}", epoch.0)]
    Journal {
        /// The epoch that the keys are for.
        epoch: Epoch,
        /// Why.
        reason: ParticipantError,
    },
    /// The participant of the epoch cannot be started.
    #[error("epoch {}: {reason}", epoch.0)]
    Start {
        /// The epoch.
        epoch: Epoch,
        /// Why.
        reason: StartError,
    },
    /// A final block of the epoch is missing among those that were read.
    #[error("the final block of round {round} of epoch {} is not among those that were read; restore it, or the folder of the epoch", epoch.0)]
    Gap {
        /// The epoch.
        epoch: Epoch,
        /// The round.
        round: Round,
    },
}

/// The content of the disk of a node when it starts.
#[derive(Debug)]
pub struct Restored<R> {
    /// The beginning of the last epoch that is durable: of the first one, or a checkpoint, if there is none yet.
    pub beginning: Beginning<R>,
    /// Links that lead to it, oldest first: to serve them. May be empty.
    pub links: Vec<Link<R>>,
    /// Everything of that epoch, as for a miner alone.
    pub recovery: Recovery,
    /// The remains of the key generations.
    pub secrets: Secrets,
}

/// The remains of the key generations on the disk, beside the final chain; and 32 random bytes.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The journal of the key generation that made the keys of the epoch that the disk begins with: the key share. Empty where this node
    /// has none.
    pub present: Vec<Entry>,
    /// The journal of the key generation of the next epoch.
    pub next: Vec<Entry>,
    /// 32 uniformly random bytes that nobody else has and that were never used before ([`Keys::participant`]).
    pub entropy: Secret,
}

impl Secrets {
    /// Of a node that has no part in a key generation: these bytes are not random.
    #[must_use]
    pub fn none() -> Self {
        Self { present: Vec::new(), next: Vec::new(), entropy: Secret::new([0; 32]) }
    }

    /// The key share of the committee with this record.
    #[must_use]
    pub fn share(&self, record: Digest) -> Option<KeyShare> {
        self.present.iter().find_map(|entry| match entry {
            Entry::KeyShare { record: of, share, .. } if *of == record => KeyShare::from_bytes(share.bytes()),
            Entry::KeyShare { .. }
            | Entry::Secrets { .. }
            | Entry::Share { .. }
            | Entry::Settlement { .. } => None,
        })
    }
}

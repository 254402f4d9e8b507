//! A node across epochs: a state machine without clock, socket, thread or file, as the miner is.
//!
//! A [`Replica`] has the participant of one epoch at a time: a [`Miner`](crate::miner::Miner) where the node is a member of the committee, or a
//! [`Sharder`](crate::sharder::Sharder), which follows the final chain, where it is not. It turns one into the next:
//!
//! 1. The participant says that the closing block is final, and hands over. It does nothing any more.
//! 2. The record that the final chain makes is the one that the handoff certificate names. Both are made durable, with the closing
//!    block.
//! 3. When the host says so, the participant of the next epoch starts, with the ticket log of that epoch. So nothing is signed in an
//!    epoch before its beginning is durable, and nothing in the one before after that; a restart goes on in the last epoch whose
//!    beginning is durable.
//!
//! **Who is told.** A node that enters an epoch sends the handoff certificate to everybody in both committees, once. A member sends
//! it again to the members that it has not heard in the epoch. Each node answers messages of an older epoch with the certificate that
//! ended it. A message of an epoch that is not known waits, if it is the next one, and the links are asked for.
//!
//! **Who makes the keys.** A member of the next committee has a [`Participant`](super::key_generation::Participant), which sees the final
//! chain. Its items go to every member of the present committee, and each member brings those that it has into its own blocks. Final
//! blocks go to the members of the next committee, too. The beginning of the next epoch is made durable when the key share is.
//!
//! **Who judges.** Blocks carry epoch items, and the digest of the record that they complete. This follows from a block and its
//! branch alone, and is judged in front of the application ([`Progress`](super::progress::Progress)).
//!
//! **Bounds.** What waits, what is kept to serve, and what a node may cost outside its epoch are in [`limits`](crate::limits).

mod generation;
mod inside;
mod interface;
mod outside;
mod present;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

pub use interface::{
    EpochMilestone, EpochRefusal, Input, Keys, Output, Part, ReplicaError, Restored, Secrets, Timer,
};
pub use present::Role;

use super::guests::Guests;
use super::handoff::HandoffCertificate;
use super::link::{Beginning, Link};
use super::roster::{CommitteeRecord as _, NodeId, Roster};
use super::waiting::Waiting;
use crate::block::{Block, Time};
use crate::committee::Epoch;
use crate::miner::Config;
use present::{Given, Present};

/// See the module doc.
pub struct Replica<K: Keys> {
    me: NodeId,
    keys: K,
    /// Rules, times and the other settings of every epoch; its committee and genesis are not used.
    settings: Config,
    present: Present<K>,
    /// The last links, to the present epoch and below, oldest first: to serve them.
    links: VecDeque<Arc<Link<K::Record>>>,
    /// Links above the present epoch, in order, each checked under the one before. The first is also given to the participant.
    ahead: Vec<Arc<Link<K::Record>>>,
    /// The beginning of the next epoch, on its way to the disk.
    next: Option<Beginning<K::Record>>,
    waiting: Waiting,
    guests: Guests,
    /// Members of the present committee that were not heard in this epoch.
    awaited: BTreeSet<NodeId>,
    /// Who was asked for links last, and when.
    asked: Option<(NodeId, Time)>,
    /// Whether the node was a member of the committee before this one, is none of this, and no final block of this epoch is here.
    leaving: bool,
    started: bool,
}

impl<K: Keys> fmt::Debug for Replica<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys are no one's business.
        f.debug_struct("Replica").field("me", &self.me).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

impl<K: Keys> Replica<K> {
    /// A node with this disk. `blocks` are the final blocks of the epoch that the disk begins with, all of them, lowest first. Give it
    /// [`Input::Start`] next.
    ///
    /// # Errors
    /// When what was read does not belong together, or the participant cannot be started.
    pub fn new(
        me: NodeId,
        keys: K,
        settings: Config,
        disk: Restored<K::Record>,
        blocks: impl IntoIterator<Item = Arc<Block>>,
    ) -> Result<Self, ReplicaError> {
        let Restored { beginning, links, recovery, secrets } = disk;
        beginning.check()?;
        let mut present = Present::new(me, &keys, &settings, beginning, recovery, &secrets)?;
        for block in blocks {
            let expected = present.branches.head().round().next();
            if block.round() < expected {
                continue;
            }
            if block.round() != expected || block.header().parent != present.branches.head().id() {
                return Err(ReplicaError::Gap { epoch: present.epoch(), round: expected });
            }
            // What is final stays so; `Output::Diverged` was put out when it became final.
            let _judged_before = present.branches.finalize(&block);
        }
        present.has_final_history()?;
        let mut replica = Self {
            me,
            keys,
            settings,
            present,
            links: links.into_iter().map(Arc::new).collect(),
            ahead: Vec::new(),
            next: None,
            waiting: Waiting::default(),
            guests: Guests::default(),
            awaited: BTreeSet::new(),
            asked: None,
            leaving: false,
            started: false,
        };
        replica.keep_link();
        Ok(replica)
    }

    /// Takes one input at time `now` and appends what has to be done to `out`. Never panics, whatever a node sends.
    pub fn step(&mut self, now: Time, input: Input<K::Record>, out: &mut Vec<Output<K::Record>>) {
        if self.started == matches!(input, Input::Start) {
            return;
        }
        match input {
            Input::Start => {
                self.started = true;
                self.begin(now, &[], out);
            }
            Input::Bytes { from, bytes } => self.receive_bytes(now, from, bytes, out),
            Input::Envelope { from, envelope } => self.receive(now, from, envelope, out),
            Input::Timer(Timer::Miner(epoch, timer)) if self.is_present(epoch) => {
                self.give(now, Given::Miner(crate::miner::Input::Timer(timer)), out);
            }
            Input::Timer(Timer::Follower(epoch, timer)) if self.is_present(epoch) => {
                self.give(now, Given::Follower(crate::sharder::SharderInput::Timer(timer)), out);
            }
            Input::Timer(Timer::Handoff(epoch)) if self.is_present(epoch) => self.tell_awaited(now, out),
            Input::Host { epoch, input } if self.is_present(epoch) => self.answered(now, input, out),
            Input::Begun { epoch, recovery, entropy } => self.begun(now, epoch, recovery, entropy, out),
            Input::Journaled { epoch, write } => self.journaled(epoch, write, out),
            // Of an epoch that is over.
            Input::Timer(_) | Input::Host { .. } => {}
        }
    }

    /// The epoch that the node is in.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.present.epoch()
    }

    /// The record of its committee.
    #[must_use]
    pub fn record(&self) -> &K::Record {
        &self.present.record
    }

    /// The participant of the epoch.
    #[must_use]
    pub fn role(&self) -> &Role<K::Scheme> {
        &self.present.role
    }

    /// The nodes of the epoch.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.present.roster
    }

    /// The state that the epoch items of the final chain make.
    #[must_use]
    pub fn progress(&self) -> &K::Progress {
        self.present.branches.final_progress()
    }

    /// The finalized head.
    #[must_use]
    pub fn finalized(&self) -> &Arc<Block> {
        self.present.branches.head()
    }

    /// Whether the closing block of the epoch is final and the beginning of the next one is on its way to the disk.
    #[must_use]
    pub fn is_between_epochs(&self) -> bool {
        self.next.is_some()
    }

    /// The handoff certificate by which the present epoch began; `None` in the first one.
    #[must_use]
    pub fn handoff(&self) -> Option<&Arc<HandoffCertificate>> {
        self.present.handoff.as_ref()
    }

    fn is_present(&self, epoch: Epoch) -> bool {
        epoch == self.present.epoch() && self.next.is_none()
    }

    /// The last epoch whose committee is known.
    fn last_known(&self) -> Epoch {
        self.ahead.last().map_or(self.present.epoch(), |link| link.record.epoch())
    }
}

//! The present epoch: its committee, the participant in it, and the progress of the next committee.

use std::sync::Arc;

use super::generation::Generation;
use super::interface::{Keys, Part, ReplicaError, Secrets};
use crate::block::Block;
use crate::chain::FinalBlock;
use crate::committee::{Epoch, Peer, Round, SharderId};
use crate::epochs::handoff::HandoffCertificate;
use crate::epochs::link::Beginning;
use crate::epochs::progress::Branches;
use crate::epochs::roster::{CommitteeRecord as _, NodeId, Roster};
use crate::miner::{self, Config, Miner, Recovery};
use crate::sharder::{History, Sharder, SharderInput};

/// The participant of an epoch.
#[derive(Debug)]
pub enum Role<S> {
    /// A member of its committee.
    Member(Box<Miner<S>>),
    /// A node that follows its final chain.
    Follower(Box<Sharder<S>>),
}

impl<S> Role<S> {
    /// Which of the two.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Role::Member(_) => Part::Member,
            Role::Follower(_) => Part::Follower,
        }
    }
}

/// An input of the participant.
pub(super) enum Given {
    Miner(miner::Input),
    Follower(SharderInput),
    /// A message, for whichever it is.
    Bytes(Peer, Vec<u8>),
    Message(Peer, crate::message::Message),
    Handoff(Arc<HandoffCertificate>),
}

/// The host serves the stored chain.
pub(super) struct NoHistory;

impl History for NoHistory {
    fn block(&self, _: Round) -> Option<FinalBlock> {
        None
    }
}

/// See the module doc.
pub(super) struct Present<K: Keys> {
    pub record: K::Record,
    pub anchor: Arc<Block>,
    pub handoff: Option<Arc<HandoffCertificate>>,
    pub roster: Roster,
    pub config: Arc<Config>,
    pub role: Role<K::Scheme>,
    /// To judge handoffs and links with.
    pub observer: K::Scheme,
    pub branches: Branches<K::Progress>,
    pub generation: Generation<K>,
    /// All nodes of the epoch but this one: the members; and everybody, with those who join the next committee.
    pub miners: Arc<[NodeId]>,
    pub everyone: Arc<[NodeId]>,
    /// The parent on which the host was asked for a payload.
    pub asked_for_payload: Option<crate::block::BlockId>,
    /// Whether the participant has a handoff certificate of this epoch already.
    pub told: bool,
    /// The last round that is final according to what was read.
    read_up_to: Round,
}

impl<K: Keys> Present<K> {
    pub fn new(
        me: NodeId,
        keys: &K,
        settings: &Config,
        beginning: Beginning<K::Record>,
        recovery: Recovery,
        secrets: &Secrets,
    ) -> Result<Self, ReplicaError> {
        let Beginning { record, anchor, handoff } = beginning;
        let epoch = record.epoch();
        let roster = Roster::of(&record).map_err(|reason| ReplicaError::Roster { epoch, reason })?;
        let committee = roster.committee();
        let config = Arc::new(Config {
            committee,
            generators: committee.default_generators(),
            genesis: Arc::clone(&anchor),
            hands_over: true,
            ..settings.clone()
        });
        let observer = keys.observer(&record).ok_or(ReplicaError::Keys(epoch))?;
        let start = |reason| ReplicaError::Start { epoch, reason };
        let read_up_to = recovery.finals.last().map_or(anchor.round(), |last| last.block.round());
        let seat = roster.seat(me);
        let member = match seat {
            Some(Peer::Miner(id)) => keys.member(&record, id, secrets.share(record.digest()).as_ref()),
            Some(Peer::Sharder(_)) | None => None,
        };
        let role = match member {
            Some(scheme) => {
                let miner = Miner::new(Arc::clone(&config), scheme, recovery).map_err(start)?;
                Role::Member(Box::new(miner))
            }
            None => {
                let id = match seat {
                    Some(Peer::Sharder(id)) => id,
                    // No sharder has this number.
                    Some(Peer::Miner(_)) | None => SharderId(committee.sharders()),
                };
                let scheme = observer.clone();
                let sharder =
                    Sharder::new(Arc::clone(&config), scheme, id, recovery.finals).map_err(start)?;
                Role::Follower(Box::new(sharder))
            }
        };
        let others = |nodes: &[NodeId]| nodes.iter().copied().filter(|node| *node != me).collect::<Vec<_>>();
        let miners = others(roster.miners());
        let progress = keys.begin(&record, &anchor).ok_or(ReplicaError::NextCommittee(epoch))?;
        let generation = Generation::new(keys, &progress, epoch, secrets)?;
        // A joiner hears what a sharder does.
        let joiners = generation.members.iter().copied().filter(|node| roster.seat(*node).is_none());
        let joiners = others(&joiners.collect::<Vec<_>>());
        let everyone = [miners.clone(), others(roster.sharders()), joiners].concat();
        let branches = Branches::new(Arc::clone(&anchor), progress);
        Ok(Self {
            record,
            anchor,
            handoff,
            roster,
            config,
            role,
            observer,
            branches,
            generation,
            miners: miners.into(),
            everyone: everyone.into(),
            asked_for_payload: None,
            told: false,
            read_up_to,
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.record.epoch()
    }

    /// The progress rests on every final block of the epoch.
    pub fn has_final_history(&self) -> Result<(), ReplicaError> {
        let head = self.branches.head().round();
        if head == self.read_up_to {
            return Ok(());
        }
        Err(ReplicaError::Gap { epoch: self.epoch(), round: head.min(self.read_up_to).next() })
    }
}

//! A virtual network, virtual time and virtual disks around production miners and a sharder.
//!
//! Nothing happens by itself: a schedule decides which message reaches whom, which timer fires, when a write becomes durable
//! and who crashes. A timer may fire before it is due (as a faster clock would fire it): safety does not rest upon time.
//!
//! **Bounds.** The model explores a bounded number of rounds and subrounds, so a world has the same bounds: a miner that has
//! left the last round is *parked* (it still hears, relays and votes, but is given no payload and none of its windows ends),
//! and nobody gives up the last subround.
//!
//! **Disks.** Under [`DiskModel::Slow`] writes are confirmed when the schedule says so, and in
//! some worlds the application answers then, too. Under [`DiskModel::Crashing`] they are
//! confirmed at once, and a schedule may crash a miner between any two of its steps, before or after the flush of what it
//! wanted to sign. Stored items are durable there, so that a miner restarts where it was; a disk that loses stores too
//! is driven by the target `recovery`, which checks properties and not refinement.

mod archive;
mod base;
pub mod byzantine;
mod host;
mod made;
mod network;
mod node;
mod setup;

pub use crate::messages::{certified_by, long_form, record_of, signer_of, ticket_of};
pub use crate::sharder::Archive;
use host::config_of;
pub use host::{Asked, Host};
pub use made::Made;
pub use network::{Content, Envelope, Kind, Network, Receivers, SHARDER, bit};
pub use setup::{Adjust, DiskModel, Draw, Ground, Keys, Setup};

use std::fmt;
use std::sync::Arc;

use crate::disk;
use zus_bpp::block::{Block, BlockId, Time};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::scheme::{BeaconValue, Scheme};
use zus_bpp::message::Message;
use zus_bpp::miner::{Input, Miner, Output, Recovery, Timer};
use zus_bpp::sharder::{SharderInput, SharderOutput};
use zus_bpp::statement::Ticket;
use zus_bpp::ticket_log::LogRecord;

/// Milliseconds that pass with each choice of a schedule.
pub const TICK: u64 = 5;
/// A payload that begins with this byte is refused by every application.
pub const REFUSED_PAYLOAD: u8 = 0xff;

/// Where a miner crashes: in which of the steps that follow from one choice, and on which side of the flush.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CrashPoint {
    /// Steps of the miner that are completed before the one in which it crashes.
    pub after_steps: u8,
    /// Whether the records of that step are durable.
    pub flushed: bool,
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.flushed { "after" } else { "before" };
        write!(f, ", and crashes {side} the flush of step {}", self.after_steps)
    }
}

/// One step of a participant, or something that happened to it.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "steps are what most events are")]
pub enum Event {
    /// An honest miner, by its position among the honest, took a step.
    Step {
        /// Which.
        host: usize,
        /// The kind of its input.
        cause: Cause,
        /// The message that came in, and from whom.
        heard: Option<(Peer, Message)>,
        /// The records that it decided to sign in this step; under [`DiskModel::Crashing`] those that became durable in it.
        decided: Vec<LogRecord>,
        /// Its outputs.
        outputs: Vec<Output>,
    },
    /// An honest miner crashed.
    Crashed {
        /// Which.
        host: usize,
    },
    /// It is about to take its first step after a crash.
    Restarted {
        /// Which.
        host: usize,
    },
    /// The sharder took a step.
    Sharder {
        /// Its input.
        input: SharderInput,
        /// Its outputs.
        outputs: Vec<SharderOutput>,
    },
}

/// The kind of a step's input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// It started.
    Start,
    /// A timer fired.
    Timer(Timer),
    /// A message arrived.
    Message,
    /// The application accepted a block.
    Accepted(BlockId),
    /// Disk or application answered something else.
    Node,
}

impl Cause {
    fn of(input: &Input) -> Self {
        match input {
            Input::Start => Cause::Start,
            Input::Timer(timer) => Cause::Timer(*timer),
            Input::Message { .. } | Input::Bytes { .. } => Cause::Message,
            Input::Validated { block, accepted: true, .. } => Cause::Accepted(*block),
            Input::Payload { .. }
            | Input::Validated { .. }
            | Input::Stored(_)
            | Input::Loaded(_)
            | Input::Handoff(_)
            | Input::Persisted(_) => Cause::Node,
        }
    }
}

/// Somebody who watches every step.
pub trait Watch<S> {
    /// `event` has just happened in `world`.
    fn watch(&mut self, world: &World<S>, event: &Event);
}

/// Nobody watches.
impl<S> Watch<S> for () {
    fn watch(&mut self, _: &World<S>, _: &Event) {}
}

/// See the module doc. A clone shares what cannot change.
#[derive(Clone)]
pub struct World<S> {
    /// Keys, configuration, order of generators.
    pub ground: Arc<Ground<S>>,
    /// Virtual time.
    pub now: Time,
    /// The honest miners, in order of their place in the committee.
    pub hosts: Vec<Host<S>>,
    /// The sharder, where there is one.
    pub archive: Option<Archive<S>>,
    /// Everything that was sent.
    pub network: Network,
    /// Records that Byzantine miners signed, by member.
    pub byzantine: Vec<(MinerId, LogRecord)>,
    /// Blocks that honest miners decided to propose, and those of Byzantine miners.
    pub blocks: Made,
    /// Blocks of Byzantine miners that were made with a flaw.
    pub flawed: Vec<BlockId>,
    /// Blocks of which an honest participant has seen a notarization.
    pub notarized: Vec<Ticket>,
    /// Crashes so far.
    pub crashes: u32,
    /// Records that a log refused, by honest miner: never, in a correct miner (S1).
    pub refused_by_log: Vec<(MinerId, LogRecord)>,
    /// Whether the bounds on rounds and subrounds are lifted (liveness); refinement is not asked any more.
    pub unbounded: bool,
    /// Records whose write was asked for before everything that was stored was durable, by honest miner (L1).
    pub premature: Vec<(MinerId, LogRecord)>,
    /// Members whose tickets have signatures of 96 bytes, as a set of receivers.
    pub long_tickets: Receivers,
}

impl<S: Scheme + Clone> World<S> {
    /// A world in which nobody has started.
    ///
    /// # Panics
    /// When the keys do not fit the configuration: a setup is not input.
    #[must_use]
    pub fn new(ground: Arc<Ground<S>>) -> Self {
        let long_tickets = ground.setup.long_tickets;
        Self::speaking(ground, long_tickets)
    }

    /// The same, with a set of members whose tickets have signatures of 96 bytes.
    ///
    /// # Panics
    /// As [`World::new`].
    #[must_use]
    pub fn speaking(ground: Arc<Ground<S>>, long_tickets: Receivers) -> Self {
        let host = |id: MinerId| {
            let scheme = ground.keys.members[usize::from(id.0)].clone();
            let config = config_of(&ground, long_tickets, id);
            let mut disk = disk::Disk::new(&config, id);
            let finals: Vec<FinalBlock> = ground.base.iter().cloned().collect();
            let miner = Miner::new(config, scheme, Recovery::default().with_finals(finals.clone()));
            disk.history = finals;
            Host::new(id, miner.expect("the keys are of this committee"), disk)
        };
        let hosts = ground.honest().map(host).collect();
        let archive = (ground.setup.sharders > 0).then(|| {
            let finals = ground.base.iter().cloned().collect();
            Archive::new(&ground.config, ground.keys.observer.clone(), SharderId(0), finals)
        });
        let mut blocks = Made::default();
        ground.base.iter().for_each(|base| blocks.push(Arc::clone(&base.block)));
        let notarized = ground.base.iter().filter_map(|base| base.notarization.as_ref());
        let notarized = notarized.map(|known| known.statement).collect();
        Self {
            ground,
            now: Time(1_000),
            hosts,
            archive,
            network: Network::default(),
            byzantine: Vec::new(),
            blocks,
            flawed: Vec::new(),
            notarized,
            crashes: 0,
            refused_by_log: Vec::new(),
            unbounded: false,
            premature: Vec::new(),
            long_tickets,
        }
    }

    /// Starts everybody.
    pub fn start<W: Watch<S>>(&mut self, watch: &mut W) {
        for host in 0..self.hosts.len() {
            self.give(host, Input::Start, None, watch);
        }
        self.start_sharder();
    }

    /// Forgets what is below a round, and all messages: a long run has no end of them.
    pub fn forget(&mut self, below: Round) {
        self.network.clear();
        self.hosts.iter_mut().for_each(|host| host.forget(below));
        self.byzantine.retain(|(_, record)| record.round >= below);
        self.blocks.retain(|block| block.round() >= below);
        self.notarized.retain(|ticket| ticket.round >= below);
    }

    /// The id of the block with which everybody begins.
    #[must_use]
    pub fn first_block(&self) -> BlockId {
        self.ground.base.as_ref().map_or(self.ground.config.genesis.id(), |base| base.block.id())
    }

    /// Whether this is the ticket for the block with which everybody begins, or the vote for the one below, which all have
    /// signed.
    #[must_use]
    pub fn is_given(&self, record: &LogRecord) -> bool {
        let Some(base) = self.ground.base.as_ref() else { return false };
        let ticket = base.notarization.as_ref().map(|known| LogRecord::from(known.statement));
        let vote = base.block.finality().map(|known| LogRecord::from(known.statement));
        ticket.as_ref() == Some(record) || vote.as_ref() == Some(record)
    }

    /// The position among the honest miners of a member.
    #[must_use]
    pub fn host_of(&self, miner: MinerId) -> Option<usize> {
        self.hosts.binary_search_by_key(&miner, |host| host.id).ok()
    }

    /// Whether a miner has left the last round of the world.
    #[must_use]
    pub fn is_parked(&self, host: usize) -> bool {
        !self.unbounded && self.hosts[host].miner.round().0 > u64::from(self.ground.setup.rounds)
    }

    /// How many honest miners have said a record, over all their lives, and how many Byzantine ones.
    #[must_use]
    pub fn signers(&self, record: &LogRecord) -> (usize, usize) {
        let honest = self.hosts.iter().filter(|host| host.has_said(record)).count();
        (honest, self.byzantine.iter().filter(|(_, known)| known == record).count())
    }

    /// The block that has this id, if anybody made it.
    #[must_use]
    pub fn block(&self, id: &BlockId) -> Option<&Arc<Block>> {
        self.blocks.find(id)
    }

    /// The beacon value to which the order of generators of a block's subround is chained: that of its parent. Nothing depends
    /// on it where the beacon signs the round only.
    #[must_use]
    pub fn previous_beacon(&self, block: &Block) -> BeaconValue {
        self.beacon_in(&block.header().parent)
    }

    /// The same, told by the parent.
    #[must_use]
    pub fn beacon_in(&self, parent: &BlockId) -> BeaconValue {
        let genesis = &self.ground.config.genesis;
        if !self.ground.setup.chained() || *parent == genesis.id() {
            return genesis.header().beacon;
        }
        self.block(parent).map_or(BeaconValue([0; 32]), |block| block.header().beacon)
    }

    /// The rank that a block's generator has where the block stands, if it has its turn there (S4).
    #[must_use]
    pub fn rank_of(&self, block: &Block) -> Option<u8> {
        let previous = self.previous_beacon(block);
        self.ground.rank(block.round().0, block.subround().0, &previous, block.header().generator)
    }

    /// The draw of a miner's own subround, by the block through which it entered its round.
    #[must_use]
    pub fn draw_of(&self, host: usize) -> Option<Arc<Draw>> {
        let miner = &self.hosts[host].miner;
        self.ground.draw(miner.round().0, miner.subround().0, &self.seed_of(host))
    }

    /// The beacon value to which a miner's own subround is chained: that of the block through which it entered its round.
    #[must_use]
    pub fn seed_of(&self, host: usize) -> BeaconValue {
        self.beacon_in(&self.hosts[host].miner.entry())
    }

    /// Whether the model has the crash of this miner at this moment. With a volatile log a restarted miner forgets
    /// - that it proposed in its subround: it would make a second block, for which the model has no place;
    /// - where it entered subrounds locally, its subround: it comes back in subround 0, and the model's where it was.
    #[must_use]
    pub fn may_crash(&self, host: usize) -> bool {
        let rules = &self.ground.setup.rules;
        let miner = &self.hosts[host].miner;
        let subround = miner.subround();
        let comes_back = !rules.enters_alone() || subround == Subround(0);
        rules.is_durable() || comes_back && miner.proposal(miner.round(), subround).is_none()
    }

    /// Crashes a miner between two steps: everything that it asked to be written is durable, or under [`DiskModel::Slow`] lost.
    pub fn crash<W: Watch<S>>(&mut self, host: usize, watch: &mut W) {
        if self.hosts[host].up && self.may_crash(host) {
            self.go_down(host, watch);
        }
    }

    /// Crashes a miner whose disk is slow: of what is not confirmed, so many records and so many stores survive.
    pub fn crash_losing<W: Watch<S>>(&mut self, host: usize, records: usize, stores: usize, watch: &mut W) {
        let found = &mut self.hosts[host];
        if !found.up {
            return;
        }
        let disk = &mut found.disk;
        disk.crash(records % (disk.log.crash_points() + 1), stores % (disk.unconfirmed() + 1));
        self.go_down(host, watch);
    }

    fn go_down<W: Watch<S>>(&mut self, index: usize, watch: &mut W) {
        let host = &mut self.hosts[index];
        host.up = false;
        host.timers.clear();
        host.asked.clear();
        self.crashes += 1;
        watch.watch(self, &Event::Crashed { host: index });
    }

    /// Starts a crashed miner from its disk.
    ///
    /// # Panics
    /// When the keys do not fit the configuration: they did at the beginning.
    pub fn restart<W: Watch<S>>(&mut self, index: usize, watch: &mut W) {
        let ground = Arc::clone(&self.ground);
        let host = &mut self.hosts[index];
        if host.up {
            return;
        }
        let scheme = ground.keys.members[usize::from(host.id.0)].clone();
        let config = config_of(&ground, self.long_tickets, host.id);
        let miner = Miner::new(config, scheme, host.disk.recovery());
        host.recovered = Some((host.miner.round(), host.miner.subround()));
        host.miner = miner.expect("the keys are of this committee");
        host.up = true;
        host.restarts += 1;
        (host.last_store, host.durable_store) = (None, None);
        host.rests_on.clear();
        host.confirmed = host.disk.log.durable().to_vec();
        let me = bit(Peer::Miner(host.id));
        self.network.reopen(me);
        // A start must be later than the one before it.
        self.now = self.now.after(1);
        watch.watch(self, &Event::Restarted { host: index });
        self.give(index, Input::Start, None, watch);
    }

    /// Delivers a message of the network, again if it was delivered before.
    pub fn deliver<W: Watch<S>>(
        &mut self,
        index: usize,
        receiver: Receivers,
        crash: Option<CrashPoint>,
        watch: &mut W,
    ) {
        self.network.mark(index, receiver);
        let envelope = Arc::clone(&self.network.sent()[index]);
        self.hand_over(envelope.from, &envelope.content, receiver, crash, watch);
    }

    /// Gives a content to a receiver, whether or not it was sent: what a Byzantine peer does.
    pub fn hand_over<W: Watch<S>>(
        &mut self,
        from: Peer,
        content: &Content,
        receiver: Receivers,
        crash: Option<CrashPoint>,
        watch: &mut W,
    ) {
        if receiver == SHARDER {
            let input = match content.clone() {
                Content::Message(message) => SharderInput::Message { from, message },
                Content::Bytes(bytes) => SharderInput::Bytes { from, bytes },
            };
            self.give_sharder(input, watch);
            return;
        }
        let Some(host) = self.host_of(MinerId(receiver.trailing_zeros() as u16)) else { return };
        let input = match content.clone() {
            Content::Message(message) => Input::Message { from, message },
            Content::Bytes(bytes) => Input::Bytes { from, bytes },
        };
        self.give(host, input, crash, watch);
    }

    /// Fires a timer of a miner, due or not. Parked miners have no windows, and the last subround is not given up.
    pub fn fire<W: Watch<S>>(&mut self, host: usize, timer: Timer, crash: Option<CrashPoint>, watch: &mut W) {
        if !self.may_fire(host, &timer) {
            return;
        }
        self.hosts[host].timers.retain(|(_, known)| *known != timer);
        self.give(host, Input::Timer(timer), crash, watch);
    }

    /// Whether a timer may fire within the bounds of the world.
    #[must_use]
    pub fn may_fire(&self, host: usize, timer: &Timer) -> bool {
        let last = u32::from(self.ground.setup.subrounds) - 1;
        match timer {
            Timer::Window { .. } => !self.is_parked(host),
            Timer::Wait { .. } => {
                self.unbounded || !self.is_parked(host) && self.hosts[host].miner.subround().0 < last
            }
            Timer::Resend { .. } | Timer::CatchUp | Timer::Finality { .. } => true,
        }
    }

    /// A slow disk confirms its oldest write, or an application gives its oldest answer.
    pub fn confirm<W: Watch<S>>(&mut self, host: usize, watch: &mut W) {
        let found = &mut self.hosts[host];
        let Some(asked) = found.asked.pop_front() else { return };
        let input = match asked {
            Asked::Stored(write) => {
                found.disk.flush_stores(write);
                found.durable_store = Some(write);
                Input::Stored(write)
            }
            Asked::LogRecord(write, record) => {
                found.disk.flush_log();
                found.confirmed.push(record);
                Input::Persisted(write)
            }
            Asked::Answer(answer) => answer,
        };
        self.give(host, input, None, watch);
    }

    /// A Byzantine miner sends a content to some receivers. The caller records the statement that it signed.
    pub fn send_as(&mut self, from: MinerId, to: Receivers, content: Content) {
        let content = self.in_form(from, content);
        self.network.send(Peer::Miner(from), to & !bit(Peer::Miner(from)), content);
    }

    /// A member's message, with the signature of a ticket in the form that this member uses.
    fn in_form(&self, from: MinerId, content: Content) -> Content {
        match content {
            Content::Message(message) if self.long_tickets & bit(Peer::Miner(from)) != 0 => {
                Content::Message(long_form(&message))
            }
            content => content,
        }
    }

    /// Records that a Byzantine member signed something.
    pub fn byzantine_signed(&mut self, member: MinerId, record: LogRecord) {
        if !self.byzantine.contains(&(member, record)) {
            self.byzantine.push((member, record));
        }
    }
}

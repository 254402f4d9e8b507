//! The event loop.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use zus_bpp::application::{Application, Transaction, TransactionQueue};
use zus_bpp::block::Time;
use zus_bpp::bounds::MAX_CHAIN_BLOCKS;
use zus_bpp::chain::respond;
use zus_bpp::committee::{MinerId, Peer, Round, SharderId};
use zus_bpp::crypto::mock_scheme::{MockScheme, MockWorld};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Audience, Config, Input, Miner, Output, Recovery, Timer, WriteId};
use zus_bpp::rules::TicketLogRule;
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput, SharderTimer};
use zus_bpp::ticket_log::{KEY_BYTES, Kind, MemoryLog, Owner, Record, Signed, SigningRules};
use zus_bpp::wire;

use super::byzantine::tamper;
use super::host::{Disk, Host, Item};
use super::schedule::{Happening, Schedule};
use super::{Byzantine, Fault, Network, Observer, Setup};

/// Bytes of payload that a generator asks its application for.
const PAYLOAD: usize = 256;

struct SharderHost<S> {
    sharder: Sharder<S>,
    history: MemoryHistory,
}

/// See the module doc of [`super`].
pub struct World<S> {
    config: Arc<Config>,
    hosts: Vec<Host<S>>,
    sharders: Vec<SharderHost<S>>,
    schedule: Schedule,
    random: fastrand::Rng,
    network: Network,
    /// The group of each miner, while the network is partitioned.
    groups: Option<BTreeMap<u16, usize>>,
    flush: u64,
    pub now: Time,
    pub observer: Observer,
    /// How many steps all miners have taken.
    pub steps: u64,
    /// How many gaps sharders reported.
    pub gaps: u64,
    kill_at_step: Option<(u16, u64, u64)>,
    /// How many messages were sent, and how many bytes (0 unless they travel as bytes).
    pub sent: (u64, u64),
    /// How often each miner broadcast each message in one life.
    said: HashMap<(MinerId, u32, Message), u64>,
}

impl World<MockScheme> {
    /// A world with mock signatures.
    pub fn mock(setup: &Setup) -> Self {
        let config = setup.config();
        let threshold = config.committee.faulty() + 1;
        let keys = MockWorld::new(setup.miners, threshold, setup.seed);
        let member = |i| keys.member(MinerId(i)).expect("a member");
        World::new(setup, (0..setup.miners).map(member).collect(), &keys.observer())
    }
}

impl<S: Scheme + Clone> World<S> {
    /// A world with these keys.
    pub fn new(setup: &Setup, schemes: Vec<S>, observer: &S) -> Self {
        let config = setup.config();
        let byzantine: BTreeMap<u16, Byzantine> = setup.byzantine.iter().copied().collect();
        let dishonest: Vec<u16> = byzantine.keys().copied().collect();
        let hosts = schemes.into_iter().enumerate().map(|(i, scheme)| Host {
            miner: None,
            scheme,
            byzantine: byzantine.get(&(i as u16)).copied(),
            disk: Disk::new(log(&config, i as u16)),
            application: filled_queue(),
            life: 0,
            kill_in_step: false,
            steps: 0,
            unsent: BTreeSet::new(),
            sent_from_log: false,
        });
        let sharders = (0..setup.sharders).map(|i| SharderHost {
            sharder: Sharder::new(Arc::clone(&config), observer.clone(), SharderId(i), Vec::new())
                .expect("the scheme fits the committee"),
            history: MemoryHistory::default(),
        });
        let mut world = Self {
            observer: Observer::new(
                setup.miners,
                &dishonest,
                config.generators,
                config.subround_cap,
                config.genesis.id(),
                &config.rules,
            ),
            hosts: hosts.collect(),
            sharders: sharders.collect(),
            config,
            schedule: Schedule::default(),
            random: fastrand::Rng::with_seed(setup.seed),
            network: setup.network.clone(),
            groups: None,
            flush: setup.flush,
            now: Time(0),
            steps: 0,
            gaps: 0,
            kill_at_step: setup.kill_at_step,
            sent: (0, 0),
            said: HashMap::new(),
        };
        for (at, fault) in &setup.faults {
            world.schedule.add(Time(*at), Happening::Fault(fault.clone()));
        }
        for i in 0..world.hosts.len() {
            world.start(i, Recovery::default());
        }
        for i in 0..world.sharders.len() {
            let mut out = Vec::new();
            world.sharders[i].sharder.start(world.now, &mut out);
            world.sharder_outputs(i, out);
        }
        world
    }

    pub fn miner(&self, i: usize) -> Option<&Miner<S>> {
        self.hosts[i].miner.as_ref()
    }

    pub fn sharder(&self, i: usize) -> &Sharder<S> {
        &self.sharders[i].sharder
    }

    pub fn scheme(&self, i: usize) -> &S {
        &self.hosts[i].scheme
    }

    pub fn application(&self, i: usize) -> &TransactionQueue {
        &self.hosts[i].application
    }

    /// How many steps a miner has taken.
    pub fn steps_of(&self, i: usize) -> u64 {
        self.hosts[i].steps
    }

    /// Whether a ticket left after a restart that was in the log, and had not left, at the crash (W6).
    pub fn sent_from_log(&self, i: usize) -> bool {
        self.hosts[i].sent_from_log
    }

    /// Starts a killed miner from its disk.
    pub fn restart(&mut self, i: u16) {
        self.fault(Fault::Restart(i));
    }

    pub fn disk(&self, i: usize) -> &Disk {
        &self.hosts[i].disk
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Runs for so many milliseconds.
    pub fn run(&mut self, milliseconds: u64) {
        self.run_until(milliseconds, |_| false);
    }

    /// Runs until something holds, at most so many milliseconds. Returns whether it holds.
    pub fn run_until(&mut self, milliseconds: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.after(milliseconds);
        while !holds(self) {
            let Some((at, happening)) = self.schedule.next(end) else {
                self.now = end;
                return false;
            };
            self.now = at;
            self.happen(happening);
        }
        true
    }

    /// Runs until every honest miner that is up has finalized `height` blocks.
    pub fn run_to_height(&mut self, height: usize, milliseconds: u64) -> bool {
        self.run_until(milliseconds, |world| world.observer.lowest() >= height)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Message { from, to, message } => self.deliver(from, to, message),
            Happening::Bytes { from, to, bytes } => match to {
                Peer::Miner(miner) => self.step(miner, Input::Bytes { from, bytes }),
                Peer::Sharder(sharder) => self.sharder_step(sharder, SharderInput::Bytes { from, bytes }),
            },
            Happening::MinerTimer { miner, life, timer } => {
                if self.hosts[usize::from(miner.0)].life == life {
                    self.step(miner, Input::Timer(timer));
                }
            }
            Happening::Flushed { miner, life, write } => {
                let host = &mut self.hosts[usize::from(miner.0)];
                if host.life == life && host.miner.is_some() {
                    host.disk.flush();
                    self.step(miner, Input::Persisted(write));
                }
            }
            Happening::SharderTimer { sharder, timer } => {
                self.sharder_step(SharderId(sharder as u16), SharderInput::Timer(timer));
            }
            Happening::Fault(fault) => self.fault(fault),
        }
    }

    fn deliver(&mut self, from: Peer, to: Peer, message: Message) {
        match to {
            Peer::Miner(miner) => self.step(miner, Input::Message { from, message }),
            Peer::Sharder(sharder) => self.sharder_step(sharder, SharderInput::Message { from, message }),
        }
    }

    fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Kill(i) => self.kill(usize::from(i)),
            Fault::KillInStep(i) => self.hosts[usize::from(i)].kill_in_step = true,
            Fault::Restart(i) => {
                let recovery = self.hosts[usize::from(i)].disk.recovery();
                self.start(usize::from(i), recovery);
            }
            Fault::RestartWithLogOnly(i) => {
                let disk = &mut self.hosts[usize::from(i)].disk;
                disk.stored.clear();
                let recovery = disk.recovery();
                self.start(usize::from(i), recovery);
            }
            Fault::Partition(groups) => {
                let members = groups.iter().enumerate();
                self.groups =
                    Some(members.flat_map(|(g, group)| group.iter().map(move |i| (*i, g))).collect());
            }
            Fault::Heal => self.groups = None,
            Fault::Network(network) => self.network = network,
        }
    }

    fn kill(&mut self, i: usize) {
        let host = &mut self.hosts[i];
        if host.miner.take().is_some() {
            let survives = self.random.usize(0..=host.disk.unflushed.len());
            host.disk.crash(survives);
            host.life += 1;
            let me = MinerId(i as u16);
            let tickets = host.disk.log.durable().iter().filter(|record| record.kind == Kind::Ticket);
            let said = |record: &Record| {
                self.said.keys().any(|(who, _, message)| *who == me && record_of(message) == Some(*record))
            };
            host.unsent = tickets.filter(|record| !said(record)).copied().collect();
        }
    }

    fn start(&mut self, i: usize, mut recovery: Recovery) {
        if self.hosts[i].miner.is_some() {
            return;
        }
        if self.config.rules.ticket_log == TicketLogRule::Volatile {
            recovery.signed = Signed::default();
        }
        self.hosts[i].start(&self.config, recovery);
        self.step(MinerId(i as u16), Input::Start);
    }

    /// One step of a miner, and everything that it asks of its application.
    fn step(&mut self, miner: MinerId, input: Input) {
        let i = usize::from(miner.0);
        let Some(running) = &mut self.hosts[i].miner else { return };
        let mut out = Vec::new();
        running.step(self.now, input, &mut out);
        self.steps += 1;
        self.hosts[i].steps += 1;
        if let Some((victim, step, pause)) = self.kill_at_step
            && usize::from(victim) == i
            && self.hosts[i].steps == step + 1
        {
            self.hosts[i].kill_in_step = true;
            self.schedule.add(self.now.after(pause), Happening::Fault(Fault::Restart(victim)));
        }
        if self.hosts[i].kill_in_step && !out.is_empty() {
            out.truncate(self.random.usize(0..out.len()));
            self.outputs(i, out);
            self.kill(i);
            return;
        }
        self.outputs(i, out);
    }

    fn outputs(&mut self, i: usize, outputs: Vec<Output>) {
        let me = MinerId(i as u16);
        let honest = self.hosts[i].byzantine.is_none();
        let mut answers = Vec::new();
        for output in outputs {
            match output {
                Output::Send { to, message } => self.send(me, to, &message),
                Output::Broadcast { to, message } => self.broadcast(me, to, &message),
                Output::SetTimer { timer, at } => {
                    let life = self.hosts[i].life;
                    self.schedule.add(at, Happening::MinerTimer { miner: me, life, timer });
                }
                Output::Persist { write, record } => {
                    let host = &mut self.hosts[i];
                    if let Err(error) = host.disk.append(record) {
                        // The log refuses: the signature must not leave. An honest miner never asks for it.
                        if honest {
                            self.observer.refused_by_log(me, &error);
                        }
                        continue;
                    }
                    let life = host.life;
                    let at = self.now.after(self.random.u64(0..=self.flush));
                    self.schedule.add(at, Happening::Flushed { miner: me, life, write });
                }
                Output::Store(stored) => self.hosts[i].disk.unflushed.push_back(Item::Stored(stored)),
                Output::RequestPayload { round, subround, parent } => {
                    let payload = self.hosts[i].application.make_payload(&parent, PAYLOAD);
                    answers.push(Input::Payload { round, subround, payload });
                }
                Output::Validate { block } => {
                    let accepted = self.hosts[i].application.validate(&block).is_ok();
                    answers.push(Input::Validated { round: block.round(), block: block.id(), accepted });
                }
                Output::Finalized(found) => {
                    let host = &mut self.hosts[i];
                    host.application.commit(&found.block);
                    host.disk.commit(found.clone());
                    if honest {
                        self.observer.finalized(Peer::Miner(me), &found);
                    }
                }
                Output::Serve { to, after } => {
                    let first = usize::try_from(after.0).unwrap_or(usize::MAX);
                    let above = self.hosts[i].disk.history.iter().skip(first);
                    let path = above.take(MAX_CHAIN_BLOCKS + 1).cloned().collect();
                    if let Some(response) = respond(path) {
                        self.send(me, to, &Message::ChainResponse(Arc::new(response)));
                    }
                }
                Output::Evidence(evidence) if honest => self.observer.evidence(&evidence),
                Output::Refused { from, .. } if honest => {
                    *self.observer.refused.entry((Peer::Miner(me), from)).or_default() += 1;
                }
                Output::Milestone(milestone) if honest => self.observer.milestone(self.now, me, milestone),
                Output::Evidence(_)
                | Output::Refused { .. }
                | Output::Milestone(_)
                | Output::Blamed(_)
                | Output::Conflict { .. } => {}
            }
        }
        for answer in answers {
            self.step(me, answer);
        }
    }

    fn broadcast(&mut self, from: MinerId, to: Audience, message: &Message) {
        if self.hosts[usize::from(from.0)].byzantine.is_none() {
            self.observer.sent(from, message);
            let host = &mut self.hosts[usize::from(from.0)];
            if let Some(record) = record_of(message) {
                let durable = self.config.rules.ticket_log == TicketLogRule::Durable;
                if durable && !host.disk.log.durable().contains(&record) {
                    self.observer.sent_before_written(from, &record);
                }
                host.sent_from_log |= host.unsent.contains(&record);
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

    fn send(&mut self, from: MinerId, to: Peer, message: &Message) {
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

    fn put_on_network(&mut self, from: Peer, to: Peer, message: Message) {
        self.sent.0 += 1;
        let happening = if self.network.bytes {
            let bytes = wire::encode(&message);
            self.sent.1 += bytes.len() as u64;
            Happening::Bytes { from, to, bytes }
        } else {
            Happening::Message { from, to, message: message.clone() }
        };
        self.transmit(from, to, happening);
        if self.random.u16(0..1000) < self.network.duplicates {
            self.transmit(from, to, Happening::Message { from, to, message });
        }
    }

    fn transmit(&mut self, from: Peer, to: Peer, happening: Happening) {
        if self.random.u16(0..1000) < self.network.loss || !self.are_linked(from, to) {
            return;
        }
        let delay = self.random.u64(self.network.delay.clone());
        self.schedule.add(self.now.after(delay), happening);
    }

    fn are_linked(&self, from: Peer, to: Peer) -> bool {
        let Some(groups) = &self.groups else { return true };
        let group = |peer| match peer {
            Peer::Miner(MinerId(i)) => groups.get(&i).copied(),
            Peer::Sharder(_) => Some(0),
        };
        group(from).is_some() && group(from) == group(to)
    }

    fn sharder_step(&mut self, SharderId(id): SharderId, input: SharderInput) {
        let i = usize::from(id);
        let Some(host) = self.sharders.get_mut(i) else { return };
        let mut out = Vec::new();
        host.sharder.step(self.now, input, &host.history, &mut out);
        self.sharder_outputs(i, out);
    }

    fn sharder_outputs(&mut self, i: usize, outputs: Vec<SharderOutput>) {
        let me = Peer::Sharder(SharderId(i as u16));
        for output in outputs {
            match output {
                SharderOutput::Send { to, message } => self.put_on_network(me, to, message),
                SharderOutput::SetTimer { timer, at } => {
                    self.schedule.add(at, Happening::SharderTimer { sharder: i, timer });
                }
                SharderOutput::Finalized(found) => {
                    self.observer.finalized(me, &found);
                    self.sharders[i].history.store(found);
                }
                SharderOutput::Refused { from, .. } => {
                    *self.observer.refused.entry((me, from)).or_default() += 1;
                }
                SharderOutput::Gap { .. } => self.gaps += 1,
                SharderOutput::Certified(_) | SharderOutput::Conflict { .. } => {}
            }
        }
    }

    /// Ends the run: nothing that the rules promise may have been broken.
    ///
    /// # Panics
    /// When a property was violated, with the properties and the seed.
    pub fn assert_safe(&mut self) {
        self.observer.at_the_end();
        // Nothing is said twice, except by the timer that says it again.
        let most = 2 + self.now.0 / self.config.timing.resend;
        for ((miner, _, message), times) in &self.said {
            assert!(*times <= most, "{miner} said this {times} times in {} ms: {message:?}", self.now.0);
        }
        let violations = &self.observer.violations;
        let first: Vec<&String> = violations.iter().take(5).collect();
        assert!(violations.is_empty(), "{} violations, among them {first:#?}", violations.len());
    }
}

/// What a miner's log must say before it sends this message.
fn record_of(message: &Message) -> Option<Record> {
    match message {
        Message::Proposal(proposal) => {
            let block = &proposal.block;
            Some(Record::proposal(block.round(), block.subround(), block.id().0))
        }
        Message::Ticket(ticket) => Some(Record::ticket(ticket.round, ticket.subround, ticket.block.0)),
        Message::Timeout(timeout) => Some(Record::timeout(timeout.round, timeout.subround)),
        Message::FinalityVote(vote) => Some(Record::finality_vote(vote.round, vote.subround, vote.block.0)),
        _ => None,
    }
}

/// The empty ticket log of a miner.
fn log(config: &Config, miner: u16) -> MemoryLog {
    let mut key = [0; KEY_BYTES];
    key[..2].copy_from_slice(&miner.to_be_bytes());
    let owner = Owner { chain: config.committee.chain(), epoch: config.committee.epoch(), key };
    MemoryLog::new(owner, SigningRules::from(&config.rules), Round(0))
}

/// Every application starts with the same transactions of three accounts.
fn filled_queue() -> TransactionQueue {
    let mut queue = TransactionQueue::new();
    for number in 0..100 {
        for account in 0..3 {
            let body = vec![account as u8; 8];
            queue.submit(Transaction { account, number, body }).expect("the queue has room");
        }
    }
    queue
}

//! A world in virtual time: one seed is one run. Every delay, loss and crash comes from it.
//!
//! [`World`] moves messages, timers, disks and applications around miners and sharders; [`Byzantine`] says how a dishonest miner
//! departs from the protocol; [`Observer`] watches from outside.

mod crashes;
mod happening;
mod host;
mod links;
mod participants;
mod setup;

pub use setup::{Adjust, Crash, Disturbance, Links, Setup};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use zus_bpp::application::TransactionQueue;
use zus_bpp::block::Time;
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Config, Input, Miner, Recovery};
use zus_bpp::rules::BeaconRule;
use zus_bpp::sharder::{Sharder, SharderInput};

use crate::disk::Disk;
use crate::schedule::Schedule;
use crate::sharder::Archive;
use crate::{Byzantine, Observer};
use happening::Happening;
use host::{Host, Queue};

/// See the module doc.
pub struct World<S> {
    config: Arc<Config>,
    hosts: Vec<Host<S>>,
    sharders: Vec<Archive<S>>,
    schedule: Schedule<Happening>,
    random: fastrand::Rng,
    links: Links,
    /// The group of each miner, while the network is partitioned.
    groups: Option<BTreeMap<u16, usize>>,
    /// How long a flush of the log takes at most, and one of the other storage, in milliseconds.
    flush: u64,
    store_flush: u64,
    /// The unconfirmed writes that a crash keeps.
    crash: Crash,
    /// Virtual time.
    pub now: Time,
    /// The observer of the run.
    pub observer: Observer,
    /// How many steps all miners have taken.
    pub steps: u64,
    /// How many gaps sharders reported.
    pub gaps: u64,
    kill_at_step: Option<(u16, u64, u64)>,
    /// How many messages were sent, and how many bytes (0 unless they travel as bytes).
    pub sent: (u64, u64),
    /// How many milliseconds the clock of each miner is ahead.
    clocks: Vec<u64>,
    /// How many messages of honest participants were dropped by honest ones because of what the sender owed.
    pub muted: u64,
    /// How often each miner broadcast each message in one life.
    said: HashMap<(MinerId, u32, Message), u64>,
}

impl World<MockScheme> {
    /// A world with mock signatures.
    pub fn mock(setup: &Setup) -> Self {
        // Miners whose beacon follows different seeds sign different messages. These profiles were always looked at with the
        // least threshold, at which some of them still meet.
        let keys = match setup.rules.beacon {
            BeaconRule::RoundOnly => MockCommittee::new(setup.miners, setup.seed),
            BeaconRule::Chained => {
                let least = setup.config().committee.faulty() + 1;
                MockCommittee::with_threshold(setup.miners, least, setup.seed)
            }
        };
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
            disk: Disk::new(&config, MinerId(i as u16)),
            application: Queue::filled(setup.payload),
            life: 0,
            kill_in_step: false,
            steps: 0,
            unsent: BTreeSet::new(),
            sent_from_log: false,
        });
        let archive = |i| Archive::new(&config, observer.clone(), SharderId(i), Vec::new());
        let sharders = (0..setup.sharders).map(archive);
        let mut world = Self {
            observer: Observer::new(
                setup.miners,
                &dishonest,
                config.generators,
                config.subround_cap(),
                config.genesis.id(),
                &config.rules,
            ),
            hosts: hosts.collect(),
            sharders: sharders.collect(),
            config,
            schedule: Schedule::default(),
            random: fastrand::Rng::with_seed(setup.seed),
            links: setup.links.clone(),
            groups: None,
            flush: setup.flush,
            store_flush: setup.store_flush,
            crash: setup.crash,
            now: Time(0),
            steps: 0,
            gaps: 0,
            kill_at_step: setup.kill_at_step,
            sent: (0, 0),
            clocks: setup.clocks.clone(),
            muted: 0,
            said: HashMap::new(),
        };
        for (at, disturbance) in &setup.disturbances {
            world.schedule.add(Time(*at), Happening::Disturbance(disturbance.clone()));
        }
        for i in 0..world.hosts.len() {
            world.start(i, Recovery::default());
        }
        for i in 0..world.sharders.len() {
            let outputs = world.sharders[i].start(world.now);
            world.sharder_outputs(i, outputs);
        }
        world
    }

    /// A miner, while it is up.
    #[must_use]
    pub fn miner(&self, i: usize) -> Option<&Miner<S>> {
        self.hosts[i].miner.as_ref()
    }

    /// A sharder.
    #[must_use]
    pub fn sharder(&self, i: usize) -> &Sharder<S> {
        &self.sharders[i].sharder
    }

    /// The keys of a miner.
    #[must_use]
    pub fn scheme(&self, i: usize) -> &S {
        &self.hosts[i].scheme
    }

    /// The application of a miner.
    #[must_use]
    pub fn application(&self, i: usize) -> &TransactionQueue {
        &self.hosts[i].application.transactions
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
        self.disturb(Disturbance::Restart(i));
    }

    /// The disk of a miner.
    #[must_use]
    pub fn disk(&self, i: usize) -> &Disk {
        &self.hosts[i].disk
    }

    /// The configuration of all.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The clock of a miner.
    fn clock(&self, i: usize) -> Time {
        self.now.after(self.ahead(i))
    }

    fn ahead(&self, i: usize) -> u64 {
        self.clocks.get(i).copied().unwrap_or(0)
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
                    host.disk.flush_log();
                    self.step(miner, Input::Persisted(write));
                }
            }
            Happening::Stored { miner, life, write } => {
                let host = &mut self.hosts[usize::from(miner.0)];
                if host.life == life && host.miner.is_some() {
                    host.disk.flush_stores(write);
                    self.step(miner, Input::Stored(write));
                }
            }
            Happening::SharderTimer { sharder, timer } => {
                self.sharder_step(SharderId(sharder as u16), SharderInput::Timer(timer));
            }
            Happening::Disturbance(disturbance) => self.disturb(disturbance),
        }
    }

    /// Ends the run: nothing that the rules promise may have been broken.
    ///
    /// # Panics
    /// When a property was violated, with the properties and the seed.
    pub fn assert_safe(&mut self) {
        self.observer.at_the_end();
        self.nobody_honest_is_faulty();
        if self.config.rules.is_durable() && self.muted > 0 {
            let muted = format!("{} messages of honest participants were dropped by honest ones", self.muted);
            self.observer.violations.insert(muted);
        }
        // Nothing is said twice, except by the timer that says it again.
        let most = 2 + self.now.0 / self.config.timing.resend.as_millis() as u64;
        for ((miner, _, message), times) in &self.said {
            assert!(*times <= most, "{miner} said this {times} times in {} ms: {message:?}", self.now.0);
        }
        let violations = &self.observer.violations;
        let first: Vec<&String> = violations.iter().take(5).collect();
        assert!(violations.is_empty(), "{} violations, among them {first:#?}", violations.len());
    }

    /// No participant counts a fault of an honest one. (Without a log a restarted miner contradicts itself.)
    fn nobody_honest_is_faulty(&mut self) {
        let durable = self.config.rules.is_durable();
        let honest = |i: &usize| self.hosts[*i].byzantine.is_none();
        let miners = (0..self.hosts.len()).filter(honest).map(|i| Peer::Miner(MinerId(i as u16)));
        let peers: Vec<Peer> =
            miners.chain((0..self.sharders.len()).map(|i| Peer::Sharder(SharderId(i as u16)))).collect();
        let mut blamed = Vec::new();
        for &peer in peers.iter().filter(|_| durable) {
            for i in (0..self.hosts.len()).filter(honest) {
                let faults = self.hosts[i].miner.as_ref().map_or(0, |miner| miner.faults_of(peer));
                blamed.extend((faults > 0).then(|| format!("M{i} counts {faults} faults of {peer}")));
            }
            for (i, host) in self.sharders.iter().enumerate() {
                let faults = host.sharder.faults_of(peer);
                blamed.extend((faults > 0).then(|| format!("S{i} counts {faults} faults of {peer}")));
            }
        }
        self.observer.violations.extend(blamed);
    }
}

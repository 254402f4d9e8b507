//! A world across epochs, in virtual time: one seed is one run. Nodes come, go, crash and lag; an observer watches.
//!
//! Which nodes are members when is planned. In a [`World`] the keys are planned, too ([`zus_bpp::epochs::planned`]); in a [`GeneratedWorld`]
//! each committee generates those of the next one on its chain. All of the handover is the real one.

mod generated;
mod host;
mod key_source;
mod observer;
mod setup;
mod trace;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use zus_bpp::block::Time;
use zus_bpp::committee::{Epoch, Peer, Round};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::generated::Signatures;
use zus_bpp::epochs::key_generation;
use zus_bpp::epochs::link::Beginning;
use zus_bpp::epochs::planned::PlannedKeys;
use zus_bpp::epochs::replica::{EpochMilestone, Input, Output, Replica, Role, Timer};
use zus_bpp::epochs::roster::{CommitteeRecord as _, NodeId, Roster};
use zus_bpp::limits::SERVED_BYTES;
use zus_bpp::message::Message;
use zus_bpp::miner::{self, WriteId};
use zus_bpp::wire;

use crate::byzantine::tamper;
use crate::member::{Effect, Seen, carry_out};
use crate::schedule::Schedule;
pub use generated::{GeneratedNetwork, Lying, NodeKeys};
use host::Host;
pub use key_source::{KeySource, KeysMade, ProgressOf, RecordOf, SchemeOf};
pub use observer::{Handover, Observer};
pub use setup::{CHAIN, Mistake, Setup};
pub use trace::{Step, Taken, Trace};

/// Something that will happen.
enum Happening {
    Arrives { from: u16, to: u16, bytes: Vec<u8> },
    Timer { node: u16, life: u32, timer: Timer },
    Flushed { node: u16, life: u32, epoch: Epoch, write: WriteId },
    Stored { node: u16, life: u32, epoch: Epoch, write: WriteId },
    Journaled { node: u16, life: u32, epoch: Epoch, write: key_generation::WriteId },
    Begins { node: u16, life: u32 },
    Stops(u16),
    Starts(u16),
}

/// A world with planned keys.
pub type World<S> = WorldOf<PlannedKeys<S>>;

/// A world whose committees generate their keys, and sign with them in one way.
pub type GeneratedWorld<S> = WorldOf<GeneratedNetwork<S>>;

/// See the module doc.
pub struct WorldOf<N: KeySource> {
    setup: Setup,
    keys: N,
    numbers: BTreeMap<NodeId, u16>,
    hosts: Vec<Host<N>>,
    schedule: Schedule<Happening>,
    random: fastrand::Rng,
    /// Virtual time.
    pub now: Time,
    /// The observer of the run.
    pub observer: Observer,
    /// How many messages were sent, and how many bytes.
    pub sent: (u64, u64),
    /// The steps of the nodes, if somebody wants to have them.
    pub trace: Option<Trace>,
}

impl<S: Signatures> GeneratedWorld<S> {
    /// A world whose committees generate their keys.
    #[must_use]
    pub fn generated(setup: Setup, signatures: S) -> Self {
        let network = GeneratedNetwork::new(signatures, &setup);
        Self::new(setup, network)
    }
}

impl World<MockScheme> {
    /// A world with mock signatures.
    #[must_use]
    pub fn mock(setup: Setup) -> Self {
        let keys = PlannedKeys::mock(Arc::clone(&setup.plan), setup.seed);
        Self::new(setup, keys)
    }
}

impl<N: KeySource> WorldOf<N> {
    /// A world with these keys.
    ///
    /// # Panics
    /// If the plan has no first committee.
    #[must_use]
    pub fn new(setup: Setup, keys: N) -> Self {
        let first = keys.first(&setup);
        let dishonest = |node: u16| setup.byzantine.iter().find(|(other, _)| *other == node);
        let hosts = (0..setup.nodes).map(|number| {
            let mut host = Host::new(number, Beginning::first(first.clone(), setup.genesis()));
            host.journals.entry(setup.plan.first).or_default().entries = keys.first_journal(number);
            host.byzantine = dishonest(number).map(|(_, kind)| *kind);
            host
        });
        let hosts: Vec<Host<N>> = hosts.collect();
        let lies = |node: u16| setup.lies.iter().any(|(liar, _)| *liar == node);
        let honest = (0..setup.nodes).filter(|&node| dishonest(node).is_none() && !lies(node));
        let mut world = Self {
            observer: Observer::new(honest),
            hosts,
            numbers: (0..setup.nodes).map(|number| (keys.node(number), number)).collect(),
            schedule: Schedule::default(),
            random: fastrand::Rng::with_seed(setup.seed),
            now: Time(0),
            sent: (0, 0),
            trace: None,
            keys,
            setup,
        };
        for (node, from, until) in world.setup.away.clone() {
            world.schedule.add(Time(from), Happening::Stops(node));
            world.schedule.add(Time(until), Happening::Starts(node));
        }
        for node in 0..world.setup.nodes {
            if !world.setup.away.iter().any(|(away, from, _)| *away == node && *from == 0) {
                world.start(node);
            }
        }
        world
    }

    /// The node with a number, if it runs.
    #[must_use]
    pub fn replica(&self, node: u16) -> Option<&Replica<N::Keys>> {
        self.hosts[usize::from(node)].replica.as_ref()
    }

    /// The durable part of a node: the beginnings of its epochs.
    #[must_use]
    pub fn beginnings(&self, node: u16) -> &[Beginning<RecordOf<N>>] {
        &self.hosts[usize::from(node)].beginnings
    }

    /// How many steps a node has taken, in all lives.
    #[must_use]
    pub fn steps(&self, node: u16) -> u64 {
        self.hosts[usize::from(node)].steps
    }

    /// A node that is down comes back with another disk: empty but for this checkpoint. It has no key share.
    pub fn replace(&mut self, node: u16, beginning: Beginning<RecordOf<N>>) {
        let byzantine = self.hosts[usize::from(node)].byzantine;
        self.hosts[usize::from(node)] = Host { byzantine, ..Host::new(node, beginning) };
        self.start(node);
    }

    /// A node crashes, and stays away until it is started or replaced.
    pub fn stop(&mut self, node: u16) {
        self.hosts[usize::from(node)].crash(&mut self.random);
    }

    /// A node that is down starts again with what is on its disk.
    pub fn restart(&mut self, node: u16) {
        self.start(node);
    }

    /// A node that is down loses all but the first entries of the journal of a key generation: they were not durable yet.
    pub fn lose_entries(&mut self, node: u16, epoch: Epoch, kept: usize) {
        if let Some(journal) = self.hosts[usize::from(node)].journals.get_mut(&epoch) {
            journal.entries.truncate(kept);
        }
    }

    /// A node turns dishonest: nothing is promised of it any more.
    pub fn turns(&mut self, node: u16) {
        self.observer.forget(node);
    }

    /// Final blocks of an epoch above a round, as a node stores them.
    #[must_use]
    pub fn stored(&self, node: u16, epoch: Epoch, after: Round) -> Option<Envelope<RecordOf<N>>> {
        self.hosts[usize::from(node)].serve(epoch, after, SERVED_BYTES)
    }

    /// Something that a node did not say arrives from it: whoever plays the node says it.
    pub fn deliver(&mut self, from: u16, to: u16, envelope: &Envelope<RecordOf<N>>) {
        let bytes = wire::to_bytes(envelope);
        self.schedule.add(self.now, Happening::Arrives { from, to, bytes });
    }

    /// The parameters.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The lowest round that is final at every honest node that runs.
    #[must_use]
    pub fn lowest(&self) -> u64 {
        let honest = self.hosts.iter().filter(|host| host.byzantine.is_none());
        let running = honest.filter_map(|host| host.replica.as_ref());
        running.map(|replica| replica.finalized().round().0).min().unwrap_or(0)
    }

    /// Runs for so many milliseconds of virtual time.
    pub fn run(&mut self, milliseconds: u64) {
        let end = self.now.after(milliseconds);
        while let Some((at, happening)) = self.schedule.next(end) {
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    /// Runs until all honest nodes are in the last planned epoch and have so many rounds of it final, for so long at most.
    /// Returns whether they have.
    pub fn run_to_the_end(&mut self, rounds: u64, milliseconds: u64) -> bool {
        let end = self.now.after(milliseconds);
        while self.now < end {
            self.run(100);
            if self.all_have(self.setup.plan.last(), rounds) {
                return true;
            }
        }
        false
    }

    /// The same for these nodes only: others may be away.
    pub fn run_to_the_end_of(&mut self, nodes: &[u16], rounds: u64, milliseconds: u64) -> bool {
        let (end, last) = (self.now.after(milliseconds), self.setup.plan.last());
        while self.now < end {
            self.run(100);
            let Some(handover) = self.observer.handovers.get(&last) else { continue };
            let least = handover.anchor.0 + rounds;
            let there = |node: &u16| self.replica(*node).is_some_and(|it| it.finalized().round().0 >= least);
            if nodes.iter().all(there) {
                return true;
            }
        }
        false
    }

    /// Whether all honest nodes run, and are in an epoch with so many rounds of it final.
    #[must_use]
    pub fn all_have(&self, epoch: Epoch, rounds: u64) -> bool {
        let Some(handover) = self.observer.handovers.get(&epoch) else { return false };
        let least = handover.anchor.0 + rounds;
        let has = |replica: &Replica<_>| replica.epoch() >= epoch && replica.finalized().round().0 >= least;
        let mut honest = self.hosts.iter().filter(|host| host.byzantine.is_none());
        honest.all(|host| host.replica.as_ref().is_some_and(has))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { from, to, bytes } => {
                let from = self.keys.node(from);
                self.step(to, Input::Bytes { from, bytes });
            }
            Happening::Timer { node, life, timer } if self.lives(node, life) => {
                self.step(node, Input::Timer(timer));
            }
            Happening::Flushed { node, life, epoch, write } if self.lives(node, life) => {
                if let Some(disk) = self.hosts[usize::from(node)].disks.get_mut(&epoch) {
                    disk.flush_log();
                }
                let input = miner::Input::Persisted(write);
                self.step(node, Input::Host { epoch, input });
            }
            Happening::Stored { node, life, epoch, write } if self.lives(node, life) => {
                if let Some(disk) = self.hosts[usize::from(node)].disks.get_mut(&epoch) {
                    disk.flush_stores(write);
                }
                let input = miner::Input::Stored(write);
                self.step(node, Input::Host { epoch, input });
            }
            Happening::Journaled { node, life, epoch, write } if self.lives(node, life) => {
                if let Some(journal) = self.hosts[usize::from(node)].journals.get_mut(&epoch) {
                    journal.flush(write);
                }
                self.step(node, Input::Journaled { epoch, write });
            }
            Happening::Begins { node, life } if self.lives(node, life) => self.begins(node),
            Happening::Stops(node) => self.hosts[usize::from(node)].crash(&mut self.random),
            Happening::Starts(node) => self.start(node),
            Happening::Timer { .. }
            | Happening::Flushed { .. }
            | Happening::Stored { .. }
            | Happening::Journaled { .. }
            | Happening::Begins { .. } => {}
        }
    }

    fn lives(&self, node: u16, life: u32) -> bool {
        let host = &self.hosts[usize::from(node)];
        host.replica.is_some() && host.life == life
    }

    fn start(&mut self, node: u16) {
        let host = &mut self.hosts[usize::from(node)];
        if host.replica.is_some() {
            return;
        }
        host.start(&self.keys, &self.setup);
        if host.byzantine.is_none()
            && let Some(replica) = &host.replica
        {
            let first = replica.finalized().header().epoch != replica.epoch();
            if !first {
                self.observer.restarted(node, replica.finalized());
            }
        }
        self.step(node, Input::Start);
    }

    /// The beginning of the next epoch is durable.
    fn begins(&mut self, node: u16) {
        let settings = self.setup.settings();
        let host = &mut self.hosts[usize::from(node)];
        let Some(beginning) = host.unwritten.take() else { return };
        let epoch = beginning.record.epoch();
        host.beginnings.push(beginning);
        let recovery = host.disk(epoch, &settings).recovery();
        let entropy = self.setup.entropy(node, Epoch(epoch.0 + 1), host.life);
        self.step(node, Input::Begun { epoch, recovery, entropy });
    }

    /// A step of a node, and those that follow from the answers of disk and application.
    fn step(&mut self, node: u16, input: Input<RecordOf<N>>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let host = &mut self.hosts[usize::from(node)];
            let Some(replica) = &mut host.replica else { return };
            host.steps += 1;
            let mut outputs = Vec::new();
            replica.step(self.now, input, &mut outputs);
            let dies = self.setup.kill_at_step.filter(|(of, step, _)| *of == node && *step == host.steps);
            let done = match dies {
                Some(_) => self.random.usize(0..=outputs.len()),
                None => outputs.len(),
            };
            if let Some(trace) = &mut self.trace {
                trace.write(node, &outputs[..done]);
            }
            for output in outputs.into_iter().take(done) {
                inputs.extend(self.carry_out(node, output));
            }
            if let Some((_, _, pause)) = dies {
                self.hosts[usize::from(node)].crash(&mut self.random);
                self.schedule.add(self.now.after(pause), Happening::Starts(node));
            }
        }
    }

    /// Carries an output out. Returns the answer, where there is one at once.
    fn carry_out(&mut self, node: u16, output: Output<RecordOf<N>>) -> Option<Input<RecordOf<N>>> {
        match output {
            Output::Send { to, envelope } => self.send(node, to, &envelope),
            Output::Broadcast { to, envelope } => {
                self.looks_at(node, &envelope);
                for to in to.iter() {
                    self.send(node, *to, &envelope);
                }
            }
            Output::SetTimer { timer, at } => {
                let life = self.hosts[usize::from(node)].life;
                self.schedule.add(at, Happening::Timer { node, life, timer });
            }
            Output::Host { epoch, output } => return self.of_host(node, epoch, output),
            Output::StoreBeginning(beginning) => {
                let host = &mut self.hosts[usize::from(node)];
                let made = host.replica.as_ref().and_then(|replica| self.keys.keys_made(replica.progress()));
                self.observer.keys_made(node, beginning.record.epoch(), made);
                host.unwritten = Some(beginning);
                let (life, wait) = (host.life, self.random.u64(0..=self.setup.flush));
                self.schedule.add(self.now.after(wait), Happening::Begins { node, life });
            }
            Output::Journal { epoch, write, replaces, entries } => {
                let host = &mut self.hosts[usize::from(node)];
                host.journal(epoch, (write, replaces, entries), self.setup.mistake);
                let (life, wait) = (host.life, self.random.u64(0..=self.setup.flush));
                self.schedule.add(self.now.after(wait), Happening::Journaled { node, life, epoch, write });
            }
            Output::Serve { to, epoch, after, bytes } => {
                let envelope = self.hosts[usize::from(node)].serve(epoch, after, bytes);
                envelope.iter().for_each(|envelope| self.send(node, to, envelope));
            }
            Output::ServeStored { to, epoch, blocks, bytes } => {
                let envelope = self.hosts[usize::from(node)].serve_stored(epoch, blocks, bytes);
                envelope.iter().for_each(|envelope| self.send(node, to, envelope));
            }
            Output::ServeLinks { to, after } => {
                let envelope = self.hosts[usize::from(node)].serve_links(after);
                envelope.iter().for_each(|envelope| self.send(node, to, envelope));
            }
            Output::Refused { from, refusal } => {
                let from = self.number(from).unwrap_or(u16::MAX);
                let reasons = self.observer.refused.entry((node, from)).or_default();
                *reasons.entry(refusal.to_string()).or_default() += 1;
            }
            Output::Milestone(milestone) => {
                self.observer.milestone(self.now, node, &self.setup.plan, milestone);
                if let EpochMilestone::Entered { epoch, .. } = milestone
                    && let Some(beginning) = self.hosts[usize::from(node)].beginnings.last()
                {
                    let (record, anchor) = (&beginning.record, beginning.anchor.id());
                    self.observer.knows(node, epoch, record.digest(), anchor);
                }
            }
            Output::Diverged { epoch, .. } => {
                self.observer.violations.insert(format!("E1: node {node} diverged in epoch {}", epoch.0));
            }
            Output::Failed(error) => {
                self.observer.violations.insert(format!("node {node} failed: {error}"));
            }
        }
        None
    }

    fn of_host(&mut self, node: u16, epoch: Epoch, output: miner::Output) -> Option<Input<RecordOf<N>>> {
        let settings = self.setup.settings();
        let host = &mut self.hosts[usize::from(node)];
        host.disk(epoch, &settings);
        let (life, mut application) = (host.life, host.application);
        let disk = host.disks.get_mut(&epoch)?;
        let wait = self.random.u64(0..=self.setup.flush);
        match carry_out(disk, &mut application, output) {
            Effect::LogRecord(write, _) => {
                self.schedule.add(self.now.after(wait), Happening::Flushed { node, life, epoch, write });
            }
            Effect::Store(write) => {
                self.schedule.add(self.now.after(wait), Happening::Stored { node, life, epoch, write });
            }
            Effect::Answer(input) => return Some(Input::Host { epoch, input }),
            Effect::Final(found) => self.observer.finalized(node, &found.block),
            Effect::Refused(record, error) => {
                self.observer
                    .violations
                    .insert(format!("S1: the log of node {node} refuses {record:?}: {error}"));
            }
            Effect::Missing(block) => {
                self.observer.violations.insert(format!("node {node} has not stored the block {block}"));
            }
            Effect::Seen(Seen::Evidence(evidence)) => {
                let convicted = evidence.convicts();
                self.observer.convicts(&self.setup.plan, epoch, &convicted);
            }
            Effect::Seen(Seen::Conflict(round, _)) => {
                self.observer.violations.insert(format!("S5: node {node} sees a conflict in round {round}"));
            }
            // Messages and timers come as outputs of the replica.
            Effect::Send(..)
            | Effect::Broadcast(..)
            | Effect::Timer(..)
            | Effect::Seen(_)
            | Effect::Nothing => {}
        }
        None
    }

    fn number(&self, id: NodeId) -> Option<u16> {
        self.numbers.get(&id).copied()
    }

    /// Shows a message to the observer.
    fn looks_at(&mut self, node: u16, envelope: &Envelope<RecordOf<N>>) {
        let present = self.replica(node).map(Replica::epoch);
        if let Envelope::Message { epoch, message } = envelope
            && let Some(present) = present
        {
            self.observer.sent(node, &self.setup.plan, *epoch, present, message);
        }
    }

    fn send(&mut self, from: u16, to: NodeId, envelope: &Envelope<RecordOf<N>>) {
        let Some(to) = self.number(to) else { return };
        let envelopes = match (envelope, self.hosts[usize::from(from)].byzantine) {
            (Envelope::Message { epoch, message }, Some(kind)) => {
                let messages = self.tampered(from, to, *epoch, kind, message);
                messages.into_iter().map(|message| Envelope::Message { epoch: *epoch, message }).collect()
            }
            // A dishonest node departs from the protocol of an epoch (`Byzantine`) and in the key generation (`Lie`, before it is sent).
            (Envelope::Message { .. }, None)
            | (
                Envelope::Handoff(_)
                | Envelope::LinksRequest { .. }
                | Envelope::Links(_)
                | Envelope::Item { .. }
                | Envelope::Receipt { .. },
                _,
            ) => vec![envelope.clone()],
        };
        for envelope in envelopes {
            let bytes = wire::to_bytes(&envelope);
            (self.sent.0, self.sent.1) = (self.sent.0 + 1, self.sent.1 + bytes.len() as u64);
            if self.random.u16(0..1_000) < self.setup.links.loss {
                continue;
            }
            let delay = self.random.u64(self.setup.links.delay.clone());
            self.schedule.add(self.now.after(delay), Happening::Arrives { from, to, bytes });
        }
    }

    /// The messages of a dishonest node in place of this one.
    fn tampered(
        &mut self,
        from: u16,
        to: u16,
        epoch: Epoch,
        kind: crate::Byzantine,
        message: &Message,
    ) -> Vec<Message> {
        let host = &mut self.hosts[usize::from(from)];
        let record = host.beginnings.iter().find(|beginning| beginning.record.epoch() == epoch);
        let Some(Ok(roster)) = record.map(|beginning| Roster::of(&beginning.record)) else {
            return Vec::new();
        };
        let Some(Peer::Miner(_)) = roster.seat(self.keys.node(from)) else { return vec![message.clone()] };
        let Some(scheme) = host.scheme(&self.keys, epoch) else { return Vec::new() };
        let seat = match roster.seat(self.keys.node(to)) {
            Some(Peer::Miner(id)) => usize::from(id.0),
            Some(Peer::Sharder(_)) | None => 0,
        };
        tamper(kind, message, seat, &roster.committee(), scheme)
    }

    /// Whether a node is a member of the committee of its present epoch, with its key share.
    #[must_use]
    pub fn is_member(&self, node: u16) -> bool {
        self.replica(node).is_some_and(|replica| matches!(replica.role(), Role::Member(_)))
    }
}

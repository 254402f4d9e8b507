//! The node around a production miner: what it does with the outputs of a step, and what comes in next because of them.

use std::collections::VecDeque;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Audience, Input, Milestone, Output, Stored, WriteId};
use zus_bpp::statement::BeaconTarget;
use zus_bpp::ticket_log::{AppendError, Kind as RecordKind, LogRecord};
use zus_bpp::wire;

use crate::member::{Answers, Effect, Seen, carry_out};

use super::{
    Asked, Cause, Content, CrashPoint, DiskModel, Event, REFUSED_PAYLOAD, SHARDER, Watch, World, bit,
    record_of,
};

impl<S: Scheme + Clone> World<S> {
    /// Gives a miner one input, and everything that follows from it inside the node: answers of the application, and (unless
    /// the disk is slow) confirmations of writes. With a crash point the miner may crash on the way.
    pub fn give<W: Watch<S>>(&mut self, host: usize, input: Input, crash: Option<CrashPoint>, watch: &mut W) {
        let mut inputs = VecDeque::from([input]);
        let mut steps = 0;
        while let Some(input) = inputs.pop_front() {
            if !self.hosts[host].up {
                return;
            }
            let crash_here = crash.filter(|crash| crash.after_steps == steps);
            self.step(host, input, crash_here, &mut inputs, watch);
            steps = steps.saturating_add(1);
        }
    }

    fn step<W: Watch<S>>(
        &mut self,
        index: usize,
        input: Input,
        crash: Option<CrashPoint>,
        inputs: &mut VecDeque<Input>,
        watch: &mut W,
    ) {
        let slow = self.ground.setup.disk == DiskModel::Slow;
        let volatile = !self.ground.setup.rules.is_durable();
        let decisions = |host: &super::Host<S>| -> Vec<LogRecord> {
            if volatile { signed(&host.miner) } else { host.miner.unwritten().copied().collect() }
        };
        let before = decisions(&self.hosts[index]);
        let durable = self.hosts[index].disk.log.durable().len();
        let cause = Cause::of(&input);
        let heard = match &input {
            Input::Message { from, message } => Some((*from, message.clone())),
            // Bytes that decode to a message count as that message.
            Input::Bytes { from, bytes } => wire::decode(bytes).ok().map(|message| (*from, message)),
            _ => None,
        };
        // A sender with proved faults may be ignored for a while, as if its messages were lost. All others are always
        // heard.
        let miner = &self.hosts[index].miner;
        let heard = heard.filter(|(from, _)| miner.hears_now(*from, self.now) || miner.faults_of(*from) == 0);
        let mut outputs = Vec::new();
        self.hosts[index].miner.step(self.now, input, &mut outputs);
        let mut confirmations = Confirmations::default();
        for output in &outputs {
            self.carry_out(index, output, inputs, &mut confirmations);
        }
        let host = &mut self.hosts[index];
        // A vote rests upon what was stored before the round was left, not upon what finality stores after that.
        let (last_store, at_leaving) = (host.last_store, host.stored_at_leaving);
        let rests_on = |record: &LogRecord| match record.kind {
            RecordKind::FinalityVote => at_leaving,
            // A step may decide two tickets, each after storing its block.
            RecordKind::Ticket => stored_in(&outputs, record).or(last_store),
            RecordKind::Proposal | RecordKind::Timeout => last_store,
        };
        let fresh = host.miner.unwritten().filter(|record| !before.contains(record));
        host.rests_on.extend(fresh.map(|record| (*record, rests_on(record))));
        let decided = if slow || volatile {
            let mut now = decisions(host);
            now.retain(|record| !before.contains(record));
            now
        } else {
            if crash.is_none_or(|crash| crash.flushed) {
                host.disk.flush_log();
            } else {
                host.disk.log = host.disk.log.clone().crash(0);
            }
            host.disk.log.durable()[durable..].to_vec()
        };
        for record in decided.iter().filter(|record| record.kind == RecordKind::Proposal) {
            if let Some(block) = host.miner.block(record.round, BlockId(record.block)) {
                self.blocks.push(Arc::clone(block));
            }
        }
        // Confirmations come before answers of the application: disk and miner are one node.
        let Confirmations { stored, persisted } = confirmations;
        let host = &mut self.hosts[index];
        host.durable_store = host.durable_store.max(stored);
        persisted.into_iter().for_each(|write| inputs.push_front(Input::Persisted(write)));
        stored.into_iter().for_each(|write| inputs.push_front(Input::Stored(write)));
        watch.watch(self, &Event::Step { host: index, cause, heard, decided, outputs });
        if crash.is_some() && self.may_crash(index) {
            inputs.clear();
            self.go_down(index, watch);
        }
    }

    fn carry_out(
        &mut self,
        index: usize,
        output: &Output,
        inputs: &mut VecDeque<Input>,
        confirmations: &mut Confirmations,
    ) {
        let slow = self.ground.setup.disk == DiskModel::Slow;
        let me = Peer::Miner(self.hosts[index].id);
        if let Output::Persist { record, .. } = output {
            let host = &self.hosts[index];
            // A record decided in this step rests upon everything stored so far.
            let rests_on = host.rests_on.iter().rev().find(|(known, _)| known == record);
            let rests_on = rests_on.map_or(host.last_store, |(_, last)| *last);
            if rests_on > host.durable_store {
                self.premature.push((host.id, *record));
            }
        }
        let bound = (!self.unbounded).then_some(self.ground.setup.rounds.into());
        let host = &mut self.hosts[index];
        let mut application = Marker { me: host.id, last: bound.map(Round) };
        match carry_out(&mut host.disk, &mut application, output.clone()) {
            Effect::Send(to, message) => self.network.send(me, bit(to), Content::Message(message)),
            Effect::Broadcast(to, message) => self.broadcast(index, to, &message),
            Effect::Timer(timer, at) => host.set_timer(at.0, timer),
            Effect::LogRecord(write, record) if slow => host.asked.push_back(Asked::LogRecord(write, record)),
            Effect::LogRecord(write, _) => confirmations.persisted = Some(write),
            Effect::Refused(record, AppendError::Conflict(_)) => self.refused_by_log.push((host.id, record)),
            Effect::Store(write) => {
                host.last_store = Some(write);
                if slow {
                    host.asked.push_back(Asked::Stored(write));
                } else {
                    host.disk.flush_stores(write);
                    confirmations.stored = Some(write);
                }
            }
            // The disk answers at once.
            Effect::Answer(Input::Loaded(block)) => {
                self.damaged_is_ignored(index, &block);
                inputs.push_back(Input::Loaded(block));
            }
            Effect::Answer(answer) => self.answer(index, answer, inputs),
            Effect::Seen(Seen::Milestone(milestone)) => self.note(index, &milestone),
            Effect::Refused(..)
            | Effect::Missing(_)
            | Effect::Final(_)
            | Effect::Seen(_)
            | Effect::Nothing => {}
        }
    }

    /// The block's id covers all of it but the beacon signature. One that is damaged there in the host's storage changes nothing: it
    /// is as if the host had not answered.
    ///
    /// # Panics
    /// When the miner takes it.
    fn damaged_is_ignored(&self, index: usize, block: &Block) {
        let mut content = block.content();
        content.beacon_signature.0[1] ^= 1;
        let (before, mut outputs) = (&self.hosts[index].miner, Vec::new());
        let mut after = before.clone();
        after.step(self.now, Input::Loaded(Arc::new(Block::new(content))), &mut outputs);
        let ignored = outputs.is_empty() && after == *before;
        assert!(ignored, "a stored block with another beacon signature is taken: {outputs:?}");
    }

    /// The application answers: at once, or in a world where it is late when the schedule says so.
    fn answer(&mut self, index: usize, answer: Input, inputs: &mut VecDeque<Input>) {
        if self.ground.setup.answers_late {
            self.hosts[index].asked.push_back(Asked::Answer(answer));
        } else {
            inputs.push_back(answer);
        }
    }

    fn note(&mut self, index: usize, milestone: &Milestone) {
        match milestone {
            Milestone::Notarized { ticket, .. } if !self.notarized.contains(ticket) => {
                self.notarized.push(*ticket);
            }
            Milestone::Left { round, block, voted } => {
                let host = &mut self.hosts[index];
                host.entered = (round.next(), *block);
                host.stored_at_leaving = host.last_store;
                if *voted && !host.voted.contains(&(*round, *block)) {
                    host.voted.push((*round, *block));
                }
            }
            // Parked miners have no model of what they adopt.
            Milestone::Adopted { round, block } if round.0 < u64::from(self.ground.setup.rounds) => {
                self.hosts[index].entered = (round.next(), *block);
            }
            _ => {}
        }
    }

    fn broadcast(&mut self, index: usize, to: Audience, message: &Message) {
        let host = &mut self.hosts[index];
        if let Message::BeaconShare(share) = message {
            // A step may enter several rounds: the entry is that of the round that was entered last among its outputs.
            let round = share.target.round();
            let entry = if host.entered.0 == round { host.entered.1 } else { host.miner.entry() };
            match share.target {
                BeaconTarget::Round(_) => {
                    if !host.shared.iter().any(|(known, ..)| *known == round) {
                        host.shared.push((round, Subround(0), entry));
                    }
                }
                BeaconTarget::Chained { subround, .. } => {
                    if !host.shared.contains(&(round, subround, entry)) {
                        host.shared.push((round, subround, entry));
                    }
                }
            }
        }
        if let Some(record) = record_of(message)
            && !host.said.contains(&record)
        {
            host.said.push(record);
        }
        let me = Peer::Miner(host.id);
        let mut receivers = ((1 << self.ground.setup.miners) - 1) & !bit(me);
        if to == Audience::Everyone && self.archive.is_some() {
            receivers |= SHARDER;
        }
        let id = self.hosts[index].id;
        let content = self.in_form(id, Content::Message(message.clone()));
        self.network.send(me, receivers, content);
    }
}

/// The last writes of each kind of one step: confirming them confirms those before.
#[derive(Default)]
struct Confirmations {
    stored: Option<WriteId>,
    persisted: Option<WriteId>,
}

/// The write of a record's block in a step, if it was stored in it.
fn stored_in(outputs: &[Output], record: &LogRecord) -> Option<WriteId> {
    outputs.iter().find_map(|output| match output {
        Output::Store { write, stored: Stored::Block(block) } if block.id().0 == record.block => Some(*write),
        _ => None,
    })
}

/// The binding records that a miner has signed since it started.
fn signed<S: Scheme>(miner: &zus_bpp::miner::Miner<S>) -> Vec<LogRecord> {
    let proposals = miner.proposals().map(LogRecord::from);
    let tickets = miner.tickets().map(LogRecord::from);
    proposals.chain(tickets).chain(miner.highest_timeout().map(LogRecord::from)).collect()
}

/// An application whose payloads tell whose they are and where they belong, up to the last round of the world.
struct Marker {
    me: MinerId,
    last: Option<Round>,
}

impl Answers for Marker {
    fn payload(&mut self, round: Round, subround: Subround, _: &Arc<Block>) -> Option<Vec<u8>> {
        let inside = self.last.is_none_or(|last| round <= last);
        inside.then(|| vec![1, self.me.0 as u8, round.0 as u8, subround.0 as u8])
    }

    fn accepts(&mut self, block: &Block) -> bool {
        block.payload().first() != Some(&REFUSED_PAYLOAD)
    }

    fn commit(&mut self, _: &Block) {}
}

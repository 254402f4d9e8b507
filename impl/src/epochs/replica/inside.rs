//! The participant of the present epoch: what it is given, what becomes of its outputs, and how it is replaced by that of the next one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Replica;
use super::interface::{EpochMilestone, EpochRefusal, Keys, Output, Part, Secrets, Timer};
use super::outside::Content;
use super::present::{Given, NoHistory, Present, Role};
use crate::block::Time;
use crate::chain::FinalBlock;
use crate::committee::{Epoch, Peer};
use crate::epochs::envelope::Envelope;
use crate::epochs::handoff::HandoffCertificate;
use crate::epochs::key_generation::Secret;
use crate::epochs::link::{Beginning, Link};
use crate::epochs::roster::{CommitteeRecord as _, NodeId};
use crate::limits::KEPT_LINKS;
use crate::miner::{self, Audience, Recovery};
use crate::sharder::{SharderInput, SharderOutput};

type Outputs<'a, K> = &'a mut Vec<Output<<K as Keys>::Record>>;

impl<K: Keys> Replica<K> {
    /// Gives the participant an input, and carries on with what follows from it.
    pub(super) fn give(&mut self, now: Time, given: Given, out: Outputs<'_, K>) {
        let mut inputs = VecDeque::from([given]);
        while let Some(given) = inputs.pop_front() {
            if self.next.is_some() {
                // The participant has handed over.
                return;
            }
            match &mut self.present.role {
                Role::Member(miner) => {
                    let input = match given {
                        Given::Miner(input) => input,
                        Given::Bytes(from, bytes) => miner::Input::Bytes { from, bytes },
                        Given::Message(from, message) => miner::Input::Message { from, message },
                        Given::Handoff(handoff) => miner::Input::Handoff(handoff),
                        Given::Follower(_) => continue,
                    };
                    let mut outputs = Vec::new();
                    miner.step(now, input, &mut outputs);
                    for output in outputs {
                        self.of_member(now, output, &mut inputs, out);
                    }
                }
                Role::Follower(sharder) => {
                    let input = match given {
                        Given::Follower(input) => input,
                        Given::Bytes(from, bytes) => SharderInput::Bytes { from, bytes },
                        Given::Message(from, message) => SharderInput::Message { from, message },
                        Given::Handoff(handoff) => SharderInput::Handoff(handoff),
                        Given::Miner(_) => continue,
                    };
                    let mut outputs = Vec::new();
                    sharder.step(now, input, &NoHistory, &mut outputs);
                    for output in outputs {
                        self.of_follower(now, output, out);
                    }
                }
            }
        }
    }

    fn of_member(
        &mut self,
        now: Time,
        output: miner::Output,
        inputs: &mut VecDeque<Given>,
        out: Outputs<'_, K>,
    ) {
        let epoch = self.present.epoch();
        if self.next.is_some() {
            // After the handover nothing of this epoch leaves, and nothing is recorded.
            return;
        }
        match output {
            miner::Output::Send { to, message } => self.send(epoch, to, message, out),
            miner::Output::Broadcast { to, message } => {
                let to = match to {
                    Audience::Miners => &self.present.miners,
                    Audience::Everyone => &self.present.everyone,
                };
                let envelope = Envelope::Message { epoch, message };
                out.push(Output::Broadcast { to: Arc::clone(to), envelope });
            }
            miner::Output::SetTimer { timer, at } => {
                out.push(Output::SetTimer { timer: Timer::Miner(epoch, timer), at });
            }
            miner::Output::Validate { block } => {
                if let Err(refusal) = self.present.branches.judge(&block) {
                    let (round, id) = (block.round(), block.id());
                    let from = self.node(Peer::Miner(block.header().generator));
                    self.refuse(now, from, refusal.into(), out);
                    let refused = miner::Input::Validated { round, block: id, accepted: false };
                    inputs.push_back(Given::Miner(refused));
                    return;
                }
                out.push(Output::Host { epoch, output: miner::Output::Validate { block } });
            }
            miner::Output::RequestPayload { round, subround, parent } => {
                self.present.asked_for_payload = Some(parent.id());
                let output = miner::Output::RequestPayload { round, subround, parent };
                out.push(Output::Host { epoch, output });
            }
            miner::Output::Finalized(found) => self.finalized_block(now, found, out),
            miner::Output::HandedOver(handoff) => self.hand_over(&handoff, out),
            miner::Output::Serve { to, after, bytes } => {
                let to = self.node(to);
                out.push(Output::Serve { to, epoch, after, bytes });
            }
            miner::Output::ServeStored { to, blocks, bytes } => {
                let to = self.node(to);
                out.push(Output::ServeStored { to, epoch, blocks, bytes });
            }
            miner::Output::Refused { from, refusal } => {
                let refusal = EpochRefusal::Message(refusal);
                // Charged by the miner.
                out.push(Output::Refused { from: self.node(from), refusal });
            }
            other => out.push(Output::Host { epoch, output: other }),
        }
    }

    fn of_follower(&mut self, now: Time, output: SharderOutput, out: Outputs<'_, K>) {
        let epoch = self.present.epoch();
        if self.next.is_some() {
            return;
        }
        match output {
            SharderOutput::Send { to, message } => self.send(epoch, to, message, out),
            SharderOutput::SetTimer { timer, at } => {
                out.push(Output::SetTimer { timer: Timer::Follower(epoch, timer), at });
            }
            SharderOutput::Finalized(found) => {
                self.finalized_block(now, found, out);
                if std::mem::take(&mut self.leaving) {
                    out.push(Output::Milestone(EpochMilestone::Released { epoch }));
                }
            }
            SharderOutput::HandedOver(handoff) => self.hand_over(&handoff, out),
            SharderOutput::Refused { from, refusal } => {
                let from = self.node(from);
                out.push(Output::Refused { from, refusal: EpochRefusal::Message(refusal) });
            }
            SharderOutput::Conflict { round, block } => {
                out.push(Output::Host { epoch, output: miner::Output::Conflict { round, block } });
            }
            // A follower has no record to rest upon it; gaps are asked for.
            SharderOutput::Certified(_) | SharderOutput::Gap { .. } => {}
        }
    }

    fn send(&mut self, epoch: Epoch, to: Peer, message: crate::message::Message, out: Outputs<'_, K>) {
        if let Some(to) = self.present.roster.node(to) {
            out.push(Output::Send { to, envelope: Envelope::Message { epoch, message } });
        }
    }

    /// The node in a seat that the participant named: it names none that there is not.
    fn node(&self, seat: Peer) -> NodeId {
        self.present.roster.node(seat).unwrap_or(self.me)
    }

    /// The host answers the participant. An own block gets the epoch items that count in it, and the digest of the record that they
    /// complete.
    pub(super) fn answered(&mut self, now: Time, mut input: miner::Input, out: Outputs<'_, K>) {
        if let miner::Input::Payload { round, items, record, .. } = &mut input {
            let Some(parent) = self.present.asked_for_payload.take() else { return };
            *items = self.present.branches.select(parent, &mut self.present.generation.pool.offered());
            *record = match self.present.branches.completes(parent, *round, items) {
                Ok(complete) => complete.map(|record| record.digest()),
                Err(_) => {
                    items.clear();
                    None
                }
            };
        }
        self.give(now, Given::Miner(input), out);
    }

    fn finalized_block(&mut self, now: Time, found: FinalBlock, out: Outputs<'_, K>) {
        let epoch = self.present.epoch();
        if self.present.branches.finalize(&found.block).is_err() {
            let own = self.present.branches.final_record().map(|record| record.digest());
            out.push(Output::Diverged { epoch, own, named: None });
        }
        out.push(Output::Host { epoch, output: miner::Output::Finalized(found) });
        self.generates(now, out);
    }

    /// The closing block is final: the record that the final chain makes is that of the next committee, if the certificate names it.
    fn hand_over(&mut self, handoff: &Arc<HandoffCertificate>, out: Outputs<'_, K>) {
        let (epoch, closing) = (self.present.epoch(), handoff.closing());
        let record = self.present.branches.final_record();
        let own = record.map(|record| record.digest());
        let is_head = self.present.branches.head().id() == closing.id;
        let Some(record) = record.filter(|_| is_head && own == Some(closing.record)).cloned() else {
            out.push(Output::Diverged { epoch, own, named: Some(closing.record) });
            return;
        };
        let certified = handoff.header().round;
        out.push(Output::Milestone(EpochMilestone::HandedOver { epoch, closing: closing.round, certified }));
        let anchor = Arc::clone(self.present.branches.head());
        let beginning = Beginning { record, anchor, handoff: Some(Arc::clone(handoff)) };
        self.next = Some(beginning);
        self.store_beginning(out);
    }

    /// The beginning of the next epoch is durable: the participant of the next epoch takes over.
    pub(super) fn begun(
        &mut self,
        now: Time,
        epoch: Epoch,
        recovery: Recovery,
        entropy: Secret,
        out: Outputs<'_, K>,
    ) {
        let Some(beginning) = self.next.take_if(|next| next.record.epoch() == epoch) else { return };
        let was_member = self.present.roster.seat(self.me).is_some_and(|seat| matches!(seat, Peer::Miner(_)));
        let before: Vec<NodeId> = self.present.everyone.to_vec();
        // The journal of the key generation after this one is empty: it begins now.
        let present = std::mem::take(&mut self.present.generation.journal);
        let secrets = Secrets { present, next: Vec::new(), entropy };
        let present = match Present::new(self.me, &self.keys, &self.settings, beginning, recovery, &secrets) {
            Ok(present) => present,
            Err(error) => {
                out.push(Output::Failed(error));
                return;
            }
        };
        self.present = present;
        if let Err(error) = self.present.has_final_history() {
            out.push(Output::Failed(error));
            return;
        }
        self.leaving = was_member && self.present.role.part() == Part::Follower;
        self.ahead.retain(|link| link.record.epoch() > epoch);
        self.keep_link();
        self.begin(now, &before, out);
    }

    /// The link to the present epoch is kept, to be served.
    pub(super) fn keep_link(&mut self) {
        let Some(handoff) = &self.present.handoff else { return };
        let epoch = self.present.epoch();
        self.links.retain(|link| link.record.epoch() < epoch);
        let (handoff, record) = (HandoffCertificate::clone(handoff), self.present.record.clone());
        self.links.push_back(Arc::new(Link { handoff, record }));
        let surplus = self.links.len().saturating_sub(KEPT_LINKS);
        self.links.drain(..surplus);
    }

    /// Starts the participant, tells everybody that the epoch has begun, and looks at what came early. `before`: the other nodes of the
    /// epoch before.
    pub(super) fn begin(&mut self, now: Time, before: &[NodeId], out: Outputs<'_, K>) {
        let (epoch, anchor, part) =
            (self.present.epoch(), self.present.anchor.round(), self.present.role.part());
        out.push(Output::Milestone(EpochMilestone::Entered { epoch, anchor, part }));
        self.guests.know(self.present.everyone.iter().chain(before).copied(), now);
        if let Some(handoff) = self.present.handoff.clone() {
            let mut to: Vec<NodeId> = before.iter().chain(self.present.everyone.iter()).copied().collect();
            to.sort_unstable();
            to.dedup();
            if !to.is_empty() {
                let envelope = Envelope::Handoff(handoff);
                out.push(Output::Broadcast { to: to.into(), envelope });
            }
            self.awaited = match part {
                Part::Member => self.present.miners.iter().copied().collect(),
                Part::Follower => Default::default(),
            };
            self.tell_later(now, out);
        }
        match &mut self.present.role {
            Role::Member(_) => self.give(now, Given::Miner(miner::Input::Start), out),
            Role::Follower(sharder) => {
                let mut outputs = Vec::new();
                sharder.start(now, &mut outputs);
                for output in outputs {
                    self.of_follower(now, output, out);
                }
            }
        }
        self.generates(now, out);
        self.tell_participant(now, out);
        for (from, bytes) in self.waiting.take() {
            self.receive_message(now, from, epoch, Content::Bytes(bytes), out);
        }
    }

    /// Gives the participant the certificate that ends its epoch, where the links show it.
    pub(super) fn tell_participant(&mut self, now: Time, out: Outputs<'_, K>) {
        let next = Epoch(self.present.epoch().0.saturating_add(1));
        let Some(link) = self.ahead.first().filter(|link| link.record.epoch() == next).cloned() else {
            return;
        };
        if !std::mem::replace(&mut self.present.told, true) {
            self.give(now, Given::Handoff(Arc::new(link.handoff.clone())), out);
        }
    }

    fn tell_later(&self, now: Time, out: Outputs<'_, K>) {
        if !self.awaited.is_empty() {
            let at = now + self.settings.timing.resend;
            out.push(Output::SetTimer { timer: Timer::Handoff(self.present.epoch()), at });
        }
    }

    /// Members that were not heard in this epoch are told again that it has begun.
    pub(super) fn tell_awaited(&mut self, now: Time, out: Outputs<'_, K>) {
        let Some(handoff) = self.present.handoff.clone().filter(|_| !self.awaited.is_empty()) else { return };
        let to: Vec<NodeId> = self.awaited.iter().copied().collect();
        out.push(Output::Broadcast { to: to.into(), envelope: Envelope::Handoff(handoff) });
        self.tell_later(now, out);
    }
}

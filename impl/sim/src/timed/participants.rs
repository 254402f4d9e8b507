//! The steps of miners and sharders, and what they ask of disk, clock and application.

use zus_bpp::block::Time;
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Input, Output};
use zus_bpp::sharder::{SharderInput, SharderOutput};

use super::happening::Happening;
use super::{Disturbance, World};
use crate::member::{Effect, Seen, carry_out};

impl<S: Scheme + Clone> World<S> {
    pub(super) fn deliver(&mut self, from: Peer, to: Peer, message: Message) {
        match to {
            Peer::Miner(miner) => self.step(miner, Input::Message { from, message }),
            Peer::Sharder(sharder) => self.sharder_step(sharder, SharderInput::Message { from, message }),
        }
    }

    /// One step of a miner, and everything that it asks of its application.
    pub(super) fn step(&mut self, miner: MinerId, input: Input) {
        let i = usize::from(miner.0);
        let now = self.clock(i);
        let from = self.is_honest(Peer::Miner(miner)).then(|| self.honest_sender(&input)).flatten();
        let Some(running) = &mut self.hosts[i].miner else { return };
        self.muted += u64::from(from.is_some_and(|from| !running.hears_now(from, now)));
        let mut out = Vec::new();
        running.step(now, input, &mut out);
        self.steps += 1;
        self.hosts[i].steps += 1;
        if let Some((victim, step, _)) = self.kill_at_step
            && usize::from(victim) == i
            && self.hosts[i].steps == step + 1
        {
            self.hosts[i].kill_in_step = true;
        }
        if self.hosts[i].kill_in_step && !out.is_empty() {
            out.truncate(self.random.usize(0..out.len()));
            self.outputs(i, out);
            self.kill(i);
            // After the crash, and not after the step that it was planned for, which may have had no output to crash in.
            if let Some((victim, _, pause)) =
                self.kill_at_step.filter(|(victim, ..)| usize::from(*victim) == i)
            {
                self.schedule
                    .add(self.now.after(pause), Happening::Disturbance(Disturbance::Restart(victim)));
            }
            return;
        }
        self.outputs(i, out);
    }

    /// The sender of an input that is a message, if it is honest.
    fn honest_sender(&self, input: &Input) -> Option<Peer> {
        match input {
            Input::Bytes { from, .. } | Input::Message { from, .. } => {
                Some(*from).filter(|from| self.is_honest(*from))
            }
            _ => None,
        }
    }

    fn is_honest(&self, peer: Peer) -> bool {
        match peer {
            Peer::Miner(miner) => self.hosts[usize::from(miner.0)].byzantine.is_none(),
            Peer::Sharder(_) => true,
        }
    }

    pub(super) fn outputs(&mut self, i: usize, outputs: Vec<Output>) {
        let me = MinerId(i as u16);
        let honest = self.hosts[i].byzantine.is_none();
        let mut answers = Vec::new();
        for output in outputs {
            let host = &mut self.hosts[i];
            let life = host.life;
            match carry_out(&mut host.disk, &mut host.application, output) {
                Effect::Send(to, message) => self.send(me, to, &message),
                Effect::Broadcast(to, message) => self.broadcast(me, to, &message),
                Effect::Timer(timer, at) => {
                    let at = Time(at.0.saturating_sub(self.ahead(i)));
                    self.schedule.add(at, Happening::MinerTimer { miner: me, life, timer });
                }
                Effect::LogRecord(write, _) => {
                    let at = self.now.after(self.random.u64(0..=self.flush));
                    self.schedule.add(at, Happening::Flushed { miner: me, life, write });
                }
                // An honest miner never asks for it.
                Effect::Refused(_, error) if honest => self.observer.refused_by_log(me, &error),
                Effect::Store(write) => {
                    let at = self.now.after(self.random.u64(0..=self.store_flush));
                    self.schedule.add(at, Happening::Stored { miner: me, life, write });
                }
                Effect::Answer(answer) => answers.push(answer),
                Effect::Missing(block) => panic!("{me} asks for block {block}, which it never stored"),
                Effect::Final(found) if honest => self.observer.finalized(Peer::Miner(me), &found),
                Effect::Seen(Seen::Withheld(conflict)) => self.observer.withheld(me, &conflict),
                Effect::Seen(seen) if honest => self.see(me, seen),
                Effect::Refused(..) | Effect::Final(_) | Effect::Seen(_) | Effect::Nothing => {}
            }
        }
        for answer in answers {
            self.step(me, answer);
        }
    }

    fn see(&mut self, me: MinerId, seen: Seen) {
        match seen {
            Seen::Evidence(evidence) => self.observer.evidence(&evidence),
            Seen::Refused(from, _) => {
                *self.observer.refused.entry((Peer::Miner(me), from)).or_default() += 1;
            }
            Seen::Milestone(milestone) => self.observer.milestone(self.now, me, milestone),
            Seen::Blamed(_) | Seen::Conflict(..) | Seen::Withheld(_) => {}
        }
    }

    pub(super) fn sharder_step(&mut self, SharderId(id): SharderId, input: SharderInput) {
        let i = usize::from(id);
        let from = match &input {
            SharderInput::Bytes { from, .. } | SharderInput::Message { from, .. } => Some(*from),
            SharderInput::Timer(_) | SharderInput::Handoff(_) => None,
        };
        let from = from.filter(|from| self.is_honest(*from));
        let Some(host) = self.sharders.get_mut(i) else { return };
        self.muted += u64::from(from.is_some_and(|from| !host.sharder.hears_now(from, self.now)));
        let outputs = host.step(self.now, input);
        self.sharder_outputs(i, outputs);
    }

    pub(super) fn sharder_outputs(&mut self, i: usize, outputs: Vec<SharderOutput>) {
        let me = Peer::Sharder(SharderId(i as u16));
        for output in outputs {
            match output {
                SharderOutput::Send { to, message } => self.put_on_network(me, to, message),
                SharderOutput::SetTimer { timer, at } => {
                    self.schedule.add(at, Happening::SharderTimer { sharder: i, timer });
                }
                SharderOutput::Finalized(found) => self.observer.finalized(me, &found),
                SharderOutput::Refused { from, .. } => {
                    *self.observer.refused.entry((me, from)).or_default() += 1;
                }
                SharderOutput::Gap { .. } => self.gaps += 1,
                SharderOutput::Certified(_)
                | SharderOutput::HandedOver(_)
                | SharderOutput::Conflict { .. } => {}
            }
        }
    }
}

//! Twins: a compromised miner is two honest instances with one key (Bano et al., "Twins: BFT systems made robust", 2020).
//!
//! Each Byzantine member runs the production miner twice. A scenario is a sequence of partitions of the honest miners; twin A
//! is with one part and twin B with the other, and inside each part the network is synchronous for a phase. The twins
//! equivocate, vote twice and forget what the other did without any code that plays a Byzantine miner: their behaviour is
//! every behaviour of honest code with a stolen key. Their statements are recorded as Byzantine, so that refinement and
//! oracles judge the honest miners as in any other run.
//!
//! **Limits.** Twins never send what no honest instance sends; [`byzantine`](crate::byzantine) does that.

use std::sync::Arc;

use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Audience, Input, Miner, Output, Recovery, Timer};

use crate::schedule::Run;
use crate::world::{Content, Receivers, SHARDER, World, bit, record_of};

/// One of two instances with one key.
#[derive(Clone)]
struct Twin<S> {
    member: MinerId,
    /// 0 or 1: its blocks differ from those of the other.
    number: u8,
    miner: Miner<S>,
    timers: Vec<Timer>,
    /// The next message of the network that it looks at.
    next: usize,
}

/// A run with twins.
pub struct TwinRun<S> {
    /// The honest miners, and what watches them.
    pub run: Run<S>,
    twins: Vec<Twin<S>>,
}

impl<S: Scheme + Clone> TwinRun<S> {
    /// The Byzantine members of `run` become twins.
    ///
    /// # Panics
    /// When the keys do not fit the configuration: they do for the honest miners.
    #[must_use]
    pub fn new(run: Run<S>) -> Self {
        let ground = Arc::clone(&run.world.ground);
        let members = ground.setup.byzantine.iter().flat_map(|&id| [(MinerId(id), 0), (MinerId(id), 1)]);
        let twin = |(member, number): (MinerId, u8)| {
            let scheme = ground.keys.members[usize::from(member.0)].clone();
            // The rules are those of the recommended profile: a bug that honest miners are given is not the twins'.
            let miner = Miner::new(Arc::clone(&ground.config), scheme, Recovery::default());
            let miner = miner.expect("the keys are of this committee");
            Twin { member, number, miner, timers: Vec::new(), next: 0 }
        };
        let mut twins = Self { twins: members.map(twin).collect(), run };
        for index in 0..twins.twins.len() {
            twins.give(index, Input::Start, u32::MAX);
        }
        twins
    }

    /// One phase: miners of `part` and the first twins on one side, the others on the other. Inside each side messages arrive
    /// `rounds` times over, then windows close, and if `waits`, waits end.
    pub fn phase(&mut self, part: Receivers, rounds: u8, waits: bool) {
        let all = (1 << self.run.world.ground.setup.miners) - 1;
        self.run.world.network.apart = 0;
        for step in 0..rounds {
            for (side, number) in [(part & all | SHARDER, 0), (all & !part, 1)] {
                self.deliver(side, number);
            }
            if step % 2 == 1 {
                self.timers(part & all, false);
            }
        }
        if waits {
            self.timers(part & all, true);
        }
    }

    /// Everything that was sent inside a side arrives there; what a twin sent went to its own side only.
    fn deliver(&mut self, side: Receivers, number: u8) {
        let end = self.run.world.network.sent().len();
        let miners = self.run.world.ground.setup.miners;
        for receiver in (0..miners).map(|i| bit(Peer::Miner(MinerId(i)))).chain([SHARDER]) {
            for index in 0..end {
                let envelope = &self.run.world.network.sent()[index];
                let sender = bit(envelope.from);
                let is_twin =
                    matches!(envelope.from, Peer::Miner(id) if self.run.world.ground.setup.is_byzantine(id));
                let inside = is_twin || sender & side != 0;
                if side & receiver != 0 && inside && self.run.world.network.is_open(index, receiver) {
                    self.run.world.deliver(index, receiver, None, &mut self.run.judges);
                }
            }
        }
        for index in 0..self.twins.len() {
            if self.twins[index].number != number {
                continue;
            }
            let me = bit(Peer::Miner(self.twins[index].member));
            for message in self.twins[index].next..end {
                let envelope = Arc::clone(&self.run.world.network.sent()[message]);
                if envelope.to & me != 0
                    && bit(envelope.from) & side != 0
                    && let Content::Message(message) = &envelope.content
                {
                    self.give(index, Input::Message { from: envelope.from, message: message.clone() }, side);
                }
            }
            self.twins[index].next = end;
        }
    }

    fn timers(&mut self, part: Receivers, waits: bool) {
        let is = |timer: &Timer| match timer {
            Timer::Window { .. } => !waits,
            Timer::Wait { .. } => waits,
            _ => false,
        };
        for host in 0..self.run.world.hosts.len() {
            let timer = self.run.world.hosts[host].timers.iter().rev().map(|(_, timer)| *timer).find(is);
            if let Some(timer) = timer {
                self.run.world.fire(host, timer, None, &mut self.run.judges);
            }
        }
        let all = (1 << self.run.world.ground.setup.miners) - 1;
        let last = u32::from(self.run.world.ground.setup.subrounds) - 1;
        for index in 0..self.twins.len() {
            let twin = &mut self.twins[index];
            let side = if twin.number == 0 { part | SHARDER } else { all & !part };
            let bounded =
                |timer: &Timer| !matches!(timer, Timer::Wait { subround, .. } if subround.0 >= last);
            if let Some(at) = twin.timers.iter().rposition(|timer| is(timer) && bounded(timer)) {
                let timer = twin.timers.remove(at);
                self.give(index, Input::Timer(timer), side);
            }
        }
    }

    /// One input of a twin; what it says goes to `side`.
    fn give(&mut self, index: usize, input: Input, side: Receivers) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut outputs = Vec::new();
            let now = self.run.world.now;
            self.twins[index].miner.step(now, input, &mut outputs);
            for output in outputs {
                self.carry_out(index, output, side, &mut inputs);
            }
        }
    }

    fn carry_out(
        &mut self,
        index: usize,
        output: Output,
        side: Receivers,
        inputs: &mut std::collections::VecDeque<Input>,
    ) {
        let twin = &mut self.twins[index];
        let world = &mut self.run.world;
        let rounds = u64::from(world.ground.setup.rounds);
        match output {
            Output::Broadcast { to, message } => {
                let all = (1 << world.ground.setup.miners) - 1;
                let to = if to == Audience::Everyone { all | SHARDER } else { all };
                say(world, twin.member, to & side, message);
            }
            Output::Send { to, message } => say(world, twin.member, bit(to) & side, message),
            Output::SetTimer { timer, .. } => twin.timers.push(timer),
            Output::Persist { write, .. } => inputs.push_back(Input::Persisted(write)),
            Output::Store { write, .. } => inputs.push_back(Input::Stored(write)),
            Output::RequestPayload { round, subround, .. } if round.0 <= rounds => {
                let payload = vec![3, twin.number, round.0 as u8, subround.0 as u8];
                let (items, record) = (Vec::new(), None);
                inputs.push_back(Input::Payload { round, subround, payload, items, record });
            }
            Output::Validate { block } => {
                inputs.push_back(Input::Validated {
                    round: block.round(),
                    block: block.id(),
                    accepted: true,
                });
            }
            _ => {}
        }
    }
}

fn say<S: Scheme + Clone>(world: &mut World<S>, member: MinerId, to: Receivers, message: Message) {
    if let Message::Proposal(proposal) = &message
        && world.block(&proposal.block.id()).is_none()
    {
        world.blocks.push(Arc::clone(&proposal.block));
    }
    if let Some(record) = record_of(&message) {
        world.byzantine_signed(member, record);
    }
    if to != 0 {
        world.send_as(member, to, Content::Message(message));
    }
}

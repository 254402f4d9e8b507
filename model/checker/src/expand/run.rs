//! A run of the packed model as a run of the specification.

use super::{
    action::expand,
    instance::{block_of, members, specified},
};
use crate::{
    action::Action,
    blocks::{BlockId, Generator},
    protocol::Protocol,
    state::State,
};
use std::collections::BTreeSet;
use zus_protocol::ids::{MinerId, Subround};
use zus_spec::{self as spec, Action as Step, Block, Blocked, Instance};

/// Why an action of the packed model is no list of steps of the specification.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unexpanded {
    /// A step is not enabled.
    #[error("{step:?}: {guard}")]
    Guard {
        /// The step.
        step: Step,
        /// The guard that is false.
        guard: Blocked,
    },
    /// No honest miner could have proposed the block at any time of the run.
    #[error("no honest miner could have proposed {0:?}")]
    NoProposer(Block),
}

/// A run of the packed model as a run of the specification.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The instance of the specification.
    pub instance: Instance,
    /// The steps so far.
    pub steps: Vec<Step>,
    /// The state after them.
    pub state: spec::State,
    /// Blocks that honest generators owed and that no miner of the packed model has used yet.
    pub unused: BTreeSet<Block>,
}

impl Expansion {
    /// The empty run of `protocol`, or, with `eager`, the run in which everyone has sent the share of round 1.
    pub fn new(protocol: &Protocol) -> Result<Expansion, Unexpanded> {
        let (mut instance, _) = specified(protocol);
        if instance.network == spec::Network::Asynchronous {
            // So that visits are recorded, which a packed state with `eager` counts.
            instance.network = spec::Network::PartiallySynchronous;
        }
        // A run by name ends with the heads of two observers, whatever the scenario follows.
        instance.observers = 2;
        let state = instance.initial();
        let mut expansion = Expansion { instance, steps: Vec::new(), state, unused: BTreeSet::new() };
        if protocol.reductions.eager {
            for miner in expansion.instance.honest() {
                expansion.step(Step::ShareBeacon { miner })?;
            }
        }
        Ok(expansion)
    }

    /// Does one step, if it is enabled.
    pub fn step(&mut self, step: Step) -> Result<(), Unexpanded> {
        self.instance.enabled(&self.state, &step).map_err(|guard| Unexpanded::Guard { step, guard })?;
        self.instance.apply(&mut self.state, &step);
        self.steps.push(step);
        Ok(())
    }

    /// Does one step if it is enabled, and nothing otherwise.
    fn perhaps(&mut self, step: Step) -> bool {
        self.step(step).is_ok()
    }

    /// Executes `action`, a macro step.
    pub fn take(&mut self, protocol: &Protocol, action: &Action) -> Result<(), Unexpanded> {
        self.prepare(protocol, action)?;
        for step in expand(protocol, action) {
            let done = self.step(step);
            // A share that was sent before is not sent again; all else must be enabled.
            if !matches!(step, Step::ShareBeacon { .. }) || !protocol.reductions.eager {
                done?;
            }
        }
        if protocol.reductions.eager {
            self.notarize_owed();
        }
        Ok(())
    }

    /// Sends what the first step of `action` needs and the reductions left out.
    fn prepare(&mut self, protocol: &Protocol, action: &Action) -> Result<(), Unexpanded> {
        let on = protocol.reductions;
        let name = |block| block_of(&protocol.blocks, block);
        match *action {
            Action::Ticket { block, parent, .. } if on.eager => {
                self.notarize(protocol, name(parent));
                self.propose(name(block), name(parent))?;
                self.propose_owed();
            }
            Action::Timeout { .. } | Action::TimeoutTogether { .. } | Action::TimeoutThenLeave { .. }
                if on.eager =>
            {
                self.propose_owed();
            }
            Action::Select { block, .. } => {
                let parent = self.state.sent.blocks.get(&name(block)).copied();
                if let Some(parent) = parent.filter(|_| on.eager) {
                    self.notarize(protocol, parent);
                }
            }
            Action::Finalize { block, .. } => {
                if on.eager {
                    self.propose_owed();
                }
                self.finalize(protocol, name(block));
            }
            _ => {}
        }
        match *action {
            Action::Notarize { block } => self.tickets_for(protocol, name(block)),
            Action::Leave { block, .. }
            | Action::TimeoutThenLeave { block, .. }
            | Action::VoteWithoutLeaving { block, .. }
            | Action::LeaveRelabelled { block, .. }
            | Action::Adopt { block, .. } => self.notarize(protocol, name(block)),
            Action::EnterSubround { miner, subround } if on.byzantine_available => {
                let miner = members(protocol, miner.into()).next().unwrap_or_default();
                let step = Step::EnterSubround { miner, subround: Subround(subround.into()) };
                let round = self.state.miner(miner).round;
                for member in self.instance.byzantine() {
                    if self.instance.enabled(&self.state, &step).is_err() {
                        let subround = Subround(u32::from(subround) - 1);
                        self.perhaps(Step::ByzantineTimeout { member, round, subround });
                    }
                }
            }
            Action::Timeout { .. } | Action::TimeoutTogether { .. }
                if on.byzantine_available && self.state.synchronous.is_some() =>
            {
                self.help_to_join(protocol, action);
            }
            _ => {}
        }
        Ok(())
    }

    /// In a synchronous network Byzantine timeouts may make a miner join one honest timeout.
    fn help_to_join(&mut self, protocol: &Protocol, action: &Action) {
        for step in expand(protocol, action) {
            let Step::Timeout { miner } = step else { continue };
            for member in self.instance.byzantine() {
                if self.instance.enabled(&self.state, &step).is_err() {
                    let (round, subround) = self.state.miner(miner).position();
                    self.perhaps(Step::ByzantineTimeout { member, round, subround });
                }
            }
        }
    }

    /// Byzantine tickets for `block`, just enough, of members that are not culprits yet if possible.
    fn tickets_for(&mut self, protocol: &Protocol, block: Block) {
        if !protocol.reductions.byzantine_available {
            return;
        }
        let mut members: Vec<MinerId> = self.instance.byzantine().collect();
        let sent = &self.state.sent;
        members.sort_by_key(|member| {
            sent.tickets.iter().filter(|(of, by)| of.same_subround(&block) && by.contains(member)).count()
        });
        for member in members {
            if !self.instance.notarizable(&self.state, block) {
                self.perhaps(Step::ByzantineTicket { member, block });
            }
        }
    }

    /// A notarization of `block`, if it can be formed and has not been.
    fn notarize(&mut self, protocol: &Protocol, block: Block) {
        if protocol.reductions.eager && !self.state.notarized(&block) {
            self.tickets_for(protocol, block);
            self.perhaps(Step::Notarize { block });
        }
    }

    /// The notarizations that q honest members signed for.
    fn notarize_owed(&mut self) {
        let blocks: Vec<Block> = self.state.sent.blocks.keys().copied().collect();
        for block in blocks {
            if self.instance.honest_in(self.state.sent.tickets_for(&block)) >= self.instance.quorum() {
                self.perhaps(Step::Notarize { block });
            }
        }
    }

    /// The steps that make `block` final: notarizations above it and, if they are needed, Byzantine votes.
    fn finalize(&mut self, protocol: &Protocol, block: Block) {
        let blocks: Vec<Block> =
            self.state.sent.blocks.keys().copied().filter(|b| b.round >= block.round).collect();
        for tip in blocks {
            if !self.instance.is_final(&self.state, block) && self.state.descends(tip, block) {
                self.notarize(protocol, tip);
            }
        }
        if protocol.reductions.byzantine_available {
            for member in self.instance.byzantine() {
                if !self.instance.is_final(&self.state, block) {
                    self.perhaps(Step::ByzantineVote { member, block });
                }
            }
        }
    }

    /// In a synchronous network, the blocks that honest generators owe before a timer fires.
    fn propose_owed(&mut self) {
        if self.state.synchronous.is_none() {
            return;
        }
        for miner in self.instance.honest() {
            let (round, subround) = self.state.miner(miner).position();
            let places: Vec<Block> = self.instance.places(round, subround).collect();
            for block in places {
                if self.instance.proposal_due(&self.state, miner, block)
                    && self.perhaps(Step::Propose { miner, block })
                {
                    self.unused.insert(block);
                }
            }
        }
    }

    /// `block` on `parent`, by somebody who can propose it, or could have.
    fn propose(&mut self, block: Block, parent: Block) -> Result<(), Unexpanded> {
        let mut run = self.steps.clone();
        let unused = self.unused.remove(&block);
        match self.state.sent.blocks.get(&block) {
            Some(proposed) if *proposed == parent => return Ok(()),
            Some(_) if unused => {
                // An honest generator owed it, and another one than was taken is first.
                run.retain(|step| !matches!(step, Step::Propose { block: of, .. } if *of == block));
            }
            _ => {}
        }
        if block.generator != spec::Generator::Honest {
            return self.step(Step::ByzantinePropose { block, parent });
        }
        let mut found = self.inserted(&run, block, parent);
        if let (None, Some(first)) = (&found, block.twin_before()) {
            // Of two blocks of one generator the first was given to another one.
            let by = |run: &mut Vec<Step>, other| {
                for step in run.iter_mut() {
                    if let Step::Propose { miner, block: of } = step
                        && *of == first
                    {
                        *miner = other;
                    }
                }
            };
            found = self.instance.honest().find_map(|miner| {
                by(&mut run, miner);
                self.executed(self.instance.initial(), &run)?;
                self.inserted(&run, block, parent)
            });
        }
        (self.steps, self.state) = found.ok_or(Unexpanded::NoProposer(block))?;
        Ok(())
    }

    /// `run` with a proposal of `block` by an honest miner, as late as possible: most generators are still there.
    fn inserted(&self, run: &[Step], block: Block, parent: Block) -> Option<(Vec<Step>, spec::State)> {
        (0..=run.len()).rev().find_map(|at| {
            let before = self.executed(self.instance.initial(), &run[..at])?;
            self.instance.honest().find_map(|miner| {
                let propose = Step::Propose { miner, block };
                if before.miner(miner).entry != parent {
                    return None;
                }
                let rest: Vec<Step> = std::iter::once(propose).chain(run[at..].iter().copied()).collect();
                let state = self.executed(before.clone(), &rest)?;
                Some((run[..at].iter().copied().chain(rest).collect(), state))
            })
        })
    }

    /// The state after `steps`, if each of them is enabled.
    fn executed(&self, mut state: spec::State, steps: &[Step]) -> Option<spec::State> {
        for step in steps {
            self.instance.enabled(&state, step).ok()?;
            self.instance.apply(&mut state, step);
        }
        Some(state)
    }

    /// Proposes the blocks of honest generators that the packed `state` takes for sent although nobody has used them (W3).
    pub fn propose_unused(&mut self, protocol: &Protocol, state: &State) {
        let unused = |block: &BlockId| state.block(*block).parent() == 0;
        for block in protocol.blocks.all().filter(unused) {
            for parent in protocol.entries(protocol.blocks.round(block)) {
                if protocol.could_be_proposed(state, block, parent)
                    && protocol.blocks.place(block).generator == Generator::Honest
                    && self
                        .propose(block_of(&protocol.blocks, block), block_of(&protocol.blocks, parent))
                        .is_ok()
                {
                    break;
                }
            }
        }
    }

    /// Sends the Byzantine signatures, and forms the notarizations, that the packed `state` takes for sent.
    pub fn complete(&mut self, protocol: &Protocol, state: &State) {
        self.propose_owed();
        for block in protocol.notarized_set(state).iter() {
            self.notarize(protocol, block_of(&protocol.blocks, block));
        }
        for block in protocol.finalizable_set(state).iter() {
            self.finalize(protocol, block_of(&protocol.blocks, block));
        }
    }
}

//! The actions of the model to which an event of a world maps. The model is asked whether each may happen before it is
//! applied. The argument why these are the right ones opens [`refinement`](super).

use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output, Stored};
use zus_bpp::sharder::SharderOutput;
use zus_bpp::statement::BeaconTarget;
use zus_bpp::ticket_log::{Kind, LogRecord};
use zus_checker::action::Action;
use zus_checker::blocks::{BlockId as ModelBlock, GENESIS};

use super::{Finding, NoPlace, Refinement, abstraction};
use zus_sim::messages::{Said, said};

use crate::world::{Event, World};

impl Refinement {
    fn perform(&mut self, action: Action) -> Result<(), Finding> {
        if let Err(guard) = self.protocol.enabled(&self.state, &action) {
            let deed = self.protocol.deed(&self.state, &action);
            return Err(Finding::Disabled { action, deed, guard });
        }
        let before = self.sentences.is_some().then_some(self.state);
        self.protocol.perform(&mut self.state, &action);
        if let (Some(before), Some(sentences)) = (before, &mut self.sentences) {
            sentences.push(self.protocol.sentence(&before, &action, &self.state));
        }
        if self.keeps_actions {
            self.actions.push(action);
        }
        Ok(())
    }

    /// The place of a block upon which an honest participant acts. A Byzantine block enters the model now.
    fn place<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        who: Peer,
        id: &BlockId,
    ) -> Result<ModelBlock, Finding> {
        let cannot = |source| Finding::NoPlace { participant: who.to_string(), source };
        if let Some(place) = self.places.of(id)
            && (place == GENESIS || self.state.block(place).parent() != 0)
        {
            return Ok(place);
        }
        let block = Arc::clone(world.block(id).ok_or_else(|| cannot(NoPlace::Unknown(*id)))?);
        let generator = block.header().generator;
        // Only a Byzantine block under a chained beacon changes them.
        let mut blocks = self.protocol.blocks.clone();
        let place = self.places.assign(&block, &mut blocks, world).map_err(cannot)?;
        if blocks.place(place).generator != self.protocol.blocks.place(place).generator {
            Arc::make_mut(&mut self.protocol).blocks = blocks;
        }
        if world.ground.setup.is_byzantine(generator) {
            let parent = self.place(world, who, &block.header().parent)?;
            self.perform(Action::ByzantinePropose { block: place, parent })?;
            self.sync_byzantine(world)?;
        }
        Ok(place)
    }

    /// Byzantine messages about blocks of the model, and timeouts, become actions as soon as the model allows them; what has
    /// become one never does again.
    pub(super) fn sync_byzantine<S: Scheme + Clone>(&mut self, world: &World<S>) -> Result<(), Finding> {
        let (mut unsaid, looked_at) = std::mem::take(&mut self.unsaid);
        unsaid.extend(looked_at..world.byzantine.len());
        let mut wrong = Ok(());
        unsaid.retain(|&entry| {
            let (member, record) = &world.byzantine[entry];
            let action = self.byzantine_action(world, *member, record);
            let action = action.filter(|action| self.protocol.enabled(&self.state, action).is_ok());
            if let (Ok(()), Some(action)) = (&wrong, action) {
                wrong = self.perform(action);
            }
            action.is_none()
        });
        self.unsaid = (unsaid, world.byzantine.len());
        wrong
    }

    fn byzantine_action<S: Scheme + Clone>(
        &self,
        world: &World<S>,
        member: MinerId,
        record: &LogRecord,
    ) -> Option<Action> {
        let byzantine = world.ground.setup.byzantine.iter().position(|id| *id == member.0)? as u8;
        if record.kind == Kind::Timeout {
            let (round, subround) = (record.round.0 as u8, record.subround.0 as u8);
            return Some(Action::ByzantineTimeout { byzantine, round, subround });
        }
        let block = self.places.of(&BlockId(record.block))?;
        if block == GENESIS || !abstraction::is_about(&self.protocol, block, record) {
            return None;
        }
        match record.kind {
            Kind::Ticket => Some(Action::ByzantineTicket { byzantine, block }),
            Kind::FinalityVote => Some(Action::ByzantineVote { byzantine, block }),
            Kind::Proposal | Kind::Timeout => None,
        }
    }

    /// Performs the actions of an event in the model.
    pub(super) fn actions_of<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        event: &Event,
    ) -> Result<(), Finding> {
        self.sync_byzantine(world)?;
        match event {
            Event::Step { host, decided, outputs, .. } => {
                // Under a chained beacon a step may adopt a block and then ticket one: in the order of its outputs. And a block
                // that has to be empty is proposed in the step that enters the subround.
                let chained = self.protocol.rules.chained();
                let ordered = |record: &LogRecord| chained || record.kind == Kind::Proposal;
                let at_store = |record: &LogRecord| {
                    ordered(record) && outputs.iter().any(|output| stores(output, record))
                };
                for record in decided.iter().filter(|record| !at_store(record)) {
                    self.decision(world, *host, record)?;
                }
                for output in outputs {
                    let stored = |record: &&LogRecord| ordered(record) && stores(output, record);
                    if let Some(record) = decided.iter().find(stored) {
                        self.decision(world, *host, record)?;
                    }
                    self.output(world, *host, output)?;
                }
                Ok(())
            }
            Event::Crashed { host } => self.perform(Action::Crash { miner: *host as u8 }),
            Event::Restarted { host } => {
                self.perform(Action::Restart { miner: *host as u8 })?;
                // A subround that was given up, and on the disk, when the miner crashed over it.
                let found = &world.hosts[*host].miner;
                self.enter_locally(world, *host, found.round(), found.subround())
            }
            Event::Sharder { outputs, .. } => {
                self.notarized_for_the_sharder(world)?;
                for output in outputs {
                    if let SharderOutput::Finalized(found) = output {
                        let sharder = Peer::Sharder(zus_bpp::committee::SharderId(0));
                        // Ancestors become final with the head: only the last block of a step has to be final itself.
                        let id = found.block.id();
                        let last = outputs.iter().rev().find_map(|output| match output {
                            SharderOutput::Finalized(found) => Some(found.block.id()),
                            _ => None,
                        });
                        if last == Some(id) {
                            self.finalize(world, self.heads.len() - 1, sharder, &id)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn decision<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        record: &LogRecord,
    ) -> Result<(), Finding> {
        let who = Peer::Miner(world.hosts[host].id);
        let miner = host as u8;
        match record.kind {
            // Nobody asks for the payload of a block that has to be empty, so that a parked miner makes one, too.
            Kind::Proposal if record.round.0 > u64::from(self.protocol.blocks.rounds) => Ok(()),
            Kind::Proposal => {
                let block = self.place(world, who, &BlockId(record.block))?;
                self.perform(Action::Propose { miner, block })
            }
            Kind::Ticket => {
                let id = BlockId(record.block);
                let block = self.place(world, who, &id)?;
                let unknown =
                    || Finding::NoPlace { participant: who.to_string(), source: NoPlace::Unknown(id) };
                let parent = world.block(&id).ok_or_else(unknown)?.header().parent;
                let parent = self.place(world, who, &parent)?;
                if self.state.miners[host].unsent() != 0 {
                    // The model has one ticket on its way out: it sends the one before now.
                    self.perform(Action::SendTicket { miner })?;
                }
                self.perform(Action::Select { miner, block })?;
                self.perform(Action::Ticket { miner, block, parent })
            }
            // A timeout when it leaves; a vote when the round is left.
            Kind::Timeout | Kind::FinalityVote => Ok(()),
        }
    }

    /// Where subrounds are entered locally, giving one up and entering the next is one action.
    fn enter_locally<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        round: Round,
        subround: Subround,
    ) -> Result<(), Finding> {
        if !world.ground.setup.rules.enters_alone() {
            return Ok(());
        }
        while round.0 == u64::from(self.state.miners[host].round())
            && self.state.miners[host].subround() < subround.0
        {
            self.perform(Action::Timeout { miner: host as u8 })?;
        }
        Ok(())
    }

    /// Under the rules without votes: what a Byzantine miner has shown to the sharder alone is notarized.
    fn notarized_for_the_sharder<S: Scheme + Clone>(&mut self, world: &World<S>) -> Result<(), Finding> {
        if world.ground.setup.rules.votes() {
            return Ok(());
        }
        let sharder = Peer::Sharder(zus_bpp::committee::SharderId(0));
        for ticket in &world.notarized {
            let block = self.place(world, sharder, &ticket.block)?;
            if block != GENESIS && self.state.block(block).notarized() == 0 {
                self.perform(Action::Notarize { block })?;
            }
        }
        Ok(())
    }

    fn output<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        output: &Output,
    ) -> Result<(), Finding> {
        match output {
            Output::Broadcast { message, .. } | Output::Send { message, .. } => {
                self.said(world, host, message)
            }
            Output::Milestone(milestone) => self.milestone(world, host, milestone),
            // Nothing of these is in the model, or it comes with a milestone.
            Output::SetTimer { .. }
            | Output::Persist { .. }
            | Output::Store { .. }
            | Output::RequestPayload { .. }
            | Output::Validate { .. }
            | Output::Finalized(_)
            | Output::HandedOver(_)
            | Output::Serve { .. }
            | Output::ServeStored { .. }
            | Output::Load { .. }
            | Output::Evidence(_)
            | Output::Refused { .. }
            | Output::Blamed(_)
            | Output::Conflict { .. }
            | Output::Withheld(_) => Ok(()),
        }
    }

    fn said<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        message: &Message,
    ) -> Result<(), Finding> {
        let who = Peer::Miner(world.hosts[host].id);
        let miner = host as u8;
        let rounds = u64::from(self.protocol.blocks.rounds);
        match said(message) {
            Said::Share(share) => {
                let m = &self.state.miners[host];
                let round = share.target.round();
                let again = m.shared() == 1
                    && round.0 == u64::from(m.round())
                    && match share.target {
                        BeaconTarget::Round(_) => true,
                        BeaconTarget::Chained { subround, .. } => subround.0 == m.subround(),
                    };
                if round.0 <= rounds && !again {
                    self.perform(Action::ShareBeacon { miner })?;
                }
            }
            Said::Ticket(ticket) => {
                let place = self.place(world, who, &ticket.block)?;
                let local = self.protocol.blocks.place(place).local;
                let sent = self.state.archive[host].tickets[ticket.round.0 as usize - 1] >> local & 1 == 1;
                if !sent {
                    self.perform(Action::SendTicket { miner })?;
                }
            }
            Said::Timeout(timeout) => {
                if timeout.round.0 > rounds {
                    return Ok(());
                }
                let sent = self.state.archive[host].timeouts[timeout.round.0 as usize - 1];
                let sent = sent.checked_shr(timeout.subround.0).unwrap_or(0) & 1 == 1;
                // A miner that forgot its timeout in this subround sends it again.
                let forgot = !self.protocol.rules.is_durable() && self.state.miners[host].timed_out() == 0;
                if !sent || forgot {
                    self.perform(Action::Timeout { miner })?;
                }
            }
            // A vote counts when it is decided, a block when its record is, a certificate when it moves somebody.
            Said::Vote(_)
            | Said::Proposal(_)
            | Said::Notarization(_)
            | Said::TimeoutCertificate(_)
            | Said::FinalityCertificate(_)
            | Said::Evidence(_)
            | Said::Blocks(_)
            | Said::Unsigned => {}
        }
        Ok(())
    }

    fn milestone<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        milestone: &Milestone,
    ) -> Result<(), Finding> {
        let who = Peer::Miner(world.hosts[host].id);
        let miner = host as u8;
        let rounds = u64::from(self.protocol.blocks.rounds);
        match milestone {
            Milestone::Notarized { ticket, .. } => {
                let block = self.place(world, who, &ticket.block)?;
                if block != GENESIS && self.state.block(block).notarized() == 0 {
                    self.perform(Action::Notarize { block })?;
                }
            }
            Milestone::Left { block, .. } => {
                let block = self.place(world, who, block)?;
                self.perform(Action::Leave { miner, block })?;
            }
            Milestone::Adopted { round, block } => {
                if round.0 < rounds {
                    let block = self.place(world, who, block)?;
                    self.perform(Action::Adopt { miner, block })?;
                }
            }
            Milestone::Entered { round, subround } => {
                self.enter_locally(world, host, *round, *subround)?;
                let m = &self.state.miners[host];
                let here = (Round(m.round().into()), m.subround());
                if here != (*round, subround.0) && round.0 <= rounds {
                    let subround = subround.0.min(u8::MAX.into()) as u8;
                    self.perform(Action::EnterSubround { miner, subround })?;
                }
            }
            Milestone::Finalized { block, .. } => self.finalize(world, host, who, block)?,
            // The decision behind it is the action, or nothing of it is in the model.
            Milestone::Beacon { .. }
            | Milestone::Proposed(_)
            | Milestone::Collected { .. }
            | Milestone::Ticketed(_)
            | Milestone::Switched { .. }
            | Milestone::Jumped { .. }
            | Milestone::Voted(_)
            | Milestone::TimedOut(_) => {}
        }
        Ok(())
    }

    /// A head moves: asked of the model as of an observer that has this participant's head. Nothing in the state depends on
    /// observers, so the state stays as it is.
    fn finalize<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        observer: usize,
        who: Peer,
        id: &BlockId,
    ) -> Result<(), Finding> {
        let block = self.place(world, who, id)?;
        let mut view = self.state;
        view.set_head(0, self.heads[observer]);
        let action = Action::Finalize { observer: 0, block };
        if let Err(guard) = self.protocol.enabled(&view, &action) {
            let deed = format!("{who}, as {}", self.protocol.deed(&view, &action));
            return Err(Finding::Disabled { action, deed, guard });
        }
        self.heads[observer] = block;
        Ok(())
    }
}

/// Whether a step stores the block of a record with this output: right before it decides to sign the record.
fn stores(output: &Output, record: &LogRecord) -> bool {
    matches!(output, Output::Store { stored: Stored::Block(block), .. } if block.id().0 == record.block)
}

//! Obligations for messages that come before the block that they need: keep proposals, ask for the block, go on once it is
//! here.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{Peer, Round};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Output, Timer};

use super::{Life, Obligations, Violation};
use crate::schedule::told_position;
use crate::world::{Cause, World, record_of};

impl Obligations {
    /// Obligations of steps 1 and 3 and of L4 in a round whose blocks may come late.
    pub fn arriving<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        heard: Option<&(Peer, Message)>,
        outputs: &[Output],
    ) -> Option<Violation> {
        if !world.hosts[host].up || world.is_parked(host) {
            return None;
        }
        self.shares_late(world, host)
            .or_else(|| self.collects(world, host, heard))
            .or_else(|| self.asks(world, host, cause, outputs))
    }

    /// Step 1: a chained beacon signs the value of the block before, so the share is owed as soon as that block is here.
    fn shares_late<S: Scheme + Clone>(&self, world: &World<S>, host: usize) -> Option<Violation> {
        let found = &world.hosts[host];
        let (miner, entry) = (&found.miner, found.miner.entry());
        let memory = &self.lives.get(host)?.memory;
        if !world.ground.setup.chained()
            || !memory.leads_to_head(world, host, miner.round().previous()?, entry)
        {
            return None;
        }
        let cap = world.ground.config.subround_cap().unwrap_or(miner.subround());
        let owed = (miner.round(), miner.subround().min(cap), entry);
        (!found.shared.contains(&owed)).then(|| Violation {
            property: "step 1",
            facts: format!(
                "{} has the block before {} and sends no share",
                found.id,
                told_position((owed.0, owed.1))
            ),
        })
    }

    /// Step 3: the block of an honest generator for the own subround, on the block through which the miner is in this round,
    /// is a candidate: at once, or under a chained beacon, which orders the generators by what is in that block, once it is here.
    fn collects<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        heard: Option<&(Peer, Message)>,
    ) -> Option<Violation> {
        let found = &world.hosts[host];
        let (miner, setup) = (&found.miner, &world.ground.setup);
        // Without a log a restarted generator may make a second block, and neither counts.
        let may_repeat = !setup.rules.is_durable() && world.crashes > 0;
        let (round, subround) = (miner.round(), miner.subround());
        let life = self.life(host);
        if let Some((Peer::Miner(from), message @ Message::Proposal(proposal))) = heard
            && proposal.block.header().generator == *from
            && *from != found.id
            && let Some(record) = record_of(message)
            && world.host_of(*from).is_some_and(|other| world.hosts[other].has_said(&record))
        {
            // One of each generator is kept.
            life.arriving.retain(|(generator, _)| generator != from);
            life.arriving.push((*from, proposal.block.id()));
        }
        let before = round.previous()?;
        let mut lost = None;
        let Life { memory, arriving, .. } = life;
        arriving.retain(|(generator, id)| {
            let Some(block) = world.block(id) else { return false };
            let parent = block.header().parent;
            if block.round() != round {
                return block.round() > round;
            }
            if setup.chained() && !memory.leads_to_head(world, host, before, parent) {
                return true;
            }
            let due = block.subround() == subround && parent == miner.entry() && !may_repeat;
            if due && miner.candidates(round, subround).all(|(known, _)| known != *id) {
                lost = Some(format!("{} does not collect {id}, which {generator} made", found.id));
            }
            false
        });
        lost.map(|facts| Violation { property: "step 3", facts })
    }

    /// L4: while the block through which a miner is in its round, or one on which a candidate stands, is not here, a timer runs that
    /// asks for it, and asks when it fires; and nobody asks for what is here.
    fn asks<S: Scheme + Clone>(
        &self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        outputs: &[Output],
    ) -> Option<Violation> {
        let found = &world.hosts[host];
        let miner = &found.miner;
        let before = miner.round().previous()?;
        let memory = &self.lives.get(host)?.memory;
        let wrong = |facts| Some(Violation { property: "L4", facts });
        let requests = || {
            outputs.iter().filter_map(|output| match output {
                Output::Send { message: Message::ChainRequest(request), .. } => Some(request),
                _ => None,
            })
        };
        // A pending final block is needed until it is final, though its round was not left yet.
        let pending = miner.pending_finality().map(|known| known.block);
        let here =
            requests().filter_map(|request| request.tip).filter(|tip| Some(*tip) != pending).find(|tip| {
                world.block(tip).is_some_and(|block| memory.leads_to_head(world, host, block.round(), *tip))
            });
        if let Some(here) = here {
            return wrong(format!("{} asks for {here}, which it has", found.id));
        }
        let parents = miner.candidates(miner.round(), miner.subround()).filter_map(|(block, _)| {
            let block = miner.block(miner.round(), block)?;
            Some(block.header().parent)
        });
        let missing = std::iter::once(miner.entry())
            .chain(parents)
            .find(|&block| before > miner.finalized().round() && miner.block(before, block).is_none())?;
        if !found.timers.iter().any(|(_, timer)| *timer == Timer::CatchUp) {
            return wrong(format!("{} has no timer to ask for {missing}", found.id));
        }
        if cause == Cause::Timer(Timer::CatchUp) && requests().next().is_none() {
            return wrong(format!("{} does not ask for {missing}", found.id));
        }
        None
    }
}

/// Whether a block of `round` is here, with all that is between it and the finalized head: of any participant, told by its blocks.
pub(super) fn descends_to<'a>(
    head: &Block,
    mut round: Round,
    mut block: BlockId,
    known: impl Fn(Round, BlockId) -> Option<&'a Arc<Block>>,
) -> bool {
    while round > head.round() {
        let (Some(found), Some(before)) = (known(round, block), round.previous()) else { return false };
        (round, block) = (before, found.header().parent);
    }
    round == head.round() && block == head.id()
}

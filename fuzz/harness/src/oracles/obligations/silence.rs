//! Steps that say nothing, or do nothing, where the protocol wants something.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{Round, Subround};
use zus_bpp::crypto::ranks::Rank;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output, Phase, Timer};
use zus_bpp::ticket_log::Kind;

use super::memory::is_closed;
use super::{Obligations, Violation};
use crate::schedule::told_record;
use crate::world::{Cause, World, record_of};

impl Obligations {
    /// Whether a miner has left a round as far as its signatures say.
    fn has_closed<S: Scheme + Clone>(&mut self, world: &World<S>, host: usize, round: Round) -> bool {
        is_closed(&world.hosts[host], &self.life(host).memory.decided, round)
    }

    /// Steps that say nothing where something has to be said.
    pub(super) fn idle<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        outputs: &[Output],
    ) -> Option<Violation> {
        let miner = &world.hosts[host].miner;
        let (id, round, subround) = (world.hosts[host].id, miner.round(), miner.subround());
        let wrong = |property, facts| Some(Violation { property, facts });
        let says = |is: &dyn Fn(&Output) -> bool| outputs.iter().any(is);
        // Step 1: a share is sent on entering a round.
        let enters = |output: &Output| matches!(output, Output::Milestone(Milestone::Entered { round: r, subround: Subround(0) }) if *r == round);
        let shares = |output: &Output| matches!(output, Output::Broadcast { message: Message::BeaconShare(share), .. } if share.target.round() == round);
        // A chained beacon signs the value of the block before, which may be missing.
        let can_share = !world.ground.setup.chained()
            || round == Round(1)
            || round
                .previous()
                .is_some_and(|before| self.life(host).memory.has(miner, before, miner.entry()));
        if says(&enters) && can_share && !says(&shares) {
            return wrong("step 1", format!("{id} enters round {round} and sends no share"));
        }
        // Step 4: of a candidate that extends the finalized head the application is asked, whatever became known first.
        let asked = outputs.iter().filter_map(|output| match output {
            Output::Validate { block } => Some(block.id()),
            _ => None,
        });
        let life = self.life(host);
        life.asked.extend(asked);
        let head = miner.finalized();
        let extends = |block: &BlockId| {
            world.block(block).is_some_and(|found| {
                found.header().parent == head.id() && found.header().time >= head.header().time
            })
        };
        let known = life.candidates.iter().map(|(block, _)| *block);
        if life.here == (round, subround)
            && let Some(block) = known.filter(extends).find(|block| !life.asked.contains(block))
        {
            return wrong(
                "step 4",
                format!("{id} does not let the application judge {block}, a child of its head"),
            );
        }
        // Step 5: after the window the first accepted candidate is ticketed.
        if let Cause::Accepted(block) = cause
            && (miner.phase() == Phase::Ticketing
                || self.life(host).memory.waits_for_blocks(&world.hosts[host], round, subround)
                    && !self.has_closed(world, host, round))
            && self.life(host).candidates.iter().any(|(known, rank)| {
                let rule = world.ground.setup.rules.ticket;
                *known == block && rule.allows([], Rank((*rank).into()))
            })
            && miner.ticketed(round, subround).next().is_none()
        {
            return wrong("step 5", format!("{id} does not ticket {block}, which came after the window"));
        }
        // Step 9: whoever has given a subround up has decided to say so.
        let gave_up = miner.highest_timeout().map(|timeout| (timeout.round, timeout.subround));
        if miner.phase() == Phase::TimedOut
            && !self.has_closed(world, host, round)
            && gave_up < Some((round, subround))
        {
            return wrong(
                "step 9",
                format!("{id} does nothing in ({round}, {subround}) and has not given it up"),
            );
        }
        // L3: while nothing moves, a miner says its position again and again.
        let again = |output: &Output| matches!(output, Output::SetTimer { timer: Timer::Resend { .. }, .. });
        if cause == Cause::Timer(Timer::Resend { round, subround }) {
            if !says(&again) {
                return wrong("L3", format!("{id} stops saying its position in ({round}, {subround})"));
            }
            // Its records here, and its newest vote above the head, since votes finalize the blocks below them too.
            let said = world.hosts[host].said.iter();
            let here = said.clone().filter(|record| {
                (record.round, record.subround) == (round, subround) && record.kind != Kind::FinalityVote
            });
            let votes = said.filter(|record| {
                record.kind == Kind::FinalityVote && record.round > miner.finalized().round()
            });
            let newest = votes.max_by_key(|record| record.round);
            // Without a log a restarted miner does not know what it has said.
            let forgot = !world.ground.setup.rules.is_durable() && world.crashes > 0;
            let unsaid = here.chain(newest).find(|record| {
                !forgot
                    && !says(&|output: &Output| matches!(output, Output::Broadcast { message, .. } if record_of(message).as_ref() == Some(record)))
            });
            if let Some(record) = unsaid {
                return wrong("L3", format!("{id} does not say {} again", told_record(record)));
            }
        }
        None
    }
}

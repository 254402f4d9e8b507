//! Obligations of each output of a step: the outputs that have to come before it, and the forms that it may not have.

use std::hash::{Hash, Hasher};

use rapidhash::fast::RapidHasher;
use zus_bpp::block::{BlockId, Time};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output, Timer};
use zus_bpp::ticket_log::LogRecord;

use super::super::guilty::guilty;
use super::{Obligations, Violation};
use crate::schedule::{told_cause, told_members, told_timer, told_with_signers};
use crate::world::{Cause, World};

/// Proofs against one miner that are kept and relayed, at most.
const PROOFS: usize = 4;

impl Obligations {
    pub(super) fn output<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        output: &Output,
        before: &[Output],
    ) -> Option<Violation> {
        let id = world.hosts[host].id;
        let wrong = |property, facts| Some(Violation { property, facts });
        let life = self.life(host);
        match output {
            Output::Milestone(Milestone::Entered { round, subround }) => {
                if round.0 != life.here.0.0 {
                    life.collected.clear();
                }
                life.here = (*round, *subround);
                life.candidates.clear();
                life.forget((*round, *subround));
                // Step 9: the certificate through which the subround was entered is relayed.
                let certificate = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::TimeoutCertificate(known), .. }
                        if known.round == *round && known.subround.0 + 1 == subround.0)
                };
                // Without an echo only whoever made it broadcasts it, which is not said by an output.
                let rules = &world.ground.setup.rules;
                let owes = !rules.enters_alone() && rules.relays();
                if subround.0 > 0 && cause != Cause::Start && owes && !before.iter().any(certificate) {
                    return wrong(
                        "step 9",
                        format!("{id} enters ({round}, {subround}) and relays no certificate"),
                    );
                }
            }
            Output::Milestone(Milestone::Left { round, block, .. }) => {
                // Step 7: everyone relays the notarization that makes it move.
                let notarization = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::Notarization(known), .. }
                        if known.block == *block)
                };
                let formed = |output: &Output| {
                    matches!(output, Output::Milestone(Milestone::Notarized { ticket, formed: true })
                        if ticket.block == *block)
                };
                // Without an echo only whoever made it broadcasts it.
                let owes = world.ground.setup.rules.relays() || before.iter().any(formed);
                if owes && !before.iter().any(notarization) {
                    return wrong(
                        "step 7",
                        format!("{id} leaves round {round} and does not relay the notarization"),
                    );
                }
            }
            Output::Milestone(Milestone::Collected { block, generator, .. }) => {
                life.collected.push(block.block);
                if (block.round, block.subround) == life.here
                    && let Some(rank) =
                        world.ground.rank(block.round.0, block.subround.0, &world.seed_of(host), *generator)
                {
                    life.candidates.push((block.block, rank));
                }
                return self.parent(world, host, block.block);
            }
            // Another seed, another order of generators: the candidates of the old one are none any more.
            Output::Milestone(Milestone::Adopted { .. }) => {
                life.candidates.clear();
                life.collected.clear();
            }
            // Steps 3 and 9, L3, L4: waits are those of the configuration, and grow with the subround.
            Output::SetTimer { timer, at } => {
                let timing = &world.ground.config.timing;
                let times = |subround: Subround| subround.0.saturating_add(1);
                let waits = match timer {
                    Timer::Window { subround, .. } => timing.window * times(*subround),
                    Timer::Wait { subround, .. } => (timing.window + timing.ticket_wait) * times(*subround),
                    Timer::Resend { .. } => timing.resend,
                    Timer::CatchUp => timing.catch_up,
                    Timer::Finality { .. } => 2 * timing.delta,
                };
                if *at != world.now + waits {
                    let found = at.0.saturating_sub(world.now.0);
                    return wrong(
                        "timers",
                        format!("{id} waits {found} ms, not {waits:?}, for {}", told_timer(timer)),
                    );
                }
            }
            // S10: nobody honest is blamed. Messages of honest peers are not refused, and their signatures are right.
            Output::Refused { from: Peer::Miner(from), refusal } if world.host_of(*from).is_some() => {
                return wrong("S10", format!("{id} refuses what {from} sent: {refusal}"));
            }
            Output::Blamed(signer) if world.host_of(*signer).is_some() => {
                return wrong("S10", format!("{id} blames {signer}"));
            }
            // S10: evidence is relayed to all.
            Output::Evidence(evidence) => {
                let relayed = |output: &Output| matches!(output, Output::Broadcast { message: Message::Evidence(known), .. } if known == evidence);
                if !before.iter().any(relayed) {
                    return wrong("S10", format!("{id} keeps evidence to itself"));
                }
                // One proof convicts: how many are kept and relayed is bounded.
                let guilty = guilty(evidence);
                let known = |member: &MinerId| life.proofs.get(member).copied().unwrap_or_default();
                if guilty.iter().all(|member| known(member) >= PROOFS) {
                    return wrong(
                        "S10",
                        format!("{id} relays more than {PROOFS} proofs against {}", told_members(guilty)),
                    );
                }
                guilty.into_iter().for_each(|member| *life.proofs.entry(member).or_default() += 1);
            }
            // A message is repeated only when nothing moves.
            Output::Broadcast { message, .. } => {
                let mut hasher = RapidHasher::default();
                message.hash(&mut hasher);
                let again = !life.said.insert(hasher.finish());
                let may = matches!(cause, Cause::Start | Cause::Timer(Timer::Resend { .. }));
                if again && !may {
                    return wrong(
                        "said twice",
                        format!(
                            "{id} says again, after {}: {}",
                            told_cause(&cause),
                            told_with_signers(message)
                        ),
                    );
                }
            }
            Output::Send { to, message: Message::ChainResponse(_) } => {
                let last = life.answered.insert(*to, world.now.0);
                let interval = world.ground.config.timing.answer_interval;
                if last.is_some_and(|last| world.now < Time(last) + interval) {
                    return wrong("answers", format!("{id} answers {to} twice within {interval:?}"));
                }
            }
            Output::Send { .. }
            | Output::Refused { .. }
            | Output::Blamed(_)
            | Output::Persist { .. }
            | Output::Store { .. }
            | Output::RequestPayload { .. }
            | Output::Validate { .. }
            | Output::Finalized(_)
            | Output::HandedOver(_)
            | Output::Serve { .. }
            | Output::ServeStored { .. }
            | Output::Load { .. }
            | Output::Conflict { .. }
            | Output::Withheld(_)
            | Output::Milestone(
                Milestone::Beacon { .. }
                | Milestone::Proposed(_)
                | Milestone::Ticketed(_)
                | Milestone::Notarized { .. }
                | Milestone::Switched { .. }
                | Milestone::Jumped { .. }
                | Milestone::Voted(_)
                | Milestone::TimedOut(_)
                | Milestone::Finalized { .. },
            ) => {}
        }
        None
    }

    /// Step 4 (S3): a candidate's parent is notarized in exactly the round before.
    fn parent<S: Scheme + Clone>(&self, world: &World<S>, host: usize, block: BlockId) -> Option<Violation> {
        let id = world.hosts[host].id;
        let found = world.block(&block)?;
        let (round, parent) = (found.round(), found.header().parent);
        // S9: its beacon signature, which the id does not cover, is the committee's.
        if world.ground.beacon_of(round).is_some_and(|(signature, _)| signature != *found.beacon_signature())
        {
            let facts = format!("{id} takes {block} with another beacon signature as a candidate");
            return Some(Violation { property: "S9", facts });
        }
        let genesis = round == Round(1) && parent == world.ground.config.genesis.id();
        let notarized =
            world.notarized.iter().any(|known| known.block == parent && known.round.next() == round);
        // Of a block beside the final one nobody says that it is notarized, but enough members have signed it.
        let beside_head = || {
            let parent = world.block(&parent)?;
            let record = LogRecord::ticket(parent.round(), parent.subround(), parent.id().0);
            let (honest, byzantine) = world.signers(&record);
            let decided = parent.round().next() == round
                && parent.round() <= world.hosts[host].miner.finalized().round();
            Some(decided && honest + byzantine >= world.ground.setup.quorum())
        };
        (!genesis && !notarized && beside_head() != Some(true)).then(|| Violation {
            property: "S3",
            facts: format!("{id} takes {block} of round {round} as a candidate, whose parent is not notarized in the round before"),
        })
    }
}

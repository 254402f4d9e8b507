//! Obligations of a miner that follow from the messages that it has heard.

use zus_bpp::block::BlockId;
use zus_bpp::certified::Notarization;
use zus_bpp::committee::{MinerId, Peer, Round};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output, Phase, Timer};
use zus_bpp::rules::Rules;
use zus_bpp::statement::BeaconTarget;
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::super::genuine::is_signed;
use super::super::guilty::guilty;
use super::super::{Violation, beacon_threshold, tolerated};
use super::memory::Memory;
use super::{Obligations, ROUNDS_HELD};
use crate::schedule::{told_position, told_record};
use crate::world::{World, record_of, signer_of};

impl Obligations {
    /// Obligations of a miner that follow from the messages that it has heard. Only signatures of honest miners that came
    /// straight from them are counted here, so that no bound on what peers may fill protects a miner that does nothing.
    pub fn heard<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        heard: Option<&(Peer, Message)>,
        outputs: &[Output],
    ) -> Option<Violation> {
        let found = &world.hosts[host];
        let (id, here) = (found.id, (found.miner.round(), found.miner.subround()));
        let (q, f) = (world.ground.setup.quorum(), tolerated(world.ground.setup.miners));
        let wrong = |property, facts| Some(Violation { property, facts });
        if let Some((from, message)) = heard
            && let Some(facts) = self.culprit(world, host, *from, message)
        {
            return wrong("S10", facts);
        }
        let life = self.life(host);
        if let Some((from, message)) = heard {
            if let (Peer::Miner(signer), Message::BeaconShare(share)) = (*from, message)
                && let BeaconTarget::Round(round) = share.target
                && share.signer == signer
                && signer != id
                && world.host_of(signer).is_some_and(|other| has_shared(world, other, round))
                && (here.0.0..=here.0.0 + ROUNDS_HELD).contains(&round.0)
                && !life.shares.contains(&(signer, round))
            {
                life.shares.push((signer, round));
            }
            if let Some(record) = record_of(message)
                && record.kind != Kind::Proposal
                && let Peer::Miner(signer) = *from
                && signer != id
                && world.host_of(signer).is_some_and(|other| world.hosts[other].has_said(&record))
                && signer_of(message) == Some(signer)
                && record.round.0 <= here.0.0 + ROUNDS_HELD
                && !life
                    .heard
                    .iter()
                    .any(|(by, old)| *by == signer && instead_of(&world.ground.setup.rules, old, &record))
            {
                life.heard.push((signer, record));
            }
            // Step 9: a proposal of a later subround shows that the one before was given up, where that takes a certificate.
            if !world.ground.setup.rules.enters_alone()
                && let Message::Proposal(proposal) = message
                && let Some(before) = proposal.block.subround().previous()
                && !proposal.timeout_certificate.as_ref().is_some_and(|known| {
                    (known.round, known.subround) == (proposal.block.round(), before)
                })
                && outputs.iter().any(|output| matches!(output, Output::Milestone(Milestone::Collected { block, .. }) if block.block == proposal.block.id()))
            {
                return wrong(
                    "step 9",
                    format!("{id} takes {} without a timeout certificate", proposal.block.id()),
                );
            }
            // Step 10: the certificate that makes a block final here is relayed.
            if let Message::FinalityCertificate(known) = message {
                let finalizes = |output: &Output| matches!(output, Output::Milestone(Milestone::Finalized { block, .. }) if *block == known.block);
                let relays = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::FinalityCertificate(_), .. })
                };
                let echoes = world.ground.setup.rules.relays();
                if echoes && outputs.iter().any(finalizes) && !outputs.iter().any(relays) {
                    return wrong(
                        "step 10",
                        format!("{id} does not relay the finality certificate of {}", known.block),
                    );
                }
            }
            // S10: whoever is helped to catch up is told of offences, too: it was not there when they were proved.
            if let (Peer::Miner(_), Message::ChainRequest(_)) = (from, message) {
                let to = |output: &Output, is: fn(&Message) -> bool| matches!(output, Output::Send { to, message } if to == from && is(message));
                let helps =
                    |output: &Output| to(output, |message| matches!(message, Message::ChainResponse(_)));
                let tells = |member: MinerId| {
                    outputs.iter().any(|output| match output {
                        Output::Send { to, message: Message::Evidence(proof) } => {
                            to == from && guilty(proof).contains(&member)
                        }
                        _ => false,
                    })
                };
                // L4: an answer begins right above what was asked for.
                if let Message::ChainRequest(request) = message {
                    let first = outputs.iter().find_map(|output| match output {
                        Output::Send { to, message: Message::ChainResponse(response) } if to == from => {
                            response.blocks.first()
                        }
                        _ => None,
                    });
                    if let Some(first) = first.filter(|first| first.round() != request.after.next()) {
                        let (asked, begins) = (request.after, first.round());
                        return wrong(
                            "L4",
                            format!("{id} is asked for what is above {asked} and answers from {begins} on"),
                        );
                    }
                }
                if outputs.iter().any(helps)
                    && let Some(untold) = life.memory.convicted.iter().find(|member| !tells(**member))
                {
                    return wrong(
                        "S10",
                        format!("{id} helps {from} and does not tell what it can prove against {untold}"),
                    );
                }
            }
            // Step 8: a notarization of its round or a later one makes it leave.
            if let Message::Notarization(known) = message
                && is_genuine(world, known)
                && here.0 <= known.round
            {
                return wrong(
                    "step 8",
                    format!("{id} stays in round {} with a notarization of round {}", here.0, known.round),
                );
            }
        }
        // Step 10: q votes for a block make it final, or wait for what leads to it.
        let known = found.miner.pending_finality().map_or(Round(0), |pending| pending.round);
        let known = known.max(found.miner.finalized().round());
        for (_, vote) in life.heard.iter().filter(|(_, record)| record.kind == Kind::FinalityVote) {
            let others = life.heard.iter().filter(|(_, record)| record == vote).count();
            // Without a log a restarted miner does not know its own vote any more.
            let durable = world.ground.setup.rules.is_durable();
            // And with one it says only its newest votes again, which make final what is below.
            let later = |old: &LogRecord| old.kind == Kind::FinalityVote && old.round > vote.round;
            let knows = durable && (found.restarts == 0 || !found.said.iter().any(later));
            let count = others + usize::from(knows && found.has_said(vote));
            if vote.round > known && count >= q {
                return wrong(
                    "step 10",
                    format!(
                        "{id} has heard {} from {count} members, and nothing is final",
                        told_record(vote)
                    ),
                );
            }
        }
        if world.is_parked(host) || !found.up {
            return None;
        }
        // Step 1: n - f shares make the value, whatever else was sent as a share.
        let others = life.shares.iter().filter(|(_, round)| *round == here.0).count();
        let shares = others + usize::from(has_shared(world, host, here.0));
        if !world.ground.setup.chained()
            && shares >= beacon_threshold(world.ground.setup.miners)
            && found.miner.beacon().is_none()
        {
            return wrong(
                "step 1",
                format!("{id} has {shares} genuine shares of round {}, and no value", here.0),
            );
        }
        // Chained: all follow the greatest seed among the notarized blocks of the round before.
        if let Some(block) = better_entry(world, host, &life.memory) {
            return wrong(
                "adopt",
                format!("{id} stays with {} where {block} has a greater seed", found.miner.entry()),
            );
        }
        let mut counted: Vec<(LogRecord, usize)> = Vec::new();
        let of_here =
            |record: &LogRecord| (record.round, record.subround) == here && record.kind != Kind::FinalityVote;
        for (_, record) in life.heard.iter().filter(|(_, record)| of_here(record)) {
            match counted.iter_mut().find(|(known, _)| known == record) {
                Some((_, count)) => *count += 1,
                None => counted.push((*record, 1)),
            }
        }
        for (record, others) in counted {
            // Without a log a restarted miner does not know its own signature any more.
            let forgot = !world.ground.setup.rules.is_durable()
                && match record.kind {
                    Kind::Ticket | Kind::Proposal | Kind::FinalityVote => {
                        !life.memory.decided.contains(&record)
                    }
                    Kind::Timeout => {
                        let timeouts = life.memory.decided.iter().filter(|known| known.kind == Kind::Timeout);
                        timeouts.max_by_key(|known| (known.round, known.subround)) != Some(&record)
                    }
                };
            let own = usize::from(found.has_said(&record) && !forgot);
            match record.kind {
                // Step 6: q tickets make a notarization, the own one among them.
                Kind::Ticket if others + own >= q => {
                    return wrong(
                        "step 6",
                        format!(
                            "{id} stays in {} with {others} + {own} tickets for one block",
                            told_position(here)
                        ),
                    );
                }
                // Step 9: f + 1 make it join, q let it go on.
                Kind::Timeout
                    if others > f && found.miner.phase() != Phase::TimedOut && joins(world, host) =>
                {
                    return wrong(
                        "step 9",
                        format!("{id} does not join {others} others that gave {} up", told_position(here)),
                    );
                }
                Kind::Timeout if others + own >= q => {
                    return wrong(
                        "step 9",
                        format!("{id} stays in {} with {others} + {own} timeouts", told_position(here)),
                    );
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether a statement is not counted beside an earlier one of the same signer: the same, or one that contradicts it. (An honest
/// miner without a log contradicts itself after a crash.)
fn instead_of(rules: &Rules, old: &LogRecord, new: &LogRecord) -> bool {
    let same_subround = (old.round, old.subround) == (new.round, new.subround);
    old == new
        || old.kind == new.kind
            && match new.kind {
                Kind::Ticket => same_subround && rules.tickets_once(),
                Kind::FinalityVote => old.round == new.round,
                Kind::Proposal | Kind::Timeout => false,
            }
}

/// Whether an honest miner has sent its share of a round.
fn has_shared<S: Scheme + Clone>(world: &World<S>, host: usize, round: Round) -> bool {
    world.hosts[host].shared.iter().any(|(known, ..)| *known == round)
}

/// A notarized block of the round before, here with its certificate, whose seed is greater than that of the block through which
/// a miner is in its round: under a chained beacon it has to adopt that one.
fn better_entry<S: Scheme + Clone>(world: &World<S>, host: usize, memory: &Memory) -> Option<BlockId> {
    let rules = &world.ground.setup.rules;
    if !world.ground.setup.chained() || !rules.adopts() {
        return None;
    }
    let miner = &world.hosts[host].miner;
    let before = miner.round().previous()?;
    // Subrounds of two branches from where they part, oldest first, if all their blocks are here.
    let branches = |mut a: BlockId, mut b: BlockId| {
        let (mut round, mut of_a, mut of_b) = (before, Vec::new(), Vec::new());
        while a != b {
            let known = |block: BlockId| world.block(&block).filter(|_| memory.has(miner, round, block));
            let (first, second) = (known(a)?, known(b)?);
            of_a.insert(0, first.subround());
            of_b.insert(0, second.subround());
            (a, b) = (first.header().parent, second.header().parent);
            round = round.previous()?;
        }
        Some((of_a, of_b))
    };
    memory
        .notarized(miner, before)
        .into_iter()
        .find(|block| branches(*block, miner.entry()).is_some_and(|(other, own)| other > own))
}

/// Whether every signer of a notarization has signed it, and there are enough of them.
pub(super) fn is_genuine<S: Scheme + Clone>(world: &World<S>, known: &Notarization) -> bool {
    let record = LogRecord::ticket(known.round, known.subround, known.block.0);
    is_signed(world, &record, &known.certificate)
}

/// Whether the bounds of the world let a miner give its subround up. (Nobody gives the last one up there.)
fn joins<S: Scheme + Clone>(world: &World<S>, host: usize) -> bool {
    let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
    world.may_fire(host, &Timer::Wait { round, subround })
}

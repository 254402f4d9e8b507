//! Obligations of the sharder: to store final blocks as soon as it can, to look for missing ones, and to serve those it has.
//!
//! Of notarizations and answers only those are counted that honest miners send it straight; of finality certificates all that it
//! does not refuse.

use std::collections::{BTreeMap, BTreeSet};

use zus_bpp::block::{BlockId, Time};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::committee::{Peer, Round};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::{ChainRequest, ChainResponse, Message};
use zus_bpp::rules::FinalityRule;
use zus_bpp::sharder::{SharderInput, SharderOutput, SharderTimer};
use zus_bpp::ticket_log::LogRecord;

use super::Violation;
use super::arriving::descends_to;
use super::finality::due;
use super::hearing::is_genuine;
use zus_sim::messages::{Said, said};

use crate::oracles::genuine::is_signed;
use crate::world::{Archive, World};

/// The known facts about the sharder's obligations.
#[derive(Clone, Debug, Default)]
pub struct ArchiveObligations {
    /// Its finalized head before this step; `None`: genesis.
    head: Option<(Round, BlockId)>,
    /// The highest block that was shown to be final; `None`: no block was.
    certified: Option<(Round, BlockId)>,
    /// The highest round of which anybody has shown it a genuine finality certificate. It keeps the highest one only.
    claimed: Round,
    /// The first notarized block of the highest round of which an honest miner has shown one.
    notarized: Option<(Round, BlockId)>,
    /// Rounds above its head of which it knew a notarization before this step.
    known: Vec<Round>,
    /// Notarized blocks above its head of which it was sent a genuine notarization.
    noted: BTreeSet<(Round, BlockId)>,
    /// Notarized blocks above its head that it was shown, by anybody, straight or inside of something.
    shown: BTreeSet<(Round, BlockId)>,
    /// When it last served a peer, or looked whether it can.
    served: BTreeMap<Peer, u64>,
    /// Peers that it has asked and that have not answered.
    asked: Vec<Peer>,
    /// The gap that it has reported last.
    reported: Option<(Round, Round)>,
}

impl ArchiveObligations {
    /// Judges one step. Returns the first neglected obligation.
    pub fn judge<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        input: &SharderInput,
        outputs: &[SharderOutput],
    ) -> Option<Violation> {
        let found = world.archive.as_ref()?;
        // Answers that were not asked for are ignored.
        let unasked = matches!(input, SharderInput::Message { from, message: Message::ChainResponse(_) } if !self.asked.contains(from));
        let mut facts = self.outputs(world, unasked, outputs);
        // A peer that has shown faults may not be heard, so only honest miners oblige the sharder.
        let is_honest = |from: &Peer| matches!(from, Peer::Miner(miner) if world.host_of(*miner).is_some());
        if let SharderInput::Message { from, message } = input {
            self.remember(world, message, is_honest(from));
        }
        match input {
            SharderInput::Message { from, message } => {
                let refused = outputs.iter().any(|output| matches!(output, SharderOutput::Refused { .. }));
                let by_votes = world.ground.setup.rules.votes();
                let honest = is_honest(from);
                facts = facts.or_else(|| match message {
                    Message::ChainRequest(request) => self.serves(world, found, *from, request, outputs),
                    // A certificate that is not refused was verified, or is no higher than one that was.
                    Message::FinalityCertificate(known) if honest && !refused && by_votes => {
                        self.certify(known.round, known.block);
                        None
                    }
                    _ if !honest => None,
                    Message::Notarization(known) => {
                        let first = known.round > self.height() && !self.known.contains(&known.round);
                        let vain = first && !waits_for_others(world, known.round, outputs);
                        if known.round > self.notarized.map_or(Round(0), |(round, _)| round) {
                            self.notarized = Some((known.round, known.block));
                        }
                        let lost = known.round > found.sharder.finalized().round()
                            && found.sharder.notarizations().all(|other| other.block != known.block);
                        if vain {
                            Some(("step 10", format!("does not wait for others of round {}", known.round)))
                        } else {
                            lost.then(|| ("L4", format!("forgets the notarization of {}", known.block)))
                        }
                    }
                    Message::ChainResponse(response) => {
                        let lost = if unasked { None } else { self.stores(world, found, response) };
                        lost.map(|facts| ("L5", facts))
                    }
                    _ => None,
                });
                if let Message::ChainResponse(response) = message {
                    if let Some(known) =
                        response.finality.as_ref().filter(|_| honest && !refused && by_votes && !unasked)
                    {
                        self.certify(known.round, known.block);
                    }
                    self.asked.retain(|peer| peer != from);
                }
            }
            SharderInput::Timer(timer) => {
                facts =
                    facts.or_else(|| self.looks(world.ground.setup.rules.finality, *timer, found, outputs));
            }
            SharderInput::Bytes { .. } | SharderInput::Handoff(_) => {}
        }
        facts = facts.or_else(|| self.waits(found));
        for output in outputs {
            if let SharderOutput::Send { to, message: Message::ChainRequest(_) } = output
                && !self.asked.contains(to)
            {
                self.asked.push(*to);
            }
        }
        let head = found.sharder.finalized();
        self.head = Some((head.round(), head.id()));
        let height = head.round();
        self.shown.retain(|(round, _)| *round > height);
        self.noted.retain(|(round, _)| *round > height);
        self.known = found.sharder.notarizations().map(|known| known.round).collect();
        self.known.extend(self.noted.iter().map(|(round, _)| *round));
        facts.map(|(property, facts)| Violation { property, facts: format!("the sharder {facts}") })
    }

    /// Notarizations that a message shows, and those that an honest miner shows straight.
    fn remember<S: Scheme + Clone>(&mut self, world: &World<S>, message: &Message, honest: bool) {
        match said(message) {
            Said::Notarization(known) => {
                if is_genuine(world, known) {
                    self.shown.insert((known.round, known.block));
                    if honest {
                        self.noted.insert((known.round, known.block));
                    }
                }
            }
            Said::FinalityCertificate(known) => self.claim(world, known),
            Said::Blocks(response) => {
                response.finality.iter().for_each(|known| self.claim(world, known));
                let inside = response.blocks.iter().filter_map(|block| block.parent_notarization());
                let all = inside.chain([&response.notarization]);
                self.shown.extend(all.map(|known| (known.round, known.block)));
            }
            Said::Proposal(_)
            | Said::Share(_)
            | Said::Ticket(_)
            | Said::Timeout(_)
            | Said::TimeoutCertificate(_)
            | Said::Vote(_)
            | Said::Evidence(_)
            | Said::Unsigned => {}
        }
    }

    /// Blocks of a round that it was shown to be notarized, or admits to know so.
    fn of_round<S: Scheme>(&self, found: &Archive<S>, round: Round) -> BTreeSet<BlockId> {
        let admitted = found.sharder.notarizations().filter(|known| known.round == round);
        let shown = self.shown.iter().filter(|(of, _)| *of == round).map(|(_, block)| *block);
        shown.chain(admitted.map(|known| known.block)).collect()
    }

    fn claim<S: Scheme + Clone>(&mut self, world: &World<S>, known: &FinalityCertificate) {
        let record = LogRecord::finality_vote(known.round, known.subround, known.block.0);
        if known.round > self.claimed && is_signed(world, &record, &known.certificate) {
            self.claimed = known.round;
        }
    }

    fn certify(&mut self, round: Round, block: BlockId) {
        if round > self.certified_round() {
            self.certified = Some((round, block));
        }
    }

    fn certified_round(&self) -> Round {
        self.certified.map_or(Round(0), |(round, _)| round)
    }

    fn height(&self) -> Round {
        self.head.map_or(Round(0), |(round, _)| round)
    }

    /// The obligations and bounds of each output.
    fn outputs<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        unasked: bool,
        outputs: &[SharderOutput],
    ) -> Option<(&'static str, String)> {
        let timing = &world.ground.config.timing;
        for output in outputs {
            match output {
                SharderOutput::SetTimer { timer, at } => {
                    let waits = match timer {
                        SharderTimer::CatchUp => timing.catch_up,
                        SharderTimer::Poll => timing.resend,
                        SharderTimer::Finality { .. } => 2 * timing.delta,
                    };
                    if let SharderTimer::Finality { round } = timer
                        && (!world.ground.setup.rules.waits_before_finality() || self.known.contains(round))
                    {
                        return Some(("timers", format!("waits once more for others of round {round}")));
                    }
                    if *at != world.now + waits {
                        let found = at.0.saturating_sub(world.now.0);
                        let awaited = match timer {
                            SharderTimer::CatchUp => "the time to ask again for missing blocks".to_owned(),
                            SharderTimer::Poll => "the time to poll".to_owned(),
                            SharderTimer::Finality { round } => {
                                format!("the end of the 2Δ wait of round {round}")
                            }
                        };
                        return Some(("timers", format!("waits {found} ms, not {waits:?}, for {awaited}")));
                    }
                }
                SharderOutput::Refused { from: Peer::Miner(from), refusal }
                    if world.host_of(*from).is_some() =>
                {
                    return Some(("S10", format!("refuses what {from} sent: {refusal}")));
                }
                SharderOutput::Gap { from, to }
                    if self.reported.replace((*from, *to)) == Some((*from, *to)) =>
                {
                    return Some(("L4", format!("reports twice that it lacks rounds {from} to {to}")));
                }
                SharderOutput::Finalized(found) if unasked => {
                    return Some(("L5", format!("takes {} from whom it has not asked", found.block.id())));
                }
                _ => {}
            }
        }
        None
    }

    /// L4: a request for what it has is answered, from right above what was asked for, and once in a while.
    fn serves<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        found: &Archive<S>,
        from: Peer,
        request: &ChainRequest,
        outputs: &[SharderOutput],
    ) -> Option<(&'static str, String)> {
        let interval = world.ground.config.timing.answer_interval;
        let may = self.served.get(&from).is_none_or(|last| world.now >= Time(*last) + interval);
        if may {
            self.served.insert(from, world.now.0);
        }
        let answer = outputs.iter().find_map(|output| match output {
            SharderOutput::Send { to, message: Message::ChainResponse(response) } if *to == from => {
                Some(response)
            }
            _ => None,
        });
        let Some(answer) = answer else {
            let owes = may && request.after < found.sharder.finalized().round();
            return owes
                .then(|| ("L4", format!("does not serve {from} what is above round {}", request.after)));
        };
        if !may {
            return Some(("answers", format!("answers {from} twice within {interval:?}")));
        }
        let mut next = request.after.next();
        for block in &answer.blocks {
            let place = (next.0.saturating_sub(1)).saturating_sub(world.ground.setup.begins_at);
            let stored = found.chain.get(usize::try_from(place).unwrap_or(usize::MAX));
            if block.round() != next || stored.is_some_and(|stored| *stored != block.id()) {
                return Some(("L4", format!("serves {} where its block of round {next} is due", block.id())));
            }
            next = next.next();
        }
        None
    }

    /// L5: an answer of an honest peer that closes the gap makes final what is to be final, in the same step.
    fn stores<S: Scheme + Clone>(
        &self,
        world: &World<S>,
        found: &Archive<S>,
        response: &ChainResponse,
    ) -> Option<String> {
        let last = response.blocks.last()?;
        let genesis = (Round(world.ground.setup.begins_at), world.first_block());
        let (round, head) = self.head.unwrap_or(genesis);
        // Where S5 is broken the answer may be another branch.
        let mut lowest = response.blocks.iter().filter(|block| block.round() == round.next());
        if lowest.all(|block| block.header().parent != head) {
            return None;
        }
        let of_last = || {
            let mut known = found.sharder.notarizations().filter(|known| known.round == last.round());
            known.all(|known| known.block == last.id())
        };
        let rules = &world.ground.setup.rules;
        let due = if rules.votes() {
            // While a higher block is known to be final and not here, what is below is not either. A peer that knows
            // another notarized block of the round answers with that one.
            let (round, block) = self.certified.filter(|(round, _)| *round >= self.claimed)?;
            response.blocks.iter().any(|found| found.id() == block).then_some(round)?
        } else {
            let highest = self.notarized.is_none_or(|(highest, _)| last.round() >= highest) && of_last();
            due(rules.finality, last.round(), false, highest)?
        };
        let head = found.sharder.finalized().round();
        (head < due)
            .then(|| format!("gets the chain to round {}, and round {due} is not final", last.round()))
    }

    /// L4: whoever lacks a block, or knows of nothing new, asks when the timer fires; a gap that was not closed is reported.
    fn looks<S: Scheme + Clone>(
        &self,
        rule: FinalityRule,
        timer: SharderTimer,
        found: &Archive<S>,
        outputs: &[SharderOutput],
    ) -> Option<(&'static str, String)> {
        let asks = outputs
            .iter()
            .any(|output| matches!(output, SharderOutput::Send { message: Message::ChainRequest(_), .. }));
        let head = found.sharder.finalized().round();
        match timer {
            SharderTimer::CatchUp if self.certified_round() > head => {
                let gap = (head.next(), self.certified_round());
                if !asks {
                    return Some(("L4", format!("does not ask for rounds {} to {}", gap.0, gap.1)));
                }
                // It may know more than honest miners told it straight.
                let reported = self.reported.is_some_and(|(from, to)| from == gap.0 && to >= gap.1);
                (!reported)
                    .then(|| ("L4", format!("does not report that it lacks rounds {} to {}", gap.0, gap.1)))
            }
            SharderTimer::Poll if !asks && !is_set(found, SharderTimer::CatchUp) => {
                Some(("L4", "does not ask whether there is anything new".into()))
            }
            SharderTimer::CatchUp if !asks && self.lacks(found).is_some() => {
                Some(("L4", "does not ask for the highest notarized block".into()))
            }
            SharderTimer::Finality { round } => {
                let of_round = self.of_round(found, round);
                let admits = |block: &BlockId| {
                    found.sharder.notarizations().any(|known| (known.round, known.block) == (round, *block))
                };
                let knows = |block: &BlockId| self.noted.contains(&(round, *block)) || admits(block);
                let owed = due(rule, round, true, true);
                let due = owed.is_some_and(|owed| owed > found.sharder.finalized().round())
                    && of_round.len() == 1
                    && of_round.iter().all(|block| knows(block) && has(found, round, *block));
                due.then(|| {
                    (
                        "step 10",
                        format!(
                            "has waited for others of round {round}, and what the rule says is not final"
                        ),
                    )
                })
            }
            SharderTimer::CatchUp | SharderTimer::Poll => None,
        }
    }

    /// The highest notarized block, where neither it nor another one of its round or a higher one is here.
    fn lacks<S: Scheme + Clone>(&self, found: &Archive<S>) -> Option<BlockId> {
        let (round, block) =
            self.notarized.filter(|(round, _)| *round > found.sharder.finalized().round())?;
        let mut highest = found.sharder.notarizations().filter(|known| known.round >= round);
        highest.all(|known| !has(found, known.round, known.block)).then_some(block)
    }

    /// L4: it polls for ever, and while something final is not here, a timer runs that asks for it.
    fn waits<S: Scheme + Clone>(&self, found: &Archive<S>) -> Option<(&'static str, String)> {
        if !is_set(found, SharderTimer::Poll) {
            return Some(("L4", "stops polling".into()));
        }
        if is_set(found, SharderTimer::CatchUp) {
            return None;
        }
        if self.certified_round() > found.sharder.finalized().round() {
            return Some((
                "L4",
                format!("knows that round {} is final and does not look for it", self.certified_round()),
            ));
        }
        self.lacks(found)
            .map(|block| ("L4", format!("knows that {block} is notarized and does not look for it")))
    }
}

fn is_set<S>(found: &Archive<S>, timer: SharderTimer) -> bool {
    found.timers.iter().any(|(_, known)| *known == timer)
}

/// Under a rule that waits the first notarization of a round is followed by a wait for others.
fn waits_for_others<S: Scheme + Clone>(world: &World<S>, round: Round, outputs: &[SharderOutput]) -> bool {
    let is = |timer: &SharderTimer| *timer == SharderTimer::Finality { round };
    !world.ground.setup.rules.waits_before_finality()
        || outputs.iter().any(|output| matches!(output, SharderOutput::SetTimer { timer, .. } if is(timer)))
}

/// Whether a block of `round` is here, with all that is between it and the finalized head.
fn has<S: Scheme>(found: &Archive<S>, round: Round, block: BlockId) -> bool {
    descends_to(found.sharder.finalized(), round, block, |round, block| found.sharder.block(round, block))
}

//! The safety properties of PROTOCOL.md by id, judged from what honest participants say, finalize and write.
//!
//! Every block below names its property and reason. The harness records every statement that a Byzantine miner signs,
//! so that a certificate is judged without verifying a signature: each signer must have signed exactly that statement.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::ranks::Rank;
use zus_bpp::crypto::scheme::{BeaconValue, Scheme, Signature};
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output};
use zus_bpp::sharder::SharderOutput;
use zus_bpp::statement::Ticket;
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::Scope;
use super::obligations::{ArchiveObligations, Obligations};
use super::promises;
use crate::schedule::told_record;
use crate::world::{DiskModel, Event, Watch, World, record_of, signer_of};

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Its id.
    pub property: &'static str,
    /// The facts.
    pub facts: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is violated: {}", self.property, self.facts)
    }
}

/// The final chain of a participant, from the round above the one with which the world began; of long ones the end.
#[derive(Clone, Debug, Default)]
struct FinalChain {
    /// Blocks that were forgotten.
    forgotten: usize,
    /// The others.
    blocks: Vec<BlockId>,
}

impl FinalChain {
    fn len(&self) -> usize {
        self.forgotten + self.blocks.len()
    }

    fn get(&self, index: usize) -> Option<&BlockId> {
        self.blocks.get(index.checked_sub(self.forgotten)?)
    }
}

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// Notarized blocks, as honest participants know them.
    notarized: Vec<Ticket>,
    /// Blocks with a finality certificate of their own that an honest participant accepted.
    certified: Vec<(Round, BlockId)>,
    /// The final chain of each participant, from round 1.
    chains: BTreeMap<Peer, FinalChain>,
    /// Evidence that holds.
    pub(super) proofs: HashSet<Evidence>,
    /// Blocks in which everything embedded is genuine; with the beacon signature, where that was looked at.
    pub(super) sound: HashSet<(BlockId, Option<Signature>)>,
    /// The obligations of each miner.
    obligations: Obligations,
    /// The obligations of the sharder.
    archive: ArchiveObligations,
    /// The properties that hold under the rules of the world, as of the last step; `None` before the first.
    scope: Option<Scope>,
    /// Whether somebody has crashed, as of the last step.
    crashed: bool,
    /// Whether everything is judged, whatever the rules say.
    ignores_rules: bool,
    /// Beacon values that miners hold, where that is asked of a chained beacon.
    values: Vec<((Round, Subround), BeaconValue)>,
    /// The first thing that is wrong.
    pub violation: Option<Violation>,
    /// All ids that are violated; see [`Oracle::ignore_rules`].
    pub violated: BTreeSet<&'static str>,
}

impl Oracle {
    /// From now on collects in [`Oracle::violated`] all that is violated, also what is expected to be under the rules of the
    /// world, and calls nothing wrong: the negative control of [`Scope`].
    pub fn ignore_rules(&mut self) {
        self.ignores_rules = true;
    }

    /// Forgets what is below a round, but for the order of the final chains: see [`soak`](crate::soak).
    pub fn forget<S: Scheme + Clone>(&mut self, world: &World<S>, below: Round) {
        self.notarized.retain(|ticket| ticket.round >= below);
        self.certified.retain(|(round, _)| *round >= below);
        self.values.retain(|((round, _), _)| *round >= below);
        self.sound.clear();
        let shortest = self.chains.values().map(FinalChain::len).min().unwrap_or_default();
        for chain in self.chains.values_mut() {
            let far = shortest.saturating_sub(256).saturating_sub(chain.forgotten);
            let far = far.min(chain.blocks.len().saturating_sub(1));
            chain.blocks.drain(..far);
            chain.forgotten += far;
        }
        self.obligations.forget(world, below);
    }

    pub(super) fn wrong(&mut self, property: &'static str, facts: String) {
        self.judge(Violation { property, facts });
    }

    pub(super) fn judge(&mut self, violation: Violation) {
        if self.ignores_rules {
            self.violated.insert(violation.property);
        } else if self.violation.is_none() && self.scope.is_none_or(|scope| scope.judges(violation.property))
        {
            self.violation = Some(violation);
        }
    }

    fn outputs<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        decided: &[LogRecord],
        outputs: &[Output],
    ) {
        let id = world.hosts[host].id;
        for output in outputs {
            match output {
                Output::Broadcast { message, .. } | Output::Send { message, .. } => {
                    self.said(world, host, decided, message);
                }
                Output::Milestone(Milestone::Notarized { ticket, .. }) => self.notarized(world, id, ticket),
                Output::Milestone(Milestone::Beacon { round, value, .. }) => {
                    self.beacon(world, host, *round, value);
                }
                Output::Finalized(found) => {
                    self.finalized(world, Peer::Miner(id), &found.block);
                    self.final_block(world, Peer::Miner(id), found);
                }
                Output::Evidence(proof) => self.evidence(world, Peer::Miner(id), proof),
                Output::Store { stored, .. } => self.keeps(world, Peer::Miner(id), stored),
                Output::ServeStored { blocks, .. } => {
                    for known in blocks {
                        self.served(world, Peer::Miner(id), known);
                    }
                }
                // With at most f Byzantine miners nothing contradicts what is final.
                Output::Conflict { round, block } => {
                    self.wrong(
                        "S5",
                        format!("{id} is shown that {block} is final in round {round}, and has another"),
                    );
                }
                // No epoch of these worlds ends.
                Output::HandedOver(_) => {
                    self.wrong("promises", format!("{id} hands over an epoch that goes on"))
                }
                // An honest miner never asks to sign against its log.
                Output::Withheld(conflict) => self.wrong("S1", format!("{id} would have signed: {conflict}")),
                Output::Milestone(Milestone::Collected { block, .. }) => {
                    if let Some(found) = world.block(&block.block) {
                        self.holds(world, Peer::Miner(id), &Arc::clone(found), true);
                    }
                }
                // Nothing in these is a property of its own.
                Output::Milestone(
                    Milestone::Entered { .. }
                    | Milestone::Proposed(_)
                    | Milestone::Ticketed(_)
                    | Milestone::Switched { .. }
                    | Milestone::Adopted { .. }
                    | Milestone::Left { .. }
                    | Milestone::Jumped { .. }
                    | Milestone::Voted(_)
                    | Milestone::TimedOut(_)
                    | Milestone::Finalized { .. },
                )
                | Output::SetTimer { .. }
                | Output::Persist { .. }
                | Output::RequestPayload { .. }
                | Output::Validate { .. }
                | Output::Serve { .. }
                | Output::Load { .. }
                | Output::Refused { .. }
                | Output::Blamed(_) => {}
            }
            if let Err(broken) = promises::of_output(output) {
                self.wrong("promises", format!("{id} puts out {broken}"));
            }
        }
        if let Some((miner, record)) = world.refused_by_log.first() {
            self.wrong("S1", format!("the log of {miner} refused {}", told_record(record)));
        }
    }

    /// S9: the beacon value of a round is the committee's. Where the beacon is chained there is a value for each seed, and a miner
    /// holds the one of the block that it adopted (step 1).
    fn beacon<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        round: Round,
        value: &BeaconValue,
    ) {
        let id = world.hosts[host].id;
        if !world.ground.setup.chained() {
            if world.ground.beacon_of(round).is_some_and(|(_, genuine)| genuine != *value) {
                self.wrong("S9", format!("{id} holds another beacon value for round {round}"));
            }
            return;
        }
        let genuine = world.draw_of(host).map(|draw| draw.value);
        if let Some(held) = world.hosts[host].miner.beacon()
            && genuine != Some(held)
        {
            self.wrong("step 1", format!("{id} holds another beacon value for its seed in round {round}"));
        }
        if self.ignores_rules {
            let subround = world.hosts[host].miner.subround();
            let other = self.values.iter().find(|(at, known)| *at == (round, subround) && known != value);
            if other.is_some() {
                self.wrong("S9", format!("two values of ({round}, {subround}) are held"));
            }
            self.values.push(((round, subround), *value));
        }
    }

    fn said<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        decided: &[LogRecord],
        message: &Message,
    ) {
        let id = world.hosts[host].id;
        let durable = world.ground.setup.rules.is_durable();
        if let Some(record) = record_of(message)
            && signer_of(message) == Some(id)
        {
            // Write before send (step 5): the record was durable before this step.
            let found = &world.hosts[host];
            let slow = world.ground.setup.disk == DiskModel::Slow;
            // The log in memory flushes everything at once: where the disk is slow, what was confirmed is what is on it.
            let on_disk = if slow { &found.confirmed[..] } else { found.disk.log.durable() };
            if durable && (!on_disk.contains(&record) || decided.contains(&record)) {
                self.wrong("S1", format!("{id} sent {} before it was on disk", told_record(&record)));
            }
            self.contradiction(world, host, &record);
        }
        self.shows(world, Peer::Miner(id), message);
    }

    /// S1 and S10: what an honest miner has sent, over all its lives, contradicts nothing that it sent before.
    fn contradiction<S: Scheme + Clone>(&mut self, world: &World<S>, host: usize, new: &LogRecord) {
        let (id, said) = (world.hosts[host].id, &world.hosts[host].said);
        // Up to the moment at which it was said first.
        for old in said.iter().take_while(|old| *old != new).filter(|old| old.round == new.round) {
            let same_place = old.subround == new.subround;
            let other_block = old.block != new.block;
            let (property, what) = match (old.kind, new.kind) {
                (Kind::Ticket, Kind::Ticket) if same_place && other_block => {
                    if may_ticket_too(world, host, old, new) {
                        continue;
                    }
                    ("S1", "two tickets in one subround")
                }
                (Kind::Proposal, Kind::Proposal) if same_place && other_block => {
                    ("S10", "two blocks in one subround")
                }
                (Kind::FinalityVote, Kind::FinalityVote) if other_block => {
                    ("S10", "two finality votes in one round")
                }
                (Kind::FinalityVote, Kind::Ticket) | (Kind::Ticket, Kind::FinalityVote) if other_block => {
                    ("S10", "a finality vote, and a ticket for another block of the round")
                }
                // Step 9: after its timeout it stops ticketing.
                (Kind::Timeout, Kind::Ticket) if old.subround == new.subround => {
                    // The ticket may have been on its way to the disk when the timeout left: both in one flush.
                    continue;
                }
                _ => continue,
            };
            self.wrong(
                property,
                format!("{id} signed {what}: {} and {}", told_record(old), told_record(new)),
            );
        }
    }

    fn notarized<S: Scheme + Clone>(&mut self, world: &World<S>, holder: MinerId, ticket: &Ticket) {
        if self.notarized.contains(ticket) {
            return;
        }
        let Ticket { round, subround, block } = *ticket;
        // S8 by count, for those that are known from inside other messages: q members have signed this ticket.
        let record = LogRecord::ticket(round, subround, block.0);
        let (honest, byzantine) = world.signers(&record);
        let needed = world.ground.setup.quorum();
        if honest + byzantine < needed {
            self.wrong(
                "S8",
                format!("{holder} takes {block} for notarized in ({round}, {subround}) with {honest} + {byzantine} of {needed} tickets"),
            );
        }
        // S2: one notarized block in one (round, subround).
        let mut found = Vec::new();
        for other in self.notarized.iter().filter(|other| (other.round, other.subround) == (round, subround))
        {
            let facts = format!("{block} and {} are notarized in ({round}, {subround})", other.block);
            found.push(Violation { property: "S2", facts });
        }
        found.into_iter().for_each(|violation| self.judge(violation));
        if let Some(found) = world.block(&block) {
            let (header, found_id) = (*found.header(), found.id());
            if (header.round, header.subround) != (round, subround) {
                self.wrong(
                    "S8",
                    format!(
                        "{found_id} of ({}, {}) is notarized for ({round}, {subround})",
                        header.round, header.subround
                    ),
                );
            }
            self.generator(world, found);
            // S3: the parent is notarized in exactly the round before.
            let parent_known = round == Round(1) && header.parent == world.ground.config.genesis.id()
                || self
                    .notarized
                    .iter()
                    .chain(&world.notarized)
                    .any(|known| known.block == header.parent && known.round.next() == round);
            if !parent_known {
                self.wrong("S3", format!("{found_id} of round {round} is notarized, its parent is not"));
            }
        } else {
            self.wrong("S8", format!("{block} is notarized, and nobody made it"));
        }
        self.notarized.push(*ticket);
        let finals = self.certified.clone();
        for (round, block) in finals {
            self.only_one(round, block);
        }
    }

    /// S4: a notarized block's generator has its turn.
    fn generator<S: Scheme + Clone>(&mut self, world: &World<S>, block: &Block) {
        let (round, subround) = (block.round(), block.subround());
        let generator = block.header().generator;
        // Beyond the world's rounds and subrounds the order is not known here.
        if world.ground.reaches(round.0, subround.0) && world.rank_of(block).is_none() {
            self.wrong(
                "S4",
                format!(
                    "{} of {generator} is notarized in ({round}, {subround}), where it has no turn",
                    block.id()
                ),
            );
        }
    }

    pub(super) fn certified(&mut self, round: Round, block: BlockId) {
        if !self.certified.contains(&(round, block)) {
            self.certified.push((round, block));
            self.only_one(round, block);
        }
    }

    /// S6: a block with a finality certificate of its own is the only notarized block of its round.
    fn only_one(&mut self, round: Round, block: BlockId) {
        let rival = self.notarized.iter().find(|other| other.round == round && other.block != block).copied();
        if let Some(rival) = rival {
            self.wrong("S6", format!("{block} of round {round} is final, and {} is notarized", rival.block));
        }
    }

    /// S5 and S7: one chain, for everybody, block by block.
    fn finalized<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, block: &Block) {
        let first = world.first_block();
        let chain = self.chains.entry(who).or_default();
        let head = chain.blocks.last().copied().unwrap_or(first);
        let expected = world.ground.setup.begins_at + chain.len() as u64 + 1;
        let fits = block.header().parent == head && block.round().0 == expected;
        chain.blocks.push(block.id());
        let at = chain.len() - 1;
        if !fits {
            self.wrong(
                "S7",
                format!("{who} finalized {} of round {} on top of {head}", block.id(), block.round()),
            );
        }
        let rival = self.chains.iter().find(|(_, other)| other.get(at).is_some_and(|id| *id != block.id()));
        if let Some((other, _)) = rival {
            let facts = format!("{who} and {other} finalized different blocks in round {expected}");
            self.wrong("S5", facts);
        }
    }

    /// How far a participant has finalized, in rounds.
    #[must_use]
    pub fn height(&self, who: Peer) -> usize {
        self.chains.get(&who).map_or(0, FinalChain::len)
    }
}

/// S1: whether the ticket rule lets a miner sign the later one of two tickets of a subround after all that it signed there before.
/// The order is that of its log, for those that are in it: after a restart tickets may be sent in another one. Above the bounds of
/// the world, where liveness is judged, ranks are not known and only the first rule is asked.
fn may_ticket_too<S: Scheme + Clone>(
    world: &World<S>,
    host: usize,
    old: &LogRecord,
    new: &LogRecord,
) -> bool {
    let found = &world.hosts[host];
    let signed = |record: &LogRecord| found.disk.log.durable().iter().position(|signed| signed == record);
    let is_before = |one: &LogRecord, other: &LogRecord| match (signed(one), signed(other)) {
        (Some(one), Some(other)) => one < other,
        _ => true,
    };
    let later = if is_before(old, new) { new } else { old };
    let said_before = found.said.iter().take_while(|said| *said != new).chain([new]).filter(|said| {
        (said.kind, said.round, said.subround) == (Kind::Ticket, later.round, later.subround)
            && said.block != later.block
            && is_before(said, later)
    });
    let rank = |record: &LogRecord| {
        world
            .block(&BlockId(record.block))
            .and_then(|block| world.rank_of(block))
            .map(|rank| Rank(rank.into()))
    };
    let rules = &world.ground.setup.rules;
    match (said_before.map(rank).collect::<Option<Vec<Rank>>>(), rank(later)) {
        (Some(before), Some(then)) => rules.ticket.allows(before, then),
        _ => world.unbounded && !rules.tickets_once(),
    }
}

impl<S: Scheme + Clone> Watch<S> for Oracle {
    fn watch(&mut self, world: &World<S>, event: &Event) {
        let crashed = world.crashes > 0;
        if self.scope.is_none() || crashed != self.crashed {
            (self.scope, self.crashed) = (Some(Scope::of(&world.ground.setup, crashed)), crashed);
        }
        match event {
            Event::Step { host, cause, heard, decided, outputs } => {
                self.outputs(world, *host, decided, outputs);
                self.obligations.remember(world, *host, *cause, heard.as_ref(), decided, outputs);
                let neglected = self.obligations.judge(world, *host, *cause, decided, outputs);
                let ignored = self.obligations.heard(world, *host, heard.as_ref(), outputs);
                let lost = self.obligations.arriving(world, *host, *cause, heard.as_ref(), outputs);
                let found = [neglected, ignored, lost];
                found.into_iter().flatten().for_each(|violation| self.judge(violation));
                self.obligations.settled(world, *host);
            }
            Event::Sharder { input, outputs } => {
                let neglected = self.archive.judge(world, input, outputs);
                neglected.into_iter().for_each(|violation| self.judge(violation));
                let who = Peer::Sharder(SharderId(0));
                for output in outputs {
                    match output {
                        SharderOutput::Finalized(found) => {
                            self.finalized(world, who, &found.block);
                            self.final_block(world, who, found);
                        }
                        SharderOutput::Certified(known) => {
                            let record = LogRecord::from(known.statement);
                            self.certificate(world, who, Some(record), &known.certificate);
                        }
                        SharderOutput::Conflict { round, block } => {
                            self.wrong(
                                "S5",
                                format!("the sharder is shown that {block} is final in round {round}"),
                            );
                        }
                        SharderOutput::HandedOver(_) => {
                            self.wrong("promises", "the sharder hands over an epoch that goes on".to_owned());
                        }
                        SharderOutput::Send { message, .. } => self.shows(world, who, message),
                        SharderOutput::SetTimer { .. }
                        | SharderOutput::Gap { .. }
                        | SharderOutput::Refused { .. } => {}
                    }
                    if let Err(broken) = promises::of_sharder(output) {
                        self.wrong("promises", format!("the sharder puts out {broken}"));
                    }
                }
            }
            Event::Restarted { host } => self.obligations.restarted(world, *host),
            Event::Crashed { .. } => {}
        }
    }
}

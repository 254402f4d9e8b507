//! Obligations of a miner: those of the protocol that no safety property notices when they are neglected.
//!
//! The model says what *may* happen; these rules say what *must* happen in the same step, or may happen only for a reason.
//! Each names its step of PROTOCOL.md. `silence`: steps without what they owe; `outputs`: what each output owes; `hearing`: what a
//! miner must do because of what it has heard; `arriving`: what it must do with what came early; `culprit`: what it must be able
//! to prove; `finality`: what has to be final without votes; `archive`: what the sharder owes; `memory`: what all
//! of these remember.
//!
//! # What is still asked of production
//! An obligation follows from the memory of the oracles. Production is asked
//! - whether the obligation is done: an accessor that says so wrongly is another bug, which the model's comparison or a later message
//!   shows;
//! - for its position (round, subround, entry, phase) and its finalized head: the refinement compares each with the model's after
//!   every step, and S7 follows the head block by block from the outputs;
//! - for what it admits to know (a block, a notarization, a pending finality certificate), beside what the memory says that it
//!   knows: that adds obligations, and excuses only what is asked for twice;
//! - for its configuration: waits and the cap of subrounds are input, not conclusions.

mod archive;
mod arriving;
mod culprit;
mod finality;
mod hearing;
mod memory;
mod outputs;
mod silence;

pub use archive::ArchiveObligations;

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasherDefault;

use rapidhash::fast::RapidHasher;
use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::ranks::Rank;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Output, Timer};
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::{Violation, tolerated};
use crate::schedule::{told_cause, told_position, told_record};
use crate::world::{Cause, Host, World};

/// Rounds above its own of which a miner keeps what it hears: one less than it has to, since a step may move it on.
const ROUNDS_HELD: u64 = 3;

/// The known facts about one miner's obligations.
#[derive(Clone, Debug, Default)]
struct Life {
    /// Messages that it was shown.
    memory: memory::Memory,
    /// Messages that it has sent since it started, as hashes.
    said: HashSet<u64, BuildHasherDefault<RapidHasher<'static>>>,
    /// Candidates of its subround, with their ranks.
    candidates: Vec<(BlockId, u8)>,
    /// Blocks about which the application was asked.
    asked: Vec<BlockId>,
    /// Blocks that the application has accepted.
    accepted: Vec<BlockId>,
    /// Its position.
    here: (Round, Subround),
    /// Tickets and timeouts of honest miners that reached it, straight from their signers.
    heard: Vec<(MinerId, LogRecord)>,
    /// Rounds of which shares of honest miners reached it, straight from their signers.
    shares: Vec<(MinerId, Round)>,
    /// Blocks of honest generators for its round, of which it is not clear yet whether they have a place in it.
    arriving: Vec<(MinerId, BlockId)>,
    /// When it answered a peer last.
    answered: BTreeMap<Peer, u64>,
    /// How many proofs against each member it has put out.
    proofs: BTreeMap<MinerId, usize>,
    /// Its finalized head before this step.
    head: Round,
    /// Blocks that became candidates since it entered its round.
    collected: Vec<BlockId>,
    /// Genuine statements of Byzantine members that came straight from them while they had to be kept.
    claims: Vec<(MinerId, LogRecord)>,
    /// Byzantine members that sent something else in their own name, and of which round: what is looked at of these is bounded.
    noisy: Vec<(MinerId, Round)>,
}

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub struct Obligations {
    lives: Vec<Life>,
}

impl Obligations {
    fn life(&mut self, host: usize) -> &mut Life {
        if self.lives.len() <= host {
            self.lives.resize_with(host + 1, Life::default);
        }
        &mut self.lives[host]
    }

    /// A miner starts anew and owes nothing from before but what is on its disk.
    pub fn restarted<S: Scheme + Clone>(&mut self, world: &World<S>, host: usize) {
        let memory = memory::Memory::of_disk(&world.hosts[host]);
        *self.life(host) = Life { memory, head: head_of(world, host), ..Life::default() };
    }

    /// Forgets what is below a round: see [`soak`](crate::soak).
    pub fn forget<S: Scheme + Clone>(&mut self, world: &World<S>, below: Round) {
        for life in &mut self.lives {
            life.said.clear();
            life.heard.retain(|(_, record)| record.round >= below);
            life.shares.retain(|(_, round)| *round >= below);
            life.noisy.retain(|(_, round)| *round >= below);
            life.asked.retain(|block| world.block(block).is_some());
            life.accepted.retain(|block| world.block(block).is_some());
        }
    }

    /// A step has been judged.
    pub fn settled<S: Scheme + Clone>(&mut self, world: &World<S>, host: usize) {
        self.life(host).head = head_of(world, host);
    }

    /// Takes in one step, before it is judged.
    pub fn remember<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        heard: Option<&(Peer, Message)>,
        decided: &[LogRecord],
        outputs: &[Output],
    ) {
        self.life(host).memory.step(world, host, cause, heard, decided, outputs);
    }

    /// Judges one step. Returns the first neglected obligation.
    pub fn judge<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        decided: &[LogRecord],
        outputs: &[Output],
    ) -> Option<Violation> {
        let id = world.hosts[host].id;
        let wrong = |property, facts| Some(Violation { property, facts });
        if let Some((miner, record)) = world.premature.first() {
            return wrong(
                "L1",
                format!(
                    "{miner} wanted {} written before what it rests upon was durable",
                    told_record(record)
                ),
            );
        }
        if let Cause::Accepted(block) = cause {
            self.life(host).accepted.push(block);
        }
        for record in decided {
            let position = (record.round, record.subround);
            match record.kind {
                Kind::Ticket => {
                    if let Some(facts) = self.selection(world, host, record) {
                        return wrong("step 4", facts);
                    }
                    if let Some(facts) = self.admission(world, host, record) {
                        return wrong("step 4", facts);
                    }
                }
                // Step 9: the own wait is over, or f + 1 others have given up, one of them honest.
                Kind::Timeout => {
                    let others =
                        world.hosts.iter().filter(|other| other.id != id && other.has_said(record)).count()
                            + world.byzantine.iter().filter(|(_, known)| known == record).count();
                    let own = cause == Cause::Timer(Timer::Wait { round: position.0, subround: position.1 });
                    let held = matches!(cause, Cause::Node | Cause::Accepted(_));
                    if !own && !held && others <= tolerated(world.ground.setup.miners) {
                        return wrong(
                            "step 9",
                            format!(
                                "{id} gives {} up after {}, {others} others did",
                                told_position(position),
                                told_cause(&cause)
                            ),
                        );
                    }
                }
                Kind::Proposal | Kind::FinalityVote => {}
            }
        }
        let neglected = self.idle(world, host, cause, outputs).or_else(|| self.finality(world, host, cause));
        if neglected.is_some() {
            return neglected;
        }
        // Bounds: what is counted against a peer is its own fault. (Without a log a restarted miner contradicts itself.)
        let durable = world.ground.setup.rules.is_durable();
        let counted = |other: &&Host<S>| world.hosts[host].miner.faults_of(Peer::Miner(other.id)) > 0;
        if (durable || world.crashes == 0)
            && let Some(honest) = world.hosts.iter().find(counted)
        {
            return wrong("bounds", format!("{id} counts a fault of {}, which is honest", honest.id));
        }
        for (index, output) in outputs.iter().enumerate() {
            if let Some(facts) = self.output(world, host, cause, output, &outputs[..index]) {
                return Some(facts);
            }
        }
        None
    }

    /// Step 4: no better block was a candidate and accepted that the rule allows after the tickets before this one.
    fn selection<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        record: &LogRecord,
    ) -> Option<String> {
        let id = world.hosts[host].id;
        let life = self.life(host);
        if life.here != (record.round, record.subround) {
            return None;
        }
        let ticketed = BlockId(record.block);
        let rank_of = |of| life.candidates.iter().find(|(block, _)| *block == of).map(|(_, rank)| *rank);
        let rank = rank_of(ticketed)?;
        let earlier = || {
            let of_this_life = life.memory.decided.iter().take_while(|decided| *decided != record);
            of_this_life.chain(world.hosts[host].disk.log.durable()).filter(|decided| {
                (decided.kind, decided.round, decided.subround)
                    == (Kind::Ticket, record.round, record.subround)
                    && decided.block != record.block
            })
        };
        let rule = world.ground.setup.rules.ticket;
        let allowed = |block: BlockId, then: u8| {
            let before = || earlier().map(|decided| BlockId(decided.block));
            let ranks = before().filter_map(rank_of).map(|rank| Rank(rank.into()));
            before().all(|before| before != block) && rule.allows(ranks, Rank(then.into()))
        };
        let better = life.candidates.iter().find(|(block, other)| {
            *other < rank && life.accepted.contains(block) && allowed(*block, *other)
        })?;
        Some(format!("{id} ticketed {ticketed} of rank {rank}, and had {} of rank {}", better.0, better.1))
    }

    /// Step 4: what is ticketed is of this chain, not older than its parent and not of the future, and the application has
    /// accepted it.
    fn admission<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        record: &LogRecord,
    ) -> Option<String> {
        let (id, config) = (world.hosts[host].id, &world.ground.config);
        let block = world.block(&BlockId(record.block))?;
        let (header, committee) = (block.header(), &config.committee);
        let parent = world.block(&header.parent).map_or(&config.genesis, |parent| parent);
        let why = if (header.chain, header.epoch) != (committee.chain(), committee.epoch()) {
            "which is of another chain or epoch"
        } else if header.time < parent.header().time {
            "which is older than its parent"
        } else if !descends(world, block, world.hosts[host].miner.finalized()) {
            "which does not descend from its finalized head"
        } else if header.time > world.now + config.timing.clock_drift {
            "which is of the future"
        } else if super::naming::falls(block, parent) {
            "which names a lower final block than its parent"
        } else if self.life(host).here == (record.round, record.subround)
            && !self.life(host).accepted.contains(&block.id())
        {
            "which the application has not accepted"
        } else {
            return None;
        };
        Some(format!("{id} ticketed {}, {why}", block.id()))
    }
}

/// How far a miner has finalized, as it said.
fn head_of<S: Scheme + Clone>(world: &World<S>, host: usize) -> Round {
    world.hosts[host].disk.history.last().map_or(Round(0), |head| head.block.round())
}

/// Whether a block of a round above that of `head` has it among its ancestors (S7).
pub fn descends<S: Scheme + Clone>(world: &World<S>, block: &Block, head: &Block) -> bool {
    let (mut round, mut parent) = (block.round(), block.header().parent);
    while round > head.round().next() {
        let Some(found) = world.block(&parent) else { return true };
        (round, parent) = (found.round(), found.header().parent);
    }
    round <= head.round() || parent == head.id()
}

//! Messages that a miner was shown and has sent, as its oracles remember them.
//!
//! An obligation rests upon this memory, and never upon what the miner says that it knows: a bug that makes it forget would
//! erase the obligation with it. Everything here comes from messages that reached the miner and from its outputs. Blocks and
//! notarizations that a miner *admits* to know count as well, since that can only add obligations.

use std::collections::{BTreeMap, BTreeSet};

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Miner, Output, Stored};
use zus_bpp::statement::Ticket;
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::super::guilty::guilty;
use super::arriving::descends_to;
use super::hearing::is_genuine;
use crate::world::{Cause, Host, World};
use zus_bpp::miner::Timer;

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Blocks above its head that it has, with their rounds.
    blocks: BTreeMap<BlockId, Round>,
    /// Notarizations above its head that it has certainly been shown, or has made.
    notarized: BTreeSet<Ticket>,
    /// These, and all certificates that stood inside of something that it was shown.
    shown: BTreeSet<Ticket>,
    /// Members against whom it has put out evidence.
    pub convicted: BTreeSet<MinerId>,
    /// Records that it decided to sign since it started.
    pub decided: Vec<LogRecord>,
    /// Subrounds of which it has collected something: what comes late is compared with it.
    collected: BTreeSet<(Round, Subround)>,
    /// The subround whose window has closed last.
    window: Option<(Round, Subround)>,
}

impl Memory {
    /// The memory of a miner that starts from its disk.
    pub fn of_disk<S: Scheme + Clone>(host: &Host<S>) -> Self {
        let mut memory = Self::default();
        let head = host.disk.history.last().map_or(Round(0), |head| head.block.round());
        for stored in &host.disk.stored {
            memory.stores(stored);
        }
        memory.forget(head);
        memory
    }

    /// Takes in one step.
    pub fn step<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        heard: Option<&(Peer, Message)>,
        decided: &[LogRecord],
        outputs: &[Output],
    ) {
        if let Cause::Timer(Timer::Window { round, subround }) = cause {
            self.window = Some((round, subround));
        }
        self.decided.extend(decided);
        let head = world.hosts[host].disk.history.last().map_or(Round(0), |head| head.block.round());
        match heard {
            Some((_, Message::Notarization(known))) if is_genuine(world, known) => {
                self.notes(known.statement);
            }
            Some((_, Message::Proposal(proposal))) => {
                self.shown.extend(proposal.block.parent_notarization().map(|known| known.statement));
            }
            Some((_, Message::ChainResponse(response))) => {
                let inside = response.blocks.iter().filter_map(|block| block.parent_notarization());
                self.shown.extend(inside.map(|known| known.statement));
                self.shown.insert(response.notarization.statement);
            }
            _ => {}
        }
        for output in outputs {
            match output {
                Output::Store { stored, .. } => self.stores(stored),
                Output::Evidence(proof) => self.convicted.extend(guilty(proof)),
                Output::Milestone(Milestone::Collected { block, .. }) => {
                    self.blocks.insert(block.block, block.round);
                    self.collected.insert((block.round, block.subround));
                }
                Output::Milestone(Milestone::Ticketed(ticket)) => {
                    self.collected.insert((ticket.round, ticket.subround));
                }
                Output::Milestone(Milestone::Notarized { ticket, .. }) => self.notes(*ticket),
                // Blocks of a round that was left, and of subrounds far below, are kept where they are notarized.
                Output::Milestone(Milestone::Entered { round, subround }) => {
                    self.collected.retain(|(of, at)| {
                        let far = of == round && at.0.saturating_add(SUBROUNDS_HELD) < subround.0;
                        !far && of.0.saturating_add(DECISIONS_HELD) >= round.0
                    });
                    let keeps = |block: &BlockId, of: Round| {
                        let near = || {
                            world.block(block).is_some_and(|found| {
                                found.subround().0.saturating_add(SUBROUNDS_HELD) >= subround.0
                            })
                        };
                        of > *round
                            || of == *round && near()
                            || self.notarized.iter().any(|known| known.block == *block)
                    };
                    let kept = self.blocks.iter().filter(|(block, of)| keeps(block, **of));
                    self.blocks = kept.map(|(block, of)| (*block, *of)).collect();
                }
                _ => {}
            }
        }
        self.forget(head);
    }

    fn notes(&mut self, ticket: Ticket) {
        self.notarized.insert(ticket);
        self.shown.insert(ticket);
    }

    fn stores(&mut self, stored: &Stored) {
        match stored {
            Stored::Block(block) => _ = self.blocks.insert(block.id(), block.round()),
            Stored::Notarization(known) => self.notes(known.statement),
            Stored::TimeoutCertificate(_) | Stored::FinalityCertificate(_) => {}
        }
    }

    /// Drops blocks and certificates at or below the head.
    fn forget(&mut self, head: Round) {
        self.blocks.retain(|_, round| *round > head);
        self.notarized.retain(|known| known.round > head);
        self.shown.retain(|known| known.round > head);
        // An obligation asks about the own round only.
        let newest = self.decided.iter().map(|record| record.round).max().unwrap_or_default();
        self.decided.retain(|record| record.round.0 + DECISIONS_HELD >= newest.0);
    }

    /// Whether it has collected something of a subround.
    pub fn has_collected(&self, position: (Round, Subround)) -> bool {
        self.collected.contains(&position)
    }

    /// Whether it has a block.
    pub fn has<S: Scheme>(&self, miner: &Miner<S>, round: Round, block: BlockId) -> bool {
        self.blocks.get(&block) == Some(&round) || miner.block(round, block).is_some()
    }

    /// Whether it has a block of `round`, with all that is between it and its finalized head.
    pub fn leads_to_head<S: Scheme + Clone>(
        &self,
        world: &World<S>,
        host: usize,
        round: Round,
        block: BlockId,
    ) -> bool {
        let miner = &world.hosts[host].miner;
        descends_to(miner.finalized(), round, block, |round, block| {
            if self.has(miner, round, block) { world.block(&block) } else { None }
        })
    }

    /// The blocks of a round of which it certainly knows that they are notarized.
    pub fn notarized<S: Scheme>(&self, miner: &Miner<S>, round: Round) -> BTreeSet<BlockId> {
        let own = self.notarized.iter().filter(|known| known.round == round).map(|known| known.block);
        own.chain(admitted(miner, round)).collect()
    }

    /// The blocks of a round of which it may know that they are notarized.
    pub fn may_be_notarized<S: Scheme>(&self, miner: &Miner<S>, round: Round) -> BTreeSet<BlockId> {
        let own = self.shown.iter().filter(|known| known.round == round).map(|known| known.block);
        own.chain(admitted(miner, round)).collect()
    }

    /// Whether the window of a subround has closed, and neither this life nor one before has given the subround up.
    pub fn waits_for_blocks<S: Scheme + Clone>(
        &self,
        host: &Host<S>,
        round: Round,
        subround: Subround,
    ) -> bool {
        let gives_up = |record: &LogRecord| {
            record.kind == Kind::Timeout && record.round == round && record.subround >= subround
        };
        let mut signed = host.said.iter().rev().chain(&self.decided).chain(host.disk.log.durable());
        self.window == Some((round, subround)) && !signed.any(gives_up)
    }
}

/// Rounds below the newest one of which it is remembered what was decided.
const DECISIONS_HELD: u64 = 8;
/// Subrounds below the own one of which blocks are kept: one less than have to be, since a step may move on.
pub(super) const SUBROUNDS_HELD: u32 = 3;

fn admitted<S: Scheme>(miner: &Miner<S>, round: Round) -> impl Iterator<Item = BlockId> {
    miner.notarizations().filter(move |known| known.round == round).map(|known| known.block)
}

/// Whether a miner has left a round as far as its signatures say: it voted in it, or signed something of a later one.
pub(super) fn is_closed<S: Scheme + Clone>(host: &Host<S>, decided: &[LogRecord], round: Round) -> bool {
    let closes = |record: &LogRecord| {
        record.round > round || record.round == round && record.kind == Kind::FinalityVote
    };
    host.said.iter().rev().chain(decided).chain(host.disk.log.durable()).any(closes)
}

//! The state of certificates with the whole past, and its four steps.
//!
//! It is the reference of this room: the search that forgets the past ([`super::rounds`]) is compared with it, and a run
//! that was found by either is found again here by name, before it becomes a run of the specification ([`super::expand`]).

use super::signers::of_mask;
use crate::{
    blocks::{BlockId, BlockSet, GENESIS, Generator},
    fault::Fault,
    properties::{Facts, Property},
    protocol::Protocol,
    rules::TicketRule,
};

/// One step of a run of certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Just enough miners ticket a block, which is then notarized (steps 2 to 7).
    Ticket {
        /// The block.
        block: BlockId,
        /// Its parent.
        parent: BlockId,
        /// The honest miners that sign, as a set.
        signers: u8,
        /// The honest miner that proposes it; none of a Byzantine generator.
        proposer: Option<u8>,
    },
    /// Everybody goes on to the next subround (step 9).
    CloseSubround,
    /// Just enough miners leave the round through a block and vote for it, which is then final (steps 8 and 10).
    Vote {
        /// The block.
        block: BlockId,
        /// The honest miners that vote, as a set.
        voters: u8,
    },
    /// Everybody leaves the round (step 8).
    CloseRound,
}

/// The tickets of a miner in the present round, as far as its vote depends on them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Mark {
    /// None: it may vote for any block.
    #[default]
    Free,
    /// One block, which it may vote for.
    Only(u8),
    /// Several: it votes for none.
    Spoiled,
}

impl Mark {
    /// The mark after one more ticket.
    pub(super) fn and(self, block: u8) -> Mark {
        match self {
            Mark::Free => Mark::Only(block),
            Mark::Only(_) | Mark::Spoiled => Mark::Spoiled,
        }
    }
}

/// An honest miner, or a group of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Member {
    /// Its tickets of the round.
    pub mark: Mark,
    /// The block through which it entered; `None` as long as any will do. In the layer of votes: the block that it voted for.
    pub entry: Option<BlockId>,
    /// What it ticketed in the subround, as far as its rule asks: see `spent`.
    pub spent: u16,
    /// Blocks that it proposed in the subround.
    pub proposed: u8,
}

/// What the ticket rule remembers of a ticket for a block of that rank in the same subround.
pub(super) fn spent(rule: TicketRule, rank: u8) -> u16 {
    match rule {
        // A second ticket is refused, whatever its rank.
        TicketRule::OncePerSubround => 1,
        // The tickets of a subround can be signed from the worst rank to the best, but no two of one rank.
        TicketRule::BetterRank => 1 << rank,
        // The same, and twins may be signed both: nothing is refused.
        TicketRule::BetterOrEqualRank => 0,
    }
}

/// A state of certificates with its whole past.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kept {
    /// The present round.
    pub round: u8,
    /// The present subround.
    pub subround: u8,
    /// Whether the tickets of the round are over.
    pub voting: bool,
    /// The parent of each notarized block of the scenario.
    pub parents: Vec<Option<BlockId>>,
    /// The blocks that votes made final.
    pub voted: BlockSet,
    /// The honest miners.
    pub members: Vec<Member>,
}

impl Kept {
    /// The notarized blocks.
    pub fn notarized(&self) -> BlockSet {
        (0..).zip(&self.parents).filter(|(_, parent)| parent.is_some()).map(|(id, _)| BlockId(id)).collect()
    }

    /// The state as bytes, to be hashed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let block = |block: Option<BlockId>| block.map_or(u8::MAX - 1, |block| block.0);
        out.extend([self.round, self.subround, self.voting.into()]);
        out.extend(self.parents.iter().map(|parent| block(*parent)));
        out.extend(self.voted.0.to_le_bytes());
        for member in &self.members {
            let mark = match member.mark {
                Mark::Free => u8::MAX,
                Mark::Spoiled => u8::MAX - 1,
                Mark::Only(block) => block,
            };
            out.extend([mark, block(member.entry), member.proposed]);
            out.extend(member.spent.to_le_bytes());
        }
    }

    fn is_notarized(&self, block: BlockId) -> bool {
        block == GENESIS || self.parents[block.index()].is_some()
    }

    /// `block` and its ancestors, without genesis.
    pub fn chain(&self, block: BlockId) -> impl Iterator<Item = BlockId> + Clone {
        let block = Some(block).filter(|block| *block != GENESIS);
        std::iter::successors(block, |block| self.parents[block.index()].filter(|parent| *parent != GENESIS))
    }

    /// Whether `ancestor` is `block`, or on its chain.
    pub fn descends(&self, block: BlockId, ancestor: BlockId) -> bool {
        ancestor == GENESIS || self.chain(block).any(|at| at == ancestor)
    }
}

/// The steps over [`Kept`].
#[derive(Clone, Copy, Debug)]
pub struct Past<'p> {
    /// The instance.
    pub protocol: &'p Protocol,
}

impl Past<'_> {
    /// The first state: everybody is in round 1.
    pub fn initial(&self) -> Kept {
        Kept {
            round: 1,
            subround: 0,
            voting: false,
            parents: vec![None; self.protocol.blocks.len()],
            voted: BlockSet::default(),
            members: vec![Member::default(); self.protocol.honest()],
        }
    }

    /// The notarized blocks of `round`; genesis in round 0.
    pub(super) fn notarized_of<'s>(&self, state: &'s Kept, round: u8) -> impl Iterator<Item = BlockId> + 's {
        let genesis = (round == 0).then_some(GENESIS);
        genesis.into_iter().chain(self.protocol.blocks.of_round(round).filter(|&b| state.is_notarized(b)))
    }

    /// The blocks that some observer can have finalized directly.
    pub fn finals(&self, state: &Kept) -> BlockSet {
        let notarized = state.notarized();
        match self.protocol.rules.finality.depth() {
            None => state.voted,
            Some(depth) => {
                let below = |tip| state.chain(tip).nth(depth.into());
                notarized.iter().filter_map(below).collect()
            }
        }
    }

    /// The steps that may follow `state`. Of miners that differ in nothing but their name the first ones act.
    pub fn steps(&self, state: &Kept, steps: &mut Vec<Step>) {
        let blocks = &self.protocol.blocks;
        if !state.voting {
            for block in blocks.of_subround(state.round, state.subround) {
                self.tickets(state, block, steps);
            }
            if state.subround + 1 < blocks.subrounds {
                steps.push(Step::CloseSubround);
            }
        }
        if self.notarized_of(state, state.round).next().is_none() {
            return;
        }
        if self.protocol.rules.votes() {
            for block in self.notarized_of(state, state.round).filter(|block| !state.voted.has(*block)) {
                let may = |member: &Member| {
                    (!state.voting || member.entry.is_none()) && self.may_vote(member.mark, block)
                };
                let alike = |a: usize, b: usize| {
                    let (a, b) = (&state.members[a], &state.members[b]);
                    a.mark == b.mark
                };
                for voters in self.protocol.just_enough(self.mask(state, may), self.equals(alike)) {
                    steps.push(Step::Vote { block, voters });
                }
            }
        }
        if state.round < blocks.rounds {
            steps.push(Step::CloseRound);
        }
    }

    /// Whether a miner with these tickets votes for `block` when it leaves the round through it.
    pub(super) fn may_vote(&self, mark: Mark, block: BlockId) -> bool {
        match mark {
            Mark::Free => true,
            Mark::Only(only) => only == block.0,
            Mark::Spoiled => false,
        }
    }

    fn mask(&self, state: &Kept, may: impl Fn(&Member) -> bool) -> u8 {
        (0..)
            .zip(&state.members)
            .filter(|(_, member)| may(member))
            .fold(0, |set, (at, _): (u8, _)| set | 1 << at)
    }

    /// Two miners of equal weight of which `same` is true.
    fn equals(&self, same: impl Fn(usize, usize) -> bool) -> impl Fn(usize, usize) -> bool {
        move |a, b| self.protocol.weight(a) == self.protocol.weight(b) && same(a, b)
    }

    fn tickets(&self, state: &Kept, block: BlockId, steps: &mut Vec<Step>) {
        let place = *self.protocol.blocks.place(block);
        // Which twin is the first is arbitrary.
        let second_first = place.twin == 1 && !state.is_notarized(BlockId(block.0 - 1));
        if state.is_notarized(block) || place.generator == Generator::Outsider || second_first {
            return;
        }
        let spends = spent(self.protocol.rules.ticket, place.rank);
        let eligible = self.mask(state, |member| member.spent & spends == 0);
        let same = |a: usize, b: usize| state.members[a] == state.members[b];
        let sets = self.protocol.just_enough(eligible, self.equals(same));
        for parent in self.notarized_of(state, state.round - 1) {
            for &signers in &sets {
                if place.generator == Generator::Byzantine {
                    steps.push(Step::Ticket { block, parent, signers, proposer: None });
                    continue;
                }
                let may = |miner: usize| {
                    let member = &state.members[miner];
                    member.entry.is_none_or(|entry| entry == parent)
                        && u32::from(member.proposed) < self.protocol.weight(miner)
                };
                let alike = |a: usize, b: usize| same(a, b) && (signers >> a ^ signers >> b) & 1 == 0;
                for proposer in self.protocol.proposers(may, self.equals(alike)) {
                    steps.push(Step::Ticket { block, parent, signers, proposer: Some(proposer) });
                }
            }
        }
    }

    /// Whether votes depend on the tickets of their miners.
    fn marks(&self) -> bool {
        self.protocol.rules.votes() && !self.protocol.has(Fault::VotesAfterOtherTicket)
    }

    /// Does `step`, which must be one of [`Past::steps`].
    pub fn apply(&self, state: &mut Kept, step: &Step) {
        match *step {
            Step::Ticket { block, parent, signers, proposer } => {
                let rank = self.protocol.blocks.place(block).rank;
                state.parents[block.index()] = Some(parent);
                for miner in of_mask(signers) {
                    let member = &mut state.members[miner];
                    member.spent |= spent(self.protocol.rules.ticket, rank);
                    if self.marks() {
                        member.mark = member.mark.and(block.0);
                    }
                }
                if let Some(miner) = proposer {
                    let several = self.notarized_of(state, state.round - 1).count() > 1;
                    let member = &mut state.members[usize::from(miner)];
                    if several {
                        member.entry = Some(parent);
                    }
                    if self.protocol.blocks.most_honest() > 1 {
                        member.proposed += 1;
                    }
                }
            }
            Step::CloseSubround => {
                state.subround += 1;
                for member in &mut state.members {
                    member.spent = 0;
                    member.proposed = 0;
                }
            }
            Step::Vote { block, voters } => {
                self.start_voting(state);
                state.voted.insert(block);
                for miner in of_mask(voters) {
                    state.members[miner] = Member { entry: Some(block), ..Member::default() };
                }
                for member in &mut state.members {
                    if member.mark == Mark::Only(block.0) {
                        // One more vote for it changes nothing.
                        member.mark = Mark::Spoiled;
                    }
                }
            }
            Step::CloseRound => {
                self.start_voting(state);
                let several = self.notarized_of(state, state.round).count() > 1;
                state.round += 1;
                state.subround = 0;
                state.voting = false;
                for member in &mut state.members {
                    *member = Member { entry: member.entry.filter(|_| several), ..Member::default() };
                }
            }
        }
    }

    /// The tickets of the round are over: what only they depend on is forgotten.
    fn start_voting(&self, state: &mut Kept) {
        if state.voting {
            return;
        }
        state.voting = true;
        state.subround = 0;
        for member in &mut state.members {
            *member = Member { mark: member.mark, ..Member::default() };
        }
    }

    /// The same state with its miners sorted.
    pub fn normalize(&self, state: &mut Kept) {
        self.protocol.sort_members(&mut state.members);
    }

    /// What `state` shows.
    pub fn facts(&self, state: &Kept) -> Facts {
        let blocks = &self.protocol.blocks;
        let notarized = state.notarized();
        let finals = self.finals(state);
        let place = |block: BlockId| blocks.place(block);
        let same_round = |a: BlockId, b: BlockId| place(a).round == place(b).round;
        let mut facts = Facts::default();
        for (a, b) in notarized.pairs() {
            let same_subround = place(a).subround == place(b).subround;
            facts.note(Property::S2, same_round(a, b) && same_subround);
            facts.note(Property::W2, same_round(a, b) && !same_subround);
            facts.note(Property::S6, same_round(a, b) && (finals.has(a) || finals.has(b)));
        }
        for (a, b) in finals.pairs() {
            facts.note(Property::S5, !state.descends(a, b) && !state.descends(b, a));
        }
        for block in notarized.iter() {
            let parent = state.parents[block.index()].unwrap_or(GENESIS);
            let before = state.is_notarized(parent) && blocks.round(parent) + 1 == place(block).round;
            facts.note(Property::S3, !before);
            facts.note(Property::W1, place(block).subround > 0);
            facts.note(Property::Child, place(block).round > 1);
            facts.note(Property::Notarized, true);
            facts.note(Property::Signed, true);
        }
        facts.note(Property::Final, finals != BlockSet::default());
        facts.note(Property::Restarted, self.protocol.crashes > 0);
        facts
    }
}

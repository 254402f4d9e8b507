//! The state of certificates without the past (Lemma 4), for a given number of rounds and subrounds, or for any.

use super::{
    kept::{Kept, Mark, Member as Named, Past, spent},
    signers::of_mask,
};
use crate::{
    blocks::{BlockId, Generator, Place},
    fault::Fault,
    properties::{Facts, Property},
    protocol::Protocol,
};

/// How far a search of certificates goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The rounds and subrounds of the scenario.
    Bounded,
    /// Any number of both.
    Any {
        /// Of the blocks of a round that no voter is bound to, so many are kept of each flag.
        idle: u8,
    },
}

/// Whether a notarized block descends from the last final block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Flag {
    /// It does.
    On,
    /// It does not.
    Off,
}

impl Flag {
    const ALL: [Flag; 2] = [Flag::On, Flag::Off];

    fn of(on: bool) -> Flag {
        if on { Flag::On } else { Flag::Off }
    }
}

/// A set of flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(u8);

impl Flags {
    fn has(self, flag: Flag) -> bool {
        self.0 >> flag as u8 & 1 == 1
    }

    fn insert(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    /// Whether a parent can be chosen: both flags are there.
    fn both(self) -> bool {
        self.0 == 3
    }
}

/// A notarized block of the present round that is named: in the present subround, or because a voter is bound to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Certified {
    /// Its position in the present subround; `None` in an earlier one.
    pub here: Option<u8>,
    /// Whether it descends from the last final block.
    pub flag: Flag,
}

/// An honest miner, or a group of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Member {
    /// Its tickets of the round, by the position of the block in [`State::blocks`].
    pub mark: Mark,
    /// The flag of the block through which it entered; `None` as long as any will do. In the layer of votes: that of the block
    /// that it voted for.
    pub entry: Option<Flag>,
    /// See `spent`.
    pub spent: u16,
    /// Blocks that it proposed in the subround.
    pub proposed: u8,
}

/// A state of certificates without its past.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The present round. For any number of rounds: 1, or 2 for all later ones.
    pub round: u8,
    /// The present subround. For any number of subrounds: 0, or 1 for all later ones.
    pub subround: u8,
    /// Whether the tickets of the round are over.
    pub voting: bool,
    /// The flags of the notarized blocks of the round before.
    pub parents: Flags,
    /// The named blocks of the round.
    pub blocks: Vec<Certified>,
    /// The other notarized blocks of the round, by flag.
    pub idle: [u8; 2],
    /// Blocks of the round that are final.
    pub finals: u8,
    /// The honest miners.
    pub members: Vec<Member>,
}

impl State {
    fn notarized(&self) -> usize {
        self.blocks.len() + usize::from(self.idle[0]) + usize::from(self.idle[1]) + usize::from(self.finals)
    }

    /// The state as bytes, to be hashed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flag = |flag: Option<Flag>| flag.map_or(2, |flag| flag as u8);
        out.extend([self.round, self.subround, self.voting.into(), self.parents.0]);
        out.extend([self.idle[0], self.idle[1], self.finals, self.blocks.len() as u8]);
        for block in &self.blocks {
            out.extend([block.here.map_or(0, |here| here + 1), block.flag as u8]);
        }
        for member in &self.members {
            let mark = match member.mark {
                Mark::Free => 0,
                Mark::Spoiled => 1,
                Mark::Only(block) => 2 + block,
            };
            out.extend([mark, flag(member.entry), member.proposed]);
            out.extend(member.spent.to_le_bytes());
        }
    }
}

/// The steps over [`State`].
#[derive(Clone, Copy, Debug)]
pub struct Rounds<'p> {
    /// The instance. For any number of rounds its first subround stands for all of them.
    pub protocol: &'p Protocol,
    /// How far.
    pub reach: Reach,
}

/// A step: what it shows, and where it leads.
pub type Next = (Facts, State);

impl Rounds<'_> {
    /// The first state: everybody is in round 1.
    pub fn initial(&self) -> State {
        let mut parents = Flags::default();
        parents.insert(Flag::On);
        State {
            round: 1,
            subround: 0,
            voting: false,
            parents,
            blocks: Vec::new(),
            idle: [0; 2],
            finals: 0,
            members: vec![Member::default(); self.protocol.honest()],
        }
    }

    /// The facts that need no step.
    pub fn initial_facts(&self) -> Facts {
        let mut facts = Facts::default();
        facts.note(Property::Restarted, self.protocol.crashes > 0);
        facts
    }

    /// The blocks of the present subround that can exist.
    fn places(&self, state: &State) -> impl Iterator<Item = (u8, Place)> + '_ {
        let blocks = &self.protocol.blocks;
        let (round, subround) = match self.reach {
            Reach::Bounded => (state.round, state.subround),
            Reach::Any { .. } => (1, 0),
        };
        (0..).zip(blocks.of_subround(round, subround).map(|block| *blocks.place(block)))
    }

    /// Whether every notarized block is final at once.
    fn finalizes_at_once(&self) -> bool {
        self.protocol.rules.finality.depth() == Some(0)
    }

    fn more_subrounds(&self, state: &State) -> bool {
        match self.reach {
            Reach::Bounded => state.subround + 1 < self.protocol.blocks.subrounds,
            Reach::Any { .. } => true,
        }
    }

    fn more_rounds(&self, state: &State) -> bool {
        match self.reach {
            Reach::Bounded => state.round < self.protocol.blocks.rounds,
            Reach::Any { .. } => true,
        }
    }

    /// The next round or subround, counted from `first`.
    fn next(&self, now: u8, first: u8) -> u8 {
        match self.reach {
            Reach::Bounded => now + 1,
            Reach::Any { .. } => first + 1,
        }
    }

    /// Every step from `state`, each with what it shows.
    pub fn successors(&self, state: &State, next: &mut Vec<Next>) {
        if !state.voting {
            for (at, place) in self.places(state) {
                self.tickets(state, at, place, next);
            }
            if self.more_subrounds(state) {
                next.push((Facts::default(), self.close_subround(state)));
            }
        }
        if state.notarized() == 0 {
            return;
        }
        if self.protocol.rules.votes() {
            self.votes(state, next);
        }
        if self.more_rounds(state) {
            next.push((Facts::default(), self.close_round(state)));
        }
    }

    fn mask(&self, state: &State, may: impl Fn(&Member) -> bool) -> u8 {
        (0..)
            .zip(&state.members)
            .filter(|(_, member)| may(member))
            .fold(0, |set, (at, _): (u8, _)| set | 1 << at)
    }

    fn equals(&self, same: impl Fn(usize, usize) -> bool) -> impl Fn(usize, usize) -> bool {
        move |a, b| self.protocol.weight(a) == self.protocol.weight(b) && same(a, b)
    }

    fn tickets(&self, state: &State, at: u8, place: Place, next: &mut Vec<Next>) {
        let is_here = |at: u8| state.blocks.iter().any(|block| block.here == Some(at));
        let second_first = place.twin == 1 && !is_here(at - 1);
        if is_here(at) || place.generator == Generator::Outsider || second_first {
            return;
        }
        let rule = self.protocol.rules.ticket;
        let eligible = self.mask(state, |member| member.spent & spent(rule, place.rank) == 0);
        let same = |a: usize, b: usize| state.members[a] == state.members[b];
        let sets = self.protocol.just_enough(eligible, self.equals(same));
        for flag in Flag::ALL.into_iter().filter(|flag| state.parents.has(*flag)) {
            for &signers in &sets {
                let facts = self.shown_by_ticket(state, flag);
                if place.generator == Generator::Byzantine {
                    next.push((facts, self.ticketed(state, at, place, flag, signers, None)));
                    continue;
                }
                let may = |miner: usize| {
                    let member = &state.members[miner];
                    member.entry.is_none_or(|entry| entry == flag)
                        && u32::from(member.proposed) < self.protocol.weight(miner)
                };
                let alike = |a: usize, b: usize| same(a, b) && (signers >> a ^ signers >> b) & 1 == 0;
                for proposer in self.protocol.proposers(may, self.equals(alike)) {
                    next.push((facts, self.ticketed(state, at, place, flag, signers, Some(proposer))));
                }
            }
        }
    }

    /// S2, S6 and the rest of what a ticket shows; S3 does not appear: the flags are those of notarized blocks.
    fn shown_by_ticket(&self, state: &State, flag: Flag) -> Facts {
        let mut facts = Facts::default();
        let here = state.blocks.iter().filter(|block| block.here.is_some()).count();
        facts.note(Property::Signed, true);
        facts.note(Property::Notarized, true);
        facts.note(Property::Child, state.round > 1);
        facts.note(Property::S2, here > 0);
        facts.note(Property::W1, state.subround > 0);
        facts.note(Property::W2, state.notarized() > here);
        if self.finalizes_at_once() {
            facts.note(Property::Final, true);
            facts.note(Property::S6, state.notarized() > 0);
            facts.note(Property::S5, state.notarized() > 0 || flag == Flag::Off);
        }
        facts
    }

    fn ticketed(
        &self,
        state: &State,
        at: u8,
        place: Place,
        flag: Flag,
        signers: u8,
        proposer: Option<u8>,
    ) -> State {
        let mut next = state.clone();
        let block = next.blocks.len() as u8;
        next.blocks.push(Certified { here: Some(at), flag });
        let marks = self.protocol.rules.votes() && !self.protocol.has(Fault::VotesAfterOtherTicket);
        for miner in of_mask(signers) {
            let member = &mut next.members[miner];
            member.spent |= spent(self.protocol.rules.ticket, place.rank);
            if marks {
                member.mark = member.mark.and(block);
            }
        }
        if let Some(miner) = proposer {
            let member = &mut next.members[usize::from(miner)];
            if state.parents.both() {
                member.entry = Some(flag);
            }
            if self.protocol.blocks.most_honest() > 1 {
                member.proposed += 1;
            }
        }
        self.normalized(next)
    }

    fn close_subround(&self, state: &State) -> State {
        let mut next = state.clone();
        next.subround = self.next(state.subround, 0);
        for member in &mut next.members {
            member.spent = 0;
            member.proposed = 0;
        }
        for block in &mut next.blocks {
            block.here = None;
        }
        self.normalized(next)
    }

    fn start_voting(&self, state: &mut State) {
        if state.voting {
            return;
        }
        state.voting = true;
        state.subround = 0;
        for member in &mut state.members {
            *member = Member { mark: member.mark, ..Member::default() };
        }
        for block in &mut state.blocks {
            block.here = None;
        }
        self.forget_idle(state);
    }

    fn votes(&self, state: &State, next: &mut Vec<Next>) {
        let mut start = state.clone();
        self.start_voting(&mut start);
        let state = &start;
        let same = |a: usize, b: usize| state.members[a] == state.members[b];
        let voters = |bound: Option<u8>| {
            let may = |member: &Member| {
                let binds = match member.mark {
                    Mark::Free => true,
                    Mark::Only(only) => Some(only) == bound,
                    Mark::Spoiled => false,
                };
                member.entry.is_none() && binds
            };
            self.protocol.just_enough(self.mask(state, may), self.equals(same))
        };
        let mut vote = |flag: Flag, bound: Option<u8>, voters: u8| {
            let mut facts = Facts::default();
            facts.note(Property::Final, true);
            facts.note(Property::S6, state.notarized() > 1);
            facts.note(Property::S5, state.finals > 0 || flag == Flag::Off);
            let mut after = state.clone();
            after.finals += 1;
            for miner in of_mask(voters) {
                after.members[miner] = Member { entry: Some(Flag::On), ..Member::default() };
            }
            match bound {
                None => after.idle[flag as usize] -= 1,
                Some(block) => {
                    after.blocks.remove(block.into());
                    for member in &mut after.members {
                        match member.mark {
                            Mark::Only(only) if only == block => member.mark = Mark::Spoiled,
                            Mark::Only(only) if only > block => member.mark = Mark::Only(only - 1),
                            Mark::Only(_) | Mark::Free | Mark::Spoiled => {}
                        }
                    }
                }
            }
            next.push((facts, self.normalized(after)));
        };
        for (at, block) in (0..).zip(&state.blocks) {
            for voters in voters(Some(at)) {
                vote(block.flag, Some(at), voters);
            }
        }
        for flag in Flag::ALL.into_iter().filter(|flag| state.idle[*flag as usize] > 0) {
            for voters in voters(None) {
                vote(flag, None, voters);
            }
        }
    }

    fn close_round(&self, state: &State) -> State {
        let mut next = state.clone();
        self.start_voting(&mut next);
        let mut parents = Flags::default();
        let others = next.blocks.iter().map(|block| block.flag);
        let idle = Flag::ALL.into_iter().filter(|flag| next.idle[*flag as usize] > 0);
        let final_ones = next.finals > 0 || self.finalizes_at_once();
        for flag in others.chain(idle) {
            // The last final blocks are those of this round, if it has any.
            parents.insert(if next.finals > 0 { Flag::Off } else { flag });
        }
        if final_ones {
            parents.insert(Flag::On);
        }
        if self.finalizes_at_once() {
            parents = Flags::default();
            parents.insert(Flag::On);
        }
        next.round = self.next(state.round, 1);
        next.subround = 0;
        next.voting = false;
        next.parents = parents;
        next.blocks.clear();
        next.idle = [0; 2];
        next.finals = 0;
        for member in &mut next.members {
            *member = Member { entry: member.entry.filter(|_| parents.both()), ..Member::default() };
        }
        self.normalized(next)
    }

    /// Blocks of earlier subrounds that no voter is bound to are counted, not named; no more of them than are kept.
    fn forget_idle(&self, state: &mut State) {
        let bound = |state: &State, at: u8| state.members.iter().any(|member| member.mark == Mark::Only(at));
        let mut names = Vec::with_capacity(state.blocks.len());
        let mut kept = Vec::with_capacity(state.blocks.len());
        for (at, block) in (0..).zip(&state.blocks) {
            names.push(kept.len() as u8);
            if block.here.is_some() || bound(state, at) {
                kept.push(*block);
            } else {
                state.idle[block.flag as usize] += 1;
            }
        }
        state.blocks = kept;
        for member in &mut state.members {
            if let Mark::Only(block) = &mut member.mark {
                *block = names[usize::from(*block)];
            }
        }
        if let Reach::Any { idle } = self.reach {
            state.idle = state.idle.map(|count| count.min(idle));
        }
    }

    /// The representative of a state under names: idle blocks counted, named blocks and miners sorted.
    pub fn normalized(&self, mut state: State) -> State {
        self.forget_idle(&mut state);
        // A block is told from another one by where it is, its flag, and the miners that are bound to it.
        let signature = |at: u8| {
            let mut bound: Vec<(u32, Member)> = (0..)
                .zip(&state.members)
                .filter(|(_, member)| member.mark == Mark::Only(at))
                .map(|(miner, member)| {
                    (self.protocol.weight(miner), Member { mark: Mark::Spoiled, ..*member })
                })
                .collect();
            bound.sort_unstable();
            (state.blocks[usize::from(at)], bound)
        };
        let mut order: Vec<u8> = (0..state.blocks.len() as u8).collect();
        order.sort_by_cached_key(|&at| signature(at));
        let blocks = order.iter().map(|&at| state.blocks[usize::from(at)]).collect();
        for member in &mut state.members {
            if let Mark::Only(block) = &mut member.mark {
                *block = order.iter().position(|at| at == block).unwrap_or_default() as u8;
            }
        }
        state.blocks = blocks;
        self.protocol.sort_members(&mut state.members);
        state
    }

    /// What remains of a state with its past. `first` are the blocks of its present round.
    pub fn forgotten(&self, kept: &Kept) -> State {
        let past = Past { protocol: self.protocol };
        let blocks = &self.protocol.blocks;
        let earlier: Vec<BlockId> =
            past.finals(kept).iter().filter(|&block| blocks.round(block) < kept.round).collect();
        let last = earlier.iter().map(|&block| blocks.round(block)).max();
        let last: Vec<BlockId> =
            earlier.into_iter().filter(|&block| Some(blocks.round(block)) == last).collect();
        let flag = |block: BlockId| {
            Flag::of(last.is_empty() || last.iter().any(|&ancestor| kept.descends(block, ancestor)))
        };
        let mut parents = Flags::default();
        for block in past.notarized_of(kept, kept.round - 1) {
            parents.insert(flag(block));
        }
        let now: Vec<BlockId> = past.notarized_of(kept, kept.round).collect();
        let (gone, named): (Vec<BlockId>, Vec<BlockId>) =
            now.into_iter().partition(|&block| kept.voting && kept.voted.has(block));
        let here = |block: BlockId| {
            let of = |block: BlockId| blocks.of_subround(kept.round, kept.subround).position(|b| b == block);
            if kept.voting { None } else { of(block).map(|at| at as u8) }
        };
        let certified =
            named.iter().map(|&block| Certified { here: here(block), flag: flag(block) }).collect();
        let member = |member: &Named| Member {
            mark: match member.mark {
                Mark::Only(block) => {
                    let at = named.iter().position(|named| named.0 == block);
                    at.map_or(Mark::Spoiled, |at| Mark::Only(at as u8))
                }
                other => other,
            },
            entry: match member.entry {
                Some(_) if kept.voting => Some(Flag::On),
                Some(block) if parents.both() => Some(flag(block)),
                _ => None,
            },
            spent: member.spent,
            proposed: member.proposed,
        };
        let counted = |now: u8, first: u8| match self.reach {
            Reach::Bounded => now,
            Reach::Any { .. } => now.min(first + 1),
        };
        self.normalized(State {
            round: counted(kept.round, 1),
            subround: counted(kept.subround, 0),
            voting: kept.voting,
            parents,
            blocks: certified,
            idle: [0; 2],
            finals: gone.len() as u8,
            members: kept.members.iter().map(member).collect(),
        })
    }
}

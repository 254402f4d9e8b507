//! The properties of PROTOCOL.md, section 5, by id. A state has *facts*: safety properties it violates, liveness
//! properties it violates (if it is quiescent), witnesses that it shows.
//!
//! A property that holds says nothing where that which it is about never comes about: S5 where no block becomes final.
//! So each has *premises* (`premises.rs`), witnesses with a name instead of a number.

use crate::{
    action::Action,
    blocks::{BlockId, BlockSet, GENESIS, Generator, MAX_BLOCKS_PER_ROUND},
    protocol::Protocol,
    state::{Miner, State},
};
use zus_protocol::ids::Rank;
pub use zus_protocol::properties::Property;

/// A set of properties.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Facts(pub u64);

impl Facts {
    /// Whether `property` is among them.
    pub const fn has(self, property: Property) -> bool {
        self.0 & property.bit() != 0
    }

    /// Whether a premise is among them.
    pub(crate) const fn has_premise(self) -> bool {
        self.0 >> Property::Signed as u8 != 0
    }

    /// Adds `property` if `when`.
    pub(crate) fn note(&mut self, property: Property, when: bool) {
        self.0 |= if when { property.bit() } else { 0 };
    }

    /// The properties in the set.
    pub fn iter(self) -> impl Iterator<Item = Property> {
        Property::every().filter(move |p| self.has(*p))
    }
}

impl FromIterator<Property> for Facts {
    fn from_iter<I: IntoIterator<Item = Property>>(properties: I) -> Self {
        Facts(properties.into_iter().fold(0, |set, p| set | p.bit()))
    }
}

impl Protocol {
    /// The properties in `asked` that `state` shows.
    pub fn facts(&self, state: &State, asked: Facts) -> Facts {
        self.facts_with(state, self.notarized_set(state), asked)
    }

    /// As [`Protocol::facts`], of a state whose notarized blocks are known.
    pub(crate) fn facts_with(&self, state: &State, notarized: BlockSet, asked: Facts) -> Facts {
        let mut facts = Facts::default();
        let ask = |p| asked.has(p);
        if ask(Property::S1) {
            facts.note(Property::S1, self.oversigned(state));
        }
        if ask(Property::S9) {
            facts.note(Property::S9, self.beacon_disagrees(state));
        }
        let environment = &state.environment;
        facts.note(Property::S11, ask(Property::S11) && environment.formed_early() != 0);
        facts.note(
            Property::W10,
            ask(Property::W10) && environment.formed() & !environment.formed_early() != 0,
        );
        if ask(Property::W9) {
            facts.note(Property::W9, self.never_final(state, notarized).is_some());
        }
        facts.note(Property::S7, ask(Property::S7) && state.environment.moved_aside() == 1);
        if ask(Property::S8) {
            let short = notarized.iter().any(|b| !self.genuinely_notarizable(state, b));
            facts.note(Property::S8, short || state.environment.mislabelled() == 1);
        }
        if ask(Property::W6) {
            facts.note(Property::W6, state.miners.iter().any(|m| m.resent() == 1));
        }
        if ask(Property::W7) {
            facts.note(Property::W7, self.equivocation_ticketed(state));
        }
        let of_finals = Property::S5.bit() | Property::S6.bit() | Property::W5.bit() | Property::S10.bit();
        let finals = if asked.0 & of_finals == 0 { BlockSet::default() } else { self.finalizable_set(state) };
        if ask(Property::S10) {
            facts.note(Property::S10, self.unaccountable(state, notarized, finals));
        }
        self.safety_of_notarized(state, notarized, finals, asked, &mut facts);
        self.witnesses_of_notarized(state, notarized, asked, &mut facts);
        if asked.has_premise() {
            self.premises_shown(state, notarized, asked, &mut facts);
        }
        let liveness = || asked.iter().any(Property::is_liveness);
        if state.environment.synchronous() == 1 && liveness() && self.quiescent(state) {
            facts.0 |= self.stalled(state).0 & asked.0;
        }
        facts
    }

    fn safety_of_notarized(
        &self,
        state: &State,
        notarized: BlockSet,
        finals: BlockSet,
        asked: Facts,
        facts: &mut Facts,
    ) {
        let ask = |p| asked.has(p);
        if ask(Property::S2) {
            facts.note(Property::S2, notarized.pairs().any(|(a, b)| self.same_subround(a, b)));
        }
        if ask(Property::S3) {
            let orphan = |b: BlockId| state.parent(&self.blocks, b).is_none_or(|p| !self.notarized(state, p));
            facts.note(Property::S3, notarized.iter().any(orphan));
        }
        if ask(Property::S4) {
            let outsider = |b: BlockId| self.blocks.place(b).generator == Generator::Outsider;
            facts.note(Property::S4, notarized.iter().any(outsider));
        }
        if ask(Property::S5) || ask(Property::S6) || ask(Property::W5) {
            facts.note(Property::S5, ask(Property::S5) && self.finality_conflicts(state, finals));
            let rival =
                |f: BlockId| notarized.iter().any(|b| b != f && self.blocks.round(b) == self.blocks.round(f));
            facts.note(Property::S6, ask(Property::S6) && finals.iter().any(rival));
            let through_descendant = |f: BlockId| {
                state.parent(&self.blocks, f).is_some_and(|p| self.blocks.round(p) > 0 && !finals.has(p))
            };
            facts.note(Property::W5, ask(Property::W5) && finals.iter().any(through_descendant));
        }
    }

    /// S5: two blocks final for some observers, or the heads of two observers, are on no common chain; or a finalized
    /// chain has a hole that another observer's has not.
    fn finality_conflicts(&self, state: &State, finals: BlockSet) -> bool {
        let (a, b) = (state.head(0), state.head(1));
        // The result of an evaluation after a wait is not permanent, so there only heads are compared.
        !self.waits_for_finality(state) && finals.pairs().any(|(x, y)| !state.compatible(&self.blocks, x, y))
            || !state.compatible(&self.blocks, a, b)
            || state.environment.holed() == 1
    }

    fn same_subround(&self, a: BlockId, b: BlockId) -> bool {
        let (pa, pb) = (self.blocks.place(a), self.blocks.place(b));
        (pa.round, pa.subround) == (pb.round, pb.subround)
    }

    /// S1: the tickets that an honest miner has *sent* in one subround break its rule.
    fn oversigned(&self, state: &State) -> bool {
        let any_first =
            || (0..MAX_BLOCKS_PER_ROUND as u16).all(|rank| self.rules.ticket.allows([], Rank(rank)));
        let breaks = |set: u16, round: u8| {
            // Two tickets at least, where a first one is always allowed; most states need no closer look.
            !(set == 0 || set & set.wrapping_sub(1) == 0 && any_first())
                && (0..self.blocks.subrounds).any(|subround| {
                    let mine = set & self.blocks.mask(round, subround);
                    mine != 0 && self.against_rule(mine, round, subround).next().is_some()
                })
        };
        (0..self.honest()).any(|miner| {
            if self.keeps_archive() {
                (1..=self.blocks.rounds).any(|r| breaks(state.archive[miner].tickets[r as usize - 1], r))
            } else {
                let m = &state.miners[miner];
                m.round() as u8 <= self.blocks.rounds && {
                    let (signed, round, subround) = (m.tickets() as u16, m.round() as u8, m.subround() as u8);
                    breaks(signed, round) || m.spent() == 1 && signed & self.blocks.mask(round, subround) != 0
                }
            }
        })
    }

    /// Of a miner's tickets for blocks of a subround, if rule `ticket` does not allow them all in some order: those that it does
    /// not allow alone, or not beside another one; all, if no two are at fault.
    pub(crate) fn against_rule(
        &self,
        tickets: u16,
        round: u8,
        subround: u8,
    ) -> impl Iterator<Item = BlockId> {
        let of = move || {
            let signed = move |b: &BlockId| tickets >> self.blocks.place(*b).local & 1 == 1;
            self.blocks.of_subround(round, subround).filter(signed)
        };
        let rule = self.rules.ticket;
        let ranks: Vec<Rank> = of().map(|b| self.blocks.rank(b)).collect();
        let broken = !rule.allows_all(&ranks);
        let at_fault = move |a: BlockId| {
            let rank = self.blocks.rank(a);
            let beside = |b: BlockId| b == a || rule.allows_all(&[rank, self.blocks.rank(b)]);
            !rule.allows([], rank) || !of().all(beside)
        };
        let pairs = broken && of().any(at_fault);
        of().filter(move |&a| broken && (!pairs || at_fault(a)))
    }

    /// S9: two honest miners in one round hold different values for it.
    fn beacon_disagrees(&self, state: &State) -> bool {
        let holds =
            |m: usize| self.active(state, m) && self.is_current(state, m) && self.beacon_known(state, m);
        (0..self.honest()).any(|a| {
            holds(a)
                && (0..a).any(|b| {
                    state.miners[a].round() == state.miners[b].round()
                        && holds(b)
                        && (state.miners[a].deceived() != state.miners[b].deceived()
                            || self.seed_of_miner(state, a) != self.seed_of_miner(state, b))
                })
        })
    }

    /// W9: a round with a notarized block, none of whose blocks can ever have q finality votes. A vote is cast on leaving
    /// the round, by a miner that ticketed no other block of it over all subrounds; so those that still may vote for a
    /// block are the honest miners that have not left and ticketed no other. Byzantine miners may always vote. Blocks that
    /// are not notarized yet, or not even proposed, are counted like the others: they could still become final.
    ///
    /// Judged where a miner that has left or ticketed cannot come back without its memory
    /// ([`Protocol::remembers_rounds`]).
    pub(crate) fn never_final(&self, state: &State, notarized: BlockSet) -> Option<u8> {
        if !self.remembers_rounds() {
            return None;
        }
        (1..=self.blocks.rounds).find(|&round| {
            let lost = |block: BlockId| {
                let may: u32 = (0..self.honest())
                    .filter(|&m| self.may_still_vote(&state.miners[m], round, block))
                    .map(|m| self.weight(m))
                    .sum();
                state.block(block).votes() + may + self.committee.byzantine < self.committee.quorum
            };
            notarized.iter().any(|b| self.blocks.round(b) == round) && self.blocks.of_round(round).all(lost)
        })
    }

    /// Whether an honest miner may still cast a finality vote for `block`, of `round`.
    fn may_still_vote(&self, m: &Miner, round: u8, block: BlockId) -> bool {
        match m.round().cmp(&round.into()) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.ticketed_no_other(m, block),
            std::cmp::Ordering::Greater => false,
        }
    }

    /// Whether finality takes votes, and nobody can come back into a round that it left, or forget what it ticketed.
    pub fn remembers_rounds(&self) -> bool {
        self.votes_as_specified() && (self.crashes == 0 || !self.restarts_behind && self.rules.is_durable())
    }

    /// W7: both blocks of an equivocating generator have a ticket of an honest miner.
    fn equivocation_ticketed(&self, state: &State) -> bool {
        self.blocks.all().any(|b| {
            self.blocks.place(b).twin == 1
                && state.block(b).tickets() > 0
                && state.block(BlockId(b.0 - 1)).tickets() > 0
        })
    }

    /// S10. The evidence is: two blocks proposed in one subround, two tickets in one subround (where the rule allows
    /// one), a finality vote beside a ticket for another block of the round. The adversary chooses which Byzantine
    /// miner signs which statement, so the fewest that can have signed both are counted.
    fn unaccountable(&self, state: &State, notarized: BlockSet, finals: BlockSet) -> bool {
        if state.environment.proposed_twice() == 1 || state.environment.contradicted() == 1 {
            return true;
        }
        let once = self.rules.tickets_once();
        if once && self.oversigned(state) {
            return true;
        }
        let owed = crate::committee::overlap(self.committee.n, self.committee.quorum);
        let convicted = |a: u32, b: u32, set_a: u32, set_b: u32| {
            if self.reductions.byzantine_available {
                let needed = |have: u32| self.committee.quorum.saturating_sub(have);
                (needed(a) + needed(b)).saturating_sub(self.committee.byzantine)
            } else {
                (set_a & set_b).count_ones()
            }
        };
        let split = notarized.pairs().filter(|&(a, b)| self.same_subround(a, b)).any(|(a, b)| {
            let (ta, tb) = (state.block(a), state.block(b));
            let by = convicted(ta.tickets(), tb.tickets(), ta.byzantine_tickets(), tb.byzantine_tickets());
            !once || by < owed
        });
        if split {
            return true;
        }
        finals.pairs().filter(|&(x, y)| !state.compatible(&self.blocks, x, y)).any(|(x, y)| {
            if !self.rules.votes() {
                return true;
            }
            // The lower of the two, and the rival of its round that the other one stands on.
            let (low, high) = if self.blocks.round(x) <= self.blocks.round(y) { (x, y) } else { (y, x) };
            let Some(rival) = self.ancestor_at(state, high, self.blocks.round(low)) else { return true };
            let (votes, tickets) = (state.block(low), state.block(rival));
            let by = convicted(
                votes.votes(),
                tickets.tickets(),
                votes.byzantine_votes(),
                tickets.byzantine_tickets(),
            );
            by < owed
        })
    }

    /// The block of `round` on the chain of `block`.
    pub fn ancestor_at(&self, state: &State, block: BlockId, round: u8) -> Option<BlockId> {
        let mut at = block;
        while self.blocks.round(at) > round {
            at = state.parent(&self.blocks, at)?;
        }
        (self.blocks.round(at) == round).then_some(at)
    }

    fn witnesses_of_notarized(&self, state: &State, notarized: BlockSet, asked: Facts, facts: &mut Facts) {
        let ask = |p| asked.has(p);
        let place = |b: BlockId| self.blocks.place(b);
        facts.note(Property::W1, ask(Property::W1) && notarized.iter().any(|b| place(b).subround > 0));
        if ask(Property::W2) {
            let forked = |(a, b): (BlockId, BlockId)| {
                place(a).round == place(b).round && place(a).subround != place(b).subround
            };
            facts.note(Property::W2, notarized.pairs().any(forked));
        }
        if ask(Property::W3) {
            let beaten = |b: BlockId| {
                self.blocks.of_subround(place(b).round, place(b).subround).any(|other| {
                    place(other).rank < place(b).rank
                        && self.proposed_or_due(state, other)
                        && !notarized.has(other)
                })
            };
            facts.note(Property::W3, notarized.iter().any(beaten));
        }
        for property in [Property::W4, Property::W8] {
            if ask(property) && !facts.has(property) {
                facts.note(property, self.witness_step(state, property).is_some());
            }
        }
    }

    /// Whether a block has been sent, or (where proposals are eager and nobody has used it yet) an honest generator
    /// could have sent it by now.
    fn proposed_or_due(&self, state: &State, block: BlockId) -> bool {
        let place = self.blocks.place(block);
        state.block(block).parent() != 0
            || self.reductions.eager
                && place.generator == Generator::Honest
                && !self.is_past(state, place)
                && self.entries(place.round).any(|parent| self.could_be_proposed(state, block, parent))
    }

    /// W4 and W8 are steps: the one that shows the property, if `state` lets it happen.
    pub fn witness_step(&self, state: &State, property: Property) -> Option<Action> {
        for miner in 0..self.honest() {
            let m = &state.miners[miner];
            for block in self.blocks.all() {
                let place = self.blocks.place(block);
                let shows = match property {
                    Property::W4 => {
                        u32::from(place.round) == m.round() && u32::from(place.subround) != m.subround()
                    }
                    Property::W8 => u32::from(place.round) > m.round(),
                    _ => false,
                };
                let action = Action::Leave { miner: miner as u8, block };
                if shows && self.shows_now(state, miner, block) && self.enabled(state, &action).is_ok() {
                    return Some(action);
                }
            }
        }
        None
    }

    /// L1 to L5 in a quiescent state: what has not come about and never will without Byzantine help.
    fn stalled(&self, state: &State) -> Facts {
        let mut facts = Facts::default();
        let rounds = self.blocks.rounds;
        let miners = &state.miners[..self.honest()];
        let beyond = |m: &crate::state::Miner| m.round() as u8 > rounds;
        // A notarization that only a withheld ticket would complete is none.
        let has = |b: BlockId| {
            self.public_notarization(state, b) || self.notarized(state, b) && self.adopted(state, b)
        };
        let missing = (1..=rounds).any(|r| !self.blocks.of_round(r).any(has));
        facts.note(Property::L1, missing);
        let position =
            |m: &crate::state::Miner| if beyond(m) { (u32::MAX, 0) } else { (m.round(), m.subround()) };
        facts.note(Property::L3, miners.iter().any(|m| position(m) != position(&miners[0])));
        let first = miners.iter().map(|m| m.round()).max().unwrap_or(0);
        facts.note(Property::L4, miners.iter().any(|m| m.crashed() == 1 || m.round() < first));
        let head =
            self.blocks.all().filter(|&b| self.public_final(state, b)).max_by_key(|&b| self.blocks.round(b));
        let since = state.environment.stable_since() as u8;
        let grown = head.is_some_and(|h| self.blocks.round(h) > since);
        facts.note(Property::L2, !grown);
        // Blocks that an observer finalized with Byzantine help must have reached all observers, if only as
        // ancestors.
        let missed = |b: BlockId| {
            self.finalizable(state, b)
                && self.known_to_somebody(state, b)
                && !head.is_some_and(|h| state.descends(&self.blocks, h, b))
                && !self.public_final(state, b)
        };
        facts.note(Property::L5, self.blocks.all().any(missed));
        facts
    }

    /// Whether an honest participant has moved through `block`, or (finality votes) through a later one.
    fn known_to_somebody(&self, state: &State, block: BlockId) -> bool {
        self.rules.votes() || self.adopted(state, block)
    }
}

/// The part of a state that shows each property.
impl Protocol {
    /// Two notarized blocks of one (round, subround).
    pub fn notarized_twice(&self, state: &State) -> Option<(BlockId, BlockId)> {
        let place = |b: BlockId| (self.blocks.place(b).round, self.blocks.place(b).subround);
        self.notarized_set(state).pairs().find(|&(a, b)| place(a) == place(b))
    }

    /// Two blocks that different observers can hold final and that are on no common chain.
    pub fn conflicting_finals(&self, state: &State) -> Option<(BlockId, BlockId)> {
        self.finalizable_set(state).pairs().find(|&(a, b)| !state.compatible(&self.blocks, a, b))
    }

    /// A block that an observer can hold final, and another notarized block of its round.
    pub fn final_with_rival(&self, state: &State) -> Option<(BlockId, BlockId)> {
        self.finalizable_set(state).iter().find_map(|b| {
            let rival =
                self.blocks.of_round(self.blocks.round(b)).find(|&r| r != b && self.notarized(state, r))?;
            Some((b, rival))
        })
    }

    /// A block that is final through a descendant only, and that descendant.
    pub fn final_through_descendant(&self, state: &State) -> Option<(BlockId, BlockId)> {
        self.finalizable_set(state).iter().find_map(|b| {
            let parent = state.parent(&self.blocks, b)?;
            (parent != GENESIS && !self.finalizable(state, parent)).then_some((parent, b))
        })
    }

    /// The first block that some observer could have finalized.
    pub fn first_final(&self, state: &State) -> Option<BlockId> {
        self.finalizable_set(state).iter().next()
    }
}

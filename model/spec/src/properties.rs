//! The properties of PROTOCOL.md, section 5.
//!
//! [`Instance::shows`] says whether a state shows a property: that it *violates* a safety property, or that it *is* a
//! witness. Each property is one function, named beside its id. Liveness is in [`good_period`](crate::good_period).

use crate::{
    block::{Block, Generator},
    fault::Fault,
    instance::{Crashes, Instance},
    state::{Miner, State, pairs},
    steps::Action,
};
use std::{cmp::Ordering, collections::BTreeSet};
use zus_protocol::{
    ids::{MinerId, Round},
    properties::Property,
    rules::TicketLogRule,
};

impl Instance {
    /// Whether `state` violates `property`, or is a witness of it. L1 to L5 are judged where a run of the good period
    /// ends ([`Instance::stalled`]), so no state shows them here.
    pub fn shows(&self, state: &State, property: Property) -> bool {
        let notarized = &state.sent.notarized;
        match property {
            Property::S1 => self.oversigned(state),
            Property::S2 => state.notarized_pairs().any(|(a, b)| a.same_subround(&b)),
            Property::S3 => notarized.iter().any(|block| self.is_orphan(state, block)),
            Property::S4 => notarized.iter().any(|block| block.generator == Generator::Outsider),
            Property::S5 => self.finality_conflicts(state),
            Property::S6 => self.finals(state).iter().any(|block| has_rival(state, block)),
            Property::S7 => state.history.moved_aside,
            Property::S8 => {
                state.history.mislabelled || notarized.iter().any(|&block| !self.has_quorum(state, block))
            }
            Property::S9 => self.holders(state).any(|(a, b)| self.beacons_differ(state, a, b)),
            Property::S10 => self.unaccountable(state),
            Property::S11 => state.history.formed.values().any(|&early| early),
            Property::L1 | Property::L2 | Property::L3 | Property::L4 | Property::L5 | Property::Ending => {
                false
            }
            Property::W1 => notarized.iter().any(|block| block.subround.0 > 0),
            Property::W2 => {
                state.notarized_pairs().any(|(a, b)| a.round == b.round && a.subround != b.subround)
            }
            Property::W3 => notarized.iter().any(|block| beats_better(state, block)),
            Property::W4 => {
                self.may_leave(state, |m, block| block.round == m.round && block.subround != m.subround)
            }
            Property::W5 => self.final_through_descendant(state),
            Property::W6 => state.miners.iter().any(|m| m.resent),
            Property::W7 => self.both_twins_ticketed(state),
            Property::W8 => self.may_leave(state, |m, block| block.round > m.round),
            Property::W9 => self.never_final(state).is_some(),
            Property::W10 => state.history.formed.values().any(|&early| !early),
            Property::Signed => state.sent.tickets.values().any(|signers| self.honest_in(signers) > 0),
            Property::Notarized => !notarized.is_empty(),
            Property::Child => notarized.iter().any(|block| block.round > Round(1)),
            Property::Final => !self.finals(state).is_empty(),
            Property::Head => state.heads.iter().any(|&head| head != state.floor),
            Property::Beacon => self.holders(state).next().is_some(),
            Property::Behind => {
                let first = state.miners.iter().map(|m| m.round).max();
                state.synchronous.is_some() && state.miners.iter().any(|m| !m.up || Some(m.round) < first)
            }
            Property::Restarted => {
                state.history.crashes as usize > state.miners.iter().filter(|m| !m.up).count()
            }
        }
    }

    /// S1: the tickets that an honest miner has sent in one subround break its rule.
    fn oversigned(&self, state: &State) -> bool {
        let sent = &state.sent.tickets;
        sent.iter().flat_map(|(a, by)| by.iter().map(move |member| (a, member))).any(|(a, member)| {
            let mine = sent.iter().filter(|(b, by)| b.same_subround(a) && by.contains(member));
            let ranks: Vec<_> = mine.map(|(block, _)| block.rank).collect();
            self.is_honest(*member) && !self.rules.ticket.allows_all(&ranks)
        })
    }

    /// S3: the parent is not notarized, or not known.
    fn is_orphan(&self, state: &State, block: &Block) -> bool {
        state.sent.blocks.get(block).is_none_or(|parent| !state.notarized(parent))
    }

    /// S5: two final blocks, or two heads, are on no common chain, or a finalized chain has a hole.
    fn finality_conflicts(&self, state: &State) -> bool {
        // The block that is found after a wait is not found for ever, so there only heads are compared.
        let waits = self.waits_before_finality(state);
        let heads: BTreeSet<Block> = state.heads.iter().copied().collect();
        state.history.holed
            || pairs(&heads).any(|(a, b)| !state.compatible(a, b))
            || !waits && self.conflicting_finals(state).next().is_some()
    }

    /// Pairs of final blocks that are on no common chain, the lower first.
    fn conflicting_finals(&self, state: &State) -> impl Iterator<Item = (Block, Block)> + use<> {
        let finals = self.finals(state);
        let conflicts: Vec<_> = pairs(&finals).filter(|&(a, b)| !state.compatible(a, b)).collect();
        conflicts.into_iter()
    }

    /// Pairs of honest miners that are up and hold a beacon value of the same round.
    fn holders<'s>(&'s self, state: &'s State) -> impl Iterator<Item = (MinerId, MinerId)> + 's {
        let holds = move |miner: &MinerId| state.miner(*miner).up && self.beacon_known(state, *miner);
        let same = |a: MinerId, b: MinerId| state.miner(a).round == state.miner(b).round;
        self.honest().filter(holds).flat_map(move |a| {
            self.honest().filter(move |&b| a < b && same(a, b)).filter(holds).map(move |b| (a, b))
        })
    }

    /// S9, of two such miners.
    fn beacons_differ(&self, state: &State, a: MinerId, b: MinerId) -> bool {
        state.miner(a).deceived != state.miner(b).deceived || self.seed_of(state, a) != self.seed_of(state, b)
    }

    /// S10: two blocks of one generator in one subround, two tickets in one subround where the rule allows one, and a
    /// finality vote beside a ticket for another block of the round convict their signer. That must be nobody honest; and
    /// where S2 or S5 is broken, at least `2q - n` members.
    fn unaccountable(&self, state: &State) -> bool {
        let once = self.rules.tickets_once();
        let by_honest = |block: &Block| block.generator == Generator::Honest;
        let honest_twins = state.sent.blocks.keys().any(|block| by_honest(block) && block.twin > 0);
        if honest_twins
            || self.rules.tickets_once() && self.oversigned(state)
            || self.voted_against_ticket(state)
        {
            return true;
        }
        let owed = (2 * self.quorum()).saturating_sub(self.committee.members.into());
        let split = |(a, b): (Block, Block)| {
            let culprits =
                state.sent.tickets_for(&a).filter(|by| state.sent.tickets_for(&b).any(|it| it == *by));
            a.same_subround(&b) && (!once || culprits.count() < owed)
        };
        let forked = |(low, high): (Block, Block)| {
            // The rival: the block on the chain of `high` in the round of `low`.
            let Some(rival) = state.chain(high).find(|at| at.round == low.round) else { return true };
            let culprits =
                state.sent.votes_for(&low).filter(|by| state.sent.tickets_for(&rival).any(|it| it == *by));
            !self.rules.votes() || culprits.count() < owed
        };
        state.notarized_pairs().any(split) || self.conflicting_finals(state).any(forked)
    }

    /// An honest member sent a finality vote, and a ticket for another block of the round.
    fn voted_against_ticket(&self, state: &State) -> bool {
        state.sent.votes.iter().any(|(voted, voters)| {
            state.sent.tickets.iter().any(|(ticketed, signers)| {
                voted.round == ticketed.round
                    && voted != ticketed
                    && voters.intersection(signers).any(|member| self.is_honest(*member))
            })
        })
    }

    /// W4 and W8: a notarization may move some miner away in this way.
    fn may_leave(&self, state: &State, way: impl Fn(&Miner, &Block) -> bool) -> bool {
        self.honest().any(|miner| {
            state.sent.notarized.iter().any(|&block| {
                way(state.miner(miner), &block)
                    && self.enabled(state, &Action::Leave { miner, block }).is_ok()
            })
        })
    }

    /// W5: the parent of a final block is not final by itself.
    fn final_through_descendant(&self, state: &State) -> bool {
        let finals = self.finals(state);
        finals
            .iter()
            .filter_map(|block| state.sent.blocks.get(block))
            .any(|parent| *parent != state.floor && !finals.contains(parent))
    }

    /// W7: both blocks of an equivocating generator have a ticket of an honest miner.
    fn both_twins_ticketed(&self, state: &State) -> bool {
        let ticketed = |block: &Block| self.honest_in(state.sent.tickets_for(block)) > 0;
        state
            .sent
            .blocks
            .keys()
            .any(|block| ticketed(block) && block.twin_before().is_some_and(|twin| ticketed(&twin)))
    }

    /// W9: a round with a notarized block, none of whose blocks can ever have q finality votes. Those who may still vote
    /// for a block are the Byzantine members, and the honest miners that have not left the round and ticketed no other.
    /// A block that nobody has proposed yet has no better chance than one that has been proposed.
    ///
    /// It is judged where no miner can come back to a round that it left, or forget its tickets.
    pub fn never_final(&self, state: &State) -> Option<Round> {
        let returns = match (self.crashes, self.rules.ticket_log) {
            (Crashes::Never, TicketLogRule::Durable | TicketLogRule::Volatile) => false,
            (Crashes::Restart, TicketLogRule::Durable) => false,
            (Crashes::Restart, TicketLogRule::Volatile) => true,
            (Crashes::RestartBehind, TicketLogRule::Durable | TicketLogRule::Volatile) => true,
        };
        let votes = self.rules.votes()
            && !self.has(Fault::VotesAfterOtherTicket)
            && !self.has(Fault::VotesWithoutLeaving);
        if !votes || returns {
            return None;
        }
        let may_vote = |m: &Miner, block: &Block| match m.round.cmp(&block.round) {
            Ordering::Less => true,
            Ordering::Equal => m.ticketed_no_other(block),
            Ordering::Greater => false,
        };
        let lost = |block: &Block| {
            let voted = self.honest_in(state.sent.votes_for(block));
            let may = state.miners.iter().filter(|m| may_vote(m, block)).count();
            voted + may + usize::from(self.committee.byzantine) < self.quorum()
        };
        let rounds = state.sent.notarized.iter().map(|block| block.round);
        rounds
            .into_iter()
            .find(|&round| state.sent.blocks.keys().filter(|block| block.round == round).all(lost))
    }
}

/// S6: another block of its round is notarized.
fn has_rival(state: &State, block: &Block) -> bool {
    state.sent.notarized.iter().any(|other| other != block && other.round == block.round)
}

/// W3: a better block of the subround was proposed, and is not notarized.
fn beats_better(state: &State, block: &Block) -> bool {
    state
        .sent
        .blocks
        .keys()
        .any(|other| other.same_subround(block) && other.rank < block.rank && !state.notarized(other))
}

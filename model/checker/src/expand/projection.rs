//! The projection of a state of the specification onto a packed one.

use super::instance::{block_of, members, packed_block};
use crate::{
    blocks::GENESIS,
    protocol::Protocol,
    state::{State, position},
};
use std::collections::BTreeSet;
use zus_protocol::ids::{MinerId, Round, Subround};
use zus_spec::{self as spec, Block, Fault, Instance};

/// The packed state that `state` is packed into, without any reduction. Two fields have no counterpart in it: `reached`,
/// because a miner of the specification finds in its log which proposals it made; and `voted`, unless a fault lets a miner
/// vote and stay.
pub fn project(protocol: &Protocol, instance: &Instance, state: &spec::State) -> State {
    let blocks = &protocol.blocks;
    let at = |block: Block| packed_block(blocks, block).map_or(0, |id| position(blocks, id));
    let count = |number: usize| number as u32;
    let mut packed = State::empty();
    let environment = &mut packed.environment;
    environment.set_synchronous(state.synchronous.is_some().into());
    if let Some(since) = state.synchronous {
        environment
            .set_stable_since((since.0 as u32).min(u32::from(blocks.rounds - protocol.reserved_rounds)));
    }
    environment.set_crashes(state.history.crashes);
    environment.set_mislabelled(state.history.mislabelled.into());
    environment.set_moved_aside(state.history.moved_aside.into());
    environment.set_holed(state.history.holed.into());
    let twice = |block: &Block| block.generator == spec::Generator::Honest && block.twin > 0;
    environment.set_proposed_twice(state.sent.blocks.keys().any(twice).into());
    let against = |(voted, voters): (&Block, &BTreeSet<MinerId>)| {
        state.sent.tickets.iter().any(|(ticketed, signers)| {
            voted.round == ticketed.round
                && voted != ticketed
                && voters.intersection(signers).any(|by| instance.is_honest(*by))
        })
    };
    environment.set_contradicted(state.sent.votes.iter().any(against).into());
    for (round, early) in &state.history.formed {
        environment.set_formed(environment.formed() | 1 << (round.0 - 1));
        environment.set_formed_early(environment.formed_early() | u32::from(*early) << (round.0 - 1));
    }
    for (observer, &head) in state.heads.iter().enumerate() {
        packed.set_head(observer, packed_block(blocks, head).unwrap_or(GENESIS));
    }
    for miner in 0..protocol.honest() {
        let first = members(protocol, miner).next().unwrap_or_default();
        let (m, p) = (state.miner(first), &mut packed.miners[miner]);
        p.set_round(m.round.0 as u32);
        p.set_subround(m.subround.0);
        p.set_entry(at(m.entry));
        for ticketed in m.tickets_of(m.round) {
            p.set_tickets(p.tickets() | 1 << (at(*ticketed) - 1));
        }
        p.set_unsent(m.unsent.map_or(0, at));
        p.set_selected(m.selected.map_or(0, at));
        p.set_timed_out((instance.timeouts_are_votes() && m.timed_out()).into());
        let subround = if instance.rules.chained() { m.subround } else { Subround(0) };
        let share = spec::state::Visit { through: m.entry, subround };
        p.set_shared(state.sent.shares.get(&share).is_some_and(|by| by.contains(&first)).into());
        p.set_proposed(m.log.proposals.contains(&m.position()).into());
        p.set_crashed((!m.up).into());
        p.set_voted((instance.has(Fault::VotesWithoutLeaving) && m.voted_in(m.round)).into());
        p.set_deceived(m.deceived.into());
        p.set_shares_held(count(m.shares_held.len()));
        let held = count(m.timeouts_held.len());
        p.set_timeouts_held(if m.certificate_held { held.max(protocol.committee.quorum) } else { held });
        p.set_recovered(m.restarted.into());
        p.set_resent(m.resent.into());
        if protocol.keeps_archive() {
            let kept = &mut packed.archive[miner];
            // A ticket that is in the log and can be sent no more is in the archive only if the miner may come back to it.
            let unsent = |block: &&Block| protocol.restarts_behind && m.unsent != Some(**block);
            let sent = |block: &&Block| state.sent.tickets_for(block).any(|by| *by == first);
            let logged = m.log.tickets.iter().filter(unsent);
            for block in state.sent.tickets.keys().filter(sent).chain(logged) {
                kept.tickets[block.round.0 as usize - 1] |= 1 << (at(*block) - 1);
            }
            for (block, by) in &state.sent.votes {
                kept.votes[block.round.0 as usize - 1] |= u16::from(by.contains(&first)) << (at(*block) - 1);
            }
            for ((round, subround), by) in &state.sent.timeouts {
                kept.timeouts[round.0 as usize - 1] |= u8::from(by.contains(&first)) << subround.0;
            }
        }
    }
    let byzantine = |signers: &BTreeSet<MinerId>| {
        instance.byzantine().enumerate().map(|(at, by)| u32::from(signers.contains(&by)) << at).sum::<u32>()
    };
    for block in blocks.all() {
        let name = block_of(blocks, block);
        let tally = packed.block_mut(block);
        if let Some(&parent) = state.sent.blocks.get(&name) {
            tally.set_parent(at(parent).max(1));
        }
        tally.set_notarized(state.sent.notarized.contains(&name).into());
        if let Some(by) = state.sent.tickets.get(&name) {
            tally.set_tickets(count(instance.honest_in(by)));
            tally.set_byzantine_tickets(byzantine(by) & 7);
        }
        if let Some(by) = state.sent.votes.get(&name) {
            tally.set_votes(count(instance.honest_in(by)));
            tally.set_byzantine_votes(byzantine(by) & 7);
        }
    }
    for ((round, subround), by) in &state.sent.timeouts {
        if round.0 <= blocks.rounds.into() && subround.0 < blocks.subrounds.into() {
            let tally = packed.timeout_mut(round.0 as u8, subround.0 as u8);
            tally.set_honest(count(instance.honest_in(by)));
            tally.set_byzantine(byzantine(by) & 7);
        }
    }
    // With `eager`, being there is having sent a share.
    let there = if protocol.reductions.eager { &state.visits } else { &state.sent.shares };
    for (visit, by) in there {
        if let Some(entry) = packed_block(blocks, visit.through) {
            packed.add_present(entry, visit.subround.0 as u8, count(by.len()));
        }
    }
    if protocol.forms_beacon() {
        for miner in 0..protocol.honest() {
            for round in 1..=blocks.rounds {
                let of = |share: &&spec::state::Visit| share.through.round.next() == Round(round.into());
                let sent = state.sent.shares.keys().filter(of);
                let by = members(protocol, miner).next().unwrap_or_default();
                if sent.into_iter().any(|share| state.sent.shares[share].contains(&by)) {
                    protocol.count_share(&mut packed, miner, round);
                }
            }
        }
    }
    packed
}

/// A packed state without the fields that one of the two models does not have: what `reductions` forget, and a certificate
/// that a miner was sent, which is a set in one model and a number in the other.
pub fn comparable(protocol: &Protocol, mut state: State) -> State {
    let on = protocol.reductions;
    state.environment.set_contradicted(0);
    state.environment.set_floor(0);
    for m in &mut state.miners {
        m.set_reached(0);
        m.set_timeouts_held(m.timeouts_held().min(protocol.committee.quorum));
        if on.eager {
            m.set_shared(0);
            m.set_proposed(0);
        }
    }
    for block in protocol.blocks.all() {
        let tally = state.block_mut(block);
        if on.eager {
            tally.set_notarized(0);
        }
        if on.byzantine_available {
            tally.set_byzantine_tickets(0);
            tally.set_byzantine_votes(0);
        }
    }
    if on.byzantine_available {
        for tally in &mut state.timeouts {
            tally.set_byzantine(0);
        }
    }
    let last = protocol.blocks.rounds;
    for entry in std::iter::once(GENESIS).chain(protocol.blocks.all()) {
        // Nobody counts who has been in the round after the last one.
        if protocol.restarts_behind || protocol.blocks.round(entry) == last {
            state.clear_presence(entry);
        }
    }
    state
}

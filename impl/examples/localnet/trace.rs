//! A run of the local network as a trace in the project's format (`zus-trace`, version 1), which `zus replay` re-executes
//! against the model: every ticket, timeout, subround and round change of an honest miner becomes one step of it.
//!
//! It is written for a run that the model has room for ([`has_room`]); a larger one has the form of `long.rs`. What happens after the
//! sixth round is left out. A dishonest
//! miner's messages are not steps; the model lets Byzantine miners send anything at any time. A restarted miner of the
//! model keeps its position. So the steps that the production miner repeats to get there again are left out as well.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zus_bpp::block::BlockId;
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Milestone;

use crate::arguments::Kill;
use zus_sim::timed::World;

/// Rounds that the model has room for.
const MAX_ROUNDS: u64 = 6;
/// Subrounds of a round that the model has room for.
const MAX_SUBROUNDS: u32 = 4;
/// Miners that the model has room for.
const MAX_MINERS: usize = 63;
/// Honest ones among them.
const MAX_HONEST: usize = 7;
/// Restarts that the model can count.
const MAX_RESTARTS: usize = 15;
/// Blocks that the model has room for.
const MAX_BLOCKS: usize = 40;
/// Blocks of a round, and ranks of a subround.
const MAX_BLOCKS_PER_ROUND: usize = 16;

/// Where a miner of the model is.
#[derive(Clone, Default)]
pub struct Position {
    pub round: u64,
    pub subround: u32,
    pub timed_out: bool,
    pub ticketed: bool,
}

/// Whether the model has room for such a run.
pub fn has_room(rounds: usize, miners: usize, honest: usize, restarts: usize) -> bool {
    rounds as u64 <= MAX_ROUNDS && miners <= MAX_MINERS && honest <= MAX_HONEST && restarts <= MAX_RESTARTS
}

/// The trace of what has happened in `world` so far.
pub fn trace<S: Scheme + Clone>(
    world: &World<S>,
    dishonest: &[u16],
    kills: &[Kill],
    command: &str,
) -> Result<Value, String> {
    let n = world.config().committee.miners();
    let honest: Vec<u16> = (0..n).filter(|id| !dishonest.contains(id)).collect();
    let faulty = world.config().committee.faulty();
    let named = names(world)?;
    if named.is_empty() {
        return Err("no round of this run fits into a trace: in the first one nothing was ticketed, or miners went through more \
                    subrounds than the model has\n  fix: use another --seed, or less --loss"
            .into());
    }
    let steps = steps(world, &honest, kills, &named);
    let rounds = named.values().map(|place| place.0).max().unwrap_or(1);
    let subrounds = named.values().map(|place| place.1 + 1).max().unwrap_or(1);
    let places: BTreeSet<Place> = named.values().copied().collect();
    let by: BTreeMap<Place, BlockId> = named.iter().map(|(block, place)| (*place, *block)).collect();
    let blocks: Vec<Value> = places
        .iter()
        .map(|place| {
            let generator = world.observer.block(&by[place]).map(|block| block.header().generator.0);
            let kind = if generator.is_some_and(|g| dishonest.contains(&g)) { "byzantine" } else { "honest" };
            json!({
                "name": name(*place), "round": place.0, "subround": place.1, "rank": place.2, "twin": place.3,
                "generator": kind,
            })
        })
        .collect();
    Ok(json!({
        "format": "zus-trace",
        "version": 1,
        "producer": { "tool": concat!("localnet ", env!("CARGO_PKG_VERSION")), "command": command },
        "instance": {
            "n": n, "f": faulty, "byzantine": dishonest.len(), "quorum": world.config().quorum(),
            "beacon_threshold": world.config().committee.beacon_threshold(), "honest": vec![1; honest.len()],
            // One subround more than was used, so that timeouts of the last one have room.
            "rounds": rounds, "subrounds": (subrounds + 1).min(MAX_SUBROUNDS), "blocks": blocks,
            "network": "async", "restarts": kills.len(), "observers": 0,
            "reserved_rounds": 0, "reserved_subrounds": 0,
            "rules": rules(),
            "reductions": {
                "byzantine_available": true, "eager": true, "symmetry": false, "counting": false, "lazy": false,
            },
        },
        "steps": steps,
    }))
}

/// The rules of the profile `hardened`.
pub fn rules() -> Value {
    json!({
        "beacon": "RoundOnly", "ticket": "OncePerSubround", "subround_entry": "Certificate",
        "subround_switch": "Adopt", "finality": "Votes", "quorum": "ByzantineMajority",
        "ticket_log": "Durable", "echo": "Certificates",
    })
}

/// Round, subround, rank and twin.
pub type Place = (u64, u32, u16, u8);

pub fn name((round, subround, rank, twin): Place) -> String {
    format!("B({round},{subround})#{rank}{}", "'".repeat(twin.into()))
}

/// The place of every block that an honest miner ticketed, as far as the model has room.
fn names<S: Scheme + Clone>(world: &World<S>) -> Result<BTreeMap<BlockId, Place>, String> {
    let mut ranks = BTreeMap::new();
    let mut named: BTreeMap<BlockId, Place> = BTreeMap::new();
    for (_, _, step) in &world.observer.steps {
        match step {
            Milestone::Collected { block, rank, .. } => {
                ranks.insert(block.block, rank.0);
            }
            Milestone::Ticketed(ticket)
                if ticket.round.0 <= MAX_ROUNDS && ticket.subround.0 < MAX_SUBROUNDS =>
            {
                if named.contains_key(&ticket.block) {
                    continue;
                }
                let rank = *ranks.get(&ticket.block).ok_or("a ticketed block was never collected")?;
                let place = |twin| (ticket.round.0, ticket.subround.0, rank, twin);
                let twin = u8::from(named.values().any(|taken| *taken == place(0)));
                named.insert(ticket.block, place(twin));
            }
            _ => {}
        }
    }
    // Whole rounds only, as many as there is room for: none in which somebody timed out of the last subround of the model.
    let beyond = world.observer.steps.iter().filter_map(|(_, _, step)| match step {
        Milestone::TimedOut(timeout) if timeout.subround.0 + 1 >= MAX_SUBROUNDS => Some(timeout.round.0),
        _ => None,
    });
    let mut room = beyond.min().map_or(MAX_ROUNDS, |round| MAX_ROUNDS.min(round - 1));
    let fits = |room: u64| {
        let within = || named.values().filter(move |place| place.0 <= room);
        let of_round = |round: u64| within().filter(|place| place.0 == round).count();
        within().count() <= MAX_BLOCKS
            && within().all(|place| usize::from(place.2) < MAX_BLOCKS_PER_ROUND)
            && (1..=room).all(|round| of_round(round) <= MAX_BLOCKS_PER_ROUND)
    };
    while !fits(room) {
        room -= 1;
    }
    named.retain(|_, place| place.0 <= room);
    Ok(named)
}

/// The crashes and restarts in order: the time in milliseconds, the miner, and the name of the step.
pub fn faults(kills: &[Kill]) -> Vec<(u64, u16, &'static str)> {
    let both = |kill: &Kill| [(kill.at, kill.miner, "crash"), (kill.back(), kill.miner, "restart")];
    let mut faults: Vec<_> = kills.iter().flat_map(both).collect();
    faults.sort_unstable();
    faults
}

fn steps<S: Scheme + Clone>(
    world: &World<S>,
    honest: &[u16],
    kills: &[Kill],
    named: &BTreeMap<BlockId, Place>,
) -> Vec<Value> {
    let index = |miner: MinerId| honest.iter().position(|&id| id == miner.0);
    let block_name =
        |block: &BlockId| named.get(block).map_or_else(|| "genesis".to_owned(), |place| name(*place));
    let has_room = |round: u64| named.values().any(|place| place.0 == round);
    let mut faults = faults(kills).into_iter().peekable();
    let mut positions = vec![Position { round: 1, ..Position::default() }; honest.len()];
    let mut steps = Vec::new();
    for (time, miner, step) in &world.observer.steps {
        while let Some((_, who, what)) = faults.next_if(|(at, _, _)| *at <= time.0) {
            if let Some(miner) = index(MinerId(who)) {
                steps.push(json!({ "do": what, "miner": miner }));
            }
        }
        let Some(miner) = index(*miner) else { continue };
        let at = &mut positions[miner];
        match step {
            Milestone::Ticketed(ticket) if named.contains_key(&ticket.block) => {
                if (ticket.round.0, ticket.subround.0) != (at.round, at.subround) || at.ticketed {
                    continue;
                }
                at.ticketed = true;
                let parent = world.observer.block(&ticket.block).map(|block| block.header().parent);
                let parent = parent.as_ref().map_or_else(|| "genesis".to_owned(), block_name);
                steps.push(json!({
                    "do": "ticket", "miner": miner, "block": block_name(&ticket.block), "parent": parent,
                }));
                if !kills.is_empty() {
                    // Where a crash could come between, writing and sending are two steps of the model.
                    steps.push(json!({ "do": "send_ticket", "miner": miner }));
                }
            }
            Milestone::Left { round, block, .. } if named.contains_key(block) && round.0 >= at.round => {
                steps.push(json!({ "do": "leave", "miner": miner, "block": block_name(block) }));
                *at = Position { round: round.0 + 1, ..Position::default() };
            }
            Milestone::TimedOut(timeout)
                if (timeout.round.0, timeout.subround.0) == (at.round, at.subround)
                    && !at.timed_out
                    && has_room(at.round) =>
            {
                at.timed_out = true;
                steps.push(json!({ "do": "timeout", "miner": miner }));
            }
            Milestone::Entered { round, subround }
                if round.0 == at.round && subround.0 > at.subround && has_room(at.round) =>
            {
                steps.push(json!({ "do": "enter_subround", "miner": miner, "subround": subround.0 }));
                *at = Position { round: at.round, subround: subround.0, ..Position::default() };
            }
            _ => {}
        }
    }
    steps
}

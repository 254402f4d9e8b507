//! A run of any length in the project's format for it (`zus-run`, version 1), which `zus replay` follows with the specification: a
//! line for each step of an honest miner, and just as many signatures of dishonest ones as the steps after them need.
//!
//! Every honest miner is an observer of the trace. A restarted miner of the specification keeps its round and subround, so what the
//! production miner does again until it is there again is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zus_bpp::block::BlockId;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Milestone;

use crate::arguments::Kill;
use crate::trace::{Place, Position, faults, name, rules};
use zus_sim::timed::World;

/// The deeds of an honest miner of the specification beside its [`Position`].
#[derive(Clone, Default)]
struct Miner {
    at: Position,
    /// The block through which it entered its round; none in the first.
    entry: Option<BlockId>,
    /// The round of its last beacon share.
    shared: u64,
    /// The round of its finalized head.
    head: u64,
}

/// The numbers of honest and of dishonest members that have signed each statement so far.
type Signed<K> = BTreeMap<K, (usize, usize)>;

struct Writer<'w, S: Scheme> {
    world: &'w World<S>,
    honest: Vec<u16>,
    dishonest: usize,
    /// Whether a crash can come between a record and its message.
    restarts: bool,
    named: BTreeMap<BlockId, Place>,
    /// Kinds of generators by rank, of the places that are not written yet.
    orders: BTreeMap<(u64, u32), Vec<&'static str>>,
    miners: Vec<Miner>,
    proposed: BTreeSet<BlockId>,
    notarized: BTreeSet<BlockId>,
    tickets: Signed<BlockId>,
    votes: Signed<BlockId>,
    timeouts: Signed<(u64, u32)>,
    steps: usize,
    text: String,
}

/// The run of what has happened in `world` so far.
pub fn run<S: Scheme + Clone>(
    world: &World<S>,
    dishonest: &[u16],
    kills: &[Kill],
    command: &str,
) -> Result<String, String> {
    let n = world.config().committee.miners();
    let honest: Vec<u16> = (0..n).filter(|id| !dishonest.contains(id)).collect();
    let header = json!({
        "format": "zus-run",
        "version": 1,
        "producer": { "tool": concat!("localnet ", env!("CARGO_PKG_VERSION")), "command": command },
        "instance": {
            "n": n, "byzantine": dishonest.len(), "beacon_threshold": world.config().committee.beacon_threshold(),
            "rules": rules(), "restarts": kills.len(), "observers": honest.len(),
        },
    });
    let (named, orders) = places(world, dishonest);
    let new = Miner { at: Position { round: 1, ..Position::default() }, ..Miner::default() };
    let mut writer = Writer {
        world,
        miners: vec![new; honest.len()],
        honest,
        dishonest: dishonest.len(),
        restarts: !kills.is_empty(),
        named,
        orders,
        proposed: BTreeSet::new(),
        notarized: BTreeSet::new(),
        tickets: Signed::new(),
        votes: Signed::new(),
        timeouts: Signed::new(),
        steps: 0,
        text: header.to_string() + "\n",
    };
    writer.walk(kills)?;
    Ok(format!("{}{}\n", writer.text, json!({ "end": writer.steps })))
}

type Orders = BTreeMap<(u64, u32), Vec<&'static str>>;

/// The place of every block that an honest miner collected, and who generates the blocks of these places. A rank of which nobody saw
/// a block may be anybody's.
fn places<S: Scheme + Clone>(world: &World<S>, dishonest: &[u16]) -> (BTreeMap<BlockId, Place>, Orders) {
    let (mut named, mut orders) = (BTreeMap::new(), Orders::new());
    let mut twins: BTreeMap<(u64, u32, u16), u8> = BTreeMap::new();
    for (_, _, step) in &world.observer.steps {
        let Milestone::Collected { block, generator, rank } = step else { continue };
        if named.contains_key(&block.block) {
            continue;
        }
        let (round, subround) = (block.round.0, block.subround.0);
        let twin = twins.entry((round, subround, rank.0)).or_default();
        named.insert(block.block, (round, subround, rank.0, *twin));
        *twin += 1;
        let order = orders.entry((round, subround)).or_default();
        let at = usize::from(rank.0);
        order.resize(order.len().max(at + 1), "honest");
        order[at] = if dishonest.contains(&generator.0) { "byzantine" } else { "honest" };
    }
    (named, orders)
}

impl<S: Scheme + Clone> Writer<'_, S> {
    fn walk(&mut self, kills: &[Kill]) -> Result<(), String> {
        let mut faults = faults(kills).into_iter().peekable();
        for miner in 0..self.miners.len() {
            self.share(miner);
        }
        let world = self.world;
        for (time, miner, step) in &world.observer.steps {
            while let Some((_, who, what)) = faults.next_if(|(at, _, _)| *at <= time.0) {
                if let Some(miner) = self.index(who) {
                    self.step(json!({ "do": what, "miner": miner }));
                }
            }
            if let Some(miner) = self.index(miner.0) {
                self.milestone(miner, step)?;
            }
        }
        Ok(())
    }

    fn index(&self, miner: u16) -> Option<usize> {
        self.honest.iter().position(|&id| id == miner)
    }

    fn step(&mut self, step: Value) {
        self.steps += 1;
        self.text += &format!("{step}\n");
    }

    /// The name of a block; the order of its place is written before it is used.
    fn block(&mut self, id: &BlockId) -> String {
        // A block that nobody collected is genesis, or refused by `zus replay`.
        let Some(&place) = self.named.get(id) else { return "genesis".into() };
        let (round, subround, ..) = place;
        if let Some(generators) = self.orders.remove(&(round, subround)) {
            let line = json!({ "generators": generators, "round": round, "subround": subround });
            self.text += &format!("{line}\n");
        }
        name(place)
    }

    fn share(&mut self, miner: usize) {
        let m = &mut self.miners[miner];
        if m.shared < m.at.round {
            m.shared = m.at.round;
            self.step(json!({ "do": "share_beacon", "miner": miner }));
        }
    }

    /// Signatures of dishonest members, until there is a quorum or all have signed.
    fn lend(&mut self, (honest, lent): (usize, usize), signs: impl Fn(usize) -> Value) -> usize {
        let missing = self.world.config().quorum().saturating_sub(honest + lent);
        let more = missing.min(self.dishonest - lent);
        for member in lent..lent + more {
            self.step(signs(self.honest.len() + member));
        }
        lent + more
    }

    fn notarize(&mut self, id: &BlockId) {
        if !self.named.contains_key(id) || !self.notarized.insert(*id) {
            return;
        }
        let block = self.block(id);
        let signed = self.tickets.get(id).copied().unwrap_or_default();
        let ticket = |member| json!({ "do": "byzantine_ticket", "member": member, "block": block });
        let lent = self.lend(signed, ticket);
        self.tickets.insert(*id, (signed.0, lent));
        self.step(json!({ "do": "notarize", "block": block }));
    }

    fn milestone(&mut self, miner: usize, step: &Milestone) -> Result<(), String> {
        let Miner { at, entry, head, .. } = self.miners[miner].clone();
        match step {
            Milestone::Proposed(made) if (made.round.0, made.subround.0) == (at.round, at.subround) => {
                if !self.named.contains_key(&made.block) || !self.proposed.insert(made.block) {
                    return Ok(());
                }
                let parent = self.world.observer.block(&made.block).map(|block| block.header().parent);
                if entry.is_some() && parent != entry {
                    return Err(format!(
                        "miner {miner} proposes {} on another block than it entered by",
                        made.block
                    ));
                }
                let block = self.block(&made.block);
                self.step(json!({ "do": "propose", "miner": miner, "block": block }));
            }
            Milestone::Collected { block: made, generator, .. }
                if self.index(generator.0).is_none() && !self.proposed.contains(&made.block) =>
            {
                self.proposed.insert(made.block);
                let parent = self.world.observer.block(&made.block).map(|block| block.header().parent);
                let parent = parent.map_or("genesis".into(), |parent| self.block(&parent));
                let block = self.block(&made.block);
                self.step(json!({ "do": "byzantine_propose", "block": block, "parent": parent }));
            }
            Milestone::Ticketed(ticket)
                if (ticket.round.0, ticket.subround.0) == (at.round, at.subround) && !at.ticketed =>
            {
                self.miners[miner].at.ticketed = true;
                if let Some(block) = self.world.observer.block(&ticket.block) {
                    self.notarize(&block.header().parent);
                }
                let block = self.block(&ticket.block);
                for what in ["select", "ticket"] {
                    self.step(json!({ "do": what, "miner": miner, "block": block }));
                }
                if self.restarts {
                    // Where a crash could come between, writing and sending are two steps.
                    self.step(json!({ "do": "send_ticket", "miner": miner }));
                }
                self.tickets.entry(ticket.block).or_default().0 += 1;
            }
            Milestone::Left { round, block: id, voted } if round.0 >= at.round => {
                self.notarize(id);
                let block = self.block(id);
                self.step(json!({ "do": "leave", "miner": miner, "block": block }));
                self.votes.entry(*id).or_default().0 += usize::from(*voted);
                let m = &mut self.miners[miner];
                m.at = Position { round: round.0 + 1, ..Position::default() };
                m.entry = Some(*id);
                self.share(miner);
            }
            Milestone::TimedOut(timeout)
                if (timeout.round.0, timeout.subround.0) == (at.round, at.subround) && !at.timed_out =>
            {
                self.miners[miner].at.timed_out = true;
                self.step(json!({ "do": "timeout", "miner": miner }));
                self.timeouts.entry((at.round, at.subround)).or_default().0 += 1;
            }
            Milestone::Entered { round, subround } if round.0 == at.round && subround.0 > at.subround => {
                let left = (round.0, subround.0 - 1);
                let signed = self.timeouts.get(&left).copied().unwrap_or_default();
                let lent = self.lend(signed, |member| {
                    json!({ "do": "byzantine_timeout", "member": member, "round": left.0, "subround": left.1 })
                });
                self.timeouts.insert(left, (signed.0, lent));
                self.step(json!({ "do": "enter_subround", "miner": miner, "subround": subround.0 }));
                self.miners[miner].at =
                    Position { round: at.round, subround: subround.0, ..Position::default() };
            }
            Milestone::Finalized { round, block: id } if round.0 > head => {
                self.miners[miner].head = round.0;
                let block = self.block(id);
                let signed = self.votes.get(id).copied().unwrap_or_default();
                let vote = |member| json!({ "do": "byzantine_vote", "member": member, "block": block });
                let lent = self.lend(signed, vote);
                self.votes.insert(*id, (signed.0, lent));
                self.step(json!({ "do": "finalize", "observer": miner, "block": block }));
            }
            _ => {}
        }
        Ok(())
    }
}

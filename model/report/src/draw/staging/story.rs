//! A fork in plain words: where its two blocks come from, who signed for them, how each came to count, and what is wrong
//! with that. It is told from what the scene shows, and each sentence names the event that it is about.
//!
//! Told are S2 (two notarized blocks in one subround), S5 (two final blocks on no common chain) and S6 (a notarized rival
//! of a final block); the other properties have the sentence of [`Shown::because`](super::Shown) alone.

use super::{BlockCard, Kind, Role, Scene};
use crate::draw::scene::Told;
use std::collections::{BTreeMap, BTreeSet};
use zus_checker::sentence::list;
use zus_checker::{blocks::BlockId, properties::Property, protocol::Protocol, state::State};

/// Rounds of a growing chain that are named.
const MOST_NAMED: usize = 6;

/// Tells a run that ends in `last` and shows `property`, if it is one of a fork, and names the two blocks.
pub(super) fn tell(protocol: &Protocol, last: &State, property: Property, scene: &mut Scene) {
    let pair = match property {
        Property::S2 => protocol.notarized_twice(last),
        Property::S5 => {
            let heads = (last.head(0), last.head(1));
            let apart = !last.compatible(&protocol.blocks, heads.0, heads.1);
            if apart { Some(heads) } else { protocol.conflicting_finals(last) }
        }
        Property::S6 => protocol.final_with_rival(last),
        _ => None,
    };
    let Some((a, b)) = pair else { return };
    let index = |block: BlockId| (block.index() < scene.blocks.len()).then_some(block.index());
    let (Some(a), Some(b)) = (index(a), index(b)) else { return };
    let mut story = Story { protocol, scene, told: Vec::new() };
    let (first, second) = story.fork(a, b);
    story.origin(first, second);
    story.signers(first, second);
    story.growth(first, second);
    if property != Property::S2 {
        story.finals((first, a), (second, b));
    }
    story.moral(property);
    scene.story = story.told;
    call(scene, first, "X");
    call(scene, second, "Y");
    // The name of a block says its place, not its branch: a prime stands on both. The name that the story gives it
    // says the branch.
    for event in &mut scene.events {
        let Some(BlockCard { name, called: Some(called), .. }) = event.block.map(|b| &scene.blocks[b]) else {
            continue;
        };
        if let Some(what) = event.label.strip_suffix(name.as_str()) {
            event.label = format!("{what}{called}: {name}");
        }
    }
}

/// Calls a block X or Y, and what is built on it by its round: X2, and X2b where the branch has another one there.
fn call(scene: &mut Scene, root: usize, called: &str) {
    scene.blocks[root].called = Some(called.into());
    let descends = |block: usize| {
        std::iter::successors(Some(block), |&b| scene.blocks[b].parent).skip(1).any(|b| b == root)
    };
    let above: Vec<usize> =
        (0..scene.blocks.len()).filter(|&b| scene.blocks[b].proposed.is_some() && descends(b)).collect();
    let mut of_round: BTreeMap<u64, u8> = BTreeMap::new();
    for block in above {
        let round = scene.blocks[block].round;
        let before = of_round.entry(round).or_default();
        let more = if *before == 0 { String::new() } else { char::from(b'a' + *before % 26).to_string() };
        *before += 1;
        scene.blocks[block].called = Some(format!("{called}{round}{more}"));
    }
}

struct Story<'a> {
    protocol: &'a Protocol,
    scene: &'a Scene,
    told: Vec<Told>,
}

impl Story<'_> {
    fn say(&mut self, says: String, event: Option<usize>) {
        let event = event.unwrap_or(self.scene.events.len().saturating_sub(1));
        let mut letters = says.chars();
        let says = letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect());
        self.told.push(Told { says, event });
    }

    fn card(&self, block: usize) -> &BlockCard {
        &self.scene.blocks[block]
    }

    fn name(&self, block: usize) -> &str {
        &self.card(block).name
    }

    /// The block and its ancestors, from the oldest on.
    fn chain(&self, block: usize) -> Vec<usize> {
        let mut chain: Vec<usize> = std::iter::successors(Some(block), |&b| self.card(b).parent).collect();
        chain.reverse();
        chain
    }

    /// Where the chains of two blocks part: the first block of each that the other does not have.
    fn fork(&self, a: usize, b: usize) -> (usize, usize) {
        let (of_a, of_b) = (self.chain(a), self.chain(b));
        let common = of_a.iter().zip(&of_b).take_while(|(x, y)| x == y).count();
        (of_a.get(common).copied().unwrap_or(a), of_b.get(common).copied().unwrap_or(b))
    }

    /// Where the two blocks come from. From here on they are X and Y.
    fn origin(&mut self, a: usize, b: usize) {
        let (x, y) = (self.card(a), self.card(b));
        let alike = x.round == y.round && x.subround == y.subround;
        let both = format!("X, drawn as {}, and Y, drawn as {}", x.name, y.name);
        let says = if alike && x.rank == y.rank {
            let who = if x.byzantine { "the Byzantine generator" } else { "one generator" };
            format!("in round {} {who} makes two different blocks of the same rank: {both}", x.round)
        } else if alike {
            let (better, other) = (x.rank.min(y.rank), x.rank.max(y.rank));
            format!(
                "round {} has two proposals, of the generators of rank {better} and {other}: {both}",
                x.round
            )
        } else if x.round == y.round {
            let (first, other) = (x.subround.min(y.subround), x.subround.max(y.subround));
            format!(
                "round {} has a block in subround {first}, and after a timeout another one in subround {other}: {both}",
                x.round
            )
        } else {
            format!("{both} are of rounds {} and {}, and neither descends from the other", x.round, y.round)
        };
        self.say(says, x.proposed.max(y.proposed));
    }

    /// The honest lanes that sign a block, in the order in which they do, and whether each signed the other one before.
    fn tickets(&self, block: usize, other: usize) -> Vec<(usize, bool)> {
        let mut seen = BTreeSet::new();
        let mut signed = Vec::new();
        for event in self.scene.events.iter().filter(|e| e.kind == Kind::Ticket) {
            if self.scene.lanes[event.lane].role != Role::Honest {
                continue;
            }
            if event.block == Some(other) {
                seen.insert(event.lane);
            } else if event.block == Some(block) {
                signed.push((event.lane, seen.contains(&event.lane)));
            }
        }
        signed
    }

    fn lanes(&self, lanes: impl Iterator<Item = usize>) -> String {
        list(&lanes.map(|lane| self.scene.lanes[lane].name.clone()).collect::<Vec<_>>())
    }

    /// The signers of both blocks, their order, and the reason why that was allowed.
    fn signers(&mut self, a: usize, b: usize) {
        let (for_x, for_y) = (self.tickets(a, b), self.tickets(b, a));
        let first = |all: &[(usize, bool)], what: &str| {
            let who: Vec<usize> = all.iter().filter(|t| !t.1).map(|t| t.0).collect();
            let verb = if who.len() == 1 { "signs" } else { "sign" };
            (!who.is_empty()).then(|| format!("{} {verb} {what}", self.lanes(who.into_iter())))
        };
        let firsts: Vec<String> = [first(&for_x, "X"), first(&for_y, "Y")].into_iter().flatten().collect();
        let twice: BTreeSet<usize> = for_x.iter().chain(&for_y).filter(|t| t.1).map(|t| t.0).collect();
        let (x, y) = (self.card(a), self.card(b));
        let same_subround = x.round == y.round && x.subround == y.subround;
        let byzantine = match self.protocol.committee.byzantine {
            0 => "",
            1 => "; the Byzantine miner signs both",
            _ => "; the Byzantine miners sign both",
        };
        let both = if twice.is_empty() {
            format!("no honest miner signs both{byzantine}")
        } else {
            let many = if twice.len() == 1 { "signs" } else { "sign" };
            let rules = &self.protocol.rules;
            let allowed = if x.round != y.round {
                "they are of different rounds".into()
            } else if !same_subround {
                "one signature in every subround is allowed".into()
            } else if rules.tickets_once() {
                "it had forgotten the first signature in a crash".into()
            } else {
                format!("the rule {} allows it for {}", rules.ticket, rules.ticket.another())
            };
            format!("{} {many} the other one, too: {allowed}{byzantine}", self.lanes(twice.into_iter()))
        };
        let end = x.notarized.max(y.notarized);
        let committee = &self.protocol.committee;
        let counted = match (x.notarized, y.notarized) {
            (Some(_), Some(_)) => {
                format!(
                    ". With q = {} signatures, called tickets, of {} miners a block is notarized, so both are",
                    committee.quorum, committee.n
                )
            }
            _ => String::new(),
        };
        self.say(format!("{}. Then {both}{counted}", firsts.join(", ")), end);
    }

    /// The notarized blocks above one, from its child on: the longest chain.
    fn above(&self, block: usize) -> Vec<usize> {
        let tip = (0..self.scene.blocks.len())
            .filter(|&b| self.card(b).notarized.is_some() && self.chain(b).contains(&block))
            .max_by_key(|&b| (self.card(b).round, std::cmp::Reverse(b)));
        let chain = tip.map_or(Vec::new(), |tip| self.chain(tip));
        chain.into_iter().skip_while(|&b| b != block).skip(1).collect()
    }

    /// How both are built upon.
    fn growth(&mut self, a: usize, b: usize) {
        let (over_a, over_b) = (self.above(a), self.above(b));
        let named = |chain: &[usize]| {
            let shown = chain.iter().take(MOST_NAMED).map(|&b| self.name(b)).collect::<Vec<_>>().join(", ");
            if chain.len() > MOST_NAMED { format!("{shown}, …") } else { shown }
        };
        let last = |chain: &[usize]| chain.last().and_then(|&b| self.card(b).notarized);
        let says = match (over_a.is_empty(), over_b.is_empty()) {
            (true, true) => return,
            (false, false) => format!(
                "both grow, each with blocks that are notarized as well: {} on X, and {} on Y",
                named(&over_a),
                named(&over_b)
            ),
            (false, true) => format!("X is built upon by {}", named(&over_a)),
            (true, false) => format!("Y is built upon by {}", named(&over_b)),
        };
        self.say(says, last(&over_a).max(last(&over_b)));
    }

    /// The observers for which the two blocks, or blocks on top of them, are final, and the rule that makes
    /// them final.
    fn finals(&mut self, (x, a): (usize, usize), (y, b): (usize, usize)) {
        let rule = self.protocol.rules.finality.sentence();
        let mut finals = Vec::new();
        for (root, block, called) in [(x, a, "X"), (y, b, "Y")] {
            let name = self.name(block);
            let by_name = if root == block {
                called.to_owned()
            } else {
                format!("{name}, which descends from {called},")
            };
            let finalizes =
                self.scene.events.iter().position(|e| e.kind == Kind::Finalize && e.block == Some(block));
            if let Some(event) = finalizes {
                let says = &self.scene.events[event].says;
                finals.push((
                    event,
                    says.replacen(&format!("finalizes {name}"), &format!("finalizes {by_name}"), 1),
                ));
            } else if let Some(event) = self.card(block).finalized {
                finals.push((event, format!("{by_name} is final for everybody who has seen this")));
            }
        }
        finals.sort_unstable();
        for (at, (event, says)) in finals.into_iter().enumerate() {
            let why = if at == 0 { format!(": {rule}") } else { ", by the same rule".into() };
            self.say(says + &why, Some(event));
        }
    }

    /// The harm that the two blocks do.
    fn moral(&mut self, property: Property) {
        let says = match property {
            Property::S2 => {
                "so some miners go on from X and some from Y, each with a valid certificate for the same round and subround"
            }
            Property::S5 => {
                "so for one the chain has X in it for good, and for the other Y: two histories, and each was told that its own \
                 cannot change"
            }
            _ => {
                "so one of them was said to be final, and yet the other has a valid certificate to build upon"
            }
        };
        let shown = self.scene.shows.as_ref().map(|shows| shows.event);
        self.say(says.into(), shown.max(self.told.iter().map(|told| told.event).max()));
    }
}

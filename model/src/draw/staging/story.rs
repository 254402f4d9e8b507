//! A fork in plain words: where its two blocks come from, who signed for them, how each came to count, and what is wrong
//! with that. It is told from what the scene shows, and each sentence names the event that it is about.
//!
//! Told are S2 (two notarized blocks in one subround), S5 (two final blocks on no common chain) and S6 (a notarized rival
//! of a final block); the other properties have the sentence of [`Shown::because`](super::Shown) alone.

use super::{BlockCard, Kind, Role, Scene};
use crate::{
    blocks::BlockId,
    draw::scene::Told,
    properties::Property,
    protocol::Protocol,
    rules::{FinalityRule, TicketRule},
    sentence::list,
    state::State,
};
use std::collections::BTreeSet;

/// Rounds of a growing chain that are named.
const MOST_NAMED: usize = 6;

/// The story of a run that ends in `last` and shows `property`; empty where it is none of a fork.
pub(super) fn tell(protocol: &Protocol, last: &State, property: Property, scene: &Scene) -> Vec<Told> {
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
    let Some((a, b)) = pair else { return Vec::new() };
    let index = |block: BlockId| (block.index() < scene.blocks.len()).then_some(block.index());
    let (Some(a), Some(b)) = (index(a), index(b)) else { return Vec::new() };
    let mut story = Story { protocol, scene, told: Vec::new() };
    let (first, second) = story.fork(a, b);
    story.origin(first, second);
    story.signers(first, second);
    story.growth(first, second);
    if property != Property::S2 {
        story.finals(a, b);
    }
    story.moral(property, a, b);
    story.told
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

    /// Where the two blocks come from.
    fn origin(&mut self, a: usize, b: usize) {
        let (x, y) = (self.card(a), self.card(b));
        let (one, other) = (&x.name, &y.name);
        let alike = x.round == y.round && x.subround == y.subround;
        let says = if alike && x.rank == y.rank {
            let who = if x.byzantine { "the Byzantine generator" } else { "one generator" };
            format!(
                "in round {} {who} makes two different blocks of the same rank, {one} and {other}",
                x.round
            )
        } else if alike {
            format!(
                "round {} has two proposals: {one} of the generator of rank {}, and {other} of the generator of rank {}",
                x.round, x.rank, y.rank
            )
        } else if x.round == y.round {
            format!(
                "round {} has a block in subround {}, {one}, and after a timeout another one in subround {}, {other}",
                x.round, x.subround, y.subround
            )
        } else {
            format!(
                "{one} is of round {}, {other} of round {}, and neither descends from the other",
                x.round, y.round
            )
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

    /// Who signs for them, in which order, and why that was allowed.
    fn signers(&mut self, a: usize, b: usize) {
        let (for_a, for_b) = (self.tickets(a, b), self.tickets(b, a));
        let first = |all: &[(usize, bool)]| self.lanes(all.iter().filter(|t| !t.1).map(|t| t.0));
        let says = format!(
            "{} sign{} {} first, {} sign{} {} first",
            first(&for_a),
            plural(&for_a),
            self.name(a),
            first(&for_b),
            plural(&for_b),
            self.name(b)
        );
        let twice: BTreeSet<usize> = for_a.iter().chain(&for_b).filter(|t| t.1).map(|t| t.0).collect();
        let (x, y) = (self.card(a), self.card(b));
        let same_subround = x.round == y.round && x.subround == y.subround;
        let q = self.protocol.committee.quorum;
        let byzantine = match self.protocol.committee.byzantine {
            0 => String::new(),
            1 => ", and the Byzantine miner signs everything".into(),
            _ => ", and the Byzantine miners sign everything".into(),
        };
        let both = if twice.is_empty() {
            format!("no honest miner signs both{byzantine}")
        } else {
            let many = if twice.len() == 1 { "signs" } else { "sign" };
            let allowed = match self.protocol.rules.ticket {
                _ if x.round != y.round => "they are of different rounds".to_owned(),
                _ if !same_subround => "the rule allows one ticket in every subround".into(),
                TicketRule::BetterOrEqualRank => {
                    "the rule BetterOrEqualRank allows one for every block of no worse rank".into()
                }
                TicketRule::BetterRank => {
                    "the rule BetterRank allows one more for a block of a better rank".into()
                }
                TicketRule::OncePerSubround => "the first ticket was forgotten in a crash".into(),
            };
            format!("{} {many} the other one, too: {allowed}{byzantine}", self.lanes(twice.into_iter()))
        };
        let counted = format!("so both reach q = {q} tickets and are notarized");
        let end = x.notarized.max(y.notarized);
        let says = if end.is_some() {
            format!("{says}. Then {both}; {counted}")
        } else {
            format!("{says}. Then {both}")
        };
        self.say(says, end);
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
                "both are built upon: {} on {}, and {} on {}",
                named(&over_a),
                self.name(a),
                named(&over_b),
                self.name(b)
            ),
            (false, true) => format!("{} is built upon by {}", self.name(a), named(&over_a)),
            (true, false) => format!("{} is built upon by {}", self.name(b), named(&over_b)),
        };
        self.say(says, last(&over_a).max(last(&over_b)));
    }

    /// Who takes them as final, and by which rule.
    fn finals(&mut self, a: usize, b: usize) {
        let rule = match self.protocol.rules.finality {
            FinalityRule::TwoThirds => "a notarized block is final by the rule TwoThirds".to_owned(),
            FinalityRule::CommonAncestor { depth } => {
                format!(
                    "by the rule CommonAncestor all tips that one knows decide, {depth} rounds up, and nobody waits for more"
                )
            }
            FinalityRule::TwoDelta => {
                "by the rule TwoDelta it waited twice the delay, and then the tips that it knew decided"
                    .into()
            }
            _ => "q finality votes make it final".into(),
        };
        for block in [a, b] {
            let event =
                self.scene.events.iter().position(|e| e.kind == Kind::Finalize && e.block == Some(block));
            if let Some(event) = event {
                self.say(format!("{}: {rule}", self.scene.events[event].says), Some(event));
            } else if let Some(event) = self.card(block).finalized {
                self.say(
                    format!("{} is final for whoever has seen this: {rule}", self.name(block)),
                    Some(event),
                );
            }
        }
    }

    /// What is wrong with it.
    fn moral(&mut self, property: Property, a: usize, b: usize) {
        let (one, other) = (self.name(a), self.name(b));
        let says = match property {
            Property::S2 => format!(
                "so miners that saw {one} and miners that saw {other} go on from different blocks of one subround, each with a valid \
                 certificate"
            ),
            Property::S5 => format!(
                "so for one the chain has {one} in it for good, for the other {other}: two histories, and each was told that \
                 its own cannot change"
            ),
            _ => format!(
                "so {one} was said to be final, and yet {other} has a valid certificate to build upon"
            ),
        };
        let event = self.scene.shows.as_ref().map(|shows| shows.event);
        self.say(says, event);
    }
}

/// `s` for the verb of one that signs first.
fn plural(signed: &[(usize, bool)]) -> &'static str {
    if signed.iter().filter(|t| !t.1).count() <= 1 { "s" } else { "" }
}

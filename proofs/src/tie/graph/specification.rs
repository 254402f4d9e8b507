//! The whole graph of `proofs/spec` for a universe, over all placements of generators and parents.
//!
//! Three actions have no step in the model: to combine shares, and to make certificates of timeouts and of votes. Each only adds
//! a fact that follows from facts that are there. Either they are done at once, or they are steps like any other, and a
//! state has the facts that it has after them.

use super::{
    Universe,
    fact::{Dictionary, Facts},
    walk::{Graph, Numbers, Step, Steps, Stopped},
};
use crate::{
    structure::{Element, Structure},
    tie::{
        Bound, BoundsHit, Placement, Tie,
        placement::{block, element},
    },
};
use std::{collections::BTreeSet, sync::Mutex};
use zus_checker::blocks::GENESIS;
use zus_spec::Crashes;

/// The actions without a step in the model.
const FOLLOW: &[&str] = &["learn_beacon", "certify_timeout", "certify_finality"];

/// A state, and the tickets that the model's miners will not send: they were in the log and not sent when the miner came back in
/// round 1.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Raw {
    image: Structure,
    lost: BTreeSet<[Element; 2]>,
}

pub(super) struct Walker<'a> {
    pub tie: &'a Tie<'a>,
    pub dictionary: &'a Dictionary,
    pub universe: &'a Universe,
    /// How often an action was beyond a bound of the universe.
    pub beyond: Mutex<BoundsHit>,
}

impl Walker<'_> {
    /// Adds the graph of a placement.
    pub fn walk(
        &self,
        graph: &mut Graph,
        placement: &Placement,
        numbers: &mut Numbers,
        limits: (usize, u64),
    ) -> Result<(), Stopped> {
        // The start of the image has what Byzantine members have sent from the start.
        let Ok((mut first, _)) = self.tie.initial(placement) else { return Err(Stopped::Hidden(0)) };
        if !self.universe.every_order {
            self.follow(&mut first);
        }
        let first = Raw { image: first, lost: BTreeSet::new() };
        graph.walk(numbers, (self.facts(&first.image), first), limits, |raw| self.steps(placement, raw))
    }

    fn facts(&self, image: &Structure) -> Facts {
        if !self.universe.every_order {
            return self.dictionary.of_image(self.tie, image);
        }
        let mut complete = image.clone();
        self.follow(&mut complete);
        self.dictionary.of_image(self.tie, &complete)
    }

    fn steps(&self, placement: &Placement, Raw { image, lost }: &Raw) -> Steps<Raw> {
        let (spec, interpreter) = (self.tie.spec(), &self.tie.interpreter);
        let (mut steps, mut beyond) = (Vec::new(), BoundsHit::new());
        // States in which something is under way have fewer steps than their facts say.
        let mut complete = !lost.iter().any(|[miner, b]| self.there(image, *miner, *b));
        for (index, action) in spec.actions.iter().enumerate() {
            let follows = FOLLOW.contains(&action.name.as_str());
            if follows && !self.universe.every_order {
                continue;
            }
            // Several instances may be one step, as when a quorum is a parameter.
            let mut taken = BTreeSet::new();
            for arguments in interpreter.instances(image, index) {
                if !interpreter.changes(image, index, &arguments) {
                    continue;
                }
                let unsent = action.name == "send_ticket" && lost.contains(&arguments[..2]);
                let bound = unsent.then_some(Bound::SentBefore);
                if let Some(bound) = bound.or_else(|| self.bound(placement, image, &action.name, &arguments))
                {
                    *beyond.entry(bound).or_default() += 1;
                    continue;
                }
                complete &= !follows;
                let mut after = interpreter.apply(image, index, &arguments);
                if !self.universe.every_order {
                    self.follow(&mut after);
                }
                let label = self.dictionary.step(spec, placement, index, &arguments);
                let facts = self.facts(&after);
                if label.is_none() || taken.insert((label, facts.clone())) {
                    let mut lost = lost.clone();
                    if action.name == "restart" {
                        lost.extend(self.unsent(image, arguments[0]));
                    }
                    steps.push(Step { label, facts, after: Raw { image: after, lost } });
                }
            }
        }
        // Poisoned only by a panic, which the walk passes on anyway.
        let mut sums = self.beyond.lock().unwrap_or_else(|e| e.into_inner());
        beyond.into_iter().for_each(|(bound, count)| *sums.entry(bound).or_default() += count);
        let whole = complete
            .then(|| steps.iter().filter_map(|step| Some((step.label?, step.facts.clone()))).collect());
        Steps { steps, whole }
    }

    /// Whether a miner is in the subround of a block.
    fn there(&self, image: &Structure, miner: Element, b: Element) -> bool {
        let place = self.dictionary.protocol.blocks.place(block(b));
        image.holds(self.tie.words.at, &[miner, place.round.into(), place.subround.into()])
    }

    /// The tickets that a miner has in its log and has not sent.
    fn unsent(&self, image: &Structure, miner: Element) -> Vec<[Element; 2]> {
        let words = &self.tie.words;
        let logged = image.tuples(words.logged).filter(|t| t[0] == miner && !image.holds(words.ticket, t));
        logged.map(|t| [t[0], t[1]]).collect()
    }

    /// Does what follows by itself.
    fn follow(&self, image: &mut Structure) {
        let interpreter = &self.tie.interpreter;
        for (index, action) in self.tie.spec().actions.iter().enumerate() {
            if !FOLLOW.contains(&action.name.as_str()) {
                continue;
            }
            for arguments in interpreter.instances(image, index) {
                if self.genuine(&action.name, &arguments) && interpreter.changes(image, index, &arguments) {
                    *image = interpreter.apply(image, index, &arguments);
                }
            }
        }
    }

    /// Whether it is not about a wrong beacon value.
    fn genuine(&self, action: &str, arguments: &[Element]) -> bool {
        match action {
            "byzantine_share" | "learn_beacon" => arguments[1] == arguments[2],
            "form_beacon" => arguments[0] == arguments[1],
            _ => true,
        }
    }

    /// The bound of the universe that an action is beyond, decided by what the specification that is proved says alone.
    fn bound(
        &self,
        placement: &Placement,
        image: &Structure,
        action: &str,
        arguments: &[Element],
    ) -> Option<Bound> {
        let (words, blocks) = (&self.tie.words, &self.dictionary.protocol.blocks);
        let inside = |round: Element| (1..=Element::from(blocks.rounds)).contains(&round);
        let last = |subround: Element| subround + 1 >= Element::from(blocks.subrounds);
        let proposed = |b: Element| b == 0 || image.holds(words.proposed, &[b]);
        let twin = |b: Element| {
            let second = block(b) != GENESIS && blocks.place(block(b)).twin == 1;
            second && !proposed(b - 1)
        };
        let when = |beyond: bool, bound: Bound| beyond.then_some(bound);
        if !self.genuine(action, arguments) {
            return Some(Bound::WrongShare);
        }
        match action {
            "share_beacon" | "byzantine_timeout" | "enter_subround" => {
                when(!inside(arguments[1]), Bound::Universe)
            }
            "form_beacon" => when(!inside(arguments[0]) || !self.universe.forms_beacon, Bound::Universe),
            "timeout" => when(!inside(arguments[1]) || last(arguments[2]), Bound::Universe),
            "propose" => when(twin(arguments[1]), Bound::Unproposed),
            "byzantine_propose" => {
                let b = arguments[1];
                let parent = if b == 0 { 0 } else { element(placement.parent(block(b))) };
                when(b == 0, Bound::Universe).or(when(twin(b) || !proposed(parent), Bound::Unproposed))
            }
            "byzantine_ticket" | "byzantine_vote" => {
                when(arguments[1] == 0, Bound::Universe).or(when(!proposed(arguments[1]), Bound::Unproposed))
            }
            "finalize" => when(arguments[0] as usize >= self.dictionary.protocol.observers, Bound::Observer),
            "restart" => {
                let behind = self.dictionary.instance.crashes == Crashes::RestartBehind;
                when(!behind || arguments[1..] != [0, 1], Bound::Restart)
            }
            _ => None,
        }
    }
}

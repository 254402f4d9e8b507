//! From the model to the specification: what an action of the model is there, and whether the two agree afterwards.

use super::{
    Drift, Untied,
    image::sizes,
    placement::element,
    vocabulary::{Actions, Signature, Vocabulary},
};
use crate::{
    bounded::Event,
    spec::Spec,
    structure::{Element, Evaluator, Interpreter, Structure},
};
use zus_checker::{
    action::Action,
    blocks::GENESIS,
    protocol::{Network, Protocol},
    state::State,
};

/// A specification and an instance of the model, tied.
pub struct Tie<'a> {
    pub(super) spec: &'a Spec,
    pub(super) protocol: Protocol,
    pub(super) interpreter: Interpreter<'a>,
    pub(super) words: Vocabulary,
    pub(super) actions: Actions,
    pub(super) signature: Signature,
    pub(super) sizes: Vec<usize>,
    /// Derived relations with their definitions.
    pub(super) derived: Vec<(usize, Evaluator)>,
}

impl<'a> Tie<'a> {
    /// Ties them, whatever the rules of either: if they are not the same, a drift will be found.
    pub fn new(spec: &'a Spec, protocol: &Protocol) -> Result<Self, Untied> {
        if protocol.committee.weights.iter().any(|w| *w != 1) {
            return Err(Untied::Groups);
        }
        if !matches!(protocol.network, Network::Async | Network::Lossy) {
            return Err(Untied::Synchronous);
        }
        if protocol.reductions.symmetry || protocol.reductions.counting {
            return Err(Untied::Forgetful);
        }
        let rules = &protocol.rules;
        if rules.chained() || !rules.votes() || protocol.rules.enters_alone() {
            return Err(Untied::Rules(super::rules_of(rules, protocol.fault)));
        }
        let derived =
            spec.relations.iter().enumerate().filter_map(|(index, relation)| match &relation.kind {
                crate::spec::RelationKind::Derived { variables, definition } => {
                    Some((index, Evaluator::new(definition, variables)))
                }
                _ => None,
            });
        Ok(Tie {
            spec,
            protocol: protocol.clone(),
            interpreter: Interpreter::new(spec),
            words: Vocabulary::of(spec)?,
            actions: Actions::of(spec)?,
            signature: Signature::of(spec)?,
            sizes: sizes(spec, protocol)?,
            derived: derived.collect(),
        })
    }

    /// The instance of the model.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Whether the model leaves no action out, as it does under `eager` and `lazy`.
    pub(super) fn complete(&self) -> bool {
        !self.protocol.reductions.eager && !self.protocol.reductions.lazy
    }

    /// Counts what was executed.
    pub(super) fn count(&self, events: &[Event], exploration: &mut super::Exploration) {
        for event in events {
            let name = &self.spec.actions[event.action].name;
            match exploration.executed.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(exploration.executed.insert(name.clone(), 1)),
            }
        }
    }

    /// The specification.
    pub fn spec(&self) -> &'a Spec {
        self.spec
    }

    /// One step: the specification's actions that the model's action is, each with its guards, and their updates.
    pub fn follow(
        &self,
        image: &Structure,
        before: &State,
        action: &Action,
        after: &State,
    ) -> Result<(Structure, Vec<Event>), Drift> {
        let mut image = image.clone();
        let mut events = Vec::new();
        for event in self.translate(&image, before, action, after)? {
            self.execute(&mut image, event, &mut events)?;
        }
        self.implied(&mut image, after, &mut events)?;
        self.agreement(after, &image)?;
        Ok((image, events))
    }

    /// Checks the statements that hold in every reachable state.
    pub fn conjuncts(&self, image: &Structure) -> Result<(), Drift> {
        let broken = self.interpreter.broken_invariants(image).into_iter();
        match broken.chain(self.interpreter.broken_safety(image)).next() {
            Some(statement) => Err(Drift::Broken(statement.name.clone())),
            None => Ok(()),
        }
    }

    /// Checks the statements that hold of every step.
    pub fn transitions(&self, before: &Structure, after: &Structure) -> Result<(), Drift> {
        match self.interpreter.broken_transitions(before, after).first() {
            Some(statement) => Err(Drift::Broken(statement.name.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn execute(
        &self,
        image: &mut Structure,
        event: Event,
        done: &mut Vec<Event>,
    ) -> Result<(), Drift> {
        self.interpreter.enabled(image, event.action, &event.arguments).map_err(Drift::Forbidden)?;
        *image = self.interpreter.apply(image, event.action, &event.arguments);
        done.push(event);
        Ok(())
    }

    /// A quorum that satisfies `holds`, or any: then a guard will say what is wrong.
    pub(super) fn quorum(&self, image: &Structure, holds: impl Fn(Element) -> bool) -> Element {
        let sets = image.size(self.signature.quorum);
        self.set_of(image, self.words.member, sets, holds).unwrap_or_default()
    }

    fn has_quorum(&self, image: &Structure, holds: impl Fn(Element) -> bool) -> Option<Element> {
        self.set_of(image, self.words.member, image.size(self.signature.quorum), holds)
    }

    /// The specification's actions that the model's is.
    fn translate(
        &self,
        image: &Structure,
        before: &State,
        action: &Action,
        after: &State,
    ) -> Result<Vec<Event>, Drift> {
        let (a, words, blocks) = (&self.actions, &self.words, &self.protocol.blocks);
        let one =
            |action: usize, arguments: &[Element]| vec![Event { action, arguments: arguments.to_vec() }];
        let position = |miner: u8| {
            let m = &before.miners[miner as usize];
            (m.round(), m.subround())
        };
        let byzantine = |index: u8| self.protocol.honest() as Element + Element::from(index);
        Ok(match *action {
            // Sent before it restarted behind: nothing is sent again.
            Action::ShareBeacon { miner } if position(miner).0 <= before.miners[miner as usize].reached() => {
                Vec::new()
            }
            Action::ShareBeacon { miner } => {
                let ((round, subround), entry) = (position(miner), before.entry(blocks, miner as usize));
                one(a.share_beacon, &[miner.into(), round, subround, element(entry), round])
            }
            Action::FormBeacon { round } => {
                let round = Element::from(round);
                let shared = |m: Element| image.holds(words.share, &[m, round, round]);
                let groups = image.size(self.signature.group);
                let group = self.set_of(image, words.in_group, groups, shared).unwrap_or_default();
                one(a.form_beacon, &[round, round, group])
            }
            Action::Propose { miner, block } => {
                let entry = before.entry(blocks, miner as usize);
                one(a.propose, &[miner.into(), element(block), element(entry)])
            }
            Action::ByzantinePropose { block, .. } => {
                let generator = image.value(self.signature.generator, &[element(block)]);
                one(a.byzantine_propose, &[generator, element(block)])
            }
            Action::Select { .. } | Action::Crash { .. } => Vec::new(),
            Action::Ticket { miner, block, parent } => {
                let mut events = Vec::new();
                // Under `eager` a block comes into being with its first ticket; honest ones were proposed before.
                let generator = image.value(self.signature.generator, &[element(block)]);
                if self.protocol.reductions.eager
                    && generator >= self.protocol.honest() as Element
                    && !image.holds(words.proposed, &[element(block)])
                {
                    events = one(a.byzantine_propose, &[generator, element(block)]);
                }
                events.extend(one(a.log_ticket, &[miner.into(), element(block), element(parent)]));
                if !self.protocol.writes_before_sending() {
                    events.extend(one(a.send_ticket, &[miner.into(), element(block)]));
                }
                events
            }
            Action::SendTicket { miner } => {
                let m = &before.miners[miner as usize];
                let block = blocks.at(m.round() as u8, m.unsent() as u8 - 1);
                one(a.send_ticket, &[miner.into(), element(block)])
            }
            Action::ByzantineTicket { byzantine: b, block } => {
                one(a.byzantine_ticket, &[byzantine(b), element(block)])
            }
            Action::Notarize { block } => {
                let quorum = self.quorum(image, |m| image.holds(words.ticket, &[m, element(block)]));
                one(a.notarize, &[element(block), quorum])
            }
            Action::Leave { miner, block } => self.leave(before, miner, block, after),
            Action::TimeoutThenLeave { miner, block } => {
                let (round, subround) = position(miner);
                let mut events = one(a.timeout, &[miner.into(), round, subround]);
                events.extend(self.leave(before, miner, block, after));
                events
            }
            Action::ByzantineVote { byzantine: b, block } => {
                one(a.byzantine_vote, &[byzantine(b), element(block)])
            }
            Action::Timeout { miner } => {
                let (round, subround) = position(miner);
                one(a.timeout, &[miner.into(), round, subround])
            }
            Action::TimeoutTogether { round, subround, miners } => (0..self.protocol.honest())
                .filter(|m| miners >> m & 1 == 1)
                .flat_map(|m| one(a.timeout, &[m as Element, round.into(), subround.into()]))
                .collect(),
            Action::ByzantineTimeout { byzantine: b, round, subround } => {
                one(a.byzantine_timeout, &[byzantine(b), round.into(), subround.into()])
            }
            Action::EnterSubround { miner, subround } => {
                let (round, from) = position(miner);
                let to = Element::from(subround);
                one(a.enter_subround, &[miner.into(), round, from, to - 1, to])
            }
            Action::Finalize { observer, block } => one(a.finalize, &[observer.into(), element(block)]),
            Action::Restart { miner } => {
                let (round, subround) = position(miner);
                let entry = before.entry(blocks, miner as usize);
                let mut events = one(a.restart, &[miner.into(), element(entry), round]);
                if subround > 0 {
                    // Certificates lead it back to its subround.
                    events.extend(one(a.enter_subround, &[miner.into(), round, 0, subround - 1, subround]));
                }
                events
            }
            Action::RestartBehind { miner } => one(a.restart, &[miner.into(), element(GENESIS), 1]),
            Action::VoteWithoutLeaving { .. }
            | Action::LeaveRelabelled { .. }
            | Action::Adopt { .. }
            | Action::BelieveSeed { .. }
            | Action::Synchronize => return Err(Drift::NoCounterpart),
        })
    }

    /// Leaving is with a vote if the model's miner cast one.
    fn leave(
        &self,
        before: &State,
        miner: u8,
        block: zus_checker::blocks::BlockId,
        after: &State,
    ) -> Vec<Event> {
        let m = &before.miners[miner as usize];
        let place = self.protocol.blocks.place(block);
        let cast = |state: &State| {
            state.archive[miner as usize].votes[place.round as usize - 1] >> place.local & 1 == 1
        };
        let votes = cast(after) && !cast(before);
        let action = if votes { self.actions.leave_voting } else { self.actions.leave_silently };
        let to = Element::from(place.round) + 1;
        vec![Event { action, arguments: vec![miner.into(), element(block), m.round(), m.subround(), to] }]
    }

    /// Actions that the model has no steps for: they follow as soon as they can.
    pub(super) fn implied(
        &self,
        image: &mut Structure,
        state: &State,
        done: &mut Vec<Event>,
    ) -> Result<(), Drift> {
        let (a, words, blocks) = (&self.actions, &self.words, &self.protocol.blocks);
        if self.protocol.reductions.eager {
            self.announced(image, state, done)?;
        }
        for round in 1..=Element::from(blocks.rounds) + 1 {
            let shared = |m: Element| image.holds(words.share, &[m, round, round]);
            let groups = image.size(self.signature.group);
            if let Some(group) = self.set_of(image, words.in_group, groups, shared) {
                // Where the model has no step for it, a miner that can form the value has formed it.
                let explored = round <= Element::from(blocks.rounds);
                let left_out = explored && self.protocol.forms_beacon();
                if !left_out && !image.holds(words.formed, &[round, round]) {
                    let event = Event { action: a.form_beacon, arguments: vec![round, round, group] };
                    self.execute(image, event, done)?;
                }
                for miner in 0..self.protocol.honest() as Element {
                    if !image.holds(words.known, &[miner, round, round]) {
                        let event =
                            Event { action: a.learn_beacon, arguments: vec![miner, round, round, group] };
                        self.execute(image, event, done)?;
                    }
                }
            }
            for subround in 0..Element::from(blocks.subrounds) {
                if !image.holds(words.timeout_certificate, &[round, subround])
                    && let Some(quorum) =
                        self.has_quorum(image, |m| image.holds(words.timeout, &[m, round, subround]))
                {
                    let event = Event { action: a.certify_timeout, arguments: vec![round, subround, quorum] };
                    self.execute(image, event, done)?;
                }
            }
        }
        if self.protocol.reductions.eager {
            self.proposed(image, state, done)?;
        }
        for block in blocks.all().map(element) {
            if self.protocol.reductions.eager
                && !image.holds(words.notarized, &[block])
                && image.holds(words.proposed, &[block])
                && let Some(quorum) = self.has_quorum(image, |m| image.holds(words.ticket, &[m, block]))
            {
                self.execute(image, Event { action: a.notarize, arguments: vec![block, quorum] }, done)?;
            }
            if let (Some(anchor), Some(anchored)) = (a.anchor, words.anchored)
                && image.holds(words.notarized, &[block])
                && !image.holds(anchored, &[block])
                && let Some(parent) = (0..block).find(|p| image.holds(words.parent, &[*p, block]))
                && image.holds(anchored, &[parent])
            {
                self.execute(image, Event { action: anchor, arguments: vec![block, parent] }, done)?;
            }
            if !image.holds(words.finality_certificate, &[block])
                && let Some(quorum) = self.has_quorum(image, |m| image.holds(words.vote, &[m, block]))
            {
                self.execute(
                    image,
                    Event { action: a.certify_finality, arguments: vec![block, quorum] },
                    done,
                )?;
            }
        }
        Ok(())
    }

    /// Under `eager`, a miner that enters sends its share.
    fn announced(&self, image: &mut Structure, state: &State, done: &mut Vec<Event>) -> Result<(), Drift> {
        for miner in 0..self.protocol.honest() {
            let m = &state.miners[miner];
            let (who, round, subround) = (miner as Element, m.round(), m.subround());
            if m.crashed() == 0 && !image.holds(self.words.share, &[who, round, round]) {
                let entry = element(state.entry(&self.protocol.blocks, miner));
                let arguments = vec![who, round, subround, entry, round];
                self.execute(image, Event { action: self.actions.share_beacon, arguments }, done)?;
            }
        }
        Ok(())
    }

    /// Under `eager`, a generator that can propose does.
    fn proposed(&self, image: &mut Structure, state: &State, done: &mut Vec<Event>) -> Result<(), Drift> {
        for block in self.protocol.blocks.all().map(element) {
            let miner = image.value(self.signature.generator, &[block]);
            if image.holds(self.words.proposed, &[block]) || miner >= self.protocol.honest() as Element {
                continue;
            }
            let entry = element(state.entry(&self.protocol.blocks, miner as usize));
            let event = Event { action: self.actions.propose, arguments: vec![miner, block, entry] };
            if self.interpreter.enabled(image, event.action, &event.arguments).is_ok() {
                self.execute(image, event, done)?;
            }
        }
        Ok(())
    }
}

//! The good period of `model/spec`, and the clock of `proofs/spec`.
//!
//! The model counts no time. In its good period everything that honest miners owe each other happens before timers fire, timers
//! fire in order, and a state in which nothing must happen any more is at rest. The clock has ticks, each of which waits for
//! obligations. The state that *corresponds* to a state of the model has the same facts, and for longer than any timer or
//! window nobody has done anything: every message has been received, everybody has been where it is at the ticks since,
//! and all timers and windows have ended, but for the timer of the last subround, which is beyond the bounds of the model.
//!
//! What is checked, of every state of a graph: the model is at rest exactly if in the corresponding state no obligation is open
//! and `tick` is enabled. So all guards of `tick` are asked, and each obligation is one.
//!
//! Only a leader owes a proposal by the clock, in one subround; so a universe has a leader there, or no honest generator.
//! Observers are not compared: by the clock they owe a finalized head, and in the model they may always have one.

use super::{
    Difference, GraphError, Universe,
    fact::{Dictionary, Fact, Facts},
    walk::{Graph, Numbers, Step, Steps, Stopped},
};
use crate::{
    spec::{RelationId, Spec},
    structure::{Element, Evaluator, Structure},
    tie::{Placement, Tie, placement::element},
};
use std::{collections::HashMap, sync::Mutex};
use zus_checker::{blocks::Generator, expand::specified};
use zus_spec::{Action, Exploration, Network, State};

/// Ticks of the clock. The last step is done before `STEPS_END`.
pub(in crate::tie) const TICKS: Element = 20;
const STEPS_END: Element = 11;
/// Ticks of a window and of a timer.
const WINDOW: Element = 5;
const TIMER: Element = 6;

/// How many states were compared, and in how many nothing must happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rest {
    /// Pairs of a state of the model and a corresponding one.
    pub states: u64,
    /// Those at rest.
    pub resting: u64,
}

/// Compares every state of the model's graph with the clock.
pub fn at_rest(spec: &Spec, universe: &Universe, threads: usize) -> Result<Rest, GraphError> {
    let protocol = universe.protocol()?;
    let (mut instance, bounds) = specified(&protocol);
    instance.network = if universe.led { Network::Synchronous } else { Network::PartiallySynchronous };
    // So that a ticket is written and sent in two steps, as by the other specification; nobody goes down.
    instance.crashes = zus_spec::Crashes::Restart;
    let dictionary = Dictionary::new(&protocol, &instance);
    let exploration = Exploration::new(instance.clone(), bounds.clone());
    let resting = |state: &State| {
        let mut now = state.clone();
        if now.synchronous.is_none() {
            instance.apply(&mut now, &Action::Synchronize);
        }
        instance.quiescent(&now, &bounds)
    };
    let found: Mutex<HashMap<Facts, [bool; 2]>> = Mutex::default();
    let steps = |state: &State| {
        let facts = dictionary.of_model(state);
        // Poisoned only by a panic, which the walk passes on anyway.
        let mut all = found.lock().unwrap_or_else(|e| e.into_inner());
        all.entry(facts).or_default()[usize::from(resting(state))] = true;
        drop(all);
        let enabled = exploration.steps(state).into_iter().filter(|step| *step != Action::Synchronize);
        let steps = enabled.map(|action| {
            let mut after = state.clone();
            instance.apply(&mut after, &action);
            Step { label: Some(action), facts: dictionary.of_model(&after), after }
        });
        Steps { steps: steps.collect(), whole: None }
    };
    let (mut graph, mut numbers) = (Graph::default(), Numbers::default());
    let first = instance.initial();
    let start = (dictionary.of_model(&first), first);
    let walked = graph.walk(&mut numbers, start, (threads, universe.most), steps);
    if let Err(Stopped::TooLarge | Stopped::Hidden(_)) = walked {
        return Err(GraphError::TooLarge(universe.name.into(), universe.most));
    }
    let found = found.into_inner().unwrap_or_else(|e| e.into_inner());
    let tie = Tie::new(spec, &protocol)?;
    let clocks: Vec<_> = Placement::every(&protocol)?
        .into_iter()
        .map(|placement| Clock::new(&tie, placement, universe.led))
        .collect::<Result<_, _>>()?;
    let mut rest = Rest::default();
    for (number, facts) in numbers.states.iter().enumerate() {
        let Some(&seen) = found.get(facts) else { continue };
        let fail = |what: String| {
            let state = facts.iter().map(|fact| dictionary.words(*fact)).collect();
            let run = graph.run(number as u32).into_iter();
            let run = run.map(|label| dictionary.sentence(&numbers.labels[label as usize])).collect();
            Err(GraphError::Differ(Box::new(Difference { what, state, run })))
        };
        if seen == [true, true] {
            return fail("of two states of the model with the same facts, one is at rest".into());
        }
        for clock in clocks.iter().filter(|clock| clock.fits(facts)) {
            let open = clock.open(facts);
            rest.states += 1;
            rest.resting += u64::from(seen[1]);
            match (seen[1], open.is_empty()) {
                (true, false) => {
                    return fail(format!(
                        "the model is at rest, and by the clock something is open: {}",
                        open.join(", ")
                    ));
                }
                (false, true) => {
                    return fail("by the clock nothing is open, and the model is not at rest".into());
                }
                _ => {}
            }
        }
    }
    Ok(rest)
}

/// The fixed part of a universe with a clock.
struct Clock<'a> {
    tie: &'a Tie<'a>,
    placement: Placement,
    image: Structure,
    tick: usize,
    words: Words,
}

/// The relations that only a specification with a clock has, and `finalized`.
struct Words {
    finalized: RelationId,
    voted_in: RelationId,
    received: RelationId,
    behind: RelationId,
    passed: RelationId,
    above: RelationId,
    reached: RelationId,
}

impl<'a> Clock<'a> {
    fn new(tie: &'a Tie<'a>, placement: Placement, led: bool) -> Result<Self, GraphError> {
        let (spec, protocol) = (tie.spec(), tie.protocol());
        let absent = |name: &str| GraphError::from(crate::tie::Untied::Name(name.to_string()));
        let mut image = Structure::new(spec, &tie.sizes, &[]);
        tie.interpret(&mut image);
        tie.place(&mut image, &placement);
        let last = Element::from(protocol.blocks.subrounds) - 1;
        let honest = protocol.honest() as Element;
        let leader = protocol.blocks.all().find(|b| protocol.blocks.place(*b).generator == Generator::Honest);
        let lead = leader.map_or(0, |block| placement.generator(block));
        let set = |name: &str, member: RelationId, image: &Structure| {
            let sort = spec.sort(name).ok_or_else(|| absent(name))?;
            let all = tie.set_of(image, member, image.size(sort), |m| m < honest);
            all.ok_or_else(|| absent(name))
        };
        let (all_up, group_up) =
            (set("quorum", tie.words.member, &image)?, set("group", tie.words.in_group, &image)?);
        let constants = [
            ("gst", 0),
            ("gst1", 1),
            ("p0", 0),
            ("p1", 1),
            ("p2", 2),
            ("p3", 3),
            ("p4", 4),
            ("p5", 5),
            ("w0", WINDOW),
            ("q0", 2 + WINDOW),
            ("q1", 3 + WINDOW),
            ("q2", 4 + WINDOW),
            ("q3", 5 + WINDOW),
            ("w5", 5 + WINDOW),
            ("d0", TICKS - 1),
            ("good_round", 1),
            ("good_subround", last),
            ("next_round", 2),
            ("first", lead),
            ("lead", lead),
            ("all_up", all_up),
            ("group_up", group_up),
        ];
        for (name, value) in constants {
            image.assign(spec.function(name).ok_or_else(|| absent(name))?, &[], value);
        }
        let relation = |name: &str| spec.relation(name).ok_or_else(|| absent(name));
        let (up, timer, window) = (relation("up")?, relation("timer")?, relation("window")?);
        (0..honest).for_each(|m| image.set(up, &[m], true));
        for (s, from) in (0..=last).flat_map(|s| (0..TICKS).map(move |from| (s, from))) {
            if from + WINDOW < TICKS {
                image.set(window, &[s, from, from + WINDOW], true);
            }
            if s < last && from + TIMER < TICKS {
                image.set(timer, &[s, from, from + TIMER], true);
            }
        }
        image.set(timer, &[last, 0, TICKS - 1], true);
        for name in ["aimed", "led"] {
            image.set(relation(name)?, &[], led);
        }
        tie.interpreter.initialize(&mut image);
        if let Some(axiom) = tie.interpreter.broken_axioms(&image).first() {
            return Err(absent(&format!("universe with a clock that keeps the axiom `{}`", axiom.name)));
        }
        let tick = spec.actions.iter().position(|a| a.name == "tick").ok_or_else(|| absent("tick"))?;
        let words = Words {
            finalized: relation("finalized")?,
            voted_in: relation("voted_in")?,
            received: relation("received")?,
            behind: relation("behind")?,
            passed: relation("passed")?,
            above: relation("above")?,
            reached: relation("reached")?,
        };
        Ok(Clock { tie, placement, image, tick, words })
    }

    /// Whether the proposals of a state are placed so.
    fn fits(&self, facts: &Facts) -> bool {
        facts.iter().all(|fact| match *fact {
            Fact::Proposed(b, parent) => {
                let id = crate::tie::placement::block(b.into());
                let place = self.tie.protocol.blocks.place(id);
                let logged =
                    Fact::ProposalLogged(self.placement.generator(id) as u8, place.round, place.subround);
                element(self.placement.parent(id)) as u8 == parent
                    && (place.generator != Generator::Honest || facts.contains(&logged))
            }
            _ => true,
        })
    }

    /// The guards of `tick` that do not hold in the corresponding state.
    fn open(&self, facts: &Facts) -> Vec<&'a str> {
        let image = self.corresponding(facts);
        let guards = self.tie.interpreter.guards(&image, self.tick, &[TICKS - 2, TICKS - 1]);
        guards.into_iter().filter(|(_, holds)| !holds).map(|(name, _)| name).collect()
    }

    fn corresponding(&self, facts: &Facts) -> Structure {
        let (words, mut image) = (&self.tie.words, self.image.clone());
        let protocol = &self.tie.protocol;
        let honest = protocol.honest() as Element;
        for of in [words.at, words.entered_through, words.head] {
            image.tuples(of).collect::<Vec<_>>().iter().for_each(|tuple| image.set(of, tuple, false));
        }
        for round in 0..=Element::from(protocol.blocks.rounds) + 1 {
            (honest..protocol.committee.n).for_each(|m| image.set(words.share, &[m, round, round], true));
        }
        let Words { finalized, voted_in, received, .. } = self.words;
        let round = self.tie.signature.round;
        let mut at = HashMap::new();
        for fact in facts {
            let mut set = |of: RelationId, tuple: &[u8]| {
                let tuple: Vec<Element> = tuple.iter().map(|e| Element::from(*e)).collect();
                image.set(of, &tuple, true);
            };
            match *fact {
                Fact::At(m, r, s) => {
                    set(words.at, &[m, r, s]);
                    at.insert(Element::from(m), (Element::from(r), Element::from(s)));
                }
                Fact::Entered(m, b) => set(words.entered_through, &[m, b]),
                Fact::Shared(m, r) => set(words.share, &[m, r, r]),
                Fact::Proposed(b, _) => {
                    set(words.proposed, &[b]);
                    (0..honest as u8).for_each(|m| set(received, &[m, b]));
                    let generator = self.placement.generator(crate::tie::placement::block(b.into()));
                    if generator < honest {
                        set(words.proposal_logged, &[generator as u8, b]);
                    }
                }
                Fact::Logged(m, b) => set(words.logged, &[m, b]),
                Fact::Ticketed(m, b) => set(words.ticket, &[m, b]),
                Fact::Notarized(b) => set(words.notarized, &[b]),
                Fact::Voted(m, b) => {
                    set(words.vote, &[m, b]);
                    let of = image.value(round, &[b.into()]);
                    image.set(voted_in, &[m.into(), of], true);
                }
                Fact::Certified(b) => set(words.finality_certificate, &[b]),
                Fact::TimedOut(m, r, s) => set(words.timeout, &[m, r, s]),
                Fact::TimeoutCertified(r, s) => set(words.timeout_certificate, &[r, s]),
                Fact::Head(o, b) => {
                    set(words.head, &[o, b]);
                    set(finalized, &[o, b]);
                }
                // Below, of a relation that other facts determine, or of none that an obligation reads.
                Fact::Known(_) | Fact::Formed(_) => {}
                Fact::ProposalLogged(..) | Fact::VoteLogged(..) | Fact::TimeoutLogged(..) => {}
            }
        }
        for fact in facts {
            if let Fact::Known(m) = *fact {
                let (r, _) = at[&Element::from(m)];
                image.set(words.known, &[m.into(), r, r], true);
            }
        }
        self.places(&mut image, &at);
        self.derived(&mut image);
        self.since_long(&mut image);
        image
    }

    /// How far each miner is.
    fn places(&self, image: &mut Structure, at: &HashMap<Element, (Element, Element)>) {
        let Words { behind, passed, above, .. } = self.words;
        for tuple in image.all_tuples(behind) {
            let Some(place) = at.get(&tuple[0]) else { continue };
            image.set(behind, &tuple, *place < (tuple[1], tuple[2]));
            image.set(passed, &tuple, *place > (tuple[1], tuple[2]));
            image.set(above, &tuple[..2], place.0 > tuple[1]);
        }
    }

    fn derived(&self, image: &mut Structure) {
        for (index, definition) in &self.tie.derived {
            let id = RelationId(*index);
            for tuple in image.all_tuples(id) {
                let holds = definition.holds(image, &tuple);
                image.set(id, &tuple, holds);
            }
        }
    }

    /// The clock, as ticks leave it that pass after the last step.
    fn since_long(&self, image: &mut Structure) {
        (0..TICKS - 1).for_each(|t| image.set(self.words.reached, &[t], true));
        // What the updates of `tick` say of every tick since.
        let tick = &self.tie.spec().actions[self.tick];
        let fixed = image.clone();
        for update in &tick.updates {
            if update.relation == self.words.reached {
                continue;
            }
            let variables: Vec<_> = tick.parameters.iter().map(|p| p.variable).collect();
            let free: Vec<_> = variables.iter().chain(&update.variables).copied().collect();
            let insert = Evaluator::new(&update.insert, &free);
            for tuple in fixed.all_tuples(update.relation) {
                let holds = (STEPS_END..TICKS - 1).any(|now| {
                    let arguments: Vec<_> = [now - 1, now].into_iter().chain(tuple.iter().copied()).collect();
                    insert.holds(&fixed, &arguments)
                });
                if holds {
                    image.set(update.relation, &tuple, true);
                }
            }
        }
    }
}

/// The initial state of a universe with a clock in which no subround is spoken of: `aimed` does not hold.
pub fn clock(spec: &Spec, universe: &Universe) -> Result<Structure, GraphError> {
    let protocol = universe.protocol()?;
    let tie = Tie::new(spec, &protocol)?;
    let placement = Placement::all(&protocol)?.into_iter().next();
    let placement = placement.ok_or(crate::tie::Untied::Generators)?;
    Ok(Clock::new(&tie, placement, false)?.image)
}

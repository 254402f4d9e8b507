//! The constants of the clock, `p0` and the good subround, only name what happens in a run. They are part of guards (`entry`,
//! `good-after-p0`) and of the assumption `named` of three obligations, so a wrong name could forbid a run and prove too much.
//! It cannot: a run in which nothing is named is a run with the names that fit it, chosen when it is over.

use zus_checker::blocks::Generator::{Byzantine, Honest};
use zus_proofs::{
    bounded::Event,
    spec::{RelationId, RuleChoice, Sources, Spec, load},
    structure::{Element, Interpreter, Structure},
    tie::graph::{Universe, clock, timed},
};

/// Ticks of the universe, and of a window.
const TICKS: Element = 20;
const WINDOW: Element = 5;
/// The last tick that a walk lets pass: twelve more are named after p0.
const LAST: Element = 6;

fn spec() -> Spec {
    load(&Sources::embedded(), &RuleChoice::new("synchronous")).unwrap()
}

/// Two rounds and three subrounds, with timers of one tick but in the last subround.
fn unnamed(spec: &Spec) -> Structure {
    let universe = timed().into_iter().find(|universe| universe.name == "one leader").unwrap();
    let universe =
        Universe { members: (4, 1), bounds: (2, 3), order: &[Honest, Byzantine], led: false, ..universe };
    let mut state = clock(spec, &universe).unwrap();
    // No leader is spoken of: the Byzantine generator has the worst rank.
    state.assign(spec.function("lead").unwrap(), &[], 3);
    let timer = relation(spec, "timer");
    for from in 0..TICKS - 1 {
        for subround in 0..2 {
            let until = (from..TICKS).filter(|until| state.holds(timer, &[subround, from, *until]));
            until
                .collect::<Vec<_>>()
                .iter()
                .for_each(|until| state.set(timer, &[subround, from, *until], false));
            state.set(timer, &[subround, from, from + 1], true);
        }
    }
    state
}

fn relation(spec: &Spec, name: &str) -> RelationId {
    spec.relation(name).unwrap()
}

fn now(spec: &Spec, state: &Structure) -> Element {
    state.tuples(relation(spec, "reached")).map(|tuple| tuple[0]).max().unwrap()
}

/// A random run. Of all that may happen, time passes as often as anything else.
fn walk(interpreter: &Interpreter<'_>, first: &Structure, seed: u64) -> (Vec<Event>, Vec<Structure>) {
    let (spec, mut random) = (interpreter.spec(), fastrand::Rng::with_seed(seed));
    let (mut events, mut states) = (Vec::new(), vec![first.clone()]);
    let tick = spec.actions.iter().position(|action| action.name == "tick").unwrap();
    while events.len() < 150 {
        let state = states.last().unwrap();
        let at = now(spec, state);
        let passes = Event { action: tick, arguments: vec![at, at + 1] };
        if at < LAST && random.bool() && interpreter.enabled(state, tick, &passes.arguments).is_ok() {
            states.push(interpreter.apply(state, tick, &passes.arguments));
            events.push(passes);
            continue;
        }
        // An action first, so that those with many instances are not more likely.
        let order = (0..spec.actions.len()).filter(|action| *action != tick).collect::<Vec<_>>();
        let start = random.usize(..order.len());
        let found = (0..order.len()).find_map(|step| {
            let action = order[(start + step) % order.len()];
            let mut instances = interpreter.instances(state, action);
            random.shuffle(&mut instances);
            let arguments = instances.into_iter().find(|a| interpreter.changes(state, action, a))?;
            Some(Event { action, arguments })
        });
        let Some(event) = found else { break };
        states.push(interpreter.apply(state, event.action, &event.arguments));
        events.push(event);
    }
    (events, states)
}

/// The initial state with names for the run in which `first` is the first miner to enter a place, after tick `p0`.
fn named(
    spec: &Spec,
    unnamed: &Structure,
    place: (Element, Element),
    p0: Element,
    first: Element,
) -> Structure {
    let mut state = unnamed.clone();
    let mut name =
        |constant: &str, value: Element| state.assign(spec.function(constant).unwrap(), &[], value);
    (0..6).for_each(|step| name(&format!("p{step}"), p0 + step));
    (0..4).for_each(|step| name(&format!("q{step}"), p0 + 2 + WINDOW + step));
    for (constant, value) in [
        ("w0", p0 + WINDOW),
        ("w5", p0 + 5 + WINDOW),
        ("d0", p0 + 1),
        ("good_round", place.0),
        ("good_subround", place.1),
        ("next_round", place.0 + 1),
        ("first", first),
    ] {
        name(constant, value);
    }
    state.set(relation(spec, "aimed"), &[], true);
    state
}

/// The first guard that refuses the run from this state.
fn refused(interpreter: &Interpreter<'_>, first: &Structure, events: &[Event]) -> Option<String> {
    assert!(interpreter.broken_axioms(first).is_empty(), "{:?}", interpreter.broken_axioms(first)[0].name);
    let mut state = first.clone();
    for event in events {
        if let Err(disabled) = interpreter.enabled(&state, event.action, &event.arguments) {
            return Some(disabled.guard);
        }
        state = interpreter.apply(&state, event.action, &event.arguments);
    }
    None
}

#[test]
fn every_run_has_names_that_fit_it() {
    let spec = spec();
    let (interpreter, first) = (Interpreter::new(&spec), unnamed(&spec));
    let (at, up) = (relation(&spec, "at"), relation(&spec, "up"));
    let (mut fitting, mut wrong) = (0, 0);
    for seed in 0..16 {
        let (events, states) = walk(&interpreter, &first, seed);
        for place in [(1, 1), (2, 0), (2, 1)] {
            let enters = |state: &Structure| {
                (0..4).find(|m| state.holds(up, &[*m]) && state.holds(at, &[*m, place.0, place.1]))
            };
            let Some((step, miner)) = states.iter().enumerate().find_map(|(i, s)| Some((i, enters(s)?)))
            else {
                continue;
            };
            let p0 = now(&spec, &states[step]);
            let fits = named(&spec, &first, place, p0, miner);
            assert_eq!(refused(&interpreter, &fits, &events), None, "seed {seed}, {place:?} after tick {p0}");
            fitting += 1;
            // The control: one tick later is too late.
            let late = named(&spec, &first, place, p0 + 1, miner);
            let guard = refused(&interpreter, &late, &events).unwrap();
            assert_eq!(guard, "good-after-p0", "seed {seed}, {place:?}");
            wrong += 1;
        }
    }
    assert!(fitting >= 8 && fitting == wrong, "{fitting} places were entered");
}

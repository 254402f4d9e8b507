//! That the proof is about something: the axioms have models, every action happens, every witness is reached, every
//! progress lemma's assumptions are met in a reachable state, and so is the premise of every property and conjunct that has one.

use crate::{
    bounded::{Run, RunFileError, Search, Target, Universe, UniverseError},
    spec::{Formula, Lemma, Pointwise, Spec},
    structure::{Element, Evaluator, Interpreter, Structure},
    verify::parallel,
};
use std::collections::BTreeSet;

/// Steps that a search may take; the longest witness needs about half.
const MAX_STEPS: usize = 60;
/// Universes in which actions and lemmas' assumptions are looked for, smallest first: rounds, subrounds, blocks of each.
const UNIVERSES: &[[usize; 3]] = &[[1, 1, 1], [1, 2, 1], [2, 2, 1]];

/// The kept runs, one a line.
pub(crate) const RUNS: &str = include_str!("../runs/clock.jsonl");
/// Ticks of a universe with a clock.
const TICKS: usize = 15;

/// The target of a search, and the run that shows it.
pub struct Finding {
    /// `witness:W1`, `action:propose`, `assumptions:L1-log`, `premise:L1-all`.
    pub name: String,
    /// The run, if there is one in the universes searched.
    pub run: Option<Run>,
}

/// The universe of a given size for a specification: four miners, one of them Byzantine, or two where any number may be.
pub fn universe(spec: &Spec, [rounds, subrounds, blocks]: [usize; 3]) -> Universe {
    let byzantine = if spec.rules.value("faults") == Some("Any") { 2 } else { 1 };
    // p0 to p12, and three after the timer of an honest leader.
    let ticks = if spec.sort("tick").is_some() { TICKS } else { 0 };
    Universe { byzantine, ticks, ..Universe::of_four(rounds, subrounds, blocks) }
}

/// A state that is looked for: a name, a target, and the sizes of the universes to look in.
type Wanted = (String, Target, Vec<[usize; 3]>);

fn wanted(spec: &Spec) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for witness in &spec.witnesses {
        wanted.push((format!("witness:{}", witness.name), Target::witness(witness), vec![witness.universe]));
    }
    for (index, action) in spec.actions.iter().enumerate() {
        wanted.push((format!("action:{}", action.name), Target::action(index), UNIVERSES.to_vec()));
    }
    for lemma in &spec.lemmas {
        wanted.push((format!("assumptions:{}", lemma.name), assumptions(lemma), UNIVERSES.to_vec()));
    }
    for statement in spec.safety.iter().chain(&spec.invariants) {
        if let Some(premise) = premise(&statement.formula) {
            let target = Target::State(premise);
            wanted.push((format!("premise:{}", statement.name), target, UNIVERSES.to_vec()));
        }
    }
    wanted
}

/// A state in which the premise of a statement holds, of some elements: if there were none, the statement would hold of itself. None
/// if the statement is no implication.
pub(crate) fn premise(formula: &Formula) -> Option<Formula> {
    match formula {
        Formula::Forall(variables, body) => Some(Formula::exists(variables.clone(), premise(body)?)),
        // `implies` makes this of an implication.
        Formula::Or(parts) if parts.len() == 2 => {
            let first = Formula::negate(parts[0].clone());
            let inner = matches!(parts[1], Formula::Forall(..)).then(|| premise(&parts[1])).flatten();
            Some(Formula::And(std::iter::once(first).chain(inner).collect()))
        }
        _ => None,
    }
}

/// Looks for everything; for premises first on the way of the runs to all else.
pub fn findings(spec: &Spec, threads: usize) -> Result<Vec<Finding>, UniverseError> {
    let (premises, others): (Vec<_>, Vec<_>) =
        wanted(spec).into_iter().partition(|(name, ..)| name.starts_with("premise:"));
    let mut found = search(spec, &others, threads)?;
    let runs: Vec<_> = found.iter().filter_map(|finding| finding.run.clone()).collect();
    let played = played(spec, &runs);
    let mut missing = Vec::new();
    for wanted in premises {
        match played.iter().find(|(run, states)| on_the_way(run, states, &wanted.1)) {
            Some((run, _)) => found.push(Finding { name: wanted.0, run: Some((*run).clone()) }),
            None => missing.push(wanted),
        }
    }
    found.extend(search(spec, &missing, threads)?);
    Ok(found)
}

/// Actions that no run of the universes searched has, in which so nothing is shown of what follows from them. Not where there is a
/// clock: to search its runs takes minutes, and those of its table are kept.
pub fn idle(spec: &Spec, threads: usize) -> Result<Vec<String>, UniverseError> {
    if spec.sort("tick").is_some() {
        return Ok(Vec::new());
    }
    let actions: Vec<_> = wanted(spec).into_iter().filter(|(name, ..)| name.starts_with("action:")).collect();
    let found = search(spec, &actions, threads)?;
    Ok(found.into_iter().filter(|finding| finding.run.is_none()).map(|finding| finding.name).collect())
}

/// The verdict on an idle action.
pub const IDLE: &str =
    "no run of the universes searched has this action: what is proved may be proved of nothing";

fn search(spec: &Spec, wanted: &[Wanted], threads: usize) -> Result<Vec<Finding>, UniverseError> {
    let found = parallel(wanted.len(), threads, |index| {
        let (name, target, universes) = &wanted[index];
        let mut run = None;
        // Only W6 and the clock's are about restarts: the runs of the others have none.
        let plain = name.starts_with("witness:W") && name != "witness:W6";
        let excluded: &[&str] = if plain { &["restart"] } else { &[] };
        for size in universes {
            // W10 is about an adversary that has somebody's key share.
            let exposed = usize::from(name == "witness:W10");
            let mut universe = Universe { exposed, ..universe(spec, *size) };
            // These are about an honest miner that is not among the n - f that stay up.
            if ["witness:clock-other", "witness:clock-idle"].contains(&name.as_str()) {
                universe.byzantine = 0;
            }
            run = Search::without(spec, &universe, excluded)?.run(name, target, MAX_STEPS)?;
            if run.is_some() {
                break;
            }
        }
        Ok(Finding { name: name.clone(), run })
    });
    found.into_iter().collect()
}

/// Runs that together show everything. To search takes minutes where there is a clock, to replay a moment: so these
/// runs are kept, and those that still show what they are named after are not looked for again. The witnesses come first;
/// what happens on their way is not looked for.
pub fn cover(spec: &Spec, threads: usize) -> Result<Vec<Finding>, UniverseError> {
    let (mut witnesses, others): (Vec<_>, Vec<_>) =
        wanted(spec).into_iter().partition(|(name, ..)| name.starts_with("witness:"));
    let lines = RUNS.lines();
    let old = lines.filter_map(|line| Run::from_json(spec, line).ok());
    let interpreter = Interpreter::new(spec);
    let shows = |run: &Run| {
        let target = witnesses.iter().chain(&others).find(|(name, ..)| *name == run.name);
        target.is_some_and(|(_, target, _)| run.check(&interpreter, target).is_ok())
    };
    let old: Vec<_> = old.filter(shows).collect();
    witnesses.retain(|(name, ..)| old.iter().all(|run| run.name != *name));
    let mut found: Vec<_> =
        old.into_iter().map(|run| Finding { name: run.name.clone(), run: Some(run) }).collect();
    found.extend(search(spec, &witnesses, threads)?);
    for wanted in others {
        let runs: Vec<_> = found.iter().filter_map(|f| f.run.clone()).collect();
        if !played(spec, &runs).iter().any(|(run, states)| on_the_way(run, states, &wanted.1)) {
            found.extend(search(spec, &[wanted], threads)?);
        }
    }
    Ok(found)
}

/// The kept runs.
pub fn kept(spec: &Spec) -> Result<Vec<Run>, RunFileError> {
    RUNS.lines().map(|line| Run::from_json(spec, line)).collect()
}

/// The targets that no run of a cover shows, each run replayed; and the conjuncts and properties that one breaks.
pub fn uncovered(spec: &Spec, runs: &[Run]) -> Vec<String> {
    let interpreter = Interpreter::new(spec);
    let mut found = Vec::new();
    for run in runs {
        match run.replay(&interpreter) {
            Ok(states) => {
                let broken = states.iter().flat_map(|s| {
                    interpreter.broken_invariants(s).into_iter().chain(interpreter.broken_safety(s))
                });
                found.extend(broken.map(|s| format!("{}: breaks {}", run.name, s.name)));
            }
            Err(error) => found.push(format!("{}: {error}", run.name)),
        }
    }
    let played = played(spec, runs);
    let shown = |(name, target, _): &Wanted| match name.strip_prefix("witness:") {
        Some(_) => runs.iter().any(|run| run.name == *name && run.check(&interpreter, target).is_ok()),
        None => played.iter().any(|(run, states)| on_the_way(run, states, target)),
    };
    found.extend(wanted(spec).into_iter().filter(|wanted| !shown(wanted)).map(|(name, ..)| name));
    found.extend(unfounded(spec, &played));
    found
}

/// The `unbounded` items that hold in the universe of no run. A universe is the beginning of an endless one: so of one
/// element of its sort, the last, it may be false; of tuples of several sorts it is true of some at least.
fn unfounded(spec: &Spec, played: &[(&Run, Vec<Structure>)]) -> Vec<String> {
    let founded = |item: &Pointwise, state: &Structure| {
        let free: Vec<_> = item.parameters.iter().map(|p| p.variable).collect();
        let formula = Evaluator::new(&item.formula, &free);
        let mut tuples: Vec<Vec<Element>> = vec![Vec::new()];
        for variable in &free {
            let elements = 0..state.size(variable.sort) as Element;
            let longer = |tuple: &Vec<Element>| {
                let tuple = tuple.clone();
                elements.clone().map(move |element| tuple.iter().copied().chain([element]).collect())
            };
            tuples = tuples.iter().flat_map(longer).collect();
        }
        let holds = tuples.iter().filter(|tuple| formula.holds(state, tuple)).count();
        holds > 0 && (free.len() > 1 || holds + 1 >= tuples.len())
    };
    let states: Vec<_> = played.iter().filter_map(|(_, states)| states.first()).collect();
    let unfounded = spec.unbounded.iter().filter(|item| !states.iter().any(|state| founded(item, state)));
    unfounded.map(|item| format!("unbounded:{}", item.name)).collect()
}

/// The lemmas that a state of a real run refutes: their assumptions hold there, and their conclusion does not. Of a run that the
/// specification refuses, the states before that step count. A universe has a last round and subround: so what is unbounded is not
/// looked for there.
pub fn refuted(spec: &Spec, runs: &[Run], wanted: impl Fn(&Lemma) -> bool) -> BTreeSet<String> {
    let interpreter = Interpreter::new(spec);
    let states: Vec<_> = runs.iter().flat_map(|run| run.prefix(&interpreter)).collect();
    let refuted = |lemma: &&Lemma| {
        let stuck = stuck(lemma);
        let stuck = Evaluator::new(&stuck, &[]);
        states.iter().any(|state| stuck.holds(state, &[]))
    };
    let lemmas = spec.lemmas.iter().filter(|lemma| wanted(lemma)).filter(refuted);
    lemmas.map(|lemma| lemma.name.clone()).collect()
}

/// A state in which a lemma does not hold.
pub(crate) fn stuck(lemma: &Lemma) -> Formula {
    let assumed = lemma.assumptions.iter().map(|(_, formula)| formula.clone());
    let stuck = assumed.chain([Formula::negate(lemma.conclusion.clone())]).collect();
    Formula::exists(lemma.parameters.iter().map(|p| p.variable).collect(), Formula::And(stuck))
}

/// Runs with their states.
fn played<'a>(spec: &Spec, runs: &'a [Run]) -> Vec<(&'a Run, Vec<Structure>)> {
    let interpreter = Interpreter::new(spec);
    runs.iter().filter_map(|run| Some((run, run.replay(&interpreter).ok()?))).collect()
}

/// Whether a state or step of a run is what is looked for.
pub(crate) fn on_the_way(run: &Run, states: &[Structure], target: &Target) -> bool {
    match target {
        Target::State(formula) => {
            let compiled = Evaluator::new(formula, &[]);
            states.iter().any(|state| compiled.holds(state, &[]))
        }
        Target::Step(steps) => run.events.iter().any(|e| steps.iter().any(|(action, _)| e.action == *action)),
    }
}

/// A state in which a lemma's assumptions hold, for some parameters.
fn assumptions(lemma: &Lemma) -> Target {
    let parameters = lemma.parameters.iter().map(|p| p.variable).collect();
    let all = Formula::And(lemma.assumptions.iter().map(|(_, formula)| formula.clone()).collect());
    Target::State(Formula::exists(parameters, all))
}

/// Whether the axioms have a model of the size of a universe.
pub fn consistent(spec: &Spec, size: [usize; 3]) -> Result<bool, UniverseError> {
    Ok(Search::new(spec, &universe(spec, size))?.consistent())
}

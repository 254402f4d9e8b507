//! Runs of the handover in the instances of `model/epochs`: those that show the witnesses, all actions and the premises of all
//! statements, under the recommended rules; and those by which each rule change breaks a property. They are found by bounded search, kept
//! in `runs/epochs.jsonl`, and replayed.

use super::{
    PROVED,
    layout::{Layout, Unknown},
    under,
};
use crate::{
    bounded::{ActionLine, Run, RunError, RunFileError, Search, Target, Unsound, events},
    nonvacuity::{on_the_way, premise},
    spec::{Spec, SpecError},
    structure::{Interpreter, Structure},
};
use serde::{Deserialize, Serialize};
use zus_epochs::handoff::{
    ComesBack, EpochFault, Instance,
    block::{Closes, Generator, Line, blocks as blocks_of},
    scenarios as s,
};

/// Steps of non-interfering actions that a search may take.
const MAX_STEPS: usize = 40;
/// The kept runs, one a line.
const KEPT: &str = include_str!("../../runs/epochs.jsonl");

/// A rule change of section 8 that breaks safety, with the property, an instance in which it does, and a condition that fails.
pub struct Change {
    /// Its row: `VC1`.
    pub row: &'static str,
    /// The rules.
    pub rules: &'static str,
    /// The property.
    pub breaks: &'static str,
    /// The instance.
    pub instance: &'static str,
    /// A condition that no longer holds.
    pub fails: &'static str,
}

const fn change(
    row: &'static str,
    rules: &'static str,
    breaks: &'static str,
    instance: &'static str,
    fails: &'static str,
) -> Change {
    Change { row, rules, breaks, instance, fails }
}

/// The rule changes.
pub const CHANGES: &[Change] = &[
    change("VC1", "hardened,epoch_source=Candidate", "E1", "four to one, deep", "enter:started-once"),
    change("VC1", "hardened,epoch_source=Candidate", "E3", "four to one, deep", "enter:started-once"),
    change("VC2", "hardened,handoff_proof=AnyTickets", "E1", "one exchanged, rivals", "enter:started-sound"),
    change("VC2", "hardened,handoff_proof=LinkOnly", "E1", "one exchanged, rivals", "enter:started-once"),
    change(
        "VC3",
        "hardened,fault=RecordBeforeUnchecked",
        "E1",
        "one exchanged, rivals",
        "enter:begun-certified",
    ),
    change(
        "VC5",
        "hardened,missing_committee=Latest",
        "E2",
        "Byzantine leaves, second",
        "notarize:notarized-epoch",
    ),
    change(
        "VC6",
        "hardened,fault=OldCommitteeInNewRounds",
        "E2",
        "disjoint, second",
        "notarize:notarized-epoch",
    ),
    change(
        "VC6",
        "hardened,fault=OldCommitteeInNewRounds",
        "E3",
        "disjoint, second",
        "certify:certified-epoch",
    ),
    change("VC7", "hardened,epoch_binding=InBlockId", "E9", "one exchanged, second", "implied:E9"),
    change(
        "VC8",
        "hardened,epoch_binding=ByRound",
        "E2",
        "one exchanged, second",
        "notarize:notarized-epoch",
    ),
    change("VC8", "hardened,epoch_binding=ByRound", "E3", "one exchanged, second", "certify:certified-epoch"),
    change("VC8", "hardened,epoch_binding=ByRound", "E9", "one exchanged, second", "implied:E9"),
    change("VC11", "hardened,activation=Offset", "E1", "one exchanged, rivals", "enter:started-once"),
    change("VC11", "hardened,activation=Offset", "E3", "one exchanged, rivals", "enter:begun-certified"),
    change("VC13", "hardened,fault=RecordOfNode", "E1", "one exchanged, rivals", "enter:started-once"),
    change(
        "VC15",
        "hardened,thresholds=OfOldCommittee",
        "E2",
        "four to seven, second",
        "notarize:notarization-certificate",
    ),
    change(
        "VC15",
        "hardened,thresholds=OfOldCommittee",
        "E3",
        "four to seven, second",
        "certify:certified-alone",
    ),
    change("VC34", "hardened,fault=JoinerTakesNotarized", "E1", "four to one, rivals", "enter:started-once"),
    change(
        "VC34",
        "hardened,fault=JoinerTakesNotarized",
        "E3",
        "four to one, rivals",
        "enter:begun-certified",
    ),
    change(
        "VC37",
        "hardened,fault=VotesWithNextQuorum",
        "E1",
        "four to two, rivals",
        "certify:certified-alone",
    ),
    change(
        "VC37",
        "hardened,fault=VotesWithNextQuorum",
        "E2-finality",
        "four to two, rivals",
        "certify:finality-certificate",
    ),
    change(
        "VC37",
        "hardened,fault=VotesWithNextQuorum",
        "E3",
        "four to two, rivals",
        "certify:certified-notarized",
    ),
    change(
        "VC40",
        "hardened,finality_cap=None",
        "E3",
        "one exchanged, second",
        "finalize:finalized-certified",
    ),
    change("notarized", "hardened,epoch_source=Notarized", "E1", "four to one, rivals", "enter:started-once"),
];

/// The instance of a name: committees and blocks of `model/epochs`.
pub fn instance(name: &str) -> Option<Instance> {
    let (committees, blocks) = name.split_once(", ")?;
    let blocks = match blocks {
        "rivals" => s::rivals(),
        "second" => s::second(),
        "deep" => s::deep(),
        "chain" => s::chain(),
        "short" => blocks_of(&SHORT),
        _ => return None,
    };
    Some(match committees {
        "one exchanged" => s::one_exchanged(blocks),
        "Byzantine exchanged" => s::byzantine_exchanged(blocks),
        "Byzantine leaves" => s::byzantine_leaves(blocks),
        "disjoint" => s::disjoint(blocks),
        "four to two" => s::four_to_two(blocks),
        "four to one" => s::four_to_one(blocks),
        "four to seven" => s::four_to_seven(blocks),
        "same" => s::same_committee(blocks),
        // One more than the f = 1 of either committee.
        "two Byzantine" => {
            let (both, old, new): (&[bool], &[bool], &[bool]) =
                (&[true, true], &[true, false], &[false, true]);
            let kinds = [("stayer", 1, both), ("leaver", 1, old), ("joiner", 1, new), ("Byzantine", 2, both)];
            Instance::new(&kinds, blocks)
        }
        _ => return None,
    })
}

/// The instance in which a witness, an action or a premise is looked for; it is shown in the runs of the witnesses, if it is not named.
fn place(name: &str) -> &'static str {
    match name {
        "witness:WE5" | "witness:three-epochs" => "same, chain",
        "witness:E1-broken" | "witness:E3-broken" | "witness:E3-handover-broken" => "two Byzantine, rivals",
        "witness:disjoint" => "disjoint, second",
        "witness:WE6" | "witness:late" => "Byzantine exchanged, second",
        _ => "one exchanged, rivals",
    }
}

/// Why there is no run, or a kept one is none.
#[derive(Debug, thiserror::Error)]
pub enum EpochRunError {
    /// The specification cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The specification names something else.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The search is wrong.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The file cannot be read.
    #[error("runs/epochs.jsonl: {0}\n  fix: `zus-proofs epochs --runs proofs/runs` writes it again")]
    Json(#[from] serde_json::Error),
    /// One of its actions is none.
    #[error("runs/epochs.jsonl: {0}: {1}\n  fix: `zus-proofs epochs --runs proofs/runs` writes it again")]
    File(String, RunFileError),
    /// It does not show what it is named after.
    #[error("runs/epochs.jsonl: {0}: {1}\n  fix: `zus-proofs epochs --runs proofs/runs` writes it again")]
    Run(String, RunError),
    /// There is no such instance, target or run.
    #[error("epochs: no {0}\n  fix: see src/epochs/runs.rs")]
    Missing(String),
}

/// A kept run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptRun {
    name: String,
    rules: String,
    instance: String,
    actions: Vec<ActionLine>,
}

/// A fact that a run shows: `witness:WE1`, `action:enter`, `premise:E1`, or `VC1 breaks E1`.
pub struct Shown {
    /// The fact.
    pub name: String,
    /// The rules.
    pub rules: String,
    /// The instance.
    pub instance: String,
    target: Target,
}

/// The witnesses, then the actions and premises, of a profile.
fn of_profile(spec: &Spec) -> Vec<Shown> {
    let show = |name: String, target: Target| {
        let (rules, instance) = (spec.rules.to_string(), place(&name).to_string());
        Shown { name, rules, instance, target }
    };
    let witnesses = spec.witnesses.iter().map(|w| show(format!("witness:{}", w.name), Target::witness(w)));
    let actions = spec.actions.iter().enumerate();
    let actions = actions.map(|(at, action)| show(format!("action:{}", action.name), Target::action(at)));
    let statements = spec.safety.iter().chain(&spec.invariants);
    let premises = statements.filter_map(|statement| {
        Some(show(format!("premise:{}", statement.name), Target::State(premise(&statement.formula)?)))
    });
    witnesses.chain(actions).chain(premises).collect()
}

fn of_change(change: &Change, spec: &Spec) -> Result<Shown, EpochRunError> {
    let property = spec.statement(change.breaks);
    let property = property.ok_or_else(|| EpochRunError::Missing(format!("property {}", change.breaks)))?;
    Ok(Shown {
        name: format!("{} breaks {}", change.row, change.breaks),
        rules: change.rules.to_string(),
        instance: change.instance.to_string(),
        target: Target::violation(&property.formula),
    })
}

/// Searches a run.
fn search(spec: &Spec, shown: &Shown) -> Result<Run, EpochRunError> {
    let missing = |what: String| EpochRunError::Missing(what);
    let instance =
        instance(&shown.instance).ok_or_else(|| missing(format!("instance {}", shown.instance)))?;
    let layout = Layout::new(&instance);
    let initial = layout.initial(spec)?;
    let plain = !["witness:WE6", "action:restart"].contains(&shown.name.as_str());
    let excluded: &[&str] = if plain { &["restart"] } else { &[] };
    let mut search = Search::inside(spec, &layout.universe(), &initial, excluded);
    let found = search.run(&shown.name, &shown.target, MAX_STEPS)?;
    found.ok_or_else(|| missing(format!("run in `{}` that shows {}", shown.instance, shown.name)))
}

/// All runs, found anew: the lines of the file.
pub fn lines(mut found: impl FnMut(&str, usize)) -> Result<String, EpochRunError> {
    let mut text = String::new();
    let mut keep = |spec: &Spec, shown: &Shown, run: &Run| -> Result<(), EpochRunError> {
        found(&shown.name, run.events.len());
        let (name, rules) = (shown.name.clone(), shown.rules.clone());
        let line = KeptRun { name, rules, instance: shown.instance.clone(), actions: run.lines(spec) };
        text += &format!("{}\n", serde_json::to_string(&line)?);
        Ok(())
    };
    for profile in PROVED {
        let spec = under(profile)?;
        let interpreter = Interpreter::new(&spec);
        let mut played: Vec<(Run, Vec<Structure>)> = Vec::new();
        for shown in of_profile(&spec) {
            let witness = shown.name.starts_with("witness:");
            if !witness && played.iter().any(|(run, states)| on_the_way(run, states, &shown.target)) {
                continue;
            }
            let run = search(&spec, &shown)?;
            keep(&spec, &shown, &run)?;
            let states = run.replay(&interpreter).map_err(|e| EpochRunError::Run(shown.name.clone(), e))?;
            played.push((run, states));
        }
    }
    for change in CHANGES {
        let spec = under(change.rules)?;
        let shown = of_change(change, &spec)?;
        keep(&spec, &shown, &search(&spec, &shown)?)?;
    }
    Ok(text)
}

/// Replays the kept runs: how many there are, and the facts that none shows.
pub fn replay() -> Result<(usize, Vec<String>), EpochRunError> {
    let mut missing = Vec::new();
    let kept = KEPT.lines().map(serde_json::from_str).collect::<Result<Vec<KeptRun>, _>>()?;
    for profile in PROVED {
        missing.extend(unshown(&under(profile)?, &kept)?);
    }
    for change in CHANGES {
        let spec = under(change.rules)?;
        let shown = of_change(change, &spec)?;
        let same = |line: &&KeptRun| line.name == shown.name && line.rules == shown.rules;
        match kept.iter().find(same) {
            None => missing.push(format!("{}: {}", shown.rules, shown.name)),
            Some(line) => {
                let checked = of_line(&spec, line)?.check(&Interpreter::new(&spec), &shown.target);
                checked.map_err(|error| EpochRunError::Run(line.name.clone(), error))?;
            }
        }
    }
    Ok((kept.len(), missing))
}

/// The facts of a profile that no run shows, and the statements that one breaks.
fn unshown(spec: &Spec, kept: &[KeptRun]) -> Result<Vec<String>, EpochRunError> {
    let (mut missing, mut played) = (Vec::new(), Vec::new());
    let all = of_profile(spec);
    let interpreter = Interpreter::new(spec);
    for shown in &all {
        let same = |line: &&KeptRun| line.name == shown.name && line.rules == shown.rules;
        if let Some(line) = kept.iter().find(same) {
            let run = of_line(spec, line)?;
            let states = run.check(&interpreter, &shown.target).and_then(|()| run.replay(&interpreter));
            let states = states.map_err(|error| EpochRunError::Run(line.name.clone(), error))?;
            let broken = states.iter().flat_map(|state| {
                interpreter.broken_invariants(state).into_iter().chain(interpreter.broken_safety(state))
            });
            missing.extend(broken.map(|statement| format!("{}: breaks {}", line.name, statement.name)));
            played.push((run, states));
        } else if shown.name.starts_with("witness:") {
            missing.push(shown.name.clone());
        }
    }
    let unseen = |shown: &&Shown| !played.iter().any(|(run, states)| on_the_way(run, states, &shown.target));
    let others = all.iter().filter(|shown| !shown.name.starts_with("witness:"));
    missing.extend(others.filter(unseen).map(|shown| format!("{}: {}", shown.rules, shown.name)));
    Ok(missing)
}

fn of_line(spec: &Spec, line: &KeptRun) -> Result<Run, EpochRunError> {
    let instance = instance(&line.instance);
    let instance = instance.ok_or_else(|| EpochRunError::Missing(format!("instance {}", line.instance)))?;
    let layout = Layout::new(&instance);
    let initial = layout.initial(spec)?;
    let events = events(spec, &line.actions, &initial);
    let events = events.map_err(|error| EpochRunError::File(line.name.clone(), error))?;
    Ok(Run::within(spec, &line.name, initial, &layout.universe(), events))
}

/// A universe of the tie: an instance, rules, restarts, and the states and steps that both graphs have.
pub type Tied = (&'static str, &'static str, usize, (usize, usize));

/// The universes of the tie.
pub const TIED: &[Tied] = &[
    ("two to two, second", "hardened", 0, (722, 1733)),
    ("two to two, rivals", "hardened", 0, (526, 1064)),
    ("one to two, deep", "hardened", 1, (787, 1632)),
    ("four to one, short", "hardened", 0, (8864, 29_136)),
    ("same, chain", "hardened", 0, (17_700, 40_239)),
    ("four to one, second", "hardened", 0, (19_904, 68_196)),
    ("two to two, rivals", "hardened,epoch_source=Candidate", 0, (875, 2350)),
    ("two to two, rivals", "hardened,epoch_source=Notarized", 0, (3299, 10_137)),
    ("two to two, rivals", "hardened,activation=Offset", 0, (3299, 10_137)),
    ("two to two, rivals", "hardened,fault=JoinerTakesNotarized", 0, (936, 2264)),
    ("two to two, rivals", "hardened,fault=VotesWithNextQuorum", 0, (526, 1064)),
    ("one to two, second", "hardened,thresholds=OfOldCommittee", 0, (371, 668)),
    ("two to two, second", "hardened,fault=OldCommitteeInNewRounds", 0, (7088, 22_714)),
    ("two to two, second", "hardened,finality_cap=None", 0, (722, 1733)),
    ("two to two, second", "hardened,epoch_binding=ByRound", 0, (722, 1733)),
    ("two to two, second", "hardened,missing_committee=Latest", 0, (722, 1733)),
];

/// A closing block, one of its tail, and one of the next epoch.
const SHORT: [Line; 3] = [
    ("b", 0, 2, 0, "a", Closes::Record, Generator::Byzantine),
    ("b+1", 0, 3, 0, "b", Closes::Nothing, Generator::Byzantine),
    ("x", 1, 3, 0, "b", Closes::Nothing, Generator::Byzantine),
];

/// An instance of the tie under rules of the specification, whose names are those of the model.
pub fn tied(name: &str, rules: &str, restarts: usize) -> Option<Instance> {
    let (committees, blocks) = name.split_once(", ")?;
    let (both, old, new): (&[bool], &[bool], &[bool]) = (&[true, true], &[true, false], &[false, true]);
    let tiny: Option<&[(&str, usize, &[bool])]> = match committees {
        "two to two" => Some(&[("stayer", 1, both), ("leaver", 1, old), ("joiner", 1, new)]),
        "one to two" => Some(&[("stayer", 1, both), ("joiner", 1, new)]),
        _ => None,
    };
    let mut instance = match tiny {
        Some(kinds) => Instance::new(kinds, instance(&format!("disjoint, {blocks}"))?.blocks),
        None => instance(name)?,
    };
    instance.restarts = restarts;
    if restarts > 0 {
        instance.comes_back = ComesBack::WithItsLogOnly;
    }
    for change in rules.split(',').skip(1) {
        let (rule, value) = change.split_once('=')?;
        if rule == "fault" {
            instance.fault = Some(serde_json::from_value::<EpochFault>(value.into()).ok()?);
            continue;
        }
        let with = |value: serde_json::Value| {
            let mut all = serde_json::to_value(instance.rules).ok()?;
            *all.get_mut(rule)? = value;
            serde_json::from_value(all).ok()
        };
        // A value with a number of rounds has none here.
        instance.rules = with(value.into()).or_else(|| with(serde_json::json!({ value: {"rounds": 0} })))?;
    }
    Some(instance)
}

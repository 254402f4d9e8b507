//! Commands about runs and files.

use super::{BadInput, End, RunArguments, folder};
use crate::{
    bounded::{Run, Search, Target, Universe},
    condition::{conditions, smtlib},
    nonvacuity, refutations,
    spec::{RuleChoice, Sources, Spec, load},
    stalls,
    structure::Interpreter,
    tie::{self, Refused, property, trace_of},
};
use std::path::{Path, PathBuf};
use zus_checker::trace::Trace;
use zus_output::folder::Folder;

/// Writes all refutations and witnesses.
pub(super) fn write(sources: &Sources, out: &Path, traces: &Path, threads: usize) -> Result<End, BadInput> {
    let (mut out, mut traces) = (folder(out)?, folder(traces)?);
    let mut end = End::Fine;
    for refutation in refutations::table()? {
        let spec = refutation.spec(sources)?;
        match refutation.find(&spec) {
            Ok(run) => save(&spec, &run, &refutation.breaks, &mut out, &mut traces)?,
            Err(error) => {
                say!("{error}");
                end = End::Fails;
            }
        }
    }
    for profile in ["hardened", "accountable"] {
        let spec = load(sources, &RuleChoice::new(profile))?;
        for finding in nonvacuity::findings(&spec, threads)? {
            let Some(name) = finding.name.strip_prefix("witness:") else { continue };
            match finding.run {
                Some(run) => {
                    save(&spec, &Run { name: name.to_string(), ..run }, name, &mut out, &mut traces)?;
                }
                None => {
                    say!("{name}: no run");
                    end = End::Fails;
                }
            }
        }
    }
    clock(sources, threads, &mut out, &mut end)?;
    for folder in [out, traces] {
        eprint!("{}", folder.finish()?.lines());
    }
    Ok(end)
}

/// Writes only the runs of the clock.
pub(super) fn write_clock(sources: &Sources, out: &Path, threads: usize) -> Result<End, BadInput> {
    let (mut out, mut end) = (folder(out)?, End::Fine);
    clock(sources, threads, &mut out, &mut end)?;
    eprint!("{}", out.finish()?.lines());
    Ok(end)
}

/// Writes the runs that stall without an item of the clock.
pub(super) fn write_stalls(sources: &Sources, out: &Path, threads: usize) -> Result<End, BadInput> {
    let spec = load(sources, &RuleChoice::new("synchronous"))?;
    let mut out = folder(out)?;
    let mut lines = String::new();
    for (item, run) in stalls::search(&spec, threads)? {
        let Some(run) = run else {
            say!("{item}: no run stalls in the universes searched");
            continue;
        };
        let without = spec.without(&item)?;
        say!("{item}: {} actions that break {}", run.events.len(), stalls::broken(&without, &run).join(", "));
        let run: serde_json::Value = serde_json::from_str(&run.json(&without)?)?;
        lines += &format!("{run}\n");
    }
    out.write("stalls.jsonl", lines)?;
    eprint!("{}", out.finish()?.lines());
    Ok(End::Fine)
}

/// Writes the runs that show what the clock allows, one a line. The model of the checker has no ticks: they are no traces.
fn clock(sources: &Sources, threads: usize, out: &mut Folder, end: &mut End) -> Result<(), BadInput> {
    let spec = load(sources, &RuleChoice::new("synchronous"))?;
    let mut lines = String::new();
    for finding in nonvacuity::cover(&spec, threads)? {
        match finding.run {
            Some(run) => {
                say!("{}: {} actions, {}", finding.name, run.events.len(), run.rules);
                let run: serde_json::Value = serde_json::from_str(&run.json(&spec)?)?;
                lines += &format!("{run}\n");
            }
            None => {
                say!("{}: no run", finding.name);
                *end = End::Fails;
            }
        }
    }
    out.write("clock.jsonl", lines)?;
    Ok(())
}

/// Writes a run, and the trace of the model that it is.
fn save(spec: &Spec, run: &Run, shows: &str, out: &mut Folder, traces: &mut Folder) -> Result<(), BadInput> {
    let file = format!("{}.json", run.name);
    out.write(&file, run.json(spec)?)?;
    let trace = trace_of(spec, run, property(shows), "zus-proofs runs")?;
    traces.write(&file, trace.to_json())?;
    say!(
        "{}: {} actions, {} steps of the model, {}",
        run.name,
        run.events.len(),
        trace.steps.len(),
        run.rules
    );
    Ok(())
}

/// Replays a file and says what holds at its end.
pub(super) fn replay(spec: &Spec, file: &Path) -> Result<End, BadInput> {
    let text = zus_output::bounded::text(file, zus_output::bounded::MOST_BYTES)?;
    let shown = zus_output::plain::path(file);
    let unusable = |error| {
        BadInput(format!(
            "{shown}: {error}\n  fix: name a file that `zus-proofs runs` writes, and with --rules the rules that it names"
        ))
    };
    let run = Run::from_json(spec, &text).map_err(unusable)?;
    let interpreter = Interpreter::new(spec);
    let states = match run.replay(&interpreter) {
        Ok(states) => states,
        Err(error) => {
            say!("{shown}: {error}");
            return Ok(End::Fails);
        }
    };
    print_run(spec, &run);
    let broken = states.last().map(|state| interpreter.broken_safety(state)).unwrap_or_default();
    for property in &broken {
        say!("broken at the end: {} ({})", property.name, property.sentence);
    }
    Ok(if broken.is_empty() { End::Fine } else { End::Fails })
}

/// Draws the kept run that stalls without an item.
pub(super) fn stall(item: Option<&str>) -> Result<End, BadInput> {
    let spec = load(&Sources::embedded(), &RuleChoice::new("synchronous"))?;
    let kept = stalls::kept(&spec)?;
    let Some(item) = item else {
        for (without, run) in &kept {
            say!(
                "{}: {} actions that break {}",
                run.name,
                run.events.len(),
                stalls::broken(without, run).join(", ")
            );
        }
        return Ok(End::Fine);
    };
    let found = kept.iter().find(|(_, run)| run.name == item);
    let unknown = || {
        BadInput(format!(
            "no run is kept for `{item}`\n  fix: name one of those that `zus-proofs stall` lists"
        ))
    };
    let (without, run) = found.ok_or_else(unknown)?;
    say!("Without {item} this run breaks {}:\n", stalls::broken(without, run).join(", "));
    say!("{}", stalls::drawn(without, run).trim_end());
    Ok(End::Fine)
}

/// Searches a run that breaks a property.
pub(super) fn search(spec: &Spec, asked: &RunArguments) -> Result<End, BadInput> {
    let breaks = asked.breaks.as_deref().unwrap_or_default();
    let unknown = || {
        BadInput(format!("--breaks: these rules have no property `{breaks}`\n  fix: {}", properties(spec)))
    };
    let property = spec.statement(breaks).ok_or_else(unknown)?;
    let &[rounds, subrounds, blocks] = &asked.universe[..] else {
        return Err(BadInput("--universe takes three numbers\n  fix: for example --universe 1 2 1".into()));
    };
    let size = |error| {
        BadInput(format!("--universe {rounds} {subrounds} {blocks}: {error}\n  fix: name a smaller universe"))
    };
    let byzantine = asked.byzantine;
    let universe = Universe { byzantine, ..Universe::of_four(rounds, subrounds, blocks) };
    let mut search = Search::new(spec, &universe).map_err(size)?;
    if !search.consistent() {
        return Err(BadInput(format!(
            "--byzantine {byzantine}, --universe {rounds} {subrounds} {blocks}: no such universe fits the axioms of these rules, so there \
             is no run\n  fix: name at most {} Byzantine miners, or rules for more: --rules {},faults=Any",
            universe.faults(),
            spec.rules
        )));
    }
    match search.run(breaks, &Target::violation(&property.formula), asked.steps)? {
        Some(run) => {
            print_run(spec, &run);
            say!("breaks {breaks} ({})", property.sentence);
            Ok(End::Fails)
        }
        None => {
            say!("no run of at most {} steps in this universe breaks {breaks}", asked.steps);
            Ok(End::Fine)
        }
    }
}

fn properties(spec: &Spec) -> String {
    let names: Vec<_> = spec.safety.iter().map(|s| s.name.as_str()).collect();
    format!("one of {}", names.join(", "))
}

/// A run, one line an action.
pub(super) fn print_run(spec: &Spec, run: &Run) {
    for (index, sentence) in run.sentences(spec).iter().enumerate() {
        say!("  {:>3}. {sentence}", index + 1);
    }
}

/// Writes all conditions as SMT-LIB.
pub(super) fn smtlib_files(spec: &Spec, out: &Path) -> Result<End, BadInput> {
    let mut out = folder(out)?;
    let (conditions, _) = conditions(spec);
    for condition in &conditions {
        let name = condition.id.to_string().replace(':', "_");
        out.write(&format!("{name}.smt2"), smtlib(spec, condition))?;
    }
    say!("{} scripts in {}", conditions.len(), zus_output::plain::path(out.root()));
    eprint!("{}", out.finish()?.lines());
    Ok(End::Fine)
}

/// `tie`: traces step by step.
pub(super) fn tie(sources: &Sources, traces: &[PathBuf]) -> Result<End, BadInput> {
    let mut end = End::Fine;
    for path in traces {
        let trace = Trace::load(path)?;
        match tie::replay(sources, &trace) {
            Ok(replayed) => {
                let actions: u64 = replayed.executed.values().sum();
                say!(
                    "{}: {} steps of the model, {actions} actions of the specification",
                    zus_output::plain::path(path),
                    replayed.steps
                );
            }
            Err(Refused::Drift(failure)) => {
                say!("{}: {failure}", zus_output::plain::path(path));
                end = End::Fails;
            }
            Err(error @ Refused::Model(_)) => {
                say!("{}: {error}", zus_output::plain::path(path));
                end = End::Fails;
            }
            Err(Refused::Untied(error)) => {
                let path = zus_output::plain::path(path);
                let fix = "name a trace whose instance the specification covers: proofs/README.md";
                return Err(BadInput(format!("{path}: cannot be tied: {error}\n  fix: {fix}")));
            }
            Err(Refused::Spec(error)) => {
                return Err(BadInput(format!("{}: {error}", zus_output::plain::path(path))));
            }
        }
    }
    Ok(end)
}

//! `epochs`: the handover between epochs.

use super::{
    BadInput, End,
    check::{controls_of, pinned, prove, seconds},
    folder,
};
use crate::{
    condition::conditions,
    epochs::{CONTROLS, PROVED, graph::compare, runs, under},
    judge::{ExternalJudge, Verdict},
    verify::decide,
};
use std::{path::Path, time::Instant};

/// Conditions, controls, rule changes and kept runs.
pub(super) fn check(judges: &[ExternalJudge], threads: usize) -> Result<End, BadInput> {
    let (mut end, mut tables) = (End::Fine, String::new());
    for profile in PROVED {
        let spec = under(profile)?;
        let (verification, found) = prove(&spec, judges, 0, threads)?;
        end = end.max(found);
        if found == End::Fine {
            tables += &controls_of(&spec, &verification, &[], threads, &mut end)?;
        }
    }
    end = end.max(pinned(&tables, "epochs/controls.txt", CONTROLS));
    let start = Instant::now();
    let mut caught = 0;
    for change in runs::CHANGES {
        let spec = under(change.rules)?;
        let all = conditions(&spec).0;
        let named: Vec<_> = all.into_iter().filter(|one| one.id.to_string() == change.fails).collect();
        let outcome = decide(&spec, &named, threads);
        if matches!(&outcome[..], [Ok(Verdict::Fails(_))]) {
            caught += 1;
        } else {
            say!("{}: {} does not fail", change.rules, change.fails);
            end = End::Fails;
        }
    }
    let (kept, missing) = runs::replay()?;
    say!(
        "epochs: {caught} of {} rule changes make their condition fail; {kept} runs replayed, {} facts not shown, {}",
        runs::CHANGES.len(),
        missing.len(),
        seconds(start)
    );
    for fact in &missing {
        say!("  {fact}; `zus-proofs epochs --runs proofs/runs` looks for it again");
        end = End::Fails;
    }
    Ok(end)
}

/// Searches the runs again.
pub(super) fn write(out: &Path) -> Result<End, BadInput> {
    let mut out = folder(out)?;
    let lines = runs::lines(|name, actions| say!("{name}: {actions} actions"))?;
    out.write("epochs.jsonl", lines)?;
    eprint!("{}", out.finish()?.lines());
    Ok(End::Fine)
}

/// Compares the graphs.
pub(super) fn graph() -> Result<End, BadInput> {
    let mut end = End::Fine;
    for &(name, rules, restarts, counts) in runs::TIED {
        let start = Instant::now();
        let instance = runs::tied(name, rules, restarts);
        let instance = instance
            .ok_or_else(|| BadInput(format!("no instance `{name}`\n  fix: see src/epochs/runs.rs")))?;
        match compare(&under(rules)?, &instance) {
            Ok(found) => {
                let (states, steps, beyond) = (found.states, found.steps, found.beyond);
                say!("{name}, {rules}: {states} states, {steps} steps, {beyond} beyond, {}", seconds(start));
                if (states, steps) != counts {
                    say!("  not {} states and {} steps", counts.0, counts.1);
                    end = End::Fails;
                }
            }
            Err(error) => {
                say!("{name}, {rules}: {error}");
                end = End::Fails;
            }
        }
    }
    Ok(end)
}

//! Prints absolute coverage ([`crate::coverage`]): of the committed inputs, of random runs, and of the exhaustive product.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::coverage::{Guards, MAX_STATES, Small, States, count_guards};
use crate::schedule::{Choice, Random, Run, Schedule};

/// Choices of a random run in the small scenario.
const CHOICES: usize = 64;
/// Runs after which the clock is read.
const BATCH: usize = 64;
/// Steps of a random run of the model itself.
const MODEL_STEPS: usize = 160;
/// A state of each so many is asked for its guards: neighbours differ little.
const GUARDS_EVERY: usize = 4;

/// Prints the coverage of the committed inputs and of other folders of inputs, of random runs that take so many seconds, and of
/// the product. False when the sets do not lie in each other.
///
/// # Errors
/// When the committed inputs cannot be read.
pub fn coverage(seconds: u64, seed: u64, inputs: &[PathBuf]) -> io::Result<bool> {
    for folder in inputs {
        listed(folder)?;
    }
    let fits = states(seconds, seed, inputs)?;
    println!();
    guards(seconds / 4, seed);
    Ok(fits)
}

/// The entries of a folder of inputs.
fn listed(folder: &Path) -> io::Result<std::fs::ReadDir> {
    std::fs::read_dir(folder).map_err(|error| {
        let folder = zus_output::plain::path(folder);
        io::Error::other(format!("{folder}: cannot be read: {error}\n  fix: name a folder of inputs"))
    })
}

fn states(seconds: u64, seed: u64, inputs: &[PathBuf]) -> io::Result<bool> {
    let small = Small::new(2);
    let Some(model) = small.model() else {
        println!("more than {MAX_STATES} states of the model");
        return Ok(false);
    };
    println!("| reached through production code by | runs | model states | of {} |", model.len());
    println!("|---|--:|--:|--:|");
    let row = |name: &str, runs: usize, reached: &States| {
        let (count, all) = (reached.intersection(&model).count(), model.len());
        println!("| {name} | {runs} | {count} | {:.1} % |", 100.0 * count as f64 / all as f64);
    };
    let mut reached = States::new();
    let committed = crate::room().join("inputs/conformance");
    for folder in std::iter::once(&committed).chain(inputs) {
        let (mut of_folder, mut files) = (States::new(), 0);
        for entry in listed(folder)? {
            let schedule = Schedule::from_file(&crate::targets::input(&entry?.path())?);
            small.follow(&schedule.choices, &mut of_folder);
            files += 1;
        }
        let name = if *folder == committed {
            "the committed inputs".into()
        } else {
            zus_output::plain::path(folder)
        };
        row(&name, files, &of_folder);
        reached.extend(of_folder);
    }

    let (mut random, mut walked, mut runs) = (Random::new(seed), States::new(), 0);
    let start = Instant::now();
    let marks = [seconds.div_ceil(10), seconds];
    for mark in marks.map(Duration::from_secs) {
        while start.elapsed() < mark {
            for _ in 0..BATCH {
                let choices: Vec<Choice> = (0..CHOICES).map(|_| random.choice()).collect();
                small.follow(&choices, &mut walked);
            }
            runs += BATCH;
        }
        row(&format!("random runs, {} s", mark.as_secs()), runs, &walked);
    }
    let Some((pairs, possible)) = small.possible() else {
        println!("more than {MAX_STATES} pairs of the product");
        return Ok(false);
    };
    row(&format!("the product: {pairs} pairs"), 1, &possible);
    reached.extend(walked);
    let lost = reached.difference(&possible).count();
    if lost > 0 {
        println!("WRONG: runs reach {lost} states that the product does not");
    }
    let outside = possible.difference(&model).count();
    if outside > 0 {
        println!("WRONG: {outside} states of production are none of the model");
    }
    Ok(lost == 0 && outside == 0)
}

/// Prints the guards that random runs of production exercise, and those that only runs of the model itself do.
fn guards(seconds: u64, seed: u64) {
    let (mut production, mut model) = (Guards::new(), Guards::new());
    let mut random = Random::new(seed);
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let mut runs = 0;
    while runs == 0 || start.elapsed() < limit {
        let schedule = Schedule::random(&mut random);
        let Ok(mut run) = Run::new(&schedule.header.setup(), schedule.header.swarm()) else { continue };
        for (number, choice) in schedule.choices.iter().enumerate() {
            run.choose(*choice);
            if number.is_multiple_of(GUARDS_EVERY) {
                let refinement = &run.judges.refinement;
                count_guards(&refinement.protocol, &refinement.state, &mut production);
            }
        }
        let protocol = &run.judges.refinement.protocol;
        let (mut state, mut actions) = (protocol.initial(), Vec::new());
        for step in 0..MODEL_STEPS {
            actions.clear();
            protocol.actions(&state, &mut actions);
            let Some(action) = actions.get(random.below(actions.len())) else { break };
            protocol.perform(&mut state, action);
            if step.is_multiple_of(GUARDS_EVERY) {
                count_guards(protocol, &state, &mut model);
            }
        }
        runs += 1;
    }
    let known: BTreeSet<_> = production.keys().chain(model.keys()).collect();
    println!("{runs} random runs of production, and as many of the model: {} guards met,", known.len());
    println!("{} of them by production. Never by production:", production.len());
    for guard in known.iter().filter(|guard| !production.contains_key(**guard)) {
        println!("- {}: {} ({} times by the model)", guard.0, guard.1, model[*guard]);
    }
}

//! Random walks: the plain control that every cleverer way of choosing has to beat, and the way in which mutants are hunted.

use zus_bpp::rules::Rules;

use crate::schedule::{Failure, Random, Run, Schedule};
use crate::world::Adjust;

/// One of so many runs goes on into a synchronous network: it costs as much as several others.
pub const CALM_EVERY: u64 = 8;

/// What a walk found.
#[derive(Clone, Debug)]
pub struct Found {
    /// After how many runs.
    pub runs: u64,
    /// After how many production steps, over all runs.
    pub steps: u64,
    /// The schedule.
    pub schedule: Schedule,
    /// What is wrong.
    pub failure: Failure,
}

/// Runs one schedule with this change of the configuration.
///
/// # Panics
/// Never: the headers describe worlds that the model has room for.
#[must_use]
pub fn run(schedule: &Schedule, adjust: Adjust) -> Run {
    let mut setup = schedule.header.setup();
    setup.adjust = adjust;
    let mut run =
        Run::new(&setup, schedule.header.swarm()).expect("the model has room for what headers describe");
    run.choose_all(&schedule.choices);
    run
}

/// Walks at random until something is wrong, at most so many runs. The same seed walks the same way. One of `calm_every` runs
/// goes on into a synchronous network.
#[must_use]
pub fn walk(seed: u64, runs: u64, adjust: Adjust, calm_every: Option<u64>) -> Option<Found> {
    walk_under(None, seed, runs, adjust, calm_every)
}

/// The same under these rules only; `None`: under those that headers ask for.
#[must_use]
pub fn walk_under(
    rules: Option<Rules>,
    seed: u64,
    runs: u64,
    adjust: Adjust,
    calm_every: Option<u64>,
) -> Option<Found> {
    let mut random = Random::new(seed);
    let mut steps = 0;
    for number in 1..=runs {
        let mut schedule = Schedule::random(&mut random);
        if let Some(header) = rules.and_then(|rules| schedule.header.under(rules)) {
            schedule.header = header;
        }
        let run = run(&schedule, adjust);
        steps += run.judges.steps;
        let calms = calm_every.is_some_and(|every| number.is_multiple_of(every));
        let ends = if calms { run.ends_well().err() } else { None };
        if let Some(failure) = run.failure().or(ends) {
            return Some(Found { runs: number, steps, schedule, failure });
        }
    }
    None
}

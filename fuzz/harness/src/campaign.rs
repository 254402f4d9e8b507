//! Random walks, and how a schedule is played: the same way when a walk finds it, when it is made shorter and when it is
//! replayed, so that a finding fails again as it failed.

use std::cell::Cell;

use zus_bpp::rules::Rules;

use crate::liveness::Stalled;
use crate::schedule::{Failure, Random, Run, Schedule};
use crate::shrink::shrink;
use crate::world::Adjust;

/// One of so many runs of a walk goes on into a synchronous network: it costs as much as several others.
pub const CALM_EVERY: u64 = 8;

/// The failure that a walk found.
#[derive(Clone, Debug)]
pub struct Found {
    /// After how many runs.
    pub runs: u64,
    /// After how many production steps, over all runs.
    pub steps: u64,
    /// The schedule.
    pub schedule: Schedule,
    /// The failure.
    pub failure: Failure,
    /// Whether only the synchronous end shows it.
    pub at_end: bool,
}

/// A schedule that was played.
#[derive(Clone)]
pub struct Played {
    /// The run, as far as it went.
    pub run: Run,
    /// Its failure, if any.
    pub failure: Option<Failure>,
    /// Whether only the synchronous end shows it.
    pub at_end: bool,
}

impl Played {
    /// The run in sentences, with the verdict.
    #[must_use]
    pub fn told(&self) -> String {
        let mut run = self.run.clone();
        if self.at_end {
            run.story.push("the network becomes synchronous, and everybody is up".into());
        }
        run.told(self.failure.as_ref())
    }
}

/// How much of a schedule is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Its choices.
    Choices,
    /// Its choices, and then a synchronous network.
    End,
}

/// Replays the run to its end and prints it: what `cargo fuzz fmt` shows.
impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&play(self, Adjust::NONE, Until::End, true).told())
    }
}

/// Plays a schedule with this change of the configuration. With `story` each operation is told.
///
/// # Panics
/// Never: the headers describe worlds that the model has room for.
#[must_use]
pub fn play(schedule: &Schedule, adjust: Adjust, until: Until, story: bool) -> Played {
    let mut setup = schedule.header.setup();
    setup.adjust = adjust;
    let mut run =
        Run::new(&setup, schedule.header.swarm()).expect("the model has room for what headers describe");
    run.keeps_story = story;
    run.choose_all(&schedule.choices);
    let mut failure = run.failure();
    let at_end = failure.is_none() && until == Until::End;
    if at_end {
        failure = run.ends_well().err();
    }
    Played { run, at_end: at_end && failure.is_some(), failure }
}

/// The choices of a schedule, played.
#[must_use]
pub fn run(schedule: &Schedule, adjust: Adjust) -> Run {
    play(schedule, adjust, Until::Choices, false).run
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
        let calms = calm_every.is_some_and(|every| number.is_multiple_of(every));
        let until = if calms { Until::End } else { Until::Choices };
        let Played { run, failure, at_end } = play(&schedule, adjust, until, false);
        steps += run.judges.steps;
        if let Some(failure) = failure {
            return Some(Found { runs: number, steps, schedule, failure, at_end });
        }
    }
    None
}

/// Runs that shrinking may try. Counted in runs and not in seconds, so that every machine finds the same short run. A world
/// that does not move costs a thousand times as much as another one, and a world that is never quiet seconds.
const ATTEMPTS: u32 = 3_000;

fn attempts(failure: &Failure) -> u32 {
    match failure {
        Failure::Liveness(Stalled::NeverQuiet) => 0,
        Failure::Liveness(Stalled::NoFinality { .. }) => 30,
        Failure::Refinement(_) | Failure::Property(_) | Failure::Panic(_) => ATTEMPTS,
    }
}

/// A shorter schedule that fails in the same way: the same kind of failure, and not only in the synchronous end unless the
/// first one fails there.
#[must_use]
pub fn shortened(schedule: &Schedule, failure: &Failure, at_end: bool, adjust: Adjust) -> Schedule {
    shortened_within(ATTEMPTS, schedule, failure, at_end, adjust)
}

/// The same with so many attempts at most.
#[must_use]
pub fn shortened_within(
    most: u32,
    schedule: &Schedule,
    failure: &Failure,
    at_end: bool,
    adjust: Adjust,
) -> Schedule {
    let kind = failure.kind();
    let left = Cell::new(attempts(failure).min(most));
    let until = if at_end { Until::End } else { Until::Choices };
    shrink(schedule, |schedule| {
        let Some(fewer) = left.get().checked_sub(1) else { return false };
        left.set(fewer);
        play(schedule, adjust, until, false).failure.is_some_and(|failure| failure.kind() == kind)
    })
}

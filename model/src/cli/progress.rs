//! How a search goes, on standard error: what has been seen, how fast, what waits, and how long it may take. On a terminal
//! it is one line that changes; elsewhere, for instance in the log of a CI, a line every few seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use zus_checker::search::bfs::Progress;
use zus_output::{plain, pulse::Pulse};
use zus_report::text::grouped;

/// The least time between two lines.
const PAUSE: Duration = Duration::from_millis(100);
/// How much the latest pause counts in the estimate.
const WEIGHT: f64 = 0.1;
/// New states for each one that is expanded, from which on no end is in sight.
const ENDLESS: f64 = 0.97;

/// How one piece of work goes.
pub struct Line {
    bar: ProgressBar,
    /// The lines where standard error is no terminal.
    pulse: Option<Pulse>,
    start: Instant,
    what: String,
    /// Unique states that there are, where the scenario says so.
    known: Option<u64>,
    seen: Mutex<Seen>,
}

/// The figures from which the estimate is made.
struct Seen {
    at: Instant,
    unique: u64,
    expanded: u64,
    /// New states for each one that is expanded.
    growth: Option<f64>,
}

impl Line {
    /// A line about `what`; `known` is the number of states that there will be, if anybody knows.
    pub fn new(what: String, quiet: bool, known: Option<u64>) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        let what = plain::line(&what).into_owned();
        // Work that says nothing of itself shows that it goes on.
        if !bar.is_hidden() {
            bar.set_message(what.clone());
            bar.enable_steady_tick(PAUSE);
        }
        let pulse = (!quiet && bar.is_hidden()).then(|| Pulse::new(what.as_str()));
        let now = Instant::now();
        let seen = Mutex::new(Seen { at: now, unique: 0, expanded: 0, growth: None });
        Line { bar, pulse, start: now, what, known, seen }
    }

    /// Shows how an exploration goes.
    pub fn exploring(&self, progress: Progress) {
        self.say(|seconds, seen| {
            let Progress { unique, generated, depth, frontier } = progress;
            let rate = unique as f64 / seconds;
            let expanded = unique.saturating_sub(frontier);
            // States that will have to be expanded, and unique states in all.
            let (left, all) = match self.known {
                Some(known) => (Some(known.saturating_sub(unique) as f64 / rate), Some(known)),
                None => {
                    let more = seen.after(unique, expanded).map(|states| states * frontier as f64);
                    let left = more.map(|more| more * seconds / expanded.max(1) as f64);
                    (left, more.map(|more| expanded + more as u64))
                }
            };
            let all = all.map_or(String::new(), |all| format!(" of about {}", grouped(all.max(unique))));
            format!(
                "{}: {} unique states{all}, {} generated, {}/s, depth {depth}, {} waiting, {}",
                self.what,
                grouped(unique),
                grouped(generated),
                grouped(rate as u64),
                grouped(frontier),
                shown(left)
            )
        });
    }

    /// Shows how a trial of settings goes.
    pub fn trying(&self, field: &str, progress: Progress) {
        self.say(|_, _| format!("{}: without {field}, {} states", self.what, grouped(progress.unique)));
    }

    /// Shows how a sample goes.
    pub fn sampling(&self, progress: Progress) {
        self.say(|seconds, _| {
            let Progress { unique, generated: runs, frontier: left, .. } = progress;
            let time = (runs > 0).then(|| left as f64 * seconds / runs as f64);
            format!(
                "{}: {} states, {}/s, {} runs to go, {}",
                self.what,
                grouped(unique),
                grouped((unique as f64 / seconds) as u64),
                grouped(left),
                shown(time)
            )
        });
    }

    fn say(&self, message: impl Fn(f64, &mut Seen) -> String) {
        let Ok(mut seen) = self.seen.try_lock() else { return };
        let unheard = self.bar.is_hidden() && self.pulse.is_none();
        if unheard || seen.at.elapsed() < PAUSE {
            return;
        }
        seen.at = Instant::now();
        let line = message(self.start.elapsed().as_secs_f64().max(1e-3), &mut seen);
        match &self.pulse {
            Some(pulse) => pulse.set(line),
            None => {
                self.bar.set_message(line);
                self.bar.tick();
            }
        }
    }
}

impl Seen {
    /// States to expand for each one that waits, itself included: a geometric series, where fewer than one come of one.
    fn after(&mut self, unique: u64, expanded: u64) -> Option<f64> {
        let done = expanded.saturating_sub(self.expanded);
        if done > 0 {
            let latest = unique.saturating_sub(self.unique) as f64 / done as f64;
            self.growth = Some(self.growth.map_or(latest, |before| before + WEIGHT * (latest - before)));
            (self.unique, self.expanded) = (unique, expanded);
        }
        self.growth.filter(|&growth| growth < ENDLESS).map(|growth| 1.0 / (1.0 - growth))
    }
}

/// How long it may take.
fn shown(left: Option<f64>) -> String {
    match left {
        Some(left) if left < 90.0 => format!("about {left:.0} s left"),
        Some(left) => format!("about {:.0} min left", left / 60.0),
        None => "still growing".into(),
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, shown};
    use std::time::Instant;

    #[test]
    fn an_end_is_estimated_where_fewer_states_come_than_go() {
        let mut seen = Seen { at: Instant::now(), unique: 0, expanded: 0, growth: None };
        assert_eq!(seen.after(300, 100), None, "three for each: no end in sight");
        let mut seen = Seen { at: Instant::now(), unique: 1_000, expanded: 500, growth: None };
        assert_eq!(seen.after(1_250, 1_000), Some(2.0), "every second one brings another");
        assert_eq!(seen.after(1_250, 1_000), Some(2.0), "nothing new, nothing learnt");
        assert_eq!(
            (shown(Some(8.4)), shown(Some(600.0))),
            ("about 8 s left".into(), "about 10 min left".into())
        );
        assert_eq!(shown(None), "still growing");
    }
}

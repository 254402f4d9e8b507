//! How a search goes, on standard error when that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use zus_model::{checker::bfs::Progress, report::text::grouped};

/// The least time between two lines.
const PAUSE: Duration = Duration::from_millis(100);

/// One line that is written over and over; nothing where standard error is no terminal.
pub struct Line {
    bar: ProgressBar,
    last: Mutex<Instant>,
    start: Instant,
    what: String,
}

impl Line {
    /// A line about `what`.
    pub fn new(what: String, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        let now = Instant::now();
        Line { bar, last: Mutex::new(now), start: now, what }
    }

    /// Shows how an exploration goes.
    pub fn exploring(&self, progress: Progress) {
        let Progress { unique, generated, depth, frontier } = progress;
        self.say(|seconds| {
            format!(
                "{}: {} unique states, {} generated, {}/s, depth {depth}, {} waiting",
                self.what,
                grouped(unique),
                grouped(generated),
                grouped((unique as f64 / seconds) as u64),
                grouped(frontier)
            )
        });
    }

    /// Shows how a sample goes.
    pub fn sampling(&self, progress: Progress) {
        self.say(|seconds| {
            format!(
                "{}: {} states, {}/s, {} runs to go",
                self.what,
                grouped(progress.unique),
                grouped((progress.unique as f64 / seconds) as u64),
                grouped(progress.frontier)
            )
        });
    }

    fn say(&self, message: impl Fn(f64) -> String) {
        let Ok(mut last) = self.last.try_lock() else { return };
        if self.bar.is_hidden() || last.elapsed() < PAUSE {
            return;
        }
        *last = Instant::now();
        self.bar.set_message(message(self.start.elapsed().as_secs_f64().max(1e-3)));
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

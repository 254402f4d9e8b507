//! A line on standard error every few seconds, on a terminal or not, so that a log shows that the work goes on, and where.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The time between two lines.
pub const EVERY: Duration = Duration::from_secs(5);

/// Prints lines until it is dropped. Nothing is printed in the first [`EVERY`].
pub struct Pulse {
    shared: Arc<(Mutex<Shared>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    says: String,
    ended: bool,
}

impl Pulse {
    /// Begins with this text; the seconds that went by are added to it.
    pub fn new(says: impl Into<String>) -> Self {
        Self::every(EVERY, says, |line| {
            let _ = writeln!(std::io::stderr(), "{line}");
        })
    }

    /// As [`Pulse::new`], with another time between two lines, and to another place.
    fn every(time: Duration, says: impl Into<String>, print: impl Fn(&str) + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Shared { says: says.into(), ended: false }), Condvar::new()));
        let of_thread = Arc::clone(&shared);
        let start = Instant::now();
        let work = move || {
            let (lock, changed) = &*of_thread;
            let mut shared = lock.lock().unwrap_or_else(PoisonError::into_inner);
            let mut due = start + time;
            while !shared.ended {
                let now = Instant::now();
                if now < due {
                    let waited = changed.wait_timeout(shared, due - now);
                    shared = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(shared, _)| shared);
                    continue;
                }
                let line = format!("{}, {} s", shared.says, start.elapsed().as_secs());
                // A slow terminal must not hold up the work, which may have something new to say.
                drop(shared);
                print(&line);
                due = Instant::now() + time;
                shared = lock.lock().unwrap_or_else(PoisonError::into_inner);
            }
        };
        // Without a thread there are no lines, which is no reason to stop the work.
        let thread = std::thread::Builder::new().name("pulse".into()).spawn(work).ok();
        Pulse { shared, thread }
    }

    /// Sets the text of the next line.
    pub fn set(&self, says: impl Into<String>) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).says = says.into();
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.shared.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn lines_come_while_the_work_says_nothing_and_end_with_it() {
        let (sender, lines) = mpsc::channel();
        let pulse = Pulse::every(Duration::from_millis(1), "reading", move |line: &str| {
            let _ = sender.send(line.to_owned());
        });
        assert!(lines.recv().unwrap().starts_with("reading, "));
        pulse.set("writing");
        let written = lines.iter().find(|line| line.starts_with("writing, "));
        assert!(written.is_some());
        drop(pulse);
        assert_eq!(lines.iter().find(|line| line.starts_with("reading, ")), None, "the sender is gone");
    }

    #[test]
    fn what_ends_soon_says_nothing() {
        let (sender, lines) = mpsc::channel::<String>();
        drop(Pulse::every(Duration::from_secs(3600), "quick", move |line: &str| {
            let _ = sender.send(line.to_owned());
        }));
        assert!(lines.recv().is_err());
    }
}

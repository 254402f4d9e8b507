//! Time as the processor saw it: all threads of this process, and nobody else's.
//!
//! On a machine that is shared, wall time of one and the same work varies by a factor of two. Processor time varies by a few
//! percent, and it charges a library for the threads that it keeps.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time used by this process so far.
#[must_use]
pub fn now() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Processor time that `work` takes.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let result = std::hint::black_box(work());
    (result, now().saturating_sub(start))
}

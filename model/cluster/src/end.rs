//! How a process ends before its search does: a peer that is gone, a disk that is full. The layers that are complete stay on disk, so
//! the message has the command that goes on, and the exit code is 3.

use std::{
    io::{self, Write},
    path::Path,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use zus_output::plain;

/// The exit code of a search that did not end, and can go on.
pub const UNFINISHED: i32 = 3;
/// The exit code of input that cannot be used.
pub const BAD_INPUT: i32 = 2;

/// The command that goes on.
static AGAIN: OnceLock<String> = OnceLock::new();
/// The last layer that this process has complete on disk, plus one.
static COMPLETE: AtomicU32 = AtomicU32::new(0);
/// Held by the thread that ends the process.
static ENDING: Mutex<()> = Mutex::new(());

/// Sets the command that goes on.
pub fn resumes_by(command: String) {
    let _ = AGAIN.set(command);
}

/// Notes that a layer is complete.
pub fn complete(layer: u32) {
    COMPLETE.store(layer + 1, Ordering::Relaxed);
}

/// Ends the process; the search can go on.
pub fn unfinished(why: &str) -> ! {
    // The first one tells why; the others wait for the end here.
    let _told = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let layer = match COMPLETE.load(Ordering::Relaxed) {
        0 => "no layer is complete".into(),
        layers => format!("layer {} is complete", layers - 1),
    };
    let again = AGAIN.get().map_or("", String::as_str);
    let told = format!("stopped: {why}; {layer}\n  go on with: {again}");
    let _ = writeln!(anstream::stderr(), "{}", plain::message(&told));
    std::process::exit(UNFINISHED);
}

/// The value, or the end of the process: without its files a search cannot go on.
pub fn on_disk<T>(path: &Path, result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        let fix = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "make room there first"
            }
            _ => "mend that first",
        };
        unfinished(&format!("{}: {error}; {fix}", plain::path(path)))
    })
}

//! System limits of a process: reaching one is an error, and not a signal that ends the process.

/// From now on a write that makes a file larger than the system lets this process make it (`ulimit -f`) is an error, which names
/// the file where it is told. Without this the system ends the process, by the signal SIGXFSZ, and nothing is told. To be called at
/// the start of a program.
///
/// Processes that this one starts have the signal as it was: it is taken, and not ignored.
pub fn are_errors() {
    // Nobody looks whether it came: the write fails, and says so.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

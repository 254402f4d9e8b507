//! The memory of this process as the system reports it, in bytes; 0 where it reports none.

/// The most that it has had.
pub fn peak() -> u64 {
    line("VmHWM:")
}

/// The memory in use now.
pub fn now() -> u64 {
    line("VmRSS:")
}

/// A line of `/proc/self/status` that counts kilobytes.
fn line(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).map_or(0, |k| k * 1024)
}

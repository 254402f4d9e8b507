//! A program that is tried with a bug in it: it may loop, allocate without end, or abort, and takes nothing with it.

use std::io::{Error, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, prlimit, setrlimit};

/// Bytes of address space that this process and the programs that it tries may have: a loop that allocates ends here.
const MEMORY: u64 = 6 << 30;
/// Time between two looks at a program.
const LOOK: Duration = Duration::from_millis(5);
/// Seconds on the clock for one of processor time: a program that waits for ever ends, and one on a full machine goes on.
const PATIENCE: u64 = 10;

/// Runs a program with variables of its environment set. Returns how it ended and what it wrote; `None`: it was stopped after so
/// many seconds of processor time, or ten times as many on the clock.
pub fn run(
    program: &Path,
    arguments: &[String],
    environment: &[(&str, &str)],
    seconds: u64,
) -> std::io::Result<Option<(ExitStatus, String)>> {
    // Inherited. A lower limit that is there already stays.
    let known = getrlimit(Resource::As);
    if known.current.is_none_or(|current| current > MEMORY) {
        setrlimit(Resource::As, Rlimit { current: Some(MEMORY), ..known })?;
    }
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
        // The program may have ended already.
        let _ =
            prlimit(Some(pid), Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds + 1) });
    }
    // Read while it runs, or a full pipe would stop it.
    let mut stdout = child.stdout.take().ok_or_else(|| Error::other("no output"))?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let end = Instant::now() + Duration::from_secs(seconds * PATIENCE);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    };
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return Ok(None);
    }
    Ok(Some((status, reader.join().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, seconds: u64) -> Option<(ExitStatus, String)> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        run(Path::new("/bin/sh"), &arguments, &[("BUG", "7")], seconds).expect("a shell")
    }

    #[test]
    fn what_loops_or_allocates_without_end_is_ended() {
        let (status, said) = shell("echo bug $BUG", 60).expect("it ends");
        assert!(status.success() && said == "bug 7\n", "{status} {said}");
        assert_eq!(shell("while :; do :; done", 1).map(|(_, said)| said), None);
        assert_eq!(shell("exec sleep 1000", 1).map(|(_, said)| said), None);
        // The time of others is not its own.
        let (status, _) = shell("sleep 2", 1).expect("it ends");
        assert!(status.success(), "{status}");
        // Twice as much as may be asked for.
        let (_, limit) = shell("ulimit -v", 60).expect("it ends");
        assert!(limit.trim().parse::<u64>().is_ok_and(|kib| kib <= MEMORY >> 10), "{limit}");
    }
}

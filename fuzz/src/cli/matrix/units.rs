//! Which tests of the production crate notice a bug.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zus_bpp::mutants::VARIABLE;

/// Seconds that the tests may take with a bug.
const LIMIT: u64 = 120;
/// Tests that give themselves a bug, or take long and notice what others notice sooner.
const LEFT_OUT: [&str; 2] = ["miner::tests::mutants", "sim::"];

/// The first test that fails, in order of name, and how many do.
pub fn failed(program: &Path, mutant: &str) -> std::io::Result<(String, usize)> {
    let mut child = Command::new(program)
        .args(["--test-threads=2", "--format=terse"])
        .args(LEFT_OUT.iter().flat_map(|part| ["--skip", part]))
        .env(VARIABLE, mutant)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let end = Instant::now() + Duration::from_secs(LIMIT);
    while child.try_wait()?.is_none() {
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(("a test does not end".into(), 1));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = reader.join().unwrap_or_default();
    let mut names: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "failures:")
        .filter_map(|line| line.strip_prefix("    "))
        .map(str::trim)
        .filter(|name| name.contains("::") && !name.contains(' '))
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok((names.first().map_or_else(String::new, |name| (*name).to_owned()), names.len()))
}

//! The tests of the production crates that notice a bug.

use std::path::{Path, PathBuf};

use crate::cli::trial;
use crate::mutants::VARIABLE;

/// Seconds of processor time that the tests may take with a bug.
const LIMIT: u64 = 90;
/// Tests that are made for one bug each, or take long and notice what others notice sooner.
const LEFT_OUT: [&str; 2] = ["miner::tests::bugs", "sim::"];

/// The first test that fails, in order of name, and how many do of the tests of the protocol, or if none does of the cryptography,
/// which take longer.
pub fn failed(programs: &[PathBuf; 3], mutant: &str) -> std::io::Result<(String, usize)> {
    let [of_protocol, of_cryptography, _] = programs;
    let found = ask(of_protocol, mutant)?;
    if found.1 > 0 { Ok(found) } else { ask(of_cryptography, mutant) }
}

fn ask(program: &Path, mutant: &str) -> std::io::Result<(String, usize)> {
    let skips = LEFT_OUT.iter().flat_map(|part| ["--skip", part]);
    let arguments = ["--test-threads=2", "--format=terse"].into_iter().chain(skips);
    let arguments: Vec<String> = arguments.map(str::to_owned).collect();
    let Some((status, text)) = trial::run(program, &arguments, &[(VARIABLE, mutant)], LIMIT)? else {
        return Ok(("a test does not end".into(), 1));
    };
    let mut names: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "failures:")
        .filter_map(|line| line.strip_prefix("    "))
        .map(str::trim)
        .filter(|name| name.contains("::") && !name.contains(' '))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() && !status.success() {
        return Ok((format!("the tests end with {status}"), 1));
    }
    Ok((names.first().map_or_else(String::new, |name| (*name).to_owned()), names.len()))
}

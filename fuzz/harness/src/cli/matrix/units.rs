//! Which tests of the production crate notice a bug.

use std::path::Path;

use crate::cli::trial;
use crate::mutants::VARIABLE;

/// Seconds that the tests may take with a bug.
const LIMIT: u64 = 30;
/// Tests that are made for one bug each, or take long and notice what others notice sooner.
const LEFT_OUT: [&str; 2] = ["miner::tests::bugs", "sim::"];

/// Tests of the primitives, which take most of the time: they are asked when no other test fails.
const PRIMITIVES: &str = "crypto::";

/// The first test that fails, in order of name, and how many do of the tests of the protocol, or if none does of the primitives.
pub fn failed(program: &Path, mutant: &str) -> std::io::Result<(String, usize)> {
    let found = ask(program, mutant, &["--skip", PRIMITIVES])?;
    if found.1 > 0 { Ok(found) } else { ask(program, mutant, &[PRIMITIVES]) }
}

fn ask(program: &Path, mutant: &str, which: &[&str]) -> std::io::Result<(String, usize)> {
    let skips = LEFT_OUT.iter().flat_map(|part| ["--skip", part]);
    let arguments =
        ["--test-threads=2", "--format=terse"].into_iter().chain(skips).chain(which.iter().copied());
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

//! `zus-fuzz mutants survey`: every mutant that cargo-mutants names, judged by the harness or by the tests of the crate.

use std::collections::BTreeMap;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Copy;
use crate::cli::{check, trial, write as write_named};
use crate::mutants::generated::Listed;
use crate::mutants::{Table, VARIABLE};

/// The arguments of the command.
pub struct Survey {
    /// The output of `cargo mutants --list --json`.
    pub list: PathBuf,
    /// Whether the tests of the crate judge, and not the harness.
    pub tests: bool,
    /// Arguments of the judge.
    pub arguments: Vec<String>,
    /// Where the verdicts are, and go.
    pub out: PathBuf,
    /// Seconds for one mutant.
    pub timeout: u64,
    /// Processes at a time.
    pub jobs: usize,
}

fn read_list(list: &Path) -> std::io::Result<Vec<Listed>> {
    let text = zus_output::bounded::text(list, zus_output::bounded::MOST_BYTES)?;
    serde_json::from_str(&text).map_err(|error| {
        let list = zus_output::plain::path(list);
        Error::other(format!("{list}: {error}\n  fix: name what `cargo mutants --list --json` printed"))
    })
}

/// The fate of a mutant.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fate {
    name: String,
    /// The last line that the judge printed; `None`: it noticed nothing.
    killed: Option<String>,
    seconds: f64,
}

fn left_out(mutant: &Listed) -> Fate {
    Fate { name: mutant.name.clone(), killed: Some("left out".into()), seconds: 0.0 }
}

/// Runs the judge for each mutant; it kills by ending with another code than 0, or by not ending. Those that no judge has
/// killed are printed.
///
/// # Errors
/// When a file cannot be read or written, or the copy cannot be built.
pub fn survey(what: &Survey) -> std::io::Result<bool> {
    let (out, listed) = (&what.out, read_list(&what.list)?);
    let mut known: BTreeMap<usize, Fate> =
        match zus_output::bounded::text(out, zus_output::bounded::MOST_BYTES) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                let out = zus_output::plain::path(out);
                Error::other(format!(
                    "{out}: these are no verdicts: {error}\n  fix: name a file that is not there yet"
                ))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
    check(out)?;
    let table = Table::read()?;
    let copy = Copy::new(&table)?;
    known.extend(copy.add(&table, &listed)?.into_iter().map(|number| (number, left_out(&listed[number]))));
    let judge = if what.tests { copy.tests().map(|[of_protocol, ..]| of_protocol)? } else { copy.tool()? };
    let open: Vec<usize> = (0..listed.len())
        .filter(|number| known.get(number).is_none_or(|fate| fate.killed.is_none()))
        .collect();
    let (next, fates) = (AtomicUsize::new(0), Mutex::new(known));
    std::thread::scope(|scope| {
        for _ in 0..what.jobs.max(1) {
            scope.spawn(|| {
                while let Some(&number) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fate = try_one(&listed[number].name, number, &judge, &what.arguments, what.timeout);
                    let Ok(mut fates) = fates.lock() else { return };
                    fates.insert(number, fate);
                    if number % 50 == 0
                        && let Ok(text) = serde_json::to_string_pretty(&*fates)
                    {
                        // It is written whole at the end; this is for whoever stops it before.
                        let _ = zus_output::whole::write(out, text);
                    }
                }
            });
        }
    });
    let fates = fates.into_inner().map_err(|_| Error::other("a judge panicked"))?;
    write_named(out, serde_json::to_string_pretty(&fates)?)?;
    let survivors: Vec<&Fate> = fates.values().filter(|fate| fate.killed.is_none()).collect();
    for fate in &survivors {
        println!("survives: {}", fate.name);
    }
    println!("{}", by_file(fates.values()));
    println!("{} of {} survive", survivors.len(), fates.len());
    Ok(survivors.is_empty())
}

/// File by file, what noticed how many: the table of `SURVIVORS.md`.
fn by_file<'a>(fates: impl Iterator<Item = &'a Fate>) -> String {
    // Mutants in the binary; noticed by the harness, by unit tests; open.
    let mut files: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for fate in fates {
        let file = fate.name.split(':').next().unwrap_or_default();
        let by = match fate.killed.as_deref() {
            Some("left out") => continue,
            // As a test program says it.
            Some(said) if said.ends_with("... FAILED") => 2,
            Some(_) => 1,
            None => 3,
        };
        for column in [0, by] {
            files.entry(file).or_default()[column] += 1;
            files.entry("all").or_default()[column] += 1;
        }
    }
    let mut out =
        "| file | mutants | noticed by the harness | by unit tests | open |\n|---|--:|--:|--:|--:|\n"
            .to_owned();
    for (file, [all, harness, tests, open]) in &files {
        let name = if *file == "all" { "all".to_owned() } else { format!("`{file}`") };
        out.push_str(&format!("| {name} | {all} | {harness} | {tests} | {open} |\n"));
    }
    out
}

fn try_one(name: &str, number: usize, judge: &Path, arguments: &[String], timeout: u64) -> Fate {
    let start = Instant::now();
    let killed =
        run(number, judge, arguments, timeout).unwrap_or_else(|error| Some(format!("error: {error}")));
    Fate { name: name.into(), killed, seconds: start.elapsed().as_secs_f64() }
}

fn run(number: usize, judge: &Path, arguments: &[String], timeout: u64) -> std::io::Result<Option<String>> {
    let Some((status, text)) = trial::run(judge, arguments, &[(VARIABLE, &number.to_string())], timeout)?
    else {
        return Ok(Some("it does not end".into()));
    };
    if status.success() {
        return Ok(None);
    }
    // A test program names the tests that failed; the judge prints one line.
    let said = text.lines().find(|line| line.ends_with("... FAILED")).or_else(|| text.lines().last());
    Ok(Some(said.map_or_else(|| format!("{status}"), |line| line.chars().take(160).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_by_file_and_by_judge() {
        let fate = |name: &str, killed: Option<&str>| Fate {
            name: name.into(),
            killed: killed.map(str::to_owned),
            seconds: 1.0,
        };
        let fates = [
            fate("a.rs:1:1: x", Some("left out")),
            fate("a.rs:2:1: x", Some("walk: S1 (3 executions, 0.01 s)")),
            fate("a.rs:3:1: x", Some("test chain::tests::x ... FAILED")),
            fate("b.rs:1:1: x", None),
        ];
        let table = by_file(fates.iter());
        for line in ["| `a.rs` | 2 | 1 | 1 | 0 |", "| `b.rs` | 1 | 0 | 0 | 1 |", "| all | 3 | 1 | 1 | 1 |"] {
            assert!(table.contains(line), "{table}");
        }
    }
}

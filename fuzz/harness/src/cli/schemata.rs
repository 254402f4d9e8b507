//! `zus-fuzz schemata` and `zus-fuzz survey`: every mutant that cargo-mutants names, judged by the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use zus_output::lock::Lock;

use super::{check, trial, write as write_named};
use crate::schemata::{Listed, MODULE, Schemata, VARIABLE, mutant_at};

/// The root of the crate whose files are rewritten.
const ROOT: &str = "impl/src/lib.rs";

fn read_list(list: &Path) -> std::io::Result<Vec<Listed>> {
    let text = zus_output::bounded::text(list, zus_output::bounded::MOST_BYTES)?;
    serde_json::from_str(&text).map_err(|error| {
        let list = zus_output::plain::path(list);
        Error::other(format!("{list}: {error}\n  fix: name what `cargo mutants --list --json` printed"))
    })
}

/// Lints that refuse code that never runs, or that would warn hundreds of times.
const LINTS: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic)]";
/// How often the copy is made anew without what does not compile.
const ATTEMPTS: usize = 20;

/// Rewrites the files of the copy until it compiles.
pub fn write(list: &Path, into: &Path, out: &Path) -> std::io::Result<bool> {
    let listed = read_list(list)?;
    let _taken = Lock::take(into).map_err(zus_output::whole::unwritable(into))?;
    check(out)?;
    let files: BTreeSet<&str> = listed.iter().map(|mutant| &*mutant.file).collect();
    let read = |file: &str| {
        Ok((file.to_owned(), zus_output::bounded::text(into.join(file), zus_output::bounded::MOST_BYTES)?))
    };
    let originals: BTreeMap<String, String> = files.into_iter().map(read).collect::<std::io::Result<_>>()?;
    let root = into.join(ROOT);
    let text = zus_output::bounded::text(&root, zus_output::bounded::MOST_BYTES)?;
    zus_output::whole::write(root, format!("{LINTS}\n{text}{MODULE}"))?;
    let mut unviable = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        let schemata = Schemata::new(&listed, &unviable, |file| Ok(originals[file].clone()))?;
        for (file, text) in &schemata.files {
            zus_output::whole::write(into.join(file), text)?;
        }
        let found = do_not_compile(into, &schemata)?;
        if found.is_empty() {
            println!("{} mutants in {} files", schemata.taken.len(), schemata.files.len());
            println!("{} are left out", schemata.left_out.len());
            let fates: BTreeMap<usize, Fate> =
                schemata.left_out.iter().map(|&n| (n, left_out(&listed[n]))).collect();
            write_named(out, serde_json::to_string_pretty(&fates)?)?;
            return Ok(true);
        }
        unviable.extend(found);
    }
    Err(Error::other("the copy does not compile"))
}

/// One message of `cargo check --message-format=json`, as far as it is needed.
#[derive(Deserialize)]
struct Line {
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    is_primary: bool,
}

/// The mutants whose code the compiler refuses.
fn do_not_compile(into: &Path, schemata: &Schemata) -> std::io::Result<BTreeSet<usize>> {
    let output = Command::new("cargo")
        .args(["check", "-p", "zus-bpp", "--message-format=json", "--quiet"])
        .current_dir(into)
        .stderr(Stdio::null())
        .output()?;
    let mut found = BTreeSet::new();
    let mut others = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(Line { message: Some(error) }) = serde_json::from_str(line) else { continue };
        if error.level != "error" {
            continue;
        }
        let place = error.spans.iter().find(|span| span.is_primary).and_then(|span| {
            let (_, text) =
                schemata.files.iter().find(|(file, _)| span.file_name.ends_with(file.as_str()))?;
            mutant_at(text, span.byte_start)
        });
        match place {
            Some(number) => drop(found.insert(number)),
            None => others.push(error.message),
        }
    }
    if found.is_empty() && !output.status.success() {
        return Err(Error::other(format!("no mutant is to blame for: {}", others.join("; "))));
    }
    Ok(found)
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
pub fn survey(
    list: &Path,
    judge: &Path,
    arguments: &[String],
    out: &Path,
    timeout: u64,
    jobs: usize,
) -> std::io::Result<bool> {
    let listed = read_list(list)?;
    let known: BTreeMap<usize, Fate> = match zus_output::bounded::text(out, zus_output::bounded::MOST_BYTES) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            let out = zus_output::plain::path(out);
            Error::other(format!(
                "{out}: these are no verdicts: {error}\n  fix: name a file that is not there yet"
            ))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    let open: Vec<usize> = (0..listed.len())
        .filter(|number| known.get(number).is_none_or(|fate| fate.killed.is_none()))
        .collect();
    check(out)?;
    let (next, fates) = (AtomicUsize::new(0), Mutex::new(known));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(&number) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fate = try_one(&listed[number].name, number, judge, arguments, timeout);
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
    println!("{}", table(fates.values()));
    println!("{} of {} survive", survivors.len(), fates.len());
    Ok(survivors.is_empty())
}

/// File by file, what noticed how many: the table of `SURVIVORS.md`.
fn table<'a>(fates: impl Iterator<Item = &'a Fate>) -> String {
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
    let Some((status, text)) = trial::run(judge, arguments, (VARIABLE, &number.to_string()), timeout)? else {
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
        let table = table(fates.iter());
        for line in ["| `a.rs` | 2 | 1 | 1 | 0 |", "| `b.rs` | 1 | 0 | 0 | 1 |", "| all | 3 | 1 | 1 | 1 |"] {
            assert!(table.contains(line), "{table}");
        }
    }
}

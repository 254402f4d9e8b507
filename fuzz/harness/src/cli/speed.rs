//! Executions and production steps a second of each target: one core, the same inputs every time. Instrumented programs are
//! measured beside them, by replaying the same inputs as files. A second is one of processor time, so that a busy machine
//! does not change the table much.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::time::{ClockId, clock_gettime};
use zus_output::figures::{Figures, Table};
use zus_output::plain::grouped;

use super::{check, write};
use crate::schedule::{Random, Schedule};
use crate::targets::{ALL, Target, conformance, take_steps};
use crate::world::World;

/// Bytes of an input.
const INPUT_BYTES: usize = 64;
/// The byte of a schedule's header that says how many choices it has, and the value that says 60.
const SIXTY_CHOICES: (usize, u8) = (5, 12);
/// Files that an instrumented program is given, at most and at least.
const FILES: std::ops::RangeInclusive<u64> = 8..=20_000;
/// Where the table stands in a README.
const MARKS: (&str, &str) = ("<!-- speed -->\n", "<!-- /speed -->\n");
/// Titles of the figures of this room, and of the table of speeds in them.
const TITLES: (&str, &str) =
    ("Fuzzing production code against the model", "executions a second of processor time");

/// The measurements to make, and the files for their results.
pub struct Speed {
    /// Seconds for each target.
    pub seconds: u64,
    /// Kinds of instrumented programs, with the folder in which they are.
    pub instrumented: Vec<(String, PathBuf)>,
    /// Where the figures go, for `zus report --figures`; tables of other commands in that file stay.
    pub json: Option<PathBuf>,
    /// The README whose table is replaced.
    pub readme: Option<PathBuf>,
}

struct Row {
    name: String,
    runs: f64,
    steps: Option<f64>,
    instrumented: Vec<Option<f64>>,
}

/// Measures, and prints the table.
///
/// # Errors
/// When a file cannot be written or a program cannot be started.
pub fn speed(what: &Speed) -> std::io::Result<bool> {
    for path in what.readme.iter().chain(&what.json) {
        check(path)?;
    }
    if let Some(path) = &what.readme {
        around_the_table(path)?;
    }
    let mut rows = Vec::new();
    for &(name, target) in ALL {
        rows.push(row(what, name, name, target, &|_| {})?);
    }
    let sixty: &dyn Fn(&mut Vec<u8>) = &|bytes| bytes[SIXTY_CHOICES.0] = SIXTY_CHOICES.1;
    rows.insert(1, row(what, "conformance, 60 choices", "conformance", conformance, sixty)?);
    let share = share_of_production(what.seconds);
    let table = markdown(what, &rows, share);
    println!("{}", table.trim_end());
    if let Some(path) = &what.readme {
        put_into(path, &table)?;
    }
    if let Some(path) = &what.json {
        let known = match zus_output::bounded::text(path, zus_output::bounded::MOST_BYTES) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let found = figures(known.as_deref(), speeds(what, &rows, share));
        let found = found.map_err(|error| {
            let path = zus_output::plain::path(path);
            std::io::Error::other(format!("{path}: {error}\n  fix: name another file, or one of figures"))
        })?;
        write(path, serde_json::to_string_pretty(&found)? + "\n")?;
    }
    Ok(true)
}

/// Processor time of this thread.
fn own_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Processor time of the programs that were started and have ended, from the system's own account of this process: fields 16
/// and 17 of `/proc/self/stat`, in hundredths of a second.
fn seconds_of_children() -> std::io::Result<f64> {
    let account = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = account.rsplit_once(") ").unwrap_or_default();
    let ticks = |number: usize| fields.split(' ').nth(number - 3).and_then(|field| field.parse::<f64>().ok());
    let ticks = ticks(16).zip(ticks(17)).map(|(user, system)| user + system);
    ticks
        .map(|ticks| ticks / 100.0)
        .ok_or_else(|| std::io::Error::other("/proc/self/stat is not as expected"))
}

fn inputs(change: &dyn Fn(&mut Vec<u8>)) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random::new(1);
    std::iter::repeat_with(move || {
        let mut bytes: Vec<u8> = (0..INPUT_BYTES).map(|_| random.bits() as u8).collect();
        change(&mut bytes);
        bytes
    })
}

fn row(
    what: &Speed,
    title: &str,
    name: &str,
    target: Target,
    change: &dyn Fn(&mut Vec<u8>),
) -> std::io::Result<Row> {
    take_steps();
    let (start, mut runs) = (own_seconds(), 0u64);
    for bytes in inputs(change) {
        target(&bytes);
        runs += 1;
        if own_seconds() - start >= what.seconds as f64 {
            break;
        }
    }
    let seconds = own_seconds() - start;
    let steps = take_steps();
    let rate = runs as f64 / seconds;
    let mut instrumented = Vec::new();
    for (kind, folder) in &what.instrumented {
        // Fewer files where the sanitizer makes each of them several times as slow.
        let count = (rate * what.seconds as f64 / if kind == "none" { 2.0 } else { 8.0 }) as u64;
        let program = folder.join(name);
        let found = if program.exists() { Some(replayed(&program, count, change)?) } else { None };
        instrumented.push(found);
    }
    let steps = (steps > 0).then_some(steps as f64 / seconds);
    Ok(Row { name: title.into(), runs: rate, steps, instrumented })
}

/// Executions a second of an instrumented program over a folder of inputs; starting it is not counted.
fn replayed(program: &Path, count: u64, change: &dyn Fn(&mut Vec<u8>)) -> std::io::Result<f64> {
    let count = count.clamp(*FILES.start(), *FILES.end());
    let folder = std::env::temp_dir().join(format!("zus-fuzz-speed-{}", std::process::id()));
    let time = |count: u64| -> std::io::Result<f64> {
        std::fs::create_dir_all(&folder)?;
        for (number, bytes) in inputs(change).take(count as usize).enumerate() {
            zus_output::whole::write(folder.join(format!("{number:06}")), bytes)?;
        }
        let start = seconds_of_children()?;
        let mut command = Command::new(program);
        command.arg("-runs=0").arg("-rss_limit_mb=4096").arg(&folder);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        let seconds = seconds_of_children()? - start;
        std::fs::remove_dir_all(&folder)?;
        if !status.success() {
            return Err(std::io::Error::other(format!(
                "{} fails on random inputs",
                zus_output::plain::path(program)
            )));
        }
        Ok(seconds)
    };
    let (one, all) = (time(1)?, time(count)?);
    Ok((count - 1) as f64 / (all - one).max(1e-6))
}

/// The time of the same runs of `conformance` with nobody watching, as a share: what production and the network cost.
fn share_of_production(seconds: u64) -> f64 {
    let (mut random, start, mut runs) = (Random::new(1), own_seconds(), 0u64);
    while own_seconds() - start < seconds as f64 {
        let _judged = crate::campaign::run(&Schedule::random(&mut random), crate::world::Adjust::NONE);
        runs += 1;
    }
    let judged = own_seconds() - start;
    let (mut random, start) = (Random::new(1), own_seconds());
    for _ in 0..runs {
        unwatched(&Schedule::random(&mut random));
    }
    (own_seconds() - start) / judged
}

fn unwatched(schedule: &Schedule) {
    let ground = crate::schedule::ground_of(&schedule.header.setup());
    let mut world = World::new(ground);
    world.start(&mut ());
    for choice in &schedule.choices {
        let found = crate::schedule::resolve(&world, *choice, schedule.header.swarm());
        if let Some(operation) = found {
            crate::schedule::operation::perform(&mut world, &operation, &mut ());
        }
    }
}

/// A number as people read it: two or three digits that mean something, grouped.
fn told(rate: Option<f64>) -> String {
    let Some(rate) = rate else { return "–".into() };
    if rate < 10.0 {
        return format!("{rate:.1}");
    }
    let digits = format!("{rate:.0}");
    let keep = 3.min(digits.len());
    let rounded = format!("{}{}", &digits[..keep], "0".repeat(digits.len() - keep));
    rounded.parse().map_or(rounded, grouped)
}

fn columns(what: &Speed) -> Vec<String> {
    let mut columns: Vec<String> =
        ["target", "executions/s", "production steps/s"].map(str::to_owned).to_vec();
    let title = |kind: &str| match kind {
        "none" => "executions/s under libFuzzer".to_owned(),
        "address" => "the same with AddressSanitizer".to_owned(),
        other => format!("executions/s, {other}"),
    };
    columns.extend(what.instrumented.iter().map(|(kind, _)| title(kind)));
    columns
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.name.clone(), told(Some(row.runs)), told(row.steps)];
    cells.extend(row.instrumented.iter().map(|rate| told(*rate)));
    cells
}

fn share_told(share: f64) -> String {
    format!(
        "Of the time of `conformance`, production steps and the network take {:.0} %, refinement and oracles the rest.",
        100.0 * share
    )
}

fn markdown(what: &Speed, rows: &[Row], share: f64) -> String {
    let columns = columns(what);
    let mut table = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        table.push_str(&format!("| {} |\n", cells(row).join(" | ")));
    }
    table + "\n" + &share_told(share) + "\n"
}

/// The parts of a README before and after the table.
fn around_the_table(path: &Path) -> std::io::Result<(String, String)> {
    let text = zus_output::bounded::text(path, zus_output::bounded::MOST_BYTES)?;
    let missing = || {
        let (path, (begin, end)) = (zus_output::plain::path(path), MARKS);
        let fix = format!("write {} and {} where it is to stand", begin.trim_end(), end.trim_end());
        std::io::Error::other(format!("{path}: the marks of the table are missing\n  fix: {fix}"))
    };
    let (before, rest) = text.split_once(MARKS.0).ok_or_else(missing)?;
    let (_, after) = rest.split_once(MARKS.1).ok_or_else(missing)?;
    Ok((before.into(), after.into()))
}

fn put_into(path: &Path, table: &str) -> std::io::Result<()> {
    let (before, after) = around_the_table(path)?;
    write(path, format!("{before}{}{table}{}{after}", MARKS.0, MARKS.1))
}

fn speeds(what: &Speed, rows: &[Row], share: f64) -> Table {
    let notes = vec![
        "one core, the same inputs every time; under an engine with the debug assertions that cargo-fuzz sets".into(),
        share_told(share),
    ];
    let rows = rows.iter().map(cells).collect();
    Table {
        title: TITLES.1.into(),
        command: "fuzz/harness/speed".into(),
        notes,
        columns: columns(what),
        rows,
    }
}

/// The figures of this room, with these speeds first: what other commands measured, and a file has already, stays.
fn figures(known: Option<&str>, speeds: Table) -> Result<Figures, String> {
    let mut figures = Figures::new(TITLES.0, "fuzz/harness/speed");
    if let Some(text) = known {
        let found = Figures::parse(text)?;
        if found.title != figures.title {
            return Err(format!("these are the figures of {:?}, not of {:?}", found.title, figures.title));
        }
        figures = Figures { machine: figures.machine, date: figures.date, command: figures.command, ..found };
        figures.tables.retain(|table| table.title != speeds.title);
    }
    figures.tables.insert(0, speeds);
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_grouped() {
        let told = |rate| told(Some(rate));
        assert_eq!(
            [told(3.16), told(12.4), told(1_234.5), told(2_345_678.0)],
            ["3.2", "12", "1,230", "2,340,000"]
        );
        assert_eq!(super::told(None), "–");
    }

    #[test]
    fn only_the_table_of_a_readme_is_replaced() {
        let path = std::env::temp_dir().join(format!("zus-fuzz-readme-{}", std::process::id()));
        std::fs::write(&path, "a\n<!-- speed -->\nold\n<!-- /speed -->\nb\n").unwrap();
        put_into(&path, "new\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, "no marks").unwrap();
        assert!(put_into(&path, "new\n").is_err());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, "a\n<!-- speed -->\nnew\n<!-- /speed -->\nb\n");
    }

    #[test]
    fn tables_of_other_commands_stay_in_the_figures() {
        let table = |title: &str, cell: &str| Table {
            title: title.into(),
            columns: vec!["a".into()],
            rows: vec![vec![cell.into()]],
            ..Table::default()
        };
        let mut known = figures(None, table(TITLES.1, "old")).unwrap();
        known.tables.push(table("committed corpus", "kept"));
        let text = serde_json::to_string(&known).unwrap();
        let found = figures(Some(&text), table(TITLES.1, "new")).unwrap();
        assert_eq!(found.tables, [table(TITLES.1, "new"), table("committed corpus", "kept")]);
        let other = text.replace(TITLES.0, "Something else");
        assert!(
            figures(Some(&other), table(TITLES.1, "new")).is_err(),
            "the figures of another room are not replaced"
        );
    }
}

//! `zus search-speed`: the search of `zus check` beside Stateright's own over the same model, and how the work grows.

use super::{
    Exit, Failure, SearchSpeedArgs, TableFormat, command_line,
    measure::{Measured, Search},
    on_threads, say,
    table::Table,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use zus_checker::{
    properties::Facts,
    protocol::{Protocol, Reductions},
    scenario::parse,
    search::{
        bfs::{End, Exploration, Limits, explore},
        codec::Codec,
    },
};
use zus_output::plain;
use zus_report::{
    page::figures::{self, Figures, Plot, Series},
    text::grouped,
};

/// The pinned instances: the base one, more Byzantine miners than are tolerated, seven members.
const INSTANCES: [&str; 3] = ["hardened", "f_plus_one", "hardened_n7"];
/// Of them, the smallest.
const QUICK: [&str; 1] = ["hardened_n7"];
/// Unique states at which an instance of the table of growth is given up.
const MOST_STATES: u64 = 12_000_000;
/// The same with `--quick`.
const MOST_STATES_QUICK: u64 = 200_000;

/// Unique states from which on bytes per state say something: below it, empty tables outweigh the states.
const ENOUGH_STATES: u64 = 10_000;

/// Runs the command.
pub fn run(args: &SearchSpeedArgs) -> Result<Exit, Failure> {
    if let Some(before) = &args.before {
        let table = versions(before, args.turns.unwrap_or(5))?;
        let mut stdout = anstream::stdout();
        match args.format {
            TableFormat::Text | TableFormat::Markdown => writeln!(stdout, "{}", table.write(args.format))?,
            TableFormat::Json => {
                let figures = Figures {
                    notes: vec!["every measurement a process of its own, in turns".into()],
                    tables: vec![of_report(table)],
                    ..Figures::new("The search beside that of another version", &command_line())
                };
                writeln!(
                    stdout,
                    "{}",
                    serde_json::to_string_pretty(&figures).map_err(std::io::Error::from)?
                )?;
            }
        }
        return Ok(Exit::AsExpected);
    }
    let all = || std::thread::available_parallelism().map_or(1, |n| n.get().min(1024) as u16);
    let several = args.threads.unwrap_or_else(all);
    let instances: &[&str] = if args.quick { &QUICK } else { &INSTANCES };
    let turns = args.turns.unwrap_or(if args.quick { 3 } else { 5 });
    let mut stdout = anstream::stdout();
    let compared = compare(instances, several, turns)?;
    if args.format != TableFormat::Json {
        writeln!(stdout, "{}", compared.write(args.format))?;
    }
    let most = if args.quick { MOST_STATES_QUICK } else { MOST_STATES };
    let growth = on_threads(Some(several), || growth(most))??;
    if args.format == TableFormat::Json {
        let json = serde_json::to_string_pretty(&figures(compared, growth)).map_err(std::io::Error::from)?;
        writeln!(stdout, "{json}")?;
    } else {
        writeln!(stdout, "{}", growth.write(args.format))?;
    }
    Ok(Exit::AsExpected)
}

/// Both tables, and the growth as a plot, for `zus report --figures`.
fn figures(compared: Table, growth: Table) -> Figures {
    let number = |cell: &String| cell.replace(',', "").parse::<f64>().ok();
    // n, Byzantine, rounds, subrounds, unique states: one line for each axis, the other two at their smallest.
    let along = |name: &str, axis: usize, fixed: [(usize, f64); 2]| Series {
        name: name.into(),
        points: growth
            .rows
            .iter()
            .filter(|row| fixed.iter().all(|&(at, value)| number(&row[at]) == Some(value)))
            .filter_map(|row| Some((number(&row[axis])?, number(&row[4])?)))
            .collect(),
    };
    let plot = Plot {
        title: "unique states of hardened, as one axis grows".into(),
        x: "members, rounds or subrounds".into(),
        y: "unique states".into(),
        log_x: false,
        log_y: true,
        command: String::new(),
        series: vec![
            along("members (1 x 2)", 0, [(2, 1.0), (3, 2.0)]),
            along("rounds (n = 4)", 2, [(0, 4.0), (3, 1.0)]),
            along("subrounds (n = 4)", 3, [(0, 4.0), (2, 1.0)]),
        ],
    };
    Figures {
        notes: vec!["every measurement a process of its own, in turns".into()],
        tables: vec![of_report(compared), of_report(growth)],
        plots: vec![plot],
        ..Figures::new("The search beside Stateright's, and how its work grows", &command_line())
    }
}

/// A table for `zus report --figures`.
fn of_report(table: Table) -> figures::Table {
    let Table { title, columns, rows, .. } = table;
    figures::Table { title, columns, rows, ..figures::Table::default() }
}

/// The instances on which two versions are compared: many Byzantine miners, liveness, seven members, restarts.
const OF_VERSIONS: [&str; 4] = ["f_plus_one", "hardened_live", "hardened_n7", "hardened_restart"];

/// This program and another version of it, on one thread, in turns. An older version has no sorted runs, so this one explores all runs,
/// too; its scenarios may differ, so states for each second are compared.
fn versions(before: &Path, turns: u16) -> Result<Table, Failure> {
    let now = this_program()?;
    let mut table = Table::new(
        &format!("This version beside another one ({turns} turns each; medians; all runs, one thread)"),
        &[
            "instance",
            "before: states",
            "per CPU s",
            "bytes/state",
            "now: states",
            "per CPU s",
            "bytes/state",
            "ratio",
        ],
    );
    let mut taken = vec![[Vec::new(), Vec::new()]; OF_VERSIONS.len()];
    for turn in 0..turns {
        for (instance, taken) in OF_VERSIONS.iter().zip(&mut taken) {
            say(&format!("turn {} of {turns}: {instance}", turn + 1));
            taken[0].push(measured_by(before, &[instance, "ours", "1"])?);
            taken[1].push(measured_by(&now, &[instance, "ours", "1", "--all-runs"])?);
        }
    }
    say("");
    for (instance, taken) in OF_VERSIONS.iter().zip(&taken) {
        let (mut row, mut rates) = (vec![(*instance).to_owned()], Vec::new());
        for of_program in taken {
            let of =
                |value: &dyn Fn(&Measured) -> f64| Spread::of(of_program.iter().map(value).collect()).median;
            // The system counts in hundredths of a second.
            let rate = of(&|m| m.unique as f64 / m.cpu_seconds.max(0.01));
            row.extend([grouped(of_program[0].unique), grouped(rate as u64)]);
            row.push(format!("{:.0}", of(&|m| m.bytes as f64 / m.unique as f64)));
            rates.push(rate);
        }
        row.push(format!("{:.2}", rates[1] / rates[0]));
        table.rows.push(row);
    }
    Ok(table)
}

/// Every search on every instance, in turns.
fn compare(instances: &[&str], several: u16, turns: u16) -> Result<Table, Failure> {
    let mut searches = vec![(Search::Ours, 1), (Search::Bfs, 1), (Search::Dfs, 1)];
    if several > 1 {
        searches.extend([(Search::Ours, several), (Search::Bfs, several), (Search::Dfs, several)]);
    }
    let mut taken = vec![Vec::new(); instances.len() * searches.len()];
    for turn in 0..turns {
        for (i, instance) in instances.iter().enumerate() {
            for (s, &(search, threads)) in searches.iter().enumerate() {
                say(&format!("turn {} of {turns}: {instance}", turn + 1));
                taken[i * searches.len() + s].push(measure(instance, search, threads)?);
            }
        }
    }
    say("");
    let mut table = Table::new(
        &format!("Searches ({turns} turns each; median, least to greatest)"),
        &["instance", "unique states", "search", "threads", "unique/s", "", "per CPU s", "bytes/state"],
    );
    for (i, instance) in instances.iter().enumerate() {
        for (s, &(search, threads)) in searches.iter().enumerate() {
            let taken = &taken[i * searches.len() + s];
            let of = |value: &dyn Fn(&Measured) -> f64| Spread::of(taken.iter().map(value).collect());
            let rate = of(&|m| m.unique as f64 / m.seconds);
            let cpu = of(&|m| if m.cpu_seconds > 0.0 { m.unique as f64 / m.cpu_seconds } else { 0.0 });
            let bytes = of(&|m| m.bytes as f64 / m.unique as f64);
            let unique = taken[0].unique;
            if let Some(other) = taken.iter().find(|m| m.unique != unique) {
                let why = format!("{unique} unique states once, {} another time", other.unique);
                return Err(Failure::Measurement { what: (*instance).into(), why });
            }
            table.rows.push(vec![
                (*instance).into(),
                grouped(unique),
                match search {
                    Search::Ours => "zus",
                    Search::Bfs => "Stateright BFS",
                    Search::Dfs => "Stateright DFS",
                }
                .into(),
                threads.to_string(),
                grouped(rate.median as u64),
                format!("{} to {}", grouped(rate.least as u64), grouped(rate.greatest as u64)),
                grouped(cpu.median as u64),
                format!("{:.0}", bytes.median),
            ]);
        }
    }
    Ok(table)
}

/// One measurement, in a process of its own.
fn measure(instance: &str, search: Search, threads: u16) -> Result<Measured, Failure> {
    let name = match search {
        Search::Ours => "ours",
        Search::Bfs => "bfs",
        Search::Dfs => "dfs",
    };
    measured_by(&this_program()?, &[instance, name, &threads.to_string()])
}

fn this_program() -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::Measurement { what: "zus".into(), why: error.to_string() };
    std::env::current_exe().map_err(failed)
}

/// One measurement by a program.
fn measured_by(program: &Path, arguments: &[&str]) -> Result<Measured, Failure> {
    let what = || format!("{} measure {}", plain::path(program), arguments.join(" "));
    let failed = |why: String| Failure::Measurement { what: what(), why };
    let output = Command::new(program)
        .arg("measure")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// How the work grows with rounds, subrounds and miners: every axis from the smallest instance.
fn growth(most: u64) -> Result<Table, Failure> {
    let mut table = Table::new(
        "Growth (hardened, as many Byzantine miners as are tolerated; every state)",
        &[
            "n",
            "Byzantine",
            "rounds",
            "subrounds",
            "unique states",
            "seconds",
            "unique/s",
            "bytes/state",
            "queued",
            "of all runs",
        ],
    );
    let mut sizes: Vec<(u32, u8, u8)> = Vec::new();
    sizes.extend((1..=4).map(|rounds| (4, rounds, 1)));
    sizes.extend((2..=4).map(|subrounds| (4, 1, subrounds)));
    sizes.extend([(4, 2, 2), (4, 3, 2)]);
    sizes.extend([(5, 1, 2), (6, 1, 2), (7, 1, 2), (8, 1, 2), (9, 1, 2), (10, 1, 2)]);
    for (n, rounds, subrounds) in sizes {
        let text = format!(
            "question = \"?\"\nprofile = \"hardened\"\nn = {n}\nrounds = {rounds}\nsubrounds = {subrounds}\n\
             network = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]\n[expect]\nS2 = \"holds\"\n"
        );
        let scenario = parse("growth", "zus search-speed", &text)?;
        let protocol = &scenario.protocol;
        let asked: Facts = scenario.expect.iter().map(|e| e.property).collect();
        say(&format!("growth: n = {n}, {rounds} x {subrounds}"));
        let start = std::time::Instant::now();
        let limits = Limits { states: most, ..Limits::default() };
        let e = explore(protocol, asked, None, limits, &|_| {}, &|_| {});
        let seconds = start.elapsed().as_secs_f64();
        let count = |e: &Exploration| {
            let more = if e.end == End::Exhausted { "" } else { "more than " };
            format!("{more}{}", grouped(e.unique))
        };
        let whole = e.end == End::Exhausted;
        let reductions = Reductions { sorted: false, ..protocol.reductions };
        let unsorted = Protocol { reductions, ..protocol.clone() };
        let all = explore(&unsorted, asked, None, limits, &|_| {}, &|_| {});
        table.rows.push(vec![
            n.to_string(),
            protocol.committee.byzantine.to_string(),
            rounds.to_string(),
            subrounds.to_string(),
            count(&e),
            format!("{seconds:.2}"),
            grouped((e.unique as f64 / seconds) as u64),
            if whole && e.unique >= ENOUGH_STATES {
                format!("{:.0}", e.peak_bytes as f64 / e.unique as f64)
            } else {
                "-".into()
            },
            Codec::new(protocol).bytes.to_string(),
            count(&all),
        ]);
    }
    say("");
    Ok(table)
}

/// A median with the least and the greatest.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    /// Of at least one value.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Spread { least: values[0], median, greatest: values[values.len() - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]).median, 2.5);
        let one = Spread::of(vec![7.0]);
        assert_eq!((one.least, one.median, one.greatest), (7.0, 7.0, 7.0));
    }
}

//! A report as text for a terminal: aligned tables, then the runs.

use super::{Method, PropertyReport, Report, RunReport, Runs, ScenarioReport, Summary, verdict::engine};
use crate::mutants::MutantResult;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use zus_checker::{
    scenario::Engine,
    search::check::{Found, Standing},
};
use zus_output::plain;
pub use zus_output::plain::grouped;

/// How a standing is marked where there are no colours.
pub fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::AsExpected => "ok",
        Standing::Sampled => "ok (sampled)",
        Standing::Incomplete => "INCOMPLETE",
        Standing::Differs => "DIFFERS",
    }
}

fn style(standing: Standing) -> Style {
    match standing {
        Standing::AsExpected => AnsiColor::Green.on_default(),
        Standing::Sampled => AnsiColor::Cyan.on_default(),
        Standing::Incomplete => AnsiColor::Yellow.on_default().bold(),
        Standing::Differs => AnsiColor::Red.on_default().bold(),
    }
}

/// How a scenario was explored, in words.
pub fn method(method: &Method) -> String {
    match method {
        Method::Exhausted => "every state".into(),
        Method::AllFound => "until all was found".into(),
        Method::StateLimit => "up to the limit on states".into(),
        Method::MemoryLimit => "up to the limit on memory".into(),
        Method::Sampled { runs, seed } => format!("{runs} random runs from seed {seed}"),
    }
}

/// Which runs a search explored, in words.
fn explored(runs: &Runs) -> String {
    match runs {
        Runs::Sorted => "sorted runs, which are enough here".into(),
        Runs::All { because } => format!("all runs, not sorted ones: {because}"),
    }
}

fn per_second(states: u64, seconds: f64) -> String {
    if seconds > 0.0 { grouped((states as f64 / seconds) as u64) } else { "-".into() }
}

/// The last line of every check.
pub fn summary_line(summary: &Summary) -> String {
    let memory = match summary.peak_memory {
        0 => "unknown".into(),
        bytes => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    };
    let Summary { as_expected, sampled, differ, incomplete, unique, generated, seconds, .. } = *summary;
    let sampled = if sampled > 0 { format!(", {sampled} sampled") } else { String::new() };
    format!(
        "{as_expected} as expected{sampled}, {differ} differ, {incomplete} incomplete: {} unique states, {} generated, \
         {seconds:.2} s, {} unique/s, peak memory {memory}",
        grouped(unique),
        grouped(generated),
        per_second(unique, seconds),
    )
}

/// How much of a check is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// One line for each scenario or mutant, and the tables of those that are not as expected.
    Tables,
    /// The same, with the runs of those.
    Differing,
    /// The tables and runs of all.
    All,
}

impl Detail {
    /// The detail that these two switches ask for.
    pub fn of(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (_, true) => Detail::All,
            (true, false) => Detail::Tables,
            (false, false) => Detail::Differing,
        }
    }
}

/// Whether there is more to say of a scenario than its line.
fn is_as_expected(scenario: &ScenarioReport) -> bool {
    let vacuous = scenario.properties.iter().any(|p| p.vacuous.is_some());
    scenario.standing <= Standing::Sampled && !vacuous && scenario.notes.is_empty()
}

/// One scenario in one line: how it compares, its name, what was found, states and time.
pub fn line(scenario: &ScenarioReport) -> String {
    let scenario = &plain::every_line(scenario);
    let all = |found: Found| scenario.properties.iter().filter(move |p| p.found == found);
    let mut found: Vec<String> = all(Found::Violated)
        .map(|p| {
            let steps = p.run.as_ref().map_or(String::new(), |run| format!(" in {}", run.steps.len()));
            format!("{} violated{steps}", p.property.id())
        })
        .collect();
    let any = scenario.scope().map_or(String::new(), |scope| format!(" for {scope}"));
    for (verdict, one, many) in [
        (Found::Holds, "holds", "hold"),
        (Found::HoldsAnyRounds, "holds", "hold"),
        (Found::Reachable, "reachable", "reachable"),
        (Found::Unreachable, "unreachable", "unreachable"),
        (Found::UnreachableAnyRounds, "unreachable", "unreachable"),
        (Found::Sampled, "sampled", "sampled"),
        (Found::Unknown, "unknown", "unknown"),
    ] {
        for engine in [Engine::Explicit, Engine::Certificates] {
            let of: Vec<&PropertyReport> = all(verdict).filter(|p| p.engine == engine).collect();
            let Some(first) = of.first() else { continue };
            let scope = match (verdict.is_of_any_rounds(), engine) {
                (true, _) => any.as_str(),
                (false, Engine::Explicit) => "",
                (false, Engine::Certificates) => " by certificates",
            };
            let beside = first.beside();
            let beside = if beside.is_empty() { beside } else { format!(" ({beside})") };
            match of.as_slice() {
                [p] => found.push(format!("{} {one}{scope}{beside}", p.property.id())),
                _ => found.push(format!("{} {many}{scope}{beside}", of.len())),
            }
        }
    }
    let vacuous = scenario.properties.iter().any(|p| p.vacuous.is_some());
    let mark = match mark(scenario.standing) {
        _ if vacuous => "SAYS NOTHING",
        mark => mark,
    };
    let states = match (scenario.method, scenario.searches.as_slice()) {
        (Method::Sampled { .. }, _) => format!("{} visited", grouped(scenario.generated)),
        (_, []) => format!("{} states", grouped(scenario.unique)),
        (_, searches) => format!("{} states", grouped(searches.iter().map(|search| search.unique).sum())),
    };
    let style = style(scenario.standing);
    format!(
        "{style}{mark:<14}{style:#}{:<32}{:>20}{:>9.2} s  {}",
        scenario.name,
        states,
        scenario.seconds,
        found.join(", ")
    )
    .trim_end()
    .to_owned()
}

/// Of those that are not as expected, all there is.
pub fn differing(report: &Report, runs: bool) -> String {
    let differ = report.scenarios.iter().filter(|s| !is_as_expected(s));
    differ.fold(String::new(), |out, s| out + "\n" + &scenario(s, runs))
}

/// One scenario: its question, its table, and its runs if they are wanted.
pub fn scenario(scenario: &ScenarioReport, runs: bool) -> String {
    let scenario = &plain::every_line(scenario);
    let bold = Style::new().bold();
    let mut out = String::new();
    let _ = writeln!(out, "{bold}{}{bold:#}  {}", scenario.name, scenario.question);
    let crate::Faults { n, byzantine, restarts, .. } = scenario.faults;
    let (rounds, subrounds) = scenario.size;
    let size = scenario.idle_blocks.map_or_else(
        || format!("{rounds} x {subrounds} (round, subround)"),
        |idle| format!("any rounds, any subrounds, at most {idle} idle blocks"),
    );
    let restarts = if restarts > 0 { format!(", {restarts} restarts") } else { String::new() };
    let _ = writeln!(
        out,
        "  {}: n = {n}, {byzantine} Byzantine{restarts}, {size}, {}",
        scenario.profile,
        scenario.network.name(),
    );
    let width = scenario.properties.iter().map(|p| p.property.id().len() + 1).max().unwrap_or(0).max(4);
    let verdicts =
        scenario.properties.iter().map(|p| p.found.to_string().len() + 1).max().unwrap_or(0).max(12);
    for p in &scenario.properties {
        let style = style(p.standing);
        let steps = p.run.as_ref().map_or(String::new(), |run| format!("in {} steps", run.steps.len()));
        let (mark, where_expected) = match p.standing {
            Standing::AsExpected => ("", String::new()),
            other => (mark(other), format!("expected {} at {}:{}", p.expected, scenario.path, p.line)),
        };
        let mark = if p.vacuous.is_some() { "SAYS NOTHING" } else { mark };
        let found = p.found.to_string();
        let columns =
            [(p.property.id(), width), (&found, verdicts), (mark, 14), (&steps, 12), (&where_expected, 0)];
        let _ = writeln!(out, "  {style}{}{style:#}", row(&columns));
        if let Some(why) = &p.vacuous {
            let _ = writeln!(out, "      {found}, but {why}");
        }
        if !p.beside.is_empty() {
            let _ = writeln!(out, "      {}", p.beside());
        }
        if let Some(fault) = &p.fault {
            let _ = writeln!(out, "      {fault}");
        }
    }
    for note in &scenario.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    if scenario.exploration != Standing::AsExpected {
        let style = style(scenario.exploration);
        let asked = scenario.pinned.map_or("every state is asked for".into(), |pinned| {
            format!("{} unique states are pinned", grouped(pinned))
        });
        let _ = writeln!(
            out,
            "  {style}{}{style:#} {asked}, {} were found",
            mark(scenario.exploration),
            grouped(scenario.unique)
        );
    }
    let (unique, generated) = (grouped(scenario.unique), grouped(scenario.generated));
    let states = match scenario.method {
        Method::Sampled { .. } => format!("{generated} states visited, longest run {} steps", scenario.depth),
        _ => format!("{unique} unique states, {generated} generated, depth {}", scenario.depth),
    };
    let by =
        if scenario.searches.is_empty() { String::new() } else { format!("{}, ", engine(scenario.engine)) };
    let seconds = scenario.searches.first().map_or(scenario.seconds, |search| search.seconds);
    let _ = writeln!(
        out,
        "  {by}{}: {states}, {seconds:.2} s, {}/s",
        method(&scenario.method),
        per_second(scenario.unique, seconds),
    );
    for search in scenario.searches.iter().filter(|search| search.engine != scenario.engine) {
        let (unique, generated) = (grouped(search.unique), grouped(search.generated));
        let _ = writeln!(
            out,
            "  {}, {}: {unique} unique states, {generated} generated, depth {}, {:.2} s",
            engine(search.engine),
            method(&search.method),
            search.depth,
            search.seconds
        );
    }
    let _ = write!(out, "{}", indented(&scenario.engines()));
    if let Some(scope) = scenario.scope() {
        let _ = writeln!(
            out,
            "  the verdicts are for {scope}; they are not exact: that more idle blocks change nothing is tested, not proved"
        );
    }
    if let Some(runs) = scenario.runs.as_ref().map(explored) {
        let _ = writeln!(out, "  {runs}");
    }
    if let Some(advice) = scenario.advice().filter(|_| scenario.standing == Standing::Incomplete) {
        let _ = write!(out, "{}", indented(&advice));
    }
    if runs {
        for found in &scenario.properties {
            if let Some(steps) = &found.run {
                let _ = write!(out, "\n{}", indented(&run(steps)));
            }
        }
    }
    out
}

/// Columns of a width each; nothing trails.
fn row(columns: &[(&str, usize)]) -> String {
    let row = columns.iter().fold(String::new(), |mut row, (text, width)| {
        let _ = write!(row, "{text:<width$}");
        row
    });
    row.trim_end().to_owned()
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |out, line| out + "  " + line + "\n")
}

/// A run, one line a step, and what it shows.
pub fn run(run: &RunReport) -> String {
    let run = &plain::every_line(run);
    let mut out = String::new();
    for (index, step) in run.steps.iter().enumerate() {
        let _ = writeln!(out, "{:>4}. {}", index + 1, step.says);
    }
    if !run.because.is_empty() {
        let _ = writeln!(out, "   => {}", run.because);
    }
    if let Some(again) = &run.again {
        let _ = writeln!(out, "      {again}");
    }
    out
}

/// The table of mutants.
pub fn mutants(mutants: &[MutantResult], detail: Detail) -> String {
    let mutants = &plain::every_line(&mutants.to_vec());
    let bold = Style::new().bold();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{bold}{:<5}{:<15}{:>12}{:>7}{:>9}  rule change{bold:#}",
        "#", "killed by", "states", "steps", "seconds"
    );
    for m in mutants {
        let style = style(m.standing);
        let by = if m.why.is_some() { mark(m.standing) } else { m.property.id() };
        let steps = m.run.as_ref().map_or("-".into(), |run| run.steps.len().to_string());
        let _ = writeln!(
            out,
            "{:<5}{style}{by:<15}{style:#}{:>12}{steps:>7}{:>9.2}  {}",
            m.id,
            grouped(m.unique),
            m.seconds,
            m.name,
        );
        if let Some(why) = &m.why {
            let _ = writeln!(out, "     {} in {}: {why}", m.property.id(), m.scenario);
        }
        let shown = match detail {
            Detail::Tables => false,
            Detail::Differing => m.standing > Standing::Sampled,
            Detail::All => true,
        };
        if shown && let Some(steps) = &m.run {
            let _ = writeln!(out, "{}", indented(&run(steps)));
        }
    }
    out
}

/// The whole report, with every run.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    for s in &report.scenarios {
        let _ = writeln!(out, "{}", scenario(s, true));
    }
    if !report.mutants.is_empty() {
        let _ = writeln!(out, "{}", mutants(&report.mutants, Detail::All));
    }
    if let Some(error) = &report.error {
        let _ = writeln!(out, "error: {}\n", error.message);
    }
    if let Some(compared) = &report.compared {
        let _ = writeln!(out, "{}\n", plain::text(&compared.text()));
    }
    let _ = writeln!(out, "{}", summary_line(&report.summary));
    out
}

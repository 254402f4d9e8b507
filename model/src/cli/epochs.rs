//! `zus epochs`: the models of epochs, instance by instance, or one of them with another rule.

use super::{EpochsArgs, EpochsFormat, Exit, Failure, command_line, on_threads, promised, write_promised};
use anstyle::{AnsiColor, Style};
use rayon::prelude::*;
use serde::Serialize;
use std::{io::Write, path::Path, time::Instant};
use zus_checker::search::check::Standing;
use zus_epochs::catalog::{self, Answer, Entry, Run, Verdict};
use zus_output::{plain, pulse::Pulse};
use zus_report::{
    draw::{epochs::scene, page, svg},
    text::mark,
};

/// The output of the command about an instance.
#[derive(Serialize)]
struct InstanceReport {
    name: String,
    model: &'static str,
    about: &'static str,
    changes: Vec<String>,
    standing: &'static str,
    states: usize,
    complete: bool,
    seconds: f64,
    properties: Vec<PropertyReport>,
}

/// Its output about a property.
#[derive(Serialize)]
struct PropertyReport {
    id: &'static str,
    text: &'static str,
    found: &'static str,
    as_expected: bool,
    /// The shortest run, if the property is violated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    run: Vec<String>,
}

/// All of it.
#[derive(Serialize)]
struct EpochsReport {
    command: String,
    instances: Vec<InstanceReport>,
    slow: Vec<&'static str>,
}

/// Runs the command.
pub fn run(args: &EpochsArgs) -> Result<Exit, Failure> {
    let mut entries = chosen(args)?;
    for entry in &mut entries {
        for change in &args.rules {
            entry.question = entry.question.with_rule(change).map_err(Failure::EpochChange)?;
        }
        if let Some(fault) = &args.fault {
            entry.question = entry.question.with_fault(fault).map_err(Failure::EpochChange)?;
        }
    }
    let out = args.out.as_deref().map(|out| drawn_as(out).map(|form| (form, out))).transpose()?;
    let out = out.map(|(form, out)| promised(out, []).map(|out| (form, out))).transpose()?;
    let most = usize::try_from(args.max_states).unwrap_or(usize::MAX);
    let pulse = (!args.quiet).then(|| Pulse::new(format!("zus epochs: {} instances", entries.len())));
    let judged: Vec<(Answer, f64)> = on_threads(args.threads, || {
        let judge = |entry: &Entry| {
            let start = Instant::now();
            let answer = entry.question.judge(most);
            (answer, start.elapsed().as_secs_f64())
        };
        entries.par_iter().map(judge).collect()
    })?;
    drop(pulse);
    let one = args.instance.is_some();
    let changes: Vec<String> = args.rules.iter().chain(&args.fault).cloned().collect();
    let reports: Vec<InstanceReport> =
        entries.iter().zip(&judged).map(|(entry, judged)| report(entry, judged, &changes)).collect();
    let worst = entries.iter().zip(&judged).map(|(entry, (answer, _))| standing(entry, answer)).max();
    if let (Some((form, out)), Some(entry), Some((answer, _))) = (out, entries.first(), judged.first()) {
        let (verdict, run) = to_draw(entry, answer, args.property.as_deref())?;
        let changed = if changes.is_empty() { String::new() } else { format!(", {}", changes.join(", ")) };
        let title = format!("{}{changed}", entry.name);
        let scene = scene(&title, &entry.question, &run, &verdict)
            .ok_or_else(|| Failure::NoEpochDrawing { name: entry.name.into() })?;
        let text = match form {
            Form::Svg => svg::narrow(&scene),
            Form::Page => page::run(&scene, None),
        };
        write_promised(out, text)?;
    }
    let slow: Vec<&'static str> = catalog::all().iter().filter(|it| it.slow).map(|it| it.name).collect();
    let slow = if one || args.all { Vec::new() } else { slow };
    let mut stdout = anstream::stdout().lock();
    match args.format {
        EpochsFormat::Json => {
            let report = EpochsReport { command: command_line(), instances: reports, slow };
            let json = serde_json::to_string_pretty(&report).unwrap_or_default();
            writeln!(stdout, "{}", plain::json(&json))?;
        }
        EpochsFormat::Text => {
            for (it, (entry, (answer, _))) in reports.iter().zip(entries.iter().zip(&judged)) {
                writeln!(stdout, "{}", line(it, entry, answer))?;
                if one || it.standing != mark(Standing::AsExpected) {
                    write!(stdout, "{}", details(it, args.quiet))?;
                }
            }
            if !slow.is_empty() {
                writeln!(stdout, "not run: {} (--all runs them)", slow.join(", "))?;
            }
        }
    }
    stdout.flush()?;
    Ok(worst.map_or(Exit::AsExpected, Exit::from))
}

/// The instances that are asked for.
fn chosen(args: &EpochsArgs) -> Result<Vec<Entry>, Failure> {
    let Some(name) = &args.instance else {
        return Ok(catalog::all().into_iter().filter(|entry| args.all || !entry.slow).collect());
    };
    let known = || catalog::all().iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
    let unknown = || Failure::NoEpochInstance { name: name.clone(), known: known() };
    Ok(vec![catalog::named(name).ok_or_else(unknown)?])
}

/// The forms of a drawing.
enum Form {
    Svg,
    Page,
}

/// The form that the name of a file asks for.
fn drawn_as(out: &Path) -> Result<Form, Failure> {
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(Form::Svg),
        Some("html") => Ok(Form::Page),
        _ => Err(Failure::EpochForm { path: plain::path(out) }),
    }
}

/// The run to draw: of the property that is named, or of the first one that is violated.
fn to_draw(entry: &Entry, answer: &Answer, property: Option<&str>) -> Result<(Verdict, Run), Failure> {
    let wanted = |verdict: &&Verdict| property.map_or(verdict.run.is_some(), |id| verdict.id == id);
    let found = answer.verdicts.iter().find(wanted);
    let run = found.and_then(|verdict| verdict.run.clone().or_else(|| entry.question.shortest(verdict.id)));
    let missing = || {
        let ids = answer.verdicts.iter().filter(|verdict| verdict.shown).map(|verdict| verdict.id);
        Failure::NoEpochRun { name: entry.name.into(), known: ids.collect::<Vec<_>>().join(", ") }
    };
    found.cloned().zip(run).ok_or_else(missing)
}

fn is_as_expected(entry: &Entry, verdict: &Verdict) -> bool {
    verdict.shown == entry.expected.contains(&verdict.id)
}

fn standing(entry: &Entry, answer: &Answer) -> Standing {
    if answer.verdicts.iter().all(|verdict| is_as_expected(entry, verdict)) {
        return if answer.complete { Standing::AsExpected } else { Standing::Incomplete };
    }
    let shows_more = answer.verdicts.iter().any(|it| it.shown && !entry.expected.contains(&it.id));
    if answer.complete || shows_more { Standing::Differs } else { Standing::Incomplete }
}

/// The verdict in a word.
fn found(verdict: &Verdict, complete: bool) -> &'static str {
    match (verdict.is_witness, verdict.shown) {
        (false, true) => "violated",
        (true, true) => "reachable",
        (_, false) if !complete => "unknown",
        (false, false) => "holds",
        (true, false) => "unreachable",
    }
}

fn report(entry: &Entry, (answer, seconds): &(Answer, f64), changes: &[String]) -> InstanceReport {
    let property = |verdict: &Verdict| PropertyReport {
        id: verdict.id,
        text: verdict.text,
        found: found(verdict, answer.complete),
        as_expected: is_as_expected(entry, verdict),
        run: verdict.run.as_ref().map_or(Vec::new(), |run| entry.question.told(run)),
    };
    InstanceReport {
        name: entry.name.into(),
        model: entry.question.model(),
        about: entry.about,
        changes: changes.to_vec(),
        standing: mark(standing(entry, answer)),
        states: answer.states,
        complete: answer.complete,
        seconds: *seconds,
        properties: answer.verdicts.iter().map(property).collect(),
    }
}

/// One instance in one line, as `zus check` has it.
fn line(it: &InstanceReport, entry: &Entry, answer: &Answer) -> String {
    let color = match standing(entry, answer) {
        Standing::AsExpected | Standing::Sampled => AnsiColor::Green.on_default(),
        Standing::Incomplete => AnsiColor::Yellow.on_default().bold(),
        Standing::Differs => AnsiColor::Red.on_default().bold(),
    };
    let steps = |property: &PropertyReport| format!("{} violated in {}", property.id, property.run.len());
    let of = |word: &'static str| it.properties.iter().filter(move |property| property.found == word);
    let mut told: Vec<String> = of("violated").map(steps).collect();
    for (word, many) in [("holds", "hold"), ("reachable", "reachable"), ("unknown", "unknown")] {
        let of: Vec<&PropertyReport> = of(word).collect();
        match of.as_slice() {
            [] => {}
            [one] => told.push(format!("{} {word}", one.id)),
            more => told.push(format!("{} {many}", more.len())),
        }
    }
    let missed = it.properties.iter().filter(|it| it.found == "unreachable" && !it.as_expected);
    told.extend(missed.map(|property| format!("{} UNREACHABLE", property.id)));
    let states = format!("{} states", plain::grouped(it.states as u64));
    let name = &it.name;
    format!(
        "{color}{:<14}{color:#}{name:<32}{states:>20}{:>9.2} s  {}",
        it.standing,
        it.seconds,
        told.join(", ")
    )
}

/// The properties of an instance, and the shortest runs to those that are violated.
fn details(it: &InstanceReport, quiet: bool) -> String {
    let bold = Style::new().bold();
    let mut out = format!("\n{bold}{}{bold:#}  {} ({})\n", it.name, it.about, it.model);
    for change in &it.changes {
        out += &format!("  with {}\n", plain::line(change));
    }
    for property in &it.properties {
        let expected = if property.as_expected { "" } else { "  NOT EXPECTED" };
        out += &format!("  {:<16}{:<13}{}{expected}\n", property.id, property.found, property.text);
    }
    for property in it.properties.iter().filter(|property| !property.run.is_empty() && !quiet) {
        out += &format!("\n  {bold}{} is violated{bold:#} ({} steps):\n", property.id, property.run.len());
        for (at, sentence) in property.run.iter().enumerate() {
            out += &format!("  {:>4}. {sentence}\n", at + 1);
        }
    }
    out + "\n"
}

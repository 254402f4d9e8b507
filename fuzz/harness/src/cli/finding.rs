//! Findings: a walk prints what it found before it makes it shorter, and each command that is printed fails in the same way
//! as the run that printed it.

use std::io::{Error, Result};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use zus_bpp::miner::Config;
use zus_bpp::rules::Rules;
use zus_output::plain;
use zus_output::pulse::Pulse;

use crate::campaign::{CALM_EVERY, Played, Until, play, shortened, walk_under};
use crate::judge::{Kill, quietly};
use crate::mutants::{IS_WOVEN, VARIABLE};
use crate::refinement::Names;
use crate::schedule::{Failure, Run, Schedule};
use crate::targets::input;
use crate::world::Adjust;
use zus_output::plain::{quoted, quoted_path};
use zus_output::whole::{Promised, unwritable};

use super::{check, write};

/// Rules that the honest participants follow, and the model does not: a rehearsal, since every difference is a finding.
#[derive(Clone)]
pub struct Deviation {
    /// The change of the participants' configuration.
    pub adjust: Adjust,
    name: Option<String>,
}

static RULES: OnceLock<Rules> = OnceLock::new();

fn deviate(config: &mut Config, _: u16) {
    config.rules = RULES.get().copied().unwrap_or(config.rules);
}

impl Deviation {
    /// None.
    pub const NONE: Deviation = Deviation { adjust: Adjust::NONE, name: None };

    /// The rules of this name.
    ///
    /// # Errors
    /// When there are none, or this process deviates otherwise.
    pub fn named(name: &str) -> std::result::Result<Self, String> {
        let rules = super::rules(name)?;
        RULES.set(rules).map_err(|_| "it is given once")?;
        Ok(Self { adjust: Adjust(deviate, 0), name: Some(name.into()) })
    }

    /// The whole command for these arguments of the tool.
    pub fn command(&self, arguments: &str) -> String {
        let deviation =
            self.name.as_ref().map_or(String::new(), |name| format!(" --deviate {}", quoted(name)));
        // A bug of the process: it comes from outside, and has to come so again.
        if IS_WOVEN && let Ok(bug) = std::env::var(VARIABLE) {
            return format!(
                "cargo run -p zus-fuzz -- mutants run {} -- {arguments}{deviation}",
                quoted(&bug)
            );
        }
        let features = if cfg!(feature = "differential") { " --features differential" } else { "" };
        format!("cargo run -p zus-fuzz{features} -- {arguments}{deviation}")
    }
}

/// Walks; prints a finding at once, and a shorter one when it has been looked for.
///
/// # Errors
/// When the file of the finding cannot be written: known before the walk begins.
pub fn walk(rules: Option<Rules>, runs: u64, seed: u64, deviation: &Deviation, out: &Path) -> Result<bool> {
    check(out)?;
    let _pulse = Pulse::new(format!("walking, {runs} runs at most, from seed {seed}"));
    let start = Instant::now();
    let Some(found) = walk_under(rules, seed, runs, deviation.adjust, Some(CALM_EVERY)) else {
        let seconds = start.elapsed().as_secs_f64();
        println!("{runs} runs, nothing wrong, {:.0} runs a second", runs as f64 / seconds);
        return Ok(true);
    };
    write(out, found.schedule.explicit())?;
    println!("run {} of seed {seed}: WRONG: {}", found.runs, found.failure);
    let shown = quoted_path(out);
    println!("replay: {}", deviation.command(&format!("replay {shown}")));
    println!("now a shorter run is looked for; an interrupt keeps the run above");
    let short = quietly(|| shortened(&found.schedule, &found.failure, found.at_end, deviation.adjust));
    report_shorter(&found.schedule, &short, &found.failure, deviation, out)?;
    Ok(false)
}

/// Makes a failing run shorter.
///
/// # Errors
/// When a file cannot be read or written.
pub fn shrink(file: &Path, deviation: &Deviation, out: Option<&Path>) -> Result<bool> {
    let schedule = Schedule::from_file(&input(file)?);
    let out = out.unwrap_or(file);
    check(out)?;
    let Played { failure, at_end, .. } = play(&schedule, deviation.adjust, Until::End, false);
    let Some(failure) = failure else {
        println!("nothing is wrong with this run");
        return Ok(true);
    };
    println!("WRONG: {failure}");
    let short = quietly(|| shortened(&schedule, &failure, at_end, deviation.adjust));
    report_shorter(&schedule, &short, &failure, deviation, out)?;
    Ok(false)
}

fn report_shorter(
    long: &Schedule,
    short: &Schedule,
    failure: &Failure,
    deviation: &Deviation,
    out: &Path,
) -> Result<()> {
    let played = play(short, deviation.adjust, Until::End, true);
    // The file is what the printed command replays: a shorter run that fails otherwise is no replacement.
    let same = played.failure.as_ref().is_some_and(|again| again.kind() == failure.kind());
    let (kept, played) =
        if same { (short, played) } else { (long, play(long, deviation.adjust, Until::End, true)) };
    write(out, kept.explicit())?;
    println!("{}", played.told());
    println!("{} choices, of {}", kept.choices.len(), long.choices.len());
    println!("replay: {}", deviation.command(&format!("replay {}", quoted_path(out))));
    Ok(())
}

/// Plays a run to its end, synchronous network included, and prints it; writes its trace.
///
/// # Errors
/// When a file cannot be read or written.
pub fn replay(file: &Path, deviation: &Deviation, trace: Option<&Path>) -> Result<bool> {
    let bytes = input(file)?;
    // The schedule is a finding: its trace goes elsewhere.
    let trace = trace.map(|path| Promised::at(path, [file]).map_err(unwritable(path))).transpose()?;
    let schedule = Schedule::from_file(&bytes);
    let played = play(&schedule, deviation.adjust, Until::End, true);
    println!("{}", played.told());
    if let Some(promised) = trace {
        let command = deviation.command(&format!("replay {}", quoted_path(file)));
        write_trace(promised, &played.run, played.failure.as_ref(), &command)?;
    }
    Ok(played.failure.is_none())
}

/// Writes the trace of a run that this command makes, and prints the commands that take it.
///
/// # Errors
/// When it cannot be written, or the actions are no run of the model.
pub fn write_trace(promised: Promised, run: &Run, failure: Option<&Failure>, command: &str) -> Result<()> {
    let path = promised.path().to_owned();
    let trace = run.judges.refinement.trace(command, failure, &Names::of(&run.world)).map_err(|error| {
        Error::other(format!(
            "{}: the actions are no run of the model: {error}\n  fix: leave out --trace",
            plain::path(&path)
        ))
    })?;
    promised.write(trace.to_json()).map_err(unwritable(&path))?;
    let path = quoted_path(&path);
    println!("against the model: cargo run --release -- replay {path}");
    println!("drawn: cargo run --release -- draw {path} --out run.html");
    Ok(())
}

/// Prints what the judge found, with its command, and writes the input that the command reads.
///
/// # Errors
/// When the input cannot be written.
pub fn judged(kill: &Kill, out: &Path) -> Result<()> {
    println!("WRONG: {}: {} ({} executions, {:.2} s)", kill.by, kill.what, kill.executions, kill.seconds);
    if !matches!(kill.replay, crate::judge::Replay::Product(_)) {
        write(out, &kill.input)?;
    }
    println!("replay: {}", Deviation::NONE.command(&kill.replay.arguments(out)));
    Ok(())
}

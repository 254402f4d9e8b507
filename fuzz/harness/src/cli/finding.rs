//! Findings: a walk prints what it found before it makes it shorter, and each command that is printed fails in the same way
//! as the run that printed it.

use std::io::{Error, Result};
use std::path::Path;
use std::time::Instant;

use zus_bpp::rules::Rules;
use zus_output::plain;
use zus_output::pulse::Pulse;

use crate::campaign::{CALM_EVERY, Played, Until, play, shortened, walk_under};
use crate::judge::{Kill, quietly};
use crate::schedule::{Failure, Schedule};
use crate::targets::input;
use crate::world::Adjust;
use zus_output::plain::{quoted, quoted_path};
use zus_output::whole::{Promised, unwritable};

use super::{check, write};

/// The deliberate bug that a command asks for by name: its change of the configuration, and the command's options.
#[derive(Clone)]
pub struct Bug {
    adjust: Adjust,
    name: Option<String>,
}

impl Bug {
    /// No bug.
    pub const NONE: Bug = Bug { adjust: Adjust::NONE, name: None };

    /// The bug of this name, given to the honest participants.
    ///
    /// # Errors
    /// When there is none, or when the tool was built without bugs.
    #[cfg(feature = "mutants")]
    pub fn named(name: &str) -> std::result::Result<Self, String> {
        use zus_bpp::mutants::Mutant;
        let index = Mutant::ALL.iter().position(|mutant| format!("{mutant:?}") == name);
        let index = index.ok_or("no deliberate bug has this name; fuzz/MATRIX.md lists all")?;
        let give = |config: &mut zus_bpp::miner::Config, variant: u16| {
            config.mutant = Mutant::ALL.get(usize::from(variant)).copied();
        };
        Ok(Self { adjust: Adjust(give, index as u16), name: Some(name.into()) })
    }

    /// The same where the tool has no bugs.
    #[cfg(not(feature = "mutants"))]
    pub fn named(_: &str) -> std::result::Result<Self, String> {
        Err("this tool is built without deliberate bugs: add `--features mutants` to the command of cargo"
            .into())
    }

    /// The whole command for these arguments of the tool.
    pub fn command(&self, arguments: &str) -> String {
        // A bug that the whole process has: it comes from outside, and has to come so again.
        let process = std::env::var("ZUS_MUTANT").ok().filter(|_| cfg!(feature = "mutants"));
        let variable = process.as_ref().map_or(String::new(), |name| format!("ZUS_MUTANT={} ", quoted(name)));
        let features = match (process.is_some() || self.name.is_some(), cfg!(feature = "differential")) {
            (true, true) => " --features mutants,differential",
            (true, false) => " --features mutants",
            (false, true) => " --features differential",
            (false, false) => "",
        };
        let bug = self.name.as_ref().map_or(String::new(), |name| format!(" --mutant {}", quoted(name)));
        format!("{variable}cargo run -p zus-fuzz{features} -- {arguments}{bug}")
    }
}

/// Walks; prints a finding at once, and a shorter one when it has been looked for.
///
/// # Errors
/// When the file of the finding cannot be written: known before the walk begins.
pub fn walk(rules: Option<Rules>, runs: u64, seed: u64, bug: &Bug, out: &Path) -> Result<bool> {
    check(out)?;
    let _pulse = Pulse::new(format!("walking, {runs} runs at most, from seed {seed}"));
    let start = Instant::now();
    let Some(found) = walk_under(rules, seed, runs, bug.adjust, Some(CALM_EVERY)) else {
        let seconds = start.elapsed().as_secs_f64();
        println!("{runs} runs, nothing wrong, {:.0} runs a second", runs as f64 / seconds);
        return Ok(true);
    };
    write(out, found.schedule.explicit())?;
    println!("run {} of seed {seed}: WRONG: {}", found.runs, found.failure);
    let shown = quoted_path(out);
    println!("replay: {}", bug.command(&format!("replay {shown}")));
    println!("now a shorter run is looked for; an interrupt keeps the run above");
    let short = quietly(|| shortened(&found.schedule, &found.failure, found.at_end, bug.adjust));
    report_shorter(&found.schedule, &short, &found.failure, bug, out)?;
    Ok(false)
}

/// Makes a failing run shorter.
///
/// # Errors
/// When a file cannot be read or written.
pub fn shrink(file: &Path, bug: &Bug, out: Option<&Path>) -> Result<bool> {
    let schedule = Schedule::from_file(&input(file)?);
    let out = out.unwrap_or(file);
    check(out)?;
    let Played { failure, at_end, .. } = play(&schedule, bug.adjust, Until::End, false);
    let Some(failure) = failure else {
        println!("nothing is wrong with this run");
        return Ok(true);
    };
    println!("WRONG: {failure}");
    let short = quietly(|| shortened(&schedule, &failure, at_end, bug.adjust));
    report_shorter(&schedule, &short, &failure, bug, out)?;
    Ok(false)
}

fn report_shorter(long: &Schedule, short: &Schedule, failure: &Failure, bug: &Bug, out: &Path) -> Result<()> {
    let played = play(short, bug.adjust, Until::End, true);
    // The file is what the printed command replays: a shorter run that fails otherwise is no replacement.
    let same = played.failure.as_ref().is_some_and(|again| again.kind() == failure.kind());
    let (kept, played) =
        if same { (short, played) } else { (long, play(long, bug.adjust, Until::End, true)) };
    write(out, kept.explicit())?;
    println!("{}", played.told());
    println!("{} choices, of {}", kept.choices.len(), long.choices.len());
    println!("replay: {}", bug.command(&format!("replay {}", quoted_path(out))));
    Ok(())
}

/// Plays a run to its end, synchronous network included, and prints it; writes its trace.
///
/// # Errors
/// When a file cannot be read or written.
pub fn replay(file: &Path, bug: &Bug, trace: Option<&Path>) -> Result<bool> {
    let bytes = input(file)?;
    // The schedule is a finding: its trace goes elsewhere.
    let trace = trace.map(|path| Promised::at(path, [file]).map_err(unwritable(path))).transpose()?;
    let schedule = Schedule::from_file(&bytes);
    let played = play(&schedule, bug.adjust, Until::End, true);
    println!("{}", played.told());
    if let Some(promised) = trace {
        let path = promised.path().to_owned();
        let command = bug.command(&format!("replay {}", quoted_path(file)));
        match played.run.judges.refinement.trace(&command, played.failure.as_ref()) {
            Ok(trace) => {
                promised.write(trace.to_json()).map_err(unwritable(&path))?;
                let path = quoted_path(&path);
                println!("against the model: cargo run --release -- replay {path}");
                println!("drawn: cargo run --release -- draw {path} --out run.html");
            }
            Err(error) => {
                return Err(Error::other(format!(
                    "{}: the actions are no run of the model: {error}\n  fix: leave out --trace",
                    plain::path(file)
                )));
            }
        }
    }
    Ok(played.failure.is_none())
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
    println!("replay: {}", Bug::NONE.command(&kill.replay.arguments(out)));
    Ok(())
}

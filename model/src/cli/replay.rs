//! `zus replay`: a trace executed step by step.

use super::{Exit, Failure, ReplayArgs};
use std::io::Write;
use zus_checker::{
    search::trial::effects_of_run,
    trace::{self, Trace},
};
use zus_output::plain;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let path = plain::path(&args.trace);
    let text = trace::text(&args.trace)?;
    let trace = Trace::from_json(&path, &text)?;
    effects_of_run(&path, &text, &trace)?;
    let mut stdout = anstream::stdout().lock();
    // The file may claim the right thing for a wrong reason: the reason is read off the run.
    match trace.replay().and_then(|_| trace.told()) {
        Err(error) => {
            writeln!(stdout, "{path}: rejected: {}", plain::message(&error.to_string()))?;
            if let Some(fault) = &trace.finding {
                let (kind, because) = (plain::line(&fault.kind), plain::message(&fault.because));
                writeln!(stdout, "{path}: found in production ({kind}): {because}")?;
            }
            Ok(Exit::Differs)
        }
        Ok(trace) => {
            if !args.quiet {
                write!(stdout, "{}", super::check::shown(&trace))?;
            }
            let claim = trace.claim.as_ref().map_or("which claims nothing".into(), |claim| {
                format!("and {} is {}", claim.property.id(), claim.verdict)
            });
            writeln!(stdout, "{path}: a run of {} steps, {claim}", trace.steps.len())?;
            if let Some(fault) = &trace.finding {
                writeln!(
                    stdout,
                    "{path}: after it, found in production ({}): {}",
                    fault.kind, fault.because
                )?;
            }
            Ok(Exit::AsExpected)
        }
    }
}

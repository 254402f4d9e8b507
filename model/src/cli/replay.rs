//! `zus replay`: a trace executed step by step.

use super::{Exit, Failure, ReplayArgs};
use std::io::Write;
use zus_checker::trace::Trace;
use zus_output::plain;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let mut trace = Trace::load(&args.trace)?;
    let mut stdout = anstream::stdout().lock();
    let path = plain::path(&args.trace);
    match trace.replay() {
        Err(error) => {
            writeln!(stdout, "{path}: rejected: {}", plain::message(&error.to_string()))?;
            if let Some(fault) = &trace.finding {
                let (kind, because) = (plain::line(&fault.kind), plain::message(&fault.because));
                writeln!(stdout, "{path}: found in production ({kind}): {because}")?;
            }
            Ok(Exit::Differs)
        }
        Ok(replayed) => {
            // The file may claim the right thing for a wrong reason: the reason is read off the run.
            if let Some(claim) = &mut trace.claim {
                let states = replayed.states.iter().rev().take(2);
                let because =
                    states.into_iter().find_map(|state| trace.protocol.explain(state, claim.property));
                claim.because = because.unwrap_or_else(|| claim.property.text().into());
            }
            for (step, sentence) in trace.steps.iter_mut().zip(replayed.sentences) {
                step.says = Some(sentence);
            }
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

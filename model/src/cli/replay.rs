//! `zus replay`: a trace executed step by step. One within the bounds of the packed model is executed by that; a run of any length
//! is followed by the specification, as it is read.

use super::{Exit, Failure, ReplayArgs};
use std::io::{BufRead, BufReader, Read, Write};
use zus_checker::{
    search::trial::effects_of_run,
    trace::{
        self, Claim, Trace, TraceError,
        long::{self, LongError, Progress},
    },
};
use zus_output::{
    bounded::{self, Unread},
    plain,
    pulse::Pulse,
};
use zus_report::text::grouped;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let path = plain::path(&args.trace);
    let unreadable = |source| TraceError::Unreadable { path: path.clone(), source };
    // Opened once: a pipe can be read once only.
    let mut file = BufReader::new(bounded::open(&args.trace).map_err(unreadable)?);
    let mut first = Vec::new();
    let read = Read::take(&mut file, long::MAX_LINE).read_until(b'\n', &mut first);
    read.map_err(|error| unreadable(Unread::Refused(error)))?;
    if long::is_header(&first) {
        return follow(&path, &first, &mut file, args.quiet);
    }
    let text = bounded::read_open(first.as_slice().chain(file), trace::MAX_BYTES).map_err(unreadable)?;
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
            let claim = claimed(trace.claim.as_ref());
            writeln!(
                stdout,
                "{path}: a run of {} steps, {claim}; the packed model executed it",
                trace.steps.len()
            )?;
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

fn claimed(claim: Option<&Claim>) -> String {
    claim.map_or("which claims nothing".into(), |claim| {
        format!("and {} is {}", claim.property.id(), claim.verdict)
    })
}

/// Steps after which the line of progress is made anew.
const STEPS_A_LINE: u64 = 256;

/// Follows a run of any length.
fn follow(path: &str, first: &[u8], rest: &mut impl BufRead, quiet: bool) -> Result<Exit, Failure> {
    let mut stdout = anstream::stdout().lock();
    let pulse = (!quiet).then(|| Pulse::new(path));
    let followed = long::follow(path, first, rest, &mut |Progress { steps, finalized, is_new, held }| {
        let round = finalized.0;
        if steps.is_multiple_of(STEPS_A_LINE)
            && let Some(pulse) = &pulse
        {
            let held = grouped(held as u64);
            pulse.set(format!("{path}: {} steps, final round {round}, {held} messages held", grouped(steps)));
        }
        if is_new && !quiet {
            writeln!(stdout, "round {round} is final everywhere after step {steps}")?;
        }
        Ok(())
    });
    drop(pulse);
    match followed {
        Ok(run) => {
            writeln!(
                stdout,
                "{path}: a run of {} steps, {}; the specification followed it to final round {}, holding {} messages at most",
                run.steps,
                claimed(run.claim.as_ref()),
                run.finalized.0,
                run.most_held
            )?;
            Ok(Exit::AsExpected)
        }
        Err(LongError::Text(error)) => Err(error.into()),
        Err(LongError::Told(error)) => Err(error.into()),
        Err(error @ LongError::Held { .. }) => {
            writeln!(stdout, "{}", plain::message(&error.to_string()))?;
            Ok(Exit::Incomplete)
        }
        Err(error) => {
            writeln!(stdout, "{path}: rejected: {}", plain::message(&error.to_string()))?;
            Ok(Exit::Differs)
        }
    }
}

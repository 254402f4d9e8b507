//! `zus simulate`: random runs of one scenario.

use super::{Exit, Failure, SimulateArgs, check::Session, command_line, on_threads, progress::Line, tried};
use std::time::Instant;
use zus_checker::{
    scenario::{Engine, Scenario},
    search::{
        bfs::Limits,
        check::{Options, sample},
        simulate::Sample,
    },
};
use zus_report::text::Detail;

/// Runs the command.
pub fn run(args: &SimulateArgs) -> Result<Exit, Failure> {
    let start = Instant::now();
    let mut session =
        Session::new(Some(args.format), args.out.as_deref(), Detail::of(args.quiet, !args.quiet))?;
    // Random runs are of single steps, which have no end where rounds have none.
    let by_steps = |scenario: Scenario| {
        let path = scenario.path.clone();
        scenario.by(Engine::Explicit).map_err(|why| Failure::Engine { path, why })
    };
    let scenario = match tried(&args.scenario).and_then(by_steps) {
        Ok(scenario) => scenario,
        Err(failure) => {
            session.fail(&failure);
            return Err(failure);
        }
    };
    let asked = scenario.asked();
    let wanted = Sample { seed: args.seed, runs: args.runs, steps: args.steps as usize };
    let command = command_line();
    let mut checked = on_threads(args.threads, || {
        let line = Line::new(scenario.name.clone(), args.quiet, None);
        let progress = |p| line.sampling(p);
        let options = Options { limits: Limits::default(), command: &command, progress: &progress };
        sample(&scenario, asked, wanted, options)
    })?;
    checked.seconds = start.elapsed().as_secs_f64();
    session.add(&checked)?;
    session.finish(start)
}

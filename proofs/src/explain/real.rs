//! A real run that breaks a property, where bounded search finds one: a counterexample to induction need not be
//! reachable, a run is.

use crate::{
    bounded::{Run, Search, Target, Universe, UniverseError},
    nonvacuity::universe,
    spec::{Formula, Spec},
    structure::Interpreter,
};

/// Steps that the search may take.
const MAX_STEPS: usize = 60;
/// Universes to search, smallest first: rounds, subrounds, blocks of each.
const UNIVERSES: &[[usize; 3]] = &[[1, 1, 2], [1, 2, 1], [2, 2, 1]];

/// A run of the specification that breaks a property of states, and the properties that it breaks.
pub fn real_run(spec: &Spec) -> Result<Option<(Vec<String>, Run)>, UniverseError> {
    let mut universes = UNIVERSES.to_vec();
    // A chain that is finalized `depth` rounds deep needs as many rounds and one more.
    let depth =
        spec.rules.value("finality").and_then(|v| v.strip_prefix("CommonAncestor")).map(str::parse::<usize>);
    if let Some(Ok(depth)) = depth {
        universes.push([depth + 1, 2, 1]);
    }
    let broken = Formula::Or(spec.safety.iter().map(|s| Formula::negate((*s.formula).clone())).collect());
    for size in universes {
        let with_faults = universe(spec, size);
        // An exposed miner helps where the threshold of the beacon is too low, and nowhere else.
        let exposed = usize::from(spec.rules.value("fault") == Some("BeaconOfFaultsPlusOne"));
        for byzantine in 0..=with_faults.byzantine {
            let universe = Universe { byzantine, exposed, ..with_faults.clone() };
            let run = Search::new(spec, &universe)?.run(
                "counterexample",
                &Target::State(broken.clone()),
                MAX_STEPS,
            )?;
            if let Some(run) = run {
                let interpreter = Interpreter::new(spec);
                // The run was found and thinned by replaying it, so it replays.
                let states = run.replay(&interpreter).unwrap_or_default();
                let names = states.last().map(|end| interpreter.broken_safety(end)).unwrap_or_default();
                return Ok(Some((names.iter().map(|s| s.name.clone()).collect(), run)));
            }
        }
    }
    Ok(None)
}

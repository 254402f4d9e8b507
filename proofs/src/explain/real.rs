//! A real run that breaks a property, where bounded search finds one: a counterexample to induction need not be
//! reachable, a run is.

use crate::{
    bounded::{Run, Search, Target, World, WorldError},
    nonvacuity::world,
    spec::{Formula, Spec},
    structure::Interpreter,
};

/// Steps that the search may take.
const MAX_STEPS: usize = 60;
/// Worlds to search, smallest first: rounds, subrounds, blocks of each.
const WORLDS: &[[usize; 3]] = &[[1, 1, 2], [1, 2, 1], [2, 2, 1]];

/// A run of the specification that breaks a property of states, and the properties that it breaks.
pub fn real_run(spec: &Spec) -> Result<Option<(Vec<String>, Run)>, WorldError> {
    let mut worlds = WORLDS.to_vec();
    // A chain that is finalized `depth` rounds deep needs as many rounds and one more.
    let depth =
        spec.rules.value("finality").and_then(|v| v.strip_prefix("CommonAncestor")).map(str::parse::<usize>);
    if let Some(Ok(depth)) = depth {
        worlds.push([depth + 1, 2, 1]);
    }
    let broken = Formula::Or(spec.safety.iter().map(|s| Formula::negate((*s.formula).clone())).collect());
    for size in worlds {
        let with_faults = world(spec, size);
        // An exposed miner helps where the threshold of the beacon is too low, and nowhere else.
        let exposed = usize::from(spec.rules.value("fault") == Some("BeaconOfFaultsPlusOne"));
        for byzantine in 0..=with_faults.byzantine {
            let world = World { byzantine, exposed, ..with_faults.clone() };
            let run = Search::new(spec, &world)?.run(
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

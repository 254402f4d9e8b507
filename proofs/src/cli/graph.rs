//! The command `graph`.

use super::{BadInput, End};
use crate::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::graph::{GraphError, World, at_rest, compare, spec_of, timed, worlds},
};

/// Compares the graphs of all worlds, or of one, and prints their counts.
pub(super) fn print(
    sources: &Sources,
    only: Option<&str>,
    delete: &[String],
    threads: usize,
) -> Result<End, BadInput> {
    let named = |world: &World| only.is_none_or(|name| name == world.name);
    let (graphs, clocks) = (worlds(), timed());
    if !graphs.iter().chain(&clocks).any(named) {
        let names: Vec<_> = graphs.iter().chain(&clocks).map(|world| world.name).collect();
        let only = only.unwrap_or_default();
        return Err(BadInput(format!("no world is named `{only}`\n  fix: one of {}", names.join("; "))));
    }
    let without = |spec: Spec| delete.iter().try_fold(spec, |spec, item| spec.without(item));
    let mut end = End::Fine;
    let (mut states, mut edges) = (0, 0);
    for world in graphs.iter().filter(|world| named(world)) {
        let spec = without(spec_of(sources, world)?)?;
        match compare(&spec, world, threads) {
            Ok(found) => {
                // The same graph once more, by more ways, counts once.
                if !world.every_order {
                    states += found.states;
                    edges += found.edges;
                }
                say!(
                    "{}: {} states and {} edges, the same in both ({} and {} before states with the same facts are one)",
                    world.name,
                    found.states,
                    found.edges,
                    found.raw.0,
                    found.raw.1
                );
            }
            Err(GraphError::Differ(difference)) => {
                say!("{}: {difference}", world.name);
                end = End::Fails;
            }
            Err(error) => return Err(error.into()),
        }
    }
    say!("{states} states and {edges} edges in all");
    let spec = without(load(sources, &RuleChoice::new("synchronous"))?)?;
    for world in clocks.iter().filter(|world| named(world)) {
        match at_rest(&spec, world, threads) {
            Ok(rest) => say!(
                "{}, with time: of {} states {} are at rest, and those in which no obligation is open and `tick` is enabled",
                world.name,
                rest.states,
                rest.resting
            ),
            Err(GraphError::Differ(difference)) => {
                say!("{}, with time: {difference}", world.name);
                end = End::Fails;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(end)
}

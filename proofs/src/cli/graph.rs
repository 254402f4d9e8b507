//! The command `graph`.

use super::{BadInput, End};
use crate::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::graph::{GraphError, Universe, at_rest, compare, spec_of, timed, universes},
};

/// Compares the graphs of all universes, or of one, and prints their counts.
pub(super) fn print(
    sources: &Sources,
    only: Option<&str>,
    delete: &[String],
    threads: usize,
) -> Result<End, BadInput> {
    let named = |universe: &Universe| only.is_none_or(|name| name == universe.name);
    let (graphs, clocks) = (universes(), timed());
    if !graphs.iter().chain(&clocks).any(named) {
        let names: Vec<_> = graphs.iter().chain(&clocks).map(|universe| universe.name).collect();
        let only = only.unwrap_or_default();
        return Err(BadInput(format!("no universe is named `{only}`\n  fix: one of {}", names.join("; "))));
    }
    let without = |spec: Spec| delete.iter().try_fold(spec, |spec, item| spec.without(item));
    let mut end = End::Fine;
    let (mut states, mut edges) = (0, 0);
    for universe in graphs.iter().filter(|universe| named(universe)) {
        let spec = without(spec_of(sources, universe)?)?;
        match compare(&spec, universe, threads) {
            Ok(found) => {
                // The same graph once more, by more ways, counts once.
                if !universe.every_order {
                    states += found.states;
                    edges += found.edges;
                }
                say!(
                    "{}: {} states and {} edges, the same in both ({} and {} before states with the same facts are one)",
                    universe.name,
                    found.states,
                    found.edges,
                    found.raw.0,
                    found.raw.1
                );
            }
            Err(GraphError::Differ(difference)) => {
                say!("{}: {difference}", universe.name);
                end = End::Fails;
            }
            Err(error) => return Err(error.into()),
        }
    }
    say!("{states} states and {edges} edges in all");
    let spec = without(load(sources, &RuleChoice::new("synchronous"))?)?;
    for universe in clocks.iter().filter(|universe| named(universe)) {
        match at_rest(&spec, universe, threads) {
            Ok(rest) => say!(
                "{}, with time: of {} states {} are at rest, and those in which no obligation is open and `tick` is enabled",
                universe.name,
                rest.states,
                rest.resting
            ),
            Err(GraphError::Differ(difference)) => {
                say!("{}, with time: {difference}", universe.name);
                end = End::Fails;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(end)
}

//! The handover of committees.

mod changes;
mod hardened;
mod page;
mod reductions;

use stateright::{Checker, Model};
use zus_epochs::handoff::{Action, EpochProperty, Exploration, Instance};

/// Explores everything: unique states, generated states, and the properties that were broken or reached.
fn explore(exploration: Exploration) -> (usize, usize, Vec<EpochProperty>) {
    let explored = exploration.checker().spawn_bfs().join();
    let found = explored.discoveries();
    let shown = EpochProperty::ALL.iter().copied().filter(|property| found.contains_key(property.id()));
    (explored.unique_state_count(), explored.state_count(), shown.collect())
}

/// The shortest run that breaks a property, or reaches a witness. A search for each, since Stateright keeps the last run that it found.
fn shortest(exploration: &Exploration, property: EpochProperty) -> Option<Vec<Action>> {
    let alone = Exploration { asked: vec![property], ..exploration.clone() };
    let path = alone.checker().spawn_bfs().join().discovery(property.id())?;
    Some(exploration.instance.named_run(path.into_vec()))
}

/// The state at the end of a run.
fn end_of(instance: &Instance, run: &[Action]) -> zus_epochs::handoff::State {
    let mut state = instance.initial();
    for action in run {
        assert!(instance.enabled(&state, action), "{action:?}");
        instance.apply(&mut state, action);
    }
    state
}

//! Searches through the instances.

use stateright::{Checker, Model};
use std::collections::BTreeSet;
pub use zus_epochs::key_generation::scenarios::*;
use zus_epochs::key_generation::{Exploration, Instance, Property};

/// The states of a whole search, up to names, and the properties that some state shows.
pub fn explored(instance: Instance) -> (usize, BTreeSet<Property>) {
    let checker = Exploration::up_to_names(instance).checker().spawn_bfs().join();
    let found = checker.discoveries();
    let shown = Property::ALL.iter().copied().filter(|property| found.contains_key(property.id()));
    (checker.unique_state_count(), shown.collect())
}

/// A shortest run of an instance that shows `property`, in sentences.
pub fn shortest(instance: Instance, property: Property) -> Option<String> {
    let run = Exploration::up_to_names(instance.clone()).shortest(property)?;
    Some(instance.told(&run))
}

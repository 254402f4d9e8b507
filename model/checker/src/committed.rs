//! The committed scenarios and mutants, as they were when this was built; and scenarios by name or by path.

use crate::scenario::{Change, Scenario, ScenarioError, load, nearest, parse_with};
use std::path::Path;

/// Path below `model/scenarios`, and text.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/committed.rs"));

/// Where the scenarios are, for messages.
const FOLDER: &str = "model/scenarios";
/// Where those are, below it, that take longer than the others.
const LARGE: &str = "large/";
/// The list of mutants.
static MUTANTS: &str = include_str!("../../mutants.toml");

/// The names of the scenarios that `zus check` checks: files that lie in the folder itself.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter_map(|(path, _)| path.strip_suffix(".toml")).filter(|name| !name.contains('/'))
}

/// The names of the scenarios that `zus check --large` checks: those of the folder `large`.
pub fn large() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter_map(|(path, _)| path.strip_suffix(".toml")).filter(|name| name.starts_with(LARGE))
}

/// The path, for messages, and the text of the list of mutants.
pub fn mutants() -> (String, &'static str) {
    ("model/mutants.toml".into(), MUTANTS)
}

fn text_of(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(at, _)| *at == path).map(|(_, text)| *text)
}

/// The committed scenario of that name (its path below the folder, without the ending) under other rules.
pub fn scenario(name: &str, change: &Change) -> Option<Result<Scenario, ScenarioError>> {
    let text = text_of(&format!("{name}.toml"))?;
    let stem = name.rsplit('/').next().unwrap_or(name);
    Some(parse_with(stem, &format!("{FOLDER}/{name}.toml"), text, change))
}

/// How a user names `scenario`: a committed one by its name, any other by its path.
pub fn name_of(scenario: &Scenario) -> &str {
    let path = &scenario.path;
    let below = path.strip_prefix(FOLDER).and_then(|p| p.strip_prefix('/')?.strip_suffix(".toml"));
    below.filter(|below| names().chain(large()).any(|n| n == *below)).unwrap_or(path)
}

/// The scenario that a user names: a file, or else a committed scenario by its name.
pub fn find(named: &str) -> Result<Scenario, ScenarioError> {
    let path = Path::new(named);
    if !path.exists()
        && let Some(found) = scenario(named, &Change::default())
    {
        return found;
    }
    load(path).map_err(|error| match error {
        ScenarioError::Unreadable { path, source, .. } => {
            let near = nearest(path.strip_suffix(".toml").unwrap_or(&path), names().chain(large()));
            ScenarioError::Unreadable { path, source, near }
        }
        other => other,
    })
}

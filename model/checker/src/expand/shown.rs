//! A run of the packed model, executed once more by the specification: whether it shows there what it is said to show.

use super::{Expansion, Unexpanded, specified};
use crate::{action::Action, properties::Property, protocol::Protocol};
use zus_spec::Exploration;

/// Whether the specification shows `property` at the end of the run of `actions`, from its last macro step on: that may show it
/// before its end (W4, W8).
///
/// # Errors
/// The step that the specification refuses, counted from 1, and why.
pub fn shows(
    protocol: &Protocol,
    actions: &[Action],
    property: Property,
) -> Result<bool, (usize, Unexpanded)> {
    let mut run = Expansion::new(protocol).map_err(|why| (0, why))?;
    let (mut state, mut before) = (protocol.initial(), 0);
    for (index, action) in actions.iter().enumerate() {
        before = run.steps.len();
        run.take(protocol, action).map_err(|why| (index + 1, why))?;
        state = protocol.apply(&state, action);
    }
    let refused = |why| (actions.len(), why);
    run.complete(protocol, &state);
    let (_, bounds) = specified(protocol);
    let spec = Exploration::new(run.instance.clone(), bounds);
    if shown_from(&spec, &run, before, property).map_err(refused)? {
        return Ok(true);
    }
    run.propose_unused(protocol, &state);
    shown_from(&spec, &run, before, property).map_err(refused)
}

/// Whether a state from the `before`-th step on shows `property`.
fn shown_from(
    spec: &Exploration,
    run: &Expansion,
    before: usize,
    property: Property,
) -> Result<bool, Unexpanded> {
    let mut at = run.instance.initial();
    let mut shown = false;
    for (index, &step) in run.steps.iter().enumerate() {
        shown |= index >= before && spec.shows(&at, property);
        run.instance.enabled(&at, &step).map_err(|guard| Unexpanded::Guard { step, guard })?;
        run.instance.apply(&mut at, &step);
    }
    Ok(shown || spec.shows(&at, property))
}

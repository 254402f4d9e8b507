//! The whole graph of `model/spec` within the bounds of a universe.
//!
//! Three steps change no fact: to select a block, to go down, and to come back where one was. Restarts have no number here:
//! a miner may go down again and again.

use super::{
    fact::Dictionary,
    walk::{Graph, Numbers, Step, Steps, Stopped},
};
use zus_spec::{Action, Bounds, Exploration, State};

/// Whether a step changes no fact.
fn silent(action: &Action) -> bool {
    matches!(action, Action::Select { .. } | Action::Crash { .. } | Action::Restart { .. })
}

pub(super) fn walk(
    dictionary: &Dictionary,
    bounds: &Bounds,
    numbers: &mut Numbers,
    limits: (usize, u64),
) -> Result<Graph, Stopped> {
    let exploration = Exploration::new(dictionary.instance.clone(), bounds.clone());
    let first = dictionary.instance.initial();
    let mut graph = Graph::default();
    let take = |state: &State, action: &Action| after(&exploration, state, action);
    let steps = |state: &State| {
        let enabled = exploration.steps(state);
        let steps = enabled.iter().map(|action| {
            let after = take(state, action);
            let label = (!silent(action)).then_some(*action);
            Step { label, facts: dictionary.of_model(&after), after }
        });
        let steps: Vec<_> = steps.collect();
        let whole = at_rest(state).then(|| {
            let mut edges = Vec::new();
            for step in &steps {
                match step.label {
                    Some(label) => edges.push((label, step.facts.clone())),
                    // The second half of a step that the other specification has in one.
                    None => {
                        let steps = exploration.steps(&step.after);
                        let second = |action: &&Action| {
                            matches!(action, Action::Ticket { .. } | Action::RestartBehind { .. })
                        };
                        let done =
                            |action: &Action| (*action, dictionary.of_model(&take(&step.after, action)));
                        edges.extend(steps.iter().filter(second).map(done));
                    }
                }
            }
            edges
        });
        Steps { steps, whole }
    };
    graph.walk(numbers, (dictionary.of_model(&first), first), limits, steps)?;
    Ok(graph)
}

/// The state after a step. How many restarts there were is forgotten, for no guard but that of the bounds reads it.
pub(super) fn after(exploration: &Exploration, state: &State, action: &Action) -> State {
    let mut after = state.clone();
    exploration.instance.apply(&mut after, action);
    after.history.crashes = 0;
    after
}

/// Whether nothing is under way: no block is selected, nobody is down, and what is in a log and can be sent will be.
fn at_rest(state: &State) -> bool {
    state.miners.iter().enumerate().all(|(at, m)| {
        let sent = |block| state.sent.tickets_for(block).any(|by| usize::from(by.0) == at);
        m.up && m.selected.is_none() && m.tickets_here().all(|block| sent(block) || m.unsent == Some(*block))
    })
}

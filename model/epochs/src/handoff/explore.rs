//! The same as a `stateright::Model`.

use super::{
    instance::Instance,
    properties::{EpochProperty, condition},
    state::State,
    steps::Action,
};
use stateright::Model;

/// How states are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum States {
    /// Each node has its name.
    Named,
    /// Honest nodes of the same committees are alike: states that differ by a permutation of them are one. Exact, since a step,
    /// a guard and a property ask a node for its committees and its state only.
    Sorted,
}

/// The tickets that honest members sign in a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tickets {
    /// All that the steps allow.
    All,
    /// None for a block that is notarized already. Such a ticket only bars its signer: it forms no new certificate, and it may
    /// cost the signer's vote. So the signatures that make certificates are the same without it, and E1, E2, E3 and E7's first half see
    /// certificates only. It is not so for liveness (E5), where the holders of a notarization count, nor where nodes
    /// count tickets of another epoch.
    Needed,
}

/// A search through an instance.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The instance.
    pub instance: Instance,
    /// How states are told apart.
    pub states: States,
    /// The tickets that are signed.
    pub tickets: Tickets,
    /// The properties that are asked; the search ends when each is decided.
    pub asked: Vec<EpochProperty>,
}

impl Exploration {
    /// All properties, over sorted states.
    pub fn new(instance: Instance) -> Self {
        Exploration {
            instance,
            states: States::Sorted,
            tickets: Tickets::All,
            asked: EpochProperty::ALL.to_vec(),
        }
    }

    /// Orders nodes of the same committees by their states.
    fn sort(&self, state: &mut State) {
        let (count, mut begin) = (state.nodes.len(), 0);
        for end in 1..=count {
            if end == count || !self.instance.are_alike(end, begin) {
                state.nodes[begin..end].sort_unstable();
                begin = end;
            }
        }
    }
}

impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.instance.initial()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let more = |action: &Action| match *action {
            Action::Ticket { block, .. } => self.instance.notarized(state, block),
            Action::Leave { .. }
            | Action::Timeout { .. }
            | Action::EnterSubround { .. }
            | Action::Enter { .. }
            | Action::Restart { .. }
            | Action::Turn { .. } => false,
        };
        actions.extend(self.instance.steps(state));
        match self.tickets {
            Tickets::All => {}
            Tickets::Needed => actions.retain(|action| !more(action)),
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.instance.apply(&mut next, &action);
        match self.states {
            States::Named => {}
            States::Sorted => self.sort(&mut next),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        self.asked.iter().copied().map(condition).collect()
    }
}

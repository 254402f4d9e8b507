//! Runs in sentences.

use super::{
    explore::Exploration,
    instance::Instance,
    state::{Record, State},
    steps::Action,
};
use stateright::Model;

impl Instance {
    /// A step in a sentence.
    pub fn sentence(&self, state: &State, action: &Action) -> String {
        let name = |at: usize| &self.members[at].name;
        let place = |block| {
            let of = self.block(block);
            format!("{} (epoch {}, round {}, subround {})", of.name, of.epoch, of.round, of.subround)
        };
        match *action {
            Action::Ticket { node, block } => format!("{} signs a ticket for {}.", name(node), place(block)),
            Action::Leave { node, block } => {
                let mut next = state.clone();
                self.apply(&mut next, action);
                let votes = if next.nodes[node].votes == state.nodes[node].votes {
                    "casts no vote"
                } else {
                    "votes for it"
                };
                format!("{} leaves its round through {} and {votes}.", name(node), self.block(block).name)
            }
            Action::Enter { node, closing, record } => {
                let record = match record {
                    Record::OfChain => "the record of the chain",
                    Record::OfNode => "a record of its own",
                    Record::Forged => "a record that the adversary made up",
                };
                let next = self.block(closing).epoch.0 + 1;
                format!(
                    "{} takes {record} and enters epoch {next} above {}.",
                    name(node),
                    self.block(closing).name
                )
            }
            Action::Timeout { node } => {
                let (epoch, round, subround) = self.position(&state.nodes[node]);
                format!(
                    "{} gives up subround {subround} of round {round} in epoch {epoch}, and signs a timeout.",
                    name(node)
                )
            }
            Action::EnterSubround { node, subround } => {
                let (epoch, round, _) = self.position(&state.nodes[node]);
                let of = self.timeout_certificate(state, (epoch, round, subround));
                let of = of.map_or("no epoch".to_owned(), |of| format!("epoch {of}"));
                format!(
                    "{} enters subround {subround} of round {round} in epoch {epoch} by a timeout certificate of {of}.",
                    name(node)
                )
            }
            Action::Restart { node } => format!("{} crashes and comes back.", name(node)),
            Action::Turn { closing } => format!(
                "The handoff above {} is there. The members that left turn Byzantine.",
                self.block(closing).name
            ),
        }
    }

    /// A run of sorted states with the names of the nodes that act in it, step by step.
    ///
    /// # Panics
    /// If it is no run.
    pub fn named_run(&self, run: Vec<(State, Option<Action>)>) -> Vec<Action> {
        let mut named = self.initial();
        let mut actions = Vec::new();
        for (sorted, action) in run {
            let Some(action) = action else { break };
            let find = |node: usize| {
                let alike = |at: &usize| self.are_alike(*at, node) && named.nodes[*at] == sorted.nodes[node];
                (0..named.nodes.len()).find(alike).expect("a sorted state has the nodes of the named one")
            };
            let action = match action {
                Action::Ticket { node, block } => Action::Ticket { node: find(node), block },
                Action::Leave { node, block } => Action::Leave { node: find(node), block },
                Action::Enter { node, closing, record } => {
                    Action::Enter { node: find(node), closing, record }
                }
                Action::Timeout { node } => Action::Timeout { node: find(node) },
                Action::EnterSubround { node, subround } => {
                    Action::EnterSubround { node: find(node), subround }
                }
                Action::Restart { node } => Action::Restart { node: find(node) },
                Action::Turn { closing } => Action::Turn { closing },
            };
            assert!(self.enabled(&named, &action), "a step of the run may not happen");
            self.apply(&mut named, &action);
            actions.push(action);
        }
        actions
    }

    /// A run in sentences, one line for each step.
    pub fn tell(&self, actions: &[Action]) -> String {
        let mut state = self.initial();
        let mut lines = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            lines.push(format!("{}. {}", at + 1, self.sentence(&state, action)));
            self.apply(&mut state, action);
        }
        lines.join("\n")
    }
}

impl Exploration {
    /// The last state of a run.
    pub fn last(&self, actions: &[Action]) -> State {
        let mut state = self.init_states().remove(0);
        for action in actions {
            self.instance.apply(&mut state, action);
        }
        state
    }
}

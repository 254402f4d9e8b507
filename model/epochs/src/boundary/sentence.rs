//! Runs in sentences.

use super::{
    state::{Branch, Instance, State},
    steps::Action,
};

/// `SR`, `SR + 1`, and so on.
pub fn round_name(round: u8) -> String {
    if round == 0 { "SR".into() } else { format!("SR + {round}") }
}

impl Instance {
    /// A step in a sentence.
    pub fn sentence(&self, state: &State, action: &Action) -> String {
        let block = |round: u8, branch: Branch| format!("the block of {} on {branch:?}", round_name(round));
        let mut next = *state;
        self.apply(&mut next, action);
        let installed = |miner: usize| {
            let (before, after) = (state.miners[miner].record, next.miners[miner].record);
            let then = |branch| format!(" and installs the record under {}", block(0, branch));
            after.filter(|_| before != after).map(then).unwrap_or_default()
        };
        match *action {
            Action::Ticket { miner, branch } => {
                let of = block(state.miners[miner].round, branch);
                format!("Miner {} signs a ticket for {of}.", miner + 1)
            }
            Action::Learn { miner, round, branch } => {
                let (of, then) = (block(round, branch), installed(miner));
                format!("Miner {} learns of the notarization of {of}{then}.", miner + 1)
            }
            Action::Evaluate { miner, round } => {
                let (round, then) = (round_name(round), installed(miner));
                format!("Miner {} evaluates {round} with one tip{then}.", miner + 1)
            }
            Action::Fetch { miner } => format!("Miner {} asks a sharder{}.", miner + 1, installed(miner)),
        }
    }

    /// A run in sentences, one line for each step.
    pub fn tell(&self, actions: &[Action]) -> String {
        let mut state = State::default();
        let mut lines = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            lines.push(format!("{}. {}", at + 1, self.sentence(&state, action)));
            self.apply(&mut state, action);
        }
        lines.join("\n")
    }
}

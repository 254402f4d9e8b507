//! A run of any length, followed step by step in memory that does not grow with the rounds that are final everywhere.

use crate::{
    instance::Instance,
    state::State,
    steps::{Action, Blocked},
};
use zus_protocol::ids::Round;

/// A run that is being followed.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The instance.
    pub instance: Instance,
    /// Where the run is, without the rounds that are forgotten.
    pub state: State,
}

impl Follower {
    /// The empty run.
    pub fn new(instance: Instance) -> Self {
        let state = instance.initial();
        Follower { instance, state }
    }

    /// Takes the next step of the run, if it is enabled, lets `look` see the state, and forgets the rounds below the lowest
    /// finalized head and the lowest entry. A signature or a notarization of a forgotten round can matter no more, and is passed over.
    pub fn take(&mut self, step: &Action, look: impl FnOnce(&Instance, &State)) -> Result<(), Blocked> {
        let about = match *step {
            Action::ByzantinePropose { block, .. }
            | Action::ByzantineTicket { block, .. }
            | Action::ByzantineVote { block, .. }
            | Action::Notarize { block } => Some(block.round),
            Action::ByzantineTimeout { round, .. } | Action::FormBeacon { round } => Some(round),
            _ => None,
        };
        if about.is_some_and(|round| round <= self.state.floor.round) {
            return Ok(());
        }
        self.instance.enabled(&self.state, step)?;
        self.instance.apply(&mut self.state, step);
        look(&self.instance, &self.state);
        if let Some(final_everywhere) = self.state.heads.iter().map(|head| head.round).min() {
            let entered = self.state.miners.iter().map(|m| m.entry.round);
            self.state.forget_below(entered.fold(final_everywhere, Round::min).next());
        }
        Ok(())
    }
}

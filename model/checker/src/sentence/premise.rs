//! Where a premise is met: one sentence with the blocks and miners that show it.

use super::list;
use crate::{blocks::BlockId, properties::Property, protocol::Protocol, state::State};

impl Protocol {
    /// The sentence that tells how `state` shows the premise.
    pub(super) fn explain_premise(&self, state: &State, premise: Property) -> Option<String> {
        let block = |shown: &dyn Fn(BlockId) -> bool| self.blocks.all().find(|&b| shown(b));
        let notarized = |b: BlockId| self.notarized(state, b);
        match premise {
            Property::Signed => {
                let signed = block(&|b| state.block(b).tickets() > 0)?;
                Some(format!("an honest miner has ticketed {}", self.name(signed)))
            }
            Property::Notarized => Some(format!("{} is notarized", self.name(block(&notarized)?))),
            Property::Child => {
                let child = block(&|b| self.blocks.round(b) > 1 && notarized(b))?;
                Some(format!("{}, of a later round, is notarized", self.name(child)))
            }
            Property::Final => Some(format!("{} is final", self.name(self.first_final(state)?))),
            Property::Head => {
                let observer =
                    (0..state.observers_used()).find(|&o| state.head(o) != crate::blocks::GENESIS)?;
                Some(format!("observer {observer} has finalized {}", self.name(state.head(observer))))
            }
            Property::Beacon => {
                let (a, b) = self.beacon_shared(state)?;
                let both = list(&[self.miner_name(a), self.miner_name(b)]);
                Some(format!("{both} know the beacon value of round {}", state.miners[a].round()))
            }
            Property::Ending => Some("nothing more must happen in this run of the good period".into()),
            Property::Behind => {
                let miners = &state.miners[..self.honest()];
                let first = miners.iter().map(|m| m.round()).max()?;
                let late = miners.iter().position(|m| m.crashed() == 1 || m.round() < first)?;
                let (who, at) = (self.miner_name(late), self.position_of(state, late));
                Some(format!("the network is synchronous, others are in round {first}, and {who} is in {at}"))
            }
            Property::Restarted => Some("a miner has crashed, and is up again".into()),
            _ => None,
        }
    }
}

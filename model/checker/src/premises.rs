//! Premises: what must come about for a property to say anything.
//!
//! "No two observers finalize conflicting blocks" is true of a protocol in which nothing ever becomes final. So where a
//! scenario expects a property to hold, the same search looks whether its premises are reachable, and `zus check` says so
//! when one is not. A premise is a witness with a name: `final = "reachable"` in `[expect]` claims it, and
//! `final = "unreachable"` says that a scenario is meant to be without.

use crate::{
    blocks::BlockSet,
    properties::{Facts, Property},
    protocol::Protocol,
    state::State,
};
use Property as P;

impl Protocol {
    /// The premises in `asked` that `state` shows.
    pub(crate) fn premises_shown(&self, state: &State, notarized: BlockSet, asked: Facts, facts: &mut Facts) {
        let mut show = |premise, shown: &dyn Fn() -> bool| facts.note(premise, asked.has(premise) && shown());
        let miners = &state.miners[..self.honest()];
        show(P::Signed, &|| self.blocks.all().any(|b| state.block(b).tickets() > 0));
        show(P::Notarized, &|| notarized != BlockSet::default());
        show(P::Child, &|| notarized.from_round(&self.blocks, 2) != BlockSet::default());
        show(P::Final, &|| self.finalizable_set(state) != BlockSet::default());
        show(P::Head, &|| state.observers_used() > 0);
        show(P::Beacon, &|| self.beacon_shared(state).is_some());
        show(P::Ending, &|| self.quiescent(state));
        show(P::Behind, &|| {
            let first = miners.iter().map(|m| m.round()).max().unwrap_or(0);
            state.environment.synchronous() == 1
                && miners.iter().any(|m| m.crashed() == 1 || m.round() < first)
        });
        show(P::Restarted, &|| state.environment.crashes() > miners.iter().map(|m| m.crashed()).sum::<u32>());
    }

    /// Two honest miners that hold a beacon value of the same round.
    pub(crate) fn beacon_shared(&self, state: &State) -> Option<(usize, usize)> {
        let holds =
            |m: usize| self.active(state, m) && self.is_current(state, m) && self.beacon_known(state, m);
        let same = |a: usize, b: usize| state.miners[a].round() == state.miners[b].round();
        (0..self.honest())
            .filter(|&a| holds(a))
            .find_map(|a| Some((a, (a + 1..self.honest()).find(|&b| same(a, b) && holds(b))?)))
    }
}

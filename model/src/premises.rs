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

impl Property {
    /// What must be reachable where the property holds, or a witness is not reachable, or the verdict says nothing.
    pub const fn premises(self) -> &'static [Property] {
        match self {
            P::S1 | P::W7 => &[P::Signed],
            P::S2 | P::S4 | P::S8 | P::W1 | P::W2 | P::W3 | P::W4 | P::W8 | P::W9 => &[P::Notarized],
            P::S3 => &[P::Child],
            // Half of S10 is about conflicting final blocks.
            P::S5 | P::S6 | P::S10 | P::W5 => &[P::Final],
            P::S7 => &[P::Head],
            P::S9 | P::W10 => &[P::Beacon],
            P::S11 => &[P::W10],
            P::L1 | P::L2 | P::L3 => &[P::Ending],
            P::L4 => &[P::Ending, P::Behind],
            P::L5 => &[P::Ending, P::Final],
            P::W6 => &[P::Restarted],
            P::Signed
            | P::Notarized
            | P::Child
            | P::Final
            | P::Head
            | P::Beacon
            | P::Ending
            | P::Behind
            | P::Restarted => &[],
        }
    }

    /// What is so where a premise is not reachable.
    pub const fn absent(self) -> &'static str {
        match self {
            P::Signed => "no honest miner ever signs a ticket",
            P::Notarized => "no block is ever notarized",
            P::Child => "no block after the first round is ever notarized",
            P::Final => "nothing ever becomes final",
            P::Head => "no observer ever finalizes a block",
            P::Beacon => "no two honest miners of one round ever know its beacon value",
            P::Ending => "no run of the good period ever comes to its end",
            P::Behind => "no miner is ever behind when the network becomes synchronous",
            P::Restarted => "no miner ever comes back after a crash",
            P::W10 => "the adversary never has a beacon value",
            _ => "it never comes about",
        }
    }
}

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
        let holds = |m: usize| self.active(state, m) && self.beacon_known(state, m);
        let same = |a: usize, b: usize| state.miners[a].round() == state.miners[b].round();
        (0..self.honest())
            .filter(|&a| holds(a))
            .find_map(|a| Some((a, (a + 1..self.honest()).find(|&b| same(a, b) && holds(b))?)))
    }
}

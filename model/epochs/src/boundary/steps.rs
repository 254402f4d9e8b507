//! The steps of a miner.

use super::{
    rules::{EvaluationRule, RecordFromRule},
    state::{Branch, Instance, MEMBERS, QUORUM, State, Tips},
};
use serde::{Deserialize, Serialize};

/// A step. Rounds are counted from `SR`, which is round 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are `miner`, `branch` and `round`")]
pub enum Action {
    /// A miner signs a ticket for the block of its round on a branch.
    Ticket { miner: usize, branch: Branch },
    /// It learns that the block of a round on a branch is notarized.
    Learn { miner: usize, round: u8, branch: Branch },
    /// It evaluates a round in which it knows one tip.
    Evaluate { miner: usize, round: u8 },
    /// It takes the record from a sharder.
    Fetch { miner: usize },
}

impl Instance {
    /// Whether a miner still reads the tips of a round.
    fn reads_tips(&self, state: &State, miner: usize, round: u8) -> bool {
        round > 0 && (state.miners[miner].record.is_none() || self.replaces())
    }

    /// Whether `action` may happen in `state`.
    pub fn enabled(&self, state: &State, action: &Action) -> bool {
        match *action {
            Action::Ticket { miner, branch } => {
                let it = &state.miners[miner];
                let at = usize::from(it.round);
                if it.round >= self.rounds || state.notarized[at].has(branch) || it.ticketed.has(branch) {
                    return false;
                }
                let barred = match branch {
                    Branch::A => !self.has_two_ranks() && it.ticketed.has(Branch::B),
                    Branch::B => it.ticketed.has(Branch::A),
                };
                let parent_is_known = at == 0
                    || state.notarized[at - 1].has(branch)
                        && (!self.reads_tips(state, miner, it.round - 1) || it.tips[at - 1].has(branch));
                !barred && parent_is_known
            }
            Action::Learn { miner, round, branch } => {
                let it = &state.miners[miner];
                let at = usize::from(round);
                let is_new =
                    it.round <= round || self.reads_tips(state, miner, round) && !it.tips[at].has(branch);
                round < self.rounds && state.notarized[at].has(branch) && is_new
            }
            Action::Evaluate { miner, round } => {
                let by_itself = match self.rules.evaluation {
                    EvaluationRule::Deferred => true,
                    EvaluationRule::Immediate => false,
                };
                let it = &state.miners[miner];
                let only = it.tips[usize::from(round)].only();
                by_itself && only.is_some() && (it.record.is_none() || self.replaces() && it.record != only)
            }
            Action::Fetch { miner } => {
                let serves = match self.rules.record_from {
                    RecordFromRule::OwnFinality => false,
                    RecordFromRule::Sharder => true,
                };
                serves && state.miners[miner].record.is_none() && state.notarized[1].has(Branch::A)
            }
        }
    }

    /// Does `action`, which must be enabled.
    pub fn apply(&self, state: &mut State, action: &Action) {
        match *action {
            Action::Ticket { miner, branch } => {
                let at = state.miners[miner].round;
                state.miners[miner].ticketed = state.miners[miner].ticketed.with(branch);
                let present = state.miners.iter().filter(|it| it.round == at && it.ticketed.has(branch));
                let count = present.count() + usize::from(state.left[usize::from(at)][branch as usize]);
                if count >= QUORUM {
                    let notarized = &mut state.notarized[usize::from(at)];
                    *notarized = notarized.with(branch);
                }
            }
            Action::Learn { miner, round, branch } => self.learn(state, miner, round, branch),
            Action::Evaluate { miner, round } => {
                let it = &mut state.miners[miner];
                it.record = it.tips[usize::from(round)].only();
            }
            Action::Fetch { miner } => state.miners[miner].record = Some(Branch::A),
        }
        self.forget(state);
    }

    fn learn(&self, state: &mut State, miner: usize, round: u8, branch: Branch) {
        let reads = self.reads_tips(state, miner, round);
        let it = &mut state.miners[miner];
        let at = usize::from(round);
        let first = it.tips[at] == Tips::NONE;
        if reads {
            it.tips[at] = it.tips[at].with(branch);
            match self.rules.evaluation {
                EvaluationRule::Deferred => {}
                EvaluationRule::Immediate if first => it.record = Some(branch),
                EvaluationRule::Immediate => {}
            }
        }
        if it.round <= round {
            let signed = std::mem::take(&mut it.ticketed);
            let left = usize::from(it.round);
            it.round = round + 1;
            for branch in Branch::BOTH.into_iter().filter(|branch| signed.has(*branch)) {
                state.left[left][branch as usize] += 1;
            }
        }
    }

    /// The steps that may happen in `state`.
    pub fn steps(&self, state: &State) -> Vec<Action> {
        let mut all = Vec::new();
        for miner in 0..MEMBERS {
            all.extend(Branch::BOTH.map(|branch| Action::Ticket { miner, branch }));
            for round in 0..self.rounds {
                all.extend(Branch::BOTH.map(|branch| Action::Learn { miner, round, branch }));
                all.push(Action::Evaluate { miner, round });
            }
            all.push(Action::Fetch { miner });
        }
        all.retain(|action| self.enabled(state, action));
        all
    }
}

//! An instance, and the state of a run.

use super::rules::{BoundaryRules, GuardRule, SameRecordRule, TipsRule};
use serde::{Deserialize, Serialize};

/// Miners, all of them honest.
pub const MEMBERS: usize = 4;
/// Tickets that notarize a block: `ceil(0.66 n)`.
pub const QUORUM: usize = 3;
/// Most rounds from `SR` on in which blocks need no record.
pub const MOST_ROUNDS: usize = 4;

/// One of the two branches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Branch {
    /// The branch whose block has the better rank, in each round.
    A,
    /// The other one.
    B,
}

impl Branch {
    /// Both.
    pub const BOTH: [Branch; 2] = [Branch::A, Branch::B];
}

/// A set of branches: notarized blocks of one round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Tips(u8);

impl Tips {
    /// None.
    pub const NONE: Tips = Tips(0);
    /// Both.
    pub const BOTH: Tips = Tips(3);

    /// Whether `branch` is in it.
    pub const fn has(self, branch: Branch) -> bool {
        self.0 >> branch as u8 & 1 == 1
    }

    /// With `branch`.
    #[must_use]
    pub const fn with(self, branch: Branch) -> Tips {
        Tips(self.0 | 1 << branch as u8)
    }

    /// Without `branch`.
    #[must_use]
    pub const fn without(self, branch: Branch) -> Tips {
        Tips(self.0 & !(1 << branch as u8))
    }

    /// The only one in it, if there is one.
    pub const fn only(self) -> Option<Branch> {
        match self.0 {
            1 => Some(Branch::A),
            2 => Some(Branch::B),
            _ => None,
        }
    }
}

/// A miner. Rounds are counted from `SR`, which is round 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Miner {
    /// Its round: it knows a notarized block of the one before.
    pub round: u8,
    /// The blocks of its round that it signed a ticket for.
    pub ticketed: Tips,
    /// The tips that it knows in each round above `SR`. Forgotten when nothing depends on them any more.
    pub tips: [Tips; MOST_ROUNDS],
    /// The branch whose block of `SR` brought the record that it has installed.
    pub record: Option<Branch>,
}

/// A state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct State {
    /// The miners.
    pub miners: [Miner; MEMBERS],
    /// The notarized blocks of each round.
    pub notarized: [Tips; MOST_ROUNDS],
    /// Tickets for blocks that are not notarized, of miners that have left the round.
    pub left: [[u8; 2]; MOST_ROUNDS],
}

/// One instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instance {
    /// The rules.
    pub rules: BoundaryRules,
    /// Rounds from `SR` on in which blocks need no record: deployed 4. At least 2.
    pub rounds: u8,
}

impl Instance {
    /// The deployed distance with these rules.
    pub const fn new(rules: BoundaryRules) -> Instance {
        Instance { rules, rounds: 4 }
    }

    /// Whether a miner that has the record may change it.
    pub(super) fn replaces(&self) -> bool {
        match self.rules.same_record {
            SameRecordRule::ReturnsEarly => false,
            SameRecordRule::Replaces => true,
        }
    }

    /// Whether a ticket for the worse block leaves a miner free to sign one for the better block.
    pub(super) fn has_two_ranks(&self) -> bool {
        match self.rules.tips {
            TipsRule::OfTwoRanks => true,
            TipsRule::OfOneRank => false,
        }
    }

    /// Whether `K` miners can accept one block of the first round that needs the record.
    pub fn goes_on(&self, state: &State) -> bool {
        let there = || state.miners.iter().filter(|miner| miner.round == self.rounds);
        let with = |branch| there().filter(|miner| miner.record == Some(branch)).count();
        match self.rules.guard {
            GuardRule::BlockHash => with(Branch::A).max(with(Branch::B)) >= QUORUM,
            GuardRule::RecordHash => with(Branch::A) + with(Branch::B) >= QUORUM,
            GuardRule::Nothing => there().count() >= QUORUM,
        }
    }

    /// Forgets the parts of a state that no step and no question reads any more.
    pub(super) fn forget(&self, state: &mut State) {
        for round in 0..self.rounds {
            let at = usize::from(round);
            let notarized = state.notarized[at];
            let all_left = state.miners.iter().all(|miner| miner.round > round);
            for branch in Branch::BOTH {
                if notarized.has(branch) || all_left {
                    state.left[at][branch as usize] = 0;
                }
            }
            for miner in state.miners.iter_mut().filter(|miner| miner.round == round) {
                if notarized == Tips::BOTH {
                    miner.ticketed = Tips::NONE;
                } else if notarized.has(Branch::B) && self.has_two_ranks() {
                    miner.ticketed = miner.ticketed.without(Branch::B);
                }
            }
        }
        if !self.replaces() {
            for miner in state.miners.iter_mut().filter(|miner| miner.record.is_some()) {
                miner.tips = [Tips::NONE; MOST_ROUNDS];
            }
        }
    }

    /// The state under other names of the miners that stands for all of them.
    pub fn sorted(&self, mut state: State) -> State {
        state.miners.sort_unstable();
        state
    }
}

//! Who takes part, and the quorum arithmetic (PROTOCOL.md, section 1).
//!
//! An honest *miner* of the model stands for `weight` members that act in unison. The weight is 1 everywhere but in
//! scenarios about large committees (`percent66_n50`): grouping only removes behaviours, so a violation found under
//! it is a violation of the committee it stands for, and `holds` is never claimed from it (`scenario.rs` refuses).

use crate::rules::QuorumRule;

/// Honest miners (or groups of them) that the state has room for.
pub const MAX_HONEST: usize = 7;

/// Members of a committee; the tallies of the state have six bits.
pub const MAX_COMMITTEE: u32 = 63;

/// Byzantine members tolerated by a committee of `n`: `floor((n - 1) / 3)`.
pub const fn tolerated(n: u32) -> u32 {
    n.saturating_sub(1) / 3
}

/// Shares that make a beacon value in a committee of `n`, unless a scenario says otherwise.
pub const fn default_threshold(n: u32) -> u32 {
    tolerated(n) + 1
}

/// Tickets (or votes, or timeouts) that make a certificate in a committee of `n`.
pub const fn quorum(rule: QuorumRule, n: u32) -> u32 {
    match rule {
        QuorumRule::ByzantineMajority => n - tolerated(n),
        // ceil(66 n / 100), in integers: the deployed node rounds a float, which agrees for every n it can have.
        QuorumRule::Percent66 => (66 * n).div_ceil(100),
        QuorumRule::OneLess => (n - tolerated(n)).saturating_sub(1),
        QuorumRule::FaultsPlusOne => tolerated(n) + 1,
    }
}

/// Members that two quorums of `q` among `n` share at least.
pub const fn overlap(n: u32, q: u32) -> u32 {
    (2 * q).saturating_sub(n)
}

/// One committee of one scenario.
#[derive(Clone, Debug)]
pub struct Committee {
    /// Members, `n`.
    pub n: u32,
    /// Byzantine members that the arithmetic tolerates, `f`.
    pub f: u32,
    /// Members that are in fact Byzantine; more than `f` of them is allowed (S10).
    pub byzantine: u32,
    /// Size of a certificate, `q`.
    pub quorum: u32,
    /// Beacon shares that determine a value, `t`.
    pub beacon_threshold: u32,
    /// Members that each honest miner of the model stands for; their number is the number of honest miners.
    pub weights: Vec<u32>,
}

impl Committee {
    /// How many honest miners (or groups) the model names.
    pub fn honest(&self) -> usize {
        self.weights.len()
    }
}

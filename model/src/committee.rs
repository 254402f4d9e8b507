//! Who takes part, and the quorum arithmetic (protocol.md, section 1).
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `f` for n = 1 to 30, written by hand.
    const F: [u32; 30] =
        [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9];
    /// `n - f` for n = 1 to 30, written by hand.
    const Q: [u32; 30] = [
        1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 13, 13, 14, 15, 15, 16, 17, 17, 18, 19, 19,
        20, 21,
    ];
    /// `ceil(0.66 n)` for n = 1 to 60, written by hand (0.66, 1.32, 1.98, 2.64, ...).
    const P66: [u32; 60] = [
        1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 14, 15, 16, 16, 17, 18, 18, 19,
        20, 20, 21, 22, 22, 23, 24, 24, 25, 26, 26, 27, 28, 28, 29, 30, 30, 31, 32, 32, 33, 33, 34, 35, 35,
        36, 37, 37, 38, 39, 39, 40,
    ];

    #[test]
    fn quorums_agree_with_the_tables_written_by_hand() {
        for n in 1..=30u32 {
            assert_eq!(tolerated(n), F[n as usize - 1], "f at n = {n}");
            assert_eq!(quorum(QuorumRule::ByzantineMajority, n), Q[n as usize - 1], "q at n = {n}");
        }
        for n in 1..=60u32 {
            assert_eq!(quorum(QuorumRule::Percent66, n), P66[n as usize - 1], "0.66 at n = {n}");
        }
    }

    #[test]
    fn two_byzantine_majorities_share_an_honest_miner_for_every_n_to_200() {
        for n in 1..=200 {
            let q = quorum(QuorumRule::ByzantineMajority, n);
            assert!(overlap(n, q) > tolerated(n), "n = {n}");
            assert!(q <= n - tolerated(n), "honest miners alone reach the quorum at n = {n}");
            assert!(3 * q > 2 * n, "more than two thirds at n = {n}");
        }
    }

    #[test]
    fn sixty_six_percent_first_loses_its_honest_overlap_at_50_of_the_sizes_3f_plus_2() {
        let lost: Vec<u32> =
            (1..=200).filter(|&n| overlap(n, quorum(QuorumRule::Percent66, n)) <= tolerated(n)).collect();
        // 3 is lost too, but tolerates nobody: its overlap of 1 is honest. 50 is the first size with a real loss.
        assert_eq!(lost.first(), Some(&50), "{lost:?}");
        assert_eq!((tolerated(50), quorum(QuorumRule::Percent66, 50)), (16, 33));
        assert_eq!(overlap(50, 33), 16);
    }

    #[test]
    fn one_ticket_less_or_f_plus_one_loses_the_overlap() {
        for n in (4..=199).step_by(3) {
            assert!(overlap(n, quorum(QuorumRule::OneLess, n)) <= tolerated(n), "n = {n}");
            assert!(overlap(n, quorum(QuorumRule::FaultsPlusOne, n)) <= tolerated(n), "n = {n}");
        }
    }
}

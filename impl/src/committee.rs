//! Participants: their identifiers and the quorum arithmetic of one committee (PROTOCOL.md, section 1).

use std::fmt;

use thiserror::Error;
pub use zus_bls::committee::{MAX_COMMITTEE_SIZE, beacon_threshold, max_faulty};
pub use zus_protocol::ids::{ChainId, Epoch, MinerId, Round, SharderId, Subround};

use crate::limits::{MAX_MINERS, MAX_SHARDERS};
use crate::rules::QuorumRule;

/// A participant on the network: whom a message came from, or goes to.
///
/// The link must authenticate it: see the module doc of [`crate::miner`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Peer {
    /// A miner of the committee.
    Miner(MinerId),
    /// A sharder.
    Sharder(SharderId),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Miner(miner) => miner.fmt(f),
            Peer::Sharder(sharder) => sharder.fmt(f),
        }
    }
}

/// Why a committee cannot be formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CommitteeError {
    /// There must be at least one miner.
    #[error("a committee needs at least one miner")]
    Empty,
    /// More miners than [`MAX_MINERS`].
    #[error("a committee of {0} miners is larger than the {MAX_MINERS} that a certificate's bitmap holds")]
    TooManyMiners(u16),
    /// More sharders than [`MAX_SHARDERS`].
    #[error("{0} sharders are more than the {MAX_SHARDERS} that are served")]
    TooManySharders(u16),
}

/// The committee of one epoch of one chain, without its keys: those are inside the
/// [`Scheme`](crate::crypto::scheme::Scheme).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Committee {
    chain: ChainId,
    epoch: Epoch,
    miners: u16,
    sharders: u16,
}

impl Committee {
    /// A committee of `miners` miners and `sharders` sharders.
    ///
    /// # Errors
    /// When there is no miner, or a number is above its bound.
    pub fn new(chain: ChainId, epoch: Epoch, miners: u16, sharders: u16) -> Result<Self, CommitteeError> {
        if miners == 0 {
            return Err(CommitteeError::Empty);
        }
        if miners > MAX_MINERS {
            return Err(CommitteeError::TooManyMiners(miners));
        }
        if sharders > MAX_SHARDERS {
            return Err(CommitteeError::TooManySharders(sharders));
        }
        Ok(Self { chain, epoch, miners, sharders })
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many miners, `n`.
    #[must_use]
    pub fn miners(&self) -> u16 {
        self.miners
    }

    /// How many sharders, `m`.
    #[must_use]
    pub fn sharders(&self) -> u16 {
        self.sharders
    }

    /// Whether `miner` is a member.
    #[must_use]
    pub fn contains(&self, miner: MinerId) -> bool {
        miner.0 < self.miners
    }

    /// Whether `peer` takes part.
    #[must_use]
    pub fn knows(&self, peer: Peer) -> bool {
        match peer {
            Peer::Miner(miner) => self.contains(miner),
            Peer::Sharder(sharder) => sharder.0 < self.sharders,
        }
    }

    /// How many Byzantine miners the committee tolerates, `f`.
    #[must_use]
    pub fn faulty(&self) -> usize {
        max_faulty(usize::from(self.miners))
    }

    /// The quorum `q` under `rule`.
    #[must_use]
    pub fn quorum(&self, rule: QuorumRule) -> usize {
        quorum(usize::from(self.miners), rule)
    }

    /// How many beacon shares make a value, `t`: see [`beacon_threshold`].
    #[must_use]
    pub fn beacon_threshold(&self) -> usize {
        beacon_threshold(usize::from(self.miners))
    }

    /// How many generators a subround has in the deployed node, and here by default: `max(2, ceil(n / 5))`, and no more
    /// than there are miners.
    #[must_use]
    pub fn default_generators(&self) -> u16 {
        self.miners.div_ceil(5).max(2).min(self.miners)
    }
}

/// The quorum of `n` miners: the one place where it is computed.
#[must_use]
pub fn quorum(n: usize, rule: QuorumRule) -> usize {
    match rule {
        QuorumRule::ByzantineMajority => n - max_faulty(n),
        QuorumRule::Percent66 => (66 * n).div_ceil(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Miners, tolerated faults, quorum by Byzantine majority, quorum by 66 percent: written by hand.
    const TABLE: [(usize, usize, usize, usize); 16] = [
        (1, 0, 1, 1),
        (2, 0, 2, 2),
        (3, 0, 3, 2),
        (4, 1, 3, 3),
        (5, 1, 4, 4),
        (6, 1, 5, 4),
        (7, 2, 5, 5),
        (8, 2, 6, 6),
        (9, 2, 7, 6),
        (10, 3, 7, 7),
        (13, 4, 9, 9),
        (16, 5, 11, 11),
        (49, 16, 33, 33),
        (50, 16, 34, 33),
        (100, 33, 67, 66),
        (1000, 333, 667, 660),
    ];

    #[test]
    fn quorums_are_those_of_the_table() {
        for (n, f, q, percent) in TABLE {
            assert_eq!(max_faulty(n), f, "n = {n}");
            assert_eq!(quorum(n, QuorumRule::ByzantineMajority), q, "n = {n}");
            assert_eq!(quorum(n, QuorumRule::Percent66), percent, "n = {n}");
        }
    }

    /// Two quorums share an honest miner, with the least quorum that does so being rejected one lower (mutant A1).
    fn overlaps_honestly(n: usize, quorum: usize) -> bool {
        2 * quorum > n + max_faulty(n)
    }

    #[test]
    fn two_quorums_share_an_honest_miner_and_two_of_one_less_do_not_always() {
        let mut one_lower_fails = 0;
        for n in 1..=usize::from(MAX_MINERS) {
            let q = quorum(n, QuorumRule::ByzantineMajority);
            assert!(overlaps_honestly(n, q), "n = {n}");
            assert!(q <= n - max_faulty(n), "n = {n}: the honest miners alone are a quorum");
            one_lower_fails += usize::from(!overlaps_honestly(n, q - 1));
        }
        // Where n = 3f + 1 or 3f + 2, one ticket less loses the overlap; where n = 3f + 3 there is one to spare.
        assert!(one_lower_fails * 3 >= usize::from(MAX_MINERS) * 2 - 3, "{one_lower_fails}");
    }

    #[test]
    fn sixty_six_percent_first_lose_the_overlap_where_it_matters_at_fifty() {
        // Row 37 of the list of rule changes.
        let fails: Vec<usize> =
            (1..=60).filter(|&n| !overlaps_honestly(n, quorum(n, QuorumRule::Percent66))).collect();
        assert_eq!(fails.first(), Some(&50), "{fails:?}");
    }

    #[test]
    fn committees_that_cannot_be_are_refused() {
        let committee = |miners, sharders| Committee::new(ChainId([0; 32]), Epoch(0), miners, sharders);
        assert_eq!(committee(0, 1), Err(CommitteeError::Empty));
        assert_eq!(committee(MAX_MINERS + 1, 1), Err(CommitteeError::TooManyMiners(MAX_MINERS + 1)));
        assert_eq!(committee(4, MAX_SHARDERS + 1), Err(CommitteeError::TooManySharders(MAX_SHARDERS + 1)));
        let four = committee(4, 2).expect("a committee");
        assert!(four.knows(Peer::Miner(MinerId(3))) && !four.knows(Peer::Miner(MinerId(4))));
        assert!(four.knows(Peer::Sharder(SharderId(1))) && !four.knows(Peer::Sharder(SharderId(2))));
    }

    #[test]
    fn generators_are_a_fifth_and_at_least_two_where_there_are_two() {
        let generators = |miners| {
            Committee::new(ChainId([0; 32]), Epoch(0), miners, 0)
                .map(|committee| committee.default_generators())
        };
        for (miners, expected) in [(1, 1), (2, 2), (4, 2), (10, 2), (11, 3), (16, 4), (50, 10), (100, 20)] {
            assert_eq!(generators(miners), Ok(expected), "{miners} miners");
        }
    }
}

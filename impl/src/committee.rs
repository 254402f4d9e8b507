//! Who takes part: identifiers and the quorum arithmetic of one committee (protocol.md, section 1).

use std::fmt;

use thiserror::Error;

use crate::bounds::{MAX_MINERS, MAX_SHARDERS};
use crate::rules::QuorumRule;

/// A miner of the committee, by its position in the magic block (`0..n`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MinerId(pub u16);

/// A sharder, by its position in the magic block (`0..m`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SharderId(pub u16);

/// A round; the genesis block is of round 0, the first block is produced in round 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Round(pub u64);

/// A subround of a round; every round starts in subround 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Subround(pub u32);

/// The epoch of a committee (one per magic block).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u64);

/// The chain that a signature or a block belongs to; part of everything that is hashed or signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub [u8; 32]);

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

impl Round {
    /// The round after this one. Saturates: a round number that nobody reaches by counting is never wrapped.
    #[must_use]
    pub fn next(self) -> Round {
        Round(self.0.saturating_add(1))
    }

    /// The round before this one, `None` for the genesis round.
    #[must_use]
    pub fn previous(self) -> Option<Round> {
        self.0.checked_sub(1).map(Round)
    }
}

impl Subround {
    /// The subround after this one. Saturates.
    #[must_use]
    pub fn next(self) -> Subround {
        Subround(self.0.saturating_add(1))
    }

    /// The subround before this one, `None` for subround 0.
    #[must_use]
    pub fn previous(self) -> Option<Subround> {
        self.0.checked_sub(1).map(Subround)
    }
}

impl fmt::Display for MinerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "miner {}", self.0)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Subround {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Miner(miner) => miner.fmt(f),
            Peer::Sharder(sharder) => write!(f, "sharder {}", sharder.0),
        }
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({:02x}{:02x}{:02x}{:02x}..)", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

/// Why a committee cannot be formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
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

    /// How many generators a subround has in the deployed node, and here by default: `max(2, ceil(n / 5))`, and no more
    /// than there are miners.
    #[must_use]
    pub fn default_generators(&self) -> u16 {
        self.miners.div_ceil(5).max(2).min(self.miners)
    }
}

/// `f = floor((n - 1) / 3)`; 0 for an empty committee.
#[must_use]
pub fn max_faulty(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// The quorum of `n` miners: the one place where it is computed.
#[must_use]
pub fn quorum(n: usize, rule: QuorumRule) -> usize {
    match rule {
        QuorumRule::ByzantineMajority => n - max_faulty(n),
        QuorumRule::Percent66 => (66 * n).div_ceil(100),
    }
}

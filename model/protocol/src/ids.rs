//! Identifiers of participants and times (PROTOCOL.md, section 1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares identifiers that are one number each.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($number:ty);)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub $number);
        )*
    };
}

numbers! {
    /// A miner of the committee, by its position in the magic block (`0..n`).
    MinerId(u16);
    /// A sharder, by its position in the magic block (`0..m`).
    SharderId(u16);
    /// The epoch of a committee: there is one for each magic block.
    Epoch(u64);
    /// A round. The genesis block is of round 0; the first block is produced in round 1.
    Round(u64);
    /// A subround of a round. Every round begins in subround 0.
    Subround(u32);
    /// A position in the order of generators: 0 is the best.
    Rank(u16);
}

/// The chain that a signature or a block belongs to; part of everything that is hashed or signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub [u8; 32]);

impl Round {
    /// The round after this one. It saturates: a round number that nobody reaches by counting is never wrapped.
    #[must_use]
    pub const fn next(self) -> Round {
        Round(self.0.saturating_add(1))
    }

    /// The round before this one, `None` for the genesis round.
    #[must_use]
    pub const fn previous(self) -> Option<Round> {
        match self.0.checked_sub(1) {
            Some(round) => Some(Round(round)),
            None => None,
        }
    }
}

impl Subround {
    /// The subround after this one. It saturates.
    #[must_use]
    pub const fn next(self) -> Subround {
        Subround(self.0.saturating_add(1))
    }

    /// The subround before this one, `None` for subround 0.
    #[must_use]
    pub const fn previous(self) -> Option<Subround> {
        match self.0.checked_sub(1) {
            Some(subround) => Some(Subround(subround)),
            None => None,
        }
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({:02x}{:02x}{:02x}{:02x}..)", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

impl fmt::Display for MinerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "miner {}", self.0)
    }
}

impl fmt::Display for SharderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sharder {}", self.0)
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

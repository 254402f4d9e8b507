//! Records of a log, one for each signature, and the owner of the log.

use std::fmt;

use crate::block::BlockId;
use crate::committee::{ChainId, Epoch, Round, Subround};

/// Bytes of a public key, as the log names it; a mock may put anything there.
pub const KEY_BYTES: usize = 96;

/// The kind of a signed statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// An own block (step 2).
    Proposal,
    /// A ticket (step 5).
    Ticket,
    /// A timeout vote (step 9).
    Timeout,
    /// A finality vote (step 8).
    FinalityVote,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Proposal, Kind::Ticket, Kind::Timeout, Kind::FinalityVote];
}

/// One signature of this miner. Ordered by round first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogRecord {
    /// The round.
    pub round: Round,
    /// The kind of statement.
    pub kind: Kind,
    /// The subround.
    pub subround: Subround,
    /// The block; zero for a timeout, which is about none.
    pub block: [u8; 32],
}

impl LogRecord {
    /// An own block of (round, subround).
    #[must_use]
    pub const fn proposal(round: Round, subround: Subround, block: [u8; 32]) -> Self {
        Self { round, kind: Kind::Proposal, subround, block }
    }

    /// A ticket for a block of (round, subround).
    #[must_use]
    pub const fn ticket(round: Round, subround: Subround, block: [u8; 32]) -> Self {
        Self { round, kind: Kind::Ticket, subround, block }
    }

    /// A timeout of (round, subround).
    #[must_use]
    pub const fn timeout(round: Round, subround: Subround) -> Self {
        Self { round, kind: Kind::Timeout, subround, block: [0; 32] }
    }

    /// A finality vote for a block of (round, subround).
    #[must_use]
    pub const fn finality_vote(round: Round, subround: Subround, block: [u8; 32]) -> Self {
        Self { round, kind: Kind::FinalityVote, subround, block }
    }
}

impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.block;
        let (kind, round, subround) = (self.kind, self.round.0, self.subround.0);
        write!(f, "{kind:?}({round}, {subround}, {a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// In words, for messages.
impl fmt::Display for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (round, subround, block) = (self.round, self.subround, BlockId(self.block));
        match self.kind {
            Kind::Proposal => write!(f, "block {block} in ({round}, {subround})"),
            Kind::Ticket => write!(f, "a ticket for {block} in ({round}, {subround})"),
            Kind::Timeout => write!(f, "a timeout of ({round}, {subround})"),
            Kind::FinalityVote => write!(f, "a finality vote for {block} in ({round}, {subround})"),
        }
    }
}

/// Whose log it is. A log of another owner is never used: its rounds mean nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Owner {
    /// The chain.
    pub chain: ChainId,
    /// The epoch: a new committee is a new log, whose floor is the epoch's first round.
    pub epoch: Epoch,
    /// The identity key, encoded.
    pub key: [u8; KEY_BYTES],
}

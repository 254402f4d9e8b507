//! The steps of the protocol, as an observer of this miner sees them.

use std::fmt;

use crate::block::BlockId;
use crate::committee::{MinerId, Round, Subround};
use crate::crypto::ranks::Rank;
use crate::crypto::scheme::BeaconValue;
use crate::statement::{FinalityVote, Proposed, Ticket, Timeout};

/// Where a miner is in its subround.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Step 3: the collection window is open.
    Collecting,
    /// Steps 4 to 6: the window is closed; a block is ticketed as soon as there is one, and tickets are collected.
    Ticketing,
    /// Step 9: the subround is given up.
    TimedOut,
}

/// A step of the protocol, as an observer of this miner sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Milestone {
    /// Step 1 or 9: a subround was entered.
    Entered {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
    },
    /// Step 1: the order of generators is known.
    Beacon {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
        /// The value.
        value: BeaconValue,
    },
    /// Step 2: the own block left.
    Proposed(Proposed),
    /// Step 3: a block became a candidate.
    Collected {
        /// The block, its round and subround.
        block: Proposed,
        /// The miner that made it.
        generator: MinerId,
        /// The generator's rank.
        rank: Rank,
    },
    /// Step 5: a ticket left.
    Ticketed(Ticket),
    /// Step 6 or 7: a notarization became known.
    Notarized {
        /// The block, its round and subround.
        ticket: Ticket,
        /// Whether this miner made it from tickets.
        formed: bool,
    },
    /// Step 8: a notarized block of another subround was adopted.
    Switched {
        /// The round.
        round: Round,
        /// The own subround.
        from: Subround,
        /// The block's.
        to: Subround,
    },
    /// Step 8: the round was entered again, through another block of the round before, of a greater seed.
    Adopted {
        /// The round of the block.
        round: Round,
        /// The block.
        block: BlockId,
    },
    /// Step 8: a round was left.
    Left {
        /// The round.
        round: Round,
        /// The block through which it was left.
        block: BlockId,
        /// Whether a finality vote is cast for it.
        voted: bool,
    },
    /// Step 8: rounds were jumped over.
    Jumped {
        /// The round where the miner was.
        from: Round,
        /// The round whose notarization it saw.
        to: Round,
    },
    /// Step 8: a finality vote left.
    Voted(FinalityVote),
    /// Step 9: a subround was given up.
    TimedOut(Timeout),
    /// Step 10: the finalized head moved.
    Finalized {
        /// The round of the new head.
        round: Round,
        /// The new head.
        block: BlockId,
    },
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Milestone::Entered { round, subround } => write!(f, "enters ({round}, {subround})"),
            Milestone::Beacon { round, subround, .. } => {
                write!(f, "knows the order of generators of ({round}, {subround})")
            }
            Milestone::Proposed(Proposed { round, subround, block }) => {
                write!(f, "proposes block {block} in ({round}, {subround})")
            }
            Milestone::Collected { block: Proposed { round, subround, block }, generator, rank } => {
                write!(f, "collects block {block} of {generator}, rank {}, in ({round}, {subround})", rank.0)
            }
            Milestone::Ticketed(Ticket { round, subround, block }) => {
                write!(f, "tickets block {block} in ({round}, {subround})")
            }
            Milestone::Notarized { ticket: Ticket { round, subround, block }, formed } => {
                let how = if *formed { "makes" } else { "hears of" };
                write!(f, "{how} a notarization of block {block} in ({round}, {subround})")
            }
            Milestone::Switched { round, from, to } => {
                write!(f, "switches from subround {from} to {to} of round {round}")
            }
            Milestone::Adopted { round, block } => {
                write!(f, "builds on block {block} of round {round} from now on")
            }
            Milestone::Left { round, block, voted } => {
                let vote = if *voted { "with" } else { "without" };
                write!(f, "leaves round {round} through block {block}, {vote} a finality vote")
            }
            Milestone::Jumped { from, to } => write!(f, "jumps from round {from} over to round {to}"),
            Milestone::Voted(FinalityVote { round, block, .. }) => {
                write!(f, "votes block {block} of round {round} final")
            }
            Milestone::TimedOut(Timeout { round, subround }) => {
                write!(f, "gives up ({round}, {subround})")
            }
            Milestone::Finalized { round, block } => {
                write!(f, "finalizes block {block} of round {round}")
            }
        }
    }
}

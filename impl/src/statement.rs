//! Statements to sign, their preimages (PROTOCOL.md, section 1), and single signatures over them.
//!
//! Every preimage has the same 100 bytes: a tag that no other kind has (16), the chain (32), the epoch (8), the round (8),
//! the subround (4) and a block id or beacon value (32; zero where there is none), integers big-endian. A fixed length and
//! a distinct tag make it impossible that two statements share a preimage. The
//! [`Domain`] separates the kinds once more, inside the signature scheme.

use std::ops::Deref;

use crate::block::BlockId;
use crate::committee::{Committee, MinerId, Round, Subround};
use crate::crypto::scheme::{BeaconValue, Domain, Sign, Signature, Verify};

/// Bytes of a preimage.
pub const PREIMAGE_BYTES: usize = 100;

/// The bytes that are signed.
pub type Preimage = [u8; PREIMAGE_BYTES];

/// Something that a miner signs with its identity key, at most once or under the rules of PROTOCOL.md.
pub trait Statement: Copy + Eq + Ord + std::hash::Hash + std::fmt::Debug {
    /// The domain of its signatures.
    const DOMAIN: Domain;

    /// The bytes that are signed.
    fn preimage(&self, committee: &Committee) -> Preimage;

    /// The round that the statement is about.
    fn round(&self) -> Round;
}

/// Content of a block proposal (step 2): "this is my block of (round, subround)".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Proposed {
    /// The block's round.
    pub round: Round,
    /// The block's subround.
    pub subround: Subround,
    /// The block.
    pub block: BlockId,
}

/// Content of a verification ticket (step 5): "I selected this block in (round, subround)".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket {
    /// The block's round.
    pub round: Round,
    /// The block's subround.
    pub subround: Subround,
    /// The block.
    pub block: BlockId,
}

/// Content of a timeout vote (step 9): "I ticket nothing more in (round, subround)".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timeout {
    /// The round.
    pub round: Round,
    /// The subround that is given up.
    pub subround: Subround,
}

/// Content of a finality vote (step 8): "I left the round through this block, and ticketed no other in it".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FinalityVote {
    /// The block's round.
    pub round: Round,
    /// The block's subround.
    pub subround: Subround,
    /// The block.
    pub block: BlockId,
}

impl Statement for Proposed {
    const DOMAIN: Domain = Domain::Proposal;

    fn preimage(&self, committee: &Committee) -> Preimage {
        preimage(b"zus/proposal/v1\0", committee, self.round, self.subround, &self.block.0)
    }

    fn round(&self) -> Round {
        self.round
    }
}

impl Statement for Ticket {
    const DOMAIN: Domain = Domain::Ticket;

    fn preimage(&self, committee: &Committee) -> Preimage {
        preimage(b"zus/ticket/v1\0\0\0", committee, self.round, self.subround, &self.block.0)
    }

    fn round(&self) -> Round {
        self.round
    }
}

impl Statement for Timeout {
    const DOMAIN: Domain = Domain::Timeout;

    fn preimage(&self, committee: &Committee) -> Preimage {
        preimage(b"zus/timeout/v1\0\0", committee, self.round, self.subround, &[0; 32])
    }

    fn round(&self) -> Round {
        self.round
    }
}

impl Statement for FinalityVote {
    const DOMAIN: Domain = Domain::FinalityVote;

    fn preimage(&self, committee: &Committee) -> Preimage {
        preimage(b"zus/finality/v1\0", committee, self.round, self.subround, &self.block.0)
    }

    fn round(&self) -> Round {
        self.round
    }
}

/// The statement that the committee's beacon signs (rule [`beacon`](crate::rules::BeaconRule)); each value of the rule
/// has a tag of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BeaconTarget {
    /// Epoch and round.
    Round(Round),
    /// Round, subround and the beacon value of the notarized block that was adopted.
    Chained {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
        /// The beacon value of the block of the round before.
        previous: BeaconValue,
    },
}

impl BeaconTarget {
    /// The round whose order the value determines.
    #[must_use]
    pub fn round(&self) -> Round {
        match self {
            BeaconTarget::Round(round) | BeaconTarget::Chained { round, .. } => *round,
        }
    }

    /// The subround that the share belongs to: 0 for the value of a whole round.
    #[must_use]
    pub fn subround(&self) -> Subround {
        match self {
            BeaconTarget::Round(_) => Subround(0),
            BeaconTarget::Chained { subround, .. } => *subround,
        }
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn preimage(&self, committee: &Committee) -> Preimage {
        match self {
            BeaconTarget::Round(round) => {
                preimage(b"zus/beacon-r/v1\0", committee, *round, Subround(0), &[0; 32])
            }
            BeaconTarget::Chained { round, subround, previous } => {
                preimage(b"zus/beacon-c/v1\0", committee, *round, *subround, &previous.0)
            }
        }
    }
}

fn preimage(
    tag: &[u8; 16],
    committee: &Committee,
    round: Round,
    subround: Subround,
    subject: &[u8; 32],
) -> Preimage {
    let mut bytes = [0; PREIMAGE_BYTES];
    bytes[..16].copy_from_slice(tag);
    bytes[16..48].copy_from_slice(&committee.chain().0);
    bytes[48..56].copy_from_slice(&committee.epoch().0.to_be_bytes());
    bytes[56..64].copy_from_slice(&round.0.to_be_bytes());
    bytes[64..68].copy_from_slice(&subround.0.to_be_bytes());
    bytes[68..].copy_from_slice(subject);
    bytes
}

/// A statement with one signature; nothing is known about the signature until [`Signed::is_genuine`] says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signed<T> {
    /// The statement.
    pub statement: T,
    /// The signer.
    pub signer: MinerId,
    /// The signature over [`Statement::preimage`].
    pub signature: Signature,
}

impl<T: Statement> Signed<T> {
    /// Signs `statement` with the scheme's identity key. `None` for an observer.
    pub fn sign<S: Sign>(statement: T, committee: &Committee, scheme: &S) -> Option<Self> {
        let signature = scheme.sign(T::DOMAIN, &statement.preimage(committee))?;
        Some(Self { statement, signer: scheme.me()?, signature })
    }

    /// Whether the signer is a member and the signature is its own over exactly this statement.
    pub fn is_genuine<S: Verify>(&self, committee: &Committee, scheme: &S) -> bool {
        committee.contains(self.signer)
            && scheme.verify(self.signer, T::DOMAIN, &self.statement.preimage(committee), &self.signature)
    }
}

impl<T> Deref for Signed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.statement
    }
}

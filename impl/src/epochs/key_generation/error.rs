//! Why a block is refused for its epoch items.

use thiserror::Error;

use crate::committee::{MinerId, Round};
use crate::crypto::dkg::{RegistrationError, TranscriptError};
use crate::epochs::item::{ItemKind, ItemsError};

/// Why a block cannot carry these items.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The block is not of the next round of the branch.
    #[error("a block of round {found}, where the branch goes on in round {expected}")]
    Round {
        /// Its round.
        found: Round,
        /// The next round.
        expected: Round,
    },
    /// The bytes are no set of items.
    #[error(transparent)]
    Items(#[from] ItemsError),
    /// The record is complete: blocks of the tail have no items.
    #[error("epoch items above the closing block")]
    Tail,
    /// One of the items is refused.
    #[error("epoch item {index}, a {kind:?} of {sender}, is refused: {reason}")]
    Refused {
        /// Its position.
        index: usize,
        /// Its kind.
        kind: ItemKind,
        /// The member that it names as its sender.
        sender: MinerId,
        /// Why.
        reason: ItemRefused,
    },
}

/// Why an item makes its block invalid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ItemRefused {
    /// The sender is no member.
    #[error("the next committee has {members} members")]
    Stranger {
        /// Members of the next committee.
        members: usize,
    },
    /// The sender did not sign it.
    #[error("its sender did not sign it")]
    NotSigned,
    /// The bytes are no registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The bytes are no dealing or settlement of this attempt, or the sender did not sign them.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// A ready statement of another length.
    #[error("{found} bytes where a ready statement has {expected}")]
    ReadyLength {
        /// Bytes given.
        found: usize,
        /// Bytes of each ready statement.
        expected: usize,
    },
}

//! The plan of a key generation, fixed before it begins.

use std::sync::Arc;

use thiserror::Error;

use crate::block::Digest;
use crate::committee::{ChainId, Epoch, MinerId, Round};
use crate::crypto::committee_keys::{CommitteeKeys, CommitteeKeysError};
use crate::crypto::dkg::EncryptionKey;
use crate::crypto::dkg::{
    Attempt, IDENTITY_BYTES, MAX_DKG_MEMBERS, Parameters, ParametersError, Session, SessionError,
    SessionMember,
};
use crate::crypto::keys::{KeyError, RegisteredKey};
use crate::epochs::record::{CheckedRecord, SharderKey, register};
use crate::limits::{MAX_PHASE_DOUBLINGS, MAX_PHASE_ROUNDS, MAX_SHARDERS};

/// The next committee, and the rounds in which it generates its key. Fixed by the final chain before the first attempt begins: it does
/// not depend on who answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    chain: ChainId,
    epoch: Epoch,
    previous: Digest,
    members: Vec<[u8; IDENTITY_BYTES]>,
    identities: Vec<RegisteredKey>,
    sharders: Vec<SharderKey>,
    parameters: Parameters,
    first: Round,
    phase_rounds: u64,
}

impl Plan {
    /// The plan for the epoch after that of `before`: `members` are encoded identities in the order of the next committee. The first
    /// attempt begins in the block of round `first`, and its phases have `phase_rounds` rounds (`D`), which must exceed the rounds
    /// until a block is final.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        before: &CheckedRecord,
        members: Vec<[u8; IDENTITY_BYTES]>,
        sharders: Vec<SharderKey>,
        first: Round,
        phase_rounds: u64,
    ) -> Result<Self, PlanError> {
        if !(1..=MAX_DKG_MEMBERS).contains(&members.len()) {
            return Err(PlanError::Members { members: members.len() });
        }
        if sharders.len() > usize::from(MAX_SHARDERS) {
            return Err(PlanError::Sharders { sharders: sharders.len() });
        }
        if !(1..=MAX_PHASE_ROUNDS).contains(&phase_rounds) {
            return Err(PlanError::PhaseRounds { rounds: phase_rounds });
        }
        let record = before.record();
        let epoch = record.epoch().0.checked_add(1).map(Epoch).ok_or(PlanError::LastEpoch)?;
        let known = record.content().members.iter().zip(before.identities()).collect();
        let identities = register(record.chain(), &members, &known)
            .map_err(|(member, reason)| PlanError::Member { member, reason })?;
        CommitteeKeys::require_distinct(&identities)?;
        Ok(Self {
            chain: record.chain(),
            epoch,
            previous: record.digest(),
            parameters: Parameters::hardened(members.len())?,
            members,
            identities,
            sharders,
            first,
            phase_rounds,
        })
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// The epoch of the next committee.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The digest of the present committee's record.
    #[must_use]
    pub const fn previous(&self) -> Digest {
        self.previous
    }

    /// The members' encoded identities, in order.
    #[must_use]
    pub fn members(&self) -> &[[u8; IDENTITY_BYTES]] {
        &self.members
    }

    /// The members' identity keys, in order.
    #[must_use]
    pub fn identities(&self) -> &[RegisteredKey] {
        &self.identities
    }

    /// The sharders of the next epoch.
    #[must_use]
    pub fn sharders(&self) -> &[SharderKey] {
        &self.sharders
    }

    /// The numbers of the key generation.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The round in which the first attempt begins.
    #[must_use]
    pub const fn first(&self) -> Round {
        self.first
    }

    /// The rounds of each phase of an attempt.
    #[must_use]
    pub fn phase_rounds(&self, attempt: Attempt) -> u64 {
        // At most 2^24 * 2^8.
        self.phase_rounds << attempt.0.min(MAX_PHASE_DOUBLINGS)
    }

    /// The session of an attempt in which the members have these encryption keys.
    pub(super) fn session(
        &self,
        attempt: Attempt,
        encryption: impl Iterator<Item = Option<EncryptionKey>>,
    ) -> Result<Arc<Session>, SessionError> {
        let members = self.identities.iter().zip(encryption);
        let members = members.map(|(identity, encryption)| SessionMember { identity: *identity, encryption });
        Session::new(self.chain, self.epoch, attempt, self.parameters, members.collect()).map(Arc::new)
    }
}

/// Why a next committee cannot generate a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No members, or too many.
    #[error("a committee of {members} members, where 1 to {MAX_DKG_MEMBERS} are served")]
    Members {
        /// Members given.
        members: usize,
    },
    /// Too many sharders.
    #[error("{sharders} sharders, where at most {MAX_SHARDERS} are served")]
    Sharders {
        /// Sharders given.
        sharders: usize,
    },
    /// Phases without rounds, or too long ones.
    #[error("phases of {rounds} rounds, where 1 to {MAX_PHASE_ROUNDS} are served")]
    PhaseRounds {
        /// Rounds given.
        rounds: u64,
    },
    /// There is no later epoch.
    #[error("the number of the epoch has no successor")]
    LastEpoch,
    /// A member's key is no usable key, or its possession is not proved.
    #[error("the identity of miner {} is refused: {reason}", member.0)]
    Member {
        /// Whose.
        member: MinerId,
        /// Why.
        reason: KeyError,
    },
    /// Two members have one key.
    #[error(transparent)]
    Keys(#[from] CommitteeKeysError),
    /// The numbers are none of a key generation.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

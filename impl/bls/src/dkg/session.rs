//! The identity of one key generation: chain, epoch, attempt, the new committee and its parameters. Everything signed
//! commits to it.

use sha3::{Digest, Sha3_256};

use super::encryption::{ENCRYPTION_KEY_BYTES, EncryptionKey};
use super::transcript::TranscriptError;
use crate::committee::{ChainId, Epoch, MinerId, beacon_threshold, max_faulty};
use crate::committee_keys::shared_coordinate;
use crate::keys::RegisteredKey;

/// Members of the largest committee that generates a key: at this size and `t = n - f` the commitments of all dealers, which blocks
/// carry, are 67 MB.
pub const MAX_DKG_MEMBERS: usize = 1024;

const SESSION_TAG: &[u8] = b"ZUS-BPP-V01-DKG-SESSION";

/// Which key generation of an epoch: 0 is the first, and each one that makes no key is followed by the next. Everything that is
/// signed or sealed names it, so that nothing of one attempt counts in another, and one seed makes other secrets in each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Attempt(pub u32);

/// Bytes of an encoded attempt, big-endian.
pub(super) const ATTEMPT_BYTES: usize = 4;

/// The numbers of a key generation. They belong to the new committee, never to the previous one. There are no unsound ones:
/// [`Parameters::new`] checks them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Parameters {
    members: usize,
    threshold: usize,
    max_revealed: usize,
    min_qualified: usize,
}

impl Parameters {
    /// The numbers of a committee of `members`: `threshold` shares determine the key (`t`), a dealer that reveals at most
    /// `max_revealed` shares qualifies, and at least `min_qualified` dealers make a key.
    ///
    /// A revealed share is public. So the faulty members hold `f` shares of a dealing and `max_revealed` more, and these must be
    /// fewer than `t` (S11). The honest members alone must reach `t`, and must be enough dealers; one dealer at least must be
    /// honest.
    ///
    /// # Errors
    /// [`ParametersError`] names the numbers that do not fit.
    pub fn new(
        members: usize,
        threshold: usize,
        max_revealed: usize,
        min_qualified: usize,
    ) -> Result<Self, ParametersError> {
        let faulty = max_faulty(members);
        let honest = members - faulty;
        if threshold <= faulty.saturating_add(max_revealed) {
            return Err(ParametersError::Secrecy { members, threshold, faulty, exposed: max_revealed });
        }
        if threshold > honest {
            return Err(ParametersError::Unreachable { members, threshold, honest });
        }
        if !(faulty + 1..=honest).contains(&min_qualified) {
            return Err(ParametersError::Dealers { members, min_qualified, faulty, honest });
        }
        Ok(Self { members, threshold, max_revealed, min_qualified })
    }

    /// The `hardened` choice for `n` members: `t = n - f`, at most `f` revealed shares, at least `n - f` dealers.
    ///
    /// # Errors
    /// [`ParametersError`] for a committee without members.
    pub fn hardened(n: usize) -> Result<Self, ParametersError> {
        let f = max_faulty(n);
        Self::new(n, beacon_threshold(n), f, n - f)
    }

    /// Members of the committee, `n`.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.members
    }

    /// Shares that determine the key, `t`.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// Most shares that a dealer may reveal and still qualify.
    #[must_use]
    pub const fn max_revealed(&self) -> usize {
        self.max_revealed
    }

    /// Fewest dealers that make a key.
    #[must_use]
    pub const fn min_qualified(&self) -> usize {
        self.min_qualified
    }
}

/// Why numbers are none of a key generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// The faulty members and the exposed ones would hold the key.
    #[error(
        "a threshold of {threshold} shares among {members} members is no secret: the {faulty} faulty members and {exposed} \
         exposed ones hold {}, so that at least {} are needed",
        faulty.saturating_add(*exposed),
        faulty.saturating_add(*exposed).saturating_add(1)
    )]
    Secrecy {
        /// Size of the committee.
        members: usize,
        /// Shares that determine the key.
        threshold: usize,
        /// Members that may be faulty, `f`.
        faulty: usize,
        /// Shares of one dealing that may be revealed.
        exposed: usize,
    },
    /// The honest members alone do not reach the threshold.
    #[error(
        "a threshold of {threshold} shares among {members} members is out of reach of the {honest} honest ones"
    )]
    Unreachable {
        /// Size of the committee.
        members: usize,
        /// Shares that determine the key.
        threshold: usize,
        /// Members that are honest at least, `n - f`.
        honest: usize,
    },
    /// Too few dealers for one of them to be honest, or more than the honest ones.
    #[error(
        "{min_qualified} dealers of {members} members: more than the {faulty} faulty ones are needed, and no more than the \
         {honest} honest ones are certain"
    )]
    Dealers {
        /// Size of the committee.
        members: usize,
        /// Fewest dealers that make a key.
        min_qualified: usize,
        /// Members that may be faulty, `f`.
        faulty: usize,
        /// Members that are honest at least, `n - f`.
        honest: usize,
    },
}

/// A member of a key generation. A member whose encryption key is not known gets no sealed share: each dealer has to reveal its
/// share. So a member that registers no key keeps nobody else from generating one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionMember {
    /// The identity key, of which the possession was proved.
    pub identity: RegisteredKey,
    /// The key under which shares are encrypted to it.
    pub encryption: Option<EncryptionKey>,
}

/// One key generation: the proofs of possession of its members were checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    chain: ChainId,
    epoch: Epoch,
    attempt: Attempt,
    parameters: Parameters,
    encryption: Vec<Option<EncryptionKey>>,
    identities: Vec<RegisteredKey>,
    id: [u8; 32],
}

impl Session {
    /// Opens the key generation of the committee `members`.
    ///
    /// # Errors
    /// [`SessionError`]: a size or parameters that are not sound, or one key twice.
    pub fn new(
        chain: ChainId,
        epoch: Epoch,
        attempt: Attempt,
        parameters: Parameters,
        members: Vec<SessionMember>,
    ) -> Result<Self, SessionError> {
        let n = members.len();
        if !(1..=MAX_DKG_MEMBERS).contains(&n) {
            return Err(SessionError::Size { members: n });
        }
        if parameters.members != n {
            return Err(SessionError::OtherParameters { parameters: parameters.members, members: n });
        }
        let (identities, encryption): (Vec<_>, Vec<_>) =
            members.into_iter().map(|member| (member.identity, member.encryption)).unzip();
        if let Some((first, second)) = shared_coordinate(&identities) {
            return Err(SessionError::SharedCoordinate { first, second });
        }
        let id = session_id(chain, epoch, attempt, &parameters, (&identities, &encryption));
        Ok(Self { chain, epoch, attempt, parameters, encryption, identities, id })
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// The epoch that the key is for.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Which key generation of the epoch.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The numbers.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many members the new committee has, `n`.
    #[must_use]
    pub fn size(&self) -> usize {
        self.identities.len()
    }

    /// The members' identity keys, in order.
    #[must_use]
    pub fn identities(&self) -> &[RegisteredKey] {
        &self.identities
    }

    /// A member's encryption key; `None` for a stranger, and for a member without one.
    #[must_use]
    pub fn encryption(&self, member: MinerId) -> Option<&EncryptionKey> {
        self.encryption.get(usize::from(member.0))?.as_ref()
    }

    /// The members with an encryption key, in order, each with its key. A dealing has a sealed share for each of them.
    pub fn recipients(&self) -> impl Iterator<Item = (MinerId, &EncryptionKey)> + '_ {
        self.members().zip(&self.encryption).filter_map(|(member, key)| Some((member, key.as_ref()?)))
    }

    /// How many members have an encryption key.
    #[must_use]
    pub fn sealed_shares(&self) -> usize {
        self.encryption.iter().flatten().count()
    }

    /// The position of a member's share among the sealed shares of a dealing.
    #[must_use]
    pub fn sealed_position(&self, member: MinerId) -> Option<usize> {
        self.encryption(member)?;
        let before = self.encryption.iter().take(usize::from(member.0));
        Some(before.flatten().count())
    }

    /// A member's identity key; `None` for a stranger.
    #[must_use]
    pub fn identity(&self, member: MinerId) -> Option<&RegisteredKey> {
        self.identities.get(usize::from(member.0))
    }

    /// The members, in order.
    pub fn members(&self) -> impl Iterator<Item = MinerId> + use<> {
        (0..self.size() as u16).map(MinerId)
    }

    /// Whether a message of `sender` is of this attempt: the check before any signature is looked at.
    ///
    /// # Errors
    /// [`TranscriptError::OtherAttempt`].
    pub(super) fn require_attempt(&self, sender: MinerId, found: Attempt) -> Result<(), TranscriptError> {
        let expected = self.attempt;
        (found == expected).then_some(()).ok_or(TranscriptError::OtherAttempt { sender, found, expected })
    }

    /// The hash of all of the above; part of every signature and every ciphertext of this key generation.
    #[must_use]
    pub const fn id(&self) -> &[u8; 32] {
        &self.id
    }
}

fn session_id(
    chain: ChainId,
    epoch: Epoch,
    attempt: Attempt,
    parameters: &Parameters,
    (identities, encryption): (&[RegisteredKey], &[Option<EncryptionKey>]),
) -> [u8; 32] {
    let mut hash =
        Sha3_256::new().chain_update(SESSION_TAG).chain_update(chain.0).chain_update(epoch.0.to_be_bytes());
    hash.update(attempt.0.to_be_bytes());
    let numbers = [parameters.threshold, parameters.max_revealed, parameters.min_qualified, identities.len()];
    for number in numbers {
        hash.update((number as u64).to_be_bytes());
    }
    for (identity, encryption) in identities.iter().zip(encryption) {
        hash.update(identity.public_key().encode());
        hash.update([u8::from(encryption.is_some())]);
        hash.update(encryption.as_ref().map_or([0; ENCRYPTION_KEY_BYTES], EncryptionKey::encode));
    }
    hash.finalize().into()
}

/// Why a key generation cannot begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No members, or too many.
    #[error("a key generation of {members} members, where 1 to {MAX_DKG_MEMBERS} are served")]
    Size {
        /// Members given.
        members: usize,
    },
    /// The parameters are those of a committee of another size.
    #[error("a committee of {members} members with the parameters of {parameters}")]
    OtherParameters {
        /// Members according to the parameters.
        parameters: usize,
        /// Members given.
        members: usize,
    },
    /// Two members with one key, or with mirrored keys.
    #[error("the keys of miners {} and {} have the same x coordinate", first.0, second.0)]
    SharedCoordinate {
        /// One of them.
        first: MinerId,
        /// The other.
        second: MinerId,
    },
}

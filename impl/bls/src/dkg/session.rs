//! The identity of one key generation: chain, epoch, attempt, the new committee and its parameters. Everything signed
//! commits to it.

use sha3::{Digest, Sha3_256};

use super::encryption::{ENCRYPTION_KEY_BYTES, EncryptionKey};
use crate::committee::{ChainId, Epoch, MinerId, beacon_threshold, max_faulty};
use crate::committee_keys::shared_coordinate;
use crate::keys::{KeyError, PUBLIC_KEY_BYTES, ProofOfPossession, PublicKey, RegisteredKey, SecretKey};
use crate::signature::{SIGNATURE_BYTES, Signature};

/// Members of the largest committee that generates a key: at this size and `t = n - f` the commitments of all dealers, which the
/// magic block carries, are 67 MB.
pub const MAX_DKG_MEMBERS: usize = 1024;

/// Bytes of an encoded registration.
pub const REGISTRATION_BYTES: usize = PUBLIC_KEY_BYTES + SIGNATURE_BYTES + ENCRYPTION_KEY_BYTES;

const SESSION_TAG: &[u8] = b"ZUS-BPP-V01-DKG-SESSION";
const REGISTRATION_TAG: &[u8] = b"ZUS-BPP-V01-REGISTRATION";

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

/// A member's entry in the committee of one epoch, for one attempt to generate its key: its keys, and the proof that they are its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The identity key.
    pub identity: PublicKey,
    /// Proof of possession of the identity key, over chain, epoch, attempt and encryption key.
    pub proof: ProofOfPossession,
    /// The key under which shares are encrypted to this member in this attempt.
    pub encryption: EncryptionKey,
}

impl Registration {
    /// Registers keys for one attempt of one epoch of one chain.
    #[must_use]
    pub fn new(
        chain: ChainId,
        epoch: Epoch,
        attempt: Attempt,
        identity: &SecretKey,
        encryption: EncryptionKey,
    ) -> Self {
        let proof = identity.prove_possession(&statement(chain, epoch, attempt, &encryption));
        Self { identity: identity.public_key(), proof, encryption }
    }

    /// Checks the proof.
    ///
    /// # Errors
    /// [`KeyError::NotPossessed`] when the identity key's owner did not register this encryption key for this attempt.
    pub fn verify(&self, chain: ChainId, epoch: Epoch, attempt: Attempt) -> Result<RegisteredKey, KeyError> {
        self.proof.verify(&self.identity, &statement(chain, epoch, attempt, &self.encryption))
    }

    /// The canonical encoding.
    #[must_use]
    pub fn encode(&self) -> [u8; REGISTRATION_BYTES] {
        let mut bytes = [0; REGISTRATION_BYTES];
        let (identity, rest) = bytes.split_at_mut(PUBLIC_KEY_BYTES);
        let (proof, encryption) = rest.split_at_mut(SIGNATURE_BYTES);
        identity.copy_from_slice(&self.identity.encode());
        proof.copy_from_slice(&self.proof.0.0);
        encryption.copy_from_slice(&self.encryption.encode());
        bytes
    }

    /// Reads what [`Registration::encode`] writes; the proof is not checked.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn decode(bytes: &[u8; REGISTRATION_BYTES]) -> Result<Self, RegistrationError> {
        let (identity, rest) = split::<PUBLIC_KEY_BYTES>(bytes);
        let (proof, rest) = split::<SIGNATURE_BYTES>(rest);
        let (encryption, _) = split::<ENCRYPTION_KEY_BYTES>(rest);
        Ok(Self {
            identity: PublicKey::decode(&identity)?,
            proof: ProofOfPossession(Signature(proof)),
            encryption: EncryptionKey::decode(&encryption).ok_or(RegistrationError::EncryptionKey)?,
        })
    }
}

/// The first `N` bytes, which callers know to be there, and the rest.
fn split<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    bytes.split_first_chunk::<N>().map_or(([0; N], bytes), |(first, rest)| (*first, rest))
}

fn statement(chain: ChainId, epoch: Epoch, attempt: Attempt, encryption: &EncryptionKey) -> Vec<u8> {
    let (epoch, attempt) = (epoch.0.to_be_bytes(), attempt.0.to_be_bytes());
    [REGISTRATION_TAG, &chain.0, &epoch, &attempt, &encryption.encode()].concat()
}

/// One key generation, with every registration checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    chain: ChainId,
    epoch: Epoch,
    attempt: Attempt,
    parameters: Parameters,
    registrations: Vec<Registration>,
    identities: Vec<RegisteredKey>,
    id: [u8; 32],
}

impl Session {
    /// Opens the key generation of the committee `registrations`, in the order of its members.
    ///
    /// # Errors
    /// [`SessionError`]: a size or parameters that are not sound, a registration that does not verify, or one key twice.
    pub fn new(
        chain: ChainId,
        epoch: Epoch,
        attempt: Attempt,
        parameters: Parameters,
        registrations: Vec<Registration>,
    ) -> Result<Self, SessionError> {
        let n = registrations.len();
        if !(1..=MAX_DKG_MEMBERS).contains(&n) {
            return Err(SessionError::Size { members: n });
        }
        if parameters.members != n {
            return Err(SessionError::OtherParameters { parameters: parameters.members, members: n });
        }
        let identities = (0..)
            .map(MinerId)
            .zip(&registrations)
            .map(|(member, registration)| {
                let checked = registration.verify(chain, epoch, attempt);
                checked.map_err(|reason| SessionError::Registration { member, reason })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some((first, second)) = shared_coordinate(&identities) {
            return Err(SessionError::SharedCoordinate { first, second });
        }
        let id = session_id(chain, epoch, attempt, &parameters, &registrations);
        Ok(Self { chain, epoch, attempt, parameters, registrations, identities, id })
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
        self.registrations.len()
    }

    /// The members' registrations, in order.
    #[must_use]
    pub fn registrations(&self) -> &[Registration] {
        &self.registrations
    }

    /// The members' identity keys, in order.
    #[must_use]
    pub fn identities(&self) -> &[RegisteredKey] {
        &self.identities
    }

    /// A member's registration; `None` for a stranger.
    #[must_use]
    pub fn registration(&self, member: MinerId) -> Option<&Registration> {
        self.registrations.get(usize::from(member.0))
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
    registrations: &[Registration],
) -> [u8; 32] {
    let mut hash =
        Sha3_256::new().chain_update(SESSION_TAG).chain_update(chain.0).chain_update(epoch.0.to_be_bytes());
    hash.update(attempt.0.to_be_bytes());
    let numbers =
        [parameters.threshold, parameters.max_revealed, parameters.min_qualified, registrations.len()];
    for number in numbers {
        hash.update((number as u64).to_be_bytes());
    }
    for registration in registrations {
        hash.update(registration.encode());
    }
    hash.finalize().into()
}

/// Why bytes are no registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The identity key is no usable key.
    #[error(transparent)]
    Identity(#[from] KeyError),
    /// The encryption key is a point of small order.
    #[error("the encryption key is of small order")]
    EncryptionKey,
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
    /// A registration that its owner did not make for this chain, epoch and attempt.
    #[error("the registration of miner {} is refused: {reason}", member.0)]
    Registration {
        /// Whose.
        member: MinerId,
        /// Why.
        reason: KeyError,
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

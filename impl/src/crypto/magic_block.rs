//! The magic block: the committee of one epoch, its keys and everything that proves them.
//!
//! It carries, and its digest commits to, the chain, the epoch, the attempt and the parameters of the key generation, every member's keys
//! with their proofs of possession, the set of qualified dealers and **all** their public coefficients. Nothing in it has to
//! be believed: reading one checks the proofs, refuses doubled and mirrored keys, and recomputes the group's key and every
//! member's public share. There is no unchecked form of this type.
//!
//! A magic block alone cannot show that its dealers are the ones that qualified. The members of both committees saw the
//! broadcasts: they compare it with [`MagicBlock::from_outcome`] of their own transcript before they agree to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha3::{Digest, Sha3_256};

use super::certificate::{Signers, SignersError};
use super::committee_keys::{CommitteeKeys, CommitteeKeysError};
use super::curve::{G2, G2_BYTES, PointError};
use super::dkg::{
    Attempt, MAX_DKG_MEMBERS, Outcome, Parameters, ParametersError, REGISTRATION_BYTES, Registration,
    RegistrationError, Session, SessionError, TranscriptError,
};
use super::keys::RegisteredKey;
use super::polynomial::Commitments;
use crate::committee::{ChainId, Epoch, MinerId};

/// The format that is written, and the only one that is read.
pub const MAGIC_BLOCK_VERSION: u8 = 2;

/// Bytes before the registrations: version, chain, epoch, attempt, members, threshold, max_revealed, min_qualified.
const HEADER_BYTES: usize = 1 + 32 + 8 + 4 + 4 * 2;

const DIGEST_TAG: &[u8] = b"ZUS-BPP-V01-MAGIC-BLOCK";

/// A checked magic block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MagicBlock(Outcome);

impl MagicBlock {
    /// The magic block of a key generation that this party followed.
    #[must_use]
    pub const fn from_outcome(outcome: Outcome) -> Self {
        Self(outcome)
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.0.session().chain()
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.session().epoch()
    }

    /// Which key generation of the epoch made the key.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        self.0.session().attempt()
    }

    /// The public result of the key generation.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.0
    }

    /// The keys that signatures of this epoch are checked against.
    ///
    /// # Errors
    /// [`CommitteeKeysError`], which a checked magic block gives no reason for.
    pub fn committee_keys(&self) -> Result<CommitteeKeys, CommitteeKeysError> {
        let identities: Vec<RegisteredKey> = self.0.session().identities().to_vec();
        CommitteeKeys::new(identities, self.0.key().clone())
    }

    /// The hash of the encoding: what the chain agrees on.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha3_256::new().chain_update(DIGEST_TAG).chain_update(self.encode()).finalize().into()
    }

    /// The canonical encoding: version (1 byte), chain (32), epoch (8), attempt (4), members, threshold, max_revealed and
    /// min_qualified (2 each), the registrations, a bitmap of the qualified dealers, and their coefficients. Integers are big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let session = self.0.session();
        let parameters = session.parameters();
        let mut bytes = vec![MAGIC_BLOCK_VERSION];
        bytes.extend(session.chain().0);
        bytes.extend(session.epoch().0.to_be_bytes());
        bytes.extend(session.attempt().0.to_be_bytes());
        let numbers =
            [session.size(), parameters.threshold(), parameters.max_revealed(), parameters.min_qualified()];
        for number in numbers {
            // At most MAX_DKG_MEMBERS each.
            bytes.extend((number as u16).to_be_bytes());
        }
        for registration in session.registrations() {
            bytes.extend(registration.encode());
        }
        let mut bitmap = vec![0; session.size().div_ceil(8)];
        for dealer in self.0.qualified().keys() {
            bitmap[usize::from(dealer.0) / 8] |= 1 << (dealer.0 % 8);
        }
        bytes.extend(bitmap);
        for commitments in self.0.qualified().values() {
            for point in commitments.points() {
                bytes.extend(point.encode());
            }
        }
        bytes
    }

    /// Reads and checks a magic block. The length is checked before anything is allocated or computed.
    ///
    /// # Errors
    /// [`MagicBlockError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MagicBlockError> {
        let header = Header::decode(bytes)?;
        let (registrations, rest) = bytes[HEADER_BYTES..].split_at(header.members * REGISTRATION_BYTES);
        let (bitmap, coefficients) = rest.split_at(header.members.div_ceil(8));
        let dealers = Signers::from_bitmap(header.members, bitmap)?;
        let expected =
            bytes.len() - coefficients.len() + dealers.count() * header.parameters.threshold() * G2_BYTES;
        if bytes.len() != expected {
            return Err(MagicBlockError::Length { expected, found: bytes.len() });
        }
        if dealers.count() < header.parameters.min_qualified() {
            let (qualified, needed) = (dealers.count(), header.parameters.min_qualified());
            return Err(TranscriptError::TooFewQualified { qualified, needed }.into());
        }
        let registrations = registrations
            .as_chunks::<REGISTRATION_BYTES>()
            .0
            .iter()
            .zip((0..).map(MinerId))
            .map(|(bytes, member)| {
                let decoded = Registration::decode(bytes);
                decoded.map_err(|reason| MagicBlockError::Registration { member, reason })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let session =
            Session::new(header.chain, header.epoch, header.attempt, header.parameters, registrations)?;
        let qualified = dealers
            .iter()
            .zip(coefficients.chunks_exact(header.parameters.threshold() * G2_BYTES))
            .map(|(dealer, points)| Ok((dealer, decode_commitments(dealer, points)?)))
            .collect::<Result<BTreeMap<_, _>, MagicBlockError>>()?;
        Ok(Self(Outcome::of(Arc::new(session), qualified)?))
    }
}

/// The fields of fixed size.
struct Header {
    chain: ChainId,
    epoch: Epoch,
    attempt: Attempt,
    members: usize,
    parameters: Parameters,
}

impl Header {
    /// Reads the header, and makes sure that registrations and bitmap follow.
    fn decode(bytes: &[u8]) -> Result<Self, MagicBlockError> {
        let too_short = |expected| MagicBlockError::Length { expected, found: bytes.len() };
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(too_short(HEADER_BYTES))?;
        let [version, header @ ..] = header;
        if *version != MAGIC_BLOCK_VERSION {
            return Err(MagicBlockError::Version { found: *version });
        }
        let (chain, header) = header.split_first_chunk::<32>().ok_or(too_short(HEADER_BYTES))?;
        let (epoch, header) = header.split_first_chunk::<8>().ok_or(too_short(HEADER_BYTES))?;
        let (attempt, numbers) = header.split_first_chunk::<4>().ok_or(too_short(HEADER_BYTES))?;
        let [m0, m1, t0, t1, r0, r1, q0, q1] = *numbers else { return Err(too_short(HEADER_BYTES)) };
        let number = |high, low| usize::from(u16::from_be_bytes([high, low]));
        let members = number(m0, m1);
        if !(1..=MAX_DKG_MEMBERS).contains(&members) {
            return Err(SessionError::Size { members }.into());
        }
        let parameters = Parameters::new(members, number(t0, t1), number(r0, r1), number(q0, q1))?;
        let follows = members * REGISTRATION_BYTES + members.div_ceil(8);
        if rest.len() < follows {
            return Err(too_short(HEADER_BYTES + follows));
        }
        let (epoch, attempt) = (Epoch(u64::from_be_bytes(*epoch)), Attempt(u32::from_be_bytes(*attempt)));
        Ok(Self { chain: ChainId(*chain), epoch, attempt, members, parameters })
    }
}

fn decode_commitments(dealer: MinerId, bytes: &[u8]) -> Result<Commitments, MagicBlockError> {
    bytes
        .as_chunks::<G2_BYTES>()
        .0
        .iter()
        .enumerate()
        .map(|(index, point)| {
            G2::decode(point).map_err(|reason| MagicBlockError::Commitment { dealer, index, reason })
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Commitments::new)
}

/// Why bytes are no magic block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MagicBlockError {
    /// Another format.
    #[error("version {found} of the magic block where {MAGIC_BLOCK_VERSION} is read")]
    Version {
        /// The version.
        found: u8,
    },
    /// Bytes are missing or too many.
    #[error("{found} bytes where the magic block needs {expected}")]
    Length {
        /// Bytes needed, as far as is known.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A member's keys are unusable.
    #[error("the registration of miner {} is unusable: {reason}", member.0)]
    Registration {
        /// Whose.
        member: MinerId,
        /// Why.
        reason: RegistrationError,
    },
    /// The parameters of the key generation are not sound.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// The committee or a proof of possession is refused.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The bitmap of qualified dealers is not canonical.
    #[error(transparent)]
    Dealers(#[from] SignersError),
    /// A coefficient is no usable point.
    #[error("coefficient {index} of miner {} is {reason}", dealer.0)]
    Commitment {
        /// Whose.
        dealer: MinerId,
        /// Which, constant first.
        index: usize,
        /// The fault of the point.
        reason: PointError,
    },
    /// The dealings make no key.
    #[error(transparent)]
    Key(#[from] TranscriptError),
}

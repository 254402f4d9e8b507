//! A dealer's broadcast, and a recipient's receipt for its share.

use sha3::{Digest, Sha3_256};

use super::DecodeError;
use super::encryption::{SEALED_SHARE_BYTES, SealedShare};
use super::session::{ATTEMPT_BYTES, Attempt, Session};
use crate::committee::MinerId;
use crate::curve::{G2, G2_BYTES};
use crate::keys::{DomainTag, SecretKey};
use crate::polynomial::Commitments;
use crate::signature::{SIGNATURE_BYTES, Signature};

const DIGEST_TAG: &[u8] = b"ZUS-BPP-V01-DKG-DEALING-DIGEST";

/// Commitments to a polynomial, and every member's share of it, sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dealing {
    /// In which attempt.
    pub attempt: Attempt,
    /// The dealer.
    pub dealer: MinerId,
    /// Feldman commitments to the coefficients, constant first; `t` of them.
    pub commitments: Commitments,
    /// The share of every member with an encryption key, in order.
    pub sealed: Vec<SealedShare>,
    /// The dealer's signature over session and digest.
    pub signature: Signature,
}

impl Dealing {
    /// Signs commitments and sealed shares as `dealer`.
    #[must_use]
    pub(super) fn signed(
        session: &Session,
        dealer: MinerId,
        identity: &SecretKey,
        commitments: Commitments,
        sealed: Vec<SealedShare>,
    ) -> Self {
        let attempt = session.attempt();
        let signature = Signature([0; SIGNATURE_BYTES]);
        let mut dealing = Self { attempt, dealer, commitments, sealed, signature };
        dealing.signature = identity.sign(DomainTag::DKG_DEALING, &dealing.digest(session));
        dealing
    }

    /// The hash of session, attempt, dealer, commitments and sealed shares.
    #[must_use]
    pub fn digest(&self, session: &Session) -> [u8; 32] {
        digest_of(session, &self.body())
    }

    /// Whether this is of the session's attempt, the dealer is a member, signed this, and commits to `t` coefficients and
    /// has a sealed share for each member with an encryption key.
    #[must_use]
    pub fn is_authentic(&self, session: &Session) -> bool {
        self.attempt == session.attempt()
            && self.commitments.threshold() == session.parameters().threshold()
            && self.sealed.len() == session.sealed_shares()
            && session.identity(self.dealer).is_some_and(|key| {
                key.public_key().verify(DomainTag::DKG_DEALING, &self.digest(session), &self.signature)
            })
    }

    /// Bytes of every dealing of a session.
    #[must_use]
    pub fn encoded_bytes(session: &Session) -> usize {
        HEADER_BYTES
            + session.parameters().threshold() * G2_BYTES
            + session.sealed_shares() * SEALED_SHARE_BYTES
            + SIGNATURE_BYTES
    }

    /// The canonical encoding: attempt (4 bytes, big-endian), dealer (2 bytes), commitments, sealed shares, signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.body();
        bytes.extend(self.signature.0);
        bytes
    }

    /// Reads what [`Dealing::encode`] writes; the signature is not checked. It decodes `t` points before it knows who wrote them:
    /// for bytes of a stranger there is [`Transcript::receive_dealing`](super::Transcript::receive_dealing).
    ///
    /// # Errors
    /// [`DecodeError`] for another length than this session's dealings have, and for unusable points.
    pub fn decode(session: &Session, bytes: &[u8]) -> Result<Self, DecodeError> {
        let Parts { attempt, dealer, points, sealed, signature, .. } = Parts::of(session, bytes)?;
        let points = points
            .as_chunks::<G2_BYTES>()
            .0
            .iter()
            .enumerate()
            .map(|(index, point)| {
                G2::decode(point).map_err(|reason| DecodeError::Commitment { index, reason })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            attempt,
            dealer,
            commitments: Commitments::new(points),
            sealed: sealed.as_chunks::<SEALED_SHARE_BYTES>().0.iter().copied().map(SealedShare).collect(),
            signature,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut bytes = encode_header(self.attempt, self.dealer).to_vec();
        for point in self.commitments.points() {
            bytes.extend(point.encode());
        }
        for sealed in &self.sealed {
            bytes.extend(sealed.0);
        }
        bytes
    }
}

/// The bytes of a dealing, taken apart: no point is decoded.
pub(super) struct Parts<'a> {
    pub attempt: Attempt,
    pub dealer: MinerId,
    points: &'a [u8],
    sealed: &'a [u8],
    /// All that is signed.
    body: &'a [u8],
    pub signature: Signature,
}

impl<'a> Parts<'a> {
    /// # Errors
    /// [`DecodeError::Length`] for another length than this session's dealings have.
    pub fn of(session: &Session, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let expected = Dealing::encoded_bytes(session);
        let wrong_length = DecodeError::Length { expected, found: bytes.len() };
        if bytes.len() != expected {
            return Err(wrong_length);
        }
        let (body, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>().ok_or(wrong_length)?;
        let (header, rest) = body.split_first_chunk::<HEADER_BYTES>().ok_or(wrong_length)?;
        let (attempt, dealer) = decode_header(header);
        let (points, sealed) = rest.split_at(session.parameters().threshold() * G2_BYTES);
        Ok(Self { attempt, dealer, points, sealed, body, signature: Signature(*signature) })
    }

    /// [`Dealing::digest`]: the encoding is canonical, so that the bytes tell it.
    pub fn digest(&self, session: &Session) -> [u8; 32] {
        digest_of(session, self.body)
    }

    /// Whether the dealer is a member and signed the dealing with this digest.
    pub fn is_signed(&self, session: &Session, digest: &[u8; 32]) -> bool {
        session
            .identity(self.dealer)
            .is_some_and(|key| key.public_key().verify(DomainTag::DKG_DEALING, digest, &self.signature))
    }
}

fn digest_of(session: &Session, body: &[u8]) -> [u8; 32] {
    let hash = Sha3_256::new().chain_update(DIGEST_TAG).chain_update(session.id());
    hash.chain_update(body).finalize().into()
}

/// Bytes before the body of a dealing or settlement: attempt and dealer.
pub(super) const HEADER_BYTES: usize = ATTEMPT_BYTES + 2;

pub(super) fn encode_header(attempt: Attempt, dealer: MinerId) -> [u8; HEADER_BYTES] {
    let ([a0, a1, a2, a3], [d0, d1]) = (attempt.0.to_be_bytes(), dealer.0.to_be_bytes());
    [a0, a1, a2, a3, d0, d1]
}

pub(super) fn decode_header(bytes: &[u8; HEADER_BYTES]) -> (Attempt, MinerId) {
    let [a0, a1, a2, a3, d0, d1] = *bytes;
    (Attempt(u32::from_be_bytes([a0, a1, a2, a3])), MinerId(u16::from_be_bytes([d0, d1])))
}

/// The context to which a sealed share is bound: session, dealer, recipient and commitments. It opens nowhere else.
pub(super) fn sealing_context(
    session: &Session,
    dealer: MinerId,
    recipient: MinerId,
    commitments: &Commitments,
) -> Vec<u8> {
    let mut context = session.id().to_vec();
    context.extend(dealer.0.to_be_bytes());
    context.extend(recipient.0.to_be_bytes());
    for point in commitments.points() {
        context.extend(point.encode());
    }
    context
}

/// "My share of this dealing is right": sent to the dealer, which shows it instead of the share.
///
/// All receipts for one dealing sign one message, so that they add up to one signature; each is bound to its recipient by
/// the registered key that alone verifies it, and to the session, the dealer and the dealing by the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// In which attempt.
    pub attempt: Attempt,
    /// Whose dealing.
    pub dealer: MinerId,
    /// Whose share.
    pub recipient: MinerId,
    /// The recipient's signature over the dealing's digest.
    pub signature: Signature,
}

impl Receipt {
    /// Bytes of an encoded receipt.
    pub const BYTES: usize = HEADER_BYTES + 2 + SIGNATURE_BYTES;

    /// The canonical encoding: attempt (4 bytes, big-endian), dealer and recipient (2 bytes each), signature.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..HEADER_BYTES].copy_from_slice(&encode_header(self.attempt, self.dealer));
        bytes[HEADER_BYTES..HEADER_BYTES + 2].copy_from_slice(&self.recipient.0.to_be_bytes());
        bytes[HEADER_BYTES + 2..].copy_from_slice(&self.signature.0);
        bytes
    }

    /// Reads what [`Receipt::encode`] writes; the signature is not checked.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let [a0, a1, a2, a3, d0, d1, r0, r1, signature @ ..] = *bytes;
        let (attempt, dealer) = decode_header(&[a0, a1, a2, a3, d0, d1]);
        Self {
            attempt,
            dealer,
            recipient: MinerId(u16::from_be_bytes([r0, r1])),
            signature: Signature(signature),
        }
    }
}

//! A dealer's settlement: for every member, its receipt or its bare share.

use sha3::{Digest, Sha3_256};

use super::DecodeError;
use super::dealing::{HEADER_BYTES, decode_header, encode_header};
use super::session::{Attempt, Session};
use crate::committee::MinerId;
use crate::curve::{SCALAR_BYTES, Scalar};
use crate::keys::{DomainTag, SecretKey, verify_aggregate};
use crate::signature::{SIGNATURE_BYTES, Signature};
use crate::signers::Signers;

const DIGEST_TAG: &[u8] = b"ZUS-BPP-V01-DKG-SETTLEMENT-DIGEST";

/// Receipts, and the shares of those whose receipt is missing.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// In which attempt.
    pub attempt: Attempt,
    /// Whose dealing.
    pub dealer: MinerId,
    /// Whose receipts are in the aggregate.
    pub receipts: Signers,
    /// The sum of the receipts.
    pub aggregate: Signature,
    /// The bare shares of all others, in order.
    pub revealed: Vec<Scalar>,
    /// The dealer's signature over session and digest.
    pub signature: Signature,
}

impl Settlement {
    /// Signs receipts and shares as `dealer`.
    #[must_use]
    pub(super) fn signed(
        session: &Session,
        dealer: MinerId,
        identity: &SecretKey,
        (receipts, aggregate): (Signers, Signature),
        revealed: Vec<Scalar>,
    ) -> Self {
        let (attempt, signature) = (session.attempt(), Signature([0; SIGNATURE_BYTES]));
        let mut settlement = Self { attempt, dealer, receipts, aggregate, revealed, signature };
        settlement.signature = identity.sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(session));
        settlement
    }

    /// The hash of session, attempt, dealer, receipts and revealed shares.
    #[must_use]
    pub fn digest(&self, session: &Session) -> [u8; 32] {
        Sha3_256::new()
            .chain_update(DIGEST_TAG)
            .chain_update(session.id())
            .chain_update(self.body())
            .finalize()
            .into()
    }

    /// Whether this is of the session's attempt, the dealer is a member and signed this, and everybody is either in the bitmap or
    /// revealed.
    #[must_use]
    pub fn is_authentic(&self, session: &Session) -> bool {
        self.attempt == session.attempt()
            && self.receipts.committee_size() == session.size()
            && self.receipts.count() + self.revealed.len() == session.size()
            && session.identity(self.dealer).is_some_and(|key| {
                key.public_key().verify(DomainTag::DKG_SETTLEMENT, &self.digest(session), &self.signature)
            })
    }

    /// Whether exactly the members of the bitmap signed a receipt for the dealing with this digest.
    #[must_use]
    pub fn receipts_verify(&self, session: &Session, dealing_digest: &[u8; 32]) -> bool {
        let keys = self.receipts.iter().filter_map(|member| session.identity(member));
        verify_aggregate(keys, DomainTag::DKG_RECEIPT, dealing_digest, &self.aggregate)
    }

    /// The revealed shares with their owners.
    pub fn revealed(&self) -> impl Iterator<Item = (MinerId, &Scalar)> + '_ {
        let missing = (0..self.receipts.committee_size() as u16).map(MinerId);
        missing.filter(|&member| !self.receipts.contains(member)).zip(&self.revealed)
    }

    /// The canonical encoding: attempt (4 bytes, big-endian), dealer (2 bytes), bitmap, aggregate, revealed shares, signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.body();
        bytes.extend(self.signature.0);
        bytes
    }

    /// Reads what [`Settlement::encode`] writes; no signature is checked.
    ///
    /// # Errors
    /// [`DecodeError`] for a bitmap that is not canonical, another length than it asks for, and shares that are no scalars.
    pub fn decode(session: &Session, bytes: &[u8]) -> Result<Self, DecodeError> {
        let bitmap_bytes = session.size().div_ceil(8);
        let fixed = HEADER_BYTES + bitmap_bytes + SIGNATURE_BYTES + SIGNATURE_BYTES;
        let wrong_length = |expected| DecodeError::Length { expected, found: bytes.len() };
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(wrong_length(fixed))?;
        let (attempt, dealer) = decode_header(header);
        let (bitmap, rest) = rest.split_at_checked(bitmap_bytes).ok_or(wrong_length(fixed))?;
        let receipts = Signers::from_bitmap(session.size(), bitmap)?;
        let expected = fixed + (session.size() - receipts.count()) * SCALAR_BYTES;
        if bytes.len() != expected {
            return Err(wrong_length(expected));
        }
        let (aggregate, rest) = rest.split_first_chunk().ok_or(wrong_length(expected))?;
        let (revealed, signature) = rest.split_last_chunk().ok_or(wrong_length(expected))?;
        let revealed = revealed
            .as_chunks::<SCALAR_BYTES>()
            .0
            .iter()
            .enumerate()
            .map(|(index, share)| Scalar::from_bytes(share).ok_or(DecodeError::Share { index }))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            attempt,
            dealer,
            receipts,
            aggregate: Signature(*aggregate),
            revealed,
            signature: Signature(*signature),
        })
    }

    /// Attempt and dealer of an encoded settlement.
    pub(super) fn header(bytes: &[u8]) -> Option<(Attempt, MinerId)> {
        bytes.first_chunk::<HEADER_BYTES>().map(decode_header)
    }

    fn body(&self) -> Vec<u8> {
        let mut bytes = encode_header(self.attempt, self.dealer).to_vec();
        bytes.extend(self.receipts.bitmap());
        bytes.extend(self.aggregate.0);
        for share in &self.revealed {
            bytes.extend(share.to_bytes().iter());
        }
        bytes
    }
}

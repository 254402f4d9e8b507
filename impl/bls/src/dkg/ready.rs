//! A member's statement that its key share of one record is durable.

use sha3::{Digest, Sha3_256};

use super::session::{Attempt, Session};
use crate::committee::MinerId;
use crate::keys::{DomainTag, SecretKey};
use crate::signature::{SIGNATURE_BYTES, Signature};

const DIGEST_TAG: &[u8] = b"ZUS-BPP-V01-DKG-READY-DIGEST";

/// "My key share of exactly this record is on my disk."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ready {
    /// In which attempt.
    pub attempt: Attempt,
    /// The member.
    pub member: MinerId,
    /// The digest of the record.
    pub record: [u8; 32],
    /// The member's signature over session and record.
    pub signature: Signature,
}

impl Ready {
    /// Bytes of an encoded ready statement.
    pub const BYTES: usize = 4 + 2 + 32 + SIGNATURE_BYTES;

    /// Signs as `member` that its share of `record` is durable.
    #[must_use]
    pub fn new(session: &Session, member: MinerId, identity: &SecretKey, record: [u8; 32]) -> Self {
        let signature = identity.sign(DomainTag::DKG_READY, &message(session, &record));
        Self { attempt: session.attempt(), member, record, signature }
    }

    /// Whether this is of the session's attempt, and the member signed it.
    #[must_use]
    pub fn is_authentic(&self, session: &Session) -> bool {
        let message = || message(session, &self.record);
        self.attempt == session.attempt()
            && session
                .identity(self.member)
                .is_some_and(|key| key.public_key().verify(DomainTag::DKG_READY, &message(), &self.signature))
    }

    /// The canonical encoding: attempt (4 bytes, big-endian), member (2), digest of the record (32), signature (48).
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.attempt.0.to_be_bytes());
        bytes[4..6].copy_from_slice(&self.member.0.to_be_bytes());
        bytes[6..38].copy_from_slice(&self.record);
        bytes[38..].copy_from_slice(&self.signature.0);
        bytes
    }

    /// Reads what [`Ready::encode`] writes; the signature is not checked.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let [a0, a1, a2, a3, m0, m1, rest @ ..] = *bytes;
        let (mut record, mut signature) = ([0; 32], [0; SIGNATURE_BYTES]);
        record.copy_from_slice(&rest[..32]);
        signature.copy_from_slice(&rest[32..]);
        Self {
            attempt: Attempt(u32::from_be_bytes([a0, a1, a2, a3])),
            member: MinerId(u16::from_be_bytes([m0, m1])),
            record,
            signature: Signature(signature),
        }
    }
}

fn message(session: &Session, record: &[u8; 32]) -> [u8; 32] {
    let hash = Sha3_256::new().chain_update(DIGEST_TAG).chain_update(session.id());
    hash.chain_update(record).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ATTEMPT, EPOCH, identity, session};
    use super::*;

    #[test]
    fn a_ready_statement_is_for_one_record_in_one_attempt_by_one_member() {
        let before = session(4, EPOCH, ATTEMPT);
        let ready = Ready::new(&before, MinerId(2), &identity(2), [7; 32]);
        assert_eq!(Ready::decode(&ready.encode()), ready);
        assert!(ready.is_authentic(&before));
        assert!(!Ready { record: [8; 32], ..ready }.is_authentic(&before));
        assert!(!Ready { member: MinerId(1), ..ready }.is_authentic(&before));
        assert!(!Ready { member: MinerId(4), ..ready }.is_authentic(&before), "a stranger");
        let next = Attempt(ATTEMPT.0 + 1);
        let after = session(4, EPOCH, next);
        assert!(!ready.is_authentic(&after));
        assert!(!Ready { attempt: next, ..ready }.is_authentic(&after), "relabelled");
    }
}

//! The job that all libraries do: from n tickets as bytes to the aggregate of the valid ones and the list of the invalid ones.

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::curve::G1;
use zus_bpp::crypto::keys::{DomainTag, aggregate};
use zus_bpp::crypto::scheme::Signature;

use crate::committee::{Aggregation, Keys, Tickets};

/// The domain tag of all tickets: commonware's, because that library allows no other.
const TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// The namespace that commonware puts before a statement, after the byte of its length.
pub const NAMESPACE: &[u8] = b"zus";

/// The statement that all tickets sign.
pub const STATEMENT: &[u8] = b"epoch 1, round 2, subround 0, block 3";

/// The domain tag of all tickets.
#[must_use]
pub fn tag() -> DomainTag {
    DomainTag::new(TAG)
}

/// The bytes that are signed: [`STATEMENT`] in commonware's form, because that library allows no other.
#[must_use]
pub fn message() -> Vec<u8> {
    [&[NAMESPACE.len() as u8], NAMESPACE, STATEMENT].concat()
}

/// A committee and the tickets of all its members, all of them valid.
pub struct Job {
    /// The keys of the committee.
    pub keys: Keys,
    /// One ticket a member.
    pub tickets: Tickets,
    /// The hash of the message on the curve, for libraries that cannot compute it under this tag.
    pub hash: G1,
}

impl Job {
    /// The job of a committee of `n`: the same keys and tickets every time.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let keys = Keys::new(n);
        let tickets = keys.tickets(tag(), &message());
        let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
        Self { keys, tickets, hash }
    }

    /// The right answer for tickets of this job: known from how they were made, and not verified by anybody.
    #[must_use]
    pub fn expected(&self, tickets: &Tickets) -> Aggregation {
        let invalid: Vec<u16> = tickets.invalid.iter().map(|miner| miner.0).collect();
        let is_valid = |(miner, _): &&(MinerId, Signature)| !tickets.invalid.contains(miner);
        let valid: Vec<Signature> =
            tickets.signatures.iter().filter(is_valid).map(|(_, signature)| *signature).collect();
        let sum =
            (valid.len() >= self.keys.quorum()).then(|| aggregate(&valid).expect("points of the curve"));
        Aggregation { aggregate: sum.map(|sum| sum.0), invalid }
    }

    /// The certificate of the first members that are a quorum.
    #[must_use]
    pub fn certificate(&self) -> Certificate<'_> {
        let signers = self.keys.quorum();
        let summands: Vec<Signature> =
            self.tickets.signatures.iter().take(signers).map(|(_, signature)| *signature).collect();
        Certificate { job: self, signers, aggregate: aggregate(&summands).expect("points of the curve").0 }
    }
}

/// A certificate over the message of a job.
pub struct Certificate<'a> {
    /// The committee and the message.
    pub job: &'a Job,
    /// So many members signed it, the first ones.
    pub signers: usize,
    /// The sum of their signatures.
    pub aggregate: [u8; 48],
}

//! Domain separation: one hash-to-curve tag for each kind of statement.

use crate::scheme::Domain;

/// The domain separation tag of RFC 9380, section 3.1: two tags hash one message to unrelated points, so that a signature
/// of one kind is never a signature of another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DomainTag(&'static [u8]);

impl DomainTag {
    /// A dealer's signature over its dealing (distributed key generation).
    pub const DKG_DEALING: Self = Self(b"ZUS-BPP-V01-DKG-DEALING_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A recipient's receipt for its share of a dealing.
    pub const DKG_RECEIPT: Self = Self(b"ZUS-BPP-V01-DKG-RECEIPT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A dealer's signature over its receipts and revealed shares.
    pub const DKG_SETTLEMENT: Self = Self(b"ZUS-BPP-V01-DKG-SETTLEMENT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");

    /// A tag of another protocol, for verifying its signatures.
    #[must_use]
    pub const fn new(tag: &'static [u8]) -> Self {
        Self(tag)
    }

    /// The tag's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0
    }
}

impl From<Domain> for DomainTag {
    fn from(domain: Domain) -> Self {
        Self(match domain {
            Domain::Proposal => b"ZUS-BPP-V01-PROPOSAL_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
            Domain::Ticket => b"ZUS-BPP-V01-TICKET_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
            Domain::Timeout => b"ZUS-BPP-V01-TIMEOUT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
            Domain::FinalityVote => b"ZUS-BPP-V01-FINALITY-VOTE_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
            Domain::Beacon => b"ZUS-BPP-V01-BEACON_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
            Domain::ProofOfPossession => {
                b"ZUS-BPP-V01-PROOF-OF-POSSESSION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"
            }
        })
    }
}

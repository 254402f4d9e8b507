//! Domain separation: one hash-to-curve tag for each kind of statement.

/// The domain separation tag of RFC 9380, section 3.1: two tags hash one message to unrelated points, so that a signature
/// of one kind is never a signature of another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DomainTag(&'static [u8]);

impl DomainTag {
    /// A beacon share, and the group signature that shares combine to.
    pub const BEACON: Self = Self(b"ZUS-BPP-V01-BEACON_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A proof that the owner of a public key has its secret.
    pub const PROOF_OF_POSSESSION: Self =
        Self(b"ZUS-BPP-V01-PROOF-OF-POSSESSION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A member's signature over its encryption key (distributed key generation).
    pub const DKG_REGISTRATION: Self =
        Self(b"ZUS-BPP-V01-DKG-REGISTRATION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A dealer's signature over its dealing (distributed key generation).
    pub const DKG_DEALING: Self = Self(b"ZUS-BPP-V01-DKG-DEALING_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A recipient's receipt for its share of a dealing.
    pub const DKG_RECEIPT: Self = Self(b"ZUS-BPP-V01-DKG-RECEIPT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A dealer's signature over its receipts and revealed shares.
    pub const DKG_SETTLEMENT: Self = Self(b"ZUS-BPP-V01-DKG-SETTLEMENT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    /// A member's statement that its key share is durable.
    pub const DKG_READY: Self = Self(b"ZUS-BPP-V01-DKG-READY_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");

    /// The tags of this crate's own signatures. No other signature may have one of them, see [`DomainTag::is_reserved`].
    pub const RESERVED: [Self; 7] = [
        Self::BEACON,
        Self::PROOF_OF_POSSESSION,
        Self::DKG_REGISTRATION,
        Self::DKG_DEALING,
        Self::DKG_RECEIPT,
        Self::DKG_SETTLEMENT,
        Self::DKG_READY,
    ];

    /// A tag of a protocol that uses this crate: one for each kind of statement, none of which begins another. By RFC 9380 it names
    /// the protocol, its version and the suite, such as
    /// `MY-PROTOCOL-V01-VOTE_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_`.
    #[must_use]
    pub const fn new(tag: &'static [u8]) -> Self {
        Self(tag)
    }

    /// The tag's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0
    }

    /// Whether [`Sign`](crate::scheme::Sign) and [`Verify`](crate::scheme::Verify) refuse this tag. A beacon share belongs to
    /// another key, a proof of possession is made once, over the key itself, and the messages of a key generation bind its
    /// session: a participant that signs any message under such a tag would let one be passed off as the other.
    #[must_use]
    pub fn is_reserved(self) -> bool {
        Self::RESERVED.contains(&self)
    }
}

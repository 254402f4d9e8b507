//! The cryptography that the miner and the sharder need, and the kinds of statements that are signed.

use zus_bls::keys::DomainTag;
pub use zus_bls::scheme::*;

/// All that a miner needs: the three traits at once.
pub trait Scheme: Sign + Verify + Beacon {}

impl<S: Sign + Verify + Beacon> Scheme for S {}

/// The kind of a signed statement. Each has its own domain tag, so that no signature can be replayed as another kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Domain {
    /// A block proposal (step 2).
    Proposal,
    /// A verification ticket (step 5).
    Ticket,
    /// A timeout vote (step 9).
    Timeout,
    /// A finality vote (step 8).
    FinalityVote,
    /// A beacon share (step 1), signed with the share of the committee's key, never with the identity key.
    Beacon,
    /// The proof of possession of an identity key.
    ProofOfPossession,
}

impl Domain {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Proposal,
        Self::Ticket,
        Self::Timeout,
        Self::FinalityVote,
        Self::Beacon,
        Self::ProofOfPossession,
    ];

    /// The domain tag.
    #[must_use]
    pub const fn tag(self) -> DomainTag {
        match self {
            Domain::Proposal => DomainTag::new(b"ZUS-BPP-V01-PROPOSAL_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"),
            Domain::Ticket => DomainTag::new(b"ZUS-BPP-V01-TICKET_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"),
            Domain::Timeout => DomainTag::new(b"ZUS-BPP-V01-TIMEOUT_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"),
            Domain::FinalityVote => {
                DomainTag::new(b"ZUS-BPP-V01-FINALITY-VOTE_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_")
            }
            Domain::Beacon => DomainTag::BEACON,
            Domain::ProofOfPossession => DomainTag::PROOF_OF_POSSESSION,
        }
    }

    /// The kind with this tag; `None` for a tag of another protocol, or of a key generation.
    #[must_use]
    pub fn of(tag: DomainTag) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.tag() == tag)
    }
}

impl From<Domain> for DomainTag {
    fn from(domain: Domain) -> Self {
        domain.tag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_domain_tags_differ_and_none_begins_another() {
        let kinds = Domain::ALL.map(Domain::tag).into_iter();
        let tags: Vec<DomainTag> =
            kinds.chain(DomainTag::RESERVED.into_iter().filter(|tag| Domain::of(*tag).is_none())).collect();
        assert_eq!(tags.len(), 11);
        for (i, a) in tags.iter().enumerate() {
            for b in &tags[..i] {
                assert!(!a.as_bytes().starts_with(b.as_bytes()), "{a:?} begins with {b:?}");
                assert!(!b.as_bytes().starts_with(a.as_bytes()), "{b:?} begins with {a:?}");
            }
        }
    }

    #[test]
    fn what_is_signed_with_the_identity_key_has_no_reserved_tag() {
        use Domain::{FinalityVote, Proposal, Ticket, Timeout};
        let free = Domain::ALL.into_iter().filter(|kind| !kind.tag().is_reserved());
        assert_eq!(free.collect::<Vec<_>>(), [Proposal, Ticket, Timeout, FinalityVote]);
    }
}

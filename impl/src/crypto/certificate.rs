//! Certificates: an aggregate signature of a quorum and the bitmap that says who signed (steps 7, 9 and 10; S8, S10).
//!
//! A certificate is accountable: the bitmap is part of it, the aggregate verifies for exactly the marked members, and all
//! their keys are registered, so that every marked member did sign. The encoding of a signer set is canonical
//! ([`zus_bls::signers`]).
//!
//! A valid aggregate does **not** show that each summand was a valid ticket: two forged ones can cancel (see
//! [`zus_bls::keys::verify_aggregate`]). This does no harm. The resulting certificate is byte for byte the one of
//! honest tickets, and a bit in the bitmap means "this member's key signed", never "this member's ticket was good".

pub use zus_bls::signers::{MAX_BITMAP_BYTES, Signers, SignersError};

use super::scheme::{Domain, Signature, Verify};
use crate::committee::MinerId;

/// The signature of a quorum over one message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Certificate {
    /// The signers.
    pub signers: Signers,
    /// The sum of their signatures.
    pub aggregate: Signature,
}

impl Certificate {
    /// This certificate together with the signatures of others over the same message, whose sum is given. It verifies if
    /// both do. `None` when somebody is in both, or the sum is infinite.
    #[must_use]
    pub fn joined_by<S: Verify>(&self, others: &[MinerId], sum: &Signature, scheme: &S) -> Option<Self> {
        let mut signers = self.signers.clone();
        for &member in others {
            signers.insert(member).ok()?;
        }
        Some(Self { signers, aggregate: scheme.aggregate(&[self.aggregate, *sum])? })
    }

    /// Sums the signatures of distinct members, at least `quorum` of them. The sum is **not** verified: verify the
    /// signatures before, or [`Certificate::verify`] the result.
    ///
    /// # Errors
    /// [`CertificateError::Signers`] for a duplicate or a stranger, [`CertificateError::SubQuorum`],
    /// [`CertificateError::NotAggregable`].
    pub fn assemble(
        scheme: &impl Verify,
        quorum: usize,
        signatures: &[(MinerId, Signature)],
    ) -> Result<Self, CertificateError> {
        let members = signatures.iter().map(|(member, _)| *member);
        let signers = Signers::from_members(scheme.committee_size(), members)?;
        require_quorum(&signers, quorum)?;
        let summands: Vec<Signature> = signatures.iter().map(|(_, signature)| *signature).collect();
        let aggregate = scheme.aggregate(&summands).ok_or(CertificateError::NotAggregable)?;
        Ok(Self { signers, aggregate })
    }

    /// Whether at least `quorum` members of the scheme's committee signed `message`, and exactly those in the bitmap.
    ///
    /// # Errors
    /// [`CertificateError::OtherCommittee`], [`CertificateError::SubQuorum`], [`CertificateError::DoesNotVerify`].
    pub fn verify(
        &self,
        scheme: &impl Verify,
        quorum: usize,
        domain: Domain,
        message: &[u8],
    ) -> Result<(), CertificateError> {
        let signers = self.quorum_of(scheme, quorum)?;
        scheme
            .verify_aggregate(&signers, domain, message, &self.aggregate)
            .then_some(())
            .ok_or(CertificateError::DoesNotVerify)
    }

    /// The signers, strictly increasing, if they are of the scheme's committee and enough: all of [`Certificate::verify`]
    /// that needs no pairing.
    ///
    /// # Errors
    /// [`CertificateError::OtherCommittee`], [`CertificateError::SubQuorum`].
    pub(crate) fn quorum_of(
        &self,
        scheme: &impl Verify,
        quorum: usize,
    ) -> Result<Vec<MinerId>, CertificateError> {
        if self.signers.committee_size() != scheme.committee_size() {
            return Err(CertificateError::OtherCommittee {
                expected: scheme.committee_size(),
                found: self.signers.committee_size(),
            });
        }
        require_quorum(&self.signers, quorum)?;
        Ok(self.signers.iter().collect())
    }
}

fn require_quorum(signers: &Signers, quorum: usize) -> Result<(), CertificateError> {
    let count = signers.count();
    // A quorum of zero would make the empty set a certificate.
    (count >= quorum.max(1)).then_some(()).ok_or(CertificateError::SubQuorum { signers: count, quorum })
}

/// Why a certificate was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The signers are no set of members.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// Too few distinct signers.
    #[error("{signers} signers where the quorum is {quorum}")]
    SubQuorum {
        /// Distinct signers.
        signers: usize,
        /// Signers needed.
        quorum: usize,
    },
    /// A summand is no signature, or the sum is infinite.
    #[error("the signatures cannot be summed")]
    NotAggregable,
    /// The bitmap is of a committee of another size.
    #[error("a bitmap for {found} members in a committee of {expected}")]
    OtherCommittee {
        /// Size of the committee.
        expected: usize,
        /// Size that the bitmap is for.
        found: usize,
    },
    /// The aggregate is not the sum of these signers' signatures over this message.
    #[error("the aggregate signature does not verify for these signers and this message")]
    DoesNotVerify,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
    use crate::crypto::scheme::Sign as _;

    const QUORUM: usize = 3;

    fn scheme(i: u16) -> MockScheme {
        MockCommittee::new(4, 1).member(MinerId(i)).unwrap()
    }

    fn ticket(i: u16) -> (MinerId, Signature) {
        (MinerId(i), scheme(i).sign(Domain::Ticket, b"block").unwrap())
    }

    fn verify(certificate: &Certificate) -> Result<(), CertificateError> {
        certificate.verify(&scheme(0), QUORUM, Domain::Ticket, b"block")
    }

    #[test]
    fn a_quorum_in_any_order_makes_one_and_the_same_certificate() {
        let certificate =
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(3), ticket(0), ticket(1)]).unwrap();
        assert_eq!(verify(&certificate), Ok(()));
        assert_eq!(certificate.signers.bitmap(), [0b1011]);
        let sorted = Certificate::assemble(&scheme(2), QUORUM, &[ticket(0), ticket(1), ticket(3)]).unwrap();
        assert_eq!(sorted, certificate);
        assert_eq!(
            certificate.verify(&scheme(0), QUORUM, Domain::Timeout, b"block"),
            Err(CertificateError::DoesNotVerify)
        );
        assert_eq!(
            certificate.verify(&scheme(0), QUORUM, Domain::Ticket, b"other"),
            Err(CertificateError::DoesNotVerify)
        );
    }

    #[test]
    fn a_duplicate_signer_is_refused_and_would_pass_where_the_list_is_counted() {
        let twice = [ticket(0), ticket(1), ticket(1)];
        assert_eq!(
            Certificate::assemble(&scheme(0), QUORUM, &twice),
            Err(SignersError::Duplicate { member: MinerId(1) }.into())
        );
        // Mutant A6, negative control: count the list, drop duplicates later.
        let counts_the_list = |tickets: &[(MinerId, Signature)]| {
            let mut signers = Signers::new(4).unwrap();
            for (member, _) in tickets {
                let _known_already = signers.insert(*member);
            }
            let distinct: Vec<_> = tickets[..2].iter().map(|(_, signature)| *signature).collect();
            let aggregate = scheme(0).aggregate(&distinct).unwrap();
            (tickets.len() >= QUORUM).then_some(Certificate { signers, aggregate })
        };
        let forged = counts_the_list(&twice).expect("the mutant accepts it");
        assert_eq!(verify(&forged), Err(CertificateError::SubQuorum { signers: 2, quorum: 3 }));
        assert!(
            scheme(0).verify_aggregate(
                &[MinerId(0), MinerId(1)],
                Domain::Ticket,
                b"block",
                &forged.aggregate
            ),
            "nothing but the count of distinct signers refuses it"
        );
    }

    #[test]
    fn too_few_signers_are_refused_when_made_and_when_read() {
        assert_eq!(
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1)]),
            Err(CertificateError::SubQuorum { signers: 2, quorum: 3 })
        );
        let thin = Certificate::assemble(&scheme(0), 2, &[ticket(0), ticket(1)]).unwrap();
        assert_eq!(verify(&thin), Err(CertificateError::SubQuorum { signers: 2, quorum: 3 }));
        let empty = Certificate { signers: Signers::new(4).unwrap(), aggregate: ticket(0).1 };
        assert_eq!(
            empty.verify(&scheme(0), 0, Domain::Ticket, b"block"),
            Err(CertificateError::SubQuorum { signers: 0, quorum: 0 })
        );
    }

    #[test]
    fn a_bit_that_did_not_sign_or_a_signer_without_a_bit_breaks_the_certificate() {
        let certificate =
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1), ticket(3)]).unwrap();
        for bitmap in 0..=0b1111_u8 {
            let relabelled =
                Certificate { signers: Signers::from_bitmap(4, &[bitmap]).unwrap(), ..certificate.clone() };
            assert_eq!(verify(&relabelled).is_ok(), bitmap == 0b1011, "{bitmap:04b}");
        }
    }

    #[test]
    fn strangers_and_other_committees_are_refused() {
        assert_eq!(
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1), (MinerId(4), ticket(2).1)]),
            Err(SignersError::NotAMember { member: MinerId(4), committee_size: 4 }.into())
        );
        let certificate =
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1), ticket(3)]).unwrap();
        let of_seven = MockCommittee::new(7, 1).observer();
        assert_eq!(
            certificate.verify(&of_seven, QUORUM, Domain::Ticket, b"block"),
            Err(CertificateError::OtherCommittee { expected: 7, found: 4 })
        );
        assert!(!certificate.signers.contains(MinerId(u16::MAX)));
    }
}

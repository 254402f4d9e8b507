//! Certificates: an aggregate signature of a quorum and the bitmap that says who signed (steps 7, 9 and 10; S8, S10).
//!
//! A certificate is accountable: the bitmap is part of it, the aggregate verifies for exactly the marked members, and all
//! their keys are registered, so that every marked member did sign. The encoding of a signer set is canonical: one bitmap
//! length for a committee, no bits beyond it, and a set has no duplicates by construction.
//!
//! A valid aggregate does **not** show that each summand was a valid ticket: two forged ones can cancel (see
//! [`crate::crypto::bls::verify_aggregate`]). This does no harm. The resulting certificate is byte for byte the one of
//! honest tickets, and a bit in the bitmap means "this member's key signed", never "this member's ticket was good".

use super::scheme::{Domain, MAX_COMMITTEE_SIZE, Scheme, Signature};
use crate::committee::MinerId;

/// Most bytes of a signer bitmap.
pub const MAX_BITMAP_BYTES: usize = MAX_COMMITTEE_SIZE / 8;

/// A set of members of a committee of known size.
///
/// Encoded as a bitmap of `ceil(n / 8)` bytes, member `i` in bit `i % 8` (least significant first) of byte `i / 8`, bits
/// beyond the committee zero.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signers {
    committee_size: u16,
    bitmap: Vec<u8>,
}

impl Signers {
    /// The empty set of a committee of `committee_size` members.
    ///
    /// # Errors
    /// [`SignersError::CommitteeSize`] above [`MAX_COMMITTEE_SIZE`].
    pub fn new(committee_size: usize) -> Result<Self, SignersError> {
        let size = u16::try_from(committee_size)
            .ok()
            .filter(|&size| usize::from(size) <= MAX_COMMITTEE_SIZE)
            .ok_or(SignersError::CommitteeSize { size: committee_size })?;
        Ok(Self { committee_size: size, bitmap: vec![0; committee_size.div_ceil(8)] })
    }

    /// The set of the members given, in any order.
    ///
    /// # Errors
    /// [`SignersError::Duplicate`], [`SignersError::NotAMember`], [`SignersError::CommitteeSize`].
    pub fn from_members(
        committee_size: usize,
        members: impl IntoIterator<Item = MinerId>,
    ) -> Result<Self, SignersError> {
        let mut signers = Self::new(committee_size)?;
        for member in members {
            signers.insert(member)?;
        }
        Ok(signers)
    }

    /// Reads the canonical bitmap of a committee of `committee_size` members.
    ///
    /// # Errors
    /// [`SignersError::Length`] unless there are exactly `ceil(n / 8)` bytes, [`SignersError::NotAMember`] when a bit
    /// beyond the committee is set, [`SignersError::CommitteeSize`].
    pub fn from_bitmap(committee_size: usize, bitmap: &[u8]) -> Result<Self, SignersError> {
        let mut signers = Self::new(committee_size)?;
        if bitmap.len() != signers.bitmap.len() {
            return Err(SignersError::Length { expected: signers.bitmap.len(), found: bitmap.len() });
        }
        signers.bitmap.copy_from_slice(bitmap);
        match signers.highest() {
            Some(member) if usize::from(member.0) >= committee_size => {
                Err(SignersError::NotAMember { member, committee_size })
            }
            _ => Ok(signers),
        }
    }

    /// Adds a member.
    ///
    /// # Errors
    /// [`SignersError::Duplicate`] when it is in already, [`SignersError::NotAMember`].
    pub fn insert(&mut self, member: MinerId) -> Result<(), SignersError> {
        if member.0 >= self.committee_size {
            return Err(SignersError::NotAMember { member, committee_size: self.committee_size() });
        }
        let (byte, bit) = position(member);
        if self.bitmap[byte] & bit != 0 {
            return Err(SignersError::Duplicate { member });
        }
        self.bitmap[byte] |= bit;
        Ok(())
    }

    /// Whether a member is in the set.
    #[must_use]
    pub fn contains(&self, member: MinerId) -> bool {
        let (byte, bit) = position(member);
        self.bitmap.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    /// How many members are in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bitmap.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The members, strictly increasing.
    pub fn iter(&self) -> impl Iterator<Item = MinerId> + '_ {
        (0..self.committee_size).map(MinerId).filter(|&member| self.contains(member))
    }

    /// The canonical bitmap.
    #[must_use]
    pub fn bitmap(&self) -> &[u8] {
        &self.bitmap
    }

    /// The size of the committee that this is a subset of.
    #[must_use]
    pub fn committee_size(&self) -> usize {
        usize::from(self.committee_size)
    }

    fn highest(&self) -> Option<MinerId> {
        let byte = self.bitmap.iter().rposition(|&bits| bits != 0)?;
        let highest_bit = 7 - self.bitmap[byte].leading_zeros() as usize;
        u16::try_from(byte * 8 + highest_bit).ok().map(MinerId)
    }
}

/// The byte and the bit of a member.
fn position(member: MinerId) -> (usize, u8) {
    (usize::from(member.0) / 8, 1 << (member.0 % 8))
}

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
    pub fn joined_by<S: Scheme>(&self, others: &[MinerId], sum: &Signature, scheme: &S) -> Option<Self> {
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
        scheme: &impl Scheme,
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
        scheme: &impl Scheme,
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
        scheme: &impl Scheme,
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

/// Why a set of signers was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignersError {
    /// A committee larger than this crate serves.
    #[error("a committee of {size} members, more than {MAX_COMMITTEE_SIZE}")]
    CommitteeSize {
        /// The size asked for.
        size: usize,
    },
    /// The bitmap has the wrong number of bytes for the committee.
    #[error("a bitmap of {found} bytes where the committee needs {expected}")]
    Length {
        /// Bytes that a bitmap of this committee has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A signer outside the committee.
    #[error("signer {} is not of the committee of {committee_size}", member.0)]
    NotAMember {
        /// The signer.
        member: MinerId,
        /// Size of the committee.
        committee_size: usize,
    },
    /// One signer twice (PROTOCOL.md, section 7, A6).
    #[error("signer {} is counted twice", member.0)]
    Duplicate {
        /// The signer.
        member: MinerId,
    },
}

/// Why a certificate was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
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
    use crate::crypto::mock_scheme::{MockScheme, MockWorld};

    const QUORUM: usize = 3;

    fn scheme(i: u16) -> MockScheme {
        MockWorld::new(4, 1).member(MinerId(i)).unwrap()
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
    fn only_the_canonical_bitmap_is_read() {
        for n in [1, 4, 7, 8, 9, 16, 100, MAX_COMMITTEE_SIZE] {
            let everyone = Signers::from_members(n, (0..n as u16).map(MinerId)).unwrap();
            assert_eq!(everyone.count(), n);
            assert_eq!(Signers::from_bitmap(n, everyone.bitmap()).as_ref(), Ok(&everyone));
            let bytes = n.div_ceil(8);
            for found in [0, bytes - 1, bytes + 1].into_iter().filter(|&found| found != bytes) {
                assert_eq!(
                    Signers::from_bitmap(n, &vec![0; found]),
                    Err(SignersError::Length { expected: bytes, found }),
                );
            }
            for beyond in n..bytes * 8 {
                let mut bitmap = everyone.bitmap().to_vec();
                bitmap[beyond / 8] |= 1 << (beyond % 8);
                let member = MinerId(beyond as u16);
                assert_eq!(
                    Signers::from_bitmap(n, &bitmap),
                    Err(SignersError::NotAMember { member, committee_size: n })
                );
            }
        }
    }

    #[test]
    fn strangers_and_giant_committees_are_refused() {
        assert_eq!(
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1), (MinerId(4), ticket(2).1)]),
            Err(SignersError::NotAMember { member: MinerId(4), committee_size: 4 }.into())
        );
        for size in [MAX_COMMITTEE_SIZE + 1, usize::MAX] {
            assert_eq!(Signers::new(size), Err(SignersError::CommitteeSize { size }));
        }
        let certificate =
            Certificate::assemble(&scheme(0), QUORUM, &[ticket(0), ticket(1), ticket(3)]).unwrap();
        let of_seven = MockWorld::new(7, 1).observer();
        assert_eq!(
            certificate.verify(&of_seven, QUORUM, Domain::Ticket, b"block"),
            Err(CertificateError::OtherCommittee { expected: 7, found: 4 })
        );
        assert!(!certificate.signers.contains(MinerId(u16::MAX)));
    }
}

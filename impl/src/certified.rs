//! Statements of a quorum: notarizations, timeout certificates and finality certificates (steps 6, 9, 10).

use std::ops::Deref;
use std::sync::Arc;

use crate::committee::{Committee, MinerId};
use crate::crypto::certificate::{Certificate, CertificateError};
use crate::crypto::scheme::{AggregateClaim, BatchSeed, Domain, Signature, Verify};
use crate::statement::{FinalityVote, Preimage, Statement, Ticket, Timeout};

/// Proof that `q` miners ticketed one block of one (round, subround).
pub type Notarization = Certified<Ticket>;

/// Proof that `q` miners gave up one (round, subround).
pub type TimeoutCertificate = Certified<Timeout>;

/// Proof that `q` miners voted one block final.
pub type FinalityCertificate = Certified<FinalityVote>;

/// A statement with the certificate of those who signed it. Unverified until it is inside a [`Verified`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Certified<T> {
    /// The signed statement.
    pub statement: T,
    /// The signers, and the sum of their signatures.
    pub certificate: Certificate,
}

impl<T: Statement> Certified<T> {
    /// Checks the certificate: a bitmap of this committee, at least `quorum` signers, and their genuine aggregate over
    /// exactly this statement (property S8).
    ///
    /// # Errors
    /// The first check that fails, cheapest first.
    pub fn verify<S: Verify>(
        &self,
        committee: &Committee,
        quorum: usize,
        scheme: &S,
    ) -> Result<(), CertificateError> {
        self.certificate.verify(scheme, quorum, T::DOMAIN, &self.statement.preimage(committee))
    }

    /// [`Certified::verify`], keeping the result in the type.
    ///
    /// # Errors
    /// As [`Certified::verify`].
    pub fn verified<S: Verify>(
        self: Arc<Self>,
        committee: &Committee,
        quorum: usize,
        scheme: &S,
    ) -> Result<Verified<Arc<Self>>, CertificateError> {
        self.verify(committee, quorum, scheme)?;
        Ok(Verified(self))
    }
}

impl<T> Certified<T> {
    /// The miners that signed both, in increasing order.
    pub fn signers_in_both<'a, U>(&'a self, other: &'a Certified<U>) -> impl Iterator<Item = MinerId> + 'a {
        let others = &other.certificate.signers;
        self.certificate.signers.iter().filter(|&signer| others.contains(signer))
    }
}

impl<T> Deref for Certified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.statement
    }
}

/// Something that was checked against the committee; only code that checked it can make one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// For what this crate assembled from signatures that it checked, or read back from its own storage.
    pub(crate) fn trusted(value: T) -> Self {
        Self(value)
    }

    /// The checked value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Certificates that are checked together, of whatever kinds, such as those of an answer to a chain request.
///
/// Each gets the verdict that [`Certified::verify`] gives: one that is wrong takes no other with it.
#[derive(Debug)]
pub struct CertificateBatch<'a, S> {
    committee: &'a Committee,
    quorum: usize,
    scheme: &'a S,
    claims: Vec<Result<Claim, CertificateError>>,
}

/// The checks that are left for a certificate of the right form.
#[derive(Debug)]
struct Claim {
    signers: Vec<MinerId>,
    domain: Domain,
    message: Preimage,
    aggregate: Signature,
}

impl<'a, S: Verify> CertificateBatch<'a, S> {
    /// An empty batch of certificates that `quorum` members of `committee` have to have signed.
    #[must_use]
    pub fn new(committee: &'a Committee, quorum: usize, scheme: &'a S) -> Self {
        Self { committee, quorum, scheme, claims: Vec::new() }
    }

    /// Adds a certificate. The checks that need no pairing are made at once.
    pub fn push<T: Statement>(&mut self, certified: &Certified<T>) {
        let Certified { statement, certificate } = certified;
        let signers = certificate.quorum_of(self.scheme, self.quorum);
        self.claims.push(signers.map(|signers| Claim {
            signers,
            domain: T::DOMAIN,
            message: statement.preimage(self.committee),
            aggregate: certificate.aggregate,
        }));
    }

    /// The verdicts, in the order of [`CertificateBatch::push`]. With a seed the scheme checks all of them at once
    /// ([`Verify::verify_aggregates`]), otherwise one after the other.
    #[must_use]
    pub fn verdicts(&self, seed: Option<&BatchSeed>) -> Vec<Result<(), CertificateError>> {
        let Some(seed) = seed else { return self.claims.iter().map(|claim| self.verdict(claim)).collect() };
        self.together(&self.claims, seed)
    }

    /// Whether all are good. Costs no more than the certificates in front of the first one of a wrong form, and without a
    /// seed no more than those in front of the first wrong one.
    ///
    /// # Errors
    /// That of the first certificate that is wrong.
    pub fn verify(&self, seed: Option<&BatchSeed>) -> Result<(), CertificateError> {
        let Some(seed) = seed else { return self.claims.iter().try_for_each(|claim| self.verdict(claim)) };
        let well_formed = self.claims.iter().take_while(|claim| claim.is_ok()).count();
        let (front, rest) = self.claims.split_at(well_formed);
        self.together(front, seed).into_iter().collect::<Result<(), _>>()?;
        rest.first().map_or(Ok(()), |claim| self.verdict(claim))
    }

    fn verdict(&self, claim: &Result<Claim, CertificateError>) -> Result<(), CertificateError> {
        let Claim { signers, domain, message, aggregate } = claim.as_ref().map_err(|error| *error)?;
        let verifies = self.scheme.verify_aggregate(signers, *domain, message, aggregate);
        verifies.then_some(()).ok_or(CertificateError::DoesNotVerify)
    }

    fn together(
        &self,
        claims: &[Result<Claim, CertificateError>],
        seed: &BatchSeed,
    ) -> Vec<Result<(), CertificateError>> {
        let well_formed = claims.iter().flatten().map(|claim| AggregateClaim {
            signers: &claim.signers,
            tag: claim.domain.tag(),
            message: &claim.message,
            aggregate: claim.aggregate,
        });
        let of_scheme = self.scheme.verify_aggregates(&well_formed.collect::<Vec<_>>(), seed.as_bytes());
        let mut of_scheme = of_scheme.into_iter();
        let verdict = |claim: &Result<Claim, CertificateError>| match claim {
            Err(error) => Err(*error),
            Ok(_) => (of_scheme.next() == Some(true)).then_some(()).ok_or(CertificateError::DoesNotVerify),
        };
        claims.iter().map(verdict).collect()
    }
}

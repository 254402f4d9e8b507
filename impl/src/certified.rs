//! Statements of a quorum: notarizations, timeout certificates and finality certificates (steps 6, 9, 10).

use std::ops::Deref;
use std::sync::Arc;

use crate::block::Digest;
use crate::committee::{Committee, MinerId};
use crate::crypto::certificate::{Certificate, CertificateError};
use crate::crypto::scheme::Scheme;
use crate::statement::{FinalityVote, Statement, Ticket, Timeout};
use crate::wire;

/// Proof that `q` miners ticketed one block of one (round, subround).
pub type Notarization = Certified<Ticket>;

/// Proof that `q` miners gave up one (round, subround).
pub type TimeoutCertificate = Certified<Timeout>;

/// Proof that `q` miners voted one block final.
pub type FinalityCertificate = Certified<FinalityVote>;

/// A statement with the certificate of those who signed it. Unverified until it is inside a [`Verified`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Certified<T> {
    /// What was signed.
    pub statement: T,
    /// Who signed, and the sum of their signatures.
    pub certificate: Certificate,
}

impl<T: Statement> Certified<T> {
    /// Checks the certificate: a bitmap of this committee, at least `quorum` signers, and their genuine aggregate over
    /// exactly this statement (property S8).
    ///
    /// # Errors
    /// The first check that fails, cheapest first.
    pub fn verify<S: Scheme>(
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
    pub fn verified<S: Scheme>(
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

impl Notarization {
    /// What a child block commits to: a hash of the whole certificate, signers included.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(b"zus/certified/v1", &[&wire::body(self)])
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

//! Certificates: one aggregate signature of a quorum over one statement, and the bitmap of who signed (steps 6, 9, 10).

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use thiserror::Error;

use crate::block::Digest;
use crate::committee::{Committee, MinerId};
use crate::crypto::scheme::{Scheme, Signature};
use crate::statement::{FinalityVote, Statement, Ticket, Timeout};
use crate::wire;

/// Proof that `q` miners ticketed one block of one (round, subround).
pub type Notarization = Certificate<Ticket>;

/// Proof that `q` miners gave up one (round, subround).
pub type TimeoutCertificate = Certificate<Timeout>;

/// Proof that `q` miners voted one block final.
pub type FinalityCertificate = Certificate<FinalityVote>;

/// A set of miners as a bitmap, least significant bit first, without trailing zero bytes: one set has one form, and a
/// miner can be in it once only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SignerSet(Box<[u8]>);

impl SignerSet {
    /// The set of these miners; order and repetitions do not matter.
    #[must_use]
    pub fn new(miners: impl IntoIterator<Item = MinerId>) -> Self {
        let mut bytes = Vec::new();
        for MinerId(index) in miners {
            let byte = usize::from(index) / 8;
            if bytes.len() <= byte {
                bytes.resize(byte + 1, 0);
            }
            bytes[byte] |= 1 << (index % 8);
        }
        Self(bytes.into_boxed_slice())
    }

    /// The set of a bitmap. `None` when its last byte is zero: that is another form of a shorter bitmap.
    #[must_use]
    pub fn from_bitmap(bitmap: &[u8]) -> Option<Self> {
        (bitmap.last() != Some(&0)).then(|| Self(bitmap.into()))
    }

    /// The bitmap.
    #[must_use]
    pub fn bitmap(&self) -> &[u8] {
        &self.0
    }

    /// How many miners.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `miner` is in it.
    #[must_use]
    pub fn contains(&self, miner: MinerId) -> bool {
        self.0.get(usize::from(miner.0) / 8).is_some_and(|byte| byte >> (miner.0 % 8) & 1 == 1)
    }

    /// The miners in increasing order.
    pub fn iter(&self) -> impl Iterator<Item = MinerId> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| MinerId((index * 8 + bit) as u16))
        })
    }

    /// The miners that are in both sets, in increasing order.
    pub fn intersection<'a>(&'a self, other: &'a SignerSet) -> impl Iterator<Item = MinerId> + 'a {
        self.iter().filter(|&miner| other.contains(miner))
    }
}

impl fmt::Debug for SignerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|miner| miner.0)).finish()
    }
}

/// A statement, who signed it, and the sum of their signatures. Unverified until it is inside a [`Verified`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Certificate<T> {
    /// What was signed.
    pub statement: T,
    /// Who signed: the certificate is accountable.
    pub signers: SignerSet,
    /// The sum of the signatures.
    pub aggregate: Signature,
}

/// Why a certificate proves nothing (property S8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CertificateError {
    /// A bit of the bitmap is outside the committee.
    #[error("signer {signer} is not among the {miners} miners of the committee")]
    ForeignSigner {
        /// The bit.
        signer: u16,
        /// The committee's size.
        miners: u16,
    },
    /// Fewer distinct signers than the quorum.
    #[error("{signers} signers are fewer than the quorum of {quorum}")]
    SubQuorum {
        /// How many signed.
        signers: usize,
        /// How many have to.
        quorum: usize,
    },
    /// The aggregate is not the sum of the signers' signatures over the statement.
    #[error("the aggregate signature is not that of its signers over this statement")]
    WrongAggregate,
}

impl<T: Statement> Certificate<T> {
    /// Checks the certificate: members only, at least `quorum` of them, and their genuine aggregate (property S8).
    ///
    /// # Errors
    /// The first check that fails, cheapest first.
    pub fn verify<S: Scheme>(
        &self,
        committee: &Committee,
        quorum: usize,
        scheme: &S,
    ) -> Result<(), CertificateError> {
        let signers: Vec<MinerId> = self.signers.iter().collect();
        if let Some(&last) = signers.last()
            && !committee.contains(last)
        {
            return Err(CertificateError::ForeignSigner { signer: last.0, miners: committee.miners() });
        }
        if signers.len() < quorum {
            return Err(CertificateError::SubQuorum { signers: signers.len(), quorum });
        }
        let preimage = self.statement.preimage(committee);
        if !scheme.verify_aggregate(&signers, T::DOMAIN, &preimage, &self.aggregate) {
            return Err(CertificateError::WrongAggregate);
        }
        Ok(())
    }

    /// [`Certificate::verify`], keeping the result in the type.
    ///
    /// # Errors
    /// As [`Certificate::verify`].
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

impl Notarization {
    /// What a child block commits to: a hash of the whole certificate, signers included.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(b"zus/certified/v1", &[&wire::body(self)])
    }
}

impl<T> Deref for Certificate<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.statement
    }
}

/// Something that was checked against the committee; only code that checked it can make one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_set_is_the_set_and_not_the_list() {
        let set = SignerSet::new([MinerId(9), MinerId(0), MinerId(9)]);
        assert_eq!(set.len(), 2);
        assert_eq!(set.iter().collect::<Vec<_>>(), [MinerId(0), MinerId(9)]);
        assert_eq!(set.bitmap(), [1, 2]);
        assert!(set.contains(MinerId(9)) && !set.contains(MinerId(1)) && !set.contains(MinerId(999)));
    }

    #[test]
    fn a_bitmap_has_one_form() {
        assert_eq!(SignerSet::from_bitmap(&[1, 0]), None);
        assert_eq!(SignerSet::from_bitmap(&[0]), None);
        assert_eq!(SignerSet::from_bitmap(&[]), Some(SignerSet::default()));
        assert_eq!(SignerSet::from_bitmap(&[0, 4]), Some(SignerSet::new([MinerId(10)])));
    }
}

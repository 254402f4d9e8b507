//! The handoff certificate: it shows, under the committee of an epoch and without the chain, which block closes the epoch and which
//! record its chain made (PROTOCOL.md, section 8, step 4).
//!
//! It is a finality certificate with the header of its block, which is the closing block or a block of its tail. A quorum that voted
//! a tail block final has an honest member that judged its header, and the header names the closing block and the digest of the
//! record. Its size does not depend on the chain.

use std::sync::Arc;

use thiserror::Error;

use crate::block::{BlockId, Closing, Digest, Header};
use crate::certified::FinalityCertificate;
use crate::committee::{ChainId, Committee, Epoch, Round};
use crate::crypto::certificate::CertificateError;
use crate::crypto::scheme::Verify;

/// See the module doc. Certificate and header fit together and the header is of a closed chain: that much is checked when it is made
/// or read. Nothing is believed before [`HandoffCertificate::verify`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HandoffCertificate {
    header: Header,
    finality: Arc<FinalityCertificate>,
    closing: ClosingBlock,
}

/// The block that closes an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClosingBlock {
    /// Its round.
    pub round: Round,
    /// Its id.
    pub id: BlockId,
    /// The digest of the record that is complete on it.
    pub record: Digest,
}

impl ClosingBlock {
    /// The closing block on the chain of a block that has this header.
    #[must_use]
    pub fn below(header: &Header) -> Option<Self> {
        match header.closing {
            Closing::Open => None,
            Closing::Closes { record } => Some(Self { round: header.round, id: header.id(), record }),
            Closing::Tail { round, block, record } => Some(Self { round, id: block, record }),
        }
    }
}

/// Why something is no handoff certificate of the epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum HandoffError {
    /// The certificate is for another block than the header's.
    #[error("the finality certificate names another block, round or subround than the header beside it")]
    OtherBlock,
    /// The header is of a chain that is not closed.
    #[error("the block of round {0} neither closes its epoch nor is above a block that does")]
    NotClosed(Round),
    /// The closing block is not below a block of its tail.
    #[error("a tail block of round {tail} names a closing block of round {closing}")]
    Order {
        /// The round of the block in the tail.
        tail: Round,
        /// The round that it names.
        closing: Round,
    },
    /// It is of another chain.
    #[error("it is a handoff of another chain")]
    OtherChain,
    /// It ends another epoch.
    #[error("it ends epoch {}, and the committee that is to judge it is that of epoch {}", found.0, expected.0)]
    OtherEpoch {
        /// The epoch of the committee.
        expected: Epoch,
        /// The epoch that it ends.
        found: Epoch,
    },
    /// Fewer members than a quorum signed it, others, or nobody did.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl HandoffCertificate {
    /// The handoff certificate of a finality certificate and the header of its block.
    ///
    /// # Errors
    /// When they do not fit together, or the block is not above a closing block.
    pub fn new(header: Header, finality: Arc<FinalityCertificate>) -> Result<Self, HandoffError> {
        let closing = ClosingBlock::below(&header).ok_or(HandoffError::NotClosed(header.round))?;
        let voted = (finality.round, finality.subround, finality.block);
        if voted != (header.round, header.subround, header.id()) {
            return Err(HandoffError::OtherBlock);
        }
        let in_the_tail = closing.id != finality.block;
        if in_the_tail && closing.round >= header.round {
            return Err(HandoffError::Order { tail: header.round, closing: closing.round });
        }
        Ok(Self { header, finality, closing })
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.header.chain
    }

    /// The epoch that it ends.
    #[must_use]
    pub fn ends(&self) -> Epoch {
        self.header.epoch
    }

    /// The block on which the next epoch begins.
    #[must_use]
    pub fn closing(&self) -> ClosingBlock {
        self.closing
    }

    /// Whether it is a certificate of the closing block itself, and not of a tail block.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.closing.id == self.finality.block
    }

    /// The header of the block that is certified.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The finality certificate.
    #[must_use]
    pub fn finality(&self) -> &Arc<FinalityCertificate> {
        &self.finality
    }

    /// Whether `quorum` members of `committee`, that of the epoch that ends, voted the block final. The signature is checked last.
    ///
    /// # Errors
    /// [`HandoffError`].
    pub fn verify<S: Verify>(
        &self,
        committee: &Committee,
        quorum: usize,
        scheme: &S,
    ) -> Result<(), HandoffError> {
        self.ends_epoch_of(committee)?;
        Ok(self.finality.verify(committee, quorum, scheme)?)
    }

    /// Whether it ends the epoch of `committee`: all of [`HandoffCertificate::verify`] but the votes.
    pub(super) fn ends_epoch_of(&self, committee: &Committee) -> Result<(), HandoffError> {
        if self.chain() != committee.chain() {
            return Err(HandoffError::OtherChain);
        }
        if self.ends() != committee.epoch() {
            return Err(HandoffError::OtherEpoch { expected: committee.epoch(), found: self.ends() });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "handoff_tests.rs"]
mod tests;

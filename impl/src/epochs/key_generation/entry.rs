//! The entries that a participant keeps on its disk.

use std::fmt;

use zeroize::Zeroizing;

use crate::block::Digest;
use crate::committee::MinerId;
use crate::crypto::dkg::Attempt;

/// 32 secret bytes: a seed, or a scalar. Wiped when dropped; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) Zeroizing<[u8; 32]>);

impl Secret {
    /// Takes bytes as a secret.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One entry of a participant's journal. The host keeps the entries of one epoch in order, whole or not at all, and reads them
/// back after a crash ([`Participant::recover`](super::Participant::recover)). They are secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// The secrets of an attempt, before anything of it leaves. The encryption seed is that of all attempts of the epoch.
    Secrets {
        /// The attempt.
        attempt: Attempt,
        /// Makes the decryption key.
        encryption: Secret,
        /// Makes the polynomial of the dealing.
        seed: Secret,
    },
    /// A share that fits, before its receipt leaves.
    Share {
        /// The attempt.
        attempt: Attempt,
        /// Whose dealing.
        dealer: MinerId,
        /// The digest of the dealing.
        dealing: Digest,
        /// The share.
        share: Secret,
    },
    /// The own settlement, before it leaves: there is never a second one.
    Settlement {
        /// The attempt.
        attempt: Attempt,
        /// The encoded settlement.
        settlement: Vec<u8>,
    },
    /// The share of the key of one record, before the ready statement leaves.
    KeyShare {
        /// The attempt.
        attempt: Attempt,
        /// The digest of the record.
        record: Digest,
        /// The share.
        share: Secret,
    },
}

impl Entry {
    /// The attempt that the entry belongs to.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        match self {
            Self::Secrets { attempt, .. }
            | Self::Share { attempt, .. }
            | Self::Settlement { attempt, .. }
            | Self::KeyShare { attempt, .. } => *attempt,
        }
    }
}

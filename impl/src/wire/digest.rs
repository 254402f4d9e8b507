//! Hashes of what is sent, over its bytes on the wire.

use super::body;
use crate::block::Digest;
use crate::certified::{FinalityCertificate, Notarization};
use crate::evidence::Evidence;

impl Notarization {
    /// The digest of this certificate in a child block: a hash of the whole certificate, signers included.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(b"zus/certified/v1", &[&body(self)])
    }
}

impl FinalityCertificate {
    /// The digest of this certificate in a block that names its block as final: a hash of the whole certificate,
    /// signers included.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(b"zus/final-crt/v1", &[&body(self)])
    }
}

impl Evidence {
    /// A hash of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(b"zus/evidence/v1\0", &[&body(self)])
    }
}

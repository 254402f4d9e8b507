//! Signatures as they travel, and what verifying them gives.

use crate::committee::MinerId;

/// Bytes of a compressed signature in the minimal-signature-size variant (a point of G1).
pub const SIGNATURE_BYTES: usize = 48;

/// A compressed signature as it travels; nothing is known about it until [`Verify`](crate::scheme::Verify) has verified it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signature(pub [u8; SIGNATURE_BYTES]);

/// The value of the beacon for one message: a hash of the unique threshold signature, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BeaconValue(pub [u8; 32]);

/// Signatures over one message, sorted out by [`Verify::sift`](crate::scheme::Verify::sift).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sifted {
    /// The signers whose signatures verify together, increasing, and the sum of these. The group is taken whole: no part of
    /// it, and none of its members, is known to verify alone.
    pub group: Option<(Vec<MinerId>, Signature)>,
    /// The signers whose signatures are wrong, each by itself, increasing.
    pub wrong: Vec<MinerId>,
}

//! What the miner and the sharder ask of cryptography: one trait, implemented by blst and by a counting mock
//! (architecture.md, decision 3).

use crate::committee::MinerId;

/// Bytes of a compressed signature in the minimal-signature-size variant (a point of G1).
pub const SIGNATURE_BYTES: usize = 48;

/// Members of the largest committee that this crate serves.
pub const MAX_COMMITTEE_SIZE: usize = 4096;

/// A compressed signature as it travels; nothing is known about it until a [`Scheme`] has verified it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signature(pub [u8; SIGNATURE_BYTES]);

/// The value of the beacon for one message: a hash of the unique threshold signature, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BeaconValue(pub [u8; 32]);

/// What is signed; each kind has a domain tag of its own, so that no signature can be replayed as another kind.
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
    /// Whether [`Scheme::sign`] and [`Scheme::verify`] serve this kind. A beacon share belongs to another key, and a proof
    /// of possession is made once, over the key itself: an oracle for either would let one be passed off as the other.
    #[must_use]
    pub const fn is_signed_with_identity_key(self) -> bool {
        match self {
            Domain::Proposal | Domain::Ticket | Domain::Timeout | Domain::FinalityVote => true,
            Domain::Beacon | Domain::ProofOfPossession => false,
        }
    }
}

/// Signing with this miner's keys and verifying against the committee's. Deterministic and free of I/O.
///
/// `signers` lists are strictly increasing and inside the committee; implementations refuse anything else.
pub trait Scheme {
    /// This miner's place in the committee; `None` for an observer such as a sharder.
    fn me(&self) -> Option<MinerId>;

    /// Committee size `n`, at most [`MAX_COMMITTEE_SIZE`].
    fn committee_size(&self) -> usize;

    /// Signs `message` with this miner's identity key. `None` for an observer, and for a domain that
    /// [`Domain::is_signed_with_identity_key`] excludes.
    fn sign(&self, domain: Domain, message: &[u8]) -> Option<Signature>;

    /// Whether `signature` is `signer`'s over `message`; never in a domain that
    /// [`Domain::is_signed_with_identity_key`] excludes.
    fn verify(&self, signer: MinerId, domain: Domain, message: &[u8], signature: &Signature) -> bool;

    /// Sums signatures over one message. The sum is not verified here. `None` when one of them is no point or the sum
    /// is the point at infinity.
    fn aggregate(&self, signatures: &[Signature]) -> Option<Signature>;

    /// Whether `aggregate` is the sum of the signatures of exactly `signers` over `message`.
    fn verify_aggregate(
        &self,
        signers: &[MinerId],
        domain: Domain,
        message: &[u8],
        aggregate: &Signature,
    ) -> bool;

    /// How many beacon shares determine the value.
    fn beacon_threshold(&self) -> usize;

    /// This miner's beacon share for `message`. `None` for an observer.
    fn beacon_share(&self, message: &[u8]) -> Option<Signature>;

    /// Whether `share` is `signer`'s beacon share for `message`.
    fn verify_beacon_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool;

    /// Combines the first [`Scheme::beacon_threshold`] shares, in order of strictly increasing signers, into the group signature and checks it against the group
    /// key. `None` when too few are given or the result does not verify: some share is bad.
    fn combine_beacon(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Option<Signature>;

    /// Whether `signature` is the group's over `message`.
    fn verify_beacon(&self, message: &[u8], signature: &Signature) -> bool;

    /// The beacon value: a hash of the verified group signature.
    fn beacon_value(&self, signature: &Signature) -> BeaconValue;
}

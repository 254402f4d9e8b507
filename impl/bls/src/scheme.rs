//! The three traits that a participant of a protocol needs: [`Sign`], [`Verify`] in batches, and a [`Beacon`].
//!
//! [`BlstScheme`](crate::blst_scheme::BlstScheme) has all three. They are traits so that a protocol can be run on something cheaper: one
//! that explores schedules needs no pairings. Participants are deterministic and free of I/O.
//!
//! `signers` lists are strictly increasing and inside the committee; implementations refuse anything else.

use std::fmt;

use super::uncompressed::ReceivedSignature;
use crate::committee::MinerId;
use crate::keys::DomainTag;
pub use crate::signature::{BeaconValue, SIGNATURE_BYTES, Sifted, Signature};

/// The seed of the coefficients of [`Verify::verify_aggregates`], used together with the claims: 32 bytes that the host
/// drew at random for this participant alone, and shows nobody. It is the same for a whole run, so that the run can be
/// replayed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchSeed([u8; 32]);

impl BatchSeed {
    /// A seed of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for [`Verify::verify_aggregates`].
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Does not show the bytes: whoever knows them may look for wrong claims that cancel.
impl fmt::Debug for BatchSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchSeed(..)")
    }
}

/// A claim that [`Verify::verify_aggregate`] checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AggregateClaim<'a> {
    /// The signers.
    pub signers: &'a [MinerId],
    /// The tag of the kind of statement.
    pub tag: DomainTag,
    /// The signed message.
    pub message: &'a [u8],
    /// The sum of their signatures.
    pub aggregate: Signature,
}

/// Signing with the keys of one member, if this participant is one.
pub trait Sign {
    /// The number of this participant in the committee; `None` for an observer, which signs nothing.
    fn me(&self) -> Option<MinerId>;

    /// Signs `message` with this member's identity key. `None` for an observer, and for a tag that is
    /// [reserved](DomainTag::is_reserved).
    fn sign(&self, tag: impl Into<DomainTag>, message: &[u8]) -> Option<Signature>;
}

/// Verifying signatures of the members of one committee, by themselves and in batches.
pub trait Verify {
    /// Committee size `n`, at most [`MAX_COMMITTEE_SIZE`](crate::committee::MAX_COMMITTEE_SIZE).
    fn committee_size(&self) -> usize;

    /// Whether `signature` is `signer`'s over `message`; never under a tag that is
    /// [reserved](DomainTag::is_reserved).
    fn verify(
        &self,
        signer: MinerId,
        tag: impl Into<DomainTag>,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        self.verify_aggregate(&[signer], tag, message, signature)
    }

    /// Sums signatures over one message. The sum is not verified here. `None` when one of them is no point or the sum
    /// is the point at infinity.
    fn aggregate(&self, signatures: &[Signature]) -> Option<Signature>;

    /// Whether `aggregate` is the sum of the signatures of exactly `signers` over `message`.
    fn verify_aggregate(
        &self,
        signers: &[MinerId],
        tag: impl Into<DomainTag>,
        message: &[u8],
        aggregate: &Signature,
    ) -> bool;

    /// Separates the signatures over `message`, one from each of strictly increasing signers, into a group that verifies
    /// together and those that are wrong. Signatures of strangers are in neither, and a list that is not increasing is not
    /// looked at.
    ///
    /// This is [`Verify::verify_aggregate`] of all, and [`Verify::verify`] of each when it fails; an implementation may know
    /// a shorter way, and may keep signatures together that cancel each other's errors.
    fn sift(&self, tag: impl Into<DomainTag>, message: &[u8], signatures: &[(MinerId, Signature)]) -> Sifted {
        let tag = tag.into();
        if !signatures.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Sifted::default();
        }
        let stranger = |signer: &MinerId| usize::from(signer.0) >= self.committee_size();
        let members = signatures.iter().filter(|(signer, _)| !stranger(signer)).copied();
        let group =
            |(signers, summands): (Vec<MinerId>, Vec<Signature>)| Some((signers, self.aggregate(&summands)?));
        let whole = group(members.clone().unzip());
        if let Some((signers, aggregate)) = &whole
            && self.verify_aggregate(signers, tag, message, aggregate)
        {
            return Sifted { group: whole, wrong: Vec::new() };
        }
        let (good, wrong): (Vec<_>, Vec<_>) =
            members.partition(|(signer, signature)| self.verify(*signer, tag, message, signature));
        Sifted {
            group: group(good.into_iter().unzip()),
            wrong: wrong.into_iter().map(|(signer, _)| signer).collect(),
        }
    }

    /// [`Verify::sift`] of signatures that came in either form. An implementation may save what an uncompressed one saves.
    fn sift_received(
        &self,
        tag: impl Into<DomainTag>,
        message: &[u8],
        signatures: &[(MinerId, ReceivedSignature)],
    ) -> Sifted {
        let compressed = signatures.iter().map(|(signer, signature)| (*signer, signature.compressed()));
        self.sift(tag, message, &compressed.collect::<Vec<_>>())
    }

    /// [`Verify::verify_aggregate`] of many claims, such as the certificates of a chain that is caught up with.
    ///
    /// `seed` is 32 secret bytes of the caller's, the same for a whole run: an implementation that weighs the claims with
    /// random coefficients derives them from it and from all the claims, so that whoever made the claims cannot know them.
    fn verify_aggregates(&self, claims: &[AggregateClaim<'_>], seed: &[u8; 32]) -> Vec<bool> {
        let _not_needed_here = seed;
        claims
            .iter()
            .map(|claim| self.verify_aggregate(claim.signers, claim.tag, claim.message, &claim.aggregate))
            .collect()
    }
}

/// The threshold signature of a committee, whose hash is a value that nobody knows before enough members have shown their shares.
pub trait Beacon {
    /// How many beacon shares determine the value.
    fn beacon_threshold(&self) -> usize;

    /// This member's beacon share for `message`. `None` for an observer.
    fn beacon_share(&self, message: &[u8]) -> Option<Signature>;

    /// Whether `share` is `signer`'s beacon share for `message`.
    fn verify_beacon_share(&self, signer: MinerId, message: &[u8], share: &Signature) -> bool;

    /// [`Beacon::verify_beacon_share`] of one share each of several signers, when the value that they combine to is wrong.
    ///
    /// `seed` is that of [`Verify::verify_aggregates`]; without one the shares are verified one after the other. Sums of shares
    /// say nothing here: errors that cancel in a sum need not cancel in the combination, so that shares which were kept
    /// because their sum is right could spoil it for ever. Each verdict is about the share alone.
    fn verify_beacon_shares(
        &self,
        message: &[u8],
        shares: &[(MinerId, Signature)],
        seed: Option<&[u8; 32]>,
    ) -> Vec<bool> {
        let _not_needed_here = seed;
        shares.iter().map(|(signer, share)| self.verify_beacon_share(*signer, message, share)).collect()
    }

    /// Some of the shares that are wrong, one each of strictly increasing signers, when the value that they combine to is wrong.
    ///
    /// Found from sums, which is cheap; shares whose errors cancel in a sum are not found, so that none may be named although the value
    /// is wrong: then [`Beacon::verify_beacon_shares`] tells. An implementation that knows no cheap way names none.
    fn wrong_beacon_shares(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Vec<MinerId> {
        let _not_needed_here = (message, shares);
        Vec::new()
    }

    /// Combines the first [`Beacon::beacon_threshold`] shares, in order of strictly increasing signers, into the group signature
    /// and checks it against the group key. `None` when too few are given or the result does not verify: some share is bad.
    fn combine_beacon(&self, message: &[u8], shares: &[(MinerId, Signature)]) -> Option<Signature>;

    /// Whether `signature` is the group's over `message`.
    fn verify_beacon(&self, message: &[u8], signature: &Signature) -> bool;

    /// The beacon value: a hash of the verified group signature.
    fn beacon_value(&self, signature: &Signature) -> BeaconValue;
}

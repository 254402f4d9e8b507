//! Distributed key generation: the committee of the next epoch makes the key of its beacon, and nobody ever holds it.
//!
//! # The protocol
//! Joint-Feldman with *share or sign*: a dealer settles its dealing by showing, for every member, either that member's
//! receipt or that member's share in the clear. No complaint is ever adjudicated; what is missing is simply published.
//!
//! 1. **Deal.** Every member draws a polynomial of degree `t - 1` and broadcasts a signed [`Dealing`]: Feldman commitments to
//!    all coefficients in G2, and every member's share, encrypted to it.
//! 2. **Receipt.** A member whose share decrypts and matches the commitments signs a [`Receipt`] and sends it to the dealer.
//! 3. **Settle.** The dealer broadcasts a signed [`Settlement`]: the sum of the receipts with a bitmap, and the bare shares
//!    of everybody who is missing from the bitmap.
//! 4. **Qualify.** A dealer qualifies when its dealing and its settlement are unique and everything in them is right, and at
//!    most `max_revealed` shares were revealed. The group's polynomial is the sum of the qualified ones; so is a member's
//!    share of the shares it got.
//!
//! Broadcasts go through a channel on which all see the same messages before the same deadline: the chain itself, run by the
//! committee of the previous epoch. [`Transcript`] is the public side, for everybody, [`Member`] the secret side. Both are
//! free of I/O, clocks and randomness: messages and the end of a phase are inputs, and a caller's seed makes the polynomial.
//! The result of a transcript depends on the set of messages of each phase, not on their order.
//!
//! # Weaknesses of the deployed protocol, and what closes them
//! | weakness | closed by |
//! |---|---|
//! | a receipt says nothing about epoch, dealer or recipient and can be replayed | it is signed, in a domain of its own, over the session (chain, epoch, attempt, committee, parameters), the dealer and the digest of the dealing; the recipient is the only one who can make it, since its registered key verifies it |
//! | a dealer may reveal any number of shares | more than `max_revealed` and it is out, where `f + max_revealed < t`: [`Parameters::new`] refuses every other choice; an honest dealer in that position refuses to settle ([`MemberError::WouldRevealTooMuch`]) |
//! | a key is used although shares of qualified dealers are missing | [`Member::finish`] gives a share of *all* qualified dealings that matches the group's commitments, or an error |
//! | `t` and `n` of the old committee are used for the new one | they are parameters of the session, which every signature commits to |
//! | the record of the committee commits to part of the public data | the record of the committee that is agreed upon commits to the sum of the coefficients of all qualified dealers, and to the items that it was made from |
//! | a key generation that is repeated can be fed with messages of the one before, and equal seeds make equal secrets, half of them revealed already | everything signed or sealed, and the seed's expansion, commits to the [`Attempt`]; a message of another attempt is refused, blames nobody, and costs no signature check |
//! | shares travel in the clear | HPKE to the recipient, bound to session, dealer and commitments |
//! | wrong messages cost a check each, without end, and a dealing `t` points before its signature is looked at | length, attempt and sender come first, then the signature, then points; a receipt is heard from its signer alone; after [`MAX_STRIKES`] wrong ones a member is not heard ([`Transcript::receive_dealing`], [`Transcript::receive_settlement`], [`Member::on_receipt`]) |
//! | a dealer shows different dealings to different members | they are broadcast and signed; two of them disqualify it |
//! | too few dealers qualify, so that all may be dishonest | `min_qualified > f`, and no key otherwise |
//!
//! # What it guarantees, and what not
//! With at most `f` dishonest members, and the receipts of honest members reaching honest dealers in time: honest dealers
//! qualify, all agree on the key, every honest member has its share, and the dishonest learn nothing about the group's secret
//! beyond its public key. When the network delays honest receipts, honest dealers have to reveal shares of honest members, or
//! stay out. A member whose share every dealer reveals is *exposed*: all the world knows its key share. The key remains secret
//! all the same: of an honest dealing the dishonest know their own `f` shares and at most `f` revealed ones, and `2f < t = n - f`
//! (S11).
//!
//! The *distribution* of the public key can be bent a little by whoever decides last whether to settle (Gennaro et al.,
//! "Secure Distributed Key Generation for Discrete-Log Based Cryptosystems"). Threshold BLS stays unforgeable under keys of
//! Joint-Feldman (Bacho and Loss, "On the Adaptive Security of the Threshold BLS Signature Scheme"), and beacon values are
//! hashes of signatures under the key, so nothing is gained by it here.

mod dealer;
mod dealing;
mod encryption;
mod member;
mod ready;
mod recipient;
mod registration;
mod session;
mod settlement;
mod transcript;

pub use dealer::Dealer;
pub use dealing::{Dealing, Receipt};
pub use encryption::{DecryptionKey, ENCRYPTION_KEY_BYTES, EncryptionKey, SEALED_SHARE_BYTES, SealedShare};
pub use member::{Member, MemberError, ShareRefused};
pub use ready::Ready;
pub use recipient::Recipient;
pub use registration::{
    IDENTITY_BYTES, Identity, MAX_ENDPOINT_BYTES, MAX_REGISTRATION_BYTES, Registration, RegistrationError,
};
pub use session::{
    Attempt, MAX_DKG_MEMBERS, Parameters, ParametersError, Session, SessionError, SessionMember,
};
pub use settlement::Settlement;
pub use transcript::{Disqualified, Outcome, Phase, Transcript, TranscriptError};

#[cfg(test)]
mod tests;

use super::curve::PointError;
use super::signers::SignersError;

/// Wrong messages of one member that are looked at in a key generation; later ones are ignored.
pub const MAX_STRIKES: u8 = 4;

/// Why bytes are no message of a key generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not the length that this session's messages have.
    #[error("{found} bytes where this session needs {expected}")]
    Length {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A commitment is no usable point.
    #[error("commitment {index} is {reason}")]
    Commitment {
        /// Which coefficient, constant first.
        index: usize,
        /// The fault of the point.
        reason: PointError,
    },
    /// The bitmap of receipts is not canonical.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// A revealed share is not below the group order.
    #[error("the revealed share at position {index} is no scalar")]
    Share {
        /// Its position among the revealed.
        index: usize,
    },
}

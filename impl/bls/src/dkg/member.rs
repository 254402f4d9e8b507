//! The secret side of a key generation: one member's polynomial, its shares and its receipts.
//!
//! Everything is derived from the identity key, the decryption key and a seed, so that a member that restarts and is fed the
//! broadcasts again continues where it was: it deals the same dealing and signs the same receipts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::dealer::Dealer;
use super::dealing::{Dealing, Receipt};
use super::encryption::DecryptionKey;
use super::recipient::Recipient;
use super::session::Session;
use super::settlement::Settlement;
use super::transcript::{Outcome, Transcript, TranscriptError};
use crate::beacon::KeyShare;
use crate::committee::MinerId;
use crate::keys::{AggregateError, SecretKey};
use crate::signers::SignersError;

/// A member of the committee that generates a key: a [`Dealer`] and a [`Recipient`] with a [`Transcript`] of their own. Debug output
/// shows the member only.
pub struct Member {
    dealer: Dealer,
    recipient: Recipient,
    /// The answer to each dealer's first dealing.
    answers: BTreeMap<MinerId, Result<Receipt, ShareRefused>>,
    transcript: Transcript,
}

impl Member {
    /// Joins a key generation. `seed` is that of [`Dealer::new`].
    ///
    /// # Errors
    /// [`MemberError::NotMyKeys`] when the keys are not the registered ones of `me`, [`MemberError::Seed`].
    pub fn new(
        session: Arc<Session>,
        me: MinerId,
        identity: SecretKey,
        decryption: DecryptionKey,
        seed: &[u8; 32],
    ) -> Result<Self, MemberError> {
        if session.encryption(me).is_some_and(|key| *key != decryption.encryption_key()) {
            return Err(MemberError::NotMyKeys { member: me });
        }
        let recipient = Recipient::new(&session, me, identity.clone(), decryption)?;
        let dealer = Dealer::new(&session, me, identity, seed)?;
        let (answers, transcript) = (BTreeMap::new(), Transcript::new(session));
        Ok(Self { dealer, recipient, answers, transcript })
    }

    /// This member's place in the new committee.
    #[must_use]
    pub const fn me(&self) -> MinerId {
        self.recipient.me()
    }

    /// The public side, as this member saw it.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// This member's dealing, to be broadcast.
    #[must_use]
    pub const fn dealing(&self) -> &Dealing {
        self.dealer.dealing()
    }

    /// Takes a dealing from the broadcast, and answers it with a receipt for its dealer when this member's share is right.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when the transcript refuses the message; [`MemberError::Share`] when it takes the message
    /// but there is no receipt to give: then the dealer has to reveal the share, or is out.
    pub fn on_dealing(&mut self, dealing: &Dealing) -> Result<Receipt, MemberError> {
        self.transcript.on_dealing(dealing)?;
        // Only the first dealing of a dealer gets a receipt; a second one has disqualified it.
        let first = self.transcript.dealing(dealing.dealer) == Some(dealing);
        Ok(self.answer(dealing.dealer, first)?)
    }

    /// [`Member::on_dealing`] for the bytes of a dealing that `from` brought into the broadcast; see
    /// [`Transcript::receive_dealing`].
    ///
    /// # Errors
    /// As [`Member::on_dealing`].
    pub fn receive_dealing(&mut self, from: MinerId, bytes: &[u8]) -> Result<Receipt, MemberError> {
        let (dealer, first) = self.transcript.receive_dealing(from, bytes)?;
        Ok(self.answer(dealer, first)?)
    }

    /// The receipt for a dealing that was taken: made once.
    fn answer(&mut self, dealer: MinerId, first: bool) -> Result<Receipt, ShareRefused> {
        let dealing = self.transcript.dealing(dealer).filter(|_| first);
        let (Some(dealing), Some(digest)) = (dealing, self.transcript.dealing_digest(dealer)) else {
            return Err(ShareRefused::SecondDealing { dealer });
        };
        if let Some(answer) = self.answers.get(&dealer) {
            return *answer;
        }
        let session = self.transcript.session();
        let opened = self.recipient.open(session, dealing);
        let answer = opened.map(|_| self.recipient.receipt(session, dealer, digest));
        self.answers.insert(dealer, answer);
        answer
    }

    /// [`Dealer::on_receipt`] for the own dealing.
    ///
    /// # Errors
    /// As there.
    pub fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<(), MemberError> {
        self.dealer.on_receipt(self.transcript.session(), from, receipt)
    }

    /// Ends the phase of dealings.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when it ended already.
    pub fn end_dealing(&mut self) -> Result<(), MemberError> {
        Ok(self.transcript.end_dealing()?)
    }

    /// [`Dealer::settle`] with the receipts that came.
    ///
    /// # Errors
    /// As there.
    pub fn settle(&self) -> Result<Settlement, MemberError> {
        self.dealer.settle(self.transcript.session())
    }

    /// Takes a settlement from the broadcast.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when the transcript refuses the message.
    pub fn on_settlement(&mut self, settlement: &Settlement) -> Result<(), MemberError> {
        Ok(self.transcript.on_settlement(settlement)?)
    }

    /// [`Member::on_settlement`] for the bytes of a settlement that `from` brought into the broadcast.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when the transcript refuses the message.
    pub fn receive_settlement(&mut self, from: MinerId, bytes: &[u8]) -> Result<(), MemberError> {
        Ok(self.transcript.receive_settlement(from, bytes)?)
    }

    /// Ends the key generation: the committee's key, and this member's share of it, the sum of its shares of *all* qualified
    /// dealings.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when there is no key; [`MemberError::Share`] when a share of a qualified dealing is missing
    /// or the sum does not match the group's commitments: a part of a key is no key.
    pub fn finish(&self) -> Result<(Outcome, KeyShare), MemberError> {
        let outcome = self.transcript.outcome()?;
        let dealers = outcome.qualified().keys().copied();
        let share = self.recipient.key_share(&self.transcript, dealers, &outcome.sum()?, |_| None)?;
        Ok((outcome, share))
    }
}

#[cfg(test)]
impl Member {
    /// The share that this member dealt to another, for tests in which it is revealed by hand.
    pub(super) fn share_for_tests(&self, member: MinerId) -> crate::curve::Scalar {
        self.dealer.share(member)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("me", &self.me()).finish_non_exhaustive()
    }
}

/// Why a member has no receipt to give, or no share.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareRefused {
    /// A second, different dealing of one dealer.
    #[error("miner {} dealt twice", dealer.0)]
    SecondDealing {
        /// The dealer.
        dealer: MinerId,
    },
    /// The share does not decrypt, or is no scalar.
    #[error("the share of miner {} cannot be read", dealer.0)]
    Unreadable {
        /// The dealer.
        dealer: MinerId,
    },
    /// The share is not a value of the committed polynomial.
    #[error("the share of miner {} does not match its commitments", dealer.0)]
    Wrong {
        /// The dealer.
        dealer: MinerId,
    },
    /// The sum of the shares does not belong to the group's key.
    #[error("the sum of the shares does not match the key of the group")]
    OtherKey,
}

/// Why a member cannot do what it is asked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The keys are not the registered ones.
    #[error("these are not the keys that miner {} registered", member.0)]
    NotMyKeys {
        /// The member.
        member: MinerId,
    },
    /// The seed makes a coefficient of zero (with a probability below `2^-240`); take another.
    #[error("this seed makes no polynomial")]
    Seed,
    /// The transcript refuses.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// There is no right share.
    #[error(transparent)]
    Share(#[from] ShareRefused),
    /// A receipt that is none for this member's dealing.
    #[error("the receipt of miner {} is not for this dealing", recipient.0)]
    Receipt {
        /// The claimed signer.
        recipient: MinerId,
    },
    /// Too many receipts are missing.
    #[error("{missing} receipts are missing, and at most {allowed} shares may be revealed")]
    WouldRevealTooMuch {
        /// How many are missing.
        missing: usize,
        /// How many shares may be revealed.
        allowed: usize,
    },
    /// The receipts are no set of members.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// The receipts cannot be summed.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
}

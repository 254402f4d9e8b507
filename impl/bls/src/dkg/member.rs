//! The secret side of a key generation: one member's polynomial, its shares and its receipts.
//!
//! Everything is derived from the identity key, the decryption key and a seed, so that a member that restarts and is fed the
//! broadcasts again continues where it was: it deals the same dealing and signs the same receipts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chacha20::rand_core::Rng;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use super::dealing::{Dealing, Receipt, sealing_context};
use super::encryption::{DecryptionKey, rng};
use super::session::Session;
use super::settlement::Settlement;
use super::transcript::{Outcome, Strikes, Transcript, TranscriptError};
use crate::beacon::BeaconShare;
use crate::committee::MinerId;
use crate::curve::Scalar;
use crate::keys::{AggregateError, DomainTag, SecretKey, aggregate};
use crate::polynomial::{Polynomial, abscissa};
use crate::signature::Signature;
use crate::signers::{Signers, SignersError};

const SEED_TAG: &[u8] = b"ZUS-BPP-V01-DKG-SEED";

/// A member of the committee that generates a key. Debug output shows the member only.
pub struct Member {
    me: MinerId,
    identity: SecretKey,
    decryption: DecryptionKey,
    dealing: Dealing,
    polynomial: Polynomial,
    receipts: BTreeMap<MinerId, Signature>,
    /// The digest of the own dealing.
    digest: [u8; 32],
    /// The answer to each dealer's first dealing.
    answers: BTreeMap<MinerId, Result<Receipt, ShareRefused>>,
    /// The number of invalid receipts from each member.
    strikes: Strikes,
    transcript: Transcript,
}

impl Member {
    /// Joins a key generation. `seed` is 32 uniformly random bytes, kept secret and kept until the key generation ends; the
    /// polynomial is derived from it and the session, so that two sessions never share one.
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
        let registered = session.registration(me).is_some_and(|registration| {
            registration.identity == identity.public_key()
                && registration.encryption == decryption.encryption_key()
        });
        if !registered {
            return Err(MemberError::NotMyKeys { member: me });
        }
        let (polynomial, dealing) = deal(&session, me, &identity, seed)?;
        let (digest, receipts, answers) = (dealing.digest(&session), BTreeMap::new(), BTreeMap::new());
        let (strikes, transcript) = (Strikes::default(), Transcript::new(session));
        Ok(Self {
            me,
            identity,
            decryption,
            dealing,
            polynomial,
            receipts,
            digest,
            answers,
            strikes,
            transcript,
        })
    }

    /// This member's place in the new committee.
    #[must_use]
    pub const fn me(&self) -> MinerId {
        self.me
    }

    /// The public side, as this member saw it.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// This member's dealing, to be broadcast.
    #[must_use]
    pub const fn dealing(&self) -> &Dealing {
        &self.dealing
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
        let answer = self.open(dealing).map(|_| Receipt {
            attempt: dealing.attempt,
            dealer,
            recipient: self.me,
            signature: self.identity.sign(DomainTag::DKG_RECEIPT, digest),
        });
        self.answers.insert(dealer, answer);
        answer
    }

    /// Takes a receipt for the own dealing from `from`, the member that the link authenticated: from nobody but its signer. The
    /// same one again changes nothing. After [`MAX_STRIKES`](crate::dkg::MAX_STRIKES) wrong signatures a member is not heard
    /// any more.
    ///
    /// # Errors
    /// [`TranscriptError::OtherAttempt`] for a receipt of another attempt; [`TranscriptError::NotHeard`];
    /// [`MemberError::Receipt`] for one of another member, for another dealing, of a stranger, or with a wrong signature.
    pub fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<(), MemberError> {
        self.transcript.require_attempt(receipt.recipient, receipt.attempt)?;
        let refused = Err(MemberError::Receipt { recipient: receipt.recipient });
        if from != receipt.recipient || receipt.dealer != self.me {
            return refused;
        }
        // A signature is unique: what was taken already needs no check, and what differs from it is wrong.
        if let Some(known) = self.receipts.get(&receipt.recipient) {
            return if *known == receipt.signature { Ok(()) } else { refused };
        }
        self.strikes.require_heard(from)?;
        let Some(key) = self.transcript.session().identity(receipt.recipient) else { return refused };
        if !key.public_key().verify(DomainTag::DKG_RECEIPT, &self.digest, &receipt.signature) {
            self.strikes.count(from);
            return refused;
        }
        self.receipts.insert(receipt.recipient, receipt.signature);
        Ok(())
    }

    /// Ends the phase of dealings.
    ///
    /// # Errors
    /// [`MemberError::Transcript`] when it ended already.
    pub fn end_dealing(&mut self) -> Result<(), MemberError> {
        Ok(self.transcript.end_dealing()?)
    }

    /// The settlement of the own dealing, to be broadcast: the receipts that came, the shares of all others. Broadcast it
    /// once; a later one with more receipts is another one and disqualifies.
    ///
    /// # Errors
    /// [`MemberError::WouldRevealTooMuch`] when too many receipts are missing: to settle would qualify nobody and give the
    /// polynomial away.
    pub fn settle(&self) -> Result<Settlement, MemberError> {
        let session = self.transcript.session();
        let missing: Vec<MinerId> =
            session.members().filter(|member| !self.receipts.contains_key(member)).collect();
        let allowed = session.parameters().max_revealed();
        if missing.len() > allowed {
            return Err(MemberError::WouldRevealTooMuch { missing: missing.len(), allowed });
        }
        let signers = Signers::from_members(session.size(), self.receipts.keys().copied())?;
        let summands: Vec<Signature> = self.receipts.values().copied().collect();
        let revealed = missing.iter().map(|&member| self.polynomial.evaluate(abscissa(member))).collect();
        let receipts = (signers, aggregate(&summands)?);
        Ok(Settlement::signed(session, self.me, &self.identity, receipts, revealed))
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
    pub fn finish(&self) -> Result<(Outcome, BeaconShare), MemberError> {
        let outcome = self.transcript.outcome()?;
        let mut sum = Scalar::zero();
        for &dealer in outcome.qualified().keys() {
            let share = match self.transcript.revealed_share(dealer, self.me) {
                Some(share) => share.clone(),
                None => {
                    let dealing = self.transcript.dealing(dealer);
                    self.open(dealing.ok_or(ShareRefused::Unreadable { dealer })?)?
                }
            };
            sum = sum.add(&share);
        }
        let share = BeaconShare::from_scalar(sum).ok_or(ShareRefused::OtherKey)?;
        if outcome.key().share(self.me) != Some(&share.public_key()) {
            return Err(ShareRefused::OtherKey.into());
        }
        Ok((outcome, share))
    }

    /// This member's share of a dealing, when it is right.
    fn open(&self, dealing: &Dealing) -> Result<Scalar, ShareRefused> {
        let dealer = dealing.dealer;
        let session = self.transcript.session();
        let context = sealing_context(session, dealer, self.me, &dealing.commitments);
        let sealed = dealing.sealed.get(usize::from(self.me.0));
        let share = sealed.and_then(|sealed| self.decryption.open(sealed, &context));
        let share = share.ok_or(ShareRefused::Unreadable { dealer })?;
        let right = dealing.commitments.admits(self.me, &share);
        right.then_some(share).ok_or(ShareRefused::Wrong { dealer })
    }
}

#[cfg(test)]
impl Member {
    /// The share that this member dealt to another, for tests in which it is revealed by hand.
    pub(super) fn share_for_tests(&self, member: MinerId) -> Scalar {
        self.polynomial.evaluate(abscissa(member))
    }
}

/// Draws the polynomial and seals its values.
fn deal(
    session: &Session,
    me: MinerId,
    identity: &SecretKey,
    seed: &[u8; 32],
) -> Result<(Polynomial, Dealing), MemberError> {
    let hash = Sha3_256::new()
        .chain_update(SEED_TAG)
        .chain_update(session.id())
        .chain_update(me.0.to_be_bytes())
        .chain_update(seed);
    let session_seed: Zeroizing<[u8; 32]> = Zeroizing::new(hash.finalize().into());
    let mut rng = rng(&session_seed);
    let mut wide = Zeroizing::new([0; 64]);
    let coefficients = (0..session.parameters().threshold())
        .map(|_| {
            rng.fill_bytes(&mut *wide);
            Scalar::from_uniform_bytes(&wide)
        })
        .collect();
    let polynomial = Polynomial::new(coefficients);
    let commitments = polynomial.commit().ok_or(MemberError::Seed)?;
    let sealed = session
        .members()
        .zip(session.registrations())
        .map(|(recipient, registration)| {
            let share = polynomial.evaluate(abscissa(recipient));
            let context = sealing_context(session, me, recipient, &commitments);
            registration.encryption.seal(&share, &context, &mut rng).ok_or(MemberError::Seed)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((polynomial, Dealing::signed(session, me, identity, commitments, sealed)))
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("me", &self.me).finish_non_exhaustive()
    }
}

/// Why a member has no receipt to give, or no share.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
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

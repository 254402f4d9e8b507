//! The secrets of a dealer: its polynomial, and the receipts for its dealing.

use std::collections::BTreeMap;
use std::fmt;

use chacha20::rand_core::Rng;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use super::dealing::{Dealing, Receipt, sealing_context};
use super::encryption::rng;
use super::member::MemberError;
use super::session::Session;
use super::settlement::Settlement;
use super::transcript::Strikes;
use crate::committee::MinerId;
use crate::curve::Scalar;
use crate::keys::{DomainTag, SecretKey, aggregate};
use crate::polynomial::{Polynomial, abscissa};
use crate::signature::Signature;
use crate::signers::Signers;

const SEED_TAG: &[u8] = b"ZUS-BPP-V01-DKG-SEED";

/// A member as a dealer. The same session, identity and seed make the same dealing. Debug output shows the member only.
pub struct Dealer {
    me: MinerId,
    identity: SecretKey,
    dealing: Dealing,
    /// The digest of the dealing.
    digest: [u8; 32],
    polynomial: Polynomial,
    receipts: BTreeMap<MinerId, Signature>,
    /// The number of invalid receipts from each member.
    strikes: Strikes,
}

impl Dealer {
    /// Deals. `seed` is 32 uniformly random bytes, kept secret and kept until the key generation ends; the polynomial is derived from
    /// it and the session, so that two sessions never share one.
    ///
    /// # Errors
    /// [`MemberError::NotMyKeys`] when the identity is not the one of `me`, [`MemberError::Seed`].
    pub fn new(
        session: &Session,
        me: MinerId,
        identity: SecretKey,
        seed: &[u8; 32],
    ) -> Result<Self, MemberError> {
        if session.identity(me).is_none_or(|key| *key.public_key() != identity.public_key()) {
            return Err(MemberError::NotMyKeys { member: me });
        }
        let (polynomial, dealing) = deal(session, me, &identity, seed)?;
        let digest = dealing.digest(session);
        let (receipts, strikes) = (BTreeMap::new(), Strikes::default());
        Ok(Self { me, identity, dealing, digest, polynomial, receipts, strikes })
    }

    /// The dealing, to be broadcast.
    #[must_use]
    pub const fn dealing(&self) -> &Dealing {
        &self.dealing
    }

    /// The digest of the dealing.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Takes a receipt from `from`, the member that the link authenticated: from nobody but its signer. The same one again changes
    /// nothing. After [`MAX_STRIKES`](crate::dkg::MAX_STRIKES) wrong signatures a member is not heard any more.
    ///
    /// # Errors
    /// [`OtherAttempt`](crate::dkg::TranscriptError::OtherAttempt) for a receipt of another attempt;
    /// [`NotHeard`](crate::dkg::TranscriptError::NotHeard);
    /// [`MemberError::Receipt`] for one of another member, for another dealing, of a stranger, or with a wrong signature.
    pub fn on_receipt(
        &mut self,
        session: &Session,
        from: MinerId,
        receipt: &Receipt,
    ) -> Result<(), MemberError> {
        session.require_attempt(receipt.recipient, receipt.attempt)?;
        let refused = Err(MemberError::Receipt { recipient: receipt.recipient });
        if from != receipt.recipient || receipt.dealer != self.me {
            return refused;
        }
        // A signature is unique: what was taken already needs no check, and what differs from it is wrong.
        if let Some(known) = self.receipts.get(&receipt.recipient) {
            return if *known == receipt.signature { Ok(()) } else { refused };
        }
        self.strikes.require_heard(from)?;
        let Some(key) = session.identity(receipt.recipient) else { return refused };
        if !key.public_key().verify(DomainTag::DKG_RECEIPT, &self.digest, &receipt.signature) {
            self.strikes.count(from);
            return refused;
        }
        self.receipts.insert(receipt.recipient, receipt.signature);
        Ok(())
    }

    /// How many members have given no receipt.
    #[must_use]
    pub fn missing(&self, session: &Session) -> usize {
        session.size().saturating_sub(self.receipts.len())
    }

    /// The settlement of the dealing, to be broadcast: the receipts that came, the shares of all others. Broadcast it once; a later
    /// one with more receipts is another one and disqualifies.
    ///
    /// # Errors
    /// [`MemberError::WouldRevealTooMuch`] when too many receipts are missing: to settle would qualify nobody and give the
    /// polynomial away.
    pub fn settle(&self, session: &Session) -> Result<Settlement, MemberError> {
        let missing: Vec<MinerId> =
            session.members().filter(|member| !self.receipts.contains_key(member)).collect();
        let allowed = session.parameters().max_revealed();
        if missing.len() > allowed {
            return Err(MemberError::WouldRevealTooMuch { missing: missing.len(), allowed });
        }
        let signers = Signers::from_members(session.size(), self.receipts.keys().copied())?;
        let summands: Vec<Signature> = self.receipts.values().copied().collect();
        let revealed = missing.iter().map(|&member| self.share(member)).collect();
        let receipts = (signers, aggregate(&summands)?);
        Ok(Settlement::signed(session, self.me, &self.identity, receipts, revealed))
    }

    /// The share of a member.
    pub(super) fn share(&self, member: MinerId) -> Scalar {
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
        .recipients()
        .map(|(recipient, key)| {
            let share = polynomial.evaluate(abscissa(recipient));
            let context = sealing_context(session, me, recipient, &commitments);
            key.seal(&share, &context, &mut rng).ok_or(MemberError::Seed)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((polynomial, Dealing::signed(session, me, identity, commitments, sealed)))
}

impl fmt::Debug for Dealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dealer").field("me", &self.me).finish_non_exhaustive()
    }
}

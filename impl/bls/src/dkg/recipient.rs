//! The secrets of a recipient: the key that opens its shares.

use std::fmt;

use super::dealing::{Dealing, Receipt, sealing_context};
use super::encryption::DecryptionKey;
use super::member::{MemberError, ShareRefused};
use super::session::Session;
use super::transcript::Transcript;
use crate::beacon::KeyShare;
use crate::committee::MinerId;
use crate::curve::Scalar;
use crate::keys::{DomainTag, SecretKey};
use crate::polynomial::Commitments;

/// A member as a recipient. Debug output shows the member only.
pub struct Recipient {
    me: MinerId,
    identity: SecretKey,
    decryption: DecryptionKey,
}

impl Recipient {
    /// The recipient `me` of a session. With another decryption key than the registered one it opens nothing: it takes revealed
    /// shares only.
    ///
    /// # Errors
    /// [`MemberError::NotMyKeys`] when the identity is not the one of `me`.
    pub fn new(
        session: &Session,
        me: MinerId,
        identity: SecretKey,
        decryption: DecryptionKey,
    ) -> Result<Self, MemberError> {
        if session.identity(me).is_none_or(|key| *key.public_key() != identity.public_key()) {
            return Err(MemberError::NotMyKeys { member: me });
        }
        Ok(Self { me, identity, decryption })
    }

    /// This member's place in the committee.
    #[must_use]
    pub const fn me(&self) -> MinerId {
        self.me
    }

    /// This member's share of a dealing, when it is right.
    ///
    /// # Errors
    /// [`ShareRefused::Unreadable`], [`ShareRefused::Wrong`].
    pub fn open(&self, session: &Session, dealing: &Dealing) -> Result<Scalar, ShareRefused> {
        let dealer = dealing.dealer;
        let context = sealing_context(session, dealer, self.me, &dealing.commitments);
        let sealed = session.sealed_position(self.me).and_then(|position| dealing.sealed.get(position));
        let share = sealed.and_then(|sealed| self.decryption.open(sealed, &context));
        let share = share.ok_or(ShareRefused::Unreadable { dealer })?;
        let right = dealing.commitments.admits(self.me, &share);
        right.then_some(share).ok_or(ShareRefused::Wrong { dealer })
    }

    /// The receipt for the dealing of `dealer` with this digest. It says that [`Recipient::open`] gave a share.
    #[must_use]
    pub fn receipt(&self, session: &Session, dealer: MinerId, digest: &[u8; 32]) -> Receipt {
        let signature = self.identity.sign(DomainTag::DKG_RECEIPT, digest);
        Receipt { attempt: session.attempt(), dealer, recipient: self.me, signature }
    }

    /// This member's share of the key with the commitments `sum`: the sum of its shares of the dealings of all `qualified` dealers.
    /// A revealed share comes from the transcript, any other from `received`, or it is opened again.
    ///
    /// # Errors
    /// [`ShareRefused`] when a share of a qualified dealing is missing or the sum does not match `sum`: a part of a key is no key.
    pub fn key_share(
        &self,
        transcript: &Transcript,
        qualified: impl IntoIterator<Item = MinerId>,
        sum: &Commitments,
        received: impl Fn(MinerId) -> Option<Scalar>,
    ) -> Result<KeyShare, ShareRefused> {
        let mut total = Scalar::zero();
        for dealer in qualified {
            let share = match transcript.revealed_share(dealer, self.me) {
                Some(share) => share.clone(),
                None => match received(dealer) {
                    Some(share) => share,
                    None => {
                        let dealing = transcript.dealing(dealer);
                        self.open(transcript.session(), dealing.ok_or(ShareRefused::Unreadable { dealer })?)?
                    }
                },
            };
            total = total.add(&share);
        }
        if !sum.admits(self.me, &total) {
            return Err(ShareRefused::OtherKey);
        }
        KeyShare::from_scalar(total).ok_or(ShareRefused::OtherKey)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("me", &self.me).finish_non_exhaustive()
    }
}

//! Encryption of a share to its recipient: HPKE (RFC 9180) in base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305.
//!
//! Delegated to the `hpke` crate: it is the well-kept Rust implementation of that standard, checked against its vectors, and
//! encryption is not what this project exists for. The encryption key is a key of its own, bound to the identity key by the
//! proof of possession; a key that both signs and decrypts would have to be safe for both at once. One key serves one
//! epoch: whoever wipes it after the key generation makes the ciphertexts that stay on the chain useless.
//!
//! The sender is authenticated by the signature on the dealing, not by HPKE. Session, dealer, recipient and commitments are
//! authenticated data, so that a ciphertext cannot be moved into another dealing.

use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::curve::{SCALAR_BYTES, Scalar};

type Kem = X25519HkdfSha256;
type PublicX25519 = <Kem as hpke::Kem>::PublicKey;
type SecretX25519 = <Kem as hpke::Kem>::PrivateKey;

/// Bytes of an encoded encryption key.
pub const ENCRYPTION_KEY_BYTES: usize = 32;

/// Bytes of a sealed share: the encapsulated key, the encrypted scalar, the authentication tag.
pub const SEALED_SHARE_BYTES: usize = 32 + SCALAR_BYTES + 16;

/// The context string of the key schedule.
const INFO: &[u8] = b"ZUS-BPP-V01-DKG-SHARE";

/// The key under which shares are encrypted to a member.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKey(PublicX25519);

impl EncryptionKey {
    /// Reads a key; `None` for a point of small order, under which nothing can be sealed.
    #[must_use]
    pub fn decode(bytes: &[u8; ENCRYPTION_KEY_BYTES]) -> Option<Self> {
        let key = PublicX25519::from_bytes(bytes).ok().map(Self)?;
        // Whether a shared secret vanishes depends on the point alone, so that one trial with any randomness tells.
        let trial = key.seal(&Scalar::zero(), &[], &mut rng(&[0; 32]));
        trial.map(|_| key)
    }

    /// The bytes that [`EncryptionKey::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> [u8; ENCRYPTION_KEY_BYTES] {
        self.0.to_bytes().into()
    }

    /// Encrypts a share, bound to `context`. `None` only under a key of small order.
    #[must_use]
    pub(super) fn seal(
        &self,
        share: &Scalar,
        context: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<SealedShare> {
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeS::Base,
                &self.0,
                INFO,
                &share.to_bytes()[..],
                context,
                rng,
            )
            .ok()?;
        let bytes = [&encapsulated.to_bytes()[..], &ciphertext].concat();
        bytes.try_into().ok().map(SealedShare)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.encode();
        write!(f, "EncryptionKey({:02x}{:02x}{:02x}{:02x}..)", bytes[0], bytes[1], bytes[2], bytes[3])
    }
}

/// The secret side of an [`EncryptionKey`]. Wiped when dropped; `Debug` shows nothing.
#[derive(Clone)]
pub struct DecryptionKey(SecretX25519);

impl DecryptionKey {
    /// Derives a key from uniformly random key material (DeriveKeyPair of RFC 9180). One seed serves one epoch.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Kem::derive_keypair(seed).0)
    }

    /// The public side.
    #[must_use]
    pub fn encryption_key(&self) -> EncryptionKey {
        EncryptionKey(Kem::sk_to_pk(&self.0))
    }

    /// Decrypts a share; `None` when it was not sealed to this key in this context, or is no scalar.
    #[must_use]
    pub(super) fn open(&self, sealed: &SealedShare, context: &[u8]) -> Option<Scalar> {
        let (encapsulated, ciphertext) = sealed.0.split_at(ENCRYPTION_KEY_BYTES);
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let plaintext = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            ciphertext,
            context,
        )
        .map(Zeroizing::new)
        .ok()?;
        Scalar::from_bytes(plaintext.as_slice().try_into().ok()?)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(..)")
    }
}

/// A share that only its recipient can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedShare(pub [u8; SEALED_SHARE_BYTES]);

/// The deterministic generator that a caller's randomness is stretched with.
pub(super) fn rng(seed: &[u8; 32]) -> impl CryptoRng + use<> {
    <chacha20::ChaCha20Rng as chacha20::rand_core::SeedableRng>::from_seed(*seed)
}

#[cfg(test)]
mod tests {
    use subtle::ConstantTimeEq;

    use super::*;

    #[test]
    fn a_sealed_share_opens_for_its_recipient_in_its_context_only() {
        let recipient = DecryptionKey::from_seed(&[1; 32]);
        let share = Scalar::from_u64(77);
        let sealed = recipient.encryption_key().seal(&share, b"context", &mut rng(&[9; 32])).unwrap();
        assert!(bool::from(recipient.open(&sealed, b"context").unwrap().ct_eq(&share)));
        assert!(recipient.open(&sealed, b"other context").is_none());
        assert!(DecryptionKey::from_seed(&[2; 32]).open(&sealed, b"context").is_none());
        for bit in 0..SEALED_SHARE_BYTES * 8 {
            let mut flipped = sealed;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            // The top bit of an X25519 key is ignored on purpose (RFC 7748, section 5), but HPKE binds the bytes.
            assert!(recipient.open(&flipped, b"context").is_none(), "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_scalar_is_refused_although_it_decrypts() {
        let recipient = DecryptionKey::from_seed(&[1; 32]);
        let key = recipient.encryption_key();
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeS::Base,
                &key.0,
                INFO,
                &[0xff; 32],
                b"context",
                &mut rng(&[9; 32]),
            )
            .unwrap();
        let sealed = SealedShare([&encapsulated.to_bytes()[..], &ciphertext].concat().try_into().unwrap());
        assert!(recipient.open(&sealed, b"context").is_none());
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        assert!(EncryptionKey::decode(&[0; 32]).is_none());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(EncryptionKey::decode(&one).is_none());
        let key = DecryptionKey::from_seed(&[1; 32]).encryption_key();
        assert_eq!(EncryptionKey::decode(&key.encode()), Some(key));
    }

    #[test]
    fn secrets_are_redacted() {
        assert_eq!(format!("{:?}", DecryptionKey::from_seed(&[1; 32])), "DecryptionKey(..)");
    }
}

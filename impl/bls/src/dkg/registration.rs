//! The keys of a member: its identity with a proof of possession, which is for good, and its encryption key, which is for the
//! key generation of one epoch.

use super::encryption::{ENCRYPTION_KEY_BYTES, EncryptionKey};
use super::session::Attempt;
use crate::committee::{ChainId, Epoch, MinerId};
use crate::keys::{
    DomainTag, KeyError, PUBLIC_KEY_BYTES, ProofOfPossession, PublicKey, RegisteredKey, SecretKey,
};
use crate::signature::{SIGNATURE_BYTES, Signature};

/// Bytes of an encoded identity.
pub const IDENTITY_BYTES: usize = PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/// Bytes of the longest endpoint.
pub const MAX_ENDPOINT_BYTES: usize = 64;

/// Bytes of a registration with an empty endpoint: attempt, member, encryption key, length of the endpoint, signature.
const FIXED_BYTES: usize = 4 + 2 + ENCRYPTION_KEY_BYTES + 1 + SIGNATURE_BYTES;

/// Bytes of the longest registration.
pub const MAX_REGISTRATION_BYTES: usize = FIXED_BYTES + MAX_ENDPOINT_BYTES;

const IDENTITY_TAG: &[u8] = b"ZUS-BPP-V01-IDENTITY";

/// An identity key, and the proof that its owner has the secret. It is made once for a chain: a member of many epochs has one, and
/// a member that answers nobody has one, too, so that its silence keeps no committee from being formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The identity key.
    pub key: PublicKey,
    /// Proof of possession of the key, over the chain.
    pub proof: ProofOfPossession,
}

impl Identity {
    /// The identity of `secret` on a chain.
    #[must_use]
    pub fn new(chain: ChainId, secret: &SecretKey) -> Self {
        Self { key: secret.public_key(), proof: secret.prove_possession(&possession(chain)) }
    }

    /// Checks the proof.
    ///
    /// # Errors
    /// [`KeyError::NotPossessed`] when the owner of the key did not make this proof for this chain.
    pub fn verify(&self, chain: ChainId) -> Result<RegisteredKey, KeyError> {
        self.proof.verify(&self.key, &possession(chain))
    }

    /// [`Identity::verify`] of many at once; `None` when one of the proofs is wrong. `seed` is that of
    /// [`Verify::verify_aggregates`](crate::scheme::Verify::verify_aggregates).
    #[must_use]
    pub fn verify_all(all: &[Self], chain: ChainId, seed: &[u8; 32]) -> Option<Vec<RegisteredKey>> {
        let proofs: Vec<_> = all.iter().map(|identity| (identity.key, identity.proof)).collect();
        ProofOfPossession::verify_all(&proofs, &possession(chain), seed)
    }

    /// The canonical encoding: key (96 bytes), proof (48).
    #[must_use]
    pub fn encode(&self) -> [u8; IDENTITY_BYTES] {
        let mut bytes = [0; IDENTITY_BYTES];
        bytes[..PUBLIC_KEY_BYTES].copy_from_slice(&self.key.encode());
        bytes[PUBLIC_KEY_BYTES..].copy_from_slice(&self.proof.0.0);
        bytes
    }

    /// Reads what [`Identity::encode`] writes; the proof is not checked.
    ///
    /// # Errors
    /// [`KeyError::Point`] for a key that is no usable point.
    pub fn decode(bytes: &[u8; IDENTITY_BYTES]) -> Result<Self, KeyError> {
        let (mut key, mut proof) = ([0; PUBLIC_KEY_BYTES], [0; SIGNATURE_BYTES]);
        key.copy_from_slice(&bytes[..PUBLIC_KEY_BYTES]);
        proof.copy_from_slice(&bytes[PUBLIC_KEY_BYTES..]);
        Ok(Self { key: PublicKey::decode(&key)?, proof: ProofOfPossession(Signature(proof)) })
    }
}

fn possession(chain: ChainId) -> Vec<u8> {
    [IDENTITY_TAG, &chain.0].concat()
}

/// A member's encryption key and endpoint. It is signed for the attempt in which it is made, and serves that attempt and the later
/// ones of the epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The attempt in which it is made.
    pub attempt: Attempt,
    /// The member.
    pub member: MinerId,
    /// The key under which shares are encrypted to this member.
    pub encryption: EncryptionKey,
    /// Where the member is reached; at most [`MAX_ENDPOINT_BYTES`], and of no meaning here.
    pub endpoint: Vec<u8>,
    /// The member's signature over all of the above, chain and epoch.
    pub signature: Signature,
}

impl Registration {
    /// Registers `encryption` as `member` of the committee of `epoch`. `None` for an endpoint of more than [`MAX_ENDPOINT_BYTES`].
    #[must_use]
    pub fn new(
        (chain, epoch, attempt): (ChainId, Epoch, Attempt),
        member: MinerId,
        identity: &SecretKey,
        encryption: EncryptionKey,
        endpoint: &[u8],
    ) -> Option<Self> {
        if endpoint.len() > MAX_ENDPOINT_BYTES {
            return None;
        }
        let (endpoint, signature) = (endpoint.to_vec(), Signature([0; SIGNATURE_BYTES]));
        let mut registration = Self { attempt, member, encryption, endpoint, signature };
        registration.signature =
            identity.sign(DomainTag::DKG_REGISTRATION, &registration.message(chain, epoch));
        Some(registration)
    }

    /// Whether the owner of `identity` signed this for this chain and epoch.
    #[must_use]
    pub fn is_signed(&self, chain: ChainId, epoch: Epoch, identity: &RegisteredKey) -> bool {
        let message = self.message(chain, epoch);
        identity.public_key().verify(DomainTag::DKG_REGISTRATION, &message, &self.signature)
    }

    /// The canonical encoding: attempt (4 bytes, big-endian), member (2), encryption key (32), length of the endpoint (1), endpoint,
    /// signature (48).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.body();
        bytes.extend(self.signature.0);
        bytes
    }

    /// Reads what [`Registration::encode`] writes; the signature is not checked.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RegistrationError> {
        let wrong_length = |expected| RegistrationError::Length { expected, found: bytes.len() };
        let (fixed, rest) = bytes
            .split_first_chunk::<{ FIXED_BYTES - SIGNATURE_BYTES }>()
            .ok_or(wrong_length(FIXED_BYTES))?;
        let [a0, a1, a2, a3, m0, m1, encryption @ .., length] = *fixed;
        let length = usize::from(length);
        if length > MAX_ENDPOINT_BYTES {
            return Err(RegistrationError::Endpoint { bytes: length });
        }
        let expected = FIXED_BYTES + length;
        if bytes.len() != expected {
            return Err(wrong_length(expected));
        }
        let (endpoint, signature) = rest.split_last_chunk().ok_or(wrong_length(expected))?;
        Ok(Self {
            attempt: Attempt(u32::from_be_bytes([a0, a1, a2, a3])),
            member: MinerId(u16::from_be_bytes([m0, m1])),
            encryption: EncryptionKey::decode(&encryption).ok_or(RegistrationError::EncryptionKey)?,
            endpoint: endpoint.to_vec(),
            signature: Signature(*signature),
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut bytes = self.attempt.0.to_be_bytes().to_vec();
        bytes.extend(self.member.0.to_be_bytes());
        bytes.extend(self.encryption.encode());
        // At most MAX_ENDPOINT_BYTES, or the signature is of another message.
        bytes.push(self.endpoint.len() as u8);
        bytes.extend(&self.endpoint);
        bytes
    }

    fn message(&self, chain: ChainId, epoch: Epoch) -> Vec<u8> {
        [&chain.0[..], &epoch.0.to_be_bytes(), &self.body()].concat()
    }
}

/// Why bytes are no registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// Bytes are missing or too many.
    #[error("{found} bytes where the registration needs {expected}")]
    Length {
        /// Bytes needed, as far as is known.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The endpoint is too long.
    #[error("an endpoint of {bytes} bytes, where at most {MAX_ENDPOINT_BYTES} are served")]
    Endpoint {
        /// Its bytes.
        bytes: usize,
    },
    /// The encryption key is a point of small order.
    #[error("the encryption key is of small order")]
    EncryptionKey,
}

#[cfg(test)]
mod tests {
    use super::super::encryption::DecryptionKey;
    use super::*;

    const CHAIN: ChainId = ChainId([3; 32]);

    fn secret(i: u8) -> SecretKey {
        SecretKey::from_seed(&[i; 32])
    }

    #[test]
    fn an_identity_proves_its_key_on_its_chain_only() {
        let identity = Identity::new(CHAIN, &secret(1));
        assert_eq!(Identity::decode(&identity.encode()), Ok(identity));
        assert!(identity.verify(CHAIN).is_ok());
        assert_eq!(identity.verify(ChainId([4; 32])), Err(KeyError::NotPossessed));
        let stolen = Identity { key: secret(2).public_key(), ..identity };
        assert_eq!(stolen.verify(CHAIN), Err(KeyError::NotPossessed));
    }

    #[test]
    fn a_registration_is_for_chain_epoch_attempt_member_key_and_endpoint() {
        let key = DecryptionKey::from_seed(&[1; 32]).encryption_key();
        let owner = Identity::new(CHAIN, &secret(1)).verify(CHAIN).unwrap();
        let made =
            Registration::new((CHAIN, Epoch(2), Attempt(3)), MinerId(4), &secret(1), key, b"10.0.0.1:7071");
        let made = made.unwrap();
        assert_eq!(Registration::decode(&made.encode()), Ok(made.clone()));
        assert!(made.is_signed(CHAIN, Epoch(2), &owner));
        assert!(!made.is_signed(ChainId([4; 32]), Epoch(2), &owner));
        assert!(!made.is_signed(CHAIN, Epoch(3), &owner));
        let changes: [fn(&mut Registration); 4] = [
            |it| it.attempt.0 += 1,
            |it| it.member.0 += 1,
            |it| it.encryption = DecryptionKey::from_seed(&[2; 32]).encryption_key(),
            |it| it.endpoint.push(0),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = made.clone();
            change(&mut changed);
            assert!(!changed.is_signed(CHAIN, Epoch(2), &owner), "change {number}");
        }
    }

    #[test]
    fn bytes_that_are_no_registration_are_refused() {
        let key = DecryptionKey::from_seed(&[1; 32]).encryption_key();
        let about = (CHAIN, Epoch(2), Attempt(3));
        let made = Registration::new(about, MinerId(4), &secret(1), key.clone(), b"here").unwrap();
        let bytes = made.encode();
        for length in 0..bytes.len() {
            assert!(Registration::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        let (expected, found) = (bytes.len(), bytes.len() + 1);
        assert_eq!(Registration::decode(&longer), Err(RegistrationError::Length { expected, found }));
        let mut far = bytes.clone();
        far[FIXED_BYTES - SIGNATURE_BYTES - 1] = 65;
        assert_eq!(Registration::decode(&far), Err(RegistrationError::Endpoint { bytes: 65 }));
        let mut small = bytes;
        small[6..6 + ENCRYPTION_KEY_BYTES].fill(0);
        assert_eq!(Registration::decode(&small), Err(RegistrationError::EncryptionKey));
        assert_eq!(Registration::new(about, MinerId(4), &secret(1), key, &[0; 65]), None);
    }
}

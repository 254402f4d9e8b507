//! Members of a key generation whose secrets follow from their numbers: the same in each run.

use zus_bpp::crypto::dkg::DecryptionKey;
use zus_bpp::crypto::keys::SecretKey;

/// A seed for each use of each member.
#[must_use]
pub fn seed(usage: u8, i: u16) -> [u8; 32] {
    let mut seed = [usage; 32];
    seed[..2].copy_from_slice(&i.to_le_bytes());
    seed
}

/// The identity key of a member.
#[must_use]
pub fn identity(i: u16) -> SecretKey {
    SecretKey::from_seed(&seed(1, i))
}

/// The key to which its shares are sealed.
#[must_use]
pub fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&seed(2, i))
}

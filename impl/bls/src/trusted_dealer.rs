//! A committee whose keys one party makes from one seed: for tests, benches and local networks.
//!
//! The seed gives away every key. Networks with more than one owner generate identity keys apart and the beacon key
//! with [`super::dkg`].

use std::sync::Arc;

use sha3::{Digest, Sha3_512};
use zeroize::Zeroizing;

use super::beacon::{BeaconKey, BeaconKeyError, KeyShare};
use super::committee_keys::{CommitteeKeys, CommitteeKeysError, MemberKeys};
use super::curve::Scalar;
use super::keys::SecretKey;
use super::polynomial::{Polynomial, abscissa};
use crate::committee::{MAX_COMMITTEE_SIZE, MinerId, beacon_threshold};

/// Makes the keys of `committee_size` members; the beacon needs [`beacon_threshold`] shares. The same arguments give the same
/// keys.
///
/// # Errors
/// [`TrustedDealerError`] for a committee that cannot be.
pub fn deal(
    seed: [u8; 32],
    committee_size: u16,
) -> Result<(Arc<CommitteeKeys>, Vec<MemberKeys>), TrustedDealerError> {
    let n = usize::from(committee_size);
    if n == 0 || n > MAX_COMMITTEE_SIZE {
        return Err(CommitteeKeysError::Size { size: n }.into());
    }
    let identities: Vec<SecretKey> = (0..n).map(|i| identity(&seed, i)).collect();
    let registered = identities
        .iter()
        .map(|secret| secret.prove_possession(STATEMENT).verify(&secret.public_key(), STATEMENT))
        .collect::<Result<Vec<_>, _>>()?;
    let polynomial = Polynomial::new(
        (0..beacon_threshold(n)).map(|k| Scalar::from_uniform_bytes(&expand(&seed, b"beacon", k))).collect(),
    );
    let commitments = polynomial.commit().ok_or(TrustedDealerError::ZeroShare)?;
    let beacon = BeaconKey::from_commitments(&commitments, n)?;
    let committee = CommitteeKeys::new(registered, beacon)?;
    let members = (0..committee_size)
        .map(MinerId)
        .zip(identities)
        .map(|(member, identity)| {
            let beacon = KeyShare::from_scalar(polynomial.evaluate(abscissa(member)))?;
            Some(MemberKeys { member, identity, beacon })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(TrustedDealerError::ZeroShare)?;
    Ok((Arc::new(committee), members))
}

/// The statement that the proofs of possession of these keys sign.
const STATEMENT: &[u8] = b"ZUS-BPP-V01-TRUSTED-DEALER";

fn identity(seed: &[u8; 32], i: usize) -> SecretKey {
    let expanded = expand(seed, b"identity", i);
    let mut key_seed = Zeroizing::new([0; 32]);
    key_seed.copy_from_slice(&expanded[..32]);
    SecretKey::from_seed(&key_seed)
}

fn expand(seed: &[u8; 32], purpose: &[u8], index: usize) -> Zeroizing<[u8; 64]> {
    let hash = Sha3_512::new()
        .chain_update(STATEMENT)
        .chain_update(seed)
        .chain_update((purpose.len() as u64).to_be_bytes())
        .chain_update(purpose)
        .chain_update((index as u64).to_be_bytes());
    Zeroizing::new(hash.finalize().into())
}

/// Why no keys were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedDealerError {
    /// The threshold does not fit the committee.
    #[error(transparent)]
    Beacon(#[from] BeaconKeyError),
    /// The committee has no members or too many.
    #[error(transparent)]
    Committee(#[from] CommitteeKeysError),
    /// A proof of possession of our own making was refused: a fault of this program.
    #[error(transparent)]
    Key(#[from] super::keys::KeyError),
    /// The seed makes a share of zero (with a probability below `2^-240`); take another.
    #[error("this seed makes a beacon share of zero")]
    ZeroShare,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size is looked at before any key is made, so that the error is not one of the beacon's threshold.
    #[test]
    fn a_committee_without_members_or_with_too_many_is_refused_by_its_size() {
        for size in [0, MAX_COMMITTEE_SIZE + 1] {
            let refused = deal([1; 32], size as u16).expect_err("no such committee");
            assert_eq!(refused, CommitteeKeysError::Size { size }.into());
        }
    }
}

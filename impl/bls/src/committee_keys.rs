//! The verified keys of one committee: what every signature of an epoch is checked against.

use super::beacon::{BeaconKey, KeyShare};
use super::group_testing::KeySums;
use super::keys::{PUBLIC_KEY_BYTES, RegisteredKey, SecretKey};
use crate::committee::{MAX_COMMITTEE_SIZE, MinerId};

/// The identity keys of a committee, every one with a checked proof of possession, and its beacon key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitteeKeys {
    identities: Vec<RegisteredKey>,
    sums: KeySums,
    beacon: BeaconKey,
}

impl CommitteeKeys {
    /// Forms a committee, in the order of its members.
    ///
    /// # Errors
    /// [`CommitteeKeysError`]. Two keys with one x coordinate are refused: a key and its mirror image sum to zero, so that
    /// their two owners could be added to any certificate without signing it.
    pub fn new(identities: Vec<RegisteredKey>, beacon: BeaconKey) -> Result<Self, CommitteeKeysError> {
        if identities.is_empty() || identities.len() > MAX_COMMITTEE_SIZE {
            return Err(CommitteeKeysError::Size { size: identities.len() });
        }
        if identities.len() != beacon.committee_size() {
            return Err(CommitteeKeysError::OtherBeacon {
                identities: identities.len(),
                beacon: beacon.committee_size(),
            });
        }
        Self::require_distinct(&identities)?;
        let sums = KeySums::new(identities.iter().map(|key| *key.public_key().point()).collect());
        Ok(Self { identities, sums, beacon })
    }

    /// Checks that no two keys are equal or mirrored.
    ///
    /// # Errors
    /// [`CommitteeKeysError::SharedCoordinate`].
    pub fn require_distinct(identities: &[RegisteredKey]) -> Result<(), CommitteeKeysError> {
        match shared_coordinate(identities) {
            Some((first, second)) => Err(CommitteeKeysError::SharedCoordinate { first, second }),
            None => Ok(()),
        }
    }

    /// How many members there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.identities.len()
    }

    /// A member's identity key; `None` for a stranger.
    #[must_use]
    pub fn identity(&self, member: MinerId) -> Option<&RegisteredKey> {
        self.identities.get(usize::from(member.0))
    }

    /// Sums of the identity keys.
    #[must_use]
    pub const fn identity_sums(&self) -> &KeySums {
        &self.sums
    }

    /// The beacon key.
    #[must_use]
    pub const fn beacon(&self) -> &BeaconKey {
        &self.beacon
    }
}

/// Two members whose keys have one x coordinate: they have the same key, or mirrored ones.
pub(super) fn shared_coordinate(identities: &[RegisteredKey]) -> Option<(MinerId, MinerId)> {
    let mut coordinates: Vec<([u8; PUBLIC_KEY_BYTES], MinerId)> =
        identities.iter().map(|key| key.public_key().x_coordinate()).zip((0..).map(MinerId)).collect();
    coordinates.sort_unstable();
    coordinates.windows(2).find_map(|pair| match pair {
        [(x, first), (y, second)] if x == y => Some((*first, *second)),
        _ => None,
    })
}

/// The secret keys of one member. Debug output shows the member only.
#[derive(Clone, Debug)]
pub struct MemberKeys {
    /// Its place in the committee.
    pub member: MinerId,
    /// The key of its proposals, tickets, timeouts and votes.
    pub identity: SecretKey,
    /// Its share of the committee's key.
    pub beacon: KeyShare,
}

/// Why keys do not form a committee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitteeKeysError {
    /// No members, or more than this crate serves.
    #[error("a committee of {size} members, where 1 to {MAX_COMMITTEE_SIZE} are served")]
    Size {
        /// Members given.
        size: usize,
    },
    /// The beacon key is of a committee of another size.
    #[error("{identities} identity keys and a beacon key of {beacon} members")]
    OtherBeacon {
        /// Identity keys given.
        identities: usize,
        /// Members of the beacon key.
        beacon: usize,
    },
    /// Two members with one key, or with mirrored keys.
    #[error("the keys of miners {} and {} have the same x coordinate", first.0, second.0)]
    SharedCoordinate {
        /// One of them.
        first: MinerId,
        /// The other.
        second: MinerId,
    },
    /// The identity key is not the registered one of this member.
    #[error("the identity key is not the one registered for miner {}", member.0)]
    NotMyIdentity {
        /// The member it was given for.
        member: MinerId,
    },
    /// The beacon share does not belong to this member of this committee.
    #[error("the beacon share is not the one of miner {}", member.0)]
    NotMyShare {
        /// The member it was given for.
        member: MinerId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Scalar;
    use crate::polynomial::Polynomial;

    fn registered(secret: &SecretKey) -> RegisteredKey {
        secret.prove_possession(b"").verify(&secret.public_key(), b"").unwrap()
    }

    fn key(i: u8) -> SecretKey {
        SecretKey::from_seed(&[i; 32])
    }

    fn form(secrets: &[SecretKey], beacon_members: usize) -> Result<CommitteeKeys, CommitteeKeysError> {
        let coefficients =
            (0..crate::committee::beacon_threshold(beacon_members)).map(|k| Scalar::from_u64(k as u64 + 5));
        let polynomial = Polynomial::new(coefficients.collect());
        let beacon = BeaconKey::from_commitments(&polynomial.commit().unwrap(), beacon_members).unwrap();
        CommitteeKeys::new(secrets.iter().map(registered).collect(), beacon)
    }

    #[test]
    fn a_key_and_its_mirror_image_are_not_both_members() {
        let mirror = Scalar::from_bytes(&key(1).to_bytes()).unwrap().neg();
        let mirrored = SecretKey::from_scalar(mirror).unwrap();
        let shared = CommitteeKeysError::SharedCoordinate { first: MinerId(1), second: MinerId(3) };
        assert_eq!(form(&[key(0), key(1), key(2), mirrored], 4), Err(shared));
        assert_eq!(form(&[key(0), key(1), key(2), key(1)], 4), Err(shared), "nor one key twice");
        assert!(form(&[key(0), key(1), key(2), key(3)], 4).is_ok());
    }

    #[test]
    fn sizes_must_agree() {
        assert_eq!(form(&[], 1), Err(CommitteeKeysError::Size { size: 0 }));
        assert_eq!(
            form(&[key(0), key(1)], 3),
            Err(CommitteeKeysError::OtherBeacon { identities: 2, beacon: 3 })
        );
        let committee = form(&[key(0), key(1)], 2).unwrap();
        assert_eq!(committee.identity(MinerId(1)), Some(&registered(&key(1))));
        assert_eq!(committee.identity(MinerId(2)), None);
    }

    #[test]
    fn debug_output_of_a_members_keys_shows_no_secret() {
        let keys = MemberKeys {
            member: MinerId(3),
            identity: key(3),
            beacon: KeyShare::from_scalar(Scalar::from_u64(7)).unwrap(),
        };
        assert_eq!(
            format!("{keys:?}"),
            "MemberKeys { member: MinerId(3), identity: SecretKey(..), beacon: KeyShare(..) }"
        );
    }
}

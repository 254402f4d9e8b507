//! The verified keys of one committee: what every signature of an epoch is checked against.

use super::beacon::{BeaconKey, BeaconShare};
use super::bls::{PUBLIC_KEY_BYTES, RegisteredKey, SecretKey};
use super::scheme::MAX_COMMITTEE_SIZE;
use crate::committee::MinerId;

/// The identity keys of a committee, every one with a checked proof of possession, and its beacon key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitteeKeys {
    identities: Vec<RegisteredKey>,
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
        let mut coordinates: Vec<([u8; PUBLIC_KEY_BYTES], MinerId)> =
            identities.iter().map(|key| key.public_key().x_coordinate()).zip((0..).map(MinerId)).collect();
        coordinates.sort_unstable();
        for pair in coordinates.windows(2) {
            if let [(x, first), (y, second)] = pair
                && x == y
            {
                return Err(CommitteeKeysError::SharedCoordinate { first: *first, second: *second });
            }
        }
        Ok(Self { identities, beacon })
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

    /// The beacon key.
    #[must_use]
    pub const fn beacon(&self) -> &BeaconKey {
        &self.beacon
    }
}

/// The secret keys of one member. Debug output shows the member only.
#[derive(Clone, Debug)]
pub struct MemberKeys {
    /// Its place in the committee.
    pub member: MinerId,
    /// The key of its proposals, tickets, timeouts and votes.
    pub identity: SecretKey,
    /// Its share of the committee's key.
    pub beacon: BeaconShare,
}

/// Why keys do not form a committee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
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

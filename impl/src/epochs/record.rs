//! The record of a committee: its members, their keys, and the key of its beacon.
//!
//! The record of epoch e+1 is made from the items of a chain of epoch e, and its digest is in the closing block of e. It names the
//! record of e by its digest. [`Record::decode`] checks the shape and no key; [`Record::check`] checks everything that a node
//! without the chain can check, given the record before: the link, the proofs of possession of the keys that are new, and that no
//! two keys are equal or mirrored. That the dealers named here are those that qualified, and that the coefficients are the sum of
//! theirs, rests on the committee of e: its quorum signed the closing block.
//!
//! The points of the beacon key are read by [`CheckedRecord::committee_keys`] only: who walks over many epochs needs those of the
//! last one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use crate::block::Digest;
use crate::committee::{ChainId, Epoch, MinerId, beacon_threshold};
use crate::crypto::beacon::{BeaconKey, BeaconKeyError};
use crate::crypto::certificate::{Signers, SignersError};
use crate::crypto::committee_keys::{CommitteeKeys, CommitteeKeysError};
use crate::crypto::curve::{G2, G2_BYTES, PointError};
use crate::crypto::dkg::{Attempt, IDENTITY_BYTES, Identity, MAX_DKG_MEMBERS};
use crate::crypto::keys::{KeyError, RegisteredKey};
use crate::crypto::polynomial::Commitments;
use crate::crypto::scheme::BatchSeed;
use crate::limits::MAX_SHARDERS;

/// The format that is written, and the only one that is read.
pub const RECORD_VERSION: u8 = 3;

/// Bytes before the members: version, chain, epoch, record before, attempt, members, threshold, sharders, items.
const HEADER_BYTES: usize = 1 + 32 + 8 + 32 + 4 + 3 * 2 + 32;

const DIGEST_TAG: &[u8; 16] = b"zus/record/v1\0\0\0";

/// The key by which the link to a sharder authenticates it. Sharders sign nothing in the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SharderKey(pub [u8; 32]);

/// The content of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordContent {
    /// The chain.
    pub chain: ChainId,
    /// The epoch of the committee.
    pub epoch: Epoch,
    /// [`Record::digest`] of the record of the epoch before; [`Digest::NONE`] in the first epoch of a chain.
    pub previous: Digest,
    /// The attempt of the key generation that made the key.
    pub attempt: Attempt,
    /// The members, each as an encoded [`Identity`].
    pub members: Vec<[u8; IDENTITY_BYTES]>,
    /// The sharders.
    pub sharders: Vec<SharderKey>,
    /// The qualified dealers, strictly increasing.
    pub qualified: Vec<MinerId>,
    /// The sums of their public coefficients, constant first: `t` compressed points.
    pub coefficients: Vec<[u8; G2_BYTES]>,
    /// The digest of the items that the key was made from.
    pub items: Digest,
}

/// A record of which the shape was checked: its numbers are those of a committee under `hardened`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    content: RecordContent,
    digest: Digest,
}

impl Record {
    /// Takes a content as a record.
    ///
    /// # Errors
    /// [`RecordError`]: numbers of members, sharders, dealers or coefficients that no committee has, or a dealer twice.
    pub fn new(content: RecordContent) -> Result<Self, RecordError> {
        let (n, sharders) = (content.members.len(), content.sharders.len());
        require_sizes(n, sharders, content.coefficients.len())?;
        if let Some(pair) = content.qualified.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(RecordError::DealerOrder { dealer: pair[1] });
        }
        Signers::from_members(n, content.qualified.iter().copied())?;
        require_dealers(n, content.qualified.len())?;
        let digest = Digest::of(DIGEST_TAG, &[&encode(&content)]);
        Ok(Self { content, digest })
    }

    /// The content.
    #[must_use]
    pub const fn content(&self) -> &RecordContent {
        &self.content
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        self.content.chain
    }

    /// The epoch of the committee.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.content.epoch
    }

    /// The hash of the encoding: what a closing block and ready statements name.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many members the committee has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.content.members.len()
    }

    /// The commitments of the beacon key.
    ///
    /// # Errors
    /// [`RecordError::Coefficient`].
    pub fn commitments(&self) -> Result<Commitments, RecordError> {
        let points = self.content.coefficients.iter().enumerate().map(|(index, point)| {
            G2::decode(point).map_err(|reason| RecordError::Coefficient { index, reason })
        });
        points.collect::<Result<Vec<_>, _>>().map(Commitments::new)
    }

    /// The canonical encoding: version (1 byte), chain (32), epoch (8), digest of the record before (32), attempt (4), number of
    /// members, coefficients and sharders (2 each), digest of the items (32), members (144 each), sharders (32 each), a bitmap of
    /// the qualified dealers, coefficients (96 each). Integers are big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.content)
    }

    /// Reads what [`Record::encode`] writes. The length is checked before anything is allocated; no point is decoded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let too_short = |expected| RecordError::Length { expected, found: bytes.len() };
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(too_short(HEADER_BYTES))?;
        let [version, fields @ ..] = header;
        if *version != RECORD_VERSION {
            return Err(RecordError::Version { found: *version });
        }
        let fixed = |at: usize, length: usize| fields.get(at..at + length).unwrap_or_default();
        let number =
            |at: usize, length| fixed(at, length).iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        let hash = |at: usize| fixed(at, 32).try_into().unwrap_or([0; 32]);
        // At most 2^16 each.
        let [n, t, m] = [76, 78, 80].map(|at| number(at, 2) as usize);
        require_sizes(n, m, t)?;
        let bitmap_bytes = n.div_ceil(8);
        let expected = HEADER_BYTES + n * IDENTITY_BYTES + m * 32 + bitmap_bytes + t * G2_BYTES;
        if bytes.len() != expected {
            return Err(too_short(expected));
        }
        let (members, rest) = rest.split_at(n * IDENTITY_BYTES);
        let (sharders, rest) = rest.split_at(m * 32);
        let (bitmap, coefficients) = rest.split_at(bitmap_bytes);
        let qualified = Signers::from_bitmap(n, bitmap)?;
        Self::new(RecordContent {
            chain: ChainId(hash(0)),
            epoch: Epoch(number(32, 8)),
            previous: Digest(hash(40)),
            attempt: Attempt(number(72, 4) as u32),
            members: members.as_chunks().0.to_vec(),
            sharders: sharders.as_chunks().0.iter().copied().map(SharderKey).collect(),
            qualified: qualified.iter().collect(),
            coefficients: coefficients.as_chunks().0.to_vec(),
            items: Digest(hash(82)),
        })
    }

    /// Checks the first record of a chain, which the operator gives, and all keys in it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn check_first(self: Arc<Self>, chain: ChainId) -> Result<CheckedRecord, RecordError> {
        self.check_keys(chain, &BTreeMap::new())
    }

    /// Checks this record as the one that follows `before`: chain, epoch, digest, and the keys that are new. The digest of this
    /// record itself is compared with a closing block by the caller.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn check(self: Arc<Self>, before: &CheckedRecord) -> Result<CheckedRecord, RecordError> {
        let (found, last) = (self.epoch(), before.record.epoch());
        if last.0.checked_add(1) != Some(found.0) {
            return Err(RecordError::NotNext { found, last });
        }
        if self.content.previous != before.record.digest {
            let (found, expected) = (self.content.previous, before.record.digest);
            return Err(RecordError::Previous { found, expected });
        }
        self.check_knowing(before.record.chain(), [before])
    }

    /// Checks the keys of a record of which the handoff certificate was verified. A key that one of `known` has, of the same chain, is
    /// not checked again.
    ///
    /// # Errors
    /// [`RecordError`].
    pub(super) fn check_knowing<'a>(
        self: Arc<Self>,
        chain: ChainId,
        known: impl IntoIterator<Item = &'a CheckedRecord>,
    ) -> Result<CheckedRecord, RecordError> {
        let of_chain = known.into_iter().filter(|known| known.record.chain() == chain);
        let keys =
            of_chain.flat_map(|known| known.record.content.members.iter().zip(known.identities.iter()));
        self.check_keys(chain, &keys.collect())
    }

    fn check_keys(
        self: Arc<Self>,
        chain: ChainId,
        known: &BTreeMap<&[u8; IDENTITY_BYTES], &RegisteredKey>,
    ) -> Result<CheckedRecord, RecordError> {
        if self.chain() != chain {
            return Err(RecordError::OtherChain { found: self.chain(), expected: chain });
        }
        let identities = register(chain, &self.content.members, known)
            .map_err(|(member, reason)| RecordError::Member { member, reason })?;
        CommitteeKeys::require_distinct(&identities)?;
        Ok(CheckedRecord { record: self, identities: identities.into(), keys: Arc::default() })
    }
}

/// Checks the keys of records of one chain, those that none of `known` has all together. `None`: one of the records is refused, and
/// [`Record::check_knowing`] of each says which.
pub(super) fn check_all<'a>(
    records: &[&Record],
    known: impl IntoIterator<Item = &'a CheckedRecord>,
    seed: &BatchSeed,
) -> Option<Vec<CheckedRecord>> {
    let chain = records.first()?.chain();
    let of_chain = known.into_iter().filter(|known| known.record.chain() == chain);
    let mut keys: BTreeMap<&[u8; IDENTITY_BYTES], &RegisteredKey> =
        of_chain.flat_map(|known| known.record.content.members.iter().zip(known.identities.iter())).collect();
    let members = records.iter().flat_map(|record| &record.content.members);
    let new: BTreeSet<_> = members.filter(|member| !keys.contains_key(member)).collect();
    let identities: Result<Vec<Identity>, _> = new.iter().map(|bytes| Identity::decode(bytes)).collect();
    let checked = Identity::verify_all(&identities.ok()?, chain, seed.as_bytes())?;
    keys.extend(new.into_iter().zip(&checked));
    records.iter().map(|&record| Arc::new(record.clone()).check_keys(chain, &keys).ok()).collect()
}

/// The checked keys of members: those that are `known` are not checked again.
pub(super) fn register(
    chain: ChainId,
    members: &[[u8; IDENTITY_BYTES]],
    known: &BTreeMap<&[u8; IDENTITY_BYTES], &RegisteredKey>,
) -> Result<Vec<RegisteredKey>, (MinerId, KeyError)> {
    let numbered = members.iter().zip((0..).map(MinerId));
    numbered
        .map(|(bytes, member)| {
            if let Some(key) = known.get(bytes) {
                return Ok(**key);
            }
            let checked = Identity::decode(bytes).and_then(|identity| identity.verify(chain));
            checked.map_err(|reason| (member, reason))
        })
        .collect()
}

fn require_sizes(members: usize, sharders: usize, coefficients: usize) -> Result<(), RecordError> {
    if !(1..=MAX_DKG_MEMBERS).contains(&members) {
        return Err(RecordError::Members { members });
    }
    if sharders > usize::from(MAX_SHARDERS) {
        return Err(RecordError::Sharders { sharders });
    }
    let needed = beacon_threshold(members);
    if coefficients != needed {
        return Err(RecordError::Threshold { members, found: coefficients, needed });
    }
    Ok(())
}

fn require_dealers(members: usize, qualified: usize) -> Result<(), RecordError> {
    let needed = beacon_threshold(members);
    if qualified < needed {
        return Err(RecordError::TooFewQualified { qualified, needed });
    }
    Ok(())
}

fn encode(content: &RecordContent) -> Vec<u8> {
    let mut bytes = vec![RECORD_VERSION];
    bytes.extend(content.chain.0);
    bytes.extend(content.epoch.0.to_be_bytes());
    bytes.extend(content.previous.0);
    bytes.extend(content.attempt.0.to_be_bytes());
    for number in [content.members.len(), content.coefficients.len(), content.sharders.len()] {
        // At most MAX_DKG_MEMBERS or MAX_SHARDERS each.
        bytes.extend((number as u16).to_be_bytes());
    }
    bytes.extend(content.items.0);
    bytes.extend(content.members.iter().flatten());
    bytes.extend(content.sharders.iter().flat_map(|sharder| sharder.0));
    let mut bitmap = vec![0; content.members.len().div_ceil(8)];
    for dealer in &content.qualified {
        bitmap[usize::from(dealer.0) / 8] |= 1 << (dealer.0 % 8);
    }
    bytes.extend(bitmap);
    bytes.extend(content.coefficients.iter().flatten());
    bytes
}

/// A record of which every identity key was checked. A clone shares them.
#[derive(Clone, Debug)]
pub struct CheckedRecord {
    record: Arc<Record>,
    identities: Arc<[RegisteredKey]>,
    /// [`CheckedRecord::committee_keys`], once it was asked for.
    keys: Arc<OnceLock<Arc<CommitteeKeys>>>,
}

impl PartialEq for CheckedRecord {
    fn eq(&self, other: &Self) -> bool {
        // The keys are a function of the record.
        (&self.record, &self.identities) == (&other.record, &other.identities)
    }
}

impl Eq for CheckedRecord {}

impl CheckedRecord {
    /// The record.
    #[must_use]
    pub const fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// The members' identity keys, in order.
    #[must_use]
    pub fn identities(&self) -> &[RegisteredKey] {
        &self.identities
    }

    /// The keys that signatures of this epoch are checked against. The first call computes the public share of each member.
    ///
    /// # Errors
    /// [`RecordError::Coefficient`], [`RecordError::Beacon`]: a quorum of the committee before has signed a record that is none.
    pub fn committee_keys(&self) -> Result<Arc<CommitteeKeys>, RecordError> {
        if let Some(known) = self.keys.get() {
            return Ok(Arc::clone(known));
        }
        let beacon = BeaconKey::from_commitments(&self.record.commitments()?, self.identities.len())?;
        let made = Arc::new(CommitteeKeys::new(self.identities.to_vec(), beacon)?);
        Ok(Arc::clone(self.keys.get_or_init(|| made)))
    }
}

/// Why bytes are no record, or not the one that follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Another format.
    #[error("version {found} of the record where {RECORD_VERSION} is read")]
    Version {
        /// The version.
        found: u8,
    },
    /// Bytes are missing or too many.
    #[error("{found} bytes where the record needs {expected}")]
    Length {
        /// Bytes needed, as far as is known.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// No members, or too many.
    #[error("a committee of {members} members, where 1 to {MAX_DKG_MEMBERS} are served")]
    Members {
        /// Members given.
        members: usize,
    },
    /// Too many sharders.
    #[error("{sharders} sharders, where at most {MAX_SHARDERS} are served")]
    Sharders {
        /// Sharders given.
        sharders: usize,
    },
    /// The threshold of the beacon is not `t = n - f`.
    #[error("a threshold of {found} shares among {members} members, where it is {needed}")]
    Threshold {
        /// Members.
        members: usize,
        /// Coefficients given.
        found: usize,
        /// The threshold of so many members.
        needed: usize,
    },
    /// A dealer twice, or out of order.
    #[error("the qualified dealers are not strictly increasing at miner {}", dealer.0)]
    DealerOrder {
        /// The dealer that is not above the one before it.
        dealer: MinerId,
    },
    /// The qualified dealers are no set of members.
    #[error("the qualified dealers: {0}")]
    Dealers(#[from] SignersError),
    /// Too few qualified dealers.
    #[error("{qualified} qualified dealers, where {needed} are needed")]
    TooFewQualified {
        /// Dealers given.
        qualified: usize,
        /// Dealers needed.
        needed: usize,
    },
    /// A record of another chain.
    #[error("a record of {found:?}, where {expected:?} is followed")]
    OtherChain {
        /// Its chain.
        found: ChainId,
        /// The chain that is followed.
        expected: ChainId,
    },
    /// Not the epoch after the last one that is known.
    #[error("a record of epoch {found} does not follow the one of epoch {last}")]
    NotNext {
        /// Its epoch.
        found: Epoch,
        /// The epoch of the last record.
        last: Epoch,
    },
    /// Another record is named as the one before.
    #[error("the record names {found:?} as the one before, which is {expected:?}")]
    Previous {
        /// The digest that it names.
        found: Digest,
        /// The digest of the record before.
        expected: Digest,
    },
    /// A member's key is no usable key, or its possession is not proved.
    #[error("the identity of miner {} is refused: {reason}", member.0)]
    Member {
        /// Whose.
        member: MinerId,
        /// Why.
        reason: KeyError,
    },
    /// The keys are none of a committee.
    #[error(transparent)]
    Keys(#[from] CommitteeKeysError),
    /// A coefficient is no usable point.
    #[error("coefficient {index} is {reason}")]
    Coefficient {
        /// Which, constant first.
        index: usize,
        /// The fault of the point.
        reason: PointError,
    },
    /// The coefficients make no key.
    #[error(transparent)]
    Beacon(#[from] BeaconKeyError),
}

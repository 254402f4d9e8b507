//! The keys of committees that the key generation makes: what a node has of them, and which committees its configuration names.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::key_generation::{Began, Entry, Participant, ParticipantError, Plan, PlanError, Progress, Secret};
use super::link::Step;
use super::record::{CheckedRecord, Record, SharderKey, check_all, register};
use super::replica::Keys;
use crate::block::Block;
use crate::committee::{ChainId, Epoch, MinerId, Round};
use crate::crypto::beacon::KeyShare;
use crate::crypto::blst_scheme::BlstScheme;
use crate::crypto::committee_keys::{CommitteeKeys, MemberKeys};
use crate::crypto::dkg::{IDENTITY_BYTES, MAX_DKG_MEMBERS};
use crate::crypto::identity_keys::IdentityKeys;
use crate::crypto::keys::SecretKey;
use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
use crate::crypto::scheme::{AggregateClaim, BatchSeed, Scheme, Verify};
use crate::limits::{CHECKED_RECORDS, MAX_PHASE_ROUNDS, MAX_ROUND, MAX_SHARDERS};
use crate::statement::{FinalityVote, Statement as _};

/// The nodes of a committee that is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextCommittee {
    /// The members, each as an encoded [`Identity`](crate::crypto::dkg::Identity), in the order of their places.
    pub members: Vec<[u8; IDENTITY_BYTES]>,
    /// The sharders.
    pub sharders: Vec<SharderKey>,
}

/// The committees that the configuration of a network names: who is a member of which epoch, and when its key is generated. All nodes have
/// the same one. The last committee stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    committees: BTreeMap<Epoch, NextCommittee>,
    pause: u64,
    phase_rounds: u64,
}

impl Exchange {
    /// Committees by epoch, without the first one, which the first record has. The key of the next one is generated from `pause` rounds
    /// above the beginning of an epoch on, in phases of `phase_rounds` rounds ([`Plan::new`]).
    ///
    /// # Errors
    /// [`PlanError`], with the epoch: a committee that cannot generate a key.
    pub fn new(
        chain: ChainId,
        committees: BTreeMap<Epoch, NextCommittee>,
        pause: u64,
        phase_rounds: u64,
    ) -> Result<Self, (Epoch, PlanError)> {
        for (&epoch, next) in &committees {
            check(chain, next, phase_rounds).map_err(|reason| (epoch, reason))?;
        }
        Ok(Self { committees, pause, phase_rounds })
    }

    /// The committee of an epoch; `None` for the first one, and for those after the last.
    #[must_use]
    pub fn committee(&self, epoch: Epoch) -> Option<&NextCommittee> {
        self.committees.get(&epoch)
    }

    /// The plan of the committee after this one, in an epoch that begins on a block of round `anchor`. After the last committee: one that
    /// never begins.
    fn plan(&self, before: &CheckedRecord, anchor: Round) -> Result<Plan, PlanError> {
        let record = before.record();
        let next = record.epoch().0.checked_add(1).map(Epoch).ok_or(PlanError::LastEpoch)?;
        let (next, first) = match self.committees.get(&next) {
            Some(next) => (next.clone(), Round(anchor.0.saturating_add(self.pause))),
            None => {
                let content = record.content();
                let (members, sharders) = (content.members.clone(), content.sharders.clone());
                (NextCommittee { members, sharders }, Round(MAX_ROUND))
            }
        };
        Plan::new(before, next.members, next.sharders, first, self.phase_rounds)
    }
}

fn check(chain: ChainId, next: &NextCommittee, phase_rounds: u64) -> Result<(), PlanError> {
    let (members, sharders) = (next.members.len(), next.sharders.len());
    if !(1..=MAX_DKG_MEMBERS).contains(&members) {
        return Err(PlanError::Members { members });
    }
    if sharders > usize::from(MAX_SHARDERS) {
        return Err(PlanError::Sharders { sharders });
    }
    if !(1..=MAX_PHASE_ROUNDS).contains(&phase_rounds) {
        return Err(PlanError::PhaseRounds { rounds: phase_rounds });
    }
    let identities = register(chain, &next.members, &BTreeMap::new())
        .map_err(|(member, reason)| PlanError::Member { member, reason })?;
    Ok(CommitteeKeys::require_distinct(&identities)?)
}

/// How messages of an epoch are signed with the keys of its record.
pub trait Signatures: Clone + fmt::Debug {
    /// Signs and verifies in one epoch.
    type Scheme: Scheme + Clone;
    /// Verifies what members sign, but no beacon.
    type Verifier: Verify;

    /// The identity keys of a committee; `None`: they are none.
    fn verifier(&self, record: &CheckedRecord) -> Option<Self::Verifier>;

    /// The keys of a committee, to verify with; `None`: they are none.
    fn observer(&self, record: &CheckedRecord) -> Option<Self::Scheme>;

    /// The same, to sign with; `None`: these are no keys of that member.
    fn member(&self, record: &CheckedRecord, keys: MemberKeys) -> Option<Self::Scheme>;

    /// Whether a quorum of each committee, whose keys are given, signed the certificate of its step.
    fn verify_steps(steps: &[(Self::Verifier, &Step<'_, Record>)], seed: &BatchSeed) -> bool {
        let _not_needed_here = seed;
        steps.iter().all(|(keys, step)| step.handoff.verify(&step.committee, step.quorum, keys).is_ok())
    }
}

/// BLS signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlsSignatures;

impl Signatures for BlsSignatures {
    type Scheme = BlstScheme;
    type Verifier = IdentityKeys;

    fn verifier(&self, record: &CheckedRecord) -> Option<IdentityKeys> {
        IdentityKeys::new(record.identities()).ok()
    }

    fn observer(&self, record: &CheckedRecord) -> Option<BlstScheme> {
        Some(BlstScheme::observer(record.committee_keys().ok()?))
    }

    fn member(&self, record: &CheckedRecord, keys: MemberKeys) -> Option<BlstScheme> {
        BlstScheme::member(record.committee_keys().ok()?, keys).ok()
    }

    /// With one final exponentiation for many steps.
    fn verify_steps(steps: &[(IdentityKeys, &Step<'_, Record>)], seed: &BatchSeed) -> bool {
        let signed = steps.iter().map(|(keys, step)| {
            let finality = step.handoff.finality();
            let signers = finality.certificate.quorum_of(keys, step.quorum).ok()?;
            Some((
                keys,
                signers,
                finality.statement.preimage(&step.committee),
                finality.certificate.aggregate,
            ))
        });
        let Some(signed) = signed.collect::<Option<Vec<_>>>() else { return false };
        let claims = signed.iter().map(|(keys, signers, message, aggregate)| {
            let (tag, aggregate) = (FinalityVote::DOMAIN.tag(), *aggregate);
            (*keys, AggregateClaim { signers, tag, message, aggregate })
        });
        IdentityKeys::verify_all(&claims.collect::<Vec<_>>(), seed.as_bytes())
    }
}

/// Mock signatures beside a real key generation, for long simulations. Who has the key share of its seat can sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MockSignatures;

impl MockSignatures {
    fn committee(record: &CheckedRecord) -> Option<Arc<MockCommittee>> {
        let seed = record.record().digest().0.first_chunk().map(|seed| u64::from_be_bytes(*seed))?;
        Some(MockCommittee::new(u16::try_from(record.identities().len()).ok()?, seed))
    }
}

impl Signatures for MockSignatures {
    type Scheme = MockScheme;
    type Verifier = MockScheme;

    fn verifier(&self, record: &CheckedRecord) -> Option<MockScheme> {
        self.observer(record)
    }

    fn observer(&self, record: &CheckedRecord) -> Option<MockScheme> {
        Some(Self::committee(record)?.observer())
    }

    fn member(&self, record: &CheckedRecord, keys: MemberKeys) -> Option<MockScheme> {
        let known = record.committee_keys().ok()?;
        let identity = known.identity(keys.member)?.public_key();
        let own = keys.identity.public_key() == *identity
            && known.beacon().share(keys.member) == Some(&keys.beacon.public_key());
        own.then_some(())?;
        Self::committee(record)?.member(keys.member)
    }
}

/// The keys of a node whose committees generate theirs: see [`Keys`].
#[derive(Clone)]
pub struct GeneratedKeys<S> {
    signatures: S,
    exchange: Arc<Exchange>,
    identity: Option<SecretKey>,
    endpoint: Vec<u8>,
    /// The last records of which the keys were checked, newest last: [`CHECKED_RECORDS`] at most. A clone shares them.
    checked: Arc<Mutex<VecDeque<CheckedRecord>>>,
}

impl<S: fmt::Debug> fmt::Debug for GeneratedKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedKeys").field("signatures", &self.signatures).finish_non_exhaustive()
    }
}

impl<S: Signatures> GeneratedKeys<S> {
    /// The keys of a node with this identity, which others reach at `endpoint`. `None`: a node that is never a member.
    #[must_use]
    pub fn new(
        signatures: S,
        exchange: Arc<Exchange>,
        identity: Option<SecretKey>,
        endpoint: Vec<u8>,
    ) -> Self {
        Self { signatures, exchange, identity, endpoint, checked: Arc::default() }
    }

    /// The record with its keys checked, those that are new since the last records. That it follows the one before is known by the
    /// handoff certificate.
    fn checked(&self, record: &Record) -> Option<CheckedRecord> {
        let mut known = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.iter().find(|known| known.record().digest() == record.digest()) {
            return Some(found.clone());
        }
        let checked = Arc::new(record.clone()).check_knowing(record.chain(), &*known).ok()?;
        keep(&mut known, [checked.clone()]);
        Some(checked)
    }

    /// The same of records that follow each other, whose new keys are checked together.
    fn checked_together(&self, records: &[&Record], seed: &BatchSeed) -> Option<Vec<CheckedRecord>> {
        let mut known = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let checked = check_all(records, &*known, seed)?;
        keep(&mut known, checked.iter().cloned());
        Some(checked)
    }
}

/// Keeps checked records, the last [`CHECKED_RECORDS`] of all.
fn keep(known: &mut VecDeque<CheckedRecord>, checked: impl IntoIterator<Item = CheckedRecord>) {
    known.extend(checked);
    let surplus = known.len().saturating_sub(CHECKED_RECORDS);
    known.drain(..surplus);
}

impl<S: Signatures> Keys for GeneratedKeys<S> {
    type Scheme = S::Scheme;
    type Verifier = S::Verifier;
    type Record = Record;
    type Progress = Progress;
    type Participant = Participant;

    fn verifier(&self, record: &Record) -> Option<S::Verifier> {
        self.signatures.verifier(&self.checked(record)?)
    }

    fn verify_steps(&self, steps: &[Step<'_, Record>], seed: &BatchSeed) -> bool {
        let records: Vec<&Record> = steps.iter().map(|step| step.before).collect();
        let Some(checked) = self.checked_together(&records, seed) else { return false };
        let keys = checked.iter().zip(steps).map(|(of, step)| Some((self.signatures.verifier(of)?, step)));
        keys.collect::<Option<Vec<_>>>().is_some_and(|steps| S::verify_steps(&steps, seed))
    }

    fn observer(&self, record: &Record) -> Option<S::Scheme> {
        self.signatures.observer(&self.checked(record)?)
    }

    fn member(&self, record: &Record, seat: MinerId, share: Option<&KeyShare>) -> Option<S::Scheme> {
        let (identity, beacon) = (self.identity.clone()?, share?.clone());
        self.signatures.member(&self.checked(record)?, MemberKeys { member: seat, identity, beacon })
    }

    fn begin(&self, record: &Record, anchor: &Block) -> Option<Progress> {
        let plan = self.exchange.plan(&self.checked(record)?, anchor.round()).ok()?;
        Some(Progress::begin(Arc::new(plan), anchor.round()))
    }

    fn participant(
        &self,
        progress: &Progress,
        journal: &[Entry],
        entropy: &Secret,
    ) -> Result<Option<Began<Participant>>, ParticipantError> {
        let plan = progress.plan();
        let Some(identity) =
            self.identity.clone().filter(|_| self.exchange.committee(plan.epoch()).is_some())
        else {
            return Ok(None);
        };
        let (plan, endpoint) = (Arc::clone(plan), &self.endpoint);
        let began = if journal.is_empty() {
            Participant::new(plan, identity, endpoint, entropy)
        } else {
            Participant::recover(plan, identity, endpoint, journal).map(|it| (it, Vec::new()))
        };
        match began {
            Err(ParticipantError::NoMember) => Ok(None),
            began => began.map(Some),
        }
    }
}

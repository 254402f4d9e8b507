//! The secret side of the key generation: one member of the next committee.
//!
//! A participant does nothing but what a final block, a receipt or the end of a write asks for. It tells its host what to do by
//! [`Output`]s. Everything that must be durable before a message leaves is written first, and the message comes with
//! [`Participant::on_stored`]:
//!
//! | written | before |
//! |---|---|
//! | [`Entry::Secrets`] | the registration and the dealing |
//! | [`Entry::Share`] | the receipt for it |
//! | [`Entry::Settlement`] | the settlement |
//! | [`Entry::KeyShare`] | the ready statement |
//!
//! The secrets of an attempt are replaced when a *final* block has ended it, and not before. The seed of the next attempt is a hash of
//! the last one, so that who reads the disk later does not learn the earlier seeds.
//!
//! A participant that crashed is made again from its journal ([`Participant::recover`]) and is told the next final block. It
//! deals the same dealing and never signs a second settlement. Peers send it their receipts again.
//!
//! One who lost its disk begins anew with other secrets ([`Participant::new`]). Its encryption key is not the one on the chain then,
//! so that it neither deals nor settles in that attempt, and takes the shares that dealers reveal.

mod output;
mod steps;
mod work;

pub use output::{Output, ParticipantError, WriteId};

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use sha3::{Digest as _, Sha3_256};

use super::entry::{Entry, Secret};
use super::plan::Plan;
use super::progress::{Phase, Progress};
use crate::committee::MinerId;
use crate::crypto::beacon::KeyShare;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Attempt, DecryptionKey, MAX_ENDPOINT_BYTES, MemberError, Receipt, Session};
use crate::crypto::keys::SecretKey;
use crate::epochs::item::{EpochItem, ItemKind};
use crate::limits::RESEND_AFTER_ROUNDS;
use work::{OwnKeyShare, OwnSettlement, Received, Work, Writing};

const SEED_TAG: &[u8] = b"ZUS-BPP-V01-DKG-NEXT-SEED";
const ENCRYPTION_TAG: &[u8] = b"ZUS-BPP-V01-DKG-ENCRYPTION-SEED";

/// One member of the next committee.
#[derive(Debug)]
pub struct Participant {
    plan: Arc<Plan>,
    me: MinerId,
    identity: SecretKey,
    endpoint: Vec<u8>,
    encryption: Option<Secret>,
    seed: Option<Secret>,
    attempt: Attempt,
    secrets_durable: bool,
    work: Work,
    writes: u64,
    /// The writes of this attempt that were not confirmed.
    writing: BTreeMap<WriteId, Writing>,
    progress: Option<Progress>,
    outputs: Vec<Output>,
    concluded: bool,
}

impl Participant {
    /// A member that begins. `entropy` is 32 uniformly random bytes that nobody else has and that were never used before.
    ///
    /// # Errors
    /// [`ParticipantError`].
    pub fn new(
        plan: Arc<Plan>,
        identity: SecretKey,
        endpoint: &[u8],
        entropy: &Secret,
    ) -> Result<(Self, Vec<Output>), ParticipantError> {
        let mut participant = Self::of(plan, identity, endpoint)?;
        participant.encryption = Some(hash(ENCRYPTION_TAG, entropy));
        participant.seed = Some(hash(SEED_TAG, entropy));
        let entries = participant.secrets();
        let write = participant.writes(Writing::Secrets);
        participant.outputs.push(Output::Append { write, entries });
        let outputs = mem::take(&mut participant.outputs);
        Ok((participant, outputs))
    }

    /// A member that was down, with the entries of its journal in order. It acts after the next final block.
    ///
    /// # Errors
    /// [`ParticipantError`]; [`ParticipantError::NoSecrets`] when the journal is of a participant that never began.
    pub fn recover(
        plan: Arc<Plan>,
        identity: SecretKey,
        endpoint: &[u8],
        entries: &[Entry],
    ) -> Result<Self, ParticipantError> {
        let mut it = Self::of(plan, identity, endpoint)?;
        it.attempt = entries.last().ok_or(ParticipantError::NoSecrets)?.attempt();
        for entry in entries.iter().filter(|entry| entry.attempt() == it.attempt) {
            let durable = true;
            match entry {
                Entry::Secrets { encryption, seed, .. } => {
                    (it.encryption, it.seed) = (Some(encryption.clone()), Some(seed.clone()));
                    it.secrets_durable = true;
                }
                Entry::Share { dealer, dealing, share, .. } => {
                    let share = Scalar::from_bytes(share.bytes());
                    it.work.received.insert(*dealer, Received { dealing: *dealing, share, durable });
                }
                Entry::Settlement { settlement, .. } => {
                    let item = EpochItem::new(ItemKind::Settlement, settlement.clone())
                        .map_err(|_| ParticipantError::Damaged)?;
                    it.work.settlement = Some(OwnSettlement { item, durable });
                }
                Entry::KeyShare { record, share, .. } => {
                    let share = KeyShare::from_bytes(share.bytes()).ok_or(ParticipantError::Damaged)?;
                    it.work.key_share = Some(OwnKeyShare { record: *record, share, durable });
                }
            }
        }
        if it.seed.is_none() && it.work.key_share.is_none() {
            return Err(ParticipantError::NoSecrets);
        }
        Ok(it)
    }

    fn of(plan: Arc<Plan>, identity: SecretKey, endpoint: &[u8]) -> Result<Self, ParticipantError> {
        if endpoint.len() > MAX_ENDPOINT_BYTES {
            return Err(ParticipantError::Endpoint { bytes: endpoint.len() });
        }
        let key = identity.public_key();
        let mut members = plan.identities().iter().zip((0..).map(MinerId));
        let me = members.find(|(member, _)| *member.public_key() == key).map(|(_, me)| me);
        let me = me.ok_or(ParticipantError::NoMember)?;
        Ok(Self {
            plan,
            me,
            identity,
            endpoint: endpoint.to_vec(),
            encryption: None,
            seed: None,
            attempt: Attempt(0),
            secrets_durable: false,
            work: Work::default(),
            writes: 0,
            writing: BTreeMap::new(),
            progress: None,
            outputs: Vec::new(),
            concluded: false,
        })
    }

    /// This member's seat in the next committee.
    #[must_use]
    pub const fn me(&self) -> MinerId {
        self.me
    }

    /// Whether the keys are durable and were given to the host, or there are none: nothing is left to be done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.concluded
    }

    /// The state of the final chain after its next block. Blocks may be left out, and none may be given that is not final.
    pub fn on_final(&mut self, progress: &Progress) -> Vec<Output> {
        self.progress = Some(progress.clone());
        self.step();
        mem::take(&mut self.outputs)
    }

    /// A write has become durable.
    pub fn on_stored(&mut self, write: WriteId) -> Vec<Output> {
        match self.writing.remove(&write) {
            None => return Vec::new(),
            Some(Writing::Secrets) => self.secrets_durable = true,
            Some(Writing::Shares(dealers)) => {
                for dealer in dealers {
                    if let Some(received) = self.work.received.get_mut(&dealer) {
                        received.durable = true;
                    }
                }
            }
            Some(Writing::Settlement) => {
                if let Some(settlement) = &mut self.work.settlement {
                    settlement.durable = true;
                }
            }
            Some(Writing::KeyShare) => {
                if let Some(key_share) = &mut self.work.key_share {
                    key_share.durable = true;
                }
            }
            Some(Writing::Conclusion) => {
                if let Some(key_share) = &mut self.work.key_share {
                    key_share.durable = true;
                }
                self.seed = None;
                self.encryption = None;
            }
        }
        self.step();
        mem::take(&mut self.outputs)
    }

    /// A receipt from `from`, the member that the link authenticated.
    ///
    /// # Errors
    /// [`MemberError`] for one that is of no use: of another attempt, for another dealing, or wrong. The sender is proved faulty by a
    /// wrong signature only.
    pub fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<Vec<Output>, MemberError> {
        let session = self.session();
        let refused = MemberError::Receipt { recipient: receipt.recipient };
        let (Some(session), Some((dealer, _))) = (session, &mut self.work.roles) else { return Err(refused) };
        dealer.on_receipt(&session, from, receipt)?;
        self.step();
        Ok(mem::take(&mut self.outputs))
    }

    /// The session of the present attempt.
    fn session(&self) -> Option<Arc<Session>> {
        let progress = self.progress.as_ref().filter(|progress| progress.attempt() == self.attempt)?;
        progress.session().map(Arc::clone)
    }

    /// Does whatever is due. Every part of it may be repeated.
    fn step(&mut self) {
        let Some(progress) = self.progress.clone() else { return };
        if self.concluded {
            return;
        }
        if progress.attempt() > self.attempt {
            self.begin_attempt(progress.attempt());
        }
        // A journal may be ahead of the final chain that the host has read so far; it acts when that has come up.
        if !self.secrets_durable && self.seed.is_some() || progress.attempt() != self.attempt {
            return;
        }
        match progress.phase() {
            Phase::Waiting => {}
            Phase::Registering => self.register(&progress),
            Phase::Dealing => {
                self.deal(&progress);
                self.receive(&progress);
            }
            Phase::Settling => {
                self.deal(&progress);
                self.receive(&progress);
                self.settle(&progress);
            }
            Phase::Readying => self.say_ready(&progress),
            Phase::Complete => self.conclude(&progress),
        }
    }

    /// A final block has ended the attempt: other secrets take the place of its own.
    fn begin_attempt(&mut self, attempt: Attempt) {
        let Some(mut seed) = self.seed.take() else { return };
        for _ in self.attempt.0..attempt.0 {
            seed = hash(SEED_TAG, &seed);
        }
        self.seed = Some(seed);
        self.attempt = attempt;
        self.secrets_durable = false;
        self.work = Work::default();
        self.writing.clear();
        let entries = self.secrets();
        let write = self.writes(Writing::Secrets);
        self.outputs.push(Output::Replace { write, entries });
    }

    fn secrets(&self) -> Vec<Entry> {
        let (Some(encryption), Some(seed)) = (self.encryption.clone(), self.seed.clone()) else {
            return Vec::new();
        };
        vec![Entry::Secrets { attempt: self.attempt, encryption, seed }]
    }

    fn decryption(&self) -> Option<DecryptionKey> {
        self.encryption.as_ref().map(|seed| DecryptionKey::from_seed(seed.bytes()))
    }

    /// Whether an item of this kind is sent now: for the first time, or again after [`RESEND_AFTER_ROUNDS`].
    fn is_due(&mut self, kind: ItemKind, progress: &Progress) -> bool {
        let now = progress.next_round();
        let last = self.work.sent.get(&kind);
        if last.is_some_and(|last| now.0 < last.0.saturating_add(RESEND_AFTER_ROUNDS)) {
            return false;
        }
        self.work.sent.insert(kind, now);
        true
    }

    fn writes(&mut self, writing: Writing) -> WriteId {
        let write = WriteId(self.writes);
        self.writes += 1;
        self.writing.insert(write, writing);
        write
    }
}

/// Another secret, from which the first one cannot be computed.
fn hash(tag: &[u8], secret: &Secret) -> Secret {
    Secret::new(Sha3_256::new().chain_update(tag).chain_update(secret.bytes()).finalize().into())
}

//! A key generation played by hand: the secrets of all members, and one branch.

use std::sync::Arc;

use crate::block::Digest;
use crate::committee::{ChainId, Epoch, MinerId, Round};
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{
    Attempt, Dealer, DecryptionKey, Identity, Ready, Receipt, Recipient, Registration, Session, Settlement,
};
use crate::crypto::keys::SecretKey;
use crate::crypto::polynomial::Polynomial;
use crate::epochs::item::{self, EpochItem};
use crate::epochs::key_generation::{ItemError, Phase, Plan, Progress};
use crate::epochs::record::{CheckedRecord, Record, RecordContent, SharderKey};

pub const CHAIN: ChainId = ChainId([5; 32]);
/// The epoch of the present committee.
pub const EPOCH: Epoch = Epoch(2);
/// The first block of the present epoch extends this round.
pub const ANCHOR: Round = Round(40);
/// The first attempt begins in this round.
pub const FIRST: Round = Round(43);
/// Rounds of a phase of the first attempt.
pub const PHASE: u64 = 4;

/// A seed for each use of each member.
pub fn seed(usage: u8, i: u16) -> [u8; 32] {
    let mut seed = [usage; 32];
    seed[..2].copy_from_slice(&i.to_le_bytes());
    seed
}

pub fn identity(i: u16) -> SecretKey {
    SecretKey::from_seed(&seed(1, i))
}

pub fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&seed(2, i))
}

pub fn encoded(i: u16) -> [u8; 144] {
    Identity::new(CHAIN, &identity(i)).encode()
}

/// A content of the present epoch whose members are those of these numbers; the key is nobody's.
pub fn content_of(members: &[u16]) -> RecordContent {
    let t = members.len() - (members.len() - 1) / 3;
    let polynomial = Polynomial::new((0..t as u64).map(|k| Scalar::from_u64(k + 5)).collect());
    RecordContent {
        chain: CHAIN,
        epoch: EPOCH,
        previous: Digest::NONE,
        attempt: Attempt(0),
        members: members.iter().map(|&i| encoded(i)).collect(),
        sharders: vec![SharderKey([7; 32])],
        qualified: (0..members.len() as u16).map(MinerId).collect(),
        coefficients: polynomial.commit().unwrap().points().iter().map(|point| point.encode()).collect(),
        items: Digest::NONE,
    }
}

pub fn before(members: &[u16]) -> CheckedRecord {
    Arc::new(Record::new(content_of(members)).unwrap()).check_first(CHAIN).unwrap()
}

/// The plan of a next committee of members `0..n`; the present one has four members, of which it keeps two.
pub fn plan(n: u16) -> Plan {
    let members = (0..n).map(encoded).collect();
    Plan::new(&before(&[0, 1, 101, 102]), members, vec![SharderKey([8; 32])], FIRST, PHASE).unwrap()
}

/// One branch, and everybody's secrets.
pub struct Stage {
    pub progress: Progress,
    pub n: u16,
}

impl Stage {
    pub fn new(n: u16) -> Self {
        Self { progress: Progress::begin(Arc::new(plan(n)), ANCHOR), n }
    }

    pub fn all(&self) -> Vec<u16> {
        (0..self.n).collect()
    }

    pub fn session(&self) -> Arc<Session> {
        Arc::clone(self.progress.session().expect("registrations are over"))
    }

    /// Another block of the branch, with these items.
    pub fn block(&mut self, items: &[EpochItem]) -> Result<(), ItemError> {
        let bytes = item::encode(items.iter().map(EpochItem::as_item).collect());
        self.progress = self.progress.after(self.progress.next_round(), &bytes)?;
        Ok(())
    }

    /// Empty blocks, until items of `phase` count.
    pub fn until(&mut self, phase: Phase) {
        let last = Round(self.progress.next_round().0 + 100);
        while self.progress.phase() != phase {
            assert!(self.progress.next_round() < last, "{phase:?} never comes");
            self.block(&[]).unwrap();
        }
    }

    pub fn registration(&self, i: u16) -> EpochItem {
        let about = (CHAIN, Epoch(EPOCH.0 + 1), self.progress.attempt());
        let key = decryption(i).encryption_key();
        (&Registration::new(about, MinerId(i), &identity(i), key, b"here").unwrap()).into()
    }

    pub fn dealer(&self, i: u16) -> Dealer {
        Dealer::new(&self.session(), MinerId(i), identity(i), &seed(3, i)).unwrap()
    }

    pub fn recipient(&self, i: u16) -> Recipient {
        Recipient::new(&self.session(), MinerId(i), identity(i), decryption(i)).unwrap()
    }

    /// The receipt of a member for a dealing on the branch.
    pub fn receipt(&self, i: u16, dealer: u16) -> Option<Receipt> {
        let transcript = self.progress.transcript()?;
        let (dealing, digest) =
            (transcript.dealing(MinerId(dealer))?, transcript.dealing_digest(MinerId(dealer))?);
        let recipient = self.recipient(i);
        recipient.open(&self.session(), dealing).ok()?;
        Some(recipient.receipt(&self.session(), MinerId(dealer), digest))
    }

    /// The settlement of a dealer with the receipts of all members but `missing`.
    pub fn settlement(&self, i: u16, missing: &[u16]) -> Settlement {
        let (session, mut dealer) = (self.session(), self.dealer(i));
        for member in self.all().into_iter().filter(|member| !missing.contains(member)) {
            let Some(receipt) = self.receipt(member, i) else { continue };
            dealer.on_receipt(&session, MinerId(member), &receipt).unwrap();
        }
        dealer.settle(&session).unwrap()
    }

    pub fn ready(&self, i: u16) -> EpochItem {
        let record = self.progress.candidate().expect("settlements are over").digest().0;
        (&Ready::new(&self.session(), MinerId(i), &identity(i), record)).into()
    }

    pub fn register(&mut self, members: &[u16]) {
        self.until(Phase::Registering);
        let items: Vec<EpochItem> = members.iter().map(|&i| self.registration(i)).collect();
        self.block(&items).unwrap();
    }

    pub fn deal(&mut self, dealers: &[u16]) {
        self.until(Phase::Dealing);
        let items: Vec<EpochItem> = dealers.iter().map(|&i| self.dealer(i).dealing().into()).collect();
        self.block(&items).unwrap();
    }

    pub fn settle(&mut self, dealers: &[u16], missing: &[u16]) {
        self.until(Phase::Settling);
        let items: Vec<EpochItem> = dealers.iter().map(|&i| (&self.settlement(i, missing)).into()).collect();
        self.block(&items).unwrap();
    }

    pub fn say_ready(&mut self, members: &[u16]) {
        self.until(Phase::Readying);
        let items: Vec<EpochItem> = members.iter().map(|&i| self.ready(i)).collect();
        self.block(&items).unwrap();
    }

    /// An attempt in which everybody does its part, up to the phase of ready statements.
    pub fn settled(n: u16) -> Self {
        let mut stage = Self::new(n);
        let all = stage.all();
        stage.register(&all);
        stage.deal(&all);
        stage.settle(&all, &[]);
        stage.until(Phase::Readying);
        stage
    }

    /// The record of an attempt in which everybody does its part.
    pub fn record(n: u16) -> Arc<Record> {
        let mut stage = Self::settled(n);
        let all = stage.all();
        stage.say_ready(&all);
        Arc::clone(stage.progress.record().expect("all are ready"))
    }
}

//! The steps of a participant in each phase of the final chain.

use std::sync::Arc;

use super::super::entry::{Entry, Secret};
use super::super::progress::{Phase, Progress};
use super::work::{OwnKeyShare, OwnSettlement, Received, Work, Writing};
use super::{Output, Participant};
use crate::block::Digest;
use crate::committee::MinerId;
use crate::crypto::beacon::KeyShare;
use crate::crypto::committee_keys::MemberKeys;
use crate::crypto::dkg::{Dealer, Ready, Recipient, Registration, Session, ShareRefused, Transcript};
use crate::epochs::item::{EpochItem, ItemKind};
use crate::epochs::record::Record;
use crate::limits::RESEND_AFTER_ROUNDS;

impl Participant {
    pub(super) fn register(&mut self, progress: &Progress) {
        let Some(decryption) = self.decryption() else { return };
        let encryption = decryption.encryption_key();
        let known = progress.registration(self.me);
        let settled =
            known.is_some_and(|known| known.encryption == encryption || known.attempt == progress.attempt());
        if settled || !self.is_due(ItemKind::Registration, progress) {
            return;
        }
        let about = (self.plan.chain(), self.plan.epoch(), self.attempt);
        let made = Registration::new(about, self.me, &self.identity, encryption, &self.endpoint);
        // The endpoint was measured when the participant was made.
        if let Some(registration) = made {
            self.outputs.push(Output::Item((&registration).into()));
        }
    }

    /// Makes the dealing, and sends it while it counts. Who has no encryption key on the chain does not deal: it could not give
    /// itself a receipt.
    pub(super) fn deal(&mut self, progress: &Progress) {
        let Some(transcript) = progress.transcript() else { return };
        if self.work.roles.is_none() {
            self.work.roles = self.roles(transcript.session());
        }
        let Some((dealer, _)) = &self.work.roles else { return };
        let registered = self.has_registered(transcript.session());
        let is_there = transcript.dealing(self.me).is_some();
        if progress.phase() != Phase::Dealing || is_there || !registered {
            return;
        }
        let item = EpochItem::from(dealer.dealing());
        if self.is_due(ItemKind::Dealing, progress) {
            self.outputs.push(Output::Item(item));
        }
    }

    fn roles(&self, session: &Session) -> Option<(Dealer, Recipient)> {
        let seed = self.seed.as_ref()?;
        let recipient = Recipient::new(session, self.me, self.identity.clone(), self.decryption()?).ok()?;
        let dealer = Dealer::new(session, self.me, self.identity.clone(), seed.bytes()).ok()?;
        Some((dealer, recipient))
    }

    fn has_registered(&self, session: &Session) -> bool {
        let own = self.decryption().map(|decryption| decryption.encryption_key());
        own.is_some() && session.encryption(self.me) == own.as_ref()
    }

    /// Opens the shares of the dealings on the chain, writes those that fit, and sends receipts for those that are written.
    pub(super) fn receive(&mut self, progress: &Progress) {
        let Some(transcript) = progress.transcript() else { return };
        let session = transcript.session();
        if !self.has_registered(session) {
            return;
        }
        let Some((_, recipient)) = &self.work.roles else { return };
        let mut entries = Vec::new();
        let mut dealers = Vec::new();
        for member in session.members() {
            let (Some(dealing), Some(digest)) =
                (transcript.dealing(member), transcript.dealing_digest(member))
            else {
                continue;
            };
            let digest = Digest(*digest);
            if self.work.received.get(&member).is_some_and(|known| known.dealing == digest) {
                continue;
            }
            let share = recipient.open(session, dealing).ok();
            if let Some(share) = &share {
                let share = Secret(share.to_bytes());
                let attempt = self.attempt;
                entries.push(Entry::Share { attempt, dealer: member, dealing: digest, share });
                dealers.push(member);
            }
            self.work.received.insert(member, Received { dealing: digest, share, durable: false });
        }
        if !entries.is_empty() {
            let write = self.writes(Writing::Shares(dealers));
            self.outputs.push(Output::Append { write, entries });
        }
        self.send_receipts(progress, transcript);
    }

    /// Sends a receipt for each share that is durable, again and again until its dealer's settlement is final.
    fn send_receipts(&mut self, progress: &Progress, transcript: &Transcript) {
        let session = transcript.session();
        let now = progress.next_round();
        let Some((dealer, recipient)) = &mut self.work.roles else { return };
        for (&member, received) in &self.work.received {
            let is_settled = transcript.settlement(member).is_some();
            if !received.durable || received.share.is_none() || is_settled {
                continue;
            }
            let last = self.work.receipted.get(&member);
            if last.is_some_and(|last| now.0 < last.0.saturating_add(RESEND_AFTER_ROUNDS)) {
                continue;
            }
            self.work.receipted.insert(member, now);
            let receipt = recipient.receipt(session, member, &received.dealing.0);
            if member == self.me {
                // Its own dealing is the one on the chain, or the receipt is for another one and of no use.
                let _no_use = dealer.on_receipt(session, self.me, &receipt);
            } else {
                self.outputs.push(Output::Receipt { to: member, receipt });
            }
        }
    }

    /// Settles once: with all receipts at once, in the second half of the phase with those that came.
    pub(super) fn settle(&mut self, progress: &Progress) {
        let Some(transcript) = progress.transcript() else { return };
        if transcript.settlement(self.me).is_some() {
            return;
        }
        if let Some(settlement) = &self.work.settlement {
            let (item, durable) = (settlement.item.clone(), settlement.durable);
            if durable && self.is_due(ItemKind::Settlement, progress) {
                self.outputs.push(Output::Item(item));
            }
            return;
        }
        let session = transcript.session();
        let Some((dealer, _)) = &self.work.roles else { return };
        if transcript.dealing_digest(self.me) != Some(dealer.digest()) {
            return;
        }
        let half = progress.ends().0.saturating_sub(self.plan.phase_rounds(self.attempt) / 2);
        if dealer.missing(session) > 0 && progress.next_round().0 <= half {
            return;
        }
        // With too many receipts missing it waits: they may come before the deadline.
        let Ok(settlement) = dealer.settle(session) else { return };
        let entry = Entry::Settlement { attempt: self.attempt, settlement: settlement.encode() };
        self.work.settlement = Some(OwnSettlement { item: (&settlement).into(), durable: false });
        let write = self.writes(Writing::Settlement);
        self.outputs.push(Output::Append { write, entries: vec![entry] });
    }

    /// Computes the key share, writes it, and says that it is ready. A member that lacks a share of one qualified dealing is not.
    pub(super) fn say_ready(&mut self, progress: &Progress) {
        let (Some(record), Some(transcript)) = (progress.candidate(), progress.transcript()) else { return };
        let digest = record.digest();
        if self.work.key_share.as_ref().is_none_or(|known| known.record != digest) {
            let Ok(share) = self.key_share(record, transcript) else { return };
            let entry =
                Entry::KeyShare { attempt: self.attempt, record: digest, share: Secret(share.to_bytes()) };
            self.work.key_share = Some(OwnKeyShare { record: digest, share, durable: false });
            let write = self.writes(Writing::KeyShare);
            self.outputs.push(Output::Append { write, entries: vec![entry] });
        }
        let durable = self.work.key_share.as_ref().is_some_and(|known| known.durable);
        if durable && !progress.is_ready(self.me) && self.is_due(ItemKind::Ready, progress) {
            let ready = Ready::new(transcript.session(), self.me, &self.identity, digest.0);
            self.outputs.push(Output::Item((&ready).into()));
        }
    }

    /// The share of the key of `record`: the sum of the shares of all qualified dealings.
    fn key_share(&self, record: &Record, transcript: &Transcript) -> Result<KeyShare, ShareRefused> {
        let session = transcript.session();
        let decryption = self.decryption().ok_or(ShareRefused::OtherKey)?;
        let recipient = Recipient::new(session, self.me, self.identity.clone(), decryption);
        let recipient = recipient.map_err(|_| ShareRefused::OtherKey)?;
        let sum = record.commitments().map_err(|_| ShareRefused::OtherKey)?;
        let received = |dealer: MinerId| {
            let received = self.work.received.get(&dealer)?;
            let digest = transcript.dealing_digest(dealer)?;
            received.share.clone().filter(|_| received.dealing.0 == *digest)
        };
        recipient.key_share(transcript, record.content().qualified.iter().copied(), &sum, received)
    }

    /// The record is complete: the key share takes the place of all other secrets, ready or not, and then the host gets it.
    pub(super) fn conclude(&mut self, progress: &Progress) {
        let (Some(record), Some(transcript)) = (progress.record(), progress.transcript()) else { return };
        if self.writing.values().any(|writing| matches!(writing, Writing::Conclusion)) {
            return;
        }
        let digest = record.digest();
        let known = self.work.key_share.take().filter(|known| known.record == digest);
        let erased = self.seed.is_none();
        if let Some(known) = known.as_ref().filter(|known| known.durable && erased) {
            let keys =
                MemberKeys { member: self.me, identity: self.identity.clone(), beacon: known.share.clone() };
            self.outputs.push(Output::Keys { record: Arc::clone(record), keys: Box::new(keys) });
            (self.concluded, self.work) = (true, Work::default());
            return;
        }
        let share = match known {
            Some(known) => Ok(known.share),
            None => self.key_share(record, transcript),
        };
        match share {
            Ok(share) => {
                let attempt = self.attempt;
                let entry = Entry::KeyShare { attempt, record: digest, share: Secret(share.to_bytes()) };
                self.work.key_share = Some(OwnKeyShare { record: digest, share, durable: false });
                let write = self.writes(Writing::Conclusion);
                self.outputs.push(Output::Replace { write, entries: vec![entry] });
            }
            Err(reason) => {
                self.outputs.push(Output::NoKeyShare { record: Arc::clone(record), reason });
                (self.concluded, self.work) = (true, Work::default());
            }
        }
    }
}

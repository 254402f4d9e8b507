//! The part of the node in the key generation of the next committee, and the epoch items that it brings into its blocks.

use std::mem;
use std::sync::Arc;

use super::Replica;
use super::interface::{EpochMilestone, EpochRefusal, Keys, Output, ReplicaError, Secrets};
use crate::block::Time;
use crate::committee::{Epoch, MinerId};
use crate::crypto::dkg::Receipt;
use crate::epochs::envelope::Envelope;
use crate::epochs::item::EpochItem;
use crate::epochs::key_generation::{self, Entry, KeyGeneration as _, Secret, WriteId};
use crate::epochs::pool::Pool;
use crate::epochs::progress::{Due, Progress as _};
use crate::epochs::roster::NodeId;
use crate::limits::{CHECK_WORK, ITEM_BYTES_PER_WORK};

type Outputs<'a, K> = &'a mut Vec<Output<<K as Keys>::Record>>;

/// See the module doc.
pub(super) struct Generation<K: Keys> {
    /// The epoch that the keys are for.
    epoch: Epoch,
    /// `None`: this node is no member of the next committee.
    participant: Option<K::Participant>,
    /// The wishes of the participant that were not carried out yet.
    outputs: Vec<key_generation::Output>,
    /// The members of the next committee, by seat.
    pub members: Arc<[NodeId]>,
    pub pool: Pool,
    /// The key share, as it is in the journal.
    pub journal: Vec<Entry>,
    /// Whether the beginning of the next epoch was given to the host.
    stores: bool,
}

impl<K: Keys> Generation<K> {
    /// At the beginning of the epoch `present`.
    pub fn new(
        keys: &K,
        progress: &K::Progress,
        present: Epoch,
        secrets: &Secrets,
    ) -> Result<Self, ReplicaError> {
        let epoch = Epoch(present.0.saturating_add(1));
        let began = keys.participant(progress, &secrets.next, &secrets.entropy);
        let began = began.map_err(|reason| ReplicaError::Journal { epoch, reason })?;
        let (participant, outputs) = began.map_or((None, Vec::new()), |(it, outputs)| (Some(it), outputs));
        let members = progress.next_members().into();
        let (pool, journal) = (Pool::default(), Vec::new());
        Ok(Self { epoch, participant, outputs, members, pool, journal, stores: false })
    }

    /// The final chain has gone on.
    fn on_final(&mut self, progress: &K::Progress) {
        if let Some(participant) = &mut self.participant {
            self.outputs.extend(participant.on_final(progress));
        }
    }

    /// Whether nothing of this node is awaited any more.
    fn is_done(&self) -> bool {
        self.outputs.is_empty() && self.participant.as_ref().is_none_or(|participant| participant.is_done())
    }

    fn node(&self, member: MinerId) -> Option<NodeId> {
        self.members.get(usize::from(member.0)).copied()
    }
}

impl<K: Keys> Replica<K> {
    /// The final chain has gone on, or is known at the start.
    pub(super) fn generates(&mut self, now: Time, out: Outputs<'_, K>) {
        let progress = self.present.branches.final_progress();
        self.present.generation.on_final(progress);
        let refused = self.present.generation.pool.pass(progress);
        for (sender, kind, reason) in refused {
            if let Some(from) = self.present.generation.node(sender) {
                self.refuse(now, from, EpochRefusal::Item { kind, reason }, out);
            }
        }
        self.carry_out(out);
    }

    /// A write to the journal is durable.
    pub(super) fn journaled(&mut self, epoch: Epoch, write: WriteId, out: Outputs<'_, K>) {
        let generation = &mut self.present.generation;
        if epoch != generation.epoch {
            return;
        }
        if let Some(participant) = &mut generation.participant {
            generation.outputs.extend(participant.on_stored(write));
        }
        self.carry_out(out);
    }

    /// Does what the participant wants.
    fn carry_out(&mut self, out: Outputs<'_, K>) {
        let epoch = self.present.generation.epoch;
        for output in mem::take(&mut self.present.generation.outputs) {
            match output {
                key_generation::Output::Append { write, entries } => {
                    out.push(Output::Journal { epoch, write, replaces: false, entries });
                }
                key_generation::Output::Replace { write, entries } => {
                    out.push(Output::Journal { epoch, write, replaces: true, entries });
                }
                key_generation::Output::Item(item) => self.bring(item, out),
                key_generation::Output::Receipt { to, receipt } => {
                    let (to, epoch) = (self.present.generation.node(to), self.present.epoch());
                    out.extend(to.map(|to| {
                        let envelope = Envelope::Receipt { epoch, receipt };
                        Output::Send { to, envelope }
                    }));
                }
                key_generation::Output::Keys { record, keys } => {
                    let (attempt, share) = (record.content().attempt, Secret::new(*keys.beacon.to_bytes()));
                    let record = record.digest();
                    self.present.generation.journal = vec![Entry::KeyShare { attempt, record, share }];
                    out.push(Output::Milestone(EpochMilestone::Keys { epoch, attempt }));
                }
                key_generation::Output::NoKeyShare { reason, .. } => {
                    out.push(Output::Milestone(EpochMilestone::NoKeyShare { epoch, reason }));
                }
            }
        }
        self.store_beginning(out);
    }

    /// The closing block is final, and the key share is durable: the beginning of the next epoch is stored, once.
    pub(super) fn store_beginning(&mut self, out: Outputs<'_, K>) {
        let generation = &mut self.present.generation;
        if let Some(beginning) = self.next.clone().filter(|_| generation.is_done())
            && !mem::replace(&mut generation.stores, true)
        {
            out.push(Output::StoreBeginning(beginning));
        }
    }

    /// An own item: into the own blocks, and to everybody who makes blocks. Those of a phase that is over are of the time before a start.
    fn bring(&mut self, item: EpochItem, out: Outputs<'_, K>) {
        if self.present.branches.final_progress().due(item.as_item()) == Due::Over || self.next.is_some() {
            return;
        }
        if !self.present.generation.pool.has(&item) {
            // It is one of few; and should there be no room, it comes again.
            let _kept = self.present.generation.pool.keep(item.clone(), true);
        }
        if !self.present.miners.is_empty() {
            let envelope = Envelope::Item { epoch: self.present.epoch(), item };
            out.push(Output::Broadcast { to: Arc::clone(&self.present.miners), envelope });
        }
    }

    /// An item of a member of the next committee, for a block of this one.
    pub(super) fn receive_item(&mut self, now: Time, from: NodeId, item: EpochItem, out: Outputs<'_, K>) {
        let (kind, (attempt, sender)) = (item.as_item().kind, item.as_item().header());
        if self.present.generation.node(sender) != Some(from) {
            self.refuse(now, from, EpochRefusal::ForeignItem { kind, named: sender }, out);
            return;
        }
        if self.present.generation.pool.has(&item) {
            return;
        }
        let progress = self.present.branches.final_progress();
        let checked = match progress.due(item.as_item()) {
            Due::Over => {
                self.refuse(now, from, EpochRefusal::ItemOver { kind, attempt }, out);
                return;
            }
            Due::Later => false,
            Due::Now => {
                let work = CHECK_WORK + item.as_item().bytes.len() as u64 / ITEM_BYTES_PER_WORK;
                if !self.guests.hears(from, work, now) {
                    return;
                }
                match progress.counts(item.as_item()) {
                    Err(reason) => {
                        self.refuse(now, from, EpochRefusal::Item { kind, reason }, out);
                        return;
                    }
                    Ok(counts) => {
                        self.guests.forgive(from, work, now);
                        if !counts {
                            // The final chain has it.
                            return;
                        }
                    }
                }
                true
            }
        };
        if !self.present.generation.pool.keep(item, checked) {
            self.refuse(now, from, EpochRefusal::NoRoom { kind }, out);
        }
    }

    /// A receipt for the own dealing.
    pub(super) fn receive_receipt(
        &mut self,
        now: Time,
        from: NodeId,
        receipt: &Receipt,
        out: Outputs<'_, K>,
    ) {
        let generation = &mut self.present.generation;
        if generation.node(receipt.recipient) != Some(from) {
            self.refuse(now, from, EpochRefusal::ForeignReceipt { named: receipt.recipient }, out);
            return;
        }
        let Some(participant) = &mut generation.participant else {
            self.refuse(now, from, EpochRefusal::NoDealer, out);
            return;
        };
        if !self.guests.hears(from, CHECK_WORK, now) {
            return;
        }
        match participant.on_receipt(receipt.recipient, receipt) {
            Ok(outputs) => {
                self.guests.forgive(from, CHECK_WORK, now);
                generation.outputs.extend(outputs);
                self.carry_out(out);
            }
            Err(error) => self.refuse(now, from, EpochRefusal::Receipt(error), out),
        }
    }
}

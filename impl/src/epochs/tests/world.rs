//! A key generation of participants: one chain whose blocks are final some rounds later, disks, a network that loses messages,
//! members that crash, and members that lie. It is no second `zus-sim`: it has no miners and no consensus, only a chain that says what is
//! final, so that a key generation can be crashed after each of its outputs; and `zus-sim` depends on this crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::committee::MinerId;
use crate::crypto::committee_keys::MemberKeys;
use crate::crypto::dkg::{Receipt, Settlement};
use crate::epochs::item::{EpochItem, ItemKind};
use crate::epochs::key_generation::{Entry, Output, Participant, Plan, Progress, Secret, WriteId};
use crate::epochs::lies::Lie;
use crate::epochs::record::{CheckedRecord, Record, SharderKey};

use super::stage::{ANCHOR, FIRST, before, encoded, identity, seed};

/// Rounds of a phase of the first attempt.
pub const PHASE: u64 = 12;
/// A block is final so many rounds later.
const FINAL_AFTER: usize = 2;

/// A disk: what is on it, and the writes that are not there yet.
#[derive(Default)]
pub struct Disk {
    pub entries: Vec<Entry>,
    pending: Vec<(WriteId, bool, Vec<Entry>)>,
}

impl Disk {
    fn apply(&mut self, replaces: bool, entries: Vec<Entry>) {
        if replaces {
            self.entries.clear();
        }
        self.entries.extend(entries);
    }
}

/// A crash of a member.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub member: u16,
    /// The output before which it happens; all that follow are lost.
    pub before_output: usize,
    /// Whether the writes under way are on the disk afterwards.
    pub writes_survive: bool,
    /// Rounds until it is back.
    pub rounds: u64,
}

/// A plan of a run.
#[derive(Clone)]
pub struct Setup {
    pub n: u16,
    pub lies: BTreeMap<u16, Lie>,
    pub crash: Option<Crash>,
    /// Members that are down in these rounds, counted from the first one of the first attempt.
    pub down: Vec<(u16, std::ops::Range<u64>)>,
    /// Of 100 messages, so many are lost, by a fixed generator.
    pub loss: u64,
    /// Whether members that come back are told the last final block only.
    pub jumps: bool,
    /// Rounds from the start of the first attempt in which no item comes into a block.
    pub blocked: std::ops::Range<u64>,
}

impl Setup {
    pub fn new(n: u16) -> Self {
        Self { n, lies: BTreeMap::new(), crash: None, down: Vec::new(), loss: 0, jumps: false, blocked: 0..0 }
    }

    pub fn lying(n: u16, liars: &[(u16, Lie)]) -> Self {
        Self { lies: liars.iter().copied().collect(), ..Self::new(n) }
    }
}

/// A run.
pub struct World {
    pub setup: Setup,
    plan: Arc<Plan>,
    before: CheckedRecord,
    /// The state after each block, from the anchor on.
    pub chain: Vec<Progress>,
    participants: Vec<Option<Participant>>,
    pub disks: Vec<Disk>,
    /// The items that were sent and not lost.
    pool: Vec<EpochItem>,
    receipts: Vec<(u16, Receipt)>,
    back_at: Vec<Option<u64>>,
    /// The number of outputs of each member.
    pub outputs: Vec<usize>,
    pub keys: BTreeMap<u16, (Arc<Record>, MemberKeys)>,
    /// The member that may end without a key share: it lost its disk.
    pub may_have_no_share: Option<u16>,
    random: u64,
    /// Everything that each honest member signed of the kinds of which it signs one in an attempt.
    signed: BTreeMap<(ItemKind, u32, MinerId), BTreeSet<EpochItem>>,
}

impl World {
    pub fn new(setup: Setup) -> Self {
        let n = setup.n;
        let before = before(&[0, 1, 101, 102]);
        let members = (0..n).map(encoded).collect();
        let plan = Plan::new(&before, members, vec![SharderKey([8; 32])], FIRST, PHASE).unwrap();
        let plan = Arc::new(plan);
        let chain = vec![Progress::begin(Arc::clone(&plan), ANCHOR)];
        let mut world = Self {
            plan,
            before,
            chain,
            participants: (0..n).map(|_| None).collect(),
            disks: (0..n).map(|_| Disk::default()).collect(),
            pool: Vec::new(),
            receipts: Vec::new(),
            back_at: vec![None; usize::from(n)],
            outputs: vec![0; usize::from(n)],
            keys: BTreeMap::new(),
            may_have_no_share: None,
            random: 7,
            signed: BTreeMap::new(),
            setup,
        };
        for i in 0..n {
            world.start(i);
        }
        world
    }

    pub fn is_honest(&self, i: u16) -> bool {
        !self.setup.lies.contains_key(&i)
    }

    pub fn honest(&self) -> Vec<u16> {
        (0..self.setup.n).filter(|&i| self.is_honest(i)).collect()
    }

    /// A member begins, or begins again with what is on its disk.
    fn start(&mut self, i: u16) {
        let at = usize::from(i);
        let (plan, entries) = (Arc::clone(&self.plan), self.disks[at].entries.clone());
        if entries.is_empty() {
            // Before anything is durable nothing has left, so that other secrets contradict nothing.
            let entropy = Secret::new(seed(4 + self.outputs[at] as u8, i));
            let (participant, outputs) = Participant::new(plan, identity(i), b"here", &entropy).unwrap();
            self.participants[at] = Some(participant);
            self.handle(i, outputs);
        } else {
            let recovered = Participant::recover(plan, identity(i), b"here", &entries);
            self.participants[at] = Some(recovered.unwrap());
        }
        if !self.setup.jumps {
            for progress in self.final_chain().to_vec() {
                self.tell(i, &progress);
            }
        }
    }

    fn final_chain(&self) -> &[Progress] {
        &self.chain[..self.chain.len().saturating_sub(FINAL_AFTER).max(1)]
    }

    fn tell(&mut self, i: u16, progress: &Progress) {
        let Some(participant) = &mut self.participants[usize::from(i)] else { return };
        let outputs = participant.on_final(progress);
        self.handle(i, outputs);
    }

    fn is_lost(&mut self) -> bool {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % 100 < self.setup.loss
    }

    fn handle(&mut self, i: u16, outputs: Vec<Output>) {
        let at = usize::from(i);
        for output in outputs {
            let number = self.outputs[at];
            self.outputs[at] += 1;
            let crash = self.setup.crash;
            if let Some(crash) = crash.filter(|it| it.member == i && it.before_output == number) {
                self.crash(i, crash.writes_survive);
                self.back_at[at] = Some(self.now() + crash.rounds);
                return;
            }
            match output {
                Output::Append { write, entries } => self.disks[at].pending.push((write, false, entries)),
                Output::Replace { write, entries } => self.disks[at].pending.push((write, true, entries)),
                Output::Item(item) => self.send_item(i, item),
                Output::Receipt { to, receipt } => {
                    let written =
                        |entry: &Entry| matches!(entry, Entry::Share { dealer, .. } if *dealer == to);
                    assert!(self.disks[at].entries.iter().any(written), "{i}: a receipt before its share");
                    let receipt = match self.setup.lies.get(&i) {
                        None => Some(receipt),
                        Some(lie) => lie.receipt(&identity(i), receipt),
                    };
                    if let Some(receipt) = receipt.filter(|_| !self.is_lost()) {
                        self.receipts.push((to.0, receipt));
                    }
                }
                Output::Keys { record, keys } => {
                    self.keys.insert(i, (record, *keys));
                }
                Output::NoKeyShare { reason, .. } => {
                    let expected = !self.is_honest(i) || self.may_have_no_share == Some(i);
                    assert!(expected, "member {i} has no key share: {reason}");
                }
            }
        }
    }

    /// The entry that an item needs on the disk before it leaves.
    fn require_durable(&self, i: u16, item: &EpochItem) {
        let (kind, bytes) = (item.as_item().kind, item.as_item().bytes);
        let written = |entry: &Entry| match (kind, entry) {
            (ItemKind::Registration | ItemKind::Dealing, Entry::Secrets { attempt, .. }) => {
                *attempt == item.as_item().header().0
            }
            (ItemKind::Settlement, Entry::Settlement { settlement, .. }) => settlement == bytes,
            (ItemKind::Ready, Entry::KeyShare { record, .. }) => bytes[6..38] == record.0,
            _ => false,
        };
        let entries = &self.disks[usize::from(i)].entries;
        assert!(entries.iter().any(written), "{i}: {kind:?} leaves before its entry is durable");
    }

    fn send_item(&mut self, i: u16, item: EpochItem) {
        self.require_durable(i, &item);
        let items = match self.setup.lies.get(&i) {
            None => {
                let (attempt, sender) = item.as_item().header();
                match item.as_item().kind {
                    ItemKind::Dealing | ItemKind::Settlement => {
                        let all = self.signed.entry((item.as_item().kind, attempt.0, sender)).or_default();
                        all.insert(item.clone());
                    }
                    ItemKind::Registration | ItemKind::Ready => {}
                }
                vec![item]
            }
            Some(lie) => {
                let tip = self.chain.last().expect("an anchor");
                lie.items(MinerId(i), &|member| identity(member.0), item, tip)
            }
        };
        for item in items {
            if !self.is_lost() && !self.pool.contains(&item) {
                self.pool.push(item);
            }
        }
    }

    pub fn now(&self) -> u64 {
        self.chain.last().expect("an anchor").next_round().0.saturating_sub(FIRST.0)
    }

    fn crash(&mut self, i: u16, writes_survive: bool) {
        let at = usize::from(i);
        self.participants[at] = None;
        let pending = std::mem::take(&mut self.disks[at].pending);
        if writes_survive {
            for (_, replaces, entries) in pending {
                self.disks[at].apply(replaces, entries);
            }
        }
    }

    /// One round: who is back, final blocks, writes, receipts, and another block.
    pub fn round(&mut self) {
        let now = self.now();
        for i in 0..self.setup.n {
            let at = usize::from(i);
            let down = self.setup.down.iter().any(|(member, rounds)| *member == i && rounds.contains(&now));
            if down && self.participants[at].is_some() {
                self.crash(i, false);
            }
            if self.back_at[at].is_some_and(|back| back <= now) {
                self.back_at[at] = None;
            }
            if !down && self.participants[at].is_none() && self.back_at[at].is_none() {
                self.start(i);
            }
        }
        let last = self.final_chain().last().cloned().expect("an anchor");
        for i in 0..self.setup.n {
            self.tell(i, &last);
        }
        for i in 0..self.setup.n {
            let at = usize::from(i);
            for (write, replaces, entries) in std::mem::take(&mut self.disks[at].pending) {
                self.disks[at].apply(replaces, entries);
                let Some(participant) = &mut self.participants[at] else { break };
                let outputs = participant.on_stored(write);
                self.handle(i, outputs);
            }
        }
        for (to, receipt) in std::mem::take(&mut self.receipts) {
            let Some(participant) = &mut self.participants[usize::from(to)] else { continue };
            let taken = participant.on_receipt(receipt.recipient, &receipt);
            self.handle(to, taken.unwrap_or_default());
        }
        self.block();
    }

    fn block(&mut self) {
        let tip = self.chain.last().expect("an anchor");
        let bytes =
            if self.setup.blocked.contains(&self.now()) { Vec::new() } else { tip.select(&self.pool) };
        let next = tip.after(tip.next_round(), &bytes).expect("a generator selects what counts");
        if next.attempt() != tip.attempt() {
            self.pool.retain(|item| item.as_item().header().0 >= next.attempt());
        }
        self.chain.push(next);
    }

    /// Rounds until each honest member has its keys, and what follows from them. Returns the record.
    pub fn run(&mut self, rounds: u64) -> Arc<Record> {
        self.run_but(&[], rounds)
    }

    /// The same, but these members need no keys.
    pub fn run_but(&mut self, but: &[u16], rounds: u64) -> Arc<Record> {
        let mut honest = self.honest();
        honest.retain(|i| !but.contains(i));
        while !honest.iter().all(|i| self.keys.contains_key(i)) {
            assert!(
                self.now() < rounds,
                "keys of {:?} only, in attempt {:?}, {:?}",
                self.keys.keys().collect::<Vec<_>>(),
                self.chain.last().map(Progress::attempt),
                self.chain.last().map(Progress::phase),
            );
            self.round();
        }
        self.judge()
    }

    /// The promises: one record, one key, and nobody honest contradicts itself or reveals too much.
    fn judge(&self) -> Arc<Record> {
        let (record, _) = self.keys.values().next().expect("an honest member");
        let checked = Arc::clone(record).check(&self.before).expect("a record that follows");
        let committee = checked.committee_keys().expect("keys");
        let message = b"the first beacon value";
        let mut shares = Vec::new();
        for (&i, (other, keys)) in &self.keys {
            assert_eq!(other, record, "E1: member {i} has another record");
            assert_eq!(keys.member, MinerId(i));
            let share = keys.beacon.sign(message);
            assert!(committee.beacon().verify_share(keys.member, message, &share), "E5: the share of {i}");
            shares.push((keys.member, share));
        }
        let threshold = committee.beacon().threshold();
        let value = committee.beacon().combine(message, &shares).expect("E5: the honest members reach it");
        let last = committee.beacon().combine(message, &shares[shares.len() - threshold..]);
        assert_eq!(last, Ok(value), "E5: one key");
        self.judge_signed();
        Arc::clone(record)
    }

    fn judge_signed(&self) {
        let faulty = usize::from(self.setup.n - 1) / 3;
        for ((kind, attempt, member), items) in &self.signed {
            assert_eq!(items.len(), 1, "E9: {member} signed two of {kind:?} in attempt {attempt}");
            if *kind != ItemKind::Settlement {
                continue;
            }
            let session =
                self.chain.iter().filter_map(Progress::session).find(|it| it.attempt().0 == *attempt);
            let session = session.expect("the session of the attempt");
            for item in items {
                let settlement = Settlement::decode(session, item.as_item().bytes).expect("its own");
                let revealed = settlement.revealed().count();
                assert!(revealed <= faulty, "S11: {member} revealed {revealed} shares");
            }
        }
        // Secrets of the attempt are gone where the keys are durable.
        for i in self.keys.keys() {
            let entries = &self.disks[usize::from(*i)].entries;
            assert!(matches!(entries[..], [Entry::KeyShare { .. }]), "member {i} keeps {entries:?}");
        }
    }
}

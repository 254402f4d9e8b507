//! The key generation on a chain against its specification: random schedules of `zus_epochs`, played by production participants.
//!
//! The specification chooses the steps: which items come in time, who settles without whose receipt, what the Byzantine member makes
//! up, who crashes. The production code does each of them with real keys. After each step phases, items and verdicts are the
//! same; in the end so is the set of members that have their key share, and that share is one of the record's key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zus_bpp::block::Digest;
use zus_bpp::committee::{ChainId, Epoch, MinerId, Round};
use zus_bpp::crypto::certificate::Signers;
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{
    Attempt, Dealer, Dealing, DecryptionKey, Disqualified, Identity, Ready, Receipt, Registration, Settlement,
};
use zus_bpp::crypto::keys::{DomainTag, SecretKey, aggregate};
use zus_bpp::crypto::polynomial::Polynomial;
use zus_bpp::epochs::item::{self, EpochItem, ItemKind};
use zus_bpp::epochs::key_generation::{Entry, Output, Participant, Phase, Plan, Progress, Secret};
use zus_bpp::epochs::record::{CheckedRecord, Record, RecordContent};
use zus_epochs::key_generation::transcript::Phase as Step;
use zus_epochs::key_generation::{Action, Branch, Exploration, Instance, KeyRules, Members, State};

const CHAIN: ChainId = ChainId([5; 32]);
const EPOCH: Epoch = Epoch(2);
/// The Byzantine member.
const LIAR: MinerId = MinerId(3);
const N: u16 = 4;
/// Rounds of a phase: more than a run has steps, so that nothing is late but by choice.
const PHASE: u64 = 256;

fn identity(member: MinerId) -> SecretKey {
    SecretKey::from_seed(&[member.0 as u8 + 1; 32])
}

fn decryption(member: MinerId) -> DecryptionKey {
    DecryptionKey::from_seed(&[member.0 as u8 + 101; 32])
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % bound as u64) as usize
    }
}

/// The record of the present epoch.
fn before() -> CheckedRecord {
    let members: Vec<_> =
        (0..N).map(|i| Identity::new(CHAIN, &SecretKey::from_seed(&[i as u8 + 51; 32])).encode()).collect();
    let polynomial = Polynomial::new((5..8).map(Scalar::from_u64).collect());
    let commitments = polynomial.commit().expect("no coefficient is zero");
    let content = RecordContent {
        chain: CHAIN,
        epoch: EPOCH,
        previous: Digest::NONE,
        attempt: Attempt(0),
        members,
        sharders: Vec::new(),
        qualified: (0..N).map(MinerId).collect(),
        coefficients: commitments.points().iter().map(|point| point.encode()).collect(),
        items: Digest::NONE,
    };
    Arc::new(Record::new(content).expect("a record")).check_first(CHAIN).expect("its own keys")
}

/// An honest member with its disk.
struct Node {
    participant: Option<Participant>,
    disk: Vec<Entry>,
    keys: bool,
}

/// The production side of a run.
struct Played {
    plan: Arc<Plan>,
    before: CheckedRecord,
    progress: Progress,
    nodes: Vec<Node>,
    /// The items that honest members sent.
    sent: BTreeMap<(ItemKind, MinerId), EpochItem>,
    /// The receipts that honest members sent, by dealer and recipient.
    receipts: BTreeMap<(MinerId, MinerId), Receipt>,
    /// The seeds of the Byzantine member's dealings in this attempt; the first one counts.
    seeds: Vec<[u8; 32]>,
    /// The chain at the start of the phase of settlements.
    young: Option<Progress>,
}

fn run(seed: u64, instance: &Instance) -> BTreeSet<String> {
    let mut random = Random(seed);
    let exploration = Exploration::plain(instance.clone());
    let mut state = instance.initial();
    let mut played = Played::new();
    let mut seen = BTreeSet::new();
    played.open(instance.registering);
    for _ in 0..80 {
        let mut steps = exploration.steps(&state);
        steps.retain(|step| played.can(&state, instance, step));
        // A deadline is as likely as all other steps together, so that some items are late and some are not.
        let deadlines = |step: &Action| matches!(step, Action::Deadline { .. });
        let last = steps.iter().filter(|step| !deadlines(step)).count();
        if steps.is_empty() {
            break;
        }
        let step = if last > 0 && random.below(8) > 0 {
            steps.retain(|step| !deadlines(step));
            steps[random.below(steps.len())]
        } else {
            steps[random.below(steps.len())]
        };
        seen.insert(format!("{step:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
        instance.apply(&mut state, &step);
        played.play(step, instance);
        played.compare(&state, instance, step);
    }
    if state.chain.phase == Step::Complete {
        seen.insert("complete".into());
        played.conclude(&state, instance);
    }
    if state.attempt > 0 {
        seen.insert("again".into());
    }
    seen
}

impl Played {
    fn new() -> Self {
        let before = before();
        let members = (0..N).map(|i| Identity::new(CHAIN, &identity(MinerId(i))).encode()).collect();
        let plan = Arc::new(Plan::new(&before, members, Vec::new(), Round(1), PHASE).expect("a plan"));
        let progress = Progress::begin(Arc::clone(&plan), Round(0));
        let nodes = (0..LIAR.0).map(|_| Node { participant: None, disk: Vec::new(), keys: false }).collect();
        let mut played = Self {
            plan,
            before,
            progress,
            nodes,
            sent: BTreeMap::new(),
            receipts: BTreeMap::new(),
            seeds: Vec::new(),
            young: None,
        };
        for member in (0..LIAR.0).map(MinerId) {
            let entropy = Secret::new([member.0 as u8 + 201; 32]);
            let begun = Participant::new(Arc::clone(&played.plan), identity(member), b"", &entropy);
            let (participant, outputs) = begun.expect("a member");
            played.node(member).participant = Some(participant);
            played.handle(member, outputs);
        }
        played
    }

    fn node(&mut self, member: MinerId) -> &mut Node {
        &mut self.nodes[usize::from(member.0)]
    }

    /// Where the specification leaves registrations out, everybody has registered before.
    fn open(&mut self, registering: bool) {
        self.tell_all();
        if registering {
            return;
        }
        if self.progress.registration(LIAR).is_none() {
            let mut items = vec![self.registration_of_liar()];
            items.extend((0..LIAR.0).map(|i| self.sent[&(ItemKind::Registration, MinerId(i))].clone()));
            self.block(&items);
        }
        self.pass_deadline();
    }

    fn registration_of_liar(&self) -> EpochItem {
        let about = (CHAIN, Epoch(EPOCH.0 + 1), self.progress.attempt());
        let key = decryption(LIAR).encryption_key();
        (&Registration::new(about, LIAR, &identity(LIAR), key, b"").expect("short")).into()
    }

    fn block(&mut self, items: &[EpochItem]) {
        let bytes = item::encode(items.iter().map(EpochItem::as_item).collect());
        self.progress = self.progress.after(self.progress.next_round(), &bytes).expect("a valid block");
        // In the second half of the phase of settlements a dealer settles when it is told so; nobody is told but by choice.
        if self.progress.phase() <= Phase::Dealing {
            self.tell_all();
        }
    }

    fn tell_all(&mut self) {
        (0..LIAR.0).map(MinerId).for_each(|member| self.tell(member));
    }

    fn tell(&mut self, member: MinerId) {
        let progress = self.progress.clone();
        self.tell_of(member, &progress);
    }

    fn tell_of(&mut self, member: MinerId, progress: &Progress) {
        let Some(participant) = &mut self.node(member).participant else { return };
        let outputs = participant.on_final(progress);
        self.handle(member, outputs);
    }

    fn handle(&mut self, member: MinerId, outputs: Vec<Output>) {
        for output in outputs {
            let (write, replaces, entries) = match output {
                Output::Append { write, entries } => (write, false, entries),
                Output::Replace { write, entries } => (write, true, entries),
                Output::Item(item) => {
                    self.sent.insert((item.as_item().kind, member), item);
                    continue;
                }
                Output::Receipt { to, receipt } => {
                    self.receipts.insert((to, member), receipt);
                    continue;
                }
                Output::Keys { record, keys } => {
                    let checked = Arc::clone(&record).check(&self.before).expect("a record that follows");
                    let key = checked.committee_keys().expect("a key");
                    let share = keys.beacon.sign(b"value");
                    assert!(key.beacon().verify_share(member, b"value", &share));
                    self.node(member).keys = true;
                    continue;
                }
                Output::NoKeyShare { reason, .. } => panic!("{member} has no key share: {reason}"),
            };
            let node = self.node(member);
            if replaces {
                node.disk.clear();
            }
            node.disk.extend(entries);
            let Some(participant) = &mut node.participant else { return };
            let outputs = participant.on_stored(write);
            self.handle(member, outputs);
        }
    }

    fn pass_deadline(&mut self) {
        let phase = self.progress.phase();
        while self.progress.phase() == phase {
            self.block(&[]);
        }
    }

    /// Whether the production code is in a position to do a step. The specification lets a receipt be there as soon as it may be signed,
    /// even if its signer is down.
    fn can(&self, state: &State, instance: &Instance, step: &Action) -> bool {
        let gave = |dealer, recipient| recipient == LIAR || self.receipts.contains_key(&(dealer, recipient));
        match *step {
            Action::Settle { dealer, revealed, .. } => {
                let others = instance.all().without(Members::only(dealer)).without(revealed);
                others.iter().all(|recipient| gave(dealer, recipient))
            }
            Action::ByzantineSettle { revealed, .. } => {
                let others = instance.honest().without(revealed);
                others.iter().all(|recipient| gave(LIAR, recipient))
            }
            // An honest member is registered: the specification does not say who seals for whom otherwise.
            Action::Deadline { .. } if state.chain.phase == Step::Registering => {
                instance.honest().is_within(state.chain.registered)
            }
            Action::Register { member, .. } => self.is_up(member) || member == LIAR,
            Action::Deal { dealer, .. } => self.sent.contains_key(&(ItemKind::Dealing, dealer)),
            _ => true,
        }
    }

    fn is_up(&self, member: MinerId) -> bool {
        self.nodes.get(usize::from(member.0)).is_some_and(|node| node.participant.is_some())
    }

    fn include(&mut self, kind: ItemKind, member: MinerId) {
        let item = self.sent[&(kind, member)].clone();
        assert_eq!(self.progress.counts(item.as_item()), Ok(true), "{kind:?} of {member}");
        self.block(&[item]);
    }

    fn play(&mut self, step: Action, instance: &Instance) {
        match step {
            Action::Register { member, .. } if member == LIAR => {
                let item = self.registration_of_liar();
                self.block(&[item]);
            }
            Action::Register { member, .. } => self.include(ItemKind::Registration, member),
            Action::Deal { dealer, .. } => self.include(ItemKind::Dealing, dealer),
            Action::ByzantineDeal { fits, .. } => {
                let item = self.dealing_of_liar(fits);
                self.block(&[item]);
            }
            Action::Settle { dealer, revealed, .. } => self.settle(dealer, revealed, instance),
            Action::IncludeSettlement { dealer, .. } => self.include(ItemKind::Settlement, dealer),
            Action::ByzantineSettle { revealed, right, .. } => {
                let item = self.settlement_of_liar(revealed, right);
                self.block(&[item]);
            }
            Action::SayReady { member, .. } => {
                self.tell(member);
                assert!(self.sent.contains_key(&(ItemKind::Ready, member)), "{member} says that it is ready");
            }
            Action::IncludeReady { member, .. } => self.include(ItemKind::Ready, member),
            Action::ByzantineReady { .. } => {
                let record = self.progress.candidate().expect("a candidate").digest().0;
                let session = Arc::clone(self.progress.session().expect("a session"));
                let ready = Ready::new(&session, LIAR, &identity(LIAR), record);
                self.block(&[(&ready).into()]);
            }
            Action::Conclude { member } => {
                self.tell(member);
                assert!(self.node(member).keys, "{member} has its keys");
            }
            Action::Deadline { .. } => self.deadline(),
            Action::NextAttempt => {
                self.sent.retain(|(kind, _), _| *kind == ItemKind::Registration);
                self.receipts.clear();
                self.seeds.clear();
                self.open(instance.registering);
            }
            Action::Crash { member } => self.node(member).participant = None,
            Action::Restart { member } => {
                let entries = self.node(member).disk.clone();
                let plan = Arc::clone(&self.plan);
                let recovered = Participant::recover(plan, identity(member), b"", &entries);
                self.node(member).participant = Some(recovered.expect("a journal"));
                match self.progress.phase() {
                    Phase::Waiting | Phase::Registering | Phase::Dealing => self.tell(member),
                    Phase::Settling => {
                        let young = self.young.clone().expect("the phase has begun");
                        self.tell_of(member, &young);
                    }
                    Phase::Readying | Phase::Complete => {}
                }
            }
            Action::DealAgain { .. }
            | Action::Store { .. }
            | Action::EraseEarly { .. }
            | Action::SkipSettling { .. }
            | Action::Fork
            | Action::Finalize { .. } => panic!("{step:?} is none of the recommended rules"),
        }
    }

    fn deadline(&mut self) {
        // Receipts for the last dealings are signed while the phase of settlements is young.
        self.pass_deadline();
        if self.progress.phase() == Phase::Settling {
            self.tell_all();
            self.young = Some(self.progress.clone());
            // Half of the phase passes: from now on a dealer settles as soon as it is told.
            for _ in 0..=PHASE << self.progress.attempt().0 >> 1 {
                self.block(&[]);
            }
        }
    }

    /// A dealer has the receipts of all others than `revealed`, and its timer runs out.
    fn settle(&mut self, dealer: MinerId, revealed: Members, instance: &Instance) {
        let digest = *self.progress.transcript().and_then(|it| it.dealing_digest(dealer)).expect("dealt");
        let session = Arc::clone(self.progress.session().expect("a session"));
        for recipient in instance.all().without(Members::only(dealer)).without(revealed).iter() {
            let receipt = if recipient == LIAR {
                let signature = identity(LIAR).sign(DomainTag::DKG_RECEIPT, &digest);
                Receipt { attempt: session.attempt(), dealer, recipient, signature }
            } else {
                self.receipts[&(dealer, recipient)]
            };
            let participant = self.node(dealer).participant.as_mut().expect("it is up");
            let outputs = participant.on_receipt(recipient, &receipt).expect("a receipt for its dealing");
            self.handle(dealer, outputs);
        }
        self.tell(dealer);
        let item = &self.sent[&(ItemKind::Settlement, dealer)];
        let settlement = Settlement::decode(&session, item.as_item().bytes).expect("its own");
        let found: Members = settlement.revealed().map(|(member, _)| member).collect();
        assert_eq!(found, revealed, "{dealer} reveals the shares of those that gave no receipt");
    }

    fn dealing_of_liar(&mut self, fits: Members) -> EpochItem {
        let session = Arc::clone(self.progress.session().expect("a session"));
        let seed = [self.seeds.len() as u8 + 1 + 16 * session.attempt().0 as u8; 32];
        let dealer = Dealer::new(&session, LIAR, identity(LIAR), &seed).expect("a dealing");
        let mut dealing: Dealing = dealer.dealing().clone();
        for member in (0..LIAR.0).map(MinerId).filter(|member| !fits.has(*member)) {
            if let Some(position) = session.sealed_position(member) {
                dealing.sealed[position].0[40] ^= 1;
            }
        }
        dealing.signature = identity(LIAR).sign(DomainTag::DKG_DEALING, &dealing.digest(&session));
        self.seeds.push(seed);
        (&dealing).into()
    }

    /// A share of the Byzantine member's first dealing: the one that a settlement without that member's receipt reveals.
    fn share_of_liar(&self, member: MinerId) -> Scalar {
        let session = self.progress.session().expect("a session");
        let mut dealer = Dealer::new(session, LIAR, identity(LIAR), &self.seeds[0]).expect("a dealing");
        for recipient in session.members().filter(|recipient| *recipient != member) {
            let signature = identity(recipient).sign(DomainTag::DKG_RECEIPT, dealer.digest());
            let receipt = Receipt { attempt: session.attempt(), dealer: LIAR, recipient, signature };
            dealer.on_receipt(session, recipient, &receipt).expect("a receipt");
        }
        dealer.settle(session).expect("one is missing").revealed[0].clone()
    }

    fn settlement_of_liar(&self, revealed: Members, right: bool) -> EpochItem {
        let session = Arc::clone(self.progress.session().expect("a session"));
        let digest = *self.progress.transcript().and_then(|it| it.dealing_digest(LIAR)).expect("dealt");
        let shown: Vec<MinerId> = session.members().filter(|member| !revealed.has(*member)).collect();
        let receipt = |member: MinerId| {
            if member == LIAR {
                identity(LIAR).sign(DomainTag::DKG_RECEIPT, &digest)
            } else {
                self.receipts[&(LIAR, member)].signature
            }
        };
        let summands: Vec<_> = shown.iter().map(|&member| receipt(member)).collect();
        let shares = revealed.iter().map(|member| {
            let share = self.share_of_liar(member);
            if right { share } else { share.add(&Scalar::from_u64(1)) }
        });
        let mut settlement = Settlement {
            attempt: session.attempt(),
            dealer: LIAR,
            receipts: Signers::from_members(usize::from(N), shown).expect("members"),
            aggregate: aggregate(&summands).expect("receipts"),
            revealed: shares.collect(),
            signature: summands[0],
        };
        settlement.signature = identity(LIAR).sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(&session));
        (&settlement).into()
    }

    fn compare(&self, state: &State, instance: &Instance, step: Action) {
        let chain = &state.chain;
        let (attempt, phase) = (u32::from(state.attempt), self.progress.phase());
        let expected = match chain.phase {
            Step::Registering => (attempt, Phase::Registering),
            Step::Dealing => (attempt, Phase::Dealing),
            Step::Settling => (attempt, Phase::Settling),
            Step::Readying => (attempt, Phase::Readying),
            Step::Complete => (attempt, Phase::Complete),
            // The next attempt begins at once.
            Step::Failed => (attempt + 1, Phase::Registering),
        };
        assert_eq!((self.progress.attempt().0, phase), expected, "after {step:?}");
        if chain.phase == Step::Failed {
            return;
        }
        for member in instance.all().iter() {
            if chain.phase == Step::Registering {
                let registered = self.progress.registration(member).is_some();
                assert_eq!(registered, chain.registered.has(member), "{member} after {step:?}");
                continue;
            }
            let transcript = self.progress.transcript().expect("registrations are over");
            assert_eq!(transcript.dealing(member).is_some(), chain.dealt(member).is_some(), "after {step:?}");
            if transcript.dealing(member).is_some() {
                let settled = transcript.settlement(member).is_some();
                let expected = chain.settled(member).is_some();
                // Of a dealer that is out no settlement is looked at.
                let out = transcript.qualifies(member) == Err(Disqualified::TwoDealings);
                assert!(settled == expected || out, "{member} after {step:?}");
            }
            let qualifies = transcript.qualifies(member).is_ok();
            assert_eq!(qualifies, instance.qualifies(chain, member), "{member} after {step:?}");
            assert_eq!(self.progress.is_ready(member), chain.ready.has(member), "{member} after {step:?}");
        }
        if matches!(chain.phase, Step::Readying | Step::Complete) {
            let record = self.progress.candidate().expect("a candidate");
            let qualified: Members = record.content().qualified.iter().copied().collect();
            assert_eq!(qualified, instance.record(chain).qualified, "after {step:?}");
        }
    }

    /// Every honest member of a complete record ends with its key share, whether it was ready or not, up or down.
    fn conclude(&mut self, state: &State, instance: &Instance) {
        for member in instance.honest().iter() {
            assert!(
                instance.has_share(state, &state.chain, member),
                "the specification gives {member} a share"
            );
            if self.node(member).participant.is_none() {
                self.play(Action::Restart { member }, instance);
            }
            if !self.node(member).keys {
                self.tell(member);
            }
            assert!(self.node(member).keys, "{member} has its keys");
        }
        let branch = state.growing();
        assert_eq!(branch, &[Branch::Final]);
    }
}

#[test]
fn random_schedules_end_as_the_specification_says() {
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let registering = seed % 4 == 0;
        let crashes = u8::from(seed % 2 == 1);
        // In the specification a new attempt forgets the registrations; here they are carried over.
        let attempts = if registering { 1 } else { 2 };
        let instance = Instance { registering, crashes, attempts, ..Instance::new(KeyRules::HARDENED) };
        seen.extend(run(seed, &instance));
    }
    let needed = [
        "ByzantineDeal",
        "ByzantineReady",
        "ByzantineSettle",
        "Conclude",
        "Crash",
        "Deadline",
        "Deal",
        "IncludeReady",
        "IncludeSettlement",
        "NextAttempt",
        "Register",
        "Restart",
        "SayReady",
        "Settle",
        "again",
        "complete",
    ];
    for name in needed {
        assert!(seen.contains(name), "no schedule has {name}: {seen:?}");
    }
}

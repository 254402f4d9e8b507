//! The cost of a key generation on a chain, of the record that comes out of it, and of a walk over many epochs.
//!
//! ```text
//! cargo run --release -p zus-measure --bin epochs              # n = 100, and one member's work at n = 1,000
//! cargo run --release -p zus-measure --bin epochs -- 16 100    # other sizes
//! cargo run --release -p zus-measure --bin epochs -- walk      # only the handoffs that a joiner checks, n = 100
//! ```
//!
//! Times are processor time of one core. Up to `WHOLE` members every dealing and settlement is made and judged. Above that `SAMPLE`
//! of them are, and what costs the same for each dealer is multiplied.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::committee::{ChainId, Epoch, MinerId, Round, Subround, beacon_threshold};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{
    Attempt, Dealer, IDENTITY_BYTES, Identity, MAX_DKG_MEMBERS, Ready, Recipient, Registration, Session,
    Settlement,
};
use zus_bpp::crypto::keys::{DomainTag, SecretKey};
use zus_bpp::crypto::polynomial::Polynomial;
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::epochs::generated::{BlsSignatures, Exchange, GeneratedKeys};
use zus_bpp::epochs::handoff::HandoffCertificate;
use zus_bpp::epochs::item::{self, EpochItem};
use zus_bpp::epochs::key_generation::{Phase, Plan, Progress};
use zus_bpp::epochs::link::Link;
use zus_bpp::epochs::record::{CheckedRecord, Record, RecordContent};
use zus_bpp::epochs::replica::Keys as _;
use zus_bpp::epochs::roster::Roster;
use zus_bpp::statement::{FinalityVote, Statement as _};
use zus_bpp::wire;
use zus_measure::members::{decryption, identity, seed};
use zus_measure::process_time;

const CHAIN: ChainId = ChainId([3; 32]);
const EPOCH: Epoch = Epoch(8);
/// The largest committee in which every member deals.
const WHOLE: u16 = 100;
/// Dealers of a larger one.
const SAMPLE: u16 = 20;
/// Records that are checked for one figure.
const RECORDS: u32 = 20;

fn encoded(i: u16) -> [u8; IDENTITY_BYTES] {
    Identity::new(CHAIN, &identity(i)).encode()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A record of epoch `epoch`, with a key that nobody has.
fn content(members: Vec<[u8; IDENTITY_BYTES]>, epoch: Epoch, previous: Digest) -> RecordContent {
    let t = beacon_threshold(members.len());
    let polynomial = Polynomial::new((0..t as u64).map(|k| Scalar::from_u64(k + 5)).collect());
    let commitments = polynomial.commit().expect("no coefficient is zero");
    RecordContent {
        chain: CHAIN,
        epoch,
        previous,
        attempt: Attempt(0),
        qualified: (0..members.len() as u16).map(MinerId).collect(),
        members,
        sharders: Vec::new(),
        coefficients: commitments.points().iter().map(|point| point.encode()).collect(),
        items: Digest::NONE,
    }
}

fn first(members: Vec<[u8; IDENTITY_BYTES]>) -> CheckedRecord {
    let record = Record::new(content(members, EPOCH, Digest::NONE)).expect("a record");
    Arc::new(record).check_first(CHAIN).expect("its own keys")
}

/// One branch, with the time that a node takes for its blocks, and the bytes of its items.
struct Branch {
    progress: Progress,
    time: Duration,
    bytes: usize,
}

impl Branch {
    /// Blocks of one item each.
    fn extend(&mut self, items: impl IntoIterator<Item = EpochItem>) {
        for item in items {
            let bytes = item::encode(vec![item.as_item()]);
            self.bytes += bytes.len();
            self.block(&bytes);
        }
    }

    fn block(&mut self, bytes: &[u8]) {
        let progress = &self.progress;
        let (after, time) = process_time::of(|| progress.after(progress.next_round(), bytes));
        self.progress = after.expect("honest items");
        self.time += time;
    }

    fn until(&mut self, phase: Phase) {
        while self.progress.phase() != phase {
            self.block(&[]);
        }
    }

    /// Time and bytes since the last call.
    fn split(&mut self) -> (Duration, usize) {
        (std::mem::take(&mut self.time), std::mem::take(&mut self.bytes))
    }

    fn session(&self) -> Arc<Session> {
        Arc::clone(self.progress.session().expect("registrations are over"))
    }
}

/// The settlement of a dealer with the receipts of all. The sum of the receipts is the receipt under the sum of the keys.
fn settlement(session: &Session, dealer: u16, digest: &[u8; 32], all: &SecretKey) -> Settlement {
    let mut settlement = Settlement {
        attempt: session.attempt(),
        dealer: MinerId(dealer),
        receipts: Signers::from_members(session.size(), session.members()).expect("members"),
        aggregate: all.sign(DomainTag::DKG_RECEIPT, digest),
        revealed: Vec::new(),
        signature: all.sign(DomainTag::DKG_RECEIPT, digest),
    };
    settlement.signature = identity(dealer).sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(session));
    settlement
}

/// The sum of the identity keys with these numbers: what it signs is the aggregate of them all.
fn sum_of_keys(keys: impl IntoIterator<Item = u16>) -> SecretKey {
    let scalars = keys.into_iter().filter_map(|i| Scalar::from_bytes(&identity(i).to_bytes()));
    let sum = scalars.fold(Scalar::zero(), |sum, scalar| sum.add(&scalar));
    SecretKey::from_scalar(sum).expect("no sum of honest keys is zero")
}

fn line(what: &str, time: Duration, bytes: usize) {
    zus_output::say!("  {what:<52} {:>10.1} ms {:>13} bytes", milliseconds(time), bytes);
}

/// A key generation of `n` members.
fn generate(n: u16) {
    zus_output::say!("key generation, n = {n}");
    let plan = Plan::new(
        &first((0..4).map(encoded).collect()),
        (0..n).map(encoded).collect(),
        vec![],
        Round(1),
        1 << 12,
    );
    let progress = Progress::begin(Arc::new(plan.expect("a plan")), Round(0));
    let mut branch = Branch { progress, time: Duration::ZERO, bytes: 0 };
    let about = (CHAIN, Epoch(EPOCH.0 + 1), Attempt(0));
    branch.extend((0..n).map(|i| {
        let key = decryption(i).encryption_key();
        (&Registration::new(about, MinerId(i), &identity(i), key, b"10.0.0.1:7071").expect("short")).into()
    }));
    branch.until(Phase::Dealing);
    let (time, bytes) = branch.split();
    line("chain: registrations of all", time, bytes);
    let (session, dealers) = (branch.session(), if n <= WHOLE { n } else { SAMPLE });
    let times = u32::from(n) / u32::from(dealers);
    let mut own = Duration::ZERO;
    let mut made = Vec::new();
    for i in 0..dealers {
        let (dealer, time) = process_time::of(|| Dealer::new(&session, MinerId(i), identity(i), &seed(3, i)));
        own = time;
        made.push(EpochItem::from(dealer.expect("a dealing").dealing()));
    }
    let dealing = made.first().map_or(0, |item| item.as_item().bytes.len());
    line("member: its own dealing", own, dealing);
    branch.extend(made);
    let (time, bytes) = branch.split();
    let all = times as usize;
    line("chain: dealings of all", time * times, bytes * all);
    let recipient = Recipient::new(&session, MinerId(0), identity(0), decryption(0)).expect("its keys");
    let transcript = Arc::clone(branch.progress.transcript().expect("dealings"));
    let dealt = || (0..dealers).filter_map(|i| transcript.dealing(MinerId(i)));
    let (receipts, time) = process_time::of(|| {
        let opens = dealt().map(|dealing| {
            recipient.open(&session, dealing).expect("its share");
            recipient.receipt(&session, dealing.dealer, &dealing.digest(&session))
        });
        opens.count()
    });
    assert_eq!(receipts, usize::from(dealers));
    line("member: opens its shares, signs its receipts", time * times, usize::from(n) * 104);
    branch.until(Phase::Settling);
    branch.split();
    let key = sum_of_keys(0..n);
    let transcript = Arc::clone(branch.progress.transcript().expect("dealings"));
    branch.extend((0..dealers).map(|i| {
        let digest = transcript.dealing_digest(MinerId(i)).expect("dealt");
        (&settlement(&session, i, digest, &key)).into()
    }));
    let (time, bytes) = branch.split();
    line("chain: settlements of all, with all receipts", time * times, bytes * all);
    if n > WHOLE {
        return;
    }
    branch.until(Phase::Readying);
    let (time, _) = branch.split();
    line("chain: the record", time, branch.progress.candidate().map_or(0, |record| record.encode().len()));
    let record = Arc::clone(branch.progress.candidate().expect("a candidate"));
    let transcript = Arc::clone(branch.progress.transcript().expect("settlements"));
    let open = |dealer| transcript.dealing(dealer).and_then(|it| recipient.open(&session, it).ok());
    let received: Vec<_> = record.content().qualified.iter().map(|&dealer| open(dealer)).collect();
    let (share, time) = process_time::of(|| {
        let sum = record.commitments().expect("points");
        let qualified = record.content().qualified.iter().copied();
        let known = |dealer: MinerId| received.get(usize::from(dealer.0)).cloned().flatten();
        recipient.key_share(&transcript, qualified, &sum, known)
    });
    share.expect("its share");
    line("member: adds up its key share", time, 0);
    let quorum = beacon_threshold(usize::from(n)) as u16;
    branch.extend(
        (0..quorum).map(|i| (&Ready::new(&session, MinerId(i), &identity(i), record.digest().0)).into()),
    );
    let (time, bytes) = branch.split();
    line("chain: ready statements of a quorum", time, bytes);
    assert!(branch.progress.record().is_some(), "the record is complete");
}

/// The work of a node without the chain on a record of `n` members.
fn check(n: u16) {
    zus_output::say!("record, n = {n}");
    let before = first((0..n).map(encoded).collect());
    for (what, exchanged) in [("no member is new", 0), ("one member is new", 1), ("all members are new", n)] {
        let members = (0..n).map(|i| encoded(if i < exchanged { i + n } else { i })).collect();
        let next = content(members, Epoch(EPOCH.0 + 1), before.record().digest());
        let bytes = Record::new(next).expect("a record").encode();
        let (checked, time) = process_time::of(|| {
            let mut checked = None;
            for _ in 0..RECORDS {
                let record = Record::decode(&bytes).expect("a record");
                checked = Some(Arc::new(record).check(&before).expect("the next one"));
            }
            checked
        });
        line(&format!("decoded and checked, {what}"), time / RECORDS, bytes.len());
        if exchanged == 0 {
            let checked = checked.expect("at least one");
            let (keys, time) = process_time::of(|| checked.committee_keys());
            keys.expect("a key");
            line("the keys of the committee", time, 0);
        }
    }
}

/// Epochs that one walk passes through, and that of all members new: each of these takes a hundred times as long.
const WALK: [(u16, usize); 3] = [(0, 1_000), (1, 1_000), (WHOLE, 20)];

/// The links of a chain from the first epoch on, as a peer sends them, with the first record. In each epoch `exchanged` members are new.
fn links(n: u16, exchanged: u16, epochs: usize) -> (Record, Vec<Vec<u8>>) {
    // The member in a place has the key of this number.
    let mut keys: Vec<u16> = (0..n).collect();
    let members = |keys: &[u16]| keys.iter().map(|&key| encoded(key)).collect::<Vec<_>>();
    let first = Record::new(content(members(&keys), EPOCH, Digest::NONE)).expect("a record");
    let mut before = first.clone();
    let (mut next, mut place) = (n, 0);
    let made = (0..epochs).map(|_| {
        let (epoch, signers) = (before.epoch(), beacon_threshold(usize::from(n)) as u16);
        let sum = sum_of_keys(keys.iter().copied().take(signers.into()));
        for _ in 0..exchanged {
            keys[usize::from(place)] = next;
            (next, place) = (next + 1, (place + 1) % n);
        }
        let after = content(members(&keys), Epoch(epoch.0 + 1), before.digest());
        let record = Record::new(after).expect("a record");
        let block = Block::new(BlockContent {
            chain: CHAIN,
            epoch,
            round: Round(100),
            subround: Subround(0),
            generator: MinerId(0),
            parent: BlockId([2; 32]),
            parent_notarization: None,
            finality: None,
            beacon: BeaconValue([3; 32]),
            beacon_signature: Signature([0; 48]),
            closing: Closing::Closes { record: record.digest() },
            items: vec![1],
            payload: Vec::new(),
            time: Time(0),
        });
        let statement = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
        let committee = Roster::of(&before).expect("a committee").committee();
        let certificate = Certificate {
            signers: Signers::from_members(n.into(), (0..signers).map(MinerId)).expect("members"),
            aggregate: sum.sign(FinalityVote::DOMAIN.into(), &statement.preimage(&committee)),
        };
        let finality = Arc::new(FinalityCertificate { statement, certificate });
        let handoff = HandoffCertificate::new(*block.header(), finality).expect("it fits together");
        before = record.clone();
        wire::to_bytes(&Link { handoff, record })
    });
    let made = made.collect();
    (first, made)
}

/// The work of a joiner that walks from the first record to the last one: each link is decoded and checked.
fn walk(n: u16) {
    zus_output::say!("a walk over epochs, n = {n}");
    for (exchanged, epochs) in WALK {
        let exchanged = exchanged.min(n);
        let (first, links) = links(n, exchanged, epochs);
        let nobody = Exchange::new(CHAIN, BTreeMap::new(), 1, 1).expect("no committees");
        let keys = GeneratedKeys::new(BlsSignatures, Arc::new(nobody), None, Vec::new());
        let quorum = beacon_threshold(n.into());
        keys.verifier(&first).expect("keys");
        let (last, time) = process_time::of(|| {
            links.iter().fold(first, |before, bytes| {
                let link: Link<Record> = wire::from_bytes(bytes).expect("a link");
                let committee = Roster::of(&before).expect("a committee").committee();
                let verifier = keys.verifier(&before).expect("keys");
                link.check(&before, &committee, quorum, &verifier).expect("the next one");
                link.record
            })
        });
        assert_eq!(last.epoch().0, EPOCH.0 + epochs as u64);
        let each = time / epochs as u32;
        line(&format!("a handoff, {exchanged} of {n} members new"), each, links[0].len());
        zus_output::say!("  {:<52} {:>10.0} handoffs a second", "", 1.0 / each.as_secs_f64());
    }
}

fn main() -> ExitCode {
    let mut sizes = Vec::new();
    if std::env::args().skip(1).eq(["walk"]) {
        walk(WHOLE);
        return ExitCode::SUCCESS;
    }
    for argument in std::env::args().skip(1) {
        match argument.parse::<u16>().ok().filter(|n| (4..=MAX_DKG_MEMBERS as u16).contains(n)) {
            Some(n) => sizes.push(n),
            None => {
                eprintln!(
                    "error: {argument:?} is no number of members\n  fix: name numbers from 4 to {MAX_DKG_MEMBERS}, or only `walk`"
                );
                return ExitCode::from(2);
            }
        }
    }
    if sizes.is_empty() {
        sizes = vec![100, 1_000];
    }
    for n in sizes {
        generate(n);
        check(n);
        walk(n.min(WHOLE));
    }
    ExitCode::SUCCESS
}

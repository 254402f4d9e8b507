//! Target about handoff certificates, links, checkpoints and envelopes: genuine ones, each with up to two flaws.
//!
//! The oracle is the list of flaws: a thing is taken exactly when there is none that concerns it, and refused for one of its flaws. A
//! replica that has no place in the committee judges the same. Everything is read back from its bytes.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, CertificateError};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::handoff::{HandoffCertificate, HandoffError};
use zus_bpp::epochs::link::{Beginning, BeginningError, Link, LinkError};
use zus_bpp::epochs::planned::{PlannedKeys, PlannedRecord, Schedule, node};
use zus_bpp::epochs::replica::{EpochRefusal, Input, Keys as _, Output, Replica, Restored, Secrets};
use zus_bpp::epochs::roster::{CommitteeRecord as _, Roster};
use zus_bpp::limits::MAX_LINKS_AT_ONCE;
use zus_bpp::message::{ChainRequest, Message};
use zus_bpp::miner::{Config, Recovery};
use zus_bpp::rules::Rules;
use zus_bpp::statement::{FinalityVote, Signed};
use zus_bpp::wire::{self, Decode, Encode};

use super::stream::Stream;
use crate::oracles::quorum;
use crate::schedule::Random;

const CHAIN: ChainId = ChainId([4; 32]);
const ELSEWHERE: ChainId = ChainId([5; 32]);
/// The node that judges: a member of no committee.
const JUDGE: u16 = 99;

/// Something that is wrong about a link or its certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Flaw {
    FewVotes,
    VotesOfStrangers,
    VotesOfOtherEpoch,
    VotesOfOtherChain,
    SpoiltSum,
    OtherBlock,
    NotClosed,
    Order,
    HeaderOfOtherChain,
    HeaderOfOtherEpoch,
    OtherRecord,
    OtherRecordBefore,
    RecordOfOtherChain,
    RecordOfOtherEpoch,
    NodeTwice,
    AtTheBeginning,
}

use Flaw::*;

const FLAWS: [Flaw; 16] = [
    FewVotes,
    VotesOfStrangers,
    VotesOfOtherEpoch,
    VotesOfOtherChain,
    SpoiltSum,
    OtherBlock,
    NotClosed,
    Order,
    HeaderOfOtherChain,
    HeaderOfOtherEpoch,
    OtherRecord,
    OtherRecordBefore,
    RecordOfOtherChain,
    RecordOfOtherEpoch,
    NodeTwice,
    AtTheBeginning,
];

impl Flaw {
    /// Whether header and certificate do not fit together.
    fn is_of_shape(self) -> bool {
        matches!(self, OtherBlock | NotClosed | Order)
    }

    /// Whether the record is wrong, and the certificate may be right.
    fn is_of_record(self) -> bool {
        matches!(self, OtherRecord | OtherRecordBefore | RecordOfOtherChain | RecordOfOtherEpoch)
    }

    /// Whether only a node sees it: certificate and record are right in themselves.
    fn is_of_node(self) -> bool {
        matches!(self, NodeTwice | AtTheBeginning)
    }

    fn explains(self, error: &LinkError) -> bool {
        match error {
            LinkError::NotNext { .. } => self == RecordOfOtherEpoch,
            LinkError::OtherChain => self == RecordOfOtherChain,
            LinkError::OtherRecordBefore(_) => self == OtherRecordBefore,
            LinkError::OtherRecord(_) => self == OtherRecord,
            LinkError::Handoff(error) => self.explains_handoff(error),
            LinkError::Roster(_) => self == NodeTwice,
            _ => false,
        }
    }

    fn explains_handoff(self, error: &HandoffError) -> bool {
        match error {
            HandoffError::OtherBlock => self == OtherBlock,
            HandoffError::NotClosed(_) => self == NotClosed,
            HandoffError::Order { .. } => self == Order,
            HandoffError::OtherChain => self == HeaderOfOtherChain,
            HandoffError::OtherEpoch { .. } => self == HeaderOfOtherEpoch,
            HandoffError::Certificate(CertificateError::SubQuorum { .. }) => self == FewVotes,
            HandoffError::Certificate(_) => {
                matches!(self, VotesOfStrangers | VotesOfOtherEpoch | VotesOfOtherChain | SpoiltSum)
            }
            _ => false,
        }
    }
}

/// Two committees, with the keys of the first.
struct Ground {
    plan: Arc<Schedule>,
    keys: PlannedKeys<MockScheme>,
}

/// One member exchanged; to a committee of one, whose quorum is one; seven to four.
static GROUNDS: LazyLock<Vec<Ground>> = LazyLock::new(|| {
    let of: [[&[u16]; 2]; 3] =
        [[&[0, 1, 2, 3], &[1, 2, 3, 4]], [&[0, 1, 2, 3], &[2]], [&[0, 1, 2, 3, 4, 5, 6], &[3, 4, 5, 6]]];
    let ground = |committees: [&[u16]; 2]| {
        let committees = committees.iter().map(|members| members.to_vec()).collect();
        let plan = Schedule { chain: CHAIN, first: Epoch(3), committees, sharders: Vec::new(), rounds: 2 };
        let plan = Arc::new(plan);
        Ground { keys: PlannedKeys::mock(Arc::clone(&plan), 1), plan }
    };
    of.into_iter().map(ground).collect()
});

impl Ground {
    fn record(&self, number: u64) -> PlannedRecord {
        self.plan.record(Epoch(self.plan.first.0 + number)).expect("it is planned")
    }

    fn committee(&self) -> Committee {
        Roster::of(&self.record(0)).expect("a committee").committee()
    }
}

/// The parts of a link.
struct Parts {
    block: Block,
    closing: Block,
    finality: Arc<FinalityCertificate>,
    record: PlannedRecord,
}

fn block(chain: ChainId, epoch: Epoch, round: u64, closing: Closing, payload: u8) -> Block {
    let tail = matches!(closing, Closing::Tail { .. });
    Block::new(BlockContent {
        chain,
        epoch,
        round: Round(round),
        subround: Subround(u32::from(payload & 1)),
        generator: MinerId(0),
        parent: BlockId([2; 32]),
        parent_notarization: None,
        finality: None,
        beacon: BeaconValue([3; 32]),
        beacon_signature: Signature([0; 48]),
        closing,
        items: if tail { Vec::new() } else { vec![1] },
        payload: if tail { Vec::new() } else { vec![payload] },
        time: Time(0),
    })
}

fn parts(ground: &Ground, stream: &mut Stream<'_>, flaws: &BTreeSet<Flaw>) -> Parts {
    let has = |flaw| flaws.contains(&flaw);
    let before = ground.record(0);
    let mut record = ground.record(1);
    if has(OtherRecordBefore) {
        record.previous = Digest([stream.byte(); 32]);
    }
    if has(RecordOfOtherChain) {
        record.chain = ELSEWHERE;
    }
    if has(RecordOfOtherEpoch) {
        record.epoch.0 += 1 + u64::from(stream.byte());
    }
    if has(NodeTwice) {
        record.miners.extend(record.miners.first().copied());
    }
    let named = if has(OtherRecord) { Digest([7; 32]) } else { record.digest() };
    let chain = if has(HeaderOfOtherChain) { ELSEWHERE } else { CHAIN };
    let epoch = if has(HeaderOfOtherEpoch) { Epoch(before.epoch.0 + 1) } else { before.epoch };
    // The epoch of the judge begins on a block of round 0.
    let round = if has(AtTheBeginning) { 0 } else { 1 + stream.below(9) as u64 };
    let payload = stream.byte();
    let closing = block(chain, epoch, round, Closing::Closes { record: named }, payload);
    let in_tail = has(Order) || stream.byte() & 1 == 1;
    let above = if has(Order) {
        round.saturating_sub(stream.below(2) as u64)
    } else {
        round + 1 + stream.below(3) as u64
    };
    let certified = match (has(NotClosed), in_tail) {
        (true, _) => block(chain, epoch, above, Closing::Open, payload),
        (false, true) => {
            let tail = Closing::Tail { round: closing.round(), block: closing.id(), record: named };
            block(chain, epoch, above, tail, payload)
        }
        (false, false) => closing.clone(),
    };
    let mut statement =
        FinalityVote { round: certified.round(), subround: certified.subround(), block: certified.id() };
    if has(OtherBlock) {
        match stream.below(3) {
            0 => statement.round.0 += 1,
            1 => statement.subround.0 ^= 1,
            _ => statement.block.0[stream.below(32)] ^= 1,
        }
    }
    Parts {
        finality: Arc::new(certificate(ground, stream, flaws, statement)),
        block: certified,
        closing,
        record,
    }
}

/// The votes: of a quorum at least, of which all are genuine, unless a flaw says otherwise.
fn certificate(
    ground: &Ground,
    stream: &mut Stream<'_>,
    flaws: &BTreeSet<Flaw>,
    statement: FinalityVote,
) -> FinalityCertificate {
    let has = |flaw| flaws.contains(&flaw);
    let before = ground.record(0);
    let n = before.miners.len() as u16;
    let needed = quorum(n);
    let count = if has(FewVotes) {
        1 + stream.below(needed - 1)
    } else {
        needed + stream.below(usize::from(n) - needed + 1)
    };
    let first = stream.below(n.into()) as u16;
    let other_chain = Committee::new(ELSEWHERE, before.epoch, n, 0).expect("a committee");
    let other_epoch = Committee::new(CHAIN, Epoch(before.epoch.0 + 1), n, 0).expect("a committee");
    let strangers = MockCommittee::new(n, 77);
    // One wrong vote among genuine ones is enough.
    let wrong = stream.below(count);
    let vote = |number: usize| {
        let member = MinerId((first + number as u16) % n);
        let own = ground.keys.member(&before, member).expect("a member");
        let is_wrong = number == wrong;
        let committee = match () {
            () if is_wrong && has(VotesOfOtherChain) => other_chain,
            () if is_wrong && has(VotesOfOtherEpoch) => other_epoch,
            () => ground.committee(),
        };
        let stranger = (is_wrong && has(VotesOfStrangers)).then(|| strangers.member(member)).flatten();
        let signed = Signed::sign(statement, &committee, &stranger.unwrap_or(own)).expect("a member signs");
        (member, signed.signature)
    };
    let votes: Vec<(MinerId, Signature)> = (0..count).map(vote).collect();
    let observer = ground.keys.observer(&before).expect("keys");
    let mut certificate = Certificate::assemble(&observer, 1, &votes).expect("members, each once");
    if has(SpoiltSum) {
        certificate.aggregate.0[1 + stream.below(7)] ^= 1;
    }
    FinalityCertificate { statement, certificate }
}

/// A value is read back from its bytes, from no part of them, and whatever is read from others has those bytes.
fn is_read_back<T: Encode + Decode + PartialEq + Debug>(value: &T) {
    let bytes = wire::to_bytes(value);
    assert_eq!(wire::from_bytes::<T>(&bytes).as_ref(), Ok(value), "reads back as another");
    let mut random = Random::seeded_by(&bytes);
    for _ in 0..6 {
        let cut = random.below(bytes.len());
        assert!(wire::from_bytes::<T>(&bytes[..cut]).is_err(), "read from {cut} of {} bytes", bytes.len());
        let mut near = bytes.clone();
        near[random.below(bytes.len())] =
            if random.below(2) == 0 { random.below(4) as u8 } else { random.bits() as u8 };
        if let Ok(other) = wire::from_bytes::<T>(&near) {
            assert_eq!(wire::to_bytes(&other), near, "not canonical: {other:?}");
        }
    }
}

/// See the module doc.
///
/// # Panics
/// When something with a flaw is taken, something without is refused, or for a reason that is none of its flaws.
pub fn handoffs(bytes: &[u8]) {
    let mut stream = Stream::new(bytes);
    let ground = &GROUNDS[stream.below(GROUNDS.len())];
    let count = [0, 1, 1, 2][stream.below(4)];
    let flaws: BTreeSet<Flaw> = (0..count).map(|_| FLAWS[stream.below(FLAWS.len())]).collect();
    let Parts { block, closing, finality, record } = parts(ground, &mut stream, &flaws);
    let shape: Vec<Flaw> = flaws.iter().copied().filter(|flaw| flaw.is_of_shape()).collect();
    let handoff = match HandoffCertificate::new(*block.header(), finality) {
        Ok(handoff) => {
            assert!(shape.is_empty(), "{shape:?} is no reason to refuse {handoff:?}");
            handoff
        }
        Err(error) => {
            let explained = shape.iter().any(|flaw| flaw.explains_handoff(&error));
            assert!(explained, "{error}, and it has {flaws:?}");
            return;
        }
    };
    is_read_back(&handoff);
    let found = handoff.closing();
    assert_eq!((found.round, found.id), (closing.round(), closing.id()), "the closing block");
    let (before, committee) = (ground.record(0), ground.committee());
    let observer = ground.keys.observer(&before).expect("keys");
    let needed = quorum(committee.miners());
    let verified = handoff.verify(&committee, needed, &observer);
    let certain = flaws.iter().copied().filter(|flaw| !flaw.is_of_node());
    let of_link: Vec<Flaw> = certain.collect();
    let of_handoff: Vec<Flaw> = of_link.iter().copied().filter(|flaw| !flaw.is_of_record()).collect();
    agree(&verified, &of_handoff, |flaw, error| flaw.explains_handoff(error));
    let link = Link { handoff, record };
    is_read_back(&link);
    let checked = link.check(&before, &committee, needed, &observer);
    agree(&checked, &of_link, |flaw, error| flaw.explains(error));
    if flaws.is_empty() {
        checkpoints(&mut stream, &closing, &link);
    }
    judged_by_replica(ground, &mut stream, &flaws, link);
}

/// A verdict of the production code, and the flaws that there are.
fn agree<E: std::fmt::Display>(verdict: &Result<(), E>, flaws: &[Flaw], explains: impl Fn(Flaw, &E) -> bool) {
    match verdict {
        Ok(()) => assert!(flaws.is_empty(), "it is taken, and it has {flaws:?}"),
        Err(error) => {
            assert!(flaws.iter().any(|flaw| explains(*flaw, error)), "{error}, and it has {flaws:?}");
        }
    }
}

/// Checkpoints: a right one, and what does not belong together.
fn checkpoints(stream: &mut Stream<'_>, closing: &Block, link: &Link<PlannedRecord>) {
    let anchor = Arc::new(closing.clone());
    let handoff = Some(Arc::new(link.handoff.clone()));
    let mut beginning = Beginning { record: link.record.clone(), anchor, handoff };
    is_read_back(&beginning);
    assert_eq!(beginning.check(), Ok(()));
    let epoch = beginning.record.epoch;
    let expected = match stream.below(6) {
        0 => {
            beginning.handoff = None;
            BeginningError::NoHandoff(epoch)
        }
        1 => {
            let mut content = closing.content();
            content.payload.push(0);
            beginning.anchor = Arc::new(Block::new(content));
            BeginningError::OtherBlock(epoch)
        }
        2 => {
            beginning.record.previous = Digest([1; 32]);
            BeginningError::OtherRecord(epoch)
        }
        3 => {
            beginning.record.epoch.0 += 1;
            BeginningError::OtherEpoch(beginning.record.epoch)
        }
        4 => {
            beginning.record.chain = ELSEWHERE;
            BeginningError::OtherEpoch(epoch)
        }
        // A block that anybody makes: it closes the epoch with this record, and the certificate is for another one.
        _ => {
            let mut content = closing.content();
            content.generator = MinerId(1);
            beginning.anchor = Arc::new(Block::new(content));
            BeginningError::OtherBlock(epoch)
        }
    };
    assert_eq!(beginning.check(), Err(expected));
}

/// A replica of the first epoch gets the certificate, then the link: without having asked, and asked for.
fn judged_by_replica(
    ground: &Ground,
    stream: &mut Stream<'_>,
    flaws: &BTreeSet<Flaw>,
    link: Link<PlannedRecord>,
) {
    let one = Committee::new(CHAIN, ground.plan.first, 1, 0).expect("a committee of one");
    let genesis = Block::genesis(CHAIN, ground.plan.first, BeaconValue([1; 32]), Time(0));
    let beginning = Beginning::first(ground.record(0), Arc::new(genesis));
    let start = || {
        let settings = Config::new(one, Rules::HARDENED, BeaconValue([1; 32]), Time(0));
        let (links, secrets) = (Vec::new(), Secrets::none());
        let disk = Restored { beginning: beginning.clone(), links, secrets, recovery: Recovery::default() };
        let replica = Replica::new(node(JUDGE), ground.keys.clone(), settings, disk, []);
        let mut replica = replica.expect("a first epoch");
        replica.step(Time(0), Input::Start, &mut Vec::new());
        replica
    };
    let refusals = |replica: &mut Replica<_>, envelope: &Envelope<PlannedRecord>| {
        is_read_back(envelope);
        let (mut out, bytes) = (Vec::new(), wire::to_bytes(envelope));
        replica.step(Time(1), Input::Bytes { from: node(1), bytes }, &mut out);
        let refused = |output| match output {
            Output::Refused { refusal, .. } => Some(refusal),
            _ => None,
        };
        out.into_iter().filter_map(refused).collect::<Vec<EpochRefusal>>()
    };
    super::count_steps(5);
    // One of a later epoch is a hint, and no certificate.
    if !flaws.contains(&HeaderOfOtherEpoch) {
        let handoff = Envelope::Handoff(Arc::new(link.handoff.clone()));
        let found = refusals(&mut start(), &handoff);
        let seen = |flaw: &Flaw| !flaw.is_of_record() && *flaw != NodeTwice;
        let of_handoff: Vec<Flaw> = flaws.iter().copied().filter(seen).collect();
        match &found[..] {
            [EpochRefusal::NotAbove { .. }] => assert!(flaws.contains(&AtTheBeginning), "{found:?}"),
            [] => assert!(of_handoff.is_empty(), "a replica takes a handoff with {of_handoff:?}"),
            [EpochRefusal::Handoff(error)] => {
                let explained = of_handoff.iter().any(|flaw| flaw.explains_handoff(error));
                assert!(explained, "{error}, and it has {of_handoff:?}");
            }
            _ => panic!("{found:?}, and it has {of_handoff:?}"),
        }
    }
    let mut replica = start();
    let links = Envelope::Links(vec![Arc::new(link)]);
    if stream.byte() & 3 == 0 {
        let found = refusals(&mut replica, &links);
        assert_eq!(found, [EpochRefusal::Unasked], "nobody asked for links");
    }
    let message = Message::ChainRequest(ChainRequest { after: Round(0), tip: None });
    let hint = Envelope::Message { epoch: Epoch(ground.plan.first.0 + 1), message };
    assert_eq!(refusals(&mut replica, &hint), [], "a message of the next epoch waits");
    let found = refusals(&mut replica, &links);
    // A quorum of honest members closes no epoch on its first block, so nobody asks that of a link.
    let flaws: BTreeSet<Flaw> = flaws.iter().copied().filter(|flaw| *flaw != AtTheBeginning).collect();
    match &found[..] {
        [] => assert!(flaws.is_empty(), "a replica takes a link with {flaws:?}"),
        [EpochRefusal::Link(error)] => {
            assert!(flaws.iter().any(|flaw| flaw.explains(error)), "{error}, and it has {flaws:?}");
            assert!(found[0].proves_sender_faulty());
        }
        _ => panic!("{found:?}, and it has {flaws:?}"),
    }
    let Envelope::Links(links) = links else { return };
    let many = Envelope::Links(vec![Arc::clone(&links[0]); MAX_LINKS_AT_ONCE + 1]);
    let read = wire::from_bytes::<Envelope<PlannedRecord>>(&wire::to_bytes(&many));
    assert!(read.is_err(), "{} links at once are read", MAX_LINKS_AT_ONCE + 1);
}

/// A certificate without flaws, of a tail block or of the closing block, and that block.
#[cfg(feature = "cli")]
pub(crate) fn genuine(tail: bool) -> (HandoffCertificate, Block) {
    let ground = &GROUNDS[0];
    let drawn = (0..=u8::MAX).find_map(|seed| {
        let made = parts(ground, &mut Stream::new(&[0, seed]), &BTreeSet::new());
        ((made.block.id() != made.closing.id()) == tail).then_some(made)
    });
    let Parts { block, closing, finality, .. } = drawn.expect("both are drawn");
    (HandoffCertificate::new(*block.header(), finality).expect("there is no flaw"), closing)
}

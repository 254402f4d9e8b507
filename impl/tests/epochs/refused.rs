//! Refusals, each with its reason: handoffs, links, messages and checkpoints that lead nowhere.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::committee::{ChainId, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, CertificateError};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::{BeaconValue, Sign as _, Signature, Verify as _};
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::handoff::{HandoffCertificate, HandoffError};
use zus_bpp::epochs::link::{Beginning, BeginningError, Link, LinkError};
use zus_bpp::epochs::planned::{PlannedKeys, PlannedRecord, Schedule, node};
use zus_bpp::epochs::replica::{
    EpochRefusal, Input, Keys as _, Output, Replica, ReplicaError, Restored, Secrets,
};
use zus_bpp::epochs::roster::{CommitteeRecord as _, Roster};
use zus_bpp::limits::{MAX_LINKS_AT_ONCE, MAX_WAITING_OF_ONE};
use zus_bpp::message::Message;
use zus_bpp::miner::{Recovery, Refusal};
use zus_bpp::statement::{FinalityVote, Signed, Statement, Timeout};
use zus_bpp::wire;
use zus_sim::epochs::Setup;

type Out = Vec<Output<PlannedRecord>>;

struct Stage {
    setup: Setup,
    keys: PlannedKeys<MockScheme>,
    replica: Replica<PlannedKeys<MockScheme>>,
    now: Time,
}

/// Four members, of whom one is exchanged from epoch to epoch. Node 0 is looked at.
fn stage() -> Stage {
    let setup = Setup::new(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4], vec![2, 3, 4, 5]], 1, 3, 1);
    let keys = PlannedKeys::mock(Arc::clone(&setup.plan), 1);
    let first = Beginning::first(setup.plan.record(Epoch(1)).expect("the first"), setup.genesis());
    let replica = replica(&setup, &keys, first).expect("it starts");
    let mut stage = Stage { setup, keys, replica, now: Time(0) };
    let out = stage.step(Input::Start);
    assert!(out.iter().any(|output| matches!(output, Output::SetTimer { .. })));
    stage
}

fn replica(
    setup: &Setup,
    keys: &PlannedKeys<MockScheme>,
    beginning: Beginning<PlannedRecord>,
) -> Result<Replica<PlannedKeys<MockScheme>>, ReplicaError> {
    let disk =
        Restored { beginning, links: Vec::new(), recovery: Recovery::default(), secrets: Secrets::none() };
    Replica::new(node(0), keys.clone(), setup.settings(), disk, [])
}

impl Stage {
    fn step(&mut self, input: Input<PlannedRecord>) -> Out {
        let mut out = Vec::new();
        self.now = self.now.after(1_000);
        self.replica.step(self.now, input, &mut out);
        out
    }

    /// An envelope of node 1 arrives, as bytes.
    fn hears(&mut self, envelope: &Envelope<PlannedRecord>) -> Out {
        self.step(Input::Bytes { from: node(1), bytes: wire::to_bytes(envelope) })
    }

    fn record(&self, epoch: u64) -> PlannedRecord {
        self.setup.plan.record(Epoch(epoch)).expect("a planned epoch")
    }

    fn handoff(&self, block: &Block, signers: &[u16]) -> HandoffCertificate {
        let vote = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
        let epoch = block.header().epoch;
        let record = self.record(epoch.0);
        let committee = Roster::of(&record).expect("a committee").committee();
        let signed = signers.iter().map(|&id| {
            let scheme = self.keys.member(&record, MinerId(id)).expect("a member");
            let signature = scheme.sign(FinalityVote::DOMAIN, &vote.preimage(&committee));
            (MinerId(id), signature.expect("it signs"))
        });
        let signed: Vec<(MinerId, Signature)> = signed.collect();
        let observer = self.keys.observer(&record).expect("keys");
        assert_eq!(observer.committee_size(), 4);
        let certificate = Certificate::assemble(&observer, 1, &signed).expect("distinct members");
        let finality = Arc::new(FinalityCertificate { statement: vote, certificate });
        HandoffCertificate::new(*block.header(), finality).expect("they fit together")
    }

    fn link(&self, epoch: u64, change: impl Fn(&mut PlannedRecord)) -> Arc<Link<PlannedRecord>> {
        let mut record = self.record(epoch);
        change(&mut record);
        let closing = closing_block(epoch - 1, 10 * epoch, record.digest());
        Arc::new(Link { handoff: self.handoff(&closing, &[0, 1, 2]), record })
    }
}

fn content(epoch: u64, round: u64, closing: Closing) -> BlockContent {
    BlockContent {
        chain: zus_sim::epochs::CHAIN,
        epoch: Epoch(epoch),
        round: Round(round),
        subround: Subround(0),
        generator: MinerId(1),
        parent: BlockId([5; 32]),
        parent_notarization: None,
        finality: None,
        beacon: BeaconValue([3; 32]),
        beacon_signature: Signature([0; 48]),
        closing,
        items: b"item".to_vec(),
        payload: Vec::new(),
        time: Time(0),
    }
}

fn closing_block(epoch: u64, round: u64, record: Digest) -> Block {
    Block::new(content(epoch, round, Closing::Closes { record }))
}

fn refusals(out: &Out) -> Vec<EpochRefusal> {
    let refused = |output: &Output<PlannedRecord>| match output {
        Output::Refused { refusal, .. } => Some(refusal.clone()),
        _ => None,
    };
    out.iter().filter_map(refused).collect()
}

fn sent(out: &Out) -> Vec<&Envelope<PlannedRecord>> {
    let mut envelopes = Vec::new();
    for output in out {
        if let Output::Send { envelope, .. } = output {
            envelopes.push(envelope);
        }
    }
    envelopes
}

#[test]
fn handoffs_that_prove_nothing() {
    let mut stage = stage();
    let record = stage.record(2).digest();
    let closing = closing_block(1, 7, record);
    let few = stage.handoff(&closing, &[0, 1]);
    let error = HandoffError::Certificate(CertificateError::SubQuorum { signers: 2, quorum: 3 });
    let refused = refusals(&stage.hears(&Envelope::Handoff(Arc::new(few))));
    assert_eq!(refused, [error.into()]);
    // Of another chain: the certificate is right there.
    let elsewhere =
        Block::new(BlockContent { chain: ChainId([9; 32]), ..content(1, 7, Closing::Closes { record }) });
    let foreign = stage.handoff(&elsewhere, &[0, 1, 2]);
    let refused = refusals(&stage.hears(&Envelope::Handoff(Arc::new(foreign))));
    assert_eq!(refused, [HandoffError::OtherChain.into()]);
    // Its closing block is not above the one that the epoch begins on.
    let low = stage.handoff(&closing_block(1, 0, record), &[0, 1, 2]);
    let refused = refusals(&stage.hears(&Envelope::Handoff(Arc::new(low))));
    assert_eq!(refused, [EpochRefusal::NotAbove { closing: Round(0), anchor: Round(0) }]);
    assert!(refused.iter().all(EpochRefusal::proves_sender_faulty));
    // A right one is taken; the chain up to its block is asked for, and the epoch goes on until that is here.
    let right = stage.handoff(&closing, &[0, 1, 2]);
    assert_eq!(refusals(&stage.hears(&Envelope::Handoff(Arc::new(right)))), []);
    assert_eq!(stage.replica.epoch(), Epoch(1));
}

#[test]
fn a_message_of_an_epoch_that_is_not_known_waits_or_is_refused() {
    let mut stage = stage();
    let timeout = Timeout { round: Round(1), subround: Subround(0) };
    let signed = Signed { statement: timeout, signer: MinerId(1), signature: Signature([1; 48]) };
    let message = |epoch| Envelope::Message { epoch: Epoch(epoch), message: Message::Timeout(signed) };
    let out = stage.hears(&message(9));
    assert_eq!(refusals(&out), [EpochRefusal::UnknownEpoch { found: Epoch(9), present: Epoch(1) }]);
    assert_eq!(sent(&out), [&Envelope::LinksRequest { after: Epoch(1) }], "the links are asked for");
    // Of the next epoch so many of one sender wait.
    let refused: usize = (0..MAX_WAITING_OF_ONE + 3).map(|_| refusals(&stage.hears(&message(2))).len()).sum();
    assert_eq!(refused, 3);
}

#[test]
fn links_that_lead_nowhere() {
    let asks = |stage: &mut Stage| {
        let timeout = Timeout { round: Round(1), subround: Subround(0) };
        let signed = Signed { statement: timeout, signer: MinerId(1), signature: Signature([1; 48]) };
        stage.hears(&Envelope::Message { epoch: Epoch(3), message: Message::Timeout(signed) });
    };
    let mut unasked = stage();
    let links = vec![unasked.link(2, |_| {})];
    assert_eq!(refusals(&unasked.hears(&Envelope::Links(links))), [EpochRefusal::Unasked]);

    type Change = fn(&mut PlannedRecord);
    let changes: [(Change, LinkError); 3] = [
        // VC3: the record before is another one.
        (|record| record.previous = Digest([7; 32]), LinkError::OtherRecordBefore(Epoch(2))),
        (|record| record.chain = ChainId([8; 32]), LinkError::OtherChain),
        (|record| record.epoch = Epoch(4), LinkError::NotNext { expected: Epoch(2), found: Epoch(4) }),
    ];
    for (change, error) in changes {
        let mut stage = stage();
        asks(&mut stage);
        let links = vec![stage.link(2, change)];
        assert_eq!(refusals(&stage.hears(&Envelope::Links(links))), [error.into()]);
    }
    // The certificate is for another record than the one beside it.
    let mut stage = stage();
    asks(&mut stage);
    let other =
        Link { record: stage.record(2), ..Link::clone(&stage.link(2, |record| record.miners = vec![7])) };
    let refused = refusals(&stage.hears(&Envelope::Links(vec![Arc::new(other)])));
    assert_eq!(refused, [LinkError::OtherRecord(Epoch(2)).into()]);
    // A right chain of links is taken, whatever was refused before, and is asked for no further.
    asks(&mut stage);
    let links = vec![stage.link(2, |_| {}), stage.link(3, |_| {})];
    assert!(links.len() <= MAX_LINKS_AT_ONCE);
    assert_eq!(refusals(&stage.hears(&Envelope::Links(links))), []);
}

#[test]
fn vc36_a_timeout_certificate_of_the_epoch_before_is_none_of_this_one() {
    let mut stage = stage();
    let statement = Timeout { round: Round(1), subround: Subround(0) };
    let make = |epoch: u64| {
        let record = stage.record(1);
        let committee = zus_bpp::committee::Committee::new(record.chain, Epoch(epoch), 4, 1).expect("four");
        let signed: Vec<(MinerId, Signature)> = (0..3)
            .map(|id| {
                let scheme = stage.keys.member(&record, MinerId(id)).expect("a member");
                (
                    MinerId(id),
                    scheme.sign(Timeout::DOMAIN, &statement.preimage(&committee)).expect("it signs"),
                )
            })
            .collect();
        let observer = stage.keys.observer(&record).expect("keys");
        let certificate = Certificate::assemble(&observer, 3, &signed).expect("a quorum");
        Message::TimeoutCertificate(Arc::new(zus_bpp::certified::TimeoutCertificate {
            statement,
            certificate,
        }))
    };
    let (of_before, of_this) = (make(0), make(1));
    let out = stage.hears(&Envelope::Message { epoch: Epoch(1), message: of_before });
    let wrong = EpochRefusal::Message(Refusal::Certificate(CertificateError::DoesNotVerify));
    assert_eq!(refusals(&out), [wrong]);
    let out = stage.hears(&Envelope::Message { epoch: Epoch(1), message: of_this });
    assert_eq!(refusals(&out), [], "the same statement of this epoch is taken");
}

#[test]
fn strangers_are_served_the_final_chain_and_nothing_else() {
    let mut stage = stage();
    let request = zus_bpp::message::ChainRequest { after: Round(0), tip: None };
    let envelope = Envelope::Message { epoch: Epoch(1), message: Message::ChainRequest(request) };
    let out = stage.step(Input::Envelope { from: node(77), envelope });
    assert!(matches!(out[..], [Output::Serve { epoch: Epoch(1), after: Round(0), .. }]), "{out:?}");
    let vote = FinalityVote { round: Round(1), subround: Subround(0), block: BlockId([1; 32]) };
    let signed = Signed { statement: vote, signer: MinerId(1), signature: Signature([1; 48]) };
    let envelope = Envelope::Message { epoch: Epoch(1), message: Message::FinalityVote(signed) };
    let out = stage.step(Input::Envelope { from: node(77), envelope });
    assert_eq!(refusals(&out), [EpochRefusal::Stranger(Epoch(1))]);
}

#[test]
fn checkpoints_that_do_not_belong_together() {
    let stage = stage();
    let (record, digest) = (stage.record(2), stage.record(2).digest());
    let anchor = Arc::new(closing_block(1, 7, digest));
    let handoff = Arc::new(stage.handoff(&anchor, &[0, 1, 2]));
    let right = Beginning { record: record.clone(), anchor: Arc::clone(&anchor), handoff: Some(handoff) };
    assert!(replica(&stage.setup, &stage.keys, right.clone()).is_ok());
    let of = |change: &dyn Fn(&mut Beginning<PlannedRecord>)| {
        let mut beginning = right.clone();
        change(&mut beginning);
        replica(&stage.setup, &stage.keys, beginning).map(drop)
    };
    let no_handoff = of(&|beginning| beginning.handoff = None);
    assert_eq!(no_handoff, Err(BeginningError::NoHandoff(Epoch(2)).into()));
    let other_record = of(&|beginning| beginning.record.miners = vec![1, 2, 3, 9]);
    assert_eq!(other_record, Err(BeginningError::OtherRecord(Epoch(2)).into()));
    let other_epoch = of(&|beginning| beginning.record = stage.record(3));
    assert_eq!(other_epoch, Err(BeginningError::OtherEpoch(Epoch(3)).into()));
    let other_block = of(&|beginning| beginning.anchor = Arc::new(closing_block(1, 8, digest)));
    assert_eq!(other_block, Err(BeginningError::OtherBlock(Epoch(2)).into()));
}

/// A node whose history has a hole does not know what the epoch items amount to.
#[test]
fn a_final_block_that_is_missing_is_named() {
    let setup = Setup::new(vec![vec![0], vec![0]], 0, 50, 1);
    let mut world = zus_sim::epochs::World::mock(setup.clone());
    world.run(5_000);
    let blocks: Vec<Arc<Block>> = world.observer.chain().cloned().collect();
    assert!(blocks.len() > 4);
    let keys = PlannedKeys::mock(Arc::clone(&setup.plan), setup.seed);
    let first = Beginning::first(setup.plan.record(Epoch(1)).expect("the first"), setup.genesis());
    let missing =
        blocks.iter().enumerate().filter(|(index, _)| *index != 2).map(|(_, block)| Arc::clone(block));
    let disk = Restored {
        beginning: first,
        links: Vec::new(),
        recovery: Recovery::default(),
        secrets: Secrets::none(),
    };
    let refused = Replica::new(node(0), keys, setup.settings(), disk, missing).map(drop);
    assert_eq!(refused, Err(ReplicaError::Gap { epoch: Epoch(1), round: Round(3) }));
}

#[test]
fn planned_records_are_read_back() {
    let plan = Schedule::clone(&stage().setup.plan);
    for epoch in 1..=3 {
        let record = plan.record(Epoch(epoch)).expect("a record");
        assert_eq!(wire::from_bytes(&wire::to_bytes(&record)), Ok(record));
    }
    assert_eq!(plan.record(Epoch(4)), None);
}

//! `floods`: one member sends messages of rounds and subrounds without end, another one what is wrong or not its own, and asks for
//! more than anybody needs: what is kept, what is looked at and what is answered stays within bounds, and others are heard.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Time};
use zus_bpp::certified::Certified;
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::{Beacon as _, SIGNATURE_BYTES, Signature};
use zus_bpp::limits::{
    ANSWER_ALLOWANCE_BYTES, ANSWER_BYTES_PER_REQUEST_BYTE, ANSWER_BYTES_PER_SECOND, FAULT_WORK,
    MAX_PAYLOAD_BYTES, MAX_ROUND, WORK_LIMIT,
};
use zus_bpp::message::{BeaconShare, ChainRequest, Message};
use zus_bpp::miner::{Input, Output, Refusal};
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput};
use zus_bpp::statement::{BeaconTarget, FinalityVote, Signed, Ticket, Timeout};
use zus_bpp::wire;

use crate::schedule::{Random, ground_of};
use crate::world::{Content, Event, Ground, Setup, Watch, World, bit};

/// Signatures and shares of one member that a miner in its first round keeps at most: of rounds 1 to 5 and subrounds 0 to 4 of
/// each a ticket and a timeout, of each round a vote and a share; and what it has of itself and of its application.
const KEPT: usize = 5 * (5 * 2 + 2) + 16;
/// Requests of one flood.
const REQUESTS: u64 = 60;
/// Messages of one flood.
const MESSAGES: usize = 400;

/// See the module doc.
///
/// # Panics
/// When more is kept, or a stranger is heard.
pub fn floods(bytes: &[u8]) {
    let mut random = Random::seeded_by(bytes);
    let mut setup = Setup::new(4, 0);
    setup.byzantine = vec![3];
    let ground = ground_of(&setup);
    let (committee, key) = (&ground.config.committee, &ground.keys.members[3]);
    let mut world = World::new(Arc::clone(&ground));
    world.start(&mut ());
    let (member, me) = (Peer::Miner(MinerId(3)), bit(Peer::Miner(world.hosts[0].id)));
    let mut shares = BTreeSet::new();
    for _ in 0..MESSAGES {
        let far = |random: &mut Random| match random.below(4) {
            0 => (random.bits() >> random.below(63)).min(MAX_ROUND),
            _ => random.below(48) as u64,
        };
        // Half of them of rounds that are kept, since the subrounds of those have a bound of their own.
        let near = random.below(2) == 0;
        let round = if near { 1 + random.below(5) as u64 } else { far(&mut random) };
        let (round, subround) = (Round(round), Subround(far(&mut random) as u32));
        let block = BlockId([random.bits() as u8; 32]);
        let message = match random.below(4) {
            0 => Signed::sign(Ticket { round, subround, block }, committee, key).map(Message::Ticket),
            1 => Signed::sign(Timeout { round, subround }, committee, key).map(Message::Timeout),
            2 => Signed::sign(FinalityVote { round, subround, block }, committee, key)
                .map(Message::FinalityVote),
            _ => BeaconShare::sign(BeaconTarget::Round(round), committee, key).map(Message::BeaconShare),
        };
        let content = Content::Message(message.expect("a member signs"));
        // Long enough for what the last message may have been charged: the bounds of what is kept are asked about here.
        world.now = world.now.after(1_000);
        // The same from somebody who is not there.
        let stranger =
            if random.below(2) == 0 { Peer::Miner(MinerId(4)) } else { Peer::Sharder(SharderId(1)) };
        let mut refused = Refused(false);
        let before = world.hosts[0].miner.collected();
        // The first share of a later round that is kept: in its own round it is combined at once.
        let first = match &content {
            Content::Message(Message::BeaconShare(share)) if (2..=5).contains(&share.target.round().0) => {
                shares.insert(share.target.round())
            }
            _ => false,
        };
        world.hand_over(stranger, &content, me, None, &mut refused);
        assert!(refused.0 && world.hosts[0].miner.collected() == before, "{stranger} is heard");
        // A member that contradicts itself too often is ignored for a while.
        let heard = world.hosts[0].miner.hears_now(member, world.now);
        world.hand_over(member, &content, me, None, &mut ());
        let kept = world.hosts[0].miner.collected();
        assert!(kept <= KEPT, "{kept} signatures and shares are kept");
        assert!(!first || !heard || kept == before + 1, "a share is not kept");
    }
    useless_bytes(&world);
    wrong_messages(&mut world, &mut random);
    requests(&ground);
}

/// Bytes that begin like an answer that nobody asked for, or like a block of another member, are not decoded, whatever
/// follows: it may be megabytes.
fn useless_bytes(world: &World<MockScheme>) {
    let mut bytes = vec![0xff; 200];
    bytes[..2].copy_from_slice(&[wire::VERSION, 10]);
    let (mut miner, mut out) = (world.hosts[0].miner.clone(), Vec::new());
    miner.step(world.now, Input::Bytes { from: Peer::Miner(MinerId(1)), bytes }, &mut out);
    assert!(out.is_empty(), "an answer that nobody asked for is decoded: {out:?}");
}

/// Another member than the one before sends what is wrong, and what is another's: little of it is looked at while the time stands
/// still, and the others are heard meanwhile.
fn wrong_messages(world: &mut World<MockScheme>, random: &mut Random) {
    let ground = Arc::clone(&world.ground);
    let committee = &ground.config.committee;
    let (member, me) = (Peer::Miner(MinerId(2)), bit(Peer::Miner(world.hosts[0].id)));
    let mut looked_at = 0;
    for number in 0..MESSAGES {
        let round = Round(world.hosts[0].miner.round().0 + random.below(4) as u64);
        let ticket = Ticket { round, subround: Subround(0), block: BlockId([random.bits() as u8; 32]) };
        let anothers = random.below(2) == 0 || number == 0;
        let message = if anothers {
            let signed = Signed::sign(ticket, committee, &ground.keys.members[1]).expect("a member signs");
            Message::Ticket(signed)
        } else {
            let signers = Signers::from_members(4, (0..3).map(MinerId)).expect("three of four");
            let aggregate = Signature([random.bits() as u8; SIGNATURE_BYTES]);
            let certificate = Certificate { signers, aggregate };
            Message::Notarization(Arc::new(Certified { statement: ticket, certificate }))
        };
        let before = world.hosts[0].miner.collected();
        let mut refused = Seen::default();
        world.hand_over(member, &Content::Message(message), me, None, &mut refused);
        assert_eq!(world.hosts[0].miner.collected(), before, "a ticket of another is kept");
        if let Some(refusal) = refused.0 {
            assert_eq!(refusal == Refusal::NotItsSender, anothers, "{refusal}");
            assert!(refusal.proves_sender_faulty(), "{refusal}");
            looked_at += 1;
        }
    }
    let most = WORK_LIMIT / FAULT_WORK + 1;
    assert!(looked_at <= most, "{looked_at} wrong messages of one peer are looked at, not {most}");
    let miner = &world.hosts[0].miner;
    assert!(!miner.hears_now(member, world.now), "{member} is heard after {MESSAGES} wrong messages");
    assert!(miner.hears_now(Peer::Miner(MinerId(1)), world.now), "an honest peer is not heard");
    assert_eq!(
        miner.faults_of(Peer::Miner(MinerId(1))),
        0,
        "a fault is counted against the member that is named"
    );
}

/// One peer asks a sharder for the largest block again and again.
fn requests(ground: &Arc<Ground<MockScheme>>) {
    let (config, genesis) = (Arc::clone(&ground.config), &ground.config.genesis);
    let beacon_signature = Signature([0; SIGNATURE_BYTES]);
    let block = Arc::new(Block::new(BlockContent {
        chain: genesis.header().chain,
        epoch: genesis.header().epoch,
        round: Round(1),
        subround: Subround(0),
        generator: MinerId(0),
        parent: genesis.id(),
        parent_notarization: None,
        finality: None,
        beacon: ground.keys.observer.beacon_value(&beacon_signature),
        beacon_signature,
        closing: Closing::Open,
        items: Vec::new(),
        payload: vec![0; MAX_PAYLOAD_BYTES],
        time: Time(0),
    }));
    let statement = Ticket { round: Round(1), subround: Subround(0), block: block.id() };
    let signed = ground.keys.members.iter().take(3).filter_map(|member| {
        let signed = Signed::sign(statement, &config.committee, member)?;
        Some((signed.signer, signed.signature))
    });
    let signatures: Vec<(MinerId, Signature)> = signed.collect();
    let certificate = Certificate::assemble(&ground.keys.observer, config.quorum(), &signatures)
        .expect("three of four sign it");
    let finals =
        vec![FinalBlock { block, notarization: Some(Arc::new(Certified { statement, certificate })) }];
    let peers = u64::from(config.committee.miners() + config.committee.sharders());
    let interval = config.timing.answer_interval;
    let mut sharder = Sharder::new(config, ground.keys.observer.clone(), SharderId(0), finals)
        .expect("the scheme fits the committee");
    let (mut answers, mut now) = (0, Time(0));
    for _ in 0..REQUESTS {
        now = now + interval;
        let message = Message::ChainRequest(ChainRequest { after: Round(0), tip: None });
        let mut out = Vec::new();
        let input = SharderInput::Message { from: Peer::Miner(MinerId(1)), message };
        sharder.step(now, input, &MemoryHistory::default(), &mut out);
        answers += out.iter().filter(|output| matches!(output, SharderOutput::Send { .. })).count() as u64;
    }
    let share = ANSWER_BYTES_PER_SECOND * now.0 / 1_000 / peers;
    // A request without a tip has 11 bytes.
    let paid = ANSWER_BYTES_PER_REQUEST_BYTE * 11 * REQUESTS;
    let most = ANSWER_ALLOWANCE_BYTES + share + paid + MAX_PAYLOAD_BYTES as u64;
    let sent = answers * MAX_PAYLOAD_BYTES as u64;
    assert!(answers > 0 && sent <= most, "{sent} bytes of answers to one peer, not {most}");
}

/// Why the last message was refused.
#[derive(Default)]
struct Seen(Option<Refusal>);

impl Watch<MockScheme> for Seen {
    fn watch(&mut self, _: &World<MockScheme>, event: &Event) {
        if let Event::Step { outputs, .. } = event {
            self.0 = outputs.iter().find_map(|output| match output {
                Output::Refused { refusal, .. } => Some(*refusal),
                _ => None,
            });
        }
    }
}

/// Whether a stranger was refused.
struct Refused(bool);

impl Watch<MockScheme> for Refused {
    fn watch(&mut self, _: &World<MockScheme>, event: &Event) {
        if let Event::Step { outputs, .. } = event {
            self.0 |= matches!(outputs[..], [Output::Refused { refusal: Refusal::Stranger, .. }]);
        }
    }
}

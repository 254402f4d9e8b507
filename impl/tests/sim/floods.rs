//! One peer sends as much as it likes of what looks valid. Memory stays bounded, and honest peers are served.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Time};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::{BeaconValue, Signature, Verify as _};
use zus_bpp::evidence::Evidence;
use zus_bpp::limits::{
    FAULT_WORK, MAX_EVIDENCE_PER_MINER, MAX_PAYLOAD_BYTES, ROUNDS_AHEAD, SUBROUNDS_AHEAD, SUBROUNDS_BEHIND,
    WORK_LIMIT, WORK_PER_SECOND,
};
use zus_bpp::message::{BeaconShare, ChainRequest, Message, Proposal};
use zus_bpp::miner::{Input, Miner, Output, Recovery};
use zus_bpp::rules::Rules;
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Ticket, Timeout};

use zus_sim::timed::Setup;

/// The peer that floods.
const FLOODER: MinerId = MinerId(3);

struct Victim {
    miner: Miner<MockScheme>,
    flooder: MockScheme,
    config: Arc<zus_bpp::miner::Config>,
    now: Time,
}

fn victim() -> Victim {
    let setup = Setup::new(4, Rules::HARDENED, 1);
    let config = setup.config();
    let keys = MockCommittee::new(4, 1);
    let member = |id| keys.member(MinerId(id)).expect("a member");
    let mut miner = Miner::new(config.clone(), member(0), Recovery::default()).expect("a member's scheme");
    miner.step(Time(0), Input::Start, &mut Vec::new());
    Victim { miner, flooder: member(FLOODER.0), config, now: Time(1) }
}

impl Victim {
    fn hears(&mut self, message: Message) -> Vec<Output> {
        let mut out = Vec::new();
        let from = Peer::Miner(FLOODER);
        self.miner.step(self.now, Input::Message { from, message }, &mut out);
        out
    }

    fn signed<T: zus_bpp::statement::Statement>(&self, statement: T) -> Signed<T> {
        Signed::sign(statement, &self.config.committee, &self.flooder).expect("a member signs")
    }
}

fn block_id(i: u64) -> BlockId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&i.to_be_bytes());
    BlockId(bytes)
}

/// Signatures of one signer that can be held: of rounds near by, in subrounds near by, one of each kind.
fn bound() -> usize {
    let subrounds = (SUBROUNDS_BEHIND + SUBROUNDS_AHEAD + 1) as usize;
    let rounds = ROUNDS_AHEAD as usize + 1;
    rounds * subrounds * 2 + 2 * rounds
}

#[test]
fn genuine_tickets_for_everything() {
    let mut victim = victim();
    for i in 0..20_000 {
        let (round, subround) = (Round(i % 40), Subround((i / 40 % 50) as u32));
        let ticket = victim.signed(Ticket { round, subround, block: block_id(i) });
        victim.hears(Message::Ticket(ticket));
        let vote = victim.signed(FinalityVote { round, subround, block: block_id(i) });
        victim.hears(Message::FinalityVote(vote));
        let timeout = victim.signed(Timeout { round, subround });
        victim.hears(Message::Timeout(timeout));
        let target = BeaconTarget::Round(round);
        let share = BeaconShare::sign(target, &victim.config.committee, &victim.flooder).expect("a share");
        victim.hears(Message::BeaconShare(share));
    }
    assert!(victim.miner.collected() <= bound() + 1, "{} signatures are held", victim.miner.collected());
    assert!(victim.miner.evidence().len() <= MAX_EVIDENCE_PER_MINER);
}

#[test]
fn rounds_that_nobody_reaches() {
    let mut victim = victim();
    for i in 0..1_000 {
        let ticket = Ticket { round: Round(u64::MAX - i), subround: Subround(u32::MAX), block: block_id(i) };
        let ticket = victim.signed(ticket);
        victim.hears(Message::Ticket(ticket));
        let vote = FinalityVote { round: Round(u64::MAX - i), subround: Subround(0), block: block_id(i) };
        let vote = victim.signed(vote);
        victim.hears(Message::FinalityVote(vote));
        let timeout = victim.signed(Timeout { round: Round(1), subround: Subround(u32::MAX - i as u32) });
        victim.hears(Message::Timeout(timeout));
    }
    // The victim's own beacon share.
    assert_eq!(victim.miner.collected(), 1);
}

#[test]
fn blocks_without_a_turn_or_a_parent() {
    let mut victim = victim();
    let genesis = Arc::clone(&victim.config.genesis);
    for i in 0..2_000 {
        let block = Arc::new(Block::new(BlockContent {
            chain: genesis.header().chain,
            epoch: genesis.header().epoch,
            round: Round(1 + i % 3),
            subround: Subround(0),
            generator: FLOODER,
            parent: if i % 2 == 0 { genesis.id() } else { block_id(i) },
            parent_notarization: None,
            finality: None,
            beacon: BeaconValue([i as u8; 32]),
            beacon_signature: Signature([i as u8; 48]),
            closing: Closing::Open,
            items: Vec::new(),
            payload: vec![0; if i % 40 == 0 { MAX_PAYLOAD_BYTES + 1 } else { 100 }],
            time: Time(1),
        }));
        let proposed = Proposed { round: block.round(), subround: block.subround(), block: block.id() };
        let signature = victim.signed(proposed).signature;
        // Now and then, lest it be not heard any more.
        victim.now = victim.now.after(2_000);
        let out = victim.hears(Message::Proposal(Proposal { block, timeout_certificate: None, signature }));
        assert!(out.iter().any(|output| matches!(output, Output::Refused { .. })), "block {i}: {out:?}");
    }
    assert_eq!(victim.miner.collected(), 1);
}

#[test]
fn evidence_against_itself() {
    let mut victim = victim();
    let mut relayed = 0;
    for i in 0..1_000 {
        let place = |block| Proposed { round: Round(1), subround: Subround(0), block };
        let evidence = Evidence::Proposals {
            first: victim.signed(place(block_id(2 * i))),
            second: victim.signed(place(block_id(2 * i + 1))),
        };
        let out = victim.hears(Message::Evidence(Arc::new(evidence)));
        relayed += out.iter().filter(|output| matches!(output, Output::Broadcast { .. })).count();
    }
    assert_eq!(victim.miner.evidence().len(), MAX_EVIDENCE_PER_MINER);
    assert_eq!(relayed, MAX_EVIDENCE_PER_MINER);
}

#[test]
fn requests_without_end() {
    let mut victim = victim();
    let mut answers = 0;
    for _ in 0..1_000 {
        let out = victim.hears(Message::ChainRequest(ChainRequest { after: Round(0), tip: None }));
        answers += out.iter().filter(|output| matches!(output, Output::Send { .. })).count();
    }
    assert!(answers <= 1, "{answers} answers at one moment");
}

#[test]
fn strangers_are_not_heard() {
    let mut victim = victim();
    let ticket = victim.signed(Ticket { round: Round(1), subround: Subround(0), block: block_id(1) });
    for from in [Peer::Miner(MinerId(4)), Peer::Sharder(zus_bpp::committee::SharderId(2))] {
        let mut out = Vec::new();
        victim.miner.step(Time(1), Input::Message { from, message: Message::Ticket(ticket) }, &mut out);
        assert!(matches!(out[..], [Output::Refused { .. }]), "{out:?}");
    }
}

/// While one of four sends wrong messages of every kind, rounds go on as before; everybody finds it out, and nobody else.
#[test]
fn honest_peers_are_served_while_one_sends_what_is_wrong() {
    let mut setup = Setup::new(4, Rules::HARDENED, 3);
    setup.byzantine = vec![(3, zus_sim::Byzantine::Spam)];
    let mut world = zus_sim::timed::World::mock(&setup);
    assert!(world.run_to_height(6, 20_000));
    world.assert_safe();
    assert!(world.now.0 < 6 * 700, "{} ms for 6 rounds", world.now.0);
    let seconds = 1 + world.now.0 / 1_000;
    for i in 0..3 {
        let miner = world.miner(i).expect("it runs");
        let faults = u64::from(miner.faults_of(Peer::Miner(FLOODER)));
        let most = (WORK_LIMIT + seconds * WORK_PER_SECOND) / FAULT_WORK + 1;
        // A step may find out several at once.
        assert!((4..=most + 8).contains(&faults), "miner {i} counts {faults} faults");
    }
}

/// While one of four floods all the others with genuine signatures for everything, rounds go on as before.
#[test]
fn honest_peers_are_served_during_a_flood() {
    let mut setup = Setup::new(4, Rules::HARDENED, 2);
    setup.byzantine = vec![(3, zus_sim::Byzantine::Flood)];
    let mut world = zus_sim::timed::World::mock(&setup);
    assert!(world.run_to_height(6, 20_000));
    world.assert_safe();
    assert!(world.now.0 < 6 * 700, "{} ms for 6 rounds", world.now.0);
    let keys = world.scheme(0).committee_size();
    for i in 0..3 {
        let held = world.miner(i).map_or(0, |miner| miner.collected());
        assert!(held <= keys * bound(), "miner {i} holds {held}");
    }
}

//! A sharder believes certificates and nothing else.

use std::sync::Arc;

use super::*;
use crate::block::{BlockContent, Closing};
use crate::certified::Certified;
use crate::committee::{ChainId, Committee, Epoch, MinerId, Subround};
use crate::crypto::certificate::Certificate;
use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::{ANSWER_ALLOWANCE_BYTES, MAX_PAYLOAD_BYTES};
use crate::miner::{Miner, Recovery};
use crate::rules::{FinalityRule, ParentRule, Rules};
use crate::statement::{Signed, Statement};

struct Stage {
    config: Arc<Config>,
    keys: Arc<MockCommittee>,
    sharder: Sharder<MockScheme>,
    history: MemoryHistory,
    stored: Vec<Round>,
}

fn stage() -> Stage {
    stage_with(Rules::HARDENED)
}

fn stage_with(rules: Rules) -> Stage {
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 2).expect("a committee");
    let config = Arc::new(Config::new(committee, rules, BeaconValue([2; 32]), Time(0)));
    let keys = MockCommittee::new(4, 1);
    let sharder = Sharder::new(config.clone(), keys.observer(), SharderId(0), Vec::new()).expect("starts");
    Stage { config, keys, sharder, history: MemoryHistory::default(), stored: Vec::new() }
}

impl Stage {
    fn hears(&mut self, from: u16, message: Message) -> Vec<SharderOutput> {
        let mut out = Vec::new();
        let input = SharderInput::Message { from: Peer::Miner(MinerId(from)), message };
        self.sharder.step(Time(0), input, &self.history, &mut out);
        for output in &out {
            if let SharderOutput::Finalized(found) = output {
                self.stored.push(found.block.round());
                self.history.store(found.clone());
            }
        }
        out
    }

    fn certified<T: Statement>(&self, statement: T, signers: &[u16]) -> Arc<Certified<T>> {
        let sign = |&signer: &u16| {
            let scheme = self.keys.member(MinerId(signer)).expect("a member");
            let signed = Signed::sign(statement, &self.config.committee, &scheme).expect("signs");
            (signed.signer, signed.signature)
        };
        let signatures: Vec<_> = signers.iter().map(sign).collect();
        let certificate = Certificate::assemble(&self.keys.observer(), 1, &signatures).expect("a sum");
        Arc::new(Certified { statement, certificate })
    }

    fn notarization(&self, block: &Block) -> Arc<Notarization> {
        let ticket = Ticket { round: block.round(), subround: block.subround(), block: block.id() };
        self.certified(ticket, &[0, 1, 2])
    }

    fn finality(&self, block: &Block, signers: &[u16]) -> Arc<FinalityCertificate> {
        let vote = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
        self.certified(vote, signers)
    }

    fn child(&self, parent: &Block, subround: u32) -> Arc<Block> {
        self.child_with(parent, subround, 0)
    }

    fn child_with(&self, parent: &Block, subround: u32, payload: usize) -> Arc<Block> {
        Arc::new(Block::new(BlockContent {
            chain: parent.header().chain,
            epoch: parent.header().epoch,
            round: parent.round().next(),
            subround: Subround(subround),
            generator: MinerId(1),
            parent: parent.id(),
            parent_notarization: (parent.round() > Round(0)).then(|| self.notarization(parent)),
            finality: None,
            beacon: self.keys.observer().beacon_value(&Signature([0; 48])),
            beacon_signature: Signature([0; 48]),
            closing: Closing::Open,
            items: Vec::new(),
            payload: vec![0; payload],
            time: Time(0),
        }))
    }

    /// Three blocks, and what a miner answers that has them.
    fn three(&self) -> (Vec<Arc<Block>>, ChainResponse) {
        let first = self.child(&self.config.genesis, 0);
        let second = self.child(&first, 0);
        let third = self.child(&second, 0);
        let blocks = vec![first, second, third];
        let notarization = self.notarization(&blocks[2]);
        let finality = Some(self.finality(&blocks[2], &[1, 2, 3]));
        (blocks.clone(), ChainResponse { blocks, notarization, finality })
    }
}

fn asked(out: &[SharderOutput]) -> Option<Peer> {
    out.iter().find_map(|output| match output {
        SharderOutput::Send { to, message: Message::ChainRequest(_) } => Some(*to),
        _ => None,
    })
}

fn is_refused(out: &[SharderOutput]) -> bool {
    out.iter().any(|output| matches!(output, SharderOutput::Refused { .. }))
}

#[test]
fn a_final_block_is_fetched_with_its_ancestors_and_stored_in_order() {
    let mut stage = stage();
    let (blocks, response) = stage.three();
    let finality = stage.finality(&blocks[2], &[1, 2, 3]);
    let out = stage.hears(3, Message::FinalityCertificate(finality));
    assert_eq!(asked(&out), Some(Peer::Miner(MinerId(3))), "the peer that showed it has it");
    assert_eq!(stage.stored, []);
    stage.hears(3, Message::ChainResponse(Arc::new(response)));
    assert_eq!(stage.stored, [Round(1), Round(2), Round(3)]);
    assert_eq!(stage.sharder.finalized().id(), blocks[2].id());
}

#[test]
fn a_claim_without_a_certificate_is_not_believed() {
    let mut stage = stage();
    let (blocks, response) = stage.three();
    let thin = stage.finality(&blocks[2], &[1, 2]);
    assert!(is_refused(&stage.hears(3, Message::FinalityCertificate(thin))));
    let mut forged = (*stage.notarization(&blocks[2])).clone();
    forged.certificate.aggregate = Signature([5; 48]);
    assert!(is_refused(&stage.hears(3, Message::Notarization(Arc::new(forged.clone())))));
    assert_eq!(stage.hears(3, Message::ChainResponse(Arc::new(response.clone()))), [], "nobody asked");
    // Asked for, but with one wrong certificate on the way.
    let finality = stage.finality(&blocks[2], &[1, 2, 3]);
    stage.hears(2, Message::FinalityCertificate(finality));
    let wrong = ChainResponse { notarization: Arc::new(forged), ..response };
    assert!(is_refused(&stage.hears(2, Message::ChainResponse(Arc::new(wrong)))));
    assert_eq!(stage.stored, []);
}

#[test]
fn a_gap_is_reported_when_asking_did_not_fill_it() {
    let mut stage = stage();
    let (blocks, _) = stage.three();
    let finality = stage.finality(&blocks[2], &[1, 2, 3]);
    stage.hears(3, Message::FinalityCertificate(finality));
    let mut out = Vec::new();
    stage.sharder.step(Time(500), SharderInput::Timer(SharderTimer::CatchUp), &stage.history, &mut out);
    assert!(out.contains(&SharderOutput::Gap { from: Round(1), to: Round(3) }));
    assert!(asked(&out).is_some_and(|peer| peer != Peer::Miner(MinerId(3))), "somebody else is asked");
    out.clear();
    stage.sharder.step(Time(900), SharderInput::Timer(SharderTimer::CatchUp), &stage.history, &mut out);
    assert!(!out.iter().any(|output| matches!(output, SharderOutput::Gap { .. })), "once");
}

#[test]
fn a_conflicting_certificate_is_reported_and_changes_nothing() {
    let mut stage = stage();
    let (blocks, response) = stage.three();
    let finality = stage.finality(&blocks[2], &[1, 2, 3]);
    stage.hears(3, Message::FinalityCertificate(finality));
    stage.hears(3, Message::ChainResponse(Arc::new(response)));
    let rival = stage.child(&stage.config.genesis.clone(), 1);
    let finality = stage.finality(&rival, &[1, 2, 3]);
    let out = stage.hears(3, Message::FinalityCertificate(finality));
    assert_eq!(out, [SharderOutput::Conflict { round: Round(1), block: rival.id() }]);
    assert_eq!(stage.sharder.finalized().id(), blocks[2].id());
}

#[test]
fn what_is_stored_is_served_from_memory_and_from_storage() {
    let mut stage = stage();
    let (blocks, response) = stage.three();
    let finality = stage.finality(&blocks[2], &[1, 2, 3]);
    stage.hears(3, Message::FinalityCertificate(finality));
    stage.hears(3, Message::ChainResponse(Arc::new(response)));
    // A restarted sharder remembers its last block only; the rest is in the history.
    let last = stage.history.head().cloned().expect("a block");
    stage.sharder =
        Sharder::new(stage.config.clone(), stage.keys.observer(), SharderId(0), vec![last]).expect("starts");
    let out = stage.hears(0, Message::ChainRequest(ChainRequest { after: Round(0), tip: None }));
    let served = out.iter().find_map(|output| match output {
        SharderOutput::Send { message: Message::ChainResponse(response), .. } => Some(response.blocks.len()),
        _ => None,
    });
    assert_eq!(served, Some(3));
}

/// A sharder that is 10,000 rounds behind asks its peers, each of which gives it a share of its bytes: how long that takes in
/// virtual time, with 25 ms between two peers, and whether the last blocks come at all (L5).
///
/// `None` when it has not got there after ten seconds a round.
fn catches_up(rounds: u64, payload: usize) -> Option<u64> {
    let mut stage = stage();
    stage.sharder = Sharder::new(stage.config.clone(), stage.keys.observer(), SharderId(0), Vec::new())
        .expect("it starts with nothing");
    let mut history = MemoryHistory::default();
    let mut parent = stage.config.genesis.clone();
    for _ in 0..rounds {
        let block = stage.child_with(&parent, 0, payload);
        history.store(FinalBlock { block: block.clone(), notarization: Some(stage.notarization(&block)) });
        parent = block;
    }
    let last: Vec<FinalBlock> = history.block(Round(rounds)).into_iter().collect();
    let serves = |id| {
        Sharder::new(stage.config.clone(), stage.keys.observer(), SharderId(id), last.clone())
            .expect("starts")
    };
    // One for each peer that can be asked: four miners, which answer as sharders do, and the other sharder.
    let mut peers: Vec<_> = (0..5).map(|_| serves(1)).collect();
    let me = Peer::Sharder(SharderId(0));
    let finality = stage.finality(&parent, &[0, 1, 2]);
    let from = Peer::Miner(MinerId(0));
    let mut due = std::collections::BTreeMap::new();
    let mut number = 0;
    let mut now = Time(0);
    let mut next = Some(SharderInput::Message { from, message: Message::FinalityCertificate(finality) });
    while stage.sharder.finalized().round() < Round(rounds) {
        let input = match next.take() {
            Some(input) => input,
            None => {
                let ((at, _), input) = due.pop_first().expect("somebody is asked for what is missing");
                if at > Time(10_000 * rounds) {
                    return None;
                }
                now = at;
                input
            }
        };
        let mut out = Vec::new();
        stage.sharder.step(now, input, &stage.history, &mut out);
        for output in out {
            number += 1;
            match output {
                SharderOutput::SetTimer { timer, at } => {
                    due.insert((at, number), SharderInput::Timer(timer));
                }
                SharderOutput::Send { to, message } => {
                    let index = match to {
                        Peer::Miner(miner) => usize::from(miner.0),
                        Peer::Sharder(_) => 4,
                    };
                    let mut answers = Vec::new();
                    let asked = SharderInput::Message { from: me, message };
                    peers[index].step(now.after(25), asked, &history, &mut answers);
                    for answer in answers {
                        if let SharderOutput::Send { message, .. } = answer {
                            let input = SharderInput::Message { from: to, message };
                            due.insert((now.after(50), number), input);
                        }
                    }
                }
                SharderOutput::Finalized(found) => stage.stored.push(found.block.round()),
                SharderOutput::Refused { from, refusal } => panic!("{from} is refused: {refusal}"),
                _ => {}
            }
        }
    }
    assert_eq!(stage.stored.len() as u64, rounds);
    assert!((0..4).all(|id| stage.sharder.faults_of(Peer::Miner(MinerId(id))) == 0));
    Some(now.0)
}

#[test]
fn who_is_10_000_rounds_behind_is_served_within_the_budgets() {
    // 313 answers, one after the other: 31 seconds.
    let took = catches_up(10_000, 100);
    assert!(took.is_some_and(|took| took < 40_000), "{took:?} ms");
}

/// The largest blocks, and more of them than the allowances of all five peers hold: what a second allows is enough to go on.
#[test]
fn who_is_behind_by_more_than_all_allowances_gets_through() {
    let blocks = 48;
    assert!(blocks * (MAX_PAYLOAD_BYTES as u64) > 5 * ANSWER_ALLOWANCE_BYTES);
    let took = catches_up(blocks, MAX_PAYLOAD_BYTES);
    assert!(
        took.is_some_and(|took| took < blocks * 1_000),
        "{took:?} ms; the chain grows by a block a second"
    );
}

/// A message that sharders ignore is not decoded: bytes that only begin like one draw no refusal, and no fault.
#[test]
fn what_is_between_miners_is_not_even_decoded() {
    let stage = stage();
    let block = stage.child_with(&stage.config.genesis.clone(), 0, 1_000);
    let proposal = crate::message::Proposal {
        block: block.clone(),
        timeout_certificate: None,
        signature: crate::crypto::scheme::Signature([0; 48]),
    };
    let answer =
        ChainResponse { notarization: stage.notarization(&block), blocks: vec![block], finality: None };
    let from = Peer::Miner(MinerId(1));
    for message in [Message::Proposal(proposal), Message::ChainResponse(Arc::new(answer))] {
        let mut bytes = wire::encode(&message);
        bytes.push(0);
        let (mut sharder, mut out) = (stage.sharder.clone(), Vec::new());
        sharder.step(Time(1), SharderInput::Bytes { from, bytes }, &stage.history, &mut out);
        assert_eq!((out.len(), sharder.faults_of(from)), (0, 0), "{message:?}");
    }
}

/// Storage is not read further than an answer reaches.
#[test]
fn a_large_block_is_not_read_for_an_answer_that_it_does_not_fit_into() {
    let stage = stage();
    let mut history = MemoryHistory::default();
    let mut parent = stage.config.genesis.clone();
    for _ in 0..20 {
        parent = stage.child_with(&parent, 0, MAX_PAYLOAD_BYTES);
        history.store(FinalBlock { block: parent.clone(), notarization: Some(stage.notarization(&parent)) });
    }
    let last: Vec<FinalBlock> = history.block(Round(20)).into_iter().collect();
    let history = Counting(history, std::cell::Cell::new(0));
    let config = stage.config.clone();
    let mut sharder = Sharder::new(config, stage.keys.observer(), SharderId(0), last).expect("starts");
    let message = Message::ChainRequest(ChainRequest { after: Round(0), tip: None });
    let input = SharderInput::Message { from: Peer::Miner(MinerId(1)), message };
    history.1.set(0);
    sharder.step(Time(1), input, &history, &mut Vec::new());
    let fit = crate::limits::MAX_CHAIN_BYTES / MAX_PAYLOAD_BYTES;
    let read = history.1.get();
    assert!((fit..=fit + 1).contains(&read), "{read} blocks read");
}

/// Storage that counts how often it is read.
struct Counting(MemoryHistory, std::cell::Cell<usize>);

impl History for Counting {
    fn block(&self, round: Round) -> Option<FinalBlock> {
        self.1.set(self.1.get() + 1);
        self.0.block(round)
    }
}

#[test]
fn a_flood_of_requests_reads_the_storage_once_an_answer() {
    let mut stage = stage();
    let mut history = MemoryHistory::default();
    let mut finals = Vec::new();
    let mut parent = stage.config.genesis.clone();
    for _ in 0..crate::limits::KEPT_FINAL_BLOCKS + 10 {
        parent = stage.child(&parent, 0);
        let found = FinalBlock { block: parent.clone(), notarization: Some(stage.notarization(&parent)) };
        history.store(found.clone());
        finals.push(found);
    }
    stage.sharder =
        Sharder::new(stage.config.clone(), stage.keys.observer(), SharderId(0), finals).expect("starts");
    let history = Counting(history, std::cell::Cell::new(0));
    let mut out = Vec::new();
    for _ in 0..100 {
        let message = Message::ChainRequest(ChainRequest { after: Round(1), tip: None });
        let input = SharderInput::Message { from: Peer::Miner(MinerId(1)), message };
        stage.sharder.step(Time(1), input, &history, &mut out);
    }
    let answers = out.iter().filter(|output| matches!(output, SharderOutput::Send { .. })).count();
    assert_eq!(answers, 1);
    let read = history.1.get();
    assert!((1..=crate::limits::MAX_CHAIN_BLOCKS + 1).contains(&read), "{read} blocks read");
}

/// `CommonAncestor` walks from the notarized tips: the lone notarized block of an older round is no tip.
#[test]
fn only_the_highest_notarized_round_is_walked_back_from() {
    let mut stage =
        stage_with(Rules { finality: FinalityRule::CommonAncestor { depth: 0 }, ..Rules::HARDENED });
    let (blocks, response) = stage.three();
    let rival = stage.child(&stage.config.genesis, 1);
    let tip = stage.notarization(&blocks[2]);
    stage.hears(3, Message::Notarization(tip));
    // Asked for the highest block, the peer answers with the other branch.
    let notarization = stage.notarization(&rival);
    let other = ChainResponse { blocks: vec![rival], notarization, finality: None };
    stage.hears(3, Message::ChainResponse(Arc::new(other)));
    assert_eq!(stage.stored, [], "a higher round is notarized");
    stage.sharder.step(Time(0), SharderInput::Timer(SharderTimer::CatchUp), &stage.history, &mut Vec::new());
    for from in [0, 1, 2, 3] {
        stage.hears(from, Message::ChainResponse(Arc::new(response.clone())));
    }
    assert_eq!(stage.stored, [Round(1), Round(2), Round(3)]);
    assert_eq!(stage.sharder.finalized().id(), blocks[2].id());
}

/// The heads of sharders bind no miner, so neither starts under a rule that says so.
#[test]
fn a_parent_on_the_heads_of_sharders_is_refused() {
    let stage = stage();
    let mut config = Config::clone(&stage.config);
    config.rules.parent = ParentRule::OnFinalizedHead;
    let config = Arc::new(config);
    let sharder = Sharder::new(config.clone(), stage.keys.observer(), SharderId(0), Vec::new());
    assert_eq!(sharder.err(), Some(StartError::ParentRule));
    let member = stage.keys.member(MinerId(0)).expect("a member");
    assert_eq!(Miner::new(config, member, Recovery::default()).err(), Some(StartError::ParentRule));
}

//! What a peer, a crash or a host once could do to a miner, each with the step or property that it went against.

use std::sync::Arc;

use super::stage::{Stage, id, is_refused, sent, vote_of};
use crate::block::{Block, BlockId};
use crate::bounds::{MAX_STRIKES, SIGNED_ROUNDS_KEPT};
use crate::certified::Notarization;
use crate::committee::{Peer, Round, Subround};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::Signature;
use crate::message::{BeaconShare, ChainResponse, Message};
use crate::miner::{Input, Miner, Output, Recovery, Stored, Timer};
use crate::rules::Rules;
use crate::statement::{BeaconTarget, Ticket};
use crate::ticket_log::{Kind, Record, Signed};

type Certified = (Arc<Block>, Arc<Notarization>);

/// A notarized chain from round 1.
fn chain(stage: &Stage, length: usize) -> Vec<Certified> {
    let mut chain: Vec<Certified> = Vec::new();
    for _ in 0..length {
        let (parent, certificate) = match chain.last() {
            Some((block, certificate)) => (Arc::clone(block), Some(Arc::clone(certificate))),
            None => (Arc::clone(&stage.config.genesis), None),
        };
        let block = Arc::new(Block::new(stage.content(0, &parent, certificate, 1)));
        let certificate = stage.notarization(&block, &[1, 2, 3]);
        chain.push((block, certificate));
    }
    chain
}

fn answer(chain: &[Certified]) -> ChainResponse {
    let notarization = Arc::clone(&chain.last().expect("some blocks").1);
    let blocks = chain.iter().map(|(block, _)| Arc::clone(block)).collect();
    ChainResponse { blocks, notarization, finality: None }
}

/// The timer for missing blocks expires until a miner is asked; returns which.
fn asks(stage: &mut Stage) -> u16 {
    let asked = (0..4).find_map(|_| {
        let before = stage.out.len();
        stage.input(Input::Timer(Timer::CatchUp));
        stage.out[before..].iter().find_map(|output| match output {
            Output::Send { to: Peer::Miner(to), message: Message::ChainRequest(_) } => Some(to.0),
            _ => None,
        })
    });
    asked.expect("a miner is asked")
}

fn restarted(stage: &Stage, recovery: Recovery) -> (Miner<MockScheme>, Vec<Output>) {
    let scheme = stage.schemes[0].clone();
    let mut miner = Miner::new(stage.config.clone(), scheme, recovery).expect("starts");
    let mut out = Vec::new();
    miner.step(stage.now, Input::Start, &mut out);
    (miner, out)
}

#[test]
fn s1_no_vote_in_a_round_whose_records_are_forgotten() {
    let stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 5);
    let votes_after = |highest: u64| {
        let mut signed = Signed::default();
        signed.insert(Record::finality_vote(Round(5), Subround(0), [0xee; 32]));
        signed.insert(Record::timeout(Round(highest), Subround(0)));
        let known = signed.in_round(Round(5)).next().is_some();
        // Nothing but the log survived: the miner starts at genesis and hears of another block of round 5.
        let (mut miner, mut out) = restarted(&stage, Recovery { signed, ..Recovery::default() });
        let message = Message::Notarization(Arc::clone(&chain[4].1));
        miner.step(stage.now, Input::Message { from: Peer::Miner(id(1)), message }, &mut out);
        assert_eq!(miner.round(), Round(6));
        let vote = |output: &Output| matches!(output, Output::Persist { record, .. } if record.kind == Kind::FinalityVote && record.block != [0xee; 32]);
        (known, out.iter().any(vote))
    };
    assert_eq!(votes_after(5 + SIGNED_ROUNDS_KEPT), (true, false), "the record forbids it");
    assert_eq!(votes_after(6 + SIGNED_ROUNDS_KEPT), (false, false), "the record is gone");
}

#[test]
fn s7_blocks_caught_up_with_are_final_with_the_certificates_that_came_with_them() {
    let mut stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 4);
    let finality = stage.finality(&chain[2].0, &[1, 2, 3]);
    // Round 4's notarization makes the miner jump, so that round 3's is not heard.
    stage.hears(1, Message::Notarization(Arc::clone(&chain[3].1)));
    stage.hears(1, Message::FinalityCertificate(finality));
    let asked = asks(&mut stage);
    let out = stage.hears(asked, Message::ChainResponse(Arc::new(answer(&chain[..3])))).to_vec();
    let certified: Vec<(Round, bool)> = out
        .iter()
        .filter_map(|output| match output {
            Output::Finalized(found) => Some((found.block.round(), found.notarization.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(certified, [(Round(1), true), (Round(2), true), (Round(3), true)]);
}

#[test]
fn s9_a_block_caught_up_with_carries_the_signature_of_its_beacon_value() {
    let mut stage = Stage::new(Rules::HARDENED);
    let mut content = stage.content(0, &stage.config.genesis, None, 1);
    let genuine = Arc::new(Block::new(content.clone()));
    content.beacon_signature = Signature([0x55; 48]);
    let forged = Arc::new(Block::new(content));
    assert_eq!(forged.id(), genuine.id(), "the header has the value only");
    let notarization = stage.notarization(&genuine, &[1, 2, 3]);
    stage.hears(1, Message::Notarization(Arc::clone(&notarization)));
    for (block, refused) in [(forged, true), (genuine, false)] {
        let asked = asks(&mut stage);
        let response = answer(&[(block, Arc::clone(&notarization))]);
        let out = stage.hears(asked, Message::ChainResponse(Arc::new(response))).to_vec();
        assert_eq!(is_refused(&out), refused);
        let kept = stage.miner.block(Round(1), notarization.block);
        assert_eq!(kept.is_some(), !refused);
    }
}

#[test]
fn a_wrong_answer_is_checked_once_a_request() {
    let mut stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 8);
    stage.hears(1, Message::Notarization(Arc::clone(&chain[7].1)));
    let mut finality = (*stage.finality(&chain[7].0, &[1, 2, 3])).clone();
    finality.certificate.aggregate = Signature([9; 48]);
    let response = Arc::new(ChainResponse { finality: Some(Arc::new(finality)), ..answer(&chain) });
    let asked = asks(&mut stage);
    let before = stage.schemes[0].calls().verify_aggregate;
    let refused = (0..100)
        .filter(|_| is_refused(stage.hears(asked, Message::ChainResponse(Arc::clone(&response)))))
        .count();
    let checks = stage.schemes[0].calls().verify_aggregate - before;
    assert_eq!(refused, 1);
    assert!((1..=chain.len() as u64 + 1).contains(&checks), "{checks} certificates checked");
}

#[test]
fn a_signer_of_contradictions_without_end_is_cut_off() {
    let mut stage = Stage::new(Rules::HARDENED);
    let before = stage.schemes[0].calls().verify;
    for tag in 0..100 {
        let ticket = Ticket { round: Round(1), subround: Subround(0), block: BlockId([tag; 32]) };
        let message = Message::Ticket(stage.signed(1, ticket));
        stage.hears(1, message);
    }
    let checks = stage.schemes[0].calls().verify - before;
    assert!(stage.sent().any(|message| matches!(message, Message::Evidence(_))), "it is convicted");
    assert!(checks <= 4 * u64::from(MAX_STRIKES), "{checks} signatures checked");
}

#[test]
fn a_sender_of_wrong_beacon_shares_is_cut_off_and_the_value_is_made_without_it() {
    let mut stage = Stage::new(Rules::HARDENED);
    let before = stage.schemes[0].calls();
    for tag in 0..100 {
        let target = BeaconTarget::Round(Round(1));
        let share = BeaconShare { target, signer: id(1), share: Signature([tag; 48]) };
        stage.hears(1, Message::BeaconShare(share));
    }
    let after = stage.schemes[0].calls();
    let checks = after.verify_beacon_share - before.verify_beacon_share;
    let combinations = after.combine_beacon - before.combine_beacon;
    assert!(checks <= 2 * u64::from(MAX_STRIKES), "{checks} shares checked");
    assert!(combinations <= u64::from(MAX_STRIKES), "{combinations} combinations");
    let (value, share) = (stage.beacon(1).1, stage.share(2, 1));
    let out = stage.hears(2, Message::BeaconShare(share)).to_vec();
    let known = out.iter().any(|output| {
        matches!(output, Output::Milestone(crate::miner::Milestone::Beacon { value: made, .. }) if *made == value)
    });
    assert!(known, "one genuine share more is enough");
}

#[test]
fn step_8_an_adopted_parent_survives_a_restart() {
    let mut stage = Stage::new(Rules::DOCUMENTED);
    let ticket =
        |subround, tag| Ticket { round: Round(1), subround: Subround(subround), block: BlockId([tag; 32]) };
    let low = stage.certified(ticket(0, 1), &[1, 2, 3]);
    let high = stage.certified(ticket(1, 2), &[1, 2, 3]);
    stage.hears(1, Message::Notarization(low));
    stage.hears(1, Message::Notarization(Arc::clone(&high)));
    assert_eq!(stage.miner.entry(), high.block, "adopted");
    let of = |output: &Output| match output {
        Output::Store(stored @ Stored::Notarization(_)) => Some(stored.clone()),
        _ => None,
    };
    let stored = stage.out.iter().filter_map(of).collect();
    let (miner, _) = restarted(&stage, Recovery { stored, ..Recovery::default() });
    assert_eq!(miner.entry(), high.block);
}

/// What the contract of [`Output::Store`] rests upon: a vote is never written ahead of the notarization that it is for. A
/// miner with the vote and without the notarization may sign nothing in that round, and cannot show the others why.
#[test]
fn step_8_the_notarization_is_stored_before_the_vote_for_it_is_written() {
    let mut stage = Stage::new(Rules::HARDENED);
    let (block, notarization) = chain(&stage, 1).remove(0);
    let out = stage.hears(1, Message::Notarization(Arc::clone(&notarization))).to_vec();
    let place = |wanted: &dyn Fn(&Output) -> bool| out.iter().position(wanted);
    let stored = place(&|output| matches!(output, Output::Store(Stored::Notarization(_))));
    let written = place(&|output| matches!(output, Output::Persist { .. }));
    assert!(stored.is_some() && stored < written, "{stored:?} {written:?}");
    let mut signed = Signed::default();
    signed.insert(vote_of(&block).into());
    let shows = |stored: Vec<Stored>| {
        let (miner, out) =
            restarted(&stage, Recovery { signed: signed.clone(), stored, ..Recovery::default() });
        let shown = sent(&out).any(|message| matches!(message, Message::Notarization(_)));
        (miner.round(), shown)
    };
    assert_eq!(shows(vec![Stored::Notarization(notarization)]), (Round(2), true));
    assert_eq!(shows(Vec::new()), (Round(1), false), "what a host that breaks the contract gets");
}

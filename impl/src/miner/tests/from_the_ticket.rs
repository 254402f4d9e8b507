//! Steps 6 to 10: notarize, leave, time out, finalize; offences; one sentence a test.

use std::sync::Arc;

use super::stage::{Stage, id, is_refused, ticket_of, vote_of};
use crate::committee::{Peer, Round};
use crate::evidence::Evidence;
use crate::message::{ChainResponse, Message};
use crate::miner::{Input, Output, Refusal, Timer};
use crate::rules::Rules;
use crate::statement::FinalityVote;

const HARDENED: Rules = Rules::HARDENED;

fn stage() -> Stage {
    Stage::new(HARDENED)
}

#[test]
fn step_6_and_7_a_quorum_of_tickets_makes_a_notarization_that_everybody_hears() {
    let mut stage = stage();
    let block = stage.first_block(0, stage.generator(1, 0));
    let mut heard = Vec::new();
    for signer in [1, 2, 3] {
        let ticket = stage.signed(signer, ticket_of(&block));
        heard = stage.hears(signer, Message::Ticket(ticket)).to_vec();
    }
    assert_eq!(stage.miner.round(), Round(2), "without ever having seen the block");
    let broadcast = heard.iter().find_map(|output| match output {
        Output::Broadcast { to, message: Message::Notarization(certificate) } => Some((*to, certificate)),
        _ => None,
    });
    let (to, certificate) = broadcast.expect("a notarization");
    assert_eq!(to, crate::miner::Audience::Everyone);
    assert_eq!(certificate.statement, ticket_of(&block));
    assert_eq!(certificate.verify(&stage.config.committee, 3, &stage.schemes[0]), Ok(()));
}

#[test]
fn step_8_a_certificate_that_is_not_one_moves_nobody() {
    let mut stage = stage();
    let block = stage.first_block(0, 1);
    let thin = stage.notarization(&block, &[1, 2]);
    let mut relabelled = (*stage.notarization(&block, &[1, 2, 3])).clone();
    relabelled.statement.round = Round(9);
    let mut resigned = (*stage.notarization(&block, &[0, 1, 2])).clone();
    resigned.certificate.signers = stage.notarization(&block, &[1, 2, 3]).certificate.signers.clone();
    for (from, wrong) in [(1, (*thin).clone()), (2, relabelled), (3, resigned)] {
        assert!(is_refused(stage.hears(from, Message::Notarization(Arc::new(wrong)))));
    }
    assert_eq!(stage.miner.round(), Round(1));
}

#[test]
fn step_10_a_final_block_that_is_missing_is_asked_for_and_then_finalized() {
    let mut stage = stage();
    let block = stage.first_block(0, stage.generator(1, 0));
    let finality = stage.finality(&block, &[1, 2, 3]);
    stage.hears(3, Message::FinalityCertificate(finality.clone()));
    assert_eq!(stage.miner.finalized().round(), Round(0));
    assert_eq!(stage.miner.pending_finality().map(|known| known.block), Some(block.id()));
    stage.input(Input::Timer(Timer::CatchUp));
    let asked = stage.out.iter().rev().find_map(|output| match output {
        Output::Send { to, message: Message::ChainRequest(request) } => Some((*to, *request)),
        _ => None,
    });
    assert_eq!(asked.map(|(to, request)| (to, request.tip)), Some((Peer::Miner(id(3)), Some(block.id()))));
    let notarization = stage.notarization(&block, &[1, 2, 3]);
    let response = ChainResponse { blocks: vec![block.clone()], notarization, finality: Some(finality) };
    let uninvited = stage.hears(1, Message::ChainResponse(Arc::new(response.clone()))).to_vec();
    assert_eq!(uninvited, [], "only the one who was asked is heard");
    stage.hears(3, Message::ChainResponse(Arc::new(response)));
    assert_eq!(stage.miner.finalized().id(), block.id());
    assert_eq!(stage.miner.round(), Round(2));
}

#[test]
fn offences_nobody_is_convicted_by_what_an_honest_miner_signs() {
    let mut stage = stage();
    let (a, b) = (stage.first_block(0, 1), stage.first_block(1, 2));
    // Tickets in two subrounds; a vote for a block of a subround where it ticketed nothing else in the round.
    for block in [&a, &b] {
        let ticket = stage.signed(1, ticket_of(block));
        stage.hears(1, Message::Ticket(ticket));
    }
    let vote = stage.signed(2, vote_of(&a));
    stage.hears(2, Message::FinalityVote(vote));
    let ticket = stage.signed(2, ticket_of(&a));
    stage.hears(2, Message::Ticket(ticket));
    assert_eq!(stage.miner.evidence().len(), 0);
    let other_round = FinalityVote { round: Round(2), ..vote_of(&b) };
    let fabricated =
        Evidence::FinalityVotes { first: stage.signed(2, vote_of(&a)), second: stage.signed(2, other_round) };
    assert!(is_refused(stage.hears(1, Message::Evidence(Arc::new(fabricated)))));
}

#[test]
fn bytes_that_are_no_message_are_refused_with_the_reason() {
    let mut stage = stage();
    let from = Peer::Miner(id(1));
    stage.input(Input::Bytes { from, bytes: vec![1, 99] });
    assert!(matches!(stage.out.last(), Some(Output::Refused { refusal: Refusal::Malformed(_), .. })));
}

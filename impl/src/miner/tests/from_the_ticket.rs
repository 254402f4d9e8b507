//! Steps 6 to 10: notarize, leave, time out, finalize; offences; one sentence a test.

use std::sync::Arc;

use super::stage::{Stage, id, is_refused, refusal, sent, ticket_of, vote_of};
use crate::block::{Block, BlockId};
use crate::committee::{Peer, Round, Subround};
use crate::crypto::scheme::Signature;
use crate::evidence::Evidence;
use crate::message::{ChainResponse, Message};
use crate::miner::{Input, Output, Phase, ProposalError, Refusal, Timer};
use crate::rules::Rules;
use crate::statement::{FinalityVote, Ticket, Timeout};

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
fn step_6_a_forged_ticket_among_the_quorum_costs_nothing_but_its_sender_the_blame() {
    let mut stage = stage();
    let block = stage.first_block(0, stage.generator(1, 0));
    let mut forged = stage.signed(3, ticket_of(&block));
    forged.signature = Signature([9; 48]);
    stage.hears(3, Message::Ticket(forged));
    for signer in [1, 2] {
        let ticket = stage.signed(signer, ticket_of(&block));
        stage.hears(signer, Message::Ticket(ticket));
    }
    assert_eq!(stage.miner.round(), Round(1));
    assert!(stage.out.contains(&Output::Blamed(id(3))));
    let genuine = stage.signed(3, ticket_of(&block));
    stage.hears(3, Message::Ticket(genuine));
    assert_eq!(stage.miner.round(), Round(2));
}

#[test]
fn step_7_a_received_notarization_is_relayed_once() {
    let mut stage = stage();
    let block = stage.first_block(0, stage.generator(1, 0));
    let notarization = stage.notarization(&block, &[1, 2, 3]);
    let mut relayed = 0;
    for from in [1, 2, 3, 1] {
        let out = stage.hears(from, Message::Notarization(notarization.clone()));
        relayed += sent(out).filter(|message| matches!(message, Message::Notarization(_))).count();
    }
    assert_eq!(relayed, 1);
}

#[test]
fn step_8_the_vote_is_cast_when_nothing_else_was_ticketed() {
    // Nothing ticketed, the same block ticketed, another block ticketed.
    let vote_after = |ticketed: Option<bool>| {
        let mut stage = stage();
        let block = stage.first_block(0, stage.generator(1, 0));
        let other = stage.first_block(1, stage.generator(1, 1));
        if ticketed.is_some() {
            stage.proposes(&block);
            stage.window_closes();
        }
        let notarized = if ticketed == Some(false) { other } else { block };
        let notarization = stage.notarization(&notarized, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization));
        (stage.votes_sent(), vote_of(&notarized), stage.miner.round())
    };
    let (votes, expected, _) = vote_after(None);
    assert_eq!(votes, [expected]);
    let (votes, expected, _) = vote_after(Some(true));
    assert_eq!(votes, [expected]);
    let (votes, _, round) = vote_after(Some(false));
    assert_eq!(votes, [], "another block was ticketed in another subround");
    assert_eq!(round, Round(2), "the round is left all the same");
}

#[test]
fn step_8_a_ticket_that_waits_for_the_disk_bars_the_vote_and_does_not_leave_afterwards() {
    let mut stage = stage();
    stage.writes_at_once = false;
    let block = stage.first_block(0, stage.generator(1, 0));
    stage.proposes(&block);
    stage.window_closes();
    let other = stage.first_block(1, stage.generator(1, 1));
    let notarization = stage.notarization(&other, &[1, 2, 3]);
    stage.hears(1, Message::Notarization(notarization));
    stage.confirm_records();
    assert_eq!(stage.tickets_sent(), [], "the round was left");
    assert_eq!(stage.votes_sent(), []);
}

#[test]
fn step_8_after_leaving_nothing_of_the_round_is_signed() {
    let mut stage = stage();
    let before = stage.miner.clone();
    stage.enter_round_two();
    assert!(before != stage.miner && stage.miner == stage.miner.clone(), "another state");
    let (tickets, timeouts) = (stage.tickets_sent(), stage.timeouts_sent());
    let late = stage.first_block(0, stage.generator(1, 0));
    stage.proposes(&late);
    stage.input(Input::Timer(Timer::Window { round: Round(1), subround: Subround(0) }));
    stage.input(Input::Timer(Timer::Wait { round: Round(1), subround: Subround(0) }));
    for signer in [1, 2, 3] {
        let timeout = Timeout { round: Round(1), subround: Subround(0) };
        let timeout = stage.signed(signer, timeout);
        stage.hears(signer, Message::Timeout(timeout));
    }
    assert_eq!((stage.tickets_sent(), stage.timeouts_sent()), (tickets, timeouts));
    assert_eq!((stage.miner.round(), stage.miner.subround()), (Round(2), Subround(0)));
    assert!(stage.miner.is_closed(Round(1)) && !stage.miner.is_closed(Round(2)));
}

#[test]
fn step_8_a_notarization_of_a_later_round_is_a_jump() {
    let mut stage = stage();
    let first = stage.first_block(0, 1);
    let certificate = stage.notarization(&first, &[1, 2, 3]);
    let second = Arc::new(Block::new(stage.content(0, &first, Some(certificate), 1)));
    let third = Block::new(stage.content(0, &second, None, 1));
    let notarization = stage.notarization(&third, &[1, 2, 3]);
    stage.hears(2, Message::Notarization(notarization));
    assert_eq!(stage.miner.round(), Round(4));
    assert_eq!(stage.miner.entry(), third.id());
    assert_eq!(stage.votes_sent(), [vote_of(&third)], "nothing was ticketed there");
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
fn step_9_the_wait_ends_with_a_timeout_vote_and_no_ticket_follows() {
    let mut stage = stage();
    stage.window_closes();
    stage.wait_is_over();
    assert_eq!(stage.timeouts_sent(), [Timeout { round: Round(1), subround: Subround(0) }]);
    let block = stage.first_block(0, stage.generator(1, 0));
    stage.proposes(&block);
    assert_eq!(stage.tickets_sent(), []);
    assert_eq!(stage.miner.phase(), Phase::TimedOut);
}

#[test]
fn step_9_one_timeout_vote_makes_nobody_join_and_two_of_four_do() {
    let mut stage = stage();
    let timeout = Timeout { round: Round(1), subround: Subround(0) };
    let votes: Vec<_> = [3, 2, 1].iter().map(|&signer| stage.signed(signer, timeout)).collect();
    stage.hears(3, Message::Timeout(votes[0]));
    assert_eq!(stage.timeouts_sent(), []);
    stage.hears(2, Message::Timeout(votes[1]));
    assert_eq!(stage.timeouts_sent(), [timeout], "joined");
    // With its own that is three of four: a certificate.
    assert_eq!(stage.miner.subround(), Subround(1));
    assert!(stage.sent().any(|message| matches!(message, Message::TimeoutCertificate(_))));
    stage.hears(1, Message::Timeout(votes[2]));
    assert_eq!(stage.timeouts_sent(), [timeout], "once");
}

#[test]
fn step_9_a_timeout_certificate_takes_a_miner_along_and_is_relayed() {
    let mut stage = stage();
    let certificate = stage.timeouts(1, 3, &[1, 2, 3]);
    let out = stage.hears(1, Message::TimeoutCertificate(certificate)).to_vec();
    assert_eq!(stage.miner.subround(), Subround(4));
    assert!(sent(&out).any(|message| matches!(message, Message::TimeoutCertificate(_))));
    let stale = stage.timeouts(1, 2, &[1, 2, 3]);
    assert_eq!(stage.hears(1, Message::TimeoutCertificate(stale)), []);
    let thin = stage.timeouts(1, 5, &[1, 2]);
    assert!(is_refused(stage.hears(1, Message::TimeoutCertificate(thin))));
    assert_eq!(stage.miner.subround(), Subround(4));
}

#[test]
fn step_9_a_proposal_of_a_later_subround_brings_its_certificate() {
    let mut stage = stage();
    let generator = stage.generator(1, 1);
    let block = stage.first_block(1, generator);
    let without = stage.proposal(&block, None);
    assert_eq!(
        refusal(stage.hears(generator, without)),
        Some(Refusal::Proposal(ProposalError::NoTimeoutCertificate))
    );
    stage.debts_are_paid();
    let of_another = stage.timeouts(1, 1, &[1, 2, 3]);
    let wrong = stage.proposal(&block, Some(of_another));
    assert!(is_refused(stage.hears(generator, wrong)));
    stage.debts_are_paid();
    let certificate = stage.timeouts(1, 0, &[1, 2, 3]);
    let right = stage.proposal(&block, Some(certificate));
    assert!(!is_refused(stage.hears(generator, right)));
    assert_eq!(stage.miner.subround(), Subround(1));
    stage.window_closes();
    assert_eq!(stage.tickets_sent(), [ticket_of(&block)]);
}

#[test]
fn step_9_tickets_of_an_earlier_subround_still_notarize() {
    let mut stage = stage();
    let block = stage.first_block(0, stage.generator(1, 0));
    let certificate = stage.timeouts(1, 0, &[1, 2, 3]);
    stage.hears(1, Message::TimeoutCertificate(certificate));
    for signer in [1, 2, 3] {
        let ticket = stage.signed(signer, ticket_of(&block));
        stage.hears(signer, Message::Ticket(ticket));
    }
    assert_eq!(stage.miner.round(), Round(2));
    assert_eq!(stage.miner.entry(), block.id());
}

#[test]
fn step_10_a_quorum_of_votes_finalizes_the_block_and_its_ancestors() {
    let mut stage = stage();
    let first = stage.enter_round_two();
    let certificate = stage.notarization(&first, &[1, 2, 3]);
    let generator = stage.generator(2, 0);
    let second = Arc::new(Block::new(stage.content(0, &first, Some(certificate), generator)));
    stage.proposes(&second);
    let notarization = stage.notarization(&second, &[1, 2, 3]);
    stage.hears(1, Message::Notarization(notarization));
    for signer in [1, 2] {
        let vote = stage.signed(signer, vote_of(&second));
        stage.hears(signer, Message::FinalityVote(vote));
    }
    let finalized = stage.out.iter().filter_map(|output| match output {
        Output::Finalized(found) => Some(found.block.id()),
        _ => None,
    });
    // With its own vote that is a quorum.
    assert_eq!(finalized.collect::<Vec<_>>(), [first.id(), second.id()]);
    assert_eq!(stage.miner.finalized().id(), second.id());
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
fn step_10_a_conflicting_finality_certificate_moves_nothing_and_convicts_its_signers() {
    // More than f Byzantine miners: 1, 2 and 3 sign two final blocks of one round.
    let mut stage = stage();
    let first = stage.enter_round_two();
    let finality = stage.finality(&first, &[1, 2, 3]);
    stage.hears(1, Message::FinalityCertificate(finality));
    assert_eq!(stage.miner.finalized().id(), first.id());
    let rival = stage.first_block(1, stage.generator(1, 1));
    let conflicting = stage.finality(&rival, &[1, 2, 3]);
    stage.hears(1, Message::FinalityCertificate(conflicting));
    assert_eq!(stage.miner.finalized().id(), first.id(), "S7");
    assert!(stage.out.contains(&Output::Conflict { round: Round(1), block: rival.id() }));
    let convicted = stage.miner.evidence().iter().flat_map(|evidence| evidence.convicts());
    assert!(convicted.into_iter().any(|miner| miner == id(2)), "S10");
}

#[test]
fn offences_two_tickets_two_votes_and_a_ticket_against_a_vote_are_proved() {
    let mut stage = stage();
    let (a, b) = (stage.first_block(0, 1), stage.first_block(0, 2));
    let kinds = |stage: &Stage| {
        let kind = |evidence: &Arc<Evidence>| match **evidence {
            Evidence::Tickets { .. } => "tickets",
            Evidence::FinalityVotes { .. } => "votes",
            Evidence::TicketAgainstVote { .. } => "ticket against vote",
            _ => "other",
        };
        stage.miner.evidence().iter().map(kind).collect::<Vec<_>>()
    };
    for block in [&a, &b] {
        let ticket = stage.signed(1, ticket_of(block));
        stage.hears(1, Message::Ticket(ticket));
    }
    assert_eq!(kinds(&stage), ["tickets"]);
    for block in [&a, &b] {
        let vote = stage.signed(2, vote_of(block));
        stage.hears(2, Message::FinalityVote(vote));
    }
    assert_eq!(kinds(&stage), ["tickets", "votes"]);
    let ticket = stage.signed(3, ticket_of(&a));
    stage.hears(3, Message::Ticket(ticket));
    let vote = stage.signed(3, vote_of(&b));
    stage.hears(3, Message::FinalityVote(vote));
    assert_eq!(kinds(&stage), ["tickets", "votes", "ticket against vote"]);
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

#[test]
fn step_6_tickets_that_came_before_the_round_are_counted_when_it_is_entered() {
    let mut stage = Stage::new(Rules::HARDENED);
    let early = Ticket { round: Round(2), subround: Subround(0), block: BlockId([9; 32]) };
    for signer in 1..=3 {
        let ticket = stage.signed(signer, early);
        stage.hears(signer, Message::Ticket(ticket));
    }
    assert_eq!(stage.miner.round(), Round(1));
    let block = stage.first_block(0, stage.generator(1, 0));
    stage.proposes(&block);
    let notarization = stage.notarization(&block, &[1, 2, 3]);
    stage.hears(1, Message::Notarization(notarization));
    let is_early = |message: &Message| matches!(message, Message::Notarization(it) if it.statement == early);
    assert!(stage.sent().any(is_early));
}

//! Steps 1 to 5: enter, propose, collect, select, ticket; one sentence a test.

use std::sync::Arc;

use super::stage::{Stage, id, is_refused, refusal, sent, ticket_of};
use crate::block::{Block, BlockContent, Time};
use crate::committee::{Round, Subround};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::MAX_PAYLOAD_BYTES;
use crate::message::{BeaconShare, Message};
use crate::miner::{Input, Output, ProposalError, Refusal};
use crate::rules::{Rules, TicketRule};
use crate::ticket_log::Kind;

const HARDENED: Rules = Rules::HARDENED;

fn stage() -> Stage {
    Stage::new(HARDENED)
}

#[test]
fn step_1_a_share_is_heard_from_its_signer() {
    let mut stage = stage();
    let wrong = BeaconShare { share: Signature([7; 48]), ..stage.share(1, 1) };
    let (right, third) = (stage.share(1, 1), stage.share(3, 1));
    for share in [wrong, right] {
        assert!(is_refused(stage.hears(2, Message::BeaconShare(share))));
    }
    stage.hears(3, Message::BeaconShare(third));
    assert!(stage.miner.beacon().is_none(), "two shares of three: a relayed share does not count");
    stage.hears(1, Message::BeaconShare(right));
    assert!(stage.miner.beacon().is_some());
}

#[test]
fn step_2_a_generator_proposes_once_on_its_entry_block_with_its_certificate() {
    let mut stage = stage();
    // Rounds until it is the miner's turn.
    let mut parent = stage.config.genesis.clone();
    let mut certificate = None;
    for round in 1..20 {
        if stage.order(round, 0)[..2].contains(&0) {
            for signer in [1, 2] {
                let share = stage.share(signer, round);
                stage.hears(signer, Message::BeaconShare(share));
            }
            break;
        }
        let generator = stage.generator(round, 0);
        let block = Arc::new(Block::new(stage.content(0, &parent, certificate, generator)));
        stage.proposes(&block);
        let notarization = stage.notarization(&block, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization.clone()));
        (parent, certificate) = (block, Some(notarization));
    }
    let proposals = stage.proposals_sent();
    let [block] = &proposals[..] else { panic!("{} proposals", proposals.len()) };
    assert_eq!(block.header().parent, parent.id());
    assert_eq!(block.parent_notarization(), certificate.as_ref());
    let (round, subround) = (block.round(), block.subround());
    let (items, record) = (Vec::new(), None);
    stage.input(Input::Payload { round, subround, payload: vec![1], items, record });
    assert_eq!(stage.proposals_sent().len(), 1, "a second payload changes nothing");
    assert!(stage.records().iter().any(|record| record.kind == Kind::Proposal));
}

#[test]
fn step_4_the_best_rank_is_selected_whatever_came_first() {
    // Two generators other than the miner, in both orders of arrival.
    for reversed in [false, true] {
        let mut stage = Stage::new(Rules { ..HARDENED });
        let generators: Vec<u16> =
            stage.order(1, 0).into_iter().take(2).filter(|&member| member != 0).collect();
        let mut blocks: Vec<_> = generators.iter().map(|&member| stage.first_block(0, member)).collect();
        let own = stage.order(1, 0)[0] == 0;
        let best = blocks[0].clone();
        if reversed {
            blocks.reverse();
        }
        for block in &blocks {
            stage.proposes(block);
        }
        stage.window_closes();
        if !own {
            assert_eq!(stage.tickets_sent(), [ticket_of(&best)]);
        }
    }
}

#[test]
fn step_4_every_reason_to_refuse_a_proposal() {
    type Change = fn(&Stage, &mut BlockContent);
    let cases: [(Change, ProposalError); 7] = [
        (|_, content| content.chain.0[0] ^= 1, ProposalError::Foreign),
        (|_, content| content.epoch.0 += 1, ProposalError::Foreign),
        (|_, content| content.round = Round(0), ProposalError::Impossible),
        (|_, content| content.parent.0[0] ^= 1, ProposalError::ParentNotNotarized),
        (|_, content| content.beacon = BeaconValue([9; 32]), ProposalError::WrongBeacon),
        (|_, content| content.beacon_signature.0[0] ^= 1, ProposalError::WrongBeacon),
        (|_, content| content.time = Time(1_000_000), ProposalError::Early),
    ];
    for (change, expected) in cases {
        let mut stage = stage();
        let generator = stage.generator(1, 0);
        let mut content = stage.content(0, &stage.config.genesis, None, generator);
        change(&stage, &mut content);
        let block = Arc::new(Block::new(content));
        assert_eq!(refusal(stage.proposes(&block)), Some(Refusal::Proposal(expected)));
    }
}

#[test]
fn step_4_what_is_just_within_a_bound_is_taken_and_one_more_is_refused() {
    let proposed = |payload: usize, beyond: u64| {
        let mut stage = stage();
        let generator = stage.generator(1, 0);
        let mut content = stage.content(0, &stage.config.genesis, None, generator);
        content.payload = vec![0; payload];
        content.time = (stage.now + stage.config.timing.clock_drift).after(beyond);
        refusal(stage.proposes(&Arc::new(Block::new(content))))
    };
    assert_eq!(proposed(MAX_PAYLOAD_BYTES, 0), None);
    let large = ProposalError::PayloadTooLarge(MAX_PAYLOAD_BYTES + 1);
    assert_eq!(proposed(MAX_PAYLOAD_BYTES + 1, 0), Some(Refusal::Proposal(large)));
    assert_eq!(proposed(0, 1), Some(Refusal::Proposal(ProposalError::Early)));
}

#[test]
fn step_4_only_eligible_generators_are_heard() {
    let mut stage = stage();
    let order = stage.order(1, 0);
    for (rank, &member) in order.iter().enumerate().filter(|(_, member)| **member != 0) {
        let block = stage.first_block(0, member);
        let refused = is_refused(stage.proposes(&block));
        assert_eq!(refused, rank >= 2, "rank {rank} of two generators");
    }
}

#[test]
fn step_4_a_parent_of_any_subround_of_the_round_before_will_do_and_no_other_parent() {
    let mut stage = stage();
    let first = stage.enter_round_two();
    let generator = stage.generator(2, 0);
    // Another notarized block of round 1, that this miner has never seen.
    let rival = stage.first_block(1, stage.generator(1, 1));
    // A certificate of too few, of another block, of another round, none at all.
    let too_few = stage.notarization(&first, &[1, 2]);
    let other = stage.notarization(&rival, &[1, 2, 3]);
    for certificate in [Some(too_few), Some(other), None] {
        let block = Arc::new(Block::new(stage.content(0, &first, certificate, generator)));
        assert!(is_refused(stage.proposes(&block)));
        stage.debts_are_paid();
    }
    let grandchild = {
        let child = Arc::new(Block::new(stage.content(0, &first, None, generator)));
        let certificate = stage.notarization(&first, &[1, 2, 3]);
        let mut content = stage.content(0, &child, Some(certificate), stage.generator(3, 0));
        content.parent = first.id();
        Arc::new(Block::new(content))
    };
    assert_eq!(
        refusal(stage.proposes(&grandchild)),
        Some(Refusal::Proposal(ProposalError::ParentNotNotarized)),
        "a parent two rounds below"
    );
    stage.debts_are_paid();
    let certificate = stage.notarization(&rival, &[1, 2, 3]);
    let content = stage.content(0, &rival, Some(certificate), generator);
    assert!(!is_refused(stage.proposes(&Arc::new(Block::new(content)))));
}

#[test]
fn step_4_an_equivocating_generator_is_proved_and_only_its_first_block_stays() {
    let mut stage = stage();
    let generator = stage.generator(1, 0);
    let first = stage.first_block(0, generator);
    let content =
        BlockContent { payload: vec![1], ..stage.content(0, &stage.config.genesis.clone(), None, generator) };
    let twin = Arc::new(Block::new(content));
    stage.proposes(&first);
    let out = stage.proposes(&twin).to_vec();
    assert!(out.iter().any(|output| matches!(output, Output::Evidence(_))));
    assert!(sent(&out).any(|message| matches!(message, Message::Evidence(_))), "it is relayed");
    let third = Arc::new(Block::new(BlockContent {
        payload: vec![2],
        ..stage.content(0, &stage.config.genesis.clone(), None, generator)
    }));
    assert_eq!(stage.proposes(&third), [], "no further block becomes a candidate");
    let candidates: Vec<_> = stage.miner.candidates(Round(1), Subround(0)).map(|(block, _)| block).collect();
    assert!(candidates.contains(&first.id()) && !candidates.contains(&twin.id()));
    assert_eq!(stage.miner.equivocators(Round(1), Subround(0)), [id(generator)]);
    let [evidence] = stage.miner.evidence() else { panic!("one proof") };
    assert_eq!(evidence.convicts(), [id(generator)]);
}

#[test]
fn step_5_a_late_proposal_is_ticketed_if_nothing_was_and_nothing_is_ticketed_twice() {
    let mut stage = stage();
    stage.window_closes();
    assert_eq!(stage.tickets_sent(), []);
    let generators: Vec<u16> = stage.order(1, 0).into_iter().take(2).filter(|&g| g != 0).collect();
    let blocks: Vec<_> = generators.iter().map(|&member| stage.first_block(0, member)).collect();
    // The worse rank first.
    for block in blocks.iter().rev() {
        stage.proposes(block);
    }
    assert_eq!(stage.tickets_sent().len(), 1);
    assert_eq!(stage.tickets_sent()[0], ticket_of(blocks.last().expect("a generator")));
}

#[test]
fn step_5_a_better_rank_is_ticketed_too_where_the_rule_says_so() {
    let better = Rules { ticket: TicketRule::BetterRank, ..HARDENED };
    let mut stage = Stage::new(better);
    stage.window_closes();
    let generators: Vec<u16> = stage.order(1, 0).into_iter().take(2).collect();
    if generators.contains(&0) {
        return;
    }
    let blocks: Vec<_> = generators.iter().map(|&member| stage.first_block(0, member)).collect();
    for block in blocks.iter().rev() {
        stage.proposes(block);
    }
    assert_eq!(stage.tickets_sent(), [ticket_of(&blocks[1]), ticket_of(&blocks[0])]);
}

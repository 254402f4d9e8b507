//! One offence is kept, relayed and reported once, and evidence that is not wanted costs no signature check (S10).

use std::sync::Arc;

use super::stage::{Stage, id, is_refused, sent, ticket_of, vote_of};
use crate::block::Block;
use crate::committee::{Round, Subround};
use crate::evidence::Evidence;
use crate::limits::MAX_EVIDENCE_PER_MINER;
use crate::message::Message;
use crate::miner::Output;
use crate::rules::{Rules, TicketRule};
use crate::statement::{Proposed, Ticket};
use crate::wire::{self, WireError};

/// Each kind whose halves are alike, in both orders.
fn in_two_orders(stage: &Stage) -> [[Evidence; 2]; 5] {
    let (a, b) = (stage.first_block(0, 1), stage.first_block(0, 2));
    let proposed = |block: &crate::block::Block| Proposed {
        round: block.round(),
        subround: block.subround(),
        block: block.id(),
    };
    let proposals = [&a, &b].map(|block| stage.signed(1, proposed(block)));
    let tickets = [&a, &b].map(|block| stage.signed(2, ticket_of(block)));
    let votes = [&a, &b].map(|block| stage.signed(3, vote_of(block)));
    let notarizations = [&a, &b].map(|block| stage.notarization(block, &[1, 2, 3]));
    let finalities = [&a, &b].map(|block| stage.finality(block, &[1, 2, 3]));
    let both = [(0, 1), (1, 0)];
    [
        both.map(|(i, j)| Evidence::Proposals { first: proposals[i], second: proposals[j] }),
        both.map(|(i, j)| Evidence::Tickets { first: tickets[i], second: tickets[j] }),
        both.map(|(i, j)| Evidence::FinalityVotes { first: votes[i], second: votes[j] }),
        both.map(|(i, j)| Evidence::Notarizations {
            first: notarizations[i].clone(),
            second: notarizations[j].clone(),
        }),
        both.map(|(i, j)| Evidence::FinalityCertificates {
            first: finalities[i].clone(),
            second: finalities[j].clone(),
        }),
    ]
}

/// How many pieces a miner keeps, relays and reports that is told an offence in both orders by two others.
fn told(orders: usize) -> (usize, usize, usize) {
    let mut stage = Stage::new(Rules::HARDENED);
    let evidence = in_two_orders(&stage)[orders].clone();
    let (mut relayed, mut reported) = (0, 0);
    for piece in evidence {
        for from in [2, 3] {
            let out = stage.hears(from, Message::Evidence(Arc::new(piece.clone())));
            relayed += sent(out).filter(|message| matches!(message, Message::Evidence(_))).count();
            reported += out.iter().filter(|output| matches!(output, Output::Evidence(_))).count();
        }
    }
    (stage.miner.evidence().len(), relayed, reported)
}

#[test]
fn one_offence_in_two_orders_is_kept_relayed_and_reported_once() {
    for kind in 0..5 {
        assert_eq!(told(kind), (1, 1, 1), "kind {kind}");
    }
}

#[test]
fn one_offence_has_one_encoding_and_the_other_order_is_not_read() {
    let stage = Stage::new(Rules::HARDENED);
    for orders in in_two_orders(&stage) {
        let [one, other] = orders.clone().map(Evidence::canonical);
        assert_eq!(one, other);
        assert_eq!(orders.iter().filter(|evidence| evidence.is_canonical()).count(), 1);
        for evidence in orders {
            let bytes = wire::to_bytes(&evidence);
            let expected = if evidence.is_canonical() {
                Ok(evidence)
            } else {
                Err(WireError::Order { field: "evidence" })
            };
            assert_eq!(wire::from_bytes(&bytes), expected);
        }
    }
}

#[test]
fn evidence_of_a_wrong_form_or_beyond_the_bound_costs_no_signature_check() {
    let mut stage = Stage::new(Rules::HARDENED);
    let pair = |stage: &Stage, subround: u32| {
        let ticket = |byte| Ticket {
            round: Round(1),
            subround: Subround(subround),
            block: crate::block::BlockId([byte; 32]),
        };
        let (first, second) = (stage.signed(1, ticket(1)), stage.signed(1, ticket(2)));
        Message::Evidence(Arc::new(Evidence::Tickets { first, second }))
    };
    let checks = |stage: &Stage| {
        let calls = stage.schemes[0].calls();
        calls.verify + calls.verify_aggregate
    };
    let before = checks(&stage);
    for piece in 0..MAX_EVIDENCE_PER_MINER {
        let message = pair(&stage, piece as u32);
        stage.hears(2, message);
    }
    assert_eq!(stage.miner.evidence().len(), MAX_EVIDENCE_PER_MINER);
    let kept = checks(&stage);
    assert_eq!(kept - before, 2 * MAX_EVIDENCE_PER_MINER as u64, "two signatures a piece");
    // More against a miner that is convicted often enough.
    for piece in 0..100 {
        let message = pair(&stage, piece);
        assert!(!is_refused(stage.hears(2, message)));
    }
    // No contradiction; two signers; no quorum.
    let (a, b) = (stage.first_block(0, 1), stage.first_block(0, 2));
    let one = stage.signed(2, ticket_of(&a));
    let of_another = stage.signed(3, ticket_of(&b));
    let (few, more) = (stage.notarization(&a, &[2]), stage.notarization(&b, &[1, 2, 3]));
    for (from, evidence) in [
        (1, Evidence::Tickets { first: one, second: one }),
        (2, Evidence::Tickets { first: one, second: of_another }),
        (3, Evidence::Notarizations { first: few, second: more }),
    ] {
        assert!(is_refused(stage.hears(from, Message::Evidence(Arc::new(evidence)))));
    }
    assert_eq!(checks(&stage), kept);
    assert_eq!(stage.miner.evidence().len(), MAX_EVIDENCE_PER_MINER);
}

/// A block with a time to come is set aside before the other block of its generator becomes a candidate: told again, it convicts,
/// and after that it is free.
#[test]
fn a_block_that_was_set_aside_convicts_beside_a_candidate() {
    for rules in [Rules::HARDENED, Rules { ticket: TicketRule::BetterRank, ..Rules::HARDENED }] {
        let mut stage = Stage::new(rules);
        let generator = stage.generator(1, 0);
        let sound = stage.first_block(0, generator);
        let mut content = stage.content(0, &stage.config.genesis, None, generator);
        content.time = (stage.now + stage.config.timing.clock_drift).after(1);
        let early = Arc::new(Block::new(content));
        assert!(is_refused(stage.proposes(&early)));
        stage.proposes(&sound);
        assert_eq!(stage.miner.evidence().len(), 0, "the first was set aside, and not kept");
        stage.proposes(&early);
        let convicted: Vec<_> = stage.miner.evidence().iter().flat_map(|proof| proof.convicts()).collect();
        assert_eq!(convicted, [id(generator)], "{:?}", stage.config.rules);
        let calls = stage.schemes[0].calls().verify;
        stage.proposes(&early);
        assert_eq!(stage.schemes[0].calls().verify, calls);
    }
}

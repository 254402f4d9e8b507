//! Checks that find nothing in this code. Each has the name of a deliberate bug of `fuzz/harness/mutants`, which it notices.

use std::sync::Arc;

use super::stage::{Stage, is_refused, sent, ticket_of};
use crate::block::Block;
use crate::committee::{Round, Subround};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::message::{ChainRequest, Message};
use crate::miner::{Milestone, Output};
use crate::rules::Rules;
use crate::statement::Timeout;

/// Whether the last guard kept the miner on the stage from signing against its log.
fn withheld(stage: &Stage) -> bool {
    stage.out.iter().any(|output| matches!(output, Output::Withheld(_)))
}

/// Whether the miner on the stage collected a candidate.
fn collects(stage: &Stage) -> bool {
    stage.out.iter().any(|output| matches!(output, Output::Milestone(Milestone::Collected { .. })))
}

fn collects_in(stage: &Stage, round: Round) -> bool {
    stage.out.iter().any(|output| {
        matches!(output, Output::Milestone(Milestone::Collected { block, .. }) if block.round == round)
    })
}

/// A test for each check: it says whether something is wrong.
macro_rules! checks {
    ($($name:ident => $wrong:expr,)*) => {
        $(
            #[test]
            fn $name() {
                assert!(!$wrong, "something is wrong");
            }
        )*
    };
}

checks! {
    write_before_store => {
        let mut stage = Stage::new(Rules::HARDENED);
        stage.stores_at_once = false;
        stage.enter_round_two();
        !stage.votes_sent().is_empty()
    },
    sign_unasked => {
        let mut stage = Stage::new(Rules::HARDENED);
        let first = ticket_of(&stage.first_block(0, 1));
        stage.signs(first);
        let other = ticket_of(&stage.first_block(0, 2));
        stage.signs(other).iter().any(|output| matches!(output, Output::Persist { .. }))
    },
    answer_always => {
        let mut stage = Stage::new(Rules::HARDENED);
        let request = ChainRequest { after: Round(0), tip: Some(stage.enter_round_two().id()) };
        let first = sent(stage.hears(1, Message::ChainRequest(request))).count();
        let second = sent(stage.hears(1, Message::ChainRequest(request))).count();
        first == 1 && second == 1
    },
    trust_proposed_beacon => {
        let mut stage = Stage::new(Rules::HARDENED);
        let mut content = stage.content(0, &stage.config.genesis.clone(), None, 1);
        // A value that makes the proposer eligible can be found by trying.
        let eligible = (0..100u8).map(|byte| BeaconValue([byte; 32])).find(|value| {
            let ranks = crate::crypto::ranks::Ranks::derive(value, Subround(0), 4);
            ranks.rank(crate::committee::MinerId(1)).is_some_and(|rank| rank.0 < 2)
        });
        content.beacon = eligible.expect("one of a hundred");
        content.beacon_signature = Signature([3; 48]);
        stage.proposes(&Arc::new(Block::new(content)));
        collects(&stage)
    },
    trust_embedded_certificate => {
        let mut stage = Stage::new(Rules::HARDENED);
        let first = stage.first_block(0, 1);
        let mut forged = (*stage.notarization(&first, &[1, 2, 3])).clone();
        forged.certificate.aggregate = Signature([3; 48]);
        let content = stage.content(0, &first, Some(Arc::new(forged)), stage.generator(2, 0));
        stage.proposes(&Arc::new(Block::new(content)));
        stage.miner.round() != Round(1)
    },
    ignore_labels => {
        let mut stage = Stage::new(Rules::HARDENED);
        let first = stage.enter_round_two();
        // A valid certificate of another subround's label cannot exist; one of another round can: of an old block.
        let certificate = stage.notarization(&first, &[1, 2, 3]);
        let second = Block::new(stage.content(0, &first, Some(certificate.clone()), 1));
        let notarized = stage.notarization(&second, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarized));
        let mut content = stage.content(0, &second, Some(certificate), stage.generator(3, 0));
        content.parent = first.id();
        stage.proposes(&Arc::new(Block::new(content)));
        collects_in(&stage, Round(3))
    },
    any_parent => {
        let mut stage = Stage::new(Rules::HARDENED);
        let first = stage.enter_round_two();
        let never_notarized = stage.first_block(1, 1);
        let certificate = stage.notarization(&first, &[1, 2, 3]);
        let content = stage.content(0, &never_notarized, Some(certificate), stage.generator(2, 0));
        stage.proposes(&Arc::new(Block::new(content)));
        collects_in(&stage, Round(2))
    },
    any_generator => {
        let mut stage = Stage::new(Rules::HARDENED);
        let last = stage.order(1, 0).into_iter().rfind(|&member| member != 0).expect("a member");
        let block = stage.first_block(0, last);
        let out = stage.proposes(&block).to_vec();
        !is_refused(&out)
    },
    ticket_after_timeout => {
        let mut stage = Stage::new(Rules::HARDENED);
        stage.window_closes();
        stage.wait_is_over();
        let block = stage.first_block(0, stage.generator(1, 0));
        stage.proposes(&block);
        stage.tickets_sent() == [ticket_of(&block)] || withheld(&stage)
    },
    join_at_one => {
        let mut stage = Stage::new(Rules::HARDENED);
        let timeout = Timeout { round: Round(1), subround: Subround(0) };
        let vote = stage.signed(3, timeout);
        stage.hears(3, Message::Timeout(vote));
        !stage.timeouts_sent().is_empty()
    },
    never_join => {
        let mut stage = Stage::new(Rules::HARDENED);
        let timeout = Timeout { round: Round(1), subround: Subround(0) };
        for signer in [2, 3] {
            let vote = stage.signed(signer, timeout);
            stage.hears(signer, Message::Timeout(vote));
        }
        stage.timeouts_sent().is_empty()
    },
    no_jump => {
        let mut stage = Stage::new(Rules::HARDENED);
        let second = Block::new(stage.content(0, &stage.first_block(0, 1), None, 1));
        let notarization = stage.notarization(&second, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization));
        stage.miner.round() != Round(3)
    },
    worst_rank => {
        let mut stage = Stage::new(Rules::HARDENED);
        let generators: Vec<u16> =
            stage.order(1, 0).into_iter().take(2).filter(|&member| member != 0).collect();
        for &member in &generators {
            let block = stage.first_block(0, member);
            stage.proposes(&block);
        }
        stage.window_closes();
        let best = stage.miner.candidates(Round(1), Subround(0)).map(|(block, _)| block).next();
        stage.tickets_sent().first().map(|ticket| ticket.block) != best
    },
    forget_early_messages => {
        let mut stage = Stage::new(Rules::HARDENED);
        for signer in [1, 2] {
            let early = stage.share(signer, 2);
            stage.hears(signer, Message::BeaconShare(early));
        }
        stage.enter_round_two();
        stage.miner.beacon().is_none()
    },
    relay_finality_again => {
        let mut stage = Stage::new(Rules::HARDENED);
        let (first, other) = (stage.first_block(0, 1), stage.first_block(1, 1));
        let second = Block::new(stage.content(0, &other, None, 1));
        let missing = stage.finality(&second, &[1, 2, 3]);
        stage.hears(1, Message::FinalityCertificate(missing));
        let lower = stage.finality(&first, &[1, 2, 3]);
        let mut relayed = 0;
        for from in [1, 2, 3] {
            let out = stage.hears(from, Message::FinalityCertificate(lower.clone()));
            relayed += sent(out).count();
        }
        relayed > 1
    },
    forget_own_signatures => {
        let mut stage = Stage::new(Rules::HARDENED);
        stage.wait_is_over();
        stage.restart();
        for signer in [1, 2] {
            let vote = stage.signed(signer, Timeout { round: Round(1), subround: Subround(0) });
            stage.hears(signer, Message::Timeout(vote));
        }
        stage.miner.subround() == Subround(0)
    },
    vote_twice => {
        let mut stage = Stage::new(Rules::HARDENED);
        stage.enter_round_two();
        let rival = stage.first_block(1, stage.generator(1, 1));
        let notarization = stage.notarization(&rival, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization));
        stage.votes_sent().len() > 1 || withheld(&stage)
    },
}

//! Checks that find nothing in this code. Each has the name of a deliberate bug of `fuzz/harness/mutants`, which it notices.

use std::sync::Arc;

use super::stage::{Stage, is_refused, sent, ticket_of};
use crate::block::Block;
use crate::committee::{Round, Subround};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::message::{ChainRequest, Message};
use crate::miner::{Milestone, Output};
use crate::network::{Byzantine, Fault, Setup, World};
use crate::rules::Rules;
use crate::statement::Timeout;

/// Whether one of the seeds breaks this property; `L`: whether one of the runs gets stuck.
fn storms(seeds: u64, dishonest: Option<Byzantine>, property: &str) -> bool {
    (0..seeds).any(|seed| {
        let mut setup = Setup::stormy(4, Rules::HARDENED, seed, 4_000);
        setup.byzantine = dishonest.map(|kind| (3, kind)).into_iter().collect();
        breaks(World::mock(&setup), 6_000, 30_000, property)
    })
}

/// Whether a run breaks a property, or does not reach three more final blocks in time.
fn breaks(mut world: World<MockScheme>, storm: u64, patience: u64, property: &str) -> bool {
    world.run(storm);
    let live = world.run_to_height(world.observer.lowest() + 3, patience);
    world.observer.at_the_end();
    let violated = world.observer.violations.iter().any(|violation| violation.starts_with(property));
    violated || property == "L" && !live
}

/// A run without faults breaks a property, or gets stuck.
fn quiet(property: &str) -> bool {
    (0..3).any(|seed| breaks(World::mock(&Setup::new(4, Rules::HARDENED, seed)), 3_000, 5_000, property))
}

/// All miners crash at once, again and again.
fn blackouts(property: &str) -> bool {
    (0..10).any(|seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.byzantine = vec![(3, Byzantine::Silent)];
        for blackout in 0..12 {
            let at = 200 + blackout * 170 + seed * 7;
            setup.faults.extend((0..4).map(|id| (at, Fault::Kill(id))));
            setup.faults.extend((0..4).map(|id| (at + 20, Fault::Restart(id))));
        }
        breaks(World::mock(&setup), 3_000, 20_000, property)
    })
}

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
    quorum_one_lower => quiet("S8"),
    quorum_of_join => quiet("S8"),
    vote_despite_other_ticket => storms(200, Some(Byzantine::Equivocate), "S"),
    ticket_after_leaving => storms(200, Some(Byzantine::Equivocate), "S"),
    enter_without_certificate => storms(20, None, "L3"),
    send_before_write => quiet("S1"),
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
    forget_log => blackouts("S1"),
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
    forget_quorum => quiet("L"),
    no_relay => (0..30).any(|seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.byzantine = vec![(3, Byzantine::Divide)];
        breaks(World::mock(&setup), 10_000, 60_000, "L")
    }),
    propose_twice => blackouts("S"),
    any_parent => {
        let mut stage = Stage::new(Rules::HARDENED);
        let first = stage.enter_round_two();
        let never_notarized = stage.first_block(1, 1);
        let certificate = stage.notarization(&first, &[1, 2, 3]);
        let content = stage.content(0, &never_notarized, Some(certificate), stage.generator(2, 0));
        stage.proposes(&Arc::new(Block::new(content)));
        collects_in(&stage, Round(2))
    },
    ticket_twin => storms(60, Some(Byzantine::Equivocate), "S1"),
    any_generator => {
        let mut stage = Stage::new(Rules::HARDENED);
        let last = stage.order(1, 0).into_iter().rfind(|&member| member != 0).expect("a member");
        let block = stage.first_block(0, last);
        let out = stage.proposes(&block).to_vec();
        !is_refused(&out)
    },
    second_ticket => storms(60, None, "S1"),
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
    stale_timer => {
        let mut run = World::mock(&Setup::new(4, Rules::HARDENED, 1));
        run.run(4_000);
        run.observer.steps.iter().any(|(_, _, step)| matches!(step, Milestone::TimedOut(_)))
    },
    wrong_parent => {
        // Nobody hears the generators' blocks of later rounds: they are refused.
        quiet("L")
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
    skip_subround => storms(20, None, "L3"),
    vote_twice => {
        let mut stage = Stage::new(Rules::HARDENED);
        stage.enter_round_two();
        let rival = stage.first_block(1, stage.generator(1, 1));
        let notarization = stage.notarization(&rival, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization));
        stage.votes_sent().len() > 1 || withheld(&stage)
    },
}

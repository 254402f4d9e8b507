//! Each deliberate bug of [`Mutant`] is noticed, and the same check finds nothing in the real code.

use std::sync::Arc;

use super::stage::{Stage, is_refused, sent, ticket_of};
use crate::block::Block;
use crate::committee::{Round, Subround};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::message::{ChainRequest, Message};
use crate::miner::{Config, Milestone, Output};
use crate::mutants::Mutant;
use crate::network::{Adjust, Byzantine, Fault, Setup, World};
use crate::rules::Rules;
use crate::statement::Timeout;

/// A run with a mutant in every honest miner, or with none.
fn world(mutant: Option<Mutant>, mut setup: Setup) -> World<MockScheme> {
    setup.adjust = Adjust(Arc::new(move |config: &mut Config| config.mutant = mutant));
    World::mock(&setup)
}

/// Whether one of the seeds breaks this property; `L`: whether one of the runs gets stuck.
fn storms(mutant: Option<Mutant>, seeds: u64, dishonest: Option<Byzantine>, property: &str) -> bool {
    (0..seeds).any(|seed| {
        let mut setup = Setup::stormy(4, Rules::HARDENED, seed, 4_000);
        setup.byzantine = dishonest.map(|kind| (3, kind)).into_iter().collect();
        breaks(world(mutant, setup), 6_000, 30_000, property)
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
fn quiet(mutant: Option<Mutant>, property: &str) -> bool {
    (0..3).any(|seed| breaks(world(mutant, Setup::new(4, Rules::HARDENED, seed)), 3_000, 5_000, property))
}

/// All miners crash at once, again and again.
fn blackouts(mutant: Option<Mutant>, property: &str) -> bool {
    (0..10).any(|seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.byzantine = vec![(3, Byzantine::Silent)];
        for blackout in 0..12 {
            let at = 200 + blackout * 170 + seed * 7;
            setup.faults.extend((0..4).map(|id| (at, Fault::Kill(id))));
            setup.faults.extend((0..4).map(|id| (at + 20, Fault::Restart(id))));
        }
        breaks(world(mutant, setup), 3_000, 20_000, property)
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

/// Whether the check that belongs to `case` notices something, with `mutant` in the code.
fn noticed(case: Mutant, mutant: Option<Mutant>) -> bool {
    let stage = || Stage::with(Rules::HARDENED, mutant);
    match case {
        Mutant::QuorumOneLower | Mutant::QuorumOfJoin => quiet(mutant, "S8"),
        Mutant::VoteDespiteOtherTicket => storms(mutant, 200, Some(Byzantine::Equivocate), "S"),
        Mutant::TicketAfterLeaving => storms(mutant, 200, Some(Byzantine::Equivocate), "S"),
        Mutant::EnterWithoutCertificate => storms(mutant, 20, None, "L3"),
        Mutant::SendBeforeWrite => quiet(mutant, "S1"),
        Mutant::WriteBeforeStore => {
            let mut stage = stage();
            stage.stores_at_once = false;
            stage.enter_round_two();
            !stage.votes_sent().is_empty()
        }
        Mutant::SignUnasked => {
            let mut stage = stage();
            let first = ticket_of(&stage.first_block(0, 1));
            stage.signs(first);
            let other = ticket_of(&stage.first_block(0, 2));
            stage.signs(other).iter().any(|output| matches!(output, Output::Persist { .. }))
        }
        Mutant::AnswerAlways => {
            let mut stage = stage();
            let request = ChainRequest { after: Round(0), tip: Some(stage.enter_round_two().id()) };
            let first = sent(stage.hears(1, Message::ChainRequest(request))).count();
            let second = sent(stage.hears(1, Message::ChainRequest(request))).count();
            first == 1 && second == 1
        }
        Mutant::ForgetLog => blackouts(mutant, "S1"),
        Mutant::TrustProposedBeacon => {
            let mut stage = stage();
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
        }
        Mutant::TrustEmbeddedCertificate => {
            let mut stage = stage();
            let first = stage.first_block(0, 1);
            let mut forged = (*stage.notarization(&first, &[1, 2, 3])).clone();
            forged.certificate.aggregate = Signature([3; 48]);
            let content = stage.content(0, &first, Some(Arc::new(forged)), stage.generator(2, 0));
            stage.proposes(&Arc::new(Block::new(content)));
            stage.miner.round() != Round(1)
        }
        Mutant::IgnoreLabels => {
            let mut stage = stage();
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
        }
        Mutant::ForgetQuorum => quiet(mutant, "L"),
        Mutant::NoRelay => (0..30).any(|seed| {
            let mut setup = Setup::new(4, Rules::HARDENED, seed);
            setup.byzantine = vec![(3, Byzantine::Divide)];
            breaks(world(mutant, setup), 10_000, 60_000, "L")
        }),
        Mutant::ProposeTwice => blackouts(mutant, "S"),
        Mutant::AnyParent => {
            let mut stage = stage();
            let first = stage.enter_round_two();
            let never_notarized = stage.first_block(1, 1);
            let certificate = stage.notarization(&first, &[1, 2, 3]);
            let content = stage.content(0, &never_notarized, Some(certificate), stage.generator(2, 0));
            stage.proposes(&Arc::new(Block::new(content)));
            collects_in(&stage, Round(2))
        }
        Mutant::TicketTwin => storms(mutant, 60, Some(Byzantine::Equivocate), "S1"),
        Mutant::AnyGenerator => {
            let mut stage = stage();
            let last = stage.order(1, 0).into_iter().rfind(|&member| member != 0).expect("a member");
            let block = stage.first_block(0, last);
            let out = stage.proposes(&block).to_vec();
            !is_refused(&out)
        }
        Mutant::SecondTicket => storms(mutant, 60, None, "S1"),
        Mutant::TicketAfterTimeout => {
            let mut stage = stage();
            stage.window_closes();
            stage.wait_is_over();
            let block = stage.first_block(0, stage.generator(1, 0));
            stage.proposes(&block);
            stage.tickets_sent() == [ticket_of(&block)] || withheld(&stage)
        }
        Mutant::JoinAtOne => {
            let mut stage = stage();
            let timeout = Timeout { round: Round(1), subround: Subround(0) };
            let vote = stage.signed(3, timeout);
            stage.hears(3, Message::Timeout(vote));
            !stage.timeouts_sent().is_empty()
        }
        Mutant::NeverJoin => {
            let mut stage = stage();
            let timeout = Timeout { round: Round(1), subround: Subround(0) };
            for signer in [2, 3] {
                let vote = stage.signed(signer, timeout);
                stage.hears(signer, Message::Timeout(vote));
            }
            stage.timeouts_sent().is_empty()
        }
        Mutant::NoJump => {
            let mut stage = stage();
            let second = Block::new(stage.content(0, &stage.first_block(0, 1), None, 1));
            let notarization = stage.notarization(&second, &[1, 2, 3]);
            stage.hears(1, Message::Notarization(notarization));
            stage.miner.round() != Round(3)
        }
        Mutant::WorstRank => {
            let mut stage = stage();
            let generators: Vec<u16> =
                stage.order(1, 0).into_iter().take(2).filter(|&member| member != 0).collect();
            for &member in &generators {
                let block = stage.first_block(0, member);
                stage.proposes(&block);
            }
            stage.window_closes();
            let best = stage.miner.candidates(Round(1), Subround(0)).map(|(block, _)| block).next();
            stage.tickets_sent().first().map(|ticket| ticket.block) != best
        }
        Mutant::StaleTimer => {
            let mut run = world(mutant, Setup::new(4, Rules::HARDENED, 1));
            run.run(4_000);
            run.observer.steps.iter().any(|(_, _, step)| matches!(step, Milestone::TimedOut(_)))
        }
        Mutant::WrongParent => {
            // Nobody hears the generators' blocks of later rounds: they are refused.
            quiet(mutant, "L")
        }
        Mutant::ForgetEarlyMessages => {
            let mut stage = stage();
            for signer in [1, 2] {
                let early = stage.share(signer, 2);
                stage.hears(signer, Message::BeaconShare(early));
            }
            stage.enter_round_two();
            stage.miner.beacon().is_none()
        }
        Mutant::RelayFinalityAgain => {
            let mut stage = stage();
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
        }
        Mutant::ForgetOwnSignatures => {
            let mut stage = stage();
            stage.wait_is_over();
            stage.restart();
            for signer in [1, 2] {
                let vote = stage.signed(signer, Timeout { round: Round(1), subround: Subround(0) });
                stage.hears(signer, Message::Timeout(vote));
            }
            stage.miner.subround() == Subround(0)
        }
        Mutant::SkipSubround => storms(mutant, 20, None, "L3"),
        Mutant::VoteTwice => {
            let mut stage = stage();
            stage.enter_round_two();
            let rival = stage.first_block(1, stage.generator(1, 1));
            let notarization = stage.notarization(&rival, &[1, 2, 3]);
            stage.hears(1, Message::Notarization(notarization));
            stage.votes_sent().len() > 1 || withheld(&stage)
        }
        other => unreachable!("{other:?} is noticed elsewhere"),
    }
}

fn collects_in(stage: &Stage, round: Round) -> bool {
    stage.out.iter().any(|output| {
        matches!(output, Output::Milestone(Milestone::Collected { block, .. }) if block.round == round)
    })
}

/// Noticed by the kill matrix of the room `fuzz`, each with a committed witness.
fn is_noticed_elsewhere(mutant: Mutant) -> bool {
    mutant as usize > Mutant::ForgetEarlyMessages as usize
}

fn check(mutants: &[Mutant]) {
    for &mutant in mutants.iter().filter(|&&mutant| !is_noticed_elsewhere(mutant)) {
        assert!(noticed(mutant, Some(mutant)), "{mutant:?} survives");
        assert!(!noticed(mutant, None), "the check for {mutant:?} is wrong about the real code");
    }
}

#[test]
fn every_mutant_is_noticed() {
    let half = Mutant::ALL.len().div_ceil(2);
    std::thread::scope(|scope| {
        for group in Mutant::ALL.chunks(half) {
            scope.spawn(|| check(group));
        }
    });
}

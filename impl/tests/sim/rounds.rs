//! Rounds are produced and agreed upon when nothing goes wrong: every profile, every size, both schemes.

use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::miner::Milestone;
use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, QuorumRule, Rules, SubroundEntryRule, SubroundSwitchRule,
    TicketLogRule, TicketRule,
};

use super::network::{Network, Setup, World};

/// Runs to a height, and until the sharders are there too (L1, L2, L5).
fn produces<S: Scheme + Clone>(mut world: World<S>, height: usize) -> World<S> {
    let done = world.run_to_height(height, 30_000);
    assert!(done, "only {} blocks after {} ms", world.observer.lowest(), world.now.0);
    let sharders = world.config().committee.sharders();
    let all = |world: &World<S>| {
        (0..sharders).all(|id| world.observer.height(Peer::Sharder(SharderId(id))) >= height)
    };
    assert!(world.run_until(5_000, all), "a sharder lacks final blocks");
    world.assert_safe();
    world
}

/// A world on real BLS.
fn bls(setup: &Setup) -> World<BlstScheme> {
    let threshold = setup.config().committee.faulty() + 1;
    let (committee, members) = deal([setup.seed as u8; 32], setup.miners, threshold).expect("keys");
    let schemes = members
        .into_iter()
        .map(|member| BlstScheme::member(committee.clone(), member).expect("the member's own keys"));
    World::new(setup, schemes.collect(), &BlstScheme::observer(committee))
}

#[test]
fn every_profile_at_every_size() {
    for rules in [Rules::HARDENED, Rules::DOCUMENTED, Rules::DEPLOYED] {
        for miners in [1, 4, 7, 16] {
            let world = produces(World::mock(&Setup::new(miners, rules, 1)), 10);
            assert_eq!(world.observer.refused.len(), 0, "honest miners refuse nothing of each other");
        }
    }
}

#[test]
fn fifty_miners() {
    for rules in [Rules::HARDENED, Rules::DEPLOYED] {
        produces(World::mock(&Setup::new(50, rules, 1)), 4);
    }
}

#[test]
fn every_finality_rule() {
    let rules = [
        FinalityRule::TwoThirds,
        FinalityRule::CommonAncestor { depth: 1 },
        FinalityRule::CommonAncestor { depth: 3 },
        FinalityRule::TwoDelta,
        FinalityRule::Votes,
    ];
    for finality in rules {
        produces(World::mock(&Setup::new(4, Rules { finality, ..Rules::HARDENED }, 1)), 8);
    }
}

#[test]
fn real_signatures_and_bytes_on_the_wire() {
    for (miners, rules, height) in
        [(4, Rules::HARDENED, 4), (4, Rules::DOCUMENTED, 3), (4, Rules::DEPLOYED, 2), (7, Rules::HARDENED, 3)]
    {
        let mut setup = Setup::new(miners, rules, 2);
        setup.network = Network { bytes: true, ..Network::RELIABLE };
        produces(bls(&setup), height);
    }
}

#[test]
fn real_signatures_of_sixteen_miners() {
    produces(bls(&Setup::new(16, Rules::HARDENED, 3)), 2);
}

#[test]
fn real_signatures_of_fifty_miners() {
    produces(bls(&Setup::new(50, Rules::HARDENED, 4)), 1);
}

#[test]
fn a_quiet_network_needs_one_subround_a_round_and_relays_each_certificate_once() {
    let world = produces(World::mock(&Setup::new(7, Rules::HARDENED, 5)), 20);
    assert_eq!(world.observer.rounds_with_later_subrounds(), 0);
    assert_eq!(world.observer.rounds_with_two_notarized(), 0);
    // A round of the window, and some message delays: nothing waits for a timer that should not.
    assert!(world.now.0 < 20 * 500, "{} ms for 20 rounds", world.now.0);
}

#[test]
fn transactions_are_executed_once_and_everywhere() {
    let world = produces(World::mock(&Setup::new(4, Rules::HARDENED, 6)), 30);
    let committed: Vec<u64> = (0..4).map(|i| world.application(i).committed()).collect();
    assert!(committed.iter().all(|&count| count > 100), "{committed:?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let run = |seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.network = Network::ROUGH;
        let mut world = World::mock(&setup);
        world.run(10_000);
        (world.steps, world.sent, world.observer.steps.clone())
    };
    assert!(run(7) == run(7));
    assert!(run(7) != run(8));
}

#[test]
fn the_best_rank_wins_when_all_hear_it() {
    let world = produces(World::mock(&Setup::new(7, Rules::HARDENED, 9)), 10);
    let steps = &world.observer.steps;
    for (_, miner, step) in steps {
        let Milestone::Ticketed(ticket) = step else { continue };
        let collected = steps.iter().filter_map(|(_, who, step)| match step {
            Milestone::Collected { block, rank, .. }
                if who == miner && (block.round, block.subround) == (ticket.round, ticket.subround) =>
            {
                Some((*rank, block.block))
            }
            _ => None,
        });
        let best = collected.min().expect("what is ticketed was collected");
        assert_eq!(best.1, ticket.block, "{miner:?} in {:?}", ticket.round);
    }
}

#[test]
fn a_single_miner_is_its_own_quorum() {
    let world = produces(World::mock(&Setup::new(1, Rules::HARDENED, 1)), 5);
    assert_eq!(world.miner(0).map(|miner| miner.id()), Some(MinerId(0)));
}

#[test]
fn every_combination_of_rules_produces_blocks_on_a_quiet_network() {
    let mut combinations = 0;
    for rules in combinations_of_rules() {
        combinations += 1;
        let mut world = World::mock(&Setup::new(4, rules, combinations));
        assert!(world.run_to_height(3, 20_000), "{} blocks under {rules:?}", world.observer.lowest());
        // Without a network that delays them much, no rule goes wrong.
        world.assert_safe();
    }
    assert_eq!(combinations, 2 * 3 * 2 * 2 * 5 * 2 * 2 * 2);
}

type Change = fn(&mut Rules);

fn combinations_of_rules() -> Vec<Rules> {
    let mut all = vec![Rules::HARDENED];
    let mut vary = |variants: &[Change]| {
        all = all
            .iter()
            .flat_map(|rules| {
                variants.iter().map(|change| {
                    let mut changed = *rules;
                    change(&mut changed);
                    changed
                })
            })
            .collect();
    };
    vary(&[|rules| rules.beacon = BeaconRule::Chained, |rules| rules.beacon = BeaconRule::RoundOnly]);
    vary(&[
        |rules| rules.ticket = TicketRule::OncePerSubround,
        |rules| rules.ticket = TicketRule::BetterRank,
        |rules| rules.ticket = TicketRule::BetterOrEqualRank,
    ]);
    vary(&[
        |rules| rules.subround_entry = SubroundEntryRule::Local,
        |rules| rules.subround_entry = SubroundEntryRule::Certificate,
    ]);
    vary(&[
        |rules| rules.subround_switch = SubroundSwitchRule::FirstArrival,
        |rules| rules.subround_switch = SubroundSwitchRule::Adopt,
    ]);
    vary(&[
        |rules| rules.finality = FinalityRule::TwoThirds,
        |rules| rules.finality = FinalityRule::CommonAncestor { depth: 0 },
        |rules| rules.finality = FinalityRule::CommonAncestor { depth: 2 },
        |rules| rules.finality = FinalityRule::TwoDelta,
        |rules| rules.finality = FinalityRule::Votes,
    ]);
    vary(&[
        |rules| rules.quorum = QuorumRule::ByzantineMajority,
        |rules| rules.quorum = QuorumRule::Percent66,
    ]);
    vary(&[
        |rules| rules.ticket_log = TicketLogRule::Durable,
        |rules| rules.ticket_log = TicketLogRule::Volatile,
    ]);
    vary(&[|rules| rules.echo = EchoRule::Certificates, |rules| rules.echo = EchoRule::None]);
    all
}

//! Rounds are produced and agreed upon when nothing goes wrong: every profile, every size, both schemes.

use std::sync::Arc;
use std::time::Duration;

use zus_bpp::block::Block;
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::miner::{Milestone, TicketForm};
use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, QuorumRule, Rules, SubroundEntryRule, SubroundSwitchRule,
    TicketLogRule, TicketRule,
};

use zus_sim::Byzantine;
use zus_sim::timed::{Adjust, Disturbance, Links, Setup, World};

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
    let (committee, members) = deal([setup.seed as u8; 32], setup.miners).expect("keys");
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
    for &finality in FinalityRule::ALL {
        produces(World::mock(&Setup::new(4, Rules { finality, ..Rules::HARDENED }, 1)), 8);
    }
}

/// On real BLS, with bytes on the wire.
fn real(miners: u16, rules: Rules, height: usize) {
    let mut setup = Setup::new(miners, rules, 2);
    setup.links = Links { bytes: true, ..Links::RELIABLE };
    produces(bls(&setup), height);
}

#[test]
fn real_signatures_of_four_and_seven_miners_under_every_profile() {
    for rules in [Rules::HARDENED, Rules::DOCUMENTED, Rules::DEPLOYED] {
        real(4, rules, 4);
        real(7, rules, 2);
    }
}

#[test]
fn real_signatures_of_sixteen_miners_under_every_profile() {
    for rules in [Rules::HARDENED, Rules::DOCUMENTED, Rules::DEPLOYED] {
        real(16, rules, 1);
    }
}

#[test]
fn real_signatures_of_fifty_miners() {
    real(50, Rules::HARDENED, 1);
}

#[test]
fn real_signatures_of_fifty_miners_under_the_other_profiles() {
    real(50, Rules::DOCUMENTED, 1);
    real(50, Rules::DEPLOYED, 1);
}

/// Everything at once on real BLS: dishonest miners, a partition that heals, crashes within steps, loss, repetition.
#[test]
fn real_signatures_and_every_fault() {
    let cases = [
        (4, vec![(3, Byzantine::Equivocate)]),
        (4, vec![(1, Byzantine::NoProposals)]),
        (7, vec![(2, Byzantine::Garbage), (5, Byzantine::Divide)]),
        (7, vec![(0, Byzantine::Silent), (6, Byzantine::Flood)]),
    ];
    for (seed, (miners, byzantine)) in cases.into_iter().enumerate() {
        let mut setup = Setup::new(miners, Rules::HARDENED, seed as u64);
        setup.links = Links { delay: 1..=150, loss: 50, duplicates: 50, bytes: true };
        setup.byzantine = byzantine;
        setup.disturbances = vec![
            (700, Disturbance::KillInStep(4 % miners)),
            (1_100, Disturbance::Restart(4 % miners)),
            (1_500, Disturbance::Partition(vec![vec![0, 1, 4], vec![2, 3, 5, 6]])),
            (3_000, Disturbance::Heal),
            (3_300, Disturbance::Kill(2)),
            (4_300, Disturbance::Restart(2)),
        ];
        let mut world = bls(&setup);
        world.run(4_400);
        let height = world.observer.lowest();
        assert!(
            world.run_to_height(height + 2, 60_000),
            "L1, L2: {} blocks, {setup:?}",
            world.observer.lowest()
        );
        world.assert_safe();
    }
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
        setup.links = Links::ROUGH;
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
    assert!(combinations >= 2 * 3 * 2 * 2 * 5 * 2 * 2 * 2, "{combinations} combinations");
}

/// Every value of each rule that the code has, with every value of the others. (`CappedAtOne` is part of `deployed`.)
fn combinations_of_rules() -> Vec<Rules> {
    fn vary<R: Copy>(all: &mut Vec<Rules>, values: &[R], with: fn(Rules, R) -> Rules) {
        *all = all.iter().flat_map(|rules| values.iter().map(|value| with(*rules, *value))).collect();
    }
    let mut all = vec![Rules::HARDENED];
    vary(&mut all, BeaconRule::ALL, |rules, beacon| Rules { beacon, ..rules });
    vary(&mut all, TicketRule::ALL, |rules, ticket| Rules { ticket, ..rules });
    vary(&mut all, SubroundEntryRule::ALL, |rules, subround_entry| Rules { subround_entry, ..rules });
    vary(&mut all, SubroundSwitchRule::ALL, |rules, subround_switch| Rules { subround_switch, ..rules });
    vary(&mut all, FinalityRule::ALL, |rules, finality| Rules { finality, ..rules });
    vary(&mut all, QuorumRule::ALL, |rules, quorum| Rules { quorum, ..rules });
    vary(&mut all, TicketLogRule::ALL, |rules, ticket_log| Rules { ticket_log, ..rules });
    vary(&mut all, EchoRule::ALL, |rules, echo| Rules { echo, ..rules });
    all
}

/// The same network with tickets in either form: the same blocks become final, and 48 bytes more a ticket are sent.
#[test]
fn tickets_with_both_coordinates_make_the_same_chain() {
    let run = |form| {
        let mut setup = Setup::new(4, Rules::HARDENED, 2);
        setup.links = Links { bytes: true, ..Links::RELIABLE };
        setup.adjust = Adjust(Arc::new(move |config| config.ticket_form = form));
        let world = produces(bls(&setup), 4);
        assert_eq!(world.observer.refused.len(), 0, "both forms are taken");
        world
    };
    let (short, long) = (run(TicketForm::Compressed), run(TicketForm::Uncompressed));
    assert_eq!(short.now, long.now);
    assert_eq!(short.observer.lowest(), long.observer.lowest());
    let ((messages, bytes), (same, more)) = (short.sent, long.sent);
    assert_eq!(messages, same);
    // At least each miner's ticket of each round, to each of the three others.
    assert!((more - bytes).is_multiple_of(48) && (more - bytes) / 48 >= 4 * 4 * 3, "{more} - {bytes} bytes");
}

/// The clock of one miner is a second and a half behind the others', which is less than the drift that is allowed. Its blocks have at least the
/// time of their parents: one with the time of its own clock would be older than its parent, and nobody would ticket it (step 4).
#[test]
fn a_generator_with_a_slow_clock_has_its_turns() {
    for (slow, seed) in [(0, 1), (2, 2)] {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.clocks = vec![1_500; 4];
        setup.clocks[slow] = 0;
        let mut world = World::mock(&setup);
        let ahead = Duration::from_millis(1_500);
        assert!(setup.timing.clock_drift > ahead && setup.timing.window < ahead);
        assert!(world.run_to_height(24, 60_000), "L1: {}", world.observer.lowest());
        world.assert_safe();
        let chain: Vec<_> = world.observer.chain(Peer::Miner(MinerId(1))).collect();
        let its = |block: &Block| block.header().generator == MinerId(slow as u16);
        let after_others = chain.windows(2).filter(|pair| !its(pair[0]) && its(pair[1]));
        assert!(after_others.count() > 2, "the slow generator has turns after others");
        assert!(chain.is_sorted_by_key(|block| block.header().time), "the time of blocks never falls");
        assert_eq!(world.observer.rounds_with_later_subrounds(), 0, "each turn was used");
    }
}

//! A miner that stops at any of its steps, with any part of the step done, and starts again from its disk (S1, L4, W6).

use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::miner::Milestone;
use zus_bpp::rules::{Rules, TicketLogRule};
use zus_bpp::ticket_log::{Kind, TicketLog};

use zus_sim::timed::{Crash, Disturbance, Links, Setup, World};

/// How many steps one miner takes until five blocks are final.
fn steps_of_a_run(setup: &Setup, miner: u16) -> u64 {
    let mut world = World::mock(setup);
    assert!(world.run_to_height(5, 60_000));
    world.steps_of(usize::from(miner))
}

/// One run for each step that each miner takes until five blocks are final, with a crash in the middle of that step. Returns in
/// how many of them a ticket left after the restart that was in the log, and had not left, before.
fn crash_in_any_step(setup: &Setup) -> usize {
    let mut resent = 0;
    for victim in 0..setup.miners {
        let steps = steps_of_a_run(setup, victim);
        assert!(steps > 100, "{steps} steps");
        for step in 0..steps {
            let mut setup = setup.clone();
            setup.kill_at_step = Some((victim, step, 400));
            let mut world = World::mock(&setup);
            let lives = world.run_to_height(8, 90_000);
            assert!(lives, "stuck after a crash of miner {victim} in step {step}: {setup:?}");
            world.assert_safe();
            resent += usize::from(world.sent_from_log(usize::from(victim)));
        }
    }
    resent
}

#[test]
fn a_crash_in_any_step_of_five_rounds() {
    let resent = crash_in_any_step(&Setup::new(4, Rules::HARDENED, 1));
    assert!(resent > 0, "W6: a ticket that was in the log and had not left is sent after the restart");
}

/// The log survives whole and the rest of the disk does not, and messages are lost, repeated and reordered.
#[test]
fn a_crash_in_any_step_that_keeps_the_log_only_on_a_rough_network() {
    let mut setup = Setup::new(4, Rules::HARDENED, 2);
    (setup.store_flush, setup.crash) = (40, Crash::KeepsRecords);
    setup.links = Links { delay: 1..=150, ..Links::ROUGH };
    crash_in_any_step(&setup);
}

#[test]
fn all_miners_crash_at_once_again_and_again() {
    for seed in 0..20 {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.links = if seed % 2 == 0 { Links::RELIABLE } else { Links::ROUGH };
        for blackout in 0..6 {
            let at = 500 + blackout * 900 + seed * 13;
            setup.disturbances.extend((0..4).map(|id| (at, Disturbance::Kill(id))));
            setup.disturbances.extend((0..4).map(|id| (at + 100, Disturbance::Restart(id))));
        }
        let mut world = World::mock(&setup);
        assert!(world.run_to_height(6, 60_000), "seed {seed}: {} blocks", world.observer.lowest());
        world.assert_safe();
    }
}

#[test]
fn a_miner_that_lost_everything_but_its_log_signs_nothing_twice_and_catches_up() {
    for seed in 0..20 {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        for time in 0..8 {
            let miner = (time % 4) as u16;
            setup.disturbances.push((700 + time * 600, Disturbance::Kill(miner)));
            setup.disturbances.push((900 + time * 600, Disturbance::RestartWithLogOnly(miner)));
        }
        let mut world = World::mock(&setup);
        assert!(world.run_to_height(12, 60_000), "seed {seed}");
        world.assert_safe();
    }
}

/// A run in which the miners in turn lose their logs, one in so many milliseconds, and begin with new ones.
fn with_lost_logs(seed: u64, losses: u64, every: u64, above: u64) -> Setup {
    let mut setup = Setup::new(4, Rules::HARDENED, seed);
    setup.links = Links { delay: 1..=250, ..Links::RELIABLE };
    for time in 0..losses {
        let miner = (time % 4) as u16;
        setup.disturbances.push((310 + time * every, Disturbance::Kill(miner)));
        setup.disturbances.push((320 + time * every, Disturbance::RestartWithNewLog(miner, above)));
    }
    setup
}

#[test]
fn a_new_log_with_the_floor_that_is_advised_contradicts_nothing_that_is_lost() {
    for seed in 0..20 {
        // The chain has reached the floor of one before the next begins anew: below it that one signs nothing.
        let mut world = World::mock(&with_lost_logs(seed, 6, 6_000, 3));
        world.run(40_000);
        let height = world.observer.lowest();
        assert!(world.run_to_height(height + 4, 60_000), "seed {seed}: stops at {height}");
        world.assert_safe();
    }
    // Without a floor above what was signed the observer sees it.
    let violated = (0..200).any(|seed| {
        let mut world = World::mock(&with_lost_logs(seed, 20, 170, 0));
        world.run(5_000);
        world.observer.at_the_end();
        world.observer.violations.iter().any(|violation| violation.starts_with("S1"))
    });
    assert!(violated, "negative control");
}

#[test]
fn amnesia_breaks_the_one_ticket_rule() {
    // The expected violation of `Volatile` (A2): a restarted miner tickets another block of the same subround.
    let rules = Rules { ticket_log: TicketLogRule::Volatile, ..Rules::HARDENED };
    let violated = (0..200).any(|seed| {
        let mut setup = Setup::new(4, rules, seed);
        setup.links = Links { delay: 1..=250, ..Links::RELIABLE };
        for time in 0..20 {
            let miner = (time % 4) as u16;
            setup.disturbances.push((310 + time * 170, Disturbance::Kill(miner)));
            setup.disturbances.push((320 + time * 170, Disturbance::Restart(miner)));
        }
        let mut world = World::mock(&setup);
        world.run(5_000);
        world.observer.at_the_end();
        world.observer.violations.iter().any(|violation| violation.starts_with("S1"))
    });
    assert!(violated, "the observer must be able to see it");
}

#[test]
fn a_restarted_generator_does_not_propose_another_block() {
    for seed in 0..30 {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        for time in 0..30 {
            let miner = (time % 4) as u16;
            setup.disturbances.push((30 + time * 130, Disturbance::KillInStep(miner)));
            setup.disturbances.push((110 + time * 130, Disturbance::Restart(miner)));
        }
        let mut world = World::mock(&setup);
        world.run(6_000);
        world.assert_safe();
    }
}

#[test]
fn the_log_holds_every_kind_and_the_restart_is_in_the_same_subround() {
    let mut setup = Setup::new(4, Rules::HARDENED, 3);
    // Two dead miners: the others time out, and wait.
    setup.disturbances = vec![
        (1_000, Disturbance::Kill(0)),
        (1_000, Disturbance::Kill(1)),
        (6_000, Disturbance::Kill(2)),
        (6_100, Disturbance::Restart(2)),
        (6_500, Disturbance::Restart(0)),
        (6_500, Disturbance::Restart(1)),
    ];
    let mut world = World::mock(&setup);
    world.run(5_900);
    let before = world.miner(2).map(|miner| (miner.round(), miner.subround(), miner.phase()));
    world.run(400);
    let after = world.miner(2).map(|miner| (miner.round(), miner.subround(), miner.phase()));
    assert!(before.is_some() && before == after, "{before:?} {after:?}");
    assert!(world.run_to_height(8, 60_000));
    world.assert_safe();
    let mut kinds: Vec<Kind> = (0..4)
        .flat_map(|i| world.disk(i).log.signed().records().map(|record| record.kind).collect::<Vec<_>>())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, Kind::ALL);
    let entered = |(_, miner, step): &(_, MinerId, Milestone)| {
        *miner == MinerId(2) && matches!(step, Milestone::Entered { .. })
    };
    assert!(world.observer.steps.iter().any(entered));
    assert!(world.observer.height(Peer::Miner(MinerId(2))) >= 8);
}

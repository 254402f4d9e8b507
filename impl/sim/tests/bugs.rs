//! Checks on whole networks that find nothing in this code. Each has the name of a deliberate bug of `fuzz/harness/mutants`, which it
//! notices.

use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::miner::Milestone;
use zus_bpp::rules::Rules;
use zus_sim::Byzantine;
use zus_sim::timed::{Crash, Disturbance, Setup, World};

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
            setup.disturbances.extend((0..4).map(|id| (at, Disturbance::Kill(id))));
            setup.disturbances.extend((0..4).map(|id| (at + 20, Disturbance::Restart(id))));
        }
        breaks(World::mock(&setup), 3_000, 20_000, property)
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
    forget_log => blackouts("S1"),
    forget_quorum => quiet("L"),
    propose_twice => blackouts("S"),
    ticket_twin => storms(60, Some(Byzantine::Equivocate), "S1"),
    second_ticket => storms(60, None, "S1"),
    skip_subround => storms(20, None, "L3"),
    no_relay => (0..30).any(|seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.byzantine = vec![(3, Byzantine::Divide)];
        breaks(World::mock(&setup), 10_000, 60_000, "L")
    }),
    stale_timer => {
        let mut run = World::mock(&Setup::new(4, Rules::HARDENED, 1));
        run.run(4_000);
        run.observer.steps.iter().any(|(_, _, step)| matches!(step, Milestone::TimedOut(_)))
    },
    wrong_parent => {
        // Nobody hears the generators' blocks of later rounds: they are refused.
        quiet("L")
    },
}

/// A dishonest miner shows a notarization that needs its own ticket to miner 0 alone, and is never heard again. Miner 0 is cut
/// off, and stops: its log survives, its other storage as far as it was confirmed. Returns whether the chain goes on when
/// miner 0 is back, whenever that happened.
fn lives_through_a_crash_that_keeps_the_log_only() -> bool {
    (0..300).all(|seed| {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        (setup.sharders, setup.store_flush, setup.crash) = (0, 200, Crash::KeepsRecords);
        setup.byzantine = vec![(3, Byzantine::Divide)];
        let at = 300 + seed * 11 % 1_200;
        setup.disturbances = vec![
            (at, Disturbance::Partition(vec![vec![1, 2], vec![0]])),
            (at, Disturbance::Kill(3)),
            (at + 80, Disturbance::Kill(0)),
            (at + 200, Disturbance::Restart(0)),
            (at + 200, Disturbance::Heal),
        ];
        let mut world = World::mock(&setup);
        world.run(at + 200);
        let height = world.observer.lowest();
        let lives = world.run_to_height(height + 3, 60_000);
        world.assert_safe();
        lives
    })
}

#[test]
fn a_vote_in_the_log_without_its_notarization_stops_the_chain() {
    assert!(lives_through_a_crash_that_keeps_the_log_only(), "there is no such vote");
}

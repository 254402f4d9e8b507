//! Rules that are known to go wrong do go wrong here, without any dishonest miner, and the observer sees it: what it does not
//! report about `hardened` is not for want of looking.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, Rules, SubroundCapRule, SubroundEntryRule, SubroundSwitchRule,
    TicketRule,
};

use zus_sim::timed::{Adjust, Disturbance, Links, Setup, World};
use zus_sim::{Byzantine, Expect};

/// The properties that are broken in at least one of so many runs, on a network whose delays go beyond every wait.
fn broken(rules: Rules, seeds: u64) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for seed in 0..seeds {
        let mut setup = Setup::new(4, rules, seed);
        setup.links = Links { delay: 1..=2_500, loss: 50, ..Links::ROUGH };
        let mut world = World::mock(&setup);
        // All of them, whatever the rules promise; except that subrounds may be entered locally.
        world.observer.expect = Expect { timeouts_before_subrounds: false, ..Expect::ALL };
        world.run(40_000);
        world.observer.at_the_end();
        let properties =
            world.observer.violations.iter().map(|violation| violation.chars().take(2).collect());
        broken.extend(properties);
    }
    broken
}

fn properties(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn hardened_breaks_nothing() {
    assert_eq!(broken(Rules::HARDENED, 60), properties(&[]));
}

#[test]
fn a_late_better_rank_makes_two_notarized_blocks_in_one_subround() {
    let rules = Rules { ticket: TicketRule::BetterRank, ..Rules::HARDENED };
    assert_eq!(broken(rules, 30), properties(&["S1", "S2"]));
}

#[test]
fn notarized_is_not_final_and_a_chained_beacon_forks_with_the_chain() {
    assert_eq!(broken(Rules::DOCUMENTED, 600), properties(&["S5", "S9"]));
}

#[test]
fn the_deployed_rules_ticket_and_notarize_twice() {
    let broken = broken(Rules::DEPLOYED, 60);
    assert!(broken.is_superset(&properties(&["S1", "S2"])), "{broken:?}");
}

/// Rule changes 3 and 4: the blocks that happen to be known meet in one, and another is notarized later; nor does a wait help
/// where messages take longer than it assumes.
#[test]
fn where_the_known_blocks_meet_is_not_final() {
    for finality in [FinalityRule::CommonAncestor { depth: 0 }, FinalityRule::TwoDelta] {
        let broken = broken(Rules { finality, ..Rules::DOCUMENTED }, 150);
        assert!(broken.contains("S5"), "{finality:?}: {broken:?}");
    }
}

/// In how many runs nothing is produced any more, although the network has become reliable. One miner shows its
/// notarizations to a single other one.
fn stuck(rules: Rules, seeds: u64) -> usize {
    let is_stuck = |seed: &u64| {
        let mut setup = Setup::new(4, rules, *seed);
        setup.links = Links { delay: 1..=900, loss: 50, ..Links::ROUGH };
        setup.disturbances = vec![(8_000, Disturbance::Links(Links::RELIABLE))];
        setup.byzantine = vec![(3, Byzantine::Divide)];
        let mut world = World::mock(&setup);
        world.run(8_000);
        let height = world.observer.lowest();
        !world.run_to_height(height + 3, 100_000)
    };
    (0..seeds).filter(is_stuck).count()
}

/// Rule change 9: the notarized block that arrives first fixes the seed of the next beacon message, and honest miners sign
/// different ones for ever. Those who follow the greatest seed (`Adopt`) sign one, and so do those whose beacon signs no seed.
#[test]
fn a_beacon_chained_to_the_first_arrival_stops() {
    let chained = Rules {
        beacon: BeaconRule::Chained,
        subround_entry: SubroundEntryRule::Local,
        echo: EchoRule::None,
        ..Rules::HARDENED
    };
    let first = Rules { subround_switch: SubroundSwitchRule::FirstArrival, ..chained };
    // Six runs in a hundred.
    assert!(stuck(first, 200) > 0);
    assert_eq!(stuck(chained, 200), 0);
    assert_eq!(stuck(Rules::HARDENED, 200), 0);
}

/// Rule change 28: certificates that are not relayed.
#[test]
fn certificates_that_nobody_relays_stop_the_chain() {
    assert!(stuck(Rules { echo: EchoRule::None, ..Rules::HARDENED }, 20) > 0);
}

/// Rule change 15: later subrounds repeat the generator of subround 1. Where those of subrounds 0 and 1 are silent nobody is left.
#[test]
fn capped_subrounds_stop_the_chain() {
    let lives = |cap| {
        (0..20).all(|seed| {
            let rules = Rules { subround_cap: cap, ..Rules::HARDENED };
            let mut setup = Setup::new(4, rules, seed);
            setup.byzantine = vec![(1, Byzantine::NoProposals)];
            setup.adjust = Adjust(Arc::new(|config| config.generators = 1));
            World::mock(&setup).run_to_height(12, 200_000)
        })
    };
    assert!(!lives(SubroundCapRule::CappedAtOne));
    assert!(lives(SubroundCapRule::Unbounded));
}

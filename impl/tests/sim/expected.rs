//! Rules that are known to go wrong do go wrong here, without any dishonest miner, and the observer sees it: what it does not
//! report about `hardened` is not for want of looking.

use std::collections::BTreeSet;

use zus_bpp::rules::{Rules, TicketRule};

use super::network::{Expect, Network, Setup, World};

/// The properties that are broken in at least one of so many runs, on a network whose delays go beyond every wait.
fn broken(rules: Rules, seeds: u64) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for seed in 0..seeds {
        let mut setup = Setup::new(4, rules, seed);
        setup.network = Network { delay: 1..=2_500, loss: 50, ..Network::ROUGH };
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
    assert_eq!(broken(Rules::DOCUMENTED, 120), properties(&["S5", "S9"]));
}

#[test]
fn the_deployed_rules_ticket_and_notarize_twice() {
    let broken = broken(Rules::DEPLOYED, 60);
    assert!(broken.is_superset(&properties(&["S1", "S2"])), "{broken:?}");
}

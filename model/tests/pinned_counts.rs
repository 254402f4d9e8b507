//! Exact numbers of unique states: any change in what the protocol lets happen, or in a reduction, is seen here.
//!
//! A number that changes on purpose is changed here, in the commit that says why.

use zus_checker::{
    committed,
    properties::Facts,
    scenario::Change,
    search::bfs::{End, Limits, explore},
};

/// Scenario, unique states, states generated with repetitions, longest distance from the start.
const PINNED: &[(&str, u64, u64, u32)] = &[
    ("late_better_rank", 197, 431, 11),
    ("catalogue_no_such_block", 2_580, 10_248, 28),
    ("catalogue_far_ahead", 1_045, 1_668, 18),
    ("two_subrounds", 1_171, 3_548, 15),
    ("hardened_loss", 4_379, 16_450, 20),
    ("hardened_live", 55_553, 154_180, 29),
    ("hardened_sharders", 8_887, 24_155, 22),
    ("hardened_n7_live", 68_310, 237_411, 25),
];

#[test]
fn small_scenarios_have_exactly_these_states() {
    let mut found = Vec::new();
    for &(name, ..) in PINNED {
        let scenario = committed::scenario(name, &Change::default()).unwrap().unwrap();
        let limits = Limits { states: 200_000, ..Limits::default() };
        let e = explore(&scenario.protocol, Facts::default(), None, limits, &|_| {}, &|_| {});
        assert_eq!(e.end, End::Exhausted, "{name} is too large to be pinned");
        found.push((name, e.unique, e.generated, e.depth));
    }
    assert_eq!(found, PINNED, "\nnow: {found:#?}");
}

//! Long runs at their smallest: pruning happens in them, and a round has many subrounds.
//! `cargo run -p zus-fuzz -- soak` is the same for thousands of rounds.

use zus_bpp::{limits::MAX_WAIT, miner::Config};
use zus_fuzz::soak::{MOST_BYTES, Plan, SLACK_BYTES, soak};
use zus_fuzz::world::Adjust;

#[test]
fn what_is_alive_stays_within_its_bound_over_hundreds_of_rounds_with_faults() {
    // Other live memory is not counted.
    let held = std::hint::black_box(vec![0u8; MOST_BYTES as usize + 1]);
    let report = soak(Plan::of(600, 1)).unwrap_or_else(|wrong| panic!("{wrong}"));
    drop(held);
    assert!(report.finalized >= 600 && report.crashes > 0 && report.absences > 0, "{report:?}");
    let (most, warm) = (report.alive.iter().max(), report.alive.iter().take(8).max());
    assert!(most < Some(&MOST_BYTES) && most <= warm.map(|warm| warm + SLACK_BYTES).as_ref(), "{report:?}");
    assert!(report.alive.len() > 12, "nobody counted: {report:?}");
}

#[test]
fn a_round_is_held_up_for_many_subrounds() {
    let plan = Plan { subrounds: 20, ..Plan::of(5, 2) };
    let report = soak(plan).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(report.subround > 20, "{report:?}");
}

/// 255 is followed by 256, and a block of such a subround becomes final.
#[test]
fn a_round_has_more_subrounds_than_a_byte_can_count() {
    let report = soak(beyond_a_byte(Adjust(says_all_once, 0))).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(report.subround > 256 && report.finalized >= 5, "{report:?}");
}

fn beyond_a_byte(adjust: Adjust) -> Plan {
    Plan { subrounds: 256, faults: false, adjust, ..Plan::of(5, 2) }
}

/// Nothing but proposals is lost here, so that to say the rest again for as long as late subrounds last only takes time.
fn says_all_once(config: &mut Config, _: u16) {
    config.timing.resend = MAX_WAIT;
}

#[test]
fn rounds_have_large_numbers() {
    // Around what 32 bits can count, and below the highest round that a ticket log signs for.
    for begins_at in [(1 << 32) - 6, (1 << 62) - 64, 281_474_976_710_656] {
        let plan = Plan { begins_at, miners: 7, ..Plan::of(16, 3) };
        let report = soak(plan).unwrap_or_else(|wrong| panic!("from {begins_at}: {wrong}"));
        assert!(report.finalized >= begins_at + 16, "{report:?}");
    }
}

#[test]
fn the_same_plan_is_the_same_run() {
    let reports = [1, 1].map(|seed| soak(Plan::of(64, seed)).unwrap_or_else(|wrong| panic!("{wrong}")));
    let said = reports.map(|report| (report.finalized, report.crashes, report.absences, report.subround));
    assert_eq!(said[0], said[1]);
}

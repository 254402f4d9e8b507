//! Target about long runs: see [`soak`](crate::soak).

use zus_bpp::rules::{BeaconRule, Rules};

use crate::soak::Plan;

/// The first byte says what is long (rounds, subrounds, numbers, or rounds under a bound on memory), the second draws faults and
/// keys.
///
/// # Panics
/// When something is wrong.
pub fn soak(bytes: &[u8]) {
    let (kind, seed) = (bytes.first().map_or(0, |kind| kind % 6), bytes.get(1).copied().unwrap_or_default());
    let plan = Plan::of(90, seed.into());
    let chained = Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED };
    let plan = match kind {
        0 => plan,
        1 => Plan { miners: 7, rounds: 48, ..plan },
        2 => Plan { rules: chained, rounds: 48, ..plan },
        3 => Plan { subrounds: 258, rounds: 6, ..plan },
        4 => Plan { begins_at: (1 << 32) - 6, rounds: 14, ..plan },
        _ => Plan { rounds: 800, ..plan },
    };
    if let Err(wrong) = crate::soak::soak(plan) {
        panic!("{wrong}\n{bytes:02x?}: {} rounds from {}", plan.rounds, plan.begins_at);
    }
}

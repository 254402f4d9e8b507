//! Rounds of production take as long as the proof says, and the waits that are refused matter.

use zus_bpp::miner::StartError;
use zus_fuzz::waits::{DELTA, Measured, Waits, WaitsError, measure};
use zus_protocol::synchrony::{FINAL, WINDOW};

const SEEDS: u64 = 24;

#[test]
fn rounds_are_final_within_the_bound_of_the_proof() {
    for waits in [Waits::LEAST, Waits { window: 2 * WINDOW, ..Waits::LEAST }] {
        let Measured { rounds, longest } = measure(waits, SEEDS).unwrap();
        assert!(rounds > 200, "{rounds}");
        // The bound says something: with four ticks less it would not hold.
        let least = u64::from(waits.window + FINAL - 4) * DELTA;
        assert!(longest > least, "{waits:?}: {longest} ms");
    }
}

#[test]
fn shorter_waits_are_refused() {
    let least = Waits::LEAST;
    for waits in [
        Waits { window: least.window - 1, ..least },
        Waits { ticket_wait: least.ticket_wait - 1, ..least },
        Waits { told: DELTA + 1, ..least },
    ] {
        let refused = measure(waits, 1);
        assert!(
            matches!(refused, Err(WaitsError::Refused(StartError::WaitTooShort { .. }))),
            "{waits:?}: {refused:?}"
        );
    }
}

/// A miner that is told of a network that is faster than its own has waits that are too short, and nobody refuses them.
#[test]
fn with_shorter_waits_rounds_are_late() {
    let told = Waits { window: 1, told: DELTA / WINDOW as u64, ..Waits::LEAST };
    let late = measure(told, SEEDS);
    assert!(matches!(late, Err(WaitsError::Late { .. })), "{late:?}");
}

//! Waits from the command line.

use zus_output::plain;

use crate::waits::{DELTA, Waits, WaitsError, measure};

/// Measures runs with these waits, and says how long rounds took.
pub(super) fn waits(waits: Waits, seeds: u64) -> bool {
    let ticks = |milliseconds: u64| milliseconds as f64 / DELTA as f64;
    match measure(waits, seeds) {
        Ok(measured) => {
            println!(
                "{} rounds with an honest best generator; the slowest was final after {:.2} Δ, of the {:.0} Δ that the proof allows",
                measured.rounds,
                ticks(measured.longest),
                ticks(waits.bound())
            );
            true
        }
        Err(WaitsError::Refused(why)) => {
            println!("refused: {}", plain::message(&why.to_string()));
            true
        }
        Err(late @ WaitsError::Late { .. }) => {
            println!("WRONG: {late}");
            false
        }
    }
}

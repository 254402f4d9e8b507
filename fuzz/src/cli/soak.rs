//! Long runs from the command line.

use std::time::Instant;

use crate::soak::{Plan, soak};

/// Runs a plan and says what it was.
pub(super) fn soaks(plan: Plan) -> bool {
    let start = Instant::now();
    match soak(plan) {
        Ok(report) => {
            println!(
                "round {} is final everywhere, subround {} was reached, {} crashes, {} long absences, {:.1} s",
                report.finalized,
                report.subround,
                report.crashes,
                report.absences,
                start.elapsed().as_secs_f64()
            );
            let (first, most) = (report.alive.first(), report.alive.iter().max());
            if let (Some(first), Some(most), Some(last)) = (first, most, report.alive.last()) {
                println!("bytes alive: {first} at first, {last} at the end, {most} at most");
            }
            true
        }
        Err(wrong) => {
            println!("WRONG: {wrong}");
            false
        }
    }
}

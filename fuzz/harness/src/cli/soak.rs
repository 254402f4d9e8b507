//! Long runs from the command line.

use std::time::Instant;

use zus_output::plain::quoted;

use super::finding::Deviation;
use crate::schedule::profile;
use crate::soak::{Plan, soak};

/// The arguments of the tool for this plan: every option that decides the run.
fn arguments(plan: &Plan) -> String {
    let Plan { rounds, begins_at, subrounds, miners, seed, rules, faults: _, adjust: _ } = plan;
    let rules = quoted(profile::name_of(rules));
    format!(
        "soak --rounds {rounds} --seed {seed} --miners {miners} --begins-at {begins_at} --subrounds {subrounds} --rules {rules}"
    )
}

/// Runs a plan and says what it was.
pub(super) fn soaks(plan: Plan, deviation: &Deviation) -> bool {
    let start = Instant::now();
    match soak(Plan { adjust: deviation.adjust, ..plan }) {
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
            println!("replay: {}", deviation.command(&arguments(&plan)));
            false
        }
    }
}

//! Shrinking: delta debugging over the choices of a schedule, in the library. Milliseconds where an engine's own minimiser,
//! which knows bytes only, takes seconds and stops early.
//!
//! A shorter schedule is kept when it fails in the same way ([`Failure::kind`](crate::schedule::Failure::kind)). Choices are
//! resolved against the world, so leaving one out may change what the later ones mean; that is tried, not reasoned about.

use crate::schedule::{Choice, Schedule};

/// Leaves out choices as long as `fails` holds of what is left.
#[must_use]
pub fn shrink(schedule: &Schedule, fails: impl Fn(&Schedule) -> bool) -> Schedule {
    let with = |choices: &[Choice]| Schedule { header: schedule.header, choices: choices.to_vec() };
    let mut best = schedule.choices.clone();
    // What comes after the failure does not matter: the shortest beginning that fails, by halving.
    let (mut low, mut high) = (0, best.len());
    while low < high {
        let middle = (low + high) / 2;
        if fails(&with(&best[..middle])) { high = middle } else { low = middle + 1 }
    }
    if fails(&with(&best[..high])) {
        best.truncate(high);
    }
    let mut size = best.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut shorter = false;
        while at < best.len() {
            let mut rest = best.clone();
            rest.drain(at..(at + size).min(best.len()));
            if fails(&with(&rest)) {
                best = rest;
                shorter = true;
            } else {
                at += size;
            }
        }
        if size == 1 && !shorter {
            return with(&best);
        }
        size = if shorter { size } else { size.div_ceil(2) }.min(best.len().max(1));
        if best.is_empty() {
            return with(&best);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Random;

    #[test]
    fn two_choices_that_matter_remain_of_a_hundred() {
        let mut random = Random::new(3);
        let mut schedule = Schedule::random(&mut random);
        schedule.choices = (0..100).map(|i| Choice([i, 0, 0, 0])).collect();
        let has =
            |schedule: &Schedule, wanted: u8| schedule.choices.iter().any(|choice| choice.0[0] == wanted);
        let short = shrink(&schedule, |schedule| has(schedule, 17) && has(schedule, 80));
        assert_eq!(short.choices, [Choice([17, 0, 0, 0]), Choice([80, 0, 0, 0])]);
    }
}

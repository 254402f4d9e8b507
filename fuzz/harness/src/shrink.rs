//! Shrinking: delta debugging in the library, over the choices of a schedule, then over what takes part: miners, Byzantine
//! members, rounds and subrounds, disks, keys; then over the numbers in each choice. Milliseconds where an engine's own
//! minimiser, which knows bytes only, takes seconds and stops early.
//!
//! A smaller schedule is kept when it fails in the same way ([`Failure::kind`](crate::schedule::Failure::kind)). Choices are
//! resolved against the world, so leaving one out may change what the later ones mean; that is tried, not reasoned about.

use crate::schedule::{Choice, RECORD_BYTES, Schedule};

/// Makes a schedule smaller as long as `fails` holds of it, until nothing that is tried makes it smaller any more.
#[must_use]
pub fn shrink(schedule: &Schedule, fails: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut best = schedule.clone();
    loop {
        let before = best.clone();
        best = fewer_choices(&best, &fails);
        best = simpler_header(best, &fails);
        best = simpler_choices(best, &fails);
        // Each round leaves choices out, or lowers the header or a number: it ends.
        if best == before {
            return best;
        }
    }
}

/// Simpler headers, the simplest first, as long as one fails.
fn simpler_header(mut best: Schedule, fails: &impl Fn(&Schedule) -> bool) -> Schedule {
    loop {
        let simpler = best.header.simpler().into_iter();
        let mut simpler = simpler.map(|header| Schedule { header, choices: best.choices.clone() });
        match simpler.find(fails) {
            Some(found) => best = found,
            None => return best,
        }
    }
}

/// Numbers of choices that are 0: the first of what there is to choose from.
fn simpler_choices(mut best: Schedule, fails: &impl Fn(&Schedule) -> bool) -> Schedule {
    for index in 0..best.choices.len() {
        for byte in 0..RECORD_BYTES {
            if best.choices[index].0[byte] == 0 {
                continue;
            }
            let mut simpler = best.clone();
            simpler.choices[index].0[byte] = 0;
            if fails(&simpler) {
                best = simpler;
            }
        }
    }
    best
}

/// Leaves out choices as long as `fails` holds of what is left.
fn fewer_choices(schedule: &Schedule, fails: &impl Fn(&Schedule) -> bool) -> Schedule {
    let with = |choices: &[Choice]| Schedule { header: schedule.header, choices: choices.to_vec() };
    let mut best = schedule.choices.clone();
    // The choices after the failure do not matter: the shortest beginning that fails, by halving.
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

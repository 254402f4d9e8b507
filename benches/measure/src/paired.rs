//! Ratios from paired runs: every case once a round, in an order that rotates, and a ratio for each round.
//!
//! A slow moment of the machine then slows both sides of a ratio. Medians of such ratios repeat within a few percent where
//! the times themselves do not.

use std::time::Duration;

use crate::process_time;

/// A name, and the work of one round; the number of the round is given.
pub struct Case<'a> {
    /// The name in the table.
    pub name: String,
    work: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Case<'a> {
    /// A case.
    pub fn new(name: impl Into<String>, work: impl FnMut(usize) + 'a) -> Self {
        Self { name: name.into(), work: Box::new(work) }
    }
}

/// Times of all cases, by round.
pub struct Times {
    names: Vec<String>,
    rounds: Vec<Vec<Duration>>,
}

/// Runs `cases` for so many rounds, after one to warm up.
#[must_use]
pub fn run(mut cases: Vec<Case<'_>>, rounds: usize) -> Times {
    let mut times = Times { names: cases.iter().map(|case| case.name.clone()).collect(), rounds: Vec::new() };
    let n = cases.len();
    for round in 0..=rounds {
        let mut taken = vec![Duration::ZERO; n];
        for i in 0..n {
            let case = (i + round) % n;
            ((), taken[case]) = process_time::of(|| (cases[case].work)(round));
        }
        if round > 0 {
            times.rounds.push(taken);
        }
    }
    times
}

/// A median with the tenth and the ninetieth percentile.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The tenth percentile.
    pub low: f64,
    /// The ninetieth percentile.
    pub high: f64,
}

impl Spread {
    /// Of some measurements; not a number if there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (values.len().saturating_sub(1) as f64 * share).round();
            values.get(index as usize).copied().unwrap_or(f64::NAN)
        };
        Self { median: at(0.5), low: at(0.1), high: at(0.9) }
    }

    /// All of it multiplied.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { median: self.median * factor, low: self.low * factor, high: self.high * factor }
    }
}

impl Times {
    /// Of cases, in this order, by round.
    #[must_use]
    pub const fn of(names: Vec<String>, rounds: Vec<Vec<Duration>>) -> Self {
        Self { names, rounds }
    }

    /// The names of the cases.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Milliseconds that a case takes.
    #[must_use]
    pub fn milliseconds(&self, name: &str) -> Option<Spread> {
        let case = self.position(name)?;
        Some(Spread::of(self.rounds.iter().map(|round| round[case].as_secs_f64() * 1e3).collect()))
    }

    /// How many times longer `name` takes than `base`, round by round.
    #[must_use]
    pub fn ratio(&self, name: &str, base: &str) -> Option<Spread> {
        let (case, base) = (self.position(name)?, self.position(base)?);
        let ratio = |round: &Vec<Duration>| round[case].as_secs_f64() / round[base].as_secs_f64();
        Some(Spread::of(self.rounds.iter().map(ratio).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let milliseconds = |values: [u64; 2]| values.map(Duration::from_millis).to_vec();
        let times = Times {
            names: vec!["ours".into(), "peer".into()],
            rounds: vec![milliseconds([1, 3]), milliseconds([10, 30]), milliseconds([2, 8])],
        };
        let ratio = times.ratio("peer", "ours").unwrap();
        assert_eq!((ratio.low, ratio.median, ratio.high), (3.0, 3.0, 4.0));
        assert_eq!(times.milliseconds("ours").unwrap().median, 2.0);
        assert!(times.ratio("stranger", "ours").is_none());
    }

    #[test]
    fn every_case_runs_once_a_round_and_once_before() {
        let (mut a, mut b) = (0, Vec::new());
        let times = run(vec![Case::new("a", |_| a += 1), Case::new("b", |round| b.push(round))], 3);
        assert_eq!(times.rounds.len(), 3);
        drop(times);
        assert_eq!((a, b), (4, vec![0, 1, 2, 3]));
    }
}

//! The ratios that the hot path must reach beside its peers, and those that one run measured.

use crate::paired::{Spread, Times};

/// Times of all verifiers for tickets of `n` members of which `invalid` are invalid.
pub struct Measured {
    /// Committee size.
    pub n: usize,
    /// Invalid tickets.
    pub invalid: usize,
    /// Of the cases called `ours`, `ours, portable` and so on.
    pub times: Times,
}

/// One requirement: how many times longer than `base` the case `name` takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Requirement {
    name: &'static str,
    base: &'static str,
    bound: Bound,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, ratio: f64) -> bool {
        // Written so that what was not measured never holds.
        match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
        }
    }

    fn harder(self, factor: f64) -> Self {
        match self {
            Self::AtLeast(bound) => Self::AtLeast(bound * factor),
            Self::AtMost(bound) => Self::AtMost(bound / factor),
        }
    }
}

const OURS: &str = "ours";
const PORTABLE: &str = "ours, portable";

/// How many times slower commonware and blst must be at least, with 0, 1, 10 and f invalid tickets.
const WITH_LANES: [f64; 4] = [5.0, 9.0, 5.5, 5.5];
const WITHOUT_LANES: [f64; 4] = [2.9, 7.0, 3.0, 2.7];

/// How many times longer than the limit ours may take.
const LIMIT_WITH_LANES: f64 = 1.15;
const LIMIT_WITHOUT_LANES: f64 = 1.10;

/// The peers that requirements are about: a build without one of them cannot be held against all.
pub const NEEDED: [&str; 2] = ["commonware", "blst"];

/// The requirements for so many invalid tickets of `n`. Those of the lanes only where the processor has them.
#[must_use]
pub fn requirements(n: usize, invalid: usize, has_lanes: bool) -> Vec<Requirement> {
    let f = n.saturating_sub(1) / 3;
    let Some(column) = [0, 1, 10, f].iter().position(|&known| known == invalid) else { return Vec::new() };
    let mut all = Vec::new();
    for (ours, limit, ratios, most) in [
        (OURS, "limit", WITH_LANES, LIMIT_WITH_LANES),
        (PORTABLE, "limit, portable", WITHOUT_LANES, LIMIT_WITHOUT_LANES),
    ] {
        if ours == OURS && !has_lanes {
            continue;
        }
        let at_least = |name, bound| Requirement { name, base: ours, bound: Bound::AtLeast(bound) };
        all.push(at_least("commonware", ratios[column]));
        if invalid < f {
            // With f invalid tickets blst verifies one by one, for which there is a requirement below.
            all.push(at_least("blst", ratios[column]));
        }
        all.push(at_least("one by one", 1.0));
        if invalid == 0 {
            all.push(Requirement { name: ours, base: limit, bound: Bound::AtMost(most) });
        }
    }
    all
}

/// A requirement and the ratio that was measured.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Committee size, invalid tickets, and the two cases that are compared.
    pub ratio: String,
    /// The requirement, as text.
    pub required: String,
    /// The median with its spread; `None` when it was not measured.
    pub measured: Option<Spread>,
    /// Whether the median is on the right side of it.
    pub ok: bool,
}

/// All requirements beside their ratios. With a `factor` other than one each is so many times as strict, which shows that each can
/// be missed.
#[must_use]
pub fn compare(all: &[Measured], has_lanes: bool, factor: f64) -> Vec<Comparison> {
    let of = |Measured { n, invalid, times }: &Measured| -> Vec<Comparison> {
        let comparison = |requirement: Requirement| {
            let bound = requirement.bound.harder(factor);
            let measured = times.ratio(requirement.name, requirement.base);
            Comparison {
                ratio: format!("n = {n}, {invalid} invalid: {} / {}", requirement.name, requirement.base),
                required: match bound {
                    Bound::AtLeast(bound) => format!("at least {bound:.2}"),
                    Bound::AtMost(bound) => format!("at most {bound:.2}"),
                },
                ok: measured.is_some_and(|spread| bound.holds(spread.median)),
                measured,
            }
        };
        requirements(*n, *invalid, has_lanes).into_iter().map(comparison).collect()
    };
    all.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measured(invalid: usize, milliseconds: &[(&str, u64)]) -> Measured {
        let (names, times): (Vec<_>, Vec<_>) =
            milliseconds.iter().map(|&(name, ms)| (name.to_owned(), Duration::from_millis(ms))).unzip();
        Measured { n: 100, invalid, times: Times::of(names, vec![times]) }
    }

    const ALL_VALID: [(&str, u64); 7] = [
        ("ours", 100),
        ("ours, portable", 200),
        ("commonware", 600),
        ("blst", 610),
        ("one by one", 900),
        ("limit", 90),
        ("limit, portable", 190),
    ];

    #[test]
    fn a_ratio_that_is_reached_is_ok_and_a_stricter_one_is_not() {
        let good = [measured(0, &ALL_VALID)];
        assert!(compare(&good, true, 1.0).iter().all(|comparison| comparison.ok));
        assert_eq!(compare(&good, true, 1.0).len(), 8);
        assert_eq!(
            compare(&good, false, 1.0).len(),
            4,
            "without lanes only the portable path is asked about"
        );
        assert!(compare(&good, true, 100.0).iter().all(|comparison| !comparison.ok));
    }

    #[test]
    fn each_is_missed_by_the_case_that_is_too_slow_or_was_not_measured() {
        let mut slow = ALL_VALID;
        slow[0].1 = 125;
        let missed: Vec<String> = compare(&[measured(0, &slow)], true, 1.0)
            .into_iter()
            .filter(|comparison| !comparison.ok)
            .map(|comparison| comparison.ratio)
            .collect();
        assert_eq!(
            missed,
            [
                "n = 100, 0 invalid: commonware / ours",
                "n = 100, 0 invalid: blst / ours",
                "n = 100, 0 invalid: ours / limit"
            ]
        );
        let nothing = compare(&[measured(33, &[("ours", 1)])], true, 1.0);
        assert!(
            !nothing.is_empty()
                && nothing.iter().all(|comparison| !comparison.ok && comparison.measured.is_none())
        );
    }

    #[test]
    fn every_number_of_invalid_tickets_has_its_own_ratio() {
        let commonware = |invalid, has_lanes| requirements(100, invalid, has_lanes)[0].bound;
        for (column, invalid) in [0, 1, 10, 33].into_iter().enumerate() {
            assert_eq!(commonware(invalid, true), Bound::AtLeast(WITH_LANES[column]));
            assert_eq!(commonware(invalid, false), Bound::AtLeast(WITHOUT_LANES[column]));
        }
        assert_eq!(requirements(100, 7, true), []);
        assert!(!requirements(1000, 333, true).is_empty());
    }
}

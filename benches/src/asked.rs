//! The bars of the hot path, and whether it reached them: ratios that were measured in one run, against their bars.

use crate::paired::{Spread, Times};

/// Times of all verifiers for tickets of `n` members of which `wrong` are wrong.
pub struct Measured {
    /// Committee size.
    pub n: usize,
    /// Wrong tickets.
    pub wrong: usize,
    /// Of the cases called `ours`, `ours, portable` and so on.
    pub times: Times,
}

/// One bar: how many times longer than `base` the case `name` takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    name: &'static str,
    base: &'static str,
    /// The ratio that is asked.
    asked: Asked,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Asked {
    AtLeast(f64),
    AtMost(f64),
}

impl Asked {
    fn holds(self, ratio: f64) -> bool {
        // Written so that what was not measured never holds.
        match self {
            Self::AtLeast(bar) => ratio >= bar,
            Self::AtMost(bar) => ratio <= bar,
        }
    }

    fn harder(self, factor: f64) -> Self {
        match self {
            Self::AtLeast(bar) => Self::AtLeast(bar * factor),
            Self::AtMost(bar) => Self::AtMost(bar / factor),
        }
    }
}

const OURS: &str = "ours";
const PORTABLE: &str = "ours, portable";

/// How many times commonware and blst's own are asked to be slower with 0, 1, 10 and f wrong tickets.
const WITH_LANES: [f64; 4] = [5.0, 9.0, 5.5, 5.5];
const WITHOUT_LANES: [f64; 4] = [2.9, 7.0, 3.0, 2.7];

/// How many times longer than the limit ours may take.
const LIMIT_WITH_LANES: f64 = 1.15;
const LIMIT_WITHOUT_LANES: f64 = 1.10;

/// The bars for so many wrong tickets of `n`. Those of the lanes only where the processor has them.
#[must_use]
pub fn bars(n: usize, wrong: usize, has_lanes: bool) -> Vec<Bar> {
    let f = n.saturating_sub(1) / 3;
    let Some(column) = [0, 1, 10, f].iter().position(|&known| known == wrong) else { return Vec::new() };
    let mut bars = Vec::new();
    for (ours, limit, ratios, most) in [
        (OURS, "limit", WITH_LANES, LIMIT_WITH_LANES),
        (PORTABLE, "limit, portable", WITHOUT_LANES, LIMIT_WITHOUT_LANES),
    ] {
        if ours == OURS && !has_lanes {
            continue;
        }
        let at_least = |name, bar| Bar { name, base: ours, asked: Asked::AtLeast(bar) };
        bars.push(at_least("commonware", ratios[column]));
        if wrong < f {
            // With f wrong tickets blst's own is verification one by one, for which there is a bar below.
            bars.push(at_least("blst", ratios[column]));
        }
        bars.push(at_least("one by one", 1.0));
        if wrong == 0 {
            bars.push(Bar { name: ours, base: limit, asked: Asked::AtMost(most) });
        }
    }
    bars
}

/// A bar and what was reached.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The measured ratio: committee size, wrong tickets, and the two cases that are compared.
    pub what: String,
    /// The bar, as text.
    pub asked: String,
    /// The median with its spread; `None` when it was not measured.
    pub reached: Option<Spread>,
    /// Whether the median is on the right side of the bar.
    pub ok: bool,
}

/// A verdict for every bar. With a `factor` other than one every bar is so much harder, which shows that bars can be missed.
#[must_use]
pub fn verdicts(all: &[Measured], has_lanes: bool, factor: f64) -> Vec<Verdict> {
    let of = |Measured { n, wrong, times }: &Measured| -> Vec<Verdict> {
        let verdict = |bar: Bar| {
            let asked = bar.asked.harder(factor);
            let reached = times.ratio(bar.name, bar.base);
            Verdict {
                what: format!("n = {n}, {wrong} invalid: {} / {}", bar.name, bar.base),
                asked: match asked {
                    Asked::AtLeast(bar) => format!("at least {bar:.2}"),
                    Asked::AtMost(bar) => format!("at most {bar:.2}"),
                },
                ok: reached.is_some_and(|spread| asked.holds(spread.median)),
                reached,
            }
        };
        bars(*n, *wrong, has_lanes).into_iter().map(verdict).collect()
    };
    all.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measured(wrong: usize, milliseconds: &[(&str, u64)]) -> Measured {
        let (names, times): (Vec<_>, Vec<_>) =
            milliseconds.iter().map(|&(name, ms)| (name.to_owned(), Duration::from_millis(ms))).unzip();
        Measured { n: 100, wrong, times: Times::of(names, vec![times]) }
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
    fn what_is_reached_is_ok_and_a_harder_bar_is_not() {
        let good = [measured(0, &ALL_VALID)];
        assert!(verdicts(&good, true, 1.0).iter().all(|verdict| verdict.ok));
        assert_eq!(verdicts(&good, true, 1.0).len(), 8);
        assert_eq!(
            verdicts(&good, false, 1.0).len(),
            4,
            "without lanes only the portable path is asked about"
        );
        assert!(verdicts(&good, true, 100.0).iter().all(|verdict| !verdict.ok));
    }

    #[test]
    fn each_bar_is_missed_by_the_case_that_is_too_slow_or_was_not_measured() {
        let mut slow = ALL_VALID;
        slow[0].1 = 125;
        let missed: Vec<String> = verdicts(&[measured(0, &slow)], true, 1.0)
            .into_iter()
            .filter(|verdict| !verdict.ok)
            .map(|verdict| verdict.what)
            .collect();
        assert_eq!(
            missed,
            [
                "n = 100, 0 invalid: commonware / ours",
                "n = 100, 0 invalid: blst / ours",
                "n = 100, 0 invalid: ours / limit"
            ]
        );
        let nothing = verdicts(&[measured(33, &[("ours", 1)])], true, 1.0);
        assert!(
            !nothing.is_empty() && nothing.iter().all(|verdict| !verdict.ok && verdict.reached.is_none())
        );
    }

    #[test]
    fn every_column_of_the_table_has_its_own_bar() {
        let commonware = |wrong, has_lanes| bars(100, wrong, has_lanes)[0].asked;
        for (column, wrong) in [0, 1, 10, 33].into_iter().enumerate() {
            assert_eq!(commonware(wrong, true), Asked::AtLeast(WITH_LANES[column]));
            assert_eq!(commonware(wrong, false), Asked::AtLeast(WITHOUT_LANES[column]));
        }
        assert_eq!(bars(100, 7, true), []);
        assert!(!bars(1000, 333, true).is_empty());
    }
}

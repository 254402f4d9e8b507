//! The quorum arithmetic that the axioms assume, for every n, apart from the rest.
//!
//! Three ways: SMT-LIB scripts (`arithmetic/*.smt2`) for cvc5, with sets of any size and their cardinalities, and for z3
//! and cvc5 in linear arithmetic; and here, with nothing installed, by certificates in Farkas's sense. A certificate
//! multiplies given inequalities with numbers >= 0 and adds them to `0 >= 1`; to check one is a sum.
//!
//! Sets are counted by their regions: of two quorums and the Byzantine miners, `both_honest` is the number in both that
//! are honest, and so on. Regions are disjoint, so their sizes add up.

use crate::judge::{External, ExternalError, ExternalJudge, Likely, Script, SolverAnswer};

/// `sum of coefficient * variable + constant >= 0`.
#[derive(Clone, Copy, Debug)]
pub struct Inequality {
    /// The inequality in words.
    pub says: &'static str,
    /// By variable name.
    pub terms: &'static [(&'static str, i64)],
    /// The constant.
    pub constant: i64,
}

/// A theorem: the inequalities, one of which negates the claim, contradict each other.
#[derive(Clone, Copy, Debug)]
pub struct Theorem {
    /// The axiom or count that rests on it.
    pub name: &'static str,
    /// The claim in words.
    pub says: &'static str,
    /// The premises, and the negated claim last.
    pub given: &'static [Inequality],
    /// One multiplier an inequality, not negative.
    pub multipliers: &'static [i64],
}

/// Why a certificate is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArithmeticError {
    /// A negative multiplier, or not one an inequality.
    #[error("{0}: the certificate needs one multiplier >= 0 for every inequality")]
    Multipliers(&'static str),
    /// A variable is left in the sum.
    #[error("{0}: `{1}` does not cancel in the sum")]
    Left(&'static str, &'static str),
    /// The sum is no contradiction.
    #[error("{0}: the sum says 0 >= {1}, which is no contradiction")]
    Sum(&'static str, i64),
}

const FAULTS: Inequality = Inequality {
    says: "f = floor((n - 1) / 3), so 3f <= n - 1",
    terms: &[("n", 1), ("f", -3)],
    constant: -1,
};
/// Over-counts: everything in the first quorum but not both is at most n less the second.
const WITHIN: Inequality = Inequality {
    says: "the regions of two quorums lie in the committee",
    terms: &[("n", 1), ("first_only", -1), ("second_only", -1), ("both_honest", -1), ("both_byzantine", -1)],
    constant: 0,
};
const FIRST: Inequality = Inequality {
    says: "the first quorum has at least n - f miners",
    terms: &[("first_only", 1), ("both_honest", 1), ("both_byzantine", 1), ("n", -1), ("f", 1)],
    constant: 0,
};
const SECOND: Inequality = Inequality {
    says: "the second quorum has at least n - f miners",
    terms: &[("second_only", 1), ("both_honest", 1), ("both_byzantine", 1), ("n", -1), ("f", 1)],
    constant: 0,
};
const FEW: Inequality =
    Inequality { says: "at most f are Byzantine", terms: &[("f", 1), ("both_byzantine", -1)], constant: 0 };

/// All theorems, named as the axioms that rest on them.
pub const THEOREMS: &[Theorem] = &[
    Theorem {
        name: "quorum-intersection",
        says: "two quorums share an honest miner",
        given: &[
            FAULTS,
            WITHIN,
            FIRST,
            SECOND,
            FEW,
            Inequality { says: "no honest miner is in both", terms: &[("both_honest", -1)], constant: 0 },
        ],
        multipliers: &[1, 1, 1, 1, 1, 1],
    },
    Theorem {
        name: "quorum-honest",
        says: "a quorum has an honest member",
        given: &[
            FAULTS,
            Inequality {
                says: "the quorum has n - f miners, all Byzantine",
                terms: &[("b", 1), ("n", -1), ("f", 1)],
                constant: 0,
            },
            Inequality { says: "at most f are Byzantine", terms: &[("f", 1), ("b", -1)], constant: 0 },
            Inequality { says: "f is not negative", terms: &[("f", 1)], constant: 0 },
        ],
        multipliers: &[1, 1, 1, 1],
    },
    Theorem {
        name: "group-honest",
        says: "of f + 1 miners one is honest",
        given: &[
            Inequality { says: "f + 1 miners, all Byzantine", terms: &[("b", 1), ("f", -1)], constant: -1 },
            Inequality { says: "at most f are Byzantine", terms: &[("f", 1), ("b", -1)], constant: 0 },
        ],
        multipliers: &[1, 1],
    },
    Theorem {
        name: "group-unexposed",
        says: "of n - f miners one is honest and not exposed (S11)",
        given: &[
            FAULTS,
            Inequality {
                says: "n - f miners, all Byzantine or exposed",
                terms: &[("b", 1), ("e", 1), ("n", -1), ("f", 1)],
                constant: 0,
            },
            Inequality { says: "at most f are Byzantine", terms: &[("f", 1), ("b", -1)], constant: 0 },
            Inequality { says: "at most f are exposed", terms: &[("f", 1), ("e", -1)], constant: 0 },
        ],
        multipliers: &[1, 1, 1, 1],
    },
    Theorem {
        name: "conviction",
        says: "two quorums share at least 2q - n = n - 2f miners, and those are at least f + 1 (S10)",
        given: &[
            FAULTS,
            WITHIN,
            FIRST,
            SECOND,
            Inequality {
                says: "at most f are in both",
                terms: &[("f", 1), ("both_honest", -1), ("both_byzantine", -1)],
                constant: 0,
            },
        ],
        multipliers: &[1, 1, 1, 1, 1],
    },
    Theorem {
        name: "honest-quorum",
        says: "the honest miners are a quorum (progress lemmas)",
        given: &[
            Inequality {
                says: "at least n - f are honest",
                terms: &[("h", 1), ("n", -1), ("f", 1)],
                constant: 0,
            },
            Inequality {
                says: "fewer than q = n - f are",
                terms: &[("n", 1), ("f", -1), ("h", -1)],
                constant: -1,
            },
        ],
        multipliers: &[1, 1],
    },
    Theorem {
        name: "leader-up",
        says: "the best rank belongs to a miner that is up with probability (n - f) / n > 2/3",
        given: &[FAULTS, Inequality { says: "3 (n - f) <= 2 n", terms: &[("n", -1), ("f", 3)], constant: 0 }],
        multipliers: &[1, 1],
    },
    // Products are variables of their own: `f A` is f times A. All is taken times n^k, which makes whole numbers of e(k).
    Theorem {
        name: "expected-subrounds",
        says: "of the first k subrounds e(k) <= n / (n - f) < 3/2 are expected to begin before a good one has ended: the step \
               from k to k + 1, of A = (n - f) e(k) <= n to B = (n - f) e(k + 1)",
        given: &[
            Inequality { says: "f >= 0 times n - A >= 0", terms: &[("f n", 1), ("f A", -1)], constant: 0 },
            Inequality {
                says: "e(k + 1) = 1 + f / n e(k), times n (n - f)",
                terms: &[("n n", 1), ("f n", -1), ("f A", 1), ("n B", -1)],
                constant: 0,
            },
            Inequality { says: "n B > n n", terms: &[("n B", 1), ("n n", -1)], constant: -1 },
        ],
        multipliers: &[1, 1, 1],
    },
];

impl Theorem {
    /// Checks the certificate.
    pub fn check(&self) -> Result<(), ArithmeticError> {
        if self.multipliers.len() != self.given.len() || self.multipliers.iter().any(|m| *m < 0) {
            return Err(ArithmeticError::Multipliers(self.name));
        }
        let pairs = || self.given.iter().zip(self.multipliers);
        for (variable, _) in self.given.iter().flat_map(|i| i.terms) {
            let coefficient =
                |i: &Inequality| i.terms.iter().filter(|(v, _)| v == variable).map(|(_, c)| c).sum::<i64>();
            if pairs().map(|(i, m)| coefficient(i) * m).sum::<i64>() != 0 {
                return Err(ArithmeticError::Left(self.name, variable));
            }
        }
        // The rest is `constant >= 0`.
        let constant: i64 = pairs().map(|(i, m)| i.constant * m).sum();
        if constant < 0 { Ok(()) } else { Err(ArithmeticError::Sum(self.name, -constant)) }
    }
}

/// Whether two sets of `ceil(0.66 n)` of n miners always share one outside any `f`.
pub fn percent66_overlaps(n: u64) -> bool {
    let f = (n - 1) / 3;
    2 * (66 * n).div_ceil(100) > n + f
}

/// The scripts: name, text.
pub const SCRIPTS: &[(&str, &str)] = &[
    ("intersection", include_str!("../arithmetic/intersection.smt2")),
    ("conviction", include_str!("../arithmetic/conviction.smt2")),
    ("group", include_str!("../arithmetic/group.smt2")),
    ("unexposed", include_str!("../arithmetic/unexposed.smt2")),
    ("unexposed-tight", include_str!("../arithmetic/unexposed-tight.smt2")),
    ("beacon-threshold", include_str!("../arithmetic/beacon-threshold.smt2")),
    ("intersection-tight", include_str!("../arithmetic/intersection-tight.smt2")),
    ("expected-subrounds", include_str!("../arithmetic/expected-subrounds.smt2")),
    ("expected-subrounds-tight", include_str!("../arithmetic/expected-subrounds-tight.smt2")),
    ("byzantine-majority", include_str!("../arithmetic/byzantine-majority.smt2")),
    ("percent66", include_str!("../arithmetic/percent66.smt2")),
    ("percent66-below", include_str!("../arithmetic/percent66-below.smt2")),
];

/// Whether a script is for a solver, and the answer it must give: its line `; expect ANSWER; judge SOLVER`.
fn expected(script: &str, solver: External) -> Option<SolverAnswer> {
    let line = script.lines().find_map(|l| l.strip_prefix("; expect "))?;
    let (answer, judge) = line.split_once("; judge ")?;
    let meant = judge == "both" || judge == solver.to_string();
    let answer = if answer == "sat" { SolverAnswer::Sat } else { SolverAnswer::Unsat };
    meant.then_some(answer)
}

/// Asks a solver about all scripts meant for it: how many, and which it answers otherwise than expected.
pub fn ask(
    judge: &ExternalJudge,
    threads: usize,
) -> Result<(usize, Vec<(String, SolverAnswer)>), ExternalError> {
    let meant: Vec<_> =
        SCRIPTS.iter().filter_map(|(n, s)| Some((*n, *s, expected(s, judge.solver)?))).collect();
    let scripts: Vec<_> = meant
        .iter()
        .map(|(name, script, expected)| {
            let likely = if *expected == SolverAnswer::Sat { Likely::Sat } else { Likely::Unsat };
            Script { name: name.to_string(), script: script.to_string(), likely }
        })
        .collect();
    let answers = judge.ask(&scripts, threads)?;
    let wrong = meant.iter().zip(answers).filter(|((.., expected), answer)| expected != answer);
    Ok((meant.len(), wrong.map(|((name, ..), answer)| (name.to_string(), answer)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_adds_up_to_a_contradiction() {
        for theorem in THEOREMS {
            assert_eq!(theorem.check(), Ok(()), "{}", theorem.says);
        }
    }

    #[test]
    fn a_certificate_that_does_not_add_up_is_refused() {
        let theorem = THEOREMS[0];
        let wrong = Theorem { multipliers: &[1, 1, 1, 1, 1, 0], ..theorem };
        assert_eq!(wrong.check(), Err(ArithmeticError::Left("quorum-intersection", "both_honest")));
        let negative = Theorem { multipliers: &[1, 1, 1, 1, 1, -1], ..theorem };
        assert_eq!(negative.check(), Err(ArithmeticError::Multipliers("quorum-intersection")));
        let nothing = Theorem { multipliers: &[0; 6], ..theorem };
        assert_eq!(nothing.check(), Err(ArithmeticError::Sum("quorum-intersection", 0)));
    }

    #[test]
    fn every_arithmetic_axiom_has_its_theorem() {
        use crate::spec::{RuleChoice, Sources, load};
        for rules in ["hardened", "hardened,quorum=Percent66", "hardened,fault=BeaconOfFaultsPlusOne"] {
            let spec = load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap();
            for axiom in spec.axioms.iter().filter(|a| a.position.file.as_ref() == "committee.epr") {
                assert!(THEOREMS.iter().any(|t| t.name == axiom.name), "{} rests on no theorem", axiom.name);
            }
        }
    }

    #[test]
    fn sixty_six_percent_first_fails_at_fifty_miners() {
        assert_eq!((1..1000).find(|n| !percent66_overlaps(*n)), Some(50));
    }
}

//! Certificates of unsatisfiability and their check, independent of the solver.
//!
//! A certificate is a list of clauses, each of which follows from the ones before by *reverse unit propagation*: negate
//! it, propagate unit clauses, meet a conflict. The last is empty. That is the addition-only part of DRAT, so any DRAT
//! checker accepts it too; `Certificate::dimacs` and `Certificate::drat` write it for one.

use super::Literal;
use std::fmt::Write;

/// A refutation of clauses together with unit assumptions.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Number of variables.
    pub variables: usize,
    /// The refuted clauses.
    pub clauses: Vec<Vec<Literal>>,
    /// The steps.
    pub learnt: Vec<Vec<Literal>>,
    /// The assumptions used, refuted together with the clauses.
    pub core: Vec<Literal>,
}

/// Why a certificate is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificateError {
    /// A step that does not follow.
    #[error("step {0} of the refutation does not follow by unit propagation")]
    Step(usize),
    /// The empty clause does not follow.
    #[error("the refutation does not end in a contradiction")]
    End,
}

impl Certificate {
    /// Checks every step.
    pub fn check(&self) -> Result<(), CertificateError> {
        let mut checker = Checker::new(self.variables);
        for clause in &self.clauses {
            checker.add(clause);
        }
        for (index, clause) in self.learnt.iter().enumerate() {
            if !checker.follows(clause) {
                return Err(CertificateError::Step(index));
            }
            checker.add(clause);
        }
        let assumptions: Vec<_> = self.core.iter().map(|l| !*l).collect();
        if checker.follows(&assumptions) { Ok(()) } else { Err(CertificateError::End) }
    }

    /// The refuted clauses in DIMACS, the assumptions as units.
    pub fn dimacs(&self) -> String {
        let mut text = format!("p cnf {} {}\n", self.variables, self.clauses.len() + self.core.len());
        self.clauses.iter().for_each(|clause| line(&mut text, clause));
        self.core.iter().for_each(|literal| line(&mut text, &[*literal]));
        text
    }

    /// The steps in DRAT.
    pub fn drat(&self) -> String {
        let mut text = String::new();
        self.learnt.iter().for_each(|clause| line(&mut text, clause));
        line(&mut text, &[]);
        text
    }
}

fn line(text: &mut String, clause: &[Literal]) {
    for literal in clause {
        let _ = write!(text, "{literal} ");
    }
    text.push_str("0\n");
}

/// Unit propagation with two watched literals a clause.
struct Checker {
    /// By literal code: whether it is true.
    value: Vec<bool>,
    trail: Vec<Literal>,
    /// By literal code: clauses to look at when the literal becomes false.
    watches: Vec<Vec<usize>>,
    clauses: Vec<Vec<Literal>>,
    propagated: usize,
    contradiction: bool,
}

impl Checker {
    fn new(variables: usize) -> Self {
        Checker {
            value: vec![false; 2 * variables],
            trail: Vec::new(),
            watches: vec![Vec::new(); 2 * variables],
            clauses: Vec::new(),
            propagated: 0,
            contradiction: false,
        }
    }

    fn holds(&self, literal: Literal) -> bool {
        self.value[literal.code()]
    }

    fn assign(&mut self, literal: Literal) {
        self.value[literal.code()] = true;
        self.trail.push(literal);
    }

    /// Adds a clause for good, and what it propagates.
    fn add(&mut self, clause: &[Literal]) {
        let mut clause = clause.to_vec();
        clause.sort_unstable();
        clause.dedup();
        if self.contradiction || clause.iter().any(|l| self.holds(*l) || clause.contains(&!*l)) {
            return;
        }
        // The trail is permanent here, so literals false now stay false.
        clause.retain(|l| !self.holds(!*l));
        match clause[..] {
            [] => self.contradiction = true,
            [unit] => {
                self.assign(unit);
                self.contradiction = !self.propagate();
            }
            [first, second, ..] => {
                let index = self.clauses.len();
                self.watches[first.code()].push(index);
                self.watches[second.code()].push(index);
                self.clauses.push(clause);
            }
        }
    }

    /// Whether the negation of `clause` leads to a conflict.
    fn follows(&mut self, clause: &[Literal]) -> bool {
        if self.contradiction {
            return true;
        }
        let kept = self.trail.len();
        let mut conflict = false;
        for literal in clause {
            if self.holds(*literal) {
                conflict = true;
                break;
            }
            if !self.holds(!*literal) {
                self.assign(!*literal);
            }
        }
        conflict = conflict || !self.propagate();
        for literal in self.trail.drain(kept..) {
            self.value[literal.code()] = false;
        }
        self.propagated = kept;
        conflict
    }

    /// False on a conflict.
    fn propagate(&mut self) -> bool {
        while self.propagated < self.trail.len() {
            let falsified = !self.trail[self.propagated];
            self.propagated += 1;
            let mut watching = std::mem::take(&mut self.watches[falsified.code()]);
            let mut kept = 0;
            let mut conflict = false;
            let mut next = 0;
            while next < watching.len() {
                let index = watching[next];
                next += 1;
                let clause = &mut self.clauses[index];
                if clause[0] == falsified {
                    clause.swap(0, 1);
                }
                let other = clause[0];
                let value = &self.value;
                if value[other.code()] {
                    watching[kept] = index;
                    kept += 1;
                    continue;
                }
                match (2..clause.len()).find(|i| !value[(!clause[*i]).code()]) {
                    Some(place) => {
                        clause.swap(1, place);
                        self.watches[clause[1].code()].push(index);
                    }
                    None => {
                        watching[kept] = index;
                        kept += 1;
                        if value[(!other).code()] {
                            conflict = true;
                            break;
                        }
                        self.assign(other);
                    }
                }
            }
            watching.copy_within(next.., kept);
            watching.truncate(kept + watching.len() - next);
            self.watches[falsified.code()] = watching;
            if conflict {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(lists: &[&[i32]]) -> Vec<Vec<Literal>> {
        lists.iter().map(|list| list.iter().map(|l| Literal(*l)).collect()).collect()
    }

    fn certificate(given: &[&[i32]], learnt: &[&[i32]], core: &[i32]) -> Certificate {
        let core = core.iter().map(|l| Literal(*l)).collect();
        Certificate { variables: 4, clauses: clauses(given), learnt: clauses(learnt), core }
    }

    const ALL_FOUR: &[&[i32]] = &[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]];

    #[test]
    fn a_refutation_is_accepted() {
        assert_eq!(certificate(ALL_FOUR, &[&[1]], &[]).check(), Ok(()));
        assert_eq!(certificate(&[&[-1, 2], &[-2, 3]], &[], &[1, -3]).check(), Ok(()));
    }

    #[test]
    fn a_step_that_does_not_follow_is_refused() {
        assert_eq!(certificate(&[&[1, 2]], &[&[1]], &[]).check(), Err(CertificateError::Step(0)));
        assert_eq!(
            certificate(&[&[1, 2], &[-1, 3]], &[&[2, 3], &[3]], &[]).check(),
            Err(CertificateError::Step(1))
        );
    }

    #[test]
    fn a_refutation_that_ends_early_is_refused() {
        assert_eq!(certificate(ALL_FOUR, &[], &[]).check(), Err(CertificateError::End));
        assert_eq!(certificate(&[&[-1, 2], &[-2, 3]], &[], &[1]).check(), Err(CertificateError::End));
    }

    #[test]
    fn dimacs_and_drat_carry_the_assumptions_as_units() {
        let certificate = certificate(&[&[-1, 2]], &[&[2]], &[1, -2]);
        assert_eq!(certificate.dimacs(), "p cnf 4 3\n-1 2 0\n1 0\n-2 0\n");
        assert_eq!(certificate.drat(), "2 0\n0\n");
    }
}

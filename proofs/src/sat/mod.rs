//! Propositional satisfiability: a solver that keeps what it was given and what it learnt, and a checker that believes
//! neither.

mod rup;
mod solver;

pub use rup::{Certificate, CertificateError};
pub use solver::{Answer, Phase, Solver};

use std::{fmt, ops::Not};

/// A literal, as DIMACS numbers it: variable `v`, from 1, or `-v` for its negation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal(i32);

impl Literal {
    /// The positive literal of the `index`th variable, from 0.
    pub fn positive(index: usize) -> Self {
        Literal(index as i32 + 1)
    }

    /// The variable, from 0.
    pub fn variable(self) -> usize {
        self.0.unsigned_abs() as usize - 1
    }

    /// Whether it is the variable itself.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// This literal, or its negation if `positive` is false.
    pub fn signed(self, positive: bool) -> Self {
        if positive { self } else { !self }
    }

    /// Dense index for tables: twice the variable, plus one for a negation.
    fn code(self) -> usize {
        2 * self.variable() + usize::from(!self.is_positive())
    }
}

impl Not for Literal {
    type Output = Literal;

    fn not(self) -> Literal {
        Literal(-self.0)
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

//! The batsat solver, with a record of every clause given and learnt.

use super::{Certificate, Literal};
use batsat::{Callbacks, ClauseKind, Lit, SolverInterface, lbool};

/// Which value a decision tries first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// False, always: models with few true variables.
    False,
    /// The last value: fastest.
    Saved,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A satisfying assignment, by variable.
    Satisfiable(Vec<bool>),
    /// Those of the assumptions that already contradict the clauses.
    Unsatisfiable(Vec<Literal>),
}

/// An incremental solver.
pub struct Solver {
    inner: batsat::Solver<Record>,
    phase: Phase,
    clauses: Vec<Vec<Literal>>,
}

#[derive(Default)]
struct Record {
    learnt: Vec<Vec<Literal>>,
}

impl Callbacks for Record {
    fn on_new_clause(&mut self, clause: &[Lit], _: ClauseKind) {
        self.learnt.push(clause.iter().map(|l| back(*l)).collect());
    }
}

fn back(literal: Lit) -> Literal {
    Literal::positive(literal.var().idx() as usize).signed(literal.sign())
}

impl Solver {
    /// Without clauses.
    pub fn new(phase: Phase) -> Self {
        let inner = batsat::Solver::new(batsat::SolverOpts::default(), Record::default());
        Solver { inner, phase, clauses: Vec::new() }
    }

    /// A new variable.
    pub fn variable(&mut self) -> Literal {
        let polarity = match self.phase {
            Phase::False => lbool::FALSE,
            Phase::Saved => lbool::UNDEF,
        };
        Literal::positive(self.inner.new_var(polarity, true).idx() as usize)
    }

    /// Number of variables.
    pub fn variables(&self) -> usize {
        self.inner.num_vars() as usize
    }

    fn forth(&mut self, literal: Literal) -> Lit {
        let variable = self.inner.var_of_int(literal.variable() as u32);
        Lit::new(variable, literal.is_positive())
    }

    /// Adds a clause over variables of this solver.
    pub fn clause(&mut self, clause: Vec<Literal>) {
        let mut literals: Vec<_> = clause.iter().map(|l| self.forth(*l)).collect();
        // False when already contradictory; the next call of `solve` says so.
        self.inner.add_clause_reuse(&mut literals);
        self.clauses.push(clause);
    }

    /// Decides the clauses under assumptions.
    pub fn solve(&mut self, assumptions: &[Literal]) -> Answer {
        let literals: Vec<_> = assumptions.iter().map(|l| self.forth(*l)).collect();
        if self.inner.solve_limited(&literals) == lbool::TRUE {
            let model = self.inner.get_model();
            let value = |index: usize| model.get(index).is_some_and(|v| *v == lbool::TRUE);
            Answer::Satisfiable((0..self.variables()).map(value).collect())
        } else if self.inner.is_ok() {
            let core: Vec<_> = self.inner.unsat_core().iter().map(|l| back(*l).variable()).collect();
            Answer::Unsatisfiable(
                assumptions.iter().copied().filter(|a| core.contains(&a.variable())).collect(),
            )
        } else {
            Answer::Unsatisfiable(Vec::new())
        }
    }

    /// The certificate of the last unsatisfiable answer, for an independent check.
    pub fn certificate(&self, core: Vec<Literal>) -> Certificate {
        Certificate {
            variables: self.variables(),
            clauses: self.clauses.clone(),
            learnt: self.inner.cb().learnt.clone(),
            core,
        }
    }
}
